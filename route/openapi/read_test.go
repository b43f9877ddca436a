package openapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// rest is a REST API's document of these paths, and what else stands at its root.
func rest(paths, root string) string {
	return "openapi: 3.0.1\ninfo: {title: t, version: v}\n" + root + "\npaths:\n" + indent(paths)
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n" }

// mock is the extension of an integration that needs nothing else.
const mock = "x-amazon-apigateway-integration: {type: mock}"

const schemes = `components:
  securitySchemes:
    token: {type: apiKey, in: header, name: X-Token, x-amazon-apigateway-authorizer: {type: token, authorizerUri: "` + functionURI + `"}}
    request: {type: apiKey, in: query, name: q, x-amazon-apigateway-authorizer: {type: REQUEST, authorizerUri: "` + functionURI + `"}}
    pool: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: [p]}}
    signed: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authtype: AwsSigV4}
    key: {type: apiKey, in: header, name: x-API-key}
    keyed: {type: apiKey, in: header, name: x-api-key, x-amazon-apigateway-authorizer: {type: token, authorizerUri: "` + functionURI + `"}}
    open: {type: http, scheme: bearer}
`

const functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations"

func TestSecurity(t *testing.T) {
	type auth = definition.Auth
	none, token := auth{Type: "NONE"}, auth{Type: "CUSTOM", Authorizer: "token"}
	for _, tt := range []struct {
		name, root, own string
		want            auth
		key             bool
		finding         string
	}{
		{name: "nothing", want: none},
		{name: "root-applies", root: "[{token: []}]", want: token},
		{name: "root-scopes", root: "[{pool: [a, b]}]", want: auth{Type: "COGNITO_USER_POOLS", Authorizer: "pool", Scopes: []string{"a", "b"}}},
		{name: "own-replaces", root: "[{token: []}]", own: "[{pool: [a]}]", want: auth{Type: "COGNITO_USER_POOLS", Authorizer: "pool", Scopes: []string{"a"}}},
		{name: "own-empty-opens", root: "[{token: []}]", own: "[]", want: none},
		{name: "own-null-doesn't", root: "[{token: []}]", own: "~", want: token},
		{name: "empty-requirement", own: "[{}]", want: none},
		{name: "optional-isn't", own: "[{}, {token: []}]", want: token},
		{name: "request", own: "[{request: []}]", want: auth{Type: "CUSTOM", Authorizer: "request"}},
		{name: "iam", own: "[{signed: []}]", want: auth{Type: "AWS_IAM"}},
		{name: "key", own: "[{key: []}]", want: none, key: true},
		{name: "key-with-authorizer-is-none", own: "[{keyed: []}]", want: auth{Type: "CUSTOM", Authorizer: "keyed"}},
		{name: "key-and-authorizer", own: "[{token: []}, {key: []}]", want: token, key: true},
		{name: "key-and-authorizer-in-one", own: "[{key: [], token: []}]", want: token, key: true},
		{name: "root-key", root: "[{key: []}]", want: none, key: true},
		{name: "first-decides", own: "[{token: []}, {pool: []}]", want: token, finding: `of several authorizers the first decides, "pool" doesn't`},
		{name: "undefined", own: "[{tokn: []}]", want: none, finding: `the security scheme "tokn" isn't defined, and protects nothing; the nearest are "token"`},
		{name: "none-of-translator", own: "[{NONE: []}]", want: none},
		{name: "without-authorizer", own: "[{open: []}]", want: none, finding: `the security scheme "open" has no authorizer: it protects nothing`},
		{name: "auth-iam", root: "[{token: []}]", own: "[]\n  x-amazon-apigateway-auth: {type: aws_IAM}", want: auth{Type: "AWS_IAM"}},
		{name: "auth-none", root: "[{token: []}]", own: "~\n  x-amazon-apigateway-auth: {type: none}", want: none},
		{name: "auth-unknown", own: "[]\n  x-amazon-apigateway-auth: {type: magic}", want: auth{Type: "MAGIC"}, finding: "which nothing can decide: the route refuses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, own := "", ""
			if tt.root != "" {
				root = "security: " + tt.root + "\n"
			}
			if tt.own != "" {
				own = "    security: " + strings.ReplaceAll(tt.own, "\n", "\n  ") + "\n"
			}
			doc := read(t, rest("/a:\n  options:\n"+own+"    "+mock, root+schemes), openapi.Options{Flavor: "REST"})
			route := doc.APIs[0].Routes["OPTIONS /a"]
			require.Equal(t, tt.want, route.Auth)
			require.Equal(t, tt.key, route.APIKeyRequired)
			if tt.finding == "" {
				require.Empty(t, doc.Findings)
				return
			}
			require.Contains(t, what(doc), tt.finding)
			require.Equal(t, "OPTIONS /a", doc.Findings[0].Route)
			require.NotZero(t, doc.Findings[0].Origin.Line)
		})
	}
}

// what is all findings' text.
func what(doc *definition.Document) string {
	var b strings.Builder
	for _, f := range doc.Findings {
		b.WriteString(string(f.Severity) + ": " + f.What + "\n")
	}
	return b.String()
}

func TestBasePath(t *testing.T) {
	const paths = "/:\n  get: {" + mock + "}\n/e/:\n  get: {" + mock + "}"
	for _, tt := range []struct{ name, root, ignore, prepend, split string }{
		{"none", "", "/e", "/e", "/e"},
		{"variable", "servers: [{url: 'https://h', variables: {basePath: {default: /a/b}}}]", "/e", "/a/b/e", "/b/e"},
		{"variable-one-part", "servers: [{url: 'https://h/{basePath}', variables: {basePath: {default: a}}}]", "/e", "/a/e", "/e"},
		{"second-server", "servers: [{url: 'https://h/x'}, {url: 'https://h', variables: {basePath: {default: /a}}}]", "/e", "/a/e", "/e"},
		{"url", "servers: [{url: 'https://h/a/b/'}]", "/e", "/a/b/e", "/b/e"},
		{"url-variable", "servers: [{url: 'https://{host}/{v}', variables: {host: {default: h}, v: {default: v1}}}]", "/e", "/v1/e", "/e"},
		{"relative", "servers: [{url: /a}]", "/e", "/a/e", "/e"},
		{"no-path", "servers: [{url: 'https://h/'}]", "/e", "/e", "/e"},
		{"no-list", "servers: {}", "/e", "/e", "/e"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for mode, want := range map[string]string{"": tt.ignore, "ignore": tt.ignore, "prepend": tt.prepend, "split": tt.split} {
				routes := read(t, rest(paths, tt.root), openapi.Options{BasePath: mode}).APIs[0].Routes
				require.Contains(t, routes, "GET "+want, mode)
				top := strings.TrimSuffix(want, "/e")
				if top == "" {
					top = "/"
				}
				require.Contains(t, routes, "GET "+top, mode)
			}
		})
	}
	two := `{"swagger":"2.0","basePath":"/a/b/c/","paths":{"/e":{"get":{"x-amazon-apigateway-integration":{"type":"mock"}}}}}`
	require.Contains(t, read(t, two, openapi.Options{BasePath: "prepend"}).APIs[0].Routes, "GET /a/b/c/e")
	require.Contains(t, read(t, two, openapi.Options{BasePath: "split"}).APIs[0].Routes, "GET /b/c/e")
}

// What YAML 1.1 makes of what people write, where it matters.
func TestYAMLTraps(t *testing.T) {
	doc := read(t, `openapi: 3.0.0
info: {title: yes, version: 2022-08-08}
x-amazon-apigateway-policy: {Version: 2012-10-17, Statement: [{Principal: {AWS: 012345678901}, Enabled: on}]}
x-amazon-apigateway-request-validators: {v: {validateRequestBody: yes, validateRequestParameters: off}}
x-amazon-apigateway-gateway-responses: {THROTTLED: {statusCode: 430}}
paths:
  /a:
    get:
      operationId: 007
      x-amazon-apigateway-request-validator: v
      parameters: [{name: on, in: query, required: YES}, {name: 010, in: header, required: "true"}]
      responses: {200: {description: OK, headers: {no: {schema: {type: string}}}}}
      x-amazon-apigateway-integration:
        type: mock
        payloadFormatVersion: 1.0
        cacheNamespace: 0123
        requestParameters: {integration.request.header.a: true, integration.request.header.b: 'true', integration.request.header.c: 1}
        responses: {200: {statusCode: 200}, default: {statusCode: 0200}}
`, openapi.Options{Account: "000000000012"})
	api := doc.APIs[0]
	require.Equal(t, "true", api.Name) // which it is, unless quoted
	require.Equal(t, "2022-08-08", api.Version)
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Principal":{"AWS":"012345678901"},"Enabled":true}]}`, string(api.Policy))
	require.Equal(t, "430", api.GatewayResponses["THROTTLED"].Status)
	route := api.Routes["GET /a"]
	require.Equal(t, "007", route.Operation)
	require.True(t, route.Validator.Body)
	require.False(t, route.Validator.Parameters)
	require.Equal(t, map[string]bool{"method.request.querystring.true": true, "method.request.header.010": true}, route.RequestParameters)
	require.Equal(t, map[string]bool{"method.response.header.no": false}, route.MethodResponses["200"].Parameters)
	require.Equal(t, "0123", route.Integration.CacheNamespace)
	require.Equal(t, map[string]string{"integration.request.header.b": "true"}, route.Integration.RequestParameters)
	require.Equal(t, "200", route.Integration.Responses[0].Status)
	require.Equal(t, "200", route.Integration.Responses[0].Pattern)
	require.Contains(t, what(doc), "warning: Invalid format for 'requestParameters'. Expected type string for property "+
		"'integration.request.header.a' of resource '/a' and method 'GET' but got 'true'")
	require.Contains(t, what(doc), "'integration.request.header.c' of resource '/a' and method 'GET' but got '1'")
}

func TestTargets(t *testing.T) {
	const fn = "arn:aws:lambda:us-east-1:123456789012:function:f"
	type target = definition.Target
	for _, tt := range []struct {
		name, kind, uri string
		http            bool
		want            target
	}{
		{name: "qualifier", kind: "aws", uri: strings.Replace(functionURI, ":f/", ":f:7/", 1), want: target{Kind: "lambda", Name: "f", ARN: fn, Qualifier: "7"}},
		{name: "china", kind: "aws", uri: "arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/arn:aws-cn:lambda:cn-north-1:123456789012:function:f/invocations",
			want: target{Kind: "lambda", Name: "f", ARN: "arn:aws-cn:lambda:cn-north-1:123456789012:function:f"}},
		{name: "bare", kind: "aws_proxy", uri: fn + ":live", http: true, want: target{Kind: "lambda", Name: "f", ARN: fn, Qualifier: "live"}},
		{name: "no-arn", kind: "aws", uri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/my-function/invocations", want: target{Kind: "lambda", URI: "my-function"}},
		{name: "path", kind: "aws", uri: "arn:aws:apigateway:us-east-1:s3:path//", want: target{Kind: "service", Service: "s3", Region: "us-east-1", Path: "/"}},
		{name: "subdomain", kind: "aws", uri: "arn:aws:apigateway:us-east-1:my.bucket.s3:path/{key}", want: target{Kind: "service", Subdomain: "my.bucket", Service: "s3", Region: "us-east-1", Path: "{key}"}},
		{name: "arguments", kind: "aws", uri: "arn:aws:apigateway:us-east-1:sns:action/Publish&Version=2010-03-31&a=b=c",
			want: target{Kind: "service", Service: "sns", Region: "us-east-1", Action: "Publish", Arguments: map[string]string{"Version": "2010-03-31", "a": "b=c"}}},
		{name: "lambda-action", kind: "aws", uri: "arn:aws:apigateway:us-east-1:lambda:action/Invoke", want: target{Kind: "service", Service: "lambda", Region: "us-east-1", Action: "Invoke"}},
		{name: "http", kind: "http", uri: "https://h/${stageVariables.p}/{x}", want: target{Kind: "http", URI: "https://h/${stageVariables.p}/{x}"}},
		{name: "placeholder", kind: "aws_proxy", uri: "${function_uri}", want: target{Kind: "other", URI: "${function_uri}"}},
		{name: "unknown", kind: "aws", uri: definition.Unknown("Custom::X.Arn"), want: target{Kind: "other", URI: definition.Unknown("Custom::X.Arn")}},
		{name: "placeholder-within", kind: "http", uri: "https://${host}/a", want: target{Kind: "http", URI: "https://${host}/a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := openapi.Options{Flavor: "REST"}
			if tt.http {
				o.Flavor = "HTTP"
			}
			doc := read(t, rest("/a:\n  get:\n    x-amazon-apigateway-integration: {type: "+tt.kind+", uri: '"+tt.uri+"'}", ""), o)
			require.Equal(t, tt.want, doc.APIs[0].Routes["GET /a"].Integration.Target)
			unknown := strings.Contains(tt.name, "placeholder") || tt.name == "unknown" || tt.name == "no-arn"
			require.Equal(t, unknown, strings.Contains(what(doc), "unknown value: "), what(doc))
			if tt.want.Kind == "other" {
				return
			}
			written, err := openapi.Write(doc, "", openapi.Options{})
			require.NoError(t, err)
			if tt.name == "bare" || tt.name == "china" {
				return // in the one form, and of the API's region
			}
			require.Contains(t, string(written), `"uri": "`+tt.uri+`"`)
		})
	}
}

func TestMethodOfTheCall(t *testing.T) {
	for _, tt := range []struct{ name, operation, integration, want, finding string }{
		{"function", "get", "{type: aws, uri: '" + functionURI + "'}", "POST", ""},
		{"function-otherwise", "get", "{type: aws, httpMethod: get, uri: '" + functionURI + "'}", "GET", "a function is called with POST; with GET the managed gateway answers 500"},
		{"http", "delete", "{type: http, uri: 'https://h'}", "DELETE", ""},
		{"http-own", "delete", "{type: http, httpMethod: put, uri: 'https://h'}", "PUT", ""},
		{"any", "x-amazon-apigateway-any-method", "{type: http, uri: 'https://h'}", "ANY", ""},
		{"mock", "get", "{type: mock, httpMethod: POST}", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, rest("/a:\n  "+tt.operation+":\n    x-amazon-apigateway-integration: "+tt.integration, ""), openapi.Options{})
			for _, route := range doc.APIs[0].Routes {
				require.Equal(t, tt.want, route.Integration.Method)
			}
			require.Contains(t, what(doc), tt.finding)
		})
	}
}

func TestPayloadFormats(t *testing.T) {
	for written, want := range map[string]string{"1": "1.0", "2": "2.0", "1.0": "1.0", "'2.0'": "2.0", "~": ""} {
		doc := read(t, rest("/a:\n  get:\n    x-amazon-apigateway-integration: {type: http_proxy, uri: 'https://h', payloadFormatVersion: "+written+"}",
			"components: {securitySchemes: {s: {x-amazon-apigateway-authorizer: {type: request, authorizerUri: '"+functionURI+"', authorizerPayloadFormatVersion: "+written+"}}}}"),
			openapi.Options{Flavor: "HTTP"})
		require.Equal(t, want, doc.APIs[0].Routes["GET /a"].Integration.PayloadFormat, written)
		require.Equal(t, want, doc.APIs[0].Authorizers["s"].PayloadFormat, written)
	}
}

// A pool's ARNs are no part of a token authorizer.
func TestProvidersOfATokenAuthorizer(t *testing.T) {
	doc := read(t, rest("/a: {}", "components: {securitySchemes: {s: {name: n, x-amazon-apigateway-authorizer: {type: token, providerARNs: [p], authorizerUri: '"+functionURI+"'}}}}"), openapi.Options{})
	require.Empty(t, doc.APIs[0].Authorizers["s"].Providers)
	require.Equal(t, []string{"method.request.header.n"}, doc.APIs[0].Authorizers["s"].IdentitySource)
}

func TestFlavorIsGuessed(t *testing.T) {
	integration := func(text string) string { return rest("/a:\n  get: {x-amazon-apigateway-integration: {"+text+"}}", "") }
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":        {rest("/a:\n  get: {"+mock+"}", ""), "REST"},
		"cors":           {rest("/a: {}", "x-amazon-apigateway-cors: {}"), "HTTP"},
		"version":        {rest("/a: {}", "x-amazon-apigateway-importexport-version: '1.0'"), "HTTP"},
		"integrations":   {rest("/a: {}", "components: {x-amazon-apigateway-integrations: {}}"), "HTTP"},
		"jwt":            {rest("/a: {}", "components: {securitySchemes: {j: {x-amazon-apigateway-authorizer: {type: JWT, jwtConfiguration: {issuer: 'https://i'}}}}}"), "HTTP"},
		"default":        {rest("/$default: {}", ""), "HTTP"},
		"payload-2":      {integration("type: aws_proxy, payloadFormatVersion: 2.0, uri: '" + functionURI + "'"), "HTTP"},
		"payload-1":      {integration("type: aws_proxy, payloadFormatVersion: 1.0, uri: '" + functionURI + "'"), "REST"},
		"subtype":        {integration("type: aws_proxy, integrationSubtype: SQS-SendMessage"), "HTTP"},
		"default-route":  {rest("/a:\n  x-amazon-apigateway-any-method: {isDefaultRoute: true}", ""), "HTTP"},
		"2.0-never-HTTP": {`{"swagger":"2.0","x-amazon-apigateway-cors":{}}`, "REST"},
	} {
		require.Equal(t, tt.want, read(t, tt.text, openapi.Options{}).APIs[0].Flavor, name)
	}
}

func TestMerge(t *testing.T) {
	into := read(t, rest("/a/{x}:\n  get: {"+mock+"}\n  put: {"+mock+"}", "x-amazon-apigateway-binary-media-types: [a/b]\nsecurity: [{token: []}]\n"+schemes),
		openapi.Options{}).APIs[0]
	doc := read(t, strings.Replace(rest("/a/{x}:\n  get: {operationId: new, "+mock+"}\n/b:\n  get: {"+mock+"}",
		"x-amazon-apigateway-binary-media-types: [a/b, c/d]"), "title: t", "title: u", 1), openapi.Options{Into: into, EndpointTypes: []string{"EDGE"}})
	api := doc.APIs[0]
	require.Len(t, api.Routes, 3)
	require.Equal(t, "new", api.Routes["GET /a/{x}"].Operation)
	require.Equal(t, "CUSTOM", api.Routes["PUT /a/{x}"].Auth.Type)
	require.Equal(t, []string{"a/b", "c/d"}, api.BinaryMediaTypes)
	require.Equal(t, "u", api.Name)
	require.Equal(t, []string{"EDGE"}, api.EndpointTypes)
	require.Len(t, api.Authorizers, 4)
	require.Len(t, into.Routes, 2, "what is merged into isn't changed")
	require.Equal(t, []string{"a/b"}, into.BinaryMediaTypes)
	_, err := openapi.Read([]byte(rest("/a/{y}:\n  get: {"+mock+"}", "")), openapi.Options{Into: into})
	require.ErrorContains(t, err, "A sibling ({x}) of this resource already has a variable path part")
}
