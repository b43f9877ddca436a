package usageplan_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// asked counts what is reserved.
type asked struct {
	usageplan.Store
	reserves atomic.Int64
}

func (a *asked) Reserve(ctx context.Context, c usageplan.Counter, on usageplan.Date, atLeast, atMost, limit int64) (int64, usageplan.Count, error) {
	a.reserves.Add(1)
	return a.Store.Reserve(ctx, c, on, atLeast, atMost, limit)
}

// Units that are given back to a lease, by a request that was refused later or cost less than was
// thought, are good at once, for one request and together with what the store has left.
func TestUnitsGivenBackToALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time stands still: nothing waits for a second to pass
		store := &asked{Store: memory(t)}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		g := &rig{t, registry(t, ctx, store), store, ctx}
		_, err := g.CreatePlan(ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}, Quota: &usageplan.Quota{Limit: 10, Period: usageplan.Month, Mode: usageplan.Fast}})
		require.NoError(t, err)
		g.key("shop", value, "p1")
		cost, settle := int64(1), int64(-1)
		var refuse error
		h := g.behind(usageplan.Config{Cost: func(*http.Request) int64 { return cost }}, "GET /pets", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if settle >= 0 {
				require.NoError(t, usageplan.ChargeOf(r.Context()).Settle(r.Context(), settle))
			}
			if refuse != nil {
				gatekit.Reject(w, r, refuse)
			}
		}))
		cost = 6
		require.Equal(t, 200, get(h, value).Code)
		refuse = &gatekit.Rejection{Type: gatekit.BadRequestBody}
		cost = 4
		require.Equal(t, 400, get(h, value).Code)
		refuse = nil
		require.Equal(t, 200, get(h, value).Code, "what the refused one had reserved")
		cost = 1
		require.Equal(t, 429, get(h, value).Code)
		before := store.reserves.Load()
		for range 10 {
			require.Equal(t, 429, get(h, value).Code)
		}
		require.Equal(t, before, store.reserves.Load(), "an empty store isn't asked for a second")

		require.NoError(t, g.SetRemaining(ctx, "p1", "shop", 5))
		cost, settle = 5, 2
		require.Equal(t, 200, get(h, value).Code)
		cost, settle = 3, -1
		require.Equal(t, 200, get(h, value).Code, "three of the five were given back")
		require.Equal(t, 429, get(h, value).Code)
		require.EqualValues(t, 15, g.used())
		time.Sleep(time.Second)
		require.Equal(t, 429, get(h, value).Code)
		require.Greater(t, store.reserves.Load(), before+1, "after a second it is asked again")
	})
}

// What another machine has given back to the store is there for this one.
func TestUnitsGivenBackElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := memory(t)
		here := &rig{t, registry(t, ctx, store), store, ctx}
		_, err := here.CreatePlan(ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}, Quota: &usageplan.Quota{Limit: 1000, Period: usageplan.Month, Mode: usageplan.Fast}})
		require.NoError(t, err)
		here.key("shop", value, "p1")
		there := &rig{t, registry(t, ctx, store), store, ctx}
		atThere := there.behind(usageplan.Config{}, "GET /pets", answers)
		require.Equal(t, 200, get(atThere, value).Code) // and leases some more
		h := here.behind(usageplan.Config{}, "GET /pets", answers)
		served := 1
		for get(h, value).Code == 200 {
			served++
		}
		require.Less(t, served, 1000)
		require.NoError(t, there.Flush(ctx))
		require.Equal(t, 429, get(h, value).Code, "for a second nobody asks")
		require.NoError(t, here.Flush(ctx), "which also forgets that the store was empty")
		for get(h, value).Code == 200 {
			served++
		}
		require.Equal(t, 1000, served)
	})
}
