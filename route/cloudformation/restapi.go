package cloudformation

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

const (
	typeRestAPI        = "AWS::ApiGateway::RestApi"
	typeResource       = "AWS::ApiGateway::Resource"
	typeRestModel      = "AWS::ApiGateway::Model"
	typeRestAuthorizer = "AWS::ApiGateway::Authorizer"
	typeRestValidator  = "AWS::ApiGateway::RequestValidator"
	typeRestStage      = "AWS::ApiGateway::Stage"
	typeRestPlan       = "AWS::ApiGateway::UsagePlan"
	typeRestKey        = "AWS::ApiGateway::ApiKey"
	typeRestLink       = "AWS::ApiGateway::VpcLink"
)

// newAPI begins an API.
func (b *builder) newAPI(r *resource, flavor string) *definition.API {
	r.stack.handOut(r, "RootResourceId", 0)
	id := scalar(r.stack.handOut(r, "", r.node.Line))
	a := &definition.API{ID: r.id, Flavor: flavor, APIID: id, Account: r.stack.account, Region: r.stack.region,
		Routes: map[string]*definition.Route{}, Stages: map[string]*definition.Stage{}, Origin: r.origin()}
	b.apis[r] = a
	b.doc.APIs = append(b.doc.APIs, a)
	return a
}

// restAPI is a REST API: what its body says, and what its properties say over it.
func (b *builder) restAPI(r *resource) {
	a := b.newAPI(r, definition.FlavorREST)
	if clone := r.text("CloneFrom"); clone != "" {
		r.note(definition.Unsupported, "give the API's resources, or its body",
			"%s is a copy of the API %.60q, which isn't followed", r.id, clone)
		a.RoutesUnknown = true
	}
	a.EndpointTypes = r.endpointTypes()
	a.VPCEndpoints = texts(r.get("EndpointConfiguration").Get("VpcEndpointIds"))
	b.readBody(a, r)
	b.restProperties(a, r)
}

// restProperties are the resource's own, which go before the body's, but for binary media types,
// which are added. Of a first import there is nothing else that its mode could merge.
func (b *builder) restProperties(a *definition.API, r *resource) {
	seen := map[string]bool{}
	for _, t := range a.BinaryMediaTypes {
		seen[t] = true
	}
	for _, t := range texts(r.get("BinaryMediaTypes")) {
		t = strings.ReplaceAll(t, "~1", "/") // as the property has a slash
		if !seen[t] {
			a.BinaryMediaTypes = append(a.BinaryMediaTypes, t)
		}
		seen[t] = true
	}
	if n := r.number(r.get("MinimumCompressionSize"), "MinimumCompressionSize"); n != nil && *n >= 0 {
		a.MinimumCompressionSize = n
	}
	a.APIKeySource = cmp.Or(capitals(r.text("ApiKeySourceType")), a.APIKeySource)
	if policy := r.get("Policy"); policy != nil && policy.Kind != doctree.Null {
		a.Policy = document(policy)
	}
	if types := r.endpointTypes(); types != nil {
		a.EndpointTypes = types
	}
	b.named(a, r)
	a.SecurityPolicy = cmp.Or(r.text("SecurityPolicy"), a.SecurityPolicy)
	a.EndpointAccessMode = cmp.Or(r.text("EndpointAccessMode"), a.EndpointAccessMode)
}

// named are the properties that APIs of all flavors have.
func (b *builder) named(a *definition.API, r *resource) {
	a.Name = cmp.Or(r.text("Name"), a.Name)
	a.Description = cmp.Or(r.text("Description"), a.Description)
	a.Version = cmp.Or(r.text("Version"), a.Version)
	if v := r.get("DisableExecuteApiEndpoint"); v != nil {
		a.DefaultEndpointDisabled = closed(v)
	}
	if r.misspelled("Policy", "EndpointConfiguration", "polic", "endpoint", "auth", "secur") {
		a.Policy = textNode(0, r.none("the policy")).AppendJSON(nil)
	}
}

// endpointTypes are those of an API or a domain name. What isn't as the service has it, such as
// {Type: PRIVATE}, isn't known, as it may mean a private one.
func (r *resource) endpointTypes() []string {
	n := r.get("EndpointConfiguration")
	if n == nil {
		return nil
	}
	types := n.Get("Types")
	all := texts(types)
	odd := n.Kind != doctree.Map || len(all) != len(items(types))
	for name := range n.Names() {
		odd = odd || name != "Types" && name != "VpcEndpointIds" && name != "IpAddressType"
	}
	if odd {
		r.note(definition.Unsupported, "write EndpointConfiguration: {Types: [REGIONAL]}",
			"%s refuses, as its EndpointConfiguration isn't understood", r.id)
		return []string{r.none("the EndpointConfiguration")}
	}
	return all
}

// document is a value that may be an object, or its JSON text.
func document(v *doctree.Node) json.RawMessage {
	if v.Kind == doctree.Text && json.Valid([]byte(v.Text)) {
		return json.RawMessage(v.Text)
	}
	return v.AppendJSON(nil)
}

// pathOf is the path of a REST resource: that of its parents, and its own part.
func (b *builder) pathOf(r *resource, id string) (path string, ok bool) {
	var parts []string
	for range maxDeep {
		of := b.handed[id]
		switch {
		case of != nil && of.kind == typeRestAPI:
			path := ""
			for k := len(parts) - 1; k >= 0; k-- {
				path += "/" + parts[k]
			}
			return cmp.Or(path, "/"), true
		case of != nil && of.kind == typeResource:
			part := of.text("PathPart")
			if part == "" {
				r.note(definition.Unsupported, "give it a PathPart",
					"%s is below the resource %s, which has no PathPart", r.id, of.id)
				return "", false
			}
			parts = append(parts, part)
			id = of.text("ParentId")
		default:
			r.note(definition.Unsupported, "read it together with the stack that has the resource",
				"%s is below the resource %.60q, which isn't in the import", r.id, id)
			return "", false
		}
	}
	r.note(definition.Unsupported, "correct the ParentId", "%s: its resource is its own parent", r.id)
	return "", false
}

// restResource makes the resource's ID known, by which methods name it.
func (b *builder) restResource(r *resource) { r.stack.handOut(r, "", r.node.Line) }

// restModel is a model of a REST API.
func (b *builder) restModel(r *resource) {
	if a := b.api(r, "RestApiId"); a != nil {
		b.model(a, r, r.name())
	}
}

func (b *builder) model(a *definition.API, r *resource, name string) {
	m := &definition.Model{ContentType: r.text("ContentType"), Description: r.text("Description"), Origin: r.origin()}
	if schema := r.get("Schema"); schema != nil && schema.Kind != doctree.Null {
		m.Schema = document(schema)
	}
	put(&a.Models, name, m)
}

// restValidator says what of requests is validated. What isn't known is.
func (b *builder) restValidator(r *resource) {
	a := b.api(r, "RestApiId")
	if a == nil {
		return
	}
	v := &definition.Validator{Body: closed(r.get("ValidateRequestBody")),
		Parameters: closed(r.get("ValidateRequestParameters")), Origin: r.origin()}
	r.stack.handOut(r, "", r.node.Line)
	b.validators[r] = v
	put(&a.Validators, cmp.Or(r.text("Name"), r.logical), v)
}

func (b *builder) gatewayResponse(r *resource) {
	if a := b.api(r, "RestApiId"); a != nil {
		put(&a.GatewayResponses, capitals(r.text("ResponseType")), &definition.GatewayResponse{
			Status: r.text("StatusCode"), Parameters: textMap(r.get("ResponseParameters")),
			Templates: textMap(r.get("ResponseTemplates")), Origin: r.origin()})
	}
}

// restAuthorizer is an authorizer of a REST API.
func (b *builder) restAuthorizer(r *resource) {
	a := b.api(r, "RestApiId")
	if a == nil {
		return
	}
	out := &definition.Authorizer{Type: capitals(r.text("Type")), Providers: texts(r.get("ProviderARNs")),
		IdentityValidation: r.text("IdentityValidationExpression"), Credentials: r.text("AuthorizerCredentials"),
		TTL: r.number(r.get("AuthorizerResultTtlInSeconds"), "AuthorizerResultTtlInSeconds"), Origin: r.origin()}
	for source := range strings.SplitSeq(r.text("IdentitySource"), ",") {
		if source = strings.TrimSpace(source); source != "" {
			out.IdentitySource = append(out.IdentitySource, source)
		}
	}
	for _, pool := range out.Providers {
		b.refer(pool)
	}
	b.authorizer(a, r, out, r.text("AuthorizerUri"))
}

// authorizer adds an authorizer under its name, or, where another has it, under its logical ID.
func (b *builder) authorizer(a *definition.API, r *resource, out *definition.Authorizer, uri string) {
	if out.Type == definition.TypeToken || out.Type == definition.TypeRequest || uri != "" {
		t := b.target(r, a.Flavor, "AWS_PROXY", uri, false)
		out.Target = &t
	}
	name := cmp.Or(r.text("Name"), r.logical)
	if a.Authorizers[name] != nil {
		name = r.id
	}
	r.stack.handOut(r, "", r.node.Line)
	b.authorizers[r], b.owners[r] = name, a
	put(&a.Authorizers, name, out)
}
