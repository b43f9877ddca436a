package jsonpath

import (
	"bytes"
	"slices"
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
// The value must come out of a [Document]. What is appended is never longer than the value.
func AppendCompact(dst, value []byte) []byte {
	dst = slices.Grow(dst, len(value))
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
	seen := memberList{text: text}
	repeated := false
	for i = space(text, i+1); text[i] != '}'; {
		nameTo := skipText(text, i)
		if len(dst) > start {
			dst = append(dst, ',')
		}
		from := len(dst)
		nameFrom := i
		dst = append(appendText(dst, text[nameFrom:nameTo]), ':')
		dst, i = appendValue(dst, text, space(text, space(text, nameTo)+1))
		repeated = !seen.set(span{nameFrom, nameTo}, span{from, len(dst)}) || repeated
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
			dst = append(dst, all[int(m.from)-start:int(m.to)-start]...)
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
