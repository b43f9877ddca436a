// Package jsonscan passes over JSON text without building values of it: how events are read,
// answers of functions, and claims.
//
// It is the reader above internal/jsonlex for text that [Valid] has found valid, or that comes out
// of a reader that checks. Of such text the functions below never fail; of other text they return
// something within it and end. So nothing is judged twice.
package jsonscan

import (
	"iter"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// maxDepth is encoding/json's.
const maxDepth = 10000

// Valid reports whether data is one JSON value, as json.Valid does, in a third of the time. Values
// may nest as deep as there.
func Valid[T jsonlex.Text](data T) bool {
	end, ok := jsonlex.Value(data, jsonlex.Space(data, 0), maxDepth)
	return ok && jsonlex.Space(data, end) == len(data)
}

// Span is where something is in a text.
type Span struct{ From, To int }

// Members returns the members of an object in order: each name and value as its JSON text. Names
// may repeat. Of another value it returns none.
func Members[T jsonlex.Text](object T) iter.Seq2[T, T] {
	return func(yield func(name, value T) bool) {
		for name, value := range MembersAt(object, jsonlex.Space(object, 0)) {
			if !yield(object[name.From:name.To], object[value.From:value.To]) {
				return
			}
		}
	}
}

// MembersAt is [Members] of the object at that place, for who needs to know where they are.
func MembersAt[T jsonlex.Text](text T, at int) iter.Seq2[Span, Span] {
	return func(yield func(name, value Span) bool) {
		i := at
		if i >= len(text) || text[i] != '{' {
			return
		}
		for more := true; more; {
			from := jsonlex.Space(text, i+1) // behind the bracket or a comma
			if from >= len(text) || text[from] != '"' {
				return
			}
			name := Span{from, jsonlex.SkipString(text, from)}
			from = min(jsonlex.Space(text, name.To)+1, len(text)) // behind the colon
			from = jsonlex.Space(text, from)
			value := Span{from, jsonlex.SkipValue(text, from)}
			if !yield(name, value) {
				return
			}
			i = jsonlex.Space(text, value.To)
			more = i < len(text) && text[i] == ','
		}
	}
}

// Elements returns the elements of an array in order, each as its JSON text. Of another value it
// returns none.
func Elements[T jsonlex.Text](array T) iter.Seq[T] {
	return func(yield func(value T) bool) {
		for element := range ElementsAt(array, jsonlex.Space(array, 0)) {
			if !yield(array[element.From:element.To]) {
				return
			}
		}
	}
}

// ElementsAt is [Elements] of the array at that place, for who needs to know where they are.
func ElementsAt[T jsonlex.Text](text T, at int) iter.Seq[Span] {
	return func(yield func(element Span) bool) {
		i := at
		if i >= len(text) || text[i] != '[' {
			return
		}
		for more := true; more; {
			from := jsonlex.Space(text, i+1) // behind the bracket or a comma
			if from >= len(text) || text[from] == ']' {
				return
			}
			element := Span{from, jsonlex.SkipValue(text, from)}
			if !yield(element) {
				return
			}
			i = jsonlex.Space(text, element.To)
			more = i < len(text) && text[i] == ','
		}
	}
}

// IsNull reports whether value is null, or isn't there.
func IsNull[T jsonlex.Text](value T) bool { return len(value) == 0 || value[0] == 'n' }

// Text decodes a string, and reports whether value is one. Half a surrogate pair becomes U+FFFD.
func Text[T jsonlex.Text](value T) (string, bool) { return jsonlex.Unquote(value) }

// AppendText appends a decoded string to b, and reports whether value is one.
func AppendText[T jsonlex.Text](b []byte, value T) ([]byte, bool) {
	inner, ok := jsonlex.Inner(value)
	if !ok {
		return b, false
	}
	return jsonlex.AppendUnescaped(b, inner), true
}

// Is reports whether value is the string s.
func Is[T jsonlex.Text](value T, s string) bool {
	inner, ok := jsonlex.Inner(value)
	if !ok || len(inner) < len(s) { // escapes only lengthen
		return false
	}
	if !jsonlex.Escaped(inner) {
		return string(inner) == s
	}
	var room [64]byte
	return string(jsonlex.AppendUnescaped(room[:0], inner)) == s
}
