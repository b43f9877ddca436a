package cloudformation

import (
	"cmp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/route/definition"
)

const (
	typeV2API         = "AWS::ApiGatewayV2::Api"
	typeV2Authorizer  = "AWS::ApiGatewayV2::Authorizer"
	typeV2Integration = "AWS::ApiGatewayV2::Integration"
	typeV2Route       = "AWS::ApiGatewayV2::Route"
	typeV2Stage       = "AWS::ApiGatewayV2::Stage"
	typeV2Link        = "AWS::ApiGatewayV2::VpcLink"
)

// v2API is an HTTP or WebSocket API.
func (b *builder) v2API(r *resource) {
	flavor := definition.FlavorHTTP
	if r.webSocket() {
		flavor = definition.FlavorWebSocket
	}
	a := b.newAPI(r, flavor)
	b.readBody(a, r)
	b.named(a, r)
	if c := r.get("CorsConfiguration"); c != nil && c.Kind == doctree.Map {
		a.CORS = &definition.CORS{Origins: texts(c.Get("AllowOrigins")), Methods: texts(c.Get("AllowMethods")),
			Headers: texts(c.Get("AllowHeaders")), ExposeHeaders: texts(c.Get("ExposeHeaders")),
			MaxAge: r.number(c.Get("MaxAge"), "MaxAge"), Origin: r.within(c, "/CorsConfiguration")}
		if v := c.Get("AllowCredentials"); v != nil {
			a.CORS.Credentials = new(truthOf(v))
		}
	}
	if flavor == definition.FlavorWebSocket {
		a.RouteSelection = r.text("RouteSelectionExpression")
		a.APIKeySelection = r.text("ApiKeySelectionExpression")
		a.SchemaValidationDisabled = truthOf(r.get("DisableSchemaValidation"))
	}
	if target := r.text("Target"); target != "" {
		b.quickCreate(a, r, target)
	}
}

// quickCreate makes what the service makes of an API that names its target: a route, its
// integration, and the stage $default.
func (b *builder) quickCreate(a *definition.API, r *resource, target string) {
	a.Routes[quickKey(r)] = &definition.Route{Auth: definition.Auth{Type: definition.AuthNone},
		Integration: b.quickIntegration(a, r, target), Origin: r.origin()}
	a.Stages["$default"] = &definition.Stage{AutoDeploy: true, Origin: r.origin()}
}

// quickKey is the key of the route that is made of an API.
func quickKey(r *resource) string { return cmp.Or(r.text("RouteKey"), "$default") }

func (b *builder) quickIntegration(a *definition.API, r *resource, target string) *definition.Integration {
	i := &definition.Integration{Type: "AWS_PROXY", PayloadFormat: "2.0", Origin: r.origin(),
		Credentials: r.text("CredentialsArn")}
	if strings.HasPrefix(target, "http") {
		i.Type, i.PayloadFormat = "HTTP_PROXY", "1.0"
	}
	i.Target = b.target(r, a.Flavor, i.Type, target, false)
	b.refer(i.Credentials)
	return i
}

// v2Authorizer is an authorizer of an HTTP or WebSocket API.
func (b *builder) v2Authorizer(r *resource) {
	a := b.api(r, "ApiId")
	if a == nil {
		return
	}
	jwt := r.get("JwtConfiguration")
	out := &definition.Authorizer{Type: capitals(r.text("AuthorizerType")),
		IdentitySource: texts(r.get("IdentitySource")), Issuer: scalar(jwt.Get("Issuer")),
		Audience: texts(jwt.Get("Audience")), PayloadFormat: r.text("AuthorizerPayloadFormatVersion"),
		SimpleResponses: truthOf(r.get("EnableSimpleResponses")), Credentials: r.text("AuthorizerCredentialsArn"),
		IdentityValidation: r.text("IdentityValidationExpression"),
		TTL:                r.number(r.get("AuthorizerResultTtlInSeconds"), "AuthorizerResultTtlInSeconds"),
		Origin:             r.origin()}
	if len(out.PayloadFormat) == 1 {
		out.PayloadFormat += ".0" // a number, to some writers of YAML
	}
	b.refer(strings.TrimPrefix(out.Issuer, "https://"))
	b.refer(out.Issuer)
	for _, client := range out.Audience {
		b.refer(client)
	}
	b.authorizer(a, r, out, r.text("AuthorizerUri"))
}

// v2Integration makes the integration's ID known, by which routes name it.
func (b *builder) v2Integration(r *resource) { r.stack.handOut(r, "", r.node.Line) }

// v2Route is a route of an HTTP or WebSocket API.
func (b *builder) v2Route(r *resource) {
	a := b.api(r, "ApiId")
	if a == nil {
		b.astray(r, "ApiId", typeV2API)
		return
	}
	route := &definition.Route{APIKeyRequired: closed(r.get("ApiKeyRequired")), Operation: r.text("OperationName"),
		RequestParameters: flags(r.get("RequestParameters")), RequestModels: textMap(r.get("RequestModels")),
		ModelSelection:    r.text("ModelSelectionExpression"),
		ResponseSelection: r.text("RouteResponseSelectionExpression"), Origin: r.origin()}
	route.Auth = b.auth(a, r)
	if target := r.text("Target"); target != "" {
		at := b.find(target[strings.LastIndexByte(target, '/')+1:], typeV2Integration)
		if at == nil {
			r.note(definition.Unsupported, "add the integration", "%s: its integration isn't in the import", r.id)
		} else {
			route.Integration = b.v2IntegrationOf(a, at)
		}
	} else {
		r.note(definition.Unsupported, "give it a Target", "%s has no integration", r.id)
	}
	b.add(a, r, strings.TrimSpace(r.text("RouteKey")), route)
}

// v2IntegrationOf reads an integration for one of the routes that have it.
func (b *builder) v2IntegrationOf(a *definition.API, r *resource) *definition.Integration {
	n := &doctree.Node{Kind: doctree.Map, Line: r.node.Line}
	for _, m := range members(r.properties) {
		if v := r.get(m.Name); v != nil {
			n.Members = append(n.Members, doctree.Member{Name: m.Name, Line: m.Line, Value: v})
		}
	}
	i := &definition.Integration{Type: upper(n, "IntegrationType"), Credentials: scalar(n.Get("CredentialsArn")),
		Method: upper(n, "IntegrationMethod"), Description: scalar(n.Get("Description")),
		RequestParameters: textMap(n.Get("RequestParameters")), RequestTemplates: textMap(n.Get("RequestTemplates")),
		TemplateSelection: scalar(n.Get("TemplateSelectionExpression")), Passthrough: upper(n, "PassthroughBehavior"),
		ContentHandling: upper(n, "ContentHandlingStrategy"), Origin: r.origin()}
	if i.PayloadFormat = scalar(n.Get("PayloadFormatVersion")); len(i.PayloadFormat) == 1 {
		i.PayloadFormat += ".0"
	}
	private := b.connection(i, n)
	if subtype := scalar(n.Get("IntegrationSubtype")); subtype != "" {
		i.Target = definition.Target{Kind: definition.KindSubtype, Subtype: subtype}
		if region := i.RequestParameters["Region"]; region != "" {
			i.Target.Region = region
		}
	} else {
		i.Target = b.target(r, a.Flavor, i.Type, scalar(n.Get("IntegrationUri")), private)
	}
	if i.Target.Kind == definition.KindLambda && a.Flavor == definition.FlavorHTTP {
		i.Method = cmp.Or(i.Method, "POST")
	}
	b.common(r, i, n)
	for _, m := range members(n.Get("ResponseParameters")) {
		i.Responses = append(i.Responses, &definition.Response{Status: m.Name, Parameters: pairs(m.Value)})
	}
	if a.Flavor == definition.FlavorWebSocket {
		i.Responses = append(i.Responses, b.responses[r]...)
	}
	return i
}

// pairs are response parameters: {"ResponseParameters": [{"Destination": …, "Source": …}]}, or a
// map from the one to the other.
func pairs(n *doctree.Node) map[string]string {
	list := n.Get("ResponseParameters")
	if list == nil {
		return textMap(n)
	}
	var all map[string]string
	for _, item := range items(list) {
		put(&all, scalar(item.Get("Destination")), scalar(item.Get("Source")))
	}
	return all
}

// integrationResponse is a response of a WebSocket integration.
func (b *builder) integrationResponse(r *resource) {
	of := b.find(r.text("IntegrationId"), typeV2Integration)
	if of == nil {
		r.note(definition.Unsupported, "add the integration", "%s: its integration isn't in the import", r.id)
		return
	}
	b.responses[of] = append(b.responses[of], &definition.Response{Pattern: r.text("IntegrationResponseKey"),
		Parameters: textMap(r.get("ResponseParameters")), Templates: textMap(r.get("ResponseTemplates")),
		ContentHandling:   capitals(r.text("ContentHandlingStrategy")),
		TemplateSelection: r.text("TemplateSelectionExpression")})
}

// v2Model is a model of a WebSocket API.
func (b *builder) v2Model(r *resource) {
	if a := b.api(r, "ApiId"); a != nil {
		b.model(a, r, cmp.Or(r.text("Name"), r.logical))
	}
}
