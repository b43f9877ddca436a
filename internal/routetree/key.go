// Package routetree finds the route of a request: it parses route keys and selects among them as the managed gateway does.
// It knows nothing of HTTP messages. (Developer guide, "Working with routes for HTTP APIs".)
package routetree

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bounds of a key. The managed gateway has 10,240 bytes for a whole request line and its headers.
const (
	MaxVariables = 16
	maxSegments  = 64
	maxKeyBytes  = 2048
)

// Key is a parsed route key.
type Key struct {
	Method   string // "ANY" is every method
	Segments []Segment
	Default  bool // "$default"
}

// Segment is what stands between two slashes of a key.
type Segment struct {
	Literal  string // or:
	Variable string // "id" of {id} and {id+}
	Greedy   bool   // {id+}: the rest of the path
}

var methods = []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// ParseKey parses "GET /orders/{id}", "ANY /files/{proxy+}" or "$default". The error says what is wrong and how it should be.
func ParseKey(text string) (Key, error) {
	if text == "$default" {
		return Key{Default: true}, nil
	}
	if len(text) > maxKeyBytes {
		return Key{}, fmt.Errorf("want at most %d bytes, got %d", maxKeyBytes, len(text))
	}
	method, path, ok := strings.Cut(text, " ")
	if !ok || !slices.Contains(methods, method) {
		return Key{}, fmt.Errorf("want $default, or a method (%s), a blank and a path", strings.Join(methods, ", "))
	}
	if !strings.HasPrefix(path, "/") {
		return Key{}, errors.New("want a path that begins with /")
	}
	k := Key{Method: method}
	if path == "/" {
		return k, nil
	}
	if strings.HasSuffix(path, "/") {
		return Key{}, errors.New("want a path that doesn't end in /")
	}
	seen := map[string]bool{}
	for text := range strings.SplitSeq(path[1:], "/") {
		if len(k.Segments) == maxSegments {
			return Key{}, fmt.Errorf("want at most %d segments", maxSegments)
		}
		if n := len(k.Segments); n > 0 && k.Segments[n-1].Greedy {
			return Key{}, fmt.Errorf("want {%s+} at the end of the path", k.Segments[n-1].Variable)
		}
		s, err := parseSegment(text)
		if err != nil {
			return Key{}, err
		}
		if s.Variable != "" {
			if seen[s.Variable] {
				return Key{}, fmt.Errorf("want each variable once, got {%s} twice", s.Variable)
			}
			seen[s.Variable] = true
			if len(seen) > MaxVariables {
				return Key{}, fmt.Errorf("want at most %d variables", MaxVariables)
			}
		}
		k.Segments = append(k.Segments, s)
	}
	return k, nil
}

func parseSegment(text string) (Segment, error) {
	name, isVariable := strings.CutPrefix(text, "{")
	if isVariable {
		name, closed := strings.CutSuffix(name, "}")
		name, greedy := strings.CutSuffix(name, "+")
		if !closed || name == "" || !all(name, letters+".:_-") {
			return Segment{}, fmt.Errorf("want {name} or {name+} of letters, digits and .:_-, got %q", text)
		}
		return Segment{Variable: name, Greedy: greedy}, nil
	}
	switch {
	case text == "":
		return Segment{}, errors.New("want no empty segment: one slash between two")
	case text == "." || text == "..":
		return Segment{}, fmt.Errorf("want no dot segment, got %q: such requests are refused", text)
	case strings.ContainsAny(text, "{}"):
		return Segment{}, fmt.Errorf("want a variable to be a whole segment, got %q", text)
	case !all(text, letters+"-._~!$&'()*+,;=:@"):
		return Segment{}, fmt.Errorf("want letters, digits and -._~!$&'()*+,;=:@ in a segment, unescaped, got %q", text)
	}
	return Segment{Literal: text}, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// String returns the key's text.
func (k Key) String() string {
	if k.Default {
		return "$default"
	}
	return k.Method + " " + k.path("{", "+}")
}

// Pattern returns the key in the spelling of http.ServeMux: "GET /files/{proxy...}", no method for ANY, "/" for $default.
func (k Key) Pattern() string {
	switch {
	case k.Default:
		return "/"
	case k.Method == "ANY":
		return k.path("{", "...}")
	}
	return k.Method + " " + k.path("{", "...}")
}

func (k Key) path(open, greedyClose string) string {
	var b strings.Builder
	for _, s := range k.Segments {
		b.WriteByte('/')
		switch {
		case s.Greedy:
			b.WriteString(open + s.Variable + greedyClose)
		case s.Variable != "":
			b.WriteString(open + s.Variable + "}")
		default:
			b.WriteString(s.Literal)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// Variables returns the names of the key's variables, in order.
func (k Key) Variables() []string {
	var names []string
	for _, s := range k.Segments {
		if s.Variable != "" {
			names = append(names, s.Variable)
		}
	}
	return names
}

// all reports whether every byte of s is one of chars.
func all(s, chars string) bool {
	for i := range len(s) {
		if strings.IndexByte(chars, s[i]) < 0 {
			return false
		}
	}
	return true
}
