package route_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
)

// Every refused path gets the flavor's 400 before a route's middlewares could take it for another
// one. What stands in Use sees it: CORS and the access log are for refusals too.
func TestAmbiguousPathsAreRefusedFirst(t *testing.T) {
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		ran, logged := false, 0
		authorizer := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ran = true })
		}
		api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor}}))
		api.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				require.Equal(t, 400, gatekit.From(r.Context()).Rejection().StatusFor(flavor))
				logged++
			})
		})
		api.UseMatched(authorizer)
		api.Handle("$default", echo, authorizer)
		for i, path := range []string{
			"/..", "/.", "/a/../b", "/a/./b", "/a/..", "/%2e%2e/x", "/a/%2E", "/a/.%2e/b", "/a%2F..%2Fb", "/a/..%2fb", "/a\\b", "/a%5Cb", "/..%5c", "/a%00", "/%00",
		} {
			w := get(api, "GET", path)
			require.Equal(t, 400, w.Code, path)
			require.Equal(t, `{"message":"Bad Request"}`, w.Body.String(), path)
			require.False(t, ran, path)
			require.Equal(t, i+1, logged)
		}
	}
}

func TestRejectEncodedSlash(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{RejectEncodedSlash: true}))
	api.Handle("$default", echo)
	require.Equal(t, 400, get(api, "GET", "/a%2Fb").Code)
	require.Equal(t, 400, get(api, "GET", "/a%2fb").Code)
	require.Equal(t, 200, get(api, "GET", "/a%252Fb").Code)
}

// Whatever stands in the request line of a real connection is answered with less than 500, and no
// handler gets a path it shouldn't.
func TestRequestLines(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /admin", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "admin") }))
	api.Handle("ANY /public/{proxy+}", echo)
	server := httptest.NewServer(api)
	defer server.Close()
	for target, want := range map[string]int{
		"GET /admin":                     200,
		"GET /public/../admin":           400,
		"GET /public/%2e%2e/admin":       400,
		"GET /public/%2e%2e%2fadmin":     400,
		"GET /public/x%2Fy":              200,
		"GET //admin":                    404,
		"GET /admin/":                    404,
		"GET /ADMIN":                     404,
		"GET /admin%2F":                  404,
		"GET /admin;x=1":                 404,
		"GET /%61dmin":                   200,
		"GET /admin?":                    200,
		"GET /admin%3F":                  404,
		"GET /public/%ff%fe":             200,
		"GET /public/\xff":               200,
		"GET /%zz":                       400,
		"GET /%":                         400,
		"GET admin":                      400,
		"GET *":                          404,
		"OPTIONS *":                      200, // net/http's own answer
		"GET http://other.example/admin": 200,
		"GET http://other.example/public/../admin":  400,
		"GET http://other.example":                  404,
		"CONNECT other.example:443":                 404,
		"get /admin":                                404,
		"GET /public/" + strings.Repeat("a/", 5000): 200,
		"GET /" + strings.Repeat("%2e", 5000):       404,
		"GET " + strings.Repeat("/", 10000):         404,
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n", target)
		w, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, target)
		require.Equal(t, want, w.StatusCode, target)
		w.Body.Close()
		conn.Close()
	}
}

// A request that no server has parsed may hold anything.
func TestOddRequests(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /{id}", echo)
	for _, r := range []*http.Request{
		{Method: "GET", URL: &url.URL{}},
		{Method: "", URL: &url.URL{Path: "/x"}},
		{Method: "GET", URL: &url.URL{Path: "x"}, RemoteAddr: "nonsense", RequestURI: "?"},
		{Method: "GET", URL: &url.URL{Path: "/x", RawPath: "/%zz"}, Host: "[::1"},
		{Method: "GET", URL: &url.URL{Path: "/a/b", RawPath: "/x%2Fy"}, Host: ":"},
		{Method: "GET", URL: &url.URL{Path: "/x", Opaque: "//y"}, Host: strings.Repeat(":", 1000)},
	} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		require.Less(t, w.Code, 500)
	}
}

func TestSpoofedAddressHasNoEffect(t *testing.T) {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("$default", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, gatekit.SourceIP(r))
	}))
	r := httptest.NewRequest("GET", "/", nil)
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip", "Forwarded"} {
		r.Header.Set(name, "for=10.0.0.1")
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	require.Equal(t, "192.0.2.1", w.Body.String())
}

// FuzzStageInPath: behind a stage's name in the path, an API sees what it sees behind a domain that
// names the stage, whatever is encoded in it.
func FuzzStageInPath(f *testing.F) {
	for _, path := range []string{"/", "/a/b", "/a%2Fb", "/a/%2e%2e/b", "//dev/a", "/dev/a", "/%64ev", "/f/x/y%20z", "/a/b;c", "/f/%C3%A9", "/f/\xe9", "/a/%zz", "/a?b=/c"} {
		f.Add(path)
	}
	api := gatekit.Must(route.New(route.Config{}))
	tell := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		fmt.Fprintf(w, "%s %s %q %q %q", rc.API.Stage, rc.RouteKey(), r.URL.EscapedPath(), r.PathValue("x"), r.PathValue("proxy"))
	})
	for _, key := range []string{"GET /", "GET /a/{x}", "GET /{x}", "GET /f/{proxy+}", "GET /dev/a"} {
		api.Handle(key, tell)
	}
	stages := gatekit.Must(route.NewStages(route.Stage{Name: "dev", API: api}))
	domain := gatekit.Must(stages.Handler("dev"))
	f.Fuzz(func(t *testing.T, path string) {
		ask := func(h http.Handler, target string) string {
			u, err := url.ParseRequestURI(target)
			if err != nil {
				return "no URL"
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, &http.Request{Method: "GET", URL: u, Header: http.Header{}, RequestURI: target})
			return fmt.Sprint(w.Code, " ", w.Body)
		}
		if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") { // which net/http reads as a host
			require.Equal(t, ask(domain, path), ask(stages, "/dev"+path), path)
		}
	})
}
