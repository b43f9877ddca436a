package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// mappings checks that what a REST method's mappings read and write is declared, as the managed
// gateway does: it refuses the import, not the request.
func (r *reader) mappings(at place) {
	i := at.route.Integration
	if i == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(i.RequestParameters)) {
		if source := i.RequestParameters[name]; !declared(at.route, source) {
			r.undeclared(at, "integration", source)
		}
	}
	if strings.HasSuffix(i.Type, "_PROXY") {
		return // whose responses have no effect
	}
	for _, response := range i.Responses {
		for _, name := range slices.Sorted(maps.Keys(response.Parameters)) {
			if !declares(at.route.MethodResponses[response.Status], name) {
				r.undeclared(at, "integration response", name)
			}
		}
	}
}

func (r *reader) undeclared(at place, what, parameter string) {
	r.fail(at.op.get(integrationExtension), "%s: Invalid mapping expression specified: Validation Result: "+
		"warnings : [], errors : [Invalid mapping expression parameter specified: %s]", at.put(what), parameter)
}

// declared reports whether a mapping's source is no parameter of the method, or one that it
// declares.
func declared(route *definition.Route, source string) bool {
	rest, ok := strings.CutPrefix(source, "method.request.")
	place, name, ok2 := strings.Cut(rest, ".")
	switch place {
	case "multivalueheader":
		place = "header"
	case "multivaluequerystring":
		place = "querystring"
	case "header", "querystring", "path":
	default:
		return true // the body, which needs none
	}
	if !ok || !ok2 {
		return true
	}
	_, found := route.RequestParameters["method.request."+place+"."+name]
	if found || place != "header" {
		return found
	}
	for parameter := range route.RequestParameters {
		if strings.EqualFold(parameter, "method.request.header."+name) {
			return true
		}
	}
	return false
}

// declares reports whether a method response has the header that an integration response maps.
func declares(m *definition.MethodResponse, name string) bool {
	if m == nil {
		return false
	}
	for parameter := range m.Parameters {
		if strings.EqualFold(parameter, name) {
			return true
		}
	}
	return false
}
