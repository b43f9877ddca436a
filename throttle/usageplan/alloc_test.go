//go:build !race

package usageplan_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

// A check allocates the charge, and nothing else.
func TestAllocations(t *testing.T) {
	for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
		g := newRig(t, usageplan.Plan{
			APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod", Throttle: map[string]usageplan.Throttle{"/pets/GET": {RateLimit: 1e6, BurstLimit: 1e6}}}},
			Throttle:  &usageplan.Throttle{RateLimit: 1e6, BurstLimit: 1e6}, Quota: &usageplan.Quota{Limit: 1e9, Period: usageplan.Month, Mode: mode},
		})
		l := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry}))
		r := httptest.NewRequest("GET", "/pets", nil)
		r.Header.Set("X-Api-Key", value)
		rc, r := gatekit.Attach(r)
		rc.API, rc.RouteKey = gatekit.API{APIID: "a1b2c3", Stage: "prod"}, "GET /pets"
		h := l.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { h.ServeHTTP(discard{}, r) }), 1.0, mode)
	}
}
