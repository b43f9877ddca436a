package tfplan

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxFollowed bounds how many references lead to a source one after the other, and maxSteps how
// many are followed in all.
const (
	maxFollowed = 20
	maxSteps    = 200_000
)

// Unknown is a value that is known after apply, within what [Resource.Value] returns.
type Unknown struct {
	expression any
	of         *Resource
}

// Attributes are the names of the resource's attributes, known or not, sorted.
func (r *Resource) Attributes() []string {
	all := map[string]any{}
	maps.Copy(all, r.Values)
	maps.Copy(all, r.unknown)
	return slices.Sorted(maps.Keys(all))
}

// Configured reports whether the configuration has an attribute, or a block that isn't dynamic; it
// is true where the configuration isn't known.
func (r *Resource) Configured(attribute string) bool {
	return r.config == nil || r.config.Expressions[attribute] != nil
}

// Value is an attribute's value, in which what isn't known is [*Unknown]. One that isn't known, and
// isn't configured, is the provider's to fill in: it is nil, unless it is one of blocks, which may
// be dynamic, and then aren't shown by a configuration. So are the attributes of blocks.
func (r *Resource) Value(attribute string, blocks map[string]bool) any {
	after, expression := r.unknown[attribute], any(nil)
	if r.config != nil {
		expression = r.config.Expressions[attribute]
	}
	if after == true && !blocks[attribute] && !r.Configured(attribute) {
		return nil
	}
	return r.merge(r.Values[attribute], after, expression, blocks)
}

func (r *Resource) merge(value, after, expression any, blocks map[string]bool) any {
	switch after := after.(type) {
	case bool:
		if after {
			return &Unknown{expression, r}
		}
	case map[string]any:
		all, of := map[string]any{}, Object(expression)
		maps.Copy(all, Object(value))
		for name, u := range after {
			inner := expression // of a map's value there is the whole map's
			if of["references"] == nil && of["constant_value"] == nil {
				inner = of[name]
			}
			if u == true && of != nil && inner == nil && !blocks[name] {
				continue
			}
			all[name] = r.merge(all[name], u, inner, blocks)
		}
		return all
	case []any:
		old, _ := value.([]any)
		all := slices.Clone(old)
		list, isList := expression.([]any)
		for i, u := range after {
			if i >= len(all) {
				all = append(all, nil)
			}
			inner := expression
			if isList { // of blocks, which a set has in another order
				if inner = nil; len(list) == 1 {
					inner = list[0]
				}
			}
			all[i] = r.merge(all[i], u, inner, blocks)
		}
		return all
	}
	return value
}

// Object is a value that is an object, or nil.
func Object(v any) map[string]any { m, _ := v.(map[string]any); return m }

var (
	// reference is a resource or an attribute of one.
	reference = regexp.MustCompile(`^([a-z0-9_]+\.[\pL\pN_-]+)(\[[^\]]*\])?(?:\.|$)`)
	// harmless references choose no resource.
	harmless = regexp.MustCompile(`^(data\.aws_(region|partition|caller_identity)\.|path\.|each\.key$|count\.index$)`)
)

// Source is the resource that the value comes from, as far as the configuration tells: it has
// references, and not what is made of them. So it is nil unless these are to one resource alone,
// be it through variables and outputs of modules, beside what chooses none: a root's variables, the
// region.
func (u *Unknown) Source() *Resource {
	r, _ := u.of.in.source(u.expression, u.of, 0)
	return r
}

// source is the one resource of an expression's references. It is false where one of these isn't
// followed, or there are two.
func (m *module) source(expression any, of *Resource, depth int) (only *Resource, ok bool) {
	list, _ := Object(expression)["references"].([]any)
	last := ""
	for _, item := range list {
		name, _ := item.(string)
		rest, said := strings.CutPrefix(last+".", name)
		if said && strings.HasPrefix(rest, ".") || said && strings.HasPrefix(rest, "[") || harmless.MatchString(name) {
			continue // what was said before, less exactly
		}
		last = name
		r, ok := m.referred(name, of, depth)
		if !ok || r != nil && only != nil && only != r {
			return nil, false
		}
		only = cmp.Or(r, only)
	}
	return only, true
}

// referred is what a reference within a module leads to, nil if that is no resource. of is the
// resource that has it, nil if that is of another module.
func (m *module) referred(name string, of *Resource, depth int) (r *Resource, ok bool) {
	if m.plan.steps++; depth > maxFollowed || m.plan.steps > maxSteps {
		return nil, false
	}
	first, rest, _ := strings.Cut(name, ".")
	second, third, _ := strings.Cut(rest, ".")
	switch {
	case first == "var" && m.parent == nil:
		return nil, true
	case first == "var":
		if m.call == nil {
			return nil, false
		}
		return m.parent.source(m.call.Expressions[second], nil, depth+1)
	case first == "module":
		output, _, _ := strings.Cut(third, ".")
		for _, child := range m.Children {
			if child != nil && child.config != nil && child.Address == m.below("module."+second) {
				return child.source(child.config.Outputs[output].Expression, nil, depth+1)
			}
		}
		return nil, false
	case first == "each" && second == "value" && of != nil && of.config != nil:
		return m.source(of.config.ForEach, of, depth+1)
	}
	part := reference.FindStringSubmatch(name)
	if part == nil {
		return nil, false
	}
	address := m.below(part[1])
	if r = m.plan.byAddress[address+part[2]]; r == nil && part[2] == "" && of != nil { // one for each of ours
		r = m.plan.byAddress[address+strings.TrimPrefix(of.Address, withoutIndex(of.Address))]
	}
	return r, r != nil
}
