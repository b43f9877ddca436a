//go:build servers

package redisthrottle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/redistest"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/usageplantest"
)

func TestStoreOnRedis(t *testing.T) {
	server := redistest.Start(t)
	n := 0
	usageplantest.Run(t, func(t *testing.T) usageplan.Store {
		n++
		store, err := redisthrottle.NewStore(redisthrottle.StoreConfig{Client: connect(t, server.Addr), Name: fmt.Sprint("test-", n), Timeout: 10 * time.Second})
		require.NoError(t, err)
		return store
	})
	for _, key := range gatekit.Must(connect(t, server.Addr).Keys(t.Context(), "gatekit:u:*:count:*").Result()) {
		ttl, err := connect(t, server.Addr).PTTL(t.Context(), key).Result()
		require.NoError(t, err)
		require.Positive(t, ttl, key)
	}
}

// fleetMember is one process's part of a shared limit.
type fleetMember struct {
	Addr  string
	Limit throttle.Limit
	Mode  redisthrottle.Mode
	Lease int
	For   time.Duration
}

type fleetResult struct {
	Admitted, Asked int
	Start, End      time.Time
	Slowest         time.Duration // the longest decision
}

func TestMain(m *testing.M) {
	var member fleetMember
	if text := os.Getenv("GATEKIT_FLEET_MEMBER"); text == "" {
		os.Exit(m.Run())
	} else if err := json.Unmarshal([]byte(text), &member); err != nil {
		panic(err)
	}
	_ = json.NewEncoder(os.Stdout).Encode(member.run())
}

type tb struct{ testing.TB }

func (tb) Cleanup(func()) {}
func (tb) Helper()        {}

// run asks as fast as it can.
func (m fleetMember) run() (result fleetResult) {
	c := quiet(connect(tb{}, m.Addr), "fleet")
	c.Mode, c.Lease = m.Mode, m.Lease
	limiter := gatekit.Must(redisthrottle.New(m.Limit, redisthrottle.Config{BucketsConfig: c, Key: func(*http.Request) (string, error) { return "all", nil }}))
	var admitted, asked atomic.Int64
	var slowest atomic.Int64
	var all sync.WaitGroup
	result.Start = time.Now()
	for range 4 {
		all.Go(func() {
			for r := get("all"); time.Since(result.Start) < m.For; asked.Add(1) {
				before := time.Now()
				err := limiter.Check(r)
				took := int64(time.Since(before))
				for old := slowest.Load(); took > old && !slowest.CompareAndSwap(old, took); old = slowest.Load() {
				}
				if err == nil {
					admitted.Add(1)
				} else {
					runtime.Gosched()
				}
			}
		})
	}
	all.Wait()
	result.End = time.Now()
	result.Admitted, result.Asked, result.Slowest = int(admitted.Load()), int(asked.Load()), time.Duration(slowest.Load())
	return result
}

// Four processes share a limit: what they let through together is within the bound that the package
// states, with the longest decision for the time that it took to get to Redis and back.
func TestFourProcesses(t *testing.T) {
	for name, mode := range map[string]redisthrottle.Mode{"exact": redisthrottle.Exact, "leased": redisthrottle.Leased} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			member := fleetMember{Addr: server.Addr, Limit: throttle.Limit{Rate: 400, Burst: 100}, Mode: mode, For: 2 * time.Second}
			if mode == redisthrottle.Leased {
				member.Lease = 20
			}
			const machines = 4
			results := make([]fleetResult, machines)
			var all sync.WaitGroup
			for i := range machines {
				all.Go(func() {
					cmd := exec.Command(os.Args[0])
					cmd.Env = append(os.Environ(), "GATEKIT_FLEET_MEMBER="+string(gatekit.Must(json.Marshal(member))))
					cmd.Stderr = os.Stderr
					out, err := cmd.Output()
					if err == nil {
						err = json.Unmarshal(out, &results[i])
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			admitted, asked := 0, 0
			start, end, slowest := results[0].Start, results[0].End, time.Duration(0)
			for _, r := range results {
				admitted, asked = admitted+r.Admitted, asked+r.Asked
				if r.Start.Before(start) {
					start = r.Start
				}
				if r.End.After(end) {
					end = r.End
				}
				slowest = max(slowest, r.Slowest)
			}
			took := end.Sub(start)
			l := member.Limit
			most := float64(l.Burst) + l.Rate*(took+slowest).Seconds()
			least := float64(l.Burst) + l.Rate*(took-slowest).Seconds()
			if mode == redisthrottle.Leased {
				most += float64(machines * member.Lease)
				least = least - float64(machines*member.Lease)*(took.Seconds()+1) // what lapses
			}
			t.Logf("%s: admitted %d of %d asked in %v, bound %.0f to %.0f, longest decision %v", name, admitted, asked, took, least, most, slowest)
			require.LessOrEqual(t, float64(admitted), most)
			// A fleet that starts one after the other doesn't ask all the time, so there is room
			// below.
			require.GreaterOrEqual(t, float64(admitted), least-l.Rate*0.5)
		})
	}
}

// The server is killed in the middle of load, is away for a while, and comes back empty. Nothing
// hangs, and each policy is what it says.
func TestServerThatIsKilled(t *testing.T) {
	for name, tt := range map[string]struct {
		away     redisthrottle.Away
		mode     redisthrottle.Mode
		machines int
	}{
		"fail-closed":        {redisthrottle.FailClosed, redisthrottle.Exact, 0},
		"fail-open":          {redisthrottle.FailOpen, redisthrottle.Exact, 0},
		"local-share":        {redisthrottle.LocalShare, redisthrottle.Exact, 10},
		"leased-fail-closed": {redisthrottle.FailClosed, redisthrottle.Leased, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			c := quiet(connect(t, server.Addr), "kill")
			c.Away, c.Mode, c.Machines, c.Timeout = tt.away, tt.mode, tt.machines, 100*time.Millisecond
			l := newLimiter(t, throttle.Limit{Rate: 1000, Burst: 1000}, c)
			var phase atomic.Int32
			var counts [3]struct{ ok, refused, unavailable, slow atomic.Int64 }
			stop := make(chan struct{})
			var all sync.WaitGroup
			for g := range 4 {
				all.Go(func() {
					r := get("caller-" + strconv.Itoa(g))
					for {
						select {
						case <-stop:
							return
						default:
						}
						p := phase.Load()
						before := time.Now()
						err := l.Check(r)
						took := time.Since(before)
						if phase.Load() != p {
							continue // over the edge
						}
						now := &counts[p]
						if took > 5*time.Second { // many times the deadline: this hangs
							now.slow.Add(1)
						}
						switch {
						case err == nil:
							now.ok.Add(1)
						case errors.Is(err, redisthrottle.ErrAway):
							now.unavailable.Add(1)
						default:
							now.refused.Add(1)
						}
						runtime.Gosched()
					}
				})
			}
			wait := func(what string, done func() bool) {
				t.Helper()
				require.Eventually(t, done, 20*time.Second, time.Millisecond, what)
			}
			wait("it serves", func() bool { return counts[0].ok.Load() > 200 })
			server.Kill()
			// Until the circuit has opened, some may still be let through by tokens that were
			// leased.
			away := func() bool {
				err := l.Check(get("probe"))
				return (err == nil) == (tt.away != redisthrottle.FailClosed)
			}
			wait("it knows that the server is away", away)
			wait("what was leased has lapsed", func() bool {
				for g := range 4 {
					if tt.away == redisthrottle.FailClosed && l.Check(get("caller-"+strconv.Itoa(g))) == nil {
						return false
					}
				}
				return true
			})
			in := &counts[1]
			began := time.Now()
			phase.Store(1)
			wait("many are judged without it", func() bool {
				ok, others := in.ok.Load(), in.refused.Load()+in.unavailable.Load()
				return ok+others > 1000 && (ok > 0) == (tt.away != redisthrottle.FailClosed) && (others > 0) == (tt.away != redisthrottle.FailOpen)
			})
			phase.Store(2)
			lasted := time.Since(began)
			switch tt.away {
			case redisthrottle.FailClosed:
				require.Zero(t, in.ok.Load())
				require.Positive(t, in.unavailable.Load())
			case redisthrottle.FailOpen:
				require.Positive(t, in.ok.Load())
				require.Zero(t, in.unavailable.Load()+in.refused.Load())
			case redisthrottle.LocalShare:
				require.Zero(t, in.unavailable.Load())
				require.Positive(t, in.refused.Load(), "each asks some thousand times a second")
				require.Positive(t, in.ok.Load())
				require.LessOrEqual(t, in.ok.Load(), int64(4*(100+100*(lasted.Seconds()+1))), "a tenth of the limit for each of four callers")
			}
			server.Run()
			before := counts[2].ok.Load()
			wait("it comes back", func() bool {
				keys := gatekit.Must(connect(t, server.Addr).DBSize(t.Context()).Result())
				return keys >= 4 && counts[2].ok.Load() > before
			})
			close(stop)
			all.Wait()
			for i := range counts {
				require.Zero(t, counts[i].slow.Load(), "phase %d", i)
			}
		})
	}
}

// A Cluster takes scripts of one key only, and a client that Sentinel has told where the server is
// goes on with the one that took over.
func TestClusterAndSentinel(t *testing.T) {
	node := redistest.Start(t, "--cluster-enabled", "yes")
	require.NoError(t, connect(t, node.Addr).Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err())
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{node.Addr}, ContextTimeoutEnabled: true})
	defer cluster.Close()

	master := redistest.Start(t)
	host, port, err := net.SplitHostPort(master.Addr)
	require.NoError(t, err)
	sentinel := redistest.StartSentinel(t, fmt.Sprintf("sentinel monitor main %s %s 1\n", host, port))
	failover := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: []string{sentinel.Addr}, ContextTimeoutEnabled: true})
	defer failover.Close()

	for name, client := range map[string]redis.UniversalClient{"cluster": cluster, "sentinel": failover} {
		t.Run(name, func(t *testing.T) {
			require.Eventually(t, func() bool { return client.Set(t.Context(), "ready", 1, 0).Err() == nil }, 20*time.Second, time.Millisecond, "the node has all slots")
			n := 0
			usageplantest.Run(t, func(t *testing.T) usageplan.Store {
				n++
				store, err := redisthrottle.NewStore(redisthrottle.StoreConfig{Client: client, Name: fmt.Sprint("test-", n), Timeout: 10 * time.Second})
				require.NoError(t, err)
				return store
			})
			for _, mode := range []redisthrottle.Mode{redisthrottle.Exact, redisthrottle.Leased} {
				c := quiet(client, fmt.Sprint("mode-", mode))
				c.Mode = mode
				l := newLimiter(t, throttle.Limit{Rate: 1e-6, Burst: 5}, c)
				for caller := range 50 { // all over the slots
					for i := range 7 {
						err := l.Check(get(fmt.Sprint(caller)))
						require.Equal(t, i < 5, err == nil, "caller %d, request %d: %v", caller, i, err)
					}
				}
			}
		})
	}
}

// A server that holds still, and doesn't refuse connections, costs each decision its deadline, and
// after some of them nothing.
func TestServerThatHoldsStill(t *testing.T) {
	server := redistest.Start(t)
	c := quiet(connect(t, server.Addr), "still")
	c.Away, c.Timeout = redisthrottle.FailOpen, 50*time.Millisecond
	l := newLimiter(t, throttle.Limit{Rate: 1000, Burst: 1000}, c)
	require.NoError(t, l.Check(get("a")))
	server.Stop()
	defer server.GoOn()
	before := time.Now()
	for range 1000 {
		require.NoError(t, l.Check(get("a")))
	}
	require.Less(t, time.Since(before), 10*time.Second, "a thousand deadlines are fifty seconds")
}

// A quota that several machines count in Redis is let through to the unit. Where the server is
// killed, known keys go on being known, and the requests are let through or not as FailClosed says;
// where it comes back, they are counted again.
func TestQuotaOnRedis(t *testing.T) {
	for _, mode := range []usageplan.Mode{usageplan.Exact, usageplan.Fast} {
		t.Run(string(mode), func(t *testing.T) {
			server := redistest.Start(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			const limit = 2000
			var served atomic.Int64
			var all sync.WaitGroup
			var registries []*usageplan.Registry
			for i := range 4 {
				store, err := redisthrottle.NewStore(redisthrottle.StoreConfig{Client: connect(t, server.Addr), Name: "quota"})
				require.NoError(t, err)
				g, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store, Refresh: 10 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
				require.NoError(t, err)
				if i == 0 {
					_, err = g.CreatePlan(ctx, usageplan.Plan{ID: "p", Name: "p", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}, Quota: &usageplan.Quota{Limit: limit, Period: usageplan.Month, Mode: mode}})
					require.NoError(t, err)
					_, _, err = g.CreateKey(ctx, usageplan.NewKey{ID: "k", Value: keyValue, Enabled: true})
					require.NoError(t, err)
					require.NoError(t, g.AddKey(ctx, "p", "k"))
				}
				registries = append(registries, g)
				l := gatekit.Must(usageplan.New(usageplan.Config{Registry: g, FailClosed: true}))
				for range 2 {
					all.Go(func() {
						for range 400 {
							r := get("")
							r.Header.Set("X-Api-Key", keyValue)
							if _, err := l.Check(r); err == nil {
								served.Add(1)
							}
						}
					})
				}
			}
			all.Wait()
			require.LessOrEqual(t, served.Load(), int64(limit))
			for _, g := range registries {
				require.NoError(t, g.Flush(ctx))
			}
			q, err := registries[0].Quota(ctx, "p", "k")
			require.NoError(t, err)
			require.Equal(t, served.Load(), q.Used)
			if mode == usageplan.Exact {
				require.EqualValues(t, limit, served.Load())
			}
			require.GreaterOrEqual(t, served.Load(), int64(limit-4*20))

			require.NoError(t, registries[0].SetRemaining(ctx, "p", "k", 1000))
			check := func(key string, failClosed bool) int {
				r := get("")
				r.Header.Set("X-Api-Key", key)
				w := httptest.NewRecorder()
				gatekit.Must(usageplan.New(usageplan.Config{Registry: registries[1], FailClosed: failClosed})).Middleware(http.NotFoundHandler()).ServeHTTP(w, r)
				return w.Code
			}
			server.Kill()
			for registries[1].Flush(ctx) == nil && check(keyValue, true) != 500 { // what it has leased it may spend
			}
			require.Equal(t, 500, check(keyValue, true))
			require.Equal(t, 404, check(keyValue, false), "the handler's own answer")
			require.Equal(t, 403, check("nobody-nobody-nobody-nobody", false))
			server.Run() // empty
			require.Eventually(t, func() bool { return check(keyValue, false) == 403 }, 10*time.Second, time.Millisecond, "a store that is empty has no keys")
		})
	}
}
