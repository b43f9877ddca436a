package vtl

import "strings"

// prepare finds the rows of a method, and compiles its pattern if that is constant. What patterns a
// template has by then, in instructions, is in total.
func (s *step) prepare(total *int) {
	s.rows = methods[s.name]
	if len(s.args) == 0 || *total > maxConstantPatterns {
		return
	}
	switch s.name {
	case "matches", "replaceAll", "replaceFirst", "split":
		if c, ok := s.args[0].(constant); ok {
			if text, ok := c.value.(string); ok {
				s.regex = compilePattern(text, s.name == "matches")
				*total += s.regex.size
			}
		}
	}
}

// pattern is the regular expression of a call, its first argument, or nil where the template fails.
func (c call) pattern() *pattern {
	p, text := c.step.regex, c.text(0)
	if p == nil {
		n := min(len(text), maxPattern)
		if !c.ex.step(compileSteps*(1+n)) || !c.ex.alloc(compileBytes*(1+n)) {
			return nil
		}
		p = compilePattern(text, c.step.name == "matches")
		if !c.ex.step(4*p.size) || !c.ex.alloc(compileBytes*p.size) {
			return nil
		}
	}
	if p.err != nil {
		c.fail("%s %q: %v", c.step.name, short(text), p.err)
		return nil
	}
	// A search keeps the places of all groups for each instruction.
	if !c.ex.alloc(16 * p.size * (1 + p.groups())) {
		return nil
	}
	return p
}

func matches(c call, s string) any {
	p := c.pattern()
	if p == nil || !c.ex.step(len(s)*p.perRune(false)) {
		return nil
	}
	return p.re.MatchString(s)
}

// split is String.split: without a limit empty strings at the end are dropped.
func split(c call, s string) any {
	p := c.pattern()
	if p == nil {
		return nil
	}
	limit := 0
	if len(c.args) == 2 {
		limit = c.int(1)
	}
	l := &List{kind: stringArray}
	at := 0
	ok := c.each(p, s, func(m []int) bool {
		if limit > 0 && len(l.items) == limit-1 {
			return false
		}
		if m[1] == 0 || m[0] == m[1] && m[0] == len(s) { // an empty match at the start or the end doesn't split
			return true
		}
		if !c.ex.grow(l, 1) || !c.ex.alloc(16) {
			return false
		}
		l.items = append(l.items, s[at:m[0]])
		at = m[1]
		return true
	})
	if !ok {
		return nil
	}
	l.items = append(l.items, s[at:])
	if limit == 0 && len(l.items) > 1 {
		for len(l.items) > 0 && l.items[len(l.items)-1] == any("") {
			l.items = l.items[:len(l.items)-1]
		}
	}
	return l
}

// A replacing is a text that replaceAll or replaceFirst makes.
type replacing struct {
	c    call
	s    string
	with string
	p    *pattern
	out  []byte
}

// add appends a piece, and pays for the room that it takes.
func (r *replacing) add(piece string) bool {
	n := len(r.out) + len(piece)
	if !r.c.ex.short(n) {
		return false
	}
	if n > cap(r.out) {
		size := max(n, 2*cap(r.out), 64)
		if !r.c.ex.alloc(size) {
			return false
		}
		r.out = append(make([]byte, 0, size), r.out...)
	}
	r.out = append(r.out, piece...)
	return r.c.ex.step(len(piece) / 32)
}

func replacePattern(c call, s string) any {
	p := c.pattern()
	if p == nil {
		return nil
	}
	r := replacing{c: c, s: s, with: c.text(1), p: p}
	at := 0
	ok := c.each(p, s, func(m []int) bool {
		if !r.add(s[at:m[0]]) {
			return false
		}
		at = m[1]
		return r.expand(m) && c.step.name == "replaceAll"
	})
	if !ok || !r.add(s[at:]) {
		return nil
	}
	return c.made(string(r.out))
}

// expand appends the replacement of a match: $1 and ${name} are groups, a backslash takes the next
// character as it is.
func (r *replacing) expand(m []int) bool {
	with := r.with
	if !r.c.ex.step(1 + len(with)/8) {
		return false
	}
	for with != "" {
		i := strings.IndexAny(with, `\$`)
		if i < 0 {
			return r.add(with)
		}
		if !r.add(with[:i]) {
			return false
		}
		if with[i] == '\\' {
			if i+1 == len(with) {
				r.c.fail("want a character after the backslash at the end of the replacement")
				return false
			}
			if !r.add(with[i+1 : i+2]) {
				return false
			}
			with = with[i+2:]
			continue
		}
		group, size := r.group(with[i+1:], len(m)/2-1)
		if group < 0 {
			return false
		}
		if 2*group+1 < len(m) && m[2*group] >= 0 && !r.add(r.s[m[2*group]:m[2*group+1]]) {
			return false
		}
		with = with[i+1+size:]
	}
	return true
}

// group reads the group that stands behind a $, of so many, and returns how many bytes tell it. A
// group below zero has failed.
func (r *replacing) group(text string, groups int) (group, size int) {
	if strings.HasPrefix(text, "{") {
		name, _, found := strings.Cut(text[1:], "}")
		n := -1
		if found && r.p.re != nil && name != "" && r.c.ex.step(1+(groups+len(name))/4) {
			n = r.p.re.SubexpIndex(name)
		}
		if n < 0 {
			r.c.fail("want the name of a group after $ in the replacement")
		}
		return n, len(name) + 2
	}
	if text == "" || !isDigit(text[0]) || int(text[0]-'0') > groups {
		r.c.fail("want a group of the pattern after $ in the replacement, as in $1")
		return -1, 0
	}
	n := int(text[0] - '0')
	// Further digits count as long as there is such a group.
	for size = 1; size < len(text) && isDigit(text[size]) && n*10+int(text[size]-'0') <= groups; size++ {
		n = n*10 + int(text[size]-'0')
	}
	return n, size
}
