package redisregistry

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// member is a node's membership. Its lease is in lease.go.
type member struct {
	registry *Registry
	node     websocket.Node
	tag      string

	ctx    context.Context // of what runs in the background; set before anything does
	cancel context.CancelFunc
	wake   chan struct{} // asks for a renewal at once
	ended  chan struct{} // closed when nothing runs any more

	fencing sync.Mutex // one fence at a time; never held while Redis is asked
	mu      sync.Mutex
	owner   string    // this node and its epoch; "" while it has no lease
	born    string    // the word of the store in which all connections of this node are registered
	next    string    // that of one that has lost its memory, until they are; "" else
	until   time.Time // when the lease ends, by this machine's clock
	refused bool      // there was no Redis at all when it was last asked for the lease: until doesn't count
	since   time.Time // since when Redis has answered without a pause
	left    bool
	doubt   map[string]bool // ids that may have a record and no connection
}

var errNoLease = fmt.Errorf("%w: the node has no lease at present", websocket.ErrUnavailable)

// errInUse names no id, as ids are what @connections is called with.
var errInUse = errors.New("redisregistry: the connection's id is in use")

// maxState bounds a record.
const maxState = 64 << 10

// holder returns the owner under which to ask. It looks at the lease first, as the process may have
// been paused.
func (m *member) holder(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	m.look(time.Now())
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.owner == "" || m.left {
		return "", errNoLease
	}
	return m.owner, nil
}

// Add implements [websocket.Member].
func (m *member) Add(ctx context.Context, r websocket.Record) error {
	owner, err := m.holder(ctx)
	if err != nil {
		return err
	}
	if !storable(r) {
		return fmt.Errorf("redisregistry: Record: want an ID and a State of at most %d bytes", maxState)
	}
	n, err := m.ask(ctx, addScript, appendRecord([]any{owner}, r)...)
	switch {
	case err != nil: // it may have been done: a connection that nobody has must not be found for ever
		m.mistrust(r.ID)
		return err
	case n == 0:
		return errInUse
	case n < 0:
		return errNoLease
	}
	return nil
}

func storable(r websocket.Record) bool { return r.ID != "" && len(r.State) <= maxState }

// appendRecord appends a record as addScript takes it.
func appendRecord(args []any, r websocket.Record) []any {
	args = append(args, r.ID, r.State, len(r.Groups))
	for _, g := range r.Groups {
		args = append(args, g)
	}
	return args
}

// maxDoubts bounds what is remembered while Redis doesn't answer. Beyond it, records stay until
// their machine leaves.
const maxDoubts = 100_000

// mistrust has records removed that ids without a connection may have.
func (m *member) mistrust(ids ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.doubt == nil {
		m.doubt = map[string]bool{}
	}
	for _, id := range ids {
		if len(m.doubt) < maxDoubts {
			m.doubt[id] = true
		}
	}
}

// Remove implements [websocket.Member].
func (m *member) Remove(ctx context.Context, id string) (bool, error) {
	const again = 100 * time.Millisecond
	token, first := rand.Text(), ""
	for {
		owner, err := m.holder(ctx)
		if err == nil {
			if first = cmp.Or(first, owner); first != owner {
				return false, nil // it was of a lease that is over
			}
			var removed bool
			if removed, err = m.remove(ctx, owner, id, token); err == nil {
				return removed, nil
			}
		}
		switch {
		case m.lost():
			return false, nil // whoever removes it runs $disconnect
		case ctx.Err() != nil:
			return false, ctx.Err()
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// remove asks once. What is removed while the node registers may be in what it is about to add.
func (m *member) remove(ctx context.Context, owner, id, token string) (bool, error) {
	m.mu.Lock()
	word, registers := m.born, m.next != ""
	m.mu.Unlock()
	n, err := m.ask(ctx, removeScript, word, owner, id, token)
	if err != nil {
		return false, err
	}
	if registers {
		m.mistrust(id)
	}
	// A store without its memory can't tell if others have judged before it lost it: they haven't
	// while the lease runs.
	return n == 1 || n == 2 && m.holds(owner, time.Now()), nil
}

// lost reports whether the node has no lease, and so no connections.
func (m *member) lost() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.owner == "" || m.left
}

// Find implements [websocket.Member].
func (m *member) Find(ctx context.Context, ids []string) ([]websocket.Place, error) {
	if _, err := m.holder(ctx); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, nil
	}
	args := make([]any, 1, 1+len(ids))
	args[0] = m.word()
	for _, id := range ids {
		args = append(args, id)
	}
	owners, err := m.texts(ctx, findScript, args...)
	if err != nil {
		return nil, err
	}
	if len(owners) != len(ids) {
		return nil, errAnswer
	}
	places := make([]websocket.Place, len(ids))
	for i, owner := range owners {
		places[i] = placeOf(owner)
	}
	return places, nil
}

// word is what the store is known by.
func (m *member) word() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.born
}

func placeOf(owner string) websocket.Place {
	switch owner {
	case "":
		return websocket.Place{Found: websocket.Gone}
	case "?":
		return websocket.Place{Found: websocket.Unknown}
	}
	return websocket.Place{Node: nodeOf(owner), Found: websocket.Live}
}

// nodeOf is an owner without its epoch.
func nodeOf(owner string) string {
	node, _, _ := strings.Cut(owner, ":")
	return node
}

// Enter implements [websocket.Member].
func (m *member) Enter(ctx context.Context, group, id string) error {
	n, err := m.enter(ctx, group, id, "1")
	if err == nil && n == 0 {
		return websocket.ErrGone
	}
	return err
}

// Exit implements [websocket.Member].
func (m *member) Exit(ctx context.Context, group, id string) error {
	_, err := m.enter(ctx, group, id, "0")
	return err
}

func (m *member) enter(ctx context.Context, group, id, in string) (int64, error) {
	owner, err := m.holder(ctx)
	if err != nil {
		return 0, err
	}
	return m.ask(ctx, enterScript, m.word(), owner, group, id, in)
}

// Group implements [websocket.Member].
func (m *member) Group(ctx context.Context, group string) iter.Seq2[websocket.Entry, error] {
	const page = 500
	return func(yield func(websocket.Entry, error) bool) {
		from := "-"
		for {
			_, err := m.holder(ctx)
			var all []string
			if err == nil {
				all, err = m.texts(ctx, groupScript, m.word(), group, from, page)
			}
			if err == nil && len(all)%2 != 0 {
				err = errAnswer
			}
			if err != nil {
				yield(websocket.Entry{}, err)
				return
			}
			for i := 0; i < len(all); i += 2 {
				if !yield(websocket.Entry{ID: all[i], Place: placeOf(all[i+1])}, nil) {
					return
				}
			}
			if len(all) < 2*page {
				return
			}
			from = "(" + all[len(all)-2]
		}
	}
}

// Count implements [websocket.Member].
func (m *member) Count(ctx context.Context, group string) (int, error) {
	if _, err := m.holder(ctx); err != nil {
		return 0, err
	}
	n, err := m.ask(ctx, countScript, m.word(), group)
	return int(n), err
}

// Leave implements [websocket.Member].
func (m *member) Leave(ctx context.Context) error {
	m.mu.Lock()
	owner, left := m.owner, m.left
	m.left = true
	m.mu.Unlock()
	m.cancel()
	<-m.ended
	m.registry.forget(m)
	if owner == "" || left {
		return nil
	}
	// The records first: a lease that has ended is one that others judge.
	for {
		all, err := m.texts(ctx, reapScript, owner, reapAtOnce)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			break
		}
	}
	_, err := m.ask(ctx, leaveScript, owner)
	return err
}
