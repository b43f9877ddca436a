// Package retry says to refused callers when to come back.
package retry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
)

// After returns a fresh refusal with a Retry-After header.
func After(t gatekit.ResponseType, wait time.Duration, cause error) *gatekit.Rejection {
	return &gatekit.Rejection{
		Type:   t,
		Header: http.Header{"Retry-After": {strconv.FormatInt(Seconds(wait), 10)}},
		Cause:  cause,
	}
}

// Seconds rounds up, as a caller who comes back a moment too early is refused again. (RFC 9110, section 10.2.3.)
func Seconds(d time.Duration) int64 { return max(int64((d-1)/time.Second)+1, 1) }
