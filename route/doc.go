// Package route answers which handler a request is for: the routes of an HTTP or REST API, chosen as the managed gateway chooses.
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
// Routes for other methods don't count. Among the rest, segment by segment from the left, a literal is better than a variable and
// a variable better than a greedy one; of two equal paths the one that names the method beats ANY; $default comes last. There is no
// 405: a method without a route is a path without a route, as is a HEAD request where only GET has one.
//
// # Paths
//
// A path is split at its slashes before it is decoded: %2F stays inside its segment and reaches the handler as / in a variable's
// value. An empty segment (//) is no value of a variable. Paths with dot segments, NUL or a backslash, encoded or not, are 400
// before any authorizer of a route, since two readers might take them for different paths.
//
// # What handlers see
//
// r.PathValue has the path variables, r.Pattern the route in http.ServeMux's spelling ("GET /files/{proxy...}", "/" for $default),
// gatekit.From(ctx).RouteKey in the gateway's. Every answer carries the flavor's request-ID header.
//
// # Stages
//
// [Stages] serves an API under names, by the first segment of the path, or behind a custom domain without looking at it. A stage has
// variables, settings by method (gatekit.MethodSettings), and may try a new version on a share of its requests ([Canary]). Stages are replaced
// at one instant, while requests are served.
//
// # Order
//
// [API.Use] adds what runs for every request, before its path is judged and a route is chosen: access log, CORS, web ACL. No authorizer
// belongs there. [API.UseMatched] adds what runs
// for requests that have a route, before the route's own middlewares.
//
// # Differences
//
//   - An HTTP API takes /pets/ for another path than /pets, a REST API for the same; reports on HTTP APIs disagree
//     (Config.TrailingSlash).
//   - Whether {proxy+} matches an empty rest isn't settled for HTTP APIs; here it doesn't, but for a path that ends in its slash
//     (Config.GreedyMatchesEmpty).
//   - Literal segments may have every character that needs no escape in a path (RFC 3986, section 3.3), a few more than the
//     managed gateway documents. At most 64 segments and 16 variables a key.
//   - GET /a/{x} and GET /a/{y} match the same requests; the second is refused.
//   - A canary can be sticky ([Canary.Key]); the managed gateway's draws for every request. Percent 0 and 100 are exact.
//   - A REST request for no stage is refused as the managed gateway refuses a host that it doesn't serve, 403 Forbidden.
//   - A stage variable that isn't defined is an empty string where it is used. Values have the characters that the guide lists, and the
//     length that the API's model allows, 2,048.
//   - Refused paths are 400 {"message":"Bad Request"}; what the managed gateway does with dot segments isn't known.
package route
