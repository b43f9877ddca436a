package window_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/window"
	"github.com/gatekit-go/gatekit/auth/waf/waftest"
	"github.com/gatekit-go/gatekit/internal/bucket"
)

func TestConformance(t *testing.T) {
	waftest.RunCounter(t, func(t *testing.T, body func(*testing.T, waftest.CounterSetup)) {
		synctest.Test(t, func(t *testing.T) {
			body(t, waftest.CounterSetup{Advance: func(d time.Duration) { time.Sleep(d) }, New: func(machines int) []waftest.Counter {
				m := window.NewMemory(1000)
				all := make([]waftest.Counter, machines)
				for i := range all {
					all[i] = m
				}
				return all
			}})
		})
	})
}

// Exact to the second: against a list of all requests, with seconds counted from the start.
func TestExactToTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(1, 2))
		for _, seconds := range []int{1, 2, 60, 600} {
			m := window.NewMemory(1000)
			start := time.Now()
			var seen []int
			for range 2000 {
				now := int(time.Since(start) / time.Second)
				seen = append(seen, now)
				want := int64(0)
				for _, at := range seen {
					if now-at < seconds {
						want++
					}
				}
				got, err := m.CountBytes([]byte("a"), time.Duration(seconds)*time.Second)
				require.NoError(t, err)
				require.Equal(t, want, got)
				if rnd.IntN(2) == 0 {
					time.Sleep(time.Duration(rnd.ExpFloat64() * float64(seconds) / 20 * float64(time.Second)))
				}
			}
		}
	})
}

// A key that comes more often in a second than a tally holds, and one in many seconds and then few.
func TestManyInASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := window.NewMemory(1000)
		count := func(n int) (last int64) {
			for range n {
				last, _ = m.CountBytes([]byte("a"), time.Minute)
			}
			return last
		}
		require.EqualValues(t, 200_000, count(200_000))
		time.Sleep(time.Second)
		require.EqualValues(t, 270_000, count(70_000))
		for i := range int64(50) {
			time.Sleep(time.Second)
			require.EqualValues(t, 270_001+i, count(1))
		}
		time.Sleep(9 * time.Second) // sixty seconds after the first
		require.EqualValues(t, 70_051, count(1))
		time.Sleep(time.Second)
		require.EqualValues(t, 52, count(1))
		time.Sleep(49 * time.Second)
		require.EqualValues(t, 4, count(1))
		time.Sleep(time.Hour)
		require.EqualValues(t, 1, count(1))
	})
}

func TestBytesAreTheString(t *testing.T) {
	m := window.NewMemory(1000)
	n, err := m.Count(t.Context(), "key", time.Minute)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	n, err = m.CountBytes([]byte("key"), time.Minute)
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	_, err = m.CountBytes([]byte("key"), 0)
	require.EqualError(t, err, "window: want 1s to 1h0m0s in whole seconds, got 0s")
}

func TestNoAllocations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := window.NewMemory(1000)
		key := []byte("key")
		for range 200 { // a full window
			_, _ = m.CountBytes(key, time.Minute)
			time.Sleep(time.Second)
		}
		require.Zero(t, testing.AllocsPerRun(200, func() {
			_, _ = m.CountBytes(key, time.Minute)
			time.Sleep(time.Second)
		}))
	})
}

// BenchmarkBytesPerKey tells what a key costs: one of a million that were seen once, and one of a
// thousand that were seen in every second of ten minutes.
func BenchmarkBytesPerKey(b *testing.B) {
	for _, tt := range []struct {
		name          string
		keys, seconds int
	}{{"quiet", 1_000_000, 1}, {"busy", 1_000, 600}} {
		b.Run("keys="+tt.name, func(b *testing.B) {
			before := heap()
			m := window.NewMemory(2 * tt.keys)
			key := make([]byte, 0, 16)
			for range tt.seconds {
				for i := range tt.keys {
					key = fmt.Appendf(key[:0], "%d", i)
					_, _ = m.CountBytes(key, 10*time.Minute)
				}
				if tt.seconds > 1 {
					window.Tick(m)
				}
			}
			b.ReportMetric(float64(int64(heap()-before))/float64(tt.keys), "bytes/key")
			runtime.KeepAlive(m)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkCount counts keys that are in the table, beside what takes a token of a bucket of theirs.
func BenchmarkCount(b *testing.B) {
	for _, keys := range []uint64{1, 1 << 20} {
		m := window.NewMemory(1 << 21)
		buckets, err := bucket.New(0.01, 1e6, 1<<21) // so slow that every bucket stays
		require.NoError(b, err)
		for name, use := range map[string]func(key []byte){
			"window": func(key []byte) { _, _ = m.CountBytes(key, 5*time.Minute) },
			"bucket": func(key []byte) { buckets.Take(buckets.HashBytes(key)) },
		} {
			b.Run(fmt.Sprintf("keys=%d/by=%s", keys, name), func(b *testing.B) {
				var key [8]byte
				for v := range keys {
					binary.LittleEndian.PutUint64(key[:], v)
					use(key[:])
				}
				b.ReportAllocs()
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					rnd := rand.New(rand.NewPCG(1, rand.Uint64()))
					var key [8]byte
					for pb.Next() {
						binary.LittleEndian.PutUint64(key[:], rnd.Uint64()%keys)
						use(key[:])
					}
				})
			})
		}
	}
}
