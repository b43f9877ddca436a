// Package jsonlex is the one lexer of JSON text: space, string, escape, number, word. (RFC 8259.)
//
// It decides no more than where a token ends and what a string says. The readers above it decide
// the rest, each for its own purpose and in the fewest lines: internal/jsonscan passes over values
// for events, internal/strictjson refuses what two readers could take for different things,
// internal/jsonpath selects, transform/validate and transform/vtl make values of their own kinds.
// Six of them once had lexers of their own, and where two differed a body was judged by one and
// used by another.
//
// A reader that builds something walks an array with [Open] and [Next], and an object with [Name]
// between them; one that only wants to know where a value ends calls [Value], or [SkipValue] if the
// text has been found valid before.
//
// Every function takes the text and where to begin, and returns where it stopped: the end of the
// token, or, with ok false, the place of the byte that doesn't fit, which may be the end of the
// text. None allocates, panics, or looks at a byte twice.
//
// encoding/json/v2's jsontext has a tokenizer, but it is an experiment behind GOEXPERIMENT as of Go
// 1.26, and works on a stream with a state of its own, where most readers here want places within
// one text.
package jsonlex

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

// Word passes over w: true, false or null.
func Word[T Text](text T, i int, w string) (end int, ok bool) {
	for j := range len(w) {
		if i+j >= len(text) || text[i+j] != w[j] {
			return i, false
		}
	}
	return i + len(w), true
}

// Number passes over a number. (RFC 8259, section 6.) It takes the longest that is one: of 01 the
// 0, so that the reader finds a 1 where it wants a comma or the end.
func Number[T Text](text T, i int) (end int, ok bool) {
	if i < len(text) && text[i] == '-' {
		i++
	}
	from := i
	if i = digits(text, i); i == from {
		return i, false
	}
	if text[from] == '0' {
		i = from + 1
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
