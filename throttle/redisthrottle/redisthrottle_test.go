package redisthrottle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
	"github.com/gatekit-go/gatekit/throttle/throttletest"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

const keyValue = "shop-shop-shop-shop-shop"

func get(caller string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["X-Caller"] = []string{caller}
	return r
}

// With nobody else asking, leases let through what exact decisions would, less what lapses.
func TestLeased(t *testing.T) {
	m := newMini(t)
	c := quiet(connect(t, m.Addr()), "leased")
	c.Mode, c.Lease = redisthrottle.Leased, 16
	l := newLimiter(t, throttle.Limit{Rate: 0.001, Burst: 100}, c)
	for i := range 100 {
		require.NoError(t, l.Check(get("a")), i)
	}
	err := l.Check(get("a"))
	var why *gatekit.Rejection
	require.ErrorAs(t, err, &why)
	require.Equal(t, gatekit.Throttled, why.Type)
	require.NotZero(t, why.RetryAfter)
}

// However many machines spend leases of one bucket, no more than its burst is let through in all.
func TestLeasesOfSeveralMachines(t *testing.T) {
	m := newMini(t) // whose clock stands still
	var admitted atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		c := quiet(connect(t, m.Addr()), "leased")
		c.Mode, c.Lease = redisthrottle.Leased, 10
		l := newLimiter(t, throttle.Limit{Rate: 100, Burst: 300}, c)
		for range 3 {
			all.Go(func() {
				for range 60 {
					if l.Check(get("a")) == nil {
						admitted.Add(1)
					}
				}
			})
		}
	}
	all.Wait()
	require.LessOrEqual(t, admitted.Load(), int64(300))
	require.GreaterOrEqual(t, admitted.Load(), int64(300-4*10))
}

func TestHeadersAndMiddleware(t *testing.T) {
	m := newMini(t)
	l, err := redisthrottle.New(throttle.Limit{Rate: 1, Burst: 2}, redisthrottle.Config{BucketsConfig: quiet(connect(t, m.Addr()), "x"), Key: throttle.ByIP, Headers: true, XHeaders: true})
	require.NoError(t, err)
	h := l.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	for _, want := range []struct {
		code                     int
		rate, left, reset, retry string
	}{{204, `"default";r=1;t=1`, "1", "1", ""}, {204, `"default";r=0;t=2`, "0", "2", ""}, {429, `"default";r=0;t=2`, "0", "2", "1"}} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, want.code, w.Code)
		require.Equal(t, want.rate, w.Header().Get("RateLimit"))
		require.Equal(t, `"default";q=2;w=2`, w.Header().Get("RateLimit-Policy"))
		require.Equal(t, "2", w.Header().Get("X-RateLimit-Limit"))
		require.Equal(t, want.left, w.Header().Get("X-RateLimit-Remaining"))
		require.Equal(t, want.reset, w.Header().Get("X-RateLimit-Reset"))
		require.Equal(t, want.retry, w.Header().Get("Retry-After"))
	}
	kind, _ := h.(gatekit.Station).Station()
	require.Equal(t, "throttle", kind)
	quietly, err := redisthrottle.New(throttle.Limit{}, redisthrottle.Config{BucketsConfig: quiet(connect(t, m.Addr()), "x"), Key: throttle.ByIP, NoRetryAfter: true})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	quietly.Middleware(h).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 429, w.Code)
	require.NotContains(t, w.Header(), "Retry-After")
}

func TestGive(t *testing.T) {
	m := newMini(t)
	for _, mode := range []redisthrottle.Mode{redisthrottle.Exact, redisthrottle.Leased} {
		c := quiet(connect(t, m.Addr()), fmt.Sprint("give-", mode))
		c.Mode = mode
		b, err := redisthrottle.NewBuckets(c)
		require.NoError(t, err)
		limit := throttle.Limit{Rate: 0.001, Burst: 2}
		take := func() bool {
			ok, _, _, err := b.Take(t.Context(), "k", limit)
			require.NoError(t, err)
			return ok
		}
		require.True(t, take())
		require.True(t, take())
		require.False(t, take())
		if mode == redisthrottle.Leased {
			continue // a lease that has been refused is asked for again only after a while
		}
		for range 3 {
			require.NoError(t, b.Give(t.Context(), "k", limit))
			require.True(t, take())
			require.False(t, take())
		}
		require.NoError(t, b.Give(t.Context(), "other", limit), "of a bucket that is full")
		ok, wait, _, err := b.Take(t.Context(), "k", throttle.Limit{})
		require.NoError(t, err)
		require.False(t, ok)
		require.EqualValues(t, int64(math.MaxInt64), wait)
		require.NoError(t, b.Give(t.Context(), "k", throttle.Limit{}))
	}
}

// While Redis is away a token goes back to where it came from.
func TestGiveToTheLocalShare(t *testing.T) {
	m := newMini(t)
	c := quiet(connect(t, m.Addr()), "give-local")
	c.Away, c.Machines = redisthrottle.LocalShare, 2
	b, err := redisthrottle.NewBuckets(c)
	require.NoError(t, err)
	m.SetError("LOADING Redis is loading")
	limit := throttle.Limit{Rate: 0.001, Burst: 40}
	for range 100 {
		ok, _, _, err := b.Take(t.Context(), "k", limit)
		require.NoError(t, err)
		require.True(t, ok)
		_ = b.Give(t.Context(), "k", limit) // the first few are lost, until Redis is known to be away
	}
}

// The buckets of usage plans are shared, too.
func TestBucketsOfUsagePlans(t *testing.T) {
	m := newMini(t)
	store, err := usageplan.NewMemory(0)
	require.NoError(t, err)
	var limits []*usageplan.Limiter
	for i := range 2 {
		buckets, err := redisthrottle.NewBuckets(quiet(connect(t, m.Addr()), "plans"))
		require.NoError(t, err)
		g, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store, Buckets: buckets})
		require.NoError(t, err)
		if i == 0 {
			_, err = g.CreatePlan(t.Context(), usageplan.Plan{ID: "p", Name: "p", Throttle: &usageplan.Throttle{RateLimit: 0.5, BurstLimit: 4}, APIStages: []usageplan.APIStage{
				{APIID: "*", Stage: "*", Throttle: map[string]usageplan.Throttle{"/a/GET": {RateLimit: 1e-6, BurstLimit: 1}}},
			}})
			require.NoError(t, err)
			_, _, err = g.CreateKey(t.Context(), usageplan.NewKey{ID: "k", Value: keyValue, Enabled: true})
			require.NoError(t, err)
			require.NoError(t, g.AddKey(t.Context(), "p", "k"))
			g, err = usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store, Buckets: buckets})
			require.NoError(t, err)
		}
		limits = append(limits, gatekit.Must(usageplan.New(usageplan.Config{Registry: g})))
	}
	check := func(l *usageplan.Limiter, route string) error {
		rc, r := gatekit.Attach(get(""))
		rc.Route = &gatekit.Route{Key: route}
		r.Header.Set("X-Api-Key", keyValue)
		_, err := l.Check(r)
		return err
	}
	require.NoError(t, check(limits[0], "GET /a"))
	for range 10 {
		require.Error(t, check(limits[1], "GET /a"), "the method's is used up")
	}
	for i := range 3 {
		require.NoError(t, check(limits[i%2], "GET /b"), i)
	}
	err = check(limits[0], "GET /b")
	var why *gatekit.Rejection
	require.ErrorAs(t, err, &why)
	require.Equal(t, 2*time.Second, why.RetryAfter)
	m.Advance(2 * time.Second)
	require.NoError(t, check(limits[1], "GET /b"))
	require.Error(t, check(limits[0], "GET /b"))
}

func TestPoliciesWhileRedisIsAway(t *testing.T) {
	for _, mode := range []redisthrottle.Mode{redisthrottle.Exact, redisthrottle.Leased} {
		m := newMini(t)
		open := func(away redisthrottle.Away, machines int) *redisthrottle.Limiter {
			c := quiet(connect(t, m.Addr()), "away")
			c.Away, c.Machines, c.Mode = away, machines, mode
			return newLimiter(t, throttle.Limit{Rate: 1e-6, Burst: 9}, c)
		}
		closed, free, share := open(redisthrottle.FailClosed, 0), open(redisthrottle.FailOpen, 0), open(redisthrottle.LocalShare, 3)
		m.Close()
		for range 20 {
			err := closed.Check(get("a"))
			require.ErrorIs(t, err, redisthrottle.ErrAway)
			var why *gatekit.Rejection
			require.ErrorAs(t, err, &why)
			require.Equal(t, 503, why.StatusFor(gatekit.HTTP))
			require.Equal(t, time.Second, why.RetryAfter)
			require.NoError(t, free.Check(get("a")))
		}
		admitted := 0
		for range 20 {
			if share.Check(get("a")) == nil {
				admitted++
			}
		}
		require.Equal(t, 3, admitted, "a third of nine")
	}
}

// Redis is asked five times, then by one request a second or so, and by all again once that has an
// answer.
func TestCircuit(t *testing.T) {
	t.Parallel() // as it waits for the circuit
	m := newMini(t)
	var log bytes.Buffer
	c := quiet(connect(t, m.Addr()), "circuit")
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	l := newLimiter(t, throttle.Limit{Rate: 1, Burst: 1e6}, c)
	require.NoError(t, l.Check(get("a")))
	m.SetError("LOADING Redis is loading")
	before := m.CommandCount()
	for range 200 {
		require.Error(t, l.Check(get("secret-caller")))
	}
	require.LessOrEqual(t, m.CommandCount()-before, 2*5, "EVALSHA, and EVAL at the most")
	m.SetError("")
	require.Eventually(t, func() bool { return l.Check(get("a")) == nil }, 10*time.Second, time.Millisecond, "it comes back")
	for range 50 {
		require.NoError(t, l.Check(get("a")))
	}
	require.Equal(t, 1, strings.Count(log.String(), "Redis is away"))
	require.Equal(t, 1, strings.Count(log.String(), "Redis is back"))
	require.NotContains(t, log.String(), "secret-caller")
}

// An outage under load is when refusals are made most: while Redis isn't asked, each is the same
// value, and costs no more than to find out whose request it is.
func TestRefusalsWhileRedisIsNotAskedAreMadeOnce(t *testing.T) {
	m := newMini(t)
	l := newLimiter(t, throttle.Limit{Rate: 1, Burst: 10}, quiet(connect(t, m.Addr()), "away"))
	m.Close()
	r := get("a")
	for range 5 {
		require.ErrorIs(t, l.Check(r), redisthrottle.ErrAway)
	}
	first, second := l.Check(r), l.Check(get("b"))
	require.ErrorIs(t, first, redisthrottle.ErrAway)
	require.Same(t, first, second)
	require.LessOrEqual(t, testing.AllocsPerRun(20, func() { _ = l.Check(r) }), 1.0) // far below the pause after which one asks again
}

// A client that goes away says nothing of Redis.
func TestCanceledRequestsDoNotOpenTheCircuit(t *testing.T) {
	m := newMini(t)
	l := newLimiter(t, throttle.Limit{Rate: 1, Burst: 10}, quiet(connect(t, m.Addr()), "cancel"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		require.ErrorIs(t, l.Check(get("a").WithContext(ctx)), context.Canceled)
	}
	require.NoError(t, l.Check(get("a")))
}

func TestMistakes(t *testing.T) {
	_, err := redisthrottle.New(throttle.Limit{Rate: math.NaN(), Burst: -1}, redisthrottle.Config{BucketsConfig: redisthrottle.BucketsConfig{
		Name: "a b", Mode: 7, Lease: 3, Away: 9, Machines: 2, Timeout: time.Hour, MaxKeys: -1,
	}})
	for _, want := range []string{"Limit.Rate", "Limit.Burst", "BucketsConfig.Client", "BucketsConfig.Name", "BucketsConfig.Mode", "BucketsConfig.Lease", "BucketsConfig.Away", "BucketsConfig.Machines", "BucketsConfig.Timeout", "BucketsConfig.MaxKeys", "Config.Key"} {
		require.ErrorContains(t, err, want)
	}
	slow := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer slow.Close()
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	defer cluster.Close()
	ring := redis.NewRing(&redis.RingOptions{})
	defer ring.Close()
	for _, client := range []redis.UniversalClient{slow, cluster, ring} {
		_, err = redisthrottle.NewStore(redisthrottle.StoreConfig{Client: client, Name: "x"})
		require.ErrorContains(t, err, "ContextTimeoutEnabled")
	}
	_, err = redisthrottle.NewStore(redisthrottle.StoreConfig{Timeout: -1, Retention: time.Second})
	for _, want := range []string{"StoreConfig.Client", "StoreConfig.Name", "StoreConfig.Timeout", "StoreConfig.Retention"} {
		require.ErrorContains(t, err, want)
	}
	_, err = redisthrottle.NewBuckets(redisthrottle.BucketsConfig{Client: connect(t, "127.0.0.1:1"), Name: "x", Away: redisthrottle.LocalShare})
	require.ErrorContains(t, err, "Machines")
	_, err = redisthrottle.New(throttle.Limit{Rate: 1e-12, Burst: 1e9}, redisthrottle.Config{BucketsConfig: quiet(connect(t, "127.0.0.1:1"), "x"), Key: throttletest.Callers})
	require.ErrorContains(t, err, "100 years")
	b, err := redisthrottle.NewBuckets(quiet(connect(t, "127.0.0.1:1"), "x"))
	require.NoError(t, err)
	_, _, _, err = b.Take(t.Context(), "k", throttle.Limit{Rate: math.Inf(1), Burst: 1})
	require.ErrorContains(t, err, "Rate")
	for _, l := range []throttle.Limit{{Rate: math.SmallestNonzeroFloat64, Burst: 1}, {Rate: 1e12, Burst: math.MaxInt}} {
		_, _, _, err = b.Take(t.Context(), "k", l)
		require.ErrorContains(t, err, "100 years")
		require.NotErrorIs(t, err, redisthrottle.ErrAway)
	}
}

func TestCheckNamesTheKeyFunctionsError(t *testing.T) {
	boom := errors.New("boom")
	l, err := redisthrottle.New(throttle.Limit{Rate: 1, Burst: 1}, redisthrottle.Config{BucketsConfig: quiet(connect(t, newMini(t).Addr()), "x"), Key: func(*http.Request) (string, error) { return "", boom }})
	require.NoError(t, err)
	require.ErrorIs(t, l.Check(get("a")), boom)
}

// Leases of more keys than MaxKeys push each other out, and no limit is passed by that.
func TestManyLeasedKeys(t *testing.T) {
	m := newMini(t)
	c := quiet(connect(t, m.Addr()), "many")
	c.Mode, c.MaxKeys, c.Lease = redisthrottle.Leased, 16, 4
	l := newLimiter(t, throttle.Limit{Rate: 1e-3, Burst: 3}, c)
	admitted := map[int]int{}
	for range 5 {
		for caller := range 200 {
			if l.Check(get(fmt.Sprint(caller))) == nil {
				admitted[caller]++
			}
		}
	}
	for caller, n := range admitted {
		require.LessOrEqual(t, n, 3, caller)
	}
	require.Len(t, admitted, 200)
}

// silentServer listens in Redis' place, and never answers.
func silentServer(t *testing.T) *redis.Client {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// However many wait for one key's tokens, none waits much longer than the timeout.
func TestWaitsOfOneKey(t *testing.T) {
	c := quiet(silentServer(t), "waits")
	c.Mode, c.Timeout, c.Away = redisthrottle.Leased, 400*time.Millisecond, redisthrottle.FailOpen
	l := newLimiter(t, throttle.Limit{Rate: 1, Burst: 1}, c)
	start := time.Now()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := l.Check(get("a")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Less(t, time.Since(start), 4*c.Timeout, "and not five times that")
}

// Once Redis has failed, requests don't wait for their quota.
func TestStoreHasACircuit(t *testing.T) {
	store, err := redisthrottle.NewStore(redisthrottle.StoreConfig{Client: silentServer(t), Name: "x", Timeout: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	quick := 0
	for range 50 {
		start := time.Now()
		_, err := store.Add(t.Context(), usageplan.Counter{Plan: "p", Key: "k", From: 1, To: 2}, 1, 1)
		require.Error(t, err)
		if time.Since(start) < 20*time.Millisecond {
			quick++
		}
	}
	require.Greater(t, quick, 30)
}

// Who closes the half of the connection that they send on ends the request's context, and can still
// read the answer: the request is counted, and refused beyond the quota, all the same.
func TestQuotaOfHalfClosedConnections(t *testing.T) {
	store, err := redisthrottle.NewStore(redisthrottle.StoreConfig{Client: connect(t, newMini(t).Addr()), Name: "half", Timeout: 10 * time.Second})
	require.NoError(t, err)
	g, err := usageplan.NewRegistry(t.Context(), usageplan.RegistryConfig{Store: store})
	require.NoError(t, err)
	_, err = g.CreatePlan(t.Context(), usageplan.Plan{ID: "p1", Name: "x", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Quota: &usageplan.Quota{Limit: 5, Period: usageplan.Month}})
	require.NoError(t, err)
	_, value, err := g.CreateKey(t.Context(), usageplan.NewKey{ID: "shop", Enabled: true})
	require.NoError(t, err)
	require.NoError(t, g.AddKey(t.Context(), "p1", "shop"))
	var served atomic.Int64
	limit, err := usageplan.New(usageplan.Config{Registry: g})
	require.NoError(t, err)
	server := httptest.NewServer(limit.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served.Add(1) })))
	defer server.Close()
	for range 100 {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\nConnection: close\r\n\r\n", value)
		require.NoError(t, err)
		require.NoError(t, c.(*net.TCPConn).CloseWrite())
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}
	s, err := g.Quota(t.Context(), "p1", "shop")
	require.NoError(t, err)
	require.EqualValues(t, 5, served.Load())
	require.EqualValues(t, 5, s.Used)
}
