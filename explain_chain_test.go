package gatekit_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// shop is a domain, a stage and an API with CORS, a limit and usage plans.
func shop(t *testing.T) http.Handler {
	t.Helper()
	store := gatekit.Must(usageplan.NewMemory(0))
	registry, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store})
	require.NoError(t, err)
	stages := []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod"}}
	for _, p := range []usageplan.Plan{
		{ID: "gold", Name: "gold", APIStages: stages, Quota: &usageplan.Quota{Limit: 1, Period: usageplan.Month}},
		{ID: "slow", Name: "slow", APIStages: stages, Throttle: &usageplan.Throttle{}},
	} {
		_, err := registry.CreatePlan(t.Context(), p)
		require.NoError(t, err)
		_, _, err = registry.CreateKey(t.Context(), usageplan.NewKey{ID: p.ID + "-key", Name: p.ID, Value: p.ID + "-0123456789-0123456789", Enabled: true})
		require.NoError(t, err)
		require.NoError(t, registry.AddKey(t.Context(), p.ID, p.ID+"-key"))
	}
	rules := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://shop.example"}}))
	plans := gatekit.Must(usageplan.New(usageplan.Config{Registry: registry}))
	limits := gatekit.Must(throttle.NewStage(throttle.StageConfig{Account: throttle.NewAccount(), Default: &throttle.Limit{Rate: 1e-6, Burst: 1}}))
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3"}}))
	api.Use(rules.Middleware)
	api.Handle("GET /orders/{id}", nothing, plans.Middleware)
	api.Handle("GET /busy", nothing, limits.Middleware)
	all := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: api}))
	return gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "shop", Handler: gatekit.Must(all.Handler("prod"))}}}}}))
}

// What the whole chain says of the refusals that people ask about.
func TestExplanationsOfTheWholeChain(t *testing.T) {
	h := shop(t)
	const before = "  1 route  passed   api.example.com/shop\n  2 route  passed   prod  stage\n"
	for _, tt := range []struct {
		name, method, path string
		header             http.Header
		want               string
	}{
		{"no-route", "GET", "/shop/order/7", nil, `GET without a route of stage prod: 403, refused by route: no route has segment 1 of the path; the nearest: "GET /orders/{id}", "GET /busy"
` + before + `  3 route  refused        403; no route has segment 1 of the path; the nearest: "GET /orders/{id}", "GET /busy"
`},
		{"other-method", "PUT", "/shop/busy", nil, `PUT without a route of stage prod: 403, refused by route: the path has no route for this method, but "GET /busy"
` + before + `  3 route  refused        403; the path has no route for this method, but "GET /busy"
`},
		{"no-mapping", "GET", "/other", nil, `GET without a route: 403, refused by route: no mapping and no rule of the Name has the path
  1 route  refused    403; no mapping and no rule of the Name has the path
`},
		{"cors", "OPTIONS", "/shop/busy", http.Header{"Origin": {"https://evil.example"}, "Access-Control-Request-Method": {"GET"}}, `OPTIONS without a route of stage prod: refused by cors "AllowOrigins": CORS check: the origin isn't in AllowOrigins
  1 route  passed   api.example.com/shop
  2 route  passed   prod          stage
  3 cors   refused  AllowOrigins  204; CORS check: the origin isn't in AllowOrigins
`},
		{"served", "GET", "/shop/busy", http.Header{"Origin": {"https://shop.example"}}, `GET /busy of stage prod: passed
  1 route     passed  api.example.com/shop
  2 route     passed  prod  stage
  3 cors      passed
  4 route     passed  GET /busy
  5 throttle  passed  stage    0 left
  6 throttle  passed  account  4999 left
`},
		{"throttled", "GET", "/shop/busy", nil, `GET /busy of stage prod: 429, refused by throttle "stage": the bucket has no token left
  1 route     passed   api.example.com/shop
  2 route     passed   prod  stage
  3 route     passed   GET /busy
  4 throttle  refused  stage  429; 0 left; the bucket has no token left; throttle: no token is left
`},
		{"no-key", "GET", "/shop/orders/7", nil, `GET /orders/{id} of stage prod: 403, refused by key: want one x-api-key header
` + before + `  3 route  passed   GET /orders/{id}
  4 key    refused    403; want one x-api-key header
`},
		{"unknown-key", "GET", "/shop/orders/7", http.Header{"X-Api-Key": {"nobody-0123456789-0123456789"}}, `GET /orders/{id} of stage prod: 403, refused by key: no key with this value is there and enabled
` + before + `  3 route  passed   GET /orders/{id}
  4 key    refused    403; no key with this value is there and enabled
`},
		{"throttled-key", "GET", "/shop/orders/7", http.Header{"X-Api-Key": {"slow-0123456789-0123456789"}}, `GET /orders/{id} of stage prod: 429, refused by throttle "plan": the key's bucket has no token left
  1 route     passed   api.example.com/shop
  2 route     passed   prod  stage
  3 route     passed   GET /orders/{id}
  4 key       passed   slow  key slow-key
  5 throttle  refused  plan  429; 0 left; the key's bucket has no token left; usageplan: key slow-key: Key throttle limit exceeded for Usage Plan ID slow. Limit: 0.00 Burst: 0
`},
		{"first-of-quota", "GET", "/shop/orders/7", http.Header{"X-Api-Key": {"gold-0123456789-0123456789"}}, `GET /orders/{id} of stage prod: passed
  1 route  passed  api.example.com/shop
  2 route  passed  prod  stage
  3 route  passed  GET /orders/{id}
  4 key    passed  gold  key gold-key
  5 quota  passed  gold  0 left
`},
		{"quota", "GET", "/shop/orders/7", http.Header{"X-Api-Key": {"gold-0123456789-0123456789"}}, `GET /orders/{id} of stage prod: 429, refused by quota "gold": the period's quota is used up
` + before + `  3 route  passed   GET /orders/{id}
  4 key    passed   gold  key gold-key
  5 quota  refused  gold  429; 0 left; the period's quota is used up; usageplan: key gold-key: Key quota exhausted for Usage Plan ID gold. Limit: 1 Period: MONTH
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "https://api.example.com"+tt.path, nil)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			r = gatekit.Explained(r)
			h.ServeHTTP(httptest.NewRecorder(), r)
			got := gatekit.Explain(r)
			require.Equal(t, tt.want, got)
			require.NotContains(t, got, "0123456789", "a key's value")
		})
	}
}
