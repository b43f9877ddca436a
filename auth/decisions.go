package auth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/clock"
)

// decision is what an authorizer answered. It is immutable. The policy is kept and not what it said of one request: it is evaluated anew
// for each.
type decision struct {
	authorization *gatekit.Authorization
	policy        *policy.Policy // or, if nil, allow
	allow         bool
}

// of returns what the decision means for a request.
func (d *decision) of(r *policy.Request) policy.Decision {
	switch {
	case d.policy != nil:
		return policy.Evaluate(r, d.policy)
	case d.allow:
		return policy.Decision{Effect: policy.Allow, Policy: -1, Statement: -1}
	}
	return policy.Decision{Policy: -1, Statement: -1}
}

// CacheStats counts what became of the requests that an authorizer's cache was asked for.
type CacheStats struct {
	// Hits were answered from the cache; Stale is how many of these because a new decision failed.
	Hits, Stale uint64
	// Misses led to a call. Coalesced waited for the call of another request.
	Misses, Coalesced uint64
	// Evicted is how many decisions made room for others before they had expired.
	Evicted uint64
	// Entries is how many decisions are kept now, expired ones among them until they are replaced.
	Entries int
}

// decisions keeps decisions, and makes one call at a time for a key. Nothing runs in the background but the calls: what has expired is
// found out when it is looked up.
type decisions struct {
	ttl, negativeTTL, maxStale, timeout time.Duration
	cache                               *clock.Cache[decisionKey, kept]
	counts                              [countStripes]counts

	mu    sync.Mutex
	calls map[decisionKey]*pending
	epoch uint64 // a call that began in an earlier one isn't kept
}

type kept struct {
	decision *decision
	expires  time.Time
}

// counts are striped: one line that all cores add to would cost more than the look-up.
type counts struct {
	hits, stale, misses, coalesced atomic.Uint64
	_                              [4]uint64 // a cache line
}

const countStripes = 16

func newDecisions(c CacheConfig) *decisions {
	d := &decisions{
		ttl: c.TTL, negativeTTL: c.NegativeTTL, maxStale: c.StaleIfError, timeout: c.Timeout, calls: map[decisionKey]*pending{},
	}
	if d.keeps() {
		d.cache = clock.New[decisionKey, kept](c.MaxEntries, 1)
	}
	return d
}

func (d *decisions) keeps() bool { return d.ttl > 0 || d.negativeTTL > 0 }

func (d *decisions) count() *counts { return &d.counts[rand.Uint32()%countStripes] }

// Stats returns the counts since the start.
func (d *decisions) Stats() CacheStats {
	var s CacheStats
	for i := range d.counts {
		c := &d.counts[i]
		s.Hits += c.hits.Load()
		s.Stale += c.stale.Load()
		s.Misses += c.misses.Load()
		s.Coalesced += c.coalesced.Load()
	}
	s.Entries, _, s.Evicted = d.cache.Size()
	return s
}

// Flush forgets all decisions, those of calls under way among them.
func (d *decisions) Flush() {
	d.nextEpoch()
	d.cache.Clear()
}

// Invalidate forgets the decisions on a principal and returns how many there were. It looks at all that are kept. A call that is under
// way answers those who wait for it, and isn't kept.
func (d *decisions) Invalidate(principal string) int {
	d.nextEpoch()
	return d.cache.RemoveFunc(func(e *clock.Entry[decisionKey, kept]) bool {
		return e.Value.decision.authorization.Principal() == principal
	})
}

func (d *decisions) nextEpoch() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.epoch++
	clear(d.calls) // who comes later must not join a call that began before
}

// call is how a decision is made. refuses reports whether it refuses the request it was made for.
type call func(ctx context.Context) (made *decision, err error)

// hit returns the decision kept under key, or nil.
func (d *decisions) hit(key decisionKey, now time.Time) *decision {
	e := d.cache.Get(key.hash(), key)
	if e == nil || !now.Before(e.Value.expires) {
		return nil
	}
	d.count().hits.Add(1)
	return e.Value.decision
}

// get returns a new decision where hit has found none. ctx is that of the request that asks; it can end the waiting, but not a call that
// others wait for.
func (d *decisions) get(ctx context.Context, key decisionKey, now time.Time, ask call, refuses func(*decision) bool) (*decision, error) {
	made, err := d.fly(ctx, key, now, ask, refuses)
	var rejection *gatekit.Rejection
	if err == nil || ctx.Err() != nil || errors.As(err, &rejection) && !isFault(rejection) {
		return made, err
	}
	// Only now: what was invalidated while the call was under way must not come back.
	if e := d.cache.Get(key.hash(), key); e != nil && now.Before(e.Value.expires.Add(d.maxStale)) {
		d.count().stale.Add(1)
		d.count().hits.Add(1)
		return e.Value.decision, nil
	}
	return nil, err
}

func isFault(r *gatekit.Rejection) bool { return r.StatusFor(gatekit.REST) >= 500 }

// pending is a call, for all requests that wait for it.
type pending struct {
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{} // closed once made and err are set
	made    *decision
	err     error
	waiting int // under decisions.mu
}

func (d *decisions) fly(ctx context.Context, key decisionKey, now time.Time, ask call, refuses func(*decision) bool) (*decision, error) {
	d.mu.Lock()
	f := d.calls[key]
	if f == nil {
		// A call may have ended since hit looked: what it made was kept before it left d.calls.
		if made := d.hit(key, now); made != nil {
			d.mu.Unlock()
			return made, nil
		}
	}
	if f == nil || !d.keeps() {
		d.count().misses.Add(1)
		f = d.start(ctx, key, ask, refuses)
	} else {
		d.count().coalesced.Add(1)
	}
	f.waiting++
	d.mu.Unlock()

	select {
	case <-f.done:
		return f.made, f.err
	case <-f.ctx.Done():
		select {
		case <-f.done:
			return f.made, f.err
		default: // what is called doesn't heed its context; nobody waits for it any longer
			d.land(key, f)
			return nil, fmt.Errorf("auth: no decision within %v: %w", d.timeout, f.ctx.Err())
		}
	case <-ctx.Done():
		d.mu.Lock()
		if f.waiting--; f.waiting == 0 {
			f.cancel()
			if d.calls[key] == f {
				delete(d.calls, key)
			}
		}
		d.mu.Unlock()
		return nil, fmt.Errorf("auth: waiting for a decision: %w", ctx.Err())
	}
}

// start is called with the lock held. The call's context has the values of the first request's, not its end.
func (d *decisions) start(ctx context.Context, key decisionKey, ask call, refuses func(*decision) bool) *pending {
	f := &pending{done: make(chan struct{})}
	f.ctx, f.cancel = context.WithTimeout(context.WithoutCancel(ctx), d.timeout)
	if d.keeps() {
		d.calls[key] = f
	}
	epoch, table := d.epoch, d.cache.Table()
	go func() {
		defer f.cancel()
		f.made, f.err = protect(f.ctx, ask)
		if f.err == nil {
			ttl := d.ttl
			if refuses(f.made) {
				ttl = d.negativeTTL
			}
			d.mu.Lock()
			if ttl > 0 && d.epoch == epoch && f.ctx.Err() == nil {
				d.cache.Put(table, key.hash(), key, kept{f.made, time.Now().Add(ttl)}, 0)
			}
			d.mu.Unlock()
		}
		d.land(key, f)
		close(f.done)
	}()
	return f
}

func (d *decisions) land(key decisionKey, f *pending) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.calls[key] == f {
		delete(d.calls, key)
	}
}

// protect makes a panic an error: it would end the program, in a goroutine that isn't the request's.
func protect(ctx context.Context, ask call) (made *decision, err error) {
	defer func() {
		if v := recover(); v != nil {
			made, err = nil, fmt.Errorf("auth: the authorizer panicked: %T", v) // v may hold a secret
		}
	}()
	made, err = ask(ctx)
	if made == nil && err == nil {
		err = errNoVerdict
	}
	return made, err
}
