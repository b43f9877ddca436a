package usageplan

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

type leaseKey struct{ plan, key string }

// lease is units of a Fast quota that the store has counted already and that this process may let through.
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

// filling is a question to the store that is under way.
type filling struct {
	done chan struct{} // closed with the answer
	err  error
}

// take takes n units of c, from what is in hand, or else from the store. It returns how many are left, as far as is known here. Who waits for
// another's question takes its failure for their own: asked one after the other, a store that is away would keep the last waiting for long.
func (l *lease) take(ctx context.Context, g *Registry, c Counter, on Date, n, limit int64, now time.Time) (ok bool, left int64, err error) {
	for {
		l.mu.Lock()
		if l.counter != c {
			if c.To <= l.counter.From { // a request that comes late from the period before: what is in hand is the new one's
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
			if <-f.done; f.err != nil { // it ends in time: asking sees to that
				return false, 0, f.err
			}
			continue
		}
		f := &filling{done: make(chan struct{})}
		l.filling = f
		atLeast := n - l.left
		atMost := max(min(limit/100, maxLease, l.store/leaseParts), atLeast)
		l.mu.Unlock()

		return l.fill(ctx, g, f, c, on, n, atLeast, atMost, limit, now)
	}
}

var errUnanswered = errors.New("usageplan: the store panicked")

// fill asks the store, for the request at hand and those to come.
func (l *lease) fill(ctx context.Context, g *Registry, f *filling, c Counter, on Date, n, atLeast, atMost, limit int64, now time.Time) (ok bool, left int64, err error) {
	var granted int64
	var count Count
	moved := false
	func() {
		err = errUnanswered
		defer func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if moved = l.counter != c; err == nil && !moved {
				l.on, l.store = on, max(limit+count.Extra-count.Used, 0)
				l.left += granted
				if ok = granted > 0; ok {
					l.left -= n
				} else {
					l.empty, l.lacking = now.Add(emptyFor), atLeast
				}
				left = l.left + l.store
			}
			l.filling, f.err = nil, err
			close(f.done)
		}()
		asking, cancel := g.asking(ctx)
		defer cancel()
		granted, count, err = g.store.Reserve(asking, c, on, atLeast, atMost, limit)
	}()
	if err == nil {
		g.counting.Worked(ctx)
	}
	if err == nil && moved { // another period began while the store was asked: the units are this request's alone
		ok = granted > 0
		if granted > n {
			asking, cancel := g.asking(ctx)
			defer cancel()
			_, err = g.store.Add(asking, c, on, n-granted)
		}
	}
	return ok, left, err
}

// giveBack returns n units to what is in hand, and reports whether they were of this lease's period.
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

// giveBackEvery gives back the leases that nobody has used for a while, until ctx ends. It has a goroutine of its own, as it asks the store once a
// lease, and no revocation is to wait for that.
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

// Flush gives back what this process has leased of Fast quotas and not used. Call it when no more requests are served, before the store is
// closed.
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
