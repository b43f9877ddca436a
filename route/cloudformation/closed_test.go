package cloudformation_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// method is a REST API with one method, which is open but for what is put in.
func method(api, method, more string) string {
	return `
Parameters: {Known: {Type: String, Default: x}}
Conditions: {Open: !Equals [!GetAtt Lookup.Attr, x]}
Resources:
  Lookup: {Type: Custom::Lookup}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: api` + api + `}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode":200}'}, IntegrationResponses: [{StatusCode: 200}]}` + method + `}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: v1}}
` + more
}

// body is an HTTP or REST API by a document with one operation.
func body(operation, more string) string {
	return `
Conditions: {Open: !Equals [!GetAtt Lookup.Attr, x]}
Resources:
  Lookup: {Type: Custom::Lookup}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        swagger: '2.0'
        info: {title: a, version: 1}
        paths:
          /:
            get:
              x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode":200}'}, responses: {default: {}}}
              ` + operation + `
        ` + more + `
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: v1}}
`
}

// answer is what a stranger gets.
func answer(t *testing.T, text string) int {
	t.Helper()
	doc := read(t, text, cloudformation.Options{})
	g, err := definition.Build(t.Context(), doc, definition.Bindings{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer g.Close()
	h, err := g.Stage("Api", "v1")
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://api.example/", nil))
	return w.Code
}

// Nothing that isn't known, or isn't read, makes a route open that may have been protected.
func TestWhatIsNotKnownIsClosed(t *testing.T) {
	schemes := "securityDefinitions: {key: {type: apiKey, in: header, name: x-api-key}}"
	for _, tt := range []struct{ name, text string }{
		{"authorization", method("", ", AuthorizationType: !GetAtt Lookup.Attr", "")},
		{"authorization-if", method("", ", AuthorizationType: !If [Open, NONE, AWS_IAM]", "")},
		{"authorization-list", method("", ", AuthorizationType: [AWS_IAM]", "")},
		{"authorization-word", method("", ", AuthorizationType: AWS_IMA", "")},
		{"authorization-misspelled", method("", ", AuthorisationType: AWS_IAM", "")},
		{"path-gone", method("", "", "  P: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: abc123, HttpMethod: GET, AuthorizationType: AWS_IAM, Integration: {Type: MOCK}}}\n")},
		{"path-unknown", method("", "", "  P: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Lookup.Id, HttpMethod: GET, AuthorizationType: AWS_IAM, Integration: {Type: MOCK}}}\n")},
		{"authorizer-gone", method("", ", AuthorizationType: CUSTOM, AuthorizerId: abcdef", "")},
		{"authorizer-alone", method("", ", AuthorizerId: !Ref Auth", "  Auth: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Api, Type: TOKEN, IdentitySource: method.request.header.A}}\n")},
		{"authorizer-unknown-function", method("", ", AuthorizationType: CUSTOM, AuthorizerId: !Ref Auth", "  Auth: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Api, Type: TOKEN, IdentitySource: method.request.header.A, AuthorizerUri: !GetAtt Lookup.Uri}}\n")},
		{"authorizer-bad-function", method("", ", AuthorizationType: CUSTOM, AuthorizerId: !Ref Auth", "  Auth: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Api, Type: TOKEN, IdentitySource: method.request.header.A, AuthorizerUri: arn:x}}\n")},
		{"key", method("", ", ApiKeyRequired: !GetAtt Lookup.Attr", "")},
		{"key-if", method("", ", ApiKeyRequired: !If [Open, true, false]", "")},
		{"key-misspelled", method("", ", ApiKeyRequierd: true", "")},
		{"policy", method(", Policy: !GetAtt Lookup.Policy", "", "")},
		{"policy-misspelled", method(", Polciy: {}, ResourcePolicy: {a: b}", "", "")},
		{"policy-if", method(", Policy: !If [Open, {a: b}, !Ref AWS::NoValue]", "", "")},
		{"policy-part", method(", Policy: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*'}, !GetAtt Lookup.Statement]}", "", "")},
		{"validator", method("", ", RequestParameters: {method.request.header.X: true}, RequestValidatorId: abcdef", "")},
		{"validator-unknown", method("", ", RequestParameters: {method.request.header.X: !GetAtt Lookup.Attr}, RequestValidatorId: !Ref V", "  V: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref Api, ValidateRequestParameters: !GetAtt Lookup.Attr}}\n")},
		{"cache", strings.Replace(method("", "", ""), "StageName: v1", "StageName: v1, CacheClusterEnabled: !GetAtt Lookup.Attr", 1)},
		{"web-acl", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: !GetAtt Lookup.Arn, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'}}\n")},
		{"web-acl-of-some", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: 'arn:aws:wafv2:us-east-1:1:regional/webacl/a/b', ResourceArn: !GetAtt Lookup.Arn}}\n")},
		{"web-acl-of-some-api", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: 'arn:aws:wafv2:us-east-1:1:regional/webacl/a/b', ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Lookup.Id}/stages/v1'}}\n")},
		{"web-acl-of-some-stage", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: 'arn:aws:wafv2:us-east-1:1:regional/webacl/a/b', ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/${Lookup.Name}'}}\n")},
		{"body-security", body("security: !GetAtt Lookup.Attr", schemes)},
		{"body-security-if", body("security: !If [Open, [{key: []}], []]", schemes)},
		{"body-requirement", body("security: [!GetAtt Lookup.Attr]", schemes)},
		{"body-requirement-if", body("security: [!If [Open, {key: []}, !Ref AWS::NoValue]]", schemes)},
		{"body-root-security", body("produces: []", "security: [!GetAtt Lookup.Attr]\n        "+schemes)},
		{"body-scheme-name", body("security: [{key: []}]", "securityDefinitions: {key: {type: apiKey, in: header, name: !GetAtt Lookup.Attr}}")},
		{"body-schemes", body("security: [{key: []}]", "securityDefinitions: !GetAtt Lookup.Attr")},
		{"body-authorizer", body("security: [{key: []}]", "securityDefinitions: {key: {type: apiKey, in: header, name: A, x-amazon-apigateway-authorizer: !GetAtt Lookup.Attr}}")},
		{"body-auth", body("x-amazon-apigateway-auth: {type: !GetAtt Lookup.Attr}", schemes)},
		{"body-auth-whole", body("x-amazon-apigateway-auth: !GetAtt Lookup.Attr", schemes)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.GreaterOrEqual(t, answer(t, tt.text), 400)
		})
	}
}

// A scheme that isn't known at all is an error of the import, as for any document.
func TestUnknownSchemeIsRefused(t *testing.T) {
	_, err := tried(body("security: [{key: []}]", "securityDefinitions: {key: !GetAtt Lookup.Attr}"), cloudformation.Options{})
	require.ErrorContains(t, err, `the security scheme "key" is not of type`)
}

// The same templates without what protects are open: the cases above refuse for their own reason.
func TestWhatIsOpenIsServed(t *testing.T) {
	require.Equal(t, http.StatusOK, answer(t, method("", "", "")))
	require.Equal(t, http.StatusOK, answer(t, method("", ", AuthorizationType: NONE, ApiKeyRequired: false", "")))
	require.Equal(t, http.StatusOK, answer(t, body("produces: []", "securityDefinitions: {}")))
	require.Equal(t, http.StatusOK, answer(t, method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: 'arn:aws:wafv2:us-east-1:1:regional/webacl/a/b', ResourceArn: !Sub 'arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/${Lookup.Name}'}}\n")))
}

// A parameter without a value that something served needs is an error, as it is to the service.
func TestMissingParameter(t *testing.T) {
	text := strings.Replace(method("", ", AuthorizationType: !Ref Kind", ""), "Known: {", "Kind: {Type: String}\n  Known: {", 1)
	text = strings.Replace(text, "Parameters: {Kind: {Type: String}\n  Known", "Parameters: {Kind: {Type: String}, Other: {Type: String}, Known", 1)
	_, err := tried(text, cloudformation.Options{})
	require.EqualError(t, err, "cloudformation: want values for what is served: parameter Kind")
	_, err = tried(text, cloudformation.Options{Parameters: map[string]string{"Kind": "AWS_IAM"}})
	require.NoError(t, err)
}
