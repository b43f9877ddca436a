package transform

import (
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/querytext"
)

// gatewayVariable is where a header of a gateway response, or a piece of its template, comes from.
type gatewayVariable struct {
	source   source
	name     string // the text, a header's canonical name, a variable's …
	variable contextvar.Var
}

// text returns what v stands for, and whether there is such a thing. Of several values of a
// parameter it is the last.
func (v *gatewayVariable) text(rc *gatekit.RequestContext, r *http.Request) (string, bool) {
	switch v.source {
	case literal:
		return v.name, true
	case fromHost:
		return r.Host, r.Host != ""
	case fromHeader:
		values := r.Header[v.name]
		if len(values) == 0 {
			return "", false
		}
		return values[len(values)-1], true
	case fromQuery:
		return querytext.Last(r.URL.RawQuery, v.name)
	case fromPathVariable:
		_, text, _ := gatekit.PathVariable(r, v.name)
		return text, text != ""
	case fromContext:
		return v.variable.Of(rc, r)
	case fromStageVariable:
		text, ok := rc.API.Variables[v.name]
		return text, ok
	}
	return "", false
}

// parseGatewaySource reads the right side of a response parameter.
func parseGatewaySource(text string) (gatewayVariable, error) {
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		if text = text[1 : len(text)-1]; headerText(text) != text {
			return gatewayVariable{}, fmt.Errorf("want text without control characters, got %q", text)
		}
		return gatewayVariable{name: text}, nil
	}
	v, ok := gatewayVariableOf(text)
	if !ok {
		return gatewayVariable{}, fmt.Errorf("want 'text', method.request.header.NAME, method.request.querystring.NAME, method.request.path.NAME, context.NAME or stageVariables.NAME, got %q", text)
	}
	return v, nil
}

// gatewayVariableOf looks up a variable by its whole name.
func gatewayVariableOf(name string) (gatewayVariable, bool) {
	root, rest, _ := strings.Cut(name, ".")
	switch root {
	case "context":
		v, err := contextvar.Parse(rest)
		return gatewayVariable{source: fromContext, name: rest, variable: v}, err == nil
	case "stageVariables":
		return gatewayVariable{source: fromStageVariable, name: rest}, isVariableName(rest)
	case "method":
		request, rest, _ := strings.Cut(rest, ".")
		place, rest, _ := strings.Cut(rest, ".")
		if request != "request" {
			return gatewayVariable{}, false
		}
		switch place {
		case "header":
			if strings.EqualFold(rest, "Host") {
				return gatewayVariable{source: fromHost}, true
			}
			return gatewayVariable{source: fromHeader, name: textproto.CanonicalMIMEHeaderKey(rest)}, httpword.IsToken(rest)
		case "querystring":
			return gatewayVariable{source: fromQuery, name: rest}, rest != ""
		case "path":
			return gatewayVariable{source: fromPathVariable, name: rest}, isVariableName(rest)
		}
	}
	return gatewayVariable{}, false
}

// gatewayTemplate is text with variables in it. There are no directives and no methods: this isn't
// a mapping template.
type gatewayTemplate []gatewayVariable

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
			t = append(t, gatewayVariable{name: text[from:i]})
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
		t = append(t, gatewayVariable{name: text[from:]})
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
func gatewayPrefix(name string) (gatewayVariable, int) {
	for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '.') {
		if v, ok := gatewayVariableOf(name[:end]); ok {
			return v, end
		}
	}
	return gatewayVariable{}, 0
}

// append appends the template's text for r to dst.
func (t gatewayTemplate) append(dst []byte, rc *gatekit.RequestContext, r *http.Request) []byte {
	for i := range t {
		text, _ := t[i].text(rc, r)
		dst = append(dst, text...)
	}
	return dst
}
