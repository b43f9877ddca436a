package usageplan

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// Memory is a [Store] that lasts as long as the process. It is also what stores that write to disk
// stand on: what they read, they hand to Load, and what has changed since, they take from Changed.
type Memory struct {
	retention Date
	seed      maphash.Seed
	shards    [64]countShard

	mu     sync.Mutex
	tables map[Table]*memoryTable
	used   map[string]time.Time
}

type countShard struct {
	mu      sync.Mutex
	counts  map[Counter]*days
	changed []Counter
	track   bool
	swept   Date
}

// days is a counter's units, in all and by day.
type days struct {
	Count
	by      []int64
	changed bool
}

// Entry is a counter with all that it holds.
type Entry struct {
	Counter
	Count
	// Days is the units by day, To - From of them.
	Days []int64
}

// NewMemory returns an empty store that keeps counts for retention after the end of their periods:
// 0 means [DefaultRetention], less than a day an error.
func NewMemory(retention time.Duration) (*Memory, error) {
	retention = cmp.Or(retention, DefaultRetention)
	if retention < 24*time.Hour || retention > 100*365*24*time.Hour {
		return nil, fmt.Errorf("usageplan: NewMemory: retention: want 24h to 100 years, got %v", retention)
	}
	m := &Memory{
		retention: Date(retention / (24 * time.Hour)),
		seed:      maphash.MakeSeed(),
		tables:    map[Table]*memoryTable{Keys: newMemoryTable(), Secrets: newMemoryTable(), Plans: newMemoryTable()},
		used:      map[string]time.Time{},
	}
	for i := range m.shards {
		m.shards[i].counts = map[Counter]*days{}
	}
	return m, nil
}

// Reserve implements [Store].
func (m *Memory) Reserve(_ context.Context, c Counter, on Date, atLeast, atMost, limit int64) (int64, Count, error) {
	s := m.shard(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.counts[c]
	if d == nil {
		d = m.insert(s, c, on)
	}
	granted := atMost
	if limit >= 0 {
		granted = min(atMost, limit+d.Extra-d.Used)
	}
	if granted < atLeast || granted <= 0 {
		return 0, d.Count, nil
	}
	s.add(c, d, on, granted)
	return granted, d.Count, nil
}

// Add implements [Store].
func (m *Memory) Add(_ context.Context, c Counter, on Date, units int64) (Count, error) {
	s := m.shard(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.counts[c]
	if d == nil {
		d = m.insert(s, c, on)
	}
	s.add(c, d, on, units)
	return d.Count, nil
}

// SetExtra implements [Store].
func (m *Memory) SetExtra(_ context.Context, c Counter, extra int64) error {
	s := m.shard(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.counts[c]
	if d == nil {
		d = m.insert(s, c, c.From)
	}
	d.Extra = extra
	s.note(c, d)
	return nil
}

// Days implements [Store].
func (m *Memory) Days(_ context.Context, c Counter) (Count, []int64, error) {
	s := m.shard(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.counts[c]; d != nil {
		return d.Count, slices.Clone(d.by), nil
	}
	return Count{}, make([]int64, c.To-c.From), nil
}

// Touch implements [Store].
func (m *Memory) Touch(_ context.Context, key string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.tables[Keys].records[key]; ok { // bounds what is kept by what was created
		m.used[key] = at
	}
	return nil
}

// LastUsed implements [Store].
func (m *Memory) LastUsed(_ context.Context, keys ...string) ([]time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]time.Time, len(keys))
	for i, key := range keys {
		list[i] = m.used[key]
	}
	return list, nil
}

// Load puts entries in, in place of what is there.
func (m *Memory) Load(entries ...Entry) {
	for _, e := range entries {
		s := m.shard(e.Counter)
		s.mu.Lock()
		s.counts[e.Counter] = &days{Count: e.Count, by: slices.Grow(slices.Clone(e.Days), 0)}
		s.mu.Unlock()
	}
}

// Track makes the store take down which counters change, for Changed. It is called before the store
// is used.
func (m *Memory) Track() {
	for i := range m.shards {
		m.shards[i].track = true
	}
}

// Changed returns the counters that have changed since it was last called.
func (m *Memory) Changed() []Entry {
	var list []Entry
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for _, c := range s.changed {
			if d := s.counts[c]; d != nil {
				d.changed = false
				list = append(list, Entry{c, d.Count, slices.Clone(d.by)})
			}
		}
		s.changed = s.changed[:0]
		s.mu.Unlock()
	}
	return list
}

// ChangedAgain takes down that entries, which Changed has returned, couldn't be written.
func (m *Memory) ChangedAgain(entries []Entry) {
	for _, e := range entries {
		s := m.shard(e.Counter)
		s.mu.Lock()
		if d := s.counts[e.Counter]; d != nil {
			s.note(e.Counter, d)
		}
		s.mu.Unlock()
	}
}

func (m *Memory) shard(c Counter) *countShard {
	return &m.shards[maphash.String(m.seed, c.Key)&63]
}

// insert adds an empty counter. Once a day it also drops what nobody asks for any more, so that
// nothing needs a goroutine.
func (m *Memory) insert(s *countShard, c Counter, on Date) *days {
	if s.swept < on {
		s.swept = on
		for old := range s.counts {
			if old.To+m.retention <= on {
				delete(s.counts, old)
			}
		}
	}
	d := &days{by: make([]int64, max(c.To-c.From, 0))}
	s.counts[c] = d
	return d
}

func (s *countShard) add(c Counter, d *days, on Date, units int64) {
	d.Used = max(d.Used+units, 0)
	if i := int(on - c.From); i >= 0 && i < len(d.by) {
		d.by[i] = max(d.by[i]+units, 0)
	}
	s.note(c, d)
}

func (s *countShard) note(c Counter, d *days) {
	if s.track && !d.changed {
		d.changed = true
		s.changed = append(s.changed, c)
	}
}
