package topkeys_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/topkeys"
)

// check compares a sketch of m keys with the exact counts, by what Sketch promises.
func check(t *testing.T, s *topkeys.Sketch, m int, exact map[string]int64) {
	t.Helper()
	var total int64
	for _, n := range exact {
		total += n
	}
	require.Equal(t, total, s.Total())
	seen := map[string]topkeys.Count{}
	var before int64
	top := s.Top(m)
	require.LessOrEqual(t, len(top), m)
	for i, c := range top {
		if i > 0 {
			require.LessOrEqual(t, c.Count, before)
		}
		before = c.Count
		require.GreaterOrEqual(t, c.Count, exact[c.Key], c.Key)
		require.LessOrEqual(t, c.Count-c.Over, exact[c.Key], c.Key)
		require.LessOrEqual(t, c.Over, total/int64(m), c.Key)
		seen[c.Key] = c
	}
	require.Len(t, seen, len(top))
	for key, n := range exact {
		if n > total/int64(m) {
			require.Contains(t, seen, key)
		}
	}
}

func TestAgainstExactCounts(t *testing.T) {
	for _, m := range []int{1, 2, 10, 100} {
		for seed := range uint64(5) {
			random := rand.New(rand.NewPCG(seed, 1))
			skewed := rand.NewZipf(random, 1.2, 1, 10_000)
			s, exact := topkeys.New(m), map[string]int64{}
			for i := range 20_000 {
				key, n := strconv.FormatUint(skewed.Uint64(), 10), int64(1)
				if i%7 == 0 {
					key, n = strconv.Itoa(i), 1+random.Int64N(3) // a flood of keys that come once
				}
				s.Add(key, n)
				exact[key] += n
			}
			check(t, s, m, exact)
		}
	}
}

func TestFewKeysAreExact(t *testing.T) {
	s := topkeys.New(3)
	for range 5 {
		s.Add("a", 1)
	}
	s.Add("b", 2)
	s.Add("c", 2)
	s.Add("d", 0)
	s.Add("d", -1)
	require.Equal(t, []topkeys.Count{{"a", 5, 0}, {"b", 2, 0}, {"c", 2, 0}}, s.Top(10))
	require.Len(t, s.Top(2), 2)
	require.Empty(t, s.Top(-1))
	s.Add("d", 1)
	require.Equal(t, topkeys.Count{Key: "d", Count: 3, Over: 2}, s.Top(2)[1])
	require.Len(t, s.Top(10), 3)
	require.EqualValues(t, 10, s.Total())
}

func TestLongKeys(t *testing.T) {
	s := topkeys.New(0)
	s.Add(strings.Repeat("x", 1000), 1)
	s.Add(strings.Repeat("x", 2000), 1)
	require.Len(t, s.Top(1)[0].Key, 128)
	require.EqualValues(t, 2, s.Top(1)[0].Count)
}

func TestFromManyGoroutines(t *testing.T) {
	s, exact := topkeys.New(8), map[string]int64{}
	var all sync.WaitGroup
	for g := range 8 {
		for i := range 1000 {
			exact[strconv.Itoa(i%(g+1))]++
		}
		all.Go(func() {
			for i := range 1000 {
				s.Add(strconv.Itoa(i%(g+1)), 1)
				if i%100 == 0 {
					s.Top(3)
				}
			}
		})
	}
	all.Wait()
	check(t, s, 8, exact)
}

func TestKnownKeysAllocateNothing(t *testing.T) {
	s := topkeys.New(4)
	s.Add("a", 1)
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Add("a", 1) }))
}
