package domain_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
)

// The developer guide's example: 10 and 100 frame a rule with every kind of condition.
func TestRoutingRules(t *testing.T) {
	rules := []domain.RoutingRule{ // not in the order of priority
		{Priority: 100, Handler: api("3")},
		{
			Priority: 50, Handler: api("2"), StripBasePath: true, MatchBasePaths: []string{"PetStoreShopper", "PetStoreShopper/v2"},
			MatchHeaders: []domain.AnyOf{{{Header: "accept", ValueGlob: "image/webp"}, {Header: "X-Size", ValueGlob: "1?"}, {Header: "X-Kind", ValueGlob: "*"}}, {{Header: "Pet", ValueGlob: "Dog-*"}}},
		},
		{Priority: 10, Handler: api("1"), MatchHeaders: []domain.AnyOf{{{Header: "Hello", ValueGlob: "World"}}}},
	}
	d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", RoutingMode: domain.RoutingRuleOnly, Rules: rules}}}))
	for _, tt := range []struct {
		name, path string
		header     http.Header
		api, left  string
	}{
		{"first", "/x", http.Header{"Hello": {"World"}}, "1", "/x"},
		{"both-10-and-50", "/PetStoreShopper/x", http.Header{"Hello": {"World"}, "X-Kind": {""}, "Pet": {"Dog-1"}}, "1", "/PetStoreShopper/x"},
		{"all-conditions", "/PetStoreShopper/x", http.Header{"X-Kind": {"a"}, "Pet": {"Dog-1"}}, "2", "/x"},
		{"longest-base-path", "/PetStoreShopper/v2/x", http.Header{"X-Kind": {"a"}, "Pet": {"Dog-1"}}, "2", "/x"},
		{"accept", "/PetStoreShopper/x", http.Header{"Accept": {"image/webp"}, "Pet": {"Dog-1"}}, "2", "/x"},
		{"question-mark-is-itself", "/PetStoreShopper/x", http.Header{"X-Size": {"12"}, "Pet": {"Dog-1"}}, "3", "/PetStoreShopper/x"},
		{"second-line", "/PetStoreShopper", http.Header{"X-Kind": {"a"}, "Pet": {"Cat", "Dog-"}}, "2", "/"},
		{"pet-alone", "/x", http.Header{"Pet": {"Dog-1"}}, "3", "/x"},
		{"other-base-path", "/PetStoreShopperX", http.Header{"X-Kind": {"a"}, "Pet": {"Dog-1"}}, "3", "/PetStoreShopperX"},
		{"case-of-value", "/x", http.Header{"Hello": {"world"}}, "3", "/x"},
		{"whole-value", "/x", http.Header{"Hello": {"World!"}}, "3", "/x"},
		{"nothing", "/x", nil, "3", "/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "https://api.example.com"+tt.path, nil)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			require.True(t, strings.HasPrefix(w.Body.String(), tt.api+" "+tt.left+" "), w.Body.String())
		})
	}
}

func TestRoutingModes(t *testing.T) {
	rules := []domain.RoutingRule{
		{Priority: 1, Handler: api("rule"), MatchBasePaths: []string{"orders"}},
		{Priority: 2, Handler: api("host"), MatchHeaders: []domain.AnyOf{{{Header: "Host", ValueGlob: "admin.*"}}}},
	}
	mappings := []domain.Mapping{{BasePath: "orders", Handler: api("mapping")}, {BasePath: "users", Handler: api("mapping")}}
	for _, tt := range []struct {
		mode     domain.RoutingMode
		rules    []domain.RoutingRule
		mappings []domain.Mapping
		want     map[string]string // "" is 403
	}{
		{"", nil, mappings, map[string]string{"/orders/1": "mapping /1 base=orders", "/users/1": "mapping /1 base=users", "/x": ""}},
		{domain.APIMappingOnly, nil, mappings, map[string]string{"/orders/1": "mapping /1 base=orders"}},
		{"BASE_PATH_MAPPING_ONLY", nil, mappings, map[string]string{"/orders/1": "mapping /1 base=orders"}},
		{domain.RoutingRuleOnly, rules, nil, map[string]string{"/orders/1": "rule /orders/1 base=", "/users/1": ""}},
		{domain.RoutingRuleThenAPIMapping, rules, mappings, map[string]string{"/orders/1": "rule /orders/1 base=", "/users/1": "mapping /1 base=users", "/x": ""}},
		{"ROUTING_RULE_THEN_BASE_PATH_MAPPING", rules, mappings, map[string]string{"/orders/1": "rule /orders/1 base=", "/users/1": "mapping /1 base=users"}},
	} {
		d, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "*.example.com", RoutingMode: tt.mode, Rules: tt.rules, Mappings: tt.mappings}}})
		require.NoError(t, err, tt.mode)
		for path, want := range tt.want {
			w := get(d, "https://api.example.com"+path)
			if want == "" {
				require.Equal(t, 403, w.Code, "%s %s", tt.mode, path)
				continue
			}
			require.True(t, strings.HasPrefix(w.Body.String(), want+" "), "%s %s: %s", tt.mode, path, w.Body)
		}
		if len(tt.rules) > 0 {
			require.True(t, strings.HasPrefix(get(d, "https://admin.example.com/x").Body.String(), "host /x "))
		}
	}
}
