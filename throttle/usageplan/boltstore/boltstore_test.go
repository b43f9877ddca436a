package boltstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/boltstore"
	"github.com/gatekit-go/gatekit/throttle/usageplan/usageplantest"
)

func open(t testing.TB, path string, c boltstore.Config) *boltstore.Store {
	s, err := boltstore.Open(t.Context(), path, c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestStore(t *testing.T) {
	usageplantest.Run(t, func(t *testing.T) usageplan.Store {
		return open(t, filepath.Join(t.TempDir(), "keys.db"), boltstore.Config{})
	})
}

// today is a day whose counts no retention drops.
var today = usageplan.DateOf(time.Now())

var counter = usageplan.Counter{Plan: "p", Key: "k", From: today, To: today + 1}

func TestSurvivesARestart(t *testing.T) {
	t.Parallel() // as it waits for the lock of a file that is in use
	path := filepath.Join(t.TempDir(), "keys.db")
	s, err := boltstore.Open(t.Context(), path, boltstore.Config{FlushEvery: time.Minute})
	require.NoError(t, err)
	require.NoError(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: "k", Data: []byte("data")}))
	_, _, err = s.Reserve(t.Context(), counter, today, 1, 7, 10)
	require.NoError(t, err)
	require.NoError(t, s.SetExtra(t.Context(), counter, 2))
	require.NoError(t, s.Touch(t.Context(), "k", time.Unix(1000, 0)))
	changes, err := s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys, New: true}, 10)
	require.NoError(t, err)

	_, err = boltstore.Open(t.Context(), path, boltstore.Config{})
	require.ErrorContains(t, err, "another process may have it")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	_, _, err = s.Reserve(t.Context(), counter, today, 1, 1, 10)
	require.ErrorContains(t, err, "closed")
	require.ErrorContains(t, s.Flush(t.Context()), "closed")

	s = open(t, path, boltstore.Config{})
	r, err := s.Get(t.Context(), usageplan.Keys, "k")
	require.NoError(t, err)
	require.Equal(t, usageplan.Record{ID: "k", Revision: 1, Data: []byte("data")}, r)
	granted, now, err := s.Reserve(t.Context(), counter, today, 1, 100, 10)
	require.NoError(t, err)
	require.EqualValues(t, 5, granted, "10 and 2 extra, less 7")
	require.Equal(t, usageplan.Count{Used: 12, Extra: 2}, now)
	used, err := s.LastUsed(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, time.Unix(1000, 0).UTC(), used[0])
	again, err := s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys, New: true}, 10)
	require.NoError(t, err)
	require.Equal(t, changes, again)
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	path := filepath.Join(t.TempDir(), "keys.db")
	s, err := boltstore.Open(ctx, path, boltstore.Config{FlushEvery: time.Minute})
	require.NoError(t, err)
	_, err = s.Add(t.Context(), counter, today, 3)
	require.NoError(t, err)
	cancel()
	require.NoError(t, s.Close())
	now, _, err := open(t, path, boltstore.Config{}).Days(t.Context(), counter)
	require.NoError(t, err)
	require.EqualValues(t, 3, now.Used)
}

func TestForgetsOldPeriods(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	old := usageplan.Counter{Plan: "p", Key: "k", From: today - 5, To: today - 4}
	kept := usageplan.Counter{Plan: "p", Key: "k", From: today - 1, To: today}
	// Each in a process of its own: what is counted in memory would drop the old one before it gets
	// to the file.
	for _, c := range []usageplan.Counter{old, kept} {
		s, err := boltstore.Open(t.Context(), path, boltstore.Config{Retention: 48 * time.Hour})
		require.NoError(t, err)
		_, err = s.Add(t.Context(), c, c.From, 1)
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	r, err := boltstore.Recover(path, filepath.Join(t.TempDir(), "copy.db"))
	require.NoError(t, err)
	require.Equal(t, 1, r.Counts, "the old one has left the file")
	s := open(t, path, boltstore.Config{Retention: 48 * time.Hour})
	for c, want := range map[usageplan.Counter]int64{old: 0, kept: 1} {
		now, _, err := s.Days(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, want, now.Used, c.From)
	}
}

func TestRefusesBadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	for _, tt := range []struct {
		c    boltstore.Config
		path string
		want string
	}{
		{boltstore.Config{FlushEvery: time.Microsecond}, path, "FlushEvery"},
		{boltstore.Config{FlushEvery: time.Hour}, path, "FlushEvery"},
		{boltstore.Config{Retention: time.Second}, path, "Retention"},
		{boltstore.Config{}, filepath.Join(path, "no", "such"), "open"},
	} {
		_, err := boltstore.Open(t.Context(), tt.path, tt.c)
		require.ErrorContains(t, err, tt.want)
	}
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600))
	_, err := boltstore.Open(t.Context(), path, boltstore.Config{})
	require.Error(t, err)
}

// In another process: counts one unit after the other, and says so. What it says is durable has
// been flushed, by itself first, then by Flush.
func TestMain(m *testing.M) {
	path := os.Getenv("GATEKIT_BOLTSTORE_CHILD")
	if path == "" {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	s, err := boltstore.Open(ctx, path, boltstore.Config{FlushEvery: 5 * time.Millisecond})
	fatal(err)
	n := 0
	count := func() {
		granted, _, err := s.Reserve(ctx, counter, today, 1, 1, 1<<40)
		fatal(err)
		n += int(granted)
	}
	for {
		for range 500 {
			count()
		}
		fmt.Println("counted", n)
		if n%5000 == 0 {
			fatal(s.Flush(ctx))
			fmt.Println("durable", n)
		}
	}
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A process that counts as fast as it can is killed, again and again, at moments that it doesn't
// choose. Nothing that was flushed is lost, and nothing is counted that wasn't.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	before := int64(0)
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "GATEKIT_BOLTSTORE_CHILD="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var once sync.Once
		kill := func() { once.Do(func() { _ = cmd.Process.Kill() }) }
		var counted, durable int64
		lines := 0
		for in := bufio.NewScanner(out); in.Scan(); {
			word, number, _ := strings.Cut(in.Text(), " ")
			n, err := strconv.ParseInt(number, 10, 64)
			require.NoError(t, err)
			if word == "durable" {
				durable = n
			} else {
				counted = n
			}
			if lines++; lines > 23+7*round && durable > 0 {
				kill() // lines that it has printed before it died are still read
			}
		}
		kill()
		_ = cmd.Wait()
		require.Positive(t, durable)

		s, err := boltstore.Open(t.Context(), path, boltstore.Config{})
		require.NoError(t, err)
		now, by, err := s.Days(t.Context(), counter)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		require.GreaterOrEqual(t, now.Used-before, durable, "what was flushed lasts")
		require.LessOrEqual(t, now.Used-before, counted+500+5000, "no more than it may have counted after its last line")
		require.Equal(t, now.Used, by[0])
		before = now.Used
	}
}

// Without a Flush, counts reach the file by themselves.
func TestWritesByItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.db")
	s := open(t, path, boltstore.Config{FlushEvery: time.Millisecond})
	_, err := s.Add(t.Context(), counter, today, 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		// A copy of the file is what a crash would leave: bbolt writes what it can recover from at
		// any moment.
		copied := filepath.Join(t.TempDir(), "copy.db")
		data, err := os.ReadFile(path)
		if err != nil || os.WriteFile(copied, data, 0o600) != nil {
			return false
		}
		c, err := boltstore.Open(t.Context(), copied, boltstore.Config{})
		if err != nil {
			return false // it was copied while it was written
		}
		now, _, err := c.Days(t.Context(), counter)
		return errors.Join(err, c.Close()) == nil && now.Used == 1
	}, 10*time.Second, time.Millisecond, "nothing was written")
}
