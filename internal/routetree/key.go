// Package routetree finds the route of a request: it parses route keys and selects among them as
// the managed gateway does. It knows nothing of HTTP messages. (Developer guide, "Working with
// routes for HTTP APIs".)
package routetree

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/requestpath"
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
	Literal  string // decoded; or:
	Variable string // "id" of {id} and {id+}
	Greedy   bool   // {id+}: the rest of the path

	spelled string // the literal as the key has it, if that is escaped
}

var methods = []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// ParseKey parses "GET /orders/{id}", "ANY /files/{proxy+}" or "$default". The error says what is
// wrong and how it should be.
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
	if err := otherRouters(text); err != nil {
		return Segment{}, err
	}
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
	case errors.Is(requestpath.Check("/"+text), requestpath.ErrDotSegment):
		return Segment{}, fmt.Errorf("want no dot segment, got %q: such requests are refused", text)
	case strings.ContainsAny(text, "{}"):
		return Segment{}, fmt.Errorf("want a variable to be a whole segment, got %q", text)
	case strings.IndexByte(text, '%') >= 0:
		return parseEscaped(text)
	case !all(text, literals):
		return Segment{}, fmt.Errorf(
			"want letters, digits, -._~!$&'()*+,;=:@ and escapes such as %%C3%%A9 in a segment, got %q", text)
	}
	return Segment{Literal: text}, nil
}

// otherRouters refuses what is a variable to other routers, and would be a literal here, or a
// variable of one segment: a route that no request reaches leaves what it guards to the next best
// one. The error names the spelling to use. As data, :id and *rest are spelled %3Aid and %2Arest.
func otherRouters(text string) error {
	name, greedy := strings.CutSuffix(strings.TrimPrefix(text, "{"), "...}")
	switch {
	case text != "" && text[0] == ':':
		return fmt.Errorf("want {%s}, got %q, which is another router's spelling; the segment itself is %%3A%s",
			or(text[1:], "name"), text, text[1:])
	case text != "" && text[0] == '*':
		return fmt.Errorf("want {%s+}, got %q, which is another router's spelling; the segment itself is %%2A%s",
			or(text[1:], "proxy"), text, text[1:])
	case greedy:
		return fmt.Errorf("want {%s+}, got %q, which is another router's spelling", or(name, "proxy"), text)
	case text == "{$}":
		return fmt.Errorf("want the path without %q, which is another router's spelling: no route here takes what is below its path", text)
	}
	return nil
}

// or returns name if it can be a variable's.
func or(name, otherwise string) string {
	if name == "" || !all(name, letters+".:_-") {
		return otherwise
	}
	return name
}

// parseEscaped takes the escapes of visible characters that a literal needs: "%3Aid", "caf%C3%A9".
// What a request's path can't have, or has only where it is refused or split, is none.
func parseEscaped(text string) (Segment, error) {
	literal, err := url.PathUnescape(text)
	if err != nil || !all(strings.ReplaceAll(text, "%", ""), literals) {
		return Segment{}, fmt.Errorf("want good escapes in a segment, got %q", text)
	}
	for i := range len(literal) {
		if c := literal[i]; c < ' ' || c == 0x7f || c == '/' || c == '\\' {
			return Segment{}, fmt.Errorf("want no escape of %q in a segment, got %q", c, text)
		}
	}
	if requestpath.Check("/"+literal) != nil {
		return Segment{}, fmt.Errorf("want no dot segment, got %q: such requests are refused", text)
	}
	return Segment{Literal: literal, spelled: text}, nil
}

const literals = letters + "-._~!$&'()*+,;=:@"

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// String returns the key's text.
func (k Key) String() string {
	if k.Default {
		return "$default"
	}
	return k.Method + " " + k.path("{", "+}")
}

// Pattern returns the key in the spelling of http.ServeMux: "GET /files/{proxy...}", no method for
// ANY, "/" for $default.
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
		case s.spelled != "":
			b.WriteString(s.spelled)
		default:
			b.WriteString(s.Literal)
		}
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// literal returns the path of a key without variables as a request has it, decoded.
func (k Key) literal() string {
	var b strings.Builder
	for _, s := range k.Segments {
		b.WriteString("/" + s.Literal)
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// Shape returns a key's text without the names of its variables, "GET /pets/{*}": two keys of one
// shape match the same requests. What isn't a key is its own shape.
func Shape(key string) string {
	k, err := ParseKey(key)
	if err != nil {
		return key
	}
	for i, s := range k.Segments {
		if s.Variable != "" {
			k.Segments[i].Variable = "*" // no name: a name may not have it
		}
	}
	return k.String()
}

// AppendShape appends a resource, or a key, without the names of its variables: "/pets/{}/{+}". It
// is what [Shape] says, for those who ask for each request: it allocates nothing.
func AppendShape(b []byte, resource string) []byte {
	named := false
	for i := range len(resource) {
		switch c := resource[i]; {
		case c == '{':
			b, named = append(b, c), true
		case c == '}', !named, c == '+' && strings.HasPrefix(resource[i+1:], "}"):
			b, named = append(b, c), named && c != '}'
		}
	}
	return b
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
