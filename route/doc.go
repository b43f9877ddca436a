// Package route answers which handler a request is for: the routes of an HTTP or REST API, chosen
// as the managed gateway chooses.
//
//	api, err := route.New(route.Config{})
//	…
//	api.Handle("GET /orders/{id}", getOrder)
//	api.Handle("ANY /files/{proxy+}", files)
//	api.Handle("$default", fallback)
//	http.ListenAndServe(":8080", api)
//
// # Selection
//
// Routes for other methods don't count. Among the rest, segment by segment from the left, a literal
// is better than a variable and a variable better than a greedy one; of two equal paths the one
// that names the method beats ANY; $default comes last. There is no 405: a method without a route
// is a path without a route, as is a HEAD request where only GET has one.
//
// # Paths
//
// A request has one path (gatekit.Path), which is split at its slashes before it is decoded. The
// route, every ARN and policy, events, integrations, mappings and the cache read it there, so that
// what is judged is what is served. What each sees of what was sent behind base path and stage,
// HTTP for HTTP APIs:
//
//	sent          route                   ARNs, policies HTTP backends, REST events, payload 2.0, PathValue,
//	                                                     path of payload 1.0         mapped values
//	/a//b         an empty segment inside a//b           /a//b                       /a//b
//	//a (HTTP)    an empty segment first  /a             //a                         //a
//	//a (REST)    /a                      a              /a                          /a
//	/a/ (HTTP)    an empty segment last   a/             /a/                         /a/
//	/a/ (REST)    /a                      a              /a/, {proxy+} a             a
//	/a%2Fb /a%2fb the segment a/b         a%2Fb          as it came                  /a/b
//	/%2Fa         the segment /a          %2Fa           /%2Fa                       //a
//	/a;x          the segment a;x         a;x            /a;x                        /a;x
//	/a%3bx        the segment a;x         a;x            /a%3bx                      /a;x
//	/100%25       the segment 100%        100%25         /100%25                     /100%
//	/%61          the segment a           a              /%61                        /a
//	/a%252Fb      the segment a%2Fb       a%252Fb        /a%252Fb                    /a%2Fb
//	/. /.. /.%2e /%2E%2e /..;/ /..;x /..%3b /a%2F.. /a%00 /a%5C /a\b /%zz: 400, before any authorizer
//
// An empty segment is no value of {name}, and {proxy+} keeps it. $request.path and $context.path
// are escaped as they came; overwrite:path and the URIs of integrations take path variables as they
// came, headers and queries take them decoded. The cache keys a path, or a variable, as backends
// are told it. A signature is for the path as received. requestContext.path of REST events keeps
// slashes doubled in front.
//
// Three things are left to whoever stands behind. A function of payload 2.0 that routes by rawPath
// can't tell /files%2Fsecret from /files/secret, as on the managed gateway: it should go by
// routeKey and pathParameters, or the API by payload 1.0, or by [Config].RejectEncodedSlash. A
// backend that decodes before it splits, decodes twice, or joins // inside a path, reads another
// path than was judged. And one that drops ;x from segments, as servlet containers do, takes
// /admin;x for /admin, which it isn't here (RFC 3986, section 3.3: parameters are part of the
// segment): guard what is behind such a backend by what may be reached, not by what may not.
//
// Behind [Stages], //dev/a has an empty first segment, which is no stage's name.
//
// In keys a literal segment is written as it is, or escaped where that is needed: caf%C3%A9.
// Segments that are variables to other routers (:id, *, {path...}) are refused; as literals they
// are %3Aid and %2A. A colon inside a segment is itself: /v1:batch.
//
// # What handlers see
//
// r.PathValue has the path variables, r.Pattern the route in http.ServeMux's spelling ("GET
// /files/{proxy...}", "/" for $default), gatekit.From(ctx).RouteKey in the gateway's. Every answer
// carries the flavor's request-ID header.
//
// # Rules
//
// A rule is attached to the routes that it is for: api.Handle(key, h, plans.Middleware). Where an
// imported configuration lists rules by route key (throttle.StageConfig.Routes,
// [Stage.MethodSettings]), [API.Build] compares them with the routes and names the nearest.
// [NewStages] and domain.New call it; a program that serves an API itself calls it before the first
// request, which else does:
//
//	if err := api.Build(); err != nil {
//		log.Fatal(err)
//	}
//
// # Stages
//
// [Stages] serves an API under names, by the first segment of the path, or behind a custom domain
// without looking at it. A stage has variables, settings by method (gatekit.MethodSettings), and
// may try a new version on a share of its requests ([Canary]). Stages are replaced at one instant,
// while requests are served.
//
// # Order
//
// [API.Use] adds what runs for every request, before its path is judged and a route is chosen:
// access log, CORS, web ACL. No authorizer belongs there. [API.UseMatched] adds what runs for
// requests that have a route, before the route's own middlewares.
//
// # Differences
//
//   - An HTTP API takes /pets/ for another path than /pets, a REST API for the same; reports on
//     HTTP APIs disagree (Config.TrailingSlash).
//   - Whether {proxy+} matches an empty rest isn't settled for HTTP APIs; here it doesn't, but for
//     a path that ends in its slash (Config.GreedyMatchesEmpty).
//   - Literal segments may have every character that needs no escape in a path (RFC 3986, section
//     3.3), a few more than the managed gateway documents. At most 64 segments and 16 variables a
//     key.
//   - GET /a/{x} and GET /a/{y} match the same requests; the second is refused.
//   - A canary can be sticky ([Canary.Key]); the managed gateway's draws for every request. Percent
//     0 and 100 are exact.
//   - A REST request for no stage is refused as the managed gateway refuses a host that it doesn't
//     serve, 403 Forbidden.
//   - A stage variable that isn't defined is an empty string where it is used. Values have the
//     characters that the guide lists, and the length that the API's model allows, 2,048.
//   - Refused paths are 400 {"message":"Bad Request"}; what the managed gateway does with dot
//     segments, ..;x among them, isn't known.
//   - Keys with a segment :id, *, *rest, {path...} or {$} are refused; the managed gateway takes
//     some of them for literals.
package route
