package cloudformation

import (
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// truth is what a condition comes to: yes, no, or a value that only a deployment knows.
type truth struct {
	yes      bool
	unknown  string
	deciding bool
}

// condition decides one of the template's conditions.
func (s *stack) condition(name string, line int) *truth {
	name = written(name, func(word string) bool { return s.t.root.Get("Conditions").Get(word) != nil })
	if c := s.conditions[name]; c != nil {
		if c.deciding {
			s.fault(line, "circular dependency: the condition %s%s refers to itself", s.prefix, name)
			return &truth{unknown: "condition " + s.prefix + name}
		}
		return c
	}
	c := &truth{deciding: true}
	s.conditions[name] = c
	if yes, ok := s.o.Conditions[s.prefix+name]; ok {
		*c = truth{yes: yes}
		return c
	}
	from := s.t.root.Get("Conditions").Get(name)
	if from == nil {
		s.fault(line, "there is no condition %s%.100s", s.prefix, name)
		*c = truth{unknown: "condition " + s.prefix + name}
		return c
	}
	decided := s.decide(from)
	if decided.unknown != "" {
		decided.unknown = "condition " + s.prefix + name
		s.unknown(decided.unknown, from.Line)
	}
	*c = decided
	return c
}

// decide evaluates a condition's tree.
func (s *stack) decide(n *doctree.Node) truth {
	s.steps++
	s.deep++
	defer func() { s.deep-- }()
	if s.steps > maxSteps || s.deep > maxDeep {
		s.tooLarge = true
	}
	switch {
	case s.tooLarge:
		return truth{unknown: "a condition that is too large"}
	case n == nil:
	case n.Kind == doctree.Bool || n.Kind == doctree.Text:
		switch strings.ToLower(n.Text) {
		case "true", "false":
			return truth{yes: strings.EqualFold(n.Text, "true")}
		}
	case n.Kind == doctree.Map && len(n.Members) == 1:
		argument := n.Members[0].Value
		switch n.Members[0].Name {
		case "Condition":
			return s.named(argument)
		case "Fn::Equals":
			return s.equals(argument, n.Line)
		case "Fn::Not":
			if argument.Kind == doctree.List && len(argument.Items) == 1 {
				c := s.decide(argument.Items[0])
				return truth{yes: !c.yes && c.unknown == "", unknown: c.unknown}
			}
		case "Fn::And":
			return s.all(argument, n.Line, true)
		case "Fn::Or":
			return s.all(argument, n.Line, false)
		default:
			v := s.eval(n)
			if name, unknown := definition.UnknownIn(scalar(v)); unknown {
				return truth{unknown: name}
			}
			if text := strings.ToLower(scalar(v)); text == "true" || text == "false" {
				return truth{yes: text == "true"}
			}
		}
	}
	line := 0
	if n != nil {
		line = n.Line
	}
	s.fault(line, "want a condition: Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition")
	return truth{unknown: "a condition that is none"}
}

// named decides what {"Condition": …} and Fn::If have: a condition's name, which the language's
// extensions let be made up, or a condition in its place.
func (s *stack) named(n *doctree.Node) truth {
	if n.Kind == doctree.Map && len(n.Members) == 1 {
		switch n.Members[0].Name {
		case "Condition", "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals":
			return s.decide(n)
		}
	}
	name, _ := s.word(n, "Condition")
	if unknown, ok := definition.UnknownIn(name); ok {
		return truth{unknown: unknown}
	}
	return *s.condition(name, n.Line)
}

// all is Fn::And, or with stop turned Fn::Or: one that is decided against it decides it, whatever
// is unknown of the others.
func (s *stack) all(argument *doctree.Node, line int, and bool) truth {
	if argument.Kind != doctree.List || len(argument.Items) == 0 {
		s.fault(line, "want a list of conditions")
		return truth{unknown: "a condition that is none"}
	}
	out := truth{yes: and}
	for _, item := range argument.Items {
		switch c := s.decide(item); {
		case c.unknown != "":
			if out.unknown == "" {
				out.unknown = c.unknown
			}
		case c.yes != and:
			return truth{yes: !and}
		}
	}
	return out
}

func (s *stack) equals(argument *doctree.Node, line int) truth {
	if argument.Kind != doctree.List || len(argument.Items) != 2 {
		s.fault(line, "Fn::Equals: want two values")
		return truth{unknown: "a condition that is none"}
	}
	a, b := s.compared(argument.Items[0]), s.compared(argument.Items[1])
	if a == b {
		return truth{yes: true}
	}
	for _, text := range []string{a, b} {
		if name, unknown := definition.UnknownIn(text); unknown {
			return truth{unknown: name}
		}
	}
	return truth{}
}

// compared is a value as Fn::Equals compares it: true and "true" are one.
func (s *stack) compared(n *doctree.Node) string {
	v := s.eval(n)
	if v == nil {
		return ""
	}
	if v.Kind == doctree.List || v.Kind == doctree.Map {
		return string(v.AppendJSON(nil))
	}
	return v.Text
}
