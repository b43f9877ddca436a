package websocket

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"
)

// Add implements [Member].
func (mm *memoryMember) Add(ctx context.Context, r Record) error {
	mm.m.mu.Lock()
	defer mm.m.mu.Unlock()
	if err := mm.reachLocked(ctx); err != nil {
		return err
	}
	key := connKey{mm.n.Scope, r.ID}
	record, groups := mm.m.conns[key], r.Groups
	if record != nil && record.owner != mm {
		return errors.New("websocket: Memory: the id is in use")
	}
	if record == nil {
		record = &memoryRecord{Record: Record{ID: r.ID, Node: mm.n.ID}, owner: mm}
		mm.m.conns[key] = record
	}
	record.State = slices.Clone(r.State)
	for _, g := range groups {
		mm.m.enterLocked(record, g)
	}
	return nil
}

func (m *Memory) enterLocked(r *memoryRecord, group string) {
	if slices.Contains(r.Groups, group) {
		return
	}
	r.Groups = append(r.Groups, group)
	key := connKey{r.owner.n.Scope, group}
	if m.group[key] == nil {
		m.group[key] = map[string]*memoryRecord{}
	}
	m.group[key][r.ID] = r
}

// Remove implements [Member]. A severed member waits until it is mended.
func (mm *memoryMember) Remove(ctx context.Context, id string) (bool, error) {
	const again = 100 * time.Millisecond
	for {
		mm.m.mu.Lock()
		err := mm.reachLocked(ctx)
		if err == nil || mm.fenced {
			r := mm.m.conns[connKey{mm.n.Scope, id}]
			ours := !mm.fenced && r != nil && r.owner == mm
			if ours {
				mm.m.removeLocked(r)
			}
			mm.m.mu.Unlock()
			return ours, nil
		}
		left := mm.left
		mm.m.mu.Unlock()
		if left || ctx.Err() != nil {
			return false, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// Find implements [Member].
func (mm *memoryMember) Find(ctx context.Context, ids []string) ([]Place, error) {
	mm.m.mu.Lock()
	defer mm.m.mu.Unlock()
	if err := mm.reachLocked(ctx); err != nil {
		return nil, err
	}
	places := make([]Place, len(ids))
	for i, id := range ids {
		places[i] = mm.m.conns[connKey{mm.n.Scope, id}].place()
	}
	return places, nil
}

func (r *memoryRecord) place() Place {
	switch {
	case r == nil:
		return Place{Found: Gone}
	case r.owner.cut != nil:
		return Place{Found: Unknown}
	}
	return Place{Node: r.Node, Found: Live}
}

// Enter implements [Member].
func (mm *memoryMember) Enter(ctx context.Context, group, id string) error {
	mm.m.mu.Lock()
	defer mm.m.mu.Unlock()
	if err := mm.reachLocked(ctx); err != nil {
		return err
	}
	r := mm.m.conns[connKey{mm.n.Scope, id}]
	if r == nil || r.owner != mm {
		return ErrGone
	}
	mm.m.enterLocked(r, group)
	return nil
}

// Exit implements [Member].
func (mm *memoryMember) Exit(ctx context.Context, group, id string) error {
	mm.m.mu.Lock()
	defer mm.m.mu.Unlock()
	if err := mm.reachLocked(ctx); err != nil {
		return err
	}
	if r := mm.m.conns[connKey{mm.n.Scope, id}]; r != nil && r.owner == mm {
		r.Groups = slices.DeleteFunc(r.Groups, func(g string) bool { return g == group })
		mm.m.exitLocked(connKey{mm.n.Scope, group}, id)
	}
	return nil
}

// Group implements [Member].
func (mm *memoryMember) Group(ctx context.Context, group string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		mm.m.mu.Lock()
		err := mm.reachLocked(ctx)
		members := slices.Collect(maps.Values(mm.m.group[connKey{mm.n.Scope, group}]))
		entries := make([]Entry, len(members))
		for i, r := range members {
			entries[i] = Entry{ID: r.ID, Place: r.place()}
		}
		mm.m.mu.Unlock()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Count implements [Member].
func (mm *memoryMember) Count(ctx context.Context, group string) (int, error) {
	mm.m.mu.Lock()
	defer mm.m.mu.Unlock()
	return len(mm.m.group[connKey{mm.n.Scope, group}]), mm.reachLocked(ctx)
}

// Leave implements [Member].
func (mm *memoryMember) Leave(context.Context) error {
	mm.m.mu.Lock()
	defer mm.m.mu.Unlock()
	if mm.left {
		return nil
	}
	mm.left = true
	mm.unhook()
	if mm.cut != nil {
		mm.cut.Stop()
	}
	for _, r := range mm.m.conns {
		if r.owner == mm {
			mm.m.removeLocked(r)
		}
	}
	key := nodeKey{mm.n.Scope, mm.n.ID}
	if mm.m.nodes[key] == mm {
		delete(mm.m.nodes, key)
	}
	return nil
}
