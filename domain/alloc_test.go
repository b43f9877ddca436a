//go:build !race

package domain_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
)

func TestSelectAllocations(t *testing.T) {
	h := http.NotFoundHandler()
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "orders", Handler: h}, {BasePath: "orders/v2/items", Handler: h}}},
		{Host: "*.example.com", RoutingMode: domain.RoutingRuleOnly, Rules: []domain.RoutingRule{
			{Priority: 1, MatchHeaders: []domain.AnyOf{{{Header: "Pet", ValueGlob: "Dog-*"}}}, MatchBasePaths: []string{"orders"}, Handler: h},
		}},
	}}))
	for _, target := range []string{
		"https://api.example.com/orders/1", "https://api.example.com:8443/orders/v2/items/5", "https://api.example.com./users", "https://other.org/", "https://tenant.example.com/orders", "https://api.example.com/orders/..",
	} {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Pet", "Dog-1")
		require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = d.Select(r) }), target)
	}
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// The budget: the attached context, and a URL of its own for what is behind a base path.
func TestServeAllocations(t *testing.T) {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "orders", Handler: nothing}, {Handler: nothing}}},
	}}))
	for target, want := range map[string]float64{"https://api.example.com/users": 1, "https://api.example.com/orders/1": 2} {
		r, w := httptest.NewRequest("GET", target, nil), discard{http.Header{}}
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { d.ServeHTTP(w, r) }), want, target)
	}
}

// Hosts and paths that nothing is for, and connections for another host, cost at most four.
func TestRefusalAllocations(t *testing.T) {
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "orders", Handler: http.NotFoundHandler()}}},
	}}))
	for _, target := range []string{"https://other.org/", "https://api.example.com/users", "https://api.example.com/orders/.."} {
		r, w := httptest.NewRequest("GET", target, nil), discard{http.Header{}}
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { d.ServeHTTP(w, r) }), 4.0, target)
	}
	r, w := httptest.NewRequest("GET", "/", nil), discard{http.Header{}}
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { domain.DisabledEndpoint(flavor).ServeHTTP(w, r) }), 4.0, flavor)
	}
}
