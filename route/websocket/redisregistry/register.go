package redisregistry

import (
	"log/slog"
	"maps"
	"slices"

	"github.com/gatekit-go/gatekit/route/websocket"
)

const (
	// addAtOnce and addBytes are how much one script adds: a few milliseconds of Redis' time.
	addAtOnce = 200
	addBytes  = 1 << 20
	// discardAtOnce is how many one removes.
	discardAtOnce = 500
)

// register adds all records to a store that has lost them. Only then its word is taken over: if
// something fails on the way, or the store loses its memory once more, the next renewal begins
// again. The renewals meanwhile tell the store that it isn't complete, so others wait with what
// they say of ids that they don't find.
func (m *member) register() error {
	m.mu.Lock()
	owner, word := m.owner, m.next
	m.mu.Unlock()
	if word == "" {
		return nil
	}
	const what = "redisregistry: Redis has lost its memory: all connections are registered again"
	m.registry.logger.LogAttrs(m.background(), slog.LevelWarn, what,
		slog.String("node", m.node.ID), slog.String("scope", m.node.Scope))
	var err error
	m.meanwhile(m.renew, func() { err = m.addAll(owner, word) })
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case err != nil:
		return err
	case m.owner != owner || m.next != word:
		return errForgotten
	}
	m.born, m.next = word, ""
	return nil
}

// addAll adds all records under the word that the store had when they were read.
func (m *member) addAll(owner, word string) error {
	if m.node.Records == nil {
		return nil
	}
	b := &batch{member: m, owner: owner, word: word}
	for r := range m.node.Records() {
		if !storable(r) {
			continue // Add has refused it, too
		}
		if err := b.add(r); err != nil {
			return err
		}
	}
	return b.send()
}

// batch is records on their way to the store.
type batch struct {
	member         *member
	owner, word    string
	args           []any
	records, bytes int
}

func (b *batch) add(r websocket.Record) error {
	b.args = appendRecord(b.args, r)
	b.records++
	b.bytes += len(r.ID) + len(r.State)
	for _, g := range r.Groups {
		b.bytes += len(g)
	}
	if b.records < addAtOnce && b.bytes < addBytes {
		return nil
	}
	return b.send()
}

// send adds what there is. It sends nothing any more for a lease that is over, or to a store that
// has another word.
func (b *batch) send() error {
	if b.records == 0 {
		return nil
	}
	m := b.member
	m.mu.Lock()
	over := m.owner != b.owner || m.next != b.word
	m.mu.Unlock()
	if over {
		return errForgotten
	}
	n, err := m.ask(m.ctx, addScript, append([]any{b.owner}, b.args...)...)
	b.args, b.records, b.bytes = b.args[:0], 0, 0
	if err == nil && n < 0 {
		return errNoLease
	}
	return err
}

// settle removes the records of ids that have no connection.
func (m *member) settle() {
	m.mu.Lock()
	owner, doubt := m.owner, slices.Collect(maps.Keys(m.doubt))
	m.doubt = nil
	m.mu.Unlock()
	if len(doubt) == 0 {
		return
	}
	doubt = m.withoutConnection(doubt)
	m.meanwhile(m.refresh, func() {
		for ids := range slices.Chunk(doubt, discardAtOnce) {
			if err := m.discard(owner, ids); err != nil {
				m.mistrust(ids...)
			}
		}
	})
}

// withoutConnection returns those of ids that no connection has: what isn't known of the others is
// only what the store has of them, as they were added again.
func (m *member) withoutConnection(ids []string) []string {
	if m.node.Records == nil {
		return ids
	}
	has := map[string]bool{}
	for r := range m.node.Records() {
		has[r.ID] = true
	}
	return slices.DeleteFunc(ids, func(id string) bool { return has[id] })
}

func (m *member) discard(owner string, ids []string) error {
	args := make([]any, 1, 1+len(ids))
	args[0] = owner
	for _, id := range ids {
		args = append(args, id)
	}
	_, err := m.ask(m.ctx, discardScript, args...)
	return err
}
