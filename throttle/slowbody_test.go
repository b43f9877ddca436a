package throttle_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

// client speaks HTTP/2, or HTTP/1.1, over TLS until the test ends.
func client(t testing.TB, two bool) *http.Client {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetHTTP2(two)
	protocols.SetHTTP1(!two)
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// Without a minimum, too, what a handler reads is no overhead.
func TestUploadWithoutMinimum(t *testing.T) {
	for _, two := range []bool{false, true} {
		c := guard(t, throttle.ConnectionsConfig{MinBodyRate: -1})
		c.AllowOverhead(3 << 20)
		addr := start(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, err)
		}), withTLS)
		w, err := client(t, two).Post("https://"+addr, "text/plain", io.LimitReader(zeros{}, 8<<20))
		require.NoError(t, err)
		body, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(8<<20, nil), string(body))
		require.Zero(t, c.Counts().Overhead)
	}
}

// A trailer that no header has announced reaches the handler, through a Shadow and limits as well.
func TestTrailerThatIsNotAnnounced(t *testing.T) {
	report := func(*http.Request, *gatekit.Rejection) {}
	for name, station := range map[string]gatekit.Middleware{
		"alone":  func(next http.Handler) http.Handler { return next },
		"limits": gatekit.HTTP.Limits().Middleware,
		"shadow": gatekit.Shadow(throttle.NoMinimum, report),
		"refusing-shadow": gatekit.Shadow(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Throttled})
			})
		}, report),
	} {
		t.Run(name, func(t *testing.T) {
			addr := start(t, guard(t, throttle.ConnectionsConfig{}), station(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, r.Trailer.Get("X-Sum")+r.Trailer.Get("X-Said"))
			})), nil)
			for _, headers := range []string{"", "Trailer: X-Said\r\n"} {
				conn := dial(t, "127.0.0.1", addr)
				_, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+headers+
					"Transfer-Encoding: chunked\r\n\r\n3\r\nend\r\n0\r\nX-Sum: 4\r\nX-Said: 2\r\n\r\n")
				require.NoError(t, err)
				w, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err)
				body, err := io.ReadAll(w.Body)
				require.NoError(t, err)
				require.Equal(t, "42", string(body), headers)
			}
		})
	}
}

// A stream on which both sides talk now and then goes on where its route says so, and nowhere else.
func TestNoMinimum(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := http.NewResponseController(w)
		_ = to.EnableFullDuplex()
		one := make([]byte, 1024)
		for {
			if err := to.Flush(); err != nil {
				return
			}
			n, err := r.Body.Read(one)
			_, _ = w.Write(one[:n])
			if err != nil {
				return
			}
		}
	})
	kind, next := throttle.NoMinimum(echo).(gatekit.Station).Station()
	require.Equal(t, "no-minimum", kind)
	require.NotNil(t, next)
	throttle.NoMinimum(ok).ServeHTTP(nil, new(http.Request).WithContext(context.Background())) // without Connections

	mux := http.NewServeMux()
	mux.Handle("/stream", gatekit.HTTP.Limits().Middleware(throttle.NoMinimum(echo)))
	mux.Handle("/", echo)
	for _, change := range []func(*http.Server){nil, withTLS} {
		scheme := map[bool]string{true: "http", false: "https"}[change == nil]
		for path, want := range map[string]bool{"/stream": true, "/": false} {
			inBubble(t, throttle.ConnectionsConfig{}, mux, change, func(t *testing.T, c *throttle.Connections, p *pipes) {
				from, to := io.Pipe()
				client := p.client()
				defer client.CloseIdleConnections()
				w, err := client.Post(scheme+"://gate.example"+path, "application/grpc", from)
				require.NoError(t, err)
				answer := make([]byte, 2)
				for range 20 {
					time.Sleep(4 * time.Second)
					if _, err = io.WriteString(to, "hi"); err != nil {
						break
					}
					if _, err = io.ReadFull(w.Body, answer); err != nil {
						break
					}
				}
				require.Equal(t, want, err == nil, "%s%s: %v", scheme, path, err)
				require.Equal(t, want, c.Counts().SlowBodies == 0)
				_ = to.Close()
				_ = w.Body.Close()
			})
		}
	}
}

// Whoever uploads with a token that has expired is told so each time, on one connection after the
// other, and never reset.
func TestRefusedUploadsAreAnswered(t *testing.T) {
	for _, tt := range []struct {
		two  bool
		size int
	}{{false, 200 << 10}, {true, 1 << 20}} {
		c := guard(t, throttle.ConnectionsConfig{})
		c.AllowOverhead(4 << 20)
		addr := start(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "expired", http.StatusUnauthorized)
		}), withTLS)
		client, body := client(t, tt.two), bytes.Repeat([]byte("a"), tt.size)
		// How much of a body has arrived when its answer goes out is the machine's affair: of a fast
		// one it is a frame or two.
		for i := 0; c.Counts().Accepted < 2; i++ {
			require.Less(t, i, 10_000)
			w, err := client.Post("https://"+addr, "text/plain", bytes.NewReader(body))
			require.NoError(t, err, "%d: %+v", i, c.Counts())
			require.Equal(t, http.StatusUnauthorized, w.StatusCode)
			_, _ = io.Copy(io.Discard, w.Body)
			_ = w.Body.Close()
		}
		require.Zero(t, c.Counts().Overhead)
	}
}

// An upgrade is never told to close.
func TestSpentConnectionIsUpgraded(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{})
	c.AllowOverhead(64 << 10)
	addr := start(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Connection", w.Header().Get("Connection"))
	}), nil)
	conn := dial(t, "127.0.0.1", addr)
	ask := func(request string) *http.Response {
		_, err := io.WriteString(conn, request)
		require.NoError(t, err)
		w, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		return w
	}
	unread := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n" + strings.Repeat("a", 40000)
	require.Empty(t, ask(unread).Header.Get("X-Connection"))
	require.Empty(t, ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: b\r\n\r\n").Header.Get("X-Connection"))
	w := ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	require.Equal(t, "close", w.Header.Get("X-Connection"))
	require.True(t, w.Close)
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "closed as it should be, not reset")
}
