package integration

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// Retry says when a request that an upstream didn't answer is sent again, to another upstream if there is one. Only what is safe is: a request of
// which nothing was sent, as the connection was refused; or one of a method that is idempotent (GET, HEAD, OPTIONS, TRACE, PUT, DELETE), whose body, if it has
// one, is at hand. What is answered, with whatever status, isn't sent again unless Statuses says so.
type Retry struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Attempts is how often a request is sent at the most, the first time included. 0 means as often as there are upstreams, but at most 3; 1 means no
	// retries, as on the managed gateway. At most 10. A request that net/http sends again because a kept connection was found closed isn't counted.
	Attempts int
	// Ratio is how many retries there may be for each request in the long run, so that retries don't multiply an overload. 0 means 0.2; at most 1.
	Ratio float64
	// Burst is how many retries there may be at once, which is what an upstream that dies under load needs: all that it had in hand. 0 means 100.
	Burst int
	// BodyBytes is the longest body that is kept at hand while it is sent. 0 means 64 KiB, negative none.
	BodyBytes int
	// Statuses are answers that count as none: 502, 503 and 504 make sense. The last one is passed on if no attempt is left.
	Statuses []int
}

const (
	defaultAttempts  = 3
	maxAttempts      = 10
	defaultRatio     = 0.2
	defaultBurst     = 100
	defaultRetryBody = 64 << 10
	maxRetryBody     = 10 << 20
)

func (c *Retry) check() error {
	var errs []error
	if c.Attempts < 0 || c.Attempts > maxAttempts {
		errs = append(errs, fmt.Errorf("integration: HTTPConfig.Retry.Attempts: want 0 to %d, got %d", maxAttempts, c.Attempts))
	}
	if !(c.Ratio >= 0 && c.Ratio <= 1) {
		errs = append(errs, fmt.Errorf("integration: HTTPConfig.Retry.Ratio: want 0 to 1, got %v", c.Ratio))
	}
	if c.Burst < 0 || c.Burst > 1_000_000 {
		errs = append(errs, fmt.Errorf("integration: HTTPConfig.Retry.Burst: want 0 to 1,000,000, got %d", c.Burst))
	}
	if c.BodyBytes > maxRetryBody {
		errs = append(errs, fmt.Errorf("integration: HTTPConfig.Retry.BodyBytes: want at most %d, got %d", maxRetryBody, c.BodyBytes))
	}
	for i, s := range c.Statuses {
		if s < 500 || s > 599 {
			errs = append(errs, fmt.Errorf("integration: HTTPConfig.Retry.Statuses[%d]: want 500 to 599, got %d", i, s))
		}
	}
	return errors.Join(errs...)
}

// retries is a Retry in use.
type retries struct {
	attempts  int // 0: as many as there are upstreams
	bodyBytes int64
	statuses  []int
	budget    budget
}

func newRetries(c Retry) *retries {
	r := &retries{attempts: c.Attempts, bodyBytes: int64(c.BodyBytes), statuses: slices.Clone(c.Statuses)}
	if c.BodyBytes == 0 {
		r.bodyBytes = defaultRetryBody
	}
	if c.Ratio == 0 {
		c.Ratio = defaultRatio
	}
	if c.Burst == 0 {
		c.Burst = defaultBurst
	}
	r.budget.each, r.budget.max = int64(c.Ratio*whole), int64(c.Burst)*whole
	r.budget.left.Store(r.budget.max)
	return r
}

// attemptsFor returns how often a request may be sent where there are n upstreams.
func (r *retries) attemptsFor(n int) int {
	if r.attempts == 0 {
		return min(n, defaultAttempts)
	}
	return r.attempts
}

// budget bounds retries by the requests there are: each request pays in a part of a retry, each retry takes a whole one.
type budget struct {
	each, max int64 // in thousandths
	left      atomic.Int64
}

const whole = 1000

func (b *budget) deposit() {
	if left := b.left.Load(); left < b.max {
		b.left.Add(b.each) // may pass max by what others pay in at the same time, which is nothing beside it
	}
}

func (b *budget) withdraw() bool {
	for {
		left := b.left.Load()
		if left < whole {
			return false
		}
		if b.left.CompareAndSwap(left, left-whole) {
			return true
		}
	}
}

// isIdempotent reports whether sending a request of this method twice means what sending it once means. (RFC 9110, section 9.2.2.)
func isIdempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// Ejection says when an upstream that fails gets no more requests for a while. A failure is a request that was not answered to the end: refused,
// reset, out of time, or with a body that broke off. What the client breaks off is none. A health check that is well ends an ejection.
type Ejection struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Failures is how many in a row eject an upstream. 0 means 5; negative ejects none. The only upstream is never ejected.
	Failures int
	// For is how long. 0 means 10 seconds; the second ejection without an answer in between takes twice as long, and so on up to 8 times.
	For time.Duration
}

const (
	defaultFailures = 5
	defaultEjection = 10 * time.Second
	maxEjections    = 8
)

// answered notes that u gave an answer.
func (p *Proxy) answered(u *upstream) {
	if u.failures.Load() != 0 { // reading is shared between processors, writing isn't
		u.failures.Store(0)
	}
	if u.ejections.Load() != 0 {
		u.ejections.Store(0)
	}
}

// failed notes that u gave none. That it may eject the last one that is healthy does no harm: then all get requests again.
func (p *Proxy) failed(u *upstream) {
	if p.ejectAfter <= 0 || u.failures.Add(1) < p.ejectAfter || p.implicit || len(p.upstreams.Load().all) == 1 {
		return
	}
	now := time.Now()
	until := u.ejectedUntil.Load()
	if until > now.UnixNano() {
		return // by another request that failed with this one
	}
	times := time.Duration(min(u.ejections.Load()+1, maxEjections))
	if u.ejectedUntil.CompareAndSwap(until, now.Add(times*p.ejectFor).UnixNano()) {
		u.ejections.Add(1)
		u.failures.Store(p.ejectAfter - 1) // after that time, one more failure is enough
	}
}
