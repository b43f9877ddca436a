package jsonpath

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Unquote decodes a selected value that is a text, and reports whether it is one. Halves of surrogate pairs become U+FFFD.
func Unquote(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), true
	}
	return string(appendUnquoted(make([]byte, 0, len(inner)), inner)), true
}

func appendUnquoted(dst, inner []byte) []byte {
	for i := 0; i < len(inner); {
		at := bytes.IndexByte(inner[i:], '\\')
		if at < 0 {
			return append(dst, inner[i:]...)
		}
		dst = append(dst, inner[i:i+at]...)
		i += at + 2
		switch c := inner[i-1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(inner, i)
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if i+1 < len(inner) && inner[i] == '\\' && inner[i+1] == 'u' {
					low, _ = hex4(inner, i+2)
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// AppendCompact appends a selected value without the blanks between its parts, texts with as few escapes as JSON allows, and of members
// with one name only the last, in the place of the first: what a parser and a printer would make of it. Numbers keep their spelling.
// The value must come out of a [Document].
func AppendCompact(dst, value []byte) []byte {
	dst, _ = appendValue(dst, value, 0)
	return dst
}

func appendValue(dst, text []byte, i int) ([]byte, int) {
	switch text[i] {
	case '"':
		end := skipText(text, i)
		return appendText(dst, text[i:end]), end
	case '{':
		return appendObject(dst, text, i)
	case '[':
		dst = append(dst, '[')
		for i = space(text, i+1); text[i] != ']'; {
			dst, i = appendValue(dst, text, i)
			if i = space(text, i); text[i] == ',' {
				dst = append(dst, ',')
				i = space(text, i+1)
			}
		}
		return append(dst, ']'), i + 1
	}
	end := skip(text, i)
	return append(dst, text[i:end]...), end
}

// appendObject writes the members one behind the other, and only if a name came twice puts them together anew.
func appendObject(dst, text []byte, i int) ([]byte, int) {
	dst = append(dst, '{')
	start := len(dst)
	var seen memberList
	repeated := false
	for i = space(text, i+1); text[i] != '}'; {
		nameTo := skipText(text, i)
		if len(dst) > start {
			dst = append(dst, ',')
		}
		from := len(dst)
		name := text[i:nameTo]
		dst = append(appendText(dst, name), ':')
		dst, i = appendValue(dst, text, space(text, space(text, nameTo)+1))
		repeated = !seen.set(name, from, len(dst)) || repeated
		if i = space(text, i); text[i] == ',' {
			i = space(text, i+1)
		}
	}
	if repeated {
		all := bytes.Clone(dst[start:])
		dst = dst[:start]
		for j, m := range seen.list {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, all[m.from-start:m.to-start]...)
		}
	}
	return append(dst, '}'), i + 1
}

// appendText appends a quoted text in its shortest spelling.
func appendText(dst, quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return append(dst, quoted...)
	}
	dst = append(dst, '"')
	var room [64]byte
	for _, c := range appendUnquoted(room[:0], quoted[1:len(quoted)-1]) {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		default:
			dst = appendControl(dst, c)
		}
	}
	return append(dst, '"')
}

func appendControl(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

// memberList holds where the members of an object are: of those with one name the last, in the place of the first.
type memberList struct {
	list   []namedSpan
	places map[string]int // once there are many; a list takes quadratic time
}

type namedSpan struct {
	name []byte // quoted
	span
}

// set reports whether name is new.
func (l *memberList) set(name []byte, from, to int) bool {
	const few = 12
	if l.places == nil && len(l.list) < few {
		for j := range l.list {
			if sameName(l.list[j].name, name) {
				l.list[j].span = span{from, to}
				return false
			}
		}
		l.list = append(l.list, namedSpan{name, span{from, to}})
		return true
	}
	if l.places == nil {
		l.places = make(map[string]int, 4*few)
		for j := range l.list {
			text, _ := Unquote(l.list[j].name)
			l.places[text] = j
		}
	}
	text, _ := Unquote(name)
	if j, seen := l.places[text]; seen {
		l.list[j].span = span{from, to}
		return false
	}
	l.places[text] = len(l.list)
	l.list = append(l.list, namedSpan{name, span{from, to}})
	return true
}

func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if bytes.IndexByte(a, '\\') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return false
	}
	x, _ := Unquote(a)
	y, _ := Unquote(b)
	return x == y
}

// isName reports whether a quoted name is name.
func isName(quoted []byte, name string) bool {
	if len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name {
		return bytes.IndexByte(quoted, '\\') < 0
	}
	if len(quoted) <= len(name)+2 || bytes.IndexByte(quoted, '\\') < 0 {
		return false // escapes only lengthen
	}
	text, _ := Unquote(quoted)
	return text == name
}
