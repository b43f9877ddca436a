// Package traceid reads and makes X-Amzn-Trace-Id, which names a request in the traces of all that it passes through.
package traceid

import (
	"math/rand/v2"
	"strings"
	"time"
)

// maxTrace bounds what is read of a client's trace header.
const maxTrace = 512

// Trace is a trace header's value: Root=1-{8 hex, the time}-{24 hex}[;Parent={16 hex}][;Sampled=0|1]. (X-Ray developer guide, "Tracing
// header".)
type Trace struct{ Root, Parent, Sampled string }

// Parse reads a trace header. Fields that don't have their form are left out, and so are all others.
func Parse(header string) (t Trace) {
	if len(header) > maxTrace {
		return t
	}
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.Trim(field, " \t"), "=")
		switch {
		case name == "Root" && t.Root == "" && len(value) == 35 && value[:2] == "1-" && value[10] == '-' && isHex(value[2:10]) && isHex(value[11:]):
			t.Root = value
		case name == "Parent" && t.Parent == "" && len(value) == 16 && isHex(value):
			t.Parent = value
		case name == "Sampled" && t.Sampled == "" && (value == "0" || value == "1"):
			t.Sampled = value
		}
	}
	return t
}

// New returns what a request's trace header becomes: a Root that the client sent is kept, else a new one is made, which is no secret. A
// REST API also makes a missing Parent and says that nothing is sampled where the client didn't say; it keeps a client's Parent and Sampled,
// which belong to its Root, only along with that. (Recorded from both.)
func New(header []string, rest bool, now time.Time) Trace {
	var t Trace
	if len(header) == 1 {
		t = Parse(header[0])
	}
	if t.Root == "" {
		t = Trace{Root: newRoot(now)}
	}
	if rest && t.Parent == "" {
		var parent [16]byte
		hexUint(parent[:], rand.Uint64())
		t.Parent = string(parent[:])
	}
	if rest && t.Sampled == "" {
		t.Sampled = "0"
	}
	return t
}

func newRoot(now time.Time) string {
	root := [35]byte{0: '1', 1: '-', 10: '-'}
	hexUint(root[2:10], uint64(now.Unix()))
	hexUint(root[11:27], rand.Uint64())
	hexUint(root[27:], rand.Uint64())
	return string(root[:])
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

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
