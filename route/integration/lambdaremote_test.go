package integration_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

// TestMain is also the program of a real function: lambda.Start serves the runtime API that its
// environment names.
func TestMain(m *testing.M) {
	switch os.Getenv("GATEKIT_TEST_FUNCTION") {
	case "orders":
		lambda.Start(orders)
	case "stream":
		lambda.Start(stream)
	}
	os.Exit(m.Run())
}

func orders(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	switch id := e.PathParameters["id"]; id {
	case "error":
		return events.APIGatewayV2HTTPResponse{}, errors.New("no such order")
	case "panic":
		panic("out of orders")
	case "slow":
		<-ctx.Done()
		return events.APIGatewayV2HTTPResponse{}, ctx.Err()
	default:
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: fmt.Sprintf("order %s by %s", id, lc.InvokedFunctionArn)}, nil
	}
}

func stream(context.Context, events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
	out, in := io.Pipe()
	go func() {
		fmt.Fprintln(in, "first")
		time.Sleep(50 * time.Millisecond) // a pause on a real clock, in another process
		fmt.Fprintln(in, "second")
		in.CloseWithError(errors.New("third is missing"))
	}()
	return &events.APIGatewayProxyStreamingResponse{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain"}, Body: out}, nil
}

// startFunction runs n programs of a function against a runtime API.
func startFunction(t *testing.T, name string, n int) *integration.RuntimeAPI {
	t.Helper()
	api := gatekit.Must(integration.NewRuntimeAPI(integration.RuntimeAPIConfig{FunctionARN: "arn:f"}))
	server := httptest.NewServer(api)
	t.Cleanup(server.Close) // last: a program that is alive asks for its next event again
	t.Cleanup(server.CloseClientConnections)
	for range n {
		self, err := os.Executable()
		require.NoError(t, err)
		program := exec.Command(self)
		program.Env = append(os.Environ(), "GATEKIT_TEST_FUNCTION="+name, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
		require.NoError(t, program.Start())
		t.Cleanup(func() {
			_ = program.Process.Kill()
			_ = program.Wait()
		})
	}
	return api
}

// A program that was built for Lambda answers here, as it would there.
func TestRuntimeAPI(t *testing.T) {
	api := startFunction(t, "orders", 2)
	h := gatekit.Must(integration.NewLambda(api, integration.LambdaConfig{}))
	front := apiOf(gatekit.HTTP, "", h, "GET /orders/{id}")
	var wg sync.WaitGroup
	wrong := make(chan string, 8)
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				id := fmt.Sprintf("%d-%d", i, n)
				w := serve(front, httptest.NewRequest("GET", "/orders/"+id, nil))
				if w.Code != 200 || w.Body.String() != "order "+id+" by arn:f" {
					wrong <- w.Body.String()
					return
				}
			}
		})
	}
	wg.Wait()
	require.Empty(t, wrong)

	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/orders/error", nil))
	w := serve(front, r)
	require.Equal(t, 500, w.Code)
	require.Equal(t, failedHTTP, w.Body.String())
	require.Equal(t, "no such order", rc.Integration().FunctionError)

	rc, r = gatekit.Attach(httptest.NewRequest("GET", "/orders/panic", nil)) // ends the program; the other goes on
	require.Equal(t, 500, serve(front, r).Code)
	require.Equal(t, "out of orders", rc.Integration().FunctionError)
	require.Equal(t, 200, serve(front, httptest.NewRequest("GET", "/orders/7", nil)).Code)

	short := gatekit.Must(integration.NewLambda(api, integration.LambdaConfig{Timeout: 100 * time.Millisecond}))
	require.Equal(t, 503, serve(apiOf(gatekit.HTTP, "", short, "GET /orders/{id}"), httptest.NewRequest("GET", "/orders/slow", nil)).Code)
	require.Equal(t, 200, serve(front, httptest.NewRequest("GET", "/orders/8", nil)).Code, "it goes on after that")
}

// A program's stream reaches the client as it comes, and its failure half way breaks the
// connection.
func TestRuntimeAPIStream(t *testing.T) {
	api := startFunction(t, "stream", 1)
	h := gatekit.Must(integration.NewLambda(api, integration.LambdaConfig{Stream: true}))
	server := httptest.NewServer(apiOf(gatekit.REST, "prod", h))
	defer server.Close()
	server.Config.ErrorLog = nil
	w, err := http.Get(server.URL)
	require.NoError(t, err)
	defer w.Body.Close()
	require.Equal(t, 200, w.StatusCode)
	in := bufio.NewReader(w.Body)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "first\n", line)
	rest, err := io.ReadAll(in)
	require.Error(t, err, "not the end: the function failed")
	require.Equal(t, "second\n", string(rest))
}

// What programs may send that isn't an answer to an event they have.
func TestRuntimeAPIRefuses(t *testing.T) {
	api := gatekit.Must(integration.NewRuntimeAPI(integration.RuntimeAPIConfig{MaxReplyBytes: 10}))
	server := httptest.NewServer(api)
	defer server.Close()
	post := func(path, body string) int {
		w, err := http.Post(server.URL+path, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		w.Body.Close()
		return w.StatusCode
	}
	const invocation = "/2018-06-01/runtime/invocation/"
	require.Equal(t, 403, post(invocation+"unknown/response", "{}"))
	require.Equal(t, 403, post(invocation+"unknown/error", "{}"))
	require.Equal(t, 404, post(invocation+"unknown/else", "{}"))
	require.Equal(t, 404, post("/", "{}"))
	require.Equal(t, 202, post("/2018-06-01/runtime/init/error", "{}"))

	type outcome struct {
		out []byte
		err error
	}
	invoke := func(ctx context.Context) chan outcome {
		c := make(chan outcome, 1)
		go func() {
			out, err := api.Invoke(ctx, []byte(`"event"`))
			c <- outcome{out, err}
		}()
		return c
	}
	next := func() string {
		w, err := http.Get(server.URL + invocation + "next")
		require.NoError(t, err)
		defer w.Body.Close()
		event, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		require.Equal(t, `"event"`, string(event))
		require.NotEmpty(t, w.Header.Get("Lambda-Runtime-Deadline-Ms"))
		return w.Header.Get("Lambda-Runtime-Aws-Request-Id")
	}
	c := invoke(t.Context())
	id := next()
	require.Equal(t, 202, post(invocation+id+"/response", "ok"))
	require.Equal(t, "ok", string((<-c).out))
	require.Equal(t, 403, post(invocation+id+"/response", "again"), "one answer an event")

	c = invoke(t.Context())
	post(invocation+next()+"/response", strings.Repeat("x", 11))
	require.ErrorContains(t, (<-c).err, "larger than its bound")

	c = invoke(t.Context())
	post(invocation+next()+"/error", "not json")
	require.ErrorContains(t, (<-c).err, "not json")

	ctx, cancel := context.WithCancel(t.Context())
	c = invoke(ctx)
	id = next()
	cancel()
	require.ErrorIs(t, (<-c).err, context.Canceled)
	require.Equal(t, 202, post(invocation+id+"/response", "late"), "for nobody, but no reason for the program to end")
	require.Equal(t, 403, post(invocation+id+"/response", "late"))

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, (<-invoke(ctx)).err, context.Canceled, "no program ever asked")
	_, err := integration.NewRuntimeAPI(integration.RuntimeAPIConfig{MaxReplyBytes: -1})
	require.ErrorContains(t, err, "MaxReplyBytes")
}

// A stream that its caller closes while the program is silent ends there.
func TestRuntimeAPIClose(t *testing.T) {
	api := gatekit.Must(integration.NewRuntimeAPI(integration.RuntimeAPIConfig{}))
	server := httptest.NewServer(api)
	defer server.Close()
	programEnds := make(chan struct{})
	out, in := io.Pipe()
	go func() {
		defer close(programEnds)
		w, err := http.Get(server.URL + "/2018-06-01/runtime/invocation/next")
		if err != nil {
			return
		}
		w.Body.Close()
		go func() { _, _ = io.WriteString(in, "begun") }()
		if w, err = http.Post(server.URL+"/2018-06-01/runtime/invocation/"+w.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "", out); err == nil {
			w.Body.Close()
		}
	}()
	body, err := api.InvokeStream(t.Context(), []byte("{}"))
	require.NoError(t, err)
	b := make([]byte, 5)
	_, err = io.ReadFull(body, b)
	require.NoError(t, err)
	read := make(chan error)
	go func() {
		_, err := body.Read(b)
		read <- err
	}()
	require.NoError(t, body.Close())
	require.NoError(t, body.Close())
	require.Error(t, <-read)
	server.CloseClientConnections()
	in.Close()
	<-programEnds
}

// The Invoke operation over HTTP.
func TestEndpoint(t *testing.T) {
	f := lambda.NewHandler(orders)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/throttled":
			w.Header().Set("X-Amzn-Errortype", "TooManyRequestsException:http://internal")
			w.WriteHeader(429)
		case "/moved":
			http.Redirect(w, r, "/else", http.StatusTemporaryRedirect)
		case "/large":
			_, _ = w.Write(make([]byte, 7<<20))
		case "/hangs":
			<-r.Context().Done()
		default:
			out, err := f.Invoke(lambdacontext.NewContext(r.Context(), &lambdacontext.LambdaContext{InvokedFunctionArn: "arn:e"}), payload)
			if err != nil {
				w.Header().Set("X-Amz-Function-Error", "Unhandled")
				fmt.Fprintf(w, `{"errorMessage":%q,"errorType":"errorString"}`, err)
				return
			}
			_, _ = w.Write(out)
		}
	}))
	defer server.Close()
	at := func(path string) *integration.Endpoint {
		return gatekit.Must(integration.NewEndpoint(integration.EndpointConfig{URL: server.URL + path}))
	}
	front := apiOf(gatekit.HTTP, "", gatekit.Must(integration.NewLambda(at("/2015-03-31/functions/function/invocations"), integration.LambdaConfig{})), "GET /orders/{id}")
	require.Equal(t, "order 7 by arn:e", serve(front, httptest.NewRequest("GET", "/orders/7", nil)).Body.String())
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/orders/error", nil))
	require.Equal(t, 500, serve(front, r).Code)
	require.Equal(t, "no such order", rc.Integration().FunctionError)

	for path, status := range map[string]int{"/throttled": 500, "/moved": 500, "/large": 502} {
		require.Equal(t, status, answerTo(t, gatekit.REST, integration.LambdaConfig{}, at(path)).Code, path)
	}
	_, err := at("/throttled").Invoke(t.Context(), nil)
	var refused *integration.InvokeError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, integration.InvokeError{Status: 429, Code: "TooManyRequestsException"}, *refused)
	require.Equal(t, 504, answerTo(t, gatekit.REST, integration.LambdaConfig{Timeout: 100 * time.Millisecond}, at("/hangs")).Code)
	server.Close()
	require.Equal(t, 502, answerTo(t, gatekit.REST, integration.LambdaConfig{}, at("/")).Code)

	for _, url := range []string{"", "ftp://x", "http://", "localhost:9000", "http://u:secret@h/"} {
		_, err := integration.NewEndpoint(integration.EndpointConfig{URL: url})
		require.ErrorContains(t, err, "EndpointConfig.URL: want")
		require.NotContains(t, err.Error(), "secret")
	}
}

// What is known of a call beside its event is told in headers.
func TestRuntimeAPIDescribesCalls(t *testing.T) {
	api := gatekit.Must(integration.NewRuntimeAPI(integration.RuntimeAPIConfig{FunctionARN: "arn:f"}))
	server := httptest.NewServer(api)
	defer server.Close()
	told := make(chan http.Header, 1)
	answerOne := func() {
		w, err := http.Get(server.URL + "/2018-06-01/runtime/invocation/next")
		if err != nil {
			return
		}
		_ = w.Body.Close()
		told <- w.Header
		to := server.URL + "/2018-06-01/runtime/invocation/" + w.Header.Get("Lambda-Runtime-Aws-Request-Id") + "/response"
		if w, err = http.Post(to, "application/json", strings.NewReader("{}")); err == nil {
			_ = w.Body.Close()
		}
	}
	go answerOne()
	_, err := api.Invoke(lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{
		Identity:      lambdacontext.CognitoIdentity{CognitoIdentityID: "ann"},
		ClientContext: lambdacontext.ClientContext{Custom: map[string]string{"a": "b"}},
	}), []byte("{}"))
	require.NoError(t, err)
	h := <-told
	require.Equal(t, "arn:f", h.Get("Lambda-Runtime-Invoked-Function-Arn"))
	require.Contains(t, h.Get("Lambda-Runtime-Cognito-Identity"), `"ann"`)
	require.Contains(t, h.Get("Lambda-Runtime-Client-Context"), `"custom":{"a":"b"}`)
	require.Empty(t, h["Lambda-Runtime-Trace-Id"], "outside of a gateway")

	front := apiOf(gatekit.HTTP, "", gatekit.Must(integration.NewLambda(api, integration.LambdaConfig{})), "GET /")
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
	for _, sent := range []string{trace, ""} {
		r := httptest.NewRequest("GET", "/", nil)
		if sent != "" {
			r.Header.Set("X-Amzn-Trace-Id", sent)
		}
		go answerOne()
		serve(front, r)
		h = <-told
		require.Empty(t, h["Lambda-Runtime-Client-Context"])
		if sent != "" {
			require.Equal(t, trace, h.Get("Lambda-Runtime-Trace-Id"))
		} else {
			require.Regexp(t, "^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$", h.Get("Lambda-Runtime-Trace-Id"))
		}
	}
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	rc.SetTraceContext(&gatekit.TraceContext{TraceID: [16]byte{1}, SpanID: [8]byte{2}, Sampled: true})
	go answerOne()
	serve(front, r)
	h = <-told
	require.Equal(t, "Root=1-01000000-000000000000000000000000;Parent=0200000000000000;Sampled=1",
		h.Get("Lambda-Runtime-Trace-Id"), "where a station traces")
}
