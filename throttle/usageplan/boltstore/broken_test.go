package boltstore

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Where counts can't be written, nothing more is counted, and what was counted is still to be
// written.
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

// An outage of the disk is two lines, however often counts couldn't be written meanwhile: one when
// it begins, one when it is over.
func TestOutageOfTheDiskIsTwoLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "keys.db")
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		s, err := Open(ctx, path, Config{FlushEvery: 100 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		today := usageplan.DateOf(time.Now())
		c := usageplan.Counter{Plan: "p", Key: "k", From: today, To: today + 1}
		_, err = s.Add(ctx, c, today, 3)
		require.NoError(t, err)
		s.flushing.Lock()
		require.NoError(t, s.db.Close())
		s.flushing.Unlock()
		time.Sleep(100*time.Second + time.Millisecond) // a thousand writes
		synctest.Wait()
		require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
		require.Contains(t, log.String(), `level=ERROR msg="boltstore: can't write counts, so nothing more is counted"`)
		_, err = s.Add(ctx, c, today, 1)
		require.Error(t, err)

		s.flushing.Lock()
		s.db, err = openFile(path)
		s.flushing.Unlock()
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
		require.Contains(t, log.String(), `level=WARN msg="boltstore: can't write counts, so nothing more is counted: it is over"`)
		require.Contains(t, log.String(), "failures=1000")
		now, err := s.Add(ctx, c, today, 1)
		require.NoError(t, err)
		require.EqualValues(t, 4, now.Used, "what couldn't be written is counted still")
		cancel()
		<-s.stopped
	})
}
