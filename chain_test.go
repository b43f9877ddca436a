package gatekit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/function"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// invokerFunc is a function of this process that isn't aws-lambda-go's.
type invokerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f invokerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

const customHost, generatedHost = "api.example.com", "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"

// frontDoor is one API with the stages $default (of HTTP APIs) and s, behind both of its names, as
// an installation has it. see gets the events.
func frontDoor(t *testing.T, flavor gatekit.Flavor, format string, see func(payload []byte)) http.Handler {
	t.Helper()
	f, err := integration.NewLambda(invokerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		see(payload)
		return []byte(`{"statusCode":200}`), nil
	}), integration.LambdaConfig{PayloadFormatVersion: format})
	require.NoError(t, err)
	api, err := route.New(route.Config{API: gatekit.API{Flavor: flavor, APIID: "a1b2c3d4e5"}})
	require.NoError(t, err)
	api.Handle("GET /p", f)
	api.Handle("GET /s/{x}", f)
	api.Handle("ANY /f/{x}/{proxy+}", f)
	all := []route.Stage{{Name: "s", API: api, Variables: map[string]string{"k": "v"}}}
	if flavor == gatekit.HTTP {
		all = append(all, route.Stage{Name: "$default", API: api})
	}
	stages, err := route.NewStages(all...)
	require.NoError(t, err)
	s, err := stages.Handler("s")
	require.NoError(t, err)
	byDefault := s
	if flavor == gatekit.HTTP {
		byDefault, err = stages.Handler("$default")
		require.NoError(t, err)
	}
	d, err := domain.New(t.Context(), domain.Config{Names: []domain.Name{
		{Host: generatedHost, Mappings: []domain.Mapping{{Handler: stages}}},
		{Host: customHost, Mappings: []domain.Mapping{
			{BasePath: "base", Handler: s}, {BasePath: "v1/base", Handler: byDefault}, {BasePath: "all", Handler: stages},
		}},
		{Host: "stage." + customHost, Mappings: []domain.Mapping{{Handler: s}}},
		{Host: "all." + customHost, Mappings: []domain.Mapping{{Handler: stages}}},
	}})
	require.NoError(t, err)
	return d
}

// Which path a function sees through domain, base path, stage and route together (spec/http-api.md
// A.8 and G.4).
func TestPathsThroughTheWholeChain(t *testing.T) {
	for _, tt := range []struct {
		flavor         gatekit.Flavor
		format         string
		host, target   string
		path, ctxPath  string
		stage          string
		pathParameters any
	}{
		{gatekit.HTTP, "2.0", generatedHost, "/p", "/p", "/p", "$default", nil},
		{gatekit.HTTP, "2.0", generatedHost, "/s/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "2.0", customHost, "/base/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "2.0", customHost, "/v1/base/p", "/p", "/p", "$default", nil},
		{gatekit.HTTP, "2.0", customHost, "/all/p", "/p", "/p", "$default", nil},
		{gatekit.HTTP, "2.0", customHost, "/all/s/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "2.0", "stage." + customHost, "/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "2.0", customHost, "/base/f/a%20b/%E2%98%95/c%2Fd", "/s/f/a b/☕/c/d", "/s/f/a b/☕/c/d", "s", map[string]any{"x": "a b", "proxy": "☕/c/d"}},

		{gatekit.HTTP, "1.0", generatedHost, "/p", "/p", "/p", "$default", nil},
		{gatekit.HTTP, "1.0", generatedHost, "/s/p", "/s/p", "/s/p", "s", nil},
		{gatekit.HTTP, "1.0", customHost, "/base/p", "/base/p", "/base/p", "s", nil},
		{gatekit.HTTP, "1.0", customHost, "/v1/base/p", "/v1/base/p", "/v1/base/p", "$default", nil},
		{gatekit.HTTP, "1.0", customHost, "/base/f/a%20b/c%2Bd/", "/base/f/a%20b/c%2Bd/", "/base/f/a b/c+d/", "s", map[string]any{"x": "a b", "proxy": "c+d/"}},

		// Recorded by LocalStack against the managed gateway, the first four.
		{gatekit.REST, "", generatedHost, "/s/p", "/p", "/s/p", "s", nil},
		{gatekit.REST, "", "all." + customHost, "/s/p", "/s/p", "/s/p", "s", nil},
		{gatekit.REST, "", customHost, "/all/s/p", "/all/s/p", "/all/s/p", "s", nil},
		{gatekit.REST, "", customHost, "/base/p", "/base/p", "/base/p", "s", nil},
		{gatekit.REST, "", "stage." + customHost, "/p", "/p", "/p", "s", nil},
		{gatekit.REST, "", generatedHost, "/s/f/a%20b/c%2Bd/", "/f/a%20b/c%2Bd/", "/s/f/a%20b/c%2Bd/", "s", map[string]any{"x": "a%20b", "proxy": "c%2Bd"}},
		{gatekit.REST, "", customHost, "/base/f/a%20b/c%2Bd/", "/base/f/a%20b/c%2Bd/", "/base/f/a%20b/c%2Bd/", "s", map[string]any{"x": "a%20b", "proxy": "c%2Bd"}},
	} {
		t.Run(strings.TrimSpace(tt.flavor.String()+tt.format+" "+tt.host+tt.target), func(t *testing.T) {
			var e map[string]any
			r := httptest.NewRequest("GET", tt.target, nil)
			r.Host = tt.host + ":443"
			w := httptest.NewRecorder()
			frontDoor(t, tt.flavor, tt.format, func(payload []byte) { require.NoError(t, json.Unmarshal(payload, &e)) }).ServeHTTP(w, r)
			require.Equal(t, 200, w.Code, w.Body)
			c := e["requestContext"].(map[string]any)
			require.Equal(t, tt.stage, c["stage"])
			require.Equal(t, tt.host, c["domainName"])
			require.Equal(t, strings.Split(tt.host, ".")[0], c["domainPrefix"])
			require.Equal(t, "a1b2c3d4e5", c["apiId"])
			require.Equal(t, tt.pathParameters, e["pathParameters"])
			if tt.stage == "s" {
				require.Equal(t, map[string]any{"k": "v"}, e["stageVariables"])
			}
			if tt.format == "2.0" {
				require.Equal(t, tt.path, e["rawPath"])
				require.Equal(t, tt.ctxPath, c["http"].(map[string]any)["path"])
				return
			}
			require.Equal(t, tt.path, e["path"])
			require.Equal(t, tt.ctxPath, c["path"])
		})
	}
}

// The way back: whatever of base path and stage an event shows, the adapter's handler is asked for
// the route's path.
func TestPathsOnTheWayBack(t *testing.T) {
	for _, tt := range []struct {
		flavor                     gatekit.Flavor
		format, host, target, base string
		want                       string
	}{
		{gatekit.HTTP, "2.0", generatedHost, "/s/p", "", "/p"},
		{gatekit.HTTP, "2.0", customHost, "/base/p", "base", "/p"},
		{gatekit.HTTP, "2.0", customHost, "/v1/base/f/a%20b/c", "v1/base", "/f/a%20b/c"},
		{gatekit.HTTP, "1.0", generatedHost, "/s/f/a%20b/c%2Fd", "", "/f/a%20b/c%2Fd"},
		{gatekit.HTTP, "1.0", customHost, "/base/p", "base", "/p"},
		{gatekit.REST, "", generatedHost, "/s/f/a%2Fb/c/", "", "/f/a%2Fb/c/"},
		{gatekit.REST, "", customHost, "/base/p", "base", "/p"},
		{gatekit.REST, "", customHost, "/all/s/p", "all", "/p"},
		{gatekit.REST, "", "all." + customHost, "/s/p", "", "/p"},
		{gatekit.REST, "", "all." + customHost, "/s/f/a%2Fb/c%20d/", "", "/f/a%2Fb/c%20d/"},
		{gatekit.REST, "", "stage." + customHost, "/f/s/p", "", "/f/s/p"},
		{gatekit.REST, "", "stage." + customHost, "/s/s", "", "/s/s"}, // the route, and not the stage s before it
		{gatekit.REST, "", "all." + customHost, "/s/s/s", "", "/s/s"},
	} {
		var payload []byte
		r := httptest.NewRequest("GET", tt.target, nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		frontDoor(t, tt.flavor, tt.format, func(p []byte) { payload = bytes.Clone(p) }).ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, w.Body)
		f, err := function.New(http.NotFoundHandler(), function.Config{BasePath: tt.base})
		require.NoError(t, err)
		back, err := f.Request(t.Context(), payload)
		require.NoError(t, err)
		require.Equal(t, tt.want, back.URL.EscapedPath(), "%v %s%s: %s", tt.flavor, tt.host, tt.target, payload)
	}
}

// restAPI serves h as the method POST /o/{id} of a REST API, on the loopback.
func restAPI(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	api, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3d4e5"}})
	require.NoError(t, err)
	api.Handle("POST /o/{id}", h)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server
}

func restMethod(t *testing.T, c transform.RESTConfig, next http.Handler) http.Handler {
	t.Helper()
	m, err := transform.NewREST(c)
	require.NoError(t, err)
	return m.Middleware(next)
}

// Behind transform.REST a Proxy sends what that has made, and leaves the names of response headers
// to it (spec/rest-api.md E.5).
func TestProxyBehindREST(t *testing.T) {
	seen := make(chan *http.Request, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		seen <- r
		for name, value := range map[string]string{
			"Content-Type": "text/plain", "Server": "backend/1", "X-B": "b", "Date": "Mon, 02 Jan 2006 15:04:05 GMT", "Via": "1.1 b",
			"X-Amzn-Requestid": "backends", "X-Amz-Apigw-Id": "backends", "Connection": "x-nothing",
		} {
			w.Header().Set(name, value)
		}
		_, _ = io.WriteString(w, "made")
	}))
	t.Cleanup(backend.Close)
	proxy, err := integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: backend.URL + "/unused?unused=1"})
	require.NoError(t, err)
	call := func(kind transform.IntegrationType, parameters map[string]string, responses ...transform.IntegrationResponse) (*http.Request, *http.Response) {
		parameters["integration.request.path.id"] = "method.request.path.id"
		server := restAPI(t, restMethod(t, transform.RESTConfig{
			Type: kind, URI: "http://orders.internal/v2/{id}?fixed=1", RequestParameters: parameters, IntegrationResponses: responses,
		}, proxy))
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/o/a%2Fb?q=1", strings.NewReader("body"))
		require.NoError(t, err)
		r.Header = http.Header{"X-Client": {"c"}, "X-Forwarded-For": {"198.51.100.7"}, "Content-Type": {"text/plain"}, "Accept-Encoding": {"identity"}, "Connection": {"x-tenant"}, "Via": {"1.1 c"}}
		w, err := server.Client().Do(r)
		require.NoError(t, err)
		defer w.Body.Close()
		body, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		require.Equal(t, "made", string(body))
		require.Equal(t, []string{"4"}, w.Header["Content-Length"])
		require.Regexp(t, `^[0-9A-Za-z_-]{15}=$`, w.Header.Get("X-Amz-Apigw-Id"))
		require.Regexp(t, `^[0-9a-f-]{36}$`, w.Header.Get("X-Amzn-Requestid"))
		require.Empty(t, w.Header.Get("Via"))
		return <-seen, w
	}

	in, out := call(transform.HTTP, map[string]string{
		"integration.request.header.X-Tenant": "'acme'", "integration.request.header.Content-MD5": "'md5'", "integration.request.header.Max-Forwards": "'3'",
		"integration.request.header.Host": "'mapped.internal'", "integration.request.header.WWW-Authenticate": "'w'", "integration.request.querystring.p": "method.request.querystring.q",
	}, transform.IntegrationResponse{StatusCode: 201, ResponseParameters: map[string]string{
		"method.response.header.X-Server": "integration.response.header.Server", "method.response.header.Date": "integration.response.header.Date",
		"method.response.header.X-Id": "integration.response.header.x-amzn-RequestId",
	}})
	require.Equal(t, "/v2/a%2Fb?fixed=1&p=1", in.RequestURI)
	require.Equal(t, "mapped.internal", in.Host)
	require.Regexp(t, `^Root=1-`, in.Header.Get("X-Amzn-Trace-Id"))
	in.Header.Del("X-Amzn-Trace-Id")
	require.Equal(t, http.Header{
		"Accept": {"application/json"}, "User-Agent": {"AmazonAPIGateway_a1b2c3d4e5"}, "X-Amzn-Apigateway-Api-Id": {"a1b2c3d4e5"}, "Content-Type": {"text/plain"},
		"Content-Length": {"4"}, "X-Tenant": {"acme"}, "Content-Md5": {"md5"}, "Max-Forwards": {"3"}, "Www-Authenticate": {"w"},
	}, in.Header)
	require.Equal(t, 201, out.StatusCode)
	require.Equal(t, "backend/1", out.Header.Get("X-Server"))
	require.Equal(t, "backends", out.Header.Get("X-Id"))
	require.Equal(t, "Mon, 02 Jan 2006 15:04:05 GMT", out.Header.Get("x-amzn-Remapped-Date"))
	require.Empty(t, out.Header.Get("X-B"))

	in, out = call(transform.HTTPProxy, map[string]string{"integration.request.header.X-Tenant": "'acme'"})
	require.Equal(t, "/v2/a%2Fb?fixed=1&q=1", in.RequestURI)
	require.Equal(t, "orders.internal", in.Host)
	require.Equal(t, []string{"198.51.100.7, 127.0.0.1"}, in.Header["X-Forwarded-For"])
	require.Equal(t, []string{"http"}, in.Header["X-Forwarded-Proto"])
	require.Equal(t, []string{"acme"}, in.Header["X-Tenant"])
	require.Equal(t, []string{"c"}, in.Header["X-Client"])
	require.NotContains(t, in.Header, "Via")
	require.Equal(t, 200, out.StatusCode)
	for name, value := range map[string]string{"Server": "backend/1", "Date": "Mon, 02 Jan 2006 15:04:05 GMT", "X-Amzn-RequestId": "backends", "Content-Length": "4", "Connection": "x-nothing"} {
		require.Equal(t, []string{value}, out.Header.Values("x-amzn-Remapped-"+name), name)
	}
	require.Equal(t, "b", out.Header.Get("X-B"))
}

// What the gateway says of a client reaches the backend, whatever the client names in Connection.
func TestConnectionCannotTakeMappedHeadersAway(t *testing.T) {
	seen := make(chan http.Header, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header }))
	t.Cleanup(backend.Close)
	parameters, err := transform.NewParameters(transform.ParametersConfig{RequestParameters: map[string]string{
		"overwrite:header.x-tenant": "acme", "append:header.x-caller": "$context.requestId",
	}})
	require.NoError(t, err)
	proxy, err := integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: backend.URL})
	require.NoError(t, err)
	api, err := route.New(route.Config{})
	require.NoError(t, err)
	api.Handle("GET /p", proxy, parameters.Middleware)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/p", nil)
	require.NoError(t, err)
	r.Header = http.Header{"Connection": {"X-TENANT, x-mine", "x-caller"}, "X-Mine": {"1"}, "X-Tenant": {"other"}}
	w, err := server.Client().Do(r)
	require.NoError(t, err)
	w.Body.Close()
	in := <-seen
	require.Equal(t, []string{"acme"}, in["X-Tenant"])
	require.Equal(t, []string{w.Header.Get("Apigw-Requestid")}, in["X-Caller"])
	require.NotContains(t, in, "X-Mine")
	require.NotContains(t, in, "Connection")
}

// A function behind transform.REST: templates on both sides, its failures chosen by their message
// (spec/rest-api.md E.3, E.4, E.8).
func TestFunctionBehindREST(t *testing.T) {
	function, err := integration.NewLambdaCustom(invokerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		var in struct{ A string }
		switch err := json.Unmarshal(payload, &in); {
		case err != nil:
			return nil, err
		case in.A == "malformed", in.A == "else":
			return nil, &integration.FunctionError{Type: "Error", Message: in.A + " input:\nx"}
		case in.A == "panic":
			panic("out of orders")
		case in.A == "throttled":
			return nil, &integration.InvokeError{Status: 429, Code: "TooManyRequestsException"}
		case in.A == "slow":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return payload, nil
	}), integration.LambdaCustomConfig{Timeout: 500 * time.Millisecond})
	require.NoError(t, err)
	const internal, late = `{"message": "Internal server error"}`, `{"message": "Endpoint request timed out"}`
	server := restAPI(t, restMethod(t, transform.RESTConfig{
		Type: transform.AWS, URI: "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:f/invocations",
		RequestTemplates: map[string]string{"application/json": `{"a":$input.json('$.a'),"id":"$input.params('id')"}`},
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `got $input.json('$')`}},
			{StatusCode: 400, SelectionPattern: `malformed(\n|.)+`, ResponseTemplates: map[string]string{"application/json": `$input.path('$.errorType'): $input.path('$.errorMessage')`}},
			{StatusCode: 500, SelectionPattern: `out of.*`},
		},
	}, function))
	for _, tt := range []struct {
		body   string
		status int
		want   string
	}{
		{`{"a":"b"}`, 200, `got {"a":"b","id":"7"}`},
		{``, 200, `got {"a":"","id":"7"}`},
		{`{"a":"malformed"}`, 400, "Error: malformed input:\nx"},
		{`{"a":"else"}`, 200, `got {"errorMessage":"else input:\nx","errorType":"Error"}`},
		{`{"a":"panic"}`, 500, `{"errorMessage":"out of orders","errorType":"string"}`},
		{`{"a":"throttled"}`, 500, internal},
		{`{"a":"slow"}`, 504, late},
	} {
		w, err := server.Client().Post(server.URL+"/o/7", "application/json", strings.NewReader(tt.body))
		require.NoError(t, err)
		body, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		w.Body.Close()
		require.Equal(t, tt.status, w.StatusCode, tt.body)
		require.Equal(t, tt.want, string(body), tt.body)
		require.Equal(t, "application/json", w.Header.Get("Content-Type"))
		if tt.want == internal || tt.want == late {
			require.Equal(t, "InternalServerErrorException", w.Header.Get("x-amzn-ErrorType"))
		}
	}
}

// Requests that outlive their answer, under http.TimeoutHandler in front of the whole chain, touch
// nothing of it: a test for -race.
func TestTimeoutHandlerInFrontOfTheWholeChain(t *testing.T) {
	release := make(chan struct{})
	slow := invokerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		<-release
		return []byte(`{"statusCode":200,"headers":{"X-A":"b"},"body":"late"}`), nil
	})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
		w.Header().Set("X-A", "b")
		_, _ = io.WriteString(w, "late")
	}))
	t.Cleanup(backend.Close)
	proxy := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: backend.URL}))
	custom := transform.RESTConfig{Type: transform.AWS, IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": "$input.body $context.requestId"}}}}
	mapped := transform.RESTConfig{Type: transform.HTTP, URI: "http://orders.internal", IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}}}
	parameters := gatekit.Must(transform.NewParameters(transform.ParametersConfig{
		RequestParameters: map[string]string{"overwrite:header.x-b": "$context.requestId"}, ResponseParameters: map[int]map[string]string{200: {"append:header.x-c": "$response.body"}},
	}))
	var running sync.WaitGroup
	counted := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer running.Done()
			defer func() {
				if v := recover(); v != nil && v != http.ErrAbortHandler { // of a client that is gone
					panic(v)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
	var all []*httptest.Server
	for _, c := range []struct {
		flavor gatekit.Flavor
		h      http.Handler
	}{
		{gatekit.HTTP, gatekit.Must(integration.NewLambda(slow, integration.LambdaConfig{}))},
		{gatekit.REST, gatekit.Must(integration.NewLambda(slow, integration.LambdaConfig{}))},
		{gatekit.HTTP, parameters.Middleware(proxy)},
		{gatekit.REST, proxy},
		{gatekit.REST, restMethod(t, mapped, proxy)},
		{gatekit.REST, restMethod(t, custom, gatekit.Must(integration.NewLambdaCustom(slow, integration.LambdaCustomConfig{})))},
	} {
		api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: c.flavor}}))
		api.Handle("POST /p", c.h)
		stages := gatekit.Must(route.NewStages(route.Stage{Name: "s", API: api}))
		d := gatekit.Must(domain.New(t.Context(), domain.Config{Names: []domain.Name{{Host: customHost, Mappings: []domain.Mapping{{BasePath: "base", Handler: stages}}}}}))
		server := httptest.NewServer(http.TimeoutHandler(counted(d), 20*time.Millisecond, "timeout"))
		t.Cleanup(server.Close)
		all = append(all, server)
	}
	for _, server := range all {
		for range 3 {
			running.Add(1)
			r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/base/s/p", strings.NewReader("{}"))
			require.NoError(t, err)
			r.Host = customHost
			w, err := server.Client().Do(r)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, w.Body)
			w.Body.Close()
			require.Equal(t, 503, w.StatusCode)
		}
	}
	close(release)
	running.Wait()
}
