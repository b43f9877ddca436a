package cloudformation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// parameter is the value of one of the template's parameters: given, or by default. One that has
// neither is unknown.
func (s *stack) parameter(name string, line int) *doctree.Node {
	if v, ok := s.parameters[name]; ok {
		return v
	}
	from := s.t.root.Get("Parameters").Get(name)
	kind := scalar(from.Get("Type"))
	stored := strings.HasPrefix(kind, "AWS::SSM::Parameter::Value<")
	v := s.givenParameter(name)
	full := "parameter " + s.prefix + name
	switch fallback := from.Get("Default"); {
	case v != nil:
		if truthOf(from.Get("NoEcho")) && len(scalar(v)) >= 4 {
			s.secrets = append(s.secrets, scalar(v))
		}
	case fallback != nil && fallback.Kind != doctree.Null && !stored:
		v = fallback
	case stored: // whose default is a name, and no value
		v = s.unknown(full, line)
	default:
		v = s.unknown(full, line)
		s.missing[full] = true
	}
	if v.Kind == doctree.Text || v.Kind == doctree.Number {
		if _, unknown := definition.UnknownIn(v.Text); !unknown && listed(kind) {
			list := &doctree.Node{Kind: doctree.List, Line: v.Line}
			for part := range strings.SplitSeq(v.Text, ",") {
				list.Items = append(list.Items, textNode(v.Line, strings.TrimSpace(part)))
			}
			v = list
		}
	}
	s.parameters[name] = v
	return v
}

// listed reports whether a parameter of the type is a list.
func listed(kind string) bool {
	kind = strings.TrimSuffix(strings.TrimPrefix(kind, "AWS::SSM::Parameter::Value<"), ">")
	return kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<")
}

// givenParameter is what a parameter was given: by the parent, or by the options.
func (s *stack) givenParameter(name string) *doctree.Node {
	if s.level > 0 {
		return s.of.parameterFor(name)
	}
	for _, key := range []string{s.name + "." + name, name} {
		if text, ok := s.o.Parameters[key]; ok {
			return textNode(0, text)
		}
	}
	return s.t.given[name]
}

// withoutUse finds values of the options that no template has a parameter for: a name that is
// mistyped leaves another without its value, or with its default.
func (i *importer) withoutUse() (all []definition.Finding) {
	var known []string
	var origin definition.Origin
	for _, s := range i.stacks {
		if s.level > 0 {
			continue // the stack that it is in gives those
		}
		origin.Template = cmp.Or(origin.Template, s.t.file) // the first one's, as it is in none
		for _, m := range members(s.t.root.Get("Parameters")) {
			known = append(known, m.Name, s.name+"."+m.Name)
		}
	}
	for _, key := range sorted(i.o.Parameters) {
		if !slices.Contains(known, key) {
			what := fmt.Sprintf("Options.Parameters[%q] is for no parameter of a template%s",
				key, nearest.Hint(key, slices.Values(known)))
			all = append(all, definition.Finding{Severity: definition.UnusedBinding, Origin: origin, What: what})
		}
	}
	return all
}
