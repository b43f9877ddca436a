// Package traceid makes X-Amzn-Trace-Id, which names a request in the traces of all that it passes through:
//
//	Root=1-{8 hex digits of the time}-{24 hex digits}[;Parent={16 hex digits}][;Sampled=0|1]
package traceid

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	rootLength   = len("1-") + 8 + len("-") + 24
	parentLength = 16
)

// Root returns "Root=" and a new root of time now. It is a name, no secret.
func Root(now time.Time) string {
	var text [len("Root=") + rootLength]byte
	appendRoot(text[:0], now)
	return string(text[:])
}

func appendRoot(b []byte, now time.Time) []byte {
	var drawn [16]byte
	binary.BigEndian.PutUint32(drawn[:4], uint32(now.Unix()))
	binary.BigEndian.PutUint32(drawn[4:8], rand.Uint32())
	binary.BigEndian.PutUint64(drawn[8:], rand.Uint64())
	b = append(b, "Root=1-"...)
	b = hex.AppendEncode(b, drawn[:4])
	b = append(b, '-')
	return hex.AppendEncode(b, drawn[4:])
}

// Extend returns what a backend is sent when the client sent header: the client's root is kept, a missing parent is made, and a missing
// flag says that the request isn't sampled. A header without a root, or with anything that doesn't belong there, gives way to a new one: what
// a client writes there ends up in logs. (Recorded for REST APIs.)
func Extend(header string, now time.Time) string {
	root, parent, sampled, ok := parse(header)
	b := make([]byte, 0, len("Root=;Parent=;Sampled=0")+rootLength+parentLength)
	if !ok {
		return string(appendRoot(b, now))
	}
	b = append(append(b, "Root="...), root...)
	b = append(b, ";Parent="...)
	if parent == "" {
		var drawn [8]byte
		binary.BigEndian.PutUint64(drawn[:], rand.Uint64())
		b = hex.AppendEncode(b, drawn[:])
	} else {
		b = append(b, parent...)
	}
	if sampled == "" {
		sampled = "0"
	}
	return string(append(append(b, ";Sampled="...), sampled...))
}

// parse returns the header's fields, and whether there is a root and nothing but what has the form. Self and Lineage, which load balancers
// and functions add, are passed over.
func parse(header string) (root, parent, sampled string, ok bool) {
	if len(header) > 256 {
		return "", "", "", false
	}
	for field := range strings.SplitSeq(header, ";") {
		name, value, found := strings.Cut(strings.Trim(field, " \t"), "=")
		switch {
		case !found:
			return "", "", "", false
		case name == "Root" && root == "" && isRoot(value):
			root = value
		case name == "Parent" && parent == "" && len(value) == parentLength && isHex(value):
			parent = value
		case name == "Sampled" && sampled == "" && (value == "0" || value == "1"):
			sampled = value
		case name == "Sampled" && value == "?": // up to who comes next
		case name == "Self" || name == "Lineage":
		default:
			return "", "", "", false
		}
	}
	return root, parent, sampled, root != ""
}

func isRoot(s string) bool {
	return len(s) == rootLength && s[:2] == "1-" && s[10] == '-' && isHex(s[2:10]) && isHex(s[11:])
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
