package doctree

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// errSyntax is wrapped where a text is no JSON, and may still be YAML.
var errSyntax = errors.New("invalid JSON")

type jsonReader struct {
	text   []byte
	line   int // of the byte at counted
	at     int
	budget *budget
}

func parseJSON(text []byte, b *budget) (*Node, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%w: want UTF-8", errSyntax)
	}
	r := &jsonReader{text: text, line: 1, budget: b}
	node, end, err := r.value(jsonlex.Space(text, 0), 1)
	if err != nil {
		return nil, err
	}
	if end = jsonlex.Space(text, end); end != len(text) {
		return nil, r.syntax(end)
	}
	return node, nil
}

// lineOf counts on: it is asked for places in the text's order only.
func (r *jsonReader) lineOf(i int) int {
	if i > r.at {
		r.line += bytes.Count(r.text[r.at:i], []byte{'\n'})
		r.at = i
	}
	return r.line
}

func (r *jsonReader) syntax(i int) error {
	return fmt.Errorf("%w in line %d", errSyntax, r.lineOf(min(i, len(r.text))))
}

func (r *jsonReader) value(i, depth int) (n *Node, end int, err error) {
	n = &Node{Line: r.lineOf(i)}
	if err := r.budget.spend(n.Line, depth); err != nil {
		return nil, i, err
	}
	if i >= len(r.text) {
		return nil, i, r.syntax(i)
	}
	switch c := r.text[i]; {
	case c == '{':
		end, err = r.object(n, i, depth)
	case c == '[':
		end, err = r.array(n, i, depth)
	default:
		var ok bool
		if end, ok = jsonlex.Scalar(r.text, i); !ok {
			return nil, i, r.syntax(end)
		}
		n.Kind, n.Text = scalar(r.text[i:end])
	}
	return n, end, err
}

// scalar is of valid JSON.
func scalar(token []byte) (Kind, string) {
	switch token[0] {
	case '"':
		text, _ := jsonlex.Unquote(token)
		return Text, text
	case 't', 'f':
		return Bool, string(token)
	case 'n':
		return Null, ""
	}
	return Number, string(token)
}

func (r *jsonReader) object(n *Node, i, depth int) (int, error) {
	n.Kind = Map
	i, empty := jsonlex.Open(r.text, i)
	if empty {
		return i, nil
	}
	seen := map[string]int{}
	for {
		quoted, end, ok := jsonlex.Name(r.text, i)
		if !ok {
			return i, r.syntax(end)
		}
		m := Member{Line: r.lineOf(i)}
		m.Name, _ = jsonlex.Unquote(quoted)
		value, end, err := r.value(end, depth+1)
		if err != nil {
			return i, err
		}
		m.Value = value
		if err := n.add(seen, m, &r.budget.limits); err != nil {
			return i, err
		}
		var more bool
		if i, more, ok = jsonlex.Next(r.text, end, '{'); !ok {
			return i, r.syntax(i)
		}
		if !more {
			return i, nil
		}
	}
}

func (r *jsonReader) array(n *Node, i, depth int) (int, error) {
	n.Kind = List
	i, empty := jsonlex.Open(r.text, i)
	if empty {
		return i, nil
	}
	for {
		item, end, err := r.value(i, depth+1)
		if err != nil {
			return i, err
		}
		n.Items = append(n.Items, item)
		var more, ok bool
		if i, more, ok = jsonlex.Next(r.text, end, '['); !ok {
			return i, r.syntax(i)
		}
		if !more {
			return i, nil
		}
	}
}
