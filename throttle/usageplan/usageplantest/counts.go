package usageplantest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

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
		if granted, _, err := s.Reserve(t.Context(), counter("unlimited"), today, 7, 7, -1); err != nil ||
			granted != 7 {
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
	for _, step := range []struct{ units, want int64 }{{3, 3}, {-1, 2}, {-5, 0}, {1 << 40, 1 << 40},
		{-(1 << 40) + 4, 4}, {0, 4}} {
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
		{Plan: "p1", Key: "k1", From: from, To: to}, {Plan: "p1", Key: "k2", From: from, To: to},
		{Plan: "p2", Key: "k1", From: from, To: to},
		{Plan: "p1", Key: "k1", From: to, To: to + 31}, {Plan: "p1", Key: "k1", From: from, To: from + 1},
		{Plan: "p1k", Key: "1", From: from, To: to},
		{Plan: "p1-k", Key: "1", From: from, To: to}, {Plan: "p1", Key: "-k1", From: from, To: to},
		{Plan: "p1-", Key: "k1", From: from, To: to},
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
