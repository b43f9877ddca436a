package boltstore

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// A store that remembers three deletions forgets the oldest, says so, and counts none twice.
func TestDeletionsThatAreForgotten(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), Config{})
	require.NoError(t, err)
	s.kept = 3
	put := func(id string, revision int64) {
		require.NoError(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: id, Revision: revision}))
	}
	changes := func(since int64) ([]usageplan.Change, error) {
		return s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys, Since: since}, 100)
	}
	for range 10 { // one that comes and goes is one
		put("again", 0)
		require.NoError(t, s.Delete(t.Context(), usageplan.Keys, "again"))
	}
	list, err := changes(0)
	require.NoError(t, err)
	require.Len(t, list, 1)
	first := list[0].Number
	for _, id := range []string{"a", "b", "c"} {
		_, err = changes(0)
		require.NoError(t, err, "before %s", id)
		put(id, 0)
		require.NoError(t, s.Delete(t.Context(), usageplan.Keys, id))
	}
	_, err = changes(0)
	require.ErrorIs(t, err, usageplan.ErrForgotten)
	for _, since := range []int64{first, -1} {
		list, err = changes(since)
		require.NoError(t, err)
		require.Len(t, list, 3)
		require.Equal(t, "c", list[0].ID)
	}
	put("again", 0)
	list, err = s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys, New: true, Since: first}, 100)
	require.NoError(t, err)
	require.Len(t, list, 1)
}
