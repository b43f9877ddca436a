package functions

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// connectionsURL is the variable by which AWS SDKs find the API that sends to connections. (SDKs
// and tools reference guide, "Service-specific endpoints".)
const connectionsURL = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"

// apis are the addresses of a document's APIs.
type apis struct {
	replacer    *strings.Replacer
	connections map[string]string // by function; "" of any
	called      map[string]bool   // functions that routes and authorizers call
}

func addresses(doc *definition.Document, served map[string]string) *apis {
	at := &apis{connections: map[string]string{}, called: map[string]bool{}}
	var pairs []string
	for _, api := range doc.APIs {
		at.call(api)
		url := strings.TrimSuffix(served[api.ID], "/")
		if url == "" {
			continue
		}
		host := api.Identifier() + ".execute-api." + cmp.Or(api.Region, definition.DefaultRegion) + ".amazonaws.com"
		scheme, address, _ := strings.Cut(url, "://")
		socket := strings.Replace(scheme, "http", "ws", 1) + "://" + address
		pairs = append(pairs, "https://"+host, url, "wss://"+host, socket, host, address)
		if api.Flavor != definition.FlavorWebSocket || len(api.Stages) == 0 {
			continue
		}
		connections := url + "/" + slices.Sorted(maps.Keys(api.Stages))[0]
		at.connections[""] = cmp.Or(at.connections[""], connections)
		for _, r := range api.Routes {
			if r != nil && r.Integration != nil && r.Integration.Target.Function != "" {
				at.connections[r.Integration.Target.Function] = connections
			}
		}
	}
	at.replacer = strings.NewReplacer(pairs...)
	return at
}

// call notes which functions an API calls.
func (at *apis) call(api *definition.API) {
	for _, r := range api.Routes {
		if r != nil && r.Integration != nil {
			at.called[r.Integration.Target.Function] = true
		}
	}
	for _, a := range api.Authorizers {
		if a != nil && a.Target != nil {
			at.called[a.Target.Function] = true
		}
	}
}

// severity is that of a function that isn't run.
func (at *apis) severity(id string) definition.Severity {
	if at.called[id] {
		return definition.Unbound
	}
	return definition.Warning
}

// environment are the function's variables, without what isn't known.
func (f *Functions) environment(id string, r *definition.Resource, at *apis) map[string]string {
	variables := maps.Clone(r.Environment)
	if variables == nil {
		variables = map[string]string{}
	}
	for name, value := range variables {
		if what, unknown := definition.UnknownIn(value); unknown {
			delete(variables, name)
			f.findings = append(f.findings, definition.Finding{Severity: definition.Warning, Origin: r.Origin,
				What: fmt.Sprintf("the function %s runs without the variable %s: %s isn't known", id, name, what)})
		}
	}
	for name, value := range variables {
		variables[name] = at.replacer.Replace(value)
	}
	if url := cmp.Or(at.connections[id], at.connections[""]); url != "" && variables[connectionsURL] == "" {
		variables[connectionsURL] = url
	}
	if f.config.Environment != nil {
		f.config.Environment(id, variables)
	}
	return variables
}
