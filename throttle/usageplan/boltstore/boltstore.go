// Package boltstore keeps API keys, plans and what they have used in a file (go.etcd.io/bbolt), for
// one process that is to find them again after a restart.
//
// # What lasts
//
// Keys and plans are on disk, synced, when the call that changes them returns. Counts are kept in
// memory and written together, every Config.FlushEvery: a crash of the process or the machine loses
// what was counted since the last such write began, so that a key may use that much beyond its
// quota. [Store.Flush] and [Store.Close] write what there is. If counts can't be written, counting
// fails until they can be, since nobody could say how much a crash would lose.
//
// One process has the file at a time. For several machines there is redisthrottle.
package boltstore

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/outage"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Config configures a [Store]. The zero value works.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// FlushEvery is how often counts are written: how much may be lost in a crash. 0 means 100 ms;
	// 1 ms to 1 minute.
	FlushEvery time.Duration
	// Retention is how long counts are kept after the end of their period. 0 means
	// usageplan.DefaultRetention.
	Retention time.Duration
	// Logger is told of writes that failed. nil means slog.Default.
	Logger *slog.Logger
}

// Store is a [usageplan.Store] in a file. It is safe for concurrent use.
type Store struct {
	db        *bbolt.DB
	counts    *usageplan.Memory
	retention usageplan.Date
	kept      uint64                // deletions that are remembered
	broken    atomic.Pointer[error] // why counts can't be written
	damaged   atomic.Pointer[error] // why the file isn't used any more
	writing   outage.Log

	using sync.Mutex
	used  map[string]time.Time // noted, and not written yet

	flushing sync.Mutex
	swept    usageplan.Date
	stop     context.CancelFunc
	stopped  chan struct{}
	closing  sync.Once
	closed   error
}

var _ usageplan.Store = (*Store)(nil)

var (
	countBucket = []byte("counts")
	usedBucket  = []byte("used")
)

const (
	defaultFlush = 100 * time.Millisecond
	lockTimeout  = time.Second
)

// Open opens or creates the file, and looks through it first (a million keys take a second or two).
// It fails if another process has it for more than a second, or with [ErrDamaged]. A goroutine
// writes counts until ctx ends or Close is called, whichever is first; both write what there is and
// close the file.
func Open(ctx context.Context, path string, c Config) (*Store, error) {
	m := mistakes.In("boltstore: Config")
	mistakes.RangeOrZero(m, "FlushEvery", c.FlushEvery, time.Millisecond, time.Minute)
	c.Retention = cmp.Or(c.Retention, usageplan.DefaultRetention)
	counts, err := usageplan.NewMemory(c.Retention)
	if err != nil {
		m.Add("Retention", "%w", err)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		db: db, counts: counts, retention: usageplan.Date(c.Retention / (24 * time.Hour)),
		writing: outage.Log{
			Logger: cmp.Or(c.Logger, slog.Default()), Away: "boltstore: can't write counts, so nothing more is counted",
		},
		kept: keptDeletions, used: map[string]time.Time{}, stopped: make(chan struct{}),
	}
	if err := s.read(); err != nil {
		_ = s.close()
		return nil, fmt.Errorf("boltstore: read %s: %w", path, err)
	}
	ctx, s.stop = context.WithCancel(ctx)
	go s.flushEvery(ctx, cmp.Or(c.FlushEvery, defaultFlush))
	return s, nil
}

// read makes the buckets, and reads all counts.
func (s *Store) read() error {
	names := [][]byte{countBucket, usedBucket}
	for _, t := range tables {
		names = append(names, t.records, t.log, t.made, t.gone, t.graves)
	}
	missing := false
	err := s.view(func(tx *bbolt.Tx) error {
		missing = slices.ContainsFunc(names, func(name []byte) bool { return tx.Bucket(name) == nil })
		return nil
	})
	if err == nil && missing {
		err = s.update(func(tx *bbolt.Tx) error {
			for _, name := range names {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	var entries []usageplan.Entry
	today := usageplan.DateOf(time.Now())
	s.swept = today // unless there is something to sweep: the first Flush need not write
	err = s.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(countBucket).ForEach(func(k, v []byte) error {
			e, err := decodeEntry(k, v)
			if e.To <= today-s.retention {
				s.swept = 0
			}
			entries = append(entries, e)
			return err
		})
	})
	s.counts.Load(entries...)
	s.counts.Track()
	return err
}

func (s *Store) flushEvery(ctx context.Context, every time.Duration) {
	defer close(s.stopped)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.writing.Note(ctx, s.Flush(ctx))
		case <-ctx.Done():
			s.shut()
			return
		}
	}
}

func (s *Store) shut() {
	s.closing.Do(func() {
		err := s.Flush(context.Background())
		s.flushing.Lock()
		defer s.flushing.Unlock()
		s.fail(errClosed)
		s.closed = errors.Join(err, s.close())
	})
}

var errClosed = errors.New("boltstore: the store is closed")

// Close writes what there is and closes the file.
func (s *Store) Close() error {
	s.stop()
	<-s.stopped
	return s.closed
}

func (s *Store) fail(err error) { s.broken.Store(&err) }

func (s *Store) err() error {
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// Flush writes all counts that have changed, in one synced transaction. When it returns nil, what
// was counted before it was called lasts.
func (s *Store) Flush(context.Context) error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	if errors.Is(s.err(), errClosed) {
		return errClosed
	}
	entries := s.counts.Changed()
	s.using.Lock()
	used := s.used
	s.used = map[string]time.Time{}
	s.using.Unlock()
	today := usageplan.DateOf(time.Now())
	if len(entries) == 0 && len(used) == 0 && s.swept == today && s.err() == nil {
		return nil
	}
	err := s.update(func(tx *bbolt.Tx) error {
		counts := tx.Bucket(countBucket)
		for _, e := range entries {
			if err := counts.Put(encodeCounter(e.Counter), encodeCount(e)); err != nil {
				return err
			}
		}
		for key, at := range used {
			if tx.Bucket(tables[usageplan.Keys].records).Get([]byte(key)) == nil {
				continue // bounds what is kept by what was created
			}
			if err := tx.Bucket(usedBucket).Put([]byte(key),
				binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))); err != nil {
				return err
			}
		}
		if s.swept == today {
			return nil
		}
		return sweep(counts, today-s.retention)
	})
	if err != nil {
		s.counts.ChangedAgain(entries)
		s.using.Lock()
		for key, at := range used {
			if _, newer := s.used[key]; !newer {
				s.used[key] = at
			}
		}
		s.using.Unlock()
		if !errors.Is(err, ErrDamaged) {
			err = fmt.Errorf("boltstore: write: %v", err)
		}
		s.fail(err)
		return err
	}
	s.swept = today
	s.broken.Store(nil)
	return nil
}

// sweep deletes counts of periods that ended up to a day.
func sweep(counts *bbolt.Bucket, upTo usageplan.Date) error {
	var old [][]byte
	err := counts.ForEach(func(k, v []byte) error {
		e, err := decodeEntry(k, v)
		if err == nil && e.To <= upTo {
			old = append(old, append([]byte(nil), k...))
		}
		return err
	})
	for _, k := range old {
		if err == nil {
			err = counts.Delete(k)
		}
	}
	return err
}

// Reserve implements [usageplan.Store].
func (s *Store) Reserve(
	ctx context.Context, c usageplan.Counter, on usageplan.Date, atLeast, atMost, limit int64,
) (int64, usageplan.Count, error) {
	if err := s.err(); err != nil {
		return 0, usageplan.Count{}, err
	}
	return s.counts.Reserve(ctx, c, on, atLeast, atMost, limit)
}

// Add implements [usageplan.Store].
func (s *Store) Add(ctx context.Context, c usageplan.Counter, on usageplan.Date, units int64) (usageplan.Count, error) {
	if err := s.err(); err != nil {
		return usageplan.Count{}, err
	}
	return s.counts.Add(ctx, c, on, units)
}

// SetExtra implements [usageplan.Store]. It is on disk when it returns.
func (s *Store) SetExtra(ctx context.Context, c usageplan.Counter, extra int64) error {
	if err := s.counts.SetExtra(ctx, c, extra); err != nil {
		return err
	}
	return s.Flush(ctx)
}

// Days implements [usageplan.Store].
func (s *Store) Days(ctx context.Context, c usageplan.Counter) (usageplan.Count, []int64, error) {
	return s.counts.Days(ctx, c)
}

// Touch implements [usageplan.Store]. It is written with the counts.
func (s *Store) Touch(_ context.Context, key string, at time.Time) error {
	if err := s.err(); err != nil {
		return err
	}
	s.using.Lock()
	defer s.using.Unlock()
	s.used[key] = at
	return nil
}

// LastUsed implements [usageplan.Store].
func (s *Store) LastUsed(ctx context.Context, keys ...string) ([]time.Time, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	list := make([]time.Time, len(keys))
	err := s.view(func(tx *bbolt.Tx) error {
		for i, key := range keys {
			if v := tx.Bucket(usedBucket).Get([]byte(key)); len(v) == 8 {
				list[i] = time.Unix(int64(binary.BigEndian.Uint64(v)), 0).UTC()
			}
		}
		return nil
	})
	return list, err
}
