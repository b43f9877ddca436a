package route_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

// told answers with what a handler knows of its stage.
func told(version string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		fmt.Fprintf(w, "%s|%s|%s|%s|%s|%s|canary=%s", version, rc.API.Stage, rc.RouteKey(), r.URL.EscapedPath(), rc.Path.Received(), rc.API.Variables["env"], rc.API.Canary)
	})
}

func newAPI(t *testing.T, cfg route.Config, version string) *route.API {
	api, err := route.New(cfg)
	require.NoError(t, err)
	api.Handle("GET /", told(version))
	api.Handle("GET /orders/{id}", told(version))
	return api
}

// The four steps of http-api-develop-routes that choose a stage.
func TestStages(t *testing.T) {
	api := newAPI(t, route.Config{API: gatekit.API{AccountID: "123456789012", APIID: "a1"}}, "v1")
	both, err := route.NewStages(
		route.Stage{Name: "$default", API: api, Variables: map[string]string{"env": "live"}},
		route.Stage{Name: "dev", API: api, Variables: map[string]string{"env": "test"}})
	require.NoError(t, err)
	named, err := route.NewStages(route.Stage{Name: "dev", API: api})
	require.NoError(t, err)
	for _, tt := range []struct {
		name, target string
		stages       *route.Stages
		status       int
		want         string
	}{
		{"named", "/dev/orders/7", both, 200, "v1|dev|GET /orders/{id}|/orders/7|/dev/orders/7|test|canary="},
		{"named-root", "/dev", both, 200, "v1|dev|GET /|/|/dev|test|canary="},
		{"named-root-slash", "/dev/", both, 200, "v1|dev|GET /|/|/dev/|test|canary="},
		{"default", "/orders/7", both, 200, "v1|$default|GET /orders/{id}|/orders/7|/orders/7|live|canary="},
		{"default-root", "/", both, 200, "v1|$default|GET /|/|/|live|canary="},
		{"escapes-stay", "/dev/orders/a%2Fb", both, 200, "v1|dev|GET /orders/{id}|/orders/a%2Fb|/dev/orders/a%2Fb|test|canary="},
		{"case-counts", "/DEV/orders/7", both, 404, `{"message":"Not Found"}`},
		{"a-stage-hides-routes", "/dev/dev/orders/7", both, 404, `{"message":"Not Found"}`},
		{"escaped-name-is-none", "/%64ev/orders/7", named, 404, `{"message":"Not Found"}`},
		{"empty-segment", "//dev/orders/7", named, 404, `{"message":"Not Found"}`},
		{"prefix-is-none", "/develop/orders/7", named, 404, `{"message":"Not Found"}`},
		{"no-stage", "/orders/7", named, 404, `{"message":"Not Found"}`},
		{"the-literal-default", "/$default/orders/7", both, 404, `{"message":"Not Found"}`},
		{"dots-are-judged-behind", "/dev/../dev/orders/7", both, 400, `{"message":"Bad Request"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := get(tt.stages, "GET", tt.target)
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.want, w.Body.String())
			require.Len(t, w.Header()["Apigw-Requestid"], 1)
		})
	}
}

func TestStagesOfRESTAPIs(t *testing.T) {
	api := newAPI(t, route.Config{API: gatekit.API{Flavor: gatekit.REST}}, "v1")
	stages, err := route.NewStages(route.Stage{Name: "prod", API: api})
	require.NoError(t, err)
	w := get(stages, "GET", "/prod/orders/7/")
	require.Equal(t, 200, w.Code)
	w = get(stages, "GET", "/orders/7")
	require.Equal(t, 403, w.Code)
	require.Equal(t, `{"message":"Forbidden"}`, w.Body.String())
	require.Equal(t, "ForbiddenException", w.Header().Get("x-amzn-ErrorType"))
	require.Len(t, w.Header().Get("x-amzn-RequestId"), 36)
	w = get(stages, "GET", "/prod/nothing")
	require.Equal(t, 403, w.Code)
	require.Equal(t, `{"message":"Missing Authentication Token"}`, w.Body.String())
}

// A middleware in front that rewrites r.URL.Path alone leaves an encoded path behind that isn't the
// path's any longer: it doesn't choose.
func TestStagesBehindARewrite(t *testing.T) {
	stages := gatekit.Must(route.NewStages(
		route.Stage{Name: "dev", API: newAPI(t, route.Config{}, "v1")}, route.Stage{Name: "prod", API: newAPI(t, route.Config{}, "v1")}))
	r := httptest.NewRequest("GET", "/prod/orders/a%2Fb", nil)
	r.URL.Path = "/dev/orders/7"
	w := httptest.NewRecorder()
	stages.ServeHTTP(w, r)
	require.Equal(t, "v1|dev|GET /orders/{id}|/orders/7|/prod/orders/a%2Fb||canary=", w.Body.String())
}

// The request that a caller gave is his own: its path is not written to.
func TestStagesCopyTheRequest(t *testing.T) {
	stages := gatekit.Must(route.NewStages(route.Stage{Name: "dev", API: newAPI(t, route.Config{}, "v1")}))
	r := httptest.NewRequest("GET", "/dev/orders/a%2Fb", nil)
	stages.ServeHTTP(httptest.NewRecorder(), r)
	require.Equal(t, "/dev/orders/a%2Fb", r.URL.EscapedPath())
	require.Empty(t, r.PathValue("id"))
}

func TestOneStageBehindADomain(t *testing.T) {
	api := newAPI(t, route.Config{}, "v1")
	stages := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: api}, route.Stage{Name: "$default", API: api}))
	prod, err := stages.Handler("prod")
	require.NoError(t, err)
	require.Equal(t, "v1|prod|GET /orders/{id}|/orders/7|/orders/7||canary=", get(prod, "GET", "/orders/7").Body.String())
	require.Equal(t, 404, get(prod, "GET", "/prod/orders/7").Code, "the path isn't looked at")
	_, err = stages.Handler("$default")
	require.NoError(t, err)
	_, err = stages.Handler("test")
	require.EqualError(t, err, `route: Stages.Handler: want the name of a stage, got "test"`)
	require.NoError(t, stages.Replace(route.Stage{Name: "test", API: api}))
	require.Equal(t, 404, get(prod, "GET", "/orders/7").Code, "a stage that is gone")
}

func TestStagesThatCannotBe(t *testing.T) {
	api, rest := newAPI(t, route.Config{}, ""), newAPI(t, route.Config{API: gatekit.API{Flavor: gatekit.REST}}, "")
	of := newAPI(t, route.Config{API: gatekit.API{Stage: "other"}}, "")
	many := map[string]string{}
	for i := range 101 {
		many[fmt.Sprint("v", i)] = "x"
	}
	for _, tt := range []struct {
		name   string
		stages []route.Stage
		want   []string
	}{
		{"none", nil, []string{"want at least one Stage"}},
		{"name", []route.Stage{{Name: "a/b", API: api}}, []string{`Stage[0].Name: want 1 to 128 letters, digits, - or _, or "$default", got "a/b"`}},
		{"nil-api", []route.Stage{{Name: "a"}}, []string{"Stage[0].API: want an API, got nil"}},
		{"another-stage's-api", []route.Stage{{Name: "a", API: of}}, []string{`Stage[0].API: want an API whose Config.Stage is empty or "a", got "other"`}},
		{"rest-default", []route.Stage{{Name: "$default", API: rest}}, []string{"Stage[0].Name: want a name that is a path's first segment"}},
		{"twice", []route.Stage{{Name: "a", API: api}, {Name: "a", API: api}}, []string{`Stage[1].Name: want names that differ, got "a" twice`}},
		{"flavors", []route.Stage{{Name: "a", API: api}, {Name: "b", API: rest}}, []string{"Stage[1].API: want APIs of one flavor, got REST beside HTTP"}},
		{"variables", []route.Stage{{Name: "a", API: api, Variables: map[string]string{"a-b": "x", "k": "se cret"}}}, []string{`got "a-b"`, "want a value of 1 to 2,048 of A-Z a-z 0-9 -._~:/?#&=, for k"}},
		{"too-many", []route.Stage{{Name: "a", API: api, Variables: many}}, []string{"Stage[0].Variables: want at most 100, got 101"}},
		{"header-without-deployment", []route.Stage{{Name: "a", API: api, DeploymentHeader: "X-Version"}}, []string{"want one for the header X-Version"}},
		{"header", []route.Stage{{Name: "a", API: api, Deployment: "1", DeploymentHeader: "X Version"}}, []string{`want the name of a header, got "X Version"`}},
		{"settings", []route.Stage{{Name: "a", API: api, MethodSettings: map[string]gatekit.MethodSettings{"pets/get": {}}}}, []string{`Stage[0].MethodSettings: gatekit: StageSettings["pets/get"]: want a method such as GET`}},
		{"canary", []route.Stage{{Name: "a", API: api, Canary: &route.Canary{Percent: math.NaN(), API: rest, Deployment: "a b"}}}, []string{"Canary.Percent: want 0 to 100", "Canary.API: want an API of the stage's flavor", "Canary.Deployment"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := route.NewStages(tt.stages...)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "se cret")
			stages := gatekit.Must(route.NewStages(route.Stage{Name: "kept", API: api}))
			require.Error(t, stages.Replace(tt.stages...))
			require.Equal(t, 200, get(stages, "GET", "/kept/orders/7").Code)
		})
	}
}

func TestCanary(t *testing.T) {
	old, new := newAPI(t, route.Config{}, "old"), newAPI(t, route.Config{}, "new")
	stages := func(c route.Canary) *route.Stages {
		c.API, c.Variables, c.Deployment = new, map[string]string{"env": "canary"}, "d2"
		return gatekit.Must(route.NewStages(route.Stage{
			Name: "prod", API: old, Variables: map[string]string{"env": "live", "other": "x"}, Deployment: "d1", DeploymentHeader: "x-deployment", Canary: &c,
		}))
	}
	count := func(s *route.Stages, n int) (canary int) {
		for i := range n {
			r := httptest.NewRequest("GET", "/prod/orders/7", nil)
			r.Header.Set("X-User", fmt.Sprint("user-", i))
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			switch body := w.Body.String(); {
			case strings.HasPrefix(body, "new|prod|") && strings.HasSuffix(body, "|canary|canary=true"):
				require.Equal(t, "d2", w.Header().Get("X-Deployment"))
				canary++
			default:
				require.Equal(t, "old|prod|GET /orders/{id}|/orders/7|/prod/orders/7|live|canary=false", body)
				require.Equal(t, "d1", w.Header().Get("X-Deployment"))
			}
		}
		return canary
	}
	require.Zero(t, count(stages(route.Canary{}), 1000))
	require.Equal(t, 1000, count(stages(route.Canary{Percent: 100}), 1000))
	// 4,000 draws of one in four: the bounds are 7 standard deviations away.
	require.InDelta(t, 1000, count(stages(route.Canary{Percent: 25}), 4000), 200)

	// Sticky: a key is always on one side, and more percent only move keys to the canary.
	byUser := func(r *http.Request) string { return r.Header.Get("X-User") }
	few, more := stages(route.Canary{Percent: 25, Key: byUser}), stages(route.Canary{Percent: 60, Key: byUser})
	side := func(s *route.Stages, user string) bool {
		r := httptest.NewRequest("GET", "/prod/orders/7", nil)
		r.Header.Set("X-User", user)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return strings.HasPrefix(w.Body.String(), "new")
	}
	n := 0
	for i := range 2000 {
		user := fmt.Sprint("user-", i)
		first := side(few, user)
		for range 3 {
			require.Equal(t, first, side(few, user))
		}
		if first {
			n++
			require.True(t, side(more, user))
		}
	}
	require.InDelta(t, 500, n, 140)
	require.InDelta(t, 1000, count(stages(route.Canary{Percent: 25, Key: func(*http.Request) string { return "" }}), 4000), 200, "no key: drawn")
}

// A canary may try variables alone: the rest is the stage's, its deployment too.
func TestCanaryOfVariables(t *testing.T) {
	stages := gatekit.Must(route.NewStages(route.Stage{
		Name: "prod", API: newAPI(t, route.Config{}, "v1"), Variables: map[string]string{"env": "live"}, Deployment: "d1", DeploymentHeader: "X-Deployment",
		Canary: &route.Canary{Percent: 100, Variables: map[string]string{"env": "canary"}},
	}))
	w := get(stages, "GET", "/prod/orders/7")
	require.Equal(t, "v1|prod|GET /orders/{id}|/orders/7|/prod/orders/7|canary|canary=true", w.Body.String())
	require.Equal(t, "d1", w.Header().Get("X-Deployment"))
	w = get(stages, "GET", "/prod/nothing")
	require.Equal(t, 404, w.Code)
	require.Equal(t, "d1", w.Header().Get("X-Deployment"), "refusals say it, too")
}

// A replacement under load: every request is answered by one version as a whole, none is lost, and
// what a shared limit has counted stays.
func TestReplaceUnderLoad(t *testing.T) {
	const admitted, each, workers = 2000, 1500, 4
	limit := gatekit.Must(throttle.New(throttle.Limit{Rate: 1e-9, Burst: admitted}))
	version := func(name string) route.Stage {
		api := gatekit.Must(route.New(route.Config{}))
		api.UseMatched(limit.Middleware)
		api.Handle("GET /orders/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := gatekit.From(r.Context())
			fmt.Fprint(w, name, rc.API.Variables["v"], rc.API.DeploymentID)
		}))
		return route.Stage{Name: "prod", API: api, Variables: map[string]string{"v": name}, Deployment: name, DeploymentHeader: "X-Deployment"}
	}
	stages := gatekit.Must(route.NewStages(version("1")))
	handler := gatekit.Must(stages.Handler("prod"))

	var ok, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for range each {
				var w *httptest.ResponseRecorder
				if i%2 == 0 {
					w = get(stages, "GET", "/prod/orders/7")
				} else {
					w = get(handler, "GET", "/orders/7")
				}
				v := w.Header().Get("X-Deployment")
				switch {
				case w.Code == 200 && w.Body.String() == v+v+v:
					ok.Add(1)
				case w.Code == 429 && w.Body.String() == `{"message":"Too Many Requests"}`:
					refused.Add(1)
				default:
					t.Errorf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for i, working := 2, true; working; i++ {
		if err := stages.Replace(version(fmt.Sprint(i % 10))); err != nil {
			t.Error(err)
		}
		select {
		case <-done:
			working = false
		default:
		}
	}
	require.EqualValues(t, admitted, ok.Load())
	require.EqualValues(t, workers*each-admitted, refused.Load())
}

// A request that has begun ends with what it began with, its variables included.
func TestReplaceWhileARequestRuns(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /slow", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-goOn
		fmt.Fprint(w, gatekit.From(r.Context()).API.Variables["v"])
	}))
	stages := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: api, Variables: map[string]string{"v": "old"}}))
	answer := make(chan string)
	go func() { answer <- get(stages, "GET", "/prod/slow").Body.String() }()
	<-began
	require.NoError(t, stages.Replace(route.Stage{Name: "prod", API: newAPI(t, route.Config{}, "new"), Variables: map[string]string{"v": "new"}}))
	close(goOn)
	require.Equal(t, "old", <-answer)
	require.Equal(t, 404, get(stages, "GET", "/prod/slow").Code)
}

func TestMethodSettingsReachTheRequest(t *testing.T) {
	ttl := 5 * time.Second
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	var got *gatekit.MethodSettings
	look := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = gatekit.From(r.Context()).MethodSettings(r.Method)
	})
	api.Handle("GET /pets/{id}", look)
	api.Handle("ANY /any", look)
	stages := gatekit.Must(route.NewStages(route.Stage{Name: "prod", API: api, MethodSettings: map[string]gatekit.MethodSettings{
		"*/*": {CachingEnabled: true, CacheTTL: ttl}, "~1pets~1{id}/GET": {}, "any/POST": {OpenCacheControl: true},
	}}))
	for target, want := range map[string]gatekit.MethodSettings{
		"GET /prod/pets/7": {},                                    // the entry of its own replaces */* as a whole
		"GET /prod/any":    {CachingEnabled: true, CacheTTL: ttl}, // no entry of its own
		"POST /prod/any":   {OpenCacheControl: true},
	} {
		method, path, _ := strings.Cut(target, " ")
		got = nil
		require.Equal(t, 200, get(stages, method, path).Code)
		require.Equal(t, &want, got, target)
	}
}
