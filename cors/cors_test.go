package cors_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
)

var full = cors.Config{
	AllowOrigins:     []string{"https://myapp.com", "https://other.example:8443"},
	AllowMethods:     []string{"GET", "POST", "PUT", "DELETE"},
	AllowHeaders:     []string{"Authorization", "Content-Type"},
	ExposeHeaders:    []string{"Date", "X-Total"},
	AllowCredentials: true,
	MaxAge:           time.Hour,
}

func preflight(origin, method, headers string) *http.Request {
	r := httptest.NewRequest("OPTIONS", "/orders/1", nil)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", method)
	if headers != "" {
		r.Header.Set("Access-Control-Request-Headers", headers)
	}
	return r
}

func actual(origin string) *http.Request {
	r := httptest.NewRequest("GET", "/orders/1", nil)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	return r
}

func serve(c *cors.CORS, next http.HandlerFunc, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.Middleware(next).ServeHTTP(w, r)
	return w
}

func notCalled(t *testing.T) http.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }
}

const preflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

var fullPreflight = http.Header{
	"Access-Control-Allow-Origin":      {"https://myapp.com"},
	"Access-Control-Allow-Methods":     {"GET,POST,PUT,DELETE"},
	"Access-Control-Allow-Headers":     {"Authorization,Content-Type"},
	"Access-Control-Allow-Credentials": {"true"},
	"Access-Control-Max-Age":           {"3600"},
	"Vary":                             {preflightVary},
}

// refusedPreflight is 204 and nothing that a browser would take for permission.
var refusedPreflight = http.Header{"Vary": {preflightVary}}

func TestPreflight(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	manyNames := strings.TrimSuffix(strings.Repeat("authorization,", 64), ",")
	for _, tt := range []struct {
		name string
		r    *http.Request
		want http.Header
	}{
		{"allowed", preflight("https://myapp.com", "PUT", "authorization,content-type"), fullPreflight},
		{"no-headers-asked", preflight("https://myapp.com", "GET", ""), fullPreflight},
		{"safelisted-method", preflight("https://myapp.com", "HEAD", ""), fullPreflight},
		{"not-as-browsers-send", preflight("https://myapp.com", "GET", "Content-Type, Authorization"), fullPreflight},
		{"names-64", preflight("https://myapp.com", "GET", manyNames), fullPreflight},
		{"other-origin", preflight("https://evil.com", "PUT", ""), refusedPreflight},
		{"other-method", preflight("https://myapp.com", "PATCH", ""), refusedPreflight},
		{"method-in-lower-case", preflight("https://myapp.com", "put", ""), refusedPreflight},
		{"other-header", preflight("https://myapp.com", "PUT", "authorization,x-other"), refusedPreflight},
		{"names-65", preflight("https://myapp.com", "GET", manyNames+",authorization"), refusedPreflight},
		{"names-over-8-kb", preflight("https://myapp.com", "GET", "a"+strings.Repeat("b", 8<<10)), refusedPreflight},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := serve(c, notCalled(t), tt.r)
			require.Equal(t, 204, w.Code)
			require.Empty(t, w.Body.String())
			require.Equal(t, tt.want, w.Header())
		})
	}
	twice := preflight("https://myapp.com", "GET", "")
	twice.Header["Origin"] = []string{"https://myapp.com", "https://evil.com"}
	require.Equal(t, refusedPreflight, serve(c, notCalled(t), twice).Header())
	twice = preflight("https://myapp.com", "GET", "")
	twice.Header["Access-Control-Request-Method"] = []string{"GET", "PATCH"}
	require.Equal(t, refusedPreflight, serve(c, notCalled(t), twice).Header())
}

func TestPreflightOfSmallConfigurations(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  cors.Config
		r    *http.Request
		want http.Header
	}{
		{"any-origin", cors.Config{AllowOrigins: []string{"*"}}, preflight("https://a.com", "GET", ""),
			http.Header{"Access-Control-Allow-Origin": {"*"}, "Vary": {preflightVary}}},
		{"null-matches-any", cors.Config{AllowOrigins: []string{"*"}}, preflight("null", "GET", ""),
			http.Header{"Access-Control-Allow-Origin": {"*"}, "Vary": {preflightVary}}},
		{"any-everything", cors.Config{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}, AllowHeaders: []string{"*", "Authorization"}, MaxAge: -1},
			preflight("https://a.com", "PATCH", "authorization,x-any"),
			http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"*"}, "Access-Control-Allow-Headers": {"*,Authorization"}, "Access-Control-Max-Age": {"0"}, "Vary": {preflightVary}}},
		{"no-method-allowed-but-the-common", cors.Config{AllowOrigins: []string{"*"}}, preflight("https://a.com", "PUT", ""), refusedPreflight},
		{"empty-elements", cors.Config{AllowOrigins: []string{"*"}}, preflight("https://a.com", "GET", " , ,"),
			http.Header{"Access-Control-Allow-Origin": {"*"}, "Vary": {preflightVary}}},
		{"no-headers-allowed", cors.Config{AllowOrigins: []string{"*"}}, preflight("https://a.com", "GET", "content-type"), refusedPreflight},
		{"https-only", cors.Config{AllowOrigins: []string{"https://*"}}, preflight("https://a.com:444", "GET", ""),
			http.Header{"Access-Control-Allow-Origin": {"https://a.com:444"}, "Vary": {preflightVary}}},
		{"https-only-refuses-http", cors.Config{AllowOrigins: []string{"https://*"}}, preflight("http://a.com", "GET", ""), refusedPreflight},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, serve(gatekit.Must(cors.New(tt.cfg)), notCalled(t), tt.r).Header())
		})
	}
}

var fullActual = http.Header{
	"Access-Control-Allow-Origin":      {"https://myapp.com"},
	"Access-Control-Allow-Credentials": {"true"},
	"Access-Control-Expose-Headers":    {"Date,X-Total"},
	"Vary":                             {"Origin"},
}

// backend sets every kind of CORS header of its own.
func backend(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Allow-Methods", "*")
	h.Set("Access-Control-Expose-Headers", "*")
	h["access-control-allow-origin"] = []string{"https://evil.com"}
	h["ACCESS-CONTROL-Allow-Private-Network"] = []string{"true"}
}

func TestActual(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	any := gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"*"}}))
	options := httptest.NewRequest("OPTIONS", "/", nil)
	options.Header.Set("Origin", "https://myapp.com")
	twice := actual("https://myapp.com")
	twice.Header.Add("Origin", "https://myapp.com")
	for _, tt := range []struct {
		name string
		c    *cors.CORS
		r    *http.Request
		want http.Header
	}{
		{"allowed", c, actual("https://myapp.com"), fullActual},
		{"other-origin", c, actual("https://evil.com"), http.Header{"Vary": {"Origin"}}},
		{"upper-case", c, actual("HTTPS://myapp.com"), http.Header{"Vary": {"Origin"}}},
		{"no-origin", c, actual(""), http.Header{"Vary": {"Origin"}}},
		{"two-origins", c, twice, http.Header{"Vary": {"Origin"}}},
		{"options-without-method", c, options, http.Header{"Vary": {"Origin"}}},
		{"any", any, actual("https://evil.com"), http.Header{"Access-Control-Allow-Origin": {"*"}}},
		{"any-no-origin", any, actual(""), http.Header{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := serve(tt.c, func(w http.ResponseWriter, r *http.Request) { backend(w.Header()) }, tt.r)
			require.Equal(t, tt.want, w.Header())
		})
	}
}

func TestVaryIsAddedTo(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	shared := []string{"Accept-Encoding"}
	for _, tt := range []struct{ have, want []string }{
		{shared, []string{"Accept-Encoding", "Origin"}},
		{[]string{"Accept, origin"}, []string{"Accept, origin"}},
		{[]string{"*"}, []string{"*"}},
		{[]string{"Accept", "X-Origin"}, []string{"Accept", "X-Origin", "Origin"}},
	} {
		w := serve(c, func(w http.ResponseWriter, r *http.Request) { w.Header()["Vary"] = tt.have }, actual(""))
		require.Equal(t, tt.want, w.Header()["Vary"])
	}
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept")
		c.Middleware(notCalled(t)).ServeHTTP(w, r)
	})
	w := httptest.NewRecorder()
	outer.ServeHTTP(w, preflight("https://myapp.com", "GET", ""))
	require.Equal(t, []string{"Accept", preflightVary}, w.Header()["Vary"])
}

// Whatever way the handler answers, over HTTP/1.1 and HTTP/2, what arrives has our headers and not
// its own.
func TestEveryWayToAnswer(t *testing.T) {
	ways := map[string]http.HandlerFunc{
		"empty":        func(w http.ResponseWriter, r *http.Request) {},
		"write":        func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("x")) },
		"write-string": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "x") },
		"write-header": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(418) },
		"read-from":    func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, strings.NewReader("x")) },
		"flush": func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			backend(w.Header()) // too late for anybody
		},
		"controller": func(w http.ResponseWriter, r *http.Request) {
			c := http.NewResponseController(w)
			if err := c.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				panic(err)
			}
			if err := c.Flush(); err != nil {
				panic(err)
			}
		},
		"sse": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for i := range 3 {
				fmt.Fprintf(w, "data: %d\n\n", i)
				w.(http.Flusher).Flush()
			}
		},
		"error": func(w http.ResponseWriter, r *http.Request) { http.Error(w, "x", 500) },
		"serve-content": func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "x.txt", time.Time{}, strings.NewReader("x"))
		},
		"early-hints": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</a.css>")
			w.WriteHeader(103)
			backend(w.Header())
		},
		"timeout": http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), time.Millisecond, "late").ServeHTTP,
		"reject": func(w http.ResponseWriter, r *http.Request) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
		},
	}
	c := gatekit.Must(cors.New(full))
	for name, way := range ways {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/http2=%v", name, http2), func(t *testing.T) {
				server := httptest.NewUnstartedServer(c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					backend(w.Header())
					way(w, r)
				})))
				server.EnableHTTP2 = http2
				server.StartTLS()
				defer server.Close()
				r, err := http.NewRequest("GET", server.URL, nil)
				require.NoError(t, err)
				r.Header.Set("Origin", "https://myapp.com")
				var hints []http.Header
				r = r.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
					Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { hints = append(hints, http.Header(h)); return nil },
				}))
				w, err := server.Client().Do(r)
				require.NoError(t, err)
				_, err = io.ReadAll(w.Body)
				require.NoError(t, err)
				require.NoError(t, w.Body.Close())
				require.Equal(t, http2, w.ProtoMajor == 2)
				maps.DeleteFunc(w.Header, func(name string, _ []string) bool {
					return !strings.HasPrefix(name, "Access-Control-") && name != "Vary"
				})
				require.Equal(t, fullActual, w.Header)
				for _, hint := range hints {
					require.Empty(t, hint.Get("Access-Control-Allow-Origin"))
				}
				require.Equal(t, name == "early-hints", len(hints) == 1)
			})
		}
	}
}

func TestUpgrade(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	for name, upgrade := range map[string]http.HandlerFunc{
		"write-header": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(101) },
		"hijack": func(w http.ResponseWriter, r *http.Request) {
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nAccess-Control-Allow-Origin: %s\r\n\r\n", w.Header().Get("Access-Control-Allow-Origin"))
			_ = rw.Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				backend(w.Header())
				upgrade(w, r)
			})))
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://myapp.com\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			status, err := bufio.NewReader(conn).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "HTTP/1.1 101 Switching Protocols\r\n", status)
		})
	}
}

// Behind an API in the recommended order, every answer that the gateway makes can be read by the
// page, and preflights need no route.
func TestRefusalsCanBeRead(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	api := gatekit.Must(route.New(route.Config{}))
	api.Use(c.Middleware)
	types := []gatekit.ResponseType{gatekit.Unauthorized, gatekit.AccessDenied, gatekit.Throttled, gatekit.Default5XX, gatekit.IntegrationTimeout}
	for _, kind := range types {
		api.Handle("GET /"+strings.ToLower(kind.String()), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: kind})
		}))
	}
	for _, path := range []string{"/unauthorized", "/access_denied", "/throttled", "/default_5xx", "/integration_timeout", "/nowhere", "/a/../b"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Origin", "https://myapp.com")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		require.GreaterOrEqual(t, w.Code, 400)
		require.Equal(t, "https://myapp.com", w.Header().Get("Access-Control-Allow-Origin"), path)
		require.Equal(t, "Origin", w.Header().Get("Vary"), path)
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, preflight("https://myapp.com", "DELETE", ""))
	require.Equal(t, 204, w.Code)
	require.NotEmpty(t, w.Header().Get("Apigw-Requestid"))
}

func TestPanicsPassThrough(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	w := httptest.NewRecorder()
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		c.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).ServeHTTP(w, actual("https://myapp.com"))
	})
	require.Equal(t, "https://myapp.com", w.Header().Get("Access-Control-Allow-Origin"), "who recovers can answer readably")
}

// What one request's handlers and middlewares write into the header slices doesn't reach the next
// one's.
func TestHeaderSlicesAreNotShared(t *testing.T) {
	c := gatekit.Must(cors.New(full))
	for range 2 {
		for want, r := range map[string]*http.Request{
			"preflight": preflight("https://myapp.com", "PUT", "authorization"), "actual": actual("https://myapp.com"), "plain": actual(""),
		} {
			w := serve(c, func(w http.ResponseWriter, r *http.Request) {}, r)
			switch want {
			case "preflight":
				require.Equal(t, fullPreflight, w.Header())
			case "actual":
				require.Equal(t, fullActual, w.Header())
			}
			for _, values := range w.Header() {
				for i := range values {
					values[i] = "spoiled"
				}
				_ = append(values, "spoiled")
			}
		}
	}
}

func TestConfigIsCopied(t *testing.T) {
	cfg := full
	cfg.AllowOrigins, cfg.AllowMethods = slices.Clone(full.AllowOrigins), slices.Clone(full.AllowMethods)
	c := gatekit.Must(cors.New(cfg))
	cfg.AllowOrigins[0], cfg.AllowMethods[2] = "https://evil.com", "TRACE"
	require.Equal(t, fullPreflight, serve(c, notCalled(t), preflight("https://myapp.com", "PUT", "")).Header())
}

func TestConfigErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  cors.Config
		want []string
	}{
		{"none", cors.Config{}, []string{`cors: Config.AllowOrigins: want at least one origin such as "https://myapp.com", got none`}},
		{"any-with-credentials", cors.Config{AllowOrigins: []string{"*"}, AllowCredentials: true}, []string{"AllowOrigins[0]: allow-credentials is not supported if 'allow-origin' is *"}},
		{"any-and-more", cors.Config{AllowOrigins: []string{"https://a.com", "*"}}, []string{`AllowOrigins[1]: want "*" alone`}},
		{"https-with-credentials", cors.Config{AllowOrigins: []string{"https://*"}, AllowCredentials: true}, []string{"AllowOrigins[0]: allow-credentials is not supported"}},
		{"http-with-credentials", cors.Config{AllowOrigins: []string{"http://a.com"}, AllowCredentials: true}, []string{"AllowOrigins[0]: allow-credentials is not supported for plain http"}},
		{"null", cors.Config{AllowOrigins: []string{"null"}}, []string{`AllowOrigins[0]: want an origin, got "null"`}},
		{"patterns", cors.Config{AllowOrigins: []string{"https://*.a.com", "*.github.io"}}, []string{"AllowOrigins[0]: want", "AllowOrigins[1]: want", "patterns of host names aren't supported"}},
		{"malformed", cors.Config{AllowOrigins: []string{"foo.com", "https://a.com/", "https://A.com", "https://a.com:443", "http://a.com:80", "https://u@a.com", "https://a.com?q", "https://", "https://a..com", "https://a.com:0", "https://a.com:65536", "https://a.com:+1", "https://[::1", "https://[::G]", "https://[1.2.3.4]", "https://é.com", ""}},
			func() (want []string) {
				for i := range 17 {
					want = append(want, fmt.Sprintf("AllowOrigins[%d]: want an origin as browsers send it", i))
				}
				return want
			}()},
		{"names", cors.Config{AllowOrigins: []string{"*"}, AllowMethods: []string{"GET ", "get", ""}, AllowHeaders: []string{"X Y", "é"}, ExposeHeaders: []string{"a,b", "*"}}, []string{
			`AllowMethods[0]: want a method, got "GET "`, `AllowMethods[1]: want "GET"`, `AllowMethods[2]: want a method, got ""`,
			`AllowHeaders[0]: want a header name`, `AllowHeaders[1]: want a header name`, `ExposeHeaders[0]: want a header name`, `ExposeHeaders[1]: want "*" alone`}},
		{"stars-with-credentials", cors.Config{AllowOrigins: []string{"https://a.com"}, AllowCredentials: true, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"}, ExposeHeaders: []string{"*"}}, []string{
			`AllowMethods[0]: want names, got "*"`, `AllowHeaders[0]: want names, got "*"`, `ExposeHeaders[0]: want names, got "*"`}},
		{"age", cors.Config{AllowOrigins: []string{"*"}, MaxAge: 25 * time.Hour}, []string{"MaxAge: want whole seconds, at most 24h0m0s, got 25h0m0s"}},
		{"age-fraction", cors.Config{AllowOrigins: []string{"*"}, MaxAge: 1500 * time.Millisecond}, []string{"MaxAge: want whole seconds"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := cors.New(tt.cfg)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	for _, origin := range []string{"http://localhost:3000", "http://app.localhost", "http://127.0.0.1", "http://[::1]:8080", "https://a-b_c.example.com:8443", "capacitor://localhost", "https://xn--caf-dma.com"} {
		_, err := cors.New(cors.Config{AllowOrigins: []string{origin}, AllowCredentials: true})
		require.NoError(t, err, origin)
	}
}
