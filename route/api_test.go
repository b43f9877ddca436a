package route_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
)

// echo answers with all that a handler sees of its route.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	rc := gatekit.From(r.Context())
	fmt.Fprintf(w, "%s|%s|id=%s|proxy=%s|%s", rc.RouteKey(), r.Pattern, r.PathValue("id"), r.PathValue("proxy"), r.URL.Path)
})

func get(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestHandlersSeeTheRoute(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	for _, key := range []string{"GET /orders/{id}", "ANY /files/{proxy+}", "GET /static", "$default"} {
		api.Handle(key, echo)
	}
	for target, want := range map[string]string{
		"GET /orders/7":            "GET /orders/{id}|GET /orders/{id}|id=7|proxy=|/orders/7",
		"GET /orders/a%2Fb?x=1":    "GET /orders/{id}|GET /orders/{id}|id=a/b|proxy=|/orders/a/b",
		"PUT /files/a//b/":         "ANY /files/{proxy+}|/files/{proxy...}|id=|proxy=a//b/|/files/a//b/",
		"GET /static":              "GET /static|GET /static|id=|proxy=|/static",
		"HEAD /static":             "$default|/|id=|proxy=|/static",
		"POST /anything/%E2%98%95": "$default|/|id=|proxy=|/anything/☕",
	} {
		method, path, _ := strings.Cut(target, " ")
		w := get(api, method, path)
		require.Equal(t, 200, w.Code, target)
		require.Equal(t, want, w.Body.String(), target)
		require.Regexp(t, `^[A-Za-z0-9_-]{15}=$`, w.Header().Get("apigw-requestid"))
	}
}

func TestRequestContext(t *testing.T) {
	identity := gatekit.API{Flavor: gatekit.REST, AccountID: "123456789012", Region: "eu-west-1", APIID: "a1b2c3", Stage: "prod"}
	api := gatekit.Must(route.New(route.Config{API: identity, TrustedProxies: []string{"192.0.2.0/24"}}))
	api.Handle("GET /a/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		require.Equal(t, identity, *rc.API)
		require.Equal(t, "/a/%41", rc.Path.Received())
		require.Equal(t, "api.example.com", rc.DomainName())
		require.Equal(t, "203.0.113.9", rc.SourceIP().String())
		require.Equal(t, "A", r.PathValue("id"))
		require.Equal(t, w.Header().Get("x-amzn-RequestId"), rc.RequestID())
		require.Equal(t, w.Header().Get("x-amz-apigw-id"), rc.ExtendedRequestID())
		require.Equal(t, "0f0e0d0c-0b0a-4908-8706-050403020100", rc.RequestID(), "the client's own")
	}))
	r := httptest.NewRequest("GET", "http://api.example.com:8443/a/%41?q", nil)
	r.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.9, 192.0.2.7")
	r.Header.Set("x-amzn-RequestId", "0F0E0D0C-0b0a-4908-8706-050403020100")
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)
}

func TestClientsChooseRequestIDsOnRESTOnly(t *testing.T) {
	const chosen = "0f0e0d0c-0b0a-4908-8706-050403020100"
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor}}))
		for header, adopted := range map[string]bool{chosen: flavor == gatekit.REST, "not-a-uuid": false, chosen + "0": false, strings.Replace(chosen, "f", "g", 1): false} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("X-Amzn-Requestid", header)
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			require.Equal(t, adopted, w.Header().Get("X-Amzn-Requestid") == header, "%v %s", flavor, header)
		}
	}
}

func TestNoRoute(t *testing.T) {
	for _, tt := range []struct {
		flavor            gatekit.Flavor
		status            int
		body, errorType   string
		requestID, second string
	}{
		{gatekit.HTTP, 404, `{"message":"Not Found"}`, "", "Apigw-Requestid", ""},
		{gatekit.REST, 403, `{"message":"Missing Authentication Token"}`, "MissingAuthenticationTokenException", "X-Amzn-Requestid", "X-Amz-Apigw-Id"},
	} {
		api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: tt.flavor}}))
		api.Handle("GET /pets", echo)
		for _, target := range []string{"GET /", "GET /cats", "POST /pets", "HEAD /pets", "PURGE /pets", "GET /pets/1", "GET /PETS", "GET /pets//"} {
			method, path, _ := strings.Cut(target, " ")
			w := get(api, method, path)
			require.Equal(t, tt.status, w.Code, target)
			if method != "HEAD" {
				require.Equal(t, tt.body, w.Body.String(), target)
			}
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			require.Equal(t, tt.errorType, w.Header().Get("x-amzn-ErrorType"))
			require.NotEmpty(t, w.Header().Get(tt.requestID))
			require.Equal(t, tt.second != "", w.Header().Get("X-Amz-Apigw-Id") != "")
			require.Empty(t, w.Header().Get("Allow"), "never a 405's header")
		}
	}
}

func TestTrailingSlashByFlavor(t *testing.T) {
	for _, tt := range []struct {
		cfg  route.Config
		want int
	}{
		{route.Config{}, 404},
		{route.Config{API: gatekit.API{Flavor: gatekit.REST}}, 200},
		{route.Config{TrailingSlash: route.TrailingSlashIgnored}, 200},
		{route.Config{API: gatekit.API{Flavor: gatekit.REST}, TrailingSlash: route.TrailingSlashDiffers}, 403},
	} {
		api := gatekit.Must(route.New(tt.cfg))
		api.Handle("GET /pets", echo)
		require.Equal(t, tt.want, get(api, "GET", "/pets/").Code, "%+v", tt.cfg)
	}
}

func TestMiddlewareOrder(t *testing.T) {
	var ran []string
	mw := func(name string) gatekit.Middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ran = append(ran, name+"("+gatekit.From(r.Context()).RouteKey()+")")
				next.ServeHTTP(w, r)
			})
		}
	}
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /a", echo, mw("own1"), mw("own2"))
	api.Use(mw("use1"), mw("use2"))
	api.UseMatched(mw("matched1"))
	api.UseMatched(mw("matched2"))
	api.Handle("$default", echo)
	get(api, "GET", "/a")
	require.Equal(t, []string{"use1()", "use2()", "matched1(GET /a)", "matched2(GET /a)", "own1(GET /a)", "own2(GET /a)"}, ran)
	ran = nil
	get(api, "GET", "/b")
	require.Equal(t, []string{"use1()", "use2()", "matched1($default)", "matched2($default)"}, ran)
}

func TestConfigErrors(t *testing.T) {
	_, err := route.New(route.Config{
		API:            gatekit.API{Flavor: gatekit.WebSocket, AccountID: "1", Region: "x", APIID: "a/b", Stage: "a b"},
		TrustedProxies: []string{"10.0.0.0/8", "nonsense", "0.0.0.0/0"}, TrustedHeader: "X-Real-IP", TrailingSlash: 9,
	})
	for _, want := range []string{
		`API.AccountID: want 12 digits, got "1"`, `API.Region: want a region such as "us-east-1", got "x"`, `API.APIID: want`, `API.Stage: want`,
		"Config.Flavor: want HTTP or REST, got WebSocket", `prefixes[1]: want an address or a prefix`, "prefixes[2]: want the proxies' own networks",
		`header: want X-Forwarded-For or Forwarded, got "X-Real-IP"`, "Config.TrailingSlash: want one of its constants, got 9",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestSetUpErrors(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	require.NoError(t, api.Add("GET /a/{x}", echo))
	require.EqualError(t, api.Add("GET /a/{y}", echo), `route: API.Add: "GET /a/{y}": want routes that match different requests, but "GET /a/{x}" matches the same`)
	require.EqualError(t, api.Add("GET /a/{x}", echo), `route: API.Add: "GET /a/{x}": want each route once, but it is there already`)
	require.ErrorContains(t, api.Add("GET a", echo), "begins with /")
	require.ErrorContains(t, api.Add("GET /b", nil), "want a handler, got nil")
	require.ErrorContains(t, api.Add("GET /b", echo, nil), "middleware 0")
	require.PanicsWithValue(t, `route: API.Add: "GET a": want a path that begins with /`, func() { api.Handle("GET a", echo) })
	require.Panics(t, func() { api.Use(nil) })
	require.Equal(t, 404, get(api, "GET", "/b").Code)

	require.ErrorContains(t, api.Add("GET /b", echo), "the set-up ended with the first request")
	require.Panics(t, func() { api.Handle("GET /b", echo) })
	require.Panics(t, func() { api.Use(func(next http.Handler) http.Handler { return next }) })
}

func TestRoutesCanBeWalked(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	describe := gatekit.Must(gatekit.Describe(gatekit.API{}))
	api.Handle("GET /a", echo, describe)
	api.Handle("$default", echo)
	var keys, kinds []string
	for key, h := range api.Routes() {
		keys = append(keys, key)
		for s, ok := h.(gatekit.Station); ok; s, ok = h.(gatekit.Station) {
			var kind string
			kind, h = s.Station()
			kinds = append(kinds, kind)
		}
	}
	require.Equal(t, []string{"GET /a", "$default"}, keys)
	require.Equal(t, []string{"describe"}, kinds)
}

func TestMatch(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{RejectEncodedSlash: true}))
	api.Handle("GET /a/{x}", echo)
	require.Equal(t, "GET /a/{x}", api.Match("GET", "/a/b"))
	require.Equal(t, "GET /a/{x}", api.Match("GET", "/a/%62"))
	for _, path := range []string{"/a", "/a/..", "/a/%2e%2e", "/a/b%2Fc", "/a/%zz", "/a/%00", "*", ""} {
		require.Empty(t, api.Match("GET", path), path)
	}
}

// Described from outside, an API without an identity of its own keeps that.
func TestDescribedFromOutside(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	h := gatekit.Chain(api, gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST})))
	require.Equal(t, 403, get(h, "GET", "/").Code)
}

func TestUnderServeMux(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s %s", r.PathValue("tenant"), r.PathValue("id"), r.Pattern, gatekit.From(r.Context()).Path.Received())
	}))
	mux := http.NewServeMux()
	mux.Handle("/{tenant}/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/"+r.PathValue("tenant"), api).ServeHTTP(w, r)
		_, _ = io.WriteString(w, " "+r.PathValue("id")+r.Pattern)
	}))
	require.Equal(t, "acme 7 GET /orders/{id} /acme/orders/7 /{tenant}/", get(mux, "GET", "/acme/orders/7").Body.String())
}

// A handler that outlives its request, in a chain with TimeoutHandler in its middle and a router
// with the same variables outside.
func TestOutlivingHandler(t *testing.T) {
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		outlive(t, flavor)
	}
}

func outlive(t *testing.T, flavor gatekit.Flavor) {
	release, done := make(chan struct{}), make(chan struct{})
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor}}))
	api.Use(func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Millisecond, "late") })
	api.Handle("GET /{id}/{other}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		<-release
		rc := gatekit.From(r.Context())
		_, _, _ = r.PathValue("id"), rc.RouteKey(), rc.RequestID()
		rc.SetIntegration(gatekit.Integration{Status: 200})
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout})
	}))
	mux := http.NewServeMux()
	mux.HandleFunc("/{id}/{rest...}", func(w http.ResponseWriter, r *http.Request) {
		rc, r := gatekit.Attach(r)
		api.ServeHTTP(w, r)
		require.Equal(t, "a", r.PathValue("id"))
		require.Equal(t, "b", r.PathValue("rest"))
		require.Nil(t, rc.Rejection())
		require.Nil(t, rc.Integration())
	})
	w := get(mux, "GET", "/a/b")
	require.Equal(t, 503, w.Code)
	close(release)
	for _, values := range w.Header() { // the server writes them out, while the handler refuses
		require.NotEmpty(t, values[0])
	}
	<-done
}

func TestConcurrentFirstRequests(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	built := 0
	api.Use(func(next http.Handler) http.Handler { built++; return next })
	api.Handle("GET /{id}", echo)
	done := make(chan int, 8)
	for range cap(done) {
		go func() { done <- get(api, "GET", "/x").Code }()
	}
	for range cap(done) {
		require.Equal(t, 200, <-done)
	}
	require.Equal(t, 1, built)
}
