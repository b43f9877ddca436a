package openapi

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/routetree"
	"github.com/gatekit-go/gatekit/route/definition"
)

const (
	anyMethod    = "x-amazon-apigateway-any-method"
	defaultRoute = "$default"
)

// methods are the members of a path item that are operations.
var methods = map[string]string{
	"delete": "DELETE", "get": "GET", "head": "HEAD", "options": "OPTIONS", "patch": "PATCH", "post": "POST",
	"put": "PUT", anyMethod: "ANY",
}

// beside are the other members of a path item, none of which has an effect but parameters.
var beside = map[string]bool{"$ref": true, "summary": true, "description": true, "servers": true, "parameters": true}

func (r *reader) paths() {
	paths := r.root.get("paths")
	if paths.given() && !paths.is(doctree.Map) {
		r.fail(paths, "Parse issue: attribute paths is not of type `object`")
	}
	for path, item := range paths.members() {
		if strings.HasPrefix(path, "x-") {
			r.note(definition.Ignored, item, path, "", "an extension among the paths has no effect")
			continue
		}
		if item = r.object(item, path); !item.is(doctree.Map) {
			continue
		}
		path, isDefault := r.path(item, path)
		for name, operation := range item.members() {
			method, known := methods[name]
			switch {
			case known:
				r.operation(method, path, isDefault, item, operation)
			case !beside[name]:
				r.unknownMember(path, name, operation)
			}
		}
	}
}

// path returns the resource of a path, with the base path in front, or that it is $default.
func (r *reader) path(item value, path string) (resource string, isDefault bool) {
	if !r.rest && (path == defaultRoute || path == "/"+defaultRoute) {
		if path == defaultRoute {
			r.warn(item, defaultRoute, "Parse issue: attribute paths. Resource %s should start with /", path)
		}
		return path, true
	}
	if !strings.HasPrefix(path, "/") {
		r.warn(item, path, "Parse issue: attribute paths. Resource %s should start with /", path)
		path = "/" + path
	}
	path = r.base + path
	if len(path) > 1 && strings.HasSuffix(path, "/") {
		path = strings.TrimSuffix(path, "/") // /pets/ and /pets are one resource
	}
	if r.rest {
		r.resource(item, path)
	} else if _, err := routetree.ParseKey("ANY " + path); err != nil {
		r.fail(item, "Unable to create route at path '%s': %v", path, err)
	}
	return path, false
}

// resource makes a path's resources, which are a tree: siblings may have one variable among them.
func (r *reader) resource(item value, path string) {
	if _, err := routetree.ParseKey("ANY " + path); err != nil {
		if oddVariable.MatchString(path) {
			r.note(definition.Unsupported, item, path, "write {name}, or {name+} for the rest of the path",
				"the path %.200s has a variable that no request can fill, and refuses", path)
			return
		}
		r.fail(item, "Unable to create resource at path '%s': %v", path, err)
		return
	}
	parent := ""
	for segment := range strings.SplitSeq(path[1:], "/") {
		if strings.HasPrefix(segment, "{") {
			if sibling, taken := r.children[parent]; taken && sibling != segment {
				r.fail(item, "Unable to create resource at path '%s': A sibling (%s) of this resource already has "+
					"a variable path part -- only one is allowed", path, sibling)
				return
			}
			r.children[parent] = segment
		}
		parent += "/" + segment
	}
}

// oddVariable is a path like /{proxy++}, which is seen in templates: a whole segment that is a
// variable, but for its name's form.
var oddVariable = regexp.MustCompile(`^(/[^/{}]+|/\{[0-9A-Za-z.:_-]+\})*/\{[0-9A-Za-z.:_-]+\+\++\}$`)

func (r *reader) unknownMember(path, name string, v value) {
	switch {
	case name == "trace":
		r.note(definition.Warning, v, "TRACE "+path, "", "no API has the method TRACE: the route isn't made")
	case ofTheGateway(name):
		r.extension(v, name, path, pathExtensions)
	case strings.HasPrefix(name, "x-"): // anybody's
	case meansSecurity(name):
		r.misspelledSecurity(v, name)
	case v.get("security").given() || v.get(prefix+"integration").given():
		// An operation that is lost, whose requests would come to another.
		r.fail(v, "Parse issue: attribute paths.'%s'.%.100s is unexpected: it is no method%s", path, name,
			hint(r, name, methods))
	default:
		r.note(definition.Warning, v, path, "", "%.100q is no method, and has no effect%s", name,
			hint(r, name, methods))
	}
}

// object is a path item or an operation, references followed; nil if there is none to be made a
// route of.
func (r *reader) object(v value, route string) value {
	if v.Node != nil && !v.given() {
		r.note(definition.Warning, v, route, "", "there is nothing: no route is made of it")
		return value{at: v.at}
	}
	found := r.reference(v)
	if found.Node != nil && !found.is(doctree.Map) {
		r.fail(v, "Parse issue: attribute paths.'%.100s' is not of type `object`", route)
	}
	return found
}

// operation reads one operation, and adds its route if one is made of it.
func (r *reader) operation(method, path string, isDefault bool, item, op value) {
	key := method + " " + path
	if op = r.object(op, key); !op.is(doctree.Map) {
		return
	}
	switch {
	case !r.rest && method == "ANY" && (isDefault || r.truth(op.get("isDefaultRoute"))):
		key = defaultRoute
	case isDefault:
		r.note(definition.Warning, op, key, "use x-amazon-apigateway-any-method",
			"the default route is one for all methods: the route isn't made")
		return
	}
	r.known(op, &operationMembers, key)
	route := &definition.Route{Operation: op.get("operationId").text(), Origin: r.origin(op)}
	at := place{key: key, method: method, path: path, route: route, op: op}
	r.security(at)
	if r.rest {
		r.parameters(at, item)
		r.methodResponses(at)
		route.Validator = r.validatorOf(at)
	}
	if !r.integration(at) && !r.rest {
		return
	}
	if r.rest {
		r.mappings(at)
	}
	if r.made[key] {
		r.fail(op, "Unable to create '%s' for resource at path '%s': it is there twice", method, path)
	}
	r.made[key] = true
	r.api.Routes[key] = route
}

// place is an operation, as messages name it.
type place struct {
	key, method, path string
	route             *definition.Route
	op                value
}

// put is how the import's errors about a part of a method begin.
func (p place) put(what string) string {
	return fmt.Sprintf("Unable to put %s on '%s' for resource at path '%s'", what, p.method, p.path)
}
