package throttle

import (
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/retry"
)

// Limit is the size of a token bucket. Limit{} blocks all requests; there is no value for
// "unlimited": leave the limit out.
//
// One zero beside a number is refused. It would block all requests as well, and is more often a
// field that was forgotten: an outage by typo. Who means it writes Limit{}, and so does an
// importer, to whom either zero of the managed gateway says so.
type Limit struct {
	// Rate is how many requests a second get through in the long run. It must be finite and not
	// negative.
	Rate float64
	// Burst is how many may come at one instant: what the bucket holds.
	Burst int
}

// Validate returns an error that names each number of l that can't be one, as a part of field.
func (l Limit) Validate(field string) error {
	if l == (Limit{}) || l.Rate > 0 && l.Rate <= math.MaxFloat64 && l.Burst > 0 {
		return nil // first, as shared buckets ask this for each request: it must allocate nothing
	}
	m := mistakes.In("throttle: " + field)
	m.Require(l.Rate >= 0 && !math.IsInf(l.Rate, 0), // NaN compares false
		"Rate", "want a finite number of requests a second, 0 or more, got %v", l.Rate)
	mistakes.AtLeast(m, "Burst", l.Burst, 0)
	const inFull = "want a Rate and a Burst, as one without the other blocks all requests; Limit{} says that in full"
	switch {
	case m.Len() > 0:
	case l.Rate == 0 && l.Burst != 0:
		m.Add("Rate", inFull+", got Rate 0 beside Burst %d", l.Burst)
	case l.Rate != 0 && l.Burst == 0:
		m.Add("Burst", inFull+", got Burst 0 beside Rate %v", l.Rate)
	}
	return m.Err()
}

// Limiter is one bucket for all requests. It is safe for concurrent use, and may be shared by
// several chains.
type Limiter struct {
	bucket       *bucketOfAll
	noRetryAfter bool
}

// bucketOfAll is a bucket with a lock that is held while a wider level is asked, so that both are
// taken or neither.
type bucketOfAll struct {
	rule   string // what notes call it
	mu     sync.Mutex
	tokens *rate.Limiter // nil: always empty
}

// The default limits of an account in most Regions. (Developer guide, "Amazon API Gateway quotas".)
const (
	accountRate  = 10_000
	accountBurst = 5_000
)

// New returns a Limiter, or an error that names each field that it refuses.
func New(l Limit) (*Limiter, error) {
	if err := l.Validate("Limit"); err != nil {
		return nil, err
	}
	return newLimiter(ruleOfAll, l), nil
}

// NewAccount returns a Limiter with the managed gateway's limit for all APIs of an account: 10,000
// requests a second, 5,000 at one instant. Share it between stages and APIs.
func NewAccount() *Limiter {
	return newLimiter(ruleAccount, Limit{Rate: accountRate, Burst: accountBurst})
}

func newLimiter(rule string, l Limit) *Limiter {
	b := &bucketOfAll{rule: rule}
	if l.Rate > 0 && l.Burst > 0 {
		b.tokens = rate.NewLimiter(rate.Limit(l.Rate), l.Burst)
	}
	return &Limiter{bucket: b}
}

// NoRetryAfter returns a Limiter on the same bucket whose refusals carry no Retry-After header, as
// the managed gateway's.
func (l *Limiter) NoRetryAfter() *Limiter { return &Limiter{bucket: l.bucket, noRetryAfter: true} }

// Check takes a token for r. It returns nil, or a *gatekit.Rejection of type Throttled. It never
// blocks.
func (l *Limiter) Check(r *http.Request) error {
	return takeBoth(r, l.bucket, nil, l.noRetryAfter)
}

// Middleware lets a request through if the bucket has a token for it, and else answers 429.
func (l *Limiter) Middleware(next http.Handler) http.Handler { return &limited{limit: l, next: next} }

// take takes a token from b and from wider, another bucket or nil, at one instant, or from neither:
// it returns the bucket that has none, and how long it takes until there is one, or nil.
func (b *bucketOfAll) take(now time.Time, wider *bucketOfAll) (empty *bucketOfAll, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.has(now) {
		return b, b.wait(now)
	}
	if wider != nil { // always locked in this order
		if empty, wait := wider.take(now, nil); empty != nil {
			return empty, wait
		}
	}
	b.tokens.AllowN(now, 1) // true: a token was there, and the lock has been held
	return nil, 0
}

func (b *bucketOfAll) has(now time.Time) bool { return b.tokens != nil && b.tokens.TokensAt(now) >= 1 }

// give puts a token back.
func (b *bucketOfAll) give(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens != nil {
		b.tokens.AllowN(now, -1) // never above the burst: the next look at the bucket caps it
	}
}

// wait returns how long it takes until there is a token.
func (b *bucketOfAll) wait(now time.Time) time.Duration {
	if b.tokens == nil {
		return never
	}
	missing := (1 - b.tokens.TokensAt(now)) / float64(b.tokens.Limit()) // seconds
	if missing >= never.Seconds() {
		return never
	}
	return time.Duration(math.Ceil(missing * float64(time.Second)))
}

// never is the wait of a bucket that gets no tokens.
const never = time.Duration(math.MaxInt64)

// refusal is the 429 of a caller who has to wait.
func refusal(wait time.Duration, noRetryAfter bool) *gatekit.Rejection {
	if noRetryAfter || wait == never {
		return retry.Throttled
	}
	return retry.After(wait)
}

// checker is what limited asks.
type checker interface {
	Check(r *http.Request) error
}

// limited is a handler behind a limit that has no headers of its own.
type limited struct {
	limit checker
	next  http.Handler
}

func (h *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.limit.Check(r); err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *limited) Station() (kind string, next http.Handler) { return "throttle", h.next }
