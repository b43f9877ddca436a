// Package traceid reads and makes X-Amzn-Trace-Id, which names a request in the traces of all that
// it passes through.
package traceid

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
)

// maxTrace bounds what is read of a client's trace header.
const maxTrace = 512

// Trace is a trace header's value: Root=1-{8 hex, the time}-{24 hex}[;Parent={16
// hex}][;Sampled=0|1]. (X-Ray developer guide, "Tracing header".)
type Trace struct{ Root, Parent, Sampled string }

// Parse reads a trace header. Fields that don't have their form are left out, and so are all
// others.
func Parse(header string) (t Trace) {
	if len(header) > maxTrace {
		return t
	}
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.Trim(field, " \t"), "=")
		switch {
		case name == "Root" && t.Root == "" && isRoot(value):
			t.Root = value
		case name == "Parent" && t.Parent == "" && len(value) == 16 && isHex(value):
			t.Parent = value
		case name == "Sampled" && t.Sampled == "" && (value == "0" || value == "1"):
			t.Sampled = value
		}
	}
	return t
}

// Of returns the trace header that a request goes on with: where a station traces it, that one's
// step of its trace, else what [New] makes of the client's header.
func Of(rc *gatekit.RequestContext, header []string, rest bool, now time.Time) Trace {
	if t := rc.TraceContext(); t != nil {
		return FromW3C(t)
	}
	return New(header, rest, rc.ExtendedRequestID, now)
}

// FromW3C returns t as a trace header says it: the first 4 bytes of the ID are the time, or what
// stands in its place. (X-Ray developer guide, "Using W3C trace IDs".)
func FromW3C(t *gatekit.TraceContext) Trace {
	root := [35]byte{0: '1', 1: '-', 10: '-'}
	hex.Encode(root[2:10], t.TraceID[:4])
	hex.Encode(root[11:], t.TraceID[4:])
	sampled := "0"
	if t.Sampled {
		sampled = "1"
	}
	return Trace{Root: string(root[:]), Parent: hex.EncodeToString(t.SpanID[:]), Sampled: sampled}
}

// W3C returns what a trace header says as IDs of W3C Trace Context, and whether it has both of
// them: a header without a Parent names no step to go on from.
func (t Trace) W3C() (w gatekit.TraceContext, ok bool) {
	if t.Root == "" || t.Parent == "" {
		return gatekit.TraceContext{}, false
	}
	_, _ = hex.Decode(w.TraceID[:4], []byte(t.Root[2:10])) // Parse has seen that these are digits
	_, _ = hex.Decode(w.TraceID[4:], []byte(t.Root[11:]))
	_, _ = hex.Decode(w.SpanID[:], []byte(t.Parent))
	w.Sampled = t.Sampled == "1"
	return w, w.TraceID != [16]byte{} && w.SpanID != [8]byte{}
}

// Traceparent returns the header of that name. (W3C Trace Context, section 3.2.)
func Traceparent(t *gatekit.TraceContext) string {
	text := [55]byte{0: '0', 1: '0', 2: '-', 35: '-', 52: '-', 53: '0', 54: '0'}
	hex.Encode(text[3:35], t.TraceID[:])
	hex.Encode(text[36:52], t.SpanID[:])
	if t.Sampled {
		text[54] = '1'
	}
	return string(text[:])
}

// New returns what a request's trace header becomes: a Root that the client sent is kept, else a
// new one is made, which is no secret. A REST API also makes a missing Parent and says that nothing
// is sampled where the client didn't say; it keeps a client's Parent and Sampled, which belong to
// its Root, only along with that. (Recorded from both.)
//
// What is made depends on the id alone, which is the request's own and asked for if need be, and on
// the second of now: whoever asks of one request, an authorizer, an integration, a response, hears
// the same, and none of them has to keep it for the others. Where id returns "" it is drawn.
func New(header []string, rest bool, id func() string, now time.Time) Trace {
	var t Trace
	if len(header) == 1 {
		t = Parse(header[0])
	}
	if t.Root != "" && (!rest || t.Parent != "" && t.Sampled != "") {
		return t
	}
	seed := rand.Uint64() // for a request that no gateway has seen
	if id := id(); id != "" {
		seed = hash(id)
	}
	if t.Root == "" {
		t = Trace{Root: newRoot(seed, now)}
	}
	if rest && t.Parent == "" {
		var parent [16]byte
		hexUint(parent[:], mix(seed+3))
		t.Parent = string(parent[:])
	}
	if rest && t.Sampled == "" {
		t.Sampled = "0"
	}
	return t
}

func newRoot(seed uint64, now time.Time) string {
	root := [35]byte{0: '1', 1: '-', 10: '-'}
	hexUint(root[2:10], uint64(now.Unix()))
	hexUint(root[11:27], mix(seed+1))
	hexUint(root[27:], mix(seed+2))
	return string(root[:])
}

// hash is FNV-1a of id, of which mix makes as many numbers as are asked for. The ID is random
// already, so all that is wanted is that it can't be read off the trace at sight, and that two
// requests differ as their IDs do: nothing rests on the trace being hard to guess.
func hash(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}

// mix is the output function of SplitMix64. (Steele, Lea, Flood: "Fast splittable pseudorandom
// number generators", 2014.)
func mix(n uint64) uint64 {
	n *= 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// hexUint fills b with the last digits of n.
func hexUint(b []byte, n uint64) {
	const digits = "0123456789abcdef"
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[n&15]
		n >>= 4
	}
}

// String returns the header's value.
func (t Trace) String() string {
	text := "Root=" + t.Root
	switch {
	case t.Parent != "" && t.Sampled != "":
		return text + ";Parent=" + t.Parent + ";Sampled=" + t.Sampled
	case t.Parent != "":
		return text + ";Parent=" + t.Parent
	case t.Sampled != "":
		return text + ";Sampled=" + t.Sampled
	}
	return text
}

func isRoot(s string) bool {
	return len(s) == 35 && s[:2] == "1-" && s[10] == '-' && isHex(s[2:10]) && isHex(s[11:])
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
