package integration_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

var flavors = []gatekit.Flavor{gatekit.HTTP, gatekit.REST}

// newProxy returns a Proxy that ends with the test.
func newProxy(t testing.TB, cfg integration.HTTPConfig) *integration.Proxy {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	p, err := integration.NewHTTP(ctx, cfg)
	require.NoError(t, err)
	return p
}

// front serves h on the loopback, as an API of flavor f with h on $default.
func front(t testing.TB, f gatekit.Flavor, h http.Handler) *httptest.Server {
	t.Helper()
	return frontAt(t, gatekit.API{Flavor: f, APIID: "a1b2c3"}, "$default", h)
}

func frontAt(t testing.TB, identity gatekit.API, routeKey string, h http.Handler) *httptest.Server {
	t.Helper()
	api := gatekit.Must(route.New(route.Config{API: identity}))
	api.Handle(routeKey, h)
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	return s
}

// backend is a real server.
func backend(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// rawBackend is a server that speaks as f says, on each connection, after it has read a request's
// head.
func rawBackend(t testing.TB, f func(conn net.Conn, head string)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	var mu sync.Mutex
	conns, closed := map[net.Conn]bool{}, false
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if conns[conn] = true; closed {
				conn.Close()
			}
			mu.Unlock()
			all.Go(func() {
				defer conn.Close()
				if head := readHead(bufio.NewReader(conn)); head != "" {
					f(conn, head)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		closed = true
		for conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return "http://" + l.Addr().String()
}

func readHead(in *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return ""
		}
		b.WriteString(line)
		if line == "\r\n" {
			return b.String()
		}
	}
}

// closedAddress returns an address where nobody listens.
func closedAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// client keeps no connections, and doesn't follow redirects.
func client(t testing.TB) *http.Client {
	t.Helper()
	tr := &http.Transport{DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type reply struct {
	*http.Response
	body string
	err  error // of reading the body
}

func do(t testing.TB, method, url string, body io.Reader, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequest(method, url, body)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w, err := client(t).Do(r)
	require.NoError(t, err)
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	return reply{w, string(text), err}
}

// speak sends text as it is to the server and returns all that comes back until the connection
// ends.
func speak(t testing.TB, address, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

func addressOf(s *httptest.Server) string { return s.Listener.Addr().String() }
