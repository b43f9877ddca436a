package integration_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

// named is a server that answers with its name, and counts.
type named struct {
	*httptest.Server
	hits atomic.Int32
}

func namedBackend(t testing.TB, name string, h http.HandlerFunc) *named {
	n := &named{}
	n.Server = backend(t, func(w http.ResponseWriter, r *http.Request) {
		n.hits.Add(1)
		if h != nil {
			h(w, r)
			return
		}
		fmt.Fprint(w, name)
	})
	return n
}

func upstreams(addresses ...string) []integration.Upstream {
	var ups []integration.Upstream
	for _, a := range addresses {
		ups = append(ups, integration.Upstream{Address: a})
	}
	return ups
}

// Each way to balance, as exactly as it says.
func TestBalance(t *testing.T) {
	a, b, c := namedBackend(t, "a", nil), namedBackend(t, "b", nil), namedBackend(t, "c", nil)
	serve := func(p *integration.Proxy, n int) map[string]int {
		got := map[string]int{}
		for range n {
			got[record(p, "GET", "/")]++
		}
		return got
	}
	ups := upstreams(addressOf(a.Server), addressOf(b.Server), addressOf(c.Server))
	require.Equal(t, map[string]int{"a": 10, "b": 10, "c": 10}, serve(newProxy(t, integration.HTTPConfig{Upstreams: ups}), 30))
	require.Equal(t, map[string]int{"a": 10, "b": 10, "c": 10}, serve(newProxy(t, integration.HTTPConfig{Upstreams: ups, Balance: integration.LeastOutstanding}), 30), "equals take turns")
	for name, n := range serve(newProxy(t, integration.HTTPConfig{Upstreams: ups, Balance: integration.PowerOfTwo}), 300) {
		require.InDelta(t, 100, n, 60, name)
	}
	ups[0].Weight, ups[1].Weight = 5, 2
	p := newProxy(t, integration.HTTPConfig{Upstreams: ups})
	require.Equal(t, map[string]int{"a": 50, "b": 20, "c": 10}, serve(p, 80))
	require.Equal(t, 5, p.Upstreams()[0].Weight)
	most := 0 // in a row
	for last, row, i := "", 0, 0; i < 80; i++ {
		if name := record(p, "GET", "/"); name == last {
			row++
		} else {
			last, row = name, 1
		}
		most = max(most, row)
	}
	require.LessOrEqual(t, most, 3, "a heavy upstream's requests are spread")
}

// The ones that are busy get less.
func TestBusyUpstreams(t *testing.T) {
	for _, balance := range []integration.Balance{integration.LeastOutstanding, integration.PowerOfTwo} {
		t.Run(balance.String(), func(t *testing.T) {
			release, held := make(chan struct{}), make(chan struct{})
			slow := namedBackend(t, "slow", func(http.ResponseWriter, *http.Request) { held <- struct{}{}; <-release })
			fast := namedBackend(t, "fast", nil)
			p := newProxy(t, integration.HTTPConfig{Upstreams: upstreams(addressOf(slow.Server)), Balance: balance})
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() { record(p, "GET", "/") })
				<-held
			}
			require.Equal(t, 3, p.Upstreams()[0].Outstanding)
			require.NoError(t, p.SetUpstreams(upstreams(addressOf(slow.Server), addressOf(fast.Server))...))
			require.Equal(t, 3, p.Upstreams()[0].Outstanding, "what stays keeps its state")
			for range 20 {
				require.Equal(t, "fast", record(p, "GET", "/"))
			}
			close(release)
			all.Wait()
		})
	}
}

// Requests in flight end where they are; new ones go to the new upstreams.
func TestSetUpstreams(t *testing.T) {
	release, held := make(chan struct{}), make(chan struct{})
	old := namedBackend(t, "old", func(w http.ResponseWriter, r *http.Request) { close(held); <-release; fmt.Fprint(w, "old") })
	fresh := namedBackend(t, "new", nil)
	p := newProxy(t, integration.HTTPConfig{Upstreams: upstreams(addressOf(old.Server)), Health: &integration.HealthCheck{Path: "/health", Interval: time.Hour}})
	<-held // the health check
	held = make(chan struct{})
	answer := make(chan string)
	go func() { answer <- record(p, "GET", "/") }()
	<-held
	require.NoError(t, p.SetUpstreams(upstreams(addressOf(fresh.Server))...))
	require.Equal(t, "new", record(p, "GET", "/"))
	close(release)
	require.Equal(t, "old", <-answer)
}

// Attempts are counted exactly, and only made where nothing can be done twice.
func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		name, method, body string
		fault              string // of each upstream
		retry              integration.Retry
		status             int
		hits               int32 // at all upstreams together
	}{
		{"get", "GET", "", "reset", integration.Retry{}, 503, 3},
		{"get-2", "GET", "", "reset", integration.Retry{Attempts: 2}, 503, 2},
		{"get-1", "GET", "", "reset", integration.Retry{Attempts: 1}, 503, 1},
		{"get-10", "GET", "", "reset", integration.Retry{Attempts: 10}, 503, 10},
		{"post", "POST", "hi", "reset", integration.Retry{}, 503, 1},
		{"post-empty", "POST", "", "reset", integration.Retry{}, 503, 1},
		{"patch", "PATCH", "hi", "reset", integration.Retry{}, 503, 1},
		{"put", "PUT", "hi", "reset", integration.Retry{}, 503, 3},
		{"put-long", "PUT", strings.Repeat("x", 100), "reset", integration.Retry{BodyBytes: 99}, 503, 1},
		{"put-no-room", "PUT", "hi", "reset", integration.Retry{BodyBytes: -1}, 503, 1},
		{"get-503", "GET", "", "503", integration.Retry{}, 503, 1},
		{"get-503-chosen", "GET", "", "503", integration.Retry{Statuses: []int{503}}, 503, 3},
		{"post-503-chosen", "POST", "hi", "503", integration.Retry{Statuses: []int{503}}, 503, 1},
		{"budget", "GET", "", "reset", integration.Retry{Burst: 1}, 503, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var hits atomic.Int32
			fault := func(w http.ResponseWriter, r *http.Request) {
				hits.Add(1)
				got, _ := io.ReadAll(r.Body)
				if string(got) != tt.body {
					t.Errorf("got %q", got)
				}
				if tt.fault == "503" {
					http.Error(w, "busy", http.StatusServiceUnavailable)
					return
				}
				panic(http.ErrAbortHandler)
			}
			p := newProxy(t, integration.HTTPConfig{
				Upstreams: upstreams(addressOf(backend(t, fault)), addressOf(backend(t, fault)), addressOf(backend(t, fault))), Retry: tt.retry,
			})
			w := do(t, tt.method, front(t, gatekit.HTTP, p).URL, strings.NewReader(tt.body))
			require.Equal(t, tt.status, w.StatusCode)
			require.Equal(t, tt.hits, hits.Load())
		})
	}
}

// Nothing was sent, so any request may go elsewhere.
func TestRefusedConnectionsAreRetried(t *testing.T) {
	good := namedBackend(t, "good", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	p := newProxy(t, integration.HTTPConfig{Upstreams: upstreams(closedAddress(t), addressOf(good.Server)), Ejection: integration.Ejection{Failures: -1}})
	s := front(t, gatekit.HTTP, p)
	for i := range 10 {
		body := strings.Repeat("x", i*100_000) // longer than what is kept
		w := do(t, "POST", s.URL, struct{ io.Reader }{strings.NewReader(body)})
		require.Equal(t, 200, w.StatusCode)
		require.Equal(t, body, w.body)
	}
	require.Equal(t, int32(10), good.hits.Load())
}

func TestHealthChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		var ill atomic.Bool
		var asked atomic.Int32
		a := func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/health" {
				asked.Add(1)
				require.Equal(t, "orders.internal", r.Host)
				if ill.Load() {
					w.WriteHeader(500)
				}
				return
			}
			fmt.Fprint(w, "a")
		}
		defer net.serve("a:1", a)()
		defer net.serve("b:1", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "b") })()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p, err := integration.NewHTTP(ctx, integration.HTTPConfig{
			URI: "http://orders.internal", Upstreams: upstreams("a:1", "b:1"), Dial: net.dial,
			Health: &integration.HealthCheck{Path: "/health", Interval: 10 * time.Second, Unhealthy: 2, Healthy: 3},
		})
		require.NoError(t, err)
		names := func() string {
			return strings.Join([]string{record(p, "GET", "/"), record(p, "GET", "/"), record(p, "GET", "/"), record(p, "GET", "/")}, "")
		}
		synctest.Wait()
		require.Equal(t, int32(1), asked.Load(), "at once")
		require.Equal(t, "abab", names())
		ill.Store(true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, "abab", names(), "one failure is none")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, "bbbb", names())
		require.False(t, p.Upstreams()[0].Healthy)
		require.True(t, p.Upstreams()[1].Healthy)
		ill.Store(false)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.Equal(t, "bbbb", names(), "two well ones aren't three")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.ElementsMatch(t, strings.Split("aabb", ""), strings.Split(names(), ""))
		// Where nobody is healthy everybody is asked.
		ill.Store(true)
		require.NoError(t, p.SetUpstreams(upstreams("a:1")...))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, "aaaa", names())
		before := asked.Load()
		require.NoError(t, p.SetUpstreams(upstreams("b:1")...))
		time.Sleep(time.Minute)
		require.Equal(t, before, asked.Load(), "what is taken out isn't asked")
		cancel()
	})
}

func TestPanicThreshold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		ok := func(name string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/health" && name != "a" {
					w.WriteHeader(500)
				}
				fmt.Fprint(w, name)
			}
		}
		for _, name := range []string{"a", "b", "c"} {
			defer net.serve(name+":1", ok(name))()
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		two := gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{ // half of them, which isn't less than half
			Upstreams: upstreams("a:1", "b:1"), Dial: net.dial, PanicPercent: 50, Health: &integration.HealthCheck{Path: "/health", Unhealthy: 1},
		}))
		synctest.Wait()
		require.Equal(t, "aa", record(two, "GET", "/")+record(two, "GET", "/"))
		for percent, want := range map[int]string{0: "aaa", 33: "aaa", 34: "abc", 100: "abc"} {
			p, err := integration.NewHTTP(ctx, integration.HTTPConfig{
				Upstreams: upstreams("a:1", "b:1", "c:1"), Dial: net.dial, PanicPercent: percent, Health: &integration.HealthCheck{Path: "/health", Unhealthy: 1},
			})
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, want, record(p, "GET", "/")+record(p, "GET", "/")+record(p, "GET", "/"), "%d", percent)
		}
	})
}

// Who fails gets nothing for a while, then one chance, then nothing for longer.
func TestEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		defer net.serve("b:1", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "b") })()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p, err := integration.NewHTTP(ctx, integration.HTTPConfig{Upstreams: upstreams("a:1", "b:1"), Dial: net.dial, Ejection: integration.Ejection{Failures: 2, For: 10 * time.Second}})
		require.NoError(t, err)
		serve := func(n int) {
			for range n {
				require.Equal(t, "b", record(p, "GET", "/"))
			}
		}
		until := func() time.Duration { return time.Until(p.Upstreams()[0].EjectedUntil) }
		serve(2)
		require.True(t, p.Upstreams()[0].EjectedUntil.IsZero())
		serve(2)
		require.Equal(t, 10*time.Second, until())
		time.Sleep(10 * time.Second)
		serve(2)
		require.Equal(t, 20*time.Second, until(), "one more failure is enough, for twice as long")
		for range 10 {
			time.Sleep(until())
			serve(2)
		}
		require.Equal(t, 80*time.Second, until(), "but not for ever longer")
		time.Sleep(until())
		stop := net.serve("a:1", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "a") })
		require.ElementsMatch(t, []string{"a", "b"}, []string{record(p, "GET", "/"), record(p, "GET", "/")})
		stop()
		serve(2)
		require.True(t, p.Upstreams()[0].EjectedUntil.IsZero(), "an answer makes up for all")
		// The only upstream, and the last ones, are never lost.
		require.NoError(t, p.SetUpstreams(upstreams("c:1")...))
		for range 20 {
			require.Equal(t, unavailable, record(p, "GET", "/"))
		}
		require.True(t, p.Upstreams()[0].EjectedUntil.IsZero())
		require.NoError(t, p.SetUpstreams(upstreams("c:1", "d:1")...))
		for range 20 {
			require.Equal(t, unavailable, record(p, "GET", "/"))
		}
		defer net.serve("c:1", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "c") })()
		require.Equal(t, "c", record(p, "GET", "/"))
	})
}

// A server that comes back is found by the checks, not only when its ejection has ended.
func TestHealthEndsEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		ok := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") }
		defer net.serve("b:1", ok)()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p, err := integration.NewHTTP(ctx, integration.HTTPConfig{
			Upstreams: upstreams("a:1", "b:1"), Dial: net.dial, Health: &integration.HealthCheck{Path: "/", Interval: time.Second}, Ejection: integration.Ejection{Failures: 1, For: time.Hour},
		})
		require.NoError(t, err)
		record(p, "GET", "/")
		record(p, "GET", "/")
		require.False(t, p.Upstreams()[0].EjectedUntil.IsZero())
		time.Sleep(2 * time.Second)
		require.False(t, p.Upstreams()[0].Healthy)
		defer net.serve("a:1", ok)()
		time.Sleep(3 * time.Second)
		require.True(t, p.Upstreams()[0].Healthy)
		require.True(t, p.Upstreams()[0].EjectedUntil.IsZero())
	})
}

// More requests than connections wait, for a bounded time and in bounded number.
func TestConnectionLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var net memory
		release := make(chan struct{})
		var inside, most atomic.Int32
		defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), inside.Add(1)))
			<-release
			inside.Add(-1)
			fmt.Fprint(w, "a")
		})()
		ctx, cancel := context.WithCancel(t.Context())
		defer func() { cancel(); synctest.Wait() }()
		p, err := integration.NewHTTP(ctx, integration.HTTPConfig{Upstreams: upstreams("a:1"), Dial: net.dial, MaxConnections: 2, MaxWaiting: 3, ConnectionWait: time.Second})
		require.NoError(t, err)
		results := make(chan string, 10)
		for range 5 {
			go func() { results <- record(p, "GET", "/") }()
		}
		synctest.Wait()
		require.Equal(t, int32(2), inside.Load())
		require.Equal(t, unavailable, record(p, "GET", "/"), "a sixth isn't even let wait")
		release <- struct{}{}
		require.Equal(t, "a", <-results)
		synctest.Wait()
		require.Equal(t, int32(2), inside.Load(), "one of those that wait has its place")
		start := time.Now()
		require.Equal(t, unavailable, <-results)
		require.Equal(t, unavailable, <-results)
		require.Equal(t, time.Second, time.Since(start))
		close(release)
		require.Equal(t, "a", <-results)
		require.Equal(t, "a", <-results)
		require.Equal(t, int32(2), most.Load())
		require.Zero(t, p.Upstreams()[0].Outstanding)
	})
}

// The defaults are the flavor's.
func TestDefaultTimeouts(t *testing.T) {
	for flavor, want := range map[gatekit.Flavor]time.Duration{gatekit.HTTP: 30 * time.Second, gatekit.REST: 29 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var net memory
			defer net.serve("a:1", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })()
			ctx, cancel := context.WithCancel(t.Context())
			defer func() { cancel(); synctest.Wait() }()
			h := gatekit.Chain(gatekit.Must(integration.NewHTTP(ctx, integration.HTTPConfig{URI: "http://a:1", Dial: net.dial})), gatekit.Must(gatekit.Describe(gatekit.API{Flavor: flavor})))
			start := time.Now()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			require.Equal(t, want, time.Since(start))
			require.NotEqual(t, 200, w.Code)
		})
	}
}

// One of two upstreams dies under load, with all that it has in hand: no request fails.
func TestUpstreamDiesUnderLoad(t *testing.T) {
	for _, balance := range []integration.Balance{integration.RoundRobin, integration.LeastOutstanding, integration.PowerOfTwo} {
		t.Run(balance.String(), func(t *testing.T) {
			var dying atomic.Int32
			h := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, strings.Repeat("x", 100)) }
			victim := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				dying.Add(1)
				h(w, r)
			}))
			p := newProxy(t, integration.HTTPConfig{
				Upstreams: upstreams(addressOf(victim), addressOf(backend(t, h))), Balance: balance, Health: &integration.HealthCheck{Path: "/", Interval: 20 * time.Millisecond},
			})
			s := front(t, gatekit.HTTP, p)
			tr := &http.Transport{MaxIdleConnsPerHost: 32}
			defer tr.CloseIdleConnections()
			c := &http.Client{Transport: tr, Timeout: 20 * time.Second}
			var served, failed atomic.Int32
			var all sync.WaitGroup
			stop := make(chan struct{})
			for range 16 {
				all.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						w, err := c.Get(s.URL)
						if err != nil {
							failed.Add(1)
							continue
						}
						body, err := io.ReadAll(w.Body)
						w.Body.Close()
						if err != nil || w.StatusCode != 200 || len(body) != 100 {
							failed.Add(1)
						}
						served.Add(1)
					}
				})
			}
			require.Eventually(t, func() bool { return dying.Load() > 100 }, 20*time.Second, time.Millisecond)
			victim.Listener.Close()
			victim.CloseClientConnections()
			at := served.Load()
			require.Eventually(t, func() bool { return served.Load() > at+300 }, 20*time.Second, time.Millisecond)
			close(stop)
			all.Wait()
			victim.Close()
			require.Zero(t, failed.Load(), "of %d", served.Load())
		})
	}
}
