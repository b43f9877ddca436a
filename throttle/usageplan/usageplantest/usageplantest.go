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
		if err := s.Put(ctx, table, usageplan.Record{ID: "a", Revision: 1, Data: []byte("x")}); !errors.Is(err, usageplan.ErrConflict) {
			t.Fatalf("%s: Put over what isn't there: %v, want ErrConflict", table, err)
		}
		noError(t, s.Put(ctx, table, usageplan.Record{ID: "a", Data: []byte("one " + table)}))
		if err := s.Put(ctx, table, usageplan.Record{ID: "a", Data: []byte("again")}); !errors.Is(err, usageplan.ErrConflict) {
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

func reserve(t *testing.T, s usageplan.Store) {
	for i := range int64(5) {
		granted, now, err := s.Reserve(t.Context(), counter("k"), today, 1, 1, 3)
		noError(t, err)
		if want := min(i+1, 3); granted != want-min(i, 3) || now.Used != want {
			t.Fatalf("request %d of 3: granted %d, used %d", i, granted, now.Used)
		}
	}
	granted, _, err := s.Reserve(t.Context(), counter("none"), today, 1, 1, 0)
	noError(t, err)
	if granted != 0 {
		t.Fatal("a limit of 0 let a unit through")
	}
	for range 5 {
		if granted, _, err := s.Reserve(t.Context(), counter("unlimited"), today, 7, 7, -1); err != nil || granted != 7 {
			t.Fatalf("without a limit: granted %d, %v", granted, err)
		}
	}
	if now, _, err := s.Days(t.Context(), counter("unlimited")); err != nil || now.Used != 35 {
		t.Fatalf("used %+v, %v", now, err)
	}
}

func leases(t *testing.T, s usageplan.Store) {
	for i, want := range []int64{40, 40, 20, 0} {
		granted, now, err := s.Reserve(t.Context(), counter("k"), today, 1, 40, 100)
		noError(t, err)
		if granted != want {
			t.Fatalf("lease %d: granted %d, want %d (%+v)", i, granted, want, now)
		}
	}
	granted, _, err := s.Reserve(t.Context(), counter("l"), today, 11, 40, 10)
	noError(t, err)
	if granted != 0 {
		t.Fatalf("granted %d, fewer than at least 11 and more than none", granted)
	}
}

func extra(t *testing.T, s usageplan.Store) {
	ctx := t.Context()
	take := func(want int64) {
		t.Helper()
		granted, _, err := s.Reserve(ctx, counter("k"), today, 1, 100, 10)
		noError(t, err)
		if granted != want {
			t.Fatalf("granted %d, want %d", granted, want)
		}
	}
	noError(t, s.SetExtra(ctx, counter("k"), 5)) // of a counter that has counted nothing
	take(15)
	noError(t, s.SetExtra(ctx, counter("k"), 8))
	take(3)
	noError(t, s.SetExtra(ctx, counter("k"), -100))
	take(0)
	now, _, err := s.Days(ctx, counter("k"))
	noError(t, err)
	if now != (usageplan.Count{Used: 18, Extra: -100}) {
		t.Fatalf("got %+v", now)
	}
}

func add(t *testing.T, s usageplan.Store) {
	ctx := t.Context()
	for _, step := range []struct{ units, want int64 }{{3, 3}, {-1, 2}, {-5, 0}, {1 << 40, 1 << 40}, {-(1 << 40) + 4, 4}, {0, 4}} {
		now, err := s.Add(ctx, counter("k"), today, step.units)
		noError(t, err)
		if now.Used != step.want {
			t.Fatalf("%+d: used %d, want %d", step.units, now.Used, step.want)
		}
	}
	if granted, _, err := s.Reserve(ctx, counter("k"), today, 1, 1, 4); err != nil || granted != 0 {
		t.Fatalf("granted %d, %v", granted, err)
	}
}

func days(t *testing.T, s usageplan.Store) {
	ctx := t.Context()
	_, empty, err := s.Days(ctx, counter("k"))
	noError(t, err)
	if len(empty) != 30 || slices.Max(empty) != 0 {
		t.Fatalf("a counter that has counted nothing: %v", empty)
	}
	for i := range 30 {
		_, _, err := s.Reserve(ctx, counter("k"), from+usageplan.Date(i), 1, int64(i), -1)
		noError(t, err)
	}
	_, err = s.Add(ctx, counter("k"), from+29, -9)
	noError(t, err)
	_, err = s.Add(ctx, counter("k"), to+5, 2) // settled long after: it counts, on no day of the period
	noError(t, err)
	now, by, err := s.Days(ctx, counter("k"))
	noError(t, err)
	if len(by) != 30 || by[0] != 0 || by[12] != 12 || by[29] != 20 || now.Used != 29*30/2-9+2 {
		t.Fatalf("got %+v, %v", now, by)
	}
}

func separate(t *testing.T, s usageplan.Store) {
	all := []usageplan.Counter{
		{Plan: "p1", Key: "k1", From: from, To: to}, {Plan: "p1", Key: "k2", From: from, To: to}, {Plan: "p2", Key: "k1", From: from, To: to},
		{Plan: "p1", Key: "k1", From: to, To: to + 31}, {Plan: "p1", Key: "k1", From: from, To: from + 1}, {Plan: "p1k", Key: "1", From: from, To: to},
		{Plan: "p1-k", Key: "1", From: from, To: to}, {Plan: "p1", Key: "-k1", From: from, To: to}, {Plan: "p1-", Key: "k1", From: from, To: to},
	}
	for i, c := range all {
		_, err := s.Add(t.Context(), c, c.From, int64(i+1))
		noError(t, err)
	}
	for i, c := range all {
		now, _, err := s.Days(t.Context(), c)
		noError(t, err)
		if now.Used != int64(i+1) {
			t.Fatalf("%+v: got %d, want %d", c, now.Used, i+1)
		}
	}
}

// raced lets many goroutines ask for units of all sizes: all that is granted, less what is given
// back, is what is counted, and never above the limit.
func raced(t *testing.T, s usageplan.Store) {
	const limit = 500
	var granted atomic.Int64
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 1))
			for range 60 {
				n, now, err := s.Reserve(t.Context(), counter("k"), today, 1, rnd.Int64N(5)+1, limit)
				if err != nil {
					t.Error(err)
					return
				}
				if now.Used > limit {
					t.Errorf("used %d of %d", now.Used, limit)
				}
				granted.Add(n)
				if n > 0 && rnd.IntN(4) == 0 {
					if _, err := s.Add(t.Context(), counter("k"), today, -n); err != nil {
						t.Error(err)
						return
					}
					granted.Add(-n)
				}
			}
		})
	}
	all.Wait()
	now, by, err := s.Days(t.Context(), counter("k"))
	noError(t, err)
	if now.Used != granted.Load() || by[12] != now.Used || now.Used > limit {
		t.Fatalf("granted %d, counted %d, on the day %d, of %d", granted.Load(), now.Used, by[12], limit)
	}
}

// walk compares a random walk with the obvious arithmetic.
func walk(t *testing.T, s usageplan.Store) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var used, extra int64
	var by [30]int64
	for step := range 300 {
		on := rnd.IntN(30)
		switch op := rnd.IntN(10); {
		case op < 6:
			atLeast := rnd.Int64N(4) + 1
			atMost, limit := atLeast+rnd.Int64N(10), rnd.Int64N(200)-1
			want := atMost
			if limit >= 0 {
				want = min(want, limit+extra-used)
			}
			if want < atLeast {
				want = 0
			}
			got, now, err := s.Reserve(t.Context(), counter("k"), from+usageplan.Date(on), atLeast, atMost, limit)
			noError(t, err)
			used, by[on] = used+want, by[on]+want
			if got != want || now != (usageplan.Count{Used: used, Extra: extra}) {
				t.Fatalf("step %d: granted %d, want %d; %+v, want %d and %d", step, got, want, now, used, extra)
			}
		case op < 9:
			n := rnd.Int64N(20) - 12
			used, by[on] = max(used+n, 0), max(by[on]+n, 0)
			now, err := s.Add(t.Context(), counter("k"), from+usageplan.Date(on), n)
			noError(t, err)
			if now != (usageplan.Count{Used: used, Extra: extra}) {
				t.Fatalf("step %d: %+v, want %d and %d", step, now, used, extra)
			}
		default:
			extra = rnd.Int64N(100) - 50
			noError(t, s.SetExtra(t.Context(), counter("k"), extra))
		}
	}
	_, got, err := s.Days(t.Context(), counter("k"))
	noError(t, err)
	if !slices.Equal(got, by[:]) {
		t.Fatalf("got %v, want %v", got, by)
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
	if len(got) != 4 || !got[0].Equal(at.Add(2*time.Hour)) || !got[1].IsZero() || !got[2].Equal(at.Add(time.Hour)) || !got[3].IsZero() {
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
