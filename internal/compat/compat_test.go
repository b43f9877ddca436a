// Package compat holds tests of gatekit's middlewares under other routers. It is a module of its own, so that no user of gatekit gets
// these routers.
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
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

// order is the handler that every router has at GET /orders/{id}.
var order = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	fmt.Fprintf(w, "%s %s %s", rc.RouteKey(), r.PathValue("id"), rc.Authorization.Principal())
})

// outside stands around a router, inside around a route's handler.
type stations struct{ outside, inside []gatekit.Middleware }

func newStations(t *testing.T, iss *authtest.Issuer, flavor gatekit.Flavor) stations {
	t.Helper()
	jwt, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: iss.URL(), Audience: []string{"orders"}, JWKS: iss.JWKS()})
	require.NoError(t, err)
	limit := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 0.001, Burst: 2}, throttle.KeyConfig{Key: throttle.ByPrincipal, Headers: true}))
	return stations{
		outside: []gatekit.Middleware{
			gatekit.Must(gatekit.Describe(gatekit.API{Flavor: flavor, Stage: "prod"})),
			gatekit.Must(gatekit.NewTrustedProxies("", "192.0.2.0/24")).Middleware,
			gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://myapp.com"}})).Middleware,
			throttle.NewAccount().Middleware,
			gatekit.Must(throttle.NewConcurrent(10)).Middleware,
		},
		inside: []gatekit.Middleware{auth.Require(jwt, "orders:read"), limit.Middleware},
	}
}

// routers mount the same handler in four ways.
func routers(s stations) map[string]http.Handler {
	h := gatekit.Chain(order, s.inside...)
	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", h)
	chiRouter := chi.NewRouter()
	chiRouter.Method("GET", "/orders/{id}", h)
	chiWith := chi.NewRouter()
	chiWith.With(s.inside...).Method("GET", "/orders/{id}", order)
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/orders/:id", gin.WrapH(h))
	ours := gatekit.Must(route.New(route.Config{}))
	ours.Handle("GET /orders/{id}", order, s.inside...)
	all := map[string]http.Handler{"servemux": mux, "chi": chiRouter, "chi-with": chiWith, "gin": engine, "route": ours, "route-in-servemux": http.NewServeMux()}
	all["route-in-servemux"].(*http.ServeMux).Handle("/", ours)
	for name, router := range all {
		all[name] = gatekit.Chain(router, s.outside...)
	}
	return all
}

func serve(h http.Handler, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/orders/7", nil)
	r.Header.Set("Origin", "https://myapp.com")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryMiddlewareUnderEveryRouter(t *testing.T) {
	iss := authtest.NewIssuer(t)
	token := iss.Mint(authtest.Claims{"aud": "orders", "sub": "ann", "scope": "orders:read"})
	other := iss.Mint(authtest.Claims{"aud": "orders", "sub": "bob", "scope": "orders:write"})
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		idHeader := map[gatekit.Flavor]string{gatekit.HTTP: "Apigw-Requestid", gatekit.REST: "X-Amzn-Requestid"}[flavor]
		for name := range routers(newStations(t, iss, flavor)) {
			t.Run(fmt.Sprintf("%s/%v", name, flavor), func(t *testing.T) {
				h := routers(newStations(t, iss, flavor))[name] // buckets of its own
				for range 2 {
					w := serve(h, token)
					require.Equal(t, 200, w.Code, w.Body)
					want := "GET /orders/{id} 7 ann"
					switch name {
					case "chi", "chi-with": // chi's patterns name no method
						want = "ANY /orders/{id} 7 ann"
					case "gin": // gin neither sets a pattern nor path values
						want = "  ann"
					}
					require.Equal(t, want, w.Body.String())
					require.Equal(t, "https://myapp.com", w.Header().Get("Access-Control-Allow-Origin"))
					require.NotEmpty(t, w.Header().Get("RateLimit"))
				}
				for _, refusal := range []struct {
					token  string
					status int
				}{{"", 401}, {"x", 401}, {other, 403}, {token, 429}} {
					w := serve(h, refusal.token)
					require.Equal(t, refusal.status, w.Code)
					require.NotEmpty(t, w.Header().Get(idHeader), "%d", refusal.status)
					require.Equal(t, flavor == gatekit.REST, w.Header().Get("x-amzn-ErrorType") != "")
					require.Equal(t, "https://myapp.com", w.Header().Get("Access-Control-Allow-Origin"))
				}
			})
		}
	}
}
