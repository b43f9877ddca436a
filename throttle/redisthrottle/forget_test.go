package redisthrottle

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/usageplantest"
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

func TestDeletionsThatAreForgotten(t *testing.T) {
	s := newStore(t)
	s.kept = 3
	usageplantest.Forgets(t, s)
}
