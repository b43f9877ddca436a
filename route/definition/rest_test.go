package definition_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/integration"
)

// echo is a function that returns its event.
type echo struct{}

func (echo) Invoke(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

func post(h http.Handler, url, contentType, body string) (int, string) {
	r := httptest.NewRequest("POST", url, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestValidatorsAndGatewayResponses(t *testing.T) {
	text := apiOf("REST",
		calls("POST /a", `{"type":"NONE"}`, `"validator":{"body":true,"parameters":true}`,
			`"request_parameters":{"method.request.querystring.q":true}`, `"request_models":{"application/json":"pet_1"}`)+`,`+
			calls("POST /b", `{"type":"NONE"}`, `"validator":{"body":false,"parameters":false}`, `"request_models":{"application/json":"gone"}`)+`,`+
			calls("POST /broken", `{"type":"NONE"}`, `"validator":{"body":true,"parameters":false}`, `"request_models":{"application/json":"broken"}`),
		`"models":{"pet_1":{"schema":{"type":"object","properties":{"name":{"$ref":"https://apigateway.amazonaws.com/restapis/x/models/name"}},"required":["name"]}},
			"name":{"schema":{"type":"string"}},"broken":{"schema":{"type":"nothing"}}},
		"gateway_responses":{"BAD_REQUEST_BODY":{"status":"422","parameters":{"gatewayresponse.header.X-Why":"'body'","gatewayresponse.header.bad name":"'x'"},
			"templates":{"application/json":"{\"why\":$context.error.messageString}"}},"NO_SUCH_TYPE":{"status":"400"}}`)
	g := build(t, text, definition.Bindings{Functions: functions("F")})
	code, body := post(g, "/prod/a?q=1", "application/json", `{"name":"x"}`)
	require.Equal(t, []any{200, "F"}, []any{code, body})
	code, body = post(g, "/prod/a?q=1", "application/json", `{"name":1}`)
	require.Equal(t, 422, code)
	require.JSONEq(t, `{"why":"Invalid request body"}`, body)
	code, body = post(g, "/prod/a", "application/json", `{"name":"x"}`)
	require.Equal(t, 400, code, body)
	code, _ = post(g, "/prod/b", "application/json", `{`)
	require.Equal(t, 200, code)
	code, _ = post(g, "/prod/broken", "application/json", `{}`)
	require.Equal(t, 500, code)

	var parts []string
	for _, f := range g.Report().Of(definition.Differs) {
		parts = append(parts, f.Route)
	}
	require.Equal(t, []string{"gateway response BAD_REQUEST_BODY", "gateway response NO_SUCH_TYPE"}, parts)
	require.Len(t, g.Report().Of(definition.Unsupported), 1)
}

// backend answers with what it was asked.
func backend(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Back", "back")
		_ = json.NewEncoder(w).Encode(map[string]string{
			"method": r.Method, "uri": r.RequestURI, "body": string(body), "tenant": r.Header.Get("X-Tenant"), "host": r.Host})
	}))
	t.Cleanup(s.Close)
	return s
}

func TestIntegrationsOfREST(t *testing.T) {
	s := backend(t)
	text := apiOf("REST", `
		"GET /proxy/{id}":{"auth":{"type":"NONE"},"request_parameters":{"method.request.path.id":true},"integration":{"type":"HTTP_PROXY","method":"POST","timeout":1000,
			"target":{"kind":"http","uri":"`+s.URL+`/items/{item}?stage=${stageVariables.v}"},
			"request_parameters":{"integration.request.path.item":"method.request.path.id","integration.request.header.X-Tenant":"'t1'"}}},
		"POST /http":{"auth":{"type":"NONE"},"method_responses":{"200":{"parameters":{"method.response.header.X-Out":false}}},"integration":{"type":"HTTP","method":"PUT","target":{"kind":"http","uri":"`+s.URL+`/x"},
			"request_templates":{"application/json":"{\"got\":$input.json('$.a')}"},"passthrough":"NEVER",
			"responses":[{"status":"201","parameters":{"method.response.header.X-Out":"integration.response.header.X-Back"},"templates":{"application/json":"$input.path('$.body')"}}]}},
		"POST /custom":{"auth":{"type":"NONE"},"integration":{"type":"AWS","method":"POST","target":{"kind":"lambda","function":"Echo"},
			"request_templates":{"application/json":"{\"wrapped\":$input.json('$')}"},"responses":[{"status":"200"},{"pattern":"bad.*","status":"400"}]}},
		"GET /mock":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},"request_templates":{"application/json":"{\"statusCode\": 418}"},
			"responses":[{"pattern":"418","status":"418","templates":{"application/json":"tea"}}]}},
		"GET /private":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"GET","target":{"kind":"http","uri":"http://inner.example/in"},"connection":{"type":"VPC_LINK","id":"${stageVariables.link}"}}},
		"GET /stream":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"F","streaming":true}}},
		"POST /queue":{"auth":{"type":"NONE"},"integration":{"type":"AWS","method":"POST","target":{"kind":"service","service":"sqs","path":"123456789012/q"},
			"request_templates":{"application/json":"Action=SendMessage&MessageBody=$input.body"},"responses":[{"status":"200","templates":{"application/json":"sent"}}]}},
		"POST /table":{"auth":{"type":"NONE"},"integration":{"type":"AWS","method":"POST","target":{"kind":"service","service":"dynamodb","action":"PutItem"},"responses":[{"status":"200"}]}},
		"GET /odd":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","target":{"kind":"other","uri":"${x}"}}},
		"GET /none":{"auth":{"type":"NONE"}},
		"GET /gone":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"Gone"}}},
		"GET /method":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"GET","target":{"kind":"lambda","function":"F"}}}`,
		`"stages":{"prod":{"variables":{"v":"p","link":"Link"}}}`)
	text = strings.TrimSuffix(text, "}") + `,"resources":{"Link":{"type":"AWS::ApiGateway::VpcLink","targets":["Nlb"]},"Nlb":{"type":"AWS::ElasticLoadBalancingV2::LoadBalancer","name":"nlb","path":"Stack/Nlb"}}}`
	var queued atomic.Value
	g := build(t, text, definition.Bindings{
		Functions: map[string]gatekit.Invoker{"F": fn("F"), "Echo": echo{}},
		Upstreams: map[string]integration.HTTPConfig{"Stack/*": {Upstreams: []integration.Upstream{{Address: strings.TrimPrefix(s.URL, "http://")}}}},
		Handlers: map[string]http.Handler{"sqs": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			queued.Store(string(body))
		})},
	})
	require.Equal(t, `200 {"body":"","host":"`+strings.TrimPrefix(s.URL, "http://")+`","method":"POST","tenant":"t1","uri":"/items/7?stage=p"}`+"\n", ask(g, "GET", "/prod/proxy/7"))
	r := httptest.NewRequest("POST", "/prod/http", strings.NewReader(`{"a":[1]}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	require.Equal(t, 201, w.Code)
	require.Equal(t, `{"got":[1]}`, w.Body.String())
	require.Equal(t, "back", w.Header().Get("X-Out"))
	code, _ := post(g, "/prod/http", "text/plain", "x")
	require.Equal(t, 415, code)
	code, body := post(g, "/prod/custom", "application/json", `{"a":1}`)
	require.Equal(t, 200, code)
	require.JSONEq(t, `{"wrapped":{"a":1}}`, body)
	require.Equal(t, "418 tea", ask(g, "GET", "/prod/mock"))
	require.Contains(t, ask(g, "GET", "/prod/private"), `"host":"inner.example"`)
	require.Contains(t, ask(g, "GET", "/prod/private"), `"uri":"/in"`)
	code, body = post(g, "/prod/queue", "application/json", `hi`)
	require.Equal(t, []any{200, "sent"}, []any{code, body})
	require.Equal(t, "Action=SendMessage&MessageBody=hi", queued.Load())
	for _, refused := range []string{"/prod/odd", "/prod/none", "/prod/gone", "/prod/method"} {
		require.Equal(t, `500 {"message": "Internal server error"}`, ask(g, "GET", refused), refused)
	}
	code, _ = post(g, "/prod/table", "application/json", `{}`)
	require.Equal(t, 500, code)
	var why []string
	for _, route := range g.Report().Routes {
		if !route.Served {
			why = append(why, route.Route+": "+route.Why)
		}
	}
	require.Equal(t, []string{
		"GET /gone: the function Gone isn't bound", "GET /none: the route has no integration",
		`GET /odd: nothing is known of the integration's target "${x}"`,
		"POST /table: nothing says how the AWS service dynamodb:PutItem is called"}, why)
}

func TestCompression(t *testing.T) {
	routes := calls("GET /a", `{"type":"NONE"}`)
	long := functionOf(func(map[string]any) map[string]any {
		return map[string]any{"statusCode": 200, "body": strings.Repeat("x", 2000)}
	})
	b := definition.Bindings{Strict: true, NoDifferences: true, Functions: map[string]gatekit.Invoker{"F": long}}
	encoding := func(more string) string {
		r := httptest.NewRequest("GET", "/prod/a", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		build(t, apiOf("REST", routes, more), b).ServeHTTP(w, r)
		require.Equal(t, 200, w.Code)
		return w.Header().Get("Content-Encoding")
	}
	require.Equal(t, "gzip", encoding(`"minimum_compression_size":1000`))
	require.Equal(t, "gzip", encoding(`"minimum_compression_size":0`))
	require.Empty(t, encoding(`"minimum_compression_size":3000`))
	require.Empty(t, encoding(``))
	for _, size := range []string{"-1", "-2", "10485761"} {
		g := build(t, apiOf("REST", routes, `"minimum_compression_size":`+size), definition.Bindings{Functions: b.Functions})
		require.Contains(t, ask(g, "GET", "/prod/a"), "500", size)
		require.NotEmpty(t, g.Report().Of(definition.Unsupported))
	}
}

func TestBinary(t *testing.T) {
	text := apiOf("REST", calls("POST /a", `{"type":"NONE"}`), `"binary_media_types":["image/*"]`)
	seen := make(chan bool, 2)
	f := functionOf(func(event map[string]any) map[string]any {
		seen <- event["isBase64Encoded"].(bool)
		return map[string]any{"statusCode": 200, "body": event["body"], "isBase64Encoded": event["isBase64Encoded"]}
	})
	g := build(t, text, definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": f}})
	_, _ = post(g, "/prod/a", "image/png", "\x00\x01")
	_, _ = post(g, "/prod/a", "text/plain", "x")
	require.True(t, <-seen)
	require.False(t, <-seen)
}

type functionOf func(event map[string]any) map[string]any

func (f functionOf) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	return json.Marshal(f(event))
}

// counted is a function that answers how often it was called.
func counted() gatekit.Invoker {
	var n atomic.Int64
	return functionOf(func(map[string]any) map[string]any {
		return map[string]any{"statusCode": 200, "body": string(rune('0' + n.Add(1)))}
	})
}

func TestCaching(t *testing.T) {
	routes := calls("GET /a", `{"type":"NONE"}`) + "," + calls("POST /a", `{"type":"NONE"}`) + "," + calls("GET /b", `{"type":"NONE"}`)
	const settings = `"method_settings":[{"path":"/~1a","method":"GET","caching":true,"ttl":60},{"path":"/*","method":"*"}]`
	f := map[string]gatekit.Invoker{"F": counted()}
	g := build(t, apiOf("REST", routes, `"stages":{"prod":{"cache":"0.5",`+settings+`},"off":{`+settings+`}}`),
		definition.Bindings{Strict: true, Functions: f})
	require.Equal(t, "200 1", ask(g, "GET", "/prod/a"))
	require.Equal(t, "200 1", ask(g, "GET", "/prod/a"), "kept")
	require.Equal(t, "200 2", ask(g, "GET", "/prod/a?x=1"), "another query is another answer")
	require.Equal(t, "200 3", ask(g, "POST", "/prod/a"))
	require.Equal(t, "200 4", ask(g, "GET", "/prod/b"))
	require.Equal(t, "200 5", ask(g, "GET", "/prod/b"))
	require.Equal(t, "200 6", ask(g, "GET", "/off/a"), "a stage without a cluster keeps nothing")
	require.Equal(t, "200 7", ask(g, "GET", "/off/a"))
}

func TestMethodThrottling(t *testing.T) {
	routes := calls("GET /a", `{"type":"NONE"}`) + "," + calls("ANY /b", `{"type":"NONE"}`) + "," + calls("GET /", `{"type":"NONE"}`)
	g := build(t, apiOf("REST", routes, `"stages":{"prod":{"method_settings":[
		{"path":"/*","method":"*","rate":0.001,"burst":1},{"path":"/~1a","method":"GET","rate":0,"burst":7},{"path":"/b","method":"POST","rate":-1,"burst":-1},
		{"path":"/gone","method":"GET","rate":1,"burst":1}]}}`),
		definition.Bindings{Strict: true, Functions: functions("F")})
	require.Equal(t, `429 {"message":"Too Many Requests"}`, ask(g, "GET", "/prod/a"), "either zero blocks")
	require.Equal(t, "200 F", ask(g, "GET", "/prod/b"))
	require.Equal(t, `429 {"message":"Too Many Requests"}`, ask(g, "GET", "/prod/b"))
	for range 3 {
		require.Equal(t, "200 F", ask(g, "POST", "/prod/b"), "-1 is no limit")
	}
	require.Equal(t, "200 F", ask(g, "GET", "/prod/"))
	warned := g.Report().Of(definition.Warning)
	require.Len(t, warned, 1)
	require.Equal(t, "GET /gone", warned[0].Route)
}

func TestStagesAndCanary(t *testing.T) {
	text := apiOf("REST", `"GET /a":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","name":"f","qualifier":"${stageVariables.alias}"}}}`,
		`"stages":{"one":{"variables":{"alias":"v1"}},"two":{"variables":{"alias":"v1"},"canary":{"percent":100,"overrides":{"alias":"v2"}}},"three":{}}`)
	g := build(t, text, definition.Bindings{Functions: functions("f:v1", "f:v2")})
	require.Equal(t, "200 f:v1 map[alias:v1]", ask(g, "GET", "/one/a"))
	require.Equal(t, "200 f:v2 map[alias:v2]", ask(g, "GET", "/two/a"))
	require.Equal(t, `500 {"message": "Internal server error"}`, ask(g, "GET", "/three/a"))
	require.Len(t, g.Report().Of(definition.UnknownValue), 1)
	h, err := g.Stage("Api", "two")
	require.NoError(t, err)
	require.Equal(t, "200 f:v2 map[alias:v2]", ask(h, "GET", "/a"))
	_, err = g.Stage("Api", "four")
	require.ErrorContains(t, err, `want an API and a stage of the document, got "Api" and "four"`)
}

func TestNoStage(t *testing.T) {
	text := apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"stages":{}`)
	g := build(t, text, definition.Bindings{Functions: functions("F")})
	require.Contains(t, ask(g, "GET", "/prod/a"), "403")
	require.Equal(t, "the API has no stage under which it could be called", g.Report().Routes[0].Why)
	g = build(t, text, definition.Bindings{Functions: functions("F"), DefaultStage: "dev", Strict: true})
	require.Equal(t, "200 F", ask(g, "GET", "/dev/a"))
}
