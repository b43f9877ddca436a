package websocket

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Memory is a [Registry] and a [Transport] for the APIs of one process. Its zero value isn't
// usable; [NewMemory] makes one. In a process no node can lose another, so leases matter only after
// Sever, with which a test plays a partition.
type Memory struct {
	lease time.Duration

	mu    sync.Mutex
	nodes map[nodeKey]*memoryMember
	conns map[connKey]*memoryRecord
	group map[connKey]map[string]*memoryRecord // by scope and group, then by id
}

type nodeKey struct{ scope, node string }
type connKey struct{ scope, id string } // id is a group's name in Memory.group

type memoryRecord struct {
	Record
	owner *memoryMember
}

// memoryMargin is what is added to a lease before others judge by it.
const memoryMargin = time.Second

// NewMemory returns an empty Memory. lease is how long a node that was severed keeps its
// connections; 0 is 5 seconds.
func NewMemory(lease time.Duration) *Memory {
	if lease <= 0 {
		lease = 5 * time.Second
	}
	return &Memory{
		lease: lease, nodes: map[nodeKey]*memoryMember{},
		conns: map[connKey]*memoryRecord{}, group: map[connKey]map[string]*memoryRecord{},
	}
}

// memoryMember is a node of a Memory. Its fields are Memory.mu's.
type memoryMember struct {
	m       *Memory
	n       Node
	cut     *time.Timer // what happens next to a severed node; nil for one that isn't
	fenced  bool        // its lease is over: it has no records any more
	left    bool
	serve   func(context.Context, Call) Answer
	running sync.WaitGroup
	unhook  func() bool
}

// Join implements [Registry].
func (m *Memory) Join(ctx context.Context, n Node) (Member, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := nodeKey{n.Scope, n.ID}
	if at := m.nodes[key]; at != nil && !at.left {
		return nil, fmt.Errorf("websocket: Memory: node %q has joined already", n.ID)
	}
	mm := &memoryMember{m: m, n: n}
	m.nodes[key] = mm
	mm.unhook = context.AfterFunc(ctx, func() { _ = mm.Leave(context.Background()) })
	return mm, nil
}

// Sever cuts a node off from the others, as a partition would: for tests. When the lease is over
// its connections are fenced, and when a second more has passed another node of its scope removes
// its records. Mend connects it again.
func (m *Memory) Sever(scope, node string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mm := m.nodes[nodeKey{scope, node}]
	if mm == nil || mm.cut != nil {
		return
	}
	mm.cut = time.AfterFunc(m.lease, func() {
		mm.n.Fence()
		m.mu.Lock()
		defer m.mu.Unlock()
		if mm.cut != nil {
			mm.fenced = true
			mm.cut = time.AfterFunc(memoryMargin, func() { m.reap(mm) })
		}
	})
}

// Mend ends what Sever began. A node whose lease was over meanwhile joins anew, with no
// connections.
func (m *Memory) Mend(scope, node string) {
	m.mu.Lock()
	mm := m.nodes[nodeKey{scope, node}]
	if mm == nil || mm.cut == nil {
		m.mu.Unlock()
		return
	}
	mm.cut.Stop()
	mm.cut = nil
	fenced := mm.fenced
	mm.fenced = false
	m.mu.Unlock()
	if fenced {
		m.reap(mm)
	}
}

// reap removes what a node has left, and tells another.
func (m *Memory) reap(dead *memoryMember) {
	m.mu.Lock()
	var heir *memoryMember
	for _, mm := range m.nodes {
		if mm.n.Scope == dead.n.Scope && mm.cut == nil && !mm.left && (heir == nil || mm != dead) {
			heir = mm
		}
	}
	if heir == nil {
		m.mu.Unlock() // nobody is there to judge: the records wait for who joins or mends
		return
	}
	var orphans []Record
	for _, r := range m.conns {
		if r.owner == dead {
			orphans = append(orphans, r.Record)
			m.removeLocked(r)
		}
	}
	m.mu.Unlock()
	for _, r := range orphans {
		heir.n.Orphan(context.Background(), r)
	}
}

func (m *Memory) removeLocked(r *memoryRecord) {
	scope := r.owner.n.Scope
	delete(m.conns, connKey{scope, r.ID})
	for _, g := range r.Groups {
		m.exitLocked(connKey{scope, g}, r.ID)
	}
}

func (m *Memory) exitLocked(group connKey, id string) {
	delete(m.group[group], id)
	if len(m.group[group]) == 0 {
		delete(m.group, group)
	}
}

var errSevered = fmt.Errorf("%w: the node is severed, or has left", ErrNobody)

// reachLocked returns why the member can't be asked, or nil.
func (mm *memoryMember) reachLocked(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case mm.cut != nil || mm.left:
		return errSevered
	}
	return nil
}

// Listen implements [Transport]. The node must have joined.
func (m *Memory) Listen(
	ctx context.Context, n Node, serve func(context.Context, Call) Answer,
) (stop func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mm := m.nodes[nodeKey{n.Scope, n.ID}]
	if mm == nil || mm.serve != nil {
		return nil, fmt.Errorf("websocket: Memory: node %q has not joined, or listens already", n.ID)
	}
	mm.serve = serve
	end := func() {
		m.mu.Lock()
		mm.serve = nil
		m.mu.Unlock()
		mm.running.Wait()
	}
	unhook := context.AfterFunc(ctx, end)
	return func() { unhook(); end() }, nil
}

// Call implements [Transport].
func (m *Memory) Call(ctx context.Context, scope, node string, c Call) (Answer, error) {
	m.mu.Lock()
	mm := m.nodes[nodeKey{scope, node}]
	if mm == nil || mm.serve == nil || mm.cut != nil || ctx.Err() != nil {
		m.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return Answer{}, err
		}
		return Answer{}, errSevered
	}
	serve := mm.serve
	mm.running.Add(1)
	m.mu.Unlock()
	defer mm.running.Done()
	return serve(ctx, c), nil
}
