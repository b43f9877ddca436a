// Package usageplantest has the test suite that a [usageplan.Store] must pass.
package usageplantest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Run tests a kind of store. open returns an empty one, and has it closed when t ends.
func Run(t *testing.T, open func(t *testing.T) usageplan.Store) {
	for name, test := range map[string]func(*testing.T, usageplan.Store){
		"records":                records,
		"records-are-copies":     copies,
		"records-in-order":       order,
		"records-raced":          racedRecords,
		"changes":                changes,
		"changes-in-pages":       changePages,
		"changes-forgotten":      forgotten,
		"changes-raced":          racedChanges,
		"revocation":             revocation,
		"reserve":                reserve,
		"reserve-leases":         leases,
		"extra-units":            extra,
		"add":                    add,
		"days":                   days,
		"counters-are-separate":  separate,
		"reserve-raced":          raced,
		"agrees-with-arithmetic": walk,
		"last-used":              lastUsed,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// today is a day in a period of September 2026.
var (
	from  = usageplan.DateOf(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))
	to    = from + 30
	today = from + 12
)

func counter(key string) usageplan.Counter {
	return usageplan.Counter{Plan: "p1", Key: key, From: from, To: to}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func records(t *testing.T, s usageplan.Store) {
	ctx := t.Context()
	for _, table := range []usageplan.Table{usageplan.Keys, usageplan.Secrets, usageplan.Plans} {
		if _, err := s.Get(ctx, table, "a"); !errors.Is(err, usageplan.ErrNotFound) {
			t.Fatalf("%s: Get of what isn't there: %v, want ErrNotFound", table, err)
		}
		if err := s.Put(ctx, table, usageplan.Record{ID: "a", Revision: 1, Data: []byte("x")}); !errors.Is(err,
			usageplan.ErrConflict) {
			t.Fatalf("%s: Put over what isn't there: %v, want ErrConflict", table, err)
		}
		noError(t, s.Put(ctx, table, usageplan.Record{ID: "a", Data: []byte("one " + table)}))
		if err := s.Put(ctx, table, usageplan.Record{ID: "a", Data: []byte("again")}); !errors.Is(err,
			usageplan.ErrConflict) {
			t.Fatalf("%s: a second new record: %v, want ErrConflict", table, err)
		}
		noError(t, s.Put(ctx, table, usageplan.Record{ID: "a", Revision: 1, Data: []byte("two " + table)}))
		got, err := s.Get(ctx, table, "a")
		noError(t, err)
		if got.ID != "a" || got.Revision != 2 || string(got.Data) != "two "+string(table) {
			t.Fatalf("%s: got %+v", table, got)
		}
	}
	for _, table := range []usageplan.Table{usageplan.Keys, usageplan.Secrets, usageplan.Plans} {
		noError(t, s.Delete(ctx, table, "a"))
		noError(t, s.Delete(ctx, table, "a"))
		if _, err := s.Get(ctx, table, "a"); !errors.Is(err, usageplan.ErrNotFound) {
			t.Fatalf("%s: Get of what was deleted: %v, want ErrNotFound", table, err)
		}
		noError(t, s.Put(ctx, table, usageplan.Record{ID: "a", Data: []byte("new")}))
	}
	large := bytes.Repeat([]byte{0, 0xff, '\n'}, 1<<20/3)
	noError(t, s.Put(ctx, usageplan.Keys, usageplan.Record{ID: strings.Repeat("x", 128), Data: large}))
	got, err := s.Get(ctx, usageplan.Keys, strings.Repeat("x", 128))
	noError(t, err)
	if !bytes.Equal(got.Data, large) {
		t.Fatal("1 MiB came back changed")
	}
}

func copies(t *testing.T, s usageplan.Store) {
	data := []byte("one")
	noError(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: "a", Data: data}))
	data[0] = 'X'
	got, err := s.Get(t.Context(), usageplan.Keys, "a")
	noError(t, err)
	if string(got.Data) != "one" {
		t.Fatalf("the store kept the caller's bytes: %s", got.Data)
	}
}

func order(t *testing.T, s usageplan.Store) {
	ctx := t.Context()
	ids := []string{"-", "0", "A", "B", "_", "a", "aa", "ab", "b", "z9"}
	for _, i := range rand.Perm(len(ids)) {
		noError(t, s.Put(ctx, usageplan.Keys, usageplan.Record{ID: ids[i], Data: []byte(ids[i])}))
	}
	noError(t, s.Put(ctx, usageplan.Plans, usageplan.Record{ID: "other", Data: []byte("x")}))
	for limit := 1; limit <= len(ids)+1; limit++ {
		var got []string
		for after := ""; ; {
			page, err := s.List(ctx, usageplan.Keys, after, limit)
			noError(t, err)
			if len(page) > limit {
				t.Fatalf("limit %d: got %d", limit, len(page))
			}
			for _, r := range page {
				if r.Revision != 1 || string(r.Data) != r.ID {
					t.Fatalf("got %+v", r)
				}
				got, after = append(got, r.ID), r.ID
			}
			if len(page) < limit {
				break
			}
		}
		if !slices.Equal(got, ids) {
			t.Fatalf("limit %d: got %q, want %q", limit, got, ids)
		}
	}
	if page, err := s.List(ctx, usageplan.Keys, "aaa", 2); err != nil || len(page) != 2 || page[0].ID != "ab" {
		t.Fatalf("after an ID that isn't there: %v %v", page, err)
	}
}

func racedRecords(t *testing.T, s usageplan.Store) {
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			err := s.Put(t.Context(), usageplan.Secrets, usageplan.Record{ID: "digest", Data: []byte{byte(i)}})
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, usageplan.ErrConflict) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d made one record", won.Load())
	}
}

func lastUsed(t *testing.T, s usageplan.Store) {
	ctx := t.Context()
	at := time.Date(2026, 9, 13, 12, 0, 0, 0, time.UTC)
	for i := range 3 {
		id := fmt.Sprint("k", i)
		noError(t, s.Put(ctx, usageplan.Keys, usageplan.Record{ID: id}))
		if i > 0 {
			noError(t, s.Touch(ctx, id, at))
			noError(t, s.Touch(ctx, id, at.Add(time.Duration(i)*time.Hour)))
		}
	}
	got, err := s.LastUsed(ctx, "k2", "k0", "k1", "nobody")
	noError(t, err)
	if len(got) != 4 || !got[0].Equal(at.Add(2*time.Hour)) || !got[1].IsZero() || !got[2].Equal(at.Add(time.Hour)) ||
		!got[3].IsZero() {
		t.Fatalf("got %v", got)
	}
	noError(t, s.Delete(ctx, usageplan.Keys, "k2"))
	noError(t, s.Put(ctx, usageplan.Keys, usageplan.Record{ID: "k2"}))
	if got, err := s.LastUsed(ctx, "k2"); err != nil || !got[0].IsZero() {
		t.Fatalf("a new key was used at %v, %v", got, err)
	}
	if got, err := s.LastUsed(ctx); err != nil || len(got) != 0 {
		t.Fatalf("of no keys: %v, %v", got, err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = s.LastUsed(canceled, "k1") // may fail, and doesn't hang
}
