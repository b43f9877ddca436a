package integration_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// fakeQueue stands for SQS, or an emulator of it.
func fakeQueue() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		signed := strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
		fmt.Println(r.Method, r.URL, string(body), "signed:", signed)
		fmt.Fprint(w, "<SendMessageResponse/>")
	}))
}

// provider is what the AWS SDK's configuration has as Credentials: aws.CredentialsProvider.
type provider struct{}

func (provider) Retrieve(context.Context) (sdkCredentials, error) {
	return sdkCredentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
}

type sdkCredentials struct{ AccessKeyID, SecretAccessKey, SessionToken, Source string }

// A method of a REST API that puts orders into a queue, as its definition says it: a template makes
// the request, a mapping fills in the URI. The credentials are the AWS SDK's.
func ExampleNewService() {
	queue := fakeQueue()
	defer queue.Close()
	config := struct{ Credentials provider }{} // config.LoadDefaultConfig(ctx) of the AWS SDK

	uri := "arn:aws:apigateway:us-east-1:sqs:path/123456789012/{queue}"
	orders := gatekit.Must(integration.NewService(context.Background(), integration.ServiceConfig{
		URI: uri, Endpoint: queue.URL, // without Endpoint: https://sqs.us-east-1.amazonaws.com
		Credentials: func(ctx context.Context) (integration.Credentials, error) {
			c, err := config.Credentials.Retrieve(ctx)
			return integration.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, err
		},
	}))
	method := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.AWS, URI: uri, HTTPMethod: "POST",
		RequestParameters: map[string]string{
			"integration.request.path.queue":          "method.request.path.kind",
			"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'",
		},
		RequestTemplates: map[string]string{"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"},
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 202, ResponseTemplates: map[string]string{"application/json": `{"queued":true}`}},
			{StatusCode: 502, SelectionPattern: `[45]\d\d`},
		},
	}))
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	api.Handle("POST /orders/{kind}", orders, method.Middleware)

	r := httptest.NewRequest("POST", "/orders/urgent", strings.NewReader(`{"id":7}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// POST /123456789012/urgent Action=SendMessage&MessageBody=%7B%22id%22%3A7%7D signed: true
	// 202 {"queued":true}
}

// An HTTP API names what is called, and fills in its parameters.
func ExampleNewService_subtype() {
	queue := fakeQueue()
	defer queue.Close()
	send := gatekit.Must(integration.NewService(context.Background(), integration.ServiceConfig{
		Subtype: "SQS-SendMessage", Region: "us-east-1", Endpoint: queue.URL,
		RequestParameters: map[string]string{
			"QueueUrl":    "https://sqs.us-east-1.amazonaws.com/123456789012/orders",
			"MessageBody": "$request.body.order",
		},
		Credentials: func(context.Context) (integration.Credentials, error) {
			return integration.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		},
	}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("POST /orders", send)
	for _, body := range []string{`{"order":"two teas"}`, `{}`} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("POST", "/orders", strings.NewReader(body)))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// POST / Action=SendMessage&MessageBody=two+teas&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Forders&Version=2012-11-05 signed: true
	// 200 <SendMessageResponse/>
	// 400 {"message":"Bad Request"}
}
