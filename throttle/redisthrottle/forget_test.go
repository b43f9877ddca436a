package redisthrottle

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

func newStore(t *testing.T) *Store {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	s, err := NewStore(StoreConfig{Client: client, Name: "forget", Timeout: maxTimeout})
	require.NoError(t, err)
	return s
}

// A page of large records is a short one, so that it doesn't stop Redis for everybody else.
func TestPagesAreBoundedInBytes(t *testing.T) {
	s := newStore(t)
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		require.NoError(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: id, Data: make([]byte, 1<<20)}))
	}
	page, err := s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys, New: true}, 100)
	require.NoError(t, err)
	require.Len(t, page, 4, "four of a MiB and their names are more than four MiB")
}

// A store that remembers three deletions forgets the oldest, says so, and counts none twice.
func TestDeletionsThatAreForgotten(t *testing.T) {
	s := newStore(t)
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
