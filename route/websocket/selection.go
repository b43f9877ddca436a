package websocket

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
)

// selection is a selection expression over a message: literal text and parts of the body in turn.
// (Developer guide, "API Gateway WebSocket API selection expressions".) It is evaluated in one
// pass: what a message says is never read as an expression.
type selection struct {
	parts []selectionPart
}

// selectionPart is literal text, or a path into the body.
type selectionPart struct {
	text string
	path *jsonpath.Path // nil for text
}

const bodyVariable = "request.body"

// parseSelection reads an expression: $request.body.PATH, as far as a path goes;
// ${request.body.PATH} where its edges have to be marked; \$ for a dollar; and text.
func parseSelection(expr string) (*selection, error) {
	s := &selection{}
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			s.parts = append(s.parts, selectionPart{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(expr); {
		switch rest := expr[i:]; {
		case strings.HasPrefix(rest, `\$`):
			text.WriteByte('$')
			i += 2
		case rest[0] != '$':
			text.WriteByte(rest[0])
			i++
		default:
			name, n := variableName(rest)
			if n == 0 {
				return nil, fmt.Errorf("want ${request.body.PATH}, its braces and brackets closed, in %q", expr)
			}
			path, err := bodyPath(name)
			if err != nil {
				return nil, err
			}
			flush()
			s.parts = append(s.parts, selectionPart{path: path})
			i += n
		}
	}
	flush()
	if len(s.parts) == 0 {
		return nil, errors.New(`want a selection expression such as "$request.body.action", got ""`)
	}
	return s, nil
}

// variableName returns the variable that rest begins with, and the length of its spelling; 0 if a
// brace or a bracket isn't closed.
func variableName(rest string) (name string, n int) {
	if strings.HasPrefix(rest, "${") {
		if end := strings.IndexByte(rest, '}'); end > 0 {
			return rest[2:end], end + 1
		}
		return "", 0
	}
	n = 1
	for n < len(rest) {
		c := rest[n]
		if c == '[' { // a subscript goes to its bracket, whatever is in it
			end := strings.IndexByte(rest[n:], ']')
			if end < 0 {
				return "", 0
			}
			n += end + 1
			continue
		}
		if !isNameByte(c) && c != '.' && c != '-' && c != '*' {
			break
		}
		n++
	}
	return rest[1:n], n
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// bodyPath is the path that a variable stands for. Messages have neither headers nor a query.
func bodyPath(variable string) (*jsonpath.Path, error) {
	rest, ok := strings.CutPrefix(variable, bodyVariable)
	if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
		return nil, fmt.Errorf("want $request.body.PATH, got $%s", variable)
	}
	path, err := jsonpath.Parse("$" + rest)
	if err != nil {
		return nil, fmt.Errorf("$%s: %w", variable, err)
	}
	return path, nil
}

// static returns the text of an expression without variables.
func (s *selection) static() (string, bool) {
	if len(s.parts) == 1 && s.parts[0].path == nil {
		return s.parts[0].text, true
	}
	return "", false
}

// evaluate returns what the expression says of a message; false if the message isn't JSON, or a
// path selects too much of it. A path that finds nothing stands for "".
func (s *selection) evaluate(body []byte) (string, bool) {
	if len(s.parts) == 1 && s.parts[0].path != nil && s.parts[0].path.Definite() { // nearly every API's
		_, value, found, err := jsonpath.OpenAndGet(body, s.parts[0].path)
		if err != nil || !found {
			return "", err == nil
		}
		return string(appendSelected(nil, value)), true
	}
	d, err := jsonpath.Open(body)
	if err != nil {
		return "", false
	}
	var b []byte
	for _, p := range s.parts {
		if p.path == nil {
			b = append(b, p.text...)
			continue
		}
		values, err := d.Select(p.path)
		if err != nil {
			return "", false
		}
		if p.path.Definite() {
			if len(values) == 1 {
				b = appendSelected(b, values[0])
			}
			continue
		}
		b = appendList(b, values)
	}
	return string(b), true
}

// appendSelected appends a selected value as text: a string's own, a number's token, nothing for
// null, [a, b] for an array, and an object as JSON without blanks.
func appendSelected(b, value []byte) []byte {
	switch value[0] {
	case '"':
		text, _ := jsonpath.Unquote(value)
		return append(b, text...)
	case 'n':
		return b
	case '[':
		values, err := everyElement.Select(value)
		if err != nil {
			return jsonpath.AppendCompact(b, value)
		}
		return appendList(b, values)
	case '{':
		return jsonpath.AppendCompact(b, value)
	}
	return append(b, value...)
}

func appendList(b []byte, values [][]byte) []byte {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ", "...)
		}
		if v[0] == '[' { // not again as a list: the work would grow with the depth
			b = jsonpath.AppendCompact(b, v)
			continue
		}
		b = appendSelected(b, v)
	}
	return append(b, ']')
}

var everyElement = func() *jsonpath.Path {
	p, err := jsonpath.Parse("$[*]")
	if err != nil {
		panic(err)
	}
	return p
}()

// parseRouteSelection refuses an expression that would send every message to $connect or
// $disconnect.
func parseRouteSelection(expr string) (*selection, error) {
	s, err := parseSelection(expr)
	if err != nil {
		return nil, err
	}
	if text, ok := s.static(); ok && (text == connectKey || text == disconnectKey) {
		return nil, fmt.Errorf("%s is no route for messages", text)
	}
	return s, nil
}
