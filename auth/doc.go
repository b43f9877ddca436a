// Package auth answers who is calling, and may they: the authorizers of a managed API gateway in front of any handler.
//
//	jwt, err := auth.NewJWT(ctx, auth.JWTConfig{Issuer: "https://idp.example.com", Audience: []string{"orders"}})
//	…
//	api.Handle("GET /orders/{id}", getOrder, auth.Require(jwt, "orders:read"))
//
// An [Authorizer] decides, [Require] speaks HTTP. What was learned of the caller is in gatekit.From(ctx).Authorization.
//
// # Composition
//
// [Any] takes one of several credentials, [All] wants all of them, [Optional] lets callers without any in, [Named] tells afterwards which
// authorizer it was, [ByIssuer] chooses among issuers. A bad credential never falls through to the next member.
//
// # JWT
//
// [JWT] is the JWT authorizer of HTTP APIs. A token is judged in the managed gateway's order: taken apart, algorithm, key, signature,
// iss, aud or client_id, exp, nbf, iat, scopes. Answers are its answers: 401 {"message":"Unauthorized"} with a WWW-Authenticate
// header, 403 {"message":"Forbidden"} where only the scopes are missing. ID tokens and access tokens look alike to it: ask for
// scopes, or use audiences that only access tokens have, or JWTConfig.RequireType.
//
// Verified tokens are kept, so that a token's second request costs a look-up. exp and nbf are still checked each time, scopes by
// each route, and all are forgotten when the issuer's keys change. A token that its issuer revoked before exp is still good: keep
// tokens short-lived.
//
// # Keys
//
// Keys are fetched at the start and then in the background; requests wait for a fetch only when a token names a key that isn't
// known. While the issuer is down the keys at hand are used, for a bounded time (JWTConfig.MaxStale). Then, or if there never were
// any, the answer is 500: nobody is admitted unjudged.
//
// # Order
//
// A limit for all callers stands before an authorizer, as on the managed HTTP API; one keyed by identity after it. CORS stands
// outside, so that scripts can read the refusals:
//
//	api.Use(corsRules.Middleware)
//	api.Handle("GET /orders/{id}", getOrder, stageLimit.Middleware, auth.Require(jwt, "orders:read"), perCaller.Middleware)
//
// # Differences
//
//   - The managed gateway takes RSA signatures only. RS, PS and ES with 256, 384 and 512 bits and EdDSA are taken here; list the
//     RSA ones in JWTConfig.Algorithms to have it as there.
//   - The managed gateway publishes few of its WWW-Authenticate texts. "token contains an invalid number of segments", "the token
//     does not have a valid audience" and "issuer does not match" are its own; the others are golang-jwt's.
//   - A 403 for missing scopes carries a WWW-Authenticate header with error="insufficient_scope" and the route's scopes.
//   - A token without exp is refused, and nbf and iat may be the current second. Keys that are weak, secret or ambiguous are not
//     used, and neither are tokens with crit, with repeated members, or of more than 16 KiB.
//   - The discovery document must name the issuer itself, and jwks_uri must be https, whatever the managed gateway does.
//   - Two Authorization headers are a 401, not a choice between the two.
//   - Where a token has both scope and scp, scp counts.
package auth
