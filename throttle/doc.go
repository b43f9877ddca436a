// Package throttle answers how often a caller may call: token buckets in front of a handler, as in
// the page "Throttling requests to your HTTP API" of the API Gateway developer guide.
//
//	stage, err := throttle.NewStage(throttle.StageConfig{
//		Account: account,                                // shared by all stages and APIs
//		Default: &throttle.Limit{Rate: 100, Burst: 200}, // for each route, a bucket of its own
//	})
//	few, err := stage.Limit(throttle.Limit{Rate: 5, Burst: 10}) // instead of Default, where attached
//	perCaller, err := throttle.NewPerKey(throttle.Limit{Rate: 10, Burst: 20},
//		throttle.KeyConfig{Key: throttle.ByPrincipal})
//
// A bucket holds Burst tokens and is full at first. It gets Rate tokens a second, continuously.
// Each request takes one; where none is left the answer is 429 {"message":"Too Many Requests"}, and
// a refused request takes none.
//
// Limits hold per process: three replicas let three times the rate through. To share them see
// redisthrottle; for API keys, plans and quotas see usageplan.
//
// # Routes
//
// A limit is attached to its route, so that it can't name one that isn't there:
//
//	api.UseMatched(stage.Middleware)
//	api.Handle("POST /orders", postOrder, few)
//
// The settings of an imported stage are lists of route keys ([StageConfig.Routes], [MethodLimits]).
// (*route.API).Build compares them with the routes. A request whose route nobody tells is answered
// 500, as the rule that is meant for it would be passed over: that is so under chi, gin and echo,
// and where http.ServeMux has a pattern without a method, unless gatekit.OnRoute states the key.
//
// # Order
//
// A limit for all callers stands before the authorizer, as on the managed HTTP API: a flood then
// costs no signature check. One that is keyed by identity stands after it, or else there is no
// identity and all callers share a bucket:
//
//	api.Handle("GET /orders/{id}", getOrder,
//		stage.Middleware, auth.Require(jwt), perCaller.Middleware)
//
// # Connections
//
// What reaches a handler has already cost a connection, a handshake and a header. [Connections]
// stand in front of that, and are put into a server with its timeouts:
//
//	connections, err := throttle.NewConnections(throttle.ConnectionsConfig{})
//	server := gatekit.HTTP.Limits().HTTPServer(api)
//	listener, err := net.Listen("tcp", ":443")
//	err = server.ServeTLS(connections.Guard(server, listener), "", "")
//
// With the PROXY protocol and fingerprints of TLS (waf.Fingerprints), from the inside out:
//
//	inner, err := proxyprotocol.New(listener, proxyprotocol.Config{Proxies: proxies})
//	err = server.ServeTLS(connections.Guard(server, waf.Fingerprints(server, inner)), "", "")
//
// The PROXY protocol stands inside so that limits by address see the client's. Guard and
// Fingerprints find their connections in either order, through whatever has a method
// NetConn() net.Conn. What has none, such as netutil.LimitListener, stands inside of them all:
// around them it hides connections, whose requests and overhead then have no limits
// (ConnectionCounts.Hidden), and which have no fingerprints.
//
// A stream on which the client speaks now and then, as in gRPC, is a body that comes too slowly.
// Its route says that it may:
//
//	api.Handle("POST /chat", chat, auth.Require(jwt), throttle.NoMinimum)
//
// Who bounds what, each row with a test:
//
//	slow headers, no TLS handshake            net/http: ReadHeaderTimeout, also of a byte a second
//	headers that stop coming in HTTP/2        net/http: a PING that isn't answered, 45 seconds
//	endless headers (CONTINUATION floods)     net/http: MaxHeaderBytes, then GOAWAY
//	rapid reset, faster than handlers run     net/http: MaxConcurrentStreams handlers run, four times
//	                                          as many wait, then ENHANCE_YOUR_CALM
//	PINGs faster than they can be answered,   net/http: 10,000 answers in the queue, then closed
//	or whose answers aren't read
//	SETTINGS of more than 100                 net/http: closed
//	rapid reset in step with the handlers     RequestRate: 429 and GOAWAY, then closed
//	PING, SETTINGS, PRIORITY, WINDOW_UPDATE,  OverheadRate
//	unknown frames, empty DATA, empty
//	CONTINUATION, in step with the server
//	PINGs between requests whose headers      OverheadRate: HTTP/2 gives back 1 KiB a request
//	HPACK sends in a byte each
//	slow bodies                               MinBodyRate: Read fails with os.ErrDeadlineExceeded
//	slow readers                              MinAnswerRate: closed
//	many connections                          MaxConnections, MaxPerAddress
//	connecting again and again                AcceptRate
//
// A body counts only while a handler waits for it, so that a slow handler isn't its client's fault.
// In HTTP/2 a client that reads its connection but opens no window for one answer holds a stream,
// not the connection: http.ResponseController.SetWriteDeadline bounds that.
//
// What is too much is closed by a reset, without an answer; Counts tells how much of it there was.
// Before that, at half of OverheadRate's burst, an answer closes the connection (Connection: close,
// or GOAWAY): a client whose uploads are refused again and again, as its token has expired, gets
// each of the answers, and connects anew.
// Connections that are upgraded are left to who serves them, but keep their places. Behind a load
// balancer that passes connections on, the listener of domain/proxyprotocol stands inside, so that
// limits by address see the client's; behind a proxy that speaks HTTP, name it in Proxies, and
// limit clients by [ByIP].
//
// # Differences
//
//   - [Connections] have no documented counterpart; in front of the managed gateway stands a
//     service of its own.
//   - The managed gateway calls its limits best effort. Within one process these are exact.
//   - 429 answers carry Retry-After, the whole seconds until there is a token. NoRetryAfter leaves
//     it out.
//   - NewPerKey and NewConcurrent have no counterpart on HTTP APIs.
//   - The managed gateway counts a route's limit only up to the account's. Here both are asked,
//     which comes to the same.
package throttle
