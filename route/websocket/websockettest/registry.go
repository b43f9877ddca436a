package websockettest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// Store is a registry and a transport on trial.
type Store struct {
	// New returns the registry and transport of one more machine on the same store: for a store in
	// one process the same ones each time.
	New func(t *testing.T) (websocket.Registry, websocket.Transport)
	// Lease is how long a node that can't be reached keeps its connections, and Margin what is
	// added to it before others judge.
	Lease, Margin time.Duration
	// Sever cuts a node off from the store and from the others, and Mend connects it again.
	Sever, Mend func(scope, node string)
	// Forget empties the store, as one does that keeps nothing when it is started again. nil says
	// that this can't happen to it.
	Forget func()
}

// TestRegistry holds the registry and transport of open's store against what [websocket.Registry],
// [websocket.Member] and [websocket.Transport] promise. open is called once for each part. run runs
// a part: synctest.Test for a store within the process, so that no real time passes; nil runs it as
// it is.
func TestRegistry(
	t *testing.T, run func(*testing.T, func(*testing.T)), open func(t *testing.T) Store,
) {
	if run == nil {
		run = func(t *testing.T, part func(*testing.T)) { part(t) }
	}
	for _, part := range []struct {
		name string
		run  func(*testing.T, Store)
	}{
		{"add-find-remove", testFind},
		{"scopes-are-apart", testScopes},
		{"groups", testGroups},
		{"calls", testCalls},
		{"call-of-nobody", testNobody},
		{"calls-end-with-their-deadline", testDeadline},
		{"leave", testLeave},
		{"a-dead-node", testDeath},
		{"a-short-outage", testOutage},
		{"a-store-that-forgets", testForget},
		{"contexts-that-have-ended", testEnded},
	} {
		t.Run(part.name, func(t *testing.T) {
			run(t, func(t *testing.T) { part.run(t, open(t)) })
		})
	}
}

func testFind(t *testing.T, s Store) {
	a, b := join(t, s, scope, "a"), join(t, s, scope, "b")
	a.add(t, "one", "two=")
	b.add(t, "three")
	same(t, "found by b", b.find("one", "three", "four", "two="), "live a;live b;gone ;live a;")
	same(t, "found by a", a.find("three"), "live b;")
	same(t, "found of nothing", a.find(), "")

	removed, err := b.Remove(t.Context(), "one")
	must(t, err)
	same(t, "removed by another than the owner", removed, false)
	for _, want := range []bool{true, false} {
		removed, err = a.Remove(t.Context(), "one")
		must(t, err)
		same(t, "removed", removed, want)
	}
	same(t, "found after", b.find("one", "two="), "gone ;live a;")

	// Of many that remove at once one has removed.
	var wg sync.WaitGroup
	var mu sync.Mutex
	times := 0
	for range 8 {
		wg.Go(func() {
			if removed, err := a.Remove(context.Background(), "two="); err == nil && removed {
				mu.Lock()
				times++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	same(t, "removals", times, 1)
}

func testScopes(t *testing.T, s Store) {
	prod, dev := join(t, s, scope, "a"), join(t, s, "a1b2c3d4e5/dev", "a")
	prod.add(t, "one")
	must(t, prod.Enter(t.Context(), "room", "one"))
	same(t, "found in another scope", dev.find("one"), "gone ;")
	same(t, "group of another scope", dev.group(t, "room"), "[]")
	removed, err := dev.Remove(t.Context(), "one")
	must(t, err)
	same(t, "removed from another scope", removed, false)
	dev.add(t, "one")
	same(t, "found in its own", dev.find("one"), "live a;")
}

func testGroups(t *testing.T, s Store) {
	a, b := join(t, s, scope, "a"), join(t, s, scope, "b")
	a.add(t, "one", "two")
	b.add(t, "three")
	const room = "room: café/1 *"
	for range 2 { // a second time it is so already
		must(t, a.Enter(t.Context(), room, "one"))
		must(t, a.Enter(t.Context(), room, "two"))
		must(t, b.Enter(t.Context(), room, "three"))
		must(t, a.Enter(t.Context(), "other", "one"))
	}
	same(t, "all", b.group(t, room), "[one@a three@b two@a]")
	if err := a.Enter(t.Context(), room, "nobody"); !errors.Is(err, websocket.ErrGone) {
		t.Errorf("Enter of nobody: got %v, want ErrGone", err)
	}
	for range 2 {
		must(t, a.Exit(t.Context(), room, "two"))
	}
	same(t, "after Exit", a.group(t, room), "[one@a three@b]")
	_, err := a.Remove(t.Context(), "one")
	must(t, err)
	same(t, "after Remove", a.group(t, room), "[three@b]")
	same(t, "its other group", a.group(t, "other"), "[]")

	// More than one page.
	for i := range 300 {
		id := fmt.Sprintf("m%03d", i)
		a.add(t, id)
		must(t, a.Enter(t.Context(), "many", id))
	}
	seen := map[string]bool{}
	for e, err := range b.Group(t.Context(), "many") {
		must(t, err)
		if seen[e.ID] {
			t.Errorf("%s: yielded twice", e.ID)
		}
		seen[e.ID] = true
	}
	same(t, "many", len(seen), 300)
	for range b.Group(t.Context(), "many") {
		break // must not panic
	}
}

func testCalls(t *testing.T, s Store) {
	a, b := join(t, s, scope, "a"), join(t, s, scope, "b")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	at := time.Date(2024, 2, 19, 7, 11, 42, 34e6, time.UTC)
	b.mu.Lock()
	b.answer = func(ctx context.Context, c websocket.Call) websocket.Answer {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the call has no deadline")
		}
		return websocket.Answer{
			Results: []websocket.Result{websocket.ResultOK, websocket.ResultGone, websocket.ResultFull},
			Info:    &websocket.Info{ConnectedAt: at, SourceIP: "198.51.100.7", UserAgent: "ua/1"},
		}
	}
	b.mu.Unlock()
	sent := websocket.Call{
		Op: websocket.OpSend, IDs: []string{"1", "2=", "3"}, Type: websocket.Binary, Data: []byte("\x00\xff é"),
		Code: 4000, Reason: "why ü", Group: "room",
	}
	got, err := a.Call(ctx, scope, "b", sent)
	must(t, err)
	same(t, "results", fmt.Sprint(got.Results), fmt.Sprint([]websocket.Result{1, 2, 3}))
	if got.Info == nil || !got.Info.ConnectedAt.Equal(at) || got.Info.UserAgent != "ua/1" {
		t.Errorf("info: got %+v", got.Info)
	}
	b.mu.Lock()
	same(t, "the call", fmt.Sprintf("%+v", b.calls), fmt.Sprintf("%+v", []websocket.Call{sent}))
	b.calls, b.answer = nil, nil
	b.mu.Unlock()

	// The largest message, several calls at once, in both directions.
	large := websocket.Call{Op: websocket.OpSend, IDs: []string{"1"}, Data: make([]byte, 128<<10)}
	var wg sync.WaitGroup
	for range 20 {
		for _, d := range []struct {
			from *machine
			to   string
		}{{a, "b"}, {b, "a"}} {
			wg.Go(func() {
				if _, err := d.from.Call(ctx, scope, d.to, large); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	same(t, "calls", len(b.calls), 20)
	for _, c := range b.calls {
		same(t, "bytes", len(c.Data), len(large.Data))
	}
}

func testNobody(t *testing.T, s Store) {
	a := join(t, s, scope, "a")
	join(t, s, "other/prod", "b")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := a.Call(ctx, scope, "b", websocket.Call{Op: websocket.OpInfo, IDs: []string{"1"}}); err == nil {
		t.Error("a call of a node that isn't there: got no error")
	}
}

func testDeadline(t *testing.T, s Store) {
	a, b := join(t, s, scope, "a"), join(t, s, scope, "b")
	begun := make(chan struct{})
	b.mu.Lock()
	b.answer = func(ctx context.Context, c websocket.Call) websocket.Answer {
		close(begun)
		<-ctx.Done()
		return websocket.Answer{}
	}
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, _ = a.Call(ctx, scope, "b", websocket.Call{Op: websocket.OpSend, IDs: []string{"1"}})
	<-begun // and the call has ended: the deadline went along
	// By the clock: a client whose connection has the same deadline may notice before ctx does.
	if deadline, _ := ctx.Deadline(); time.Now().Before(deadline) {
		t.Error("the callee's context ended before the deadline")
	}
}

func testLeave(t *testing.T, s Store) {
	a, b := join(t, s, scope, "a"), join(t, s, scope, "b")
	a.add(t, "one")
	must(t, a.Enter(t.Context(), "room", "one"))
	must(t, a.Leave(t.Context()))
	must(t, a.Leave(t.Context()))
	same(t, "found", b.find("one"), "gone ;")
	same(t, "group", b.group(t, "room"), "[]")
	_, orphans := b.told()
	same(t, "orphans", len(orphans), 0)
	if err := a.Add(t.Context(), websocket.Record{ID: "two"}); err == nil {
		t.Error("Add after Leave: got no error")
	}
	again := join(t, s, scope, "a2") // a node that is started again has another ID
	again.add(t, "three")
	same(t, "found", b.find("three"), "live a2;")
}

func testDeath(t *testing.T, s Store) {
	a, b, c := join(t, s, scope, "a"), join(t, s, scope, "b"), join(t, s, scope, "c")
	a.add(t, "one", "two")
	b.add(t, "three")
	must(t, a.Enter(t.Context(), "room", "one"))
	must(t, b.Enter(t.Context(), "room", "three"))
	s.Sever(scope, "a")
	began := time.Now()
	slack := s.Lease + s.Margin + 10*time.Second
	eventually(t, "the connections of a dead node are gone", slack, func() bool {
		found := b.find("one", "two", "three")
		early := time.Since(began) < s.Lease
		if early && found != "unknown ;unknown ;live b;" && found != "live a;live a;live b;" {
			t.Errorf("before the lease is over: found %s", found)
		}
		fenced, _ := a.told()
		if found == "gone ;gone ;live b;" && fenced == 0 {
			t.Error("gone before their node was fenced")
		}
		return found == "gone ;gone ;live b;"
	})
	eventually(t, "each orphan is told once", slack, func() bool {
		_, ofB := b.told()
		_, ofC := c.told()
		return len(ofB)+len(ofC) >= 2
	})
	_, ofB := b.told()
	_, ofC := c.told()
	_, ofA := a.told()
	all := slices.Concat(ofA, ofB, ofC)
	slices.SortFunc(all, func(x, y websocket.Record) int { return len(x.ID) - len(y.ID) })
	same(t, "orphans", len(all), 2)
	for _, r := range all {
		same(t, "state", string(r.State), `{"of":"`+r.ID+`"}`)
		same(t, "owner", r.Node, "a")
	}
	same(t, "group", b.group(t, "room"), "[three@b]")
	s.Mend(scope, "a")
	eventually(t, "the node is back, with new connections", slack, func() bool {
		return a.Add(context.Background(), websocket.Record{ID: "four"}) == nil
	})
	eventually(t, "others find them", slack, func() bool { return b.find("four", "one") == "live a;gone ;" })
}

func testOutage(t *testing.T, s Store) {
	a, b := join(t, s, scope, "a"), join(t, s, scope, "b")
	a.add(t, "one")
	s.Sever(scope, "a")
	time.Sleep(s.Lease / 4)
	if err := a.Add(t.Context(), websocket.Record{ID: "two"}); !errors.Is(err, websocket.ErrUnavailable) {
		t.Errorf("Add of a severed node: got %v, want ErrUnavailable", err)
	}
	removed := make(chan bool, 1)
	go func() {
		ok, err := a.Remove(context.Background(), "one")
		removed <- ok && err == nil
	}()
	s.Mend(scope, "a")
	same(t, "removed when the node was back", <-removed, true)
	fenced, _ := a.told()
	same(t, "fenced", fenced, 0)
	_, orphans := b.told()
	same(t, "orphans", len(orphans), 0)
	same(t, "found", b.find("one"), "gone ;")
}

func testEnded(t *testing.T, s Store) {
	a := join(t, s, scope, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	registry, _ := s.New(t)
	if _, err := registry.Join(ctx, websocket.Node{ID: "b", Scope: scope}); err == nil {
		t.Error("Join: got no error")
	}
	if err := a.Add(ctx, websocket.Record{ID: "one"}); err == nil {
		t.Error("Add: got no error")
	}
	if _, err := a.Find(ctx, []string{"one"}); err == nil {
		t.Error("Find: got no error")
	}
	for _, err := range a.Group(ctx, "room") {
		if err == nil {
			t.Error("Group: got no error")
		}
	}
}
