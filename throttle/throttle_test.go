package throttle_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

var ok = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})

func from(remoteAddr string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = remoteAddr
	return r
}

func onRoute(key string) *http.Request {
	rc, r := gatekit.Attach(from("192.0.2.1:1"))
	rc.Route = &gatekit.Route{Key: key}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRefusal(t *testing.T) {
	for _, tt := range []struct {
		flavor    gatekit.Flavor
		errorType string
	}{{gatekit.HTTP, ""}, {gatekit.REST, "TooManyRequestsException"}} {
		l := gatekit.Must(throttle.New(throttle.Limit{Rate: 0.1, Burst: 1}))
		h := gatekit.Chain(ok, gatekit.Must(gatekit.Describe(gatekit.API{Flavor: tt.flavor})), l.Middleware)
		require.Equal(t, 200, serve(h, from("192.0.2.1:1")).Code)
		w := serve(h, from("192.0.2.1:1"))
		require.Equal(t, 429, w.Code)
		require.Equal(t, `{"message":"Too Many Requests"}`, w.Body.String())
		require.Equal(t, "31", w.Header().Get("Content-Length"))
		require.Equal(t, "10", w.Header().Get("Retry-After"))
		require.Equal(t, tt.errorType, w.Header().Get("x-amzn-ErrorType"))
	}
}

func TestRefill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keyed := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 2, Burst: 4}, throttle.KeyConfig{Key: throttle.ByIP}))
		stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &throttle.Limit{Rate: 2, Burst: 4}}))
		one := gatekit.Must(throttle.New(throttle.Limit{Rate: 2, Burst: 4}))
		for name, check := range map[string]func(*http.Request) error{"keyed": keyed.Check, "stage": stage.Check, "one": one.Check} {
			admit := func(n int) {
				t.Helper()
				for range n {
					require.NoError(t, check(from("192.0.2.1:1")), name)
				}
				var rejection *gatekit.Rejection
				require.ErrorAs(t, check(from("192.0.2.1:1")), &rejection, name)
				require.Equal(t, gatekit.Throttled, rejection.Type)
			}
			admit(4) // full at first
			time.Sleep(500 * time.Millisecond)
			admit(1) // a refused request took nothing
			time.Sleep(1250 * time.Millisecond)
			admit(2) // and a half, which is kept
			time.Sleep(250 * time.Millisecond)
			admit(1)
			time.Sleep(time.Hour)
			admit(4) // never more than the burst
		}
	})
}

func TestLimitErrors(t *testing.T) {
	for _, l := range []throttle.Limit{{math.NaN(), -1}, {math.Inf(1), -1}, {math.Inf(-1), -1}, {-1, -1}} {
		_, err := throttle.New(l)
		require.ErrorContains(t, err, "throttle: Limit.Rate: want a finite number")
		require.ErrorContains(t, err, "throttle: Limit.Burst: want 0 or more, got -1")
		_, err = throttle.NewPerKey(l, throttle.KeyConfig{MaxKeys: -1})
		for _, want := range []string{"Limit.Rate:", "Limit.Burst:", "KeyConfig.Key: want a function", "KeyConfig.MaxKeys: want 0 or more, got -1"} {
			require.ErrorContains(t, err, want)
		}
		_, err = throttle.NewStage(throttle.StageConfig{Default: &l, Routes: map[string]*throttle.Limit{"GET /a": &l, "/b": nil}})
		for _, want := range []string{"StageConfig.Default.Rate:", "StageConfig.Default.Burst:", `StageConfig.Routes["GET /a"].Rate:`, `StageConfig.Routes["/b"]: want $default, or a method`} {
			require.ErrorContains(t, err, want)
		}
	}
	_, err := throttle.NewPerKey(throttle.Limit{Rate: 1e-12, Burst: 1000}, throttle.KeyConfig{Key: throttle.ByIP})
	require.ErrorContains(t, err, "full again within 100 years")
	_, err = throttle.NewConcurrent(-1)
	require.ErrorContains(t, err, "want 0 or more, got -1")
	_, err = throttle.ByIPPrefix(0, 129)
	require.ErrorContains(t, err, "v4: want 1 to 32, got 0")
	require.ErrorContains(t, err, "v6: want 1 to 128, got 129")
}

// One zero beside a number is an outage by typo: it is refused wherever a Limit is taken, with what
// to write instead.
func TestOneZeroBesideANumber(t *testing.T) {
	key := throttle.KeyConfig{Key: throttle.ByIP}
	for _, tt := range []struct {
		name, want string
		limit      throttle.Limit
	}{
		{"no-rate", "Rate 0 beside Burst 5", throttle.Limit{Burst: 5}},
		{"negative-zero-rate", "Rate 0 beside Burst 5", throttle.Limit{Rate: math.Copysign(0, -1), Burst: 5}},
		{"no-burst", "Burst 0 beside Rate 5", throttle.Limit{Rate: 5}},
		{"no-burst-of-a-small-rate", "Burst 0 beside Rate 0.001", throttle.Limit{Rate: 0.001}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, one := throttle.New(tt.limit)
			_, keyed := throttle.NewPerKey(tt.limit, key)
			_, deflt := throttle.NewStage(throttle.StageConfig{Default: &tt.limit})
			_, routes := throttle.NewStage(throttle.StageConfig{Routes: map[string]*throttle.Limit{"GET /a": &tt.limit}})
			for name, err := range map[string]error{"new": one, "keyed": keyed, "default": deflt, "routes": routes} {
				require.ErrorContains(t, err, tt.want, name)
				require.ErrorContains(t, err, "Limit{} says that in full", name)
			}
		})
	}
}

// 0 blocks, absent doesn't limit: the difference that an importer must keep.
func TestZeroBlocksAndNilDoesNot(t *testing.T) {
	for _, l := range []throttle.Limit{{}, {Rate: math.Copysign(0, -1)}} {
		one := gatekit.Must(throttle.New(l))
		keyed := gatekit.Must(throttle.NewPerKey(l, throttle.KeyConfig{Key: throttle.ByIP}))
		stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &l, Routes: map[string]*throttle.Limit{"GET /free": nil}}))
		for _, mw := range []gatekit.Middleware{one.Middleware, keyed.Middleware, stage.Middleware} {
			w := serve(mw(ok), onRoute("GET /a"))
			require.Equal(t, 429, w.Code)
			require.Empty(t, w.Header().Get("Retry-After"), "there is nothing to wait for")
		}
		require.NoError(t, stage.Check(onRoute("GET /free")))
	}
	unlimited := gatekit.Must(throttle.NewStage(throttle.StageConfig{}))
	for range 100_000 {
		require.NoError(t, unlimited.Check(onRoute("GET /a")))
	}
}

func TestStageLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := gatekit.Must(throttle.New(throttle.Limit{Rate: 1, Burst: 6}))
		cfg := throttle.StageConfig{
			Account: account, Default: &throttle.Limit{Rate: 1, Burst: 2},
			Routes: map[string]*throttle.Limit{"GET /wide": {Rate: 1, Burst: 100}, "GET /narrow": {Rate: 1, Burst: 1}},
		}
		one, other := gatekit.Must(throttle.NewStage(cfg)), gatekit.Must(throttle.NewStage(cfg))
		admitted := func(s *throttle.Stage, key string, n int) (count int) {
			for range n {
				if s.Check(onRoute(key)) == nil {
					count++
				}
			}
			return count
		}
		require.Equal(t, 1, admitted(one, "GET /narrow", 3))
		require.Equal(t, 2, admitted(one, "GET /a", 3))
		require.Equal(t, 2, admitted(one, "GET /b", 3), "the default gives each route a bucket of its own")
		require.Equal(t, 1, admitted(other, "GET /wide", 3), "the account's bucket is shared by stages: 6 in all")
		require.Equal(t, 0, admitted(other, "GET /c", 3))
		time.Sleep(time.Minute)
		require.Equal(t, 6, admitted(one, "GET /wide", 10))
	})
}

// Where the account refuses, the route keeps its tokens, however often.
func TestRefusedByTheAccountCostsTheRouteNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := gatekit.Must(throttle.New(throttle.Limit{Rate: 0.001, Burst: 1}))
		stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Account: account, Default: &throttle.Limit{Rate: 0.0001, Burst: 2}}))
		require.NoError(t, stage.Check(onRoute("GET /a")))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 1000 {
					if stage.Check(onRoute("GET /a")) == nil {
						panic("the account's bucket is empty")
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(1000 * time.Second) // a token for the account; a tenth of one for the route, which still has one
		require.NoError(t, stage.Check(onRoute("GET /a")))
		time.Sleep(1000 * time.Second)
		require.Error(t, stage.Check(onRoute("GET /a")))
	})
}

func TestStageWithoutRoute(t *testing.T) {
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &throttle.Limit{Rate: 0.001, Burst: 1}}))
	require.NoError(t, stage.Check(from("192.0.2.1:1")))
	require.Error(t, stage.Check(from("192.0.2.2:1")), "requests without a route share a bucket")
	require.NoError(t, stage.Check(onRoute("GET /a")))
}

func TestNoRetryAfter(t *testing.T) {
	limit := throttle.Limit{Rate: 0.001, Burst: 1}
	l := gatekit.Must(throttle.New(limit))
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &limit, NoRetryAfter: true}))
	keyed := gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Key: throttle.ByIP, NoRetryAfter: true}))
	for _, mw := range []gatekit.Middleware{l.NoRetryAfter().Middleware, stage.Middleware, keyed.Middleware} {
		h := mw(ok)
		serve(h, from("192.0.2.1:1"))
		w := serve(h, from("192.0.2.1:1"))
		require.Equal(t, 429, w.Code)
		require.NotContains(t, w.Header(), "Retry-After")
	}
	require.Error(t, l.Check(nil), "one bucket")
}

func TestKeys(t *testing.T) {
	authorized := func(principal string, claims map[string]any) *http.Request {
		rc, r := gatekit.Attach(from("192.0.2.1:1"))
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: principal, Claims: claims})
		return r
	}
	withHeader := func(values ...string) *http.Request {
		r := from("192.0.2.1:1")
		r.Header["X-Api-Key"] = values
		return r
	}
	found, r := gatekit.Attach(withHeader("sent"))
	found.SetAPIKey("found", "")
	wide := gatekit.Must(throttle.ByIPPrefix(24, 48))
	for _, tt := range []struct {
		name string
		key  throttle.KeyFunc
		r    *http.Request
		want string
	}{
		{"ip4", throttle.ByIP, from("192.0.2.1:1"), "192.0.2.1"},
		{"ip6", throttle.ByIP, from("[2001:db8:1:2:3:4:5:6]:1"), "2001:db8:1:2::/64"},
		{"ip4-in-6", throttle.ByIP, from("[::ffff:192.0.2.1]:1"), "192.0.2.1"},
		{"zone", throttle.ByIP, from("[fe80::1%eth0]:1"), "fe80::/64"},
		{"no-ip", throttle.ByIP, from("@"), ""},
		{"prefix4", wide, from("192.0.2.1:1"), "192.0.2.0/24"},
		{"prefix6", wide, from("[2001:db8:1:2::1]:1"), "2001:db8:1::/48"},
		{"prefix-no-ip", wide, from(""), ""},
		{"header", throttle.ByHeader("x-api-key"), withHeader("k"), "k"},
		{"no-header", throttle.ByHeader("x-other"), withHeader("k"), ""},
		{"api-key-sent", throttle.ByAPIKey, withHeader("sent"), "sent"},
		{"api-key-found", throttle.ByAPIKey, r, "found"},
		{"principal", throttle.ByPrincipal, authorized("u1", nil), "u1"},
		{"no-principal", throttle.ByPrincipal, from("192.0.2.1:1"), ""},
		{"claim", throttle.ByClaim("n"), authorized("u1", map[string]any{"n": 7}), "7"},
		{"no-claim", throttle.ByClaim("n"), authorized("u1", nil), ""},
		{"claim-unauthorized", throttle.ByClaim("n"), from("192.0.2.1:1"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.key(tt.r)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestKeyErrors(t *testing.T) {
	limit := throttle.Limit{Rate: 1, Burst: 100}
	for _, headers := range []bool{false, true} {
		teapot := gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Headers: headers, Key: func(*http.Request) (string, error) {
			return "", &gatekit.Rejection{Type: gatekit.Unauthorized}
		}}))
		require.Equal(t, 401, serve(teapot.Middleware(ok), from("192.0.2.1:1")).Code)
		broken := gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Headers: headers, Key: func(*http.Request) (string, error) {
			return "", fmt.Errorf("the secret is 42")
		}}))
		w := serve(broken.Middleware(ok), from("192.0.2.1:1"))
		require.Equal(t, 500, w.Code)
		require.Equal(t, `{"message":"Internal Server Error"}`, w.Body.String())
		twice := gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Headers: headers, Key: throttle.Join(throttle.ByIP, throttle.ByHeader("X-Tenant"))}))
		r := from("192.0.2.1:1")
		r.Header["X-Tenant"] = []string{"a", "b"}
		require.Equal(t, 400, serve(twice.Middleware(ok), r).Code)
	}
}

func TestRateLimitHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 0.5, Burst: 2}, throttle.KeyConfig{Key: throttle.ByIP, Headers: true, XHeaders: true}))
		h := k.Middleware(ok)
		for _, want := range []struct {
			status          int
			left, reset     string
			retryAfterEmpty bool
		}{{200, "1", "2", true}, {200, "0", "4", true}, {429, "0", "4", false}} {
			w := serve(h, from("192.0.2.1:1"))
			require.Equal(t, want.status, w.Code)
			require.Equal(t, `"default";q=2;w=4`, w.Header().Get("RateLimit-Policy"))
			require.Equal(t, `"default";r=`+want.left+`;t=`+want.reset, w.Header().Get("RateLimit"))
			require.Equal(t, "2", w.Header().Get("X-RateLimit-Limit"))
			require.Equal(t, want.left, w.Header().Get("X-RateLimit-Remaining"))
			require.Equal(t, want.reset, w.Header().Get("X-RateLimit-Reset"))
			require.Equal(t, want.retryAfterEmpty, w.Header().Get("Retry-After") == "")
		}
	})
}

func TestConcurrent(t *testing.T) {
	c := gatekit.Must(throttle.NewConcurrent(2))
	hold, held := make(chan struct{}), make(chan struct{}, 2)
	h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held <- struct{}{}
		<-hold
	}))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { serve(h, from("192.0.2.1:1")) })
	}
	<-held
	<-held
	require.Equal(t, 2, c.InFlight())
	w := serve(h, from("192.0.2.1:1"))
	require.Equal(t, 429, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	close(hold)
	wg.Wait()
	require.Equal(t, 0, c.InFlight())

	panicking := c.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	require.Panics(t, func() { serve(panicking, from("192.0.2.1:1")) })
	require.Equal(t, 0, c.InFlight(), "a panic gives its place back")

	none := gatekit.Must(throttle.NewConcurrent(0))
	require.Equal(t, 429, serve(none.Middleware(ok), from("192.0.2.1:1")).Code)
}

func TestStations(t *testing.T) {
	limit := throttle.Limit{Rate: 1, Burst: 1}
	keyed := gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Key: throttle.ByIP, Headers: true}))
	h := gatekit.Chain(ok, throttle.NewAccount().Middleware, gatekit.Must(throttle.NewConcurrent(1)).Middleware, keyed.Middleware)
	var kinds []string
	for s, isStation := h.(gatekit.Station); isStation; s, isStation = h.(gatekit.Station) {
		var kind string
		kind, h = s.Station()
		kinds = append(kinds, kind)
	}
	require.Equal(t, []string{"throttle", "concurrency", "throttle"}, kinds)
}

// What a stage took can be given back, to each of its levels, and no level gets more than it holds.
func TestStageGiveBack(t *testing.T) {
	for name, cfg := range map[string]throttle.StageConfig{
		"route-and-account": {Account: gatekit.Must(throttle.New(throttle.Limit{Rate: 1, Burst: 2})), Default: &throttle.Limit{Rate: 1, Burst: 2}},
		"account":           {Account: gatekit.Must(throttle.New(throttle.Limit{Rate: 1, Burst: 2}))},
		"route":             {Default: &throttle.Limit{Rate: 1, Burst: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, r := gatekit.Must(throttle.NewStage(cfg)), onRoute("GET /a")
				for range 3 {
					require.NoError(t, s.Check(r))
					require.NoError(t, s.Check(r))
					require.Error(t, s.Check(r))
					s.GiveBack(r)
					require.NoError(t, s.Check(r))
					require.Error(t, s.Check(r))
					time.Sleep(time.Hour)
					s.GiveBack(r)
				}
			})
		})
	}
	none := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &throttle.Limit{}}))
	none.GiveBack(onRoute("GET /a"))
	require.Error(t, none.Check(onRoute("GET /a")))
}

// routed is a request that another router has sent here by a pattern.
func routed(pattern string) *http.Request {
	r := from("192.0.2.1:1")
	r.Pattern = pattern
	return r
}

func statusOf(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 200
	}
	var why *gatekit.Rejection
	require.ErrorAs(t, err, &why)
	return why.StatusFor(gatekit.HTTP)
}

// What is listed by route key never passes because nobody tells the route.
func TestListedRoutesWithoutARoute(t *testing.T) {
	blocked := throttle.StageConfig{Routes: map[string]*throttle.Limit{"GET /pets/{id}": {}, "GET /free/{id}": nil, "ANY /all": {}}}
	withDefault := blocked
	withDefault.Default = &throttle.Limit{Rate: 1e6, Burst: 1e6}
	for _, cfg := range []throttle.StageConfig{blocked, withDefault} {
		stage := gatekit.Must(throttle.NewStage(cfg))
		for _, tt := range []struct {
			name string
			r    *http.Request
			want int
		}{
			{"no-router", from("192.0.2.1:1"), 500},
			{"its-key", onRoute("GET /pets/{id}"), 429},
			{"its-pattern", routed("GET /pets/{id}"), 429},
			{"its-pattern-on-a-host", routed("GET pets.example.com/pets/{id}"), 429},
			{"under-another-variable", routed("GET /pets/{petId}"), 429},
			{"under-another-variable-once-more", routed("GET /pets/{petId}"), 429},
			{"another-method", routed("POST /pets/{id}"), 200},
			{"another-route", routed("GET /dogs"), 200},
			{"a-subtree", routed("GET /pets/"), 200},
			{"without-a-limit", routed("GET /free/{x}"), 200},
			{"chi's-pattern", routed("/pets/{id}"), 500},
			{"a-pattern-of-any-method", routed("/all"), 500},
			{"a-stated-key-of-any-method", onRoute("ANY /all"), 429},
			{"stated-for-any-method", onRoute("ANY /pets/{id}"), 429},
			{"stated-for-any-method-under-another-variable", onRoute("ANY /pets/{petId}"), 429},
			{"stated-for-any-method-without-a-limit", onRoute("ANY /free/{x}"), 200},
			{"stated-for-any-method-of-another-route", onRoute("ANY /dogs/{id}"), 200},
			{"everything", routed("/"), 500},
			{"a-stated-default", onRoute("$default"), 200},
			{"no-pattern-at-all", routed("nonsense"), 500},
		} {
			require.Equal(t, tt.want, statusOf(t, stage.Check(tt.r)), tt.name)
			if tt.r.Pattern != "" { // a station in front has attached already
				_, r := gatekit.Attach(tt.r)
				require.Equal(t, tt.want, statusOf(t, stage.Check(r)), "%s, attached", tt.name)
			}
		}
	}
	_, err := throttle.NewStage(throttle.StageConfig{Routes: map[string]*throttle.Limit{"GET /a/{x}": nil, "GET /a/{y}": nil}})
	require.ErrorContains(t, err, `throttle: StageConfig.Routes["GET /a/{y}"]: want each route once`)
}

// A mux within a mux: the inner one's pattern counts.
func TestListedRoutesBehindTwoRouters(t *testing.T) {
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Routes: map[string]*throttle.Limit{"GET /pets/{id}": {}}}))
	inner := http.NewServeMux()
	inner.Handle("GET /pets/{id}", stage.Middleware(ok))
	describe := gatekit.Must(gatekit.Describe(gatekit.API{})) // attaches while the outer pattern is known
	for _, pattern := range []string{"/", "GET /api/", "/api/"} {
		outer := http.NewServeMux()
		outer.Handle(pattern, describe(http.StripPrefix("/api", inner)))
		require.Equal(t, 429, serve(outer, httptest.NewRequest("GET", "/api/pets/1", nil)).Code, pattern)
	}
}

// Routes that make keys up don't make more buckets than the bound, and those that are listed keep
// theirs.
func TestListedRoutesBeyondTheBound(t *testing.T) {
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &throttle.Limit{Rate: 1e-6, Burst: 1}, Routes: map[string]*throttle.Limit{"GET /pets/{id}": {}}}))
	admitted := 0
	for i := range 10_100 {
		if stage.Check(onRoute(fmt.Sprintf("GET /%d", i))) == nil {
			admitted++
		}
	}
	require.Less(t, admitted, 10_010)
	require.Equal(t, 429, statusOf(t, stage.Check(onRoute("GET /pets/{petId}"))))
}

func TestLimitOnARoute(t *testing.T) {
	account := gatekit.Must(throttle.New(throttle.Limit{Rate: 1e-6, Burst: 10}))
	stage := gatekit.Must(throttle.NewStage(throttle.StageConfig{Account: account, Default: &throttle.Limit{Rate: 1e-6, Burst: 1}}))
	other := gatekit.Must(throttle.NewStage(throttle.StageConfig{Default: &throttle.Limit{Rate: 1e-6, Burst: 2}}))
	three := gatekit.Must(stage.Limit(throttle.Limit{Rate: 1e-6, Burst: 3}))
	admits := func(h http.Handler, r *http.Request) (n int) {
		for n < 50 && serve(h, r).Code == 200 {
			n++
		}
		return n
	}
	own := gatekit.Chain(ok, stage.Middleware, three)
	require.Equal(t, 3, admits(own, onRoute("GET /a")), "in place of Default")
	require.Equal(t, 3, admits(three(ok), onRoute("GET /a")), "a bucket for each handler, and no key needed")
	require.Equal(t, 1, admits(stage.Middleware(ok), onRoute("GET /b")), "Default for the others")
	require.Equal(t, 3, admits(three(ok), from("192.0.2.1:1")), "one token of the account each: 3 + 3 + 1 + 3 are 10")
	require.Equal(t, 0, admits(three(ok), from("192.0.2.1:1")), "and the account has no more")
	loose := gatekit.Must(throttle.NewStage(throttle.StageConfig{}))
	require.Equal(t, 2, admits(gatekit.Chain(ok, other.Middleware, gatekit.Must(loose.Limit(throttle.Limit{Rate: 1e-6, Burst: 5}))), onRoute("GET /a")), "of another stage: both hold")
	_, err := stage.Limit(throttle.Limit{Rate: math.NaN(), Burst: 1})
	require.ErrorContains(t, err, "throttle: Limit.Rate:")
	require.Equal(t, 0, admits(gatekit.Must(stage.Limit(throttle.Limit{}))(ok), onRoute("GET /a")), "Limit{} blocks")
}
