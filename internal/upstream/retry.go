package upstream

import (
	"net/http"
	"sync/atomic"
)

// Retry says which requests are sent again.
type Retry struct {
	Attempts  int     // at the most; 0: as many as there are servers, up to 3
	Ratio     float64 // how many retries there may be for each request in the long run
	Burst     int     // and at once
	BodyBytes int64   // the longest body that is kept at hand; 0 or less: none
	Statuses  []int   // answers that count as none
}

const defaultAttempts = 3

// retries is a Retry in use.
type retries struct {
	Retry
	budget budget
}

func newRetries(c Retry) *retries {
	r := &retries{Retry: c}
	r.budget.each, r.budget.max = int64(c.Ratio*whole), int64(c.Burst)*whole
	r.budget.left.Store(r.budget.max)
	return r
}

// attemptsFor returns how often a request may be sent where there are n servers.
func (r *retries) attemptsFor(n int) int {
	if r.Attempts == 0 {
		return min(n, defaultAttempts)
	}
	return r.Attempts
}

// budget bounds retries by the requests there are: each request pays in a part of a retry, each
// retry takes a whole one. Without it, servers that fail under load get several times the load.
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

// isIdempotent reports whether sending a request of this method twice means what sending it once
// means. (RFC 9110, section 9.2.2.)
func isIdempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
