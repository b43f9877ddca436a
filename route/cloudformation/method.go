package cloudformation

import (
	"cmp"
	"reflect"
	"regexp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

// restMethod is a method of a REST API. What a body says of the same method it replaces.
func (b *builder) restMethod(r *resource) {
	a, of := b.apiAt(r, r.text("RestApiId"))
	if a == nil {
		b.astray(r, "RestApiId", typeRestAPI)
		return
	}
	path, ok := b.pathOf(r, r.text("ResourceId"))
	if root := b.rootOf(r.text("ResourceId")); root != nil && root != of {
		r.note(definition.Unsupported, "correct RestApiId or ResourceId", "%s: its resource is of another API, %s",
			r.id, root.id)
		ok = false
	}
	if !ok { // a key that nothing is served by, and by which the API isn't if the route isn't open
		path = r.none("the path")
	}
	method := capitals(r.text("HttpMethod"))
	route := &definition.Route{APIKeyRequired: closed(r.get("ApiKeyRequired")), Operation: r.text("OperationName"),
		ResourceID: r.text("ResourceId"), RequestParameters: flags(r.get("RequestParameters")),
		RequestModels: textMap(r.get("RequestModels")), Origin: r.origin()}
	route.Auth = b.auth(a, r)
	if id := r.get("RequestValidatorId"); id != nil {
		if v := b.validators[b.find(scalar(id), typeRestValidator)]; v != nil {
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
	b.add(a, r, method+" "+path, route)
}

// add adds a route. Of two of the same key the later counts, as if it had been made by an update;
// but if they differ in who may call, neither answers.
func (b *builder) add(a *definition.API, r *resource, key string, route *definition.Route) {
	if was := a.Routes[key]; was != nil && was.Origin.Path == "" {
		r.note(definition.Warning, "take one out", "%s: the API %s has another route %s", r.id, a.ID, key)
		if was.APIKeyRequired != route.APIKeyRequired || !reflect.DeepEqual(was.Auth, route.Auth) {
			route.Auth = definition.Auth{Type: r.none("the authorization")}
		}
	}
	a.Routes[key] = route
}

// astray is a route of an API that isn't known. If that is a mistake, which the service refuses,
// and the route isn't for everybody, no API of its template is served that it may be of: requests
// for it would come to another route, which may be open.
func (b *builder) astray(r *resource, property, kind string) {
	id := r.text(property)
	name, unknown := definition.UnknownIn(id)
	_, elsewhere := b.unknowns[name]
	isMap := r.properties != nil && r.properties.Kind == doctree.Map
	switch auth := b.auth(&definition.API{}, r); {
	case isMap && auth.Type == definition.AuthNone && !closed(r.get("ApiKeyRequired")):
	case unknown && elsewhere, !unknown && b.mayBeAPI(id):
	default:
		b.closeAll(closing{r.stack, kind, "routes"}, func(a *definition.API) { a.RoutesUnknown = true })
	}
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
	if doubt := r.doubt(); doubt != "" { // another may answer in its place, where it isn't there
		return definition.Auth{Type: definition.Unknown(doubt)}
	}
	kind := r.text("AuthorizationType")
	if r.misspelled(methodGuards...) || r.mistaken(kind) {
		return definition.Auth{Type: "misspelled"} // which nothing can decide
	}
	out := definition.Auth{Type: cmp.Or(capitals(kind), definition.AuthNone),
		Scopes: texts(r.get("AuthorizationScopes"))}
	id := r.text("AuthorizerId")
	if id == "" {
		return out
	}
	of := b.find(id, typeRestAuthorizer, typeV2Authorizer)
	name, known := b.authorizers[of]
	if known && b.owners[of] != a {
		name, known = id, false // another API may have another of the same name
	}
	if out.Type == definition.AuthNone && r.get("AuthorizationType") != nil {
		r.note(definition.Warning, "write the AuthorizationType, or take the authorizer out",
			"%s names an authorizer, which isn't asked, as the AuthorizationType is NONE", r.id)
	}
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

// methodGuards are the properties of methods and routes that say who may call them, and words that
// others would have.
var methodGuards = []string{"ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId",
	"RequestValidatorId", "auth", "scope", "key", "secur", "iam", "protect"}

// mistaken reports whether what says who may call a method is of a kind or form that it can't be.
func (r *resource) mistaken(kind string) bool {
	given, id, scopes := r.get("AuthorizationType"), r.get("AuthorizerId"), r.get("AuthorizationScopes")
	switch {
	case given != nil && kind == "", id != nil && given == nil && scalar(id) == "", compound(id):
	case len(texts(scopes)) != len(items(scopes)):
	default:
		return false
	}
	r.note(definition.Unsupported, "write a text, and scopes as a list of texts",
		"%s refuses, as what says who may call it is no text", r.id)
	return true
}

// mayBeAPI reports whether a text may be the ID of an API that isn't in the import.
func (b *builder) mayBeAPI(id string) bool { return b.handed[id] == nil && apiIDs.MatchString(id) }

var apiIDs = regexp.MustCompile(`^[0-9a-z]{10}$`)

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
