package integration_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// recorder is an upstream that keeps each connection's bytes as they came, and answers each request
// head with 200.
type recorder struct {
	url string
	mu  sync.Mutex
	raw []*strings.Builder
	// requests is how many the upstream saw, if it reads as net/http does.
	requests atomic.Int32
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.requests.Add(1)
		body, _ := io.ReadAll(q.Body)
		fmt.Fprintf(w, "%s %s %q", q.Method, q.RequestURI, body)
	})}
	go s.Serve(tapped{l, r})
	t.Cleanup(func() { s.Close() })
	r.url = "http://" + l.Addr().String()
	return r
}

func (r *recorder) bytes() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all strings.Builder
	for _, b := range r.raw {
		all.WriteString(b.String())
	}
	return all.String()
}

type tapped struct {
	net.Listener
	r *recorder
}

func (l tapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	tap := &tappedConn{c, l.r, &strings.Builder{}}
	l.r.mu.Lock()
	l.r.raw = append(l.r.raw, tap.raw)
	l.r.mu.Unlock()
	return tap, err
}

type tappedConn struct {
	net.Conn
	r   *recorder
	raw *strings.Builder
}

func (c *tappedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.r.mu.Lock()
	c.raw.Write(b[:n])
	c.r.mu.Unlock()
	return n, err
}

// Shapes of requests that two readers may split at different places. Whatever the front makes of
// one, the upstream sees no request that the gateway hasn't seen, and the next client gets the
// answer to its own.
func TestRequestSmuggling(t *testing.T) {
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, request := range map[string]string{
		"cl-te":              "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"te-cl":              "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + smuggled + "\r\n0\r\n\r\n",
		"te-te":              "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled,
		"te-list":            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"te-x":               "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled,
		"te-tab":             "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\tchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled,
		"te-blank-before":    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled,
		"te-folded":          "POST / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled,
		"te-value-folded":    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled,
		"two-cl":             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 37\r\n\r\n" + smuggled,
		"cl-list":            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 37\r\n\r\n" + smuggled,
		"cl-plus":            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +37\r\n\r\n" + smuggled,
		"cl-hex":             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x25\r\n\r\n" + smuggled,
		"chunk-extension":    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;\n" + "xx\r\n0\r\n\r\n",
		"chunk-size-lf":      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n" + smuggled,
		"chunk-size-0x":      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + smuggled,
		"cl-named-hop":       "POST / HTTP/1.1\r\nHost: x\r\nConnection: Content-Length\r\nContent-Length: 37\r\n\r\n" + smuggled,
		"te-named-hop":       "POST / HTTP/1.1\r\nHost: x\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"bare-cr":            "POST / HTTP/1.1\r\nHost: x\r\nX-A: b\rContent-Length: 0\r\n\r\n",
		"nul":                "POST / HTTP/1.1\r\nHost: x\r\nX-A: b\x00\r\n\r\n",
		"get-with-body":      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 37\r\n\r\n" + smuggled,
		"header-injected":    "GET /?x=%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: x\r\n\r\n",
		"two-hosts":          "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"upgrade-h2c":        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
		"upgrade-two":        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
		"expect-nonsense":    "GET / HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\nContent-Length: 0\r\n\r\n",
		"connect":            "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
		"absolute-form":      "GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"trailer-of-framing": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\nContent-Length: 37\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			up := newRecorder(t)
			var judged atomic.Int32 // requests that the gateway saw, and could refuse
			f := front(t, gatekit.HTTP, gatekit.Chain(newProxy(t, integration.HTTPConfig{URI: up.url}), func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					judged.Add(1)
					next.ServeHTTP(w, r)
				})
			}))
			if strings.Contains(request, "%d") {
				request = fmt.Sprintf(request, 5+len(smuggled))
			}
			// An honest request of another client follows, on the upstream's connection that the
			// first may have poisoned.
			conn, err := net.Dial("tcp", addressOf(f))
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, request)
			require.NoError(t, err)
			require.NoError(t, conn.(*net.TCPConn).CloseWrite())
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
			all, _ := io.ReadAll(conn)
			require.LessOrEqual(t, up.requests.Load(), judged.Load(), "%s\n---\n%s", all, up.bytes())
			require.Equal(t, `GET /honest ""`, do(t, "GET", f.URL+"/honest", nil).body)
			raw := up.bytes()
			require.NotContains(t, raw, "Transfer-Encoding: identity")
			require.NotContains(t, raw, "\nX-Evil")
			require.NotContains(t, strings.ToLower(raw), "upgrade")
			require.NotContains(t, raw, "evil.example/")
			for _, line := range strings.Split(raw, "\r\n") {
				require.NotContains(t, line, "\n", "a bare line feed")
				require.NotContains(t, line, "\r")
			}
			whole := int32(0)
			up.mu.Lock()
			defer up.mu.Unlock()
			for _, conn := range up.raw {
				for in := bufio.NewReader(strings.NewReader(conn.String())); ; whole++ {
					r, err := http.ReadRequest(in)
					if err == io.EOF {
						break
					}
					require.NoError(t, err)
					require.False(t, r.Header.Get("Content-Length") != "" && len(r.TransferEncoding) > 0, "both framings")
					if _, err = io.Copy(io.Discard, r.Body); err != nil { // the client's body was bad, so ours ends early, and the connection with it
						_, err = in.ReadByte()
						require.Equal(t, io.EOF, err)
						break
					}
				}
			}
			require.LessOrEqual(t, whole, judged.Load())
		})
	}
}

// A client can take its own headers away by naming them in Connection, but none that the gateway,
// or a station before, has set.
func TestConnectionCannotStripGatewayHeaders(t *testing.T) {
	b := backend(t, echo)
	for _, flavor := range flavors {
		p := newProxy(t, integration.HTTPConfig{URI: b.URL, GatewayHeaders: []string{"x-user-id"}})
		f := front(t, flavor, gatekit.Chain(p, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("X-User-Id", "ann")
				next.ServeHTTP(w, r)
			})
		}))
		got := speak(t, addressOf(f), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close, x-api-key, X-User-ID, X-Forwarded-For, x-forwarded-proto, X-Forwarded-Port, Forwarded, Via, X-Amzn-Trace-Id, X-Amzn-Apigateway-Api-Id, Host\r\nX-API-Key: k\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")
		require.NotContains(t, got, "X-Api-Key")
		require.Contains(t, got, "X-User-Id: ann\n")
		require.Contains(t, got, "X-Amzn-Trace-Id: Root=")
		if flavor == gatekit.REST {
			require.Contains(t, got, "X-Forwarded-For: 9.9.9.9, 127.0.0.1\n")
			require.Contains(t, got, "X-Forwarded-Proto: http\n")
			require.Contains(t, got, "X-Forwarded-Port: 80\n")
			require.Contains(t, got, "X-Amzn-Apigateway-Api-Id: a1b2c3\n")
		} else {
			require.Contains(t, got, "Forwarded: by=127.0.0.1;for=127.0.0.1;host=h;proto=http\n")
			require.Contains(t, got, "Via: HTTP/1.1 AmazonAPIGateway\n")
		}
	}
}

// Nor can an upstream take away what the gateway has set for the client.
func TestUpstreamCannotStripGatewayHeaders(t *testing.T) {
	url := rawBackend(t, func(conn net.Conn, _ string) {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nConnection: Apigw-Requestid, X-Amzn-Requestid, Content-Length, Strict-Transport-Security\r\nContent-Length: 2\r\n\r\nok")
	})
	for flavor, id := range map[gatekit.Flavor]string{gatekit.HTTP: "Apigw-Requestid", gatekit.REST: "X-Amzn-Requestid"} {
		f := front(t, flavor, gatekit.Chain(newProxy(t, integration.HTTPConfig{URI: url}), func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Strict-Transport-Security", "max-age=1")
				next.ServeHTTP(w, r)
			})
		}))
		w := do(t, "GET", f.URL, nil)
		require.Equal(t, "ok", w.body)
		require.NotEmpty(t, w.Header.Get(id))
		require.Equal(t, "max-age=1", w.Header.Get("Strict-Transport-Security"))
	}
}

// A client's Forwarded can't swallow the element behind it.
func TestForwardedCannotBeSwallowed(t *testing.T) {
	b := backend(t, echo)
	f := front(t, gatekit.HTTP, newProxy(t, integration.HTTPConfig{URI: b.URL}))
	for _, value := range []string{`for="`, `for="1.2.3.4`, `for=1.2.3.4;x="\`, `,`, `for`, `for=`, `=x`, `for=1.2.3.4 ;`, "for=\"a\x01\"", `for=[::1]`} {
		got := speak(t, addressOf(f), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nForwarded: "+value+"\r\n\r\n")
		if strings.HasPrefix(got, "HTTP/1.1 400 ") {
			continue // net/http's own
		}
		require.Contains(t, got, "\nForwarded: by=127.0.0.1;for=127.0.0.1;host=h;proto=http\n", value)
	}
}

// Whatever router stands in front, no variable's value leaves the URI's path, and nothing but the
// URI says which server is asked.
func TestPathsStayInside(t *testing.T) {
	b := backend(t, echo)
	variable := newProxy(t, integration.HTTPConfig{URI: b.URL + "/public/{rest}"})
	appended := newProxy(t, integration.HTTPConfig{URI: b.URL + "/public"})
	for _, path := range []string{"/..", "/../admin", "/a/../../admin", "/.", "//../admin", "/..\\admin", "/\x00", "/a/.."} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: path}
		r.SetPathValue("rest", path)
		for _, p := range []*integration.Proxy{variable, appended} {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			require.Equal(t, 400, w.Code, path)
			require.Equal(t, `{"message":"Bad Request"}`, w.Body.String())
		}
	}
	for _, path := range []string{"@evil.example/", "//evil.example/", "http://evil.example/", "?x", "#x", "%2e%2e/admin", " HTTP/1.1\r\nX: y"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: path}
		r.SetPathValue("rest", path)
		for _, p := range []*integration.Proxy{variable, appended} {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			require.Equal(t, 200, w.Code, path)
			require.Regexp(t, `^GET /public/\S* `+addressOf(b)+"\n", w.Body.String())
		}
	}
	// A query with blanks, which only HTTP/2 can carry, would split the request line.
	for _, query := range []string{"a b", "a\tb", "a\r\nb", "a\x7f"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		appended.ServeHTTP(w, r)
		require.Equal(t, 400, w.Code, query)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Method = http.MethodConnect
	w := httptest.NewRecorder()
	appended.ServeHTTP(w, r)
	require.Equal(t, 400, w.Code)
}

// The same over a real HTTP/2 connection, whose :path is no part of a line.
func TestHTTP2PathWithBlanks(t *testing.T) {
	up := newRecorder(t)
	s := httptest.NewUnstartedServer(newProxy(t, integration.HTTPConfig{URI: up.url}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	conn, err := tls.Dial("tcp", addressOf(s), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	// :method GET, :scheme https, and :authority and :path as literals. (RFC 7541, appendix A.)
	const path = "/?a HTTP/1.1 x"
	block := "\x82\x87\x01\x01x\x04" + string(rune(len(path))) + path
	head := []byte{0, 0, byte(len(block)), 1, 5, 0, 0, 0, 1} // HEADERS, END_STREAM and END_HEADERS, stream 1
	_, err = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"+string(head)+block)
	require.NoError(t, err)
	var answered bool
	frame := make([]byte, 9)
	for !answered {
		_, err := io.ReadFull(conn, frame)
		require.NoError(t, err)
		payload := make([]byte, int(frame[0])<<16|int(frame[1])<<8|int(frame[2]))
		_, err = io.ReadFull(conn, payload)
		require.NoError(t, err)
		switch frame[3] {
		case 1: // HEADERS
			answered = true
			require.Equal(t, byte(0x8c), payload[0], ":status 400")
		case 3: // RST_STREAM: refused without us
			answered = true
		}
	}
	require.Zero(t, up.requests.Load())
}

// A request's headers may be a megabyte long; they are refused before anything is sent on.
func TestHugeRequestHeaders(t *testing.T) {
	t.Parallel() // net/http waits before it closes
	up := newRecorder(t)
	api := gatekit.Must(route.New(route.Config{}))
	limits := gatekit.HTTP.Limits()
	api.Use(limits.Middleware)
	api.Handle("$default", newProxy(t, integration.HTTPConfig{URI: up.url}))
	s := httptest.NewUnstartedServer(nil)
	s.Config = limits.HTTPServer(api)
	s.Start()
	defer s.Close()
	for _, n := range []int{10_240, 1 << 20} {
		conn, err := net.Dial("tcp", addressOf(s))
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		go fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-A: %s\r\n\r\n", strings.Repeat("a", n))
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "HTTP/1.1 431 Request Header Fields Too Large\r\n", line)
		conn.Close()
	}
	require.Zero(t, up.requests.Load())
}

// Errors and logs name the upstream, never what the client sent.
func TestCausesHoldNoSecrets(t *testing.T) {
	var cause string
	h := gatekit.Chain(newProxy(t, integration.HTTPConfig{URI: "http://" + closedAddress(t) + "/{id}"}), gatekit.Must(gatekit.Describe(gatekit.API{})), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.SetPathValue("id", "secret")
			next.ServeHTTP(w, r)
			cause = gatekit.From(r.Context()).Rejection().Error()
		})
	})
	r := httptest.NewRequest("GET", "/?token=secret", nil)
	r.Header.Set("Authorization", "secret")
	h.ServeHTTP(httptest.NewRecorder(), r)
	require.Contains(t, cause, "connection refused")
	require.NotContains(t, cause, "secret")
}
