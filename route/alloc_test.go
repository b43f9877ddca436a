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

// discard is a ResponseWriter whose header is cleared between requests, as the server's would be
// new.
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

// A stage costs no allocation, a canary that draws and a set of variables neither; cutting its name
// off the path costs one.
func TestStageAllocations(t *testing.T) {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /a/b", nothing)
	api.Handle("GET /a/{x}/{y}", nothing)
	variables := map[string]string{"env": "live"}
	stages := gatekit.Must(route.NewStages(
		route.Stage{Name: "$default", API: api, Variables: variables, Canary: &route.Canary{Percent: 50, Key: func(r *http.Request) string { return r.URL.Path }}},
		route.Stage{Name: "dev", API: api, Variables: variables, Canary: &route.Canary{Percent: 50}}))
	dev := gatekit.Must(stages.Handler("dev"))
	d := discard{http.Header{}}
	require.LessOrEqual(t, d.allocs(dev, httptest.NewRequest("GET", "/a/b", nil)), 2.0)
	require.LessOrEqual(t, d.allocs(stages, httptest.NewRequest("GET", "/dev/a/b", nil)), 3.0)
	require.LessOrEqual(t, d.allocs(stages, httptest.NewRequest("GET", "/dev/a/1/2", nil)), 5.0)
	require.LessOrEqual(t, d.allocs(stages, httptest.NewRequest("GET", "/a/b", nil)), 3.0, "a key's digest wants its text")
}

func TestMatchAllocations(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /a/b", echo)
	api.Handle("GET /a/{x}/c", echo)
	for _, path := range []string{"/a/b", "/a/1/c", "/a/1/d", "/"} {
		require.Zero(t, testing.AllocsPerRun(100, func() { api.Match("GET", path) }), path)
	}
}

// What no route and no stage is for, and paths that are refused, cost at most four.
func TestRefusalAllocations(t *testing.T) {
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor}}))
		api.Handle("GET /a", http.NotFoundHandler())
		stages := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: api}))
		d := discard{http.Header{}}
		for _, target := range []string{"/nothing", "/a/..", "/a%5Cb"} {
			require.LessOrEqual(t, d.allocs(api, httptest.NewRequest("GET", target, nil)), 4.0, target)
			require.LessOrEqual(t, d.allocs(stages, httptest.NewRequest("GET", target, nil)), 4.0, target)
		}
	}
}
