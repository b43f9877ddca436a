package gatekit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

// What an execution log is told of the same request, bodies as well, is in no explanation.
func TestExplanationsHaveNoTexts(t *testing.T) {
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		rc.Note(gatekit.Note{Phase: gatekit.PhaseIntegration, Text: "Endpoint request body: s3cret"})
		rc.Note(gatekit.Note{Phase: gatekit.PhaseCache, Verdict: gatekit.Miss})
	})
	trace, err := gatekit.NewTrace(gatekit.TraceConfig{OneIn: 1, Keep: 1})
	require.NoError(t, err)
	trace.Middleware(h).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	recent := trace.Recent(1)
	require.Len(t, recent, 1)
	require.Len(t, recent[0].Notes, 1)
	require.Equal(t, gatekit.PhaseCache, recent[0].Notes[0].Phase)
}
