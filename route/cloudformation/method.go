package cloudformation

import (
	"cmp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// restMethod is a method of a REST API. What a body says of the same method it replaces.
func (b *builder) restMethod(r *resource) {
	a, of := b.apiAt(r, r.text("RestApiId"))
	if a == nil {
		return
	}
	path, ok := b.pathOf(r, r.text("ResourceId"))
	if !ok { // it stays, so that no other route answers in its place, if it isn't open
		path = "/" + definition.Unknown("the path of "+r.id)
	}
	if root := b.rootOf(r.text("ResourceId")); root != nil && root != of {
		r.note(definition.Unsupported, "correct RestApiId or ResourceId", "%s: its resource is of another API, %s",
			r.id, root.id)
		return
	}
	method := capitals(r.text("HttpMethod"))
	route := &definition.Route{APIKeyRequired: closed(r.get("ApiKeyRequired")), Operation: r.text("OperationName"),
		ResourceID: r.text("ResourceId"), RequestParameters: flags(r.get("RequestParameters")),
		RequestModels: textMap(r.get("RequestModels")), Origin: r.origin()}
	route.Auth = b.auth(a, r)
	if id := r.text("RequestValidatorId"); id != "" {
		if v := b.validators[b.find(id, typeRestValidator)]; v != nil {
			route.Validator = v
		} else { // what it says isn't known, so that all is validated
			route.Validator = &definition.Validator{Body: true, Parameters: true, Origin: r.origin()}
			r.note(definition.Differs, "add the validator", "%s: its request validator isn't in the import; "+
				"body and parameters are validated", r.id)
		}
	}
	for _, response := range items(r.get("MethodResponses")) {
		put(&route.MethodResponses, cmp.Or(scalar(response.Get("StatusCode")), "200"), &definition.MethodResponse{
			Parameters: flags(response.Get("ResponseParameters")), Models: textMap(response.Get("ResponseModels"))})
	}
	if i := r.get("Integration"); i != nil && i.Kind == doctree.Map {
		route.Integration = b.restIntegration(r, i)
	} else {
		r.note(definition.Unsupported, "give it an integration",
			"%s has no integration: the managed gateway refuses to deploy it, and here it answers 500", r.id)
	}
	key := method + " " + path
	if was := a.Routes[key]; was != nil && was.Origin.Path == "" {
		r.note(definition.Warning, "take one out", "%s: the API %s has another method %s", r.id, a.ID, key)
	}
	a.Routes[key] = route
}

// rootOf is the API whose resource tree an ID is in.
func (b *builder) rootOf(id string) *resource {
	for range maxDeep {
		switch of := b.handed[id]; {
		case of == nil:
			return nil
		case of.kind == typeRestAPI:
			return of
		case of.kind != typeResource:
			return nil
		default:
			id = of.text("ParentId")
		}
	}
	return nil
}

// flags are booleans by name, which may be texts. What isn't known is required.
func flags(n *doctree.Node) map[string]bool {
	var all map[string]bool
	for _, m := range members(n) {
		v := m.Value
		if required := v.Get("Required"); required != nil { // of a WebSocket route
			v = required
		}
		put(&all, m.Name, closed(v))
	}
	return all
}

// auth is who may call a method or route. What isn't known stays in the document, and refuses.
func (b *builder) auth(a *definition.API, r *resource) definition.Auth {
	if r.misspelled("auth", "scope", "key") || compound(r.get("AuthorizationType")) {
		return definition.Auth{Type: "misspelled"} // which nothing can decide
	}
	out := definition.Auth{Type: cmp.Or(capitals(r.text("AuthorizationType")), definition.AuthNone),
		Scopes: texts(r.get("AuthorizationScopes"))}
	id := r.text("AuthorizerId")
	if id == "" {
		return out
	}
	of := b.find(id, typeRestAuthorizer, typeV2Authorizer)
	name, known := b.authorizers[of]
	if out.Type != definition.AuthNone && out.Type != definition.AuthIAM || r.get("AuthorizationType") == nil {
		out.Authorizer = cmp.Or(name, id)
		if !known {
			r.note(definition.Unsupported, "add the authorizer", "%s: its authorizer isn't in the import", r.id)
		}
	}
	if r.get("AuthorizationType") == nil && known {
		// The managed gateway would leave it open. Whoever names an authorizer doesn't mean that.
		out.Type = definition.AuthCustom
		switch t := a.Authorizers[name]; {
		case t == nil:
		case t.Type == definition.TypeCognito || t.Type == definition.TypeJWT:
			out.Type = map[string]string{definition.TypeCognito: definition.AuthCognito,
				definition.TypeJWT: definition.AuthJWT}[t.Type]
		}
		r.note(definition.Differs, "write the AuthorizationType",
			"%s names an authorizer and no AuthorizationType: the authorizer is asked", r.id)
	}
	return out
}

// restIntegration is the integration of a REST method.
func (b *builder) restIntegration(r *resource, n *doctree.Node) *definition.Integration {
	i := &definition.Integration{Type: capitals(scalar(n.Get("Type"))),
		Credentials:     scalar(n.Get("Credentials")),
		Passthrough:     cmp.Or(upper(n, "PassthroughBehavior"), "WHEN_NO_MATCH"),
		ContentHandling: upper(n, "ContentHandling"), CacheKeys: texts(n.Get("CacheKeyParameters")),
		CacheNamespace: scalar(n.Get("CacheNamespace")), RequestParameters: textMap(n.Get("RequestParameters")),
		RequestTemplates: textMap(n.Get("RequestTemplates")), Transfer: upper(n, "ResponseTransferMode"),
		Method: upper(n, "IntegrationHttpMethod"), Origin: r.within(n, "/Integration")}
	private := b.connection(i, n)
	i.Target = b.target(r, definition.FlavorREST, i.Type, scalar(n.Get("Uri")), private)
	if at := scalar(n.Get("IntegrationTarget")); private && at != "" {
		i.Target.Kind, i.Target.ARN = definition.KindPrivate, at
		b.known(&i.Target)
	}
	switch {
	case i.Target.Kind == definition.KindMock:
		i.Method = ""
	case i.Target.Kind == definition.KindLambda:
		i.Method = cmp.Or(i.Method, "POST")
	}
	b.common(r, i, n)
	for _, response := range items(n.Get("IntegrationResponses")) {
		i.Responses = append(i.Responses, &definition.Response{Pattern: scalar(response.Get("SelectionPattern")),
			Status:          cmp.Or(scalar(response.Get("StatusCode")), "200"),
			Parameters:      textMap(response.Get("ResponseParameters")),
			Templates:       textMap(response.Get("ResponseTemplates")),
			ContentHandling: upper(response, "ContentHandling")})
	}
	return i
}

// connection reads the VPC link of an integration, and reports whether there is one.
func (b *builder) connection(i *definition.Integration, n *doctree.Node) bool {
	kind := upper(n, "ConnectionType")
	if kind != "VPC_LINK" {
		return false
	}
	i.Connection = &definition.Connection{Type: kind, ID: b.refer(scalar(n.Get("ConnectionId")))}
	return true
}

// common is what integrations of all flavors have.
func (b *builder) common(r *resource, i *definition.Integration, n *doctree.Node) {
	if ms := r.number(n.Get("TimeoutInMillis"), "TimeoutInMillis"); ms != nil {
		i.Timeout = *ms
	}
	b.refer(i.Credentials)
	tls := definition.TLS{ServerName: scalar(n.Get("TlsConfig").Get("ServerNameToVerify")),
		SkipVerification: truthOf(n.Get("TlsConfig").Get("InsecureSkipVerification"))}
	if tls != (definition.TLS{}) {
		i.TLS = &tls
	}
}

func upper(n *doctree.Node, name string) string { return capitals(scalar(n.Get(name))) }

// capitals is a text in upper case. An unknown value stays one.
func capitals(text string) string {
	if _, unknown := definition.UnknownIn(text); unknown {
		return text
	}
	return strings.ToUpper(text)
}
