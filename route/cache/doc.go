// Package cache answers from what the integration answered before: the stage cache of a REST API,
// for every flavor. (Developer guide, "Enabling API caching to enhance responsiveness".)
//
//	answers, err := cache.New(ctx, cache.Config{})
//	…
//	api.Handle("GET /orders/{id}", orders, auth.Require(jwt), answers.Middleware)
//	api.Handle("GET /catalog", catalog, gatekit.Must(answers.Keep(cache.Route{Public: true})))
//
// It stands behind authorizers, validation and limits, right before the integration: what they
// refuse costs no look-up, and an answer that is kept goes only to who may have it.
//
// # What is one answer
//
// Answers are kept by API, stage, deployment, resource, method, and by who is calling
// ([Route.Public] leaves the caller out): what authorizers have learned, and the Cookie header. A
// canary has answers of its own. Where [Route.Key] is nil, by the whole path, as it was sent too,
// and the query. APIs that share a Cache and list parameters there want an APIID each, or a
// Namespace. Where it lists parameters, as the managed gateway's cacheKeyParameters, by those and
// nothing else of the request: /orders/1 and /orders/2 then share one answer unless
// method.request.path.id is listed. All values of a parameter that was sent more than once count,
// as nobody knows which of them the backend reads. Under a router that doesn't tell the route
// (gatekit.OnRoute), each path is a resource of its own, and a path variable in the key is a 500.
// What the answer's Vary header names counts too.
//
// A GET or HEAD request with a body goes past the cache, as nobody knows what a backend reads from
// it; so does one that asks for another method by X-HTTP-Method-Override or its like. The key is
// made of what a backend is sent: headers that a client's Connection names are taken out first.
//
// A request that carries credentials which no authorizer has judged (an Authorization or Cookie
// header, without a gatekit.Authorization) isn't answered from the cache, and its answer isn't
// kept, unless the route is public or Key lists the header.
//
// # What is kept
//
// Answers to GET, unless a route says otherwise, of a status below 500, up to
// [Config.MaxBodyBytes]. Never one that tells the client of its own request or of the moment (400,
// 401, 406 to 408, 411 to 417, 421, 425, 426, 428, 429, 431): a client could have the others get
// it. Never one that sets a cookie, says Cache-Control: private or no-store, has trailers, is a
// part of something (206, 304, Range), was made by the gateway itself, or broke off. Headers that
// outer stations had set before, such as request IDs, aren't kept: each answer has its own.
//
// Requests for an answer that is just being made wait for it, so that a thousand of them ask the
// backend once. Each of these ends the wait, and the request then asks on its own:
//
//   - the answer turns out to be one that isn't kept. Where that is because of what the backend
//     said, waiting for the next one would be in vain as well, so for ten seconds nobody does;
//   - the client for whom it is made reads so slowly that it has held the others up for a second;
//   - that client goes away before it is known whether the answer is kept. Then one of those who
//     wait asks, and the rest wait for that one; a request to which this has happened four times in
//     a row waits no more, or a client that keeps breaking off could keep it waiting for ever.
//
// One that waits and goes away itself leaves the others alone.
//
// # Taking out
//
// A client takes out one answer with Cache-Control: max-age=0, if it may ([Config.MayInvalidate]);
// [Cache.Flush] takes out all, and [Cache.InvalidateTags] those that the backend tagged
// ([Config.TagHeader]). An answer that was asked for before, and arrives after, isn't kept, and who
// asks after doesn't wait for it. (One that another machine of a fleet was asked for before a
// max-age=0 here may be.)
//
// # Notes
//
// Where somebody keeps notes (gatekit.RequestContext.KeepNotes), one says hit, miss or skipped, and
// why, and behind a miss another one whether the answer is kept now (passed), or why it isn't
// (skipped).
//
// # Differences
//
//   - The caller is part of the key, and so is all of the path and query, unless the route says
//     otherwise. The managed gateway's key has neither.
//   - Cookies, private, no-store, Vary and statuses are heeded. The managed gateway looks at none
//     of them.
//   - A canary never shares answers with its stage (useStageCache is false, also where both have
//     one deployment).
//   - Stale answers can be served while a new one is made, and answers be tagged.
//   - Unauthorized invalidation with FAIL_WITH_403 is an ACCESS_DENIED; the managed gateway's type
//     isn't known.
//   - Size is a number of bytes in this process, or a Redis server's, not a cluster's size in GB.
package cache
