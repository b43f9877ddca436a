package telemetry

import (
	"math"
	"sync/atomic"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/growtable"
)

// note counts what a station has noted.
func (s *series) note(n *gatekit.Note) {
	switch n.Verdict {
	case gatekit.Refused:
		s.refused[phaseOf(n)].Add(1)
		if n.Phase == gatekit.PhaseThrottle {
			if c := ruled(&s.limits, n.Rule); c != nil {
				c.Add(1)
			}
		}
	case gatekit.OnTrial:
		s.trial[phaseOf(n)].Add(1)
	case gatekit.Retried:
		s.retries.Add(1)
	case gatekit.Hit, gatekit.Miss:
		s.looked(n)
	}
	if n.Phase == gatekit.PhaseQuota && n.Limited {
		if q := ruled(&s.quotas, n.Rule); q != nil {
			q.saw(n.Left)
		}
	}
}

func phaseOf(n *gatekit.Note) gatekit.Phase {
	if n.Phase < gatekit.Phases {
		return n.Phase
	}
	return gatekit.PhaseGateway
}

// looked counts a look into a cache: the stage's, or an authorizer's.
func (s *series) looked(n *gatekit.Note) {
	hit := n.Verdict == gatekit.Hit
	switch n.Phase {
	case gatekit.PhaseCache:
		if hit {
			s.hits.Add(1)
		} else {
			s.misses.Add(1)
		}
	case gatekit.PhaseAuthenticate, gatekit.PhaseAuthorizer:
		c := ruled(&s.authorizers, n.Rule)
		switch {
		case c == nil:
		case hit:
			c.hits.Add(1)
		default:
			c.misses.Add(1)
		}
	}
}

// ruled returns what belongs to a rule, or, where there is no room, to all others.
func ruled[V any](t *growtable.Table[string, V], rule string) *V {
	if found := t.Get(rule); found != nil {
		return found
	}
	empty := func() *V { return new(V) }
	if len(rule) <= maxRuleText {
		if found := t.Add(rule, func() bool { return t.Len() < t.Most()-1 }, empty); found != nil {
			return found
		}
	}
	return t.Add(other, nil, empty)
}

const maxRuleText = 256

// quota is the least that was left of any key's quota of one plan.
type quota struct {
	least atomic.Int64 // since it was last told, and one more; 0 is nothing seen
	last  atomic.Int64 // what was told last
}

// saw notes what is left.
func (q *quota) saw(left int64) {
	left = max(left, 0)
	if left < math.MaxInt64 {
		left++
	}
	for {
		least := q.least.Load()
		if least != 0 && least <= left || q.least.CompareAndSwap(least, left) {
			return
		}
	}
}

// tell returns the least that was left since the last time, or what was told then if nothing was
// seen since.
func (q *quota) tell() int64 {
	if seen := q.least.Swap(0); seen != 0 {
		q.last.Store(seen - 1)
	}
	return q.last.Load()
}
