package cloudformation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

// The extensions that SAM writes into bodies.
const (
	xIntegration       = "x-amazon-apigateway-integration"
	xAnyMethod         = "x-amazon-apigateway-any-method"
	xPolicy            = "x-amazon-apigateway-policy"
	xGatewayResponses  = "x-amazon-apigateway-gateway-responses"
	xBinaryMediaTypes  = "x-amazon-apigateway-binary-media-types"
	xRequestValidator  = "x-amazon-apigateway-request-validator"
	xRequestValidators = "x-amazon-apigateway-request-validators"
	xEndpoint          = "x-amazon-apigateway-endpoint-configuration"
	xCORS              = "x-amazon-apigateway-cors"
	xAuthorizer        = "x-amazon-apigateway-authorizer"
	xAuthType          = "x-amazon-apigateway-authtype"
)

const defaultPath = "$default"

// samBody edits the OpenAPI document of an API.
type samBody struct {
	s          *sam
	id         string // the API's
	doc, paths *doctree.Node
	statements map[string]bool // of the policy, as JSON
}

// body is the API's inline document if it is one that can be edited: it has paths and, unless only
// OpenAPI 3 will do, may be of version 2.
func (r *samResource) body(only3 bool) *samBody {
	doc := r.props.Get("DefinitionBody")
	if b := r.s.bodies[r.id]; b != nil && b.doc == doc {
		return b
	}
	if !isMap(doc) || !isMap(doc.Get("paths")) {
		return nil
	}
	three := truthy(doc.Get("openapi")) && openAPI3.MatchString(doc.Get("openapi").Text)
	if !three && (only3 || !truthy(doc.Get("swagger"))) {
		return nil
	}
	b := &samBody{s: r.s, id: r.id, doc: doc, paths: doc.Get("paths")}
	r.s.bodies[r.id] = b
	return b
}

// refuse blames what isn't as OpenAPI has it. The API is named with the place, although the
// service's own message names the place alone.
func (b *samBody) refuse(at *doctree.Node, format string, args ...any) error {
	return b.s.refuse(lineOf(at, b.doc.Line), "resource "+b.id, "DefinitionBody: "+format, args...)
}

// contents are what may stand in the place of a value: itself, or both sides of its Fn::If, of
// which "nothing" is left out.
func (b *samBody) contents(n *doctree.Node) ([]*doctree.Node, error) {
	if !isMap(n) || n.Get("Fn::If") == nil {
		return []*doctree.Node{n}, nil
	}
	branches := n.Get("Fn::If")
	if !isList(branches) {
		return nil, b.refuse(branches, "Fn::If: want a list")
	}
	return slices.DeleteFunc(slices.Clone(branches.Items[min(1, len(branches.Items)):]), noValue), nil
}

// items are the path items of a path.
func (b *samBody) items(path string) ([]*doctree.Node, error) {
	item := b.paths.Get(path)
	all, err := b.contents(item)
	if err != nil {
		return nil, err
	}
	for _, n := range all {
		if !isMap(n) {
			return nil, b.refuse(nodeOr(n, item), "paths.%s: want a map", path)
		}
	}
	return all, nil
}

func nodeOr(n, or *doctree.Node) *doctree.Node {
	if n != nil {
		return n
	}
	return or
}

// normalMethod is a method's name in a body.
func normalMethod(method string) string {
	if method = strings.ToLower(method); method == "any" {
		return xAnyMethod
	}
	return method
}

// add makes sure that there is a method, and returns the path items that have it.
func (b *samBody) add(path, method string, line int) ([]*doctree.Node, error) {
	if b.paths.Get(path) == nil {
		b.paths.Set(path, newMap(line))
	}
	items, err := b.items(path)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if item.Get(method) == nil {
			item.Set(method, newMap(line))
		}
	}
	return items, nil
}

// samMethod is the definition of a method: one of several, if there are conditions.
type samMethod struct {
	name string
	def  *doctree.Node
}

// methods are the definitions of a path's methods that have an integration; of one method, if one
// is named. Others are for the author to complete.
func (b *samBody) methods(path, only string) (all []samMethod, err error) {
	items, err := b.items(path)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		for _, m := range item.Members {
			name := normalMethod(m.Name)
			if m.Name == "Fn::Transform" || (only == "" || name == only) && m.Value.Get("Fn::Transform") != nil {
				return nil, b.refuse(m.Value, "paths.%s: what Fn::Transform puts there can't be given an authorization",
					path)
			}
			if only != "" && name != only || slices.Contains([]string{"summary", "description", "parameters"}, m.Name) {
				continue
			}
			definitions, err := b.contents(m.Value)
			if err != nil {
				return nil, err
			}
			for _, def := range definitions {
				if !isMap(def) {
					return nil, b.refuse(nodeOr(def, m.Value), "paths.%s.%s: want a map", path, m.Name)
				}
				if truthy(def.Get(xIntegration)) {
					all = append(all, samMethod{name, def})
				}
			}
		}
	}
	return all, nil
}

// integrated reports whether a method has an integration whatever the conditions.
func (b *samBody) integrated(path, method string) (bool, error) {
	if b.paths.Get(path) == nil {
		return false, nil
	}
	items, err := b.items(path)
	if err != nil {
		return false, err
	}
	for _, item := range items {
		definitions, err := b.contents(item.Get(method))
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(definitions, func(def *doctree.Node) bool {
			return isMap(def) && truthy(def.Get(xIntegration))
		}) {
			return false, nil
		}
	}
	return true, nil
}

// each calls f with the body's paths.
func (b *samBody) each(f func(path string) error) error {
	for _, m := range b.paths.Members {
		if err := f(m.Name); err != nil {
			return err
		}
	}
	return nil
}

// security is the list of a method, or an error if it is none.
func (b *samBody) security(path string, m samMethod) ([]*doctree.Node, error) {
	list := m.def.Get("security")
	if list == nil {
		return nil, nil
	}
	if !isList(list) {
		return nil, b.refuse(list, "paths.%s.%s.security: want a list", path, m.name)
	}
	return list.Items, nil
}

// requirements are the elements of a method's security, each a map.
func (b *samBody) requirements(path string, m samMethod) ([]*doctree.Node, error) {
	list, err := b.security(path, m)
	for _, n := range list {
		if !isMap(n) {
			return nil, b.refuse(n, "paths.%s.%s.security: want a list of maps, got %s in it", path, m.name, n.Kind)
		}
	}
	return list, err
}

// into is the map of that name in a map, made if there is none.
func into(n *doctree.Node, names ...string) (*doctree.Node, error) {
	for _, name := range names {
		next := n.Get(name)
		if isNull(next) {
			next = newMap(n.Line)
			n.Set(name, next)
		}
		if !isMap(next) {
			return nil, fmt.Errorf("%s: want a map, got %s", name, next.Kind)
		}
		n = next
	}
	return n, nil
}
