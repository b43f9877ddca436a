package throttle

import (
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/gatekit-go/gatekit"
)

// Concurrency limits how many requests are served at one time. It is safe for concurrent use.
type Concurrency struct {
	limit  int64
	serves atomic.Int64
}

// NewConcurrent returns a limit of n requests in flight. 0 blocks all; a negative n is an error.
func NewConcurrent(n int) (*Concurrency, error) {
	if n < 0 {
		return nil, fmt.Errorf("throttle: NewConcurrent: n: want 0 or more, got %d", n)
	}
	return &Concurrency{limit: int64(n)}, nil
}

// Acquire takes a place, or returns a *gatekit.Rejection of type Throttled if none is free. It
// never waits. Each Acquire that returns nil wants one [Concurrency.Release].
func (c *Concurrency) Acquire() error {
	for {
		n := c.serves.Load()
		if n >= c.limit {
			return refusal(1, c.limit == 0) // nobody knows when a place will be free: the least that the header can say
		}
		// Not Add and a look afterwards: who is refused would hold a place for a moment, and
		// another be refused for it.
		if c.serves.CompareAndSwap(n, n+1) {
			return nil
		}
	}
}

// Release gives back the place of an Acquire.
func (c *Concurrency) Release() { c.serves.Add(-1) }

// InFlight returns how many places are taken.
func (c *Concurrency) InFlight() int { return int(c.serves.Load()) }

// Middleware holds a place for each request until its handler returns or panics, and answers 429
// where none is free. A connection that a handler hijacked counts until that handler returns.
func (c *Concurrency) Middleware(next http.Handler) http.Handler {
	return &concurrent{limit: c, next: next}
}

type concurrent struct {
	limit *Concurrency
	next  http.Handler
}

func (h *concurrent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := h.limit.Acquire()
	if rc := gatekit.From(r.Context()); rc.Keeps(gatekit.KeepOutcomes) {
		note(rc, ruleConcurrency, err == nil, max(h.limit.limit-h.limit.serves.Load(), 0), nil)
	}
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	defer h.limit.Release()
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *concurrent) Station() (kind string, next http.Handler) { return "concurrency", h.next }
