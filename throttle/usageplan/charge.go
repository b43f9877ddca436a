package usageplan

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
)

// Charge is what a request costs its key's quota: units are reserved before the request is let
// through, and stand, unless they are settled or given back. It implements [gatekit.Charge];
// handlers find it with [ChargeOf]. It is safe for concurrent use.
type Charge struct {
	registry *Registry
	key      *liveKey
	member   *membership
	plan     *livePlan
	value    string
	counter  Counter
	on       Date
	reserved int64
	limit    int64 // of the quota in this period, without extra units; negative: none
	left     int64
	bucket   int // tokens left in the plan's bucket, if it was asked
	asked    bool
	counted  bool
	state    atomic.Int32
}

const (
	reserved = iota
	settled
	refunded
)

var _ gatekit.Charge = (*Charge)(nil)

// ErrSettled is what Settle returns if the charge was settled before, or given back as the request
// was refused.
var ErrSettled = errors.New("usageplan: the charge is settled already")

// ChargeOf returns the charge of the request that ctx belongs to, or nil if no usage plan counts
// it. The methods work on nil.
func ChargeOf(ctx context.Context) *Charge {
	if rc := gatekit.From(ctx); rc != nil {
		c, _ := rc.Charge.(*Charge)
		return c
	}
	return nil
}

// KeyID returns the ID of the request's API key.
func (c *Charge) KeyID() string {
	if c == nil {
		return ""
	}
	return c.key.id
}

// PlanID returns the ID of the usage plan that the request is counted under.
func (c *Charge) PlanID() string {
	if c == nil {
		return ""
	}
	return c.plan.ID
}

// Reserved implements [gatekit.Charge].
func (c *Charge) Reserved() int64 {
	if c == nil {
		return 0
	}
	return c.reserved
}

// Remaining returns how many units were left of the quota when the request was let through, and
// whether there is a quota. With a Fast quota, what other machines have used since this one last
// asked isn't known.
func (c *Charge) Remaining() (units int64, limited bool) {
	if c == nil || c.limit < 0 || !c.counted {
		return 0, false
	}
	return max(c.left, 0), true
}

// Settle implements [gatekit.Charge]. A handler that knows what a request cost only at its end, in
// tokens, bytes or rows, lets Config.Cost reserve a guess and settles what it was. A charge of a
// bypassed request settles nothing. The error is [ErrSettled], or the store's.
func (c *Charge) Settle(ctx context.Context, units int64) error {
	if c == nil {
		return nil
	}
	if units < 0 || units > maxUnits {
		return fmt.Errorf("usageplan: Settle: want 0 to %d units, got %d", int64(maxUnits), units)
	}
	if !c.state.CompareAndSwap(reserved, settled) {
		return ErrSettled
	}
	if err := c.add(ctx, units-c.reserved); err != nil {
		c.state.Store(reserved)
		return err
	}
	return nil
}

// refund gives back what was reserved, for a request that was refused after all.
func (c *Charge) refund(ctx context.Context) error {
	if !c.state.CompareAndSwap(reserved, refunded) {
		return nil
	}
	return c.add(ctx, -c.reserved)
}

func (c *Charge) add(ctx context.Context, units int64) error {
	if units == 0 || !c.counted {
		return nil
	}
	if units < 0 && c.plan.fast() && c.lease().giveBack(c.counter, -units) {
		return nil
	}
	asking, cancel := c.registry.asking(ctx)
	defer cancel()
	_, err := c.registry.store.Add(asking, c.counter, c.on, units)
	return err
}

// lease returns the lease of the charge's key under its plan, which only plans with Fast quotas
// have.
func (c *Charge) lease() *lease {
	if l := c.member.lease.Load(); l != nil {
		return l
	}
	l := c.registry.lease(leaseKey{c.plan.ID, c.key.id})
	c.member.lease.Store(l)
	return l
}

func (p *Plan) fast() bool { return p.Quota != nil && p.Quota.Mode == Fast }

// reserve takes the units, or reports that the quota doesn't have them.
func (c *Charge) reserve(ctx context.Context, now time.Time) (ok bool, err error) {
	g, plan := c.registry, c.plan
	c.on = DateOf(now)
	from, to := plan.period(c.on, g.sundayWeeks)
	c.counter = Counter{plan.ID, c.key.id, from, to}
	c.limit = plan.limitIn(from, to, c.member.since)
	if plan.fast() {
		ok, c.left, err = c.lease().take(ctx, g, c.counter, c.on, c.reserved, c.limit, now)
	} else {
		ok, c.left, err = g.reserve(ctx, c.counter, c.on, c.reserved, c.limit)
	}
	c.counted = err == nil && ok
	return ok, err
}

// reserve takes n units from the store, or none.
func (g *Registry) reserve(ctx context.Context, c Counter, on Date, n, limit int64) (ok bool, left int64, err error) {
	if n == 0 {
		return true, 0, nil // settled later
	}
	asking, cancel := g.asking(ctx)
	defer cancel()
	granted, count, err := g.store.Reserve(asking, c, on, n, n, limit)
	if err == nil {
		g.counting.Worked(ctx)
	}
	return granted > 0, limit + count.Extra - count.Used, err
}
