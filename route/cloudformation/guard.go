package cloudformation

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
	"github.com/gatekit-go/gatekit/route/definition"
)

const bodyAuth = "x-amazon-apigateway-auth"

// closeUnknown makes the operations of an OpenAPI document refuse whose security hangs on an
// unknown value. A reader of documents would find a text where a requirement or a scheme has to
// be, and pass over it: nothing would protect the operation. Paths and operations that are unknown
// as a whole are taken out, and lost is what the first hangs on.
func closeUnknown(body *doctree.Node) (lost string) {
	lost = dropUnknown(body)
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
	return lost
}

// dropUnknown takes out what can't be read as a route.
func dropUnknown(body *doctree.Node) (lost string) {
	paths := body.Get("paths")
	if lost = unknownOf(paths); lost != "" {
		body.Delete("paths")
		return lost
	}
	var kept []doctree.Member
	for _, path := range members(paths) {
		if why := unknownOf(path.Value); why != "" {
			lost = cmp.Or(lost, why)
			continue
		}
		kept = append(kept, path)
		for _, operation := range slices.Clone(members(path.Value)) {
			why := unknownOf(operation.Value.Get(xIntegration))
			if strings.Contains(operations, operation.Name) {
				why = cmp.Or(why, unknownOf(operation.Value))
			}
			if why != "" {
				lost = cmp.Or(lost, why)
				path.Value.Delete(operation.Name)
			}
		}
	}
	if lost != "" {
		body.Set("paths", &doctree.Node{Kind: doctree.Map, Line: paths.Line, Members: kept})
	}
	return lost
}

const operations = "delete get head options patch post put " + xAnyMethod

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

// protecting are names of what says who may call, and how often.
var protecting = regexp.MustCompile(`(?i)auth|polic|scope|key|secur|tls|truststore|endpoint|acl|throttl|quota|validat`)

// member evaluates a member of a map. A template has no null, and the service refuses one: where it
// stands for what protects something it isn't taken for nothing.
func (s *stack) member(m doctree.Member) *doctree.Node {
	if m.Value.Kind == doctree.Null && protecting.MatchString(m.Name) {
		return s.fault(m.Line, "%.100q has no value: give it one, or take it out", m.Name)
	}
	return s.eval(m.Value)
}

// misspelled reports whether the resource has a property that its type doesn't have, and that has
// one of the words in it, or looks like one of the properties among them, which protect something.
// The service refuses such a template; what it is about isn't to be open.
func (r *resource) misspelled(words ...string) bool {
	known := strings.Fields(r.rule.properties)
	like := func(name, word string) bool {
		lower := strings.ToLower(word)
		return lower == word && strings.Contains(name, word) || lower != word && alike(name, lower)
	}
	for _, m := range members(r.properties) {
		if slices.Contains(known, m.Name) {
			continue
		}
		name := strings.ToLower(m.Name)
		if strings.HasPrefix(m.Name, "Fn::") ||
			slices.ContainsFunc(words, func(word string) bool { return like(name, word) }) {
			r.note(definition.Unsupported, "correct the name", "%s refuses, as its property %.100q isn't known", r.id,
				m.Name)
			return true
		}
	}
	return false
}

// alike reports whether one name may be the other misspelled: of four letters one may be another,
// of more letters two.
func alike(a, b string) bool {
	most := min(2, len(b)/4)
	return len(a) <= len(b)+most && len(b) <= len(a)+most && nearest.Distance(a, b) <= most
}

// doubt is the unknown value on which it hangs whether the resource is there, or a stack that it is
// nested in.
func (r *resource) doubt() string {
	for ; r != nil; r = r.stack.of {
		if r.exists.unknown != "" {
			return r.exists.unknown
		}
	}
	return ""
}

// none is what stands for a value that is a mistake where one is needed. It refuses.
func (r *resource) none(what string) string { return definition.Unknown(what + " of " + r.id) }
