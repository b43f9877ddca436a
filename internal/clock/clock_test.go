package clock_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/clock"
)

func put(c *clock.Cache[int, string], key int, value string) {
	c.Put(c.Table(), uint64(key), key, value, int32(len(value)))
}

func TestReplaceAndRemove(t *testing.T) {
	c := clock.New[int, string](100, 1000)
	put(c, 1, "a")
	put(c, 1, "bb")
	put(c, 2, "c")
	old := c.Get(1, 1)
	require.Equal(t, "bb", old.Value)
	entries, cost, evicted := c.Size()
	require.Equal(t, []any{2, int64(3), uint64(0)}, []any{entries, cost, evicted})
	put(c, 1, "d")
	c.Remove(1, old)
	require.Equal(t, "d", c.Get(1, 1).Value, "what replaced it stays")
	require.Equal(t, 1, c.RemoveFunc(func(e *clock.Entry[int, string]) bool { return e.Value == "d" }))
	require.Nil(t, c.Get(1, 1))
	require.NotNil(t, c.Get(2, 2))
	late := c.Table()
	c.Clear()
	c.Put(late, 3, 3, "made before", 1)
	require.Nil(t, c.Get(3, 3))
}

// Random puts, against a map that forgets nothing: what is found is what was put last, and bounds
// hold throughout.
func TestAgainstMap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	c := clock.New[int, string](64, 400)
	latest := map[int]string{}
	for range 20_000 {
		key := rnd.IntN(300)
		if rnd.IntN(2) == 0 {
			value := string(make([]byte, rnd.IntN(20)))
			put(c, key, value)
			latest[key] = value
			require.NotNil(t, c.Get(uint64(key), key), "the newest is there")
		} else if e := c.Get(uint64(key), key); e != nil {
			require.Equal(t, latest[key], e.Value)
		}
		entries, cost, _ := c.Size()
		require.LessOrEqual(t, entries, 64)
		require.LessOrEqual(t, cost, int64(400))
	}
	_, _, evicted := c.Size()
	require.Positive(t, evicted)
}

func TestNothingKept(t *testing.T) {
	for _, c := range []*clock.Cache[int, string]{clock.New[int, string](-1, 10), clock.New[int, string](0, 10), clock.New[int, string](10, 0)} {
		put(c, 1, "a")
		require.Nil(t, c.Get(1, 1))
		entries, _, _ := c.Size()
		require.Zero(t, entries)
		require.Zero(t, c.RemoveFunc(func(*clock.Entry[int, string]) bool { return true }))
	}
}

func TestHammer(t *testing.T) {
	c := clock.New[int, string](32, 1000)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5000 {
				key := (i*7 + g) % 100
				put(c, key, "v")
				if e := c.Get(uint64(key), key); e != nil {
					c.Remove(uint64(key), e)
				}
				if i%1000 == 0 {
					c.Clear()
				}
			}
		})
	}
	wg.Wait()
}
