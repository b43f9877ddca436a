package vtl

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func (c *call) onString(s string) any {
	// Each looks at all of it, at worst. An index counts UTF-16 units, which have to be looked for where not all is ASCII.
	steps := len(s) / 32
	if !plain(s) {
		steps += len(s) / 4
	}
	if !c.ex.step(steps) {
		return nil
	}
	switch len(c.args) {
	case 0:
		return c.onString0(s)
	case 1:
		return c.onString1(s)
	case 2:
		return c.onString2(s)
	}
	return missing
}

func (c *call) onString0(s string) any {
	switch c.step.name {
	case "length":
		return int64(lengthUTF16(s))
	case "isEmpty":
		return s == ""
	case "toUpperCase":
		if !c.cased(s) {
			return nil
		}
		return upper(s)
	case "toLowerCase":
		if !c.cased(s) {
			return nil
		}
		return strings.ToLower(s)
	case "trim":
		for s != "" && s[0] <= ' ' {
			s = s[1:]
		}
		for s != "" && s[len(s)-1] <= ' ' {
			s = s[:len(s)-1]
		}
		return s
	case "intern":
		return s
	}
	return missing
}

// cased pays for a text's letters to be turned into those of another case, which are looked up where they are not ASCII.
func (c *call) cased(s string) bool {
	if plain(s) {
		return c.ex.step(len(s)/16) && c.ex.alloc(16+len(s))
	}
	return c.ex.step(len(s)) && c.ex.alloc(16+growth*len(s))
}

// upper is toUpperCase: what has no upper case of one letter gets two.
func upper(s string) string {
	s = strings.ToUpper(s)
	if plain(s) {
		return s
	}
	return severalLetters.Replace(s)
}

var severalLetters = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J̌", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST")

func (c *call) onString1(s string) any {
	switch c.step.name { // what takes an integer
	case "substring", "charAt", "codePointAt":
		i, ok := c.int(0)
		if !ok {
			return missing
		}
		n := lengthUTF16(s)
		if c.step.name == "substring" {
			if i < 0 || i > n {
				return c.fail("want a start from 0 to " + strconv.Itoa(n) + ", got " + strconv.Itoa(i))
			}
			return substringUTF16(s, i, n)
		}
		if i < 0 || i >= n {
			c.ex.outOfRange(c.ref, c.step, i, n)
			return nil
		}
		if c.step.name == "charAt" {
			return unitAt(s, i)
		}
		offset, half := offsetUTF16(s, i)
		if half {
			return int64(unitAt(s, i))
		}
		r, _ := utf8.DecodeRuneInString(s[offset:])
		return int64(r)
	case "valueOf", "copyValueOf":
		return c.made(c.ex.text(c.args[0]))
	case "indexOf", "lastIndexOf":
		return c.indexOf(s, 0)
	case "contains":
		if !c.ex.step(len(s) / 8) { // what is looked for may nearly be there at each place
			return nil
		}
	}
	o, ok := c.text(0)
	if !ok {
		return missing
	}
	switch c.step.name {
	case "contains":
		return strings.Contains(s, o)
	case "startsWith":
		return strings.HasPrefix(s, o)
	case "endsWith":
		return strings.HasSuffix(s, o)
	case "equalsIgnoreCase":
		if !c.cased(s) {
			return nil
		}
		return strings.EqualFold(s, o)
	case "contentEquals":
		return s == o
	case "compareTo":
		return int64(compareUTF16(s, o))
	case "compareToIgnoreCase":
		if !c.cased(s) || !c.cased(o) || !c.cased(s) || !c.cased(o) {
			return nil
		}
		return int64(compareUTF16(strings.ToLower(strings.ToUpper(s)), strings.ToLower(strings.ToUpper(o))))
	case "concat":
		return c.ex.concat(s, o)
	case "matches":
		p := c.pattern(o)
		if p == nil {
			return nil
		}
		if !c.ex.step(len(s) * p.perRune(false)) {
			return nil
		}
		return p.re.MatchString(s)
	case "split":
		return c.split(s, o, 0)
	}
	return missing
}

func (c *call) onString2(s string) any {
	switch c.step.name {
	case "substring":
		i, iok := c.int(0)
		j, jok := c.int(1)
		if !iok || !jok {
			return missing
		}
		n := lengthUTF16(s)
		if i < 0 || j > n || i > j {
			return c.fail("want a range within 0 to " + strconv.Itoa(n) + ", got " + strconv.Itoa(i) + " to " + strconv.Itoa(j))
		}
		return substringUTF16(s, i, j)
	case "indexOf", "lastIndexOf":
		from, ok := c.int(1)
		if !ok {
			return missing
		}
		return c.indexOf(s, from)
	case "replace":
		return c.replace(s)
	}
	o, ok := c.text(0)
	if !ok {
		return missing
	}
	switch c.step.name {
	case "startsWith":
		from, ok := c.int(1)
		if !ok {
			return missing
		}
		if from < 0 || !c.ex.step(len(s)/8) || from > lengthUTF16(s) {
			return false
		}
		return strings.HasPrefix(substringUTF16(s, from, lengthUTF16(s)), o)
	case "split":
		n, ok := c.int(1)
		if !ok {
			return missing
		}
		return c.split(s, o, n)
	case "replaceAll", "replaceFirst":
		with, ok := c.text(1)
		if !ok {
			return missing
		}
		return c.replacePattern(s, o, with)
	}
	return missing
}

// indexOf looks for a string or, given an integer, for the character of that number.
func (c *call) indexOf(s string, from int) any {
	if !c.ex.step(len(s) / 6) {
		return nil
	}
	var what string
	switch o := c.args[0].(type) {
	case string:
		what = o
	case int64:
		if o < 0 || o > utf8.MaxRune || o >= 0xd800 && o < 0xe000 {
			return int64(-1)
		}
		what = string(rune(o))
	default:
		return missing
	}
	n := lengthUTF16(s)
	if c.step.name == "indexOf" {
		if from > n {
			if what == "" {
				return int64(n)
			}
			return int64(-1)
		}
		start, half := offsetUTF16(s, max(from, 0))
		if half {
			_, size := utf8.DecodeRuneInString(s[start:])
			start += size
		}
		i := strings.Index(s[start:], what)
		if i < 0 {
			return int64(-1)
		}
		return int64(lengthUTF16(s[:start+i]))
	}
	end := len(s)
	if len(c.args) == 2 { // where the match may start, at the latest
		if from < 0 {
			return int64(-1)
		}
		start, _ := offsetUTF16(s, min(from, n))
		end = min(len(s), start+len(what))
	}
	i := strings.LastIndex(s[:end], what)
	if i < 0 {
		return int64(-1)
	}
	return int64(lengthUTF16(s[:i]))
}

func (c *call) replace(s string) any {
	old, ook := c.text(0)
	with, wok := c.text(1)
	if !ook || !wok {
		o, ook := c.args[0].(Char)
		w, wok := c.args[1].(Char)
		if !ook || !wok {
			return missing
		}
		old, with = string(appendChar(nil, o)), string(appendChar(nil, w))
	}
	n := strings.Count(s, old)
	if !c.ex.step(n) {
		return nil
	}
	if len(s)+n*(len(with)-len(old)) > c.limit() {
		return c.tooLong()
	}
	return c.made(strings.ReplaceAll(s, old, with))
}

// pattern is the regular expression of a call, or nil where the template fails.
func (c *call) pattern(text string) *pattern {
	p := c.step.regex
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
		c.fail(c.step.name + " " + strconv.Quote(short(text)) + ": " + p.err.Error())
		return nil
	}
	// A search keeps the places of all groups for each instruction.
	if !c.ex.alloc(16 * p.size * (1 + p.groups())) {
		return nil
	}
	return p
}

// split drops empty strings at the end, unless limit says otherwise as String.split has it.
func (c *call) split(s, pattern string, limit int) any {
	p := c.pattern(pattern)
	if p == nil {
		return nil
	}
	l := &List{kind: stringArray}
	at := 0
	ok := c.each(p, s, func(m []int) bool {
		if limit > 0 && len(l.items) == limit-1 {
			return false
		}
		if m[1] == 0 { // an empty match at the start doesn't split
			return true
		}
		if m[0] == m[1] && m[0] == len(s) {
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
