package integration_test

import (
	"context"
	"fmt"
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

// An upstream that requests have ejected, and that never failed a check, is let in by the next
// check that is well. What comes after begins anew: one lost request ejects it neither again nor
// for longer.
func TestACheckEndsAnEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		var broken atomic.Bool
		defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) {
			if broken.Load() && r.URL.Path != "/health" {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, "a")
		})()
		defer net.serve("b:1", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "b") })()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{
			Upstreams: upstreams("a:1", "b:1"), Dial: net.dial, Retry: integration.Retry{Burst: 1000},
			Health: &integration.HealthCheck{Path: "/health", Interval: time.Second, Healthy: 3}, Ejection: integration.Ejection{Failures: 2, For: time.Hour},
		}))
		serve := func(n int) {
			for range n {
				record(p, "GET", "/")
			}
		}
		ejected := func() bool { return !p.Upstreams()[0].EjectedUntil.IsZero() }
		time.Sleep(500 * time.Millisecond)
		for round := range 3 {
			broken.Store(true)
			serve(2)
			require.False(t, ejected(), "round %d: two requests, one failure", round)
			serve(2)
			require.True(t, ejected(), "round %d", round)
			require.LessOrEqual(t, time.Until(p.Upstreams()[0].EjectedUntil), time.Hour, "not for longer")
			require.True(t, p.Upstreams()[0].Healthy)
			broken.Store(false)
			time.Sleep(time.Second)
			synctest.Wait()
			require.False(t, ejected(), "round %d", round)
		}
		require.ElementsMatch(t, []string{"a", "b"}, []string{record(p, "GET", "/"), record(p, "GET", "/")})
	})
}

// An answer to a check that was asked before the ejection doesn't end it.
func TestALateCheckEndsNoEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/health" {
				panic(http.ErrAbortHandler)
			}
			time.Sleep(time.Second)
		})()
		defer net.serve("b:1", func(w http.ResponseWriter, r *http.Request) {})()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); time.Sleep(time.Minute) }()
		p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{
			Upstreams: upstreams("a:1", "b:1"), Dial: net.dial,
			Health: &integration.HealthCheck{Path: "/health", Interval: time.Second, Timeout: 5 * time.Second}, Ejection: integration.Ejection{Failures: 1, For: time.Hour},
		}))
		synctest.Wait() // the check is on its way
		record(p, "GET", "/")
		record(p, "GET", "/")
		require.False(t, p.Upstreams()[0].EjectedUntil.IsZero())
		time.Sleep(1500 * time.Millisecond)
		require.False(t, p.Upstreams()[0].EjectedUntil.IsZero(), "the answer is of before")
		time.Sleep(2 * time.Second)
		require.True(t, p.Upstreams()[0].EjectedUntil.IsZero(), "the next one is of after")
	})
}

// A sick upstream needs as many checks as the configuration says, and its ejection stays as long.
func TestASickUpstreamStaysEjected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		defer net.serve("b:1", func(w http.ResponseWriter, r *http.Request) {})()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{
			Upstreams: upstreams("a:1", "b:1"), Dial: net.dial, Health: &integration.HealthCheck{Path: "/", Interval: time.Second, Unhealthy: 1, Healthy: 3},
			Ejection: integration.Ejection{Failures: 1, For: time.Hour}, PanicPercent: 100, // so that requests reach it all the same
		}))
		synctest.Wait()
		record(p, "GET", "/")
		record(p, "GET", "/")
		require.False(t, p.Upstreams()[0].Healthy)
		require.False(t, p.Upstreams()[0].EjectedUntil.IsZero())
		defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) {})()
		time.Sleep(2500 * time.Millisecond) // two checks
		require.False(t, p.Upstreams()[0].EjectedUntil.IsZero())
		time.Sleep(time.Second)
		require.True(t, p.Upstreams()[0].Healthy)
		require.True(t, p.Upstreams()[0].EjectedUntil.IsZero())
	})
}

// An answer whose body breaks off is a failure like one that never came, whichever way it breaks.
// One that ends well makes up for those before.
func TestBrokenBodiesEject(t *testing.T) {
	for name, breaks := range map[string]http.HandlerFunc{
		"too-short": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"chunked": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"silent": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var net memory
				var well atomic.Bool
				defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) {
					if well.Load() {
						fmt.Fprint(w, "a")
						return
					}
					breaks(w, r)
				})()
				defer net.serve("b:1", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "b") })()
				ctx, cancel := context.WithCancel(t.Context())
				defer func() { cancel(); synctest.Wait() }()
				p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{
					Upstreams: upstreams("a:1", "b:1"), Dial: net.dial, IdleTimeout: time.Second, Ejection: integration.Ejection{Failures: 3, For: time.Hour},
				}))
				serve := func(n int) {
					for range n {
						func() {
							defer func() { _ = recover() }() // http.ErrAbortHandler: nobody takes half an answer for a whole one
							p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
						}()
					}
				}
				serve(4)
				require.True(t, p.Upstreams()[0].EjectedUntil.IsZero(), "two")
				well.Store(true)
				serve(2)
				well.Store(false)
				serve(4)
				require.True(t, p.Upstreams()[0].EjectedUntil.IsZero(), "two, an answer between")
				serve(2)
				require.False(t, p.Upstreams()[0].EjectedUntil.IsZero(), "three in a row")
				require.Zero(t, p.Upstreams()[0].Outstanding)
			})
		})
	}
}

// A client that breaks off in the middle of an answer, or reads none of it, is no failure of the
// upstream's.
func TestClientsThatBreakOffEjectNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		endless := func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}
		defer net.serve("a:1", endless)()
		defer net.serve("b:1", endless)()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{
			Upstreams: upstreams("a:1", "b:1"), Dial: net.dial, IdleTimeout: time.Second, Ejection: integration.Ejection{Failures: 1, For: time.Hour},
		}))
		defer net.serve("front:1", p.ServeHTTP)()
		for range 4 {
			conn, err := net.dial(ctx, "", "front:1")
			require.NoError(t, err)
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			_, err = conn.Read(make([]byte, 100))
			require.NoError(t, err)
			conn.Close()
			synctest.Wait()
		}
		conn, err := net.dial(ctx, "", "front:1")
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		time.Sleep(2 * time.Second) // nothing is read
		for _, u := range p.Upstreams() {
			require.True(t, u.EjectedUntil.IsZero())
			require.Zero(t, u.Outstanding)
		}
	})
}

// Requests pay retries in: the budget is full again after as many as its ratio says, and never more
// than full.
func TestRetryBudgetRefills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		var fails atomic.Bool
		var hits atomic.Int32
		h := func(w http.ResponseWriter, r *http.Request) {
			hits.Add(1)
			if fails.Load() {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Connection", "close") // net/http sends again, uncounted, where a kept connection has ended
		}
		defer net.serve("a:1", h)()
		defer net.serve("b:1", h)()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{
			Upstreams: upstreams("a:1", "b:1"), Dial: net.dial, Retry: integration.Retry{Attempts: 2, Ratio: 0.25, Burst: 2}, Ejection: integration.Ejection{Failures: -1},
		}))
		retries := func(n int) int {
			before := hits.Load()
			for range n {
				record(p, "GET", "/")
			}
			return int(hits.Load()-before) - n
		}
		fails.Store(true)
		require.Equal(t, 2, retries(3), "the burst")
		require.Equal(t, 2, retries(8), "a quarter of what fails")
		fails.Store(false)
		require.Zero(t, retries(100))
		fails.Store(true)
		require.Equal(t, 2, retries(3), "full again, and not more than full")
	})
}

// So many interim answers pass, and one more is an upstream's fault.
func TestInterimBound(t *testing.T) {
	for n, want := range map[int]int{16: 200, 17: 503} {
		inMemory(t, func(t *testing.T, net *memory, ctx context.Context) {
			defer net.raw("a:1", func(c conn) {
				fmt.Fprint(c, strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", n)+"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			})()
			defer net.serve("front:1", net.proxy(ctx, integration.HTTPConfig{URI: "http://a:1"}).ServeHTTP)()
			tr := &http.Transport{DialContext: net.dial}
			defer tr.CloseIdleConnections()
			w, err := (&http.Client{Transport: tr}).Get("http://front:1")
			require.NoError(t, err)
			defer w.Body.Close()
			require.Equal(t, want, w.StatusCode, n)
		})
	}
}

// An upstream that is given again with another weight has that weight.
func TestSetUpstreamsChangesWeights(t *testing.T) {
	p := newProxy(t, integration.HTTPConfig{Upstreams: []integration.Upstream{{Address: "a:1", Weight: 1}, {Address: "b:1", Weight: 2}}})
	require.NoError(t, p.SetUpstreams(integration.Upstream{Address: "a:1", Weight: 7}, integration.Upstream{Address: "b:1", Weight: 2}))
	require.Equal(t, 7, p.Upstreams()[0].Weight)
	require.Equal(t, 2, p.Upstreams()[1].Weight)
}
