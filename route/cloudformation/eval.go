package cloudformation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// eval is what a value of the template comes to: the same tree with its functions called. nil is
// AWS::NoValue, with which a list's element and a map's member vanish. A value that only a
// deployment knows is a text that has a mark ([definition.Unknown]) in its place, which goes where
// the text goes.
func (s *stack) eval(n *doctree.Node) *doctree.Node {
	if n == nil {
		return nil
	}
	s.steps++
	s.deep++
	defer func() { s.deep-- }()
	if s.steps > maxSteps || s.deep > maxDeep {
		s.tooLarge = true
	}
	if s.tooLarge {
		return textNode(n.Line, "")
	}
	switch n.Kind {
	case doctree.List:
		out := &doctree.Node{Kind: doctree.List, Line: n.Line, Items: make([]*doctree.Node, 0, len(n.Items))}
		for _, item := range n.Items {
			if v := s.eval(item); v != nil {
				out.Items = append(out.Items, v)
			}
		}
		return out
	case doctree.Map:
		if len(n.Members) == 1 {
			if v, called := s.call(n.Members[0].Name, n.Members[0].Value, n.Line); called {
				return v
			}
		}
		n = s.included(n)
		if n.Kind != doctree.Map {
			return n
		}
		out := &doctree.Node{Kind: doctree.Map, Line: n.Line, Members: make([]doctree.Member, 0, len(n.Members))}
		for _, m := range n.Members {
			if v := s.member(m); v != nil {
				out.Members = append(out.Members, doctree.Member{Name: m.Name, Line: m.Line, Value: v})
			}
		}
		return out
	case doctree.Text:
		if strings.Contains(n.Text, "{{resolve:") {
			return s.made(n.Line, n.Text)
		}
	}
	return n
}

// call calls an intrinsic function. It is false of what is none.
func (s *stack) call(name string, argument *doctree.Node, line int) (*doctree.Node, bool) {
	if name == "Ref" {
		if argument.Kind == doctree.Map && s.language {
			id, _ := s.word(argument, "Ref")
			return s.ref(id, line), true
		}
		if argument.Kind != doctree.Text && argument.Kind != doctree.Bool {
			return nil, false // a property that is called so
		}
		return s.ref(written(argument.Text, s.has), line), true
	}
	function, ok := strings.CutPrefix(name, "Fn::")
	if !ok {
		return nil, false
	}
	switch function {
	case "GetAtt":
		return s.getAtt(argument, line), true
	case "Sub":
		return s.sub(argument, line), true
	case "Join":
		return s.join(argument, line), true
	case "Select":
		return s.selected(argument, line), true
	case "Split":
		return s.split(argument, line), true
	case "If":
		return s.chosen(argument, line), true
	case "FindInMap":
		return s.findInMap(argument, line), true
	case "ImportValue":
		return s.importValue(argument, line), true
	case "Base64":
		return s.base64(argument, line), true
	case "Cidr":
		return s.cidr(argument, line), true
	case "GetAZs":
		return s.zones(argument, line), true
	case "ToJsonString":
		return s.toJSON(argument, line), true
	case "Length":
		return s.length(argument, line), true
	case "Transform":
		return nil, false // which may have siblings
	case "And", "Or", "Not", "Equals":
		if c := s.decide(mapNode(line, name, argument)); c.unknown != "" {
			return s.unknown(c.unknown, line), true
		} else {
			return &doctree.Node{Kind: doctree.Bool, Line: line, Text: fmt.Sprint(c.yes)}, true
		}
	}
	if strings.HasPrefix(function, "ForEach::") {
		return s.fault(line, "%s is for templates with the transform %s", name, transformLanguage), true
	}
	return s.fault(line, "the function %.60q isn't known", name), true
}

// fault reports what the service would refuse, and is an unknown value in its place.
func (s *stack) fault(line int, format string, args ...any) *doctree.Node {
	what := fmt.Sprintf(format, args...)
	f := definition.Finding{Severity: definition.Unsupported, What: what, Do: "correct the template",
		Origin: definition.Origin{Template: s.t.file, Line: line}}
	if len(s.at) > 0 {
		f.Origin.LogicalID = s.at[len(s.at)-1].id
	}
	s.note(f)
	return textNode(line, definition.Unknown(what))
}

// unknown is a value that only a deployment knows.
func (s *stack) unknown(name string, line int) *doctree.Node {
	if _, ok := s.unknowns[name]; !ok {
		o := definition.Origin{Template: s.t.file, Line: line}
		if len(s.at) > 0 {
			o.LogicalID = s.at[len(s.at)-1].id
		}
		s.unknowns[name] = o
	}
	return textNode(line, definition.Unknown(name))
}

// made is a text that evaluation has made, with its dynamic references resolved.
func (s *stack) made(line int, text string) *doctree.Node {
	if s.textBytes += len(text); s.textBytes > maxTextBytes {
		s.tooLarge = true
		return textNode(line, "")
	}
	const begin, end = "{{resolve:", "}}"
	if !strings.Contains(text, begin) {
		return textNode(line, text)
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, begin)
		b.WriteString(before)
		reference, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			b.WriteString(text[len(before):])
			return textNode(line, b.String())
		}
		value, found := "", false
		if s.o.Resolve != nil {
			value, found = s.o.Resolve(reference)
		}
		if !found {
			value = s.unknown(begin+reference+end, line).Text
		}
		b.WriteString(value)
		text = after
	}
}

// word is an argument that has to be a text. What is none is a fault, and false.
func (s *stack) word(n *doctree.Node, function string) (string, bool) {
	v := s.eval(n)
	if v == nil || v.Kind == doctree.List || v.Kind == doctree.Map {
		line := 0
		if n != nil {
			line = n.Line
		}
		s.fault(line, "%s: want a text", function)
		return definition.Unknown("what " + function + " was given"), false
	}
	return v.Text, true
}

// pseudo are the pseudo parameters. (User guide, "Pseudo parameters reference".)
func (s *stack) pseudo(name string, line int) (v *doctree.Node, ok bool) {
	text := ""
	switch name {
	case "AWS::NoValue":
		return nil, true
	case "AWS::NotificationARNs":
		return listNode(line), true
	case "AWS::AccountId":
		text = s.account
	case "AWS::Region":
		text = s.region
	case "AWS::Partition":
		text = partition(s.region)
	case "AWS::URLSuffix":
		text = suffix(s.region)
	case "AWS::StackName":
		text = s.name
	case "AWS::StackId":
		text = s.arn()
	default:
		return nil, false
	}
	return textNode(line, text), true
}

func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// ref is a pseudo parameter, a parameter, or what a resource's type gives.
func (s *stack) ref(name string, line int) *doctree.Node {
	if v, ok := s.pseudo(name, line); ok {
		return v
	}
	if s.t.root.Get("Parameters").Get(name) != nil {
		return s.parameter(name, line)
	}
	r := s.resources[name]
	if r == nil {
		return s.fault(line, "unresolved dependency: there is no resource or parameter %s%.100s%s", s.prefix, name,
			s.near(name))
	}
	if !r.lives() {
		return s.fault(line, "unresolved dependency: the condition of %s is false", r.id)
	}
	return s.handOut(r, "", line)
}

func (s *stack) near(name string) string {
	if strings.HasPrefix(name, "stageVariables") {
		return "; of a stage variable within Fn::Sub write ${!stageVariables.NAME}"
	}
	return s.hint(name, func(yield func(string) bool) {
		for _, r := range s.order {
			if !yield(r.logical) {
				return
			}
		}
	})
}

// getAtt is an attribute of a resource: ["A", "B.C"], or "A.B.C".
func (s *stack) getAtt(argument *doctree.Node, line int) *doctree.Node {
	id, attribute := "", ""
	switch {
	case argument.Kind == doctree.Text:
		id, attribute, _ = strings.Cut(argument.Text, ".")
	case argument.Kind == doctree.List && len(argument.Items) >= 2:
		id, _ = s.word(argument.Items[0], "Fn::GetAtt")
		for k, item := range argument.Items[1:] {
			if k > 0 {
				attribute += "."
			}
			part, _ := s.word(item, "Fn::GetAtt")
			attribute += part
		}
	}
	if id == "" || attribute == "" {
		return s.fault(line, "Fn::GetAtt: want a resource and an attribute")
	}
	return s.attributeOf(written(id, s.has), attribute, line)
}

// has reports whether the template has a resource or parameter of a name.
func (s *stack) has(name string) bool {
	return s.resources[name] != nil || s.t.root.Get("Parameters").Get(name) != nil
}

// truths are the words that YAML 1.1 reads as booleans.
var truths = map[string][]string{
	"true":  {"Yes", "yes", "YES", "On", "on", "ON", "True", "TRUE"},
	"false": {"No", "no", "NO", "Off", "off", "OFF", "False", "FALSE"},
}

// written is a name as it is written where it is a key. A key that is called Yes, No, On or Off
// keeps its text, and the same word in the place of a value, which names it, is a boolean. Of two
// keys that it may be it is neither.
func written(name string, has func(string) bool) string {
	words := truths[name]
	if words == nil || has(name) {
		return name
	}
	words = slices.DeleteFunc(slices.Clone(words), func(word string) bool { return !has(word) })
	if len(words) != 1 {
		return name
	}
	return words[0]
}

func (s *stack) attributeOf(id, attribute string, line int) *doctree.Node {
	r := s.resources[id]
	switch {
	case r == nil:
		return s.fault(line, "unresolved dependency: there is no resource %s%.100s%s", s.prefix, id, s.near(id))
	case !r.lives():
		return s.fault(line, "unresolved dependency: the condition of %s is false", r.id)
	}
	return s.handOut(r, attribute, line)
}
