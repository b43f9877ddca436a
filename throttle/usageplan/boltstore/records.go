package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"go.etcd.io/bbolt"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// table is the buckets of a table: its records by their IDs; the ID of each one's last change by
// the change's number, in made where that is new (usageplan.Span.New), else in log; and the
// deletions that are remembered, both ways. The sequence of log is the number of the latest change,
// that of gone how many deletions are remembered, and that of graves the latest deletion that was
// forgotten.
type table struct{ records, log, made, gone, graves []byte }

var tables = map[usageplan.Table]table{
	usageplan.Keys:    tableOf(usageplan.Keys),
	usageplan.Secrets: tableOf(usageplan.Secrets),
	usageplan.Plans:   tableOf(usageplan.Plans),
}

func tableOf(t usageplan.Table) table {
	return table{[]byte(t), []byte("log of " + t), []byte("made of " + t), []byte("gone of " + t),
		[]byte("graves of " + t)}
}

// keptDeletions is how many deletions are remembered.
const keptDeletions = 10_000

// Get implements [usageplan.Store].
func (s *Store) Get(_ context.Context, t usageplan.Table, id string) (r usageplan.Record, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		v := tx.Bucket(tables[t].records).Get([]byte(id))
		if v == nil {
			return fmt.Errorf("%w: %s", usageplan.ErrNotFound, t)
		}
		r, _, err = decodeRecord([]byte(id), v)
		return err
	})
	return r, err
}

// Put implements [usageplan.Store].
func (s *Store) Put(_ context.Context, t usageplan.Table, r usageplan.Record) error {
	return s.update(func(tx *bbolt.Tx) error { return put(tx, t, r) })
}

func put(tx *bbolt.Tx, t usageplan.Table, r usageplan.Record) error {
	records, id := tx.Bucket(tables[t].records), []byte(r.ID)
	var have usageplan.Record
	var before uint64
	if v := records.Get(id); v != nil {
		var err error
		if have, before, err = decodeRecord(id, v); err != nil {
			return err
		}
	}
	if have.Revision != r.Revision {
		return fmt.Errorf("%w: %s", usageplan.ErrConflict, t)
	}
	if before == 0 {
		var err error
		if before, err = exhume(tx, t, id); err != nil {
			return err
		}
	}
	r.Revision++
	return write(tx, t, r, before)
}

// write writes a record, and logs that as a change.
func write(tx *bbolt.Tx, t usageplan.Table, r usageplan.Record, before uint64) error {
	number, err := note(tx, t, []byte(r.ID), before)
	if err != nil {
		return err
	}
	return tx.Bucket(tables[t].records).Put([]byte(r.ID), encodeRecord(r, number))
}

// note logs a change of a record whose last one had the number before, 0 for none.
func note(tx *bbolt.Tx, t usageplan.Table, id []byte, before uint64) (number uint64, err error) {
	log, made := tx.Bucket(tables[t].log), tx.Bucket(tables[t].made)
	if number, err = log.NextSequence(); err != nil {
		return 0, err
	}
	if before == 0 {
		return number, made.Put(bigEndian(number), id)
	}
	if err := errors.Join(log.Delete(bigEndian(before)), made.Delete(bigEndian(before))); err != nil {
		return 0, err
	}
	return number, log.Put(bigEndian(number), id)
}

// exhume takes out that a record was deleted, and returns the number of that change, or 0.
func exhume(tx *bbolt.Tx, t usageplan.Table, id []byte) (number uint64, err error) {
	gone := tx.Bucket(tables[t].gone)
	v := gone.Get(id)
	if len(v) != 8 {
		return 0, nil
	}
	number = binary.BigEndian.Uint64(v)
	if err := tx.Bucket(tables[t].graves).Delete(bigEndian(number)); err != nil {
		return 0, err
	}
	if err := gone.SetSequence(gone.Sequence() - 1); err != nil {
		return 0, err
	}
	return number, gone.Delete(id)
}

// Delete implements [usageplan.Store].
func (s *Store) Delete(_ context.Context, t usageplan.Table, id string) error {
	if t == usageplan.Keys {
		s.using.Lock()
		delete(s.used, id)
		s.using.Unlock()
	}
	return s.update(func(tx *bbolt.Tx) error {
		if t == usageplan.Keys {
			if err := tx.Bucket(usedBucket).Delete([]byte(id)); err != nil {
				return err
			}
		}
		return bury(tx, t, []byte(id), s.kept)
	})
}

// bury deletes a record and remembers that, at the price of the oldest deletion.
func bury(tx *bbolt.Tx, t usageplan.Table, id []byte, kept uint64) error {
	b := tables[t]
	v := tx.Bucket(b.records).Get(id)
	if v == nil {
		return nil
	}
	_, before, err := decodeRecord(id, v)
	if err != nil {
		return err
	}
	number, err := note(tx, t, id, before)
	if err != nil {
		return err
	}
	if err := tx.Bucket(b.records).Delete(id); err != nil {
		return err
	}
	gone := tx.Bucket(b.gone)
	if _, err := gone.NextSequence(); err != nil {
		return err
	}
	if err := gone.Put(id, bigEndian(number)); err != nil {
		return err
	}
	graves := tx.Bucket(b.graves)
	if err := graves.Put(bigEndian(number), id); err != nil {
		return err
	}
	return forget(tx, t, kept)
}

// forget forgets the oldest deletions, as far as more are remembered than are to be.
func forget(tx *bbolt.Tx, t usageplan.Table, kept uint64) error {
	gone, graves := tx.Bucket(tables[t].gone), tx.Bucket(tables[t].graves)
	for gone.Sequence() > kept {
		k, id := graves.Cursor().First()
		if len(k) != 8 {
			return errEncoding
		}
		oldest := binary.BigEndian.Uint64(k)
		id = bytes.Clone(id)
		if _, err := exhume(tx, t, id); err != nil {
			return err
		}
		if err := tx.Bucket(tables[t].log).Delete(bigEndian(oldest)); err != nil {
			return err
		}
		if err := graves.SetSequence(oldest); err != nil {
			return err
		}
	}
	return nil
}

// List implements [usageplan.Store].
func (s *Store) List(
	_ context.Context, t usageplan.Table, after string, limit int,
) (list []usageplan.Record, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(tables[t].records).Cursor()
		for k, v := c.Seek([]byte(after)); k != nil && len(list) < limit; k, v = c.Next() {
			if string(k) == after {
				continue
			}
			r, _, err := decodeRecord(k, v)
			if err != nil {
				return err
			}
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

// Changes implements [usageplan.Store].
func (s *Store) Changes(_ context.Context, span usageplan.Span, limit int) (list []usageplan.Change, err error) {
	err = s.view(func(tx *bbolt.Tx) error {
		t, since, before := tables[span.Table], span.Since, span.Before
		log, records := tx.Bucket(t.log), tx.Bucket(t.records)
		// No deletion is new.
		if since > int64(log.Sequence()) || !span.New && 0 <= since && since < int64(tx.Bucket(t.graves).Sequence()) {
			return usageplan.ErrForgotten
		}
		if span.New {
			log = tx.Bucket(t.made)
		}
		if before <= 0 {
			before = math.MaxInt64
		}
		c := log.Cursor()
		var k, id []byte
		if at, _ := c.Seek(bigEndian(uint64(before))); at != nil {
			k, id = c.Prev()
		} else {
			k, id = c.Last()
		}
		for ; k != nil && len(list) < limit; k, id = c.Prev() {
			if len(k) != 8 {
				return errEncoding
			}
			number := int64(binary.BigEndian.Uint64(k))
			if number <= since {
				break
			}
			change := usageplan.Change{Number: number, Record: usageplan.Record{ID: string(id)}}
			if v := records.Get(id); v != nil {
				if change.Record, _, err = decodeRecord(id, v); err != nil {
					return err
				}
			}
			list = append(list, change)
		}
		return nil
	})
	return list, err
}

func bigEndian(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
