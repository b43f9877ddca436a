package cloudformation_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// quick is an API that names its target, and what overrides the route, integration and stage that
// are made of it.
func quick(overrides string) string {
	return `
Resources:
  Lookup: {Type: Custom::Lookup}
  F: {Type: AWS::Lambda::Function}
  G: {Type: AWS::Lambda::Function}
  Auth: {Type: AWS::ApiGatewayV2::Authorizer, Properties: {ApiId: !Ref Api, Name: auth, AuthorizerType: JWT, IdentitySource: [$request.header.Authorization], JwtConfiguration: {Issuer: 'https://issuer.example', Audience: [me]}}}
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: HTTP, Target: !GetAtt F.Arn, RouteKey: GET /}}
  Over: {Type: AWS::ApiGatewayV2::ApiGatewayManagedOverrides, Properties: {ApiId: !Ref Api` + overrides + `}}
`
}

func TestOverrides(t *testing.T) {
	doc := read(t, quick(`, Route: {AuthorizationType: JWT, AuthorizerId: !Ref Auth, AuthorizationScopes: [a], OperationName: Op, Target: !GetAtt G.Arn},
	Integration: {Description: d, IntegrationMethod: post, PayloadFormatVersion: 1.0, TimeoutInMillis: 900},
	Stage: {StageVariables: {a: b}, DefaultRouteSettings: {ThrottlingRateLimit: 5, ThrottlingBurstLimit: 6}, RouteSettings: {GET /: {ThrottlingBurstLimit: 7}}, AccessLogSettings: {Format: $context.requestId}}`), cloudformation.Options{})
	require.Empty(t, doc.Findings)
	route, stage := doc.APIs[0].Routes["GET /"], doc.APIs[0].Stages["$default"]
	require.Equal(t, definition.Auth{Type: "JWT", Authorizer: "auth", Scopes: []string{"a"}}, route.Auth)
	require.Equal(t, "Op", route.Operation)
	i := route.Integration
	require.Equal(t, []any{"G", "d", "POST", "1.0", 900}, []any{i.Target.Function, i.Description, i.Method, i.PayloadFormat, i.Timeout})
	require.Equal(t, map[string]string{"a": "b"}, stage.Variables)
	require.Equal(t, []any{5.0, 6, 7}, []any{*stage.Throttle.Rate, *stage.Throttle.Burst, *stage.RouteThrottle["GET /"].Burst})
	require.Equal(t, "$context.requestId", stage.AccessLog)
	require.True(t, stage.AutoDeploy)
	require.Equal(t, "Over", route.Origin.LogicalID)

	doc = read(t, quick(", Integration: {TimeoutInMillis: 900}"), cloudformation.Options{}) // and nothing else
	require.Equal(t, definition.Auth{Type: "NONE"}, doc.APIs[0].Routes["GET /"].Auth)
	require.Equal(t, "F", doc.APIs[0].Routes["GET /"].Integration.Target.Function)
	require.Equal(t, "2.0", doc.APIs[0].Routes["GET /"].Integration.PayloadFormat)
}

// What of an override can't be read doesn't leave open what it is to protect.
func TestUnknownOverrideIsClosed(t *testing.T) {
	for name, overrides := range map[string]string{
		"type": ", Route: {AuthorizationType: !GetAtt Lookup.X}", "route": ", Route: !GetAtt Lookup.X", "list": ", Route: [JWT]",
		"authorizer": ", Route: {AuthorizationType: JWT, AuthorizerId: nothing}", "authorizer-alone": ", Route: {AuthorizerId: nothing}",
		"misspelled": ", Route: {AuthorisationType: AWS_IAM}", "misspelled-route": ", Routes: {AuthorizationType: AWS_IAM}",
		"jwt": ", Route: {AuthorizationType: JWT, AuthorizerId: !Ref Auth}", "iam": ", Route: {AuthorizationType: AWS_IAM}",
		"scopes": ", Route: {AuthorizationScopes: [a]}",
		"stage":  ", Stage: !GetAtt Lookup.X", "limit": ", Stage: {DefaultRouteSettings: {ThrottlingRateLimit: !GetAtt Lookup.X}}",
		"stage-misspelled": ", Stage: {RouteSetings: {}}",
	} {
		t.Run(name, func(t *testing.T) {
			require.GreaterOrEqual(t, quickAnswer(t, quick(overrides)), 400)
		})
	}
	require.Equal(t, http.StatusNoContent, quickAnswer(t, quick("")))
	require.Equal(t, http.StatusNoContent, quickAnswer(t, quick(", Route: {AuthorizationType: NONE}, Stage: {DefaultRouteSettings: {ThrottlingRateLimit: 5, ThrottlingBurstLimit: 5}}")))
}

// quickAnswer is what a stranger gets.
func quickAnswer(t *testing.T, text string) int {
	t.Helper()
	served, status := calls(t, read(t, text, cloudformation.Options{}), nil)
	if served > 0 {
		return http.StatusNoContent
	}
	return status
}
