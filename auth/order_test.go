package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// trail is what a request has come by, station by station, and what it has cost.
type trail struct {
	stations     []string
	authorizer   int // calls
	integrations int
}

// at leaves a name right before the station that follows.
func (t *trail) at(station string) gatekit.Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			t.stations = append(t.stations, station)
			next.ServeHTTP(w, r)
		})
	}
}

// integration answers who asked.
func (t *trail) integration(w http.ResponseWriter, r *http.Request) {
	t.stations = append(t.stations, "integration")
	t.integrations++
	fmt.Fprint(w, gatekit.From(r.Context()).Authorization.Principal(), " asked")
}

// ifHeader is a station of the caller's own that refuses requests with a header: in place of a web ACL, and of a validator.
func ifHeader(name string, why gatekit.ResponseType) gatekit.Middleware {
	refusal := &gatekit.Rejection{Type: why}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get(name) != "" {
				gatekit.Reject(w, r, refusal)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

const page = "https://app.example"

func newCORS() *cors.CORS {
	return gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{page}, AllowMethods: []string{"GET"}}))
}

// asked is a request that is being made up: faults change it.
type asked struct {
	stage, path, from string
	header            http.Header
}

func (a *asked) request(method string) *http.Request {
	r := httptest.NewRequest(method, "/"+a.stage+a.path, nil)
	r.RemoteAddr = a.from
	r.Header = a.header
	r.Header.Set("Origin", page)
	return r
}

// stop is where a request with a fault ends.
type stop struct {
	name       string
	fault      func(*asked)
	status     int
	body       string
	header     map[string]string
	stations   string // that it came by
	authorizer int    // calls that it cost
}

// refuses asks, for each stop, with its fault and all those that later stations would refuse for: so who answers is the first of them.
func refuses(t *testing.T, h http.Handler, trail *trail, good func() *asked, stops []stop) {
	for i, tt := range stops {
		t.Run(tt.name, func(t *testing.T) {
			a := good()
			for j := len(stops) - 1; j >= i; j-- {
				stops[j].fault(a)
			}
			trail.stations, trail.authorizer, trail.integrations = nil, 0, 0
			w := httptest.NewRecorder()
			h.ServeHTTP(w, a.request("GET"))
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.body, w.Body.String())
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			for name, value := range tt.header {
				require.Equal(t, value, w.Header().Get(name), name)
			}
			require.Equal(t, tt.stations, strings.Join(trail.stations, " "))
			require.Equal(t, tt.authorizer, trail.authorizer, "calls of the authorizer")
			require.Zero(t, trail.integrations)
			if tt.stations != "" { // behind CORS: the page can read it
				require.Equal(t, page, w.Header().Get("Access-Control-Allow-Origin"))
			}
		})
	}
}

// preflights end at CORS, which asks nobody.
func preflights(t *testing.T, h http.Handler, trail *trail, path string) {
	trail.stations = nil
	r := httptest.NewRequest("OPTIONS", path, nil)
	r.Header.Set("Origin", page)
	r.Header.Set("Access-Control-Request-Method", "GET")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 204, w.Code)
	require.Equal(t, []string{"log", "cors"}, trail.stations)
}

// The whole chain of an HTTP API, in the order that the managed gateway keeps.
func TestOrderHTTP(t *testing.T) {
	trail := &trail{}
	jwt := &counted{newJWT(t, iss(), auth.JWTConfig{}), &trail.authorizer}
	answers := gatekit.Must(cache.New(t.Context(), cache.Config{Unauthorized: gatekit.FailWith403}))
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Routes: map[string]*throttle.Limit{"GET /closed": {}}}))
	perUser := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1e-9, Burst: 3}, throttle.KeyConfig{Key: throttle.ByPrincipal}))

	api := gatekit.Must(route.New(route.Config{}))
	api.Use(trail.at("log"), trail.at("cors"), newCORS().Middleware, trail.at("waf"), ifHeader("X-Attack", gatekit.WAFFiltered))
	api.UseMatched(trail.at("throttle"), stage.Middleware)
	for _, key := range []string{"GET /pets", "GET /closed"} {
		api.Handle(key, http.HandlerFunc(trail.integration),
			trail.at("authorizer"), auth.Require(jwt, "orders:read"), trail.at("user"), perUser.Middleware,
			trail.at("validate"), ifHeader("X-Bad", gatekit.BadRequestBody), trail.at("cache"), answers.Middleware)
	}
	h := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: api}))

	as := func(sub, scope string) string {
		return "Bearer " + iss().Mint(good(authtest.Claims{"sub": sub, "scope": scope}))
	}
	ann, bob, spent, unscoped := as("ann", "orders:read"), as("bob", "orders:read"), as("spent", "orders:read"), as("ann", "other")
	from := func(token string) func() *asked {
		return func() *asked {
			return &asked{stage: "prod", path: "/pets", from: "192.0.2.1:1", header: http.Header{"Authorization": {token}}}
		}
	}
	for range 3 {
		h.ServeHTTP(httptest.NewRecorder(), from(spent)().request("GET"))
	}
	hits := answers.Stats()

	preflights(t, h, trail, "/prod/pets")
	const matched = "log cors waf throttle"
	refuses(t, h, trail, from(ann), []stop{
		{name: "no-stage", fault: func(a *asked) { a.stage = "dev" }, status: 404, body: `{"message":"Not Found"}`},
		{name: "waf", fault: func(a *asked) { a.header.Set("X-Attack", "x") }, status: 403, body: forbidden, stations: "log cors waf"},
		{name: "path", fault: func(a *asked) { a.path = "/pets/../pets" }, status: 400, body: `{"message":"Bad Request"}`, stations: "log cors waf"},
		{name: "no-route", fault: func(a *asked) { a.path = "/nothing" }, status: 404, body: `{"message":"Not Found"}`, stations: "log cors waf"},
		{name: "throttle", fault: func(a *asked) { a.path = "/closed" }, status: 429, body: `{"message":"Too Many Requests"}`, stations: matched},
		{name: "no-token", fault: func(a *asked) { a.header.Del("Authorization") }, status: 401, body: unauthorized,
			header: map[string]string{"Www-Authenticate": "Bearer"}, stations: matched + " authorizer", authorizer: 1},
		{name: "scope", fault: func(a *asked) { a.header.Set("Authorization", unscoped) }, status: 403, body: forbidden,
			header: map[string]string{"Www-Authenticate": `Bearer scope="orders:read" error="insufficient_scope"`}, stations: matched + " authorizer", authorizer: 1},
		{name: "user", fault: func(a *asked) { a.header.Set("Authorization", spent) }, status: 429, body: `{"message":"Too Many Requests"}`, stations: matched + " authorizer user", authorizer: 1},
		{name: "validate", fault: func(a *asked) { a.header.Set("X-Bad", "x") }, status: 400, body: `{"message":"Bad Request"}`, stations: matched + " authorizer user validate", authorizer: 1},
		{name: "invalidation", fault: func(a *asked) { a.header.Set("Cache-Control", "max-age=0") }, status: 403, body: forbidden, stations: matched + " authorizer user validate cache", authorizer: 1},
	})
	require.Equal(t, hits, answers.Stats(), "no refused request has looked into the cache")

	// Who is admitted comes by all of them; a kept answer is behind them too, and nobody else's.
	for _, tt := range []struct{ token, want, last string }{{bob, "bob asked", "integration"}, {bob, "bob asked", "cache"}, {ann, "ann asked", "integration"}} {
		trail.stations = nil
		w := httptest.NewRecorder()
		h.ServeHTTP(w, from(tt.token)().request("GET"))
		require.Equal(t, 200, w.Code)
		require.Equal(t, tt.want, w.Body.String())
		require.Equal(t, tt.last, trail.stations[len(trail.stations)-1])
		require.Equal(t, matched+" authorizer user validate cache", strings.Join(trail.stations[:8], " "))
	}
}

// counted counts how often an authorizer is asked.
type counted struct {
	auth.Scoped
	calls *int
}

func (c *counted) Authorize(r *http.Request) (*gatekit.Authorization, error) {
	*c.calls++
	return c.Scoped.Authorize(r)
}

func (c *counted) WithScopes(scopes ...string) auth.Authorizer {
	return &counted{c.Scoped.WithScopes(scopes...).(auth.Scoped), c.calls}
}

// function answers by token: allow, deny, or fail; any other it doesn't know.
type function struct{ calls *int }

func (f function) Invoke(_ context.Context, event []byte) ([]byte, error) {
	*f.calls++
	for token, answer := range map[string]string{"deny": policyAnswer(statement("Deny", "*")), "broken": `{"principalId":7}`} {
		if strings.Contains(string(event), `"authorizationToken":"`+token+`"`) {
			return []byte(answer), nil
		}
	}
	for _, name := range []string{"ann", "bob"} {
		if strings.Contains(string(event), `"authorizationToken":"`+name+`"`) {
			return []byte(strings.Replace(allowAll, "u7", name, 1)), nil
		}
	}
	return nil, errors.New("Unauthorized") // the word that functions fail with
}

// The whole chain of a REST API: the table of G.1. What is refused is no unit of a quota, whoever refuses.
func TestOrderREST(t *testing.T) {
	trail := &trail{}
	ctx := t.Context()
	plans := gatekit.Must(usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: gatekit.Must(usageplan.NewMemory(0))}))
	gatekit.Must(plans.CreatePlan(ctx, usageplan.Plan{
		ID: "gold", Name: "Gold", Quota: &usageplan.Quota{Limit: 10, Period: usageplan.Month},
		APIStages: []usageplan.APIStage{{APIID: testAPI.APIID, Stage: "prod", Throttle: map[string]usageplan.Throttle{"/narrow/GET": {}}}},
	}))
	key := func(id string) string { return id + "-0123456789-0123456789" }
	for _, id := range []string{"shop", "spent", "planless", "disabled"} {
		_, _, err := plans.CreateKey(ctx, usageplan.NewKey{ID: id, Name: id, Value: key(id), Enabled: id != "disabled"})
		require.NoError(t, err)
		if id != "planless" {
			require.NoError(t, plans.AddKey(ctx, "gold", id))
		}
	}
	require.NoError(t, plans.SetRemaining(ctx, "gold", "spent", 0))

	off := auth.CacheConfig{TTL: auth.Off}
	lambda := newLambda(t, function{&trail.authorizer}, auth.LambdaConfig{Type: "TOKEN", CacheConfig: off})
	policy := newResourcePolicy(t, auth.ResourcePolicyConfig{AllowSourceIPs: []string{"192.0.2.0/24"}})
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Routes: map[string]*throttle.Limit{"GET /closed": {}}}))
	limit := gatekit.Must(usageplan.New(usageplan.Config{Registry: plans, Stage: stage}))
	answers := gatekit.Must(cache.New(ctx, cache.Config{Unauthorized: gatekit.FailWith403}))

	identity := flavored(gatekit.REST)
	identity.Stage = ""
	api := gatekit.Must(route.New(route.Config{API: identity}))
	api.Use(trail.at("log"), trail.at("cors"), newCORS().Middleware, trail.at("waf"), ifHeader("X-Attack", gatekit.WAFFiltered))
	api.UseMatched(trail.at("authorizer"), auth.Require(policy.With(lambda)), trail.at("plan"), limit.Middleware,
		trail.at("validate"), ifHeader("X-Bad", gatekit.BadRequestBody), trail.at("cache"), answers.Middleware)
	for _, path := range []string{"/pets", "/narrow", "/closed"} {
		api.Handle("GET "+path, http.HandlerFunc(trail.integration))
	}
	api.Handle("GET /public", http.HandlerFunc(trail.integration), gatekit.Must(answers.Keep(cache.Route{Public: true})))
	h := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: api}))

	from := func(token, id, path string) func() *asked {
		return func() *asked {
			return &asked{stage: "prod", path: path, from: "192.0.2.1:1", header: http.Header{"Authorization": {token}, "X-Api-Key": {key(id)}}}
		}
	}
	used := func() int64 {
		t.Helper()
		sum := int64(0)
		for _, id := range []string{"shop", "spent", "disabled"} {
			q, err := plans.Quota(ctx, "gold", id)
			require.NoError(t, err)
			sum += q.Used
		}
		return sum
	}
	before := used()

	preflights(t, h, trail, "/prod/pets")
	const (
		matched   = "log cors waf authorizer"
		errorType = "X-Amzn-Errortype"
		tooMany   = `{"message":"Too Many Requests"}`
		address   = `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********3333:abc123/prod/GET/narrow with an explicit deny in a resource-based policy"}`
	)
	of := func(name string) map[string]string { return map[string]string{errorType: name + "Exception"} }
	refuses(t, h, trail, from("ann", "shop", "/pets"), []stop{
		{name: "no-stage", fault: func(a *asked) { a.stage = "dev" }, status: 403, body: forbidden, header: of("Forbidden")},
		{name: "waf", fault: func(a *asked) { a.header.Set("X-Attack", "x") }, status: 403, body: forbidden, header: of("Forbidden"), stations: "log cors waf"},
		{name: "path", fault: func(a *asked) { a.path = "/pets/../pets" }, status: 400, body: `{"message":"Bad Request"}`, header: of("BadRequest"), stations: "log cors waf"},
		{name: "no-route", fault: func(a *asked) { a.path = "/nothing" }, status: 403, body: `{"message":"Missing Authentication Token"}`, header: of("MissingAuthenticationToken"), stations: "log cors waf"},
		{name: "resource-policy", fault: func(a *asked) { a.from = "203.0.113.9:1" }, status: 403, body: address, header: of("AccessDenied"), stations: matched},
		{name: "no-token", fault: func(a *asked) { a.header.Del("Authorization") }, status: 401, body: unauthorized, header: of("Unauthorized"), stations: matched},
		{name: "unknown-token", fault: func(a *asked) { a.header.Set("Authorization", "who") }, status: 401, body: unauthorized, header: of("Unauthorized"), stations: matched, authorizer: 1},
		{name: "broken-authorizer", fault: func(a *asked) { a.header.Set("Authorization", "broken") }, status: 500, body: internalREST, header: of("AuthorizerConfiguration"), stations: matched, authorizer: 1},
		{name: "denied", fault: func(a *asked) { a.header.Set("Authorization", "deny") }, status: 403, body: identityDeny, header: of("AccessDenied"), stations: matched, authorizer: 1},
		{name: "no-key", fault: func(a *asked) { a.header.Del("X-Api-Key") }, status: 403, body: forbidden, header: of("Forbidden"), stations: matched + " plan", authorizer: 1},
		{name: "unknown-key", fault: func(a *asked) { a.header.Set("X-Api-Key", key("nobody")) }, status: 403, body: forbidden, header: of("Forbidden"), stations: matched + " plan", authorizer: 1},
		{name: "disabled-key", fault: func(a *asked) { a.header.Set("X-Api-Key", key("disabled")) }, status: 403, body: forbidden, header: of("Forbidden"), stations: matched + " plan", authorizer: 1},
		{name: "key-without-a-plan", fault: func(a *asked) { a.header.Set("X-Api-Key", key("planless")) }, status: 403, body: forbidden, header: of("Forbidden"), stations: matched + " plan", authorizer: 1},
		{name: "plan's-throttle", fault: func(a *asked) { a.path = "/narrow" }, status: 429, body: tooMany, header: of("TooManyRequests"), stations: matched + " plan", authorizer: 1},
		{name: "stage's-throttle", fault: func(a *asked) { a.path = "/closed" }, status: 429, body: tooMany, header: of("TooManyRequests"), stations: matched + " plan", authorizer: 1},
		{name: "quota", fault: func(a *asked) { a.header.Set("X-Api-Key", key("spent")) }, status: 429, body: `{"message":"Limit Exceeded"}`, header: of("LimitExceeded"), stations: matched + " plan", authorizer: 1},
		{name: "validate", fault: func(a *asked) { a.header.Set("X-Bad", "x") }, status: 400, body: `{"message":"Invalid request body"}`, header: of("BadRequest"), stations: matched + " plan validate", authorizer: 1},
		{name: "invalidation", fault: func(a *asked) { a.header.Set("Cache-Control", "max-age=0") }, status: 403, body: `{"Message":"User is not authorized to access this resource"}`, header: of("AccessDenied"), stations: matched + " plan validate cache", authorizer: 1},
	})
	require.Equal(t, before, used(), "no refused request costs a unit")
	require.Zero(t, answers.Stats(), "none has looked into the cache")

	// Who is admitted comes by all of them and pays a unit, also for an answer that is kept; which is nobody else's unless it is public, and
	// never one for who isn't admitted.
	for i, tt := range []struct {
		token, path, want, last string
		units                   int64
	}{
		{"ann", "/pets", "ann asked", "integration", 1}, {"ann", "/pets", "ann asked", "cache", 1}, {"bob", "/pets", "bob asked", "integration", 1},
		{"ann", "/public", "ann asked", "integration", 1}, {"bob", "/public", "ann asked", "cache", 1}, {"deny", "/public", identityDeny, "authorizer", 0}, {"", "/public", unauthorized, "authorizer", 0},
	} {
		before := used()
		trail.stations = nil
		w := httptest.NewRecorder()
		h.ServeHTTP(w, from(tt.token, "shop", tt.path)().request("GET"))
		require.Equal(t, tt.want, w.Body.String(), "%d", i)
		require.Equal(t, tt.last, trail.stations[len(trail.stations)-1])
		require.Equal(t, tt.units, used()-before)
	}
}
