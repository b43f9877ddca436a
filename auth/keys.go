package auth

import (
	"context"
	"crypto"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"golang.org/x/time/rate"

	"github.com/gatekit-go/gatekit/internal/flight"
	"github.com/gatekit-go/gatekit/internal/outage"
)

const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// keySource keeps an issuer's keySet fresh: in the background at an interval, and at once when a
// token names a key that isn't there or fails with one that is, as after a rotation. Only one fetch
// is under way at a time, and what requests ask for goes through a limiter: a flood of made-up kids
// costs the issuer one fetch an interval.
//
// Nothing is remembered of kids that weren't there. A memory would outlast the publication of a
// key, so that a stranger who guesses its kid keeps it out; and the limiter alone bounds what the
// issuer is asked. With it, a key is good within one interval of its publication: either a fetch
// has begun since, by whomever, or the next token that names the key begins one.
type keySource struct {
	set      *keySet
	fetch    func(context.Context) (map[string]jwkset.JWK, error)
	issuer   string
	interval time.Duration
	maxStale time.Duration
	away     *outage.Log // nil during the first fetch, whose error is returned

	ctx         context.Context // ends every fetch and the refresh
	cancel      context.CancelFunc
	running     sync.WaitGroup
	usableUntil atomic.Int64 // Unix seconds

	mu       sync.Mutex // over what follows; never held while fetching
	closed   bool
	limiter  *rate.Limiter
	fetching *fetch // nil while none is under way
}

// fetch is one fetch that several may wait for. It is made by the source, under the source's own
// context: that a waiter gives up doesn't end it, and neither does that all do, as the keys are for
// the requests to come.
type fetch = flight.Call[struct{}]

// usable reports whether there are keys that aren't too old to be trusted.
func (s *keySource) usable(now time.Time) bool { return now.Unix() < s.usableUntil.Load() }

// fix makes keys the set for good.
func (s *keySource) fix(keys map[string]jwkset.JWK) {
	s.set.replace(keys)
	s.usableUntil.Store(math.MaxInt64)
}

// join returns the fetch under way, or starts one, and tells which. It returns nil if the source is
// closed, or if none is under way and the limiter forbids one.
func (s *keySource) join(limited bool) (f *fetch, started bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.fetching != nil:
		return s.fetching, false
	case s.closed || s.ctx.Err() != nil || limited && !s.limiter.Allow():
		return nil, false
	}
	f = flight.New[struct{}]()
	s.fetching = f
	s.running.Add(1)
	go s.fly(f)
	return f, true
}

func (s *keySource) fly(f *fetch) {
	defer s.running.Done()
	keys, err := s.fetch(s.ctx)
	if err == nil {
		// Whatever the issuer answers counts, also that it has no key any longer: to go on with the
		// old ones would admit tokens by keys that it has withdrawn, which may be in somebody
		// else's hands.
		if s.set.replace(keys); len(keys) == 0 {
			s.note(errNoKey)
		} else {
			s.note(nil)
		}
		s.usableUntil.Store(time.Now().Add(s.interval + s.maxStale).Unix())
	} else if s.ctx.Err() == nil {
		s.note(err)
	}
	s.mu.Lock()
	s.fetching = nil
	s.mu.Unlock()
	f.End(struct{}{}, err)
}

// report makes failures from now on known to log: one line an outage, and one when it is over, as
// a flood of unknown kids has the issuer asked once an interval for as long as it is away.
func (s *keySource) report(log *slog.Logger) {
	s.away = &outage.Log{Logger: log.With(slog.String("issuer", s.issuer)), Away: "auth: the key set could not be refreshed"}
}

// note takes down how a fetch went.
func (s *keySource) note(err error) {
	if s.away != nil {
		s.away.Note(s.ctx, err)
	}
}

// refetch asks the issuer for a fresh set until found says that it has what is wanted, and reports
// whether that is so.
//
// A fetch that was under way may have read the set before the key was published: then one of our
// own must tell, if the limiter lets it.
func (s *keySource) refetch(ctx context.Context, found func() bool) bool {
	for !found() {
		f, started := s.join(true)
		if f == nil {
			return false
		}
		if _, err := f.Wait(ctx); err != nil && (started || ctx.Err() != nil) {
			return false
		}
		if started {
			return found()
		}
	}
	return true
}

// replaced reports whether kid has another key than key by now, after asking the issuer if it may
// be asked.
func (s *keySource) replaced(ctx context.Context, kid string, key any) bool {
	other := func() bool {
		jwk, ok := s.set.lookup(kid)
		have, comparable := jwk.Key().(interface{ Equal(crypto.PublicKey) bool })
		return ok && !(comparable && have.Equal(key))
	}
	if s.set.refetch == nil { // a fixed set
		return other()
	}
	return s.refetch(ctx, other)
}

// refresh fetches the set at the interval, and sooner after a failure, until the source's context
// ends. failed says that the first fetch failed.
func (s *keySource) refresh(failed bool) {
	defer s.running.Done()
	retry := firstRetry
	for {
		wait := s.interval
		if failed {
			wait, retry = retry, min(2*retry, lastRetry)
		}
		// Before the keys are due, as they may be of no use afterwards, and not all of a fleet at
		// one instant.
		wait -= wait/20 + time.Duration(rand.Int64N(int64(wait)/20+1))
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.ctx.Done():
			timer.Stop()
			return
		}
		f, _ := s.join(false)
		if f == nil {
			return
		}
		<-f.Done() // it has deadlines
		_, err := f.Result()
		if failed = err != nil; !failed {
			retry = firstRetry
		}
	}
}

// close ends the refresh and any fetch, and waits for them.
func (s *keySource) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.running.Wait()
}
