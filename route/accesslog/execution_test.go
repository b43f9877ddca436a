package accesslog_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/accesslog"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// executed serves a request by a REST API whose method has an execution log, in a bubble, and
// returns the entries with the request's ID named.
func executed(t *testing.T, cfg accesslog.ExecutionConfig, key string, chain func(*accesslog.Execution) http.Handler, r *http.Request) []string {
	t.Helper()
	var entries []string
	synctest.Test(t, func(t *testing.T) {
		kept := &lines{}
		cfg.Writer = kept
		x, err := accesslog.NewExecution(cfg)
		require.NoError(t, err)
		api, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3d4e5", Stage: "prod"}})
		require.NoError(t, err)
		api.Handle(key, chain(x), x.Method)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		for _, line := range kept.all() {
			entries = append(entries, strings.ReplaceAll(line, w.Header().Get("X-Amzn-Requestid"), "ID"))
		}
	})
	return entries
}

// orders is a method with templates both ways.
func orders(x *accesslog.Execution) http.Handler {
	method := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.HTTP, HTTPMethod: "POST", URI: "http://orders.example/v2/{id}",
		RequestParameters: map[string]string{
			"integration.request.path.id": "method.request.path.id", "integration.request.header.X-Tenant": "method.request.querystring.tenant",
		},
		RequestTemplates: map[string]string{"application/json": `{"customer":$input.json('$.cust')}`},
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `{"order":$input.json('$.n')}`}},
		},
	}))
	return method.Middleware(x.Endpoint("")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(12 * time.Millisecond)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "session=0123456789abcdef")
		_, _ = fmt.Fprint(w, `{"n":7}`)
	})))
}

func order() *http.Request {
	r := httptest.NewRequest("POST", "https://api.example.com/orders/1?tenant=acme&access_token=0123456789abcdef0123", strings.NewReader(`{"cust":"Ann"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer 0123456789abcdef")
	r.Header.Set("X-Api-Key", "0123456789abcdefghijklmnopqrstuv")
	r.Header.Set("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793")
	return r
}

// The entries of a method with everything, in the order of the managed gateway.
func TestExecution(t *testing.T) {
	got := executed(t, accesslog.ExecutionConfig{DataTrace: true}, "POST /orders/{id}", orders, order())
	require.Regexp(t, `^\(ID\) Endpoint request headers: \{Accept=application/json, .*X-Tenant=acme\}$`, got[8])
	got[8] = "(ID) Endpoint request headers: …"
	require.Equal(t, []string{
		"(ID) Execution log for request ID",
		"(ID) Starting execution for request: ID",
		"(ID) HTTP Method: POST, Resource Path: /orders/{id}",
		"(ID) Method request path: {id=1}",
		"(ID) Method request query string: {access_token=**************ef0123, tenant=acme}",
		"(ID) Method request headers: {Authorization=*****************abcdef, Content-Type=application/json, Host=api.example.com, " +
			"X-Amzn-Trace-Id=Root=1-5759e988-bd862e3fe1be46a994272793, X-Api-Key=**************************qrstuv}",
		`(ID) Method request body before transformations: {"cust":"Ann"}`,
		"(ID) Endpoint request URI: http://orders.example/v2/1",
		"(ID) Endpoint request headers: …",
		`(ID) Endpoint request body after transformations: {"customer":"Ann"}`,
		"(ID) Sending request to http://orders.example/v2/1",
		"(ID) Received response. Status: 200, Integration latency: 12 ms",
		"(ID) Endpoint response headers: {Content-Type=application/json, Set-Cookie=******}",
		`(ID) Endpoint response body before transformations: {"n":7}`,
		`(ID) Method response body after transformations: {"order":7}`,
		got[15],
		"(ID) Successfully completed execution",
		"(ID) Method completed with status: 200",
	}, got)
	require.Regexp(t, `^\(ID\) Method response headers: \{.*Content-Type=application/json.*\}$`, got[15])
}

// Without bodies, which have to be asked for.
func TestExecutionWithoutDataTrace(t *testing.T) {
	got := executed(t, accesslog.ExecutionConfig{}, "POST /orders/{id}", orders, order())
	require.Len(t, got, 14)
	text := strings.Join(got, "\n")
	require.NotContains(t, text, "body")
	require.NotContains(t, text, "Ann")
	require.Contains(t, text, "Method completed with status: 200")
}

// The console's test: a first line, and the others behind their time.
func TestExecutionOfTestInvoke(t *testing.T) {
	health := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.Mock, RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `{"ok":true}`}}},
	}))
	r := httptest.NewRequest("GET", "/p", nil)
	r.Host = ""
	got := executed(t, accesslog.ExecutionConfig{DataTrace: true, TestInvoke: true}, "GET /p", func(*accesslog.Execution) http.Handler { return health }, r)
	const at = "Sat Jan 01 00:00:00 UTC 2000 : "
	require.Equal(t, []string{
		"Execution log for request ID",
		at + "Starting execution for request: ID",
		at + "HTTP Method: GET, Resource Path: /p",
		at + "Method request path: {}",
		at + "Method request query string: {}",
		at + "Method request headers: {}",
		at + "Method request body before transformations: ",
		at + `Method response body after transformations: {"ok":true}`,
		got[8],
		at + "Successfully completed execution",
		at + "Method completed with status: 200",
	}, got)
	require.Regexp(t, at+`Method response headers: \{.*Content-Type=application/json`, got[8])
}

// What has failed, and why: the client isn't told.
func TestFailures(t *testing.T) {
	reject := func(rej *gatekit.Rejection) func(*accesslog.Execution) http.Handler {
		return func(x *accesslog.Execution) http.Handler {
			return x.Endpoint("")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, rej) }))
		}
	}
	for _, tt := range []struct {
		name  string
		chain func(*accesslog.Execution) http.Handler
		want  []string
		fault bool
	}{
		{"function", func(x *accesslog.Execution) http.Handler {
			return x.Endpoint("arn")(gatekit.Must(integration.NewLambda(function("fails"), integration.LambdaConfig{})))
		}, []string{"(ID) Lambda execution failed with status 200 due to customer function error: it failed.", "(ID) Method completed with status: 502"}, true},
		{"function-elsewhere", func(x *accesslog.Execution) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				gatekit.From(r.Context()).SetIntegration(gatekit.Integration{FunctionError: "boom", RequestID: "its-id"})
				gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: 502})
			})
		}, []string{"(ID) Lambda execution failed with status 200 due to customer function error: boom. Lambda request id: its-id", "(ID) Method completed with status: 502"}, true},
		{"configuration", reject(&gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: errors.New("no template")}),
			[]string{"(ID) Execution failed due to configuration error: no template", "(ID) Method completed with status: 500"}, true},
		{"timeout", reject(&gatekit.Rejection{Type: gatekit.IntegrationTimeout}), []string{"(ID) Execution failed due to a timeout error", "(ID) Method completed with status: 504"}, true},
		{"unauthorized", reject(&gatekit.Rejection{Type: gatekit.Unauthorized}), []string{"(ID) Unauthorized request: ID", "(ID) Method completed with status: 401"}, false},
		{"body", reject(&gatekit.Rejection{Type: gatekit.BadRequestBody, Cause: invalid{}}),
			[]string{"(ID) Request body does not match model schema: [name]", "(ID) Method completed with status: 400"}, false},
		{"no-json", reject(&gatekit.Rejection{Type: gatekit.BadRequestBody}),
			[]string{"(ID) Execution failed due to BAD_REQUEST_BODY: Invalid request body", "(ID) Method completed with status: 400"}, false},
		{"key", reject(&gatekit.Rejection{Type: gatekit.InvalidAPIKey, Cause: errors.New("unknown")}),
			[]string{"(ID) Execution failed due to INVALID_API_KEY: unknown", "(ID) Method completed with status: 403"}, false},
		{"backend", func(x *accesslog.Execution) http.Handler {
			return x.Endpoint("")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
		}, []string{"(ID) Successfully completed execution", "(ID) Method completed with status: 503"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := executed(t, accesslog.ExecutionConfig{}, "GET /p", tt.chain, httptest.NewRequest("GET", "/p", nil))
			require.Equal(t, tt.want, got[len(got)-2:])
			require.Equal(t, tt.name == "backend", strings.Contains(strings.Join(got, "\n"), "Received response"), "of a refusal there is none")
			got = executed(t, accesslog.ExecutionConfig{ErrorsOnly: true}, "GET /p", tt.chain, httptest.NewRequest("GET", "/p", nil))
			if tt.fault {
				require.Equal(t, tt.want, got)
			} else {
				require.Empty(t, got)
			}
		})
	}
}

func TestExecutionOfPanics(t *testing.T) {
	kept := &lines{}
	x, err := accesslog.NewExecution(accesslog.ExecutionConfig{Writer: kept, ErrorsOnly: true})
	require.NoError(t, err)
	h := x.Method(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug") }))
	require.PanicsWithValue(t, "a bug", func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) })
	require.Regexp(t, `^\(\S+\) Execution failed due to an internal error$`, kept.all()[0])
	require.Regexp(t, `^\(\S+\) Method completed with status: 500$`, kept.all()[1])
}

// Entries are cut, and each is a line, whatever clients and backends send; those bodies arrive whole.
func TestHostileExecutions(t *testing.T) {
	body := strings.Repeat("é\r\n(ID) Method completed with status: 200\x1b[2J", 1000)
	kept := &lines{}
	x, err := accesslog.NewExecution(accesslog.ExecutionConfig{Writer: kept, DataTrace: true, Secrets: []string{"X-Own"}})
	require.NoError(t, err)
	var seen bytes.Buffer
	h := x.Method(x.Endpoint("")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(&seen, r.Body)
		w.Header().Set("X-Evil", "a\r\nb")
		_, _ = io.WriteString(w, body)
		w.(http.Flusher).Flush()
		_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader(body))
	})))
	r := httptest.NewRequest("POST", "/?a=%0d%0ab", strings.NewReader(body))
	for _, name := range []string{"Authorization", "Proxy-Authorization", "X-Api-Key", "Cookie", "X-Amz-Security-Token", "X-Own"} {
		r.Header.Set(name, "s3cr3t-s3cr3t-s3cr3t-s3cr3t")
	}
	r.Header.Set("X-Large", strings.Repeat("y", 5000))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, body, seen.String())
	require.Equal(t, body+body, w.Body.String())
	require.Len(t, kept.all(), 18)
	for _, line := range kept.all() {
		require.LessOrEqual(t, len(line), accesslog.MaxEntry)
		require.Regexp(t, `^\(\S+\) [A-Z]`, line)
		require.NotContains(t, line, "s3cr3t-s3cr3t")
		require.False(t, strings.ContainsAny(line, "\r\x1b"))
	}
	require.Contains(t, kept.all()[6], `é\r\n(ID) Method`)
}

func TestRefusedExecutionConfigs(t *testing.T) {
	_, err := accesslog.NewExecution(accesslog.ExecutionConfig{Secrets: []string{"a", ""}})
	require.ErrorContains(t, err, "accesslog: ExecutionConfig.Writer: want an io.Writer, got nil")
	require.ErrorContains(t, err, "ExecutionConfig.Secrets[1]: want a name")
}

// Endpoint alone, without a Method in front, does nothing.
func TestEndpointAlone(t *testing.T) {
	var told bytes.Buffer
	x, err := accesslog.NewExecution(accesslog.ExecutionConfig{Writer: io.Discard, Logger: slog.New(slog.NewTextHandler(&told, nil))})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	x.Endpoint("")(http.HandlerFunc(ok)).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "hello", w.Body.String())
	require.Empty(t, told.String())
}

// A URI shows no password.
func TestURIs(t *testing.T) {
	kept := &lines{}
	x, err := accesslog.NewExecution(accesslog.ExecutionConfig{Writer: kept})
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "http://ann:secret@backend.example/a?x=1&api_key=0123456789&&X-Amz-Signature=abc&y", nil)
	x.Method(x.Endpoint("")(http.HandlerFunc(ok))).ServeHTTP(httptest.NewRecorder(), r)
	_, uri, _ := strings.Cut(kept.all()[6], ") ")
	require.Equal(t, "Endpoint request URI: http://backend.example/a?x=1&api_key=******&&X-Amz-Signature=******&y", uri)
}

// What a template has made of a request, and what of the answer.
func ExampleNewExecution() {
	log := gatekit.Must(accesslog.NewExecution(accesslog.ExecutionConfig{Writer: withoutUUID{os.Stdout}, DataTrace: true}))
	method := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type:                 transform.HTTP,
		RequestTemplates:     map[string]string{"application/json": `{"customer":$input.json('$.cust')}`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 201}},
	}))
	orders := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"n":7}`) })
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	api.Handle("POST /orders", log.Endpoint("http://orders")(orders), log.Method, method.Middleware)
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/orders", strings.NewReader(`{"cust":"Ann"}`)))
	// Output:
	// HTTP Method: POST, Resource Path: /orders
	// Method request body before transformations: {"cust":"Ann"}
	// Endpoint request body after transformations: {"customer":"Ann"}
	// Endpoint response body before transformations: {"n":7}
	// Method response body after transformations: {"n":7}
	// Method completed with status: 201
}

// withoutUUID leaves out the request's ID, and some entries, for the example.
type withoutUUID struct{ to io.Writer }

func (w withoutUUID) Write(entries []byte) (int, error) {
	for entry := range strings.Lines(string(entries)) {
		_, entry, _ = strings.Cut(entry, ") ")
		if strings.Contains(entry, " body ") || strings.HasPrefix(entry, "HTTP") || strings.HasPrefix(entry, "Method completed") {
			_, _ = io.WriteString(w.to, entry)
		}
	}
	return len(entries), nil
}

// No spelling of a secret's name shows it, nor where it stands: and of what people choose, and of
// each of several values, nothing that is short.
func TestSpellingsOfSecrets(t *testing.T) {
	const secret = "hunter2"
	basic := base64.StdEncoding.EncodeToString([]byte("a-long-user-name:" + secret))
	got := executed(t, accesslog.ExecutionConfig{}, "GET /a", func(x *accesslog.Execution) http.Handler {
		return x.Endpoint("")(http.HandlerFunc(ok))
	}, func() *http.Request {
		r := httptest.NewRequest("GET", "/a?%61ccess_token="+secret+"&b=1;token="+secret+"&%zz="+secret+"&apikey="+strings.Repeat("k", 30)+
			"&apikey="+secret[:6]+"&password="+strings.Repeat("p", 30)+secret, nil)
		r.Header.Set("Authorization", "basic "+basic)
		r.Header.Set("X-Auth-Token", secret)
		r.Header.Set("Sec-WebSocket-Protocol", "token, "+secret)
		r.Header["Cookie"] = []string{"theme=a-dark-theme-of-mine; pin=" + secret[:6]}
		return r
	}())
	text := strings.Join(got, "\n")
	require.NotContains(t, text, secret[:6])
	require.NotContains(t, text, basic[len(basic)-6:])
	require.Contains(t, text, "Authorization=******, Cookie=******, Host=example.com, Sec-Websocket-Protocol=******, X-Auth-Token=******}")
	require.Contains(t, text, "Endpoint request URI: /a?%61ccess_token=******&b=1;token=******&%zz=******&apikey="+strings.Repeat("*", 24)+"kkkkkk&apikey=******&password=******\n")
}
