package rediscache_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/cache/rediscache"
)

func bounded(t testing.TB, client redis.UniversalClient, name string, maxBytes int64) *rediscache.Store {
	s, err := rediscache.New(rediscache.Config{Client: client, Name: name, MaxBytes: maxBytes, Timeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return s
}

func key(n int) (k cache.Key) {
	copy(k[:], fmt.Sprintf("%016d", n))
	return k
}

func answer(size int, lasts time.Duration) *cache.Entry {
	now := time.Now()
	return &cache.Entry{Status: 200, Body: make([]byte, size), Made: now, Expires: now.Add(lasts), Stale: now.Add(lasts)}
}

// held is what a cache's keys take, without what Redis has for each.
func held(t *testing.T, m *miniredis.Miniredis) (total int64) {
	for _, name := range m.Keys() {
		if text, err := m.Get(name); err == nil {
			total += int64(len(name) + len(text))
		}
	}
	return total
}

// However many questions there are, by however many machines, Redis holds no more than the bound;
// what is dropped would have expired first.
func TestBound(t *testing.T) {
	m := miniredis.RunT(t)
	const most = 200_000
	one, two := bounded(t, connect(t, m.Addr()), "b", most), bounded(t, connect(t, m.Addr()), "b", most)
	put := func(s *rediscache.Store, n int, e *cache.Entry) {
		_, at, err := s.Get(t.Context(), key(n))
		require.NoError(t, err)
		require.NoError(t, s.Put(t.Context(), key(n), e, at))
	}
	has := func(n int) bool {
		e, _, err := two.Get(t.Context(), key(n))
		require.NoError(t, err)
		return e != nil
	}
	put(one, 0, answer(10_000, 30*time.Minute)) // which outlives all others
	for n := range 100 {
		put([]*rediscache.Store{one, two}[n%2], n+1, answer(1000+100*n, time.Minute+time.Duration(n)*time.Second))
		require.LessOrEqual(t, held(t, m), int64(most), n)
	}
	require.Greater(t, held(t, m), int64(most/2), "there is room for most of that")
	require.True(t, has(0))
	require.True(t, has(100))
	require.False(t, has(1))

	put(one, 101, answer(most/8, time.Hour))
	require.False(t, has(101), "an eighth of the bound is too large")
	for range 50 { // the same one again, of other sizes, takes no more
		put(one, 0, answer(rand.IntN(20_000), 30*time.Minute))
	}
	require.True(t, has(0))
	require.LessOrEqual(t, held(t, m), int64(most))

	m.FastForward(time.Hour) // all is gone, and counts no longer
	for n := range 10 {
		put(one, n+200, answer(15_000, 2*time.Hour-time.Minute))
	}
	for _, name := range m.Keys() {
		require.NotZero(t, m.TTL(name), name)
	}
	require.True(t, has(209))
}

// Machines that put at the same time don't put more than there is room for.
func TestBoundUnderRaces(t *testing.T) {
	m := miniredis.RunT(t)
	const most = 100_000
	var all sync.WaitGroup
	for g := range 4 {
		s := bounded(t, connect(t, m.Addr()), "b", most)
		all.Go(func() {
			for n := range 60 {
				_, at, err := s.Get(t.Context(), key(g*1000+n))
				if err == nil {
					err = s.Put(t.Context(), key(g*1000+n), answer(rand.IntN(12_000), time.Minute), at)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.LessOrEqual(t, held(t, m), int64(most))
	require.NotZero(t, held(t, m))
}
