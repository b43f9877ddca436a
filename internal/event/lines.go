package event

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// Line is one header, or one parameter, of an event: a name with one value or several.
type Line struct {
	Name   string
	One    string   // the value, where Values is nil
	Values []string // in order
}

// Last is the last value.
func (l *Line) Last() string {
	if len(l.Values) > 0 {
		return l.Values[len(l.Values)-1]
	}
	return l.One
}

// QueryLines appends the parameters of a query to lines, sorted by name, each value as a line of
// its own: [Query] without a map.
func QueryLines(lines []Line, raw string) []Line {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		lines = append(lines, Line{Name: name, One: value})
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return strings.Compare(a.Name, b.Name) })
	return lines
}

// group returns how many of the lines, from the first on, have its name.
func group(lines []Line) int {
	n := 1
	for n < len(lines) && lines[n].Name == lines[0].Name {
		n++
	}
	return n
}

// AppendJoined appends {"name":"a,b"}. Lower makes names lower case.
func AppendJoined(b []byte, lines []Line, lower bool) []byte {
	b = append(b, '{')
	for first := true; len(lines) > 0; first = false {
		n := group(lines)
		b = appendName(b, lines[0].Name, first, lower)
		b = append(b, '"')
		for i := range lines[:n] {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJoinedValues(b, &lines[i])
		}
		b = append(b, '"')
		lines = lines[n:]
	}
	return append(b, '}')
}

func appendJoinedValues(b []byte, l *Line) []byte {
	if l.Values == nil {
		return jsonlex.AppendInner(b, l.One)
	}
	for i, value := range l.Values {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonlex.AppendInner(b, value)
	}
	return b
}

// AppendLast appends {"name":"last"}.
func AppendLast(b []byte, lines []Line) []byte {
	b = append(b, '{')
	for first := true; len(lines) > 0; first = false {
		n := group(lines)
		b = jsonlex.AppendString(appendName(b, lines[0].Name, first, false), lines[n-1].Last())
		lines = lines[n:]
	}
	return append(b, '}')
}

// AppendMulti appends {"name":["a","b"]}.
func AppendMulti(b []byte, lines []Line) []byte {
	b = append(b, '{')
	for first := true; len(lines) > 0; first = false {
		n := group(lines)
		b = append(appendName(b, lines[0].Name, first, false), '[')
		for i := range lines[:n] {
			if lines[i].Values == nil {
				b = append(jsonlex.AppendString(b, lines[i].One), ',')
			}
			for _, value := range lines[i].Values {
				b = append(jsonlex.AppendString(b, value), ',')
			}
		}
		b[len(b)-1] = ']' // the last comma
		lines = lines[n:]
	}
	return append(b, '}')
}

func appendName(b []byte, name string, first, lower bool) []byte {
	if !first {
		b = append(b, ',')
	}
	from := len(b)
	b = jsonlex.AppendString(b, name)
	if lower {
		for i := from; i < len(b); i++ {
			if 'A' <= b[i] && b[i] <= 'Z' {
				b[i] += 'a' - 'A'
			}
		}
	}
	return append(b, ':')
}

// AppendStrings appends a map in the order of its names.
func AppendStrings(b []byte, values map[string]string) []byte {
	var room [16]string
	names := room[:0]
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		b = jsonlex.AppendString(appendName(b, name, i == 0, false), values[name])
	}
	return append(b, '}')
}

// AppendCookies appends the cookies as an array, each as it was sent, or nothing if there are none.
func AppendCookies(b []byte, h http.Header) []byte {
	from := len(b)
	for _, line := range h["Cookie"] {
		for line != "" {
			var cookie string
			cookie, line, _ = strings.Cut(line, ";")
			if cookie = strings.Trim(cookie, " \t"); cookie == "" {
				continue
			}
			if len(b) == from {
				b = append(b, '[')
			} else {
				b = append(b, ',')
			}
			b = jsonlex.AppendString(b, cookie)
		}
	}
	if len(b) == from {
		return b
	}
	return append(b, ']')
}
