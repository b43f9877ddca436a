package bucket_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/bucket"
)

// A flood of new keys fills the table, stays within its bound, and doesn't give a caller at the
// limit a new bucket.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, 0.01, 5, 64*32)
		hot := table.Hash("hot")
		for range 5 {
			require.True(t, table.Take(hot).OK)
		}
		for i := range 200_000 {
			require.True(t, table.Take(table.Hash(fmt.Sprint(i))).OK, "a new caller is served")
			if i%1000 == 0 {
				require.False(t, table.Take(hot).OK, "after %d new keys", i)
			}
		}
		require.LessOrEqual(t, table.Len(), 64*32)
	})
}

// Keys that all want one place, as if somebody had found out the seed: each still has its bucket,
// within the bound.
func TestKeysThatCollide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, 0.01, 1, 64*32)
		for i := range uint64(32) { // the upper bits choose the shard and the place, which is the same for all
			require.True(t, table.Take(1<<40|i+1).OK)
		}
		for i := range uint64(32) {
			require.False(t, table.Take(1<<40|i+1).OK, i)
		}
		for i := range uint64(100_000) {
			table.Take(1<<40 | i + 1)
		}
		require.LessOrEqual(t, table.Len(), 64*32)
	})
}

// A token given back that was never taken, over and over, fills no bucket beyond its size.
func TestGivingMoreThanWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, 1, 2, 64)
		hash := table.Hash("a")
		require.True(t, table.Take(hash).OK)
		for range 1000 {
			table.Give(hash)
		}
		require.True(t, table.Take(hash).OK)
		require.True(t, table.Take(hash).OK)
		require.False(t, table.Take(hash).OK)
	})
}

// Whatever the numbers are, a table is refused or counts: it never lets through more than a burst
// at one instant, and no wait is negative.
func FuzzNumbers(f *testing.F) {
	for _, rate := range []float64{0, 1, 1e-9, 1e12, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		f.Add(rate, 3, 10)
	}
	f.Add(1.0, math.MaxInt, 1)
	f.Fuzz(func(t *testing.T, rate float64, burst, maxKeys int) {
		if !(rate >= 0) || math.IsInf(rate, 0) || burst < 0 || maxKeys > 1<<20 { // what callers have refused
			return
		}
		table, err := bucket.New(rate, burst, maxKeys)
		if err != nil {
			require.Nil(t, table)
			return
		}
		synctest.Test(t, func(t *testing.T) {
			table, err := bucket.New(rate, burst, maxKeys)
			require.NoError(t, err)
			admitted := 0
			for range min(burst, 100) + 2 {
				v := table.Take(table.Hash("a"))
				if v.OK {
					admitted++
				}
				require.GreaterOrEqual(t, v.Wait, time.Duration(0), fmt.Sprint(v))
				require.GreaterOrEqual(t, v.Full, time.Duration(0), fmt.Sprint(v))
				require.GreaterOrEqual(t, v.Left, 0, fmt.Sprint(v))
			}
			require.LessOrEqual(t, admitted, burst)
		})
	})
}
