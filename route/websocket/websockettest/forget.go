package websockettest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// end ends a connection as an API does: it is no more among the records when it is removed.
func (m *machine) end(t *testing.T, id string) bool {
	t.Helper()
	m.mu.Lock()
	m.records = slices.DeleteFunc(m.records, func(r websocket.Record) bool { return r.ID == id })
	m.mu.Unlock()
	removed, err := m.Remove(t.Context(), id)
	must(t, err)
	return removed
}

// enter is Enter, as an API remembers it.
func (m *machine) enter(t *testing.T, group string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		must(t, m.Enter(t.Context(), group, id))
		m.mu.Lock()
		at := slices.IndexFunc(m.records, func(r websocket.Record) bool { return r.ID == id })
		m.records[at].Groups = append(m.records[at].Groups, group)
		m.mu.Unlock()
	}
}

// testForget has a store lose its memory. What it says from then on is true or ErrUnavailable, and
// in the end it knows all again.
func testForget(t *testing.T, s Store) {
	if s.Forget == nil {
		return // such a store has nothing to hold
	}
	a, b := join(t, s, scope, "a"), join(t, s, scope, "b")
	a.add(t, "one", "ended", "later")
	b.add(t, "three")
	a.enter(t, "room", "one", "ended", "later")
	b.enter(t, "room", "three")
	b.enter(t, "other", "three")
	s.Forget()

	// Of a connection that ends now it is as if its record were there: somebody has to run
	// $disconnect.
	same(t, "removed", a.end(t, "ended"), true)
	again, err := a.Remove(t.Context(), "ended")
	must(t, err)
	same(t, "removed again", again, false)

	slack := 2*s.Lease + s.Margin + 10*time.Second
	eventually(t, "the store knows all again", slack, func() bool {
		for _, m := range []*machine{a, b} {
			if err := m.Enter(t.Context(), "entered", m.records[0].ID); errors.Is(err, websocket.ErrGone) {
				t.Fatal("Enter of a connection that is there: got ErrGone")
			}
		}
		if found := a.find("three"); found != "live b;" && found != "unknown ;" && found != "error" {
			t.Fatalf("a connection that is there: found %s", found)
		}
		read, size := whole(t, b), counted(t, a)
		return read && size && a.find("three", "nobody") == "live b;gone ;"
	})
	same(t, "removed after", a.end(t, "later"), true)
	same(t, "all", b.group(t, "room"), "[one@a three@b]")
	same(t, "its other group", a.group(t, "other"), "[three@b]")
	unknown, err := a.Remove(t.Context(), "nobody")
	must(t, err)
	same(t, "removed of nobody", unknown, false)
	for _, m := range []*machine{a, b} {
		fenced, orphans := m.told()
		same(t, "fenced", fenced, 0)
		same(t, "orphans", len(orphans), 0)
	}
}

// whole reports whether the room is yielded, and holds it against what it must be.
func whole(t *testing.T, m *machine) bool {
	t.Helper()
	var ids []string
	for e, err := range m.Group(t.Context(), "room") {
		if err != nil {
			unavailable(t, err)
			return false
		}
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	same(t, "the room", fmt.Sprint(ids), "[later one three]")
	return true
}

func counted(t *testing.T, m *machine) bool {
	t.Helper()
	n, err := m.Count(t.Context(), "room")
	if err != nil {
		unavailable(t, err)
		return false
	}
	same(t, "how many are in the room", n, 3)
	return true
}

func unavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, websocket.ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
}
