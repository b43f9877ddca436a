package integration_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

var testKey = integration.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: "session/token+=="}

func credentials(context.Context) (integration.Credentials, error) { return testKey, nil }

// called is what a service was asked.
type called struct {
	method, uri, host, body string
	header                  http.Header
}

// awsEmulator is a server that verifies signatures as a service does, and keeps what it was asked.
type awsEmulator struct {
	*httptest.Server
	mu    sync.Mutex
	calls []called
}

func newEmulator(t testing.TB, service, region string, answer http.HandlerFunc) *awsEmulator {
	t.Helper()
	s3 := service == "s3"
	verifier, err := auth.NewSigV4(auth.SigV4Config{
		Credentials: auth.StaticCredentials{testKey.AccessKeyID: {
			SecretAccessKey: testKey.SecretAccessKey, SessionToken: testKey.SessionToken, Principal: policy.Principal{ARN: "arn:aws:iam::111122223333:role/gateway"},
		}},
		Service: service, Region: region, DisablePathNormalization: s3, DisablePathEscaping: s3,
	})
	require.NoError(t, err)
	e := &awsEmulator{}
	seen := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		e.calls = append(e.calls, called{r.Method, r.RequestURI, r.Host, string(body), r.Header.Clone()})
		e.mu.Unlock()
		answer(w, r)
	})
	describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST, Region: region, AccountID: "111122223333", APIID: "service"}))
	e.Server = httptest.NewServer(gatekit.Chain(seen, describe, verifier.Middleware))
	t.Cleanup(e.Close)
	return e
}

// last is the last call, of which there must be one.
func (e *awsEmulator) last(t testing.TB) called {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	require.NotEmpty(t, e.calls, "the service wasn't called")
	return e.calls[len(e.calls)-1]
}

func (e *awsEmulator) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.calls)
}

func newService(t testing.TB, c integration.ServiceConfig) *integration.Service {
	t.Helper()
	if c.Credentials == nil {
		c.Credentials = credentials
	}
	s, err := integration.NewService(t.Context(), c)
	require.NoError(t, err)
	return s
}

// restService is a REST API with a method in front of a service.
func restService(t testing.TB, key, endpoint string, c transform.RESTConfig) http.Handler {
	t.Helper()
	c.Type = transform.AWS
	if c.IntegrationResponses == nil {
		c.IntegrationResponses = []transform.IntegrationResponse{
			{StatusCode: 200}, {StatusCode: 404, SelectionPattern: "404"}, {StatusCode: 502, SelectionPattern: `5\d\d`},
		}
	}
	m, err := transform.NewREST(c)
	require.NoError(t, err)
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3", Stage: "prod", Variables: map[string]string{"queue": "orders", "bucket": "photos"}}}))
	api.Handle(key, newService(t, integration.ServiceConfig{URI: c.URI, Endpoint: endpoint}), m.Middleware)
	require.NoError(t, api.Build())
	return api
}

func ask(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const region = "eu-west-1"
const serviceARN = "arn:aws:apigateway:" + region + ":"

// Each protocol, as documents have it, is signed so that a verifier is content.
func TestServiceProtocols(t *testing.T) {
	form := map[string]string{"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}
	for _, tt := range []struct {
		name, service string
		config        transform.RESTConfig
		key, method   string
		target, body  string
		want          called
		header        map[string]string
	}{
		{
			name: "query-by-path", service: "sqs", key: "POST /orders", target: "/orders", body: `{"a":"b c"}`,
			config: transform.RESTConfig{URI: serviceARN + "sqs:path/123456789012/${stageVariables.queue}", HTTPMethod: "POST", RequestParameters: form,
				RequestTemplates: map[string]string{"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"}},
			want:   called{method: "POST", uri: "/123456789012/orders", body: "Action=SendMessage&MessageBody=%7B%22a%22%3A%22b+c%22%7D"},
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "AmazonAPIGateway_a1b2c3"},
		},
		{
			name: "query-by-action", service: "sns", key: "POST /orders", target: "/orders?m=a%20b%2B%26c", body: "x",
			config: transform.RESTConfig{URI: serviceARN + "sns:action/Publish&TopicArn={topic}", HTTPMethod: "POST", RequestParameters: map[string]string{
				"integration.request.path.topic": "'arn:aws:sns:eu-west-1:1:t'", "integration.request.querystring.Message": "method.request.querystring.m",
			}},
			want: called{method: "POST", uri: "/?Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3At&Message=a%20b%2B%26c&Version=2010-03-31", body: "x"},
		},
		{
			name: "json-1.0", service: "dynamodb", key: "GET /pets/{id}", method: "GET", target: "/pets/7",
			config: transform.RESTConfig{URI: serviceARN + "dynamodb:action/GetItem", HTTPMethod: "POST",
				RequestParameters: map[string]string{"integration.request.header.Content-Type": "'application/json'"},
				RequestTemplates:  map[string]string{"application/json": `{"TableName":"pets","Key":{"id":{"N":"$input.params('id')"}}}`}},
			want:   called{method: "POST", uri: "/", body: `{"TableName":"pets","Key":{"id":{"N":"7"}}}`},
			header: map[string]string{"X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "application/x-amz-json-1.0"},
		},
		{
			name: "json-of-the-clients-method", service: "states", key: "GET /run", method: "GET", target: "/run",
			config: transform.RESTConfig{URI: serviceARN + "states:action/StartExecution"},
			want:   called{method: "POST", uri: "/", body: `{}`},
			header: map[string]string{"X-Amz-Target": "AWSStepFunctions.StartExecution", "Content-Type": "application/x-amz-json-1.0"},
		},
		{
			name: "json-1.1", service: "kinesis", key: "POST /records", target: "/records", body: `{"data":"x"}`,
			config: transform.RESTConfig{URI: serviceARN + "kinesis:action/PutRecord", HTTPMethod: "POST",
				RequestParameters: map[string]string{"integration.request.header.Content-Type": "'x-amz-json-1.1'"},
				RequestTemplates:  map[string]string{"application/json": `{"StreamName":"s","Data":"$util.base64Encode($input.json('$.data'))","PartitionKey":"p"}`}},
			want:   called{method: "POST", uri: "/", body: `{"StreamName":"s","Data":"Ingi","PartitionKey":"p"}`},
			header: map[string]string{"X-Amz-Target": "Kinesis_20131202.PutRecord", "Content-Type": "application/x-amz-json-1.1"},
		},
		{
			name: "a-target-of-a-template", service: "events", key: "POST /events", target: "/events", body: `{}`,
			config: transform.RESTConfig{URI: serviceARN + "events:action/PutEvents", HTTPMethod: "POST", RequestTemplates: map[string]string{
				"application/json": `#set($context.requestOverride.header.X-Amz-Target = "AWSEvents.PutEvents")#set($context.requestOverride.header.Content-Type = "application/x-amz-json-1.1"){"Entries":[]}`,
			}},
			want:   called{method: "POST", uri: "/", body: `{"Entries":[]}`},
			header: map[string]string{"X-Amz-Target": "AWSEvents.PutEvents"},
		},
		{
			name: "a-service-nobody-knows", service: "newservice", key: "POST /x", target: "/x", body: `{}`,
			config: transform.RESTConfig{URI: serviceARN + "newservice:action/DoIt", HTTPMethod: "POST", RequestParameters: map[string]string{
				"integration.request.header.X-Amz-Target": "'New_1.DoIt'",
			}},
			want:   called{method: "POST", uri: "/", body: `{}`},
			header: map[string]string{"X-Amz-Target": "New_1.DoIt"},
		},
		{
			name: "rest-path", service: "s3", key: "GET /{folder}/{item+}", method: "GET", target: "/photos/a%20b/(1)%2F!.jpg?v=2",
			config: transform.RESTConfig{URI: serviceARN + "s3:path/{bucket}/{key}", RequestParameters: map[string]string{
				"integration.request.path.bucket": "method.request.path.folder", "integration.request.path.key": "method.request.path.item",
				"integration.request.querystring.versionId": "method.request.querystring.v",
			}},
			want: called{method: "GET", uri: "/photos/a%20b/%281%29%2F%21.jpg?versionId=2"},
		},
		{
			name: "rest-put", service: "s3", key: "PUT /{item}", method: "PUT", target: "/x", body: "text",
			config: transform.RESTConfig{URI: serviceARN + "s3:path/${stageVariables.bucket}/{key}", RequestParameters: map[string]string{
				"integration.request.path.key": "method.request.path.item", "integration.request.header.x-amz-acl": "'private'",
				"integration.request.header.Content-Type": "method.request.header.Content-Type",
			}},
			want:   called{method: "PUT", uri: "/photos/x", body: "text"},
			header: map[string]string{"X-Amz-Acl": "private"},
		},
		{
			name: "virtual-host", service: "s3", key: "GET /{item}", method: "GET", target: "/x",
			config: transform.RESTConfig{URI: serviceARN + "my.photos.s3:path/{key}", RequestParameters: map[string]string{"integration.request.path.key": "method.request.path.item"}},
			want:   called{method: "GET", uri: "/x", host: "my.photos."},
		},
		{
			name: "unmapped-variable", service: "s3", key: "GET /{key}", method: "GET", target: "/secret",
			config: transform.RESTConfig{URI: serviceARN + "s3:path/b/{key}"}, // the route has one of this name
			want:   called{method: "GET", uri: "/b/%7Bkey%7D"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEmulator(t, tt.service, region, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "done") })
			h := restService(t, tt.key, e.URL, tt.config)
			if tt.method == "" {
				tt.method = "POST"
			}
			w := ask(h, tt.method, tt.target, tt.body, "Content-Type", "application/json", "X-Client", "1", "Cookie", "secret")
			require.Equal(t, 200, w.Code, w.Body)
			require.Equal(t, "done", w.Body.String())
			got := e.last(t)
			require.Equal(t, tt.want.host+addressOf(e.Server), got.host)
			require.Equal(t, tt.want.method+" "+tt.want.uri, got.method+" "+got.uri)
			require.Equal(t, tt.want.body, got.body)
			for name, want := range tt.header {
				require.Equal(t, []string{want}, got.header[name], name)
			}
			require.NotContains(t, got.header, "X-Client")
			require.NotContains(t, got.header, "Cookie")
		})
	}
}

// The service's status selects the response; its headers pass where they are mapped.
func TestServiceResponses(t *testing.T) {
	e := newEmulator(t, "dynamodb", region, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "id")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"__type":"x#ResourceNotFoundException","message":"no such table"}`)
	})
	h := restService(t, "POST /", e.URL, transform.RESTConfig{URI: serviceARN + "dynamodb:action/GetItem", IntegrationResponses: []transform.IntegrationResponse{
		{StatusCode: 200},
		{StatusCode: 404, SelectionPattern: "4..", ResponseTemplates: map[string]string{"application/json": `{"error":"$input.path('$.message')"}`},
			ResponseParameters: map[string]string{"method.response.header.X-Service": "integration.response.header.x-amzn-RequestId"}},
	}})
	w := ask(h, "POST", "/", "{}")
	require.Equal(t, 404, w.Code)
	require.Equal(t, `{"error":"no such table"}`, w.Body.String())
	require.Equal(t, "id", w.Header().Get("X-Service"))
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	e.Close()
	w = ask(h, "POST", "/", "{}")
	require.Equal(t, 504, w.Code)
	require.Equal(t, `{"message": "Network error communicating with endpoint"}`, w.Body.String())
}

// Keys that rotate are asked for with each request; where there is none, nobody is called, and no
// secret is told.
func TestServiceCredentials(t *testing.T) {
	e := newEmulator(t, "sqs", region, func(http.ResponseWriter, *http.Request) {})
	answers := map[string]struct {
		key  integration.Credentials
		err  error
		code int
	}{
		"good":          {testKey, nil, 200},
		"error":         {integration.Credentials{}, errors.New("the role can't be assumed"), 500},
		"none":          {integration.Credentials{}, nil, 500},
		"no-secret":     {integration.Credentials{AccessKeyID: "AKID"}, nil, 500},
		"header-in-id":  {integration.Credentials{AccessKeyID: "AKID\r\nX: y", SecretAccessKey: "s3cret"}, nil, 500},
		"header-in-tok": {integration.Credentials{AccessKeyID: "AKID", SecretAccessKey: "s3cret", SessionToken: "a\nb"}, nil, 500},
		"wrong":         {integration.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "s3cret"}, nil, 500},
	}
	for name, tt := range answers {
		t.Run(name, func(t *testing.T) {
			before := e.count()
			var cause error
			s := newService(t, integration.ServiceConfig{
				Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Region: region, Endpoint: e.URL,
				Credentials: func(context.Context) (integration.Credentials, error) { return tt.key, tt.err },
			})
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rc, r := gatekit.Attach(r)
				s.ServeHTTP(w, r)
				if rej := rc.Rejection(); rej != nil {
					cause = rej.Cause
				}
			})
			w := ask(h, "POST", "/", "")
			require.Equal(t, tt.code, w.Code)
			if tt.code == 200 {
				require.Equal(t, before+1, e.count())
				return
			}
			require.Equal(t, before, e.count())
			require.Error(t, cause)
			require.NotContains(t, cause.Error(), "s3cret")
			require.ErrorIs(t, cause, cmpOr(tt.err, cause))
		})
	}
	require.Equal(t, "Credentials(AKIDEXAMPLE)", testKey.String())
	require.NotContains(t, strings.Join([]string{sprint("%v", testKey), sprint("%+v", testKey), sprint("%#v", testKey)}, ""), testKey.SecretAccessKey)
}

func TestServiceConfigErrors(t *testing.T) {
	good := serviceARN + "sqs:path/1/q"
	for want, c := range map[string]integration.ServiceConfig{
		"ServiceConfig.URI: want it or Subtype, got none":              {},
		"ServiceConfig.URI: want it or Subtype, got both":              {URI: good, Subtype: "SQS-PurgeQueue"},
		"ServiceConfig.Credentials: want a func":                       {URI: good},
		"ServiceConfig.URI: want an ARN such as":                       {URI: "https://sqs.us-east-1.amazonaws.com"},
		"ServiceConfig.URI: want path/… for s3, which":                 {URI: serviceARN + "b.s3:action/GetObject&Key={key}"},
		"ServiceConfig.URI: want a service other than lambda":          {URI: serviceARN + "lambda:path/2015-03-31/functions/f/invocations"},
		"ServiceConfig.Subtype: want one of [AppConfig-GetConf":        {Subtype: "DynamoDB-PutItem"},
		"ServiceConfig.RequestParameters.MessageBody: want it":         {Subtype: "SQS-SendMessage", RequestParameters: map[string]string{"QueueUrl": "q"}},
		"ServiceConfig.RequestParameters.Delay: want one of":           {Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q", "Delay": "1"}},
		"ServiceConfig.RequestParameters.QueueUrl: want request.hea":   {Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "$reqest.body"}},
		"ServiceConfig.RequestParameters: want none beside URI":        {URI: good, RequestParameters: map[string]string{"a": "b"}},
		"ServiceConfig.Region: want a region":                          {Subtype: "SQS-PurgeQueue", Region: "evil.com/"},
		"ServiceConfig.Endpoint: want http://host:port":                {URI: good, Endpoint: "http://user:pass@host"},
		"ServiceConfig.TLS: want none for an http Endpoint":            {URI: good, Endpoint: "http://host", TLS: integration.TLS{ServerName: "x"}},
		"ServiceConfig.Timeout: want 0, or at least 50ms":              {URI: good, Timeout: 1},
		"ServiceConfig.MaxRequestBytes: want 0 to":                     {URI: good, MaxRequestBytes: -1},
		"ServiceConfig.PassErrors: want it, and Region, beside Subtyp": {URI: good, PassErrors: true},
	} {
		_, err := integration.NewService(t.Context(), c)
		require.ErrorContains(t, err, "integration: "+want)
		require.NotContains(t, err.Error(), "pass@")
	}
}

func sprint(format string, v any) string { return fmt.Sprintf(format, v) }

func cmpOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// A WebSocket API's integration of type AWS is the same, with the template that its messages have.
func TestServiceOfMessages(t *testing.T) {
	e := newEmulator(t, "sqs", region, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<Sent/>") })
	uri := serviceARN + "sqs:path/1/q"
	m := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type: transform.AWS, URI: uri, HTTPMethod: "POST", PassthroughBehavior: transform.Never,
		RequestParameters: map[string]string{"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
		RequestTemplates: map[string]string{"$default": "Action=SendMessage&MessageGroupId=$input.path('$.group')" +
			"&MessageAttribute.1.Name=connectionId&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=$util.urlEncode($context.connectionId)"},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200}},
	}))
	r := httptest.NewRequest("POST", "/prod", strings.NewReader(`{"action":"send","group":"g"}`))
	rc, r := gatekit.Attach(r)
	rc.API, rc.Route = &gatekit.API{Flavor: gatekit.WebSocket, Stage: "prod"}, &gatekit.Route{Key: "send"}
	rc.Connection = &gatekit.Connection{ID: "3tYjey7ZHj9yH8s=", MessageID: "m"}
	w := httptest.NewRecorder()
	m.Middleware(newService(t, integration.ServiceConfig{URI: uri, Endpoint: e.URL})).ServeHTTP(w, r)
	require.Equal(t, 200, w.Code, w.Body)
	require.Equal(t, "<Sent/>", w.Body.String())
	require.Equal(t, "Action=SendMessage&MessageGroupId=g&MessageAttribute.1.Name=connectionId&MessageAttribute.1.Value.DataType=String"+
		"&MessageAttribute.1.Value.StringValue=3tYjey7ZHj9yH8s%3D", e.last(t).body)
}
