package usageplan_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// registryWith returns a registry with one plan, and one key in it.
func registryWith(ctx context.Context, plan usageplan.Plan) *usageplan.Registry {
	plans := gatekit.Must(usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: gatekit.Must(usageplan.NewMemory(0))}))
	plan.ID, plan.Name, plan.APIStages = "gold", "gold", []usageplan.APIStage{{APIID: "*", Stage: "*"}}
	gatekit.Must(plans.CreatePlan(ctx, plan))
	if _, _, err := plans.CreateKey(ctx, usageplan.NewKey{ID: "shop", Value: "a-key-that-was-in-use-before", Enabled: true}); err != nil {
		panic(err)
	}
	if err := plans.AddKey(ctx, "gold", "shop"); err != nil {
		panic(err)
	}
	return plans
}

func call(h http.Handler, key string) {
	r := httptest.NewRequest("GET", "/pets", nil)
	r.Header.Set("X-Api-Key", key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
}

func ExampleNew() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plans := registryWith(ctx, usageplan.Plan{Quota: &usageplan.Quota{Limit: 2, Period: usageplan.Month}})
	limit := gatekit.Must(usageplan.New(usageplan.Config{Registry: plans}))
	h := limit.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		left, _ := usageplan.ChargeOf(r.Context()).Remaining()
		fmt.Fprint(w, "hello, ", left, " left")
	}))
	call(h, "a-key-that-was-in-use-before")
	call(h, "a-key-that-was-in-use-before")
	call(h, "a-key-that-was-in-use-before")
	call(h, "a-key-that-was-made-up-by-me")
	// Output:
	// 200 hello, 1 left
	// 200 hello, 0 left
	// 429 {"message":"Limit Exceeded"}
	// 403 {"message":"Forbidden"}
}

// A handler that knows only at its end what a request cost reserves a guess, and settles what it
// was.
func ExampleCharge_Settle() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plans := registryWith(ctx, usageplan.Plan{Quota: &usageplan.Quota{Limit: 1000, Period: usageplan.Month}})
	limit := gatekit.Must(usageplan.New(usageplan.Config{
		Registry: plans,
		Cost:     func(*http.Request) int64 { return 500 }, // tokens
	}))
	call(limit.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "a short answer")
		_ = usageplan.ChargeOf(r.Context()).Settle(r.Context(), 42)
	})), "a-key-that-was-in-use-before")
	q := gatekit.Must(plans.Quota(ctx, "gold", "shop"))
	fmt.Println(q.Used, "used,", q.Remaining, "left")
	// Output:
	// 200 a short answer
	// 42 used, 958 left
}

// Both values count for a day, in which the consumer takes over the new one.
func ExampleRegistry_RotateKey() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plans := registryWith(ctx, usageplan.Plan{})
	key, value, err := plans.RotateKey(ctx, "shop", 24*time.Hour)
	fmt.Println(len(key.Secrets), "values count, the new one has", len(value), "characters;", err)

	h := gatekit.Must(usageplan.New(usageplan.Config{Registry: plans})).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	call(h, "a-key-that-was-in-use-before")
	call(h, value)
	// Output:
	// 2 values count, the new one has 40 characters; <nil>
	// 200 hello
	// 200 hello
}

// A probe shall not use up a customer's quota.
func ExampleBypass() {
	bypass := gatekit.Must(usageplan.NewBypass([]byte("at least 32 bytes that nobody can guess")))
	token := gatekit.Must(bypass.Token("shop", time.Hour))

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plans := registryWith(ctx, usageplan.Plan{Quota: &usageplan.Quota{Limit: 0, Period: usageplan.Day}})
	h := gatekit.Must(usageplan.New(usageplan.Config{Registry: plans, Bypass: bypass})).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	r := httptest.NewRequest("GET", "/pets", nil)
	r.Header.Set("X-Api-Key", "a-key-that-was-in-use-before")
	r.Header.Set(usageplan.BypassHeader, token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 hello
}
