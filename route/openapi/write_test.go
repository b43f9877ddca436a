package openapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/openapi"
)

func ptr[T any](v T) *T { return &v }

// What callers are told: addresses, what they have to bring, limits, refusals.
func TestPublicGolden(t *testing.T) {
	for _, d := range documents {
		t.Run(d.file, func(t *testing.T) {
			doc := read(t, file(t, d.file), d.o)
			api := doc.APIs[0]
			api.Stages = map[string]*definition.Stage{"prod": {Throttle: &definition.Throttle{Rate: ptr(100.0), Burst: ptr(200)}}}
			if api.Flavor == definition.FlavorREST {
				api.Stages = map[string]*definition.Stage{"prod": {MethodSettings: []*definition.MethodSettings{
					{Path: "/*", Method: "*", Rate: ptr(50.5), Burst: ptr(100)}, {Path: "/*", Method: "GET", Burst: ptr(7)},
					{Path: "/orders", Method: "*", Rate: ptr(3.0)}, {Path: "/none", Method: "*", Caching: true}}}}
				doc.UsagePlans = map[string]*definition.UsagePlan{
					"Gold": {Name: "gold", Throttle: &definition.Throttle{Rate: ptr(10.0), Burst: ptr(20)}, Quota: &definition.Quota{Limit: 1000, Period: "DAY"},
						Stages: []*definition.PlanStage{{API: api.ID, Stage: "prod", Throttle: map[string]*definition.Throttle{"/orders/GET": {Rate: ptr(1.0), Burst: ptr(2)}}}, {API: "other", Stage: "prod"}}},
				}
			}
			doc.Domains = map[string]*definition.Domain{"api.example.com": {Mappings: []*definition.Mapping{{BasePath: "v1", API: api.ID, Stage: "prod"}, {API: "other"}}}}
			text, err := openapi.Write(doc, api.ID, openapi.Options{Public: true})
			require.NoError(t, err)
			golden(t, base(d.file)+".public.json", text)
			for _, secret := range []string{"x-amazon", "arn:", "integration", "stageVariables", "role/", "internal"} {
				require.NotContains(t, string(text), secret)
			}
			require.True(t, json.Valid(text))
		})
	}
}

func TestPublicAddresses(t *testing.T) {
	api := &definition.API{ID: "a", Flavor: "HTTP", APIID: "a1b2c3d4e5", Region: "cn-north-1",
		Stages: map[string]*definition.Stage{"$default": {}, "dev": {}}}
	doc := &definition.Document{APIs: []*definition.API{api, {ID: "b", Flavor: "HTTP"}}}
	text, err := openapi.Write(doc, "a", openapi.Options{Public: true})
	require.NoError(t, err)
	require.Contains(t, string(text), `"https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn"`)
	require.Contains(t, string(text), `"https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn/dev"`)
	api.DefaultEndpointDisabled = true
	text, err = openapi.Write(doc, "a", openapi.Options{Public: true})
	require.NoError(t, err)
	require.NotContains(t, string(text), "servers")
}

func TestPublicSchemes(t *testing.T) {
	api := &definition.API{ID: "a", Flavor: "HTTP", Routes: map[string]*definition.Route{}, Authorizers: map[string]*definition.Authorizer{
		"jwt":     {Type: "JWT", Issuer: "https://id.example.com/"},
		"found":   {Type: "JWT", IssuerURL: "https://id.example.com/d", IdentitySource: []string{"$request.header.authorization"}},
		"inQuery": {Type: "JWT", Issuer: "https://id.example.com", IdentitySource: []string{"$request.querystring.t"}},
		"pools":   {Type: "COGNITO_USER_POOLS", Providers: []string{"a", "b"}, IdentitySource: []string{"method.request.header.Authorization"}},
		"noPool":  {Type: "COGNITO_USER_POOLS", Providers: []string{"Pool"}, IdentitySource: []string{"method.request.header.Authorization"}},
		"odd":     {Type: "COGNITO_USER_POOLS", Providers: []string{"arn:aws:cognito-idp:eu-west-1:1:pool/x"}, IdentitySource: []string{"method.request.header.Authorization"}},
		"several": {Type: "REQUEST", IdentitySource: []string{"method.request.header.A", "method.request.querystring.b", "context.path", "stageVariables.v"}},
	}}
	for name, a := range api.Authorizers {
		kind := map[string]string{"JWT": "JWT", "REQUEST": "CUSTOM"}[a.Type]
		api.Routes["GET /"+name] = &definition.Route{Auth: definition.Auth{Type: kind, Authorizer: name, Scopes: []string{"s"}}}
	}
	text, err := openapi.Write(&definition.Document{APIs: []*definition.API{api}}, "", openapi.Options{Public: true})
	require.NoError(t, err)
	var written struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
		Components struct {
			Schemes map[string]map[string]any `json:"securitySchemes"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal(text, &written))
	for name, want := range map[string]string{
		"jwt":       `{"type":"openIdConnect","openIdConnectUrl":"https://id.example.com/.well-known/openid-configuration"}`,
		"found":     `{"type":"openIdConnect","openIdConnectUrl":"https://id.example.com/d"}`,
		"inQuery":   `{"type":"apiKey","name":"t","in":"query","description":"A token with one of the scopes s"}`,
		"pools":     `{"type":"apiKey","name":"Authorization","in":"header","description":"A token with one of the scopes s"}`,
		"noPool":    `{"type":"apiKey","name":"Authorization","in":"header","description":"A token with one of the scopes s"}`,
		"odd":       `{"type":"apiKey","name":"Authorization","in":"header","description":"A token with one of the scopes s"}`,
		"several.A": `{"type":"apiKey","name":"A","in":"header","description":"A token with one of the scopes s"}`,
		"several.b": `{"type":"apiKey","name":"b","in":"query","description":"A token with one of the scopes s"}`,
	} {
		got, err := json.Marshal(written.Components.Schemes[name])
		require.NoError(t, err)
		require.JSONEq(t, want, string(got), name)
	}
	require.Equal(t, []map[string][]string{{"several.A": {}, "several.b": {}}}, written.Paths["/several"]["get"].Security)
	require.Equal(t, []map[string][]string{{"jwt": {"s"}}}, written.Paths["/jwt"]["get"].Security)
}

// Where a key comes from the authorizer, callers bring none.
func TestPublicKeyFromTheAuthorizer(t *testing.T) {
	doc := read(t, rest("/a:\n  get:\n    security: [{token: []}, {key: []}]\n    "+mock, "x-amazon-apigateway-api-key-source: AUTHORIZER\n"+schemes), openapi.Options{})
	text, err := openapi.Write(doc, "", openapi.Options{Public: true})
	require.NoError(t, err)
	require.NotContains(t, string(text), "x-api-key")
	require.Contains(t, string(text), "X-Token")
}

// A greedy route beside one with a variable of that name is left to it, and ANY to single methods.
func TestPublicPathsThatMeet(t *testing.T) {
	doc := read(t, rest("/a/{x}:\n  get: {operationId: one, x-amazon-apigateway-integration: &i {type: http_proxy, uri: 'https://h'}}\n/a/{x+}:\n  x-amazon-apigateway-any-method: {operationId: all, x-amazon-apigateway-integration: *i}", ""), openapi.Options{Flavor: "HTTP"})
	text, err := openapi.Write(doc, "", openapi.Options{Public: true})
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), `"get"`))
	require.Equal(t, 1, strings.Count(string(text), `"/a/{x}"`))
	require.Contains(t, string(text), `"operationId": "one"`)
	require.NotContains(t, string(text), `"operationId": "all"`)
	require.Equal(t, 6, strings.Count(string(text), "The rest of the path"))
}

func TestWriteWhatNoDocumentHas(t *testing.T) {
	lambda := func(target definition.Target) *definition.Integration {
		target.Kind = "lambda"
		return &definition.Integration{Type: "AWS", Target: target, Passthrough: "WHEN_NO_MATCH", Method: "POST"}
	}
	api := &definition.API{ID: "a", Flavor: "REST", Authorizers: map[string]*definition.Authorizer{
		"api_key": {Type: "TOKEN", Target: &definition.Target{Kind: "lambda", Function: "Who"}},
		"sigv4":   {Type: "REQUEST", Target: &definition.Target{Kind: "lambda", Function: "Who"}},
	}, Routes: map[string]*definition.Route{
		"GET /a": {Auth: definition.Auth{Type: "AWS_IAM"}, APIKeyRequired: true, Integration: lambda(definition.Target{Function: "Logical"}),
			Validator: &definition.Validator{Body: true}},
		"GET /b": {Auth: definition.Auth{Type: "CUSTOM", Authorizer: "api_key"}, APIKeyRequired: true, Integration: lambda(definition.Target{Name: "n", Qualifier: "q"})},
	}, Models: map[string]*definition.Model{"Any": {}}}
	text, err := openapi.Write(&definition.Document{APIs: []*definition.API{api}}, "", openapi.Options{Region: "eu-west-1", Account: "111111111111"})
	require.NoError(t, err)
	again := read(t, string(text), openapi.Options{}).APIs[0]
	require.Equal(t, "arn:aws:lambda:eu-west-1:111111111111:function:Logical", again.Routes["GET /a"].Integration.Target.ARN)
	require.Equal(t, "q", again.Routes["GET /b"].Integration.Target.Qualifier)
	require.Equal(t, definition.Auth{Type: "AWS_IAM"}, again.Routes["GET /a"].Auth)
	require.Equal(t, definition.Auth{Type: "CUSTOM", Authorizer: "api_key"}, again.Routes["GET /b"].Auth)
	require.True(t, again.Routes["GET /a"].APIKeyRequired && again.Routes["GET /b"].APIKeyRequired)
	require.True(t, again.Routes["GET /a"].Validator.Body)
	require.Empty(t, api.Validators, "what is written isn't changed")
}

func TestWriteRefusals(t *testing.T) {
	two := &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "REST"}, {ID: "b", Flavor: "WEBSOCKET"}}}
	for _, tt := range []struct {
		name string
		doc  *definition.Document
		api  string
		want string
	}{
		{"nil", nil, "", "want a document with an API"},
		{"empty", &definition.Document{}, "", "want a document with an API"},
		{"nil-api", &definition.Document{APIs: []*definition.API{nil}}, "", "want APIs, got a nil one"},
		{"nil-route", &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "REST", Routes: map[string]*definition.Route{"GET /": nil}}}}, "a", "want no nil pointers"},
		{"nil-domain", &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "REST"}}, Domains: map[string]*definition.Domain{"h": nil}}, "a", "want no nil pointers"},
		{"which", two, "", `want the ID of an API of the document (a, b), got ""`},
		{"unknown", two, "c", `want the ID of an API of the document (a, b), got "c"`},
		{"websocket", two, "b", "want a REST or an HTTP API, got WEBSOCKET"},
		{"no-authorizer", &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "REST", Routes: map[string]*definition.Route{
			"GET /": {Auth: definition.Auth{Type: "CUSTOM", Authorizer: "gone"}}}}}}, "a", `openapi: API "a".Routes["GET /"].Auth: want an authorizer of the API, got "gone" with the type "CUSTOM"`},
		{"unknown-type", &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "REST", Routes: map[string]*definition.Route{
			"GET /": {Auth: definition.Auth{Type: "MAGIC"}}}}}}, "a", `got "" with the type "MAGIC"`},
		{"no-type", &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "HTTP", Routes: map[string]*definition.Route{
			"GET /": {}}}}}, "a", `got "" with the type ""`},
		{"jwt-of-rest", &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "REST", Authorizers: map[string]*definition.Authorizer{
			"j": {Type: "JWT", Issuers: []*definition.Issuer{{Issuer: "https://i"}}}}}}}, "a", `Authorizers["j"]: want one that a document can say`},
		{"schema", &definition.Document{APIs: []*definition.API{{ID: "a", Flavor: "REST", Models: map[string]*definition.Model{"M": {Schema: json.RawMessage("{")}}}}}, "a", "openapi: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := openapi.Write(tt.doc, tt.api, openapi.Options{})
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, text)
		})
	}
}
