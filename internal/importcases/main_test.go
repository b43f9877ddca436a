package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/openapi"
)

// document is one of a route of each kind of protection, and an open one.
const document = `openapi: 3.0.1
info: {title: Things, version: 1}
paths:
  /open:
    get:
      x-amazon-apigateway-integration: &mock {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {}}}
  /token/{id}:
    get: {security: [{token: []}], x-amazon-apigateway-integration: *mock}
  /key:
    x-amazon-apigateway-any-method: {security: [{key: []}], x-amazon-apigateway-integration: *mock}
components:
  schemas: {Thing: {type: object, required: [b, a]}}
  securitySchemes:
    key: {type: apiKey, in: header, name: x-api-key}
    token:
      type: apiKey
      in: header
      name: Authorization
      x-amazon-apigateway-authorizer:
        type: token
        authorizerUri: arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:who/invocations
`

// expected is what comes out of it, in the words of a definition.
const expected = `{"routes":{
	"GET /open":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},"request_templates":{"application/json":{"statusCode":200}}}},
	"GET /token/{id}":{"auth":{"type":"CUSTOM","authorizer":"<Name>"},"request_parameters":{"method.request.path.id":true}},
	"ANY /key":{"auth":{"type":"NONE"},"api_key_required":true}},
	"authorizers":{"token":{"type":"TOKEN","target":{"kind":"lambda","name":"w<Rest>"}}},"models":["Thing"],"name":"Things","version":"1"}`

// recordedExpected is the same as GetMethod and its kind would say it.
const recordedExpected = `{"methods":{
	"GET /open":{"authorizationType":"NONE","apiKeyRequired":false,"methodIntegration":{"type":"MOCK","cacheNamespace":"<id:1>","timeoutInMillis":29000,
		"cacheKeyParameters":[],"integrationResponses":{"200":{"statusCode":"200"}}}},
	"GET /token/{id}":{"authorizationType":"CUSTOM","authorizerId":"<a>","methodIntegration":{"cacheNamespace":"<id:2>"}},
	"ANY /key":{"authorizationType":"NONE","apiKeyRequired":true,"methodIntegration":{"cacheNamespace":"<id:3>"}}},
	"authorizers":[{"id":"<a>","name":"token","type":"TOKEN","identitySource":"method.request.header.Authorization",
		"authorizerUri":"arn:<p>:apigateway:<r>:lambda:path/2015-03-31/functions/arn:<p>:lambda:<r>:123456789012:function:who/invocations"}],
	"models":[{"name":"Thing","contentType":"application/json","schema":{"type":"object","required":["a","b"]}}],"request_validators":[],
	"api":{"name":"<n>","version":"1","apiKeySource":"HEADER","id":"abc","warnings":["about 'x' of resource '/gone' and more"]}}`

// tried runs the command on one case, and returns the exit code and what it prints.
func tried(t *testing.T, document any, more, expected string) (int, string) {
	t.Helper()
	config := map[string]any{"document": document}
	require.NoError(t, json.Unmarshal([]byte("{"+more+"}"), &config))
	line, err := json.Marshal(map[string]any{"name": "case", "config": config, "expected": json.RawMessage(expected)})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "openapi.jsonl"), append(line, '\n'), 0o600))
	var out strings.Builder
	return run(dir, &out), out.String()
}

func TestAsExpected(t *testing.T) {
	for name, expected := range map[string]string{"derived": expected, "recorded": recordedExpected} {
		t.Run(name, func(t *testing.T) {
			code, out := tried(t, map[string]string{"$yaml": document}, "", expected)
			require.Equal(t, "openapi.jsonl: 1 cases, 1 as expected, 0 differ\nsam.jsonl: there is no such file\n"+
				"cloudformation.jsonl: there is no such file\n", out)
			require.Zero(t, code)
		})
	}
}

// Each change of what is expected is found.
func TestDifferences(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"value", `"NONE"},"integration"`, `"AWS_IAM"},"integration"`, `routes.GET /open.auth.type: want "AWS_IAM", got "NONE"`},
		{"kind", `"kind":"mock"`, `"kind":{}`, `routes.GET /open.integration.target.kind: want {}, got "mock"`},
		{"decoded", `{"statusCode":200}`, `{"statusCode":201}`, `want {"statusCode":201}, got "{\"statusCode\": 200}"`},
		{"boolean", `"method.request.path.id":true`, `"method.request.path.id":false`, `want false, got true`},
		{"missing", `"ANY /key"`, `"ANY /keys"`, `routes: want "ANY /keys", which isn't there`},
		{"beside", `"ANY /key"`, `"ANY /keys"`, `routes: got "ANY /key", which isn't expected`},
		{"key", `"NONE"},"api_key_required":true`, `"NONE"}`, `routes.ANY /key: got api_key_required, which isn't expected`},
		{"authorizer", `"authorizers":{"token"`, `"authorizers":{"tokens"`, `authorizers: want "tokens", which isn't there`},
		{"model-placeholder", `"Thing"]`, `"<Model>","<Other>"]`, `models: want "<Other>", which isn't there`},
		{"model", `"Thing"]`, `"Thing","Other"]`, `models: want "Other", which isn't there`},
		{"placeholder", `"w<Rest>"`, `"x<Rest>"`, `want "x<Rest>", got "who"`},
		{"placeholder-again", `"name":"Things"`, `"name":"<Name>"`, `"<Name>"`},
		{"text", `"version":"1"`, `"version":"2"`, `version: want "2", got "1"`},
		{"list", `"name":"Things"`, `"binary_media_types":["a/b"]`, `binary_media_types: want ["a/b"], got null`},
		{"absent-map", `"name":"Things"`, `"cors":{"origins":["*"]}`, `cors: want {"origins":["*"]}, got null`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Contains(t, expected, tt.from)
			code, out := tried(t, map[string]string{"$yaml": document}, "", strings.Replace(expected, tt.from, tt.to, 1))
			require.Contains(t, out, tt.want)
			require.Contains(t, out, "openapi.jsonl: 1 cases, 0 as expected, 1 differ\n")
			require.Equal(t, 1, code)
		})
	}
}

func TestRecordedDifferences(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"method", `"GET /open"`, `"GET /opened"`, `methods: got "GET /open", which isn't expected`},
		{"same-resource", `"<id:2>"`, `"<id:1>"`, "cacheNamespace"},
		{"number", `29000`, `28000`, "want 28000, got 29000"},
		{"authorizer", `"id":"<a>","name":"token"`, `"id":"<a>","name":"tok"`, `authorizers: want "tok", which isn't there`},
		{"region", `:lambda:<r>:`, `:lambda:<p>:`, "authorizerUri"},
		{"warning", `'/gone'`, `'/open'`, "api.warnings: want"},
		{"api", `"version":"1"`, `"version":"9"`, `api.version: want "9", got "1"`},
		{"validators", `"request_validators":[]`, `"request_validators":[{"name":"v"}]`, `request_validators: want "v", which isn't there`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Contains(t, recordedExpected, tt.from)
			code, out := tried(t, map[string]string{"$yaml": document}, "", strings.Replace(recordedExpected, tt.from, tt.to, 1))
			require.Contains(t, out, tt.want)
			require.Equal(t, 1, code)
		})
	}
}

// A route that the case protects and the document leaves open is found by asking it, whatever the
// reader made of it.
func TestARouteThatIsOpen(t *testing.T) {
	opened := strings.Replace(document, "security: [{token: []}]", "security: []", 1)
	code, out := tried(t, map[string]string{"$yaml": opened}, "", expected)
	require.Contains(t, out, "closed: GET /token/{id} on the stage test answers a stranger with 200")
	require.Equal(t, 1, code)
	code, out = tried(t, map[string]string{"$yaml": strings.Replace(document, "security: [{key: []}]", "security: []", 1)}, "", recordedExpected)
	require.Contains(t, out, "closed: ANY /key on the stage test answers a stranger with 200")
	require.Equal(t, 1, code)
}

// A route that the document's text means to protect is asked, also where the reader that is tried
// would have opened it.
func TestSecured(t *testing.T) {
	open := strings.Replace(document, "security: [{token: []}]", "security: []", 1)
	doc, err := openapi.Read([]byte(open), openapi.Options{Flavor: "REST"})
	require.NoError(t, err)
	for own, want := range map[string]bool{
		"[{token: []}]": true, "[token]": true, "[[token]]": true, "[~]": true, "{token: []}": true, "token": true, "[{}, {key: []}]": true, "[{gone: []}]": true,
		"[]": false, "[{}]": false, "~": false, "[{NONE: []}]": false, "[{api_key_false: []}]": false,
		"~, securty: [{token: []}]": true, "~, Security: [token]": true, "[], x-amazon-apigateway-auth: {type: AWS_IAM}": false,
		"~, x-amazon-apigateway-auth: {type: aws_iam}": true, "~, x-amazon-apigateway-auth: {type: none}": false, "[token], x-amazon-apigateway-auth: {type: NONE}": true,
	} {
		text := strings.Replace(document, "security: [{token: []}]", "security: "+own, 1)
		require.Equal(t, want, secured([]byte(text), doc)["GET /token/{id}"], own)
		found := &comparison{bound: map[string]string{}}
		found.closed(doc, secured([]byte(text), doc))
		require.Len(t, found.found, map[bool]int{true: 1}[want], own)
	}
	for root, want := range map[string]bool{"security: [token]": true, "securities: [{token: []}]": true, "security: []": false, "securityDefinitions: {a: {}}": false} {
		text := strings.Replace(open, "security: []", "operationId: o", 1) + root + "\n"
		require.Equal(t, want, secured([]byte(text), doc)["GET /token/{id}"], root)
	}
	require.Empty(t, secured([]byte("a: [\n"), doc))
	require.Empty(t, secured([]byte("a: b"), doc))
	for path, want := range map[string]bool{"/{id}/": true, "/en/{id}": false, "/": false, "/$default": false} {
		based := strings.Replace(document, "/token/{id}:", path+":", 1)
		require.Equal(t, want, secured([]byte(based), doc)["GET /token/{id}"], path)
	}
	fallback := strings.Replace(document, "/key:", "/$default:", 1)
	require.True(t, secured([]byte(fallback), doc)["$default"])
}

func TestRefused(t *testing.T) {
	refused := `{"refused":true,"message":"Invalid OpenAPI input."}`
	code, out := tried(t, map[string]string{"$text": "- no map"}, "", refused)
	require.Zero(t, code, out)
	_, out = tried(t, map[string]string{"$text": "- no map"}, "", `{"refused":true,"message":"Other","names":["Thing"]}`)
	require.Contains(t, out, `refused: want "Other" in the error`)
	require.Contains(t, out, `refused: want the name "Thing" in the error`)
	_, out = tried(t, map[string]string{"$yaml": document}, "", refused)
	require.Contains(t, out, "refused: want an error, got none")
	_, out = tried(t, map[string]string{"$text": "- no map"}, "", `{"routes":{}}`)
	require.Contains(t, out, "\topenapi: Invalid OpenAPI input.")
}

// How a document is read is the case's to say.
func TestConfig(t *testing.T) {
	based := map[string]any{"swagger": "2.0", "basePath": "/a/b", "x-amazon-apigateway-binary-media-types": []string{"a/b"},
		"paths": map[string]any{"/c": map[string]any{"get": map[string]any{"x-amazon-apigateway-integration": map[string]any{"type": "mock"}}}}}
	code, out := tried(t, based, `"parameters":{"basepath":"split"},"flavor":"REST","mode":"merge"`,
		`{"methods":{"GET /b/c":{}},"api":{"binaryMediaTypes":["x/y","a/b"]}}`)
	require.Zero(t, code, out)
	_, out = tried(t, based, `"mode":"merge"`, `{"methods":{"GET /c":{}},"api":{"binaryMediaTypes":["x/y"]}}`)
	require.Contains(t, out, `api.binaryMediaTypes: got "a/b", which isn't expected`)
	warned := strings.Replace(document, "type: mock,", "type: mock, requestParameters: {integration.request.header.a: true},", 1)
	_, out = tried(t, map[string]string{"$yaml": warned}, `"parameters":{"failonwarnings":true}`, expected)
	require.Contains(t, out, "Warnings found during import:")
	text, err := json.Marshal(document)
	require.NoError(t, err)
	code, out = tried(t, json.RawMessage(text), "", expected)
	require.Zero(t, code, out)
	_, out = tried(t, 7, "", expected)
	require.Contains(t, out, "the case's document:")
}

func TestCasesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "openapi.jsonl"), []byte("{}\nno json\n"), 0o600))
	var out strings.Builder
	require.Equal(t, 2, run(dir, &out))
	require.Contains(t, out.String(), "openapi.jsonl: line 2: ")
}
