package route_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
)

// explain serves a request and returns what was noted of it.
func explain(h http.Handler, method, target string) string {
	r := gatekit.Explained(httptest.NewRequest(method, target, nil))
	h.ServeHTTP(httptest.NewRecorder(), r)
	return gatekit.Explain(r)
}

func TestNotesOfRoutes(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	for _, key := range []string{"GET /orders", "POST /orders", "GET /orders/{id}", "GET /orders/{id}/items", "GET /users", "ANY /files/{proxy+}"} {
		api.Handle(key, http.NotFoundHandler())
	}
	for _, tt := range []struct{ name, method, target, want string }{
		{"chosen", "GET", "/orders/7", `
GET /orders/{id}: passed
  1 route  passed  GET /orders/{id}
`},
		{"other-method", "DELETE", "/orders", `
DELETE without a route: 403, refused by route: the path has no route for this method, but "GET /orders", "POST /orders"
  1 route  refused    403; the path has no route for this method, but "GET /orders", "POST /orders"
`},
		{"other-segment", "GET", "/orders/7/itemz", `
GET without a route: 403, refused by route: no route has segment 3 of the path; the nearest: "GET /orders/{id}/items", "GET /orders/{id}"
  1 route  refused    403; no route has segment 3 of the path; the nearest: "GET /orders/{id}/items", "GET /orders/{id}"
`},
		{"first-segment", "GET", "/user?token=secret", `
GET without a route: 403, refused by route: no route has segment 1 of the path; the nearest: "GET /users", "ANY /files/{proxy+}", "GET /orders"
  1 route  refused    403; no route has segment 1 of the path; the nearest: "GET /users", "ANY /files/{proxy+}", "GET /orders"
`},
		{"too-short", "GET", "/files", `
GET without a route: 403, refused by route: no route has segment 2 of the path; the nearest: "ANY /files/{proxy+}"
  1 route  refused    403; no route has segment 2 of the path; the nearest: "ANY /files/{proxy+}"
`},
		{"refused-path", "GET", "/orders/..", `
GET without a route: 400, refused by route: the path has a dot segment
  1 route  refused    400; the path has a dot segment
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want[1:], explain(api, tt.method, tt.target))
		})
	}
	// A method that has no routes at all is told those of others.
	few := gatekit.Must(route.New(route.Config{}))
	few.Handle("POST /orders", http.NotFoundHandler())
	require.Contains(t, explain(few, "GET", "/order"), `segment 1 of the path; the nearest: "POST /orders"`)
	require.Contains(t, explain(gatekit.Must(route.New(route.Config{})), "GET", "/"), "the API has no route that is near")
}

func TestNotesOfStages(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /a", http.NotFoundHandler())
	stages := gatekit.Must(route.NewStages(
		route.Stage{Name: "prod", API: api, Canary: &route.Canary{Percent: 100}},
		route.Stage{Name: "beta", API: api, Canary: &route.Canary{Percent: 0}},
		route.Stage{Name: "dev", API: api}))
	require.Equal(t, `GET /a of stage dev: passed
  1 route  passed  dev  stage
  2 route  passed  GET /a
`, explain(stages, "GET", "/dev/a"))
	require.Contains(t, explain(stages, "GET", "/prod/a"), "stage: the canary's side")
	require.Contains(t, explain(stages, "GET", "/beta/a"), "stage: its own side, beside a canary")
	require.Equal(t, `GET without a route: 404, refused by route: no stage has the name that is asked for; the nearest are "prod", "beta", "dev"
  1 route  refused    404; no stage has the name that is asked for; the nearest are "prod", "beta", "dev"
`, explain(stages, "GET", "/prot/a"))
}

// Without somebody who wants reasons, none is made up.
func TestReasonsAreMadeOnlyWhereKept(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/nothing", nil))
	notes := rc.KeepNotes(gatekit.KeepOutcomes)
	defer notes.Release()
	api.ServeHTTP(httptest.NewRecorder(), r)
	notes.Each(func(n *gatekit.Note) { require.Empty(t, n.Reason) })
}
