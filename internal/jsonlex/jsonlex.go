// Package jsonlex is the one lexer of JSON text: space, string, escape, number, word. (RFC 8259.)
//
// It decides no more than where a token ends and what a string says. The readers above it decide the rest, each for its own purpose
// and in the fewest lines: internal/jsonscan passes over values for events, internal/strictjson refuses what two readers could take
// for different things, internal/jsonpath selects, transform/validate and transform/vtl make values of their own kinds. Six of
// them once had lexers of their own, and where two differed a body was judged by one and used by another.
//
// Every function takes the text and where to begin, and returns where it stopped: the end of the token, or, with ok false, the
// place of the byte that doesn't fit, which may be the end of the text. None allocates, panics, or looks at a byte twice.
//
// encoding/json/v2's jsontext has a tokenizer, but it is an experiment behind GOEXPERIMENT as of Go 1.26, and works on a stream with
// a state of its own, where most readers here want places within one text.
package jsonlex

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Text is JSON text.
type Text interface{ ~string | ~[]byte }

// Space passes over blanks.
func Space[T Text](text T, i int) int {
	for i < len(text) && text[i] <= ' ' {
		switch text[i] {
		case ' ', '\n', '\r', '\t':
			i++
		default:
			return i
		}
	}
	return i
}

// Plain passes over what stands for itself in a string: all but quotes, backslashes and control characters. It takes eight bytes at
// a time, since strings are most of what documents hold.
func Plain[T Text](text T, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		// The compiler makes one load of these for a string as for a slice; encoding/binary takes slices alone.
		w := uint64(text[i]) | uint64(text[i+1])<<8 | uint64(text[i+2])<<16 | uint64(text[i+3])<<24 |
			uint64(text[i+4])<<32 | uint64(text[i+5])<<40 | uint64(text[i+6])<<48 | uint64(text[i+7])<<56
		// A byte of a difference is zero where the byte was found; x-1 &^ x has its top bit set where a byte of x was zero. A byte
		// above a found one may be taken for one as well: the loop below looks again.
		quotes, back := w^(ones*'"'), w^(ones*'\\')
		if ((quotes-ones)&^quotes|(back-ones)&^back|(w-ones*' ')&^w)&tops != 0 {
			break
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// String passes over a string, quotes and all, which must begin at i. Its bytes may be any: whether they are UTF-8 is a question that
// callers ask once of the whole text, or of none.
func String[T Text](text T, i int) (end int, ok bool) {
	if i >= len(text) || text[i] != '"' {
		return i, false
	}
	for i++; ; {
		if i = Plain(text, i); i >= len(text) {
			return i, false
		}
		switch text[i] {
		case '"':
			return i + 1, true
		case '\\':
			if i, ok = escape(text, i); !ok {
				return i, false
			}
		default: // a control character
			return i, false
		}
	}
}

// escape passes over the escape at i.
func escape[T Text](text T, i int) (end int, ok bool) {
	if i++; i >= len(text) {
		return i, false
	}
	switch text[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1, true
	case 'u':
		if _, ok := hex4(text, i+1); ok {
			return i + 5, true
		}
	}
	return i, false
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

// SkipString is [String] for text that is known to be valid: it doesn't look at escapes. Of other text it returns a place within it.
func SkipString[T Text](text T, i int) (end int) {
	for i = Plain(text, i+1); i < len(text) && text[i] != '"'; i = Plain(text, i) {
		if text[i] == '\\' {
			i++ // what is escaped; what follows \u is plain
		}
		i++
	}
	return min(i+1, len(text))
}

// Escaped reports whether a string has escapes.
func Escaped[T Text](s T) bool {
	for i := range len(s) {
		if s[i] == '\\' {
			return true
		}
	}
	return false
}

// AppendUnescaped appends what a string says, of which inner is what stands between the quotes and has passed [String]. Half of a
// surrogate pair becomes U+FFFD, as encoding/json has it. (RFC 8259, section 7; what to do of half a pair, section 8.2 leaves open.)
func AppendUnescaped[T Text](dst []byte, inner T) []byte {
	for i := 0; i < len(inner); {
		from := i
		for i < len(inner) && inner[i] != '\\' {
			i++
		}
		dst = append(dst, inner[from:i]...)
		if i+1 >= len(inner) {
			break
		}
		c := inner[i+1]
		i += 2
		switch c {
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
			r, paired := rune16(inner, i)
			if i += 4; paired {
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
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

// Unquote returns what a string says, of which quoted is the whole as [String] has passed it. It reports false of anything else.
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

// HalfPair reports whether a string that has passed [String] escapes half of a surrogate pair, which no character is: two readers
// would make different texts of it.
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

// Word passes over w: true, false or null.
func Word[T Text](text T, i int, w string) (end int, ok bool) {
	for j := range len(w) {
		if i+j >= len(text) || text[i+j] != w[j] {
			return i, false
		}
	}
	return i + len(w), true
}

// Number passes over a number. (RFC 8259, section 6.)
func Number[T Text](text T, i int) (end int, ok bool) {
	if i < len(text) && text[i] == '-' {
		i++
	}
	from := i
	if i = digits(text, i); i == from {
		return i, false
	}
	if text[from] == '0' && i > from+1 {
		return from + 1, false
	}
	if i < len(text) && text[i] == '.' {
		from = i + 1
		if i = digits(text, from); i == from {
			return i, false
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		from = i
		if i = digits(text, from); i == from {
			return i, false
		}
	}
	return i, true
}

func digits[T Text](text T, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

// Scalar passes over a value that is no object and no array.
func Scalar[T Text](text T, i int) (end int, ok bool) {
	if i >= len(text) {
		return i, false
	}
	switch text[i] {
	case '"':
		return String(text, i)
	case 't':
		return Word(text, i, "true")
	case 'f':
		return Word(text, i, "false")
	case 'n':
		return Word(text, i, "null")
	}
	return Number(text, i)
}

// Value passes over a value, which may nest maxDepth deep: an array or object of nothing but scalars is depth 1. It keeps the open
// brackets on its own stack, so that depth costs a byte and not a call.
func Value[T Text](text T, i, maxDepth int) (end int, ok bool) {
	var room [64]byte
	open := room[:0]
	for {
		// A value begins at i.
		if i >= len(text) {
			return i, false
		}
		if c := text[i]; c == '{' || c == '[' {
			if len(open) >= maxDepth {
				return i, false
			}
			open = append(open, c)
			if i = Space(text, i+1); i < len(text) && text[i] == c+2 { // } is two behind {, ] behind [
				open, i = open[:len(open)-1], i+1
			} else {
				if c == '{' {
					if i, ok = Name(text, i); !ok {
						return i, false
					}
				}
				continue
			}
		} else if i, ok = Scalar(text, i); !ok {
			return i, false
		}
		// It ends at i, and so may what it is in.
		for {
			if len(open) == 0 {
				return i, true
			}
			last := open[len(open)-1]
			if i = Space(text, i); i >= len(text) {
				return i, false
			}
			if text[i] == last+2 {
				open, i = open[:len(open)-1], i+1
				continue
			}
			if text[i] != ',' {
				return i, false
			}
			i = Space(text, i+1)
			if last == '{' {
				if i, ok = Name(text, i); !ok {
					return i, false
				}
			}
			break
		}
	}
}

// Name passes over a member's name, its colon and the space behind it.
func Name[T Text](text T, i int) (end int, ok bool) {
	if i, ok = String(text, i); !ok {
		return i, false
	}
	if i = Space(text, i); i >= len(text) || text[i] != ':' {
		return i, false
	}
	return Space(text, i+1), true
}

// structure says what SkipValue minds of a byte.
var structure = [256]uint8{'"': quote, '{': opening, '[': opening, '}': closing, ']': closing}

const (
	quote = iota + 1
	opening
	closing
)

// SkipValue is [Value] for text that is known to be valid. Of other text it returns a place within it.
func SkipValue[T Text](text T, i int) (end int) {
	if i >= len(text) {
		return len(text)
	}
	switch text[i] {
	case '"':
		return SkipString(text, i)
	case '{', '[':
		for depth := 0; i < len(text); i++ {
			switch structure[text[i]] {
			case quote:
				i = SkipString(text, i) - 1
			case opening:
				depth++
			case closing:
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(text)
	}
	for ; i < len(text); i++ { // a number or a word: up to what ends it
		switch text[i] {
		case ',', ':', ']', '}', ' ', '\n', '\r', '\t':
			return i
		}
	}
	return i
}
