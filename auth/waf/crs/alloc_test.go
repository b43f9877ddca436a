package crs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The station allocates no more than the engine's own http.Handler does, with the same rules.
func TestAllocs(t *testing.T) {
	count := func(h http.Handler) float64 {
		r := request("POST", "/orders?page=2", "x")
		return testing.AllocsPerRun(50, func() {
			r.Body = io.NopCloser(strings.NewReader("name=Ann&quantity=7"))
			r.ContentLength = 19
			h.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	ours, engine := count(plainSet(t).Middleware(nothing)), count(corazaAlone(t, withCRS))
	require.LessOrEqual(t, ours, engine*1.03)
}
