// Package doctree reads JSON and YAML documents that people write (OpenAPI documents, templates)
// into one tree whose values know the line they stand on.
//
// YAML is read as version 1.1, as the managed gateway's import does, with what documents of APIs
// need otherwise: "2012-10-17" is text and no date, digits behind a leading zero are text, since
// they are account numbers and not octal, 12:30 is text and no number to the base 60; yes, no, on
// and off are booleans, and a key is text whatever it would be as a value: 200, on, null.
//
// A name that is twice in one map is an error, but for readers who decide otherwise: two readers
// would take different ones, and one of them may be the security of a route. So are a tag on a key,
// and a directive of another version.
package doctree

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Kind is what a [Node] is.
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	Bool
	Number
	Text
	List
	Map
)

// String returns the kind's name as errors have it.
func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "text", "list", "map"}[k]
}

// Node is a value of a document. The zero Node is null.
type Node struct {
	Kind Kind
	// Line is where the value begins, 1 for the first.
	Line int
	// Text is what a Text says, "true" or "false" of a Bool, and a Number as it was written: 1.0
	// stays "1.0".
	Text string
	// Tag is a YAML tag that isn't YAML's own: "!Ref".
	Tag string
	// Items are a List's.
	Items []*Node
	// Members are a Map's, in the document's order, each name once.
	Members []Member

	index map[string]int // of Members, once there are many and one was looked for
}

// Member is a name of a Map and its value.
type Member struct {
	Name  string
	Line  int
	Value *Node
}

// indexed is from how many members on a map is indexed, when it is first asked for one.
const indexed = 16

// Get returns the member of that name, or nil; of what is no map it is nil, also of a nil Node. It
// isn't safe for concurrent use.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	if i, ok := n.find(name); ok {
		return n.Members[i].Value
	}
	return nil
}

// find is the place of the member of that name.
func (n *Node) find(name string) (int, bool) {
	if len(n.Members) < indexed {
		for i := range n.Members {
			if n.Members[i].Name == name {
				return i, true
			}
		}
		return 0, false
	}
	if n.index == nil {
		n.index = make(map[string]int, len(n.Members))
		for i := range n.Members {
			n.index[n.Members[i].Name] = i
		}
	}
	i, ok := n.index[name]
	return i, ok
}

// Names yields the names of a map's members.
func (n *Node) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, m := range n.Members {
			if !yield(m.Name) {
				return
			}
		}
	}
}

// Limits bound a document.
type Limits struct {
	// Bytes is how long it may be, Depth how deeply nested, and Values how many values it may have,
	// those that aliases repeat counted each time.
	Bytes, Depth, Values int
	// Twice is asked about a name that is twice in one map. If it returns nil, the later value
	// counts, as it does to most readers. A nil Twice refuses.
	Twice func(later, first Member) error
}

// ErrTooLarge is wrapped by the errors about documents that exceed a limit.
var ErrTooLarge = errors.New("the document is too large")

// Parse reads a document. What begins with { and is valid JSON is read as JSON, all else as YAML,
// of which there may be one document. The error tells the line.
func Parse(text []byte, l Limits) (*Node, error) {
	n, err := parse(text, l)
	if err != nil {
		return nil, err
	}
	return n, nil
}

func parse(text []byte, l Limits) (*Node, error) {
	if len(text) > l.Bytes {
		return nil, fmt.Errorf("%w: want at most %d bytes, got %d", ErrTooLarge, l.Bytes, len(text))
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	budget := &budget{limits: l, values: l.Values}
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		node, err := parseJSON(text, budget)
		if !errors.Is(err, errSyntax) {
			return node, err
		}
		budget.values = l.Values
		node, yamlErr := parseYAML(text, budget)
		if errors.Is(yamlErr, errYAML) {
			return nil, err // the text is neither, and looks like JSON
		}
		return node, yamlErr
	}
	return parseYAML(text, budget)
}

// budget counts what a document may still have.
type budget struct {
	limits Limits
	values int
}

func (b *budget) spend(line, depth int) error {
	b.values--
	switch {
	case b.values < 0:
		return fmt.Errorf("%w: line %d: want at most %d values, aliases counted", ErrTooLarge, line, b.limits.Values)
	case depth > b.limits.Depth:
		return fmt.Errorf("%w: line %d: want at most %d levels", ErrTooLarge, line, b.limits.Depth)
	}
	return nil
}

// add appends a member to a map; seen has where its names so far are in it.
func (n *Node) add(seen map[string]int, m Member, l *Limits) error {
	at, twice := seen[m.Name]
	if !twice {
		seen[m.Name] = len(n.Members)
		n.Members = append(n.Members, m)
		return nil
	}
	first := n.Members[at]
	if l.Twice == nil {
		return fmt.Errorf("line %d: %.100q is there twice, also in line %d", m.Line, m.Name, first.Line)
	}
	if err := l.Twice(m, first); err != nil {
		return err
	}
	n.Members[at] = m
	return nil
}

// Set replaces the member of that name, or appends one. It is of a Map alone.
func (n *Node) Set(name string, v *Node) {
	if i, ok := n.find(name); ok {
		n.Members[i].Value = v
		return
	}
	n.Members = append(n.Members, Member{Name: name, Line: v.Line, Value: v})
	if n.index != nil {
		n.index[name] = len(n.Members) - 1
	}
}

// Delete takes the member of that name out of a Map.
func (n *Node) Delete(name string) {
	n.Members = slices.DeleteFunc(n.Members, func(m Member) bool { return m.Name == name })
	n.index = nil
}
