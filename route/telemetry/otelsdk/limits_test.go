package otelsdk_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/metering"
	"github.com/gatekit-go/gatekit/route/telemetry"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Limits and plans themselves: which limit refused, what is left, whose key came most often, and
// that none of what is refused is charged.
func TestLimitsAndPlans(t *testing.T) {
	plans := gatekit.Must(usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: gatekit.Must(usageplan.NewMemory(0))}))
	_, err := plans.CreatePlan(t.Context(), usageplan.Plan{ID: "gold", Name: "gold", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}},
		Quota: &usageplan.Quota{Limit: 3, Period: usageplan.Month},
	})
	require.NoError(t, err)
	_, _, err = plans.CreateKey(t.Context(), usageplan.NewKey{ID: "shop", Name: "shop", Enabled: true, Value: "a-key-that-was-in-use-before"})
	require.NoError(t, err)
	require.NoError(t, plans.AddKey(t.Context(), "gold", "shop"))
	plan := gatekit.Must(usageplan.New(usageplan.Config{Registry: plans}))
	one := gatekit.Must(throttle.New(throttle.Limit{Rate: 0.001, Burst: 1}))
	r := newRig(t, telemetry.Config{Detailed: true, TopKeys: 3}, nil)
	meter := gatekit.Must(metering.New(metering.Config{}))
	a := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3d4e5", Stage: "prod"}}))
	a.Use(r.Middleware, meter.Middleware)
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	a.Handle("GET /plan", ok, plan.Middleware)
	a.Handle("GET /one", ok, one.Middleware)
	for range 4 {
		send(a, "GET", "/plan", "X-Api-Key", "a-key-that-was-in-use-before")
		send(a, "GET", "/plan", "X-Api-Key", "a-key-that-was-made-up-by-me")
	}
	send(a, "GET", "/one")
	send(a, "GET", "/one")
	got := r.read(t)
	const of, plan1 = "ApiName=a1b2c3d4e5,Method=GET,Resource=/one,Stage=prod", "ApiName=a1b2c3d4e5,Method=GET,Resource=/plan,Stage=prod"
	require.EqualValues(t, 1, got["gatekit.throttled{"+of+",gatekit.limit=limit}"], "%v", got)
	require.EqualValues(t, 0, got["gatekit.quota.left{"+plan1+",gatekit.plan=gold}"])
	require.Contains(t, got, "gatekit.quota.left{"+plan1+",gatekit.plan=gold}")
	require.EqualValues(t, 1, got["gatekit.refusals{"+plan1+",gatekit.phase=quota}"])
	require.EqualValues(t, 4, got["gatekit.refusals{"+plan1+",gatekit.phase=key}"])
	require.Equal(t, []telemetry.KeyCount{{ID: "shop", Count: 4}}, r.TopKeys())
	units := map[string]int64{}
	for _, row := range meter.Report().Rows {
		units[row.Route+" "+row.Key] = row.Units
		require.Equal(t, row.Calls, row.Units+row.Free)
	}
	require.Equal(t, map[string]int64{"GET /plan shop": 3, "GET /plan ": 0, "GET /one ": 1}, units)
}
