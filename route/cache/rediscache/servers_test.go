//go:build servers

package rediscache_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/redistest"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/cache/cachetest"
	"github.com/gatekit-go/gatekit/route/cache/rediscache"
)

func TestStoreOnAServer(t *testing.T) {
	server := redistest.Start(t)
	n := 0
	cachetest.Run(t, func(t *testing.T) cache.Store {
		n++
		return newStore(t, connect(t, server.Addr), fmt.Sprint("test-", n))
	})
}

// Commands are of one key each, which is what a Cluster takes.
func TestStoreOnACluster(t *testing.T) {
	node := redistest.Start(t, "--cluster-enabled", "yes")
	require.NoError(t, connect(t, node.Addr).Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err())
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{node.Addr}, ContextTimeoutEnabled: true})
	defer cluster.Close()
	for deadline := time.Now().Add(20 * time.Second); cluster.Set(t.Context(), "ready", 1, 0).Err() != nil; {
		require.True(t, time.Now().Before(deadline), "it doesn't get ready")
	}
	n := 0
	cachetest.Run(t, func(t *testing.T) cache.Store {
		n++
		return newStore(t, cluster, fmt.Sprint("test-", n))
	})
}

// A server that is killed and comes back in the middle of load costs hits, and no request.
func TestServerThatIsKilled(t *testing.T) {
	server := redistest.Start(t)
	s, err := rediscache.New(rediscache.Config{Client: connect(t, server.Addr), Name: "killed", Timeout: 200 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	c, err := cache.New(t.Context(), cache.Config{Store: s, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	h := c.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") }))
	get := func() string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w.Body.String()
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := get(); got != "x" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	untilAnswered := func() {
		for before, deadline := c.Stats().Hits, time.Now().Add(20*time.Second); c.Stats().Hits < before+100; {
			require.True(t, time.Now().Before(deadline), "no hits")
			get()
		}
	}
	untilAnswered()
	server.Kill()
	for before := c.Stats().Misses; c.Stats().Misses < before+100; {
		get()
	}
	server.Run()
	untilAnswered()
	close(stop)
	wg.Wait()
}

// What a real server takes for a cache is what is counted, or less: its own bookkeeping is in.
func TestBoundOnAServer(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server.Addr)
	used := func() (n int64) {
		info := client.InfoMap(t.Context(), "memory").Val()["Memory"]["used_memory_dataset"]
		_, err := fmt.Sscan(info, &n)
		require.NoError(t, err)
		return n
	}
	for _, size := range []int{0, 1000, 10_000, 100_000} {
		require.NoError(t, client.FlushAll(t.Context()).Err())
		const most = 2 << 20
		s := bounded(t, client, "b", most)
		before := used()
		for n := range 2*most/(size+600) + 10 {
			_, at, err := s.Get(t.Context(), key(n))
			require.NoError(t, err)
			require.NoError(t, s.Put(t.Context(), key(n), answer(size, time.Hour), at))
		}
		took := used() - before
		t.Logf("answers of %d bytes: %.1f of %.1f MB", size, float64(took)/1e6, float64(most)/1e6)
		require.LessOrEqual(t, took, int64(most+most/32), size)
		require.GreaterOrEqual(t, took, int64(most/4), size)
	}
}
