package waf

import "github.com/gatekit-go/gatekit/auth/waf/internal/textform"

// source is what statements look at: the texts of a part of the request, transformed. Statements
// with the same part and the same list share one, so that a text that many rules look at is
// transformed once.
type source struct {
	field field
	list  []textform.Kind
	index int
	uses  int
}

// field is a part of a request.
type field interface {
	// give hands each text of the part to s.take until that returns false. A verdict other than
	// undecided stands in place of what the texts would say.
	give(s *state) verdict
}

// verdict is what a part says without being looked at: that it is too large, isn't there, or isn't
// what it should be.
type verdict uint8

const (
	undecided verdict = iota
	matches
	fails
)

// matcher decides about one text.
type matcher interface {
	match(s *state, text []byte) bool
}

// reading is the source that is being read, and for whom.
type reading struct {
	list    []textform.Kind
	want    matcher // nil while texts are kept
	matched bool
}

// kept are the texts of a source that several statements use.
type kept struct {
	read     bool
	verdict  verdict
	from, to int // of spans
}

type span struct{ from, to int }

// any reports whether one of the source's texts is what m looks for.
func (s *state) any(src *source, m matcher) bool {
	if src.uses < 2 {
		s.reading = reading{list: src.list, want: m}
		v := src.field.give(s)
		return v == matches || v == undecided && s.reading.matched
	}
	k := s.texts(src)
	if k.verdict != undecided {
		return k.verdict == matches
	}
	for _, at := range s.spans[k.from:k.to] {
		if m.match(s, s.arena[at.from:at.to]) {
			return true
		}
	}
	return false
}

// texts reads the source, once a request.
func (s *state) texts(src *source) *kept {
	k := &s.kept[src.index]
	if !k.read {
		s.reading = reading{list: src.list}
		k.from = len(s.spans)
		k.verdict = src.field.give(s)
		k.read, k.to = true, len(s.spans)
	}
	return k
}

// take is given a text of the source that is being read, and reports whether it wants more.
func (s *state) take(text []byte) bool {
	text = textform.Apply(&s.buffers, s.reading.list, text)
	if s.reading.want == nil {
		from := len(s.arena)
		s.arena = append(s.arena, text...)
		s.spans = append(s.spans, span{from, len(s.arena)})
		return true
	}
	s.reading.matched = s.reading.want.match(s, text)
	return !s.reading.matched
}

// takeText is take for a string.
func (s *state) takeText(text string) bool {
	s.raw = append(s.raw[:0], text...)
	return s.take(s.raw)
}
