package cloudformation

import (
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

var webSocketProperties = map[string]int{"Name": wantText, "Routes": wantMap, "RouteSelectionExpression": wantText,
	"StageName": wantTextOrMap, "StageVariables": wantMap, "AccessLogSettings": wantMap, "Auth": wantMap,
	"ApiKeySelectionExpression": wantText, "DefaultRouteSettings": wantMap, "RouteSettings": wantMap,
	"Description": wantText, "DisableExecuteApiEndpoint": wantBool, "DisableSchemaValidation": wantBool,
	"Domain": wantMap, "FailOnWarnings": wantBool, "IpAddressType": wantText, "PropagateTags": wantBool,
	"Tags": wantMap}

var webSocketRouteProperties = []string{"FunctionArn", "ApiKeyRequired", "IntegrationTimeout", "RequestParameters",
	"RequestModels", "ModelSelectionExpression", "OperationName", "RouteResponseSelectionExpression"}

// webSocketAPI makes a WebSocket API with its routes, integrations, authorizer, stage and domain.
func (s *sam) webSocketAPI(r *samResource) error {
	if err := r.checkProperties(webSocketProperties); err != nil {
		return err
	}
	routes := said(r.props, "Routes")
	switch {
	case !truthy(routes):
		return r.refuse(r.props, "Routes: want at least one route")
	case said(r.props, "RouteSelectionExpression") == nil:
		return r.refuse(r.props, "RouteSelectionExpression is required")
	case textOf(r.props.Get("StageName")) == defaultPath:
		return r.refuse(r.props.Get("StageName"), "StageName: a WebSocket API's stage isn't named $default")
	case truthy(said(said(r.props, "Domain"), "MutualTlsAuthentication")):
		return r.refuse(r.props.Get("Domain"), "Domain: WebSocket APIs have no MutualTlsAuthentication")
	}
	if v := said(r.props, "IpAddressType"); v != nil && !intrinsic(v) &&
		!slices.Contains([]string{"ipv4", "dualstack"}, textOf(v)) {
		return r.refuse(v, "IpAddressType: want ipv4 or dualstack")
	}
	props := newMap(r.line, member("ProtocolType", textNode(r.line, "WEBSOCKET")),
		member("Name", textNode(r.line, r.id)))
	for _, name := range []string{"Name", "RouteSelectionExpression", "ApiKeySelectionExpression", "Description",
		"DisableExecuteApiEndpoint", "DisableSchemaValidation", "IpAddressType"} {
		if v := said(r.props, name); v != nil {
			props.Set(name, v)
		}
	}
	r.main("AWS::ApiGatewayV2::Api", props)
	authType, err := r.connectAuth(routes)
	if err != nil {
		return err
	}
	for _, m := range routes.Members {
		if err := r.webSocketRoute(m, authType); err != nil {
			return err
		}
	}
	r.httpStage(textNode(r.line, "default"), r.id+"DefaultStage")
	return r.httpDomain()
}

// connectAuth makes the authorizer of $connect, and returns how that route is authorized; "" for an
// API that says nothing of it.
func (r *samResource) connectAuth(routes *doctree.Node) (string, error) {
	auth := said(r.props, "Auth")
	if !truthy(auth) {
		return "", nil
	}
	if routes.Get("$connect") == nil {
		return "", r.refuse(auth, "Auth is for the route $connect, which isn't there")
	}
	// The service's translator takes "custom" for a word that it knows, and then leaves the route
	// open. Case doesn't matter here at all.
	typ := strings.ToUpper(textOf(auth.Get("AuthType")))
	switch typ {
	case "":
		return "", r.refuse(auth, "Auth.AuthType is required, with what else Auth says")
	case authIAM, authNone:
		if len(auth.Members) > 1 {
			return "", r.refuse(auth, "Auth: nothing else goes with AuthType %s", typ)
		}
		return typ, nil
	case "CUSTOM":
	default:
		return "", r.refuse(auth, "Auth.AuthType: want AWS_IAM, CUSTOM or NONE, got %q", textOf(auth.Get("AuthType")))
	}
	function := auth.Get("AuthArn")
	if !truthy(function) {
		return "", r.refuse(auth, "Auth.AuthArn is required with AuthType CUSTOM")
	}
	id := r.id + "ConnectAuthorizer"
	props := newMap(auth.Line, member("ApiId", refNode(r.line, r.id)),
		member("AuthorizerType", textNode(auth.Line, "REQUEST")),
		member("AuthorizerUri", functionURI(auth.Line, function)), member("Name", textNode(auth.Line, id)))
	for from, to := range inPairs("InvokeRole", "AuthorizerCredentialsArn", "IdentitySource", "IdentitySource",
		"Name", "Name") {
		if v := auth.Get(from); truthy(v) {
			props.Set(to, v)
		}
	}
	r.derived(id, "AWS::ApiGatewayV2::Authorizer", props)
	return typ, nil
}

// webSocketRoute makes a route, its integration and the permission to call the function.
func (r *samResource) webSocketRoute(m doctree.Member, authType string) error {
	word, special := strings.CutPrefix(m.Name, "$")
	if special && !slices.Contains([]string{"connect", "disconnect", "default"}, word) || !isAlphanumeric(word) {
		return r.refuse(m.Value, "Routes: want a key of letters and digits, $connect, $disconnect or $default, "+
			"got %q", m.Name)
	}
	if !isMap(m.Value) || m.Value.Get("FunctionArn") == nil {
		return r.refuse(m.Value, "Routes.%s: want a FunctionArn", m.Name)
	}
	if err := r.known("Routes."+m.Name, m.Value, webSocketRouteProperties); err != nil {
		return err
	}
	if v := m.Value.Get("RequestParameters"); truthy(v) && m.Name != "$connect" {
		return r.refuse(v, "Routes.%s: RequestParameters are for $connect", m.Name)
	}
	id := r.id + strings.ToUpper(word[:1]) + strings.ToLower(word[1:])
	route := newMap(m.Line, member("ApiId", refNode(r.line, r.id)), member("RouteKey", textNode(m.Line, m.Name)),
		member("Target", mapNode(m.Line, "Fn::Join", listNode(m.Line, textNode(m.Line, "/"),
			listNode(m.Line, textNode(m.Line, "integrations"), refNode(m.Line, id+"Integration"))))))
	for _, name := range []string{"ApiKeyRequired", "ModelSelectionExpression", "OperationName", "RequestModels",
		"RequestParameters", "RouteResponseSelectionExpression"} {
		if v := said(m.Value, name); v != nil {
			route.Set(name, v)
		}
	}
	if m.Name == "$connect" && authType != "" {
		route.Set("AuthorizationType", textNode(m.Line, authType))
		if authType == "CUSTOM" {
			route.Set("AuthorizerId", refNode(m.Line, r.id+"ConnectAuthorizer"))
		}
	}
	integration := newMap(m.Line, member("ApiId", refNode(r.line, r.id)),
		member("IntegrationType", textNode(m.Line, "AWS_PROXY")),
		member("IntegrationUri", functionURI(m.Line, m.Value.Get("FunctionArn"))))
	if v := said(m.Value, "IntegrationTimeout"); v != nil {
		integration.Set("TimeoutInMillis", v)
	}
	permission := textsNode(m.Line, "Action", "lambda:InvokeFunction", "Principal", "apigateway.amazonaws.com")
	permission.Set("FunctionName", m.Value.Get("FunctionArn"))
	r.derived(id+"Route", "AWS::ApiGatewayV2::Route", route)
	r.derived(id+"Integration", "AWS::ApiGatewayV2::Integration", integration)
	r.derived(id+"Permission", "AWS::Lambda::Permission", permission)
	return nil
}
