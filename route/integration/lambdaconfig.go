package integration

import (
	"cmp"
	"time"

	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// LambdaConfig configures a [LambdaHandler]. The zero value is the managed gateway's: payload
// format 2.0 on HTTP APIs, the proxy event on REST APIs, and the flavor's timeout and limits.
type LambdaConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// PayloadFormatVersion is "2.0" (also if empty) or "1.0", on HTTP APIs. REST APIs have one
	// event, and don't look at it.
	PayloadFormatVersion string

	// BinaryMediaTypes are the types of bodies that REST APIs hand over as base64, and turn back
	// into bytes for clients that accept them: "image/png", "image/*" or "*/*". HTTP APIs don't
	// look at it: they go by fixed rules.
	BinaryMediaTypes []string

	// Timeout is how long the function may take, and with Stream how long its answer may. 0 is the
	// flavor's: 30 s on HTTP APIs, 29 s on REST APIs, 15 minutes with Stream. Otherwise 50 ms to 15
	// minutes.
	Timeout time.Duration

	// MaxRequestBytes bounds a request's body. 0 is 10 MiB, the managed gateway's. At most 1 GiB.
	MaxRequestBytes int64
	// MaxEventBytes bounds the event that carries it, where base64 takes a third more. 0 is 6 MiB,
	// Lambda's. At most 1 GiB.
	MaxEventBytes int64
	// MaxReplyBytes bounds what the function returns, but for the body of a stream. 0 is 6 MiB,
	// Lambda's. At most 1 GiB.
	MaxReplyBytes int64

	// Concurrency is how many calls may run at the same time; further ones are throttled, as the
	// Lambda service would. Calls that go on after their client got an answer, because of the
	// timeout or because it went away, count until they end. 0 is 1,000, an account's default.
	Concurrency int

	// Stream sends the function's answer as it comes (responseTransferMode STREAM): metadata, eight
	// zero bytes, body. A function that is a [Streamer] is asked for a stream, another one for the
	// whole.
	Stream bool
	// IdleTimeout is how long a stream may pause. 0 is 5 minutes; otherwise 50 ms to 15 minutes.
	IdleTimeout time.Duration

	// FunctionARN is what functions in this process find in their lambdacontext. Optional.
	FunctionARN string
}

// The managed gateway's and Lambda's limits. (Quotas of HTTP and REST APIs; Lambda quotas.)
const (
	minTimeout    = 50 * time.Millisecond
	maxTimeout    = 15 * time.Minute
	idleTimeout   = 5 * time.Minute
	lambdaBytes   = 6 << 20  // of an event, and of a reply
	maxBytes      = 1 << 30  // of a bound that a configuration may set
	metadataBytes = 16 << 10 // of a stream

	defaultConcurrency = 1000
	maxConcurrency     = 1_000_000
)

// check returns c with its defaults filled in, but for the timeout, which goes by flavor, and adds
// what is wrong to m.
func (c LambdaConfig) check(m *mistakes.Mistakes) (LambdaConfig, mediatype.Binary) {
	v := c.PayloadFormatVersion
	m.Require(v == "" || v == "1.0" || v == "2.0", "PayloadFormatVersion", "want 1.0 or 2.0, got %q", v)
	binary, err := mediatype.NewBinary(c.BinaryMediaTypes)
	if err != nil {
		m.Add("BinaryMediaTypes", "%w", err)
	}
	mistakes.RangeOrZero(m, "Timeout", c.Timeout, minTimeout, maxTimeout)
	mistakes.Range(m, "MaxRequestBytes", c.MaxRequestBytes, 0, maxBytes)
	mistakes.Range(m, "MaxEventBytes", c.MaxEventBytes, 0, maxBytes)
	mistakes.Range(m, "MaxReplyBytes", c.MaxReplyBytes, 0, maxBytes)
	mistakes.Range(m, "Concurrency", c.Concurrency, 0, maxConcurrency)
	m.Require(c.IdleTimeout == 0 || c.Stream, "IdleTimeout", "want Stream with it, got %v alone", c.IdleTimeout)
	mistakes.RangeOrZero(m, "IdleTimeout", c.IdleTimeout, minTimeout, maxTimeout)
	if c.Stream {
		c.Timeout = cmp.Or(c.Timeout, maxTimeout)
	}
	c.IdleTimeout = cmp.Or(c.IdleTimeout, idleTimeout)
	c.MaxRequestBytes = cmp.Or(c.MaxRequestBytes, maxPayload)
	c.MaxEventBytes = cmp.Or(c.MaxEventBytes, lambdaBytes)
	c.MaxReplyBytes = cmp.Or(c.MaxReplyBytes, lambdaBytes)
	c.Concurrency = cmp.Or(c.Concurrency, defaultConcurrency)
	return c, binary
}
