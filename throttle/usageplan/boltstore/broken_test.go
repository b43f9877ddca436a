package boltstore

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Where counts can't be written, nothing more is counted, and what was counted is still to be written.
func TestCountsThatCannotBeWritten(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), Config{FlushEvery: time.Minute})
	require.NoError(t, err)
	today := usageplan.DateOf(time.Now())
	c := usageplan.Counter{Plan: "p", Key: "k", From: today, To: today + 1}
	_, err = s.Add(t.Context(), c, today, 3)
	require.NoError(t, err)
	require.NoError(t, s.Touch(t.Context(), "k", time.Now()))
	require.NoError(t, s.db.Close())
	require.ErrorContains(t, s.Flush(t.Context()), "write")
	_, _, err = s.Reserve(t.Context(), c, today, 1, 1, 10)
	require.ErrorContains(t, err, "write")
	_, err = s.Add(t.Context(), c, today, 1)
	require.Error(t, err)
	require.Error(t, s.Touch(t.Context(), "k", time.Now()))
	require.Error(t, s.Close())
	require.Len(t, s.counts.Changed(), 1)
	require.Len(t, s.used, 1)
}
