package usageplan_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// remote is a store, and buckets, behind a network: a call ends with its context at the latest.
type remote struct {
	usageplan.Store
	silent atomic.Bool // it is never answered
}

func (s *remote) answer(ctx context.Context) error {
	if s.silent.Load() {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (s *remote) Reserve(ctx context.Context, c usageplan.Counter, on usageplan.Date, atLeast, atMost, limit int64) (int64, usageplan.Count, error) {
	if err := s.answer(ctx); err != nil {
		return 0, usageplan.Count{}, err
	}
	return s.Store.Reserve(ctx, c, on, atLeast, atMost, limit)
}

func (s *remote) Take(ctx context.Context, _ string, l throttle.Limit) (ok bool, wait time.Duration, left int, err error) {
	return l.Burst > 0, time.Second, 0, s.answer(ctx)
}

func (*remote) Give(context.Context, string, throttle.Limit) error { return nil }

// Who closes the connection, or the half of it that they have sent on, while the request is judged
// isn't let through for that.
func TestCanceledRequestsAreJudged(t *testing.T) {
	canceled := func(h http.Handler) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := httptest.NewRequest("GET", "/pets", nil).WithContext(ctx)
		r.Header.Set("X-Api-Key", value)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
		g := rigOn(t, &remote{Store: memory(t)}, usageplan.Plan{Quota: &usageplan.Quota{Limit: 3, Period: usageplan.Month, Mode: mode}})
		served := 0
		h := g.behind(usageplan.Config{}, "GET /pets", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
		for range 10 {
			canceled(h)
		}
		require.Equal(t, 3, served, mode)
		require.EqualValues(t, 3, g.used(), mode)
	}
	store := memory(t)
	shared, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store, Buckets: &remote{}})
	require.NoError(t, err)
	g := &rig{t, shared, store, t.Context()}
	_, err = g.CreatePlan(g.ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Throttle: &usageplan.Throttle{}})
	require.NoError(t, err)
	g.key("shop", value, "p1")
	canceled(g.behind(usageplan.Config{}, "GET /pets", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") })))
}

// However many wait for a store that doesn't answer, none waits longer than one call may take.
func TestStoreThatHangs(t *testing.T) {
	for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
		synctest.Test(t, func(t *testing.T) {
			store := &remote{Store: memory(t)}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			g := &rig{t, registry(t, ctx, store), store, ctx}
			_, err := g.CreatePlan(ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Quota: &usageplan.Quota{Limit: 1000, Period: usageplan.Month, Mode: mode}})
			require.NoError(t, err)
			g.key("shop", value, "p1")
			store.silent.Store(true)
			h := g.behind(usageplan.Config{}, "GET /pets", answers)
			start := time.Now()
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if w := get(h, value); w.Code != 200 {
						t.Error(w.Code)
					}
				})
			}
			all.Wait()
			require.LessOrEqual(t, time.Since(start), 5*time.Second, mode)
		})
	}
}

// A request that costs more than is left is refused, and one that costs less isn't for that.
func TestFastQuotaOfUnlikeCosts(t *testing.T) {
	g := newRig(t, usageplan.Plan{Quota: &usageplan.Quota{Limit: 100, Period: usageplan.Month, Mode: usageplan.Fast}})
	cost := int64(0)
	h := g.behind(usageplan.Config{Cost: func(*http.Request) int64 { return cost }}, "GET /pets", answers)
	for _, step := range []struct {
		cost int64
		want int
	}{{30, 200}, {71, 429}, {70, 200}, {1, 429}} {
		cost = step.cost
		require.Equal(t, step.want, get(h, value).Code, step.cost)
	}
	require.NoError(t, g.SetRemaining(g.ctx, "p1", "shop", 1))
	require.Equal(t, 200, get(h, value).Code, "an extension counts at once")
}

// A request from the last instant of a period that is judged after one of the next doesn't cost
// what is leased of that.
func TestFastQuotaAroundMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quietRig(t, usageplan.Plan{Quota: &usageplan.Quota{Limit: 1000, Period: usageplan.Day, Mode: usageplan.Fast}})
		limit := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry, Cost: func(r *http.Request) int64 {
			if r.Header.Get("Slow") != "" {
				time.Sleep(time.Second) // after the clock was read
			}
			return 1
		}}))
		h := api("GET /pets", limit.Middleware(answers))
		time.Sleep(time.Until(usageplan.DateOf(time.Now()).Time().Add(24*time.Hour - time.Millisecond)))
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				r := httptest.NewRequest("GET", "/pets", nil)
				r.Header.Set("X-Api-Key", value)
				r.Header.Set("Slow", "1")
				h.ServeHTTP(httptest.NewRecorder(), r)
			})
		}
		time.Sleep(10 * time.Millisecond)
		served := 0
		for range 5 {
			require.Equal(t, 200, get(h, value).Code)
			served++
		}
		all.Wait()
		for get(h, value).Code == 200 {
			served++
		}
		require.Equal(t, 1000, served)
	})
}
