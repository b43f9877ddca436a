package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/exampletest"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.WithinOneDay(t)
	exampletest.PrintedLines(t, 8)
}

func TestCurlStandIn(t *testing.T) {
	exampletest.WithCurl(t, true)
	exampletest.WithinOneDay(t)
	exampletest.PrintedLines(t, 8)
}

// With -db, what was used is used at the next start.
func TestFile(t *testing.T) {
	db := filepath.Join(t.TempDir(), "keys.db")
	for _, want := range []int{200, 200, 429} {
		store, done, err := open(t.Context(), db)
		require.NoError(t, err)
		plans, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store})
		require.NoError(t, err)
		require.NoError(t, fill(t.Context(), plans))
		require.NoError(t, plans.UpdatePlan(t.Context(), usageplan.Plan{
			ID: "free", Name: "Free", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Quota: &usageplan.Quota{Limit: 2, Period: usageplan.Month},
		}))
		limit := gatekit.Must(usageplan.New(usageplan.Config{Registry: plans}))
		r := httptest.NewRequest("GET", "/pets", nil)
		r.Header.Set("X-Api-Key", "ann-0123456789-0123456789")
		w := httptest.NewRecorder()
		limit.Middleware(http.HandlerFunc(listPets)).ServeHTTP(w, r)
		require.Equal(t, want, w.Code)
		done()
	}
	_, _, err := open(t.Context(), filepath.Join(db, "no", "such"))
	require.Error(t, err)
	require.Error(t, run(t.Context(), "nonsense", ""))
}
