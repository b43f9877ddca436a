package cloudformation

import (
	"regexp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

// samAuthorizer is one of an API's Authorizers.
type samAuthorizer struct {
	r    *samResource
	name string
	def  *doctree.Node
}

func (a *samAuthorizer) refuse(at *doctree.Node, format string, args ...any) error {
	return a.r.refuse(nodeOr(at, a.def), "Auth.Authorizers."+a.name+format, args...)
}

// authorizers are an API's, each a map.
func (r *samResource) authorizers(auth *doctree.Node) (all []*samAuthorizer, err error) {
	list := said(auth, "Authorizers")
	if !truthy(list) {
		return nil, nil
	}
	if !isMap(list) {
		return nil, r.refuse(list, "Auth.Authorizers: want a map")
	}
	for _, m := range list.Members {
		a := &samAuthorizer{r, m.Name, m.Value}
		if !isMap(m.Value) {
			return nil, a.refuse(m.Value, ": want a map")
		}
		if m.Name == "api_key_false" { // by which a method is kept from the API's key
			return nil, a.refuse(m.Value, ": want another name")
		}
		if err := r.s.checkGuards("Auth.Authorizers."+m.Name, m.Value, authorizerProperties, r.refuse); err != nil {
			return nil, err
		}
		if scopes := said(m.Value, "AuthorizationScopes"); scopes != nil && !isList(scopes) {
			return nil, a.refuse(scopes, ".AuthorizationScopes: want a list")
		}
		all = append(all, a)
	}
	return all, nil
}

// functionURI is the invocation of a function by its ARN.
func functionURI(line int, function *doctree.Node) *doctree.Node {
	return subWith(line, "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"+
		"${__FunctionArn__}/invocations", "__FunctionArn__", function)
}

// identity is where an authorizer finds it, as names with prefixes; the order is the translator's.
func (a *samAuthorizer) identity(prefixes ...string) (all []string, err error) {
	id := said(a.def, "Identity")
	if id != nil && !isMap(id) {
		return nil, a.refuse(id, ".Identity: want a map")
	}
	for i, name := range []string{"Headers", "QueryStrings", "StageVariables", "Context"} {
		list := said(id, name)
		if !truthy(list) {
			continue
		}
		if !isList(list) {
			return nil, a.refuse(list, ".Identity.%s: want a list", name)
		}
		for j, item := range list.Items {
			if !isText(item) {
				return nil, a.refuse(item, ".Identity.%s[%d]: want text", name, j)
			}
			all = append(all, prefixes[i]+item.Text)
		}
	}
	return all, nil
}

// requested reports whether the function is given the request, and where its identity is then.
func (a *samAuthorizer) requested(ttl *doctree.Node) (request bool, sources []string, err error) {
	payload := said(a.def, "FunctionPayloadType")
	if payload != nil && payload.Text != "TOKEN" && payload.Text != "REQUEST" {
		return false, nil, a.refuse(payload, ".FunctionPayloadType: want TOKEN or REQUEST, got %q", payload.Text)
	}
	request = textOf(payload) == "REQUEST"
	sources, err = a.identity("method.request.header.", "method.request.querystring.", "stageVariables.", "context.")
	if err == nil && request && len(sources) == 0 && !never(ttl) {
		err = a.refuse(a.def, ".Identity: want at least one of Headers, QueryStrings, StageVariables or Context, or "+
			"ReauthorizeEvery: 0")
	}
	return request, sources, err
}

// never reports whether decisions aren't kept, so that no identity needs to be known by.
func never(ttl *doctree.Node) bool {
	return ttl != nil && whole.MatchString(ttl.Text) &&
		(ttl.Text[0] == '-' || strings.Trim(ttl.Text, "+0") == "")
}

var whole = regexp.MustCompile(`^[-+]?[0-9]+$`)

// rest is the security scheme of a REST API's authorizer.
func (a *samAuthorizer) rest() (*doctree.Node, error) {
	line := lineOf(a.def, a.r.line)
	id, ttl := said(a.def, "Identity"), said(said(a.def, "Identity"), "ReauthorizeEvery")
	request, sources, err := a.requested(ttl)
	if err != nil {
		return nil, err
	}
	pools, function := said(a.def, "UserPoolArn"), said(a.def, "FunctionArn")
	if !truthy(pools) {
		pools = nil
	}
	scheme := textsNode(line, "type", "apiKey")
	scheme.Set("name", textNode(line, "Authorization"))
	if header := said(id, "Header"); truthy(header) {
		scheme.Set("name", header)
	}
	if request && pools == nil {
		scheme.Set("name", textNode(line, "Unused"))
	}
	scheme.Set("in", textNode(line, "header"))
	authorizer := newMap(line)
	validation := said(id, "ValidationExpression")
	switch {
	case pools != nil:
		scheme.Set(xAuthType, textNode(line, "cognito_user_pools"))
		authorizer.Set("type", textNode(line, "cognito_user_pools"))
		if !isList(pools) {
			pools = listNode(line, pools)
		}
		authorizer.Set("providerARNs", pools)
	case function != nil:
		scheme.Set(xAuthType, textNode(line, "custom"))
		typ := "token"
		if request {
			typ, validation = "request", nil
		}
		authorizer.Set("type", textNode(line, typ))
		authorizer.Set("authorizerUri", functionURI(line, function))
		if ttl != nil {
			authorizer.Set("authorizerResultTtlInSeconds", ttl)
		}
		a.credentials(authorizer)
		if request && len(sources) > 0 {
			authorizer.Set("identitySource", textNode(line, strings.Join(sources, ", ")))
		}
	default:
		return nil, a.refuse(a.def, ": want UserPoolArn or FunctionArn")
	}
	if truthy(validation) {
		authorizer.Set("identityValidationExpression", validation)
	}
	scheme.Set(xAuthorizer, authorizer)
	return scheme, nil
}

// credentials are a role to call the function with, unless none is wanted.
func (a *samAuthorizer) credentials(authorizer *doctree.Node) {
	if role := a.def.Get("FunctionInvokeRole"); truthy(role) && textOf(role) != authNone {
		authorizer.Set("authorizerCredentials", role)
	}
}

// http is the security scheme of an HTTP API's authorizer.
func (a *samAuthorizer) http() (*doctree.Node, error) {
	line := lineOf(a.def, a.r.line)
	if a.def.Get("OpenIdConnectUrl") != nil {
		return nil, a.refuse(a.def.Get("OpenIdConnectUrl"), ".OpenIdConnectUrl: isn't supported any more; "+
			"JwtConfiguration has the issuer and the audience")
	}
	jwt := said(a.def, "JwtConfiguration")
	if truthy(jwt) {
		return a.jwt(jwt, line)
	}
	for _, name := range []string{"AuthorizationScopes", "IdentitySource"} {
		if v := said(a.def, name); v != nil {
			return nil, a.refuse(v, ".%s: is for authorizers with a JwtConfiguration", name)
		}
	}
	function, version := said(a.def, "FunctionArn"), said(a.def, "AuthorizerPayloadFormatVersion")
	switch {
	case !truthy(function):
		return nil, a.refuse(a.def, ": want JwtConfiguration or FunctionArn")
	case !truthy(version):
		return nil, a.refuse(a.def, ": want AuthorizerPayloadFormatVersion")
	}
	if v := said(a.def, "EnableFunctionDefaultPermissions"); v != nil && v.Kind != doctree.Bool && !intrinsic(v) {
		return nil, a.refuse(v, ".EnableFunctionDefaultPermissions: want true or false")
	}
	authorizer := textsNode(line, "type", "request")
	authorizer.Set("authorizerUri", functionURI(line, function))
	a.credentials(authorizer)
	sources, err := a.identity("$request.header.", "$request.querystring.", "$stageVariables.", "$context.")
	if err != nil {
		return nil, err
	}
	if id := said(a.def, "Identity"); truthy(id) {
		if ttl := said(id, "ReauthorizeEvery"); ttl != nil {
			authorizer.Set("authorizerResultTtlInSeconds", ttl)
		}
		list := listNode(line)
		for _, source := range sources {
			list.Items = append(list.Items, textNode(line, source))
		}
		authorizer.Set("identitySource", list)
	}
	authorizer.Set("authorizerPayloadFormatVersion", version)
	if v := a.def.Get("EnableSimpleResponses"); truthy(v) {
		authorizer.Set("enableSimpleResponses", v)
	}
	return newMap(line, member("type", textNode(line, "apiKey")), member("name", textNode(line, "Unused")),
		member("in", textNode(line, "header")), member(xAuthorizer, authorizer)), nil
}

func (a *samAuthorizer) jwt(config *doctree.Node, line int) (*doctree.Node, error) {
	if !isMap(config) {
		return nil, a.refuse(config, ".JwtConfiguration: want a map")
	}
	for _, name := range []string{"FunctionArn", "FunctionInvokeRole", "Identity", "AuthorizerPayloadFormatVersion",
		"EnableSimpleResponses", "EnableFunctionDefaultPermissions"} {
		if v := said(a.def, name); v != nil {
			return nil, a.refuse(v, ".%s: is for authorizers with a FunctionArn", name)
		}
	}
	source := said(a.def, "IdentitySource")
	if !truthy(source) {
		return nil, a.refuse(a.def, ": want IdentitySource")
	}
	lower := newMap(line)
	for _, m := range config.Members {
		lower.Set(strings.ToLower(m.Name), m.Value)
	}
	return newMap(line, member("type", textNode(line, "oauth2")), member(xAuthorizer, newMap(line,
		member("jwtConfiguration", lower), member("identitySource", source),
		member("type", textNode(line, "jwt"))))), nil
}
