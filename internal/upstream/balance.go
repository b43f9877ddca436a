package upstream

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Balance says which of several servers gets a request. All of them look at weights and pass over
// servers that aren't healthy or have all their connections in use.
type Balance uint8

const (
	// RoundRobin takes one after the other. The default.
	RoundRobin Balance = iota
	// LeastOutstanding takes one that has the fewest requests to answer.
	LeastOutstanding
	// PowerOfTwo draws two and takes the one with fewer requests to answer. Where several gateways
	// share servers they don't all run to the same one, as with LeastOutstanding.
	PowerOfTwo
)

// String returns the constant's name.
func (b Balance) String() string {
	switch b {
	case RoundRobin:
		return "RoundRobin"
	case LeastOutstanding:
		return "LeastOutstanding"
	case PowerOfTwo:
		return "PowerOfTwo"
	}
	return fmt.Sprintf("Balance(%d)", uint8(b))
}

// take returns an upstream for a request that has been sent to those in tried before, and counts
// the request as outstanding there. It returns nil if all have as many as they may have.
func (p *Pool) take(now int64, tried []*server) *server {
	set := p.servers.Load()
	if len(set.all) == 1 {
		if s := set.all[0]; p.acquire(s) {
			return s
		}
		return nil
	}
	var room [32]*server
	usable := room[:0]
	for _, s := range set.all {
		if s.usable(now) {
			usable = append(usable, s)
		}
	}
	// Where so few are left, the checks or the network between are more likely at fault, and those
	// that are left wouldn't carry the load.
	if len(usable) == 0 || len(usable)*100 < p.config.PanicPercent*len(set.all) {
		usable = append(usable[:0], set.all...)
	}
	if len(tried) > 0 {
		fresh := slices.DeleteFunc(slices.Clone(usable), func(s *server) bool { return slices.Contains(tried, s) })
		if s := p.takeOf(fresh, set); s != nil {
			return s
		}
	}
	return p.takeOf(usable, set)
}

// takeOf returns one of candidates, whose order it doesn't keep, or nil if all have as many
// requests as they may have.
func (p *Pool) takeOf(candidates []*server, set *serverSet) *server {
	for len(candidates) > 0 {
		i := p.choose(candidates, set)
		if s := candidates[i]; p.acquire(s) {
			return s
		}
		candidates = slices.Delete(candidates, i, i+1)
	}
	return nil
}

// choose returns the index of a candidate.
func (p *Pool) choose(candidates []*server, set *serverSet) int {
	if len(candidates) == 1 {
		return 0
	}
	switch p.config.Balance {
	case LeastOutstanding:
		best := int(p.turn.Add(1) % uint32(len(candidates))) // equals take turns
		for k, start := 1, best; k < len(candidates); k++ {
			if i := (start + k) % len(candidates); less(candidates[i], candidates[best]) {
				best = i
			}
		}
		return best
	case PowerOfTwo:
		i := rand.IntN(len(candidates))
		j := rand.IntN(len(candidates) - 1)
		if j >= i {
			j++
		}
		if less(candidates[j], candidates[i]) {
			return j
		}
		return i
	}
	if set.equal {
		return int((p.turn.Add(1) - 1) % uint32(len(candidates)))
	}
	total, stride := set.total, set.stride
	if len(candidates) < len(set.all) {
		total = 0
		for _, s := range candidates {
			total += uint32(s.weight)
		}
		stride = coprime(total)
	}
	share := uint32(uint64(p.turn.Add(1)-1) * uint64(stride) % uint64(total))
	for i, s := range candidates {
		if share < uint32(s.weight) {
			return i
		}
		share -= uint32(s.weight)
	}
	return 0 // not reached: share is less than the sum
}

// less reports whether a would be less busy with one more request than b, for its weight.
func less(a, b *server) bool {
	return (int64(a.outstanding.Load())+1)*int64(b.weight) < (int64(b.outstanding.Load())+1)*int64(a.weight)
}

// acquire counts a request as outstanding at s, unless there are as many as there may be.
func (p *Pool) acquire(s *server) bool {
	if s.outstanding.Add(1) <= int32(p.config.MaxConnections) {
		return true
	}
	s.outstanding.Add(-1)
	return false
}

// release ends what acquire began.
func (p *Pool) release(s *server) {
	s.outstanding.Add(-1)
	p.queue.wakeOne()
}
