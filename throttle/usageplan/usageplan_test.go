package usageplan_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

const value = "shop-shop-shop-shop-shop"

// rig is a registry with one plan and one key in it.
type rig struct {
	*testing.T
	*usageplan.Registry
	store usageplan.Store
	ctx   context.Context
}

func newRig(t *testing.T, plan usageplan.Plan) *rig { return rigOn(t, memory(t), plan) }

func rigOn(t *testing.T, store usageplan.Store, plan usageplan.Plan) *rig {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	g := &rig{t, registry(t, ctx, store), store, ctx}
	if plan.ID == "" {
		plan.ID = "p1"
	}
	if plan.Name == "" {
		plan.Name = "gold"
	}
	if plan.APIStages == nil {
		plan.APIStages = []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}
	}
	_, err := g.CreatePlan(ctx, plan)
	require.NoError(t, err)
	g.key("shop", value, "p1")
	return g
}

func registry(t *testing.T, ctx context.Context, store usageplan.Store) *usageplan.Registry {
	g, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store, Refresh: time.Second, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return g
}

func (g *rig) key(id, value string, plans ...string) {
	g.Helper()
	_, _, err := g.CreateKey(g.ctx, usageplan.NewKey{ID: id, Value: value, Enabled: true})
	require.NoError(g, err)
	for _, p := range plans {
		require.NoError(g, g.AddKey(g.ctx, p, id))
	}
}

var answers = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })

// behind returns next behind the API, the route and a limiter.
func (g *rig) behind(c usageplan.Config, route string, next http.Handler) http.Handler {
	c.Registry = g.Registry
	return api(route, gatekit.Must(usageplan.New(c)).Middleware(next))
}

func api(route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc, r := gatekit.Attach(r)
		rc.API = &gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3", Stage: "prod"}
		rc.Route = &gatekit.Route{Key: route}
		next.ServeHTTP(w, r)
	})
}

func get(h http.Handler, keys ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/pets", nil)
	if len(keys) > 0 {
		r.Header["X-Api-Key"] = keys
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (g *rig) used() int64 {
	s, err := g.Quota(g.ctx, "p1", "shop")
	require.NoError(g, err)
	return s.Used
}

func quota(limit int64, p usageplan.Period) *usageplan.Quota {
	return &usageplan.Quota{Limit: limit, Period: p}
}

// Every cause of a 403 gets the one answer.
func TestForbidden(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	g.key("lost", "lost-lost-lost-lost-lost")
	g.key("off", "off-off-off-off-off-off", "p1")
	off := false
	_, err := g.UpdateKey(g.ctx, "off", usageplan.KeyChange{Enabled: &off})
	require.NoError(t, err)
	_, err = g.CreatePlan(g.ctx, usageplan.Plan{ID: "p2", Name: "other", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "test"}, {APIID: "zzz", Stage: "prod"}}})
	require.NoError(t, err)
	g.key("elsewhere", "elsewhere-elsewhere-else", "p2")

	called := 0
	h := g.behind(usageplan.Config{}, "GET /pets", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called++ }))
	for name, keys := range map[string][]string{
		"none": nil, "empty": {""}, "unknown": {"nobody-nobody-nobody-nob"}, "disabled": {"off-off-off-off-off-off"}, "in-no-plan": {"lost-lost-lost-lost-lost"},
		"in-a-plan-for-another-stage": {"elsewhere-elsewhere-else"}, "two": {value, value}, "prefix": {value[:20]}, "longer": {value + "x"},
		"other-case": {strings.ToUpper(value)}, "blank": {value + " "}, "huge": {strings.Repeat("x", 1<<20)}, "id": {"shop"},
	} {
		t.Run(name, func(t *testing.T) {
			w := get(h, keys...)
			require.Equal(t, 403, w.Code)
			require.Equal(t, `{"message":"Forbidden"}`, w.Body.String())
			require.Equal(t, "ForbiddenException", w.Header().Get("X-Amzn-Errortype"))
			require.Empty(t, w.Header().Get("Retry-After"))
		})
	}
	require.Zero(t, called)
	require.Equal(t, 200, get(h, value).Code)
	require.Equal(t, 1, called)
}

func TestThrottleAndQuotaAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(8*time.Hour + 500*time.Millisecond) // 2000-01-01 08:00
		g := newRig(t, usageplan.Plan{Throttle: &usageplan.Throttle{RateLimit: 0.1, BurstLimit: 2}, Quota: quota(3, usageplan.Day)})
		h := g.behind(usageplan.Config{}, "GET /pets", answers)
		require.Equal(t, 200, get(h, value).Code)
		require.Equal(t, 200, get(h, value).Code)
		w := get(h, value)
		require.Equal(t, 429, w.Code)
		require.Equal(t, `{"message":"Too Many Requests"}`, w.Body.String())
		require.Equal(t, "TooManyRequestsException", w.Header().Get("X-Amzn-Errortype"))
		require.Equal(t, "10", w.Header().Get("Retry-After"))
		require.EqualValues(t, 2, g.used(), "a throttled request uses no quota")
		time.Sleep(10 * time.Second)
		require.Equal(t, 200, get(h, value).Code)
		require.Equal(t, 429, get(h, value).Code)
		time.Sleep(time.Minute)
		w = get(h, value)
		require.Equal(t, 429, w.Code)
		require.Equal(t, `{"message":"Limit Exceeded"}`, w.Body.String())
		require.Equal(t, "LimitExceededException", w.Header().Get("X-Amzn-Errortype"))
		require.Equal(t, fmt.Sprint(16*3600-70), w.Header().Get("Retry-After"), "until midnight")
		for range 5 {
			require.Equal(t, `{"message":"Limit Exceeded"}`, get(h, value).Body.String(), "above its quota a key uses no tokens")
		}
		quiet := g.behind(usageplan.Config{NoRetryAfter: true}, "GET /pets", answers)
		require.NotContains(t, get(quiet, value).Header(), "Retry-After")
		time.Sleep(16*time.Hour - 70*time.Second)
		require.Equal(t, 200, get(h, value).Code)
		require.EqualValues(t, 1, g.used())
	})
}

// Each level is the first to refuse, with all those behind it open, and then takes nothing from
// those before it.
func TestPrecedence(t *testing.T) {
	open, tight := usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 100}, usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 1}
	wide, one := throttle.Limit{Rate: 1e-6, Burst: 100}, throttle.Limit{Rate: 1e-6, Burst: 1}
	for name, tt := range map[string]struct {
		method, plan   usageplan.Throttle
		route, account throttle.Limit
		quota          int64
		cause, message string
	}{
		"method":  {tight, open, wide, wide, 100, "Burst: 1", "Too Many Requests"},
		"plan":    {open, tight, wide, wide, 100, "Burst: 1", "Too Many Requests"},
		"route":   {open, open, one, wide, 100, "no token", "Too Many Requests"},
		"account": {open, open, wide, one, 100, "no token", "Too Many Requests"},
		"quota":   {open, open, wide, wide, 1, "Limit: 1 Period: MONTH", "Limit Exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, usageplan.Plan{
				APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod", Throttle: map[string]usageplan.Throttle{"/pets/GET": tt.method}}},
				Throttle:  &tt.plan, Quota: quota(tt.quota, usageplan.Month),
			})
			stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{
				Account: gatekit.Must(throttle.New(tt.account)), Routes: map[string]*throttle.Limit{"GET /pets": &tt.route, "GET /dogs": nil},
			}))
			l := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry, Stage: stage}))
			h := api("GET /pets", l.Middleware(answers))
			require.Equal(t, 200, get(h, value).Code)
			var why *gatekit.Rejection
			for range 200 { // refusals take nothing from any level
				w := get(api("GET /pets", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, err := l.Check(r)
					require.ErrorAs(t, err, &why)
					gatekit.Reject(w, r, err)
				})), value)
				require.Equal(t, fmt.Sprintf(`{"message":%q}`, tt.message), w.Body.String())
				require.ErrorContains(t, why.Cause, tt.cause)
			}
			require.EqualValues(t, 1, g.used())
			// Open what refused: 99 more go through, so none of the others has lost a token.
			p, err := g.Plan(g.ctx, "p1")
			require.NoError(t, err)
			switch name {
			case "method":
				p.APIStages[0].Throttle["/pets/GET"] = usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 99}
			case "plan":
				p.Throttle = &usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 99}
			case "quota":
				p.Quota.Limit = 100
			default:
				return // a stage's limits are fixed
			}
			require.NoError(t, g.UpdatePlan(g.ctx, p))
			for i := range 99 {
				require.Equal(t, 200, get(h, value).Code, i)
			}
			require.Equal(t, 429, get(h, value).Code)
		})
	}
}

// What the stage's limits took goes back when the quota refuses.
func TestQuotaGivesBackToTheStage(t *testing.T) {
	g := newRig(t, usageplan.Plan{Quota: quota(1, usageplan.Day)})
	g.key("bulk", "bulk-bulk-bulk-bulk-bulk")
	_, err := g.CreatePlan(g.ctx, usageplan.Plan{ID: "p2", Name: "bulk", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}})
	require.NoError(t, err)
	require.NoError(t, g.AddKey(g.ctx, "p2", "bulk"))
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Account: gatekit.Must(throttle.New(throttle.Limit{Rate: 1e-6, Burst: 3}))}))
	h := g.behind(usageplan.Config{Stage: stage}, "GET /pets", answers)
	require.Equal(t, 200, get(h, value).Code)
	for range 50 {
		require.Contains(t, get(h, value).Body.String(), "Limit Exceeded")
	}
	require.Equal(t, 200, get(h, "bulk-bulk-bulk-bulk-bulk").Code)
	require.Equal(t, 200, get(h, "bulk-bulk-bulk-bulk-bulk").Code)
	require.Contains(t, get(h, "bulk-bulk-bulk-bulk-bulk").Body.String(), "Too Many")
}

// A method's limit is its own, for each key, and other routes don't count against it.
func TestMethodThrottle(t *testing.T) {
	g := newRig(t, usageplan.Plan{APIStages: []usageplan.APIStage{
		{APIID: "a1b2c3", Stage: "prod", Throttle: map[string]usageplan.Throttle{"/pets/{id}/GET": {RateLimit: 1e-6, BurstLimit: 1}, "/GET": {}}},
		{APIID: "a1b2c3", Stage: "test"},
	}})
	g.key("other", "other-other-other-other-", "p1")
	h := func(route string) http.Handler { return g.behind(usageplan.Config{}, route, answers) }
	require.Equal(t, 200, get(h("GET /pets/{id}"), value).Code)
	require.Equal(t, 429, get(h("GET /pets/{id}"), value).Code)
	require.Equal(t, 200, get(h("GET /pets/{id}"), "other-other-other-other-").Code)
	require.Equal(t, 200, get(h("DELETE /pets/{id}"), value).Code)
	w := get(h("GET /"), value)
	require.Equal(t, 429, w.Code, "a limit of 0 blocks")
	require.NotContains(t, w.Header(), "Retry-After", "there will never be a token")
}

// A route that the Limiter isn't attached to goes by plans not at all, even if a key is sent.
func TestRoutesThatRequireAKey(t *testing.T) {
	g := newRig(t, usageplan.Plan{Quota: quota(1, usageplan.Day)})
	plans := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry}))
	pets := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3", Stage: "prod"}}))
	pets.Handle("GET /open", answers)
	pets.Handle("GET /pets", answers, plans.Middleware)
	require.NoError(t, pets.Build())
	ask := func(target string, keys ...string) int {
		r, w := httptest.NewRequest("GET", target, nil), httptest.NewRecorder()
		if len(keys) > 0 {
			r.Header["X-Api-Key"] = keys
		}
		pets.ServeHTTP(w, r)
		return w.Code
	}
	for range 3 {
		require.Equal(t, 200, ask("/open", value))
	}
	require.Zero(t, g.used())
	require.Equal(t, 403, ask("/pets"))
	require.Equal(t, 200, ask("/pets", value))
	require.Equal(t, 429, ask("/pets", value))
}

// The routes that Config.Stage lists are compared with the API's, wherever the Limiter stands.
func TestStageOfALimiterIsChecked(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Routes: map[string]*throttle.Limit{"GET /pet": {Rate: 1, Burst: 1}}}))
	pets := gatekit.Must(route.New(route.Config{}))
	pets.Handle("GET /pets", answers, gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry, Stage: stage})).Middleware)
	require.ErrorContains(t, pets.Build(), `usageplan: want the key of a route, got "GET /pet"; the nearest are "GET /pets"`)
}

// With the source AUTHORIZER the key is the authorizer's, and the header doesn't matter.
func TestKeyFromTheAuthorizer(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	limit := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry, Source: usageplan.Authorizer}))
	serve := func(usageKey string, header ...string) *httptest.ResponseRecorder {
		return get(api("GET /pets", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gatekit.From(r.Context()).Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{UsageKey: usageKey})
			limit.Middleware(answers).ServeHTTP(w, r)
		})), header...)
	}
	require.Equal(t, 200, serve(value).Code)
	require.Equal(t, 200, serve(value, "nonsense").Code)
	for _, usageKey := range []string{"", "unknown-unknown-unknown-", "shop"} {
		w := serve(usageKey, value)
		require.Equal(t, 403, w.Code)
		require.Equal(t, `{"message":"Forbidden"}`, w.Body.String())
	}
	require.Equal(t, 403, get(limit.Middleware(answers), value).Code, "no authorizer, no context")
}

// What a later station refuses isn't counted, whatever the type; what an integration answers is.
func TestRefund(t *testing.T) {
	for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
		g := newRig(t, usageplan.Plan{Quota: &usageplan.Quota{Limit: 1, Period: usageplan.Month, Mode: mode}})
		for kind := gatekit.AccessDenied; kind <= gatekit.WAFFiltered; kind++ {
			reached := false
			h := g.behind(usageplan.Config{}, "GET /pets", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached = true
				gatekit.Reject(w, r, &gatekit.Rejection{Type: kind})
			}))
			get(h, value)
			require.True(t, reached, "%s: the only unit was there", kind)
			require.NoError(t, g.Flush(g.ctx))
			require.Zero(t, g.used(), "%s %s", mode, kind)
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"404": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"refused-after-the-integration": func(w http.ResponseWriter, r *http.Request) {
			gatekit.From(r.Context()).SetIntegration(gatekit.Integration{Status: 502})
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationFailure})
		},
		"panics": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, usageplan.Plan{Quota: quota(1, usageplan.Day)})
			func() {
				defer func() { _ = recover() }()
				get(g.behind(usageplan.Config{}, "GET /pets", handler), value)
			}()
			require.EqualValues(t, 1, g.used())
		})
	}
}

// A client that has gone gets its unit back all the same.
func TestRefundOfACanceledRequest(t *testing.T) {
	g := newRig(t, usageplan.Plan{Quota: quota(1, usageplan.Day)})
	ctx, cancel := context.WithCancel(t.Context())
	h := g.behind(usageplan.Config{}, "GET /pets", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.BadRequestBody})
	}))
	r := httptest.NewRequest("GET", "/pets", nil).WithContext(ctx)
	r.Header.Set("X-Api-Key", value)
	h.ServeHTTP(httptest.NewRecorder(), r)
	require.Zero(t, g.used())
}

func TestSettle(t *testing.T) {
	for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
		t.Run(string(mode), func(t *testing.T) {
			g := newRig(t, usageplan.Plan{Quota: &usageplan.Quota{Limit: 100, Period: usageplan.Month, Mode: mode}})
			var kept *usageplan.Charge
			serve := func(reserve int64, f func(c *usageplan.Charge)) int {
				return get(g.behind(usageplan.Config{Cost: func(*http.Request) int64 { return reserve }}, "GET /pets", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					kept = usageplan.ChargeOf(r.Context())
					require.Equal(t, gatekit.From(r.Context()).Charge, kept)
					require.Equal(t, reserve, kept.Reserved())
					require.Equal(t, "shop p1", kept.KeyID()+" "+kept.PlanID())
					f(kept)
				})), value).Code
			}
			used := func(want int64) {
				t.Helper()
				require.NoError(t, g.Flush(g.ctx))
				require.Equal(t, want, g.used())
			}
			require.Equal(t, 200, serve(10, func(c *usageplan.Charge) { require.NoError(t, c.Settle(t.Context(), 3)) }))
			used(3)
			require.ErrorIs(t, kept.Settle(t.Context(), 3), usageplan.ErrSettled)
			require.Equal(t, 200, serve(10, func(c *usageplan.Charge) { require.NoError(t, c.Settle(t.Context(), 27)) }))
			used(30)
			require.Equal(t, 200, serve(10, func(*usageplan.Charge) {}))
			used(40)
			require.NoError(t, kept.Settle(t.Context(), 0), "after the answer")
			used(30)
			require.Equal(t, 429, serve(71, func(*usageplan.Charge) {}), "more than is left")
			used(30)
			require.Equal(t, 200, serve(0, func(c *usageplan.Charge) { require.NoError(t, c.Settle(t.Context(), 200)) }), "the work is done, above the limit or not")
			used(230)
			require.Equal(t, 429, serve(1, func(*usageplan.Charge) {}))
			require.Error(t, kept.Settle(t.Context(), -1))
			require.Equal(t, 500, serve(-1, nil))
		})
	}
	var none *usageplan.Charge
	require.NoError(t, none.Settle(t.Context(), 1))
	require.Zero(t, none.Reserved())
	require.Empty(t, none.KeyID()+none.PlanID())
	require.Nil(t, usageplan.ChargeOf(t.Context()))
}

// Over a period's end the clock is the only judge: the last instant is the old period's, the next
// one the new one's.
func TestQuotaAtPeriodBoundaries(t *testing.T) {
	for name, tt := range map[string]struct {
		period     usageplan.Period
		start, end string
	}{
		"day":            {usageplan.Day, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"},
		"new-year":       {usageplan.Day, "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
		"leap-day":       {usageplan.Day, "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"},
		"week":           {usageplan.Week, "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		"week-over-year": {usageplan.Week, "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		"month-31":       {usageplan.Month, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		"february":       {usageplan.Month, "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"},
		"leap-february":  {usageplan.Month, "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		"century":        {usageplan.Month, "2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
				synctest.Test(t, func(t *testing.T) {
					start, end := gatekit.Must(time.Parse(time.RFC3339, tt.start)), gatekit.Must(time.Parse(time.RFC3339, tt.end))
					time.Sleep(time.Until(start))
					g := quietRig(t, usageplan.Plan{Quota: &usageplan.Quota{Limit: 3, Period: tt.period, Mode: mode}})
					h := g.behind(usageplan.Config{}, "GET /pets", answers)
					codes := func() (list []int) {
						for range 5 {
							list = append(list, get(h, value).Code)
						}
						return list
					}
					require.Equal(t, []int{200, 200, 200, 429, 429}, codes(), "at the first instant")
					time.Sleep(time.Until(end.Add(-time.Nanosecond)))
					require.Equal(t, []int{429, 429, 429, 429, 429}, codes(), "at the last instant")
					require.Equal(t, "1", get(h, value).Header().Get("Retry-After"))
					time.Sleep(time.Nanosecond)
					require.Equal(t, []int{200, 200, 200, 429, 429}, codes(), "at the next instant")
				})
			}
		})
	}
}

// quietRig is a rig whose goroutine ends at once, so that a bubble may sleep for decades.
func quietRig(t *testing.T, plan usageplan.Plan) *rig {
	ctx, cancel := context.WithCancel(t.Context())
	store := memory(t)
	seed := registry(t, ctx, store)
	cancel()
	synctest.Wait()
	g := &rig{t, seed, store, context.Background()}
	plan.ID, plan.Name, plan.APIStages = "p1", "gold", []usageplan.APIStage{{APIID: "*", Stage: "*"}}
	_, err := g.CreatePlan(g.ctx, plan)
	require.NoError(t, err)
	g.key("shop", value, "p1")
	return g
}

// The offset is subtracted in the period in which the key joined, and in no other.
func TestQuotaOffset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quietRig(t, usageplan.Plan{Quota: &usageplan.Quota{Limit: 5, Period: usageplan.Day, Offset: 3}})
		h := g.behind(usageplan.Config{}, "GET /pets", answers)
		count := func() (n int) {
			for get(h, value).Code == 200 {
				n++
			}
			return n
		}
		require.Equal(t, 2, count())
		time.Sleep(24 * time.Hour)
		require.Equal(t, 5, count())
		g.key("late", "late-late-late-late-late", "p1")
		n := 0
		for get(h, "late-late-late-late-late").Code == 200 {
			n++
		}
		require.Equal(t, 2, n)
	})
}

func TestWeeksBegin(t *testing.T) {
	for sunday, want := range map[bool]time.Weekday{false: time.Monday, true: time.Sunday} {
		store := memory(t)
		r, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store, SundayWeeks: sunday})
		require.NoError(t, err)
		g := &rig{t, r, store, t.Context()}
		_, err = g.CreatePlan(g.ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Quota: quota(5, usageplan.Week)})
		require.NoError(t, err)
		g.key("shop", value, "p1")
		require.Equal(t, 200, get(g.behind(usageplan.Config{}, "GET /pets", answers), value).Code)
		s, err := g.Quota(g.ctx, "p1", "shop")
		require.NoError(t, err)
		require.Equal(t, want, s.Resets.Weekday())
		require.EqualValues(t, 1, s.Used, "the report looks where it was counted")
	}
}

// However many ask at once, exactly the limit is let through, on one machine or on several with one
// store, exact or fast.
func TestQuotaUnderRaces(t *testing.T) {
	for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
		for machines := 1; machines <= 3; machines++ {
			t.Run(fmt.Sprint(mode, "-", machines), func(t *testing.T) {
				const limit = 700
				g := newRig(t, usageplan.Plan{Quota: &usageplan.Quota{Limit: limit, Period: usageplan.Month, Mode: mode}})
				var served atomic.Int64
				var all sync.WaitGroup
				var registries []*usageplan.Registry
				for range machines {
					other := registry(t, g.ctx, g.store)
					registries = append(registries, other)
					h := api("GET /pets", gatekit.Must(usageplan.New(usageplan.Config{Registry: other})).Middleware(answers))
					for range 4 {
						all.Go(func() {
							for range 300 {
								if get(h, value).Code == 200 {
									served.Add(1)
								}
							}
						})
					}
				}
				all.Wait()
				require.LessOrEqual(t, served.Load(), int64(limit))
				if mode == usageplan.Exact || machines == 1 {
					require.EqualValues(t, limit, served.Load())
				}
				require.GreaterOrEqual(t, served.Load(), int64(limit-7*(machines-1)), "what other machines hold is less than a lease each")
				for _, r := range registries {
					require.NoError(t, r.Flush(t.Context()))
				}
				require.Equal(t, served.Load(), g.used(), "what wasn't used is given back")
			})
		}
	}
}

// A lease that nobody uses goes back by itself.
func TestIdleLeasesGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := memory(t)
		g := &rig{t, registry(t, ctx, store), store, ctx}
		_, err := g.CreatePlan(ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Quota: &usageplan.Quota{Limit: 10_000, Period: usageplan.Month, Mode: usageplan.Fast}})
		require.NoError(t, err)
		g.key("shop", value, "p1")
		require.Equal(t, 200, get(g.behind(usageplan.Config{}, "GET /pets", answers), value).Code)
		require.EqualValues(t, 100, g.used(), "a hundredth")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 1, g.used())
	})
}

func TestKeysOfSeveralPlans(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	plan := func(id string, stages ...usageplan.APIStage) error {
		_, err := g.CreatePlan(g.ctx, usageplan.Plan{ID: id, Name: id, APIStages: stages})
		require.NoError(t, err)
		return g.AddKey(g.ctx, id, "shop")
	}
	require.NoError(t, plan("p2", usageplan.APIStage{APIID: "a1b2c3", Stage: "test"}))
	require.ErrorIs(t, plan("p3", usageplan.APIStage{APIID: "x", Stage: "y"}, usageplan.APIStage{APIID: "a1b2c3", Stage: "prod"}), usageplan.ErrInvalid)
	require.ErrorContains(t, plan("p4", usageplan.APIStage{APIID: "*", Stage: "prod"}), "one plan for each API stage")
	require.ErrorIs(t, g.AddKey(g.ctx, "p2", "shop"), usageplan.ErrConflict)
	require.ErrorIs(t, g.AddKey(g.ctx, "nope", "shop"), usageplan.ErrNotFound)
	require.ErrorIs(t, g.AddKey(g.ctx, "p2", "nope"), usageplan.ErrNotFound)
	// A plan can't grow into another one of its keys' plans.
	err := g.UpdatePlan(g.ctx, usageplan.Plan{ID: "p2", Name: "p2", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "*"}}})
	require.ErrorContains(t, err, "one plan for each API stage")
	for i := range 8 {
		require.NoError(t, plan(fmt.Sprint("q", i), usageplan.APIStage{APIID: fmt.Sprint("api", i), Stage: "prod"}))
	}
	require.ErrorContains(t, plan("q9", usageplan.APIStage{APIID: "more", Stage: "prod"}), "at most 10")
	require.NoError(t, g.DeletePlan(g.ctx, "q0"))
	require.NoError(t, g.AddKey(g.ctx, "q9", "shop"), "a plan that is gone doesn't count")
	require.NoError(t, g.RemoveKey(g.ctx, "p1", "shop"))
	require.ErrorIs(t, g.RemoveKey(g.ctx, "p1", "shop"), usageplan.ErrNotFound)
	require.Equal(t, 403, get(g.behind(usageplan.Config{}, "GET /pets", answers), value).Code)
	keys, err := g.KeysOf(g.ctx, "q9", "", 10)
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.NotContains(t, keys[0].Plans, "q0")
}

// Two values count while a key is being rotated, never three, and the old one as long as it was
// said.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quietRig(t, usageplan.Plan{})
		h := g.behind(usageplan.Config{}, "GET /pets", answers)
		codes := func(values ...string) (list []int) {
			for _, v := range values {
				list = append(list, get(h, v).Code)
			}
			return list
		}
		k, second, err := g.RotateKey(g.ctx, "shop", 0)
		require.NoError(t, err)
		require.Len(t, second, 40)
		require.Len(t, k.Secrets, 2)
		require.Equal(t, second[:4], k.Secrets[0].Prefix)
		require.Equal(t, []int{200, 200}, codes(value, second))
		_, third, err := g.RotateKey(g.ctx, "shop", time.Hour)
		require.NoError(t, err)
		require.Equal(t, []int{403, 200, 200}, codes(value, second, third))
		time.Sleep(time.Hour - time.Nanosecond)
		require.Equal(t, []int{200, 200}, codes(second, third))
		time.Sleep(time.Nanosecond)
		require.Equal(t, []int{403, 200}, codes(second, third))
		_, fourth, err := g.RotateKey(g.ctx, "shop", 0)
		require.NoError(t, err)
		_, err = g.RetireKey(g.ctx, "shop")
		require.NoError(t, err)
		require.Equal(t, []int{403, 403, 403, 200}, codes(value, second, third, fourth))
		_, _, err = g.CreateKey(g.ctx, usageplan.NewKey{Value: value})
		require.NoError(t, err, "a value that counts no more can be used again")
		_, _, err = g.CreateKey(g.ctx, usageplan.NewKey{Value: fourth})
		require.ErrorIs(t, err, usageplan.ErrConflict)
		_, _, err = g.RotateKey(g.ctx, "nope", 0)
		require.ErrorIs(t, err, usageplan.ErrNotFound)
		_, _, err = g.RotateKey(g.ctx, "shop", -1)
		require.ErrorIs(t, err, usageplan.ErrInvalid)
	})
}

func TestLastUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quietRig(t, usageplan.Plan{Quota: quota(2, usageplan.Month)})
		h := g.behind(usageplan.Config{}, "GET /pets", answers)
		last := func() time.Time {
			k, err := g.Key(g.ctx, "shop")
			require.NoError(t, err)
			return k.LastUsed
		}
		require.Zero(t, last())
		first := time.Now()
		require.Equal(t, 200, get(h, value).Code)
		require.True(t, first.Equal(last()))
		time.Sleep(10 * time.Second)
		require.Equal(t, 200, get(h, value).Code)
		require.True(t, first.Equal(last()), "once a minute is enough")
		time.Sleep(time.Hour)
		require.Equal(t, 429, get(h, value).Code)
		require.True(t, first.Equal(last()), "a refused request is no use")
	})
}

// What another process changes counts here after a while; what is changed here at once.
func TestChangesOfAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := memory(t)
		g := &rig{t, registry(t, ctx, store), store, ctx}
		_, err := g.CreatePlan(ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}, Throttle: &usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 3}})
		require.NoError(t, err)
		g.key("shop", value, "p1")
		elsewhere := registry(t, ctx, store)
		h := g.behind(usageplan.Config{}, "GET /pets", answers)
		require.Equal(t, 200, get(h, value).Code)
		off, on := false, true
		_, err = elsewhere.UpdateKey(ctx, "shop", usageplan.KeyChange{Enabled: &off})
		require.NoError(t, err)
		require.Equal(t, 200, get(h, value).Code)
		time.Sleep(1100 * time.Millisecond)
		require.Equal(t, 403, get(h, value).Code)
		_, err = elsewhere.UpdateKey(ctx, "shop", usageplan.KeyChange{Enabled: &on})
		require.NoError(t, err)
		time.Sleep(1100 * time.Millisecond)
		require.Equal(t, 200, get(h, value).Code)
		require.Equal(t, 429, get(h, value).Code, "the buckets go on as they were")
		_, fresh, err := elsewhere.CreateKey(ctx, usageplan.NewKey{Enabled: true})
		require.NoError(t, err)
		require.Equal(t, 403, get(h, fresh).Code)
		require.NoError(t, elsewhere.DeleteKey(ctx, "shop"))
		time.Sleep(1100 * time.Millisecond)
		require.Equal(t, 403, get(h, value).Code)
	})
}

// broken is a store that can be taken away.
type broken struct {
	usageplan.Store
	away atomic.Bool
}

var errAway = errors.New("the store is away")

func (b *broken) Reserve(ctx context.Context, c usageplan.Counter, on usageplan.Date, atLeast, atMost, limit int64) (int64, usageplan.Count, error) {
	if b.away.Load() {
		return 0, usageplan.Count{}, errAway
	}
	return b.Store.Reserve(ctx, c, on, atLeast, atMost, limit)
}

func (b *broken) Put(ctx context.Context, t usageplan.Table, r usageplan.Record) error {
	if b.away.Load() {
		return errAway
	}
	return b.Store.Put(ctx, t, r)
}

func (b *broken) Changes(ctx context.Context, span usageplan.Span, limit int) ([]usageplan.Change, error) {
	if b.away.Load() {
		return nil, errAway
	}
	return b.Store.Changes(ctx, span, limit)
}

func TestStoreThatIsAway(t *testing.T) {
	for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
		store := &broken{Store: memory(t)}
		g := rigOn(t, store, usageplan.Plan{Quota: &usageplan.Quota{Limit: 1, Period: usageplan.Day, Mode: mode}, Throttle: &usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 3}})
		store.away.Store(true)
		open, closed := g.behind(usageplan.Config{}, "GET /pets", answers), g.behind(usageplan.Config{FailClosed: true}, "GET /pets", answers)
		for range 5 {
			w := get(closed, value)
			require.Equal(t, 500, w.Code)
			require.NotContains(t, w.Body.String(), "away")
		}
		require.Equal(t, 200, get(open, value).Code, "as the managed gateway does")
		require.Equal(t, 200, get(open, value).Code)
		require.Equal(t, 200, get(open, value).Code, "what was refused closed took no tokens")
		require.Equal(t, 429, get(open, value).Code, "the throttle is in the process")
		require.Equal(t, 403, get(open, "unknown-unknown-unknown-").Code, "nobody becomes known as the store is away")
		store.away.Store(false)
		require.Zero(t, g.used())
	}
	store := &broken{Store: memory(t)}
	store.away.Store(true)
	_, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store})
	require.ErrorIs(t, err, errAway)
}

// An outage is two lines for each thing that doesn't work, however many requests and refreshes find
// it so.
func TestOutageIsTwoLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var log bytes.Buffer
		store := &broken{Store: memory(t)}
		registry, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{
			Store: store, Refresh: time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		require.NoError(t, err)
		g := &rig{t, registry, store, ctx}
		_, err = g.CreatePlan(ctx, usageplan.Plan{
			ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Quota: quota(1e6, usageplan.Month),
		})
		require.NoError(t, err)
		g.key("shop", value, "p1")
		open, closed := g.behind(usageplan.Config{}, "GET /pets", answers), g.behind(usageplan.Config{FailClosed: true}, "GET /pets", answers)
		for outage := 1; outage <= 2; outage++ {
			store.away.Store(true)
			for range 20 {
				for range 50 {
					require.Equal(t, 200, get(open, value).Code)
					require.Equal(t, 500, get(closed, value).Code)
				}
				time.Sleep(time.Second)
			}
			store.away.Store(false)
			for range 3 {
				require.Equal(t, 200, get(closed, value).Code)
				time.Sleep(2 * time.Second)
			}
			synctest.Wait()
			for _, what := range []string{"the store can't count", "can't look for changed keys and plans"} {
				require.Equal(t, 2*outage, strings.Count(log.String(), what), log.String())
				require.Equal(t, outage, strings.Count(log.String(), "level=WARN msg=\"usageplan: "+what), log.String())
			}
			require.Equal(t, 4*outage, strings.Count(log.String(), "\n"), log.String())
			require.Contains(t, log.String(), "failures=2000")
		}
		require.NotContains(t, log.String(), value)
	})
}

func TestHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC)))
		g := quietRig(t, usageplan.Plan{Quota: quota(3, usageplan.Day), Throttle: &usageplan.Throttle{RateLimit: 0.5, BurstLimit: 10}})
		h := g.behind(usageplan.Config{Headers: true}, "GET /pets", answers)
		for i := range 5 {
			w := get(h, value)
			require.Equal(t, `"throttle";q=10;w=20, "quota";q=3;w=86400`, w.Header().Get("RateLimit-Policy"))
			require.Equal(t, fmt.Sprintf(`"throttle";r=%d;t=%d, "quota";r=%d;t=3600`, max(9-i, 6), 2*min(i+1, 4), max(2-i, 0)), w.Header().Get("RateLimit"), i)
		}
		require.NotContains(t, get(h, "unknown-unknown-unknown-").Header(), "Ratelimit")
	})
}

// A plan on trial counts what it lets through, and lets the rest through uncounted.
func TestShadowOfAPlan(t *testing.T) {
	g := newRig(t, usageplan.Plan{Quota: quota(2, usageplan.Day)})
	limit := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry}))
	refused := map[gatekit.ResponseType]int{}
	h := api("GET /pets", gatekit.Shadow(limit.Middleware, func(_ *http.Request, why *gatekit.Rejection) { refused[why.Type]++ })(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, id := gatekit.From(r.Context()).FoundAPIKey()
		require.Equal(t, usageplan.ChargeOf(r.Context()) != nil, id == "shop")
	})))
	for range 5 {
		require.Equal(t, 200, get(h, value).Code)
	}
	require.Equal(t, 200, get(h).Code)
	require.Equal(t, map[gatekit.ResponseType]int{gatekit.QuotaExceeded: 3, gatekit.InvalidAPIKey: 1}, refused)
	require.EqualValues(t, 2, g.used())
}

func TestWhatTheHandlerKnows(t *testing.T) {
	g := newRig(t, usageplan.Plan{Quota: quota(7, usageplan.Day)})
	h := g.behind(usageplan.Config{}, "GET /pets", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		key, id := gatekit.From(r.Context()).FoundAPIKey()
		require.Equal(t, value, key)
		require.Equal(t, "shop", id)
		left, limited := usageplan.ChargeOf(r.Context()).Remaining()
		require.True(t, limited)
		require.EqualValues(t, 6, left)
	}))
	require.Equal(t, 200, get(h, value).Code)
	s, ok := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry})).Middleware(answers).(gatekit.Station)
	require.True(t, ok)
	kind, _ := s.Station()
	require.Equal(t, "usageplan", kind)
}

// Validate says what CreatePlan would of what the plan itself says.
func TestPlanValidate(t *testing.T) {
	good := usageplan.Plan{ID: "p", Name: "P", APIStages: []usageplan.APIStage{{APIID: "a", Stage: "s"}}}
	require.NoError(t, good.Validate())
	bad := good
	bad.Quota = &usageplan.Quota{Limit: 1, Period: "YEAR"}
	require.ErrorIs(t, bad.Validate(), usageplan.ErrInvalid)
	require.ErrorContains(t, bad.Validate(), "want DAY, WEEK or MONTH")
}

func TestOwnerOfValue(t *testing.T) {
	store, err := usageplan.NewMemory(0)
	require.NoError(t, err)
	g, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store})
	require.NoError(t, err)
	const one, two = "same-prefix-one-same-prefix", "same-prefix-two-same-prefix"
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{ID: "k", Value: one, Enabled: true, ManagedBy: "me"})
	require.NoError(t, err)
	shown, err := g.Key(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "me", shown.ManagedBy)
	for value, want := range map[string]bool{one: true, two: false, "": false, "short": false} {
		has, err := g.HasValue(t.Context(), "k", value)
		require.NoError(t, err)
		require.Equal(t, want, has, value)
		owner, err := g.Owner(t.Context(), value)
		require.Equal(t, want, err == nil && owner == "k", value)
		if !want {
			require.ErrorIs(t, err, usageplan.ErrNotFound)
		}
	}
	has, err := g.HasValue(t.Context(), "nobody", one)
	require.NoError(t, err)
	require.False(t, has)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{ID: "k", Value: one})
	require.ErrorIs(t, err, usageplan.ErrConflict, "it is there")
	owner, err := g.Owner(t.Context(), one)
	require.NoError(t, err)
	require.Equal(t, "k", owner, "and keeps its value")

	// A program that ended between the claim and the key.
	d := sha256.Sum256([]byte(two))
	require.NoError(t, store.Put(t.Context(), usageplan.Secrets, usageplan.Record{ID: hex.EncodeToString(d[:]), Data: []byte("l")}))
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{ID: "m", Value: two})
	require.ErrorIs(t, err, usageplan.ErrConflict)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{ID: "l", Value: two})
	require.NoError(t, err)
}
