package vtl

import (
	"strings"
	"unicode/utf8"
)

var stringMethods = []method{
	{names: "length", run: of(func(_ call, s string) any { return int64(lengthUTF16(s)) })},
	{names: "isEmpty", run: of(func(_ call, s string) any { return s == "" })},
	{names: "toUpperCase", cost: cased, run: of(func(_ call, s string) any { return upper(s) })},
	{names: "toLowerCase", cost: cased, run: of(func(_ call, s string) any { return strings.ToLower(s) })},
	{names: "trim", run: of(func(_ call, s string) any { return trim(s) })},
	{names: "substring", takes: "i ii", run: of(substring)},
	{names: "charAt codePointAt", takes: "i", run: of(charAt)},
	{names: "valueOf", takes: "*", run: func(c call) any { return c.made(c.ex.text(c.args[0])) }},
	{names: "indexOf", takes: "s i si ii", cost: scanned(6), run: of(indexOf)},
	{names: "lastIndexOf", takes: "s i si ii", cost: scanned(6), run: of(lastIndexOf)},
	// What is looked for may nearly be there at each place.
	{names: "contains", takes: "s", cost: scanned(8), run: of(func(c call, s string) any {
		return strings.Contains(s, c.text(0))
	})},
	{names: "startsWith", takes: "s", run: of(func(c call, s string) any { return strings.HasPrefix(s, c.text(0)) })},
	{names: "startsWith", takes: "si", cost: scanned(8), run: of(func(c call, s string) any {
		n, from := lengthUTF16(s), c.int(1)
		return from >= 0 && from <= n && strings.HasPrefix(substringUTF16(s, from, n), c.text(0))
	})},
	{names: "endsWith", takes: "s", run: of(func(c call, s string) any { return strings.HasSuffix(s, c.text(0)) })},
	{names: "contentEquals", takes: "s", run: of(func(c call, s string) any { return s == c.text(0) })},
	{names: "equalsIgnoreCase", takes: "S", cost: cased, run: of(func(c call, s string) any {
		return c.args[0] != nil && strings.EqualFold(s, c.text(0))
	})},
	{names: "compareTo", takes: "*", run: compareTo(compareUTF16)},
	{names: "compareToIgnoreCase", takes: "s", cost: cased, run: of(func(c call, s string) any {
		o := c.text(0)
		if !c.ex.cased(o) || !c.ex.cased(s) || !c.ex.cased(o) { // each is made two texts
			return nil
		}
		return int64(compareUTF16(strings.ToLower(strings.ToUpper(s)), strings.ToLower(strings.ToUpper(o))))
	})},
	{names: "concat", takes: "s", run: of(func(c call, s string) any { return c.ex.concat(s, c.text(0)) })},
	{names: "replace", takes: "ss cc", run: of(replace)},
	{names: "matches", takes: "s", run: of(matches)},
	{names: "replaceAll replaceFirst", takes: "ss", run: of(replacePattern)},
	{names: "split", takes: "s si", run: of(split)},
}

// read pays for looking at a text as every method of it does, at worst at all of it. An index
// counts UTF-16 units, which have to be looked for where not all is ASCII.
func (ex *exec) read(s string) bool {
	steps := len(s) / 32
	if !plain(s) {
		steps += len(s) / 4
	}
	return ex.step(steps)
}

// scanned is the cost of a search that takes a step for so many bytes.
func scanned(bytes int) func(call) bool {
	return func(c call) bool { return c.ex.step(len(c.on.(string)) / bytes) }
}

func cased(c call) bool { return c.ex.cased(c.on.(string)) }

// cased pays for a text's letters to be turned into those of another case, which are looked up
// where they are not ASCII.
func (ex *exec) cased(s string) bool {
	if plain(s) {
		return ex.step(len(s)/16) && ex.alloc(16+len(s))
	}
	return ex.step(len(s)) && ex.alloc(16+growth*len(s))
}

// made pays for a text that a method made.
func (c call) made(s string) any {
	if !c.ex.alloc(16+len(s)) || !c.ex.step(len(s)/16) {
		return nil
	}
	return s
}

// trim is String.trim: all up to the blank goes, which is more than Unicode's white space and less.
func trim(s string) string {
	for s != "" && s[0] <= ' ' {
		s = s[1:]
	}
	for s != "" && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// upper is toUpperCase: what has no upper case of one letter gets several.
func upper(s string) string {
	s = strings.ToUpper(s)
	if plain(s) {
		return s
	}
	return severalLetters.Replace(s)
}

var severalLetters = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J̌", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL",
	"ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST")

func substring(c call, s string) any {
	n, from := lengthUTF16(s), c.int(0)
	to := n
	if len(c.args) == 2 {
		to = c.int(1)
	}
	if from < 0 || to > n || from > to {
		return c.fail("want a range within 0 to %d, got %d to %d", n, from, to)
	}
	return substringUTF16(s, from, to)
}

// charAt is the unit at an index, codePointAt the character unless the index is in the middle of
// one.
func charAt(c call, s string) any {
	i, n := c.int(0), lengthUTF16(s)
	if i < 0 || i >= n {
		c.ex.outOfRange(c.ref, c.step, i, n)
		return nil
	}
	unit := unitAt(s, i)
	if c.step.name == "charAt" {
		return unit
	}
	offset, half := offsetUTF16(s, i)
	if half {
		return int64(unit)
	}
	r, _ := utf8.DecodeRuneInString(s[offset:])
	return int64(r)
}

// sought is what indexOf looks for: a text or, given an integer, the character of that number. ok
// is false where none has it.
func (c call) sought() (_ string, ok bool) {
	if n, isNumber := c.args[0].(int64); isNumber {
		return string(rune(n)), n >= 0 && n <= utf8.MaxRune && utf8.ValidRune(rune(n))
	}
	return c.text(0), true
}

func indexOf(c call, s string) any {
	what, ok := c.sought()
	start := 0
	if ok && len(c.args) == 2 {
		from, n := c.int(1), lengthUTF16(s)
		if from > n {
			ok = what == ""
			from = n
		}
		half := false
		if start, half = offsetUTF16(s, max(from, 0)); half {
			_, size := utf8.DecodeRuneInString(s[start:])
			start += size
		}
	}
	i := strings.Index(s[start:], what)
	if !ok || i < 0 {
		return int64(-1)
	}
	return int64(lengthUTF16(s[:start+i]))
}

func lastIndexOf(c call, s string) any {
	what, ok := c.sought()
	end := len(s)
	if ok && len(c.args) == 2 { // where the match may start, at the latest
		from := c.int(1)
		start, _ := offsetUTF16(s, min(max(from, 0), lengthUTF16(s)))
		end, ok = min(len(s), start+len(what)), from >= 0
	}
	i := strings.LastIndex(s[:end], what)
	if !ok || i < 0 {
		return int64(-1)
	}
	return int64(lengthUTF16(s[:i]))
}

func replace(c call, s string) any {
	var texts [2]string
	for i, arg := range c.args {
		switch arg := arg.(type) {
		case string:
			texts[i] = arg
		case Char:
			texts[i] = string(appendChar(nil, arg))
		}
	}
	n := strings.Count(s, texts[0])
	if !c.ex.step(n) || !c.ex.short(len(s)+n*(len(texts[1])-len(texts[0]))) {
		return nil
	}
	return c.made(strings.ReplaceAll(s, texts[0], texts[1]))
}
