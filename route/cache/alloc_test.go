//go:build !race

package cache_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/cache"
)

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// The budget: what an answer of a kilobyte costs that is there.
func TestAllocations(t *testing.T) {
	b := &backend{answer: func(w http.ResponseWriter, _ *http.Request, _ int64) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Etag", `"x"`)
		w.Write(make([]byte, 1024))
	}}
	for _, cfg := range []cache.Config{{}, {Route: cache.Route{Key: []string{"method.request.querystring.page", "method.request.header.Accept"}}}} {
		h := newCache(t, cfg).Middleware(b)
		rc, r := gatekit.Attach(httptest.NewRequest("GET", "/orders?page=2", nil))
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann"})
		d := discard{http.Header{}}
		h.ServeHTTP(d, r)
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
			clear(d.h)
			h.ServeHTTP(d, r)
		}), 3.0)
	}
	require.EqualValues(t, 2, b.calls.Load())
}
