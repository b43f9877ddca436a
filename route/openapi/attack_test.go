package openapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

// A document that means harm is refused before it costs much.
func TestAttackBounds(t *testing.T) {
	laughs := "openapi: 3.0.1\nx-a: &a [1,1,1,1,1,1,1,1,1,1]\n"
	for c := 'b'; c < 'k'; c++ {
		laughs += fmt.Sprintf("x-%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), c-1)
	}
	var circles, routes strings.Builder
	circles.WriteString("/a:\n  get:\n    parameters: [{$ref: '#/components/parameters/p0'}]\n    " + mock)
	components := "components: {parameters: {"
	for i := range 50 {
		components += fmt.Sprintf("p%d: {$ref: '#/components/parameters/p%d'}, ", i, i+1)
	}
	for i := range 5001 {
		fmt.Fprintf(&routes, "/p%d:\n  get: {%s}\n", i, mock)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"size", strings.Repeat(" ", openapi.MaxBytes+1), "want at most 6291456 bytes"},
		{"depth", `{"openapi":"3.0.1","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", "want at most 100 levels"},
		{"depth-yaml", "openapi: 3.0.1\nx: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "want at most 100 levels"},
		{"depth-yaml-block", "openapi: 3.0.1\nx:\n" + strings.Repeat("- ", 9000) + "a", "want at most 100 levels"},
		{"values", `{"openapi":"3.0.1","x":[` + strings.Repeat("[],", 500_000) + "1]}", "want at most 400000 values"},
		{"laughs", laughs, "want at most 400000 values, aliases counted"},
		{"alias-circle", "openapi: 3.0.1\npaths: &p {/a: *p}\n", "want at most 100 levels"},
		{"ref-chain", rest(circles.String(), components+"}}"), "want at most 20 references in a row"},
		{"ref-circle", rest(circles.String(), "components: {parameters: {p0: {$ref: '#/components/parameters/p0'}}}"), "want at most 20 references in a row"},
		{"path-circle", rest("/a: {$ref: '#/paths/~1a'}", ""), "want at most 20 references in a row"},
		{"routes", rest(strings.TrimSuffix(routes.String(), "\n"), ""), "want at most 5000 routes, got 5001"},
		{"file", rest("/a: {$ref: /etc/passwd}", ""), "Unable to resolve the reference '/etc/passwd'"},
		{"network", rest("/a: {$ref: 'http://192.0.2.1/a.json#/x'}", ""), "Unable to resolve the reference"},
		{"variables", rest("/"+strings.Repeat("{a}/", 65)+"b: {}", ""), "Unable to create resource at path"},
		{"policy-depth", rest("/a: {}", "x-amazon-apigateway-policy: '{\"a\":"+strings.Repeat("[", 200)+"'"), "Invalid policy document."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := openapi.Read([]byte(tt.text), openapi.Options{})
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, doc)
		})
	}
}

// Schemas that refer to each other in a circle are models like others: nothing follows them here.
func TestAttackCircularSchemas(t *testing.T) {
	doc := read(t, rest("/a: {}", "components: {schemas: {A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}, C: {$ref: '#/components/schemas/C'}}}"), openapi.Options{})
	require.Len(t, doc.APIs[0].Models, 3)
	_, err := openapi.Write(doc, "", openapi.Options{Public: true})
	require.NoError(t, err)
}

// Many inline bodies with names that come to the same cost no more than as many with others.
func TestAttackNamesOfGeneratedModels(t *testing.T) {
	var paths strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&paths, "/a%s:\n  post: {requestBody: {content: {application/json: {schema: {}}}}, %s}\n", strings.Repeat("-", i%500)+strings.Repeat("_", i/500), mock)
	}
	doc := read(t, rest(strings.TrimSuffix(paths.String(), "\n"), ""), openapi.Options{})
	require.Len(t, doc.APIs[0].Models, 3000)
	names := map[string]bool{}
	for _, route := range doc.APIs[0].Routes {
		names[route.RequestModels["application/json"]] = true
	}
	require.Len(t, names, 3000)
}

// Nothing that is written where security belongs opens a route that says who may call it: what
// can't be understood is an error, or refuses.
func TestAttackSecurityThatIsNoSecurity(t *testing.T) {
	for _, security := range []string{"token", "{token: []}", "1", "yes", "'[{token: []}]'"} {
		_, err := openapi.Read([]byte(rest("/a:\n  get:\n    security: "+security+"\n    "+mock, schemes)), openapi.Options{})
		require.ErrorContains(t, err, "attribute security is not of type `array`", security)
	}
	for security, want := range map[string]string{
		"[token]": "security[0] is not of type `object`: write {token: []}", "[[token]]": "write {SCHEME: []}", "[~]": "security[0] is not", "[{token: []}, 1]": "security[1] is not",
		"[{pool: {read: true}}]": `the scopes of "pool" in security[0]`, "[{pool: [[read]]}]": "of texts", "[{pool: [~]}]": "of texts", "[{pool: ['']}]": "of texts", "[{pool: read}]": "of texts", "[{pool: }]": "of texts",
	} {
		_, err := openapi.Read([]byte(rest("/a:\n  get:\n    security: "+security+"\n    "+mock, schemes)), openapi.Options{})
		require.ErrorContains(t, err, want, security)
		_, err = openapi.Read([]byte(rest("/a: {}", "security: "+security+"\n"+schemes)), openapi.Options{})
		require.ErrorContains(t, err, want, security)
	}
	for _, scheme := range []string{"~", "token", "[]"} {
		_, err := openapi.Read([]byte(rest("/a: {}", "components: {securitySchemes: {s: "+scheme+"}}")), openapi.Options{})
		require.ErrorContains(t, err, "the security scheme \"s\" is not of type `object`", scheme)
	}
	_, err := openapi.Read([]byte(rest("/a:\n  get:\n    security: [{token: []}]\n    x-amazon-apigateway-auth: {type: NONE}\n    "+mock, schemes)), openapi.Options{})
	require.ErrorContains(t, err, "Unable to put authorization on 'GET' for resource at path '/a': want no x-amazon-apigateway-auth of the type NONE")
	for _, auth := range []string{"{}", "AWS_IAM", "{type: ''}", "{type: [NONE]}", "{type: CUSTOM}", "{type: 'NONE '}", "[]"} {
		doc := read(t, rest("/a:\n  get:\n    x-amazon-apigateway-auth: "+auth+"\n    "+mock, "security: [{token: []}]\n"+schemes), openapi.Options{})
		got := doc.APIs[0].Routes["GET /a"].Auth
		require.NotEqual(t, definition.AuthNone, got.Type, auth)
		require.Contains(t, what(doc), "which nothing can decide: the route refuses", auth)
	}
}

// What is protected on paper and open in fact is nothing that a strict Build serves.
func TestAttackSchemesThatProtectNothing(t *testing.T) {
	for name, scheme := range map[string]string{
		"undefined": "", "no-authorizer": "{type: http, scheme: bearer}", "authorizer-null": "{type: apiKey, in: header, name: X, x-amazon-apigateway-authorizer: ~}",
		"type-case": "{type: APIKEY, in: header, name: x-api-key}", "in-case": "{type: apiKey, in: Header, name: x-api-key}", "in-query": "{type: apiKey, in: query, name: x-api-key}",
		"authtype": "{type: apiKey, in: header, name: X, x-amazon-apigateway-authtype: [awsSigv4]}",
	} {
		t.Run(name, func(t *testing.T) {
			root := ""
			if scheme != "" {
				root = "components: {securitySchemes: {s: " + scheme + "}}"
			}
			doc := read(t, rest("/a:\n  get:\n    security: [{s: []}]\n    "+mock, root), openapi.Options{Flavor: "REST"})
			require.Equal(t, definition.Auth{Type: "NONE"}, doc.APIs[0].Routes["GET /a"].Auth)
			require.Equal(t, definition.Unsupported, doc.Findings[0].Severity, what(doc))
			_, err := definition.Build(t.Context(), doc, definition.Bindings{Strict: true})
			require.ErrorContains(t, err, "protects nothing")
		})
	}
}

// A document that is merged into an API may name that API's authorizers, also by a scheme that
// says nothing of them.
func TestAttackMergeThatNamesAnAuthorizer(t *testing.T) {
	into := read(t, rest("/a:\n  get:\n    security: [{token: []}]\n    "+mock, schemes), openapi.Options{Flavor: "REST"}).APIs[0]
	for _, root := range []string{"", "components: {securitySchemes: {token: {type: apiKey, in: header, name: X}, pool: {type: oauth2}}}"} {
		doc := read(t, rest("/b:\n  get:\n    security: [{token: []}]\n    "+mock+"\n/c:\n  get:\n    security: [{pool: [s]}]\n    "+mock, root), openapi.Options{Into: into})
		require.Empty(t, doc.Findings)
		require.Equal(t, definition.Auth{Type: "CUSTOM", Authorizer: "token"}, doc.APIs[0].Routes["GET /b"].Auth)
		require.Equal(t, definition.Auth{Type: "COGNITO_USER_POOLS", Authorizer: "pool", Scopes: []string{"s"}}, doc.APIs[0].Routes["GET /c"].Auth)
	}
	doc := read(t, rest("/b:\n  get:\n    security: [{tokn: []}]\n    "+mock, ""), openapi.Options{Into: into})
	require.Contains(t, what(doc), `unsupported: the security scheme "tokn" isn't defined, and protects nothing; the nearest are "token"`)
}

// An authorizer whose scheme is written in another order, letter case or place is one all the same.
func TestAttackSchemes(t *testing.T) {
	for _, scheme := range []string{
		"{x-amazon-apigateway-authorizer: {authorizerUri: '" + functionURI + "', type: ToKeN}, type: apiKey, name: x-api-key, in: header}",
		"{type: oauth2, name: A, x-amazon-apigateway-authtype: awsSigv4, x-amazon-apigateway-authorizer: {type: request, authorizerUri: '" + functionURI + "'}}",
		"{type: http, x-amazon-apigateway-authtype: AWSSIGV4}",
	} {
		for _, place := range []string{"components: {securitySchemes: {s: %s}}", "securityDefinitions: {s: %s}"} {
			doc := read(t, rest("/a:\n  get:\n    security: [{s: []}]\n    "+mock, fmt.Sprintf(place, scheme)), openapi.Options{})
			require.NotEqual(t, definition.AuthNone, doc.APIs[0].Routes["GET /a"].Auth.Type, scheme)
			require.False(t, doc.APIs[0].Routes["GET /a"].APIKeyRequired)
		}
	}
}

// What a document says comes into messages, but no more of it than a line.
func TestAttackLongNames(t *testing.T) {
	long := strings.Repeat("x", 1000)
	doc := read(t, rest("/a:\n  "+long+": {}\n  get:\n    security: [{"+long+": []}]\n    "+mock, ""), openapi.Options{})
	for _, f := range doc.Findings {
		require.Less(t, len(f.What), 400)
	}
}
