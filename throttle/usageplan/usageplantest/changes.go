package usageplantest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// list returns all changes after since, those of new records last, and fails if they aren't in
// order.
func list(t *testing.T, s usageplan.Store, table usageplan.Table, since int64, limit int) []usageplan.Change {
	t.Helper()
	return append(kind(t, s, usageplan.Span{Table: table, Since: since}, limit),
		kind(t, s, usageplan.Span{Table: table, New: true, Since: since}, limit)...)
}

// kind returns all changes of a kind, by pages.
func kind(t *testing.T, s usageplan.Store, span usageplan.Span, limit int) []usageplan.Change {
	t.Helper()
	since := span.Since
	var all []usageplan.Change
	for before := int64(0); ; {
		span.Before = before
		page, err := s.Changes(t.Context(), span, limit)
		noError(t, err)
		if len(page) > limit {
			t.Fatalf("limit %d: got %d", limit, len(page))
		}
		for _, c := range page {
			if before > 0 && c.Number >= before || c.Number <= since {
				t.Fatalf("change %d isn't between %d and %d", c.Number, since, before)
			}
			all, before = append(all, c), c.Number
		}
		if len(page) == 0 {
			return all
		}
	}
}

// told is a change without its number.
func told(list []usageplan.Change) (out []string) {
	for _, c := range list {
		out = append(out, fmt.Sprintf("%s %d %s", c.ID, c.Revision, c.Data))
	}
	return out
}

func changes(t *testing.T, s usageplan.Store) {
	ctx := t.Context()
	want := func(table usageplan.Table, since int64, want ...string) int64 {
		t.Helper()
		got := list(t, s, table, since, 100)
		if !slices.Equal(told(got), want) {
			t.Fatalf("%s since %d: got %q, want %q", table, since, told(got), want)
		}
		for _, c := range got {
			since = max(since, c.Number)
		}
		return since
	}
	want(usageplan.Keys, -1)
	want(usageplan.Keys, 0)
	noError(t, s.Put(ctx, usageplan.Keys, usageplan.Record{ID: "a", Data: []byte("one")}))
	first := want(usageplan.Keys, 0, "a 1 one")
	want(usageplan.Keys, -1, "a 1 one")
	if first < 1 {
		t.Fatalf("the first change is number %d", first)
	}
	noError(t, s.Put(ctx, usageplan.Keys, usageplan.Record{ID: "b", Data: []byte("x")}))
	noError(t, s.Put(ctx, usageplan.Plans, usageplan.Record{ID: "a", Data: []byte("plan")}))
	noError(t, s.Put(ctx, usageplan.Secrets, usageplan.Record{ID: "a", Data: []byte("secret")}))
	want(usageplan.Keys, first, "b 1 x")
	noError(t, s.Put(ctx, usageplan.Keys, usageplan.Record{ID: "a", Revision: 1, Data: []byte("two")}))
	second := want(usageplan.Keys, first, "a 2 two", "b 1 x")
	want(usageplan.Plans, 0, "a 1 plan")
	want(usageplan.Keys, second)

	// What isn't done is no change, and neither is counting.
	if err := s.Put(ctx, usageplan.Keys, usageplan.Record{ID: "a", Revision: 1,
		Data: []byte("stale")}); !errors.Is(err, usageplan.ErrConflict) {
		t.Fatal(err)
	}
	noError(t, s.Delete(ctx, usageplan.Keys, "nobody"))
	_, _, err := s.Reserve(ctx, counter("k"), today, 1, 1, 10)
	noError(t, err)
	noError(t, s.Touch(ctx, "a", time.Now()))
	want(usageplan.Keys, second)

	noError(t, s.Delete(ctx, usageplan.Keys, "a"))
	third := want(usageplan.Keys, second, "a 0 ")
	want(usageplan.Keys, 0, "a 0 ", "b 1 x")
	noError(t, s.Put(ctx, usageplan.Keys, usageplan.Record{ID: "a", Data: []byte("again")}))
	want(usageplan.Keys, third, "a 1 again")
	want(usageplan.Keys, 0, "a 1 again", "b 1 x")
	noError(t, s.Delete(ctx, usageplan.Keys, "b"))
	noError(t, s.Delete(ctx, usageplan.Keys, "a"))
	want(usageplan.Keys, third, "a 0 ", "b 0 ")
}

func changePages(t *testing.T, s usageplan.Store) {
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("k%02d", rand.N(1000)*25+i)
		noError(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: id, Data: []byte(id)}))
		want = append([]string{id + " 1 " + id}, want...)
	}
	for limit := 1; limit <= 27; limit++ {
		got := list(t, s, usageplan.Keys, 0, limit)
		if !slices.Equal(told(got), want) {
			t.Fatalf("limit %d: got %q, want %q", limit, told(got), want)
		}
		if again := list(t, s, usageplan.Keys, got[limit%25].Number, limit); len(again) != limit%25 {
			t.Fatalf("limit %d: got %q", limit, told(again))
		}
	}
}

func forgotten(t *testing.T, s usageplan.Store) {
	if _, err := s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys, Since: 17}, 10); !errors.Is(err,
		usageplan.ErrForgotten) {
		t.Fatalf("an empty store was never at 17: %v, want ErrForgotten", err)
	}
	noError(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: "a"}))
	last := list(t, s, usageplan.Keys, 0, 10)[0].Number
	if _, err := s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys, New: true, Since: last + 1},
		10); !errors.Is(err, usageplan.ErrForgotten) {
		t.Fatalf("it was never at %d: %v, want ErrForgotten", last+1, err)
	}
}

// racedChanges follows a store that many write to: whoever reads what comes after the latest change
// that they have seen has all in the end.
func racedChanges(t *testing.T, s usageplan.Store) {
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 7))
			for range 30 {
				id := fmt.Sprint("k", rnd.IntN(8))
				if t.Failed() {
					return
				}
				r, err := s.Get(t.Context(), usageplan.Keys, id)
				switch {
				case err != nil && !errors.Is(err, usageplan.ErrNotFound):
				case err == nil && rnd.IntN(3) == 0:
					err = s.Delete(t.Context(), usageplan.Keys, id)
				default:
					err = s.Put(t.Context(), usageplan.Keys,
						usageplan.Record{ID: id, Revision: r.Revision, Data: fmt.Append(nil, w, rnd.Int64())})
				}
				if err != nil && !errors.Is(err, usageplan.ErrNotFound) && !errors.Is(err, usageplan.ErrConflict) {
					t.Error(err)
				}
			}
		})
	}
	var written atomic.Bool
	go func() { writing.Wait(); written.Store(true) }()
	known, since := map[string]string{}, [2]int64{} // others, and new ones
	for last := false; !last; {
		last = written.Load()
		for new := range since {
			read := kind(t, s, usageplan.Span{Table: usageplan.Keys, New: new == 1, Since: since[new]}, 5)
			for _, c := range slices.Backward(read) {
				if since[new] = c.Number; c.Revision == 0 {
					delete(known, c.ID)
				} else {
					known[c.ID] = string(c.Data)
				}
			}
		}
	}
	all, err := s.List(t.Context(), usageplan.Keys, "", 100)
	noError(t, err)
	for _, r := range all {
		if known[r.ID] != string(r.Data) {
			t.Errorf("%s: have %q, want %q", r.ID, known[r.ID], r.Data)
		}
		delete(known, r.ID)
	}
	if len(known) > 0 {
		t.Errorf("have %v, which are gone", known)
	}
}

// counted counts the records that are read from a store.
type counted struct {
	usageplan.Store
	records atomic.Int64
}

func (c *counted) Changes(ctx context.Context, span usageplan.Span, limit int) ([]usageplan.Change, error) {
	list, err := c.Store.Changes(ctx, span, limit)
	c.records.Add(int64(len(list)))
	return list, err
}

func (c *counted) List(ctx context.Context, t usageplan.Table, after string, limit int) ([]usageplan.Record, error) {
	list, err := c.Store.List(ctx, t, after, limit)
	c.records.Add(int64(len(list)))
	return list, err
}

// machine is a process with the store. admits reports whether a request with a key's value gets in
// there.
func machine(
	ctx context.Context, t *testing.T, c usageplan.RegistryConfig,
) (g *usageplan.Registry, admits func(value string) bool) {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	g, err := usageplan.NewRegistry(ctx, c)
	noError(t, err)
	l, err := usageplan.New(usageplan.Config{Registry: g})
	noError(t, err)
	return g, func(value string) bool {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Api-Key", value)
		_, err := l.Check(r)
		return err == nil
	}
}

func createPlan(ctx context.Context, t *testing.T, g *usageplan.Registry) {
	t.Helper()
	stages := []usageplan.APIStage{{APIID: "*", Stage: "*"}}
	_, err := g.CreatePlan(ctx, usageplan.Plan{ID: "p", Name: "p", APIStages: stages})
	noError(t, err)
}

// createKey makes a key that is in the plan, and returns its value.
func createKey(ctx context.Context, t *testing.T, g *usageplan.Registry, id string) string {
	t.Helper()
	_, value, err := g.CreateKey(ctx, usageplan.NewKey{ID: id, Enabled: true})
	noError(t, err)
	noError(t, g.AddKey(ctx, "p", id))
	return value
}

// until waits for an event, a minute at the most, and returns how long it took.
func until(t *testing.T, what string, happened func() bool) time.Duration {
	t.Helper()
	from := time.Now()
	for ; !happened(); time.Sleep(time.Millisecond) {
		if time.Since(from) > time.Minute {
			t.Fatalf("after a minute, still not: %s", what)
		}
	}
	return time.Since(from)
}

// revocation has two machines with one store: a key that is disabled, deleted or rotated on one is
// refused on the other, which reads no more for it than what has changed.
func revocation(t *testing.T, s usageplan.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	here, _ := machine(ctx, t, usageplan.RegistryConfig{Store: s})
	createPlan(ctx, t, here)
	values := map[string]string{}
	for _, id := range strings.Fields("disabled deleted rotated removed kept a b c d e f g") {
		values[id] = createKey(ctx, t, here, id)
	}
	c := &counted{Store: s}
	_, admits := machine(ctx, t, usageplan.RegistryConfig{Store: c, Refresh: 20 * time.Millisecond})
	admitted := func(id string) bool { return admits(values[id]) }
	for id := range values {
		if !admitted(id) {
			t.Fatalf("%s: refused on a machine that has just started", id)
		}
	}
	c.records.Store(0)
	off := false
	_, err := here.UpdateKey(ctx, "disabled", usageplan.KeyChange{Enabled: &off})
	noError(t, err)
	noError(t, here.DeleteKey(ctx, "deleted"))
	_, _, err = here.RotateKey(ctx, "rotated", time.Nanosecond)
	noError(t, err)
	noError(t, here.RemoveKey(ctx, "p", "removed"))
	values["new"] = createKey(ctx, t, here, "new")
	// The test waits for the event, however slow the machine is; what it took shows in the count.
	for _, id := range []string{"disabled", "deleted", "rotated", "removed"} {
		until(t, id+" is refused elsewhere", func() bool { return !admitted(id) })
	}
	until(t, "a new key is admitted elsewhere", func() bool { return admitted("new") })
	if !admitted("kept") {
		t.Fatal("a key that nothing happened to is refused")
	}
	// Each of the seven changes may be read by itself, or twice where it falls on a page's edge.
	if n := c.records.Load(); n > 2*7 {
		t.Fatalf("%d records were read for seven changes", n)
	}
}
