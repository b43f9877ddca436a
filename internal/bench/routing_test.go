package bench

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/julienschmidt/httprouter"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
)

// restRoutes are 200 routes of the kind that a REST API has: collections, members, members of members.
func restRoutes() []string {
	var keys []string
	nouns := []string{"orders", "users", "carts", "items", "payments", "invoices", "events", "teams", "repos", "issues"}
	for i, noun := range nouns {
		keys = append(keys, "GET /v1/"+noun, "POST /v1/"+noun, "GET /v1/"+noun+"/{id}", "PUT /v1/"+noun+"/{id}", "DELETE /v1/"+noun+"/{id}")
		for _, sub := range nouns[:5] {
			keys = append(keys, "GET /v1/"+noun+"/{id}/"+sub, "POST /v1/"+noun+"/{id}/"+sub, "GET /v1/"+noun+"/{id}/"+sub+"/{sub}")
		}
		if i == 0 {
			keys = append(keys[:len(keys)-1], "GET /v1/a/{a}/b/{b}/c/{c}/d/{d}/e/{e}")
		}
	}
	return keys
}

var routeTargets = []struct{ name, path string }{
	{"static", "/v1/invoices"}, {"variables-1", "/v1/users/42"}, {"variables-2", "/v1/users/42/items/77"}, {"variables-5", "/v1/a/1/b/2/c/3/d/4/e/5"}, {"miss", "/v1/nothing/here"},
}

type routers struct {
	gatekit    *route.API
	httprouter *httprouter.Router
	chi        chi.Router
	mux        *http.ServeMux
}

func newRouters(tb testing.TB) routers {
	rs := routers{must[*route.API](tb)(route.New(route.Config{})), httprouter.New(), chi.NewRouter(), http.NewServeMux()}
	keys := restRoutes()
	if len(keys) != 200 {
		tb.Fatalf("%d routes", len(keys))
	}
	for _, key := range keys {
		method, path, _ := strings.Cut(key, " ")
		rs.gatekit.Handle(key, nothing)
		rs.mux.Handle(key, nothing)
		rs.chi.Method(method, path, nothing)
		rs.httprouter.Handle(method, strings.NewReplacer("{", ":", "}", "").Replace(path), func(http.ResponseWriter, *http.Request, httprouter.Params) {})
	}
	return rs
}

func (rs routers) handlers() map[string]http.Handler {
	describe := gatekit.Must(gatekit.Describe(gatekit.API{}))
	return map[string]http.Handler{"gatekit": rs.gatekit, "chi": rs.chi, "servemux": rs.mux, "httprouter": rs.httprouter, "servemux+gatekit.Describe": describe(rs.mux), "bare": nothing}
}

func TestRouters(t *testing.T) {
	for name, h := range newRouters(t).handlers() {
		for _, target := range routeTargets {
			want := 200
			if target.name == "miss" && name != "bare" {
				want = 404
			}
			if got := newResponse().serve(h, request("GET", target.path)); got != want {
				t.Errorf("%s %s: got %d, want %d", name, target.path, got, want)
			}
		}
	}
}

func BenchmarkRoutingMatcher(b *testing.B) {
	rs := newRouters(b)
	for _, target := range routeTargets {
		b.Run("path="+target.name+"/by=gatekit", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rs.gatekit.Match("GET", target.path)
			}
		})
		b.Run("path="+target.name+"/by=httprouter", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rs.httprouter.Lookup("GET", target.path)
			}
		})
	}
}

func BenchmarkRoutingServe(b *testing.B) {
	for name, h := range newRouters(b).handlers() {
		for _, target := range routeTargets[:4] {
			b.Run("path="+target.name+"/by="+name, func(b *testing.B) { measure(b, h, request("GET", target.path), 200) })
		}
	}
}
