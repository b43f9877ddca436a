package cloudformation

import (
	"regexp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

var statusCode = regexp.MustCompile(`^[0-9]{1,3}$`)

// addGatewayResponses writes GatewayResponses into the body.
func (r *samResource) addGatewayResponses() error {
	all := said(r.props, "GatewayResponses")
	if !truthy(all) {
		return nil
	}
	b := r.body(false)
	if b == nil {
		return r.refuse(all, "GatewayResponses works with an inline DefinitionBody that is an OpenAPI document")
	}
	target, err := into(b.doc, xGatewayResponses)
	if err != nil {
		return b.refuse(b.doc.Get(xGatewayResponses), "%v", err)
	}
	for _, m := range all.Members {
		response, err := r.gatewayResponse(m)
		if err != nil {
			return err
		}
		target.Set(m.Name, response)
	}
	return nil
}

func (r *samResource) gatewayResponse(m doctree.Member) (*doctree.Node, error) {
	at := "GatewayResponses." + m.Name
	if !isMap(m.Value) || intrinsic(m.Value) {
		return nil, r.refuse(m.Value, "%s: want a map that is no function of the template", at)
	}
	if err := r.known(at, m.Value, []string{"ResponseParameters", "ResponseTemplates", "StatusCode"}); err != nil {
		return nil, err
	}
	parameters := newMap(m.Line)
	given := said(m.Value, "ResponseParameters")
	if truthy(given) && !isMap(given) {
		return nil, r.refuse(given, "%s.ResponseParameters: want a map", at)
	}
	places := map[string]string{"Headers": "header.", "Paths": "path.", "QueryStrings": "querystring."}
	for name, list := range eachMember(nodeOr(given, parameters)) {
		place, known := places[name]
		if !known || !isNull(list) && !isMap(list) {
			return nil, r.refuse(given, "%s.ResponseParameters.%s: want a map Headers, Paths or QueryStrings", at, name)
		}
		for key, v := range eachMember(list) {
			parameters.Set("gatewayresponse."+place+key, v)
		}
	}
	response := newMap(m.Line, member("responseParameters", parameters))
	if templates := said(m.Value, "ResponseTemplates"); templates != nil {
		response.Set("responseTemplates", templates)
	}
	if status := said(m.Value, "StatusCode"); truthy(status) {
		if !statusCode.MatchString(status.Text) {
			return nil, r.refuse(status, "%s.StatusCode: want a number, got %q", at, status.Text)
		}
		response.Set("statusCode", textNode(status.Line, status.Text))
	}
	return response, nil
}

// addBinaryMediaTypes writes them into the body as well; a slash may be written ~1 in templates.
func (r *samResource) addBinaryMediaTypes(types *doctree.Node) {
	if b := r.body(false); b != nil && truthy(types) {
		b.doc.Set(xBinaryMediaTypes, slashes(r.s.copy(types)))
	}
}

func slashes(n *doctree.Node) *doctree.Node {
	n.Text = strings.ReplaceAll(n.Text, "~1", "/")
	for _, item := range n.Items {
		slashes(item)
	}
	for i := range n.Members {
		slashes(n.Members[i].Value)
	}
	return n
}

// addModels writes the API's Models into the body, in lower case.
func (r *samResource) addModels() error {
	models := said(r.props, "Models")
	if !truthy(models) {
		return nil
	}
	b := r.body(false)
	if b == nil {
		return r.refuse(models, "Models works with an inline DefinitionBody that is an OpenAPI document with paths")
	}
	all, err := into(b.doc, "definitions")
	if err != nil {
		return b.refuse(b.doc.Get("definitions"), "%v", err)
	}
	for name, schema := range eachMember(models) {
		if !isMap(schema) {
			return r.refuse(schema, "Models.%s: want a map", name)
		}
		if !truthy(schema.Get("type")) {
			return r.refuse(schema, "Models.%s: want a type", name)
		}
		all.Set(strings.ToLower(name), schema)
	}
	return nil
}

// disableEndpoint says that the API's own host name refuses: at the root of version 2, for each
// server of version 3.
func (b *samBody) disableEndpoint(value *doctree.Node) error {
	if b.doc.Get("openapi") == nil || !openAPI3.MatchString(b.doc.Get("openapi").Text) {
		endpoint, err := into(b.doc, xEndpoint)
		if err != nil {
			return b.refuse(b.doc.Get(xEndpoint), "%v", err)
		}
		endpoint.Set("disableExecuteApiEndpoint", value)
		return nil
	}
	servers := b.doc.Get("servers")
	if isNull(servers) {
		servers = listNode(value.Line, newMap(value.Line))
		b.doc.Set("servers", servers)
	}
	if !isList(servers) {
		return b.refuse(servers, "servers: want a list")
	}
	for i, server := range servers.Items {
		if !isMap(server) {
			return b.refuse(server, "servers[%d]: want a map", i)
		}
		endpoint, err := into(server, xEndpoint)
		if err != nil {
			return b.refuse(server.Get(xEndpoint), "servers[%d].%v", i, err)
		}
		endpoint.Set("disableExecuteApiEndpoint", value)
	}
	return nil
}

// readAs30 has a document of OpenAPI 3.1 read as one of 3.0. SAM makes no difference between them,
// and what the import does with the newer isn't known.
//
// A document that says it is of both versions is of the older, as it is to SAM.
func (b *samBody) readAs30() {
	version := b.doc.Get("openapi")
	if !isNull(version) && truthy(b.doc.Get("swagger")) {
		b.doc.Delete("openapi")
		b.s.note(definition.Finding{Severity: definition.Warning, API: b.id,
			What:   "the document has swagger and openapi: it is read as the former",
			Origin: definition.Origin{Template: b.s.from.file, LogicalID: b.id, Line: version.Line}})
		return
	}
	if isNull(version) || !openAPI3.MatchString(version.Text) || strings.HasPrefix(version.Text, "3.0") {
		return
	}
	b.doc.Set("openapi", textNode(version.Line, "3.0.1"))
	b.s.note(definition.Finding{Severity: definition.Warning, API: b.id,
		What:   "OpenAPI " + version.Text + " is read as 3.0, which is what the service documents",
		Origin: definition.Origin{Template: b.s.from.file, LogicalID: b.id, Line: version.Line}})
}

// toOpenAPI3 turns what SAM writes as version 2 into version 3, if the document is of that: its own
// schemes and schemas go where SAM has written some.
func (b *samBody) toOpenAPI3(version string) error {
	if truthy(b.doc.Get("swagger")) || !openAPI3.MatchString(version) {
		return nil
	}
	for _, move := range []struct{ from, to string }{
		{"securityDefinitions", "securitySchemes"}, {"definitions", "schemas"},
	} {
		v := b.doc.Get(move.from)
		if !truthy(v) {
			continue
		}
		components, err := into(b.doc, "components")
		if err != nil {
			return b.refuse(b.doc.Get("components"), "%v", err)
		}
		components.Set(move.to, v)
		b.doc.Delete(move.from)
	}
	return b.each(func(path string) error {
		items, err := b.items(path)
		if err != nil {
			return err
		}
		for _, item := range items {
			options := item.Get("options")
			if !truthy(options) {
				continue
			}
			if !isMap(options) {
				return b.refuse(options, "paths.%s.options: want a map", path)
			}
			options.Delete("produces")
			options.Delete("consumes")
			headers := said(said(said(options, "responses"), "200"), "headers")
			for name, header := range eachMember(nodeOr(headers, item)) {
				if headers != nil && isMap(header) && header.Get("schema") == nil {
					headers.Set(name, newMap(header.Line, member("schema", header)))
				}
			}
		}
		return nil
	})
}
