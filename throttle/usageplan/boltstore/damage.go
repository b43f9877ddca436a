package boltstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// ErrDamaged is what Open, and later any call, returns of a file that can't be read or trusted: a
// disk that lies, or a copy that was cut off. Stop the program, keep a copy of the file, and go on
// with a backup, or with what [Recover] can read of it.
var ErrDamaged = errors.New(
	"boltstore: the file is damaged (keep a copy, and restore a backup or see boltstore.Recover)",
)

// view and update are bbolt's, but for a file that turns out to be damaged: bbolt panics then, and
// what is read of its mapping may fault.
func (s *Store) view(f func(*bbolt.Tx) error) error   { return s.guard(s.db.View, f) }
func (s *Store) update(f func(*bbolt.Tx) error) error { return s.guard(s.db.Update, f) }

func (s *Store) guard(run func(func(*bbolt.Tx) error) error, f func(*bbolt.Tx) error) error {
	if err := s.damaged.Load(); err != nil {
		return *err // bbolt may hold its locks for ever now
	}
	err := guard(func() error { return run(f) })
	if errors.Is(err, ErrDamaged) {
		s.damaged.CompareAndSwap(nil, &err)
	}
	return err
}

func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	if err = f(); errors.Is(err, errEncoding) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// openFile opens the file, once it was looked through.
func openFile(path string) (db *bbolt.DB, err error) {
	release, err := hold(path)
	if err != nil {
		return nil, err
	}
	err = checkFile(path)
	release()
	if err != nil {
		return nil, err
	}
	err = guard(func() error {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType})
		return err
	})
	return db, explain(path, err)
}

// hold keeps writers from the file until release is called.
func hold(path string) (release func(), err error) {
	if info, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		return func() {}, nil // bbolt makes it
	}
	var db *bbolt.DB
	err = guard(func() error {
		// Of a file that is read only, nothing but the headers is looked at.
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
		return err
	})
	if err != nil {
		return nil, explain(path, err)
	}
	return func() { _ = db.Close() }, nil
}

// explain says what is to be done about an error of bbolt.Open.
func explain(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("boltstore: open %s: %v (another process may have it)", path, err)
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("boltstore: open %s: %w", path, err)
	case errors.As(err, new(*os.PathError)):
		return fmt.Errorf("boltstore: open %s: %w", path, err)
	}
	return fmt.Errorf("boltstore: open %s: %w: %v", path, ErrDamaged, err)
}

func checkFile(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("boltstore: open: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("boltstore: open: %w", err)
	}
	if info.Size() == 0 {
		return nil
	}
	if err := check(file, info.Size()); err != nil {
		return fmt.Errorf("boltstore: open %s: %w: %v", path, ErrDamaged, err)
	}
	return nil
}

const closeTimeout = 100 * time.Millisecond

// close closes the file. Of one that is damaged bbolt may hold the locks, and closing wouldn't end:
// it has a moment for it.
func (s *Store) close() error {
	if s.damaged.Load() == nil {
		return guard(s.db.Close)
	}
	closed := make(chan error, 1)
	go func() { closed <- guard(s.db.Close) }()
	select {
	case err := <-closed:
		return err
	case <-time.After(closeTimeout):
		return *s.damaged.Load()
	}
}

// Recovery is what [Recover] could read.
type Recovery struct {
	// Keys, Plans and Counts are how many of each were recovered.
	Keys, Plans, Counts int
	// Lost says what couldn't be read, up to a thousand places.
	Lost []string
}

const maxLost = 1000

// Recover writes what is readable of the file src, which may be damaged, into a new file dst. No
// process may have src open, and dst mustn't be there. A key that is lost is refused from then on,
// and a count that is lost begins again at 0. Nothing is taken from pages that the file doesn't use
// any more, as they may have keys that were disabled or deleted since. The error says that nothing
// could be read or written.
func Recover(src, dst string) (r Recovery, err error) {
	if _, err := os.Lstat(dst); err == nil {
		return r, fmt.Errorf("boltstore: Recover: %s is there already", dst)
	}
	release, err := hold(src)
	if err == nil {
		defer release()
	} else if !errors.Is(err, ErrDamaged) {
		return r, err
	}
	file, err := os.Open(src)
	if err != nil {
		return r, fmt.Errorf("boltstore: Recover: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return r, fmt.Errorf("boltstore: Recover: %w", err)
	}
	m, err := newImage(file, info.Size(), func(err error) error {
		if len(r.Lost) < maxLost {
			r.Lost = append(r.Lost, err.Error())
		}
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("boltstore: Recover %s: nothing is readable: %w: %v", src, ErrDamaged, err)
	}
	s, err := Open(context.Background(), dst, Config{FlushEvery: time.Minute})
	if err != nil {
		return r, err
	}
	return r, errors.Join(s.fill(m, &r), s.Close())
}

// fill writes what an image has.
func (s *Store) fill(m *image, r *Recovery) error {
	return m.tree(m.root, func(b entry) error {
		t := usageplan.Table(b.key)
		switch {
		case !b.bucket:
			return nil
		case tables[t].records != nil:
			n, err := s.fillTable(m, t, b.value)
			switch t {
			case usageplan.Keys:
				r.Keys = n
			case usageplan.Plans:
				r.Plans = n
			}
			return err
		case string(b.key) == string(countBucket):
			return s.fillBucket(m, countBucket, b.value, &r.Counts, func(k, v []byte) error {
				_, err := decodeEntry(k, v)
				return err
			})
		case string(b.key) == string(usedBucket):
			var n int
			return s.fillBucket(m, usedBucket, b.value, &n, func(_, v []byte) error {
				if len(v) != 8 {
					return errEncoding
				}
				return nil
			})
		}
		return nil // of changes and deletions nobody is left who has seen the earlier ones
	})
}

// fillTable writes a table's records, as changes that are new.
func (s *Store) fillTable(m *image, t usageplan.Table, bucket []byte) (n int, err error) {
	var list []usageplan.Record
	flush := func() error {
		n += len(list)
		err := s.update(func(tx *bbolt.Tx) error {
			for _, r := range list {
				if err := write(tx, t, r, 0); err != nil {
					return err
				}
			}
			return nil
		})
		list = list[:0]
		return err
	}
	err = m.bucket(bucket, func(e entry) error {
		r, _, err := decodeRecord(e.key, e.value)
		if err != nil || e.bucket || len(e.key) == 0 || r.Revision < 1 {
			return m.lost(fmt.Errorf("a record of %s isn't one", t))
		}
		if list = append(list, r); len(list) < 1000 {
			return nil
		}
		return flush()
	})
	return n, errors.Join(err, flush())
}

// fillBucket writes those of a bucket's entries that are good.
func (s *Store) fillBucket(m *image, name, bucket []byte, n *int, good func(k, v []byte) error) error {
	var list []entry
	err := m.bucket(bucket, func(e entry) error {
		if e.bucket || len(e.key) == 0 || good(e.key, e.value) != nil {
			return m.lost(fmt.Errorf("an entry of %s isn't one", name))
		}
		list = append(list, e)
		return nil
	})
	if err != nil {
		return err
	}
	*n = len(list)
	return s.update(func(tx *bbolt.Tx) error {
		for _, e := range list {
			if err := tx.Bucket(name).Put(e.key, e.value); err != nil {
				return err
			}
		}
		return nil
	})
}
