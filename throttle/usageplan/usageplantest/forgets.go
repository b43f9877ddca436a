package usageplantest

import (
	"errors"
	"testing"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// Forgets tests an empty store that remembers three deletions at most: it forgets the oldest, says
// so with [usageplan.ErrForgotten], and counts none twice. A store that has a bound of its own is
// opened with that of three for it.
func Forgets(t *testing.T, s usageplan.Store) {
	t.Helper()
	comeAndGo := func(id string) {
		noError(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: id}))
		noError(t, s.Delete(t.Context(), usageplan.Keys, id))
	}
	for range 10 { // one that comes and goes is one
		comeAndGo("again")
	}
	changes := list(t, s, usageplan.Keys, 0, 100)
	if len(changes) != 1 {
		t.Fatalf("a key deleted ten times: got the changes %v, want one", told(changes))
	}
	first := changes[0].Number
	for _, id := range []string{"a", "b", "c"} {
		list(t, s, usageplan.Keys, 0, 100) // nothing is forgotten before the fourth
		comeAndGo(id)
	}
	_, err := s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys}, 100)
	if !errors.Is(err, usageplan.ErrForgotten) {
		t.Errorf("changes since a deletion that was forgotten: got %v, want ErrForgotten", err)
	}
	for _, since := range []int64{first, -1} {
		if changes = list(t, s, usageplan.Keys, since, 100); len(changes) != 3 || changes[0].ID != "c" {
			t.Errorf("changes since %d: got %v, want three, the last one, c, first", since, told(changes))
		}
	}
	noError(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: "again"}))
	if changes = kind(t, s, usageplan.Span{Table: usageplan.Keys, New: true, Since: first}, 100); len(changes) != 1 {
		t.Errorf("a forgotten key that has come again: got the new ones %v, want one", told(changes))
	}
}
