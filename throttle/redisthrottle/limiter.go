package redisthrottle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/ratelimit"
	"github.com/gatekit-go/gatekit/internal/retry"
	"github.com/gatekit-go/gatekit/throttle"
)

// Config configures a [Limiter].
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	BucketsConfig

	// Key says whose request it is: throttle.ByIP, throttle.ByPrincipal, … Required.
	Key throttle.KeyFunc
	// Headers adds RateLimit-Policy and RateLimit to every answer, as throttle.KeyConfig.Headers
	// does.
	Headers bool
	// XHeaders adds X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset to every answer.
	XHeaders bool
	// NoRetryAfter leaves Retry-After out of refusals.
	NoRetryAfter bool
}

// Limiter is a bucket for each caller that all machines share. It is throttle.Keyed with its
// buckets in Redis. It is safe for concurrent use.
type Limiter struct {
	buckets      *Buckets
	limit        throttle.Limit
	key          throttle.KeyFunc
	headers      *ratelimit.Headers
	noRetryAfter bool
}

// New returns a limit of l for each caller, or one error that names every field it refuses.
func New(l throttle.Limit, c Config) (*Limiter, error) {
	m := mistakes.In("redisthrottle: Config")
	if err := l.Validate("Limit"); err != nil {
		m.Join(err)
	} else if err := bucket.Check(l.Rate, l.Burst); err != nil {
		m.Join(fmt.Errorf("redisthrottle: Limit: %w", err))
	}
	buckets, err := NewBuckets(c.BucketsConfig)
	m.Join(err)
	m.Require(c.Key != nil, "Key", "want a function such as throttle.ByIP, got nil")
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Limiter{
		buckets: buckets, limit: l, key: c.Key, noRetryAfter: c.NoRetryAfter,
		headers: ratelimit.NewHeaders(l.Rate, l.Burst, c.Headers, c.XHeaders),
	}, nil
}

// Check takes a token of r's caller. It returns nil, a *gatekit.Rejection of type Throttled, the
// key function's error, or, where Redis is away and Away is FailClosed, a *gatekit.Rejection with
// status 503 whose cause is [ErrAway].
func (l *Limiter) Check(r *http.Request) error {
	v, err := l.take(r)
	if err == nil && !v.OK {
		err = l.refusal(v.Wait)
	}
	return err
}

func (l *Limiter) take(r *http.Request) (bucket.Verdict, error) {
	key, err := l.key(r)
	if err != nil {
		return bucket.Verdict{}, err
	}
	rc := gatekit.From(r.Context())
	began := rc.Clock()
	v, err := l.buckets.take(r.Context(), key, l.limit)
	if rc.Keeps(gatekit.KeepOutcomes) {
		note(rc, v, err, began)
	}
	switch {
	case err == errOpen:
		err = &whileOpen
	case err != nil && !errors.Is(err, context.Canceled):
		away := whileOpen
		away.Cause = err
		err = &away
	}
	return v, err
}

// whileOpen is the refusal of every request while Redis isn't asked. It is made once: an outage
// under load is when refusals are made most.
var whileOpen = gatekit.Rejection{
	Type: gatekit.Default5XX, Status: http.StatusServiceUnavailable, RetryAfter: time.Second, Cause: errOpen,
}

func (l *Limiter) refusal(wait time.Duration) error {
	if l.noRetryAfter || wait == bucket.Never {
		return retry.Throttled
	}
	return retry.After(wait)
}

// Middleware lets a request through if its caller's bucket has a token for it, and else answers
// 429.
func (l *Limiter) Middleware(next http.Handler) http.Handler { return &limited{limiter: l, next: next} }

type limited struct {
	limiter *Limiter
	next    http.Handler
}

// Station implements [gatekit.Station].
func (h *limited) Station() (kind string, next http.Handler) { return "throttle", h.next }

func (h *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, err := h.limiter.take(r)
	if err == nil {
		h.limiter.headers.Set(w.Header(), v.Left, v.Full)
		if !v.OK {
			err = h.limiter.refusal(v.Wait)
		}
	}
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	h.next.ServeHTTP(w, r)
}
