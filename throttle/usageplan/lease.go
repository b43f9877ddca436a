package usageplan

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit/internal/flight"
)

type leaseKey struct{ plan, key string }

// lease is units of a Fast quota that the store has counted already and that this process may let
// through.
type lease struct {
	mu      sync.Mutex
	counter Counter
	on      Date  // the day that the units were counted on
	left    int64 // units in hand
	store   int64 // units that the store had left when it was last asked
	used    time.Time
	empty   time.Time // until when the store isn't asked for lacking units or more, as it had fewer
	lacking int64
	filling *filling // nil: nobody asks
}

const (
	maxLease   = 1000
	emptyFor   = time.Second
	idleAfter  = 30 * time.Second
	leaseParts = 8 // no lease is more than this part of what the store has left
)

func (g *Registry) lease(k leaseKey) *lease {
	g.leasing.Lock()
	defer g.leasing.Unlock()
	keys := g.leases[k.plan]
	if keys == nil {
		keys = map[string]*lease{}
		g.leases[k.plan] = keys
	}
	l := keys[k.key]
	if l == nil {
		l = &lease{}
		keys[k.key] = l
	}
	return l
}

// filling is a question to the store that is under way. What it finds out is in the lease; who
// waits for it looks there again.
type filling = flight.Call[struct{}]

// take takes n units of c, from what is in hand, or else from the store. It returns how many are
// left, as far as is known here. Who waits for another's question takes its failure for their own:
// asked one after the other, a store that is away would keep the last waiting for long. They wait
// whether or not their client does: a unit that was taken has to be known, and nobody is to be let
// through unjudged for hanging up.
func (l *lease) take(
	ctx context.Context, g *Registry, c Counter, on Date, n, limit int64, now time.Time,
) (ok bool, left int64, err error) {
	for {
		l.mu.Lock()
		if l.counter != c {
			// A request that comes late from the period before: what is in hand is the new one's.
			if c.To <= l.counter.From {
				l.mu.Unlock()
				return g.reserve(ctx, c, on, n, limit)
			}
			l.counter, l.left, l.store, l.empty = c, 0, limit, time.Time{} // what was in hand was of another period
		}
		l.used = now
		if l.left >= n {
			l.left -= n
			left = l.left + l.store
			l.mu.Unlock()
			return true, left, nil
		}
		if now.Before(l.empty) && n-l.left >= l.lacking {
			left = l.left
			l.mu.Unlock()
			return false, left, nil
		}
		if f := l.filling; f != nil {
			l.mu.Unlock()
			<-f.Done() // it ends in time: asking sees to that
			if _, err := f.Result(); err != nil {
				return false, 0, err
			}
			continue
		}
		l.filling = flight.New[struct{}]()
		q := question{counter: c, on: on, n: n, atLeast: n - l.left, limit: limit, now: now}
		q.atMost = max(min(limit/100, maxLease, l.store/leaseParts), q.atLeast)
		l.mu.Unlock()
		return l.fill(ctx, g, q)
	}
}

// question is what the store is asked: for n units of the request at hand, of which some are in the
// lease already, and for those to come.
type question struct {
	counter                   Counter
	on                        Date
	n, atLeast, atMost, limit int64
	now                       time.Time
}

var errUnanswered = errors.New("usageplan: the store panicked")

// fill asks the store.
func (l *lease) fill(ctx context.Context, g *Registry, q question) (ok bool, left int64, err error) {
	granted, moved, left, err := l.ask(ctx, g, q)
	if err != nil {
		return false, left, err
	}
	g.counting.Worked(ctx)
	if moved && granted > q.n {
		asking, cancel := g.asking(ctx)
		defer cancel()
		_, err = g.store.Add(asking, q.counter, q.on, q.n-granted)
	}
	return granted > 0, left, err
}

// ask puts the answer into the lease, and wakes who waits for it, also where the store panics.
// moved is true where another period began while the store was asked: then the units are this
// request's alone, and no lease's.
func (l *lease) ask(ctx context.Context, g *Registry, q question) (granted int64, moved bool, left int64, err error) {
	var count Count
	err = errUnanswered
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if moved = l.counter != q.counter; err == nil && !moved {
			l.on, l.store = q.on, max(q.limit+count.Extra-count.Used, 0)
			l.left += granted
			if granted > 0 {
				l.left -= q.n
			} else {
				l.empty, l.lacking = q.now.Add(emptyFor), q.atLeast
			}
			left = l.left + l.store
		}
		f := l.filling
		l.filling = nil
		f.End(struct{}{}, err)
	}()
	asking, cancel := g.asking(ctx)
	defer cancel()
	granted, count, err = g.store.Reserve(asking, q.counter, q.on, q.atLeast, q.atMost, q.limit)
	return granted, moved, left, err
}

// giveBack returns n units to what is in hand, and reports whether they were of this lease's
// period.
func (l *lease) giveBack(c Counter, n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counter != c {
		return false
	}
	l.left += n // which is looked at before empty; the store has no more for it
	return true
}

// renounce gives what is in hand back to the store, if it hasn't been used since.
func (l *lease) renounce(ctx context.Context, store Store, since time.Time) error {
	l.mu.Lock()
	l.empty = time.Time{} // the store may have more by now
	c, on, n := l.counter, l.on, l.left
	if n == 0 || l.used.After(since) {
		l.mu.Unlock()
		return nil
	}
	l.left = 0
	l.mu.Unlock()
	_, err := store.Add(ctx, c, on, -n)
	if err != nil {
		l.giveBack(c, n)
	}
	return err
}

// forgetKey forgets the leases of a key that is gone.
func (g *Registry) forgetKey(id string) {
	g.leasing.Lock()
	defer g.leasing.Unlock()
	for _, l := range g.leases {
		delete(l, id)
	}
}

// forgetPlan forgets the leases of a plan that is gone.
func (g *Registry) forgetPlan(id string) {
	g.leasing.Lock()
	defer g.leasing.Unlock()
	delete(g.leases, id)
}

// giveBackEvery gives back the leases that nobody has used for a while, until ctx ends. It has a
// goroutine of its own, as it asks the store once a lease, and no revocation is to wait for that.
func (g *Registry) giveBackEvery(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asking, cancel := context.WithTimeout(ctx, storeTimeout)
		_ = g.renounce(asking, time.Now().Add(-idleAfter)) // tried again
		cancel()
	}
}

// Flush gives back what this process has leased of Fast quotas and not used. Call it when no more
// requests are served, before the store is closed.
func (g *Registry) Flush(ctx context.Context) error { return g.renounce(ctx, time.Now()) }

func (g *Registry) renounce(ctx context.Context, since time.Time) error {
	g.leasing.Lock()
	var all []*lease
	for _, keys := range g.leases {
		all = slices.AppendSeq(all, maps.Values(keys))
	}
	g.leasing.Unlock()
	for _, l := range all {
		if err := l.renounce(ctx, g.store, since); err != nil {
			return err
		}
	}
	return nil
}
