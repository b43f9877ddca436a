package cloudformation

import (
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
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
