package usageplan_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
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

// Routes are told apart by what matched, so no spelling of a path gets around a method's limit or around the key.
func TestAPIKeyIsAskedByRoute(t *testing.T) {
	g := newRig(t, usageplan.Plan{})
	h := g.behind(usageplan.Config{Routes: []string{"GET /admin"}}, "GET /admin", answers)
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
	g, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
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
	require.Contains(t, log.String(), "apiKeyId=shop")
	require.NotContains(t, log.String(), value)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{Value: value})
	require.ErrorIs(t, err, usageplan.ErrConflict)
	require.NotContains(t, err.Error(), value)
	_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{Value: "with-a-line\r\nbreak-in-the-middle"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "break")
}

// Administration at the same time as itself and as traffic: nothing is lost, no value lives that was retired. (For the race detector.)
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
