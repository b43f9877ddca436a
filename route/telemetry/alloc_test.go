//go:build !race

package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/telemetry"
)

type null struct{ h http.Header }

func (n null) Header() http.Header         { return n.h }
func (n null) Write(b []byte) (int, error) { return len(b), nil }
func (n null) WriteHeader(int)             {}

// Beside the RequestContext, which a station behind would attach, metrics allocate nothing.
func TestAllocations(t *testing.T) {
	for name, cfg := range map[string]telemetry.Config{
		"own": {OwnHistograms: true, Detailed: true, TopKeys: 10}, "provider": {MeterProvider: noop.NewMeterProvider(), Detailed: true, TopKeys: 10},
	} {
		h := gatekit.Must(telemetry.New(cfg)).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := gatekit.From(r.Context())
			rc.SetAPIKey("value", "id")
			rc.Note(gatekit.Note{Phase: gatekit.PhaseThrottle, Rule: "account", Verdict: gatekit.Refused})
			rc.Note(gatekit.Note{Phase: gatekit.PhaseQuota, Rule: "gold", Left: 5, Limited: true})
			rc.Note(gatekit.Note{Phase: gatekit.PhaseCache, Verdict: gatekit.Hit})
			w.WriteHeader(200)
		}))
		r := httptest.NewRequest("GET", "/", nil)
		var w http.ResponseWriter = null{}
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
			_, r := gatekit.Attach(r)
			h.ServeHTTP(w, r)
		}), 1.0, name)
	}
}
