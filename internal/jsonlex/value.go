package jsonlex

// Value passes over a value, which may nest maxDepth deep: an array or object of nothing but
// scalars is depth 1. It keeps the open brackets on its own stack, so that depth costs a byte and
// not a call.
func Value[T Text](text T, i, maxDepth int) (end int, ok bool) {
	if i >= len(text) {
		return i, false
	}
	if text[i] != '{' && text[i] != '[' {
		return Scalar(text, i)
	}
	var room [64]byte
	open := room[:0]
	bracket := byte(0) // the innermost, as open has it
	for {
		// A value begins at i.
		if i >= len(text) {
			return i, false
		}
		switch c := text[i]; c {
		case '"':
			if i, ok = String(text, i); !ok {
				return i, false
			}
		case '{', '[':
			if len(open) >= maxDepth {
				return i, false
			}
			var empty bool
			if i, empty = Open(text, i); empty {
				break
			}
			open, bracket = append(open, c), c
			if c == '{' {
				if _, i, ok = Name(text, i); !ok {
					return i, false
				}
			}
			continue
		default:
			if i, ok = Scalar(text, i); !ok {
				return i, false
			}
		}
		// It ends at i, and so may what it is in.
		for {
			if len(open) == 0 {
				return i, true
			}
			var more bool
			if i, more, ok = Next(text, i, bracket); !ok {
				return i, false
			}
			if more {
				break
			}
			if open = open[:len(open)-1]; len(open) > 0 {
				bracket = open[len(open)-1]
			}
		}
		if bracket == '{' {
			if _, i, ok = Name(text, i); !ok {
				return i, false
			}
		}
	}
}

// Open passes over the bracket at i and the space behind it, and over the closing one if nothing
// stands between them.
func Open[T Text](text T, i int) (end int, empty bool) {
	bracket := text[i]
	if i = Space(text, i+1); i < len(text) && text[i] == bracket+2 { // } is two behind {, ] behind [
		return i + 1, true
	}
	return i, false
}

// Next passes over what stands behind a value within bracket, { or [: a comma and the space behind
// it, and there are more, or the closing bracket.
func Next[T Text](text T, i int, bracket byte) (end int, more, ok bool) {
	switch i = Space(text, i); {
	case i >= len(text):
	case text[i] == ',':
		return Space(text, i+1), true, true
	case text[i] == bracket+2:
		return i + 1, false, true
	}
	return i, false, false
}

// Name passes over a member's name, its colon and the space behind it. It returns the name in its
// quotes.
func Name[T Text](text T, i int) (quoted T, end int, ok bool) {
	from := i
	if i, ok = String(text, i); !ok {
		return quoted, i, false
	}
	quoted = text[from:i]
	if i = Space(text, i); i >= len(text) || text[i] != ':' {
		return quoted, i, false
	}
	return quoted, Space(text, i+1), true
}

// structure says what SkipValue minds of a byte.
var structure = [256]uint8{'"': quote, '{': opening, '[': opening, '}': closing, ']': closing}

const (
	quote = iota + 1
	opening
	closing
)

// SkipValue is [Value] for text that is known to be valid. Of other text it returns a place within
// it.
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
