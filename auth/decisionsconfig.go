package auth

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// CacheConfig says for what a decision is made, and how long it is kept: by [NewLambda] and
// [NewCustom]. The zero value keeps the decision on an Authorization header for five minutes.
type CacheConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// IdentitySource lists what of a request decides: "$request.header.NAME",
	// "$request.querystring.name", "$stageVariables.NAME", "$context.NAME", or the spellings of
	// REST ("method.request.header.NAME") and WebSocket APIs. Variables of $context are those that
	// are known by then and aren't new with each request; identity.apiKey is the key that the
	// request carries. A request that lacks one, or has one blank or twice, is answered 401 and
	// nobody is asked. All together are the key of the decision. Empty means the Authorization
	// header; with TTL [Off] it means none, and each request is judged.
	IdentitySource []string
	// TTL is how long a decision is used. 0 is 5 minutes, as on REST APIs (HTTP APIs don't keep
	// decisions unless told to); at most an hour. [Off] keeps none.
	TTL time.Duration
	// NegativeTTL is how long a decision is used that refused the request it was made for. 0 is
	// TTL; at most an hour. [Off] keeps none.
	NegativeTTL time.Duration
	// StaleIfError is how long beyond its TTL a decision is used while new ones fail with a fault:
	// not answers that refuse, but timeouts, malformed answers and the like. 0 is not at all, as on
	// the managed gateway; at most an hour. (RFC 5861, section 4, has the word.)
	StaleIfError time.Duration
	// MaxEntries is how many decisions are kept. 0 is 10,000; at most 10,000,000.
	MaxEntries int
	// Timeout bounds one decision. 0 is 10 seconds, as on HTTP APIs; at most 30 seconds.
	Timeout time.Duration
}

const (
	defaultDecisionTTL     = 300 * time.Second
	maxDecisionTTL         = time.Hour
	defaultDecisions       = 10_000
	maxDecisions           = 10_000_000
	defaultDecisionTimeout = 10 * time.Second
	maxDecisionTimeout     = 30 * time.Second
)

// Off is [gatekit.Off]: it turns off what a config says can be turned off, a cache, or how long
// something is kept.
const Off = gatekit.Off

// or returns the value that a field of a config stands for: 0 is its default, and Off is none.
func or[T time.Duration | int](value, byDefault T) T {
	switch value {
	case 0:
		return byDefault
	case Off:
		return 0
	}
	return value
}

// zeroOrOff refuses a value that is neither Off nor within 0 to most.
func zeroOrOff[T time.Duration | int](m *mistakes.Mistakes, field string, value, most T) {
	var zero T
	m.Require(value == Off || value >= 0 && value <= most, field, "want Off, or %v to %v, got %v", zero, most, value)
}

// check adds every mistake to m, and returns c with its defaults filled in, and its sources. In
// what it returns 0 is none.
func (c CacheConfig) check(m *mistakes.Mistakes) (CacheConfig, []selector.Selector) {
	zeroOrOff(m, "TTL", c.TTL, maxDecisionTTL)
	zeroOrOff(m, "NegativeTTL", c.NegativeTTL, maxDecisionTTL)
	mistakes.Range(m, "StaleIfError", c.StaleIfError, 0, maxDecisionTTL)
	mistakes.Range(m, "Timeout", c.Timeout, 0, maxDecisionTimeout)
	mistakes.Range(m, "MaxEntries", c.MaxEntries, 0, maxDecisions)
	c.TTL = or(c.TTL, defaultDecisionTTL)
	c.NegativeTTL = or(c.NegativeTTL, c.TTL)
	c.Timeout = cmp.Or(c.Timeout, defaultDecisionTimeout)
	c.MaxEntries = cmp.Or(c.MaxEntries, defaultDecisions)
	if c.IdentitySource = slices.Clone(c.IdentitySource); len(c.IdentitySource) == 0 && c.TTL != 0 {
		c.IdentitySource = []string{defaultIdentitySource}
	}
	var sources []selector.Selector
	for i, text := range c.IdentitySource {
		s, err := cacheSources.Parse(text)
		if err != nil {
			m.Under("IdentitySource").Index(i).Add("", "%w", err)
		}
		if slices.ContainsFunc(sources, func(o selector.Selector) bool { return o.Same(&s) }) {
			m.Under("IdentitySource").Index(i).Add("", "want each once, got %s twice", quoted(text))
		}
		sources = append(sources, s)
	}
	return c, sources
}

// cacheSources are what a decision of a Lambda authorizer or a custom function can be for. The
// forms of HTTP, REST and WebSocket APIs exclude each other, so all are taken everywhere.
// (Developer guide, "Use API Gateway Lambda authorizers", identity sources.)
var cacheSources = selector.Grammar{
	Forms: []selector.Form{selector.Dollar, selector.Method, selector.Route},
	Kinds: selector.Header | selector.Query | selector.StageVariable | selector.SourceContext,
}

// sourceValues appends the values of all sources to values. ok is false if one is missing, blank,
// or there more than once, as two readers might choose two of them.
func sourceValues(rc *gatekit.RequestContext, r *http.Request, sources []selector.Selector,
	values []string) (_ []string, ok bool) {
	m := selector.Message{Context: rc, Request: r}
	for i := range sources {
		value, ok := sources[i].Only(&m)
		if !ok || strings.Trim(value, " \t") == "" {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// decisionKey is under what a decision is kept: a digest, so that no credential stays in memory, of
// values with their lengths, so that what two of them are together can't be what two others are.
type decisionKey [sha256.Size]byte

func (k *decisionKey) hash() uint64 { return binary.LittleEndian.Uint64(k[:]) }

// keyOf digests API, stage and source values.
func keyOf(rc *gatekit.RequestContext, values []string, more []byte) decisionKey {
	var room [1536]byte // on the stack; what is longer goes to the heap
	b := append(room[:0], byte(rc.API.Flavor))
	for _, s := range [...]string{rc.API.AccountID, rc.API.Region, rc.API.APIID, rc.API.Stage} {
		b = appendSized(b, s)
	}
	for _, s := range values {
		b = appendSized(b, s)
	}
	return sha256.Sum256(append(b, more...))
}

func appendSized(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
