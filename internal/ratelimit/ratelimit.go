// Package ratelimit writes the headers that tell callers of their bucket.
package ratelimit

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/retry"
)

// Headers is the headers of one limit. nil writes none.
type Headers struct {
	draft, x      bool
	policy, burst string
}

// NewHeaders returns headers of the IETF draft "RateLimit header fields for HTTP", of the
// X-RateLimit- family, of both, or nil.
func NewHeaders(rate float64, burst int, draft, x bool) *Headers {
	if !draft && !x {
		return nil
	}
	h := &Headers{draft: draft, x: x, burst: strconv.Itoa(burst)}
	h.policy = `"default";q=` + h.burst
	if rate > 0 && burst > 0 {
		h.policy += ";w=" + strconv.FormatInt(int64(math.Ceil(float64(burst)/rate)), 10)
	}
	return h
}

// Set tells the caller how many requests are left and in how many seconds the bucket is full again.
func (l *Headers) Set(h http.Header, left int, full time.Duration) {
	if l == nil {
		return
	}
	text := strconv.Itoa(left)
	reset := "0"
	if full > 0 && full != bucket.Never {
		reset = strconv.FormatInt(retry.Seconds(full), 10)
	}
	if l.draft {
		values := []string{l.policy, `"default";r=` + text + ";t=" + reset}
		h["Ratelimit-Policy"], h["Ratelimit"] = values[0:1:1], values[1:2:2]
	}
	if l.x {
		values := []string{l.burst, text, reset}
		h["X-Ratelimit-Limit"], h["X-Ratelimit-Remaining"] = values[0:1:1], values[1:2:2]
		h["X-Ratelimit-Reset"] = values[2:3:3]
	}
}
