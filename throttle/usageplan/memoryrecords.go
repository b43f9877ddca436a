package usageplan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// memoryTable is a table of a [Memory]: the records, their IDs in order, and their changes in
// order.
type memoryTable struct {
	records       map[string]memoryRecord
	ids           sortedIDs
	last          int64
	made, changed changeLog // see Span.New
	// gone has the deletions that are remembered, by the number of each, and forgot the latest that
	// isn't.
	gone   map[string]int64
	graves []logged // in order; one whose ID came back is passed over
	forgot int64
}

type memoryRecord struct {
	Record
	number int64
}

// changeLog has changes, the latest last. One that another change of the same record came after is
// dead: it stays until half of the log is, so that a change costs O(1) and a walk along the log at
// most twice what it finds.
type changeLog struct {
	list []logged
	dead int
}

type logged struct {
	number int64
	id     string
}

// keptDeletions is how many deletions a store remembers at least. Whoever looks for changes less
// often reads everything anew.
const keptDeletions = 10_000

func newMemoryTable() *memoryTable {
	return &memoryTable{records: map[string]memoryRecord{}, gone: map[string]int64{}}
}

// numberOf returns the number of the record's last change, 0 if none is known.
func (t *memoryTable) numberOf(id string) int64 {
	if r, ok := t.records[id]; ok {
		return r.number
	}
	return t.gone[id]
}

// note logs a change of a record whose last one had the number before.
func (t *memoryTable) note(id string, before int64) int64 {
	t.last++
	log := &t.made
	if before > 0 {
		log = &t.changed
		t.bury(before)
	}
	log.list = append(log.list, logged{t.last, id})
	return t.last
}

// bury notes that the change of a number is dead.
func (t *memoryTable) bury(number int64) {
	for _, log := range []*changeLog{&t.made, &t.changed} {
		if i := log.find(number); i < len(log.list) && log.list[i].number == number {
			log.dead++
		}
	}
}

// find returns where the change of a number is, or would be.
func (l *changeLog) find(number int64) int {
	i, _ := slices.BinarySearchFunc(l.list, number, func(l logged, n int64) int { return cmp.Compare(l.number, n) })
	return i
}

// tidy drops what is dead of the log, once that is half of it, and the oldest deletions.
func (t *memoryTable) tidy() {
	for len(t.gone) > keptDeletions {
		g := t.graves[0]
		t.graves = t.graves[1:]
		if t.gone[g.id] == g.number {
			delete(t.gone, g.id)
			t.forgot = g.number
			t.bury(g.number)
		}
	}
	if len(t.graves) > 2*keptDeletions { // more are passed over than count
		t.graves = slices.DeleteFunc(t.graves, func(g logged) bool { return t.gone[g.id] != g.number })
	}
	for _, log := range []*changeLog{&t.made, &t.changed} {
		if log.dead > len(log.list)/2 {
			log.list = slices.DeleteFunc(log.list, func(l logged) bool { return t.numberOf(l.id) != l.number })
			log.dead = 0
		}
	}
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, t Table, id string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.tables[t].records[id]
	if !ok {
		return Record{}, fmt.Errorf("%w: %s", ErrNotFound, t)
	}
	return r.Record, nil
}

// Put implements [Store].
func (m *Memory) Put(_ context.Context, t Table, r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	table := m.tables[t]
	if table.records[r.ID].Revision != r.Revision {
		return fmt.Errorf("%w: %s", ErrConflict, t)
	}
	number := table.note(r.ID, table.numberOf(r.ID))
	if r.Revision == 0 {
		table.ids.insert(r.ID)
		delete(table.gone, r.ID)
	}
	r.Revision++
	r.Data = slices.Clone(r.Data)
	table.records[r.ID] = memoryRecord{r, number}
	table.tidy()
	return nil
}

// Delete implements [Store].
func (m *Memory) Delete(_ context.Context, t Table, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	table := m.tables[t]
	r, ok := table.records[id]
	if !ok {
		return nil
	}
	number := table.note(id, r.number)
	delete(table.records, id)
	table.ids.remove(id)
	table.gone[id] = number
	table.graves = append(table.graves, logged{number, id})
	table.tidy()
	if t == Keys {
		delete(m.used, id)
	}
	return nil
}

// List implements [Store].
func (m *Memory) List(_ context.Context, t Table, after string, limit int) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	table := m.tables[t]
	var list []Record
	for id := range table.ids.after(after) {
		if len(list) >= limit {
			break
		}
		list = append(list, table.records[id].Record)
	}
	return list, nil
}

// Changes implements [Store].
func (m *Memory) Changes(_ context.Context, s Span, limit int) ([]Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tables[s.Table]
	if s.Since > t.last || !s.New && 0 <= s.Since && s.Since < t.forgot { // no deletion is new
		return nil, ErrForgotten
	}
	log := &t.changed
	if s.New {
		log = &t.made
	}
	end := len(log.list)
	if s.Before > 0 {
		end = log.find(s.Before)
	}
	var list []Change
	for i := end - 1; i >= 0 && len(list) < limit && log.list[i].number > s.Since; i-- {
		l := log.list[i]
		if t.numberOf(l.id) != l.number {
			continue
		}
		c := Change{Number: l.number, Record: t.records[l.id].Record}
		c.ID = l.id // also of one that is gone
		list = append(list, c)
	}
	return list, nil
}
