// Package redisthrottle shares limits between machines through Redis or Valkey
// (github.com/redis/go-redis/v9): the limit by caller of throttle.NewPerKey, the token buckets of
// usage plans, a usage plans' store, and the counts of rate-based rules ([Counter]).
//
//	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
//	limit, err := redisthrottle.New(throttle.Limit{Rate: 100, Burst: 200}, redisthrottle.Config{
//		BucketsConfig: redisthrottle.BucketsConfig{Client: client, Name: "api"},
//		Key:           throttle.ByAPIKey,
//	})
//	api.Handle("GET /orders/{id}", getOrder, limit.Middleware)
//
// Any redis.UniversalClient will do, of one server, of a Cluster or with Sentinel: each script
// touches one key. Redis 5 or newer is wanted.
//
// # Exact or leased
//
// [Exact] asks Redis for each request: one script, which decides and takes in one step, by Redis'
// clock. Over any time t all machines together let through no more than
//
//	burst + rate × t
//
// requests. [Leased] lets each machine take tokens in advance, up to BucketsConfig.Lease at a time,
// and spend them without asking. A lease lasts a second, and grows only where the one before was
// used up, so that a caller who comes seldom is asked for as in Exact. What is leased is gone from
// the bucket; so over any time t, M machines let through no more than
//
//	burst + rate × t + M × lease
//
// requests, where the last part is what they held when the time began. What isn't spent within a
// second lapses, M × lease at the most each second, and fewer are let through then.
//
// # When Redis is away
//
// A decision waits for BucketsConfig.Timeout at the longest. What then becomes of the request says
// BucketsConfig.Away: it is refused ([FailClosed]), let through ([FailOpen]), or limited by this
// machine alone to its share ([LocalShare]). After five failures in a row Redis isn't asked at all
// for about a second; then one request asks, and the others go on without, until an answer comes.
// The pauses are of random length, so that machines don't come back all at once.
//
// A share of LocalShare is a bucket of its own on each machine, of Burst/Machines (at least 1) and
// Rate/Machines. It is full when Redis goes away for the first time, and goes on as it was left
// when that happens again. So an outage lets through up to
//
//	Machines × max(Burst/Machines, 1)
//
// requests of a caller more, one burst where there are no more machines than that, on top of the
// Burst that Redis may have let through just before; further outages only what their shares have
// got since, at Rate in all, however often Redis comes and goes. (Measured: Burst 100, two
// machines, a rate of next to nothing: 100 requests by Redis, 100 more at the first outage, none at
// thirty further ones.)
//
// Where Redis loses its memory, buckets are full again: up to one burst more is let through.
//
// # What Redis keeps
//
// One string for each bucket that isn't full, which goes when it is full again. Names are made of
// digests: an identity never gets there.
//
// # Differences
//
// The managed gateway has no such limits on HTTP APIs; on REST APIs those of its usage plans are
// best effort.
package redisthrottle
