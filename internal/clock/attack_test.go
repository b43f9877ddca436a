package clock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/clock"
)

// Keys of one hash, as many as somebody likes, take one line of slots from the others and no more;
// none is taken for another.
func TestKeysOfOneHash(t *testing.T) {
	c := clock.New[int, string](1000, 1<<20)
	put(c, 7, "kept")
	for i := range 10_000 {
		c.Put(c.Table(), 1<<20, i, "v", 1)
		if e := c.Get(1<<20, i-1); e != nil {
			require.Equal(t, i-1, e.Key)
		}
	}
	require.Nil(t, c.Get(1<<20, 10_001))
	entries, _, _ := c.Size()
	require.LessOrEqual(t, entries, 9)
	require.Equal(t, "kept", c.Get(7, 7).Value)
}

// One value as costly as all the rest doesn't get the cache beyond its bound, and one beyond it
// isn't kept at all.
func TestCostlyValues(t *testing.T) {
	c := clock.New[int, string](100, 1000)
	for i := range 100 {
		c.Put(c.Table(), uint64(i), i, "v", 10)
	}
	c.Put(c.Table(), 200, 200, "large", 1000)
	_, cost, _ := c.Size()
	require.LessOrEqual(t, cost, int64(1000))
	c.Put(c.Table(), 201, 201, "too large", 1001)
	require.Nil(t, c.Get(201, 201))
	_, cost, _ = c.Size()
	require.LessOrEqual(t, cost, int64(1000))
}
