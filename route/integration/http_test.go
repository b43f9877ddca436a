package integration_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// echo answers with the request line and the headers that it got, sorted, and the body.
func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s\n", r.Method, r.RequestURI, r.Host)
	var lines []string
	for name, values := range r.Header {
		for _, v := range values {
			lines = append(lines, name+": "+v+"\n")
		}
	}
	slices.Sort(lines)
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s\n%s", strings.Join(lines, ""), body)
}

// The examples of how a URI's variables are filled in, and what path the integration sees.
func TestURI(t *testing.T) {
	b := backend(t, echo)
	for _, tt := range []struct{ name, routeKey, uri, target, want string }{
		{"variable", "GET /pets/{id}", "/v/{id}", "/pets/6?x=1", "/v/6?x=1"},
		{"greedy", "ANY /parent/{proxy+}", "/store/{proxy}", "/parent/a/b", "/store/a/b"},
		{"greedy-empty", "ANY /parent/{proxy+}", "/store/{proxy}", "/parent/", "/store/"},
		{"default", "$default", "", "/store/checkout", "/store/checkout"},
		{"default-slash", "$default", "/", "/store/checkout", "/store/checkout"},
		{"default-base", "$default", "/base", "/x", "/base/x"},
		{"default-base-slash", "$default", "/base/", "/x/", "/base/x/"},
		{"default-root", "$default", "", "/", "/"},
		{"fixed", "GET /pets/{id}", "/all", "/pets/6?x=1", "/all?x=1"},
		{"fixed-greedy", "ANY /parent/{proxy+}", "/store", "/parent/a/b", "/store"},
		{"two-variables", "GET /a/{x}/{y}", "/{y}/{x}.json", "/a/1/2", "/2/1.json"},
		{"query", "GET /pets/{id}", "/v?id={id}&k=v", "/pets/a&b?x=1", "/v?id=a%26b&k=v&x=1"},
		{"query-alone", "GET /pets/{id}", "/v?k=v", "/pets/6", "/v?k=v"},
		{"raw-query", "$default", "", "/p?a=%41&a=b;c&&=&%zz", "/p?a=%41&a=b;c&&=&%zz"},
		{"encoded-slash", "GET /pets/{id}", "/v/{id}", "/pets/a%2Fb", "/v/a%2Fb"},
		{"encoded-slash-greedy", "ANY /f/{proxy+}", "/v/{proxy}", "/f/a%2Fb/c", "/v/a%2Fb/c"},
		{"spelling-greedy", "ANY /f/{proxy+}", "/v/{proxy}", "/f/a%2fb/%3b/%25/%7e;c//d/", "/v/a%2fb/%3b/%25/%7e;c//d/"},
		{"spelling", "GET /f/{id}", "/v/{id}.json", "/f/%3b%2f%25%7e;c", "/v/%3b%2f%25%7e;c.json"},
		{"encoded-default", "$default", "/base", "/a%2Fb/%41", "/base/a%2Fb/%41"},
		{"encoded-percent", "GET /pets/{id}", "/v/{id}", "/pets/100%25", "/v/100%25"},
		{"encoded-question-mark", "GET /pets/{id}", "/v/{id}", "/pets/a%3Fb", "/v/a%3Fb"},
		{"utf-8", "GET /pets/{id}", "/v/{id}", "/pets/%E2%98%95", "/v/%E2%98%95"},
		{"unmapped", "GET /pets/{id}", "/v/{other}", "/pets/6", "/v/%7Bother%7D"},
		{"escaped-literal", "GET /pets/{id}", "/a%2Fb/{id}", "/pets/6", "/a%2Fb/6"},
		{"escaped-fixed", "GET /pets", "/a%2Fb", "/pets", "/a%2Fb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := frontAt(t, gatekit.API{}, tt.routeKey, newProxy(t, integration.HTTPConfig{URI: b.URL + tt.uri}))
			w := do(t, "GET", f.URL+tt.target, nil)
			line, _, _ := strings.Cut(w.body, "\n")
			require.Equal(t, "GET "+tt.want+" "+addressOf(b), line)
		})
	}
}

// Under another router, and without one.
func TestURIWithoutRoute(t *testing.T) {
	b := backend(t, echo)
	p := newProxy(t, integration.HTTPConfig{URI: b.URL + "/v/{rest}"})
	mux := http.NewServeMux()
	mux.Handle("GET /x/{rest...}", p)
	require.Contains(t, record(mux, "GET", "/x/a/b"), "GET /v/a/b ")
	bare := newProxy(t, integration.HTTPConfig{URI: b.URL + "/base"})
	require.Contains(t, record(bare, "GET", "/a/b?c"), "GET /base/a/b?c ")
}

// Under ServeMux every spelling of a pattern tells its variables, with and without
// http.StripPrefix, and in the encoding that came.
func TestVariablesOfServeMux(t *testing.T) {
	b := backend(t, echo)
	p := newProxy(t, integration.HTTPConfig{URI: b.URL + "/v/{proxy}"})
	describe := gatekit.Must(gatekit.Describe(gatekit.API{}))
	mux := http.NewServeMux()
	mux.Handle("/files/", p)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", p))
	mux.Handle("/inside/", http.StripPrefix("/inside", describe(p)))
	mux.Handle("GET /named/{proxy...}", p)
	for _, h := range []http.Handler{mux, describe(mux)} {
		for _, front := range []string{"/files/", "/stripped/", "/inside/", "/named/"} {
			require.Contains(t, record(h, "GET", front+"a%2fb/%3b/c"), "GET /v/a%2fb/%3b/c ", front)
			require.Contains(t, record(h, "GET", front), "GET /v/ ", front)
		}
	}
}

// A variable that nobody can tell is the configuration's mistake, never an empty segment.
func TestUnknownVariable(t *testing.T) {
	reached := false
	b := backend(t, func(http.ResponseWriter, *http.Request) { reached = true })
	for _, uri := range []string{"/b/{id}", "/b?id={id}"} {
		p := newProxy(t, integration.HTTPConfig{URI: b.URL + uri})
		mux := http.NewServeMux()
		mux.Handle("/{$}", p)
		mux.Handle("/one/", http.StripPrefix("/one", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Pattern = "DELETE /other/{id}" // a pattern that the path doesn't fit, and no value beside it
			p.ServeHTTP(w, r)
		})))
		api := gatekit.Must(route.New(route.Config{}))
		api.Handle("$default", p)
		for name, h := range map[string]http.Handler{"bare": p, "mux": mux, "default": api} {
			r := httptest.NewRequest("DELETE", "/one/7", nil)
			rc, r := gatekit.Attach(r)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, 500, w.Code, name)
			require.ErrorContains(t, rc.Rejection().Cause, "{id}", name)
		}
	}
	require.False(t, reached)
}

func TestInsecureDecodeEncodedSlash(t *testing.T) {
	b := backend(t, echo)
	for want, cfg := range map[string]integration.HTTPConfig{
		"GET /files%2fsecret%3b ": {URI: b.URL + "/{proxy}"},
		"GET /files/secret; ":     {URI: b.URL + "/{proxy}", InsecureDecodeEncodedSlash: true},
	} {
		f := frontAt(t, gatekit.API{}, "ANY /{proxy+}", newProxy(t, cfg))
		require.Contains(t, do(t, "GET", f.URL+"/files%2fsecret%3b", nil).body, want)
	}
	f := frontAt(t, gatekit.API{}, "GET /f/{id}", newProxy(t, integration.HTTPConfig{URI: b.URL + "/v/{id}", InsecureDecodeEncodedSlash: true}))
	require.Contains(t, do(t, "GET", f.URL+"/f/a%2fb", nil).body, "GET /v/a%2fb ", "a variable of one segment stays one")
}

func record(h http.Handler, method, target string) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w.Body.String()
}

// A private integration sees the stage, unless it is $default or the path was overwritten.
func TestPrivateIntegrationSeesTheStage(t *testing.T) {
	b := backend(t, echo)
	up := []integration.Upstream{{Address: addressOf(b)}}
	for _, tt := range []struct {
		name, stage, routeKey, target, want string
		cfg                                 integration.HTTPConfig
	}{
		{"named", "test", "GET /route-path", "/route-path", "/test/route-path ", integration.HTTPConfig{Private: true, Upstreams: up}},
		{"variable", "test", "GET /pets/{id}", "/pets/a%2Fb?q", "/test/pets/a%2Fb?q ", integration.HTTPConfig{Private: true, Upstreams: up}},
		{"default-stage", "$default", "GET /pets/{id}", "/pets/6", "/pets/6 ", integration.HTTPConfig{Private: true, Upstreams: up}},
		{"uri", "test", "GET /pets/{id}", "/pets/6", "/test/v/6 ", integration.HTTPConfig{Private: true, Upstreams: up, URI: "/v/{id}"}},
		{"overwritten", "test", "GET /pets/{id}", "/pets/6", "/pets/6 ", integration.HTTPConfig{Private: true, Upstreams: up, URI: "/v/{id}", RequestPath: true}},
		{"host", "test", "GET /pets/{id}", "/pets/6", "/v/6 orders.internal\n", integration.HTTPConfig{Upstreams: up, URI: "http://orders.internal/v/{id}"}},
		{"public", "test", "GET /pets/{id}", "/pets/6", "/v/6 ", integration.HTTPConfig{URI: b.URL + "/v/{id}"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := frontAt(t, gatekit.API{Stage: tt.stage}, tt.routeKey, newProxy(t, tt.cfg))
			require.Contains(t, do(t, "GET", f.URL+tt.target, nil).body, "GET "+tt.want)
		})
	}
}

func TestStageVariables(t *testing.T) {
	b := backend(t, echo)
	host, port, _ := net.SplitHostPort(addressOf(b))
	p := newProxy(t, integration.HTTPConfig{URI: "http://${stageVariables.host}:${stageVariables.port}/${stageVariables.path}/{id}?v=${stageVariables.v}"})
	serve := func(variables map[string]string) *httptest.ResponseRecorder {
		api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
		api.Handle("GET /pets/{id}", p, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				gatekit.From(r.Context()).API = &gatekit.API{Flavor: gatekit.REST, Variables: variables}
				next.ServeHTTP(w, r)
			})
		})
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", "/pets/6", nil))
		return w
	}
	for range 2 { // the second time from the cache
		require.Contains(t, serve(map[string]string{"host": host, "port": port, "path": "a/b", "v": "1"}).Body.String(), "GET /a/b/6?v=1 ")
	}
	require.Contains(t, serve(map[string]string{"host": host, "port": port}).Body.String(), "GET //6?v= ", "what is missing is empty")
	for _, variables := range []map[string]string{nil, {"host": "a b", "port": "1"}, {"host": host, "port": "x"}, {"host": "u@" + host, "port": port}, {"host": host, "port": port, "path": ".."}, {"host": host, "port": port, "path": "{x}"}} {
		w := serve(variables)
		require.Equal(t, 500, w.Code, variables)
		require.Equal(t, `{"message": "Internal server error"}`, w.Body.String())
	}
}

func TestMethod(t *testing.T) {
	b := backend(t, echo)
	for _, tt := range []struct {
		name, want string
		cfg        integration.HTTPConfig
		headers    []string
	}{
		{"clients", "DELETE ", integration.HTTPConfig{}, nil},
		{"any", "DELETE ", integration.HTTPConfig{Method: "ANY"}, nil},
		{"fixed", "POST ", integration.HTTPConfig{Method: "POST"}, nil},
		{"override", "PATCH ", integration.HTTPConfig{MethodOverride: true}, []string{"X-HTTP-Method-Override", "PATCH"}},
		{"override-of-fixed", "POST ", integration.HTTPConfig{Method: "POST", MethodOverride: true}, []string{"X-HTTP-Method-Override", "PATCH"}},
		{"no-override", "DELETE ", integration.HTTPConfig{}, []string{"X-HTTP-Method-Override", "PATCH"}},
		{"override-by-nonsense", "DELETE ", integration.HTTPConfig{MethodOverride: true}, []string{"X-HTTP-Method-Override", "PATCH /x HTTP/1.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.URI = b.URL
			f := front(t, gatekit.REST, newProxy(t, tt.cfg))
			require.True(t, strings.HasPrefix(do(t, "DELETE", f.URL, nil, tt.headers...).body, tt.want))
		})
	}
}

// What goes to the upstream, to the letter.
func TestRequestHeaders(t *testing.T) {
	b := backend(t, echo)
	send := func(t *testing.T, f gatekit.Flavor, cfg integration.HTTPConfig, lines string) string {
		cfg.URI = b.URL
		s := front(t, f, newProxy(t, cfg))
		answer := speak(t, addressOf(s), "POST /p HTTP/1.1\r\nHost: api.example.com:8443\r\nConnection: close\r\nContent-Length: 2\r\n"+lines+"\r\nhi")
		_, body, _ := strings.Cut(answer, "\r\n\r\n")
		return body
	}
	const root = `Root=1-[0-9a-f]{8}-[0-9a-f]{24}`
	t.Run("http", func(t *testing.T) {
		got := send(t, gatekit.HTTP, integration.HTTPConfig{}, "")
		require.Regexp(t, `^POST /p `+addressOf(b)+"\n"+
			"Content-Length: 2\n"+
			`Forwarded: by=127\.0\.0\.1;for=127\.0\.0\.1;host="api\.example\.com:8443";proto=http`+"\n"+
			"Via: HTTP/1.1 AmazonAPIGateway\n"+
			"X-Amzn-Trace-Id: "+root+"\n\nhi$", got)
	})
	t.Run("http-appends", func(t *testing.T) {
		got := send(t, gatekit.HTTP, integration.HTTPConfig{}, "Forwarded: for=1.2.3.4\r\nVia: 1.0 fred\r\nforwarded: for=\"[::1]\"\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793\r\nTE: trailers, deflate\r\n")
		require.Contains(t, got, `Forwarded: for=1.2.3.4, for="[::1]", by=127.0.0.1;for=127.0.0.1;`)
		require.Contains(t, got, "Via: 1.0 fred, HTTP/1.1 AmazonAPIGateway\n")
		require.NotContains(t, got, "X-Forwarded")
		require.Contains(t, got, "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793\n")
		require.Contains(t, got, "Te: trailers\n")
	})
	t.Run("http-x-forwarded", func(t *testing.T) {
		got := send(t, gatekit.HTTP, integration.HTTPConfig{XForwarded: true, ForwardedProto: "https"}, "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\n")
		require.Contains(t, got, "X-Forwarded-For: 9.9.9.9, 127.0.0.1\nX-Forwarded-Host: api.example.com:8443\nX-Forwarded-Port: 8443\nX-Forwarded-Proto: https\n")
		require.Contains(t, got, ";proto=https\n")
	})
	t.Run("rest", func(t *testing.T) {
		got := send(t, gatekit.REST, integration.HTTPConfig{}, "Content-Encoding: gzip\r\nContent-MD5: x\r\nMax-Forwards: 1\r\nServer: x\r\nVia: 1.0 fred\r\nWWW-Authenticate: x\r\nProxy-Authenticate: x\r\nTE: trailers\r\nExpect: 100-continue\r\nX-Forwarded-For: 9.9.9.9\r\nReferer: r\r\nX-Amzn-Apigateway-Api-Id: fake\r\nUser-Agent: me\r\n")
		require.Regexp(t, `POST /p `+addressOf(b)+"\n"+
			"Content-Length: 2\nReferer: r\nUser-Agent: me\n"+
			"X-Amzn-Apigateway-Api-Id: a1b2c3\n"+
			"X-Amzn-Trace-Id: "+root+";Parent=[0-9a-f]{16};Sampled=0\n"+
			"X-Forwarded-For: 9.9.9.9, 127.0.0.1\nX-Forwarded-Port: 8443\nX-Forwarded-Proto: http\n\nhi$", got)
	})
	t.Run("rest-keeps-encoding", func(t *testing.T) {
		require.Contains(t, send(t, gatekit.REST, integration.HTTPConfig{KeepContentEncoding: true}, "Content-Encoding: gzip\r\n"), "Content-Encoding: gzip\n")
	})
}

func TestResponseHeaders(t *testing.T) {
	url := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nServer: nginx\r\nVia: 1.1 x\r\nConnection: X-Gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\nX-A: 1\r\nX-A: 2\r\nSet-Cookie: a=1\r\nApigw-Requestid: fake\r\nX-Amzn-Requestid: theirs\r\nX-Amz-Apigw-Id: fake\r\nVary: Accept\r\n\r\nok")
	})
	for _, flavor := range flavors {
		f := front(t, flavor, gatekit.Chain(newProxy(t, integration.HTTPConfig{URI: url}), func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Vary", "Origin")
				next.ServeHTTP(w, r)
			})
		}))
		w := do(t, "GET", f.URL, nil)
		require.Equal(t, 201, w.StatusCode)
		require.Equal(t, "ok", w.body)
		require.Equal(t, int64(2), w.ContentLength)
		require.Equal(t, []string{"1", "2"}, w.Header["X-A"])
		require.Equal(t, []string{"Origin", "Accept"}, w.Header["Vary"])
		require.Equal(t, "a=1", w.Header.Get("Set-Cookie"))
		for _, gone := range []string{"X-Gone", "Keep-Alive", "Connection"} {
			require.Empty(t, w.Header[gone])
		}
		if flavor == gatekit.HTTP {
			require.Equal(t, "Mon, 01 Jan 2024 00:00:00 GMT", w.Header.Get("Date"))
			require.Equal(t, "nginx", w.Header.Get("Server"))
			require.Equal(t, "1.1 x", w.Header.Get("Via"))
			require.Len(t, w.Header["Apigw-Requestid"], 1)
			require.Len(t, w.Header.Get("Apigw-Requestid"), 16)
			continue
		}
		for name, want := range map[string]string{
			"X-Amzn-Remapped-Connection": "X-Gone", "X-Amzn-Remapped-Content-Length": "2", "X-Amzn-Remapped-Date": "Mon, 01 Jan 2024 00:00:00 GMT",
			"X-Amzn-Remapped-Server": "nginx", "X-Amzn-Remapped-X-Amzn-Requestid": "theirs", "Server": "", "Via": "",
		} {
			require.Equal(t, want, w.Header.Get(name), name)
		}
		require.Len(t, w.Header["X-Amzn-Requestid"], 1)
		require.Len(t, w.Header["X-Amz-Apigw-Id"], 1)
		require.NotEqual(t, "fake", w.Header.Get("X-Amz-Apigw-Id"))
		require.NotEqual(t, "Mon, 01 Jan 2024 00:00:00 GMT", w.Header.Get("Date"))
	}
}

// Status, headers and body pass as they are; redirects are the client's.
func TestStatuses(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscan(r.URL.Path[1:], &status)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		if status != 204 && status != 304 {
			fmt.Fprint(w, "body of ", status)
		}
	})
	for _, flavor := range flavors {
		f := front(t, flavor, newProxy(t, integration.HTTPConfig{URI: b.URL}))
		for _, status := range []int{200, 204, 301, 304, 307, 400, 401, 404, 429, 500, 502, 503, 504} {
			w := do(t, "GET", fmt.Sprint(f.URL, "/", status), nil)
			require.Equal(t, status, w.StatusCode)
			require.Equal(t, "/elsewhere", w.Header.Get("Location"))
			if status != 204 && status != 304 {
				require.Equal(t, fmt.Sprint("body of ", status), w.body)
			}
			head := do(t, "HEAD", fmt.Sprint(f.URL, "/", status), nil)
			require.Equal(t, status, head.StatusCode)
			require.Empty(t, head.body)
		}
	}
}

// The outcome is for the access log, also where there was none.
func TestOutcome(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(418) })
	for uri, want := range map[string]int{b.URL: 418, "http://" + closedAddress(t): 0} {
		var got *gatekit.Integration
		h := gatekit.Chain(newProxy(t, integration.HTTPConfig{URI: uri}), gatekit.Must(gatekit.Describe(gatekit.API{})), func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				got = gatekit.From(r.Context()).Integration()
			})
		})
		record(h, "GET", "/")
		require.NotNil(t, got)
		require.Equal(t, want, got.Status)
		require.Positive(t, got.Latency)
	}
}

// A chain can be walked to its end.
func TestStation(t *testing.T) {
	kind, next := newProxy(t, integration.HTTPConfig{URI: "http://x"}).Station()
	require.Equal(t, "integration.HTTP", kind)
	require.Nil(t, next)
}

func TestConfigErrors(t *testing.T) {
	_, err := integration.NewHTTP(t.Context(), integration.HTTPConfig{
		URI: "https://x", Method: "GET /", Upstreams: []integration.Upstream{{Address: "x"}, {Address: "h:0"}, {Address: "h:1"}, {Address: "h:1", Weight: 1001}, {Address: ":1"}, {Address: "a b:1"}},
		Balance: 9, Health: &integration.HealthCheck{Path: "x", Interval: 1, Timeout: -1, Healthy: -1, Status: 99},
		Ejection: integration.Ejection{For: -1}, PanicPercent: 101,
		Retry:   integration.Retry{Attempts: 11, Ratio: 2, Burst: -1, BodyBytes: 1 << 30, Statuses: []int{200}},
		Timeout: time.Millisecond, TryTimeout: -1, ConnectTimeout: -1, IdleTimeout: -1, ConnectionWait: -1,
		MaxConnections: -1, MaxWaiting: -1, MaxResponseHeaderBytes: 2 << 20, Protocol: integration.H2C, ForwardedProto: "ftp", GatewayHeaders: []string{"a b"},
		TLS: integration.TLS{ServerName: "a:1"},
	})
	for _, want := range []string{
		"HTTPConfig.Method: want a method", `Upstreams[0].Address: want host:port, got "x"`, "Upstreams[1].Address", "Upstreams[3].Address: want each once", "Upstreams[3].Weight: want 0 to 1000, got 1001",
		"Upstreams[4].Address", "Upstreams[5].Address", "Balance: want one of its constants, got Balance(9)", "Health.Path", "Health.Interval: want at least 10ms", "Health.Timeout", "Health.Healthy", "Health.Status",
		"Ejection.For", "PanicPercent: want 0 to 100, got 101", "Retry.Attempts", "Retry.Ratio", "Retry.Burst", "Retry.BodyBytes", "Retry.Statuses[0]",
		"Timeout: want 0, or at least 50ms, got 1ms", "TryTimeout", "ConnectTimeout", "IdleTimeout", "ConnectionWait", "MaxConnections", "MaxWaiting", "MaxResponseHeaderBytes",
		"Protocol: want HTTP2 for an https URI, got H2C", "ForwardedProto", "GatewayHeaders[0]", "TLS.ServerName",
	} {
		require.ErrorContains(t, err, want)
	}
	for uri, want := range map[string]string{
		"":                    "want http://host/… or https://host/…, or Upstreams",
		"/path":               "or Upstreams",
		"ftp://x":             "want http://",
		"x":                   "want http://",
		"http://":             "want a host",
		"http://u@h":          "want a host",
		"http://h:":           "want a host",
		"http://h:x":          "want a host",
		"http://{id}.example": "clients would choose the server",
		"http://h/{proxy+}":   "want {proxy}, got {proxy+}",
		"http://h/{":          "want {name}",
		"http://h/}":          "want {name}",
		"http://h/{}":         "letters, digits",
		"http://h/{a b}":      "visible ASCII",
		"http://h/a/../b":     "without dot segments",
		"http://h/%2e%2e/b":   "without dot segments",
		"http://h/" + strings.Repeat("{a}", 9) + "?" + strings.Repeat("{a}", 8): "at most 16 variables, got 17",
		"http://h/%zz":                          "good escapes",
		"http://h/#f":                           "without fragment",
		"http://h/\n":                           "visible ASCII",
		"http://h/ü":                            "visible ASCII",
		"${stageVariables.x}://h":               "behind the scheme",
		"http://${stageVariables.}/":            "want ${stageVariables.name}",
		"http://${stageVariables.a b}/":         "want ${stageVariables.name}",
		"http://${stageVariables.a/":            "want ${stageVariables.name}",
		"http://h/" + strings.Repeat("a", 2040): "at most 2048 bytes, got 2049",
	} {
		_, err := integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: uri})
		require.ErrorContains(t, err, "HTTPConfig.URI: ", uri)
		require.ErrorContains(t, err, want, uri)
	}
	for _, tt := range []struct {
		cfg  integration.HTTPConfig
		want string
	}{
		{integration.HTTPConfig{URI: "http://h", Health: &integration.HealthCheck{Path: "/"}}, "Health: want Upstreams"},
		{integration.HTTPConfig{URI: "http://h", Protocol: integration.HTTP2}, "want H2C"},
		{integration.HTTPConfig{URI: "https://h", Protocol: 7}, "got Protocol(7)"},
	} {
		_, err := integration.NewHTTP(t.Context(), tt.cfg)
		require.ErrorContains(t, err, tt.want)
	}
	p := newProxy(t, integration.HTTPConfig{URI: "http://h"})
	require.ErrorContains(t, p.SetUpstreams(integration.Upstream{Address: "a:1"}), "want a Proxy that was made with HTTPConfig.Upstreams")
	require.ErrorContains(t, p.SetUpstreams(), "want at least one upstream, got none")
	ups := newProxy(t, integration.HTTPConfig{Upstreams: []integration.Upstream{{Address: "a:1"}}})
	require.ErrorContains(t, ups.SetUpstreams(integration.Upstream{Address: "a"}), "SetUpstreams[0].Address")
	require.Equal(t, "a:1", ups.Upstreams()[0].Address)
}

// TLS settings beside an http URI are without effect there, and here: they are taken, and named
// once.
func TestTLSSettingsWithoutEffect(t *testing.T) {
	for _, tt := range []struct {
		name string
		uri  string
		tls  integration.TLS
		want int
	}{
		{"insecure", "http://h", integration.TLS{InsecureSkipVerify: true}, 1},
		{"server-name", "http://h", integration.TLS{ServerName: "a"}, 1},
		{"roots", "http://h", integration.TLS{RootCAs: x509.NewCertPool()}, 1},
		{"certificates", "http://h", integration.TLS{Certificates: []tls.Certificate{{}}}, 1},
		{"none", "http://h", integration.TLS{}, 0},
		{"https", "https://h", integration.TLS{InsecureSkipVerify: true}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			newProxy(t, integration.HTTPConfig{URI: tt.uri, TLS: tt.tls, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			require.Equal(t, tt.want, strings.Count(log.String(), "HTTPConfig.TLS has no effect"), log.String())
		})
	}
}

// After its context has ended a Proxy still serves, for programs that shut down, but keeps no
// connection.
func TestEnd(t *testing.T) {
	b := backend(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Close) })
	ctx, cancel := context.WithCancel(context.Background())
	p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{URI: b.URL}))
	require.Equal(t, "false", record(p, "GET", "/"))
	cancel()
	require.Eventually(t, func() bool { return record(p, "GET", "/") == "true" }, 10*time.Second, time.Millisecond)
}
