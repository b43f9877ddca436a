package route_test

import (
	"bytes"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

// listing is a station whose rules are listed by route key.
type listing struct {
	keys []string
	next http.Handler
}

func (l *listing) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.next.ServeHTTP(w, r) }
func (l *listing) Station() (string, http.Handler)                  { return "listing", l.next }
func (l *listing) RouteKeys() iter.Seq[string]                      { return slices.Values(l.keys) }

func lists(keys ...string) gatekit.Middleware {
	return func(next http.Handler) http.Handler { return &listing{keys, next} }
}

// picky is a station that stands on one route only.
type picky struct {
	key  string
	next http.Handler
}

func (p *picky) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.next.ServeHTTP(w, r) }
func (p *picky) Station() (string, http.Handler)                  { return "picky", p.next }
func (p *picky) CheckRoute(key string) error {
	if key != p.key {
		return errors.New("not here")
	}
	return nil
}

func stands(key string) gatekit.Middleware {
	return func(next http.Handler) http.Handler { return &picky{key, next} }
}

func withRoutes(cfg route.Config, keys ...string) *route.API {
	api := gatekit.Must(route.New(cfg))
	for _, key := range keys {
		api.Handle(key, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	}
	return api
}

// A key that no route has is refused, wherever the station stands that lists it, with the keys that
// may have been meant.
func TestBuildComparesListsWithRoutes(t *testing.T) {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	shadowed := func(keys ...string) gatekit.Middleware {
		return gatekit.Shadow(lists(keys...), func(*http.Request, *gatekit.Rejection) {})
	}
	for _, tt := range []struct {
		name string
		set  func(*route.API)
		want string // "" is no error
	}{
		{"all-there", func(a *route.API) {
			a.UseMatched(lists("GET /pets", "GET /pets/{id}", "ANY /files/{proxy+}", "$default"))
		}, ""},
		{"a-typo", func(a *route.API) { a.UseMatched(lists("GET /pet")) }, `listing: want the key of a route, got "GET /pet"; the nearest are "GET /pets"`},
		{"on-a-route", func(a *route.API) { a.Handle("GET /own", nothing, lists("GET /onw")) }, `got "GET /onw"; the nearest are "GET /own"`},
		{"behind-another-station", func(a *route.API) { a.UseMatched(stands("nowhere"), lists("GET /pet")) }, `got "GET /pet"`},
		{"on-trial", func(a *route.API) { a.UseMatched(shadowed("GET /pet")) }, `got "GET /pet"`},
		{"behind-a-trial", func(a *route.API) { a.UseMatched(shadowed(), lists("GET /pet")) }, `got "GET /pet"`},
		{"the-method-of-an-any-route", func(a *route.API) { a.UseMatched(lists("GET /files/{proxy+}")) }, `got "GET /files/{proxy+}"; the nearest are "ANY /files/{proxy+}"`},
		{"any-of-a-method", func(a *route.API) { a.UseMatched(lists("ANY /pets")) }, `got "ANY /pets"; the nearest are "GET /pets"`},
		{"another-variable", func(a *route.API) { a.UseMatched(lists("GET /pets/{petId}")) }, `got "GET /pets/{petId}"; the nearest are "GET /pets/{id}"`},
		{"another-case", func(a *route.API) { a.UseMatched(lists("GET /Pets")) }, `got "GET /Pets"; the nearest are "GET /pets"`},
		{"before-the-choice", func(a *route.API) { a.Use(lists("GET /pets")) }, `listing: it lists "GET /pets", and stands in Use, where no route is chosen yet`},
		{"nothing-listed-before-the-choice", func(a *route.API) { a.Use(lists()) }, ""},
		{"on-the-wrong-route", func(a *route.API) { a.Handle("GET /own", nothing, stands("GET /other")) }, `route "GET /own": not here`},
		{"on-its-route", func(a *route.API) { a.Handle("GET /own", nothing, stands("GET /own")) }, ""},
		{"of-an-api-behind", func(a *route.API) {
			behind := withRoutes(route.Config{}, "GET /dogs")
			behind.UseMatched(lists("GET /dog"))
			a.Handle("GET /own", behind)
		}, `got "GET /dog"; the nearest are "GET /dogs"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := withRoutes(route.Config{}, "GET /pets", "GET /pets/{id}", "ANY /files/{proxy+}", "$default")
			tt.set(api)
			err := api.Build()
			require.Equal(t, err, api.Build(), "once and for all")
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, 1, strings.Count(err.Error(), tt.want), "each mistake once, though the station stands on each route")
		})
	}
	empty := withRoutes(route.Config{})
	empty.Use(lists("GET /pets"))
	require.ErrorContains(t, empty.Build(), "GET /pets")
	self := withRoutes(route.Config{}, "GET /a")
	self.Handle("GET /self", self)
	require.NoError(t, self.Build(), "an API behind itself is built once")
}

func TestBuildEndsTheSetUp(t *testing.T) {
	api := withRoutes(route.Config{}, "GET /a")
	require.NoError(t, api.Build())
	require.ErrorContains(t, api.Add("GET /b", http.NotFoundHandler()), "Build")
	require.Panics(t, func() { api.Handle("GET /b", http.NotFoundHandler()) })
	require.Panics(t, func() { api.Use(lists()) })
	require.Panics(t, func() { api.UseMatched(lists()) })
	require.Equal(t, 404, get(api, "GET", "/b").Code)
	require.Equal(t, 200, get(api, "GET", "/a").Code)
}

// An API that can't be built answers nothing but 500, whoever has called Build. The cause is in the
// RequestContext, and in the log once if nobody has called it.
func TestAnAPIThatCannotBeBuilt(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		for _, builds := range []bool{true, false} {
			log.Reset()
			api := withRoutes(route.Config{API: gatekit.API{Flavor: flavor}}, "GET /a")
			seen := 0
			api.Use(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen++; next.ServeHTTP(w, r) })
			})
			api.UseMatched(lists("GET /b"))
			if builds {
				require.Error(t, api.Build())
			}
			for _, target := range []string{"/a", "/b", "/a"} {
				rc, r := gatekit.Attach(httptest.NewRequest("GET", target, nil))
				w := httptest.NewRecorder()
				api.ServeHTTP(w, r)
				require.Equal(t, 500, w.Code)
				require.NotContains(t, w.Body.String(), "GET /b", "what is wrong is the owner's")
				require.ErrorContains(t, rc.Rejection().Cause, `got "GET /b"`)
				require.NotEmpty(t, rc.RequestID())
			}
			require.Equal(t, 3, seen, "Use's middlewares see it")
			require.Equal(t, !builds, strings.Count(log.String(), "can't be built") == 1, log.String())
		}
	}
}

// What fronts an API builds it, so that a wrong one doesn't start.
func TestStagesAndDomainsBuild(t *testing.T) {
	wrong := func() *route.API {
		api := withRoutes(route.Config{}, "GET /a")
		api.UseMatched(lists("GET /b"))
		return api
	}
	good := withRoutes(route.Config{}, "GET /a")
	_, err := route.NewStages(route.Stage{Name: "prod", API: wrong()})
	require.ErrorContains(t, err, `route: Stage[0].API: route: API.Build: listing: want the key of a route, got "GET /b"`)
	_, err = route.NewStages(route.Stage{Name: "prod", API: good, Canary: &route.Canary{API: wrong()}})
	require.ErrorContains(t, err, `route: Stage[0].Canary.API: route: API.Build`)
	require.Error(t, good.Add("GET /b", http.NotFoundHandler()), "NewStages ends the set-up")
	stages := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: good}))
	require.ErrorContains(t, stages.Replace(route.Stage{Name: "prod", API: wrong()}), `got "GET /b"`)
	require.Equal(t, 200, get(stages, "GET", "/prod/a").Code, "and nothing changes")

	behind := gatekit.Must(gatekit.Describe(gatekit.API{}))
	for name, h := range map[string]http.Handler{"itself": wrong(), "behind-a-station": behind(wrong())} {
		_, err = domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", Mappings: []domain.Mapping{{BasePath: "orders", Handler: h}}}}})
		require.ErrorContains(t, err, `domain: api.example.com/orders: route: API.Build`, name)
		_, err = domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "api.example.com", RoutingMode: domain.RoutingRuleOnly, Rules: []domain.RoutingRule{{Priority: 1, Handler: h}}}}})
		require.ErrorContains(t, err, `got "GET /b"`, name)
	}
	open := withRoutes(route.Config{}, "GET /a")
	_, err = domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: "no host", Mappings: []domain.Mapping{{Handler: open}}}}})
	require.Error(t, err)
	require.NoError(t, open.Add("GET /b", http.NotFoundHandler()), "a Domain that can't be leaves its APIs open")
}

// The settings of a method that no route has would be nobody's.
func TestMethodSettingsAreCheckedAgainstRoutes(t *testing.T) {
	keys := []string{"GET /pets", "GET /pets/{id}", "ANY /files/{proxy+}", "GET /"}
	for _, tt := range []struct {
		name, key string
		canary    []string
		want      string
	}{
		{"a-route's", "pets/{id}/GET", nil, ""},
		{"as-patches-write-it", "~1pets~1{id}/GET", nil, ""},
		{"the-root's", "/GET", nil, ""},
		{"all", "*/*", nil, ""},
		{"one-of-an-any-route", "files/{proxy+}/DELETE", nil, ""},
		{"any-of-an-any-route", "files/{proxy+}/ANY", nil, ""},
		{"only-on-the-canary", "dogs/GET", []string{"GET /dogs"}, ""},
		{"no-route's", "pet/GET", nil, `route: Stage[0].MethodSettings: want the method of a route, got "GET /pet"; the nearest are "GET /pets"`},
		{"another-method", "pets/POST", nil, `got "POST /pets"; the nearest are "GET /pets"`},
		{"another-variable", "pets/{petId}/GET", nil, `got "GET /pets/{petId}"; the nearest are "GET /pets/{id}"`},
		{"any-where-there-is-none", "pets/ANY", nil, `got "ANY /pets"`},
		{"on-neither-side", "cats/GET", []string{"GET /dogs"}, `got "GET /cats"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stage := route.Stage{Name: "prod", API: withRoutes(route.Config{API: gatekit.API{Flavor: gatekit.REST}}, keys...), MethodSettings: map[string]gatekit.MethodSettings{tt.key: {}}}
			if tt.canary != nil {
				stage.Canary = &route.Canary{API: withRoutes(route.Config{API: gatekit.API{Flavor: gatekit.REST}}, tt.canary...)}
			}
			_, err := route.NewStages(stage)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// The canary's own name of a variable takes no setting away from its requests.
func TestMethodSettingsUnderTheCanarysNames(t *testing.T) {
	rest := route.Config{API: gatekit.API{Flavor: gatekit.REST}}
	own, canary := withRoutes(rest, "GET /pets/{id}"), withRoutes(rest, "GET /pets/{petId}")
	for _, api := range []*route.API{own, canary} {
		api.UseMatched(throttle.NewMethodLimits(nil).Middleware)
	}
	stages := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: own, Canary: &route.Canary{API: canary, Percent: 100},
		MethodSettings: map[string]gatekit.MethodSettings{"pets/{id}/GET": {Throttling: &gatekit.MethodThrottling{}}}}))
	require.Equal(t, 429, get(stages, "GET", "/prod/pets/7").Code)
}

// A limit before the choice of the route would pass all methods that have one: it is a 500.
func TestMethodLimitsBeforeTheChoice(t *testing.T) {
	for name, use := range map[string]func(*route.API, gatekit.Middleware){
		"use":         func(a *route.API, m gatekit.Middleware) { a.Use(m) },
		"use-matched": func(a *route.API, m gatekit.Middleware) { a.UseMatched(m) },
	} {
		api := withRoutes(route.Config{API: gatekit.API{Flavor: gatekit.REST}}, "GET /pets", "GET /open")
		use(api, throttle.NewMethodLimits(nil).Middleware)
		stages := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: api, MethodSettings: map[string]gatekit.MethodSettings{
			"pets/GET": {Throttling: &gatekit.MethodThrottling{}},
		}}))
		if name == "use" {
			require.Equal(t, 500, get(stages, "GET", "/prod/pets").Code)
			require.Equal(t, 500, get(stages, "GET", "/prod/open").Code)
		} else {
			require.Equal(t, 429, get(stages, "GET", "/prod/pets").Code)
			require.Equal(t, 200, get(stages, "GET", "/prod/open").Code)
		}
	}
}

// The API's choice is stated, whatever an outer router's pattern has made of the route before.
func TestTheChoiceIsStated(t *testing.T) {
	var key string
	var err error
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("ANY /pets", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { key, err = gatekit.RequireRouteKey(r, nil) }))
	for _, pattern := range []string{"/", "/pets", "GET /pets"} {
		mux := http.NewServeMux()
		mux.Handle(pattern, gatekit.Must(gatekit.Describe(gatekit.API{}))(api))
		require.Equal(t, 200, get(mux, "GET", "/pets").Code)
		require.NoError(t, err, pattern)
		require.Equal(t, "ANY /pets", key)
	}
}
