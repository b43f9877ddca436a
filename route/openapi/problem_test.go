package openapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// get is an operation of /a with an integration of these members.
func get(integration, more string) string {
	return rest("/a:\n  get:\n    "+more+"\n    x-amazon-apigateway-integration: {"+integration+"}", "")
}

const noMore = "summary: s"

// What the managed gateway refuses, in its words where they are known.
func TestErrors(t *testing.T) {
	http := openapi.Options{Flavor: "HTTP"}
	for _, tt := range []struct {
		name, text string
		o          openapi.Options
		want       []string // lines
	}{
		{"siblings", rest("/user/{bizId}:\n  get: {"+mock+"}\n/user/{userId}/fans:\n  get: {"+mock+"}", ""), openapi.Options{}, []string{
			"Unable to create resource at path '/user/{userId}/fans': A sibling ({bizId}) of this resource already has a variable path part -- only one is allowed"}},
		{"sibling-greedy", rest("/{id}: {}\n/{proxy+}: {}", ""), openapi.Options{}, []string{"Unable to create resource at path '/{proxy+}': A sibling ({id})"}},
		{"variable-within", rest("/a{b}: {}", ""), openapi.Options{}, []string{"Unable to create resource at path '/a{b}': want a variable to be a whole segment"}},
		{"variable-odd-http", rest("/{a++}: {}", ""), http, []string{"Unable to create route at path '/{a++}'"}},
		{"variable-odd-within", rest("/{a++}/b: {}", ""), openapi.Options{}, []string{"Unable to create resource at path '/{a++}/b'"}},
		{"method-case", rest("/a:\n  GET: {"+mock+"}", ""), openapi.Options{}, []string{"Parse issue: attribute paths.'/a'.GET is unexpected: it is no method; the nearest are \"get\""}},
		{"method-secured", rest("/a:\n  gte: {security: [{a: []}]}", ""), http, []string{"Parse issue: attribute paths.'/a'.gte is unexpected"}},
		{"path-http", rest("/a{b}: {}", ""), http, []string{"Unable to create route at path '/a{b}'"}},
		{"twice", rest("/a:\n  get: {"+mock+"}\n/a/:\n  get: {"+mock+"}", ""), openapi.Options{}, []string{"Unable to create 'GET' for resource at path '/a': it is there twice"}},
		{"type", get("type: soap", noMore), openapi.Options{}, []string{"Unable to parse API definition because of a malformed integration at path /a"}},
		{"no-type", get("uri: 'https://h'", noMore), openapi.Options{}, []string{"Unable to parse API definition because of a malformed integration at path /a"}},
		{"no-map", rest("/a:\n  get: {x-amazon-apigateway-integration: mock}", ""), openapi.Options{}, []string{"malformed integration at path /a"}},
		{"no-function", get("type: aws, uri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions//invocations'", noMore), openapi.Options{}, []string{
			"Unable to put integration on 'GET' for resource at path '/a': Invalid function ARN or invalid uri"}},
		{"function-path", get("type: aws_proxy, uri: 'arn:aws:apigateway:us-east-1:lambda:path/functions/x'", noMore), openapi.Options{}, []string{
			"Unable to put integration on 'GET' for resource at path '/a': Invalid function ARN or invalid uri"}},
		{"no-part", get("type: aws, uri: 'arn:aws:apigateway:us-east-1:sqs:queue'", noMore), openapi.Options{}, []string{
			"Unable to put integration on 'GET' for resource at path '/a': AWS ARN for integration must contain path or action"}},
		{"bare-function-rest", get("type: aws_proxy, uri: 'arn:aws:lambda:us-east-1:1:function:f'", noMore), openapi.Options{}, []string{"must contain path or action"}},
		{"no-arn", get("type: aws, uri: 'arn:sqs'", noMore), openapi.Options{}, []string{"Invalid ARN specified in the request"}},
		{"no-uri", get("type: aws", noMore), openapi.Options{}, []string{"Invalid ARN specified in the request"}},
		{"http-uri", get("type: http, uri: 'ftp://h'", noMore), openapi.Options{}, []string{"Invalid HTTP endpoint specified for URI"}},
		{"http-variable-first", get("type: http, uri: '${stageVariables.url}'", noMore), openapi.Options{}, []string{"Invalid HTTP endpoint specified for URI"}},
		{"private", get("type: http_proxy, connectionType: VPC_LINK, uri: 'arn:aws:sqs:a:b:c'", noMore), http, []string{"want the ARN of a listener"}},
		{"path-variable", rest("/{proxy+}:\n  get: {x-amazon-apigateway-integration: {type: http, uri: 'https://h/{p}', requestParameters: {integration.request.path.p: method.request.path.proxy}}}", ""),
			openapi.Options{}, []string{"Unable to put integration on 'GET' for resource at path '/{proxy+}': Invalid mapping expression specified: " +
				"Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.request.path.proxy]"}},
		{"earlier-variable", rest("/{x}/y:\n  get: {x-amazon-apigateway-integration: {type: http, uri: 'https://h/{p}', requestParameters: {integration.request.path.p: method.request.path.x}}}", ""),
			openapi.Options{}, []string{"Invalid mapping expression parameter specified: method.request.path.x]"}},
		{"query", get("type: mock, requestParameters: {integration.request.header.q: method.request.multivaluequerystring.q}", noMore), openapi.Options{}, []string{"method.request.multivaluequerystring.q]"}},
		{"response-header", get("type: mock, responses: {default: {statusCode: 200, responseParameters: {method.response.header.X: \"'1'\"}}}", "responses: {200: {description: d}}"), openapi.Options{}, []string{
			"Unable to put integration response on 'GET' for resource at path '/a': Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.response.header.X]"}},
		{"response-header-no-response", get("type: mock, responses: {default: {responseParameters: {method.response.header.X: \"'1'\"}}}", noMore), openapi.Options{}, []string{"method.response.header.X]"}},
		{"timeout-short", get("type: mock, timeoutInMillis: 49", noMore), openapi.Options{}, []string{"Unable to put integration on 'GET' for resource at path '/a': Timeout should be between 50 ms and 29000 ms"}},
		{"timeout-http", get("type: http_proxy, uri: 'https://h', timeoutInMillis: 30001", noMore), http, []string{"Timeout should be between 50 ms and 30000 ms"}},
		{"timeout-text", get("type: mock, timeoutInMillis: long", noMore), openapi.Options{}, []string{"Timeout should be"}},
		{"passthrough", get("type: mock, passthroughBehavior: when_no_matches", noMore), openapi.Options{}, []string{"Invalid passthroughBehavior specified: WHEN_NO_MATCHES; the nearest are \"WHEN_NO_MATCH\""}},
		{"content-handling", get("type: mock, contentHandling: text", noMore), openapi.Options{}, []string{"Invalid contentHandling specified: TEXT"}},
		{"transfer", get("type: http_proxy, uri: 'https://h', responseTransferMode: slow", noMore), openapi.Options{}, []string{"Invalid responseTransferMode specified: SLOW"}},
		{"payload", get("type: http_proxy, uri: 'https://h', payloadFormatVersion: 3.0", noMore), http, []string{"Invalid payloadFormatVersion specified: 3.0"}},
		{"validator", get("type: mock", "x-amazon-apigateway-request-validator: al"), openapi.Options{}, []string{"Unable to put method 'GET' on resource at path '/a': Invalid request validator specified: al"}},
		{"ref-away", get("type: mock", "parameters: [{$ref: 'other.yaml#/x'}]"), openapi.Options{}, []string{"Unable to resolve the reference 'other.yaml#/x': want one within the document, to what is there"}},
		{"ref-nowhere", get("type: mock", "requestBody: {$ref: '#/components/requestBodies/No'}"), openapi.Options{}, []string{"Unable to resolve the reference '#/components/requestBodies/No'"}},
		{"ref-schema", get("type: mock", "requestBody: {content: {a/b: {schema: {type: object, properties: {x: {$ref: 'https://h/x.json'}}}}}}"), openapi.Options{}, []string{"Unable to resolve the reference 'https://h/x.json'"}},
		{"ref-integration", rest("/a:\n  get: {x-amazon-apigateway-integration: {$ref: '#/components/x-amazon-apigateway-integrations/no'}}", ""), http, []string{"x-amazon-apigateway-integrations/no'"}},
		{"two-authorizers-http", rest("/a:\n  get:\n    security: [{j: []}, {k: []}]\n    "+strings.Replace(mock, "mock", "http_proxy, uri: 'https://h'", 1), "components: {securitySchemes: {j: &j {x-amazon-apigateway-authorizer: {type: jwt, jwtConfiguration: {issuer: i}}}, k: *j}}"),
			http, []string{"Unable to create route 'GET /a': want one authorizer, got several"}},
		{"security-no-list", get("type: mock", "security: {token: []}"), openapi.Options{}, []string{"Parse issue: attribute security is not of type `array`"}},
		{"paths-no-map", "openapi: 3.0.1\npaths: []\n", openapi.Options{}, []string{"Parse issue: attribute paths is not of type `object`"}},
		{"authorizer-type", rest("/a: {}", "components: {securitySchemes: {s: {x-amazon-apigateway-authorizer: {type: jwt}}}}"), openapi.Options{Flavor: "REST"}, []string{"Unable to create authorizer 's': Invalid authorizer type specified: jwt"}},
		{"authorizer-type-http", rest("/a: {}", "components: {securitySchemes: {s: {name: n, x-amazon-apigateway-authorizer: {type: token}}}}"), http, []string{"Invalid authorizer type specified: token"}},
		{"authorizer-uri", rest("/a: {}", "components: {securitySchemes: {s: {name: n, x-amazon-apigateway-authorizer: {type: token, authorizerUri: 'arn:aws:apigateway:us-east-1:sqs:path/q'}}}}"), openapi.Options{}, []string{"Unable to create authorizer 's': Invalid Authorizer URI: arn:aws:apigateway:us-east-1:sqs:path/q"}},
		{"authorizer-ttl", rest("/a: {}", "components: {securitySchemes: {s: {x-amazon-apigateway-authorizer: {type: request, authorizerUri: '"+functionURI+"', authorizerResultTtlInSeconds: 3601}}}}"), openapi.Options{}, []string{"Authorizer result TTL should be between 0 and 3600 seconds"}},
		{"no-issuer", rest("/a: {}", "components: {securitySchemes: {s: {x-amazon-apigateway-authorizer: {type: jwt}}}}"), http, []string{"Unable to create authorizer 's': want an issuer"}},
		{"compression", rest("/a: {}", "x-amazon-apigateway-minimum-compression-size: 10485761"), openapi.Options{}, []string{"Invalid minimum compression size, must be between 0 and 10485760"}},
		{"key-source", rest("/a: {}", "x-amazon-apigateway-api-key-source: cookie"), openapi.Options{}, []string{"Invalid API key source specified: cookie"}},
		{"gateway-response", rest("/a: {}", "x-amazon-apigateway-gateway-responses: {THROTLED: {}}"), openapi.Options{}, []string{"Invalid gateway response type specified: THROTLED; the nearest are \"THROTTLED\""}},
		{"gateway-response-status", rest("/a: {}", "x-amazon-apigateway-gateway-responses: {THROTTLED: {statusCode: many}}"), openapi.Options{}, []string{"Invalid status code specified for gateway response THROTTLED: many"}},
		{"policy", rest("/a: {}", "x-amazon-apigateway-policy: 'no json'"), openapi.Options{}, []string{"Invalid policy document."}},
		{"cors", rest("/a: {}", "x-amazon-apigateway-cors: true"), http, []string{"Invalid CORS configuration"}},
		{"cors-age", rest("/a: {}", "x-amazon-apigateway-cors: {maxAge: 86401}"), http, []string{"maxAge should be between -1 and 86400 seconds"}},
		{"cors-credentials", rest("/a: {}", "x-amazon-apigateway-cors: {allowOrigins: ['*'], allowCredentials: true}"), http, []string{"allowCredentials can't be true"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := openapi.Read([]byte(tt.text), tt.o)
			require.Nil(t, doc)
			var refused *openapi.Error
			require.ErrorAs(t, err, &refused)
			require.True(t, strings.HasPrefix(err.Error(), "openapi: Errors found during import:\n\t"), err.Error())
			require.Len(t, refused.Errors, len(tt.want), err.Error())
			for i, want := range tt.want {
				require.Contains(t, refused.Errors[i].What, want)
				require.Contains(t, refused.Message, "\n\t"+refused.Errors[i].What)
				require.NotEmpty(t, refused.Errors[i].Origin.Path)
			}
		})
	}
}

func TestInvalidInput(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		o    openapi.Options
		want string
	}{
		"yaml":       {"test:\n  - \"a\" b\n", openapi.Options{}, "invalid YAML: line "},
		"json":       {`{"openapi": "3.0.1",`, openapi.Options{}, "invalid JSON"},
		"empty":      {"", openapi.Options{}, "empty"},
		"list":       {"- a", openapi.Options{}, "want a map"},
		"no-version": {"paths: {}", openapi.Options{}, `want swagger: "2.0" or openapi: 3.0.x, got ""`},
		"3.1":        {"openapi: 3.1.0", openapi.Options{}, `got "3.1.0"`},
		"1.2":        {"swagger: 1.2", openapi.Options{}, `got "1.2"`},
		"both":       {"swagger: 2.0\nopenapi: 3.0.1", openapi.Options{}, "want swagger or openapi, got both"},
		"http-2.0":   {"swagger: 2.0", openapi.Options{Flavor: "HTTP"}, "want OpenAPI 3.0 for an HTTP API"},
		"tag":        {"openapi: 3.0.1\ninfo:\n  title: !Ref Name", openapi.Options{}, "line 3: the tag !Ref is of a template"},
		"twice":      {"openapi: 3.0.1\nsecurity: [{a: []}]\nsecurity: []", openapi.Options{}, `line 3: "security" is there twice, also in line 2`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openapi.Read([]byte(tt.text), tt.o)
			require.ErrorContains(t, err, "openapi: Invalid OpenAPI input. (")
			require.ErrorContains(t, err, tt.want)
			var refused *openapi.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "Invalid OpenAPI input.", refused.Message)
		})
	}
}

// What the managed gateway imports, with a warning in its words; where FailOnWarnings is set, it
// doesn't.
func TestWarnings(t *testing.T) {
	http := openapi.Options{Flavor: "HTTP"}
	for _, tt := range []struct {
		name, text string
		o          openapi.Options
		want       string
	}{
		{"no-text", get("type: mock, requestParameters: {integration.request.header.nothing: true}", noMore), openapi.Options{},
			"Invalid format for 'requestParameters'. Expected type string for property 'integration.request.header.nothing' of resource '/a' and method 'GET' but got 'true'"},
		{"no-text-list", get("type: mock, requestParameters: {integration.request.header.x: [1]}", noMore), openapi.Options{}, "but got 'list'"},
		{"no-text-response", get("type: mock, responses: {default: {responseParameters: {method.response.header.X: 1}}}", noMore), openapi.Options{}, "Invalid format for 'responseParameters'"},
		{"no-model", get("type: mock", "requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/X'}}}}"), openapi.Options{}, "Reference to model 'X' not found. Ignoring."},
		{"no-response-model", get("type: mock", "responses: {200: {content: {application/json: {schema: {$ref: '#/components/schemas/X'}}}}}"), openapi.Options{}, "Reference to model 'X' not found. Ignoring."},
		{"no-model-in-model", rest("/a: {}", "components: {schemas: {A: {items: {$ref: '#/components/schemas/X'}}}}"), openapi.Options{}, "Reference to model 'X' not found. Ignoring."},
		{"schema-in-2.0", `{"swagger":"2.0","paths":{"/x":{"options":{` + `"x-amazon-apigateway-integration":{"type":"mock"},"responses":{"200":{"headers":{"NAME":{"schema":{}}}}}}}}}`, openapi.Options{},
			"Parse issue: attribute paths.'/x'(options).responses.200.headers.NAME.schema is unexpected"},
		{"no-slash", rest("a:\n  get: {"+mock+"}", ""), openapi.Options{}, "Parse issue: attribute paths. Resource a should start with /"},
		{"default", rest("$default:\n  x-amazon-apigateway-any-method: {isDefaultRoute: true, x-amazon-apigateway-integration: {type: http_proxy, uri: 'https://h'}}", ""), http,
			"Parse issue: attribute paths. Resource $default should start with /"},
		{"type-http", get("type: aws, uri: '"+functionURI+"'", noMore), http, "Unsupported integration type AWS at path /a and method GET"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, tt.text, tt.o)
			require.Len(t, doc.Findings, 1, what(doc))
			require.Equal(t, definition.Warning, doc.Findings[0].Severity)
			require.Contains(t, doc.Findings[0].What, tt.want)
			require.NotEmpty(t, doc.Findings[0].Origin.Path)
			tt.o.FailOnWarnings = true
			_, err := openapi.Read([]byte(tt.text), tt.o)
			require.ErrorContains(t, err, "openapi: Warnings found during import:\n\t")
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := openapi.Read([]byte(rest("a:\n  get: {x-amazon-apigateway-integration: {type: x}}", "")), openapi.Options{})
	require.EqualError(t, err, "openapi: Errors found during import:\n\tUnable to parse API definition because of a malformed integration at path /a\n"+
		"Additionally, these warnings were found:\n\tParse issue: attribute paths. Resource a should start with /")
}

// What the managed gateway takes without a word is no reason to fail with FailOnWarnings, but for
// what may surprise somebody there is a finding.
func TestNotes(t *testing.T) {
	http := openapi.Options{Flavor: "HTTP"}
	for _, tt := range []struct {
		name, text string
		o          openapi.Options
		severity   definition.Severity
		want       string
	}{
		{"no-responses", get("type: mock", "responses: {}"), openapi.Options{}, "", ""},
		{"proxy-responses", get("type: http_proxy, uri: 'https://h', responses: {default: {responseParameters: {method.response.header.X: \"'1'\"}}}", noMore), openapi.Options{}, "", ""},
		{"siblings-http", rest("/{a}/x:\n  get: {x-amazon-apigateway-integration: &i {type: http_proxy, uri: 'https://h'}}\n/{b}/y:\n  get: {x-amazon-apigateway-integration: *i}", ""), http, "", ""},
		{"anybody's-extension", get("type: mock", "x-mine: 1"), openapi.Options{}, "", ""},
		{"model-name", rest("/a: {}", "components: {schemas: {inline_1: {}}}"), openapi.Options{}, definition.Differs, "Model name must be alphanumeric: inline_1"},
		{"keyword", rest("/a: {}", "components: {schemas: {A: {type: integer, exclusiveMinimum: true, minimum: 0}}}"), openapi.Options{}, definition.Differs, "models don't have the keyword exclusiveMinimum"},
		{"http-under-aws", get("type: aws_proxy, uri: 'https://h'", noMore), openapi.Options{}, definition.Differs, "a URI of HTTP under the type AWS_PROXY, which the managed gateway refuses"},
		{"no-integration", rest("/a:\n  get: {}", ""), openapi.Options{}, definition.Unsupported, "No integration defined for method"},
		{"no-integration-http", rest("/a:\n  get: {}", ""), http, definition.Warning, "no route is made of it"},
		{"variable-odd", rest("/a/{b}/{proxy++}:\n  get: {"+mock+"}", ""), openapi.Options{}, definition.Unsupported, "the path /a/{b}/{proxy++} has a variable that no request can fill, and refuses"},
		{"trace", rest("/a:\n  trace: {}", ""), openapi.Options{}, definition.Warning, "no API has the method TRACE"},
		{"misspelled", rest("/a:\n  gett: {}", ""), openapi.Options{}, definition.Warning, `"gett" is no method, and has no effect; the nearest are "get"`},
		{"extension", get("type: mock", "x-amazon-apigateway-ath: {type: AWS_IAM}"), openapi.Options{}, definition.Unsupported, `there is no extension "x-amazon-apigateway-ath" here, and it has no effect; the nearest are "auth"`},
		{"extension-root", rest("/a: {}", "x-amazon-apigateway-route-selection-expression: x"), openapi.Options{}, definition.Warning, "there is no extension"},
		{"extension-of-others", rest("/a: {}", "x-amazon-apigateway-cors: {}"), openapi.Options{Flavor: "REST"}, definition.Warning, "x-amazon-apigateway-cors has no effect on REST APIs"},
		{"extension-of-others-http", rest("/a: {}", "x-amazon-apigateway-policy: {}"), http, definition.Warning, "x-amazon-apigateway-policy has no effect on HTTP APIs"},
		{"cors-member", rest("/a: {}", "x-amazon-apigateway-cors: {allowOrigin: ['*']}"), http, definition.Warning, `"allowOrigin" is no part of a CORS configuration, and has no effect; the nearest are "allowOrigins"`},
		{"keys-http", rest("/a:\n  get:\n    security: [{key: []}]\n    x-amazon-apigateway-integration: {type: http_proxy, uri: 'https://h'}", "components: {securitySchemes: {key: {type: apiKey, in: header, name: x-api-key}}}"), http, definition.Unsupported, "HTTP APIs have no API keys"},
		{"default-get", rest("/$default:\n  get: {}", ""), http, definition.Warning, "the default route is one for all methods"},
		{"path-extension", rest("/a: {}\nx-all: {}", ""), openapi.Options{}, definition.Ignored, "an extension among the paths"},
		{"same-status", get("type: mock, responses: {default: {}, '5..': {statusCode: 200}}", noMore), openapi.Options{}, definition.Differs, "the managed gateway keeps one response for the status 200"},
		{"template-map", get("type: mock, requestTemplates: {application/json: {statusCode: 200}}", noMore), openapi.Options{}, definition.Differs, "a template that is no text is taken for its JSON"},
		{"long-timeout", get("type: mock, timeoutInMillis: 60000", noMore), openapi.Options{}, definition.Ignored, "for accounts that were granted it"},
		{"authorizer-unknown", rest("/a: {}", "components: {securitySchemes: {s: {name: n, x-amazon-apigateway-authorizer: {type: token, authorizerUri: '${uri}'}}}}"), openapi.Options{}, definition.UnknownValue, `"${uri}" is a value of another tool`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.FailOnWarnings = true
			doc := read(t, tt.text, tt.o)
			if tt.want == "" {
				require.Empty(t, doc.Findings)
				return
			}
			require.Len(t, doc.Findings, 1, what(doc))
			require.Equal(t, tt.severity, doc.Findings[0].Severity)
			require.Contains(t, doc.Findings[0].What, tt.want)
			require.NotZero(t, doc.Findings[0].Origin.Line)
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := openapi.Read([]byte("openapi: 3.0.1"), openapi.Options{Flavor: "WEBSOCKET", BasePath: "strip", Into: &definition.API{Flavor: "HTTP"}})
	require.ErrorContains(t, err, `Flavor: want REST or HTTP, or none, got "WEBSOCKET"`)
	require.ErrorContains(t, err, `BasePath: want ignore, prepend or split, or none, got "strip"`)
	require.ErrorContains(t, err, "Into: want an API of the flavor WEBSOCKET, got HTTP")
}
