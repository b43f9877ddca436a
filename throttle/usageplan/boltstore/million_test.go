//go:build million

package boltstore

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/usageplantest"
)

// TestMillion is behind a tag as it takes half a minute.
func TestMillion(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "keys.db"), Config{})
	require.NoError(t, err)
	s.db.NoSync = true // what is tested isn't the disk
	usageplantest.Large(t, s, 1_000_000, func(page []usageplan.Record) {
		err := s.update(func(tx *bbolt.Tx) error {
			for _, r := range page {
				if err := put(tx, usageplan.Keys, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	require.NoError(t, s.Close())
}
