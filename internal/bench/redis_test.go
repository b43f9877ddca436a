package bench

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/redistest"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
)

func redisClient(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
}

func sharedLimit(client *redis.Client, l throttle.Limit, mode redisthrottle.Mode, lease int) *redisthrottle.Limiter {
	return gatekit.Must(redisthrottle.New(l, redisthrottle.Config{
		BucketsConfig: redisthrottle.BucketsConfig{Client: client, Name: "bench", Mode: mode, Lease: lease, Timeout: 5 * time.Second}, Key: throttle.ByHeader("X-Api-Key"),
	}))
}

// BenchmarkRedis takes tokens of a bucket on a real server, sixteen requests at a time for each core.
func BenchmarkRedis(b *testing.B) {
	server := redistest.Start(b)
	client := redisClient(server.Addr)
	defer client.Close()
	rate := redis_rate.NewLimiter(client)
	limit := throttle.Limit{Rate: 1e6, Burst: 1e6}
	byRate := redis_rate.Limit{Rate: 1e6, Burst: 1e6, Period: time.Second}
	for name, mw := range map[string]gatekit.Middleware{
		"gatekit-exact":  sharedLimit(client, limit, redisthrottle.Exact, 0).Middleware,
		"gatekit-leased": sharedLimit(client, limit, redisthrottle.Leased, 0).Middleware,
		"redis_rate": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				res, err := rate.Allow(r.Context(), r.Header["X-Api-Key"][0], byRate)
				if err != nil || res.Allowed == 0 {
					http.Error(w, "", http.StatusTooManyRequests)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	} {
		b.Run("by="+name, func(b *testing.B) {
			b.SetParallelism(16)
			measureParallel(b, mw(nothing), request("GET", "/", "X-Api-Key", planKey))
		})
	}
}

// member is one process of a fleet.
type member struct {
	Addr  string
	Mode  redisthrottle.Mode
	Limit throttle.Limit
	Lease int
	For   time.Duration
}

type memberResult struct {
	Admitted, Decided int64
	Start, End        time.Time
}

const memberEnv = "GATEKIT_BENCH_MEMBER"

// serve decides for as long as it is told, with one request at a time for each of 8 goroutines.
func (m member) serve() (result memberResult) {
	l := sharedLimit(redisClient(m.Addr), m.Limit, m.Mode, m.Lease)
	var all sync.WaitGroup
	var admitted, decided atomic.Int64
	result.Start = time.Now()
	for range 8 {
		all.Go(func() {
			var ok, n int64
			for r := request("GET", "/", "X-Api-Key", planKey); time.Since(result.Start) < m.For; n++ {
				if l.Check(r) == nil {
					ok++
				}
			}
			admitted.Add(ok)
			decided.Add(n)
		})
	}
	all.Wait()
	result.End, result.Admitted, result.Decided = time.Now(), admitted.Load(), decided.Load()
	return result
}

// maybeBeMember is called first thing in TestMain.
func maybeBeMember() {
	text := os.Getenv(memberEnv)
	if text == "" {
		return
	}
	var m member
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		panic(err)
	}
	_ = json.NewEncoder(os.Stdout).Encode(m.serve())
	os.Exit(0)
}

var fleetFor = flag.Duration("fleetfor", 200*time.Millisecond, "how long BenchmarkFleet's processes run each time")

// BenchmarkFleet lets four processes share a limit. It tells how many decisions all made in a second, and by how many requests they were above
// burst + rate × time, beside the bound of that: processes × lease.
func BenchmarkFleet(b *testing.B) {
	const processes, lease = 4, 500
	limit := throttle.Limit{Rate: 50_000, Burst: 5_000}
	length := *fleetFor
	for name, m := range map[string]member{
		"exact":  {Mode: redisthrottle.Exact, Limit: limit, For: length},
		"leased": {Mode: redisthrottle.Leased, Limit: limit, Lease: lease, For: length},
	} {
		b.Run("mode="+name, func(b *testing.B) {
			for b.Loop() {
				server := redistest.Start(b)
				m.Addr = server.Addr
				text, err := json.Marshal(m)
				if err != nil {
					b.Fatal(err)
				}
				results := make([]memberResult, processes)
				var all sync.WaitGroup
				for i := range results {
					all.Go(func() {
						cmd := exec.Command(os.Args[0])
						cmd.Env = append(os.Environ(), memberEnv+"="+string(text))
						cmd.Stderr = os.Stderr
						out, err := cmd.Output()
						if err == nil {
							err = json.Unmarshal(out, &results[i])
						}
						if err != nil {
							b.Error(err)
						}
					})
				}
				all.Wait()
				server.Kill()
				start, end := results[0].Start, results[0].End
				var admitted, decided int64
				for _, r := range results {
					admitted, decided = admitted+r.Admitted, decided+r.Decided
					if r.Start.Before(start) {
						start = r.Start
					}
					if r.End.After(end) {
						end = r.End
					}
				}
				b.ReportMetric(float64(decided)/length.Seconds(), "decisions/s")
				over := float64(admitted) - float64(limit.Burst) - limit.Rate*end.Sub(start).Seconds()
				b.ReportMetric(over, "over")
				if bound := float64(processes * m.Lease); over > bound+limit.Rate*0.01 { // 10 ms for what is under way at the end
					b.Errorf("%d processes were %.0f above the limit, the bound is %.0f", processes, over, bound)
				}
			}
		})
	}
}
