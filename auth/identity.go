package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// cacheSources are what a decision of a Lambda authorizer or a custom function can be for. The forms of HTTP, REST and WebSocket APIs
// exclude each other, so all are taken everywhere. (Developer guide, "Use API Gateway Lambda authorizers", identity sources.)
var cacheSources = selector.Grammar{
	Forms: []selector.Form{selector.Dollar, selector.Method, selector.Route},
	Kinds: selector.Header | selector.Query | selector.StageVariable | selector.SourceContext,
}

// sourceValues appends the values of all sources to values. ok is false if one is missing, blank, or there more than once, as two
// readers might choose two of them.
func sourceValues(rc *gatekit.RequestContext, r *http.Request, sources []selector.Selector, values []string) (_ []string, ok bool) {
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

// decisionKey is under what a decision is kept: a digest, so that no credential stays in memory, of values with their lengths, so that
// what two of them are together can't be what two others are.
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
