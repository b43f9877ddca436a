package redisthrottle

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/clock"
	"github.com/gatekit-go/gatekit/internal/flight"
	"github.com/gatekit-go/gatekit/throttle"
)

// share is tokens of one bucket that this machine has taken in advance.
type share struct {
	mu      sync.Mutex
	left    int
	wanted  int           // what was asked for last
	until   time.Time     // when what is left lapses
	rest    int           // what the bucket had left then
	full    time.Duration // and how long it was from full
	next    time.Time     // the bucket isn't asked before, as it had less than was wanted
	filling *filling      // the question that is under way, or nil
}

// filling is a question to Redis. What it finds out is in the share; who waits for it looks there
// again.
type filling = flight.Call[struct{}]

// leaseFor is how long a lease lasts.
const leaseFor = time.Second

// shares is the shares of a bounded number of keys. One that has to make room loses its tokens.
type shares struct {
	cache *clock.Cache[digest, *share]
	add   sync.Mutex
}

func newShares(maxKeys int) *shares {
	return &shares{cache: clock.New[digest, *share](maxKeys, math.MaxInt64)}
}

func (s *shares) of(d digest) *share {
	if e := s.cache.Get(d.hash(), d); e != nil {
		return e.Value
	}
	s.add.Lock()
	defer s.add.Unlock()
	if e := s.cache.Get(d.hash(), d); e != nil {
		return e.Value
	}
	made := &share{}
	s.cache.Put(s.cache.Table(), d.hash(), d, made, 1)
	return made
}

// spend takes a token from what this machine holds, or else from Redis together with some in
// advance. Who waits for another's question takes its failure for their own: asked one after the
// other, a Redis that is away would keep the last waiting for several timeouts.
func (b *Buckets) spend(ctx context.Context, d digest, l throttle.Limit) (bucket.Verdict, error) {
	s := b.shares.of(d)
	for {
		now := time.Now()
		s.mu.Lock()
		if s.left > 0 && !now.Before(s.until) {
			s.left, s.wanted = 0, 0 // nobody needed them
		}
		if s.left > 0 {
			s.left--
			v := bucket.Verdict{OK: true, Left: s.rest + s.left, Full: s.full}
			s.mu.Unlock()
			return v, nil
		}
		if now.Before(s.next) {
			v := bucket.Verdict{Wait: s.next.Sub(now), Full: s.full}
			s.mu.Unlock()
			return v, nil
		}
		if f := s.filling; f != nil {
			s.mu.Unlock()
			if _, err := f.Wait(ctx); err != nil {
				return bucket.Verdict{}, err
			}
			continue
		}
		f := flight.New[struct{}]()
		s.filling = f
		want := b.want(s, l, now)
		s.mu.Unlock()
		return b.fill(ctx, d, l, s, f, want)
	}
}

var errUnanswered = errors.New("redisthrottle: the client panicked")

// fill asks Redis for the request at hand and those to come, which is why it doesn't matter whether
// the client is still there.
func (b *Buckets) fill(
	ctx context.Context, d digest, l throttle.Limit, s *share, f *filling, want int,
) (v bucket.Verdict, err error) {
	var granted int
	err = errUnanswered
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err == nil {
			now := time.Now()
			s.left, s.wanted, s.until = max(granted-1, 0), want, now.Add(leaseFor)
			s.rest, s.full, s.next = v.Left, v.Full, time.Time{}
			if granted < want {
				s.next = now.Add(pauseFor(want, l, v.Wait))
			}
			if v.OK = granted > 0; v.OK {
				v.Left = s.rest + s.left
			}
		}
		s.filling = nil
		f.End(struct{}{}, err)
	}()
	granted, v, err = b.ask(context.WithoutCancel(ctx), d, l, 1, want)
	return v, err
}

// want returns how many tokens to ask for: one, or twice as many as last time if none of those
// lapsed.
func (b *Buckets) want(s *share, l throttle.Limit, now time.Time) int {
	most := b.lease
	if most == 0 {
		most = int(min(l.Rate, float64(l.Burst)) / 10)
	}
	if s.wanted == 0 || !now.Before(s.until) {
		return 1
	}
	return max(min(2*s.wanted, most, l.Burst), 1)
}

// maxPause bounds how long a bucket that was empty isn't asked again.
const maxPause = 100 * time.Millisecond

// pauseFor returns how long not to ask a bucket that had less than was wanted: until it has got as
// much, or else machines that want more than there is would ask for each token by itself.
func pauseFor(want int, l throttle.Limit, wait time.Duration) time.Duration {
	refill := time.Duration(min(float64(want)/l.Rate*float64(time.Second), float64(maxPause)))
	return max(refill, min(wait, maxPause))
}

func (s *share) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.until) {
		s.left++
	}
}
