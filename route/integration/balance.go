package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Balance says which of several upstreams gets a request. All of them look at weights and pass over upstreams that aren't healthy or have all
// their connections in use.
type Balance uint8

const (
	// RoundRobin takes one after the other. The default.
	RoundRobin Balance = iota
	// LeastOutstanding takes one that has the fewest requests to answer.
	LeastOutstanding
	// PowerOfTwo draws two and takes the one with fewer requests to answer. Where several gateways share upstreams they don't all run to the
	// same one, as with LeastOutstanding.
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

// take returns an upstream for a request that has been sent to those in tried before, and counts the request as outstanding there. It returns nil
// if all have as many as they may have.
func (p *Proxy) take(now int64, tried []*upstream) *upstream {
	set := p.upstreams.Load()
	if len(set.all) == 1 {
		if u := set.all[0]; p.acquire(u) {
			return u
		}
		return nil
	}
	var room [32]*upstream
	usable := room[:0]
	for _, u := range set.all {
		if u.usable(now) {
			usable = append(usable, u)
		}
	}
	// Where so few are left, the checks or the network between are more likely at fault, and those that are left wouldn't carry the load.
	if len(usable) == 0 || len(usable)*100 < p.panicPercent*len(set.all) {
		usable = append(usable[:0], set.all...)
	}
	if len(tried) > 0 {
		fresh := slices.DeleteFunc(slices.Clone(usable), func(u *upstream) bool { return slices.Contains(tried, u) })
		if u := p.takeOf(fresh, set); u != nil {
			return u
		}
	}
	return p.takeOf(usable, set)
}

// takeOf returns one of candidates, whose order it doesn't keep, or nil if all have as many requests as they may have.
func (p *Proxy) takeOf(candidates []*upstream, set *upstreamSet) *upstream {
	for len(candidates) > 0 {
		i := p.choose(candidates, set)
		if u := candidates[i]; p.acquire(u) {
			return u
		}
		candidates = slices.Delete(candidates, i, i+1)
	}
	return nil
}

// choose returns the index of a candidate.
func (p *Proxy) choose(candidates []*upstream, set *upstreamSet) int {
	if len(candidates) == 1 {
		return 0
	}
	switch p.balance {
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
		for _, u := range candidates {
			total += uint32(u.weight)
		}
		stride = coprime(total)
	}
	share := uint32(uint64(p.turn.Add(1)-1) * uint64(stride) % uint64(total))
	for i, u := range candidates {
		if share < uint32(u.weight) {
			return i
		}
		share -= uint32(u.weight)
	}
	return 0 // not reached: share is less than the sum
}

// less reports whether a would be less busy with one more request than b, for its weight.
func less(a, b *upstream) bool {
	return (int64(a.outstanding.Load())+1)*int64(b.weight) < (int64(b.outstanding.Load())+1)*int64(a.weight)
}

// acquire counts a request as outstanding at u, unless there are as many as there may be.
func (p *Proxy) acquire(u *upstream) bool {
	if u.outstanding.Add(1) <= p.maxConnections {
		return true
	}
	u.outstanding.Add(-1)
	return false
}

// release ends what acquire began.
func (p *Proxy) release(u *upstream) {
	u.outstanding.Add(-1)
	p.queue.wakeOne()
}
