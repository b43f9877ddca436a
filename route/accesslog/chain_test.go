package accesslog_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/accesslog"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
	"github.com/gatekit-go/gatekit/throttle"
)

// samples are all formats of the console.
var samples = []string{
	accesslog.HTTPCLF, accesslog.HTTPJSON, accesslog.HTTPXML, accesslog.HTTPCSV,
	accesslog.RESTCLF, accesslog.RESTJSON, accesslog.RESTXML, accesslog.RESTCSV,
	accesslog.WebSocketCLF, accesslog.WebSocketJSON, accesslog.WebSocketXML, accesslog.WebSocketCSV,
}

// function is a Lambda function that answers with a status and a body.
type function string

func (f function) Invoke(context.Context, []byte) ([]byte, error) {
	if f == "fails" {
		return nil, errors.New("it failed")
	}
	return []byte(f), nil
}

// served serves one request by a chain that has the log in front, in a bubble whose clock stands at
// the turn of the century, and returns the line with the request's IDs named.
func served(t *testing.T, flavor gatekit.Flavor, format string, r *http.Request) string {
	kept := &lines{}
	synctest.Test(t, func(t *testing.T) {
		log, err := accesslog.New(accesslog.Config{Format: format, Writer: kept})
		require.NoError(t, err)
		api, err := route.New(route.Config{API: gatekit.API{Flavor: flavor, AccountID: "123456789012", APIID: "a1b2c3d4e5", Region: "eu-west-1", Stage: "prod"}})
		require.NoError(t, err)
		api.Use(log.Middleware)
		payload := integration.LambdaConfig{}
		h, err := integration.NewLambda(function(`{"statusCode":201,"body":"created"}`), payload)
		require.NoError(t, err)
		api.Handle("POST /pets/{id}", h)
		limit := gatekit.Must(throttle.New(throttle.Limit{}))
		api.Handle("GET /limited", h, limit.Middleware)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		id, extended := w.Header().Get("Apigw-Requestid"), w.Header().Get("Apigw-Requestid")
		if flavor == gatekit.REST {
			id, extended = w.Header().Get("X-Amzn-Requestid"), w.Header().Get("X-Amz-Apigw-Id")
		}
		require.Len(t, kept.all(), 1)
		line := strings.ReplaceAll(kept.all()[0], id, "ID")
		kept.text.Reset()
		_, _ = kept.text.WriteString(strings.ReplaceAll(line, extended, "EXTENDED"))
	})
	return kept.all()[0]
}

func TestSamples(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flavor gatekit.Flavor
		format string
		target string
		want   string
	}{
		{"http-clf", gatekit.HTTP, accesslog.HTTPCLF, "POST /pets/1", `192.0.2.1 - - [01/Jan/2000:00:00:00 +0000] "POST POST /pets/{id} HTTP/1.1" 201 7 ID`},
		{"http-json", gatekit.HTTP, accesslog.HTTPJSON, "POST /pets/1", `{ "requestId":"ID", "ip": "192.0.2.1", "requestTime":"01/Jan/2000:00:00:00 +0000", "httpMethod":"POST","routeKey":"POST /pets/{id}", "status":"201","protocol":"HTTP/1.1", "responseLength":"7" }`},
		{"http-xml", gatekit.HTTP, accesslog.HTTPXML, "POST /pets/1", `<request id="ID"> <ip>192.0.2.1</ip> <requestTime>01/Jan/2000:00:00:00 +0000</requestTime> <httpMethod>POST</httpMethod> <routeKey>POST /pets/{id}</routeKey> <status>201</status> <protocol>HTTP/1.1</protocol> <responseLength>7</responseLength> </request>`},
		{"http-csv", gatekit.HTTP, accesslog.HTTPCSV, "POST /pets/1", `192.0.2.1,01/Jan/2000:00:00:00 +0000,POST,POST /pets/{id},HTTP/1.1,201,7,ID`},
		{"http-no-route", gatekit.HTTP, accesslog.HTTPCLF, "GET /none", `192.0.2.1 - - [01/Jan/2000:00:00:00 +0000] "GET - HTTP/1.1" 404 23 ID`},
		{"http-throttled", gatekit.HTTP, accesslog.HTTPCLF, "GET /limited", `192.0.2.1 - - [01/Jan/2000:00:00:00 +0000] "GET GET /limited HTTP/1.1" 429 31 ID`},
		{"rest-clf", gatekit.REST, accesslog.RESTCLF, "POST /pets/1", `192.0.2.1 - - [01/Jan/2000:00:00:00 +0000] "POST /pets/{id} HTTP/1.1" 201 7 ID EXTENDED`},
		{"rest-json", gatekit.REST, accesslog.RESTJSON, "POST /pets/1", `{ "requestId":"ID", "extendedRequestId":"EXTENDED", "ip": "192.0.2.1", "caller":"-", "user":"-", "requestTime":"01/Jan/2000:00:00:00 +0000", "httpMethod":"POST", "resourcePath":"/pets/{id}", "status":"201", "protocol":"HTTP/1.1", "responseLength":"7" }`},
		{"rest-xml", gatekit.REST, accesslog.RESTXML, "POST /pets/1", `<request id="ID"> <extendedRequestId>EXTENDED</extendedRequestId> <ip>192.0.2.1</ip> <caller>-</caller> <user>-</user> <requestTime>01/Jan/2000:00:00:00 +0000</requestTime> <httpMethod>POST</httpMethod> <resourcePath>/pets/{id}</resourcePath> <status>201</status> <protocol>HTTP/1.1</protocol> <responseLength>7</responseLength> </request>`},
		{"rest-csv", gatekit.REST, accesslog.RESTCSV, "POST /pets/1", `192.0.2.1,-,-,01/Jan/2000:00:00:00 +0000,POST,/pets/{id},HTTP/1.1,201,7,ID,EXTENDED`},
		{"rest-no-route", gatekit.REST, accesslog.RESTCLF, "GET /none", `192.0.2.1 - - [01/Jan/2000:00:00:00 +0000] "GET - HTTP/1.1" 403 42 ID EXTENDED`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, target, _ := strings.Cut(tt.target, " ")
			require.Equal(t, tt.want, served(t, tt.flavor, tt.format, httptest.NewRequest(method, target, nil)))
		})
	}
}

// Each event of a WebSocket API is a line.
func TestWebSocketSamples(t *testing.T) {
	for format, want := range map[string][]string{
		accesslog.WebSocketCLF: {
			`192.0.2.1 - - [TIME] "CONNECT $connect CONNECTION" 101 ID`, `192.0.2.1 - - [TIME] "MESSAGE join CONNECTION" 200 ID`,
			`192.0.2.1 - - [TIME] "MESSAGE secret CONNECTION" 429 ID`, `192.0.2.1 - - [TIME] "DISCONNECT $disconnect CONNECTION" 200 ID`},
		accesslog.WebSocketCSV: {
			`192.0.2.1,-,-,TIME,CONNECT,$connect,CONNECTION,101,ID`, `192.0.2.1,-,-,TIME,MESSAGE,join,CONNECTION,200,ID`,
			`192.0.2.1,-,-,TIME,MESSAGE,secret,CONNECTION,429,ID`, `192.0.2.1,-,-,TIME,DISCONNECT,$disconnect,CONNECTION,200,ID`},
		accesslog.WebSocketJSON: {
			`{ "requestId":"ID", "ip": "192.0.2.1", "caller":"-", "user":"-", "requestTime":"TIME", "eventType":"CONNECT", "routeKey":"$connect", "status":"101", "connectionId":"CONNECTION" }`,
			`{ "requestId":"ID", "ip": "192.0.2.1", "caller":"-", "user":"-", "requestTime":"TIME", "eventType":"MESSAGE", "routeKey":"join", "status":"200", "connectionId":"CONNECTION" }`,
			`{ "requestId":"ID", "ip": "192.0.2.1", "caller":"-", "user":"-", "requestTime":"TIME", "eventType":"MESSAGE", "routeKey":"secret", "status":"429", "connectionId":"CONNECTION" }`,
			`{ "requestId":"ID", "ip": "192.0.2.1", "caller":"-", "user":"-", "requestTime":"TIME", "eventType":"DISCONNECT", "routeKey":"$disconnect", "status":"200", "connectionId":"CONNECTION" }`},
		accesslog.WebSocketXML: {
			`<request id="ID"> <ip>192.0.2.1</ip> <caller>-</caller> <user>-</user> <requestTime>TIME</requestTime> <eventType>CONNECT</eventType> <routeKey>$connect</routeKey> <status>101</status> <connectionId>CONNECTION</connectionId> </request>`,
			`<request id="ID"> <ip>192.0.2.1</ip> <caller>-</caller> <user>-</user> <requestTime>TIME</requestTime> <eventType>MESSAGE</eventType> <routeKey>join</routeKey> <status>200</status> <connectionId>CONNECTION</connectionId> </request>`,
			`<request id="ID"> <ip>192.0.2.1</ip> <caller>-</caller> <user>-</user> <requestTime>TIME</requestTime> <eventType>MESSAGE</eventType> <routeKey>secret</routeKey> <status>429</status> <connectionId>CONNECTION</connectionId> </request>`,
			`<request id="ID"> <ip>192.0.2.1</ip> <caller>-</caller> <user>-</user> <requestTime>TIME</requestTime> <eventType>DISCONNECT</eventType> <routeKey>$disconnect</routeKey> <status>200</status> <connectionId>CONNECTION</connectionId> </request>`},
	} {
		require.Equal(t, want, events(t, format), format)
	}
	require.Equal(t, []string{
		"ID - CONNECT IN 0", "ID ID MESSAGE IN 5", "ID ID MESSAGE IN 0", "ID - DISCONNECT IN 0",
	}, events(t, "$context.requestId $context.messageId $context.eventType $context.messageDirection $context.responseLength"))
}

// events opens a connection, sends two messages, of which one is refused, and closes it: with a log
// for each event, whose lines it returns.
func events(t *testing.T, format string) []string {
	kept, connection := &lines{}, ""
	synctest.Test(t, func(t *testing.T) {
		log, err := accesslog.New(accesslog.Config{Format: format, Writer: kept})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		api, err := websocket.New(ctx, websocket.Config{
			API: gatekit.API{Flavor: gatekit.WebSocket, APIID: "a1b2c3d4e5", Stage: "prod"}, RouteSelection: "$request.body.action",
		})
		require.NoError(t, err)
		api.Use(log.Middleware)
		api.UseMessages(log.Middleware)
		api.Handle("join", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			connection = gatekit.From(r.Context()).ConnectionID()
			ok(w, r)
		}))
		api.Handle("secret", http.HandlerFunc(ok), gatekit.Must(throttle.New(throttle.Limit{})).Middleware)
		api.Handle("$disconnect", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), log.Middleware)
		client, _ := websockettest.Dial(ctx, api, "wss://api.example/prod", nil)
		require.NoError(t, client.SendText(`{"action":"join"}`))
		_, err = client.Receive(time.Minute)
		require.NoError(t, err)
		require.NoError(t, client.SendText(`{"action":"secret"}`))
		_, err = client.Receive(time.Minute)
		require.NoError(t, err)
		require.NoError(t, client.Close(1000, ""))
		client.Wait()
		synctest.Wait()
		cancel()
	})
	all := kept.all()
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], connection, "CONNECTION")
		all[i] = strings.ReplaceAll(all[i], "01/Jan/2000:00:00:00 +0000", "TIME")
		all[i] = shortID.ReplaceAllString(all[i], "ID")
	}
	return all
}

var shortID = regexp.MustCompile(`[\w-]{15}=`)

// everyVariable is a format with all variables that there are.
func everyVariable() string {
	var b strings.Builder
	for name := range contextvar.Names() {
		b.WriteString("$context." + name + "|")
	}
	return b.String()
}

// Every variable has a value, or none, as it is listed here: on a request of which all is known.
func TestEveryVariable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, kept := logTo(t, accesslog.Config{Format: everyVariable(), Unmasked: []string{"identity.apiKey", "identity.accessKey"}})
		rc, r := everything()
		log.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(30 * time.Millisecond)
			for _, n := range []gatekit.Note{
				{Phase: gatekit.PhaseWAF, Took: 2 * time.Millisecond},
				{Phase: gatekit.PhaseAuthenticate, Took: 3 * time.Millisecond},
				{Phase: gatekit.PhaseAuthorizer, Took: 4 * time.Millisecond, Status: 200, RequestID: "auth-id"},
				{Phase: gatekit.PhaseAuthorize, Took: 5 * time.Millisecond, Verdict: gatekit.Failed, Status: 403, Err: errors.New("explicit deny")},
			} {
				rc.Note(n)
			}
			rc.SetIntegration(gatekit.Integration{Status: 500, FunctionError: "boom", Latency: 12 * time.Millisecond, RequestID: "int-id", ExtendedRequestID: "int-id2"})
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationFailure, Cause: invalid{}})
		})).ServeHTTP(httptest.NewRecorder(), r)
		got := map[string]string{}
		fields := strings.Split(kept.all()[0], "|")
		for name := range contextvar.Names() {
			got[name], fields = fields[0], fields[1:]
		}
		require.Equal(t, []string{""}, fields)
		for name, want := range map[string]string{"requestId": rc.RequestID(), "extendedRequestId": rc.ExtendedRequestID()} {
			require.Equal(t, want, got[name])
			delete(got, name)
		}
		require.Regexp(t, "^[a-z2-7]{6}$", got["resourceId"])
		require.Regexp(t, "^1-386d4380-[0-9a-f]{24}$", got["xrayTraceId"])
		delete(got, "resourceId")
		delete(got, "xrayTraceId")
		require.Equal(t, everyValue, got)
	})
}

// invalid is what a model refused.
type invalid struct{}

func (invalid) Error() string                 { return "invalid" }
func (invalid) ValidationErrorString() string { return "[name]" }

// everything is a message of a WebSocket connection through a custom domain, of which all is known
// that a gateway can know.
func everything() (*gatekit.RequestContext, *http.Request) {
	rc, r := gatekit.Attach(httptest.NewRequest("POST", "https://api.example.com:8443/prod/pets/a%2Fb?q=1", strings.NewReader("123")))
	rc.API = &gatekit.API{Flavor: gatekit.REST, AccountID: "123456789012", Region: "us-east-1", APIID: "a1b2c3d4e5", Stage: "prod", DeploymentID: "d1", Canary: "true"}
	rc.Route = &gatekit.Route{Key: "POST /pets/{id}", OperationName: "addPet"}
	rc.Connection = &gatekit.Connection{ID: "L0SM9cOFvHcCIhw=", MessageID: "message", ConnectedAt: time.UnixMilli(1000)}
	rc.SetDomain(&gatekit.Domain{Name: "api.example.com", BasePath: "shop", Custom: true})
	rc.SetUserAgent("curl/8")
	rc.SetAPIKey("the-key", "kid")
	rc.SetWebACL(&gatekit.WebACL{ARN: "arn:acl", ResponseCode: "WAF_ALLOW"})
	rc.SetCaller(&gatekit.IAMCaller{
		AccessKey: "AKIA", AccountID: "210987654321", CallerID: "AIDA", UserID: "AIDB", UserARN: "arn:user", PrincipalOrgID: "o-1",
		CognitoIdentityID: "ci", CognitoIdentityPoolID: "cp", CognitoAuthenticationType: "authenticated", CognitoAuthenticationProvider: "prov",
	})
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "me"})
	return rc, r
}

// everyValue is what a line of it has.
var everyValue = map[string]string{
	"accountId": "123456789012", "apiId": "a1b2c3d4e5", "stage": "prod", "deploymentId": "d1", "isCanaryRequest": "true", "connectionId": "L0SM9cOFvHcCIhw=",
	"requestTime": "01/Jan/2000:00:00:00 +0000", "requestTimeEpoch": "946684800000", "httpMethod": "POST", "path": "/prod/pets/a%2Fb", "protocol": "HTTP/1.1",
	"routeKey": "POST /pets/{id}", "operationName": "addPet", "resourcePath": "/pets/{id}", "domainName": "api.example.com", "domainPrefix": "api",
	"customDomain.basePathMatched": "shop", "authorizer.principalId": "me", "authorizer.claims": "-", "connectedAt": "1000", "eventType": "MESSAGE",
	"messageDirection": "IN", "messageId": "message", "wafResponseCode": "WAF_ALLOW", "webaclArn": "arn:acl",
	"error.message": "Internal server error", "error.messageString": `"Internal server error"`, "error.responseType": "INTEGRATION_FAILURE", "error.validationErrorString": "[name]",
	"waf.status": "200", "waf.latency": "2", "waf.error": "-", "authenticate.status": "200", "authenticate.latency": "3", "authenticate.error": "-",
	"authorizer.status": "200", "authorizer.latency": "4", "authorizer.error": "-", "authorizer.requestId": "auth-id",
	"authorizer.integrationStatus": "200", "authorizer.integrationLatency": "4",
	"authorize.status": "403", "authorize.latency": "5", "authorize.error": "explicit deny",
	"integration.status": "500", "integration.integrationStatus": "200", "integrationStatus": "200", "integration.latency": "12", "integrationLatency": "12",
	"integration.error": "boom", "integrationErrorMessage": "boom", "integration.requestId": "int-id", "awsEndpointRequestId": "int-id", "awsEndpointRequestId2": "int-id2",
	"integration.responseTransferMode": "BUFFERED", "integration.timeToAllHeaders": "-", "integration.timeToFirstContent": "-",
	"status": "504", "responseLength": "36", "responseLatency": "30", "dataProcessed": "39",
	"identity.sourceIp": "192.0.2.1", "identity.userAgent": "curl/8", "identity.apiKey": "the-key", "identity.apiKeyId": "kid",
	"identity.accountId": "210987654321", "identity.accessKey": "AKIA", "identity.caller": "AIDA", "identity.user": "AIDB", "identity.userArn": "arn:user",
	"identity.principalOrgId": "o-1", "identity.cognitoIdentityId": "ci", "identity.cognitoIdentityPoolId": "cp",
	"identity.cognitoAuthenticationType": "authenticated", "identity.cognitoAuthenticationProvider": "prov",
	"identity.clientCert.clientCertPem": "-", "identity.clientCert.subjectDN": "-", "identity.clientCert.issuerDN": "-", "identity.clientCert.serialNumber": "-",
	"identity.clientCert.validity.notBefore": "-", "identity.clientCert.validity.notAfter": "-",
	"endpointType": "-", "identity.vpcId": "-", "identity.vpceId": "-",
}
