// Package usageplan lets third parties call an API by keys and plans: API keys, plans with a rate,
// a burst and a quota, and reports of what was used, as in the page "Usage plans and API keys for
// REST APIs" of the API Gateway developer guide.
//
//	store, err := boltstore.Open(ctx, "keys.db", boltstore.Config{}) // or NewMemory, redisthrottle.NewStore
//	plans, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store})
//	gold, err := plans.CreatePlan(ctx, usageplan.Plan{
//		Name:      "gold",
//		APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}},
//		Throttle:  &usageplan.Throttle{RateLimit: 100, BurstLimit: 200},
//		Quota:     &usageplan.Quota{Limit: 5000, Period: usageplan.Month},
//	})
//	key, value, err := plans.CreateKey(ctx, usageplan.NewKey{Name: "shop", Enabled: true})
//	err = plans.AddKey(ctx, gold.ID, key.ID)
//
//	limit, err := usageplan.New(usageplan.Config{Registry: plans})
//	api.Handle("GET /pets", getPets, auth.Require(authorizer), limit.Middleware)
//
// A request without a key that counts is answered 403 {"message":"Forbidden"}, whatever is wrong
// with it. One above the plan's rate is answered 429 {"message":"Too Many Requests"}, one above its
// quota 429 {"message":"Limit Exceeded"}.
//
// # Which stage?
//
// A plan covers API stages by the IDs and names in the request's context: route.API fills them in,
// or [gatekit.Describe] does. A stage of "*" covers every one, also where nobody has named the API.
//
// # Order
//
// The Limiter stands behind the authorizer. It asks the plan's limit of the method, the plan's
// limit, the stage's limits (Config.Stage), and the quota, in this order. Who refuses is the first
// without a token, and then the ones before get theirs back. A request that a later station refuses
// through [gatekit.Reject] (validation, a body too large) gets its units back, as long as neither
// an integration nor a cache has answered: the station that calls the backend records that with
// RequestContext.SetIntegration.
//
// # What is counted where
//
// A quota is counted in the [Store], and is exact: whatever runs at the same time, on however many
// machines, no more than the limit is let through. With mode [Fast] a process takes units in
// leases, and some may stay unused; still no more than the limit is let through. A period is found
// by the clock of the machine that counts. The token buckets of plans are in the process, unless
// RegistryConfig.Buckets shares them.
//
// # Differences
//
//   - The managed gateway calls throttles and quotas best effort. Here quotas are exact, and
//     throttles as exact as throttle's.
//   - 429 answers carry Retry-After: the whole seconds until there is a token, or until the quota's
//     next period. NoRetryAfter leaves it out.
//   - Weeks begin on Monday (ISO 8601). The managed gateway's documentation doesn't say;
//     RegistryConfig.SundayWeeks is the other choice.
//   - A quota's offset is subtracted in the period in which a key joins the plan.
//   - Values of keys can't be read again, since they aren't stored; includeValue(s) of the control
//     API is missing. They may be rotated with two of them alive, which the managed gateway can't.
//   - A plan may cover every API and stage by "*".
//   - A throttled request uses no quota, and a request above its quota no throttle.
//   - A plan whose period is changed counts anew, and reports usage since then.
package usageplan
