package usageplan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The blocks hold what one sorted slice would, in its order.
func TestSortedIDsAgreeWithASlice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var s sortedIDs
	var want []string
	for step := range 20_000 {
		id := fmt.Sprint(rnd.IntN(4000))
		i, found := slices.BinarySearch(want, id)
		switch grow := step%8000 < 5000; { // it grows, and shrinks to nearly nothing
		case !found && (grow || rnd.IntN(4) == 0):
			s.insert(id)
			want = slices.Insert(want, i, id)
		case found && (!grow || rnd.IntN(4) == 0):
			s.remove(id)
			want = slices.Delete(want, i, i+1)
		case !found:
			s.remove(id)
		}
		if step%500 == 0 {
			require.Equal(t, want, slices.AppendSeq([]string{}, s.after("")), step)
			for _, b := range s.blocks {
				require.True(t, 0 < len(b) && len(b) <= maxBlock)
			}
		}
		if step%50 == 0 {
			after, found := slices.BinarySearch(want, id)
			if found {
				after++
			}
			require.Equal(t, want[after:], slices.AppendSeq([]string{}, s.after(id)))
		}
	}
}
