package throttle_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

// Each limit says which it is and what is left, and the one that refuses says so alone.
func TestNotes(t *testing.T) {
	two, few := throttle.Limit{Rate: 1e-6, Burst: 2}, throttle.Limit{Rate: 1e-6, Burst: 1}
	own := few
	stage := func(c throttle.StageConfig) gatekit.Middleware { return gatekit.Must(throttle.NewStage(c)).Middleware }
	routeLimit := gatekit.Must(gatekit.Must(throttle.NewStage(throttle.StageConfig{})).Limit(few))
	settings := gatekit.Must(gatekit.NewStageSettings(map[string]gatekit.MethodSettings{"*/*": {Throttling: &gatekit.MethodThrottling{RateLimit: 1e-6, BurstLimit: 1}}}))
	for _, tt := range []struct {
		name          string
		mw            gatekit.Middleware
		first, second string // what is noted of a first request, and of a second
	}{
		{"one", gatekit.Must(throttle.New(few)).Middleware,
			"  1 throttle  passed  limit  0 left\n", "  1 throttle  refused  limit  429; 0 left; the bucket has no token left; throttle: no token is left\n"},
		{"account", stage(throttle.StageConfig{Account: throttle.NewAccount(), Default: &two}),
			"  1 throttle  passed  stage    1 left\n  2 throttle  passed  account  4999 left\n", ""},
		{"empty-account", stage(throttle.StageConfig{Account: gatekit.Must(throttle.New(throttle.Limit{})), Default: &two}),
			"  1 throttle  refused  limit  429; 0 left; the bucket has no token left; throttle: no token is left\n", ""},
		{"stage", stage(throttle.StageConfig{Default: &few}), "  1 throttle  passed  stage  0 left\n", "  1 throttle  refused  stage  429; 0 left; the bucket has no token left; throttle: no token is left\n"},
		{"listed", stage(throttle.StageConfig{Default: &two, Routes: map[string]*throttle.Limit{"GET /a": &own}}),
			"  1 throttle  passed  route  0 left\n", "  1 throttle  refused  route  429; 0 left; the bucket has no token left; throttle: no token is left\n"},
		{"on-route", routeLimit, "  1 throttle  passed  route  0 left\n", "  1 throttle  refused  route  429; 0 left; the bucket has no token left; throttle: no token is left\n"},
		{"method", throttle.NewMethodLimits(nil).Middleware, "  1 throttle  passed  method  0 left\n", "  1 throttle  refused  method  429; 0 left; the bucket has no token left; throttle: no token is left\n"},
		{"key", gatekit.Must(throttle.NewPerKey(few, throttle.KeyConfig{Key: throttle.ByIP})).Middleware,
			"  1 throttle  passed  key  0 left\n", "  1 throttle  refused  key  429; 0 left; the bucket has no token left; throttle: no token is left\n"},
		{"key-with-headers", gatekit.Must(throttle.NewPerKey(few, throttle.KeyConfig{Key: throttle.ByHeader("X-Secret"), Headers: true})).Middleware,
			"  1 throttle  passed  key  0 left\n", "  1 throttle  refused  key  429; 0 left; the bucket has no token left; throttle: no token is left\n"},
		{"key-function", gatekit.Must(throttle.NewPerKey(few, throttle.KeyConfig{Key: func(*http.Request) (string, error) { return "", errors.New("broken") }})).Middleware,
			"  1 throttle  refused  key  500; nobody can tell whose request it is; broken\n", ""},
		{"concurrency", gatekit.Must(throttle.NewConcurrent(3)).Middleware, "  1 throttle  passed  concurrency  2 left\n", "  1 throttle  passed  concurrency  2 left\n"},
		{"no-concurrency", gatekit.Must(throttle.NewConcurrent(0)).Middleware,
			"  1 throttle  refused  concurrency  429; 0 left; as many requests are in flight as may be; throttle: no token is left\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := tt.mw(ok)
			for _, want := range []string{tt.first, tt.second} {
				r := gatekit.Explained(onRoute("GET /a"))
				r.Header.Set("X-Secret", "hush-hush")
				gatekit.From(r.Context()).API = &gatekit.API{Settings: settings}
				serve(h, r)
				got := gatekit.Explain(r)
				if want != "" {
					require.Contains(t, got, "\n"+want)
				}
				require.NotContains(t, got, "hush")
			}
		})
	}
}
