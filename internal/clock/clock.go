// Package clock is a bounded cache whose readers neither lock nor write what they share, so that
// hits scale with cores. Verified tokens, authorizers' decisions and derived keys are kept in it.
//
// A slot is a pointer, and the slots of one hash are one cache line. What is put in is bounded in
// number and in cost; a hand that goes round the slots, as in the CLOCK algorithm, takes out what
// hasn't been used since it last came by. Nothing expires by itself: values carry their own times,
// and no goroutine is needed.
package clock

import (
	"sync"
	"sync/atomic"
)

// Cache maps keys to values that are never changed. It is safe for concurrent use. nil keeps
// nothing.
type Cache[K comparable, V any] struct {
	maxEntries int
	maxCost    int64
	evicted    atomic.Uint64
	current    atomic.Pointer[Table[K, V]]
}

// ways is how many slots a hash has: 8 pointers, one cache line.
const ways = 8

// Table is what a cache holds between two calls of Clear.
type Table[K comparable, V any] struct {
	sets [][ways]atomic.Pointer[Entry[K, V]]

	writing sync.Mutex // over what follows, and all stores to sets
	entries int
	cost    int64
	hand    int
}

// Entry is a value in the cache. Its fields are only read.
type Entry[K comparable, V any] struct {
	Key   K
	Value V
	cost  int32
	used  atomic.Bool
}

// New returns a cache of at most maxEntries, whose costs add up to at most maxCost; negative
// maxEntries return nil.
func New[K comparable, V any](maxEntries int, maxCost int64) *Cache[K, V] {
	if maxEntries < 0 {
		return nil
	}
	c := &Cache[K, V]{maxEntries: maxEntries, maxCost: maxCost}
	c.Clear()
	return c
}

// Clear forgets everything. A value that is being made meanwhile goes into the table that was
// current when that began.
func (c *Cache[K, V]) Clear() {
	if c == nil {
		return
	}
	// Twice as many slots as entries, so that few sets are full before the cache is.
	sets := 1
	for sets*ways < 2*c.maxEntries {
		sets *= 2
	}
	c.current.Store(&Table[K, V]{sets: make([][ways]atomic.Pointer[Entry[K, V]], sets)})
}

// Table returns the current table, for Put.
func (c *Cache[K, V]) Table() *Table[K, V] {
	if c == nil {
		return nil
	}
	return c.current.Load()
}

func (t *Table[K, V]) set(hash uint64) *[ways]atomic.Pointer[Entry[K, V]] {
	return &t.sets[hash&uint64(len(t.sets)-1)]
}

// Get returns the entry of key, whose hash the caller computes, or nil. It allocates nothing.
func (c *Cache[K, V]) Get(hash uint64, key K) *Entry[K, V] {
	if c == nil {
		return nil
	}
	set := c.current.Load().set(hash)
	for i := range set {
		if e := set[i].Load(); e != nil && e.Key == key {
			if !e.used.Load() { // a store only where it changes something: it would take the line from other cores
				e.used.Store(true)
			}
			return e
		}
	}
	return nil
}

// Put keeps value in t, which Table returned before the value was made, in place of what key had. A
// value that alone costs too much isn't kept.
func (c *Cache[K, V]) Put(t *Table[K, V], hash uint64, key K, value V, cost int32) {
	if c == nil || int64(cost) > c.maxCost || c.maxEntries == 0 {
		return
	}
	e := &Entry[K, V]{Key: key, Value: value, cost: cost}
	t.writing.Lock()
	defer t.writing.Unlock()
	set := t.set(hash)
	slot := -1
	for i := range set {
		old := set[i].Load()
		if old != nil && old.Key == key {
			t.drop(&set[i])
			old, slot = nil, i
			break
		}
		if old == nil {
			slot = i
		}
	}
	if slot < 0 {
		slot = t.victim(set)
		t.drop(&set[slot])
		c.evicted.Add(1)
	}
	for t.entries >= c.maxEntries || t.cost+int64(cost) > c.maxCost {
		t.evict()
		c.evicted.Add(1)
	}
	set[slot].Store(e)
	t.entries++
	t.cost += int64(cost)
}

// Remove takes out e, if it is still there.
func (c *Cache[K, V]) Remove(hash uint64, e *Entry[K, V]) {
	if c == nil {
		return
	}
	t := c.current.Load()
	t.writing.Lock()
	defer t.writing.Unlock()
	set := t.set(hash)
	for i := range set {
		if set[i].Load() == e {
			t.drop(&set[i])
		}
	}
}

// RemoveFunc takes out every entry for which remove is true, and returns how many. It looks at all
// of them, under the lock that Put takes.
func (c *Cache[K, V]) RemoveFunc(remove func(*Entry[K, V]) bool) (removed int) {
	if c == nil {
		return 0
	}
	t := c.current.Load()
	t.writing.Lock()
	defer t.writing.Unlock()
	for i := range t.sets {
		for j := range t.sets[i] {
			if e := t.sets[i][j].Load(); e != nil && remove(e) {
				t.drop(&t.sets[i][j])
				removed++
			}
		}
	}
	return removed
}

// Size returns how many entries there are, what they cost, and how many were taken out to make
// room.
func (c *Cache[K, V]) Size() (entries int, cost int64, evicted uint64) {
	if c == nil {
		return 0, 0, 0
	}
	t := c.current.Load()
	t.writing.Lock()
	defer t.writing.Unlock()
	return t.entries, t.cost, c.evicted.Load()
}

func (t *Table[K, V]) drop(slot *atomic.Pointer[Entry[K, V]]) {
	if old := slot.Swap(nil); old != nil {
		t.entries--
		t.cost -= int64(old.cost)
	}
}

// victim returns a slot of a full set whose entry wasn't used lately, and lets the others' use be
// forgotten.
func (t *Table[K, V]) victim(set *[ways]atomic.Pointer[Entry[K, V]]) int {
	for i := range set {
		if !set[i].Load().used.Swap(false) {
			return i
		}
	}
	return 0
}

// evict takes out the next entry that wasn't used since the hand last passed, or, after a round in
// which all were, the next one.
func (t *Table[K, V]) evict() {
	slots := len(t.sets) * ways
	for i := range 2 * slots {
		slot := &t.sets[t.hand/ways][t.hand%ways]
		t.hand = (t.hand + 1) % slots
		if e := slot.Load(); e != nil && (i >= slots || !e.used.Swap(false)) {
			t.drop(slot)
			return
		}
	}
}
