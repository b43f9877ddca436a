package cloudformation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

const forEach = "Fn::ForEach::"

// sections prepares the template's sections: loops are expanded, where the template has the
// language's extensions, and files are put in. (User guide, "Fn::ForEach".)
func (s *stack) sections() error {
	root := *s.t.root
	root.Members = append([]doctree.Member(nil), root.Members...)
	for k := range root.Members {
		m := &root.Members[k]
		if err := s.checkSection(m); err != nil {
			return err
		}
		if !slices.Contains(evaluated, m.Name) {
			continue
		}
		if m.Value.Get("Fn::Transform") != nil {
			v := s.included(m.Value)
			if v.Kind != doctree.Map {
				s.note(definition.Finding{Severity: definition.Unsupported, Do: "give the file by Options.Files",
					What:   "nothing of the section " + m.Name + " is there, as what it includes isn't: " + scalar(v),
					Origin: definition.Origin{Template: s.t.file, Line: m.Line}})
				v = &doctree.Node{Kind: doctree.Map, Line: m.Line}
			}
			m.Value = v
		}
		if !s.language {
			continue
		}
		v, err := s.expand(m.Value, nil)
		if err != nil {
			return fmt.Errorf("cloudformation: %s: %w", s.t.file, err)
		}
		m.Value = v
	}
	t := *s.t
	t.root = &root
	s.t = &t
	return nil
}

// evaluated are the sections with functions of the template language, and others those without.
var (
	evaluated = []string{"Resources", "Outputs", "Conditions", "Mappings"}
	others    = []string{"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Transform",
		"Globals", "Hooks"}
)

// checkSection reports a section that templates don't have, as the service refuses it. One that is
// likely Globals, misspelled, is an error: it may say who may call.
func (s *stack) checkSection(m *doctree.Member) error {
	switch {
	case slices.Contains(evaluated, m.Name), slices.Contains(others, m.Name):
	case strings.EqualFold(m.Name, "Globals"), alike(m.Name, "Globals"):
		return fmt.Errorf("cloudformation: %s:%d: there is no section %.60q; the nearest is \"Globals\"", s.t.file,
			m.Line, m.Name)
	default:
		s.note(definition.Finding{Severity: definition.Warning, Do: "correct the name, or take it out",
			What: fmt.Sprintf("a template has no section %.60q%s", m.Name, s.hint(m.Name,
				slices.Values(slices.Concat(evaluated, others)))),
			Origin: definition.Origin{Template: s.t.file, Line: m.Line}})
	}
	return nil
}

// loop is an identifier and its value in one round.
type loop struct {
	name, value string
	outer       *loop
}

// expand copies a tree with its loops expanded, and with their identifiers replaced.
func (s *stack) expand(n *doctree.Node, in *loop) (*doctree.Node, error) {
	s.steps++
	s.deep++
	defer func() { s.deep-- }()
	if s.steps > maxSteps || s.deep > maxDeep || s.tooLarge {
		s.tooLarge = true
		return nil, errTooLarge
	}
	switch n.Kind {
	case doctree.Text:
		if in != nil {
			return textNode(n.Line, s.replaced(n.Text, in)), nil
		}
	case doctree.List:
		out := &doctree.Node{Kind: doctree.List, Line: n.Line}
		for _, item := range n.Items {
			v, err := s.expand(item, in)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, v)
		}
		return out, nil
	case doctree.Map:
		if name := n.Get("Ref"); name != nil && len(n.Members) == 1 {
			for at := in; at != nil; at = at.outer {
				if at.name == name.Text {
					return textNode(n.Line, at.value), nil
				}
			}
		}
		out := &doctree.Node{Kind: doctree.Map, Line: n.Line}
		seen := map[string]bool{}
		for _, m := range n.Members {
			if err := s.expandMember(out, seen, m, in); err != nil {
				return nil, err
			}
		}
		if v := out.Get("Fn::Sub"); in != nil && len(out.Members) == 1 && isText(v) && !strings.Contains(v.Text, "${") {
			return v, nil // which SAM wants to be a text, as in a path
		}
		return out, nil
	}
	return n, nil
}

func (s *stack) expandMember(out *doctree.Node, seen map[string]bool, m doctree.Member, in *loop) error {
	if !strings.HasPrefix(m.Name, forEach) {
		v, err := s.expand(m.Value, in)
		if err != nil {
			return err
		}
		name := m.Name
		if in != nil {
			name = s.replaced(name, in)
		}
		if seen[name] {
			return fmt.Errorf("line %d: %.100q is there twice", m.Line, name)
		}
		seen[name] = true
		out.Members = append(out.Members, doctree.Member{Name: name, Line: m.Line, Value: v})
		return nil
	}
	v := m.Value
	if v.Kind != doctree.List || len(v.Items) != 3 || v.Items[0].Kind != doctree.Text ||
		v.Items[2].Kind != doctree.Map {
		return fmt.Errorf("line %d: %.100s: want an identifier, a collection and a map", m.Line, m.Name)
	}
	collection, err := s.expand(v.Items[1], in)
	if err != nil {
		return err
	}
	values := s.eval(collection)
	if s.tooLarge {
		return errTooLarge
	}
	if values == nil || values.Kind != doctree.List {
		return fmt.Errorf("line %d: %.100s: want a collection that is a list, and known", m.Line, m.Name)
	}
	for _, value := range values.Items {
		if _, unknown := definition.UnknownIn(value.Text); unknown || value.Kind == doctree.List ||
			value.Kind == doctree.Map {
			return fmt.Errorf("line %d: %.100s: want a collection of texts that are known", m.Line, m.Name)
		}
		round := &loop{name: v.Items[0].Text, value: value.Text, outer: in}
		for _, inner := range v.Items[2].Members {
			if err := s.expandMember(out, seen, inner, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaced is a text with ${Identifier}, and &{Identifier}, which takes letters and digits alone.
func (s *stack) replaced(text string, in *loop) string {
	if !strings.Contains(text, "{") {
		return text
	}
	for at := in; at != nil; at = at.outer {
		text = strings.ReplaceAll(text, "${"+at.name+"}", at.value)
		text = strings.ReplaceAll(text, "&{"+at.name+"}", strings.Map(alphanumeric, at.value))
		if s.textBytes += len(text); s.textBytes > maxTextBytes {
			s.tooLarge = true
			return ""
		}
	}
	return text
}

func alphanumeric(c rune) rune {
	if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
		return c
	}
	return -1
}
