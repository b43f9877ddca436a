// Package topkeys counts who comes most often, out of any number of keys, in the room of a few: the
// Space-Saving algorithm of Metwally, Agrawal and El Abbadi ("Efficient computation of frequent and
// top-k elements in data streams", 2005).
package topkeys

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Sketch counts keys. It keeps at most as many as it was made for: a key that is new to a full
// sketch takes the place of the one with the lowest count, and starts from that count, which is the
// new key's [Count.Over]. So after N counted in a sketch of m keys
//
//   - each count is too high by at most its Over, and never too low,
//   - no Over is above N/m,
//   - every key that was counted more often than N/m is there.
//
// It is safe for concurrent use.
type Sketch struct {
	mu    sync.Mutex
	total int64
	at    map[string]int // where in heap
	heap  []entry        // the lowest count first
	most  int
}

type entry struct {
	key         string
	count, over int64
}

// Count is how often a key was counted.
type Count struct {
	Key string
	// Count is at least the true number, and at most Over above it.
	Count, Over int64
}

// maxKey is how much of a key is kept: two that begin alike are one.
const maxKey = 128

// New returns a sketch of at most m keys, at least one.
func New(m int) *Sketch {
	m = max(m, 1)
	return &Sketch{at: make(map[string]int, m), heap: make([]entry, 0, m), most: m}
}

// Add counts n of key. It allocates nothing for a key that is there.
func (s *Sketch) Add(key string, n int64) {
	if n <= 0 {
		return
	}
	key = key[:min(len(key), maxKey)]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total += n
	if i, ok := s.at[key]; ok {
		s.heap[i].count += n
		s.down(i)
		return
	}
	key = strings.Clone(key) // it may be a part of a request
	if len(s.heap) < s.most {
		s.at[key] = len(s.heap)
		s.heap = append(s.heap, entry{key: key, count: n})
		s.up(len(s.heap) - 1)
		return
	}
	lowest := &s.heap[0]
	delete(s.at, lowest.key)
	s.at[key] = 0
	*lowest = entry{key: key, count: lowest.count + n, over: lowest.count}
	s.down(0)
}

func (s *Sketch) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if s.heap[parent].count <= s.heap[i].count {
			return
		}
		s.swap(parent, i)
		i = parent
	}
}

func (s *Sketch) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(s.heap); child++ {
			if s.heap[child].count < s.heap[least].count {
				least = child
			}
		}
		if least == i {
			return
		}
		s.swap(least, i)
		i = least
	}
}

func (s *Sketch) swap(i, j int) {
	s.heap[i], s.heap[j] = s.heap[j], s.heap[i]
	s.at[s.heap[i].key], s.at[s.heap[j].key] = i, j
}

// Top returns the n keys with the highest counts, the highest first, and among equals by their
// names.
func (s *Sketch) Top(n int) []Count {
	s.mu.Lock()
	all := make([]Count, len(s.heap))
	for i, e := range s.heap {
		all[i] = Count{Key: e.key, Count: e.count, Over: e.over}
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Key, b.Key))
	})
	return all[:min(max(n, 0), len(all))]
}

// Total returns how many were counted, of all keys.
func (s *Sketch) Total() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}
