// Package retry says to refused callers when to come back.
package retry

import (
	"errors"
	"time"

	"github.com/gatekit-go/gatekit"
)

// errEmpty is the cause of all of them. It is the same for every request, so refusals made once may
// carry it.
var errEmpty = errors.New("throttle: no token is left")

// Throttled is the refusal of a caller who isn't told when to come back: nobody knows, or nobody is
// to know.
var Throttled = &gatekit.Rejection{Type: gatekit.Throttled, Cause: errEmpty}

// soon are the refusals of callers who have to wait for up to a minute, which are nearly all of
// them: under an attack a refusal is what is made most, so these are made once.
var soon = func() (all [60]gatekit.Rejection) {
	for i := range all {
		all[i] = gatekit.Rejection{Type: gatekit.Throttled, RetryAfter: time.Duration(i+1) * time.Second,
			Cause: errEmpty}
	}
	return all
}()

// After returns the refusal of a caller who is throttled and has to wait, a second at the least.
func After(wait time.Duration) *gatekit.Rejection {
	if s := Seconds(wait); s <= int64(len(soon)) {
		return &soon[s-1]
	}
	return &gatekit.Rejection{Type: gatekit.Throttled, RetryAfter: wait, Cause: errEmpty}
}

// Seconds rounds up, as a caller who comes back a moment too early is refused again. (RFC 9110,
// section 10.2.3.)
func Seconds(d time.Duration) int64 { return max(int64((d-1)/time.Second)+1, 1) }
