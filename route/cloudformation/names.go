package cloudformation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// checkNames reports properties that their type doesn't have: what is misspelled would be left out
// in silence, and may be what protects a route.
func (r *resource) checkNames() {
	if meant := r.stack.typeMeant(r); meant != "" {
		r.refuse(fmt.Errorf("line %d: there are no resources of the type %q; the nearest is %q", r.node.Line, r.kind,
			meant))
	}
	if !strings.Contains(r.kind, "::") {
		r.note(definition.Warning, "correct the Type", "%s has the type %.100q, which is none%s", r.id, r.kind,
			r.stack.hint(r.kind, typeNames))
	}
	r.checkMembers(r.kind, r.rule.properties, members(r.properties))
	for _, m := range members(r.properties) {
		properties := nested[r.kind+"."+m.Name]
		if m.Name == "EndpointConfiguration" || m.Name == "MutualTlsAuthentication" || m.Name == "MethodSettings" {
			properties = nested[m.Name]
		}
		if m.Value.Kind == doctree.Map {
			r.checkMembers(r.kind+"."+m.Name, properties, members(m.Value))
		}
		for _, item := range m.Value.Items {
			r.checkMembers(r.kind+"."+m.Name, properties, members(item))
		}
	}
}

// typeMeant is the type whose name that of a resource, which isn't known, is misspelled, if it is
// one that is built. What it protects isn't there, and others would answer in its place.
func (i *importer) typeMeant(r *resource) string {
	if !strings.HasSuffix(r.rule.name, "*") {
		return ""
	}
	meant, ok := i.meant[r.kind]
	if !ok && len(i.meant) < maxMeant {
		for _, one := range rules {
			if one.treatment == Built && (strings.EqualFold(one.name, r.kind) || alike(r.kind, one.name)) {
				meant = one.name
			}
		}
		i.meant[r.kind] = meant
	}
	return meant
}

func typeNames(yield func(string) bool) {
	for _, r := range rules {
		if !strings.HasSuffix(r.name, "*") && !yield(r.name) {
			return
		}
	}
}

// checkMembers reports members of a map that aren't among its type's properties.
func (r *resource) checkMembers(kind, properties string, all []doctree.Member) {
	if properties == "" {
		return
	}
	known := strings.Fields(properties)
	for _, m := range all {
		if slices.Contains(known, m.Name) || m.Name == "Ref" || strings.HasPrefix(m.Name, "Fn::") {
			continue
		}
		r.stack.note(definition.Finding{Severity: definition.Warning, Do: "correct the name, or take it out",
			What: fmt.Sprintf("%s: %s has no property %.100q%s", r.id, kind, m.Name,
				r.stack.hint(m.Name, slices.Values(known))),
			Origin: definition.Origin{Template: r.stack.t.file, LogicalID: r.id, Line: m.Line}})
	}
}
