// Package jsonscan reads and writes JSON text without building values of it: what turns requests into events and answers back.
//
// The readers take text that json.Valid has found valid. They then never fail and never run past its end.
package jsonscan

import (
	"iter"
	"unicode/utf16"
	"unicode/utf8"
)

// Valid reports whether data is one JSON value, as json.Valid does, in a third of the time. Values may nest as deep as there.
func Valid[T string | []byte](data T) bool {
	var room [64]byte
	open := room[:0] // the brackets that are open
	i := space(data, 0)
	for {
		// A value begins at i.
		if i >= len(data) {
			return false
		}
		ok := true
		switch c := data[i]; c {
		case '{', '[':
			if len(open) == maxDepth {
				return false
			}
			open = append(open, c)
			if i = space(data, i+1); i < len(data) && data[i] == c+2 { // } is two behind {, ] behind [
				break
			}
			if c == '{' {
				if i, ok = name(data, i); !ok {
					return false
				}
			}
			continue
		case '"':
			i, ok = quoted(data, i)
		case 't':
			i, ok = word(data, i, "true")
		case 'f':
			i, ok = word(data, i, "false")
		case 'n':
			i, ok = word(data, i, "null")
		default:
			i, ok = number(data, i)
		}
		if !ok {
			return false
		}
		// It ends at i, or a bracket closes there.
		for {
			i = space(data, i)
			if len(open) == 0 {
				return i == len(data)
			}
			if i >= len(data) {
				return false
			}
			last := open[len(open)-1]
			if data[i] == last+2 {
				open = open[:len(open)-1]
				i++
				continue
			}
			if data[i] != ',' {
				return false
			}
			i = space(data, i+1)
			if last == '{' {
				if i, ok = name(data, i); !ok {
					return false
				}
			}
			break
		}
	}
}

const maxDepth = 10000

// name passes over a member's name and its colon.
func name[T string | []byte](data T, i int) (int, bool) {
	if i >= len(data) || data[i] != '"' {
		return i, false
	}
	i, ok := quoted(data, i)
	if i = space(data, i); !ok || i >= len(data) || data[i] != ':' {
		return i, false
	}
	return space(data, i+1), true
}

// quoted passes over a string.
func quoted[T string | []byte](data T, i int) (int, bool) {
	for i++; i < len(data); i++ {
		switch c := data[i]; {
		case plain[c] || c >= utf8.RuneSelf:
		case c == '"':
			return i + 1, true
		case c < ' ':
			return i, false
		default: // a backslash
			if i++; i >= len(data) {
				return i, false
			}
			switch data[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					if i++; i >= len(data) || !isHex(data[i]) {
						return i, false
					}
				}
			default:
				return i, false
			}
		}
	}
	return i, false
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func word[T string | []byte](data T, i int, w string) (int, bool) {
	for j := range len(w) {
		if i+j >= len(data) || data[i+j] != w[j] {
			return i, false
		}
	}
	return i + len(w), true
}

// number passes over a number. (RFC 8259, section 6.)
func number[T string | []byte](data T, i int) (int, bool) {
	at := func() byte {
		if i < len(data) {
			return data[i]
		}
		return 0
	}
	digits := func() bool {
		from := i
		for c := at(); '0' <= c && c <= '9'; c = at() {
			i++
		}
		return i > from
	}
	if at() == '-' {
		i++
	}
	if at() == '0' {
		i++
	} else if !digits() {
		return i, false
	}
	if at() == '.' {
		if i++; !digits() {
			return i, false
		}
	}
	if at()|0x20 == 'e' {
		if i++; at() == '+' || at() == '-' {
			i++
		}
		if !digits() {
			return i, false
		}
	}
	return i, true
}

// Members returns the members of an object in order: each name and value as its JSON text. Names may repeat. Of another value it returns
// none.
func Members[T string | []byte](object T) iter.Seq2[T, T] {
	return func(yield func(name, value T) bool) {
		i := space(object, 0)
		if i >= len(object) || object[i] != '{' {
			return
		}
		for i = space(object, i+1); i < len(object) && object[i] == '"'; {
			from := i
			i = end(object, i)
			name := object[from:i]
			i = space(object, i)
			from = min(space(object, i+1), len(object)) // behind the colon
			i = end(object, from)
			if !yield(name, object[from:i]) {
				return
			}
			if i = space(object, i); i < len(object) && object[i] == ',' {
				i = space(object, i+1)
			}
		}
	}
}

// Elements returns the elements of an array in order, each as its JSON text. Of another value it returns none.
func Elements[T string | []byte](array T) iter.Seq[T] {
	return func(yield func(value T) bool) {
		i := space(array, 0)
		if i >= len(array) || array[i] != '[' {
			return
		}
		for i = space(array, i+1); i < len(array) && array[i] != ']'; {
			from := i
			i = end(array, i)
			if !yield(array[from:i]) {
				return
			}
			if i = space(array, i); i < len(array) && array[i] == ',' {
				i = space(array, i+1)
			}
		}
	}
}

func space[T string | []byte](b T, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// end returns where the value that begins at i ends.
func end[T string | []byte](b T, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			continue
		default: // a number or a word: up to what ends it
			for i+1 < len(b) && !ends(b[i+1]) {
				i++
			}
		}
		if depth <= 0 {
			return min(i+1, len(b))
		}
	}
	return len(b)
}

func ends(c byte) bool {
	switch c {
	case ',', ':', ']', '}', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// IsNull reports whether value is null, or isn't there.
func IsNull[T string | []byte](value T) bool { return len(value) == 0 || value[0] == 'n' }

// Text decodes a string, and reports whether value is one. Half a surrogate pair becomes U+FFFD.
func Text[T string | []byte](value T) (string, bool) {
	inner, escaped, ok := inside(value)
	switch {
	case !ok:
		return "", false
	case !escaped:
		return string(inner), true
	}
	return string(unescape(make([]byte, 0, len(inner)), inner)), true
}

// AppendText appends a decoded string to b, and reports whether value is one.
func AppendText[T string | []byte](b []byte, value T) ([]byte, bool) {
	inner, escaped, ok := inside(value)
	switch {
	case !ok:
		return b, false
	case !escaped:
		return append(b, inner...), true
	}
	return unescape(b, inner), true
}

// Is reports whether value is the string s.
func Is[T string | []byte](value T, s string) bool {
	inner, escaped, ok := inside(value)
	if !ok || !escaped {
		return ok && string(inner) == s
	}
	return string(unescape(nil, inner)) == s
}

// inside returns what stands between a string's quotes, and whether there are escapes in it.
func inside[T string | []byte](value T) (inner T, escaped, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return inner, false, false
	}
	inner = value[1 : len(value)-1]
	for i := range len(inner) {
		if inner[i] == '\\' {
			return inner, true, true
		}
	}
	return inner, false, true
}

func unescape[T string | []byte](b []byte, inner T) []byte {
	for i := 0; i < len(inner); {
		c := inner[i]
		if c != '\\' {
			from := i
			for i < len(inner) && inner[i] != '\\' {
				i++
			}
			b = append(b, inner[from:i]...)
			continue
		}
		if i++; i >= len(inner) {
			break
		}
		switch c = inner[i]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(inner, i+1)
			i += 5
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if i+1 < len(inner) && inner[i] == '\\' && inner[i+1] == 'u' {
					pair = utf16.DecodeRune(r, hex4(inner, i+2))
				}
				if r = pair; pair != utf8.RuneError {
					i += 6
				}
			}
			b = utf8.AppendRune(b, r)
			continue
		}
		b = append(b, c)
		i++
	}
	return b
}

// hex4 reads four hex digits. Fewer, which valid text doesn't have, are what they are.
func hex4[T string | []byte](b T, i int) rune {
	var r rune
	for j := i; j < min(i+4, len(b)); j++ {
		c := b[j]
		switch {
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c&15)
	}
	return r
}

const hexDigits = "0123456789abcdef"

// plain are the bytes that stand in a JSON string as they are.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\'
	}
	return t
}()

// AppendString appends s as a JSON string. <, > and & stay as they are; bytes that aren't UTF-8 become U+FFFD.
func AppendString[T string | []byte](b []byte, s T) []byte {
	return append(AppendInner(append(b, '"'), s), '"')
}

// AppendInner appends what stands between the quotes of s as a JSON string.
func AppendInner[T string | []byte](b []byte, s T) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			for i+4 < len(s) && plain[s[i+1]] && plain[s[i+2]] && plain[s[i+3]] && plain[s[i+4]] {
				i += 4
			}
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if n := runeLength(s, i); n > 0 {
				i += n
				continue
			}
			b = append(b, s[from:i]...)
			b = append(b, "\ufffd"...)
			i++
			from = i
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(b, s[from:]...)
}

// runeLength returns the length of the rune at i, or 0 if there is none.
func runeLength[T string | []byte](s T, i int) int {
	var room [utf8.UTFMax]byte
	n := copy(room[:], s[i:min(i+utf8.UTFMax, len(s))])
	r, size := utf8.DecodeRune(room[:n])
	if r == utf8.RuneError && size <= 1 {
		return 0
	}
	return size
}
