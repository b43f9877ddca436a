package integration

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
)

// LambdaConfig configures a [LambdaHandler]. The zero value is the managed gateway's: payload format 2.0 on HTTP APIs, the proxy event on REST
// APIs, and the flavor's timeout and limits.
type LambdaConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// PayloadFormatVersion is "2.0" (also if empty) or "1.0", on HTTP APIs. REST APIs have one event, and don't look at it.
	PayloadFormatVersion string

	// BinaryMediaTypes are the types of bodies that REST APIs hand over as base64, and turn back into bytes for clients that accept them:
	// "image/png", "image/*" or "*/*". HTTP APIs don't look at it: they go by fixed rules.
	BinaryMediaTypes []string

	// Timeout is how long the function may take, and with Stream how long its answer may. 0 is the flavor's: 30 s on HTTP APIs, 29 s on REST
	// APIs, 15 minutes with Stream. Otherwise 50 ms to 15 minutes.
	Timeout time.Duration

	// MaxRequestBytes bounds a request's body. 0 is 10 MiB, the managed gateway's. At most 1 GiB.
	MaxRequestBytes int64
	// MaxEventBytes bounds the event that carries it, where base64 takes a third more. 0 is 6 MiB, Lambda's. At most 1 GiB.
	MaxEventBytes int64
	// MaxReplyBytes bounds what the function returns, but for the body of a stream. 0 is 6 MiB, Lambda's. At most 1 GiB.
	MaxReplyBytes int64

	// Concurrency is how many calls may run at the same time; further ones are throttled, as the Lambda service would. Calls that go on after
	// their client got an answer, because of the timeout or because it went away, count until they end. 0 is 1,000, an account's default.
	Concurrency int

	// Stream sends the function's answer as it comes (responseTransferMode STREAM): metadata, eight zero bytes, body. A function that is a
	// [Streamer] is asked for a stream, another one for the whole.
	Stream bool
	// IdleTimeout is how long a stream may pause. 0 is 5 minutes; otherwise 50 ms to 15 minutes.
	IdleTimeout time.Duration

	// FunctionARN is what functions in this process find in their lambdacontext. Optional.
	FunctionARN string
}

// The managed gateway's and Lambda's limits. (Quotas of HTTP and REST APIs; Lambda quotas.)
const (
	httpTimeout   = 30 * time.Second
	restTimeout   = 29 * time.Second
	minTimeout    = 50 * time.Millisecond
	maxTimeout    = 15 * time.Minute
	idleTimeout   = 5 * time.Minute
	requestBytes  = 10 << 20
	payloadBytes  = 6 << 20
	maxBytes      = 1 << 30
	concurrency   = 1000
	metadataBytes = 16 << 10 // of a stream
)

// check returns c with its defaults filled in, but for the timeout, which goes by flavor.
func (c LambdaConfig) check() (LambdaConfig, *binaryTypes, error) {
	var errs []error
	if v := c.PayloadFormatVersion; v != "" && v != "1.0" && v != "2.0" {
		errs = append(errs, fmt.Errorf("integration: LambdaConfig.PayloadFormatVersion: want 1.0 or 2.0, got %q", v))
	}
	binary, err := newBinaryTypes(c.BinaryMediaTypes)
	if err != nil {
		errs = append(errs, fmt.Errorf("integration: LambdaConfig.BinaryMediaTypes: %w", err))
	}
	if c.Timeout == 0 && c.Stream {
		c.Timeout = maxTimeout
	}
	errs = append(errs, checkTimeout("LambdaConfig.Timeout", c.Timeout))
	if c.IdleTimeout != 0 && !c.Stream {
		errs = append(errs, fmt.Errorf("integration: LambdaConfig.IdleTimeout: want Stream with it, got %v alone", c.IdleTimeout))
	}
	errs = append(errs, checkTimeout("LambdaConfig.IdleTimeout", c.IdleTimeout))
	if c.IdleTimeout == 0 {
		c.IdleTimeout = idleTimeout
	}
	errs = append(errs,
		checkBytes("LambdaConfig.MaxRequestBytes", &c.MaxRequestBytes, requestBytes),
		checkBytes("LambdaConfig.MaxEventBytes", &c.MaxEventBytes, payloadBytes),
		checkBytes("LambdaConfig.MaxReplyBytes", &c.MaxReplyBytes, payloadBytes),
		checkConcurrency("LambdaConfig.Concurrency", &c.Concurrency),
	)
	return c, binary, errors.Join(errs...)
}

func checkTimeout(field string, d time.Duration) error {
	if d != 0 && (d < minTimeout || d > maxTimeout) {
		return fmt.Errorf("integration: %s: want 0 or %v to %v, got %v", field, minTimeout, maxTimeout, d)
	}
	return nil
}

// checkBytes fills in the default.
func checkBytes(field string, n *int64, byDefault int64) error {
	if *n < 0 || *n > maxBytes {
		return fmt.Errorf("integration: %s: want 0 to %d, got %d", field, maxBytes, *n)
	}
	if *n == 0 {
		*n = byDefault
	}
	return nil
}

func checkConcurrency(field string, n *int) error {
	const most = 1_000_000
	if *n < 0 || *n > most {
		return fmt.Errorf("integration: %s: want 0 to %d, got %d", field, most, *n)
	}
	if *n == 0 {
		*n = concurrency
	}
	return nil
}

// timeoutFor is the timeout d, or the flavor's.
func timeoutFor(d time.Duration, f gatekit.Flavor) time.Duration {
	switch {
	case d != 0:
		return d
	case f == gatekit.HTTP:
		return httpTimeout
	}
	return restTimeout
}

// binaryTypes are a REST API's binaryMediaTypes.
type binaryTypes struct {
	all   bool
	exact map[string]bool
	kinds map[string]bool // "image" of image/*
}

func newBinaryTypes(list []string) (*binaryTypes, error) {
	b := &binaryTypes{exact: map[string]bool{}, kinds: map[string]bool{}}
	var errs []error
	for i, entry := range list {
		kind, sub, ok := strings.Cut(strings.ToLower(entry), "/")
		switch {
		case !ok || !isToken(kind) || !isToken(sub) || kind == "*" && sub != "*":
			errs = append(errs, fmt.Errorf(`[%d]: want a media type, a kind such as image/*, or */*, got %q`, i, entry))
		case kind == "*":
			b.all = true
		case sub == "*":
			b.kinds[kind] = true
		default:
			b.exact[kind+"/"+sub] = true
		}
	}
	return b, errors.Join(errs...)
}

// has reports whether a Content-Type, or the first type of an Accept header, is one of them.
func (b *binaryTypes) has(header string) bool {
	if b.all {
		return true
	}
	if len(b.exact) == 0 && len(b.kinds) == 0 {
		return false
	}
	first, _, _ := strings.Cut(header, ",")
	media := strings.ToLower(mediaType(first))
	kind, _, _ := strings.Cut(media, "/")
	return b.exact[media] || b.kinds[kind]
}

// mediaType is a header's value without parameters.
func mediaType(header string) string {
	media, _, _ := strings.Cut(header, ";")
	return strings.Trim(media, " \t")
}

// isToken reports whether s is a token. (RFC 9110, section 5.6.2.)
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
