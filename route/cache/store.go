package cache

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/internal/clock"
)

// Store keeps answers. Its methods are called for every request that may be answered from the
// cache, by many at once. An error is logged and costs the request nothing but the answer that
// might have been there. cachetest.Run is the test of what is asked for here.
type Store interface {
	// Get returns the entry of key, or nil, and a mark for Put: where the store stands.
	Get(ctx context.Context, key Key) (*Entry, Mark, error)
	// Put keeps entry until entry.Stale, unless it was taken out after mark: all was flushed, or
	// one of its tags invalidated. A store that can't tell which tags were may take any for one of
	// the entry's, if it has some.
	Put(ctx context.Context, key Key, entry *Entry, mark Mark) error
	// Flush takes out everything.
	Flush(ctx context.Context) error
	// InvalidateTags takes out every entry that has one of the tags.
	InvalidateTags(ctx context.Context, tags ...string) error
}

// Mark is where a store stood when an answer was asked for. What it holds is the store's own.
type Mark struct {
	// Table is the memory store's.
	table *clock.Table[Key, *Entry]
	// Epoch changes with every Flush and InvalidateTags.
	Epoch string
	count uint64
}

// memory is the Store of one process. Nothing expires by itself: what is stale is passed over, and
// taken out when room is needed.
type memory struct {
	entries *clock.Cache[Key, *Entry]
	epoch   atomic.Uint64 // counts InvalidateTags

	mu    sync.Mutex
	tags  map[string]uint64 // the epoch in which each was invalidated last
	floor uint64            // what was invalidated until this epoch has been forgotten
}

// knownTags bounds what is remembered of invalidations, for answers that are being made meanwhile.
const knownTags = 10_000

// smallest is what an entry costs at least, which tells how many there can be.
const smallest = 1 << 10

func newMemory(maxBytes int64) *memory {
	most := min(max(maxBytes/smallest, 16), 1<<20)
	return &memory{entries: clock.New[Key, *Entry](int(most), maxBytes), tags: map[string]uint64{}}
}

func (k Key) hash() uint64 { return binary.LittleEndian.Uint64(k[:]) }

func (m *memory) Get(_ context.Context, key Key) (*Entry, Mark, error) {
	mark := Mark{table: m.entries.Table(), count: m.epoch.Load()}
	if e := m.entries.Get(key.hash(), key); e != nil {
		return e.Value, mark, nil
	}
	return nil, mark, nil
}

func (m *memory) Put(_ context.Context, key Key, entry *Entry, mark Mark) error {
	size := entry.size()
	if size > math.MaxInt32 {
		return nil
	}
	m.entries.Put(mark.table, key.hash(), key, entry, int32(size))
	// Looked at after it was put: an invalidation that begins later finds the entry, one that began
	// before has changed the number.
	if m.takenOut(entry.Tags, mark.count) {
		if e := m.entries.Get(key.hash(), key); e != nil && e.Value == entry {
			m.entries.Remove(key.hash(), e)
		}
	}
	return nil
}

// takenOut reports whether one of the tags was invalidated after the epoch, or may have been.
func (m *memory) takenOut(tags []string, after uint64) bool {
	if len(tags) == 0 || m.epoch.Load() == after {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return after < m.floor || slices.ContainsFunc(tags, func(t string) bool { return m.tags[t] > after })
}

// Flush leaves what is being made to go into the table that nobody looks at any longer.
func (m *memory) Flush(context.Context) error {
	m.entries.Clear()
	return nil
}

func (m *memory) InvalidateTags(_ context.Context, tags ...string) error {
	if len(tags) == 0 {
		return nil
	}
	m.mu.Lock()
	now := m.epoch.Load() + 1
	if len(m.tags)+len(tags) > knownTags {
		clear(m.tags)
		m.floor = now
	}
	if len(tags) <= knownTags {
		for _, t := range tags {
			m.tags[t] = now
		}
	}
	m.epoch.Store(now)
	m.mu.Unlock()
	m.entries.RemoveFunc(func(e *clock.Entry[Key, *Entry]) bool {
		return slices.ContainsFunc(e.Value.Tags, func(t string) bool { return slices.Contains(tags, t) })
	})
	return nil
}

// expired reports whether e isn't to be served at all.
func (e *Entry) expired(now time.Time) bool { return e == nil || !now.Before(e.Stale) }
