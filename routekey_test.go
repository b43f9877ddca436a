package gatekit_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

func TestOnRoute(t *testing.T) {
	var got string
	tells := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, err := gatekit.RequireRouteKey(r, nil)
		got = fmt.Sprint(key, " ", err == nil, " ", gatekit.RouteKey(r) == key)
	})
	for _, tt := range []struct {
		name, key, method, pattern, want string // want "" is a 500
	}{
		{"nothing-told", "GET /orders/{id}", "GET", "", "GET /orders/{id} true true"},
		{"over-a-pattern", "GET /orders/{id}", "GET", "/orders/{id}", "GET /orders/{id} true true"},
		{"over-another-pattern", "GET /orders/{id}", "GET", "POST /x", "GET /orders/{id} true true"},
		{"any", "ANY /files/{proxy+}", "PURGE", "/files/*", "ANY /files/{proxy+} true true"},
		{"default", "$default", "GET", "/", "$default true true"},
		{"head-of-get", "GET /orders/{id}", "HEAD", "", "GET /orders/{id} true true"},
		{"head", "HEAD /orders/{id}", "HEAD", "", "HEAD /orders/{id} true true"},
		{"get-of-head", "HEAD /orders/{id}", "GET", "", ""},
		{"another-method", "GET /orders/{id}", "POST", "", ""},
		{"another-method-than-post", "POST /orders/{id}", "HEAD", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, attached := range []bool{false, true} {
				got = ""
				r := httptest.NewRequest(tt.method, "/", nil)
				r.Pattern = tt.pattern
				if attached {
					_, r = gatekit.Attach(r)
				}
				w := httptest.NewRecorder()
				gatekit.Must(gatekit.OnRoute(tt.key))(tells).ServeHTTP(w, r)
				require.Equal(t, tt.want, got)
				require.Equal(t, tt.want == "", w.Code == 500)
			}
		})
	}
	for _, wrong := range []string{"", "/orders", "get /orders", "GET orders", "GET /orders/", "GET /a{b}", "GET /a/{b", "GET /{proxy+}/a", "TRACE /a", "default"} {
		_, err := gatekit.OnRoute(wrong)
		require.ErrorContains(t, err, "gatekit: OnRoute: ", wrong)
	}
}

// Behind a pattern for many paths another router may have chosen a route that has a rule.
func TestRequireRouteKeyBehindAPatternForManyPaths(t *testing.T) {
	listed := []string{"GET /pets/{id}", "ANY /all", "GET /files/{proxy+}", "$default"}
	for _, tt := range []struct {
		pattern, method, path string
		told                  bool
	}{
		{"GET /", "GET", "/pets/7", false}, {"GET /{p...}", "GET", "/pets/7", false}, {"GET /pets/", "GET", "/pets/7", false},
		{"GET /{a}/{b}", "GET", "/pets/7", false}, {"GET /{a}", "GET", "/all", false}, {"GET /", "GET", "/files/a/b", false},
		{"POST /", "POST", "/all", false}, {"GET /", "GET", "/pets%2F7", true}, {"GET /", "GET", "/pets/7/x", true}, {"POST /", "POST", "/pets/7", true},
		{"GET /", "GET", "/dogs/7", true}, {"GET /pets/{petId}", "GET", "/pets/7", true}, {"GET /files/{rest...}", "GET", "/files/a", true},
		{"GET /pets/special", "GET", "/pets/special", true}, {"GET /files/{a}", "GET", "/files/a", true},
	} {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		r.Pattern = tt.pattern
		_, err := gatekit.RequireRouteKey(r, slices.Values(listed))
		require.Equal(t, tt.told, err == nil, "%s for %s %s", tt.pattern, tt.method, tt.path)
		_, err = gatekit.RequireRouteKey(r, nil)
		require.NoError(t, err, "without rules nothing can be passed over")
		rc, r := gatekit.Attach(r)
		rc.Route = &gatekit.Route{Key: "GET /stated/{x}"}
		_, err = gatekit.RequireRouteKey(r, slices.Values(listed))
		require.NoError(t, err, "stated")
	}
}

func TestRequireRouteKey(t *testing.T) {
	for _, tt := range []struct{ name, pattern, key, cause string }{
		{"nothing", "", "", "no router in front of it tells one"},
		{"servemux", "GET /a/{id}", "GET /a/{id}", ""},
		{"servemux-on-a-host", "GET example.com/a/{p...}", "GET /a/{p+}", ""},
		{"servemux-without-a-method", "/a/{id}", "", "names no method"},
		{"chi", "/a/{id:[0-9]+}", "", "names no method"},
		{"gin-and-echo", "/a/:id", "", "names no method"},
		{"all", "/", "", "names no method"},
		{"no-path", "GET host", "", "no router in front of it tells one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Pattern = tt.pattern
			_, attached := gatekit.Attach(r)
			for name, r := range map[string]*http.Request{"bare": r, "attached": attached} {
				key, err := gatekit.RequireRouteKey(r, nil)
				require.Equal(t, tt.key, key, name)
				if tt.cause == "" {
					require.NoError(t, err)
					continue
				}
				var why *gatekit.Rejection
				require.ErrorAs(t, err, &why)
				require.Equal(t, 500, why.StatusFor(gatekit.HTTP))
				require.ErrorContains(t, why.Cause, tt.cause)
				require.ErrorContains(t, why.Cause, "gatekit.OnRoute", "what to do")
			}
		})
	}
	// What a copy of the context was told, it goes on knowing to be told or guessed.
	r := httptest.NewRequest("GET", "/", nil)
	r.Pattern = "/a"
	_, r = gatekit.Attach(r)
	_, err := gatekit.RequireRouteKey(gatekit.Detach(r.Context(), r), nil)
	require.Error(t, err)
	gatekit.From(r.Context()).Route = &gatekit.Route{Key: "ANY /a"}
	key, err := gatekit.RequireRouteKey(gatekit.Detach(r.Context(), r), nil)
	require.NoError(t, err)
	require.Equal(t, "ANY /a", key)
}

// A rule on trial that states a key takes it back with the rest, if it refuses.
func TestOnRouteOnTrial(t *testing.T) {
	on := gatekit.Must(gatekit.OnRoute("ANY /stated"))
	refuses := func(next http.Handler) http.Handler {
		return on(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, errors.New("no")) }))
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Pattern = "/a"
	_, r = gatekit.Attach(r)
	gatekit.Shadow(refuses, func(*http.Request, *gatekit.Rejection) {})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := gatekit.RequireRouteKey(r, nil)
		require.Error(t, err)
		require.Equal(t, "ANY /a", gatekit.RouteKey(r))
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestStations(t *testing.T) {
	end := http.NotFoundHandler()
	h := gatekit.Chain(end, gatekit.Must(gatekit.Describe(gatekit.API{})), gatekit.Must(gatekit.OnRoute("GET /a")))
	var kinds []string
	for s := range gatekit.Stations(h) {
		kind := "end"
		if s, ok := s.(gatekit.Station); ok {
			kind, _ = s.Station()
		}
		kinds = append(kinds, kind)
	}
	require.Equal(t, []string{"describe", "on route", "end"}, kinds)
	for range gatekit.Stations(h) {
		break
	}
	for range gatekit.Stations(nil) {
		t.Fatal("there is none")
	}
}

func TestMethodSettingsOf(t *testing.T) {
	settings := gatekit.Must(gatekit.NewStageSettings(map[string]gatekit.MethodSettings{
		"pets/GET": {CachingEnabled: true}, "files/{proxy+}/ANY": {OpenCacheControl: true}, "files/{proxy+}/PUT": {CachingEnabled: true}, "*/*": {UnauthorizedCacheControl: gatekit.FailWith403},
	}))
	var methods []string
	for method, resource := range settings.Methods() {
		methods = append(methods, method+" "+resource)
	}
	require.Equal(t, []string{"ANY /files/{proxy+}", "PUT /files/{proxy+}", "GET /pets"}, methods)
	for _, tt := range []struct {
		name, method, key, pattern string
		want                       int // which: 1 caching, 2 open, 3 every; 0 is an error
	}{
		{"its-own", "GET", "GET /pets", "", 1},
		{"head-on-a-get-pattern", "HEAD", "", "GET /pets", 1},
		{"another", "POST", "POST /pets", "", 3},
		{"any-for-any", "GET", "ANY /files/{proxy+}", "", 2},
		{"the-method-before-any", "PUT", "ANY /files/{proxy+}", "", 1},
		{"any-isn't-a-method's", "GET", "GET /files/{proxy+}", "", 3},
		{"default", "GET", "$default", "", 3},
		{"nobody-tells", "GET", "", "", 0},
		{"no-method-told", "GET", "", "/pets", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "/", nil)
			r.Pattern = tt.pattern
			rc, r := gatekit.Attach(r)
			if tt.key != "" {
				rc.Route = &gatekit.Route{Key: tt.key}
			}
			m, err := gatekit.MethodSettingsOf(r)
			require.NoError(t, err, "a stage without settings says nothing")
			require.Nil(t, m)
			rc.API = &gatekit.API{Settings: settings}
			m, err = gatekit.MethodSettingsOf(r)
			if tt.want == 0 {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, [4]bool{false, m.CachingEnabled, m.OpenCacheControl, m.UnauthorizedCacheControl == gatekit.FailWith403}[tt.want], true)
		})
	}
	m, err := gatekit.MethodSettingsOf(httptest.NewRequest("GET", "/", nil))
	require.NoError(t, err)
	require.Nil(t, m)
	for range (*gatekit.StageSettings)(nil).Methods() {
		t.Fatal("there is none")
	}
}

// The domain name is known wherever a RequestContext is, and not only behind a route.API.
func TestDomainNameIsKnown(t *testing.T) {
	for host, want := range map[string]string{"api.example.com": "api.example.com", "api.example.com:8443": "api.example.com", "[::1]:80": "[::1]", "": ""} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		rc, _ := gatekit.Attach(r)
		require.Equal(t, want, rc.DomainName())
	}
}
