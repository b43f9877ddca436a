package transform

import (
	"strings"

	"github.com/gatekit-go/gatekit/internal/selector"
)

// gatewayVariables are what headers of a gateway response, and the pieces of its template, are made
// of.
var gatewayVariables = selector.Grammar{
	Forms: []selector.Form{selector.Method},
	Kinds: selector.Literal | selector.Header | selector.Query | selector.PathVariable | selector.Context |
		selector.StageVariable,
}

// gatewayTargets are what a gateway response's parameters map to.
var gatewayTargets = selector.Grammar{Forms: []selector.Form{selector.GatewayResponse}, Kinds: selector.Header}

// gatewayTemplate is text with variables in it. There are no directives and no methods: this isn't
// a mapping template.
type gatewayTemplate []selector.Selector

// parseGatewayTemplate splits text into literals and variables. A dollar sign that begins none is
// text.
func parseGatewayTemplate(text string) gatewayTemplate {
	var t gatewayTemplate
	from := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		name := gatewayName(text[i+1:])
		if name == "" {
			continue
		}
		if i > from {
			t = append(t, selector.Selector{Kind: selector.Literal, Name: text[from:i]})
		}
		v, taken := gatewayPrefix(name)
		if taken > 0 {
			t = append(t, v)
		} else {
			taken = len(name) // there is no such variable: left out
		}
		from = i + 1 + taken
		i = from - 1
	}
	if from < len(text) {
		t = append(t, selector.Selector{Kind: selector.Literal, Name: text[from:]})
	}
	return t
}

// gatewayName returns the longest name that s begins with, if it may be a variable's: words joined
// by dots.
func gatewayName(s string) string {
	end := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' {
			end = i + 1
		} else if c != '.' || end != i {
			break // a dot stands between two words
		}
	}
	for _, root := range [...]string{"context.", "stageVariables.", "method.request."} {
		if strings.HasPrefix(s[:end], root) {
			return s[:end]
		}
	}
	return ""
}

// gatewayPrefix looks up the longest beginning of name that is a variable's, up to one of its dots:
// in "$context.stage.example.com" that is context.stage. It returns how much of name that is, or 0.
func gatewayPrefix(name string) (selector.Selector, int) {
	for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '.') {
		if v, err := gatewayVariables.Parse(name[:end]); err == nil {
			return v, end
		}
	}
	return selector.Selector{}, 0
}

// append appends the template's text for a request to dst. Of several values of a parameter the
// last counts.
func (t gatewayTemplate) append(dst []byte, m *selector.Message) []byte {
	for i := range t {
		text, _ := t[i].Last(m)
		dst = append(dst, text...)
	}
	return dst
}
