package integration_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// httpService is an HTTP API with a subtype on POST /orders/{id}.
func httpService(t testing.TB, c integration.ServiceConfig) http.Handler {
	t.Helper()
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{
		Flavor: gatekit.HTTP, APIID: "a1b2c3", Stage: "$default", Region: region, Variables: map[string]string{"env": "test"},
	}}))
	api.Handle("ANY /orders/{id}", newService(t, c))
	return api
}

const jsonType10, jsonType11, formType = "application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/x-www-form-urlencoded"

// Every parameter of every subtype, once alone with those that are required and once with all, is
// where the service expects it.
func TestSubtypes(t *testing.T) {
	tests := map[string]struct {
		service, target, contentType string
		least, all                   map[string]string
		wantLeast, wantAll           string
	}{
		"EventBridge-PutEvents": {
			service: "events", target: "AWSEvents.PutEvents", contentType: jsonType11,
			least:     map[string]string{"Detail": "$request.body", "DetailType": "order", "Source": "shop.$stageVariables.env"},
			wantLeast: `{"Entries":[{"Detail":"{\"id\":\"7\",\"n\":[1]}","DetailType":"order","Source":"shop.test"}]}`,
			all: map[string]string{
				"Detail": `{"id":"${request.path.id}"}`, "DetailType": "$request.header.x-type", "Source": "shop", "Time": "2026-11-28T12:00:00Z", "EventBusName": "bus",
				"Resources": "arn:a, arn:b", "TraceHeader": "Root=1", "Region": region,
			},
			wantAll: `{"Entries":[{"Detail":"{\"id\":\"o 1\"}","DetailType":"a,b","Source":"shop","Time":1795867200,"EventBusName":"bus","Resources":["arn:a","arn:b"],"TraceHeader":"Root=1"}]}`,
		},
		"SQS-SendMessage": {
			service: "sqs", contentType: formType,
			least:     map[string]string{"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/q", "MessageBody": "$request.body.id"},
			wantLeast: "Action=SendMessage&MessageBody=7&QueueUrl=https%3A%2F%2Fsqs.eu-west-1.amazonaws.com%2F1%2Fq&Version=2012-11-05",
			all: map[string]string{
				"QueueUrl": "q", "MessageBody": "$request.body", "DelaySeconds": "5", "MessageDeduplicationId": "d", "MessageGroupId": "g",
				"MessageAttributes":       `{"b":{"DataType":"Binary","BinaryValue":"eA=="},"a":{"DataType":"String","StringValue":"${request.querystring.q}"}}`,
				"MessageSystemAttributes": `{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}`, "Region": region,
			},
			wantAll: "Action=SendMessage&DelaySeconds=5&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=1%2C2" +
				"&MessageAttribute.2.Name=b&MessageAttribute.2.Value.BinaryValue=eA%3D%3D&MessageAttribute.2.Value.DataType=Binary" +
				"&MessageBody=%7B%22id%22%3A%227%22%2C%22n%22%3A%5B1%5D%7D&MessageDeduplicationId=d&MessageGroupId=g" +
				"&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String&MessageSystemAttribute.1.Value.StringValue=Root%3D1&QueueUrl=q&Version=2012-11-05",
		},
		"SQS-ReceiveMessage": {
			service: "sqs", contentType: formType,
			least:     map[string]string{"QueueUrl": "q"},
			wantLeast: "Action=ReceiveMessage&QueueUrl=q&Version=2012-11-05",
			all: map[string]string{
				"QueueUrl": "q", "AttributeNames": `["All","SenderId"]`, "MaxNumberOfMessages": "10", "MessageAttributeNames": "a,b", "ReceiveRequestAttemptId": "r", "VisibilityTimeout": "3",
				"WaitTimeSeconds": "2", "Region": region,
			},
			wantAll: "Action=ReceiveMessage&AttributeName.1=All&AttributeName.2=SenderId&MaxNumberOfMessages=10&MessageAttributeName.1=a&MessageAttributeName.2=b&QueueUrl=q" +
				"&ReceiveRequestAttemptId=r&Version=2012-11-05&VisibilityTimeout=3&WaitTimeSeconds=2",
		},
		"SQS-DeleteMessage": {
			service: "sqs", contentType: formType,
			least:     map[string]string{"QueueUrl": "q", "ReceiptHandle": "$request.path.id"},
			wantLeast: "Action=DeleteMessage&QueueUrl=q&ReceiptHandle=o+1&Version=2012-11-05",
		},
		"SQS-PurgeQueue": {
			service: "sqs", contentType: formType,
			least:     map[string]string{"QueueUrl": "q"},
			wantLeast: "Action=PurgeQueue&QueueUrl=q&Version=2012-11-05",
		},
		"AppConfig-GetConfiguration": {
			service:   "appconfig",
			least:     map[string]string{"Application": "shop", "Environment": "$stageVariables.env", "Configuration": "$request.path.id", "ClientId": "$context.apiId"},
			wantLeast: "GET /applications/shop/environments/test/configurations/o%201?client_id=a1b2c3",
			all:       map[string]string{"Application": "a/b", "Environment": "e?", "Configuration": "c&d", "ClientId": "c d+e", "ClientConfigurationVersion": "1", "Region": region},
			wantAll:   "GET /applications/a%2Fb/environments/e%3F/configurations/c%26d?client_id=c%20d%2Be&client_configuration_version=1",
		},
		"Kinesis-PutRecord": {
			service: "kinesis", target: "Kinesis_20131202.PutRecord", contentType: jsonType11,
			least:     map[string]string{"StreamName": "s", "Data": "J0hlbGxvLCBXb3JsZCEnCg==", "PartitionKey": "$request.body.id"},
			wantLeast: `{"StreamName":"s","Data":"J0hlbGxvLCBXb3JsZCEnCg==","PartitionKey":"7"}`,
			all:       map[string]string{"StreamName": "s", "Data": "eA==", "PartitionKey": "p", "SequenceNumberForOrdering": "1", "ExplicitHashKey": "2", "Region": region},
			wantAll:   `{"StreamName":"s","Data":"eA==","PartitionKey":"p","SequenceNumberForOrdering":"1","ExplicitHashKey":"2"}`,
		},
		"StepFunctions-StartExecution": {
			service: "states", target: "AWSStepFunctions.StartExecution", contentType: jsonType10,
			least:     map[string]string{"StateMachineArn": "arn:x"},
			wantLeast: `{"stateMachineArn":"arn:x"}`,
			all:       map[string]string{"StateMachineArn": "arn:x", "Name": "${context.requestId}-1", "Input": "$request.body", "Region": region},
			wantAll:   `{"stateMachineArn":"arn:x","name":"ID-1","input":"{\"id\":\"7\",\"n\":[1]}"}`,
		},
		"StepFunctions-StartSyncExecution": {
			service: "states", target: "AWSStepFunctions.StartSyncExecution", contentType: jsonType10,
			least:     map[string]string{"StateMachineArn": "arn:x"},
			wantLeast: `{"stateMachineArn":"arn:x"}`,
			all:       map[string]string{"StateMachineArn": "arn:x", "Name": "n", "Input": "{}", "TraceHeader": "Root=1", "Region": region},
			wantAll:   `{"stateMachineArn":"arn:x","name":"n","input":"{}","traceHeader":"Root=1"}`,
		},
		"StepFunctions-StopExecution": {
			service: "states", target: "AWSStepFunctions.StopExecution", contentType: jsonType10,
			least:     map[string]string{"ExecutionArn": "arn:x"},
			wantLeast: `{"executionArn":"arn:x"}`,
			all:       map[string]string{"ExecutionArn": "arn:x", "Cause": "enough", "Error": "E", "Region": region},
			wantAll:   `{"executionArn":"arn:x","cause":"enough","error":"E"}`,
		},
	}
	names := []string{}
	for name, tt := range tests {
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			e := newEmulator(t, tt.service, region, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/xml")
				w.Header().Set("X-Amzn-Requestid", "id")
				_, _ = io.WriteString(w, "<Done/>")
			})
			if tt.all == nil {
				tt.all, tt.wantAll = tt.least, tt.wantLeast
			}
			for _, c := range []struct {
				parameters map[string]string
				want       string
			}{{tt.least, tt.wantLeast}, {tt.all, tt.wantAll}} {
				h := httpService(t, integration.ServiceConfig{Subtype: name, RequestParameters: c.parameters, Endpoint: e.URL})
				w := ask(h, "POST", "/orders/o%201?q=1&q=2", `{"id":"7","n":[1]}`, "X-Type", "a", "X-Type", "b", "Cookie", "secret")
				require.Equal(t, 200, w.Code, w.Body)
				require.Equal(t, "<Done/>", w.Body.String())
				require.Equal(t, "text/xml", w.Header().Get("Content-Type"))
				require.Equal(t, "id", w.Header().Get("X-Amzn-Requestid"))
				got := e.last(t)
				id := w.Header().Get("Apigw-Requestid")
				if tt.service == "appconfig" {
					require.Equal(t, c.want, got.method+" "+got.uri)
				} else {
					require.Equal(t, "POST /", got.method+" "+got.uri)
					require.Equal(t, c.want, strings.ReplaceAll(got.body, id, "ID"))
				}
				require.Equal(t, tt.target, got.header.Get("X-Amz-Target"))
				require.Equal(t, tt.contentType, got.header.Get("Content-Type"))
				require.Regexp(t, "^Root=1-", got.header.Get("X-Amzn-Trace-Id"))
				require.NotContains(t, got.header, "Cookie")
			}
		})
	}
	slices.Sort(names)
	require.Equal(t, integration.Subtypes(), names)
}

// What a parameter is filled with must be there, required or not, and not be empty (asserted on the
// managed gateway). Nobody is called else.
func TestSubtypeValues(t *testing.T) {
	e := newEmulator(t, "sqs", region, func(http.ResponseWriter, *http.Request) {})
	send := func(parameters map[string]string, body string, header ...string) int {
		parameters["QueueUrl"] = "q"
		h := httpService(t, integration.ServiceConfig{Subtype: "SQS-SendMessage", RequestParameters: parameters, Endpoint: e.URL})
		before := e.count()
		w := ask(h, "POST", "/orders/1", body, header...)
		if w.Code != 200 {
			require.Equal(t, before, e.count())
			require.Equal(t, `{"message":"Bad Request"}`, w.Body.String())
		} else if parameters["MessageBody"] == "$request.body" {
			form, err := url.ParseQuery(e.last(t).body)
			require.NoError(t, err)
			require.True(t, form.Get("MessageBody") == body, "%d bytes of %d", len(form.Get("MessageBody")), len(body))
		}
		return w.Code
	}
	long := `{"a":"` + strings.Repeat("x", 100<<10) + `"}`
	for name, tt := range map[string]struct {
		parameters map[string]string
		body       string
		want       int
	}{
		"there":               {map[string]string{"MessageBody": "$request.body.a"}, `{"a":"x"}`, 200},
		"required-absent":     {map[string]string{"MessageBody": "$request.body.a"}, `{"b":"x"}`, 400},
		"required-empty":      {map[string]string{"MessageBody": "$request.body.a"}, `{"a":""}`, 400},
		"required-null":       {map[string]string{"MessageBody": "$request.body.a"}, `{"a":null}`, 400},
		"optional-absent":     {map[string]string{"MessageBody": "x", "MessageGroupId": "$request.header.g"}, `{}`, 400},
		"no-body":             {map[string]string{"MessageBody": "$request.body"}, "", 400},
		"no-json":             {map[string]string{"MessageBody": "$request.body.a"}, "{", 400},
		"whole-of-a-long-one": {map[string]string{"MessageBody": "$request.body"}, long, 200},
		"part-of-a-long-one":  {map[string]string{"MessageBody": "$request.body.a"}, long, 400},
		"attributes-no-json":  {map[string]string{"MessageBody": "x", "MessageAttributes": "$request.body"}, `[1]`, 400},
		"attributes-unknown":  {map[string]string{"MessageBody": "x", "MessageAttributes": "$request.body"}, `{"a":{"Evil":"x"}}`, 400},
		"attributes-two":      {map[string]string{"MessageBody": "x", "MessageAttributes": "$request.body"}, `{"a":{"DataType":"String","StringValue":"x"}}{}`, 400},
		"attributes-whole":    {map[string]string{"MessageBody": "x", "MessageAttributes": "$request.body"}, `{"a":{"DataType":"String","StringValue":"x"}}`, 200},
		"region-of-a-client":  {map[string]string{"MessageBody": "x", "Region": "$request.body.r"}, `{"r":"evil.example.com/"}`, 400},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, send(tt.parameters, tt.body)) })
	}
	for kind, parameters := range map[string]map[string]string{
		"Time":      {"Detail": "{}", "DetailType": "t", "Source": "s", "Time": "$request.body.v"},
		"Resources": {"Detail": "{}", "DetailType": "t", "Source": "s", "Resources": "$request.body.v"},
	} {
		h := httpService(t, integration.ServiceConfig{Subtype: "EventBridge-PutEvents", RequestParameters: parameters, Endpoint: e.URL})
		w := ask(h, "POST", "/orders/1", `{"v":"[1"}`)
		require.Equal(t, 400, w.Code, kind)
	}
}

// A service's refusal is a 500 (asserted on the managed gateway), or as it is.
func TestSubtypeRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		header, body, cause string
	}{
		"header": {"ResourceNotFoundException:http://internal/", "x", "404 ResourceNotFoundException"},
		"json":   {"", `{"__type":"com.amazonaws#ResourceNotFoundException","message":"Stream s of 1 not found"}`, "404 ResourceNotFoundException"},
		"xml":    {"", `<ErrorResponse><Error><Code>AWS.SimpleQueueService.NonExistentQueue</Code></Error></ErrorResponse>`, "404 AWS.SimpleQueueService.NonExistentQueue"},
		"none":   {"", "oops", "404 ServiceException"},
		"odd":    {"a b", "{}", "404 ServiceException"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEmulator(t, "kinesis", region, func(w http.ResponseWriter, r *http.Request) {
				if tt.header != "" {
					w.Header().Set("X-Amzn-Errortype", tt.header)
				}
				w.WriteHeader(404)
				_, _ = io.WriteString(w, tt.body)
			})
			c := integration.ServiceConfig{
				Subtype: "Kinesis-PutRecord", RequestParameters: map[string]string{"StreamName": "s", "Data": "eA==", "PartitionKey": "p"}, Endpoint: e.URL, Region: region,
			}
			var known *gatekit.RequestContext
			see := func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { known, r = gatekit.Attach(r); h.ServeHTTP(w, r) })
			}
			w := ask(see(newService(t, c)), "POST", "/", "")
			require.Equal(t, 500, w.Code)
			require.Equal(t, `{"message":"Internal Server Error"}`, w.Body.String())
			require.EqualError(t, known.Rejection().Cause, "integration: kinesis.eu-west-1.amazonaws.com answered "+tt.cause)
			require.Equal(t, 404, known.Integration().Status)
			c.PassErrors = true
			w = ask(newService(t, c), "POST", "/", "")
			require.Equal(t, 404, w.Code)
			require.Equal(t, tt.body, w.Body.String())
		})
	}
}

// Without a region nobody knows where the service is.
func TestSubtypeRegion(t *testing.T) {
	c := integration.ServiceConfig{Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Endpoint: "http://" + closedAddress(t)}
	require.Equal(t, 500, ask(newService(t, c), "POST", "/", "").Code)
	for want, parameters := range map[string]map[string]string{
		"us-east-1": {"QueueUrl": "q", "Region": "$request.header.r"}, region: {"QueueUrl": "q"},
	} {
		e := newEmulator(t, "sqs", want, func(http.ResponseWriter, *http.Request) {})
		c := integration.ServiceConfig{Subtype: "SQS-PurgeQueue", RequestParameters: parameters, Endpoint: e.URL, Region: region}
		require.Equal(t, 200, ask(newService(t, c), "POST", "/", "", "R", "us-east-1").Code)
	}
}

// FuzzSubtype: whatever a client sends, the service is asked for nothing but the action, and each
// value stays in its parameter.
func FuzzSubtype(f *testing.F) {
	for _, seed := range []string{"x", `","DataType":"Number`, "&Action=DeleteQueue", "a\r\nX: y", "../..", "{}", `\`, "\xff"} {
		f.Add(seed)
	}
	e := newEmulator(f, "sqs", region, func(http.ResponseWriter, *http.Request) {})
	h := httpService(f, integration.ServiceConfig{Subtype: "SQS-SendMessage", Endpoint: e.URL, RequestParameters: map[string]string{
		"QueueUrl": "$request.querystring.q", "MessageBody": "$request.body",
		"MessageAttributes": `{"a":{"DataType":"String","StringValue":"<${request.querystring.q}>"}}`,
	}})
	f.Fuzz(func(t *testing.T, text string) {
		before := e.count()
		r := httptest.NewRequest("POST", "/orders/1?q="+url.QueryEscape(text), strings.NewReader(text))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if text == "" {
			require.Equal(t, 400, w.Code)
			return
		}
		require.Equal(t, 200, w.Code, w.Body)
		require.Equal(t, before+1, e.count())
		form, err := url.ParseQuery(e.last(t).body)
		require.NoError(t, err)
		clean := strings.ToValidUTF8(text, "\ufffd")
		for name, want := range map[string]string{
			"Action": "SendMessage", "QueueUrl": text, "MessageBody": text, "MessageAttribute.1.Name": "a", "MessageAttribute.1.Value.DataType": "String",
		} {
			require.Equal(t, []string{want}, form[name], name)
		}
		if clean == text {
			require.Equal(t, []string{"<" + text + ">"}, form["MessageAttribute.1.Value.StringValue"])
		}
		require.Len(t, form, 7)
	})
}
