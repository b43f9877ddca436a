package jsonbody

import (
	"bytes"
	"hash/maphash"
)

// nameSet is the names that the objects of one body have had: a hash table with open addressing,
// since a body may have one object of thousands of names, or thousands of one.
type nameSet struct {
	slots []slot // a power of two of them, at most half in use
	spare []slot // what slots were before they grew: free, and of use to the next body's
	used  int
}

type slot struct {
	name   []byte
	hash   uint64
	object int // 0: free
}

// seed is secret, so that nobody can send names that fall on one slot.
var seed = maphash.MakeSeed()

const (
	fewNames  = 64
	keptNames = 1 << 13
)

// add reports whether the object hasn't had the name so far. It keeps the name itself.
func (s *nameSet) add(object int, name []byte) bool {
	if 2*(s.used+1) > len(s.slots) {
		s.grow()
	}
	hash := maphash.Bytes(seed, name) ^ uint64(object)*0x9e3779b97f4a7c15
	i := s.home(hash)
	for ; s.slots[i].object != 0; i = (i + 1) & (len(s.slots) - 1) {
		if o := &s.slots[i]; o.hash == hash && o.object == object && bytes.Equal(o.name, name) {
			return false
		}
	}
	s.slots[i] = slot{name, hash, object}
	s.used++
	return true
}

func (s *nameSet) home(hash uint64) int { return int(hash & uint64(len(s.slots)-1)) }

func (s *nameSet) grow() {
	old, size := s.slots, max(fewNames, 2*len(s.slots))
	if s.slots = s.spare; cap(s.slots) < size {
		s.slots = make([]slot, size)
	}
	s.slots = s.slots[:size]
	for _, o := range old {
		if o.object != 0 {
			i := s.home(o.hash)
			for ; s.slots[i].object != 0; i = (i + 1) & (size - 1) {
			}
			s.slots[i] = o
		}
	}
	clear(old)
	s.spare = old
}

// reset forgets the names. It clears what this body has used, and not what a larger one once has.
func (s *nameSet) reset() {
	clear(s.slots)
	s.slots, s.used = s.slots[:min(len(s.slots), fewNames)], 0
	if cap(s.slots) > keptNames {
		s.slots = nil
	}
	if cap(s.spare) > keptNames {
		s.spare = nil
	}
}
