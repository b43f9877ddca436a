package throttle

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/ratelimit"
)

// KeyConfig configures a [Keyed] limit.
type KeyConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Key says whose request it is: ByIP, ByPrincipal, ByAPIKey, ByClaim(name), ByHeader(name),
	// Join(…), or a function of your own. Required.
	Key KeyFunc
	// MaxKeys is how many callers' buckets are kept at the most, to about a sixteenth. 0 means
	// 1,048,576, which take at most 32 MiB. A bucket that is full again isn't kept. Where all
	// places are taken, the fullest of a few buckets gives way to a new caller's, and its caller
	// starts anew: a flood of callers displaces its own, not who is at the limit.
	MaxKeys int
	// Headers adds RateLimit-Policy and RateLimit to every answer. (IETF draft "RateLimit header
	// fields for HTTP".)
	Headers bool
	// XHeaders adds X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset (seconds) to
	// every answer.
	XHeaders bool
	// NoRetryAfter leaves Retry-After out of refusals.
	NoRetryAfter bool
}

const defaultMaxKeys = 1 << 20

// Keyed is a bucket for each caller. It is safe for concurrent use. The doc of KeyConfig.MaxKeys
// says what bounds its memory.
//
// A key is kept as a hash of 64 bits under a seed of the process's own: among a million callers,
// two share a bucket with a probability of 1 to 37 million.
type Keyed struct {
	table        *bucket.Table
	key          KeyFunc
	byIP         bool
	headers      *ratelimit.Headers
	noRetryAfter bool
}

// NewPerKey returns a limit of l for each caller, or one error that names every field it refuses.
func NewPerKey(l Limit, c KeyConfig) (*Keyed, error) {
	m := mistakes.In("throttle: KeyConfig")
	m.Join(l.Validate("Limit"))
	m.Require(c.Key != nil, "Key", "want a function such as throttle.ByIP, got nil")
	mistakes.AtLeast(m, "MaxKeys", c.MaxKeys, 0)
	if err := m.Err(); err != nil {
		return nil, err
	}
	table, err := bucket.New(l.Rate, l.Burst, cmp.Or(c.MaxKeys, defaultMaxKeys))
	if err != nil {
		return nil, fmt.Errorf("throttle: Limit: %w", err)
	}
	k := &Keyed{
		table: table, key: c.Key, noRetryAfter: c.NoRetryAfter,
		headers: ratelimit.NewHeaders(l.Rate, l.Burst, c.Headers, c.XHeaders),
		// The address needn't become a string where the key is nothing else. Functions can't be
		// compared, but ByIP is one piece of code.
		byIP: reflect.ValueOf(c.Key).Pointer() == reflect.ValueOf(ByIP).Pointer(),
	}
	return k, nil
}

// Check takes a token of r's caller. It returns nil, a *gatekit.Rejection of type Throttled, or the
// key function's error.
func (k *Keyed) Check(r *http.Request) error {
	v, err := k.take(r)
	if err == nil && !v.OK {
		err = refusal(v.Wait, k.noRetryAfter)
	}
	return err
}

func (k *Keyed) take(r *http.Request) (v bucket.Verdict, err error) {
	if k.byIP {
		var b [16]byte
		v = k.table.Take(k.table.HashBytes(appendNetwork(b[:0], gatekit.SourceIP(r))))
	} else {
		var key string
		if key, err = k.key(r); err == nil {
			v = k.table.Take(k.table.Hash(key))
		}
	}
	if rc := gatekit.From(r.Context()); rc.Keeps(gatekit.KeepOutcomes) {
		note(rc, ruleKey, v.OK, int64(v.Left), err)
	}
	return v, err
}

// Middleware lets a request through if its caller's bucket has a token for it, and else answers
// 429.
func (k *Keyed) Middleware(next http.Handler) http.Handler {
	if k.headers == nil {
		return &limited{limit: k, next: next}
	}
	return &keyedWithHeaders{limit: k, next: next}
}

type keyedWithHeaders struct {
	limit *Keyed
	next  http.Handler
}

func (h *keyedWithHeaders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, err := h.limit.take(r)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	h.limit.headers.Set(w.Header(), v.Left, v.Full)
	if !v.OK {
		gatekit.Reject(w, r, refusal(v.Wait, h.limit.noRetryAfter))
		return
	}
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *keyedWithHeaders) Station() (kind string, next http.Handler) { return "throttle", h.next }
