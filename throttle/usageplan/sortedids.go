package usageplan

import (
	"iter"
	"slices"
	"sort"
)

// sortedIDs is a sorted set of IDs in blocks, so that one that comes or goes moves a block's worth
// of others and not all that come after it: in one slice of a million, that was a millisecond each.
type sortedIDs struct {
	blocks [][]string // none is empty
}

const maxBlock = 512

// block returns the index of the block that id is in, if it is in any, or is to be put in.
func (s *sortedIDs) block(id string) int {
	return max(sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i][0] > id })-1, 0)
}

// insert puts in an ID, if it isn't there.
func (s *sortedIDs) insert(id string) {
	if len(s.blocks) == 0 {
		s.blocks = [][]string{{id}}
		return
	}
	b := s.block(id)
	i, found := slices.BinarySearch(s.blocks[b], id)
	if found {
		return
	}
	s.blocks[b] = slices.Insert(s.blocks[b], i, id)
	if full := s.blocks[b]; len(full) > maxBlock {
		s.blocks = slices.Insert(s.blocks, b+1, slices.Clone(full[maxBlock/2:]))
		s.blocks[b] = slices.Clip(full[:maxBlock/2])
	}
}

func (s *sortedIDs) remove(id string) {
	if len(s.blocks) == 0 {
		return
	}
	b := s.block(id)
	i, found := slices.BinarySearch(s.blocks[b], id)
	if !found {
		return
	}
	if s.blocks[b] = slices.Delete(s.blocks[b], i, i+1); len(s.blocks[b]) == 0 {
		s.blocks = slices.Delete(s.blocks, b, b+1)
	}
}

// after returns the IDs that come after the given one, in the order of their bytes.
func (s *sortedIDs) after(id string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for b := s.block(id); b < len(s.blocks); b++ {
			i, found := slices.BinarySearch(s.blocks[b], id)
			if found {
				i++
			}
			for _, next := range s.blocks[b][i:] {
				if !yield(next) {
					return
				}
			}
		}
	}
}
