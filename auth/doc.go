// Package auth answers who is calling, and may they: the authorizers of a managed API gateway in
// front of any handler.
//
//	jwt, err := auth.NewJWT(ctx, auth.JWTConfig{Issuer: "https://idp.example.com", Audience: []string{"orders"}})
//	…
//	api.Handle("GET /orders/{id}", getOrder, auth.Require(jwt, "orders:read"))
//
// Web ACLs, which keep attackers out before anybody is asked who they are, are package auth/waf.
//
// An [Authorizer] decides, [Require] speaks HTTP. What was learned of the caller is in
// gatekit.From(ctx).Authorization.
//
// # Composition
//
// [Any] takes one of several credentials, [All] wants all of them, [Optional] lets callers without
// any in, [Named] tells afterwards which authorizer it was, [ByIssuer] chooses among issuers. A bad
// credential never falls through to the next member.
//
// # JWT
//
// [JWT] is the JWT authorizer of HTTP APIs. A token is judged in the managed gateway's order: taken
// apart, algorithm, key, signature, iss, aud or client_id, exp, nbf, iat, scopes. Answers are its
// answers: 401 {"message":"Unauthorized"} with a WWW-Authenticate header, 403
// {"message":"Forbidden"} where only the scopes are missing. ID tokens and access tokens look alike
// to it: ask for scopes, or use audiences that only access tokens have, or JWTConfig.RequireType.
//
// A REST API's JWT authorizer is a [ByIssuer] of JWTs, one for each issuer, with audiences,
// algorithms and AdditionalClaims of its own (see the example). Its answers are a REST API's: 401
// {"message":"Unauthorized"}, and 403 where only the scopes are missing.
//
// Verified tokens are kept, so that a token's second request costs a look-up. exp and nbf are still
// checked each time, scopes by each route, and all are forgotten when the issuer's keys change. A
// token that its issuer revoked before exp is still good: keep tokens short-lived.
//
// # Keys
//
// Keys are fetched at the start and then in the background; requests wait for a fetch only when a
// token names a key that isn't known. What the issuer answers counts at once: a key that is gone
// admits nobody any longer, tokens that it verified before included, also where no key is left.
// While the issuer is down, or answers something else than a key set, the keys at hand are used,
// for a bounded time (JWTConfig.MaxStale). Then, or if there never were any, the answer is 500:
// nobody is admitted unjudged.
//
// # Lambda authorizers
//
// [Lambda] asks a function: one written for the managed gateway with aws-lambda-go, unchanged, or
// any gatekit.Invoker. Decisions are kept by the values of the identity sources. What is kept is
// the policy, evaluated anew for each request: a policy that names only the method of the first
// request refuses the second (see the examples). [Custom] is the same cache around a Go function.
// ARNs in events and policies are those of the API (gatekit.API); where nobody has described it,
// they say region "unknown", account "000000000000", API "unknown" and stage "$default", which no
// policy for a specific API matches.
//
// # IAM
//
// [SigV4] verifies signed requests; keys come from a [CredentialSource], and a caller's policy,
// where there is one, is evaluated for each request. [ResourcePolicy] is the API's own policy; its
// With weighs both as the managed gateway does. A caller of another account than the API's needs
// both.
//
// # Cognito and client certificates
//
// [Cognito] is the user pool authorizer of REST APIs: ID tokens on routes without scopes, access
// tokens on those with them. In front of an HTTP API a user pool is an issuer like any other: use
// [JWT]. [ClientCertificate] admits clients by the certificate that the TLS listener has verified.
//
// # Order
//
// A limit for all callers stands before an authorizer, as on the managed HTTP API; one keyed by
// identity after it. CORS stands outside, so that scripts can read the refusals:
//
//	api.Use(corsRules.Middleware)
//	api.Handle("GET /orders/{id}", getOrder, stageLimit.Middleware, auth.Require(jwt, "orders:read"), perCaller.Middleware)
//
// # Notes
//
// Where somebody keeps notes ([gatekit.RequestContext.KeepNotes]), each authorizer notes under its
// name, that of [Named] or of its kind: in the phase authenticate whether a token is one that was
// verified before (hit, miss), and which check of the credentials failed, or that there are none
// (skipped); in the phase authorizer the call of a function, with the Lambda service's status and
// ID, or the decision found in its place (hit); in the phase authorize which scope, or which
// statement of which policy, decided. With reasons, a denial for want of a statement names the one
// that comes nearest.
//
// # Differences
//
//   - The managed gateway takes RSA signatures only. RS, PS and ES with 256, 384 and 512 bits and
//     EdDSA are taken here; list the RSA ones in JWTConfig.Algorithms to have it as there.
//   - The JWT authorizer of REST APIs is new, and little of its answers is published: what isn't is
//     as in front of HTTP APIs, with the refusals of REST APIs. An AdditionalClaim must be there
//     unless it is Optional, where the managed gateway's "required" is false by default, and may
//     have several values.
//   - The managed gateway publishes few of its WWW-Authenticate texts. "token contains an invalid
//     number of segments", "the token does not have a valid audience" and "issuer does not match"
//     are its own; the others are golang-jwt's.
//   - A 403 for missing scopes carries a WWW-Authenticate header with error="insufficient_scope"
//     and the route's scopes.
//   - A token without exp is refused, and nbf and iat may be the current second. Keys that are
//     weak, secret or ambiguous are not used, and neither are tokens with crit, with repeated
//     members, or of more than 16 KiB. Claims that decide here (iss, sub, aud, client_id, exp, nbf,
//     iat, scope, scp) are repeated also where they differ in letter case; other claims that do are
//     two. A numeric sub is taken, as its digits; one of another type is malformed.
//   - The discovery document must name the issuer itself, and jwks_uri must be https, whatever the
//     managed gateway does.
//   - Two Authorization headers are a 401, not a choice between the two.
//   - Where a token has both scope and scp, scp counts.
//   - HTTP APIs keep no decisions of Lambda authorizers unless told to. Here five minutes is the
//     default for every flavor; set CacheConfig.TTL to Off. An Authorization header is the identity
//     source if none is named.
//   - "Unauthorized" from a function is a 401 in every flavor. A function has ten seconds in every
//     flavor.
//   - A REST authorizer's event shows the X-Api-Key of any request as identity.apiKey, whether or
//     not the route requires one, and no apiKeyId, as no usage plan has judged it yet.
//   - Answers of functions are read strictly: names twice, an element of a policy that isn't known,
//     a control character in the context or a key called claims are a 500, and so is a policy where
//     isAuthorized is expected, and the reverse. What is only odd in a policy counts as on the
//     managed gateway, and is logged (package policy).
//   - The path in ARNs is in a normal form, with escapes only where needed, and without a REST
//     API's last slash: no spelling of a path gets around a policy. aws:SecureTransport is true
//     where TLS ends in this process.
//   - Signatures: unknown keys and session tokens are answered as wrong signatures, without the
//     canonical request (DiscloseUnknownKey has the managed text). Session tokens must be signed,
//     UNSIGNED-PAYLOAD and STREAMING- payloads are refused, a plus in a query is a plus, and two
//     dates, tokens or Authorization headers, or both header and query, are an incomplete
//     signature. Presigned requests live a week at most.
//   - A signature covers the path without empty segments. Where a route has been chosen, a path
//     with one (//) is a wrong signature, whoever signed it: the handler would be told another path
//     than the one that is signed. A good signature of a path with dot segments is a 400, as no ARN
//     says what it asks for. A query with a plain semicolon, with a % that escapes nothing, or of
//     more than 10,000 pairs is a wrong signature: net/url shows handlers other pairs than were
//     signed. Write %3B and %25.
//   - A user pool's ID tokens are refused on routes with scopes, and access tokens on those
//     without.
//   - A resource policy must explicitly allow behind JWT, Cognito and composed authorizers
//     (SilenceAllowsTokens has the other reading).
//   - Mutual TLS refuses with 403 {"message":"Forbidden"} in the handler, where the managed gateway
//     also ends handshakes.
package auth
