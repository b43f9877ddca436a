package jsonpath

import (
	"bytes"
	"regexp"
	"strings"
)

// filter is an expression that is true or false of a value.
type filter struct {
	op          string // "||", "&&", "!", "exists", or a comparison
	left, right *filter
	a, b        operand
}

type operandKind uint8

const (
	literal  operandKind = iota // raw
	fromItem                    // path, at the value
	fromRoot                    // path, at the document
	pattern                     // expr
)

type operand struct {
	kind operandKind
	raw  []byte // a literal as JSON
	path *Path
	expr *regexp.Regexp
	size int // of expr, in instructions
}

func (s *selection) holds(f *filter, item span) bool {
	if !s.spend(item) {
		return false
	}
	switch f.op {
	case "||":
		return s.holds(f.left, item) || s.holds(f.right, item)
	case "&&":
		return s.holds(f.left, item) && s.holds(f.right, item)
	case "!":
		return !s.holds(f.left, item)
	case "exists":
		return s.exists(&f.a, item)
	case "=~":
		if f.a.kind == pattern {
			return s.matches(&f.a, s.value(&f.b, item))
		}
		return s.matches(&f.b, s.value(&f.a, item))
	}
	return compare(f.op, s.value(&f.a, item), s.value(&f.b, item))
}

// value returns an operand's value, or nil if its path leads nowhere. A path that isn't definite has a list as its value.
func (s *selection) value(o *operand, item span) []byte {
	if o.kind == literal {
		return o.raw
	}
	at := item
	if o.kind == fromRoot {
		at = s.root()
	}
	if o.path.definite {
		if !s.spend(at) {
			return nil
		}
		if from, to, _ := follow(s.text, at.from, 0, o.path.steps); from >= 0 {
			return s.text[from:to]
		}
		return nil
	}
	list := []byte{'['}
	for i, value := range s.inner(o, at, false) {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, value...)
	}
	return append(list, ']')
}

// exists reports whether an operand's path leads anywhere; null is somewhere.
func (s *selection) exists(o *operand, item span) bool {
	if o.path.definite {
		return s.value(o, item) != nil
	}
	at := item
	if o.kind == fromRoot {
		at = s.root()
	}
	return len(s.inner(o, at, true)) > 0
}

// inner evaluates a path within a filter, on the account of the path around it.
func (s *selection) inner(o *operand, at span, probe bool) [][]byte {
	inner := selection{text: s.text, work: s.work, probe: probe}
	inner.step(o.path.steps, at)
	for _, value := range inner.found {
		inner.work -= len(value)
	}
	s.work, s.tooMuch = inner.work, s.tooMuch || inner.tooMuch || inner.work < 0
	if s.tooMuch {
		return nil
	}
	return inner.found
}

// workPerInstruction is how much work a byte of text is for an instruction of a regular expression, at most.
const workPerInstruction = 2

// matches reports whether a text, or a number's or truth value's spelling, is wholly what the pattern describes.
func (s *selection) matches(o *operand, value []byte) bool {
	if len(value) == 0 {
		return false
	}
	if s.work -= workPerInstruction * o.size * len(value); s.work < 0 {
		s.tooMuch = true
		return false
	}
	expr := o.expr
	switch value[0] {
	case '{', '[', 'n':
		return false
	case '"':
		text, _ := Unquote(value)
		return expr.MatchString(text)
	}
	return expr.Match(value)
}

// compare compares two values, either of which may be missing.
func compare(op string, a, b []byte) bool {
	switch op {
	case "==":
		return equal(a, b)
	case "!=":
		return !equal(a, b)
	}
	if len(a) == 0 || len(b) == 0 {
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

// equal compares as the managed gateway's library does: a text and a number are equal if the one is spelled as the other.
func equal(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false // what is missing equals nothing, not even null
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
