package jsonpath

import "regexp"

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
	return s.compare(f.op, s.value(&f.a, item), s.value(&f.b, item))
}

// value returns an operand's value, or nil if its path leads nowhere. A path that isn't definite
// has a list as its value.
func (s *selection) value(o *operand, item span) []byte {
	if o.kind == literal {
		return o.raw
	}
	at := item
	if o.kind == fromRoot {
		at = s.top
	}
	if o.path.definite {
		if !s.pay(o.path.Passes()*(8+at.To-at.From), 0) {
			return nil
		}
		if found, _, _ := follow(s.text, at.From, 0, o.path.steps); found.To > 0 {
			return s.text[found.From:found.To]
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
		at = s.top
	}
	return len(s.inner(o, at, true)) > 0
}

// inner evaluates a path within a filter, on the account of the path around it.
func (s *selection) inner(o *operand, at span, probe bool) [][]byte {
	inner := selection{text: s.text, top: s.top, left: s.left, probe: probe}
	inner.step(o.path.steps, at)
	inner.probe = false
	for _, value := range inner.found {
		inner.pay(len(value), 2*len(value)) // value puts them into a list
	}
	s.left, s.tooMuch = inner.left, s.tooMuch || inner.tooMuch
	if s.tooMuch {
		return nil
	}
	return inner.found
}

// workPerInstruction is how much work a byte of text is for an instruction of a regular expression,
// at most.
const workPerInstruction = 6

// matches reports whether a text, or a number's or truth value's spelling, is wholly what the
// pattern describes.
func (s *selection) matches(o *operand, value []byte) bool {
	if len(value) == 0 {
		return false
	}
	if !s.pay((1+workPerInstruction*o.size)*len(value), len(value)) {
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
