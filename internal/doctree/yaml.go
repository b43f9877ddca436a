package doctree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// errYAML is wrapped where a text is no YAML.
var errYAML = errors.New("invalid YAML")

// parseYAML reads one YAML document. The library's nodes know lines and styles; what its scalars
// mean is decided here, as the library follows YAML 1.2 in some points and 1.1 in others.
func parseYAML(text []byte, b *budget) (n *Node, err error) {
	if n := marks(text); n > 2*b.limits.Values {
		// The library builds a tree of its own before anything here sees it.
		return nil, fmt.Errorf("%w: want at most %d values, got about %d", ErrTooLarge, b.limits.Values, n)
	}
	defer func() { // the library gives up by a panic where it finds itself in a state that it excludes
		if p := recover(); p != nil {
			n, err = nil, fmt.Errorf("%w: %v", errYAML, p)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the document is empty")
		}
		if strings.Contains(err.Error(), "found incompatible YAML document") {
			return nil, fmt.Errorf("%w: want no directive %%YAML, or one of the version 1.1", errYAML)
		}
		return nil, fmt.Errorf("%w: %s", errYAML, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: want one document, and nothing behind it", errYAML)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("the document is empty")
	}
	return convert(doc.Content[0], b, 1)
}

// marks counts what a value can follow, which is about how many values there are.
func marks(text []byte) (n int) {
	for i, c := range text {
		switch {
		case c == ',' || c == '[' || c == '{' || c == '\n' || c == '?', c == ' ' && i > 0 && text[i-1] == '-':
			n++
		}
	}
	return n
}

// convert copies what aliases repeat, so that the budget bounds what a walk of the tree costs.
func convert(y *yaml.Node, b *budget, depth int) (*Node, error) {
	if err := b.spend(y.Line, depth); err != nil {
		return nil, err
	}
	n := &Node{Line: y.Line}
	if !strings.HasPrefix(y.Tag, "!!") && y.Kind != yaml.AliasNode {
		n.Tag = y.Tag
	}
	switch y.Kind {
	case yaml.AliasNode:
		return convert(y.Alias, b, depth+1) // which counts: an alias may be within what it repeats
	case yaml.ScalarNode:
		n.Kind, n.Text = meaning(y)
		return n, nil
	case yaml.SequenceNode:
		n.Kind = List
		for _, item := range y.Content {
			c, err := convert(item, b, depth+1)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, c)
		}
		return n, nil
	case yaml.MappingNode:
		n.Kind = Map
		return n, n.fill(y, b, depth)
	}
	return nil, fmt.Errorf("line %d: want a value", y.Line)
}

func (n *Node) fill(y *yaml.Node, b *budget, depth int) error {
	seen := make(map[string]int, len(y.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		for key.Kind == yaml.AliasNode {
			key = key.Alias // to a scalar, or refused below
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			return fmt.Errorf("line %d: want a key that is text", key.Line)
		case key.Tag == "!!merge":
			merged = append(merged, value)
			continue
		case key.Style&yaml.TaggedStyle != 0 && key.Tag != "!!str":
			return fmt.Errorf("line %d: want a key without a tag, got %.40s", key.Line, key.Tag)
		}
		c, err := convert(value, b, depth+1)
		if err != nil {
			return err
		}
		if err := n.add(seen, Member{Name: key.Value, Line: key.Line, Value: c}, &b.limits); err != nil {
			return err
		}
	}
	for _, from := range merged {
		if err := n.merge(seen, from, b, depth); err != nil {
			return err
		}
	}
	return nil
}

// merge adds the members of a map, or of each of a list of maps, that the map lacks (YAML 1.1,
// "Merge key"): its own win, then those of the list's earlier maps.
func (n *Node) merge(seen map[string]int, from *yaml.Node, b *budget, depth int) error {
	c, err := convert(from, b, depth+1)
	if err != nil {
		return err
	}
	maps := []*Node{c}
	if c.Kind == List {
		maps = c.Items
	}
	for _, m := range maps {
		if m.Kind != Map {
			return fmt.Errorf("line %d: want a map, or a list of maps, behind <<", from.Line)
		}
		for _, member := range m.Members {
			if _, own := seen[member.Name]; own {
				continue
			}
			if err := n.add(seen, member, &b.limits); err != nil {
				return err
			}
		}
	}
	return nil
}
