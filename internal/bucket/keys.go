package bucket

import (
	"hash/maphash"
	"math/bits"
	"sync"
)

// Keys is a bounded table of entries by key, in shards with a lock each. It is safe for concurrent
// use.
//
// A key is kept as a 64-bit hash under a seed of the process's own. Two keys with one hash share an
// entry; among n keys in use that happens with a probability of about n²/2^65: one in 37 million
// for a million keys. Nobody outside can look for such keys, as the seed is secret.
type Keys[E Entry] struct {
	seed   maphash.Seed
	shards [shardCount]Shard[E]
}

// Entry is what is kept of one key.
type Entry interface {
	// Worth returns what would be lost if the entry were forgotten at now, in the caller's own
	// measure of both. Of 0 or less nothing would be: the entry is as good as none, and is dropped
	// when room is made. In a full table, of a few entries the one of the least worth gives way.
	Worth(now int64) int64
}

const (
	shardCount = 64
	minSlots   = 8
	sampled    = 16
)

// Shard is a part of the table with a lock of its own, on cache lines of its own.
type Shard[E Entry] struct {
	mu    sync.Mutex
	slots []slot[E] // open addressing, linear probing
	used  int
	most  int
	_     [128 - 8 - 24 - 8 - 8]byte
}

type slot[E Entry] struct {
	hash  uint64 // 0: free
	entry E
}

// NewKeys returns a table that keeps at most about maxKeys entries.
func NewKeys[E Entry](maxKeys int) *Keys[E] {
	k := &Keys[E]{seed: maphash.MakeSeed()}
	for i := range k.shards {
		k.shards[i].most = max(maxKeys/shardCount, minSlots)
	}
	return k
}

// Hash returns the hash of a key.
func (k *Keys[E]) Hash(key string) uint64 { return nonzero(maphash.String(k.seed, key)) }

// HashBytes is Hash for a key in bytes. It equals Hash of the same bytes.
func (k *Keys[E]) HashBytes(key []byte) uint64 { return nonzero(maphash.Bytes(k.seed, key)) }

func nonzero(h uint64) uint64 { return max(h, 1) }

// Lock locks the shard in which the key of hash belongs, and returns it.
func (k *Keys[E]) Lock(hash uint64) *Shard[E] {
	s := &k.shards[hash>>58]
	s.mu.Lock()
	return s
}

// Unlock ends a Lock.
func (s *Shard[E]) Unlock() { s.mu.Unlock() }

// home is where hash's slot would be in a table of n: its lower bits, scaled, so that n may be any
// number.
func home(hash uint64, n int) int {
	hi, _ := bits.Mul64(hash<<6, uint64(n)) // the upper six bits choose the shard
	return int(hi)
}

// Find returns the entry of hash, or nil. The shard is locked, and the entry is the caller's to
// change until it is unlocked, or something is inserted.
func (s *Shard[E]) Find(hash uint64) *E {
	n := len(s.slots)
	if n == 0 {
		return nil
	}
	for i := home(hash, n); ; {
		switch s.slots[i].hash {
		case hash:
			return &s.slots[i].entry
		case 0:
			return nil
		}
		if i++; i == n {
			i = 0
		}
	}
}

// Insert puts in an entry for a hash that has none. The shard is locked.
func (s *Shard[E]) Insert(hash uint64, entry E, now int64) {
	if s.used >= s.most {
		s.evict(hash, now)
	} else if (s.used+1)*5 > len(s.slots)*4 { // at most four fifths are in use, so that a free slot ends each search
		s.rebuild(now)
	}
	s.put(slot[E]{hash, entry})
	s.used++
}

func (s *Shard[E]) put(b slot[E]) {
	n := len(s.slots)
	i := home(b.hash, n)
	for s.slots[i].hash != 0 {
		if i++; i == n {
			i = 0
		}
	}
	s.slots[i] = b
}

// rebuild drops the entries that are worth nothing by now, which is most of them where keys come
// and go, and makes room for half as many again as are left.
func (s *Shard[E]) rebuild(now int64) {
	live := 0
	for i := range s.slots {
		if s.slots[i].lives(now) {
			live++
		}
	}
	old := s.slots
	s.slots = make([]slot[E], max(minSlots, (live+1)*15/8)) // half as many again at four fifths: 1.5 / 0.8
	s.used = live
	for i := range old {
		if old[i].lives(now) {
			s.put(old[i])
		}
	}
}

func (b *slot[E]) lives(now int64) bool { return b.hash != 0 && b.entry.Worth(now) > 0 }

// evict makes room in a shard that holds all it may: of some entries that lie where the new one
// goes, it drops the one of the least worth. So a flood of new keys, each of which has been seen
// once, drives out its own, and not the entry of somebody who is at a limit.
func (s *Shard[E]) evict(hash uint64, now int64) {
	n := len(s.slots)
	victim, least := -1, int64(0)
	for i, seen := home(hash, n), 0; seen < sampled || victim < 0; seen++ {
		if s.slots[i].hash != 0 {
			if worth := s.slots[i].entry.Worth(now); victim < 0 || worth < least {
				if victim, least = i, worth; worth <= 0 {
					break
				}
			}
		}
		if i++; i == n {
			i = 0
		}
	}
	// Move up what was displaced by the victim, so that no search ends at its slot too early.
	for i := victim; ; {
		if i++; i == n {
			i = 0
		}
		b := s.slots[i]
		if b.hash == 0 {
			break
		}
		if distance(home(b.hash, n), i, n) >= distance(victim, i, n) {
			s.slots[victim] = b
			victim = i
		}
	}
	s.slots[victim] = slot[E]{}
	s.used--
}

func distance(from, to, n int) int {
	if to < from {
		return to + n - from
	}
	return to - from
}

// Len returns how many keys have an entry, with those that are worth nothing any more.
func (k *Keys[E]) Len() int {
	total := 0
	for i := range k.shards {
		s := &k.shards[i]
		s.mu.Lock()
		total += s.used
		s.mu.Unlock()
	}
	return total
}
