package integration

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gatekit-go/gatekit"
)

// uriSource is an integration URI as configured, with or without ${stageVariables.name} in it.
type uriSource struct {
	text   string
	static *uriTemplate // nil where stage variables decide

	parsed sync.Map // text → *uriTemplate, of the values that were seen
	seen   atomic.Int32
}

// maxParsed bounds the URIs kept parsed. Stage variables come from the configuration, so this is never reached unless it makes values up.
const maxParsed = 128

const stageVariable = "${stageVariables."

func newURISource(text string) (*uriSource, error) {
	s := &uriSource{text: text}
	if !strings.Contains(text, stageVariable) {
		var err error
		s.static, err = parseURI(text)
		return s, err
	}
	if i := strings.Index(text, stageVariable); i < len("http://") {
		return nil, fmt.Errorf("want a stage variable behind the scheme, got %q", text)
	}
	expanded, err := expandStageVariables(text, func(string) string { return "1" }) // a host, a port, a segment
	if err == nil {
		_, err = parseURI(expanded)
	}
	return s, err
}

// template returns the template for a request with these stage variables, or badURI.
func (s *uriSource) template(variables map[string]string) (*uriTemplate, error) {
	if s.static != nil {
		return s.static, nil
	}
	// A missing variable is empty. (Reported for REST APIs.)
	text, err := expandStageVariables(s.text, func(name string) string { return variables[name] })
	if err != nil {
		return nil, badURI
	}
	if t, ok := s.parsed.Load(text); ok {
		return t.(*uriTemplate), nil
	}
	t, err := parseURI(text)
	if err != nil {
		return nil, &gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: fmt.Errorf("integration: HTTPConfig.URI: %w", err)}
	}
	if s.seen.Load() < maxParsed {
		s.seen.Add(1)
		s.parsed.Store(text, t)
	}
	return t, nil
}

func expandStageVariables(text string, value func(name string) string) (string, error) {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(text, stageVariable)
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return "", fmt.Errorf("want ${stageVariables.name} of letters, digits and _, got %q", stageVariable+after)
		}
		// A value's braces would be variables, and a quotation mark breaks logs.
		if v := value(name); strings.ContainsAny(v, "{}") {
			return "", fmt.Errorf("want a stage variable without braces, got %q", name)
		} else {
			b.WriteString(v)
		}
		text = rest
	}
}
