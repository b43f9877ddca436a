// Package growtable finds what belongs to a key, for keys that are few and come to stay: it is read
// by every request, without a lock, and grows seldom, to a bound.
package growtable

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Table finds what belongs to a key. What is read is never written to, and a new entry makes a copy
// of the table. It is safe for concurrent use. The zero Table is empty, and stays so: see Bound.
type Table[K comparable, V any] struct {
	read atomic.Pointer[map[K]*V]
	mu   sync.Mutex // over growing
	most int
}

// Bound makes the table hold at most so many. It is called before use.
func (t *Table[K, V]) Bound(most int) { t.most = most }

// Most returns how many it holds at most.
func (t *Table[K, V]) Most() int { return t.most }

// Get returns what belongs to k, or nil.
func (t *Table[K, V]) Get(k K) *V {
	if m := t.read.Load(); m != nil {
		return (*m)[k]
	}
	return nil
}

// Add returns what belongs to k, which make makes if nobody has, or nil where the table is full.
// mayGrow, where it isn't nil, is asked before.
func (t *Table[K, V]) Add(k K, mayGrow func() bool, make func() *V) *V {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all map[K]*V
	if m := t.read.Load(); m != nil {
		all = *m
	}
	if v := all[k]; v != nil {
		return v
	}
	if len(all) >= t.most || mayGrow != nil && !mayGrow() {
		return nil
	}
	if all = maps.Clone(all); all == nil {
		all = map[K]*V{}
	}
	v := make()
	all[k] = v
	t.read.Store(&all)
	return v
}

// Len returns how many there are.
func (t *Table[K, V]) Len() int {
	if m := t.read.Load(); m != nil {
		return len(*m)
	}
	return 0
}

// Each calls f with all there is.
func (t *Table[K, V]) Each(f func(K, *V)) {
	if m := t.read.Load(); m != nil {
		for k, v := range *m {
			f(k, v)
		}
	}
}
