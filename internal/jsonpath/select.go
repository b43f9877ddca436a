package jsonpath

import "math"

// Select selects values of d: one or none if the path is definite, else any number. They are pieces of the document's text, which
// doesn't move. The error is [ErrTooMuch], or [ErrSyntax] for the zero Document.
func (d Document) Select(p *Path) ([][]byte, error) {
	values, _, err := d.SelectWithin(p, math.MaxInt)
	return values, err
}

// SelectWithin is Select for who may look at no more than limit bytes of the document, counted as often as it does. It returns how many
// they were.
func (d Document) SelectWithin(p *Path, limit int) (values [][]byte, looked int, err error) {
	if d.text == nil {
		return nil, 0, ErrSyntax
	}
	if limit < len(d.text) {
		return nil, 0, ErrTooMuch
	}
	if p.definite {
		if value, ok := d.Get(p); ok {
			values = [][]byte{value}
		}
		return values, len(d.text), nil
	}
	limit = min(limit, minWork+workPerByte*len(d.text))
	s := selection{text: d.text, work: limit}
	s.step(p.steps, s.root())
	if looked = min(limit-s.work, limit); s.tooMuch {
		return nil, looked, ErrTooMuch
	}
	return s.found, looked, nil
}

// Get returns the value that a definite path selects. It allocates nothing, and looks at each byte once unless the path counts from an
// array's end.
func (d Document) Get(p *Path) (value []byte, ok bool) {
	if d.text == nil || !p.definite {
		return nil, false
	}
	from, to, _ := follow(d.text, space(d.text, 0), 0, p.steps)
	if from < 0 {
		return nil, false
	}
	return d.text[from:to], true
}

// span is a value's place.
type span struct{ from, to int }

// selection is one evaluation of a path. Its work is bounded: a path such as $..a..b looks at the same text again and again.
type selection struct {
	text    []byte
	found   [][]byte
	work    int // bytes that may still be looked at
	tooMuch bool
	probe   bool // only asks whether there is something
}

func (s *selection) root() span {
	from := space(s.text, 0)
	return span{from, skip(s.text, from)}
}

// spend takes from the work that is left, and reports whether to go on.
func (s *selection) spend(v span) bool {
	if s.work -= v.to - v.from; s.work < 0 {
		s.tooMuch = true
	}
	return !s.tooMuch && !(s.probe && len(s.found) > 0)
}

func (s *selection) step(steps []step, v span) {
	if len(steps) == 0 {
		if len(s.found) == MaxResults {
			s.tooMuch = true
			return
		}
		s.found = append(s.found, s.text[v.from:v.to])
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
	if c := s.text[v.from]; c != '{' && c != '[' || !s.spend(v) {
		return
	}
	s.apply(steps, v, true)
	s.each(v, func(child span) { s.deep(steps, child) })
}

func (s *selection) apply(steps []step, v span, deep bool) {
	if !s.spend(v) {
		return
	}
	object, array := s.text[v.from] == '{', s.text[v.from] == '['
	rest := steps[1:]
	switch st := &steps[0]; st.kind {
	case member, members:
		for _, name := range st.names {
			if !object {
				break
			}
			if from, to, _ := follow(s.text, v.from, 0, []step{{kind: member, names: []string{name}}}); from >= 0 {
				s.step(rest, span{from, to})
			}
		}
	case wildcard:
		s.each(v, func(child span) { s.step(rest, child) })
	case element, elements:
		if array {
			list := s.elements(v)
			for _, i := range st.indexes {
				if i < 0 {
					i += len(list)
				}
				if i >= 0 && i < len(list) {
					s.step(rest, list[i])
				}
			}
		}
	case slice:
		if array {
			list := s.elements(v)
			from, to := st.bounds(len(list))
			for i := from; i < to; i++ {
				s.step(rest, list[i])
			}
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
	switch s.text[v.from] {
	case '{':
		var members memberList
		forObject(s.text, v.from, func(nameFrom, nameTo, from, to int) { members.set(s.text[nameFrom:nameTo], from, to) })
		for _, m := range members.list {
			f(m.span)
		}
	case '[':
		forArray(s.text, v.from, func(from, to int) bool {
			f(span{from, to})
			return !s.tooMuch && !(s.probe && len(s.found) > 0)
		})
	}
}

// elements returns an array's elements.
func (s *selection) elements(v span) (list []span) {
	s.each(v, func(child span) { list = append(list, child) })
	return list
}
