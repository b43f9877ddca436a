package compat

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// mounts are the ways in which programs put a handler at GET /pets/{id}. told says that the router tells stations the route and its method.
var mounts = []struct {
	name  string
	told  bool
	mount func(h http.Handler) http.Handler
}{
	{"route", true, func(h http.Handler) http.Handler {
		api := gatekit.Must(route.New(route.Config{}))
		api.Handle("GET /pets/{id}", h)
		return api
	}},
	{"servemux", true, func(h http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("GET /pets/{id}", h)
		return mux
	}},
	{"servemux-without-a-method", false, func(h http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/pets/{id}", h)
		return mux
	}},
	{"servemux-within-servemux", true, func(h http.Handler) http.Handler {
		inner, outer := http.NewServeMux(), http.NewServeMux()
		inner.Handle("GET /pets/{id}", h)
		outer.Handle("/", gatekit.Must(gatekit.Describe(gatekit.API{}))(inner))
		return outer
	}},
	{"gin-within-servemux", false, func(h http.Handler) http.Handler { // whose pattern has a method, and tells another route
		mux := http.NewServeMux()
		inner := gin.New()
		inner.GET("/pets/:id", gin.WrapH(h))
		mux.Handle("GET /", inner)
		return mux
	}},
	{"gin-within-servemux-of-two-segments", false, func(h http.Handler) http.Handler {
		mux := http.NewServeMux()
		inner := gin.New()
		inner.GET("/pets/:id", gin.WrapH(h))
		mux.Handle("GET /{a}/{b}", inner)
		return mux
	}},
	{"chi-get", false, func(h http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Get("/pets/{id}", h.ServeHTTP)
		return r
	}},
	{"chi-method", false, func(h http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Method("GET", "/pets/{id}", h)
		return r
	}},
	{"chi-mount", false, func(h http.Handler) http.Handler {
		r, pets := chi.NewRouter(), chi.NewRouter()
		pets.Get("/{id}", h.ServeHTTP)
		r.Mount("/pets", pets)
		return r
	}},
	{"chi-with", false, func(h http.Handler) http.Handler {
		r := chi.NewRouter()
		r.With(func(http.Handler) http.Handler { return h }).Get("/pets/{id}", func(http.ResponseWriter, *http.Request) {})
		return r
	}},
	{"chi-use", false, func(h http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Use(func(http.Handler) http.Handler { return h }) // before chi has chosen
		r.Get("/pets/{id}", func(http.ResponseWriter, *http.Request) {})
		return r
	}},
	{"gin", false, func(h http.Handler) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		r := gin.New()
		r.GET("/pets/:id", gin.WrapH(h))
		return r
	}},
	{"gin-any", false, func(h http.Handler) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		r := gin.New()
		r.Any("/pets/:id", gin.WrapH(h))
		return r
	}},
	{"echo", false, func(h http.Handler) http.Handler {
		e := echo.New()
		e.GET("/pets/:id", echo.WrapHandler(h))
		return e
	}},
	{"echo-middleware", false, func(h http.Handler) http.Handler {
		e := echo.New()
		e.Use(echo.WrapMiddleware(func(http.Handler) http.Handler { return h }))
		e.GET("/pets/:id", func(echo.Context) error { return nil })
		return e
	}},
	{"no-router", false, func(h http.Handler) http.Handler { return h }},
}

var (
	served  = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	onRoute = gatekit.Must(gatekit.OnRoute("GET /pets/{id}"))
)

func ask(h http.Handler, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/pets/7", nil)
	for _, f := range edit {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// settled puts a stage's settings into the context, as route.Stages does.
func settled(settings map[string]gatekit.MethodSettings) gatekit.Middleware {
	s := gatekit.Must(gatekit.NewStageSettings(settings))
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc, r := gatekit.Attach(r)
			rc.API = &gatekit.API{Settings: s}
			next.ServeHTTP(w, r)
		})
	}
}

// plans are a usage plan that blocks the method, for a key that it is sent.
func plans(t *testing.T) gatekit.Middleware {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	g, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: gatekit.Must(usageplan.NewMemory(0))})
	require.NoError(t, err)
	_, err = g.CreatePlan(ctx, usageplan.Plan{ID: "gold", Name: "gold", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*", Throttle: map[string]usageplan.Throttle{"/pets/{petId}/GET": {}}}}})
	require.NoError(t, err)
	_, _, err = g.CreateKey(ctx, usageplan.NewKey{ID: "shop", Value: apiKey, Enabled: true})
	require.NoError(t, err)
	require.NoError(t, g.AddKey(ctx, "gold", "shop"))
	return gatekit.Must(usageplan.New(usageplan.Config{Registry: g})).Middleware
}

const apiKey = "shop-shop-shop-shop-shop-shop-shop-shop-"

// A rule that is listed by route key blocks the route, or the request is a 500: under no router does it pass.
func TestListedRulesUnderEveryRouter(t *testing.T) {
	for _, m := range mounts {
		rules := map[string]gatekit.Middleware{
			"stage": gatekit.Must(throttle.NewStage(throttle.StageConfig{Routes: map[string]*throttle.Limit{"GET /pets/{id}": {}}})).Middleware,
			"method-settings": func(next http.Handler) http.Handler {
				return settled(map[string]gatekit.MethodSettings{"pets/{id}/GET": {Throttling: &gatekit.MethodThrottling{}}})(throttle.NewMethodLimits(nil).Middleware(next))
			},
			"plan": plans(t),
		}
		for name, rule := range rules {
			t.Run(m.name+"/"+name, func(t *testing.T) {
				key := func(r *http.Request) { r.Header.Set("X-Api-Key", apiKey) }
				want := 500
				if m.told {
					want = 429
				}
				require.Equal(t, want, ask(m.mount(rule(served)), key).Code)
				require.Equal(t, 429, ask(m.mount(onRoute(rule(served))), key).Code)
				attached := gatekit.Must(gatekit.Describe(gatekit.API{})) // before there is a route
				require.Equal(t, want, ask(attached(m.mount(rule(served))), key).Code)
				require.Equal(t, 429, ask(attached(m.mount(onRoute(rule(served)))), key).Code)
			})
		}
	}
}

// A rule that is attached needs no key: a plan asks for one, a limit limits, under every router.
func TestAttachedRulesUnderEveryRouter(t *testing.T) {
	for _, m := range mounts {
		t.Run(m.name, func(t *testing.T) {
			require.Equal(t, 403, ask(m.mount(plans(t)(served))).Code)
			stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{}))
			require.Equal(t, 429, ask(m.mount(gatekit.Must(stage.Limit(throttle.Limit{}))(served))).Code)
			require.Equal(t, 200, ask(m.mount(gatekit.Must(stage.Limit(throttle.Limit{Rate: 1, Burst: 1}))(served))).Code)
		})
	}
}

// No answer is given to who has asked for another path, whatever the router tells of the path.
func TestCachesUnderEveryRouter(t *testing.T) {
	for _, m := range mounts {
		for name, state := range map[string]gatekit.Middleware{"stated": onRoute, "not-stated": func(next http.Handler) http.Handler { return next }} {
			for kind, key := range map[string][]string{"whole-path": nil, "by-variable": {"method.request.path.id"}} {
				t.Run(m.name+"/"+name+"/"+kind, func(t *testing.T) {
					c := gatekit.Must(cache.New(t.Context(), cache.Config{Route: cache.Route{Key: key}}))
					h := m.mount(state(c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }))))
					for _, path := range []string{"/pets/7", "/pets/8", "/pets/7"} {
						w := ask(h, func(r *http.Request) { r.URL.Path, r.RequestURI = path, path })
						if w.Code == 500 {
							require.Equal(t, "by-variable", kind, "a path needs no router")
							continue
						}
						require.Equal(t, path[len(path)-1:], w.Body.String()[w.Body.Len()-1:])
					}
				})
			}
		}
	}
}

// $context.domainName is an identity source under every router: it is the request's host.
func TestDomainNameIsAnIdentitySourceUnderEveryRouter(t *testing.T) {
	for _, m := range mounts {
		t.Run(m.name, func(t *testing.T) {
			asked := 0
			f := function(func() { asked++ })
			lambda := gatekit.Must(auth.NewLambda(f, auth.LambdaConfig{PayloadFormatVersion: "2.0", EnableSimpleResponses: true, CacheConfig: auth.CacheConfig{IdentitySource: []string{"$context.domainName"}}}))
			h := m.mount(auth.Require(lambda)(served))
			require.Equal(t, 200, ask(h).Code)
			require.Equal(t, 200, ask(h).Code, "kept")
			require.Equal(t, 1, asked)
			require.Equal(t, 200, ask(h, func(r *http.Request) { r.Host = "other.example.com:8080" }).Code)
			require.Equal(t, 2, asked, "a decision for each host")
		})
	}
}

type function func()

func (f function) Invoke(context.Context, []byte) ([]byte, error) {
	f()
	return []byte(`{"isAuthorized":true}`), nil
}

// A key that isn't the request's method's is a fault of the program's, and no pass.
func TestOnRouteOfAnotherMethod(t *testing.T) {
	post := gatekit.Must(gatekit.OnRoute("POST /pets/{id}"))
	for _, m := range mounts {
		require.Equal(t, 500, ask(m.mount(post(served))).Code, m.name)
	}
}
