package usageplan_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// explained serves requests with the key, and returns what was noted of the last.
func explained(t *testing.T, c usageplan.Config, value string, requests int, next http.Handler) string {
	h := gatekit.Must(usageplan.New(c)).Middleware(next)
	var got string
	for range requests {
		r := gatekit.Explained(httptest.NewRequest("GET", "/pets", nil))
		if value != "" {
			r.Header.Set("X-Api-Key", value)
			r.Header.Set("X-Gatekit-Bypass", bypassToken)
		}
		rc := gatekit.From(r.Context())
		rc.API, rc.Route = &gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3", Stage: "prod"}, &gatekit.Route{Key: "GET /pets"}
		h.ServeHTTP(httptest.NewRecorder(), r)
		got = gatekit.Explain(r)
		if value != "" {
			require.NotContains(t, got, value)
		}
	}
	return got
}

var (
	bypass      = gatekit.Must(usageplan.NewBypass([]byte("0123456789abcdef0123456789abcdef")))
	bypassToken = gatekit.Must(bypass.Token("shop", 1e12))
)

func TestNotes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		plan     usageplan.Plan
		value    string
		requests int
		want     string
	}{
		{"no-key", usageplan.Plan{}, "", 1, `
GET /pets of stage prod: 403, refused by key: want one x-api-key header
  1 key  refused    403; want one x-api-key header
`},
		{"unknown-key", usageplan.Plan{}, "nobody-nobody-nobody-nobody", 1, `
GET /pets of stage prod: 403, refused by key: no key with this value is there and enabled
  1 key  refused    403; no key with this value is there and enabled
`},
		{"other-stage", usageplan.Plan{APIStages: []usageplan.APIStage{{APIID: "other", Stage: "prod"}}}, value, 1, `
GET /pets of stage prod: 403, refused by key: the key is in no plan for this API stage
  1 key  refused    403; the key is in no plan for this API stage
`},
		{"passed", usageplan.Plan{Quota: quota(5, usageplan.Month)}, value, 1, `
GET /pets of stage prod: passed
  1 key    passed  p1  key shop
  2 quota  passed  p1  4 left
`},
		{"no-quota", usageplan.Plan{Throttle: &usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 3}}, value, 1, `
GET /pets of stage prod: passed
  1 key       passed   p1    key shop
  2 throttle  passed   plan  2 left
  3 quota     skipped  p1    the plan has no quota
`},
		{"throttled", usageplan.Plan{Throttle: &usageplan.Throttle{RateLimit: 1e-6, BurstLimit: 1}}, value, 2, `
GET /pets of stage prod: 429, refused by throttle "plan": the key's bucket has no token left
  1 key       passed   p1    key shop
  2 throttle  refused  plan  429; 0 left; the key's bucket has no token left; usageplan: key shop: Key throttle limit exceeded for Usage Plan ID p1. Limit: 0.00 Burst: 1
`},
		{"throttled-method", usageplan.Plan{APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod", Throttle: map[string]usageplan.Throttle{"/pets/GET": {}}}}}, value, 1, `
GET /pets of stage prod: 429, refused by throttle "plan method": the key's bucket has no token left
  1 key       passed   p1           key shop
  2 throttle  refused  plan method  429; 0 left; the key's bucket has no token left; usageplan: key shop: Key throttle limit exceeded for Usage Plan ID p1. Limit: 0.00 Burst: 0
`},
		{"quota", usageplan.Plan{Quota: quota(1, usageplan.Month)}, value, 2, `
GET /pets of stage prod: 429, refused by quota "p1": the period's quota is used up
  1 key    passed   p1  key shop
  2 quota  refused  p1  429; 0 left; the period's quota is used up; usageplan: key shop: Key quota exhausted for Usage Plan ID p1. Limit: 1 Period: MONTH
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newRig(t, tt.plan)
			require.Equal(t, tt.want[1:], explained(t, usageplan.Config{Registry: g.Registry}, tt.value, tt.requests, answers))
		})
	}
}

func TestNotesOfWhatElseIsAsked(t *testing.T) {
	g := newRig(t, usageplan.Plan{Quota: quota(5, usageplan.Month)})
	empty := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &throttle.Limit{}}))
	require.Contains(t, explained(t, usageplan.Config{Registry: g.Registry, Stage: empty}, value, 1, answers), `429, refused by throttle "stage"`)
	require.Contains(t, explained(t, usageplan.Config{Registry: g.Registry, Bypass: bypass}, value, 1, answers), "quota  skipped  p1  bypass token")
	refuses := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.AccessDenied})
	})
	require.Contains(t, explained(t, usageplan.Config{Registry: g.Registry}, value, 1, refuses), "given back, as the request was refused")
}
