package jsonlex

import (
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Plain passes over what stands for itself in a string: all but quotes, backslashes and control
// characters. It takes eight bytes at a time, since strings are most of what documents hold.
func Plain[T Text](text T, i int) int {
	for ; i+8 <= len(text); i += 8 {
		if m := marked(load(text, i)); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(text) && plain[text[i]] {
		i++
	}
	return i
}

// fewPlain is [Plain] for up to eight bytes, one by one. Where one escape stands in a string there
// are more, as in JSON within JSON, and what stands between them is mostly shorter. It is small
// enough for the compiler to put it into its callers.
func fewPlain[T Text](text T, i int) int {
	for near := min(i+8, len(text)); i < near && plain[text[i]]; {
		i++
	}
	return i
}

// plain are the bytes that stand in a JSON string as they are.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

const ones, tops = 0x0101010101010101, 0x8080808080808080

// load returns the eight bytes at i, of which there must be as many. The compiler makes one load of
// these for a string as for a slice; encoding/binary takes slices alone.
func load[T Text](text T, i int) uint64 {
	b := text[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// marked sets the top bit of each byte of w that is a quote, a backslash or a control character. A
// byte of a difference is zero where the byte was found; x-1 &^ x has its top bit set where a byte
// of x was zero. A byte above a found one may be taken for one as well, since subtracting borrows
// from it, so only the lowest mark is sure.
func marked(w uint64) uint64 {
	quotes, back := w^(ones*'"'), w^(ones*'\\')
	return ((quotes-ones)&^quotes | (back-ones)&^back | (w-ones*' ')&^w) & tops
}

// String passes over a string, quotes and all, which must begin at i. Its bytes may be any: whether
// they are UTF-8 is a question that callers ask once of the whole text, or of none.
func String[T Text](text T, i int) (end int, ok bool) {
	if i >= len(text) || text[i] != '"' {
		return i, false
	}
	if i++; i+8 > len(text) {
		i = Plain(text, i)
	} else if m := marked(load(text, i)); m != 0 { // most names end here, without a call and a loop
		i += bits.TrailingZeros64(m) / 8
	} else {
		i = Plain(text, i+8)
	}
	for i < len(text) {
		switch text[i] {
		case '"':
			return i + 1, true
		case '\\':
			if i+1 < len(text) && escapes[text[i+1]] != 0 { // nearly all, without a call
				i += 2
			} else if i, ok = Escape(text, i); !ok {
				return i, false
			}
		default: // a control character
			return i, false
		}
		if i = fewPlain(text, i); i < len(text) && plain[text[i]] {
			i = Plain(text, i)
		}
	}
	return i, false
}

// Escape passes over an escape, whose backslash must be at i.
func Escape[T Text](text T, i int) (end int, ok bool) {
	if i++; i >= len(text) {
		return i, false
	}
	if escapes[text[i]] != 0 {
		return i + 1, true
	}
	if _, ok = hex4(text, i+1); ok && text[i] == 'u' {
		return i + 5, true
	}
	return i, false
}

// escapes are what stands for what behind a backslash, \u aside. (RFC 8259, section 7.)
var escapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// InEscape reports whether the byte at i, where [String] has stopped within a string, is of an
// escape: behind a backslash that is no escaped one itself. Readers whose messages say what is
// wrong ask it.
func InEscape[T Text](text T, i int) bool {
	from := i
	for i > 0 && text[i-1] == '\\' {
		i--
	}
	return (from-i)%2 == 1
}

// hex4 reads four hexadecimal digits.
func hex4[T Text](text T, i int) (r rune, ok bool) {
	if len(text)-i < 4 {
		return 0, false
	}
	for j := i; j < i+4; j++ {
		c := text[j]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// SkipString is [String] for text that is known to be valid: it doesn't look at escapes. Of other
// text it returns a place within it.
func SkipString[T Text](text T, i int) (end int) {
	if i++; i+8 > len(text) {
		i = Plain(text, i)
	} else if m := marked(load(text, i)); m != 0 {
		i += bits.TrailingZeros64(m) / 8
	} else {
		i = Plain(text, i+8)
	}
	for i < len(text) && text[i] != '"' {
		if text[i] == '\\' {
			i++ // what is escaped; what follows \u is plain
		}
		if i = fewPlain(text, i+1); i < len(text) && plain[text[i]] {
			i = Plain(text, i)
		}
	}
	return min(i+1, len(text))
}

// Escaped reports whether a string has escapes, of which inner is what stands between the quotes
// and has passed [String]: what isn't plain there is a backslash.
func Escaped[T Text](inner T) bool { return Plain(inner, 0) < len(inner) }

// AppendUnescaped appends what a string says, of which inner is what stands between the quotes and
// has passed [String]. Half of a surrogate pair becomes U+FFFD, as encoding/json has it. (RFC 8259,
// section 7; what to do of half a pair, section 8.2 leaves open.)
func AppendUnescaped[T Text](dst []byte, inner T) []byte {
	for i := 0; i < len(inner); {
		from := i
		if i = fewPlain(inner, i); i < len(inner) && plain[inner[i]] {
			i = Plain(inner, i)
		}
		if i+1 >= len(inner) {
			return append(dst, inner[from:]...)
		}
		dst = append(dst, inner[from:i]...)
		switch c := inner[i+1]; {
		case inner[i] != '\\': // of a text that String hasn't passed
			dst = append(dst, inner[i])
			i++
		case c == 'u':
			r, paired := rune16(inner, i+2)
			if i += 6; paired {
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, escapes[c])
			i += 2
		}
	}
	return dst
}

// rune16 reads XXXX of \uXXXX at i, and with it the other half of a surrogate pair.
func rune16[T Text](inner T, i int) (r rune, paired bool) {
	r, _ = hex4(inner, i)
	if !utf16.IsSurrogate(r) {
		return r, false
	}
	low := rune(-1)
	if i+5 < len(inner) && inner[i+4] == '\\' && inner[i+5] == 'u' {
		low, _ = hex4(inner, i+6)
	}
	r = utf16.DecodeRune(r, low)
	return r, r != utf8.RuneError
}

// Unquote returns what a string says, of which quoted is the whole as [String] has passed it. It
// reports false of anything else.
func Unquote[T Text](quoted T) (string, bool) {
	inner, ok := Inner(quoted)
	switch {
	case !ok:
		return "", false
	case !Escaped(inner):
		return string(inner), true
	}
	return string(AppendUnescaped(make([]byte, 0, len(inner)), inner)), true
}

// Inner returns what stands between the quotes of a string.
func Inner[T Text](quoted T) (inner T, ok bool) {
	if len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
		return inner, false
	}
	return quoted[1 : len(quoted)-1], true
}

// HalfPair reports whether a string that has passed [String] escapes half of a surrogate pair,
// which no character is: two readers would make different texts of it.
func HalfPair[T Text](inner T) bool {
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			continue
		}
		if i++; i < len(inner) && inner[i] == 'u' {
			r, paired := rune16(inner, i+1)
			if i += 4; paired {
				i += 6
			} else if r == utf8.RuneError {
				if spelled, _ := hex4(inner, i-3); spelled != utf8.RuneError {
					return true
				}
			}
		}
	}
	return false
}
