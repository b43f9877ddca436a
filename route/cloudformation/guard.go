package cloudformation

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

const bodyAuth = "x-amazon-apigateway-auth"

// closeUnknown makes the operations of an OpenAPI document refuse whose security hangs on an
// unknown value. A reader of documents would find a text where a requirement or a scheme has to
// be, and pass over it: nothing would protect the operation.
func closeUnknown(body *doctree.Node) {
	all := unknownSecurity(body)
	for _, scheme := range slices.Concat(members(body.Get("securityDefinitions")),
		members(body.Get("components").Get("securitySchemes"))) {
		all = cmp.Or(all, unknownOf(scheme.Value))
		for _, m := range slices.Clone(members(scheme.Value)) {
			if why := unknownOf(m.Value); why != "" {
				all = cmp.Or(all, why)
				scheme.Value.Delete(m.Name)
			}
		}
	}
	for _, section := range []*doctree.Node{body.Get("securityDefinitions"), body.Get("components"),
		body.Get("components").Get("securitySchemes")} {
		all = cmp.Or(all, unknownOf(section))
	}
	for _, path := range members(body.Get("paths")) {
		for _, operation := range members(path.Value) {
			if operation.Value.Kind != doctree.Map {
				continue
			}
			why := cmp.Or(unknownSecurity(operation.Value), unknownOf(operation.Value.Get(bodyAuth)))
			if why = cmp.Or(why, all); why != "" {
				operation.Value.Set(bodyAuth, mapNode(operation.Line, "type", textNode(operation.Line, why)))
			}
		}
	}
}

// unknownSecurity is the unknown value in the place of a list of requirements, or of one of them,
// which is taken out.
func unknownSecurity(n *doctree.Node) string {
	list := n.Get("security")
	why := unknownOf(list)
	for _, item := range items(list) {
		why = cmp.Or(why, unknownOf(item))
	}
	if why != "" {
		n.Set("security", listNode(list.Line))
	}
	return why
}

// unknownOf is a scalar that is unknown, or "".
func unknownOf(n *doctree.Node) string {
	if _, unknown := definition.UnknownIn(scalar(n)); unknown {
		return scalar(n)
	}
	return ""
}

// misspelled reports whether the resource has a property that its type doesn't have, and that looks
// like one which protects something. The service refuses such a template; a route of it isn't to be
// open.
func (r *resource) misspelled(words ...string) bool {
	known := strings.Fields(r.rule.properties)
	for _, m := range members(r.properties) {
		name := strings.ToLower(m.Name)
		like := func(word string) bool { return strings.Contains(name, word) }
		if !slices.Contains(known, m.Name) && slices.ContainsFunc(words, like) {
			r.note(definition.Unsupported, "correct the name", "%s refuses, as its property %.100q isn't known", r.id,
				m.Name)
			return true
		}
	}
	return false
}
