package redisregistry_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

const oneScope = "a1b2c3d4e5/prod"

// host is a member with records, which are read as a test wants.
type host struct {
	websocket.Member
	fenced  atomic.Int64
	orphans atomic.Int64
	orphan  func()

	mu      sync.Mutex
	records []websocket.Record
	reading func(at int) // before the record is yielded
}

func (f *fleet) host(id string) (*host, *cable) {
	g, c := f.machine()
	h := &host{}
	m, err := g.Join(f.t.Context(), websocket.Node{
		ID: id, Scope: oneScope, Records: h.all,
		Fence: func() { h.fenced.Add(1) },
		Orphan: func(context.Context, websocket.Record) {
			if h.orphan != nil {
				h.orphan()
			}
			h.orphans.Add(1)
		},
	})
	require.NoError(f.t, err)
	h.Member = m
	return h, c
}

func (h *host) all() iter.Seq[websocket.Record] {
	h.mu.Lock()
	records, reading := slices.Clone(h.records), h.reading
	h.mu.Unlock()
	return func(yield func(websocket.Record) bool) {
		for i, r := range records {
			if reading != nil {
				reading(i)
			}
			if !yield(r) {
				return
			}
		}
	}
}

// fill adds connections, all of one room.
func (h *host) fill(t *testing.T, connections int) {
	t.Helper()
	for i := range connections {
		r := websocket.Record{ID: fmt.Sprint("id", i), State: []byte("{}"), Groups: []string{"room"}}
		require.NoError(t, h.Add(t.Context(), r))
		h.mu.Lock()
		h.records = append(h.records, r)
		h.mu.Unlock()
	}
}

func (h *host) read(reading func(at int)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reading = reading
}

// dropFirst takes the first connection out of the records that are read from now on.
func (h *host) dropFirst() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.records = h.records[1:]
}

func (h *host) found(id string) websocket.Found {
	places, err := h.Find(context.Background(), []string{id})
	if err != nil {
		return websocket.Unknown
	}
	return places[0].Found
}

// sees waits until a connection is found, which is never called gone on the way.
func (h *host) sees(t *testing.T, id string) {
	t.Helper()
	var gone bool
	require.Eventually(t, func() bool {
		found := h.found(id)
		gone = gone || found == websocket.Gone
		return gone || found == websocket.Live
	}, time.Minute, time.Millisecond)
	require.False(t, gone)
}

// complete waits until groups are to be had again, and holds the room's size against want.
func (h *host) complete(t *testing.T, want int) {
	t.Helper()
	var got int
	require.Eventually(t, func() (ok bool) {
		var err error
		got, err = h.Count(context.Background(), "room")
		return err == nil
	}, time.Minute, 20*time.Millisecond)
	require.Equal(t, want, got)
}

// An Add that nobody has answered may have been done: where no connection came of it the record goes, and
// where there is one that was added again, it stays.
func TestAddsThatNobodyAnswers(t *testing.T) {
	t.Parallel() // they wait most of the time
	f := newFleet(t, miniredis.RunT(t).Addr())
	a, cable := f.host("a")
	b, _ := f.host("b")
	a.fill(t, 1)
	for _, cut := range []bool{false, true} {
		cable.set(cut)
		for _, id := range []string{"refused", "id0"} {
			err := a.Add(t.Context(), websocket.Record{ID: id, State: []byte(`{"again":true}`)})
			require.Equal(t, cut, err != nil, id)
		}
	}
	cable.set(false)
	require.Eventually(t, func() bool { return b.found("refused") == websocket.Gone }, time.Minute, 20*time.Millisecond)
	require.Equal(t, websocket.Live, b.found("id0"))
}

// However long a node takes to register what it has, it keeps its connections, and nobody calls them
// gone: not before, not while and not after.
func TestRegisteringTakesLongerThanALease(t *testing.T) {
	t.Parallel() // they wait most of the time
	f := newFleet(t, miniredis.RunT(t).Addr())
	a, _ := f.host("a")
	b, _ := f.host("b")
	const connections = 450 // three scripts
	a.fill(t, connections)
	begun, release := make(chan struct{}), make(chan struct{})
	a.read(func(at int) {
		if at == connections-1 {
			close(begun)
			<-release
		}
	})
	last := a.records[connections-1].ID
	f.forget()
	<-begun
	// What is registered may be registered once more, with the groups of before.
	require.ErrorIs(t, a.Exit(t.Context(), "room", "id0"), websocket.ErrUnavailable)
	require.Never(t, func() bool {
		return a.fenced.Load() > 0 || b.found(last) == websocket.Gone
	}, 2*lease+margin, 20*time.Millisecond)
	close(release)
	b.sees(t, last)
	b.complete(t, connections)
	require.Zero(t, a.fenced.Load())
}

// What is on the way when the way to Redis breaks was of connections that are there: it is added again,
// and not taken for what nobody has.
func TestRegisteringBreaksOff(t *testing.T) {
	t.Parallel() // they wait most of the time
	f := newFleet(t, miniredis.RunT(t).Addr())
	a, cable := f.host("a")
	b, _ := f.host("b")
	const connections = 300
	a.fill(t, connections)
	var once sync.Once
	broken := make(chan struct{})
	a.read(func(at int) {
		if at == connections-1 {
			once.Do(func() { cable.set(true); close(broken) })
		}
	})
	f.forget()
	<-broken
	require.Eventually(t, func() bool { _, err := a.Find(context.Background(), []string{"id0"}); return err != nil },
		time.Minute, time.Millisecond)
	cable.set(false)
	b.complete(t, connections)
	require.Never(t, func() bool { // settled long ago
		return b.found("id299") != websocket.Live || b.found("id200") != websocket.Live
	}, lease, 20*time.Millisecond)
	require.Zero(t, a.fenced.Load())
}

// A connection that ends while it waits to be registered isn't there afterwards, not for a moment, and its
// $disconnect runs once. If Redis has forgotten that it was removed, the node remembers.
func TestConnectionEndsBeforeItIsRegistered(t *testing.T) {
	t.Parallel()            // they wait most of the time
	const connections = 250 // two scripts
	for name, forgets := range map[string]bool{"as-it-is": false, "its-removal-is-forgotten": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := miniredis.RunT(t)
			f := newFleet(t, server.Addr())
			a, _ := f.host("a")
			a.fill(t, connections)
			var removals atomic.Int64
			var between atomic.Bool // id0 was there between the two scripts
			a.read(func(at int) {
				switch at {
				case 0:
					a.read(nil) // once
					a.dropFirst()
					for range 2 {
						if removed, err := a.Remove(context.Background(), "id0"); removed && err == nil {
							removals.Add(1)
						}
					}
					if forgets {
						server.Del(keyOf("x:id0"))
					}
				case connections - 1:
					between.Store(server.Exists(keyOf("c:id0")) || !server.Exists(keyOf("c:id1")))
				}
			})
			f.forget()
			a.complete(t, connections-1)
			require.EqualValues(t, 1, removals.Load())
			require.Equal(t, forgets, between.Load())
			require.Equal(t, websocket.Gone, a.found("id0"))
			require.Equal(t, websocket.Live, a.found("id1"))
		})
	}
}

func keyOf(what string) string { return "gatekit:ws:fleet:{" + oneScope + "}:" + what }

// While records may be lost a node is believed that it had a connection, once, unless others have judged
// it: then they have run its $disconnect.
func TestRemovalOfWhatMayBeLost(t *testing.T) {
	t.Parallel() // they wait most of the time
	server := miniredis.RunT(t)
	f := newFleet(t, server.Addr())
	a, _ := f.host("a")
	a.fill(t, 1)
	removed := func(id string) bool {
		ok, err := a.Remove(t.Context(), id)
		require.NoError(t, err)
		return ok
	}
	require.False(t, removed("nobody"))
	f.forget()
	a.sees(t, "id0") // registered, and nobody says that others are
	require.True(t, removed("one"))
	require.False(t, removed("one"))
	owners, err := server.ZMembers(keyOf("nodes"))
	require.NoError(t, err)
	require.Len(t, owners, 1)
	_, err = server.ZRem(keyOf("nodes"), owners[0])
	require.NoError(t, err)
	require.False(t, removed("another"))
}

// Who comes back to a Redis that has lost its memory meanwhile knows that it has: what others have isn't
// gone, though they haven't noticed yet.
func TestReturnToARedisThatHasForgotten(t *testing.T) {
	t.Parallel() // they wait most of the time
	f := newFleet(t, miniredis.RunT(t).Addr())
	a, cable := f.host("a")
	b, _ := f.host("b")
	cable.set(true)
	require.Eventually(t, func() bool { return a.fenced.Load() > 0 }, time.Minute, 20*time.Millisecond)
	b.fill(t, 1)
	f.forget()
	cable.set(false)
	a.sees(t, "id0")
}

// Who removes what a dead node has left renews its lease meanwhile, however many records there are.
func TestReapingTakesLongerThanALease(t *testing.T) {
	t.Parallel() // they wait most of the time
	f := newFleet(t, miniredis.RunT(t).Addr())
	a, cable := f.host("a")
	b, _ := f.host("b")
	const connections = 1200
	a.fill(t, connections)
	b.orphan = func() { <-time.After(45 * time.Millisecond) } // a batch takes less than a third of the lease
	cable.set(true)
	require.Eventually(t, func() bool {
		b.found("id0") // it looks at its lease
		return b.orphans.Load() == connections
	}, time.Minute, 20*time.Millisecond)
	require.Zero(t, b.fenced.Load())
}
