package definition_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/integration"
)

func TestHTTPAPI(t *testing.T) {
	s := backend(t)
	text := apiOf("HTTP", `
		"$default":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","payload_format":"2.0","target":{"kind":"lambda","function":"Event"}}},
		"GET /v1":{"auth":{"type":"NONE"},"operation":"getV1","integration":{"type":"AWS_PROXY","target":{"kind":"lambda","function":"Event"}}},
		"GET /http/{id}":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"ANY","payload_format":"1.0","target":{"kind":"http","uri":"`+s.URL+`/x/{id}"},
			"request_parameters":{"overwrite:header.X-Tenant":"$request.querystring.t"},
			"responses":[{"status":"200","parameters":{"overwrite:statuscode":"203","append:header.X-More":"more"}}]}},
		"GET /alb":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"GET","target":{"kind":"private","resource":"Listener"},"connection":{"type":"VPC_LINK","id":"L"}}},
		"GET /unbound":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"GET","target":{"kind":"private","resource":"Other"}}},
		"GET /mock":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"}}},
		"GET /aws":{"auth":{"type":"NONE"},"integration":{"type":"AWS","target":{"kind":"lambda","function":"Event"}}},
		"POST /sub":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","target":{"kind":"subtype","subtype":"SQS-SendMessage"}}}`, "")
	version := functionOf(func(event map[string]any) map[string]any {
		return map[string]any{"statusCode": 200, "body": event["version"]}
	})
	g := build(t, text, definition.Bindings{Functions: map[string]gatekit.Invoker{"Event": version},
		Upstreams: map[string]integration.HTTPConfig{"Listener": {Upstreams: []integration.Upstream{{Address: strings.TrimPrefix(s.URL, "http://")}}}}})
	require.Equal(t, "200 2.0", ask(g, "GET", "/whatever"))
	require.Equal(t, "200 1.0", ask(g, "GET", "/v1"))
	got := ask(g, "GET", "/http/7?t=acme")
	require.Contains(t, got, "203 ")
	require.Contains(t, got, `"tenant":"acme","uri":"/x/7?t=acme"`)
	require.Contains(t, ask(g, "GET", "/alb"), `"uri":"/alb"`)
	for _, refused := range []string{"GET /unbound", "GET /mock", "GET /aws", "POST /sub"} {
		method, url, _ := strings.Cut(refused, " ")
		require.Equal(t, `500 {"message":"Internal Server Error"}`, ask(g, method, url), refused)
	}
	served, all := g.Report().Served()
	require.Equal(t, []int{4, 8}, []int{served, all}, "%s", g.Report())
}

func TestCORS(t *testing.T) {
	text := apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"cors":{"origins":["https://app.example"],"methods":["GET","PUT"],"headers":["x-a"],"expose_headers":["x-b"],"max_age":60,"credentials":true}`)
	g := build(t, text, definition.Bindings{Strict: true, Functions: functions("F")})
	r := httptest.NewRequest("OPTIONS", "/a", nil)
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("Access-Control-Request-Method", "PUT")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	require.Equal(t, 204, w.Code)
	require.Equal(t, "https://app.example", w.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "60", w.Header().Get("Access-Control-Max-Age"))

	for name, cors := range map[string]string{"none": `{}`, "any-with-credentials": `{"origins":["*"],"credentials":true}`} {
		g = build(t, apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"cors":`+cors), definition.Bindings{Functions: functions("F")})
		require.Len(t, g.Report().Of(definition.Unsupported), 1, name)
		r = httptest.NewRequest("GET", "/a", nil)
		r.Header.Set("Origin", "https://app.example")
		w = httptest.NewRecorder()
		g.ServeHTTP(w, r)
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
	}
}

func TestRouteThrottling(t *testing.T) {
	routes := calls("GET /a", `{"type":"NONE"}`) + "," + calls("GET /b", `{"type":"NONE"}`) + "," + calls("GET /c", `{"type":"NONE"}`)
	g := build(t, apiOf("HTTP", routes, `"stages":{"$default":{"throttle":{"rate":0.001,"burst":1},"route_throttle":{"GET /b":{"rate":0},"GET /c":{"burst":-1},"GET /gone":{"rate":1,"burst":1}}}}`),
		definition.Bindings{Strict: true, Functions: functions("F")})
	require.Equal(t, "200 F", ask(g, "GET", "/a"))
	require.Equal(t, `429 {"message":"Too Many Requests"}`, ask(g, "GET", "/a"))
	require.Equal(t, `429 {"message":"Too Many Requests"}`, ask(g, "GET", "/b"))
	for range 3 {
		require.Equal(t, "200 F", ask(g, "GET", "/c"), "-1 is no limit")
	}
	require.Equal(t, "GET /gone", g.Report().Of(definition.Warning)[0].Route)
}

func TestAccessLog(t *testing.T) {
	text := apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"stages":{"$default":{"access_log":"$context.requestId"}}`)
	var lines []string
	b := definition.Bindings{NoDifferences: true, Functions: functions("F"), AccessLog: func(api *definition.API, stage, format string) (gatekit.Middleware, error) {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				lines = append(lines, api.ID+" "+stage+" "+format)
			})
		}, nil
	}}
	g := build(t, text, b)
	require.Equal(t, "200 F", ask(g, "GET", "/a"))
	require.Contains(t, ask(g, "GET", "/none"), "404")
	require.Equal(t, []string{"Api $default $context.requestId", "Api $default $context.requestId"}, lines)
	b.AccessLog = func(*definition.API, string, string) (gatekit.Middleware, error) {
		return nil, errors.New("no such format")
	}
	g = build(t, text, b)
	require.Contains(t, ask(g, "GET", "/a"), "500", "what is to be logged isn't served without")
	require.Contains(t, g.Report().Of(definition.Unsupported)[0].What, "no such format")
}

func TestWebACL(t *testing.T) {
	text := apiOf("HTTP", calls("GET /a", `{"type":"NONE"}`), `"stages":{"$default":{"web_acl":"Acl"}}`)
	g := build(t, text, definition.Bindings{Strict: true, Functions: functions("F"), WebACLs: map[string]gatekit.Middleware{
		"Acl": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Bad") != "" {
					gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.WAFFiltered})
					return
				}
				next.ServeHTTP(w, r)
			})
		}}})
	require.Equal(t, "200 F", ask(g, "GET", "/a"))
	require.Equal(t, `403 {"message":"Forbidden"}`, ask(g, "GET", "/a", "X-Bad: 1"))
}
