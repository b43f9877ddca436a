package vtl

import "strings"

// A replacing is a text that replaceAll or replaceFirst makes.
type replacing struct {
	c    call // a copy: c itself would have to live as long as this may
	s    string
	with string
	p    *pattern
	out  []byte
}

// add appends a piece, and pays for the room that it takes.
func (r *replacing) add(piece string) bool {
	n := len(r.out) + len(piece)
	if n > r.c.limit() {
		r.c.tooLong()
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

func (c *call) replacePattern(s, pattern, with string) any {
	p := c.pattern(pattern)
	if p == nil {
		return nil
	}
	r := replacing{c: *c, s: s, with: with, p: p}
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

// expand appends the replacement of a match: $1 and ${name} are groups, a backslash takes the next character as it is.
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

// group reads the group that stands behind a $, of so many, and returns how many bytes tell it. A group below zero has failed.
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
