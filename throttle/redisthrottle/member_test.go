package redisthrottle

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParseMember reads any member: what is a record is written the same, and anything else is an
// error.
func FuzzParseMember(f *testing.F) {
	for _, s := range []string{"id\x001\x007\x00data", "id\x001\x007\x00", "\x007", "id", "id\x00x\x00", "id\x000\x007\x00", "id\x00-1\x007\x00", "id\x001\x007\x00\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, member string) {
		r, err := parseMember(member)
		if err != nil {
			require.Zero(t, r)
			return
		}
		again, err := parseMember(r.ID + "\x00" + strconv.FormatInt(r.Revision, 10) + "\x007\x00" + string(r.Data))
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
