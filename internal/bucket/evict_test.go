package bucket

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever comes and is driven out, each bucket that has a slot is found in it, and only one goes
// for one that comes. Hashes crowd around few homes, so that most buckets are displaced, also over
// the end of the slots.
func TestEvictionLosesNoOther(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		const most = 24
		s := Shard[level]{most: most}
		held := map[uint64]level{}
		for step := range 200 {
			// The upper bits of what is left when the shard's are gone choose the home.
			hash := rnd.Uint64N(4)*(1<<58/4)*15/16 + 1<<58*uint64(rnd.IntN(2))/1024 + rnd.Uint64N(1<<20) + 1
			if s.Find(hash) != nil {
				continue
			}
			before := s.used
			s.Insert(hash, level(1000+rnd.IntN(1000)), int64(step))
			held[hash] = *s.Find(hash)
			if before < most {
				require.Equal(t, before+1, s.used)
			} else {
				require.Equal(t, most, s.used, "one goes for one that comes")
			}
			found := 0
			for _, b := range s.slots {
				if b.hash != 0 {
					found++
					require.Equal(t, held[b.hash], b.entry)
					require.NotNil(t, s.Find(b.hash), "seed %d, step %d: a bucket is there and isn't found", seed, step)
				}
			}
			require.Equal(t, s.used, found)
		}
	}
}
