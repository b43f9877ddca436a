package compat

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

// What an upstream gets of a path variable under each router: as it came, the whole rest of a wildcard, and never an empty segment.
func TestVariablesTowardsUpstreams(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, " ", r.RequestURI) }))
	defer upstream.Close()
	to := func(uri string) http.Handler {
		return gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: upstream.URL + uri}))
	}
	chiRouter := chi.NewRouter()
	chiRouter.Handle("/files/*", to("/b/{proxy}"))
	chiRouter.Handle("/one/{id}", to("/b/{id}"))
	chiRouter.Handle("/re/{id:[0-9]+}/x", to("/b/{id}"))
	chiRouter.Mount("/sub", func() http.Handler {
		sub := chi.NewRouter()
		sub.Handle("/{id}/*", to("/b/{id}/{proxy}"))
		return sub
	}())
	mux := http.NewServeMux()
	mux.Handle("/files/", to("/b/{proxy}"))
	mux.Handle("/one/{id}", to("/b/{id}"))
	mux.Handle("/sub/{id}/{proxy...}", to("/b/{id}/{proxy}"))
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Any("/one/:id", gin.WrapH(to("/b/{id}")))
	engine.Any("/files/*rest", gin.WrapH(to("/b/{proxy}")))
	routers := map[string]http.Handler{"chi": chiRouter, "servemux": mux, "gin": engine}
	for _, tt := range []struct {
		target, want string
		only         string
	}{
		{"/files/a/b", "/b/a/b", ""},
		{"/files/a%2fb/%3b//c/", "/b/a%2fb/%3b//c/", "chi"}, // ServeMux redirects to the path without //
		{"/files/a%2fb/%3b/c/", "/b/a%2fb/%3b/c/", ""},
		{"/one/7", "/b/7", ""},
		{"/one/a%2Fb", "/b/a%2Fb", ""},
		{"/one/a%252Fb", "/b/a%252Fb", ""},
		{"/one/a%20%25", "/b/a%20%25", ""},
		{"/re/12/x", "/b/12", "chi"},
		{"/sub/a%2fb/c%2Fd/e", "/b/a%2fb/c%2Fd/e", ""},
	} {
		for name, h := range routers {
			for _, h := range []http.Handler{h, gatekit.Chain(h, gatekit.Must(gatekit.Describe(gatekit.API{})))} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("DELETE", tt.target, nil))
				switch {
				case name == "gin":
					require.NotEqual(t, 200, w.Code, "%s: gin tells neither pattern nor values", tt.target)
				case tt.only == "" || tt.only == name:
					require.Equal(t, "DELETE "+tt.want, w.Body.String(), "%s under %s", tt.target, name)
				}
			}
		}
	}
}

// gin tells no route; gatekit.OnRoute does, and then the path has its variables.
func TestVariablesUnderGinOnRoute(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, " ", r.RequestURI) }))
	defer upstream.Close()
	engine := gin.New()
	for pattern, key := range map[string]string{"/one/:id": "ANY /one/{proxy}", "/files/*rest": "ANY /files/{proxy+}"} {
		p := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: upstream.URL + "/b/{proxy}"}))
		engine.Any(pattern, gin.WrapH(gatekit.Chain(p, gatekit.Must(gatekit.OnRoute(key)))))
	}
	for target, want := range map[string]string{"/one/7": "/b/7", "/one/a%20b": "/b/a%20b", "/files/a%2fb//c": "/b/a%2fb//c", "/files/": "/b/"} {
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, httptest.NewRequest("DELETE", target, nil))
		require.Equal(t, "DELETE "+want, w.Body.String(), target)
	}
}
