// Package gatekit puts what a managed API gateway does (the HTTP, REST and WebSocket flavors of AWS
// API Gateway) inside any net/http program: as middleware, in the same process, with the same
// answers on the wire.
//
// This package holds what every station of a gateway shares: what is known of one request
// ([RequestContext]), who is calling ([Authorization]), and how a request is refused ([Rejection],
// [Reject]). The stations have packages of their own, each named by the question that it answers:
// route, auth, throttle, cors, domain, transform. All of them are func(http.Handler) http.Handler,
// so a program may use one, some, or all:
//
//	api := gatekit.Must(route.New(route.Config{}))
//	api.Use(corsRules.Middleware)
//	api.Handle("GET /orders/{id}", getOrder, limit.Middleware, auth.Require(jwt, "orders:read"))
//	http.ListenAndServe(":8080", api)
//
// # Which flavor?
//
// The flavor says whose wire conventions the answers follow. It is a field of [API], HTTP by
// default.
//
//	                       HTTP                    REST                          WebSocket
//	managed price, 1 M     $1.00                   $3.50                         $1.00 + minutes
//	no such route          404 Not Found           403 Missing Authentication    error frame
//	                                               Token
//	request ID header      Apigw-Requestid         X-Amzn-Requestid,             none
//	                                               X-Amz-Apigw-Id
//	refusals name a type   no                      X-Amzn-Errortype              no
//	JWT authorizer         yes                     managed: Cognito or Lambda;   managed: Lambda, IAM
//	                                               here yes                      on $connect
//	throttle stands        before the authorizer   after it                      before it
//	API keys, usage plans  managed no; here yes    yes                           $connect
//	templates, models,     managed no; here yes    yes                           templates
//	cache, web ACL
//	CORS                   a configuration         an OPTIONS method; here the   not applicable
//	                                               configuration too
//
// Take HTTP for anything new: it is the smallest contract with clients. Take REST when existing
// clients were written against a REST API and read its bodies, error types or status codes. Take
// WebSocket for APIs whose clients hold a connection. A feature that the managed flavor lacks works
// in every flavor here: the flavor decides what an answer looks like, not what may be configured.
//
// # Zero values, and off
//
// A field that is zero is its default, the same for one word in every config, and never means that
// all may pass. What can be turned off is turned off by Off (-1) in every package that has it.
//
//	field                             zero                              off
//	Logger                            slog.Default()                    slog.New(slog.DiscardHandler)
//	LogRefusals(nil)                  slog.Default()                    don't use it
//	HTTPClient                        one of its own, with timeouts
//	Timeout, …Timeout, …Wait          the default that its doc names
//	Limit, Throttling (nil)           no limit
//	Limit{}, MethodThrottling{}       blocks all; one zero beside a
//	                                  number is refused
//	TTL (auth)                        5 minutes                         Off
//	TTL, CacheTTL (route/cache)       300 seconds                       Off
//	StaleIfError, …WhileRevalidate    none is used beyond its TTL
//	MaxStale                          24 hours                          Off
//	TokenCache                        10,000                            Off
//	Keep (TraceConfig)                100                               Off
//	MaxEntries, MaxBytes              the default that its doc names
//	Leeway                            none
//	timers of route/websocket         the managed gateway's             Off
//	TrustedProxies, Origins, Scopes   none
//
// # Why?
//
// Each station that looks at a request notes what came of it and why ([Note]), if somebody wants to
// know. A [Trace] does: it explains the requests that were refused, one in so many, or the one of a
// client that asks with a signature. [Explain] is for tests. Notes that are kept cost no
// allocation, but for reasons that a station puts into words; as a rule nobody wants them, and then
// a station only asks if that is so, in 4 ns.
//
// Measured on the whole chain (route, cors, jwt, throttle; least of 60 runs, internal/bench,
// BenchmarkTrace): 0.84 µs and 3 allocations without a Trace; 0.88 µs and 3 with one that isn't
// asked; 1.2 µs and 4 where only refused requests are explained, and this one isn't; 2.1 µs and 8
// where each is, half a microsecond of which is the copy.
//
// # Goroutines
//
// Nothing here starts a goroutine. A station writes the plain fields of a RequestContext before it
// calls the next handler, in the goroutine that serves the request; afterwards they are only read.
// What becomes known later (the integration's outcome, a rejection) is behind methods that are safe
// from any goroutine. So a handler that outlives its request, under [net/http.TimeoutHandler],
// races with nobody, as long as the stations that write stand outside it.
//
// # Differences
//
// The names of response headers are in Go's canonical form (X-Amzn-Errortype, where the managed
// gateway writes x-amzn-ErrorType). Names are case-insensitive (RFC 9110, section 5.1), and HTTP/2
// lower-cases them all.
//
// A refusal of an HTTP or WebSocket API, whose bodies the managed gateway doesn't let users change,
// can be changed here with [RequestContext.SetResponder].
//
// A WebSocket handshake is refused with the HTTP flavor's body; what the managed gateway sends
// there isn't recorded.
package gatekit
