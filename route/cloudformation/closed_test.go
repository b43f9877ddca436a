package cloudformation_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

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
	return answerTo(t, "/", text)
}

func answerTo(t *testing.T, path, text string) int {
	t.Helper()
	doc := read(t, text, cloudformation.Options{})
	g, err := definition.Build(t.Context(), doc, definition.Bindings{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer g.Close()
	h, err := g.Stage("Api", "v1")
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://api.example"+path, nil))
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
		{"authorization-null", method("", ", AuthorizationType: ", "")},
		{"authorization-empty", method("", ", AuthorizationType: ''", "")},
		{"authorization-letter", method("", ", AutorizationType: AWS_IAM", "")},
		{"authorization-other-word", method("", ", IamAuth: true", "")},
		{"authorization-security", method("", ", Security: [a]", "")},
		{"key-null", method("", ", ApiKeyRequired: ", "")},
		{"key-word", method("", ", ApiKeyRequired: 'yes'", "")},
		{"key-number", method("", ", ApiKeyRequired: 1", "")},
		{"key-empty", method("", ", ApiKeyRequired: ''", "")},
		{"key-letter", method("", ", ApiKyRequired: true", "")},
		{"scopes-map", method("", ", AuthorizationScopes: {a: b}", "")},
		{"scopes-list", method("", ", AuthorizationScopes: [[a]]", "")},
		{"functions-among-properties", method("", ", 'Fn::If': [Open, {AuthorizationType: AWS_IAM}, {}]", "")},
		{"authorizer-null", method("", ", AuthorizerId: ", "")},
		{"authorizer-empty", method("", ", AuthorizerId: ''", "")},
		{"authorizer-list", method("", ", AuthorizerId: [!Ref Auth]", "  Auth: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Api, Type: TOKEN, IdentitySource: method.request.header.A}}\n")},
		{"authorizer-ref", method("", ", AuthorizerId: {ref: Auth}", "  Auth: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Api, Type: TOKEN, IdentitySource: method.request.header.A}}\n")},
		{"authorizer-of-another", method("", ", AuthorizationType: CUSTOM, AuthorizerId: !Ref Other", strings.ReplaceAll("  Auth: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Api, Type: TOKEN, IdentitySource: method.request.header.A}}\n  Second: {Type: AWS::ApiGateway::RestApi, Properties: {Name: b}}\n  Other: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Second, Name: Auth, Type: TOKEN, IdentitySource: method.request.header.A}}\n", "TOKEN,", "TOKEN, AuthorizerUri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations',"))},
		{"policy-null", method(", Policy: ", "", "")},
		{"policy-letter", method(", Polcy: {}", "", "")},
		{"endpoint-type", method(", EndpointConfiguration: {Type: PRIVATE}", "", "")},
		{"endpoint-text", method(", EndpointConfiguration: PRIVATE", "", "")},
		{"endpoint-list", method(", EndpointConfiguration: [PRIVATE]", "", "")},
		{"endpoint-types", method(", EndpointConfiguration: {Types: [[PRIVATE]]}", "", "")},
		{"endpoint-null", method(", EndpointConfiguration: ", "", "")},
		{"endpoint-unknown", method(", EndpointConfiguration: !GetAtt Lookup.X", "", "")},
		{"endpoint-if", method(", EndpointConfiguration: !If [Open, {Types: [PRIVATE]}, {}]", "", "")},
		{"endpoint-letter", method(", EndpointConfigration: {Types: [PRIVATE]}", "", "")},
		{"disabled-letter", method(", DisableExecuteApiEndPoint: true", "", "")},
		{"parameter-empty", strings.Replace(method("", ", AuthorizationType: !Ref Known", ""), "Default: x", "Default: ''", 1)},
		{"acl-case", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebAclArn: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'}}\n")},
		{"acl-resource-case", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceARN: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'}}\n")},
		{"acl-list", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: [x], ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'}}\n")},
		{"acl-null", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: , ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'}}\n")},
		{"acl-empty", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: '', ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'}}\n")},
		{"acl-stage-gone", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v2'}}\n")},
		{"acl-stage-dangling", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/${Stge}'}}\n")},
		{"acl-api-dangling", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Ap}/stages/v1'}}\n")},
		{"acl-name", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !Ref Stage}}\n")},
		{"acl-form", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::restapis/${Api}/stages/v1'}}\n")},
		{"acl-without-stage", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}'}}\n")},
		{"acl-resource", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Stage}/stages/v1'}}\n")},
		{"acl-nothing", method("", "", "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {}}\n")},
		{"acl-twice", method("", "", strings.Repeat("  W#: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: 'x#', ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'}}\n", 2))},
		{"acl-regional", method("", "", "  W: {Type: AWS::WAFRegional::WebACLAssociation, Properties: {WebACLId: x, ResourceArn: !Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'}}\n")},
		{"acl-of-stage", strings.Replace(method("", "", ""), "StageName: v1", "StageName: v1, WebAclArn: x", 1)},
		{"condition", strings.Replace(method("", "", ""), "    Type: AWS::ApiGateway::Method", "    Type: AWS::ApiGateway::Method\n    Condition: Open", 1)},
		{"twice", method("", "", "  Again: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET, AuthorizationType: AWS_IAM, Integration: {Type: MOCK}}}\n")},
		{"body-security-null", body("security: ", schemes)},
		{"body-auth-null", body("x-amazon-apigateway-auth: ", schemes)},
		{"body-types", strings.Replace(body("produces: []", schemes), "      Body:", "      Parameters: {endpointConfigurationTypes: [PRIVATE]}\n      Body:", 1)},
		{"body-types-letter", strings.Replace(body("produces: []", schemes), "      Body:", "      Parameters: {endpointConfigurationType: PRIVATE}\n      Body:", 1)},
		{"body-parameters", strings.Replace(body("produces: []", schemes), "      Body:", "      Parameters: !GetAtt Lookup.X\n      Body:", 1)},
		{"body-auth-whole", body("x-amazon-apigateway-auth: !GetAtt Lookup.Attr", schemes)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.GreaterOrEqual(t, answer(t, tt.text), 400)
		})
	}
}

// admin is a REST API whose proxy is open, and for whose path /admin one has to sign, if the method
// for it is found.
func admin(resource, method string) string {
	mock := "Integration: {Type: MOCK, RequestTemplates: {application/json: '{\"statusCode\":200}'}, IntegrationResponses: [{StatusCode: 200}]}"
	return strings.ReplaceAll(`
Conditions: {Never: !Equals [a, b]}
Resources:
  Lookup: {Type: Custom::Lookup}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: api}}
  Proxy: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: '{proxy+}'}}
  Any: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Proxy, HttpMethod: ANY, MOCK}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: v1}}
  Admin: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Api, `+resource+"}}\n  Get: "+method+"\n", "MOCK", mock)
}

// A method that can't be placed isn't passed over: its requests would come to one that is open.
func TestRoutesThatAreLost(t *testing.T) {
	parent := "ParentId: !GetAtt Api.RootResourceId, PathPart: admin"
	get := "{Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Admin, HttpMethod: GET, AuthorizationType: AWS_IAM, MOCK}}"
	for _, tt := range []struct{ name, resource, old, new string }{
		{"there", parent, "", ""},
		{"resource-dangling", parent, "!Ref Admin", "!Ref Admn"},
		{"resource-unknown", parent, "!Ref Admin", "!GetAtt Lookup.Id"},
		{"resource-of-another", parent, "!Ref Api", "!Ref Apy"},
		{"api-dangling", parent, "!Ref Api", "!Ref Apy"},
		{"api-missing", parent, "RestApiId: !Ref Api, ", ""},
		{"api-is-none", parent, "!Ref Api", "!Ref Stage"},
		{"method-missing", parent, "HttpMethod: GET, ", ""},
		{"method-unknown", parent, "HttpMethod: GET", "HttpMethod: !GetAtt Lookup.X"},
		{"method-blank", parent, "HttpMethod: GET", "HttpMethod: 'GET '"},
		{"path-missing", "ParentId: !GetAtt Api.RootResourceId", "", ""},
		{"path-unknown", "ParentId: !GetAtt Api.RootResourceId, PathPart: !GetAtt Lookup.X", "", ""},
		{"parent-missing", "PathPart: admin", "", ""},
		{"parent-dangling", "ParentId: !Ref Nothing, PathPart: admin", "", ""},
		{"condition-gone", parent, "Properties:", "Condition: Nothing, Properties:"},
		{"condition-list", parent, "Properties:", "Condition: [Never], Properties:"},
		{"file-gone", parent, "{RestApiId", "{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}, RestApiId"},
		{"macro", parent, "{RestApiId", "{'Fn::Transform': {Name: Mine}, RestApiId"},
		{"properties-unknown", parent, get[len("{Type: AWS::ApiGateway::Method, Properties: ") : len(get)-1], "!GetAtt Lookup.X"},
		{"stack-gone", parent, get, "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: none.yaml, Parameters: {Api: !Ref Api}}}"},
		{"stack-gone-root", parent, get, "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: none.yaml, Parameters: {Root: !GetAtt Api.RootResourceId}}}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.GreaterOrEqual(t, answerTo(t, "/admin", admin(tt.resource, strings.Replace(get, tt.old, tt.new, 1))), 400)
		})
	}
	require.Equal(t, http.StatusOK, answerTo(t, "/admin", admin(parent, strings.Replace(get, "Properties:", "Condition: Never, Properties:", 1))))
	require.Equal(t, http.StatusOK, answerTo(t, "/admin", admin(parent, strings.Replace(strings.Replace(get, "AWS_IAM", "NONE", 1), "!Ref Admin", "!GetAtt Lookup.Id", 1))),
		"one that is open doesn't close the others")
	for name, text := range map[string]string{
		`Get: line 10: there are no resources of the type "AWS::ApiGateway::Methd"; the nearest is "AWS::ApiGateway::Method"`: strings.Replace(get, "Method", "Methd", 1),
		`there are no resources of the type "AWS::ApiGatway::Method"`:                                                         strings.Replace(get, "ApiGateway", "ApiGatway", 1),
		"want a resource with a Type, got Get":                                                                                strings.Replace(get, "Type", "type", 1),
		`"Get" is there twice`:                                                                                                get + "\n  Get: {Type: AWS::SNS::Topic}",
		`"Properties" is there twice`:                                                                                         strings.Replace(get, "Properties", "Properties: {RestApiId: !Ref Api, AuthorizationType: AWS_IAM}, Properties", 1),
	} {
		_, err := tried(admin(parent, text), cloudformation.Options{})
		require.ErrorContains(t, err, name)
	}
}

// So it is with a path of a document that hangs on what isn't known.
func TestPathsThatAreLost(t *testing.T) {
	integration := "x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{\"statusCode\":200}'}, responses: {default: {}}}"
	for _, path := range []string{"!If [Open, {get: {INT, security: [{iam: []}]}}, !Ref AWS::NoValue]", "{get: !If [Open, {INT, security: [{iam: []}]}, {INT}]}",
		"{get: !GetAtt Lookup.X}", "{get: {x-amazon-apigateway-integration: !GetAtt Lookup.X, security: [{iam: []}]}}",
		"{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: 's3://b/k'}}}"} {
		text := strings.Replace(body("produces: []", "securityDefinitions: {iam: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authtype: awsSigv4}}"),
			"          /:\n", "          /admin: "+strings.ReplaceAll(path, "INT", integration)+"\n          /{proxy+}: {get: {"+integration+"}}\n          /:\n", 1)
		require.GreaterOrEqual(t, answerTo(t, "/admin", text), 400, path)
	}
}

// domainOf is what a stranger gets who asks for an API by its domain name.
func domainOf(t *testing.T, resources string) int {
	t.Helper()
	doc := read(t, method("", "", resources+"\n  M: {Type: AWS::ApiGateway::BasePathMapping, Properties: {DomainName: d.example, RestApiId: !Ref Api, Stage: v1}}\n"), cloudformation.Options{})
	g, err := definition.Build(t.Context(), doc, definition.Bindings{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer g.Close()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "http://d.example/", nil))
	return w.Code
}

// A domain name that may demand certificates, or be private, isn't open.
func TestDomainsAreClosed(t *testing.T) {
	name := "  D: {Type: AWS::ApiGateway::DomainName, Properties: {DomainName: d.example PROPERTIES}}"
	for _, p := range []string{"MutualTlsAuthentication: {}", "MutualTlsAuthentication: ", "MutualTLSAuthentication: {TruststoreUri: 's3://b/k'}", "MutalTlsAuthentication: {}", "MutualTls: {}",
		"TruststoreUri: 's3://b/k'", "EndpointConfiguration: {Type: PRIVATE}", "EndpointConfiguration: PRIVATE", "EndpointConfiguration: !GetAtt Lookup.X", "EndpointConfig: {Types: [PRIVATE]}"} {
		require.GreaterOrEqual(t, domainOf(t, strings.Replace(name, " PROPERTIES", ", "+p, 1)), 400, p)
	}
	plain := strings.Replace(name, " PROPERTIES", "", 1)
	require.Equal(t, http.StatusOK, domainOf(t, plain))
	require.GreaterOrEqual(t, domainOf(t, strings.Replace(name, " PROPERTIES", ", MutualTlsAuthentication: {}", 1)+"\n"+strings.Replace(plain, "D:", "E:", 1)), 400)
	_, err := tried(method("", "", strings.Replace(plain, "DomainName,", "DomainNam,", 1)), cloudformation.Options{})
	require.ErrorContains(t, err, `the nearest is "AWS::ApiGateway::DomainName"`)
}

// So does a route of a nested stack that may not be there.
func TestNestedDoubt(t *testing.T) {
	mock := "Integration: {Type: MOCK, RequestTemplates: {application/json: '{\"statusCode\":200}'}, IntegrationResponses: [{StatusCode: 200}]}"
	fsys := fstest.MapFS{
		"t.yaml": {Data: []byte(method("", ", AuthorizationType: AWS_IAM", "  N: {Type: AWS::CloudFormation::Stack, Condition: Open, Properties: {TemplateURL: n.yaml, Parameters: {A: !Ref Api, R: !GetAtt Api.RootResourceId}}}\n"))},
		"n.yaml": {Data: []byte("Parameters: {A: {Type: String}, R: {Type: String}}\nResources:\n  X: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref A, ParentId: !Ref R, PathPart: x}}\n" +
			"  G: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, ResourceId: !Ref X, HttpMethod: GET, " + mock + "}}\n")},
	}
	doc, err := cloudformation.Read(fsys, "t.yaml", cloudformation.Options{})
	require.NoError(t, err)
	_, unknown := definition.UnknownIn(doc.APIs[0].Routes["GET /x"].Auth.Type)
	require.True(t, unknown)
	doc, err = cloudformation.Read(fsys, "t.yaml", cloudformation.Options{Conditions: map[string]bool{"Open": true}})
	require.NoError(t, err)
	require.Equal(t, definition.AuthNone, doc.APIs[0].Routes["GET /x"].Auth.Type)
}

// Keys and rules that may not be there let nobody in, or everything.
func TestKeysAndRulesAreClosed(t *testing.T) {
	doc := read(t, method("", "", `  K: {Type: AWS::ApiGateway::ApiKey, Condition: Open, Properties: {Enabled: true, Value: 01234567890123456789}}
  R: {Type: AWS::ApiGatewayV2::RoutingRule, Properties: {DomainNameArn: 'arn:aws:apigateway:us-east-1::/domainnames/a.example', Priority: 1, Actions: [{InvokeApi: {ApiId: !Ref Api, Stage: v1}}], Conditions: [{MatchBasePaths: {AnyOf: {a: b}}}]}}
`), cloudformation.Options{})
	require.False(t, doc.APIKeys["K"].Enabled)
	_, unknown := definition.UnknownIn(strings.Join(doc.Domains["a.example"].Rules[0].BasePaths, ""))
	require.True(t, unknown)
	_, err := tried("Globls: {Api: {Auth: {ApiKeyRequired: true}}}\n"+method("", "", ""), cloudformation.Options{})
	require.ErrorContains(t, err, `there is no section "Globls"; the nearest is "Globals"`)
}

// Web ACLs of other services, and of APIs elsewhere, close nothing; one of an HTTP API does.
func TestOtherWebACLs(t *testing.T) {
	acl := "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {WebACLArn: x, ResourceArn: ARN}}\n"
	for arn, want := range map[string]int{
		"'arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/0123456789abcdef'": 200,
		"'arn:aws:apigateway:us-east-1::/restapis/abcdefghij/stages/v1'":                            200,
		"!GetAtt Lookup.Arn": 500,
		"!Sub 'arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/${Lookup.Arn}'": 200,
		"!Ref Nothing": 500,
		"!Sub 'arn:aws:apigateway:us-east-1::/apis/${Api}/stages/v1'": 500,
	} {
		require.Equal(t, want, answer(t, method("", "", strings.Replace(acl, "ARN", arn, 1))), arn)
	}
	one := strings.Replace(acl, "ARN", "!Sub 'arn:aws:apigateway:us-east-1::/restapis/${Api}/stages/v1'", 1)
	doubt := strings.Replace(strings.Replace(acl, "ARN", "!GetAtt Lookup.Arn", 1), "W:", "V:", 1)
	for _, both := range []string{one + doubt, doubt + one} {
		require.Equal(t, "x", read(t, method("", "", both), cloudformation.Options{}).APIs[0].Stages["v1"].WebACL)
	}
	doc := read(t, "Resources:\n  A: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}\n  S: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref A, StageName: s, AutoDeploy: true}}\n"+
		strings.Replace(acl, "ARN", "!Sub 'arn:aws:apigateway:us-east-1::/apis/${A}/stages/s'", 1), cloudformation.Options{})
	finding(t, doc, definition.Unsupported, "only REST APIs have web ACLs, and A refuses")
	_, unknown := definition.UnknownIn(doc.APIs[0].Stages["s"].WebACL)
	require.True(t, unknown)
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
