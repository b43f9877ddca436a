// Package cors answers from which web origins an API may be read: the CORS configuration of an HTTP
// API, for any handler.
//
//	rules, err := cors.New(cors.Config{
//		AllowOrigins: []string{"https://myapp.com"},
//		AllowMethods: []string{"GET", "POST"},
//		AllowHeaders: []string{"Authorization", "Content-Type"},
//	})
//	…
//	api.Use(rules.Middleware)
//
// Preflight requests are answered here, before authorization and whether or not there is a route.
// On every other answer, also those that the gateway makes itself (401, 404, 429 …), the configured
// headers replace what the handler has set. github.com/rs/cors decides which origins are allowed;
// the lists are written as configured, as the managed gateway does.
//
// CORS is no access control: it says which pages may read an answer. A request from any page still
// reaches the handler, unless its method or headers need a preflight.
//
// Where a page can't read an answer and nobody sees why, [Config].Debug says which step of the
// Fetch Standard failed.
//
// # Order
//
// CORS stands outside everything that may refuse, or scripts can't read the refusals: in
// route.API.Use, or first in a chain.
//
// # Differences
//
//   - Origins are exact, "*", "https://*" or "http://*". What the managed gateway does with
//     "https://*" and credentials isn't known; it is refused here, as a page of any origin could
//     read what the user may.
//   - Plain http origins are refused with credentials, but for loopback ones: who is on the way
//     could read what the user may. The managed gateway takes them.
//   - A preflight that isn't allowed is 204 without CORS headers, which fails in the browser. One
//     with more than 64 names or 8 KB in Access-Control-Request-Headers isn't allowed.
//   - Answers that depend on the origin carry Vary: Origin, and preflights vary by the three
//     headers that they depend on; what the managed gateway sends there isn't known.
//   - A maximum age below 0 is sent as 0, which turns caching off in browsers.
package cors
