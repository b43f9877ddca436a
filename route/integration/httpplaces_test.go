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
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

// crowd is a Proxy with few places behind a front on a network in memory.
type crowd struct {
	*memory
	p   *integration.Proxy
	ctx context.Context
}

func newCrowd(t *testing.T, cfg integration.HTTPConfig) *crowd {
	ctx, cancel := context.WithCancel(t.Context())
	c := &crowd{memory: &memory{}, ctx: ctx}
	stopBack := c.serve("back:1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			fmt.Fprint(w, "got ", n)
		}
	})
	cfg.Upstreams, cfg.Dial = upstreams("back:1"), c.dial
	c.p = gatekit.Must(integration.NewHTTP(ctx, cfg))
	stopFront := c.serve("front:1", c.p.ServeHTTP)
	t.Cleanup(func() {
		cancel()
		stopFront()
		stopBack()
		time.Sleep(time.Minute) // net/http's servers end their connections with a pause
	})
	return c
}

// say sends text to the front, and leaves the connection open.
func (c *crowd) say(t *testing.T, text string) net.Conn {
	conn, err := c.dial(c.ctx, "", "front:1")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	go func() { _, _ = io.WriteString(conn, text) }()
	return conn
}

func (c *crowd) outstanding() int { return c.p.Upstreams()[0].Outstanding }

func statusOf(t *testing.T, conn net.Conn) int {
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	return w.StatusCode
}

func post(p *integration.Proxy, body io.Reader) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("POST", "/", body))
	return w
}

// Whatever clients leave undone, who has all of a request gets an answer: half-sent uploads of
// every kind, and answers that nobody reads.
func TestNobodyKeepsPlacesThatOthersNeed(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		holds      int // of four places, while nobody needs them
	}{
		{"short-half-sent", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na", 0},
		{"short-unsent", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n", 0},
		{"long-unsent", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", 0},
		{"long-half-sent", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 5000), 4},
		{"chunked-half-sent", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", 4},
		{"chunked-unsent", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 4},
		{"nothing-read", "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, integration.HTTPConfig{MaxConnections: 4})
				for range 20 {
					c.say(t, tt.text)
				}
				time.Sleep(5 * time.Millisecond)
				synctest.Wait()
				require.Equal(t, tt.holds, c.outstanding())
				for range 10 {
					w := httptest.NewRecorder()
					c.p.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
					require.Equal(t, 200, w.Code, w.Body)
					require.Equal(t, "got 1000", post(c.p, strings.NewReader(strings.Repeat("x", 1000))).Body.String())
				}
			})
		})
	}
}

// However many one client has waiting, somebody who has all to send, or comes from elsewhere, is
// next.
func TestCrowdsDoNotStandInFront(t *testing.T) {
	for _, tt := range []struct{ name, text, from string }{
		{"uploads", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", ""},
		{"readers", "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", "192.0.2.99:1"},
		{"readers-of-a-network", "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n", "[2001:db8:1::1]:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, integration.HTTPConfig{MaxConnections: 4})
				stop := time.Now().Add(5 * time.Second)
				for time.Now().Before(stop) {
					for range 20 {
						c.say(t, tt.text)
					}
					time.Sleep(100 * time.Millisecond)
					w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
					r.RemoteAddr = tt.from // "" is where those on the network in memory come from
					c.p.ServeHTTP(w, r)
					require.Equal(t, 200, w.Code)
				}
			})
		})
	}
}

// Who loses the place for having sent nothing more is told that it was too slow; who could still
// read the answer isn't shown half of one.
func TestWhoLosesThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, integration.HTTPConfig{MaxConnections: 1})
		slow := c.say(t, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
		synctest.Wait()
		require.Equal(t, 200, post(c.p, strings.NewReader("x")).Code)
		require.Equal(t, 408, statusOf(t, slow))
	})
	synctest.Test(t, func(t *testing.T) { // without anybody in need it has the whole timeout
		c := newCrowd(t, integration.HTTPConfig{MaxConnections: 1, Timeout: 10 * time.Second})
		start := time.Now()
		slow := c.say(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nslow")
		require.Equal(t, 408, statusOf(t, slow))
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}

// Clients that keep up keep their places, and long uploads that are slow, but not too slow, aren't
// cut by the timeout for headers.
func TestWhoKeepsUpKeepsThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, integration.HTTPConfig{MaxConnections: 1, Timeout: time.Second, ConnectionWait: time.Second})
		pieces, send := io.Pipe()
		var others sync.WaitGroup
		answer := make(chan string)
		go func() { answer <- post(c.p, pieces).Body.String() }()
		for i := range 50 {
			_, err := send.Write(make([]byte, 8<<10))
			require.NoError(t, err)
			time.Sleep(200 * time.Millisecond) // 40 KiB a second
			if i%10 == 0 {
				others.Go(func() {
					if got := record(c.p, "GET", "/"); got != unavailable {
						t.Errorf("got %q", got)
					}
				})
			}
		}
		others.Wait()
		send.Close()
		require.Equal(t, fmt.Sprint("got ", 50*8<<10), <-answer)
	})
}

// A slow upload doesn't give the upstream more time: what the client took is all that is added.
func TestAnUploadsTimeIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{Upstreams: upstreams("a:1"), Dial: net.dial, Timeout: time.Second}))
		start := time.Now()
		require.Equal(t, 503, post(p, io.LimitReader(zeroReader{}, 9<<20)).Code) // at once
		require.Equal(t, time.Second, time.Since(start))
		pieces, send := io.Pipe()
		go func() {
			for range 4 {
				time.Sleep(500 * time.Millisecond)
				_, _ = send.Write(make([]byte, 32<<10))
			}
			send.Close()
		}()
		start = time.Now()
		require.Equal(t, 503, post(p, pieces).Code)
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

// A place is free when the upstream has answered, however long the client takes to read the rest.
func TestThePlaceIsFreeWhenTheUpstreamIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, integration.HTTPConfig{MaxConnections: 1})
		released := make(chan int)
		w := &slowWriter{httptest.NewRecorder(), func() { released <- c.outstanding() }}
		go c.p.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Zero(t, <-released)
	})
}

type slowWriter struct {
	http.ResponseWriter
	onWrite func()
}

func (w *slowWriter) Write(b []byte) (int, error) {
	w.onWrite()
	return w.ResponseWriter.Write(b)
}

// A short body that is said to be long takes no room before it has come.
func TestAnnouncedBodiesTakeNoRoom(t *testing.T) {
	p := newProxy(t, integration.HTTPConfig{URI: "http://" + closedAddress(t)})
	small := testing.AllocsPerRun(10, func() { post(p, strings.NewReader("x")) })
	r := httptest.NewRequest("POST", "/", strings.NewReader("x"))
	r.ContentLength = 64 << 10
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	require.Equal(t, 400, w.Code, "it broke off")
	require.NotZero(t, small)
}
