package jsonpath

import "encoding/binary"

// space passes over blanks.
func space(text []byte, i int) int {
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

// check passes over a value and returns where it ends, or -1.
func check(text []byte, i, depth int) int {
	if i >= len(text) {
		return -1
	}
	switch c := text[i]; c {
	case '"':
		return checkText(text, i)
	case '{':
		return checkObject(text, i, depth)
	case '[':
		return checkArray(text, i, depth)
	case 't':
		return word(text, i, "true")
	case 'f':
		return word(text, i, "false")
	case 'n':
		return word(text, i, "null")
	}
	return checkNumber(text, i)
}

// follow passes over the value at i as check does, and on the way finds the value that definite steps lead to: its place, or -1. end is
// where the value at i ends, or -1 if it isn't JSON.
func follow(text []byte, i, depth int, steps []step) (from, to, end int) {
	switch {
	case len(steps) == 0:
		end = check(text, i, depth)
		return i, end, end
	case i >= len(text):
	case steps[0].kind == member && text[i] == '{':
		return object(text, i, depth, steps[0].names[0], steps)
	case steps[0].kind == element && text[i] == '[':
		index := steps[0].indexes[0]
		if index < 0 {
			if index += count(text, i, depth); index < 0 {
				break
			}
		}
		return array(text, i, depth, index, steps)
	}
	return -1, -1, check(text, i, depth)
}

func checkObject(text []byte, i, depth int) int {
	_, _, end := object(text, i, depth, "", nil)
	return end
}

func checkArray(text []byte, i, depth int) int {
	_, _, end := array(text, i, depth, -1, nil)
	return end
}

// object follows steps, if there are any, into the members of that name. It can't stop at the first: the last counts.
func object(text []byte, i, depth int, name string, steps []step) (from, to, end int) {
	if depth == MaxDepth {
		return -1, -1, -1
	}
	if i = space(text, i+1); i < len(text) && text[i] == '}' {
		return -1, -1, i + 1
	}
	from, to = -1, -1
	for {
		nameFrom := i
		if i >= len(text) || text[i] != '"' {
			return -1, -1, -1
		}
		if i = checkText(text, i); i < 0 {
			return -1, -1, -1
		}
		nameTo := i
		if i = space(text, i); i >= len(text) || text[i] != ':' {
			return -1, -1, -1
		}
		i = space(text, i+1)
		if steps != nil && isName(text[nameFrom:nameTo], name) {
			from, to, i = follow(text, i, depth+1, steps[1:])
		} else {
			i = check(text, i, depth+1)
		}
		if i < 0 {
			return -1, -1, -1
		}
		if i = space(text, i); i >= len(text) {
			return -1, -1, -1
		}
		switch text[i] {
		case '}':
			return from, to, i + 1
		case ',':
			i = space(text, i+1)
		default:
			return -1, -1, -1
		}
	}
}

// array follows steps into the element at index, if there is one.
func array(text []byte, i, depth, index int, steps []step) (from, to, end int) {
	if depth == MaxDepth {
		return -1, -1, -1
	}
	if i = space(text, i+1); i < len(text) && text[i] == ']' {
		return -1, -1, i + 1
	}
	from, to = -1, -1
	for ; ; index-- {
		if index == 0 {
			from, to, i = follow(text, i, depth+1, steps[1:])
		} else {
			i = check(text, i, depth+1)
		}
		if i < 0 {
			return -1, -1, -1
		}
		if i = space(text, i); i >= len(text) {
			return -1, -1, -1
		}
		switch text[i] {
		case ']':
			return from, to, i + 1
		case ',':
			i = space(text, i+1)
		default:
			return -1, -1, -1
		}
	}
}

// count returns how many elements an array has, or 0 if it isn't JSON.
func count(text []byte, i, depth int) int {
	if i = space(text, i+1); i < len(text) && text[i] == ']' {
		return 0
	}
	for n := 1; ; n++ {
		if i = check(text, i, depth+1); i < 0 {
			return 0
		}
		if i = space(text, i); i >= len(text) || text[i] != ',' {
			return n
		}
		i = space(text, i+1)
	}
}

func checkText(text []byte, i int) int {
	i++
	for {
		if i = plain(text, i); i >= len(text) {
			return -1
		}
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			if i = checkEscape(text, i+1); i < 0 {
				return -1
			}
		default: // a control character
			return -1
		}
	}
}

// plain passes over what stands for itself in a text: all but quotes, backslashes and control characters. It takes eight bytes at a
// time, since texts are most of what documents hold.
func plain(text []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
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

func checkEscape(text []byte, i int) int {
	if i >= len(text) {
		return -1
	}
	switch text[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if _, ok := hex4(text, i+1); ok {
			return i + 5
		}
	}
	return -1
}

func hex4(text []byte, i int) (r rune, ok bool) {
	if len(text)-i < 4 {
		return 0, false
	}
	for _, c := range text[i : i+4] {
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

func word(text []byte, i int, w string) int {
	if len(text)-i < len(w) || string(text[i:i+len(w)]) != w {
		return -1
	}
	return i + len(w)
}

func checkNumber(text []byte, i int) int {
	if i < len(text) && text[i] == '-' {
		i++
	}
	from := i
	if i = digits(text, i); i == from || text[from] == '0' && i > from+1 {
		return -1
	}
	if i < len(text) && text[i] == '.' {
		from = i + 1
		if i = digits(text, from); i == from {
			return -1
		}
	}
	if i < len(text) && text[i]|' ' == 'e' {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		from = i
		if i = digits(text, from); i == from {
			return -1
		}
	}
	return i
}

func digits(text []byte, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

// skip passes over a value of a valid document.
func skip(text []byte, i int) int {
	switch text[i] {
	case '"':
		return skipText(text, i)
	case '{', '[':
		for depth := 0; ; i++ {
			switch structure[text[i]] {
			case 0:
			case quote:
				i = skipText(text, i) - 1
			case opening:
				depth++
			case closing:
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(text) {
		switch text[i] {
		case ',', ']', '}', ' ', '\n', '\r', '\t':
			return i
		}
		i++
	}
	return i
}

const (
	quote = iota + 1
	opening
	closing
)

var structure = [256]uint8{'"': quote, '{': opening, '[': opening, '}': closing, ']': closing}

func skipText(text []byte, i int) int {
	for i = plain(text, i+1); text[i] != '"'; i = plain(text, i) {
		i += 2 // an escape; what follows \u is plain
	}
	return i + 1
}

// forObject calls f for each member of the object at i, with the places of its quoted name and of its value, until it returns false.
func forObject(text []byte, i int, f func(name, value span) bool) {
	for i = space(text, i+1); text[i] != '}'; {
		nameTo := skipText(text, i)
		from := space(text, space(text, nameTo)+1)
		to := skip(text, from)
		if !f(span{i, nameTo}, span{from, to}) {
			return
		}
		if i = space(text, to); text[i] == ',' {
			i = space(text, i+1)
		}
	}
}

// forArray calls f for each element of the array at i until it returns false.
func forArray(text []byte, i int, f func(element span) bool) {
	for i = space(text, i+1); text[i] != ']'; {
		to := skip(text, i)
		if !f(span{i, to}) {
			return
		}
		if i = space(text, to); text[i] == ',' {
			i = space(text, i+1)
		}
	}
}
