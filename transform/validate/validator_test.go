package validate_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/validate"
)

const petSchema = `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["type","price"],
	"properties":{"type":{"type":"string","enum":["dog","cat"]},"price":{"type":"number","minimum":25,"maximum":500}}}`

func models(t testing.TB, schemas map[string]string) *validate.Models {
	t.Helper()
	m, err := validate.NewModels(validate.ModelsConfig{Schemas: schemas})
	require.NoError(t, err)
	return m
}

// bodies is a validator of bodies of all types by one schema.
func bodies(t testing.TB, schema string) *validate.Validator {
	t.Helper()
	v, err := validate.New(validate.Config{ValidateBody: true, Models: models(t, map[string]string{"Model": schema}), RequestModels: map[string]string{"$default": "Model"}})
	require.NoError(t, err)
	return v
}

// rest is a request of a REST API.
func rest(method, target, body string, headers ...string) *http.Request {
	rc, r := gatekit.Attach(httptest.NewRequest(method, target, strings.NewReader(body)))
	rc.API = &gatekit.API{Flavor: gatekit.REST}
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	return r
}

// serve returns the answer, and the body that the handler read, or "-" if it wasn't called.
func serve(t testing.TB, v *validate.Validator, r *http.Request) (w *httptest.ResponseRecorder, seen string) {
	t.Helper()
	w, seen = httptest.NewRecorder(), "-"
	v.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		seen = string(body)
	})).ServeHTTP(w, r)
	return w, seen
}

func TestBodies(t *testing.T) {
	pet := bodies(t, petSchema)
	for _, tt := range []struct{ name, body, why string }{
		{"valid", `{"type":"dog","price":249.99}`, ""},
		{"valid-with-more", ` {"price":25,"more":[1],"type":"cat"} `, ""},
		{"empty", "", `[object has missing required properties (["price","type"])]`},
		{"missing", `{"type":"dog"}`, `[object has missing required properties (["price"])]`},
		{"enum", `{"type":"bird","price":30}`, `[instance value ("bird") not found in enum (possible values: ["dog","cat"])]`},
		{"type", `{"type":"dog","price":"30"}`, `[instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])]`},
		{"minimum", `{"type":"dog","price":1}`, `[numeric instance is lower than the required minimum (minimum: 25, found: 1)]`},
		{"maximum", `{"type":"dog","price":500.5}`, `[numeric instance is greater than the required maximum (maximum: 500, found: 500.5)]`},
		{"two", `{"type":1,"price":1}`, `[numeric instance is lower than the required minimum (minimum: 25, found: 1), instance type (integer) does not match any allowed primitive type (allowed: ["string"])]`},
		{"array", `[]`, `[instance type (array) does not match any allowed primitive type (allowed: ["object"])]`},
		{"null", `null`, `[instance type (null) does not match any allowed primitive type (allowed: ["object"])]`},
		{"not-json", `{type:dog}`, `[Unknown error parsing request body]`},
		{"blank", ` `, `[Unknown error parsing request body]`},
		{"two-values", `{"type":"dog","price":30} {}`, `[Unknown error parsing request body]`},
		{"form", `type=dog&price=30`, `[Unknown error parsing request body]`},
		{"twice", `{"type":"dog","price":30,"price":1}`, `[Unknown error parsing request body]`},
		{"not-utf8", "{\"type\":\"dog\",\"price\":30,\"x\":\"\xff\"}", `[Unknown error parsing request body]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rest("POST", "/pets", tt.body)
			w, seen := serve(t, pet, r)
			if tt.why == "" {
				require.Equal(t, 200, w.Code)
				require.Equal(t, tt.body, seen)
				return
			}
			require.Equal(t, "-", seen)
			require.Equal(t, 400, w.Code)
			require.Equal(t, `{"message":"Invalid request body"}`, w.Body.String())
			require.Equal(t, "BadRequestException", w.Header().Get("X-Amzn-Errortype"))
			rej := gatekit.From(r.Context()).Rejection()
			require.Equal(t, gatekit.BadRequestBody, rej.Type)
			var why *validate.BodyError
			require.ErrorAs(t, rej.Cause, &why)
			require.Equal(t, tt.why, why.ValidationErrorString())
		})
	}
	// In an HTTP API, which the managed gateway doesn't validate for, the message is the same.
	w, _ := serve(t, pet, httptest.NewRequest("POST", "/", nil))
	require.Equal(t, `{"message":"Invalid request body"}`, w.Body.String())
}

// Recorded: a request without body, judged as {}, fits a model without required properties, and no
// array.
func TestEmptyBody(t *testing.T) {
	for schema, want := range map[string]int{petSchema: 400, `{"type":"array","items":{}}`: 400, `{"type":"object"}`: 200, `{"type":["object","null"]}`: 200} {
		r := rest("GET", "/", "")
		r.Body = http.NoBody
		w, _ := serve(t, bodies(t, schema), r)
		require.Equal(t, want, w.Code, schema)
	}
}

// Recorded: null has to be listed, and may be so in oneOf.
func TestNullInOneOf(t *testing.T) {
	v := bodies(t, `{"type":"object","properties":{"a":{"oneOf":[{"type":"null"},{"type":"string"}]},"b":{"type":"string"}}}`)
	for body, want := range map[string]int{`{"a":null}`: 200, `{"a":"x"}`: 200, `{"a":1}`: 400, `{"b":null}`: 400} {
		w, _ := serve(t, v, rest("POST", "/", body))
		require.Equal(t, want, w.Code, body)
	}
}

func TestContentTypes(t *testing.T) {
	all := models(t, map[string]string{"Dog": `{"required":["dog"]}`, "Cat": `{"required":["cat"]}`, "Any": `{"required":["any"]}`})
	chosen := map[string]string{"application/json": "Dog", "Application/Vnd.Cat+JSON; v=1": "Cat"}
	withDefault := map[string]string{"application/json": "Dog", "$default": "Any"}
	for _, tt := range []struct {
		name    string
		models  map[string]string
		require bool
		types   []string
		body    string
		want    int
	}{
		{"absent", chosen, false, nil, `{"dog":1}`, 200},
		{"absent-invalid", chosen, false, nil, `{"cat":1}`, 400},
		{"empty", chosen, false, []string{""}, `{"cat":1}`, 400},
		{"json", chosen, false, []string{"application/json"}, `{"cat":1}`, 400},
		{"charset", chosen, false, []string{"application/json; charset=utf-8"}, `{"cat":1}`, 400},
		{"upper-case", chosen, false, []string{" APPLICATION/JSON ;x"}, `{"cat":1}`, 400},
		{"other", chosen, false, []string{"application/vnd.cat+json"}, `{"cat":1}`, 200},
		{"other-invalid", chosen, false, []string{"application/vnd.cat+json"}, `{"dog":1}`, 400},
		{"without-model", chosen, false, []string{"text/plain"}, `whatever`, 200},
		{"without-model-refused", chosen, true, []string{"text/plain"}, `whatever`, 415},
		{"default", withDefault, false, []string{"text/plain"}, `{"any":1}`, 200},
		{"default-invalid", withDefault, true, []string{"text/plain"}, `{"dog":1}`, 400},
		{"two-types", chosen, false, []string{"text/plain", "application/json"}, `{"dog":1}`, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := validate.New(validate.Config{ValidateBody: true, Models: all, RequestModels: tt.models, RequireModel: tt.require})
			require.NoError(t, err)
			r := rest("POST", "/", tt.body)
			r.Header["Content-Type"] = tt.types
			w, _ := serve(t, v, r)
			require.Equal(t, tt.want, w.Code)
		})
	}
}

func TestParameters(t *testing.T) {
	v, err := validate.New(validate.Config{ValidateParameters: true, RequestParameters: map[string]bool{
		"method.request.querystring.q1": true, "method.request.querystring.a": true, "method.request.querystring.opt": false, "method.request.path.id": true,
		"method.request.header.x-h": true, "method.request.header.X-B": true, "method.request.header.host": true,
	}})
	require.NoError(t, err)
	for _, tt := range []struct {
		name, query string
		headers     []string
		id, want    string
	}{
		{"all", "?q1=1&a=x", []string{"X-H", "1", "X-B", "2"}, "7", ""},
		{"none", "", nil, "", "X-B, x-h, id, a, q1"},
		{"query", "?a=1", []string{"X-H", "1", "X-B", "2"}, "7", "q1"},
		{"blank-query", "?q1=&a=+", []string{"X-H", "1", "X-B", "2"}, "7", "a, q1"},
		{"query-without-value", "?q1&a=1", []string{"X-H", "1", "X-B", "2"}, "7", "q1"},
		{"query-in-other-case", "?Q1=1&a=1", []string{"X-H", "1", "X-B", "2"}, "7", "q1"},
		{"query-encoded", "?%711=%31&a=1", []string{"X-H", "1", "X-B", "2"}, "7", ""},
		{"last-query-counts", "?q1=1&q1=&a=&a=1", []string{"X-H", "1", "X-B", "2"}, "7", "q1"},
		{"blank-header", "?q1=1&a=1", []string{"X-H", " \t", "X-B", ""}, "7", "X-B, x-h"},
		{"path", "?q1=1&a=1", []string{"X-H", "1", "X-B", "2"}, "", "id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rest("GET", "/"+tt.query, "", tt.headers...)
			r.SetPathValue("id", tt.id)
			w, seen := serve(t, v, r)
			if tt.want == "" {
				require.Equal(t, 200, w.Code)
				return
			}
			require.Equal(t, "-", seen)
			require.Equal(t, 400, w.Code)
			require.Equal(t, `{"message":"Missing required request parameters: [`+tt.want+`]"}`, w.Body.String())
			require.Equal(t, "BadRequestException", w.Header().Get("X-Amzn-Errortype"))
			rej := gatekit.From(r.Context()).Rejection()
			require.Equal(t, gatekit.BadRequestParameters, rej.Type)
			require.EqualError(t, rej.Cause, "validate: Missing required request parameters: ["+tt.want+"]")
		})
	}
}

// The three kinds of validators, and what each of them doesn't look at.
func TestKindsOfValidators(t *testing.T) {
	m := models(t, map[string]string{"Pet": petSchema})
	for _, tt := range []struct {
		body, parameters bool
		target, content  string
		want             string
	}{
		{true, false, "/", `{}`, `{"message":"Invalid request body"}`},
		{true, false, "/", `{"type":"dog","price":30}`, ""},
		{false, true, "/", `{}`, `{"message":"Missing required request parameters: [q]"}`},
		{false, true, "/?q=1", `{}`, ""},
		{true, true, "/", `{}`, `{"message":"Missing required request parameters: [q]"}`},
		{true, true, "/?q=1", `{}`, `{"message":"Invalid request body"}`},
		{true, true, "/?q=1", `{"type":"dog","price":30}`, ""},
	} {
		v, err := validate.New(validate.Config{
			ValidateBody: tt.body, ValidateParameters: tt.parameters, Models: m,
			RequestModels: map[string]string{"application/json": "Pet"}, RequestParameters: map[string]bool{"method.request.querystring.q": true},
		})
		require.NoError(t, err)
		w, _ := serve(t, v, rest("POST", tt.target, tt.content))
		require.Equal(t, tt.want, w.Body.String())
	}
}

func TestBoundsOfBodies(t *testing.T) {
	v, err := validate.New(validate.Config{ValidateBody: true, Models: models(t, nil), RequestModels: map[string]string{"$default": "Empty"}, MaxBodyBytes: 10, MaxValues: 3})
	require.NoError(t, err)
	for body, want := range map[string]int{`{"a":1234}`: 200, `{"a":12345}`: 413, `{"a":[1]}`: 200, `{"a":[[]]}`: 200, `{"a":[1,2]}`: 413, `[1,2,3]`: 400} {
		for _, length := range []int64{-1, int64(len(body))} {
			r := rest("POST", "/", body)
			r.ContentLength = length
			w, _ := serve(t, v, r)
			require.Equal(t, want, w.Code, body)
			if want == 413 {
				require.Equal(t, `{"message": "Request Too Long"}`, w.Body.String())
			}
		}
	}
	r := rest("POST", "/", "")
	r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(errors.New("broken"))), -1
	w, _ := serve(t, v, r)
	require.Equal(t, 400, w.Code)
	require.Equal(t, `{"message":"Bad Request"}`, w.Body.String())
}

// A body that nobody judges isn't read.
func TestBodyIsNotRead(t *testing.T) {
	v, err := validate.New(validate.Config{ValidateBody: true, Models: models(t, nil), RequestModels: map[string]string{"application/json": "Empty"}})
	require.NoError(t, err)
	r := rest("POST", "/", "", "Content-Type", "image/png")
	r.Body = io.NopCloser(iotest.ErrReader(errors.New("read")))
	require.NoError(t, v.Check(r))
}

func TestDuplicateNames(t *testing.T) {
	v, err := validate.New(validate.Config{ValidateBody: true, AllowDuplicateNames: true, Models: models(t, map[string]string{"Pet": petSchema}), RequestModels: map[string]string{"$default": "Pet"}})
	require.NoError(t, err)
	for body, want := range map[string]int{`{"type":"dog","price":1,"price":30}`: 200, `{"type":"dog","price":30,"price":1}`: 400} {
		w, _ := serve(t, v, rest("POST", "/", body))
		require.Equal(t, want, w.Code, body)
	}
}

func TestProblemDetails(t *testing.T) {
	v, err := validate.New(validate.Config{
		ValidateBody: true, ValidateParameters: true, ProblemDetails: true, RequireModel: true, MaxBodyBytes: 1000,
		Models:            models(t, map[string]string{"Pet": `{"type":"object","required":["type"],"properties":{"a/b~ü":{"items":{"type":"integer"}}}}`}),
		RequestModels:     map[string]string{"application/json": "Pet"},
		RequestParameters: map[string]bool{"method.request.header.x-h": true, "method.request.querystring.q": true},
	})
	require.NoError(t, err)
	gateway, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Default4XX: {StatusCode: 418}}})
	require.NoError(t, err)
	for _, tt := range []struct {
		name, target, body, contentType string
		status                          int
		want                            string
	}{
		{"parameters", "/", "", "", 400, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"Missing required request parameters","errors":[` +
			`{"detail":"is required, and must not be blank","in":"header","name":"x-h"},{"detail":"is required, and must not be blank","in":"query","name":"q"}]}`},
		{"body", "/?q=1", `{"a/b~ü":[1,"x",2.5]}`, "", 400, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"Invalid request body","errors":[` +
			`{"detail":"object has missing required properties ([\"type\"])","pointer":"#"},` +
			`{"detail":"instance type (string) does not match any allowed primitive type (allowed: [\"integer\"])","pointer":"#/a~1b~0%C3%BC/1"},` +
			`{"detail":"instance type (number) does not match any allowed primitive type (allowed: [\"integer\"])","pointer":"#/a~1b~0%C3%BC/2"}]}`},
		{"not-json", "/?q=1", `{]`, "", 400, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"Invalid request body","errors":[{"detail":"not JSON, at byte 1","pointer":"#"}]}`},
		{"media-type", "/?q=1", `x`, "text/plain", 415, `{"type":"about:blank","title":"Unsupported Media Type","status":415,"detail":"Unsupported Media Type"}`},
		{"too-large", "/?q=1", strings.Repeat(" ", 1001), "", 413, `{"type":"about:blank","title":"Request Entity Too Large","status":413,"detail":"Request Too Long"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rest("POST", tt.target, tt.body)
			if tt.target != "/" {
				r.Header.Set("X-H", "1")
			}
			if tt.contentType != "" {
				r.Header.Set("Content-Type", tt.contentType)
			}
			w := httptest.NewRecorder()
			gateway.Middleware(v.Middleware(http.NotFoundHandler())).ServeHTTP(w, r)
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.want, w.Body.String())
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			require.NotEmpty(t, w.Header().Get("X-Amzn-Requestid"))
			require.NotEmpty(t, w.Header().Get("X-Amzn-Errortype"))
		})
	}
	r := rest("HEAD", "/", "")
	w, _ := serve(t, v, r)
	require.Empty(t, w.Body.String())
	require.NotEqual(t, "0", w.Header().Get("Content-Length"))
}

// Without ProblemDetails, gateway responses say what the client is told, and may use the
// validator's words.
func TestUnderGatewayResponses(t *testing.T) {
	gateway, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.BadRequestBody: {StatusCode: 422, ResponseTemplates: map[string]string{"text/plain": "$context.error.message: $context.error.validationErrorString"}},
	}})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	gateway.Middleware(bodies(t, petSchema).Middleware(http.NotFoundHandler())).ServeHTTP(w, rest("POST", "/", `{"price":30}`))
	require.Equal(t, 422, w.Code)
	require.Equal(t, `Invalid request body: [object has missing required properties (["type"])]`, w.Body.String())
}

func TestRefusedConfigs(t *testing.T) {
	_, err := validate.New(validate.Config{
		ValidateBody: true, Models: models(t, nil), MaxBodyBytes: -1, MaxValues: -1,
		RequestModels:     map[string]string{"json": "Empty", "application/json": "Pet", "a/b": "Empty", "A/B; x=1": "Error"},
		RequestParameters: map[string]bool{"q": true, "method.request.querystring.": false, "method.request.body.x": true, "integration.request.header.x": true},
	})
	require.EqualError(t, err, `validate: Config.RequestParameters["integration.request.header.x"]: want method.request.header.NAME, method.request.querystring.NAME or method.request.path.NAME, got "integration.request.header.x": write method.request.header.X
validate: Config.RequestParameters["method.request.body.x"]: want method.request.header.NAME, method.request.querystring.NAME or method.request.path.NAME, got "method.request.body.x"
validate: Config.RequestParameters["method.request.querystring."]: want method.request.header.NAME, method.request.querystring.NAME or method.request.path.NAME, got "method.request.querystring."
validate: Config.RequestParameters["q"]: want method.request.header.NAME, method.request.querystring.NAME or method.request.path.NAME, got "q"
validate: Config.RequestModels["a/b"]: want one model for a/b, got another one
validate: Config.RequestModels["application/json"]: want the name of a model, got "Pet"
validate: Config.RequestModels["json"]: want a content type such as application/json, or $default, got "json"
validate: Config.MaxBodyBytes: want 0 to 1073741824, got -1
validate: Config.MaxValues: want 0 or more, got -1`)
}

func TestStation(t *testing.T) {
	kind, next := bodies(t, `{}`).Middleware(http.NotFoundHandler()).(gatekit.Station).Station()
	require.Equal(t, "validate", kind)
	require.NotNil(t, next)
}

// What validates nothing on the managed gateway is taken, and the built-in models are there without
// any of one's own.
func TestValidatorsWithoutEffect(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config validate.Config
		body   string
		ok     bool
	}{
		{"nothing", validate.Config{}, "x", true},
		{"no-models", validate.Config{ValidateBody: true}, "x", true},
		{"neither-flag", validate.Config{RequestParameters: map[string]bool{"method.request.header.X-A": true}}, "x", true},
		{"empty", validate.Config{ValidateBody: true, RequestModels: map[string]string{"application/json": "Empty"}}, "[]", false},
		{"empty-object", validate.Config{ValidateBody: true, RequestModels: map[string]string{"application/json": "Empty"}}, "{}", true},
		{"error", validate.Config{ValidateBody: true, RequestModels: map[string]string{"application/json": "Error"}}, `{"message":1}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := validate.New(tt.config)
			require.NoError(t, err)
			require.Equal(t, tt.ok, v.Check(rest("POST", "/", tt.body)) == nil)
		})
	}
}
