package jsonlex

import (
	"math/bits"
	"unicode/utf8"
)

// verbatim are the bytes that stand in a JSON string as they are, those beyond ASCII aside.
var verbatim = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\'
	}
	return t
}()

// AppendString appends s as a JSON string with as few escapes as JSON allows: <, > and & stay as
// they are, as everything that isn't a quote, a backslash or a control character. Bytes that aren't
// UTF-8 become U+FFFD.
func AppendString[T Text](dst []byte, s T) []byte {
	return append(AppendInner(append(dst, '"'), s), '"')
}

// AppendInner appends what stands between the quotes of s as a JSON string.
func AppendInner[T Text](dst []byte, s T) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if verbatim[c] {
			for i++; i+8 <= len(s); i += 8 {
				w := load(s, i)
				if m := marked(w) | w&tops; m != 0 {
					i += bits.TrailingZeros64(m) / 8
					break
				}
			}
			continue
		}
		if c >= utf8.RuneSelf {
			if n := runeLength(s, i); n > 0 {
				i += n
				continue
			}
			dst = append(append(dst, s[from:i]...), "\ufffd"...)
		} else {
			dst = appendEscape(append(dst, s[from:i]...), c)
		}
		i++
		from = i
	}
	return append(dst, s[from:]...)
}

// appendEscape appends the shortest escape of c.
func appendEscape(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
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

// runeLength returns the length of the rune at i, or 0 if there is none.
func runeLength[T Text](s T, i int) int {
	var room [utf8.UTFMax]byte
	n := copy(room[:], s[i:min(i+utf8.UTFMax, len(s))])
	r, size := utf8.DecodeRune(room[:n])
	if r == utf8.RuneError && size <= 1 {
		return 0
	}
	return size
}
