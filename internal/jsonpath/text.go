package jsonpath

import (
	"bytes"
	"slices"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// Unquote decodes a selected value that is a text, and reports whether it is one. Halves of
// surrogate pairs become U+FFFD.
func Unquote(value []byte) (string, bool) { return jsonlex.Unquote(value) }

// AppendCompact appends a selected value without the blanks between its parts, texts with as few
// escapes as JSON allows, and of members with one name only the last, in the place of the first:
// what a parser and a printer would make of it. Numbers keep their spelling. The value must come
// out of a [Document]. What is appended is never longer than the value.
func AppendCompact(dst, value []byte) []byte {
	dst = slices.Grow(dst, len(value))
	dst, _ = appendValue(dst, value, 0)
	return dst
}

func appendValue(dst, text []byte, i int) ([]byte, int) {
	switch text[i] {
	case '"':
		end := jsonlex.SkipString(text, i)
		return appendText(dst, text[i:end]), end
	case '{':
		return appendObject(dst, text, i)
	case '[':
		dst = append(dst, '[')
		i, empty := jsonlex.Open(text, i)
		for more := !empty; more; {
			dst, i = appendValue(dst, text, i)
			if i, more, _ = jsonlex.Next(text, i, '['); more {
				dst = append(dst, ',')
			}
		}
		return append(dst, ']'), i
	}
	end := jsonlex.SkipValue(text, i)
	return append(dst, text[i:end]...), end
}

// appendObject writes the members one behind the other, and only if a name came twice puts them
// together anew.
func appendObject(dst, text []byte, i int) ([]byte, int) {
	dst = append(dst, '{')
	start := len(dst)
	seen := memberList{text: text}
	repeated := false
	i, empty := jsonlex.Open(text, i)
	for more := !empty; more; {
		name := span{From: i, To: jsonlex.SkipString(text, i)}
		from := len(dst)
		dst = append(appendText(dst, text[name.From:name.To]), ':')
		dst, i = appendValue(dst, text, jsonlex.Space(text, jsonlex.Space(text, name.To)+1))
		repeated = !seen.set(name, span{From: from, To: len(dst)}) || repeated
		if i, more, _ = jsonlex.Next(text, i, '{'); more {
			dst = append(dst, ',')
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
	return append(dst, '}'), i
}

// appendText appends a quoted text in its shortest spelling.
func appendText(dst, quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return append(dst, quoted...)
	}
	var room [64]byte
	return jsonlex.AppendString(dst, jsonlex.AppendUnescaped(room[:0], inner))
}
