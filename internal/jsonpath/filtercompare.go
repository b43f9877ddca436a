package jsonpath

import (
	"bytes"
	"strings"
)

// comparedWork is what a byte of a value costs that is compared with another, in bytes looked at:
// texts are decoded, objects and arrays written anew.
const comparedWork = 4

// compare compares two values, either of which may be missing.
func (s *selection) compare(op string, a, b []byte) bool {
	switch op {
	case "==":
		return s.equal(a, b)
	case "!=":
		return !s.equal(a, b)
	}
	if len(a) == 0 || len(b) == 0 || !s.pay(comparedWork*(len(a)+len(b)), len(a)+len(b)) {
		return false
	}
	var order int
	switch {
	case isNumber(a) && isNumber(b):
		order = compareNumbers(a, b)
	case a[0] == '"' && b[0] == '"':
		x, _ := Unquote(a)
		y, _ := Unquote(b)
		order = strings.Compare(x, y)
	default:
		return false
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func isNumber(v []byte) bool { return v[0] == '-' || '0' <= v[0] && v[0] <= '9' }

// equal compares as the managed gateway's library does: a text and a number are equal if the one is
// spelled as the other.
func (s *selection) equal(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false // what is missing equals nothing, not even null
	}
	container := a[0] == '{' || a[0] == '['
	if container != (b[0] == '{' || b[0] == '[') || container && a[0] != b[0] {
		return false
	}
	made := len(a) + len(b)
	if container {
		made += perMember * (bytes.Count(a, colon) + bytes.Count(b, colon))
	}
	if !s.pay(comparedWork*(len(a)+len(b)), made) {
		return false
	}
	x, textA := Unquote(a)
	y, textB := Unquote(b)
	switch {
	case textA && textB:
		return x == y
	case textA && isNumber(b):
		return x == string(b)
	case textB && isNumber(a):
		return y == string(a)
	case textA || textB:
		return false
	case isNumber(a) && isNumber(b):
		return compareNumbers(a, b) == 0
	}
	return bytes.Equal(AppendCompact(nil, a), AppendCompact(nil, b))
}

var colon = []byte{':'}
