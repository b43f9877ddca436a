package uritemplate

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Source is a URI as it is configured, with or without ${stageVariables.name} in it. It is safe for
// concurrent use.
type Source struct {
	text  string
	shape *Template // with something in the place of each stage variable
	fixed bool      // there are none

	parsed sync.Map // text → *Template, of the values that were seen
	seen   atomic.Int32
}

// maxParsed bounds the URIs kept parsed. Stage variables come from the configuration, so this is
// never reached unless it makes values up.
const maxParsed = 128

const stageVariable = "${stageVariables."

// New returns a Source. It is checked as it will be, with something in the place of each stage
// variable. The error is as [Parse]'s.
func New(text string) (*Source, error) {
	s := &Source{text: text, fixed: !strings.Contains(text, stageVariable)}
	sample, err := text, error(nil)
	if !s.fixed {
		sample, err = s.expanded(func(string) string { return "1" }) // a host, a port, a segment
	}
	if err == nil {
		s.shape, err = Parse(sample)
	}
	return s, err
}

// Shape returns the template with something in the place of each stage variable: it tells where
// variables stand.
func (s *Source) Shape() *Template { return s.shape }

// Fixed reports whether there are no stage variables, so that [Source.Shape] is what every request
// gets.
func (s *Source) Fixed() bool { return s.fixed }

// Template returns the template for these stage variables, of which those that are missing are
// empty. The error is the configuration's: together they make no URI.
func (s *Source) Template(variables map[string]string) (*Template, error) {
	if s.fixed {
		return s.shape, nil
	}
	text, err := s.expanded(func(name string) string { return variables[name] })
	if err != nil {
		return nil, err
	}
	if t, ok := s.parsed.Load(text); ok {
		return t.(*Template), nil
	}
	t, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if s.seen.Load() < maxParsed {
		s.seen.Add(1)
		s.parsed.Store(text, t)
	}
	return t, nil
}

// expanded returns the text with the values of its stage variables. One may hold host and path; the
// slash that then stands twice reaches the backend once (recorded), while one that stands in the
// path is filled in as it is.
func (s *Source) expanded(value func(name string) string) (string, error) {
	var b strings.Builder
	scheme, text, inHost := strings.Cut(s.text, "://")
	switch {
	case inHost && !strings.Contains(scheme, "$"):
		b.WriteString(scheme + "://")
	case strings.HasPrefix(s.text, "/"):
		text, inHost = s.text, false
	default:
		return "", fmt.Errorf("want a stage variable behind the scheme, got %q", s.text)
	}
	for {
		before, after, ok := strings.Cut(text, stageVariable)
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		inHost = inHost && !strings.ContainsAny(before, "/?")
		name, rest, closed := strings.Cut(after, "}")
		if name = strings.TrimSuffix(name, `\`); !closed || name == "" || strings.Trim(name, alphanumeric+"._-") != "" {
			return "", fmt.Errorf("want ${stageVariables.name} of letters, digits and _, got %q", stageVariable+after)
		}
		v := value(name)
		if strings.ContainsAny(v, "{}") { // which would be variables
			return "", fmt.Errorf("want a stage variable without braces, got %q", name)
		}
		if inHost && strings.HasPrefix(rest, "/") && strings.Contains(v, "/") {
			v = strings.TrimSuffix(v, "/")
		}
		b.WriteString(v)
		text = rest
	}
}
