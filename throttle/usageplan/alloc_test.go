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
		rc.API, rc.Route = &gatekit.API{APIID: "a1b2c3", Stage: "prod"}, &gatekit.Route{Key: "GET /pets"}
		h := l.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { h.ServeHTTP(discard{}, r) }), 1.0, mode)
		notes := rc.KeepNotes(gatekit.KeepOutcomes) // which cost none without reasons
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { h.ServeHTTP(discard{}, r) }), 1.0, mode)
		notes.Release()
	}
}

// A refusal costs the charge, the Rejection with its cause, and what Reject does: at most four
// together, also where the wait is days.
func TestRefusalAllocations(t *testing.T) {
	for name, tt := range map[string]struct {
		plan   usageplan.Plan
		value  string
		status int
		most   float64
	}{
		"unknown-key": {usageplan.Plan{}, "nobody-nobody-nobody-nobody-nobody-nobod", 403, 2},
		"plan":        {usageplan.Plan{Throttle: &usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 1}}, value, 429, 4},
		"quota":       {usageplan.Plan{Quota: quota(1, usageplan.Month)}, value, 429, 4},
		"fast-quota":  {usageplan.Plan{Quota: &usageplan.Quota{Limit: 1, Period: usageplan.Day, Mode: usageplan.Fast}}, value, 429, 4},
	} {
		g := newRig(t, tt.plan)
		h := gatekit.Must(usageplan.New(usageplan.Config{Registry: g.Registry})).Middleware(answers)
		r := httptest.NewRequest("GET", "/pets", nil)
		r.Header.Set("X-Api-Key", tt.value)
		rc, r := gatekit.Attach(r)
		rc.API, rc.Route = &gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3", Stage: "prod"}, &gatekit.Route{Key: "GET /pets"}
		h.ServeHTTP(httptest.NewRecorder(), r)
		w := &kept{h: http.Header{}}
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }), tt.most, name)
		require.Equal(t, tt.status, w.status, name)
	}
}

type kept struct {
	discard
	h      http.Header
	status int
}

func (k *kept) Header() http.Header    { return k.h }
func (k *kept) WriteHeader(status int) { k.status = status }
