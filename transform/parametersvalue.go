package transform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/querytext"
)

// source is where a part of a value comes from.
type source uint8

const (
	literal source = iota
	fromHeader
	fromHost // the Host header, which net/http keeps elsewhere
	fromQuery
	fromBody
	fromBodyPath
	fromPath
	fromPathVariable
	fromContext
	fromStageVariable
)

// part is a piece of a value: text, or a selector.
type part struct {
	source   source
	name     string // the text, a header's canonical name, a variable's …
	variable contextvar.Var
	path     *jsonpath.Path
}

// value is the right side of a mapping.
type value []part

// message is what selectors look into.
type message struct {
	rc     *gatekit.RequestContext // nil outside a gateway
	r      *http.Request
	header http.Header // the request's, or the response's
	body   []byte      // as much as selectors may see
}

// parseValue reads "$selector", or text with ${selector} in it.
func parseValue(text string, response bool) (value, error) {
	if text == "" {
		return nil, errors.New(`want a value; to drop what is there, use remove`)
	}
	if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return nil, fmt.Errorf("want a value without control characters, got %q", text)
	}
	if text[0] == '$' && !strings.HasPrefix(text, "${") {
		p, err := parseSelector(text[1:], response)
		rest := text[1+bareLen(text[1:]):]
		if err == nil && !hasSelector(rest) || rest == "" || rest == "." || rest[0] == '[' || !startsSelector(text[1:]) {
			if err != nil {
				return nil, err
			}
			return value{p}, nil
		}
	}
	var v value
	for text != "" {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			return append(v, part{name: text}), nil
		}
		if !strings.HasPrefix(text[i:], "${") {
			n := bareLen(text[i+1:])
			if !startsSelector(text[i+1:]) {
				v, text = append(v, part{name: text[:i+1]}), text[i+1:] // a dollar sign
				continue
			}
			p, err := parseSelector(text[i+1:i+1+n], response)
			if err == nil && strings.HasPrefix(text[i+1+n:], "[") {
				err = fmt.Errorf("want braces around a JSON path with brackets, got %q", text[i:])
			}
			if err != nil {
				return nil, err
			}
			if i > 0 {
				v = append(v, part{name: text[:i]})
			}
			v, text = append(v, p), text[i+1+n:]
			continue
		}
		if i > 0 {
			v = append(v, part{name: text[:i]})
		}
		text = text[i+2:]
		end := closingBrace(text)
		if end < 0 {
			return nil, fmt.Errorf("want a } behind ${, got %q", text)
		}
		p, err := parseSelector(text[:end], response)
		if err != nil {
			return nil, err
		}
		v, text = append(v, p), text[end+1:]
	}
	return v, nil
}

// hasSelector reports whether another selector stands in s.
func hasSelector(s string) bool {
	for {
		_, after, found := strings.Cut(s, "$")
		if !found || startsSelector(strings.TrimPrefix(after, "{")) {
			return found
		}
		s = after
	}
}

func startsSelector(s string) bool {
	for _, root := range []string{"request.", "response.", "context.", "stageVariables."} {
		if strings.HasPrefix(s, root) {
			return true
		}
	}
	return false
}

// bareLen is how long a selector without braces is: up to the first character that can't be part of
// one. A dot at the end is text.
func bareLen(s string) int {
	n := 0
	for n < len(s) && (isAlphanumeric(s[n]) || strings.IndexByte("_.-", s[n]) >= 0 || s[n] == ':' && strings.HasPrefix(s, "context.")) {
		n++
	}
	for n > 0 && (s[n-1] == '.' || s[n-1] == ':') {
		n--
	}
	return n
}

func isAlphanumeric(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' }

// closingBrace returns where the first brace is that is in no quotes between brackets, as a JSON
// path may have them, or -1.
func closingBrace(s string) int {
	bracket, quote := false, byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case bracket && (c == '\'' || c == '"'):
			quote = c
		case c == '[' || c == ']':
			bracket = c == '['
		case c == '}':
			return i
		}
	}
	return -1
}

// parseSelector reads what stands behind $ or between the braces.
func parseSelector(text string, response bool) (part, error) {
	root, rest, _ := strings.Cut(text, ".")
	switch {
	case root == "context":
		v, err := contextvar.Parse(rest)
		return part{source: fromContext, name: rest, variable: v}, err
	case root == "stageVariables" && isVariableName(rest):
		return part{source: fromStageVariable, name: rest}, nil
	case root == "request" && !response || root == "response" && response:
		return parseMessageSelector(text, rest, response)
	case root == "request":
		return part{}, fmt.Errorf("want selectors of the response in a response's mapping, got %q", text)
	case root == "response":
		return part{}, fmt.Errorf("want selectors of the request in a request's mapping, got %q", text)
	}
	return part{}, fmt.Errorf("want a selector that begins with request., response., context. or stageVariables., got %q", text)
}

// isVariableName reports whether s may name a stage variable or a path variable.
func isVariableName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("{}/$+", c) >= 0 {
			return false
		}
	}
	return s != ""
}

func parseMessageSelector(text, rest string, response bool) (part, error) {
	where, name, named := strings.Cut(rest, ".")
	switch {
	case where == "header" && !response && strings.EqualFold(name, "Host"):
		return part{source: fromHost}, nil
	case where == "header" && httpword.IsToken(name):
		return part{source: fromHeader, name: textproto.CanonicalMIMEHeaderKey(name)}, nil
	case where == "querystring" && !response && name != "":
		return part{source: fromQuery, name: name}, nil
	case rest == "body":
		return part{source: fromBody}, nil
	case where == "body" && name != "":
		p, err := parseBodyPath(name)
		return part{source: fromBodyPath, name: name, path: p}, err
	case where == "path" && !response && !named:
		return part{source: fromPath}, nil
	case where == "path" && !response && isVariableName(name):
		return part{source: fromPathVariable, name: name}, nil
	case response:
		return part{}, fmt.Errorf("want response.header.NAME, response.body or response.body.PATH, got %q", text)
	}
	return part{}, fmt.Errorf("want request.header.NAME, request.querystring.NAME, request.body, request.body.PATH, request.path or request.path.NAME, got %q", text)
}

// parseBodyPath reads a JSON path without its "$.".
func parseBodyPath(text string) (*jsonpath.Path, error) {
	expr := "$." + text
	if text[0] == '[' {
		expr = "$" + text
	}
	bracket, quote := false, byte(0)
	for i := range len(expr) {
		switch c := expr[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case bracket && (c == '\'' || c == '"'):
			quote = c
		case c == '?' || c == '(':
			return nil, fmt.Errorf("want a JSON path without filters, got %q", text)
		case c == '.' && strings.HasPrefix(expr[i:], ".."):
			return nil, fmt.Errorf("want a JSON path without .., got %q", text)
		case c == '[' || c == ']':
			bracket = c == '['
		}
	}
	p, err := jsonpath.Parse(expr)
	if err != nil {
		return nil, fmt.Errorf("want a JSON path, got %q: %w", text, err)
	}
	return p, nil
}

func (v value) asks(s source) bool {
	for i := range v {
		if v[i].source == s {
			return true
		}
	}
	return false
}

// text returns what v is for m. ok is false if one of its selectors finds nothing.
func (v value) text(m *message) (text string, ok bool) {
	if len(v) == 1 {
		return v[0].text(m)
	}
	var b strings.Builder
	for i := range v {
		if text, ok = v[i].text(m); !ok {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

func (p *part) text(m *message) (string, bool) {
	switch p.source {
	case literal:
		return p.name, true
	case fromHeader:
		return joined(m.header[p.name])
	case fromHost:
		return m.r.Host, m.r.Host != ""
	case fromQuery:
		return querytext.Joined(m.r.URL.RawQuery, p.name)
	case fromBody:
		return string(m.body), len(m.body) > 0
	case fromBodyPath:
		return bodyText(p.path, m.body)
	case fromPath:
		path := gatekit.PathOf(m.r)
		text := path.Routed().String()
		return text, text != ""
	case fromPathVariable:
		_, text, _ := gatekit.PathVariable(m.r, p.name)
		return text, text != ""
	case fromContext:
		return p.variable.Of(m.rc, m.r)
	case fromStageVariable:
		if m.rc == nil {
			return "", false
		}
		text, ok := m.rc.API.Variables[p.name]
		return text, ok
	}
	return "", false
}

func joined(values []string) (string, bool) {
	switch len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	}
	return strings.Join(values, ","), true
}

// bodyText returns what path finds in body: a string's text, and other values as JSON. A path that
// may find several values is a JSON array of them. null, and a body that isn't JSON, are nothing.
func bodyText(path *jsonpath.Path, body []byte) (string, bool) {
	found, err := path.Select(body)
	if err != nil {
		return "", false
	}
	if !path.Definite() {
		return compacted("[" + string(bytes.Join(found, []byte(","))) + "]")
	}
	if len(found) == 0 || len(found[0]) == 0 || string(found[0]) == "null" {
		return "", false
	}
	if raw := found[0]; raw[0] == '"' {
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err == nil
	}
	return compacted(string(found[0]))
}

func compacted(text string) (string, bool) {
	var b bytes.Buffer
	err := json.Compact(&b, []byte(text))
	return b.String(), err == nil
}

// peek reads the beginning of a body, and returns it with a body that begins with it.
func peek(body io.ReadCloser) ([]byte, io.ReadCloser) {
	if body == nil || body == http.NoBody {
		return nil, body
	}
	head, err := io.ReadAll(io.LimitReader(body, maxMappedBody))
	rest := io.Reader(body)
	if err != nil {
		rest = failed{err} // for who reads that far
	}
	return head, &peeked{io.MultiReader(bytes.NewReader(head), rest), body}
}

type peeked struct {
	io.Reader
	io.Closer
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
