//go:build !race

package route_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
)

// discard is a ResponseWriter whose header is cleared between requests, as the server's would be new.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
func (d discard) allocs(h http.Handler, r *http.Request) float64 {
	return testing.AllocsPerRun(100, func() {
		clear(d.h)
		h.ServeHTTP(d, r)
	})
}

// The budget: one context attached, one request ID made, and two for path values.
func TestAllocations(t *testing.T) {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /a/b", nothing)
	api.Handle("GET /a/{x}/{y}/{z}", nothing)
	api.Handle("$default", nothing)
	d := discard{http.Header{}}
	require.LessOrEqual(t, d.allocs(api, httptest.NewRequest("GET", "/a/b", nil)), 2.0)
	require.LessOrEqual(t, d.allocs(api, httptest.NewRequest("GET", "/nothing", nil)), 2.0)
	require.LessOrEqual(t, d.allocs(api, httptest.NewRequest("GET", "/a/1/2/3", nil)), 4.0)
}

func TestMatchAllocations(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /a/b", echo)
	api.Handle("GET /a/{x}/c", echo)
	for _, path := range []string{"/a/b", "/a/1/c", "/a/1/d", "/"} {
		require.Zero(t, testing.AllocsPerRun(100, func() { api.Match("GET", path) }), path)
	}
}
