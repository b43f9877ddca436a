package restapi_test

import (
	"bytes"
	"compress/gzip"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/restapi"
)

func mockMethod() transform.RESTConfig {
	return transform.RESTConfig{
		Type: transform.Mock, RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`}, IntegrationResponses: defaultResponse,
	}
}

// What the API says is true of every method: types of bytes, models, bounds, where the method says
// nothing else.
func TestMethodsShareTheAPI(t *testing.T) {
	order := []string{}
	api, err := restapi.New(restapi.Config{
		BinaryMediaTypes:  []string{"image/*"},
		Models:            map[string]string{"Pet": `{"type":"object","required":["name"]}`},
		RequestValidators: map[string]restapi.RequestValidator{"all": {ValidateRequestBody: true, ValidateRequestParameters: true}, "none": {}},
		APIKeys: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { order = append(order, "key"); next.ServeHTTP(w, r) })
		},
		MaxBodyBytes: 40,
	})
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		config restapi.MethodConfig
		body   string
		header []string
		want   int
		keys   int
	}{
		{"plain", restapi.MethodConfig{}, `{}`, nil, 200, 0},
		{"key", restapi.MethodConfig{APIKeyRequired: true}, `{}`, nil, 200, 1},
		{"key-before-model", restapi.MethodConfig{APIKeyRequired: true, RequestValidator: "all", RequestModels: map[string]string{"application/json": "Pet"}}, `{}`, nil, 400, 1},
		{"model", restapi.MethodConfig{RequestValidator: "all", RequestModels: map[string]string{"application/json": "Pet"}}, `{"name":1}`, nil, 200, 0},
		{"empty-model", restapi.MethodConfig{RequestValidator: "all", RequestModels: map[string]string{"application/json": "Empty"}}, `[]`, nil, 400, 0},
		{"validator-of-nothing", restapi.MethodConfig{RequestValidator: "none", RequestModels: map[string]string{"application/json": "Pet"}}, `{}`, nil, 200, 0},
		{"no-validator", restapi.MethodConfig{RequestModels: map[string]string{"application/json": "Pet"}}, `{}`, nil, 200, 0},
		{"parameter", restapi.MethodConfig{RequestValidator: "all", RequestParameters: map[string]bool{"method.request.header.X-A": true}}, `{}`, nil, 400, 0},
		{"parameter-there", restapi.MethodConfig{RequestValidator: "all", RequestParameters: map[string]bool{"method.request.header.X-A": true}}, `{}`, []string{"X-A", "1"}, 200, 0},
		{"too-large", restapi.MethodConfig{}, `"0123456789012345678901234567890123456789"`, nil, 413, 0},
		{"too-large-for-the-validator", restapi.MethodConfig{RequestValidator: "all", RequestModels: map[string]string{"application/json": "Pet"}}, `"0123456789012345678901234567890123456789"`, nil, 413, 0},
		{"own-bound", restapi.MethodConfig{Integration: transform.RESTConfig{MaxBodyBytes: 100}}, `"0123456789012345678901234567890123456789"`, nil, 200, 0},
		{"bytes", restapi.MethodConfig{}, "\xff", []string{"Content-Type", "image/png"}, 500, 0}, // a template over bytes
	} {
		t.Run(tt.name, func(t *testing.T) {
			order = order[:0]
			most := tt.config.Integration.MaxBodyBytes
			tt.config.Integration = mockMethod()
			tt.config.Integration.MaxBodyBytes = most
			tt.config.Integration.RequestTemplates["image/png"] = `{"statusCode": 200}`
			m, err := api.Method(tt.config)
			require.NoError(t, err)
			a := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
			a.Use(api.Middleware)
			a.Handle("POST /pets/{id}", m)
			w := httptest.NewRecorder()
			a.ServeHTTP(w, post(tt.body, tt.header...))
			require.Equal(t, tt.want, w.Code, w.Body)
			require.Len(t, order, tt.keys)
		})
	}
}

func TestRefusedMethods(t *testing.T) {
	api, err := restapi.New(restapi.Config{})
	require.NoError(t, err)
	for want, c := range map[string]restapi.MethodConfig{
		"MethodConfig.APIKeyRequired: want Config.APIKeys":                                {APIKeyRequired: true},
		`MethodConfig.RequestValidator: want one of Config.RequestValidators`:             {RequestValidator: "x"},
		"MethodConfig.Integration.BinaryMediaTypes: want none":                            {Integration: transform.RESTConfig{BinaryMediaTypes: []string{"a/b"}}},
		"MethodConfig.Integration.MethodResponses: want none":                             {Integration: transform.RESTConfig{MethodResponses: []transform.MethodResponse{}}},
		"MethodConfig.Integration.MethodRequestParameters: want none":                     {Integration: transform.RESTConfig{MethodRequestParameters: map[string]bool{}}},
		"RESTConfig.Type: want MOCK":                                                      {},
		`Config.RequestModels["application/json"]: want the name of a model, got "Order"`: {RequestModels: map[string]string{"application/json": "Order"}},
		`Config.RequestParameters["x"]: want method.request.header.NAME`:                  {RequestParameters: map[string]bool{"x": true}},
	} {
		_, err := api.Method(c)
		require.ErrorContains(t, err, want)
	}
	_, err = restapi.New(restapi.Config{
		BinaryMediaTypes: []string{"png"}, Models: map[string]string{"a-b": "{}"}, MaxBodyBytes: -1,
		GatewayResponses: map[gatekit.ResponseType]transform.GatewayResponse{gatekit.Throttled: {StatusCode: 1}},
	})
	for _, want := range []string{"Config.BinaryMediaTypes: [0]: want a type", "Config.Models: ", "Config.GatewayResponses: ", "Config.MaxBodyBytes: "} {
		require.ErrorContains(t, err, want)
	}
}

// A method without an integration that isn't a mock answers 500, and is no panic.
func TestMethodWithoutIntegration(t *testing.T) {
	for _, kind := range []transform.IntegrationType{transform.HTTP, transform.HTTPProxy, transform.AWS, transform.AWSProxy} {
		m := gatekit.Must(transform.NewREST(transform.RESTConfig{Type: kind, IntegrationResponses: defaultResponse}))
		w := httptest.NewRecorder()
		m.ServeHTTP(w, post("x"))
		require.Equal(t, 500, w.Code, kind)
	}
	w := httptest.NewRecorder()
	gatekit.Must(transform.NewREST(mockMethod())).ServeHTTP(w, post("{}"))
	require.Equal(t, 200, w.Code)
}

// What is odd in a method is logged once, when it is made.
func TestFindingsAreLogged(t *testing.T) {
	var log bytes.Buffer
	api := gatekit.Must(restapi.New(restapi.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}))
	c := mockMethod()
	c.URI = "http://x"
	m := gatekit.Must(api.Method(restapi.MethodConfig{Integration: c}))
	require.Len(t, m.Findings(), 1)
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")))
	require.Contains(t, log.String(), "level=WARN")
	require.Contains(t, log.String(), "URI: want none")
	m.Findings()[0] = "" // is the caller's own
	require.NotEmpty(t, m.Findings()[0])
}

// defaultResponse is what most integrations have.
var defaultResponse = []transform.IntegrationResponse{{StatusCode: 200}}

func post(body string, header ...string) *http.Request {
	r := httptest.NewRequest("POST", "/pets/7?q=1", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// A compressed body is judged by what it is, whatever it was sent as; the answer is compressed from
// the API's size on. Without one requests are inflated all the same.
func TestCompression(t *testing.T) {
	zipped := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return b.String()
	}
	for _, tt := range []struct {
		name, body string
		size       *int64
		want       int
		coding     string
	}{
		{"off", zipped(`{"name":1}`), nil, 200, ""},
		{"any-size", zipped(`{"name":1}`), new(int64), 200, "gzip"},
		{"longer-than-the-answer", zipped(`{"name":1}`), ptr(int64(1000)), 200, ""},
		{"judged", zipped(`{"nome":1}`), nil, 400, ""},
		{"plain", `{"name":1}`, nil, 415, ""},
		{"above-the-bound", zipped(`{"name":"` + strings.Repeat("x", 100) + `"}`), nil, 413, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := gatekit.Must(restapi.New(restapi.Config{
				Models:            map[string]string{"Pet": `{"type":"object","required":["name"]}`},
				RequestValidators: map[string]restapi.RequestValidator{"body": {ValidateRequestBody: true}},
				MaxBodyBytes:      100, MinimumCompressionSize: tt.size,
			}))
			c := mockMethod()
			c.RequestTemplates["application/json"] = `{"statusCode": 200}#set($context.requestOverride.name = $input.path('$.name'))`
			c.IntegrationResponses = []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": "hello hello"}}}
			m, err := api.Method(restapi.MethodConfig{RequestValidator: "body", RequestModels: map[string]string{"application/json": "Pet"}, Integration: c})
			require.NoError(t, err)
			a := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
			a.Use(api.Middleware)
			a.Handle("POST /pets/{id}", m)
			w := httptest.NewRecorder()
			a.ServeHTTP(w, post(tt.body, "Content-Encoding", "gzip", "Accept-Encoding", "gzip"))
			require.Equal(t, tt.want, w.Code, w.Body)
			require.Equal(t, tt.coding, w.Header().Get("Content-Encoding"))
			if tt.want == 200 && tt.coding == "" {
				require.Equal(t, "hello hello", w.Body.String())
			}
		})
	}
	_, err := restapi.New(restapi.Config{MinimumCompressionSize: ptr(int64(-1))})
	require.ErrorContains(t, err, "restapi: Config.MinimumCompressionSize: want 0 to 10485760, got -1")
}

func ptr[T any](v T) *T { return &v }
