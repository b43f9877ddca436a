package throttle_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wholebody"
	"github.com/gatekit-go/gatekit/throttle"
)

// pipes is a listener whose connections are in memory, so that a bubble's clock rules them.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newPipes() *pipes { return &pipes{incoming: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 99)} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.incoming <- &fromAddr{far, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}}
	return near, nil
}

// inBubble serves h behind connections, where time costs nothing.
func inBubble(t *testing.T, c throttle.ConnectionsConfig, h http.Handler, change func(*http.Server), play func(*testing.T, *throttle.Connections, *pipes)) {
	t.Helper()
	certificate() // outside, where the clock is the world's
	synctest.Test(t, func(t *testing.T) {
		p, s, connections := newPipes(), &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}, guard(t, c)
		if change != nil {
			change(s)
		}
		l := connections.Guard(s, p)
		done := make(chan error)
		go func() {
			if s.TLSConfig != nil {
				done <- s.ServeTLS(l, "", "")
				return
			}
			done <- s.Serve(l)
		}()
		play(t, connections, p)
		require.NoError(t, s.Close())
		<-done
		synctest.Wait()
		require.Zero(t, connections.Counts().Open)
	})
}

// closedAfter reads until the server closes, and returns how long that took.
func closedAfter(conn net.Conn) time.Duration {
	began := time.Now()
	_, _ = io.Copy(io.Discard, conn)
	return time.Since(began)
}

// What net/http bounds itself, as Limits.HTTPServer tells it to: headers that don't come, a line of
// them that doesn't end, and a TLS handshake that isn't begun.
func TestSlowHeaders(t *testing.T) {
	for name, sends := range map[string]func(io.Writer){
		"nothing": func(io.Writer) {},
		"a line a second": func(w io.Writer) {
			_, err := io.WriteString(w, "GET / HTTP/1.1\r\nHost: a\r\n")
			for i := 0; err == nil; i++ {
				time.Sleep(time.Second)
				_, err = fmt.Fprintf(w, "X-%d: a\r\n", i)
			}
		},
		"a byte a second": func(w io.Writer) {
			for _, err := io.WriteString(w, "GET /"); err == nil; _, err = io.WriteString(w, "a") {
				time.Sleep(time.Second)
			}
		},
	} {
		for _, change := range []func(*http.Server){nil, withTLS} {
			inBubble(t, throttle.ConnectionsConfig{}, ok, func(s *http.Server) {
				s.ReadHeaderTimeout = gatekit.HTTP.Limits().HTTPServer(nil).ReadHeaderTimeout
				if change != nil {
					change(s)
				}
			}, func(t *testing.T, _ *throttle.Connections, p *pipes) {
				conn, _ := p.dial(context.Background(), "", "")
				sent := make(chan struct{})
				go func() { defer close(sent); sends(conn) }()
				require.LessOrEqual(t, closedAfter(conn), 10*time.Second+500*time.Millisecond, name)
				conn.Close()
				<-sent
			})
		}
	}
}

// reads is a handler that reads the body as our stations do, and answers as they.
var reads = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if _, err := wholebody.Read("test", r, 10<<20); err != nil {
		gatekit.Reject(w, r, err)
	}
})

// client speaks HTTP/1, or HTTP/2 if the server has TLS.
func (p *pipes) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: p.dial, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
}

// trickle is a body of one piece at a time.
type trickle struct {
	piece string
	every time.Duration
	left  int
}

// body is what a client sends of it. It ends early if the client closes it.
func (b trickle) body() io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		for range b.left {
			time.Sleep(b.every)
			if _, err := io.WriteString(w, b.piece); err != nil {
				return
			}
		}
		w.Close()
	}()
	return r
}

// post sends a body and returns the status, how long it took, and how the connection spoke.
func (p *pipes) post(t *testing.T, scheme string, body io.Reader) (status int, took time.Duration, proto int) {
	t.Helper()
	client := p.client()
	defer client.CloseIdleConnections()
	began := time.Now()
	w, err := client.Post(scheme+"://gate.example/", "text/plain", body)
	require.NoError(t, err)
	_ = w.Body.Close()
	return w.StatusCode, time.Since(began), w.ProtoMajor
}

func TestSlowBodies(t *testing.T) {
	for _, tt := range []struct {
		name string
		body trickle
		want int
		took time.Duration // at the most, of those that are refused
	}{
		// Not on the second, when the connection is closed: of an answer and a write that fails at one
		// instant, http.Transport takes either.
		{"a-byte-at-a-time", trickle{"a", 1100 * time.Millisecond, 3600}, 408, 5 * time.Second},
		{"half-of-it", trickle{strings.Repeat("a", 130), 1100 * time.Millisecond, 3600}, 408, 10 * time.Second},
		{"nothing", trickle{"a", time.Hour, 1}, 408, 5 * time.Second},
		{"enough-for-an-hour", trickle{strings.Repeat("a", 250), time.Second, 3600}, 200, 0},
		{"enough-in-bursts", trickle{strings.Repeat("a", 1200), 4 * time.Second, 900}, 200, 0},
		{"slow-but-short", trickle{"a", time.Second, 4}, 200, 0},
	} {
		for _, change := range []func(*http.Server){nil, withTLS} {
			t.Run(fmt.Sprint(tt.name, "/http-", map[bool]int{true: 1, false: 2}[change == nil]), func(t *testing.T) {
				inBubble(t, throttle.ConnectionsConfig{}, reads, change, func(t *testing.T, c *throttle.Connections, p *pipes) {
					scheme, proto := "http", 1
					if change != nil {
						scheme, proto = "https", 2
					}
					status, took, spoke := p.post(t, scheme, tt.body.body())
					require.Equal(t, proto, spoke)
					require.Equal(t, tt.want, status)
					if tt.want == 408 {
						require.LessOrEqual(t, took, tt.took+2*time.Second)
						require.EqualValues(t, 1, c.Counts().SlowBodies)
						time.Sleep(time.Hour) // until the goroutine of the body finds it closed
						return
					}
					require.Zero(t, c.Counts().SlowBodies)
				})
			})
		}
	}
}

// A handler that takes its time isn't a client that does: its pauses don't count, and leave no
// deadline behind.
func TestSlowHandlerIsNoSlowBody(t *testing.T) {
	for _, change := range []func(*http.Server){nil, withTLS} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			one := make([]byte, 100)
			for {
				if _, err := io.ReadFull(r.Body, one); err != nil {
					break
				}
				time.Sleep(time.Hour)
			}
			time.Sleep(time.Hour)
			require.NoError(t, r.Context().Err(), "the server's watch for the client's end is no deadline's victim")
		})
		inBubble(t, throttle.ConnectionsConfig{}, h, change, func(t *testing.T, c *throttle.Connections, p *pipes) {
			scheme := map[bool]string{true: "http", false: "https"}[change == nil]
			status, _, _ := p.post(t, scheme, strings.NewReader(strings.Repeat("a", 1000)))
			require.Equal(t, 200, status)
			require.Zero(t, c.Counts().SlowBodies)
		})
	}
}

// A handler that leaves its body to a goroutine, which reads on: nothing reaches for the
// ResponseWriter when the time is up.
func TestBodyThatOutlivesItsHandler(t *testing.T) {
	for _, change := range []func(*http.Server){nil, withTLS} {
		ended := make(chan error, 1)
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			reading := make(chan struct{})
			go func() {
				close(reading)
				_, err := io.ReadAll(r.Body)
				ended <- err
			}()
			<-reading
		})
		inBubble(t, throttle.ConnectionsConfig{}, h, change, func(t *testing.T, c *throttle.Connections, p *pipes) {
			scheme := map[bool]string{true: "http", false: "https"}[change == nil]
			body, w := io.Pipe()
			_, _, _ = p.post(t, scheme, body)
			time.Sleep(time.Minute)
			require.Error(t, <-ended)
			_ = w.CloseWithError(io.EOF)
			require.Zero(t, c.Counts().SlowBodies)
		})
	}
}

// A client that doesn't read its answer, or too little of it, loses the connection.
func TestSlowReaders(t *testing.T) {
	const length = 1 << 20
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, length)) })
	for _, tt := range []struct {
		name  string
		piece int // bytes a second
		all   bool
	}{{"nothing", 0, false}, {"10-bytes-a-second", 10, false}, {"300-bytes-a-second", 300, true}} {
		for _, change := range []func(*http.Server){nil, withTLS} {
			t.Run(tt.name, func(t *testing.T) {
				inBubble(t, throttle.ConnectionsConfig{}, h, change, func(t *testing.T, c *throttle.Connections, p *pipes) {
					below, _ := p.dial(context.Background(), "", "")
					slow := &slowly{Conn: below, piece: tt.piece}
					var conn net.Conn = slow
					if change != nil {
						client := tls.Client(slow, &tls.Config{InsecureSkipVerify: true})
						require.NoError(t, client.Handshake())
						conn = client
					}
					defer below.Close()
					_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
					require.NoError(t, err)
					slow.on = true
					n, _ := io.Copy(io.Discard, conn)
					require.Equal(t, tt.all, n > length)
					require.Equal(t, tt.all, c.Counts().SlowReaders == 0)
				})
			})
		}
	}
}

// The server's own WriteTimeout holds where it is shorter, and so does one that a handler sets.
func TestWriteTimeoutHolds(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sets" {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Second))
		}
		began := time.Now()
		_, err := w.Write(make([]byte, 1<<20))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, map[string]time.Duration{"/": 2 * time.Second, "/sets": time.Second}[r.URL.Path], time.Since(began))
	})
	for _, path := range []string{"/", "/sets"} {
		inBubble(t, throttle.ConnectionsConfig{}, h, func(s *http.Server) { s.WriteTimeout = 2 * time.Second },
			func(t *testing.T, c *throttle.Connections, p *pipes) {
				conn, _ := p.dial(context.Background(), "", "")
				defer conn.Close()
				_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
				require.NoError(t, err)
				time.Sleep(time.Hour)
				require.Zero(t, c.Counts().SlowReaders)
				require.Zero(t, c.Counts().Open)
			})
	}
}

// Who is upgraded may be silent, and slow to read.
func TestUpgradedConnectionIsSlow(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write(make([]byte, 1000))
		require.NoError(t, err)
	})
	inBubble(t, throttle.ConnectionsConfig{}, h, nil, func(t *testing.T, c *throttle.Connections, p *pipes) {
		conn, _ := p.dial(context.Background(), "", "")
		defer conn.Close()
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		time.Sleep(time.Hour)
		n, err := io.Copy(io.Discard, conn)
		require.NoError(t, err)
		require.EqualValues(t, 1000, n)
	})
}

// slowly is a connection that reads little a second, or begins to after an hour.
type slowly struct {
	net.Conn
	piece int
	on    bool
}

func (c *slowly) Read(b []byte) (int, error) {
	switch {
	case c.on && c.piece == 0:
		time.Sleep(time.Hour)
	case c.on:
		time.Sleep(time.Second)
		b = b[:min(len(b), c.piece)]
	}
	return c.Conn.Read(b)
}

// A flood of connections is refused without an object each, and without a goroutine; afterwards
// nothing is left.
func TestFloodOfConnections(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{AcceptRate: &throttle.Limit{Rate: 0.001, Burst: 1}})
	addr := start(t, c, ok, nil)
	require.Equal(t, 200, try(t, "127.0.0.1", addr))
	before := runtime.NumGoroutine()
	var flood sync.WaitGroup
	for range 4 {
		flood.Go(func() {
			for range 250 {
				if conn, err := net.Dial("tcp", addr); err == nil {
					_, _ = conn.Read(make([]byte, 1))
					conn.Close()
				}
			}
		})
	}
	flood.Wait()
	require.EqualValues(t, 1000, c.Counts().TooOften)
	require.Equal(t, 1, c.Counts().Open)
	require.LessOrEqual(t, runtime.NumGoroutine(), before+1)
}
