package usageplan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Keys that nobody knows never reach the store, and leave nothing behind.
func TestUnknownKeysCostTheStoreNothing(t *testing.T) {
	store := &broken{Store: memory(t)}
	g := rigOn(t, store, usageplan.Plan{Quota: quota(10, usageplan.Day)})
	store.away.Store(true)
	h := g.behind(usageplan.Config{FailClosed: true}, "GET /pets", answers)
	for i := range 1000 {
		require.Equal(t, 403, get(h, fmt.Sprintf("guess-%030d", i)).Code, "the store, which would make it a 500, isn't asked")
	}
}

// The key's source is one place: nothing else that a client can send is taken for a key.
func TestKeysInOtherPlaces(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	h := g.behind(usageplan.Config{}, "GET /pets", answers)
	for name, put := range map[string]func(r *http.Request){
		"query":               func(r *http.Request) { r.URL.RawQuery = "x-api-key=" + value },
		"authorization":       func(r *http.Request) { r.Header.Set("Authorization", value) },
		"cookie":              func(r *http.Request) { r.Header.Set("Cookie", "x-api-key="+value) },
		"underscores":         func(r *http.Request) { r.Header["X_api_key"] = []string{value} },
		"list-in-one-header":  func(r *http.Request) { r.Header.Set("X-Api-Key", value+","+value) },
		"known-after-unknown": func(r *http.Request) { r.Header["X-Api-Key"] = []string{"unknown-unknown-unknown-", value} },
		"unknown-after-known": func(r *http.Request) { r.Header["X-Api-Key"] = []string{value, "unknown-unknown-unknown-"} },
		"digest":              func(r *http.Request) { r.Header.Set("X-Api-Key", strings.Repeat("0", 64)) },
		"trailer":             func(r *http.Request) { r.Trailer = http.Header{"X-Api-Key": {value}} },
	} {
		r := httptest.NewRequest("GET", "/pets", nil)
		put(r)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 403, w.Code, name)
	}
	require.Equal(t, 403, get(gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry})).Middleware(answers), value).Code, "of no API, where the plan names one")
}

// A Limiter asks for a key wherever it stands, so no spelling of a path gets around it.
func TestAPIKeyIsAskedByRoute(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	h := g.behind(usageplan.Config{}, "GET /admin", answers)
	for _, target := range []string{"/admin", "/%61dmin", "/x/../admin", "//admin", "/admin?x=/open"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		require.Equal(t, 403, w.Code, target)
	}
}

// Logs and errors name keys by their IDs.
func TestNoSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	store := &broken{Store: memory(t)}
	g, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	require.NoError(t, err)
	_, err = g.CreatePlan(t.Context(), usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Throttle: &usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 2}})
	require.NoError(t, err)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{ID: "shop", Value: value, Enabled: true})
	require.NoError(t, err)
	require.NoError(t, g.AddKey(t.Context(), "p1", "shop"))
	store.away.Store(true)
	l := gatekit.Must(usageplan.New(usageplan.Config{Registry: g}))
	for range 3 {
		r := httptest.NewRequest("GET", "/pets", nil)
		r.Header.Set("X-Api-Key", value)
		if _, err = l.Check(r); err != nil {
			require.NotContains(t, err.Error(), value)
		}
	}
	require.ErrorContains(t, err, "key shop: Key throttle limit exceeded for Usage Plan ID p1. Limit: 0.00 Burst: 2")
	require.Contains(t, log.String(), "the store can't count")
	require.NotContains(t, log.String(), value)
	store.away.Store(false)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{Value: value})
	require.ErrorIs(t, err, usageplan.ErrConflict)
	require.NotContains(t, err.Error(), value)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{Value: "with-a-line\r\nbreak-in-the-middle"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "break")
}

// Administration at the same time as itself and as traffic: nothing is lost, no value lives that
// was retired. (For the race detector.)
func TestAdministrationUnderRaces(t *testing.T) {
	g := newRig(t, usageplan.Plan{Quota: quota(1e6, usageplan.Day)})
	h := g.behind(usageplan.Config{}, "GET /pets", answers)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 10 {
				if _, _, err := g.RotateKey(g.ctx, "shop", 0); err != nil && !errors.Is(err, usageplan.ErrConflict) {
					t.Error(err)
				}
				name := fmt.Sprint(i, j)
				if _, err := g.UpdateKey(g.ctx, "shop", usageplan.KeyChange{Name: &name}); err != nil && !errors.Is(err, usageplan.ErrConflict) {
					t.Error(err)
				}
				get(h, value)
				if _, err := g.Usage(g.ctx, "p1", usageplan.UsageQuery{From: usageplan.DateOf(time.Now()), To: usageplan.DateOf(time.Now())}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, 403, get(h, value).Code)
	k, err := g.Key(g.ctx, "shop")
	require.NoError(t, err)
	require.Len(t, k.Secrets, 2)
	secrets, err := g.store.List(g.ctx, usageplan.Secrets, "", 100)
	require.NoError(t, err)
	require.Len(t, secrets, 2, "no value is left over")
}

// A plan that the registry couldn't run isn't stored: it would keep every later change from being
// loaded.
func TestPlansThatCannotRunAreRefused(t *testing.T) {
	for name, limit := range map[string]usageplan.Throttle{
		"full-in-3000-years": {RateLimit: 1e-9, BurstLimit: 100},
		"denormal-rate":      {RateLimit: math.SmallestNonzeroFloat64, BurstLimit: 1},
		"endless-burst":      {RateLimit: 1e12, BurstLimit: math.MaxInt},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, usageplan.Plan{})
			_, err := g.CreatePlan(g.ctx, usageplan.Plan{Name: "x", Throttle: &limit})
			require.ErrorIs(t, err, usageplan.ErrInvalid)
			require.ErrorContains(t, err, "Plan.Throttle")
			_, err = g.CreatePlan(g.ctx, usageplan.Plan{Name: "x", APIStages: []usageplan.APIStage{{APIID: "a", Stage: "b", Throttle: map[string]usageplan.Throttle{"/a/GET": limit}}}})
			require.ErrorIs(t, err, usageplan.ErrInvalid)
			off := false
			_, err = g.UpdateKey(g.ctx, "shop", usageplan.KeyChange{Enabled: &off})
			require.NoError(t, err)
			require.Equal(t, 403, get(g.behind(usageplan.Config{}, "GET /pets", answers), value).Code)
		})
	}
	g := newRig(t, usageplan.Plan{})
	long := strings.Repeat("x", 2<<20)
	_, err := g.CreatePlan(g.ctx, usageplan.Plan{Name: "x", APIStages: []usageplan.APIStage{{APIID: long, Stage: "b"}}})
	require.ErrorIs(t, err, usageplan.ErrInvalid)
	require.Less(t, len(err.Error()), 1000)
	wide := usageplan.Plan{Name: "x"}
	for i := range 1000 {
		s := usageplan.APIStage{APIID: fmt.Sprint("a", i), Stage: "b", Throttle: map[string]usageplan.Throttle{}}
		for j := range 20 {
			s.Throttle[fmt.Sprintf("/%s%d/GET", strings.Repeat("x", 60), j)] = usageplan.Throttle{}
		}
		wide.APIStages = append(wide.APIStages, s)
	}
	_, err = g.CreatePlan(g.ctx, wide)
	require.ErrorIs(t, err, usageplan.ErrInvalid, "more than a Store keeps")
}

// named takes down the names of buckets.
type named map[string]bool

func (n named) Take(_ context.Context, key string, _ throttle.Limit) (bool, time.Duration, int, error) {
	n[key] = true
	return true, 0, 0, nil
}

func (named) Give(context.Context, string, throttle.Limit) error { return nil }

// The shared buckets of stages whose names run together are not one.
func TestBucketsOfStagesThatReadAlike(t *testing.T) {
	store, buckets := memory(t), named{}
	shared, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store, Buckets: buckets})
	require.NoError(t, err)
	g := &rig{t, shared, store, t.Context()}
	tight := map[string]usageplan.Throttle{"/pets/GET": {RateLimit: 1, BurstLimit: 1}}
	_, err = g.CreatePlan(g.ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "a/b", Stage: "c", Throttle: tight}, {APIID: "a", Stage: "b/c", Throttle: tight}}})
	require.NoError(t, err)
	g.key("shop", value, "p1")
	limit := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry}))
	for _, a := range []gatekit.API{{APIID: "a/b", Stage: "c"}, {APIID: "a", Stage: "b/c"}} {
		require.Equal(t, 200, get(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc, r := gatekit.Attach(r)
			rc.API, rc.Route = &a, &gatekit.Route{Key: "GET /pets"}
			limit.Middleware(answers).ServeHTTP(w, r)
		}), value).Code)
	}
	require.Len(t, buckets, 2)
}

// Where nobody tells the route, nobody knows whether a method's throttle is for it: that is a 500,
// and no pass.
func TestMethodThrottlesWithoutARoute(t *testing.T) {
	wide := usageplan.Throttle{RateLimit: 1e6, BurstLimit: 100}
	throttled := func(methods map[string]usageplan.Throttle) usageplan.Plan {
		return usageplan.Plan{APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod", Throttle: methods}}}
	}
	for _, tt := range []struct {
		name    string
		methods map[string]usageplan.Throttle
		route   string // as it is stated
		pattern string // or as another router tells it
		status  int
	}{
		{"nothing-told", map[string]usageplan.Throttle{"/dogs/GET": wide}, "", "", 500},
		{"no-method-told", map[string]usageplan.Throttle{"/dogs/GET": wide}, "", "/pets", 500},
		{"another-method", map[string]usageplan.Throttle{"/dogs/GET": {}}, "", "GET /pets", 200},
		{"no-methods", nil, "", "", 200},
		{"blocked", map[string]usageplan.Throttle{"/pets/GET": {}}, "GET /pets", "", 429},
		{"blocked-by-pattern", map[string]usageplan.Throttle{"/pets/GET": {}}, "", "GET /pets", 429},
		{"blocked-under-another-variable", map[string]usageplan.Throttle{"/pets/{id}/GET": {}}, "GET /pets/{petId}", "", 429},
		{"greedy-is-another", map[string]usageplan.Throttle{"/pets/{id}/GET": {}}, "GET /pets/{id+}", "", 200},
		{"a-route-of-any-method", map[string]usageplan.Throttle{"/pets/GET": {}}, "ANY /pets", "", 429},
		{"a-route-of-any-method-and-another", map[string]usageplan.Throttle{"/pets/POST": {}}, "ANY /pets", "", 200},
		{"any-for-any", map[string]usageplan.Throttle{"/pets/ANY": {}}, "ANY /pets", "", 429},
		{"the-method-before-any", map[string]usageplan.Throttle{"/pets/ANY": {}, "/pets/GET": wide}, "ANY /pets", "", 200},
		{"any-is-no-method", map[string]usageplan.Throttle{"/pets/ANY": {}}, "GET /pets", "", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newRig(t, throttled(tt.methods))
			h := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry})).Middleware(answers)
			w := get(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Pattern = tt.pattern
				rc, r := gatekit.Attach(r)
				rc.API = &gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3", Stage: "prod"}
				if tt.route != "" {
					rc.Route = &gatekit.Route{Key: tt.route}
				}
				h.ServeHTTP(w, r)
			}), value)
			require.Equal(t, tt.status, w.Code)
			if tt.status != 200 {
				require.Zero(t, g.used(), "a refusal costs nothing")
			}
		})
	}
}

// The keys of a plan that was deleted aren't in the next one of its ID.
func TestPlanOfAnIDThatWasUsed(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	p, err := g.Plan(g.ctx, "p1")
	require.NoError(t, err)
	require.NoError(t, g.DeletePlan(g.ctx, "p1"))
	k, err := g.Key(g.ctx, "shop")
	require.NoError(t, err)
	require.Empty(t, k.Plans)
	_, err = g.CreatePlan(g.ctx, p)
	require.NoError(t, err)
	require.Equal(t, 403, get(g.behind(usageplan.Config{}, "GET /pets", answers), value).Code)
}

// IDs that can't be are found nowhere, whatever a store makes of them.
func TestIDsThatCannotBe(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	for _, id := range []string{"", "shop\x001", "\x00", "a/b", strings.Repeat("x", 1<<16)} {
		_, err := g.Key(g.ctx, id)
		require.ErrorIs(t, err, usageplan.ErrNotFound)
		require.ErrorIs(t, g.DeleteKey(g.ctx, id), usageplan.ErrNotFound)
		_, err = g.Plan(g.ctx, id)
		require.ErrorIs(t, err, usageplan.ErrNotFound)
		require.ErrorIs(t, g.DeletePlan(g.ctx, id), usageplan.ErrNotFound)
	}
}

// A token is taken off.
func TestBypassTokensStayHere(t *testing.T) {
	g := newRig(t, usageplan.Plan{Throttle: &usageplan.Throttle{RateLimit: 1, BurstLimit: 2}})
	b := gatekit.Must(usageplan.NewBypass([]byte(strings.Repeat("s", 32))))
	h := g.behind(usageplan.Config{Bypass: b, Headers: true}, "GET /open", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.NotContains(t, r.Header, usageplan.BypassHeader)
	}))
	r := httptest.NewRequest("GET", "/open", nil)
	r.Header.Set(usageplan.BypassHeader, gatekit.Must(b.Token("shop", time.Minute)))
	r.Header.Set("X-Api-Key", value)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)
	require.Contains(t, r.Header, usageplan.BypassHeader, "the caller's request is as it was")
}

// What wasn't asked isn't told.
func TestHeadersOfUnaskedLevels(t *testing.T) {
	g := newRig(t, usageplan.Plan{
		APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod", Throttle: map[string]usageplan.Throttle{"/pets/GET": {}}}},
		Throttle:  &usageplan.Throttle{RateLimit: 1, BurstLimit: 5}, Quota: quota(5, usageplan.Day),
	})
	b := gatekit.Must(usageplan.NewBypass([]byte(strings.Repeat("s", 32))))
	c := usageplan.Config{Headers: true, Bypass: b}
	require.NotContains(t, get(g.behind(c, "GET /pets", answers), value).Header(), "Ratelimit", "the method's limit refused")
	r := httptest.NewRequest("GET", "/dogs", nil)
	r.Header.Set("X-Api-Key", value)
	r.Header.Set(usageplan.BypassHeader, gatekit.Must(b.Token("shop", time.Minute)))
	w := httptest.NewRecorder()
	g.behind(c, "GET /dogs", answers).ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)
	require.NotContains(t, w.Header(), "Ratelimit")
}

// A plan that was deleted and made anew elsewhere, before anybody here looked, is the new one.
func TestPlanThatIsReplacedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := memory(t)
		g := &rig{t, registry(t, ctx, store), store, ctx}
		elsewhere := registry(t, ctx, store)
		plan := usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}}
		_, err := g.CreatePlan(ctx, plan)
		require.NoError(t, err)
		g.key("shop", value, "p1")
		h := g.behind(usageplan.Config{}, "GET /pets", answers)
		require.Equal(t, 200, get(h, value).Code)
		require.NoError(t, elsewhere.DeletePlan(ctx, "p1"))
		plan.Throttle = &usageplan.Throttle{}
		_, err = elsewhere.CreatePlan(ctx, plan)
		require.NoError(t, err)
		require.NoError(t, elsewhere.AddKey(ctx, "p1", "shop"))
		time.Sleep(1100 * time.Millisecond)
		require.Equal(t, 429, get(h, value).Code)
	})
}

// Two processes may make more keys together than there may be. What each knows goes on and is kept
// up to date; the rest is refused, and comes in once there is room.
func TestMoreKeysThanThereMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := memory(t)
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil)) // one, as each handler has a lock of its own
		machine := func() (*rig, http.Handler) {
			r, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store, MaxKeys: 1, Refresh: time.Second, Logger: logger})
			require.NoError(t, err)
			g := &rig{t, r, store, ctx}
			return g, g.behind(usageplan.Config{}, "GET /pets", answers)
		}
		one, atOne := machine()
		two, atTwo := machine()
		_, err := one.CreatePlan(ctx, usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}})
		require.NoError(t, err)
		const other = "other-other-other-other-"
		one.key("a", value, "p1")
		two.key("b", other, "p1")
		time.Sleep(2 * time.Second)
		codes := func(want ...int) {
			t.Helper()
			require.Equal(t, want, []int{get(atOne, value).Code, get(atOne, other).Code, get(atTwo, value).Code, get(atTwo, other).Code})
		}
		codes(200, 403, 403, 200)
		synctest.Wait()
		require.Equal(t, 2, strings.Count(log.String(), "more keys than RegistryConfig.MaxKeys"), log.String())
		_, _, err = two.CreateKey(ctx, usageplan.NewKey{})
		require.ErrorIs(t, err, usageplan.ErrInvalid)
		_, err = usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store, MaxKeys: 1})
		require.ErrorContains(t, err, "the store has more than RegistryConfig.MaxKeys, 1")
		off := false
		_, err = one.UpdateKey(ctx, "a", usageplan.KeyChange{Enabled: &off})
		require.NoError(t, err)
		codes(403, 403, 403, 200)
		require.NoError(t, one.DeleteKey(ctx, "a"))
		time.Sleep(2 * time.Second)
		codes(403, 200, 403, 200)
	})
}
