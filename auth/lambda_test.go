package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/event"
)

// answering is a function that always answers the same, or fails with what begins with "error:". It counts its calls and keeps the last event.
type answering struct {
	text  string
	calls atomic.Int64
	event atomic.Pointer[string]
	hook  atomic.Pointer[func(context.Context)]
}

func (f *answering) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	f.calls.Add(1)
	event := string(payload)
	f.event.Store(&event)
	if hook := f.hook.Load(); hook != nil {
		(*hook)(ctx)
	}
	if message, ok := strings.CutPrefix(f.text, "error:"); ok {
		return nil, errors.New(message)
	}
	return []byte(f.text), nil
}

// during makes f call hook in each of its calls; nil ends that.
func (f *answering) during(hook func(context.Context)) {
	if hook == nil {
		f.hook.Store(nil)
	} else {
		f.hook.Store(&hook)
	}
}

const testARN = "arn:aws:execute-api:us-east-1:111122223333:abc123/prod/"

var testAPI = gatekit.API{AccountID: "111122223333", Region: "us-east-1", APIID: "abc123", Stage: "prod"}

func flavored(f gatekit.Flavor) gatekit.API {
	api := testAPI
	api.Flavor = f
	return api
}

// policyAnswer is an answer of user u7 with these statements.
func policyAnswer(statements ...string) string {
	return `{"principalId":"u7","policyDocument":{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}}`
}

func statement(effect, resource string) string {
	return `{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + resource + `"}`
}

var allowAll = policyAnswer(statement("Allow", "*"))

func newLambda(t testing.TB, f gatekit.Invoker, c auth.LambdaConfig) *auth.Lambda {
	t.Helper()
	l, err := auth.NewLambda(f, c)
	require.NoError(t, err)
	return l
}

// describe is the middleware of an API of a flavor, and a, behind it, the authorizer's.
func behind(t testing.TB, api gatekit.API, a auth.Authorizer) gatekit.Middleware {
	t.Helper()
	describe, err := gatekit.Describe(api)
	require.NoError(t, err)
	return func(next http.Handler) http.Handler { return gatekit.Chain(next, describe, auth.Require(a)) }
}

func request(method, target, token string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	return r
}

func serve(mw gatekit.Middleware, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := gatekit.From(r.Context()).Authorization
		text, _ := json.Marshal([]any{a.Principal(), a.Context(), a.UsageKey()})
		_, _ = w.Write(text)
	})).ServeHTTP(w, r)
	return w
}

const (
	noIdentityPolicy = `{"Message":"User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"}`
	identityDeny     = `{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`
	internalHTTP     = `{"message":"Internal Server Error"}`
	internalREST     = `{"message":null}`
)

// TestLambdaOutcomes are the rows of the table of outcomes, byte for byte.
func TestLambdaOutcomes(t *testing.T) {
	deny := policyAnswer(statement("Allow", "*"), statement("Deny", testARN+"GET/pets"))
	silent := policyAnswer(statement("Allow", testARN+"GET/other"))
	for _, tt := range []struct {
		name, answer, token string
		simple              bool
		rest, http          string // status and body
		errorType           string
		calls               int64
	}{
		{name: "allowed", answer: allowAll, token: "t", rest: `200 ["u7",null,""]`, http: `200 ["u7",null,""]`, calls: 1},
		{name: "missing", answer: allowAll, rest: "401 " + unauthorized, http: "401 " + unauthorized, errorType: "UnauthorizedException"},
		{name: "blank", answer: allowAll, token: " \t", rest: "401 " + unauthorized, http: "401 " + unauthorized, errorType: "UnauthorizedException"},
		{name: "unauthorized", answer: "error:Unauthorized", token: "t", rest: "401 " + unauthorized, http: "401 " + unauthorized, errorType: "UnauthorizedException", calls: 1},
		{name: "unauthorized-payload", answer: `{"errorMessage":"Unauthorized","errorType":"errorString"}`, token: "t", rest: "401 " + unauthorized, http: "401 " + unauthorized, errorType: "UnauthorizedException", calls: 1},
		{name: "lower-case", answer: "error:unauthorized", token: "t", rest: "500 " + internalREST, http: "500 " + internalHTTP, errorType: "AuthorizerConfigurationException", calls: 1},
		{name: "trailing-blank", answer: "error:Unauthorized ", token: "t", rest: "500 " + internalREST, http: "500 " + internalHTTP, errorType: "AuthorizerConfigurationException", calls: 1},
		{name: "prefixed", answer: "error:[401] Unauthorized", token: "t", rest: "500 " + internalREST, http: "500 " + internalHTTP, errorType: "AuthorizerConfigurationException", calls: 1},
		{name: "failed", answer: `{"errorMessage":"secret detail"}`, token: "t", rest: "500 " + internalREST, http: "500 " + internalHTTP, errorType: "AuthorizerConfigurationException", calls: 1},
		{name: "failed-without-text", answer: `{"errorMessage":null}`, token: "t", rest: "500 " + internalREST, http: "500 " + internalHTTP, errorType: "AuthorizerConfigurationException", calls: 1},
		{name: "malformed", answer: `null`, token: "t", rest: "500 " + internalREST, http: "500 " + internalHTTP, errorType: "AuthorizerConfigurationException", calls: 1},
		{name: "explicit-deny", answer: deny, token: "t", rest: "403 " + identityDeny, http: "403 " + forbidden, errorType: "AccessDeniedException", calls: 1},
		{name: "nothing-allows", answer: silent, token: "t", rest: "403 " + noIdentityPolicy, http: "403 " + forbidden, errorType: "AccessDeniedException", calls: 1},
		{name: "simple-no", answer: `{"isAuthorized":false}`, token: "t", simple: true, http: "403 " + forbidden, calls: 1},
		{name: "simple-yes", answer: `{"isAuthorized":true,"context":{"s":"<x>","n":1.50,"b":true,"list":["a",{"k":null}]}}`, token: "t", simple: true, http: `200 ["",{"b":true,"list":["a",{"k":null}],"n":1.50,"s":"\u003cx\u003e"},""]`, calls: 1},
		{name: "context", answer: `{"principalId":"u7","policyDocument":{"Statement":{"Action":"*","Effect":"Allow","Resource":"*"}},"context":{"n":1,"gone":null},"usageIdentifierKey":"k","extra":1}`, token: "t", rest: `200 ["u7",{"n":1},"k"]`, http: `200 ["u7",{"n":1},"k"]`, calls: 1},
	} {
		for flavor, want := range map[gatekit.Flavor]string{gatekit.HTTP: tt.http, gatekit.REST: tt.rest} {
			if want == "" {
				continue
			}
			t.Run(tt.name+"-"+flavor.String(), func(t *testing.T) {
				f := &answering{text: tt.answer}
				l := newLambda(t, f, auth.LambdaConfig{EnableSimpleResponses: tt.simple})
				w := serve(behind(t, flavored(flavor), l), request("GET", "/pets", tt.token))
				require.Equal(t, want, strconv.Itoa(w.Code)+" "+w.Body.String())
				require.Equal(t, tt.calls, f.calls.Load())
				if flavor == gatekit.REST {
					require.Equal(t, tt.errorType, w.Header().Get("X-Amzn-Errortype"))
				} else {
					require.Empty(t, w.Header().Get("X-Amzn-Errortype"))
				}
				require.NotContains(t, w.Header(), "Www-Authenticate")
			})
		}
	}
}

func TestLambdaMalformedAnswers(t *testing.T) {
	long := strings.Repeat("x", 513-len("arn:aws:execute-api:*:*:"))
	for name, answer := range map[string]string{
		"not-json": `yes`, "empty": ``, "list": `[]`, "trailing": allowAll + "{}", "nine-kilobytes": strings.Replace(allowAll, "u7", strings.Repeat("u", 9<<10), 1),
		"duplicate-effect": strings.Replace(allowAll, `"Effect"`, `"Effect":"Allow","Effect"`, 1), "principal-number": strings.Replace(allowAll, `"u7"`, `7`, 1),
		"no-principal": strings.Replace(allowAll, "principalId", "principalid", 1), "no-policy": `{"principalId":"u7"}`, "no-statement": `{"principalId":"u7","policyDocument":{"Version":"2012-10-17"}}`,
		"boolean": `{"isAuthorized":true}`, "both": strings.Replace(allowAll, "{", `{"isAuthorized":true,`, 1), "effect": strings.Replace(allowAll, "Allow", "Permit", 1),
		"unknown-operator": policyAnswer(`{"Action":"*","Effect":"Allow","Resource":"*","Condition":{"StringIs":{"aws:userid":"x"}}}`),
		"long-resource":    policyAnswer(statement("Allow", "arn:aws:execute-api:*:*:"+long)), "principal-element": policyAnswer(`{"Principal":"*","Action":"*","Effect":"Allow","Resource":"*"}`),
		"nested-context": strings.Replace(allowAll, "{", `{"context":{"a":{"b":1}},`, 1), "context-list": strings.Replace(allowAll, "{", `{"context":[1],`, 1),
		"claims": strings.Replace(allowAll, "{", `{"context":{"claims":"x"},`, 1), "header-injection": strings.Replace(allowAll, "{", `{"context":{"a":"x\r\nSet-Cookie: y"},`, 1),
		"key-number": strings.Replace(allowAll, "{", `{"usageIdentifierKey":1,`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			f := &answering{text: answer}
			l := newLambda(t, f, auth.LambdaConfig{})
			for range 2 {
				w := serve(behind(t, flavored(gatekit.REST), l), request("GET", "/pets", "t"))
				require.Equal(t, "500 "+internalREST, strconv.Itoa(w.Code)+" "+w.Body.String())
			}
			require.EqualValues(t, 2, f.calls.Load(), "never cached")
		})
	}
	for _, answer := range []string{`{"isAuthorized":"true"}`, `{"isAuthorized":1}`, `{"isAuthorized":null}`, `{}`, allowAll, `{"isAuthorized":true,"context":{"a":{"b":"\n"}}}`, `{"isAuthorized":true,"context":{"a":{"b\r":1}}}`} {
		l := newLambda(t, &answering{text: answer}, auth.LambdaConfig{EnableSimpleResponses: true})
		require.Equal(t, 500, serve(behind(t, testAPI, l), request("GET", "/pets", "t")).Code, answer)
	}
}

func TestLambdaIdentitySources(t *testing.T) {
	f := &answering{text: allowAll}
	l := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{IdentitySource: []string{"method.request.header.x-user", "$request.querystring.color", "$context.routeKey", "stageVariables.env"}}})
	mw := func(next http.Handler) http.Handler {
		return behind(t, testAPI, auth.Authorizer(l))(next)
	}
	variables := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc, r := gatekit.Attach(r)
			api := testAPI
			api.Variables = map[string]string{"env": "test"}
			rc.API, rc.Route = &api, &gatekit.Route{Key: "GET /"}
			auth.Require(l)(next).ServeHTTP(w, r)
		})
	}
	good := func() *http.Request {
		r := request("GET", "/?color=blue", "")
		r.Header.Set("X-User", "u7")
		return r
	}
	require.Equal(t, 200, serve(variables, good()).Code)
	require.Equal(t, 401, serve(mw, good()).Code, "no stage variable")
	calls := f.calls.Load()
	for name, spoil := range map[string]func(*http.Request){
		"header missing": func(r *http.Request) { r.Header.Del("X-User") }, "header twice": func(r *http.Request) { r.Header.Add("X-User", "u8") },
		"query missing": func(r *http.Request) { r.URL.RawQuery = "" }, "query case": func(r *http.Request) { r.URL.RawQuery = "Color=blue" },
		"query twice": func(r *http.Request) { r.URL.RawQuery = "color=blue&color=blue" }, "query empty": func(r *http.Request) { r.URL.RawQuery = "color=" },
		"query undecodable": func(r *http.Request) { r.URL.RawQuery = "color=%zz" },
	} {
		r := good()
		spoil(r)
		require.Equal(t, 401, serve(variables, r).Code, name)
	}
	require.Equal(t, calls, f.calls.Load())
	_, err := l.Authorize(request("GET", "/", ""))
	require.ErrorIs(t, err, auth.ErrNoCredentials)

	open := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{TTL: auth.Off}})
	for range 2 {
		require.Equal(t, 200, serve(behind(t, testAPI, open), request("GET", "/", "")).Code, "optional with the cache off")
	}
	require.Equal(t, calls+2, f.calls.Load())
}

func TestLambdaValidationExpression(t *testing.T) {
	f := &answering{text: allowAll}
	l := newLambda(t, f, auth.LambdaConfig{Type: "TOKEN", IdentityValidationExpression: `Bearer a+|(b+)+`})
	mw := behind(t, flavored(gatekit.REST), l)
	require.Equal(t, 200, serve(mw, request("GET", "/", "Bearer aaa")).Code)
	for _, token := range []string{"xBearer a", "Bearer ab", "Bearer a\nx", "x\nBearer a", strings.Repeat("b", 50_000) + "!"} {
		w := serve(mw, request("GET", "/", token))
		require.Equal(t, "401 "+unauthorized, strconv.Itoa(w.Code)+" "+w.Body.String(), token[:min(20, len(token))])
	}
	require.EqualValues(t, 1, f.calls.Load())
}

// TestLambdaEvents pins the events, and that aws-lambda-go's types find everything where they look.
func TestLambdaEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send := func(api gatekit.API, c auth.LambdaConfig, change func(*http.Request, *gatekit.RequestContext)) string {
			f := &answering{text: allowAll}
			l := newLambda(t, f, c)
			r := request("GET", "/orders/a%20b?p1=v1&p1=v2&p2=%3Cv%3E", "Bearer abc")
			r.Host = "q9.example.com"
			r.RemoteAddr = "192.0.2.9:4711"
			r.Header.Add("X-Color", "red")
			r.Header.Add("X-Color", "blue")
			r.Header.Set("Cookie", "c1=1; c2=2")
			r.Header.Set("User-Agent", "curl/8")
			r.Pattern = "GET /orders/{id}"
			r.SetPathValue("id", "a b")
			rc, r := gatekit.Attach(r)
			rc.API = &api
			rc.SetDomain(&gatekit.Domain{Name: "q9.example.com"})
			if change != nil {
				change(r, rc)
			}
			_, _ = l.Authorize(r)
			require.NotNil(t, f.event.Load())
			trace := event.Trace(rc, r).String() // the one that the integration's function gets
			return strings.NewReplacer(rc.RequestID(), "RID", rc.ExtendedRequestID(), "XID", trace, "TRACE").Replace(*f.event.Load())
		}
		const arn = "arn:aws:execute-api:us-east-1:111122223333:abc123/prod/GET/orders/a%20b"
		require.Equal(t, `{"type":"TOKEN","authorizationToken":"Bearer abc","methodArn":"`+arn+`"}`, send(flavored(gatekit.REST), auth.LambdaConfig{Type: "TOKEN"}, nil))

		const headers = `"headers":{"Authorization":"Bearer abc","Cookie":"c1=1; c2=2","Host":"q9.example.com","User-Agent":"curl/8","X-Amzn-Trace-Id":"TRACE","X-Color":"blue","X-Forwarded-For":"192.0.2.9","X-Forwarded-Port":"80","X-Forwarded-Proto":"http"},` +
			`"multiValueHeaders":{"Authorization":["Bearer abc"],"Cookie":["c1=1; c2=2"],"Host":["q9.example.com"],"User-Agent":["curl/8"],"X-Amzn-Trace-Id":["TRACE"],"X-Color":["red","blue"],"X-Forwarded-For":["192.0.2.9"],"X-Forwarded-Port":["80"],"X-Forwarded-Proto":["http"]},` +
			`"queryStringParameters":{"p1":"v2","p2":"<v>"},"multiValueQueryStringParameters":{"p1":["v1","v2"],"p2":["<v>"]},`
		rest := `"type":"REQUEST","methodArn":"` + arn + `",%s"resource":"/orders/{id}","path":"/orders/a%20b","httpMethod":"GET",` + headers + `"stageVariables":{"color":"blue"},"pathParameters":{"id":"ID"},` +
			`"requestContext":{"resourceId":"RES","resourcePath":"/orders/{id}","httpMethod":"GET","path":"/orders/a%20b","accountId":"111122223333","apiId":"abc123","stage":"prod","domainName":"q9.example.com","domainPrefix":"q9",` +
			`"requestId":"RID","extendedRequestId":"XID","protocol":"HTTP/1.1","requestTime":"01/Jan/2000:00:00:00 +0000","requestTimeEpoch":946684800000,%d"identity":{"accessKey":null,"accountId":null,"caller":null,%c"cognitoAuthenticationProvider":null,"cognitoAuthenticationType":null,"cognitoIdentityId":null,"cognitoIdentityPoolId":null,` +
			`"principalOrgId":null,"sourceIp":"192.0.2.9","user":null,"userAgent":"curl/8","userArn":null}}}`
		variables := func(_ *http.Request, rc *gatekit.RequestContext) {
			rc.API.Variables = map[string]string{"color": "blue"}
		}
		got := send(flavored(gatekit.REST), auth.LambdaConfig{}, variables)
		require.JSONEq(t, "{"+strings.NewReplacer("%s", "", "%c", "", "%d", `"deploymentId":"3kbsnj",`, "ID\"}", "a%20b\"}", "RES", "dpdhf2").Replace(rest), strings.Replace(got, resourceID(t, got), "dpdhf2", 1))
		var restEvent events.APIGatewayCustomAuthorizerRequestTypeRequest
		require.NoError(t, json.Unmarshal([]byte(got), &restEvent))
		require.Equal(t, "192.0.2.9", restEvent.RequestContext.Identity.SourceIP)
		require.Equal(t, []string{"red", "blue"}, restEvent.MultiValueHeaders["X-Color"])

		got = send(testAPI, auth.LambdaConfig{PayloadFormatVersion: "1.0", CacheConfig: auth.CacheConfig{IdentitySource: []string{"$request.header.Authorization", "$request.querystring.p2"}}}, variables)
		require.JSONEq(t, `{"version":"1.0",`+strings.NewReplacer("%s", `"identitySource":"Bearer abc,<v>","authorizationToken":"Bearer abc,<v>",`, "%c", `"clientCert":null,`, "%d", "", "ID\"}", "a b\"}", "RES", "GET /orders/{id}", "XID", "RID", "\"path\":\"/orders/a%20b\",\"accountId\"", "\"path\":\"/orders/a b\",\"accountId\"", `"Host":[`, `"Content-Length":["0"],"Host":[`, `"Host":`, `"Content-Length":"0","Host":`).Replace(rest), got)

		got = send(testAPI, auth.LambdaConfig{}, variables)
		require.JSONEq(t, `{"version":"2.0","type":"REQUEST","routeArn":"`+arn+`","identitySource":["Bearer abc"],"routeKey":"GET /orders/{id}","rawPath":"/prod/orders/a b","rawQueryString":"p1=v1&p1=v2&p2=%3Cv%3E","cookies":["c1=1","c2=2"],`+
			`"headers":{"authorization":"Bearer abc","content-length":"0","host":"q9.example.com","user-agent":"curl/8","x-amzn-trace-id":"TRACE","x-color":"red,blue","x-forwarded-for":"192.0.2.9","x-forwarded-port":"80","x-forwarded-proto":"http"},"queryStringParameters":{"p1":"v1,v2","p2":"<v>"},`+
			`"requestContext":{"accountId":"111122223333","apiId":"abc123","domainName":"q9.example.com","domainPrefix":"q9","http":{"method":"GET","path":"/prod/orders/a b","protocol":"HTTP/1.1","sourceIp":"192.0.2.9","userAgent":"curl/8"},`+
			`"requestId":"RID","routeKey":"GET /orders/{id}","stage":"prod","time":"01/Jan/2000:00:00:00 +0000","timeEpoch":946684800000},"pathParameters":{"id":"a b"},"stageVariables":{"color":"blue"}}`, got)
		var v2 events.APIGatewayV2CustomAuthorizerV2Request
		require.NoError(t, json.Unmarshal([]byte(got), &v2))
		require.Equal(t, "GET", v2.RequestContext.HTTP.Method)
		require.Equal(t, []string{"c1=1", "c2=2"}, v2.Cookies)

		got = send(flavored(gatekit.WebSocket), auth.LambdaConfig{}, func(_ *http.Request, rc *gatekit.RequestContext) {
			rc.Route, rc.Connection = &gatekit.Route{Key: "$connect"}, &gatekit.Connection{ID: "L0SM9cOFvHcCIhw="}
		})
		require.JSONEq(t, `{"type":"REQUEST","methodArn":"`+testARN+`$connect",`+strings.NewReplacer(`"Host":[`, `"Content-Length":["0"],"Host":[`, `"Host":"`, `"Content-Length":"0","Host":"`).Replace(headers)+`"stageVariables":{},"requestContext":{"routeKey":"$connect","eventType":"CONNECT","extendedRequestId":"RID","requestTime":"01/Jan/2000:00:00:00 +0000",`+
			`"messageDirection":"IN","stage":"prod","connectedAt":946684800000,"requestTimeEpoch":946684800000,"identity":{"sourceIp":"192.0.2.9","userAgent":"curl/8"},"requestId":"RID","domainName":"q9.example.com","connectionId":"L0SM9cOFvHcCIhw=","apiId":"abc123"}}`,
			strings.ReplaceAll(got, "XID", "RID"))
	})
}

func resourceID(t *testing.T, event string) string {
	var e struct {
		RequestContext struct{ ResourceID string }
	}
	require.NoError(t, json.Unmarshal([]byte(event), &e))
	require.Len(t, e.RequestContext.ResourceID, 6)
	return e.RequestContext.ResourceID
}

func TestLambdaBodyDigest(t *testing.T) {
	f := &answering{text: `{"isAuthorized":true}`}
	l := newLambda(t, f, auth.LambdaConfig{EnableSimpleResponses: true, BodyDigestBytes: 8})
	send := func(body string, size int64) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.ContentLength = size
		r.Header.Set("Authorization", "t")
		w := httptest.NewRecorder()
		auth.Require(l)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got := make([]byte, 100)
			n, _ := r.Body.Read(got)
			_, _ = w.Write(got[:n])
		})).ServeHTTP(w, r)
		return w
	}
	require.Equal(t, `{"a":1}`, send(`{"a":1}`, 7).Body.String(), "the handler reads what was read")
	require.Contains(t, *f.event.Load(), `"bodySha256":"015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"`)
	require.Equal(t, `{"a":1}`, send(`{"a":1}`, -1).Body.String())
	require.EqualValues(t, 1, f.calls.Load())
	require.Equal(t, 200, send(`{"a":2}`, 7).Code)
	require.EqualValues(t, 2, f.calls.Load(), "another body is another decision")
	require.Equal(t, 413, send("123456789", 9).Code)
	require.Equal(t, 413, send("123456789", -1).Code)
	require.Equal(t, 400, send("1234", 8).Code, "cut off")
}

func TestLambdaGoHandlers(t *testing.T) {
	token := lambda.NewHandler(func(_ context.Context, e events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		if e.AuthorizationToken != "allow" {
			return events.APIGatewayCustomAuthorizerResponse{}, errors.New("Unauthorized") // the text that the gateway knows
		}
		return events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "user", UsageIdentifierKey: "key", Context: map[string]any{"level": 1},
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Version: "2012-10-17", Statement: []events.IAMPolicyStatement{
				{Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{e.MethodArn}},
			}},
		}, nil
	})
	mw := behind(t, flavored(gatekit.REST), newLambda(t, token, auth.LambdaConfig{Type: "TOKEN"}))
	require.Equal(t, `["user",{"level":1},"key"]`, serve(mw, request("GET", "/pets", "allow")).Body.String())
	require.Equal(t, noIdentityPolicy, serve(mw, request("GET", "/pets/1", "allow")).Body.String(), "the classic: the policy is cached, and names one method")
	require.Equal(t, unauthorized, serve(mw, request("GET", "/pets", "deny")).Body.String())

	simple := lambda.NewHandler(func(e events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: e.IdentitySource[0] == "allow", Context: map[string]any{"nested": map[string]any{"a": 1}}}, nil
	})
	mw = behind(t, testAPI, newLambda(t, simple, auth.LambdaConfig{EnableSimpleResponses: true}))
	require.Equal(t, `["",{"nested":{"a":1}},""]`, serve(mw, request("GET", "/pets", "allow")).Body.String())
	require.Equal(t, 403, serve(mw, request("GET", "/pets", "deny")).Code)
}

func TestLambdaConfig(t *testing.T) {
	hour, more, less := time.Hour, time.Hour+time.Second, -time.Second
	_, err := auth.NewLambda(&answering{}, auth.LambdaConfig{Type: "TOKEN", IdentityValidationExpression: "^Bearer .*$", CacheConfig: auth.CacheConfig{TTL: hour}})
	require.NoError(t, err)
	for want, c := range map[string]auth.LambdaConfig{
		"LambdaConfig.Type: want REQUEST or TOKEN":                             {Type: "token"},
		"LambdaConfig.PayloadFormatVersion: want 1.0 or 2.0":                   {PayloadFormatVersion: "3.0"},
		"EnableSimpleResponses: want PayloadFormatVersion 2.0":                 {PayloadFormatVersion: "1.0", EnableSimpleResponses: true},
		"TTL: want Off, or 0s to 1h0m0s, got 1h0m1s":                           {CacheConfig: auth.CacheConfig{TTL: more}},
		"NegativeTTL: want Off, or 0s to 1h0m0s, got -1s":                      {CacheConfig: auth.CacheConfig{NegativeTTL: less}},
		"TTL: want Off, or 0s to 1h0m0s, got -1s":                              {CacheConfig: auth.CacheConfig{TTL: less}},
		"StaleIfError: want":                                                   {CacheConfig: auth.CacheConfig{StaleIfError: more}},
		"MaxEntries: want":                                                     {CacheConfig: auth.CacheConfig{MaxEntries: -1}},
		"Timeout: want 0s to 30s":                                              {CacheConfig: auth.CacheConfig{Timeout: time.Minute}},
		"IdentitySource[1]: want $request.header.NAME":                         {CacheConfig: auth.CacheConfig{IdentitySource: []string{"$context.stage", "$request.path.id"}}},
		"IdentitySource[0]: want $request.header.NAME":                         {CacheConfig: auth.CacheConfig{IdentitySource: []string{"$context.requestId"}}},
		"want each once":                                                       {CacheConfig: auth.CacheConfig{IdentitySource: []string{"$request.header.a", "method.request.header.A"}}},
		"want one header for a TOKEN authorizer":                               {Type: "TOKEN", CacheConfig: auth.CacheConfig{IdentitySource: []string{"$request.querystring.a"}}},
		"IdentityValidationExpression: want Type TOKEN":                        {IdentityValidationExpression: "a"},
		"without look-around, back-references":                                 {Type: "TOKEN", IdentityValidationExpression: "(?=a)"},
		"want a regular expression":                                            {Type: "TOKEN", IdentityValidationExpression: "a)(b"},
		"BodyDigestBytes: want 0 to 10485760":                                  {BodyDigestBytes: -1},
		"want REQUEST with PayloadFormatVersion, EnableSimpleResponses or Bod": {Type: "TOKEN", BodyDigestBytes: 1},
	} {
		_, err := auth.NewLambda(&answering{}, c)
		require.ErrorContains(t, err, want)
	}
	_, err = auth.NewLambda(nil, auth.LambdaConfig{Type: "x"})
	require.ErrorContains(t, err, "want an Invoker")
	require.ErrorContains(t, err, "LambdaConfig.Type")
	_, err = auth.NewCustom(nil, auth.CacheConfig{MaxEntries: -1})
	require.ErrorContains(t, err, "want a function")
	require.ErrorContains(t, err, "auth: CacheConfig.MaxEntries")
}

func TestCustom(t *testing.T) {
	calls := 0
	c, err := auth.NewCustom(func(r *http.Request) (*policy.Verdict, error) {
		calls++
		switch r.Header.Get("Authorization") {
		case "none":
			return nil, auth.ErrNoCredentials
		case "fault":
			return nil, errors.New("broken")
		case "nil":
			return nil, nil
		case "panic":
			panic("secret")
		case "policy":
			return &policy.Verdict{Principal: "p", Allow: true, Policy: gatekit.Must(policy.Parse(`{"Statement":` + statement("Allow", testARN+"GET/pets") + `}`))}, nil
		}
		return &policy.Verdict{Principal: "u", Allow: r.Header.Get("Authorization") == "yes", Scopes: []string{"s"}, Context: map[string]any{"k": "v"}, UsageKey: "key"}, nil
	}, auth.CacheConfig{})
	require.NoError(t, err)
	mw := behind(t, testAPI, c)
	for token, want := range map[string]int{"": 401, "none": 401, "fault": 500, "nil": 500, "panic": 500, "policy": 200, "yes": 200, "no": 403} {
		require.Equal(t, want, serve(mw, request("GET", "/pets", token)).Code, token)
	}
	require.Equal(t, 7, calls)
	require.Equal(t, `["u",{"k":"v"},"key"]`, serve(mw, request("GET", "/pets", "yes")).Body.String())
	require.Equal(t, 403, serve(mw, request("GET", "/other", "policy")).Code, "the policy counts, and is evaluated anew")
	require.Equal(t, 7, calls)
	require.Equal(t, 200, serve(auth.Require(c, "s"), request("GET", "/", "yes")).Code)
	require.Equal(t, 403, serve(auth.Require(c, "t"), request("GET", "/", "yes")).Code)
	require.Equal(t, 200, serve(c.Middleware, request("GET", "/", "yes")).Code)
}

// $context.identity.apiKey is the key that the request carries: no usage plan has looked at it before the authorizers. A request
// without one lacks an identity source.
func TestLambdaAPIKeyAsAnIdentitySource(t *testing.T) {
	f := &answering{text: allowAll}
	l := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{IdentitySource: []string{"context.identity.apiKey"}}})
	mw := behind(t, flavored(gatekit.REST), l)
	ask := func(keys ...string) int {
		r := request("GET", "/", "")
		r.Header["X-Api-Key"] = keys
		return serve(mw, r).Code
	}
	require.Equal(t, 401, ask())
	require.Equal(t, 401, ask("a", "a"))
	require.Zero(t, f.calls.Load())
	require.Equal(t, 200, ask("a"))
	require.Equal(t, 200, ask("a"))
	require.Equal(t, 200, ask("b"))
	require.EqualValues(t, 2, f.calls.Load(), "a decision a key")
}
