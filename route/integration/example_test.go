package integration_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

func ExampleNewLambda() {
	getOrder := func(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "order " + e.PathParameters["id"] + " on " + e.RawPath}, nil
	}
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders/{id}", gatekit.Must(integration.NewLambda(lambda.NewHandler(getOrder), integration.LambdaConfig{})))
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/orders/7", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Body)
	// Output:
	// 200 text/plain; charset=utf-8 order 7 on /orders/7
}

// A REST API hands over its own event, and wants its own form of reply: one member too many is a
// 502.
func ExampleNewLambda_rest() {
	f := lambda.NewHandler(func(_ context.Context, e events.APIGatewayProxyRequest) (map[string]any, error) {
		if e.Resource == "/bad" {
			return map[string]any{"statusCode": 200, "cookies": []string{}}, nil
		}
		return map[string]any{"body": `{"stage":"` + e.RequestContext.Stage + `"}`}, nil
	})
	h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{}))
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, Stage: "prod"}}))
	api.Handle("GET /good", h)
	api.Handle("GET /bad", h)
	for _, path := range []string{"/good", "/bad"} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"stage":"prod"}
	// 502 {"message": "Internal server error"}
}

// What a function fails with is for the log, and never for its client.
func ExampleNewLambda_functionError() {
	f := lambda.NewHandler(func() (string, error) { return "", errors.New("database db7 is away") })
	h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{}))
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	fmt.Println("logged:", rc.Integration().FunctionError)
	// Output:
	// 500 {"message":"Internal Server Error"}
	// logged: database db7 is away
}

// The event alone, for a test of a function.
func ExampleLambdaHandler_Event() {
	h := gatekit.Must(integration.NewLambda(lambda.NewHandler(func() {}), integration.LambdaConfig{}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("PUT /orders", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		event, err := h.Event(r)
		fmt.Println(string(event[:74]), err)
	}))
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("PUT", "/orders?a=1", strings.NewReader("{}")))
	// Output:
	// {"version":"2.0","routeKey":"PUT /orders","rawPath":"/orders","rawQueryStr <nil>
}

func ExampleStreamFunction() {
	f := integration.StreamFunction(func(context.Context, events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
		return &events.APIGatewayProxyStreamingResponse{
			StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain"}, Body: strings.NewReader("as it comes"),
		}, nil
	})
	h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{Stream: true}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Code, w.Body, w.Flushed)
	// Output:
	// 200 as it comes true
}

// The event is the body, the answer what the function returned. Around it stands transform.REST.
func ExampleNewLambdaCustom() {
	add := func(_ context.Context, numbers []int) (int, error) {
		if len(numbers) == 0 {
			return 0, errors.New("nothing to add")
		}
		sum := 0
		for _, n := range numbers {
			sum += n
		}
		return sum, nil
	}
	h := gatekit.Must(integration.NewLambdaCustom(lambda.NewHandler(add), integration.LambdaCustomConfig{}))
	for _, body := range []string{"[1,2,3]", "[]"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(body)))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 6
	// 200 {"errorMessage":"nothing to add","errorType":"errorString"}
}

// A function elsewhere, behind the Invoke operation: here an emulator's.
func ExampleNewEndpoint() {
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"statusCode":200,"body":"%d bytes or more"}`, len(event)/1000*1000)
	}))
	defer emulator.Close()
	f := gatekit.Must(integration.NewEndpoint(integration.EndpointConfig{URL: emulator.URL + "/2015-03-31/functions/function/invocations"}))
	h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 9000))))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 12000 bytes or more
}

// A program that was built for Lambda asks for its next event. Start it with AWS_LAMBDA_RUNTIME_API
// set to the server's host and port; this one is played by hand.
func ExampleNewRuntimeAPI() {
	runtime := gatekit.Must(integration.NewRuntimeAPI(integration.RuntimeAPIConfig{}))
	server := httptest.NewServer(runtime)
	defer server.Close()
	go func() {
		next, err := http.Get(server.URL + "/2018-06-01/runtime/invocation/next")
		if err != nil {
			return
		}
		next.Body.Close()
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		done, err := http.Post(server.URL+"/2018-06-01/runtime/invocation/"+id+"/response", "application/json", strings.NewReader(`"hello"`))
		if err == nil {
			done.Body.Close()
		}
	}()
	h := gatekit.Must(integration.NewLambda(runtime, integration.LambdaConfig{}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 200 hello
}

// The adapter for the AWS SDK's client needs to say what failed.
func ExampleFunctionResult() {
	failed := "Unhandled" // out.FunctionError of the SDK
	_, err := integration.FunctionResult(&failed, []byte(`{"errorMessage":"no such order","errorType":"NotFound"}`))
	fmt.Println(err)
	// Output:
	// integration: the function failed: NotFound: no such order
}

// A function that streams, without Stream: its answer is no reply.
func ExampleNewLambda_incorrect() {
	f := integration.StreamFunction(func(context.Context, any) (io.Reader, error) { return strings.NewReader("just text"), nil })
	h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{PayloadFormatVersion: "1.0"}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 500 {"message":"Internal Server Error"}
}
