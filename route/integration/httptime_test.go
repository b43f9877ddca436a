package integration_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// An attempt that takes too long is given up, and its connection with it.
func TestTryTimeout(t *testing.T) {
	inMemory(t, func(t *testing.T, net *memory, ctx context.Context) {
		defer net.raw("never:1", silent)()
		defer net.serve("good:1", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "good") })()
		p := net.proxy(ctx, integration.HTTPConfig{Upstreams: upstreams("never:1", "good:1"), TryTimeout: time.Second, Timeout: 10 * time.Second})
		start := time.Now()
		for range 2 {
			require.Equal(t, "good", record(p, "GET", "/"))
		}
		require.Equal(t, time.Second, time.Since(start))
		only := net.proxy(ctx, integration.HTTPConfig{URI: "http://never:1", TryTimeout: time.Second})
		w := httptest.NewRecorder()
		gatekit.Chain(only, gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST}))).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, 504, w.Code)
		require.Equal(t, timedOut, w.Body.String())
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

// The timeout is for all attempts together.
func TestTimeoutCoversAllAttempts(t *testing.T) {
	inMemory(t, func(t *testing.T, net *memory, ctx context.Context) {
		var attempts atomic.Int32
		never := func(c conn) { attempts.Add(1); silent(c) }
		defer net.raw("a:1", never)()
		defer net.raw("b:1", never)()
		p := net.proxy(ctx, integration.HTTPConfig{Upstreams: upstreams("a:1", "b:1"), Timeout: 3500 * time.Millisecond, TryTimeout: time.Second, Retry: integration.Retry{Attempts: 10}})
		start := time.Now()
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, 503, w.Code)
		require.Equal(t, 3500*time.Millisecond, time.Since(start))
		require.Equal(t, int32(4), attempts.Load(), "not ten")
	})
}

// conn is a net.Conn where net is a network in memory.
type conn = net.Conn

// Clients that send their bodies slowly, or break off, take no upstream out of service.
func TestClientsCannotEjectUpstreams(t *testing.T) {
	inMemory(t, func(t *testing.T, net *memory, ctx context.Context) {
		read := func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
		defer net.serve("a:1", read)()
		defer net.serve("b:1", read)()
		p := net.proxy(ctx, integration.HTTPConfig{Upstreams: upstreams("a:1", "b:1"), Timeout: time.Second, Ejection: integration.Ejection{Failures: 1}})
		defer net.serve("front:1", p.ServeHTTP)()
		for _, tt := range []struct{ head, want string }{
			{"Content-Length: 10\r\n\r\nslow", "HTTP/1.1 408 Request Timeout\r\n"},
			{"Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 50_000), "HTTP/1.1 503 Service Unavailable\r\n"},
			{"Transfer-Encoding: chunked\r\n\r\n4\r\nslow\r\n", "HTTP/1.1 503 Service Unavailable\r\n"},
		} {
			for i := range 6 {
				conn, err := net.dial(ctx, "", "front:1")
				require.NoError(t, err)
				fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\n"+tt.head)
				synctest.Wait()
				if i%2 == 0 {
					line, err := bufio.NewReader(conn).ReadString('\n')
					require.NoError(t, err)
					require.Equal(t, tt.want, line)
				}
				conn.Close()
				synctest.Wait()
				for _, u := range p.Upstreams() {
					require.Zero(t, u.Outstanding)
					require.True(t, u.EjectedUntil.IsZero(), u.Address)
				}
			}
		}
	})
}

// A client that takes nothing doesn't hold an upstream's connection for ever.
func TestSlowClient(t *testing.T) {
	inMemory(t, func(t *testing.T, net *memory, ctx context.Context) {
		gone := make(chan struct{})
		defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) {
			defer close(gone)
			_, _ = io.Copy(w, zeroReader{})
		})()
		p := net.proxy(ctx, integration.HTTPConfig{URI: "http://a:1", IdleTimeout: time.Minute})
		defer net.serve("front:1", p.ServeHTTP)()
		conn, err := net.dial(ctx, "", "front:1")
		require.NoError(t, err)
		defer conn.Close()
		start := time.Now()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-gone
		require.Equal(t, time.Minute, time.Since(start))
		synctest.Wait()
		require.Zero(t, p.Upstreams()[0].Outstanding)
	})
}

// Events arrive one by one, the headers before the first, and the stream outlives the timeout.
func TestServerSentEvents(t *testing.T) {
	inMemory(t, func(t *testing.T, net *memory, ctx context.Context) {
		next := make(chan string)
		defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			for event := range next {
				fmt.Fprintf(w, "data: %s\n\n", event)
				_ = http.NewResponseController(w).Flush()
			}
		})()
		p := net.proxy(ctx, integration.HTTPConfig{URI: "http://a:1", Timeout: time.Second, IdleTimeout: time.Minute})
		defer net.serve("front:1", p.ServeHTTP)()
		tr := &http.Transport{DialContext: net.dial}
		defer tr.CloseIdleConnections()
		w, err := (&http.Client{Transport: tr}).Get("http://front:1")
		require.NoError(t, err)
		defer w.Body.Close()
		b := make([]byte, 100)
		for i := range 3 {
			time.Sleep(50 * time.Second) // more than the timeout, less than may be silence
			next <- fmt.Sprint(i)
			n, err := w.Body.Read(b)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("data: %d\n\n", i), string(b[:n]))
		}
		close(next)
		_, err = w.Body.Read(b)
		require.Equal(t, io.EOF, err)
	})
}

// An upgraded connection ends when nothing was said in either direction for the idle timeout.
func TestUpgradedConnectionIsSilent(t *testing.T) {
	inMemory(t, func(t *testing.T, net *memory, ctx context.Context) {
		defer net.raw("a:1", func(c conn) {
			fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			_, _ = io.Copy(c, c)
		})()
		p := net.proxy(ctx, integration.HTTPConfig{URI: "http://a:1", IdleTimeout: time.Minute})
		defer net.serve("front:1", p.ServeHTTP)()
		c, err := net.dial(ctx, "", "front:1")
		require.NoError(t, err)
		defer c.Close()
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		require.Contains(t, readAnswerHead(t, c), "101")
		for range 3 {
			time.Sleep(59 * time.Second)
			fmt.Fprint(c, "ping")
			expectBytes(t, c, "ping")
		}
		last := time.Now()
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, time.Minute, time.Since(last))
	})
}
