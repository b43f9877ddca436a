// # HTTP proxy and private integrations
//
// [HTTP] passes requests on to HTTP servers. With a URI alone it is an HTTP proxy integration; with Upstreams, and Private, the integration behind
// a VPC link: a [Proxy] that balances, checks health, ejects who fails, and sends again what is safe. The [Proxy]'s doc has the headers of each
// flavor. [Mock] answers without a backend.
//
// What an upstream may cost is bounded: the headers by Timeout, a pause by IdleTimeout, connections by MaxConnections, those that wait by MaxWaiting,
// retries by a budget, response headers by MaxResponseHeaderBytes. Of bodies 32 KiB are held at a time, and up to Retry.BodyBytes of the idempotent
// requests that may be sent again.
//
// # Differences of HTTP integrations
//
//   - Bodies are streamed, on HTTP APIs too, where the managed gateway buffers. So a response that breaks off aborts the connection; a response that
//     doesn't say how long it is may be longer than 10 MB; the timeout ends with the response headers, and IdleTimeout begins.
//   - The timeout may be longer than 30 seconds, upstreams may listen on any port, be reached by HTTP/2 or h2c, and be asked again.
//   - WebSocket upgrades, 1xx responses and trailers pass. Other upgrades don't: h2c would lead past everything in front of it.
//   - A path variable in the host is refused, as clients would choose the server. One that the route doesn't have stays in the path, escaped.
//   - A path that has dot segments, NUL or a backslash once its variables are filled in is 400.
//   - %2F in a variable of one segment stays %2F, so that a value makes no second segment; in a greedy variable it becomes a slash, as reported.
//   - On HTTP APIs a client's X-Forwarded-For, -Host, -Port and -Proto are dropped, as they would be believed; HTTPConfig.XForwarded writes them. A client's
//     Forwarded that doesn't parse gives way to the gateway's.
//   - X-HTTP-Method-Override is only followed where HTTPConfig.MethodOverride says so: authorizers judge the method that was sent.
//   - A REST API drops Content-Encoding from responses; here a gzip body is decoded for it, and other codings keep the header.
//   - An HTTP API passes Date, Server and Via of the upstream on.
//   - Which failures are which isn't fully known. Here, on an HTTP API, all are 503 but a certificate of another name behind a VPC link and a response that is too
//     long: 500. On a REST API a name that doesn't resolve is 500, a response that is too long 502, all other are 504.
//   - Connection can't name the forwarding headers, the trace or HTTPConfig.GatewayHeaders. Others that it names are dropped, as RFC 9110 demands.
package integration
