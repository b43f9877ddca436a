package clock_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/clock"
)

// An entry that is used each time before another one comes in outlives those that aren't.
func TestWhatIsUsedStays(t *testing.T) {
	c := clock.New[int, int](16, 1<<20)
	hash := func(k int) uint64 { return uint64(k) } // spread evenly over the sets
	c.Put(c.Table(), hash(0), 0, 7, 1)
	for k := 1; k < 500; k++ {
		e := c.Get(hash(0), 0)
		require.NotNil(t, e, "after %d others", k)
		c.Put(c.Table(), hash(k), k, k, 1)
	}
}
