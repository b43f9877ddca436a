package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// scheme is a document with one authorizer, of these members.
func scheme(members string) string {
	return rest("/a: {}", "components: {securitySchemes: {s: {type: apiKey, in: header, name: X, x-amazon-apigateway-authorizer: {"+members+"}}}}")
}

func endpoint(members string) string {
	return rest("/a: {}", "servers: [{url: /, x-amazon-apigateway-endpoint-configuration: "+members+"}]")
}

// What nothing reads is reported: it was to have an effect.
func TestUnknownMembers(t *testing.T) {
	rest, http := openapi.Options{Flavor: "REST"}, openapi.Options{Flavor: "HTTP"}
	for _, tt := range []struct {
		name, text string
		o          openapi.Options
		severity   definition.Severity
		want       string
	}{
		{"root", root("tag: []"), rest, definition.Warning, `"tag" is no part of a document's root, and has no effect; the nearest are "tags"`},
		{"operation", get("type: mock", "parameter: []"), rest, definition.Warning, `"parameter" is no part of an operation, and has no effect; the nearest are "parameters"`},
		{"scheme", root("components: {securitySchemes: {s: {typ: apiKey}}}"), rest, definition.Unsupported, `"typ" is no part of a security scheme`},
		{"scheme-extension", root("components: {securitySchemes: {s: {type: apiKey, x-amazon-apigateway-authoriser: {}}}}"), rest, definition.Unsupported, `no extension "x-amazon-apigateway-authoriser"`},
		{"authorizer", scheme("type: token, authorizerUri: '" + functionURI + "', identityValidationExpresion: '^x$'"), rest, definition.Unsupported,
			`"identityValidationExpresion" is no part of an authorizer, and has no effect; the nearest are "identityValidationExpression"`},
		{"jwt", scheme("type: jwt, jwtConfiguration: {issuer: i, audiance: [a]}"), http, definition.Unsupported, `"audiance" is no part of a jwtConfiguration`},
		{"validator", root("x-amazon-apigateway-request-validators: {all: {validateRequestBdy: true}}"), rest, definition.Unsupported,
			`"validateRequestBdy" is no part of a request validator, and has no effect; the nearest are "validateRequestBody"`},
		{"endpoint", endpoint("{disableExecuteApiEndpont: true}"), rest, definition.Unsupported, `"disableExecuteApiEndpont" is no part of an endpoint configuration`},
		{"extension-case", get("type: mock", "X-Amazon-ApiGateway-Auth: {type: AWS_IAM}"), rest, definition.Unsupported, `no extension "X-Amazon-ApiGateway-Auth"`},
		{"extension-prefix", get("type: mock", "x-amazon-apigatway-auth: {type: AWS_IAM}"), rest, definition.Unsupported, `no extension "x-amazon-apigatway-auth"`},
		{"extension-far", get("type: mock", "x-amazon-apigateway-something: {}"), rest, definition.Warning, "no extension"},
		{"parameter-place", get("type: mock", "parameters: [{in: Query, name: q, required: true}]"), rest, definition.Warning, `the parameter "q" is in "Query", and has no effect; the nearest are "query"`},
		{"path-null", "openapi: 3.0.1\npaths: {/a: ~}", rest, definition.Warning, "there is nothing: no route is made of it"},
		{"operation-null", "openapi: 3.0.1\npaths: {/a: {get: ~}}", rest, definition.Warning, "there is nothing: no route is made of it"},
		{"anybody's", get("type: mock", "x-securty: 1"), rest, "", ""},
		{"cookie", get("type: mock", "parameters: [{in: cookie, name: q}, {in: formData, name: f}]"), rest, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
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

func root(members string) string { return rest("/a: {}", members) }

// What would leave a route without its security, or the API without a closed door, is refused.
func TestAttackMembers(t *testing.T) {
	const validators = "x-amazon-apigateway-request-validators: {all: {validateRequestBody: true}}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"security", get("type: mock", "securty: [{token: []}]"), `attribute "securty" is unexpected: write security`},
		{"security-case", get("type: mock", "Security: [{token: []}]"), `attribute "Security" is unexpected`},
		{"securities", get("type: mock", "securities: [{token: []}]"), `attribute "securities" is unexpected`},
		{"security-root", root("securty: [{token: []}]"), `attribute "securty" is unexpected`},
		{"security-path", rest("/a:\n  security: [{token: []}]\n  get: {"+mock+"}", ""), `attribute "security" is unexpected`},
		{"endpoint-variable", endpoint("{disableExecuteApiEndpoint: '${Off}'}"), "/disableExecuteApiEndpoint is not of type `boolean`: want true or false, got \"${Off}\""},
		{"endpoint-number", endpoint("{disableExecuteApiEndpoint: 1}"), "is not of type `boolean`"},
		{"endpoint-list", endpoint("{disableExecuteApiEndpoint: [true]}"), "is not of type `boolean`"},
		{"endpoint-text", endpoint("disabled"), "Invalid endpoint configuration: want a map"},
		{"validator-bool", root("x-amazon-apigateway-request-validators: {all: {validateRequestBody: always}}"), "is not of type `boolean`"},
		{"validators-list", root("x-amazon-apigateway-request-validators: [all]"), "Invalid request validators specified: want a map"},
		{"validator-text", root("x-amazon-apigateway-request-validators: {all: true}"), "Invalid request validator specified: all: want a map"},
		{"validator-list", rest("/a:\n  get:\n    x-amazon-apigateway-request-validator: [all]\n    "+mock, validators), "want the name of one, got a list"},
		{"validator-map", root(validators + "x-amazon-apigateway-request-validator: {name: all}"), "want the name of one, got a map"},
		{"parameters", get("type: mock", "parameters: {q: {in: query, name: q, required: true}}"), "attribute parameters is not of type `array`"},
		{"parameters-path", rest("/a:\n  parameters: q\n  get: {"+mock+"}", ""), "attribute parameters is not of type `array`"},
		{"parameter", get("type: mock", "parameters: [q]"), "attribute parameters[0] is not of type `object`"},
		{"required", get("type: mock", "parameters: [{in: query, name: q, required: always}]"), "is not of type `boolean`"},
		{"path-list", rest("/a: []", ""), "attribute paths.'/a' is not of type `object`"},
		{"operation-list", rest("/a:\n  get: []", ""), "attribute paths.'GET /a' is not of type `object`"},
		{"operation-text", rest("/a:\n  get: text", ""), "attribute paths.'GET /a' is not of type `object`"},
		{"path-beside-ref", rest("/a:\n  $ref: '#/components/x'\n  get: {"+mock+"}", "components: {x: {post: {"+mock+"}}}"), `want nothing beside a reference, got "get"`},
		{"security-beside-ref", rest("/a:\n  get: {$ref: '#/components/x', security: [{token: []}]}", "components: {x: {"+mock+"}}"), `want nothing beside a reference, got "security"`},
		{"authorizer-beside-ref", root("components: {x: {type: http}, securitySchemes: {s: {$ref: '#/components/x', x-amazon-apigateway-authorizer: {}}}}"), `got "x-amazon-apigateway-authorizer"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := openapi.Read([]byte(tt.text), openapi.Options{Flavor: "REST"})
			require.ErrorContains(t, err, tt.want)
		})
	}
	read(t, rest("/a:\n  summary: s\n  x-mine: 1\n  $ref: '#/components/x'", "components: {x: {get: {"+mock+"}}}"), openapi.Options{})
}

// Many unknown names cost no more than as many others: only the first are compared with the known
// ones, and the rest is taken for what was to protect something.
func TestAttackManyUnknownMembers(t *testing.T) {
	var members strings.Builder
	for i := range 300 {
		fmt.Fprintf(&members, "x-amazon-apigateway-something%d: 1\n", i)
	}
	doc := read(t, root(members.String()), openapi.Options{})
	require.Len(t, doc.Findings, 300)
	require.Equal(t, 100, strings.Count(what(doc), "the nearest are"))
	require.Equal(t, definition.Warning, doc.Findings[0].Severity)
	require.Equal(t, definition.Unsupported, doc.Findings[299].Severity)
}
