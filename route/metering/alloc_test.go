//go:build !race

package metering_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/metering"
)

type null struct{ h http.Header }

func (n null) Header() http.Header         { return n.h }
func (n null) Write(b []byte) (int, error) { return len(b), nil }
func (n null) WriteHeader(int)             {}

// Beside the RequestContext, which a station behind would attach, counting allocates nothing.
func TestAllocations(t *testing.T) {
	h := gatekit.Must(metering.New(metering.Config{})).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.ContentLength = 0
	var w http.ResponseWriter = null{}
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		_, r := gatekit.Attach(r)
		h.ServeHTTP(w, r)
	}), 1.0)
}
