package cloudformation

import (
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

// rewrite has references to what SAM makes name it: "Api.Stage" in a Ref, a GetAtt or a text of
// Fn::Sub is the logical ID of the API's stage.
func (s *sam) rewrite(n *doctree.Node) {
	for _, item := range n.Items {
		s.rewrite(item)
	}
	for _, m := range n.Members {
		s.rewrite(m.Value)
	}
	if !intrinsic(n) {
		return
	}
	v := n.Members[0].Value
	switch n.Members[0].Name {
	case "Ref":
		if id, rest, ok := s.standsFor(textOf(v)); ok && rest == "" {
			n.Members[0].Value = textNode(v.Line, id)
		}
	case "Fn::GetAtt":
		s.rewriteGetAtt(n, v)
	case "Fn::Sub":
		if isText(v) {
			n.Members[0].Value = textNode(v.Line, s.rewriteSub(v.Text, nil))
		} else if isList(v) && len(v.Items) == 2 && isText(v.Items[0]) && isMap(v.Items[1]) {
			own := slices.Collect(v.Items[1].Names())
			items := slices.Clone(v.Items)
			items[0] = textNode(items[0].Line, s.rewriteSub(items[0].Text, own))
			n.Members[0].Value = listNode(v.Line, items...)
		}
	}
}

// standsFor takes "Api.Stage.Rest" apart: the logical ID of the first two, and the rest.
func (s *sam) standsFor(name string) (id, rest string, ok bool) {
	resource, property, found := strings.Cut(name, ".")
	if !found {
		return "", "", false
	}
	property, rest, _ = strings.Cut(property, ".")
	id, ok = s.refs[resource][property]
	return id, rest, ok
}

func (s *sam) rewriteGetAtt(n, v *doctree.Node) {
	name := textOf(v)
	if isList(v) {
		var parts []string
		for _, item := range v.Items {
			if !isText(item) {
				return
			}
			parts = append(parts, item.Text)
		}
		name = strings.Join(parts, ".")
	}
	if id, rest, ok := s.standsFor(name); ok && rest != "" {
		n.Members[0].Value = listNode(v.Line, textNode(v.Line, id), textNode(v.Line, rest))
	}
}

var subVariable = regexp.MustCompile(`\$\{[A-Za-z0-9_]+\.[A-Za-z0-9_.]+\}`)

func (s *sam) rewriteSub(text string, own []string) string {
	return subVariable.ReplaceAllStringFunc(text, func(variable string) string {
		name := variable[2 : len(variable)-1]
		id, rest, ok := s.standsFor(name)
		switch {
		case !ok || slices.Contains(own, name):
			return variable
		case rest == "":
			return "${" + id + "}"
		}
		return "${" + id + "." + rest + "}"
	})
}
