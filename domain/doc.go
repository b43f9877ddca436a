// Package domain answers which API a request is for: custom domain names with their certificates,
// and the APIs behind each by base path.
//
//	d, err := domain.New(ctx, domain.Config{Names: []domain.Name{{
//		Host: "api.mycompany.com", Certificate: domain.Files("cert.pem", "key.pem"),
//		Mappings: []domain.Mapping{{BasePath: "orders", Handler: orders}, {BasePath: "users", Handler: users}},
//	}}})
//	…
//	server := &http.Server{Addr: ":443", Handler: d, TLSConfig: d.TLSConfig()}
//	err = server.ListenAndServeTLS("", "")
//
// # Selection
//
// The Host of a request, in lower case and without a port, is looked up as it is, then as one of a
// wildcard's, which stands for exactly one label. X-Forwarded-Host and its like aren't read. Of the
// Name's base paths the longest that the path begins with wins, compared segment by segment as the
// path was sent: /orders is no prefix of /ordersX, and %6Frders isn't orders. Only base paths are
// compared, never the routes behind them: a 404 of the API stands. Where [RoutingRule]s are used,
// the one of the lowest priority number that holds comes first.
//
// A host of no Name, and a path of no mapping, are 403 {"message":"Forbidden"} with
// x-amzn-errortype and x-amzn-requestid, before any authorizer. A path with dot segments, NUL or a
// backslash, encoded or not, is 400, as what is behind a base path might read it as another API's.
//
// # What handlers see
//
// r.URL without the base path, RawPath in step with Path; r.RequestURI, and Path.Received of
// gatekit.From(ctx), as they were received. BasePath there is the mapping's key, empty for the
// empty mapping, of which $context.customDomain.basePathMatched says (none); DomainName is the
// host. CustomDomain is true unless the Name is of the form in which the managed gateway generates
// them (a1b2c3d4e5.execute-api.…): functions of REST APIs see another path there.
// Identity.ClientCert is the client's certificate if the Name demands one.
//
// A handler may be a route.API, one stage (Stages.Handler) or all stages: an API mapping names a
// stage, a base path mapping of a REST API may leave it to the path.
//
// # TLS
//
// [Domain.TLSConfig] gives each client what the Name that it asks for has: certificate, security
// policy, demand for a certificate. HTTP/2 is offered. Clients that send no server name, or one of
// nobody's, get the first Name's certificate, so that they see an answer.
//
// Certificates and truststores in files are looked at again during handshakes, at most once in
// Config.ReloadInterval. No goroutine runs, no connection is dropped, and files that can't be used
// are reported and change nothing. Certificates from an ACME authority are package domain/acme's.
//
// Each Name seals its session tickets with keys of its own, which crypto/tls makes and rotates;
// they live in the process, so that a session isn't resumed in another one, or after a truststore
// has changed.
//
// # Mutual TLS
//
// A client without a certificate, or with one that isn't trusted, is expired, or is too weak, fails
// the handshake. In HTTP/2 a client may ask for one host on a connection made for another: a host
// that demands certificates is 421 there, as it is without TLS, on a connection whose certificate
// the truststore no longer knows, and for clients that send no server name. So is a host whose
// security policy would not have made the connection. Revocation isn't checked: an authorizer can.
// Mind the other ways in, such as the API's generated host name ([DisabledEndpoint]) and a listener
// without TLS that serves the API's handler itself.
//
// # Security policies
//
// TLS_1_2 and TLS_1_0 by their names, and the enhanced policies (SecurityPolicy_TLS13_1_3_2025_09
// and so on). What is served is the managed gateway's list without what crypto/tls lacks:
//
//	policy                        lowest  cipher suites of TLS 1.2 and below (OpenSSL's names)
//	TLS_1_2                       1.2     ECDHE-{ECDSA,RSA}-AES128-GCM-SHA256, …-AES256-GCM-SHA384, …-AES128-SHA256,
//	                                      AES128-GCM-SHA256, AES256-GCM-SHA384, AES128-SHA256
//	TLS_1_0                       1.0     those, ECDHE-{ECDSA,RSA}-AES{128,256}-SHA, AES{128,256}-SHA, DES-CBC3-SHA
//	…TLS13_1_2_…, …TLS12_2018…    1.2     those of TLS_1_2
//	…1_2…PFS…, …TLS12_PFS…        1.2     ECDHE-{ECDSA,RSA}-AES128-GCM-SHA256, …-AES256-GCM-SHA384
//	…TLS13_1_3_…, …TLS13_2025…    1.3     none
//
// Names with PQ prefer the hybrid key exchanges; crypto/tls offers them under the others too. Names
// with FIPS want a program in FIPS 140-3 mode (GODEBUG=fips140=on), and are refused in others.
// TLS_1_2 has suites without forward secrecy and with CBC, as the managed one has; for better ones
// take SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09.
//
// # Differences
//
//   - ECDHE-*-AES256-SHA384 and AES256-SHA256 aren't in crypto/tls; the suites of TLS 1.3 can't be
//     chosen there, and 1.3 is served under every policy.
//   - The suites of the enhanced policies with TLS 1.2 aren't all published by name; those above
//     are taken from the groups that the names say.
//   - A client certificate with extended key usages needs the one for clients; the managed gateway
//     doesn't say.
//   - What is wrong with a truststore is an error at the start, and a warning there. An expired
//     certificate in it isn't, but no client passes by it.
//   - A reloaded truststore counts for open connections too, and without an update of the domain.
//   - 421 where the managed gateway's answer isn't known; 400 for dot segments.
//   - Not limited: 200 multi-level mappings a domain, 120 domains. Not checked: whether a REST, an
//     HTTP or a WebSocket API is mapped, on which the managed gateway's enhanced policies, edge
//     endpoints and shared domains depend.
//   - A host name has at most 253 characters, as in DNS; the managed gateway says 512. Underscores
//     are allowed.
//   - Of several header lines with one name, a rule looks at each. In ValueGlob ? is itself, and /
//     is allowed, which the guide's example has and its list doesn't.
//   - A rule with StripBasePath wants MatchBasePaths; Rules and Mappings that the RoutingMode
//     doesn't look at are refused.
package domain
