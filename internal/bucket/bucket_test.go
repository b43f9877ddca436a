package bucket_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/gatekit-go/gatekit/internal/bucket"
)

func newTable(t testing.TB, perSecond float64, burst, maxKeys int) *bucket.Table {
	t.Helper()
	table, err := bucket.New(perSecond, burst, maxKeys)
	require.NoError(t, err)
	return table
}

func TestTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, 2, 3, 100)
		a, b := table.Hash("a"), table.Hash("b")
		for left := 2; left >= 0; left-- {
			v := table.Take(a)
			require.Equal(t, bucket.Verdict{OK: true, Left: left, Full: time.Duration(3-left) * time.Second / 2}, v)
		}
		require.Equal(t, bucket.Verdict{Wait: time.Second / 2, Full: 3 * time.Second / 2}, table.Take(a))
		require.True(t, table.Take(b).OK, "another key's bucket is its own")
		time.Sleep(time.Second/2 - time.Nanosecond)
		require.Equal(t, time.Duration(1), table.Take(a).Wait)
		time.Sleep(time.Nanosecond)
		require.True(t, table.Take(a).OK)
		require.False(t, table.Take(a).OK)
		time.Sleep(time.Hour)
		require.Equal(t, 2, table.Take(a).Left, "never more than the burst")
	})
}

func TestBlocked(t *testing.T) {
	for _, table := range []*bucket.Table{newTable(t, 0, 5, 10), newTable(t, 5, 0, 10)} {
		require.Equal(t, bucket.Verdict{Wait: bucket.Never, Full: bucket.Never}, table.Take(1))
		require.Zero(t, table.Len())
	}
}

func TestNewRefuses(t *testing.T) {
	_, err := bucket.New(1e-9, 10, 10)
	require.ErrorContains(t, err, "full again within 100 years")
	_, err = bucket.New(1e12, math.MaxInt, 1) // whose ticks would overflow, and refuse everything
	require.ErrorContains(t, err, "full again within 100 years")
	_, err = bucket.New(1, 1, 0)
	require.ErrorContains(t, err, "room for at least one key")
}

// The table gives the verdicts of x/time/rate, for random limits and schedules.
func TestAgreesWithRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		for range 60 {
			perSecond := []float64{0.001, 0.3, 1, 3, 7.5, 1000, 12345.678, 1e6}[rng.IntN(8)]
			burst := 1 + rng.IntN(20)
			table, limiter := newTable(t, perSecond, burst, 100), rate.NewLimiter(rate.Limit(perSecond), burst)
			key := table.Hash(fmt.Sprint(rng.Uint64()))
			for i := range 300 {
				time.Sleep(time.Duration(rng.Float64() * rng.Float64() * 3 * float64(time.Second) / perSecond))
				// Neither is exact to the nanosecond; a verdict within two of a token's arrival may
				// differ.
				tokens := limiter.TokensAt(time.Now())
				got := table.Take(key)
				if off := tokens - 1; off*float64(time.Second)/perSecond > -2 && off*float64(time.Second)/perSecond < 2 {
					time.Sleep(time.Duration(5 * float64(burst) / perSecond * float64(time.Second))) // both full again
					limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
					continue
				}
				if want := limiter.Allow(); got.OK != want {
					t.Fatalf("rate %v, burst %d, request %d: got %v, x/time/rate says %v with %v tokens", perSecond, burst, i, got, want, tokens)
				}
			}
		}
	})
}

// In the long run a bucket lets exactly the burst and the rate through, whatever the rate's
// fraction of a nanosecond.
func TestLongRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, perSecond := range []float64{3, 7, 999, 10_007} {
			table := newTable(t, perSecond, 200, 10)
			admitted := 0
			for range 40_000 {
				for table.Take(7).OK {
					admitted++
				}
				time.Sleep(time.Second / 100)
			}
			require.InDelta(t, 200+perSecond*400, float64(admitted), 1+perSecond/100+perSecond*400*1e-6, perSecond)
		}
	})
}

func TestConcurrentTakesAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time stands still
		table := newTable(t, 1, 1000, 100_000)
		var admitted atomic.Int64
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 1000 {
					if table.Take(table.Hash("hot")).OK {
						admitted.Add(1)
					}
					table.Take(table.Hash(fmt.Sprint("cold", g, i)))
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1000, admitted.Load())
		require.Equal(t, 8001, table.Len())
	})
}

// Every bucket of a million is found again after all the growth.
func TestGrowthLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys = 200_000
		table := newTable(t, 1, 1, 2*keys)
		for i := range keys {
			require.True(t, table.Take(table.Hash(fmt.Sprint(i))).OK)
		}
		require.Equal(t, keys, table.Len())
		for i := range keys {
			require.False(t, table.Take(table.Hash(fmt.Sprint(i))).OK, i)
		}
		time.Sleep(time.Second)
		for i := range keys {
			require.True(t, table.Take(table.Hash(fmt.Sprint("other", i))).OK)
		}
		require.LessOrEqual(t, table.Len(), 2*keys, "full buckets give their places")
	})
}

// Eviction moves displaced buckets so that each is still found: what was admitted once with a burst
// of 1 is refused unless evicted, and the number of second admissions is the number of evictions.
func TestEvictionKeepsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room, keys = 64 * 64, 64 * 80
		table := newTable(t, 0.001, 2, room)
		for i := range keys {
			table.Take(table.Hash(fmt.Sprint(i)))
		}
		before := table.Len()
		fresh := 0
		for i := range keys {
			if v := table.Take(table.Hash(fmt.Sprint(i))); v.OK && v.Left == 1 {
				fresh++
			}
		}
		require.LessOrEqual(t, before, room)
		require.LessOrEqual(t, fresh, 3*(keys-before)+keys/10)
	})
}

func TestHashBytesIsHash(t *testing.T) {
	table := newTable(t, 1, 1, 1)
	require.Equal(t, table.Hash("abc"), table.HashBytes([]byte("abc")))
	require.NotEqual(t, table.Hash("abc"), newTable(t, 1, 1, 1).Hash("abc"), "each table has a seed of its own")
}

func BenchmarkBytesPerKey(b *testing.B) {
	const keys = 1_000_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&before)
		table := newTable(b, 0.001, 10, 2*keys)
		for i := range uint64(keys) {
			table.Take(i*0x9e3779b97f4a7c15 | 1)
		}
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(table.Len()), "bytes/key")
	}
}

func BenchmarkTake(b *testing.B) {
	for _, keys := range []uint64{1, 1 << 20} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			table := newTable(b, 1e6, 1e6, 1<<21)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				rng := rand.New(rand.NewPCG(1, rand.Uint64()))
				for pb.Next() {
					table.Take((rng.Uint64()%keys)*0x9e3779b97f4a7c15 | 1)
				}
			})
		})
	}
}

// A token that was given back can be taken again, and never makes more of them than there were.
func TestGive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table, err := bucket.New(1, 2, 100)
		require.NoError(t, err)
		h := table.Hash("k")
		table.Give(h) // of a bucket that isn't kept, as it is full
		for range 3 {
			require.True(t, table.Take(h).OK)
			require.True(t, table.Take(h).OK)
			require.False(t, table.Take(h).OK)
			table.Give(h)
			require.True(t, table.Take(h).OK)
			require.False(t, table.Take(h).OK)
			time.Sleep(2 * time.Second)
		}
		require.True(t, table.Take(h).OK)
		time.Sleep(time.Hour)
		table.Give(h) // long after it came back by itself
		require.True(t, table.Take(h).OK)
		require.True(t, table.Take(h).OK)
		require.False(t, table.Take(h).OK)
	})
}
