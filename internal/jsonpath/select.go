package jsonpath

import (
	"math"
	"slices"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// perResult is about how many bytes a value of a selection takes.
const perResult = 64

// Cost is what a selection takes, or may take.
type Cost struct {
	// Looked is how many bytes of text it looks at, counted as often as it does: about two
	// nanoseconds each at most.
	Looked int
	// Made is how many bytes of memory it allocates, about.
	Made int
}

// Select selects values of d: one or none if the path is definite, else any number. They are pieces
// of the document's text, which doesn't move. The error is [ErrTooMuch], or [ErrSyntax] for the
// zero Document.
func (d Document) Select(p *Path) ([][]byte, error) {
	values, _, err := d.SelectWithin(p, Cost{math.MaxInt, math.MaxInt})
	return values, err
}

// SelectWithin is Select for who may spend no more than limit, and returns what was spent. Whatever
// the limit, a selection looks at no more than 64 MiB and 16 times the document.
func (d Document) SelectWithin(p *Path, limit Cost) (values [][]byte, spent Cost, err error) {
	if d.text == nil {
		return nil, Cost{}, ErrSyntax
	}
	if limit.Looked < len(d.text) {
		return nil, Cost{}, ErrTooMuch
	}
	if p.definite {
		if value, ok := d.Get(p); ok {
			values = [][]byte{value}
		}
		return values, Cost{Looked: p.Passes() * len(d.text)}, nil
	}
	limit = Cost{min(limit.Looked, minWork+workPerByte*len(d.text)), min(limit.Made, maxMade)}
	from := jsonlex.Space(d.text, 0)
	s := selection{text: d.text, top: span{From: from, To: jsonlex.SkipValue(d.text, from)}, left: limit}
	s.step(p.steps, s.top)
	spent = Cost{min(limit.Looked-s.left.Looked, limit.Looked), min(limit.Made-s.left.Made, limit.Made)}
	if s.tooMuch {
		return nil, spent, ErrTooMuch
	}
	return s.found, spent, nil
}

// Get returns the value that a definite path selects. It allocates nothing, and looks at each byte
// once unless the path counts from an array's end.
func (d Document) Get(p *Path) (value []byte, ok bool) {
	if d.text == nil || !p.definite {
		return nil, false
	}
	found, _, _ := follow(d.text, jsonlex.Space(d.text, 0), 0, p.steps)
	if found.To == 0 {
		return nil, false
	}
	return d.text[found.From:found.To], true
}

// selection is one evaluation of a path. What it may cost is bounded: a path such as $..a..b looks
// at the same text again and again.
type selection struct {
	text    []byte
	top     span // the document's value
	found   [][]byte
	left    Cost
	tooMuch bool
	probe   bool // only asks whether there is something
}

// spend takes a look at v from what is left, and reports whether to go on. Looking at the smallest
// value costs something.
func (s *selection) spend(v span) bool { return s.pay(8+v.To-v.From, 0) }

func (s *selection) pay(looked, made int) bool {
	s.left.Looked -= looked
	s.left.Made -= made
	if s.left.Looked < 0 || s.left.Made < 0 {
		s.tooMuch = true
	}
	return s.more()
}

// more reports whether there is anything left to look for.
func (s *selection) more() bool { return !s.tooMuch && !(s.probe && len(s.found) > 0) }

func (s *selection) step(steps []step, v span) {
	if len(steps) == 0 {
		if len(s.found) == MaxResults || !s.pay(0, perResult) {
			s.tooMuch = s.more() || s.tooMuch
			return
		}
		s.found = append(s.found, s.text[v.From:v.To])
		return
	}
	if steps[0].deep {
		s.deep(steps, v)
		return
	}
	s.apply(steps, v, false)
}

// deep applies the step to v and to all that it holds, v first.
func (s *selection) deep(steps []step, v span) {
	if c := s.text[v.From]; c != '{' && c != '[' || !s.spend(v) {
		return
	}
	s.apply(steps, v, true)
	s.each(v, func(child span) { s.deep(steps, child) })
}

func (s *selection) apply(steps []step, v span, deep bool) {
	if !s.spend(v) {
		return
	}
	object, array := s.text[v.From] == '{', s.text[v.From] == '['
	rest := steps[1:]
	switch st := &steps[0]; st.kind {
	case member:
		if object {
			if found, _, _ := follow(s.text, v.From, 0, steps[:1]); found.To > 0 {
				s.step(rest, found)
			}
		}
	case members:
		if object {
			s.pick(rest, s.membersOf(st, v))
		}
	case wildcard:
		s.each(v, func(child span) { s.step(rest, child) })
	case element, elements:
		if array {
			s.pick(rest, s.elementsOf(st, v))
		}
	case slice:
		if array {
			s.slice(st, rest, v)
		}
	case filtered:
		switch {
		case object:
			if s.holds(st.filter, v) {
				s.step(rest, v)
			}
		case array && !deep: // at depth each element that may match has its own turn
			s.each(v, func(child span) {
				if s.holds(st.filter, child) {
					s.step(rest, child)
				}
			})
		}
	}
}

func (st *step) bounds(n int) (from, to int) {
	from, to = 0, n
	if st.from != nil {
		if from = *st.from; from < 0 {
			from += n
		}
	}
	if st.to != nil {
		if to = *st.to; to < 0 {
			to += n
		}
	}
	return max(from, 0), min(to, n)
}

// each calls f for what an object or array holds.
func (s *selection) each(v span, f func(span)) {
	if !s.spend(v) {
		return
	}
	switch s.text[v.From] {
	case '{':
		members := memberList{text: s.text}
		for name, value := range jsonscan.MembersAt(s.text, v.From) {
			made := 0
			if members.set(name, value) {
				made = perMember
			}
			if !s.pay(perMember/2, made) {
				break
			}
		}
		for i := range members.list {
			if !s.more() {
				return
			}
			f(span{From: int(members.list[i].from), To: int(members.list[i].to)})
		}
	case '[':
		for child := range jsonscan.ElementsAt(s.text, v.From) {
			if f(child); !s.more() {
				return
			}
		}
	}
}

// pick goes on with each of some places; what isn't there has none.
func (s *selection) pick(rest []step, places []span) {
	for _, place := range places {
		if place.To > 0 && s.more() {
			s.step(rest, place)
		}
	}
}

// membersOf finds the members of several names in one pass, in the order of the names.
func (s *selection) membersOf(st *step, v span) []span {
	if !s.pay(16*len(st.names), 16*len(st.names)) {
		return nil
	}
	places := make([]span, len(st.names))
	for name, value := range jsonscan.MembersAt(s.text, v.From) {
		inner := s.text[name.From+1 : name.To-1]
		if jsonlex.Escaped(inner) {
			inner = jsonlex.AppendUnescaped(nil, inner)
		}
		wanted := st.wanted[string(inner)]
		for _, i := range wanted {
			places[i] = value
		}
		if !s.pay(16+8*len(wanted), 0) {
			break
		}
	}
	return places
}

// elementsOf finds elements by their indexes in one pass, or two where one counts from the end, in
// the order of the indexes.
func (s *selection) elementsOf(st *step, v span) []span {
	if !s.pay(64*len(st.indexes), 64*len(st.indexes)) {
		return nil
	}
	n := 0
	if slices.Min(st.indexes) < 0 {
		n = s.count(v)
	}
	wanted := make(map[int][]int, len(st.indexes))
	last := -1
	for i, index := range st.indexes {
		if index < 0 {
			index += n
		}
		if index >= 0 {
			wanted[index] = append(wanted[index], i)
			last = max(last, index)
		}
	}
	places := make([]span, len(st.indexes))
	at := 0
	for child := range jsonscan.ElementsAt(s.text, v.From) {
		if at > last {
			break
		}
		for _, i := range wanted[at] {
			places[i] = child
		}
		at++
		if !s.pay(8, 0) {
			break
		}
	}
	return places
}

// slice goes on with the elements of a slice.
func (s *selection) slice(st *step, rest []step, v span) {
	n := math.MaxInt32
	if st.from != nil && *st.from < 0 || st.to != nil && *st.to < 0 {
		n = s.count(v)
	}
	from, to := st.bounds(n)
	at := 0
	for child := range jsonscan.ElementsAt(s.text, v.From) {
		if at >= to {
			break
		}
		if at >= from {
			s.step(rest, child)
		}
		at++
		if !s.pay(8, 0) {
			break
		}
	}
}

// count is how many elements an array has.
func (s *selection) count(v span) (n int) {
	s.spend(v)
	for range jsonscan.ElementsAt(s.text, v.From) {
		n++
	}
	return n
}
