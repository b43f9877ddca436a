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
	"github.com/gatekit-go/gatekit/internal/flight"
)

// decision is what an authorizer answered. It is immutable. The policy is kept and not what it said
// of one request: it is evaluated anew for each.
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

// decisions keeps decisions, and makes one call at a time for a key. Nothing runs in the background
// but the calls: what has expired is found out when it is looked up.
//
// What was invalidated must not come back. Three things could bring it back, and each is met by the
// epoch, which every invalidation begins anew: a call that began before could be joined by a
// request that came after (so the group forgets its calls); its answer could be kept after
// everything else was forgotten (so it is kept only in the epoch in which it began, and mu makes
// that check and the keeping one step); and a decision that is too old could stand in for a call
// that fails (so it is looked up after the call, not before).
type decisions struct {
	ttl, negativeTTL, staleIfError, timeout time.Duration
	cache                                   *clock.Cache[decisionKey, kept]
	calls                                   flight.Group[decisionKey, *decision]
	counts                                  [countStripes]counts

	mu    sync.Mutex // never held during a call; taken within the group's lock, which is never taken within it
	epoch uint64
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
	d := &decisions{ttl: c.TTL, negativeTTL: c.NegativeTTL, staleIfError: c.StaleIfError, timeout: c.Timeout}
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

// Invalidate forgets the decisions on a principal and returns how many there were. It looks at all
// that are kept. A call that is under way answers those who wait for it, and isn't kept.
func (d *decisions) Invalidate(principal string) int {
	d.nextEpoch()
	return d.cache.RemoveFunc(func(e *clock.Entry[decisionKey, kept]) bool {
		return e.Value.decision.authorization.Principal() == principal
	})
}

func (d *decisions) nextEpoch() {
	d.mu.Lock()
	d.epoch++
	d.mu.Unlock()
	d.calls.Forget()
}

// question is how a decision is made. refuses reports whether it refuses the request it was made
// for.
type question struct {
	ask     func(context.Context) (*decision, error)
	refuses func(*decision) bool
}

// hit returns the decision kept under key, or nil.
func (d *decisions) hit(key decisionKey, now time.Time) *decision {
	e := d.cache.Get(key.hash(), key)
	if e == nil || !now.Before(e.Value.expires) {
		return nil
	}
	d.count().hits.Add(1)
	return e.Value.decision
}

// provenance is how a request has come by a decision that it didn't find at once.
type provenance struct {
	cached bool  // decisions are kept
	found  bool  // it was there when the call was to begin
	joined bool  // another request's call has made it
	fault  error // what a new one failed with, so that an old one had to do
}

// get returns a new decision where hit has found none. ctx is that of the request that asks; it can
// end the waiting, but not a call that others wait for.
//
// A fault (a timeout, a malformed answer: what isn't a refusal) may be bridged by what was known
// before, as RFC 5861, section 4 has it. A refusal may not: it is the newest that is known of the
// caller.
func (d *decisions) get(
	ctx context.Context, key decisionKey, now time.Time, q question,
) (made *decision, how provenance, err error) {
	made, how, err = d.fly(ctx, key, now, q)
	var rejection *gatekit.Rejection
	if err == nil || ctx.Err() != nil || errors.As(err, &rejection) && !isFault(rejection) {
		return made, how, err
	}
	if e := d.cache.Get(key.hash(), key); e != nil && now.Before(e.Value.expires.Add(d.staleIfError)) {
		d.count().stale.Add(1)
		d.count().hits.Add(1)
		how.fault = err
		return e.Value.decision, how, nil
	}
	return nil, how, err
}

func isFault(r *gatekit.Rejection) bool { return r.StatusFor(gatekit.REST) >= 500 }

// fly joins the call for key, or makes one. Where nothing is kept each request is judged by itself,
// as a decision that is shared is one that was kept for as long as it took to make it.
func (d *decisions) fly(
	ctx context.Context, key decisionKey, now time.Time, q question,
) (made *decision, how provenance, err error) {
	var epoch uint64
	how.cached = d.keeps()
	asked := false
	begin := func() (*decision, bool) {
		// A call may have ended since hit looked: what it made was kept before it left the group.
		if made := d.hit(key, now); made != nil {
			asked, how.found = true, true
			return made, true
		}
		d.count().misses.Add(1)
		d.mu.Lock()
		epoch, asked = d.epoch, true
		d.mu.Unlock()
		return nil, false
	}
	call := func(ctx context.Context) (*decision, error) { return d.decide(ctx, key, epoch, q) }
	if how.cached {
		made, _, err = d.calls.Do(ctx, key, d.timeout, begin, call)
	} else {
		begin()
		made, err = flight.Start(ctx, d.timeout, call).Wait(ctx)
	}
	if how.joined = !asked; how.joined {
		d.count().coalesced.Add(1)
	}
	var panicked *flight.PanicError
	switch {
	case errors.As(err, &panicked):
		return nil, how, fmt.Errorf("auth: the authorizer panicked: %s", panicked.Type)
	case err != nil && ctx.Err() != nil:
		return nil, how, fmt.Errorf("auth: waiting for a decision: %w", err)
	case err == context.DeadlineExceeded:
		return nil, how, fmt.Errorf("auth: no decision within %v: %w", d.timeout, err)
	}
	return made, how, err
}

// decide makes a decision and keeps it, unless what was known has been invalidated since the call
// began in epoch. ctx is the call's.
func (d *decisions) decide(ctx context.Context, key decisionKey, epoch uint64, q question) (*decision, error) {
	table := d.cache.Table()
	made, err := q.ask(ctx)
	if err == nil && made == nil {
		err = errNoVerdict
	}
	if err != nil {
		return nil, err
	}
	ttl := d.ttl
	if q.refuses(made) {
		ttl = d.negativeTTL
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if ttl > 0 && d.epoch == epoch && ctx.Err() == nil {
		d.cache.Put(table, key.hash(), key, kept{made, time.Now().Add(ttl)}, 0)
	}
	return made, nil
}
