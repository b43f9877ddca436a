package integration_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/route/integration"
)

// eventFor returns the event that the function of a route gets, as text. prepare stands for the
// stations before it.
func eventFor(t *testing.T, flavor gatekit.Flavor, stage string, c integration.LambdaConfig, key string, r *http.Request, prepare func(*gatekit.RequestContext, *http.Request)) string {
	t.Helper()
	h := gatekit.Must(integration.NewLambda(returns("{}"), c))
	var got []byte
	api := apiOf(flavor, stage, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if prepare != nil {
			prepare(gatekit.From(r.Context()), r)
		}
		var err error
		got, err = h.Event(r)
		require.NoError(t, err)
	}), key)
	w := serve(api, r)
	require.Equal(t, 200, w.Code, w.Body)
	require.True(t, json.Valid(got), "%s", got)
	return string(got)
}

// format is one of the three.
type format struct {
	name   string
	flavor gatekit.Flavor
	config integration.LambdaConfig
}

var formats = []format{
	{"v2", gatekit.HTTP, integration.LambdaConfig{}},
	{"v1", gatekit.HTTP, integration.LambdaConfig{PayloadFormatVersion: "1.0"}},
	{"rest", gatekit.REST, integration.LambdaConfig{BinaryMediaTypes: []string{"image/*", "application/octet-stream"}}},
}

var requestTime = time.Date(2020, 3, 12, 19, 3, 58, 390e6, time.UTC)

const (
	root      = "Root=1-5759e988-bd862e3fe1be46a994272793"
	shortID   = "JKJaXmPLvHcESHA="
	requestID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
)

// full is a request that has a bit of everything.
func full(target string) *http.Request {
	r := httptest.NewRequest("POST", target, strings.NewReader(`{"a":"é"}`))
	r.Host = "api.example.com:8443"
	r.RemoteAddr = "192.0.2.1:4711"
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "X-Probe": {"first", "second"}, "Cookie": {"session=abc123; theme=dark", "last=1"}, "User-Agent": {"agent"},
		"X-Amzn-Trace-Id": {root}, "X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"spoofed"}, "Connection": {"X-Gone"}, "X-Gone": {"1"}, "Te": {"trailers"},
		"Upgrade": {"h2c"}, "Content-Length": {"999"}, "Expect": {"100-continue"}, "Via": {"1.1 v"},
	}
	return r
}

func fixed(rc *gatekit.RequestContext, _ *http.Request) {
	rc.Time = requestTime
	rc.API.Variables = map[string]string{"k": "v", "a": "<&>"}
	if rc.API.Flavor == gatekit.REST {
		rc.SetRequestID(requestID, shortID)
	} else {
		rc.SetRequestID(shortID, "")
	}
}

// Payload 2.0, complete: every field of a request that has all of them.
func TestEventV2(t *testing.T) {
	got := eventFor(t, gatekit.HTTP, "$default", integration.LambdaConfig{}, "ANY /{a}/{b}/hello", full("/x%20y/%E2%98%95/hello?repeat=one&repeat=two&r=https%3A%2F%2Fexample.com&p=a+b%2Bc&e=&bad=%zz"), fixed)
	require.JSONEq(t, `{
  "version": "2.0", "routeKey": "ANY /{a}/{b}/hello", "rawPath": "/x y/☕/hello",
  "rawQueryString": "repeat=one&repeat=two&r=https%3A%2F%2Fexample.com&p=a+b%2Bc&e=&bad=%zz",
  "cookies": ["session=abc123", "theme=dark", "last=1"],
  "headers": {"content-length": "10", "content-type": "application/json", "expect": "100-continue", "host": "api.example.com:8443", "user-agent": "agent", "via": "1.1 v",
    "x-amzn-trace-id": "`+root+`", "x-forwarded-for": "203.0.113.9, 192.0.2.1", "x-forwarded-port": "8443", "x-forwarded-proto": "http", "x-probe": "first,second"},
  "queryStringParameters": {"repeat": "one,two", "r": "https://example.com", "p": "a b+c", "e": "", "bad": "%zz"},
  "requestContext": {
    "accountId": "123456789012", "apiId": "a1b2c3d4e5", "domainName": "api.example.com", "domainPrefix": "api",
    "http": {"method": "POST", "path": "/x y/☕/hello", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "agent"},
    "requestId": "JKJaXmPLvHcESHA=", "routeKey": "ANY /{a}/{b}/hello", "stage": "$default", "time": "12/Mar/2020:19:03:58 +0000", "timeEpoch": 1584039838390
  },
  "body": "{\"a\":\"é\"}", "pathParameters": {"a": "x y", "b": "☕"}, "isBase64Encoded": false, "stageVariables": {"a": "<&>", "k": "v"}
}`, got)
	lossless[events.APIGatewayV2HTTPRequest](t, got)
	require.True(t, strings.HasPrefix(got, `{"version":"2.0","routeKey":"ANY /{a}/{b}/hello","rawPath":"/x y/☕/hello","rawQueryString":`), "the guide's order")
}

// Members without content are left out.
func TestEmptyEventV2(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	got := decoded(t, eventFor(t, gatekit.HTTP, "", integration.LambdaConfig{}, "GET /", r, nil))
	for _, absent := range []string{"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"} {
		require.NotContains(t, got, absent)
	}
	c := got["requestContext"].(map[string]any)
	require.NotContains(t, c, "authorizer")
	require.NotContains(t, c, "authentication")
	require.Equal(t, "", got["rawQueryString"])
	require.Equal(t, "$default", c["stage"])
	require.Equal(t, "", c["http"].(map[string]any)["userAgent"])
	require.Equal(t, false, got["isBase64Encoded"])
	h := got["headers"].(map[string]any)
	require.Equal(t, "0", h["content-length"], "recorded, of a request without a body")
	require.Regexp(t, `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`, h["x-amzn-trace-id"])
	require.Equal(t, "192.0.2.1", h["x-forwarded-for"])
	require.Equal(t, "80", h["x-forwarded-port"])
}

// Payload 1.0 of HTTP APIs, complete.
func TestEventV1(t *testing.T) {
	got := eventFor(t, gatekit.HTTP, "prod", integration.LambdaConfig{PayloadFormatVersion: "1.0"}, "POST /users/{id}", full("/users/x%20y?q=1&q=2+3"), fixed)
	require.JSONEq(t, `{
  "version": "1.0", "resource": "/users/{id}", "path": "/users/x%20y", "httpMethod": "POST",
  "headers": {"Content-Length": "10", "Content-Type": "application/json", "Cookie": "last=1", "Expect": "100-continue", "Host": "api.example.com:8443", "User-Agent": "agent", "Via": "1.1 v",
    "X-Amzn-Trace-Id": "`+root+`", "X-Forwarded-For": "203.0.113.9, 192.0.2.1", "X-Forwarded-Port": "8443", "X-Forwarded-Proto": "http", "X-Probe": "second"},
  "multiValueHeaders": {"Content-Length": ["10"], "Content-Type": ["application/json"], "Cookie": ["session=abc123; theme=dark", "last=1"], "Expect": ["100-continue"],
    "Host": ["api.example.com:8443"], "User-Agent": ["agent"], "Via": ["1.1 v"], "X-Amzn-Trace-Id": ["`+root+`"], "X-Forwarded-For": ["203.0.113.9, 192.0.2.1"],
    "X-Forwarded-Port": ["8443"], "X-Forwarded-Proto": ["http"], "X-Probe": ["first", "second"]},
  "queryStringParameters": {"q": "2 3"}, "multiValueQueryStringParameters": {"q": ["1", "2 3"]},
  "pathParameters": {"id": "x y"}, "stageVariables": {"a": "<&>", "k": "v"},
  "requestContext": {
    "accountId": "123456789012", "apiId": "a1b2c3d4e5", "authorizer": null, "domainName": "api.example.com", "domainPrefix": "api",
    "extendedRequestId": "JKJaXmPLvHcESHA=", "httpMethod": "POST",
    "identity": {"accessKey": null, "accountId": null, "caller": null, "clientCert": null, "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null,
      "cognitoIdentityId": null, "cognitoIdentityPoolId": null, "principalOrgId": null, "sourceIp": "192.0.2.1", "user": null, "userAgent": "agent", "userArn": null},
    "path": "/users/x y", "protocol": "HTTP/1.1", "requestId": "JKJaXmPLvHcESHA=", "requestTime": "12/Mar/2020:19:03:58 +0000", "requestTimeEpoch": 1584039838390,
    "resourceId": "POST /users/{id}", "resourcePath": "/users/{id}", "stage": "prod"
  },
  "body": "{\"a\":\"é\"}", "isBase64Encoded": false
}`, got)
	lossless[events.APIGatewayProxyRequest](t, got, "/version", "/requestContext/identity/principalOrgId")
}

// The proxy event of REST APIs, complete.
func TestEventREST(t *testing.T) {
	r := full("/users/x%20y?q=1&q=2+3")
	got := eventFor(t, gatekit.REST, "prod", integration.LambdaConfig{}, "POST /users/{id}", r, func(rc *gatekit.RequestContext, r *http.Request) {
		fixed(rc, r)
		rc.Path = requestpath.New("/prod/users/x%20y", r.URL)
		rc.SetAPIKey("the-key", "the-id")
	})
	require.JSONEq(t, `{
  "resource": "/users/{id}", "path": "/users/x%20y", "httpMethod": "POST",
  "headers": {"Content-Type": "application/json", "Cookie": "last=1", "Host": "api.example.com:8443", "User-Agent": "agent", "Via": "1.1 v",
    "X-Amzn-Trace-Id": "TRACE", "X-Forwarded-For": "203.0.113.9, 192.0.2.1", "X-Forwarded-Port": "8443", "X-Forwarded-Proto": "http", "X-Probe": "second"},
  "multiValueHeaders": {"Content-Type": ["application/json"], "Cookie": ["session=abc123; theme=dark", "last=1"],
    "Host": ["api.example.com:8443"], "User-Agent": ["agent"], "Via": ["1.1 v"], "X-Amzn-Trace-Id": ["TRACE"], "X-Forwarded-For": ["203.0.113.9, 192.0.2.1"],
    "X-Forwarded-Port": ["8443"], "X-Forwarded-Proto": ["http"], "X-Probe": ["first", "second"]},
  "queryStringParameters": {"q": "2 3"}, "multiValueQueryStringParameters": {"q": ["1", "2 3"]},
  "pathParameters": {"id": "x%20y"}, "stageVariables": {"a": "<&>", "k": "v"},
  "requestContext": {
    "accountId": "123456789012", "apiId": "a1b2c3d4e5", "deploymentId": "DEPLOYMENT", "domainName": "api.example.com", "domainPrefix": "api",
    "extendedRequestId": "JKJaXmPLvHcESHA=", "httpMethod": "POST",
    "identity": {"accessKey": null, "accountId": null, "apiKey": "the-key", "apiKeyId": "the-id", "caller": null, "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null,
      "cognitoIdentityId": null, "cognitoIdentityPoolId": null, "principalOrgId": null, "sourceIp": "192.0.2.1", "user": null, "userAgent": "agent", "userArn": null},
    "path": "/prod/users/x%20y", "protocol": "HTTP/1.1", "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "requestTime": "12/Mar/2020:19:03:58 +0000", "requestTimeEpoch": 1584039838390,
    "resourceId": "RESOURCE", "resourcePath": "/users/{id}", "stage": "prod"
  },
  "body": "{\"a\":\"é\"}", "isBase64Encoded": false
}`, blank(t, got))
	lossless[events.APIGatewayProxyRequest](t, got, "/requestContext/deploymentId", "/requestContext/identity/principalOrgId")
}

// blank replaces what differs from run to run, after a check of its form.
func blank(t *testing.T, text string) string {
	m := decoded(t, text)
	trace := m["headers"].(map[string]any)["X-Amzn-Trace-Id"].(string)
	require.Regexp(t, `^`+root+`;Parent=[0-9a-f]{16};Sampled=0$`, trace)
	c := m["requestContext"].(map[string]any)
	require.Regexp(t, `^[a-z0-9]{6}$`, c["deploymentId"])
	require.Regexp(t, `^[a-z0-9]{6}$`, c["resourceId"])
	return strings.NewReplacer(trace, "TRACE", fmt.Sprintf("%q", c["deploymentId"]), `"DEPLOYMENT"`, fmt.Sprintf("%q", c["resourceId"]), `"RESOURCE"`).Replace(text)
}

// Without anything to tell, REST's maps are null.
func TestEmptyEventREST(t *testing.T) {
	got := decoded(t, eventFor(t, gatekit.REST, "prod", integration.LambdaConfig{}, "GET /", httptest.NewRequest("GET", "/", nil), nil))
	for _, null := range []string{"queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body"} {
		require.Contains(t, got, null)
		require.Nil(t, got[null], null)
	}
	c := got["requestContext"].(map[string]any)
	require.NotContains(t, c, "authorizer")
	identity := c["identity"].(map[string]any)
	for _, absent := range []string{"apiKey", "apiKeyId", "clientCert"} {
		require.NotContains(t, identity, absent)
	}
	require.Nil(t, identity["userAgent"])
	require.NotContains(t, got["headers"], "Content-Length")
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &m))
	return m
}

// lossless shows that T takes over everything that the event tells: what isn't null comes back when
// it is written again. but are JSON pointers to what the library has no field for.
func lossless[T any](t *testing.T, text string, but ...string) {
	t.Helper()
	var e T
	d := json.NewDecoder(strings.NewReader(text))
	if len(but) == 0 {
		d.DisallowUnknownFields()
	}
	require.NoError(t, d.Decode(&e))
	again, err := json.Marshal(e)
	require.NoError(t, err)
	want, got := map[string]any{}, map[string]any{}
	flatten(want, "", decoded(t, text))
	flatten(got, "", decoded(t, string(again)))
	for _, pointer := range but {
		delete(want, pointer)
	}
	for pointer, value := range want {
		if value == false { // omitempty leaves it out
			continue
		}
		require.Equal(t, value, got[pointer], pointer)
	}
}

func flatten(into map[string]any, at string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for name, member := range v {
			flatten(into, at+"/"+name, member)
		}
	case []any:
		for i, element := range v {
			flatten(into, fmt.Sprintf("%s/%d", at, i), element)
		}
	default:
		into[at] = v
	}
}

func claimsOf(fields gatekit.AuthorizationFields) *gatekit.Authorization {
	fields.RawClaims = []byte(`{"sub":"u7","aud":["a","b"],"exp":1680633579,"ok":true,"no":null,"cognito:groups":["x","y"]}`)
	return gatekit.NewAuthorization(fields)
}

// What each kind of authorizer learned, in each format.
func TestEventAuthorizers(t *testing.T) {
	caller := &gatekit.IAMCaller{
		AccessKey: "ASIA1", AccountID: "123456789012", CallerID: "AROA1:s", UserID: "AROA1:s", UserARN: "arn:aws:sts::123456789012:assumed-role/r/s", PrincipalOrgID: "o-1",
	}
	federated := *caller
	federated.CognitoIdentityID, federated.CognitoIdentityPoolID = "eu-west-1:id", "eu-west-1:pool"
	federated.CognitoAuthenticationType, federated.CognitoAuthenticationProvider = "authenticated", "p1,p2"
	jwt := claimsOf(gatekit.AuthorizationFields{Principal: "u7", Scopes: []string{"r", "w"}})
	lambda := gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "p", Context: map[string]any{"s": "<x>", "n": json.Number("1"), "f": 1.5, "b": true, "z": nil}})
	nested := gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "p", Context: map[string]any{"l": []any{"a"}, "m": map[string]any{"k": "v"}}})
	iam := gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: caller.UserARN, Caller: caller})
	const claims = `{"sub":"u7","aud":"[a b]","exp":"1680633579","ok":"true","cognito:groups":"[x y]"}`
	const cognito = `{"sub":"u7","aud":"a,b","exp":"Tue Apr 04 18:39:39 UTC 2023","ok":"true","cognito:groups":"x,y"}`
	for _, tt := range []struct {
		name         string
		a            *gatekit.Authorization
		scopes       []string
		v2, v1, rest string // "" where the member isn't there
	}{
		{"none", nil, nil, ``, `null`, ``},
		{"optional", gatekit.NewAuthorization(gatekit.AuthorizationFields{}), nil, ``, `null`, ``},
		{"jwt", jwt, nil, `{"jwt":{"claims":` + claims + `,"scopes":null}}`, `{"claims":` + claims + `,"scopes":null}`, `{"claims":` + claims + `}`},
		{"jwt-scoped", jwt, []string{"r"}, `{"jwt":{"claims":` + claims + `,"scopes":["r","w"]}}`, `{"claims":` + claims + `,"scopes":["r","w"]}`, `{"claims":` + claims + `}`},
		{"cognito", claimsOf(gatekit.AuthorizationFields{CognitoClaims: true}), nil, `{"jwt":{"claims":` + cognito + `,"scopes":null}}`, `{"claims":` + cognito + `,"scopes":null}`, `{"claims":` + cognito + `}`},
		{"lambda", lambda, nil, `{"lambda":{"s":"<x>","n":1,"f":1.5,"b":true,"z":null}}`, `{"principalId":"p","s":"<x>","n":1,"f":1.5,"b":true,"z":null}`,
			`{"principalId":"p","integrationLatency":0,"s":"<x>","n":"1","f":"1.5","b":"true","z":null}`},
		{"lambda-nested", nested, nil, `{"lambda":{"l":["a"],"m":{"k":"v"}}}`, `{"principalId":"p","l":["a"],"m":{"k":"v"}}`, `{"principalId":"p","integrationLatency":0,"l":"[\"a\"]","m":"{\"k\":\"v\"}"}`},
		{"lambda-without-context", gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "p"}), nil, `{"lambda":null}`, `{"principalId":"p"}`, `{"principalId":"p","integrationLatency":0}`},
		{"lambda-without-anything", gatekit.NewAuthorization(gatekit.AuthorizationFields{Context: map[string]any{}}), nil, `{"lambda":null}`, `{"principalId":""}`, `{"principalId":"","integrationLatency":0}`},
		{"lambda-reserved", gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "p", Context: map[string]any{"claims": "x", "principalId": "other", "integrationLatency": "y"}}), nil,
			`{"lambda":{"claims":"x","principalId":"other","integrationLatency":"y"}}`, `{"principalId":"p"}`, `{"principalId":"p","integrationLatency":0}`},
		{"iam", iam, nil, `{"iam":{"accessKey":"ASIA1","accountId":"123456789012","callerId":"AROA1:s","cognitoIdentity":null,"principalOrgId":"o-1","userArn":"arn:aws:sts::123456789012:assumed-role/r/s","userId":"AROA1:s"}}`, `null`, ``},
		{"iam-cognito", gatekit.NewAuthorization(gatekit.AuthorizationFields{Caller: &federated}), nil,
			`{"iam":{"accessKey":"ASIA1","accountId":"123456789012","callerId":"AROA1:s","cognitoIdentity":{"amr":["authenticated","p1","p2"],"identityId":"eu-west-1:id","identityPoolId":"eu-west-1:pool"},"principalOrgId":"o-1","userArn":"arn:aws:sts::123456789012:assumed-role/r/s","userId":"AROA1:s"}}`, `null`, ``},
		{"all", jwt.With(lambda, iam, jwt), nil, `{"jwt":{"claims":` + claims + `,"scopes":null},"lambda":{"s":"<x>","n":1,"f":1.5,"b":true,"z":null},"iam":{"accessKey":"ASIA1","accountId":"123456789012","callerId":"AROA1:s","cognitoIdentity":null,"principalOrgId":"o-1","userArn":"arn:aws:sts::123456789012:assumed-role/r/s","userId":"AROA1:s"}}`,
			`{"claims":` + claims + `,"scopes":null}`, `{"claims":` + claims + `}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			admit := func(rc *gatekit.RequestContext, _ *http.Request) {
				rc.Authorization = tt.a
				rc.SetAuthorizationScopes(&tt.scopes)
			}
			for format, want := range map[string]string{"2.0": tt.v2, "1.0": tt.v1, "": tt.rest} {
				flavor := gatekit.HTTP
				if format == "" {
					flavor = gatekit.REST
				}
				got := eventFor(t, flavor, "s", integration.LambdaConfig{PayloadFormatVersion: format}, "GET /", httptest.NewRequest("GET", "/", nil), admit)
				var e struct {
					RequestContext struct {
						Authorizer json.RawMessage `json:"authorizer"`
						Identity   map[string]any  `json:"identity"`
					} `json:"requestContext"`
				}
				require.NoError(t, json.Unmarshal([]byte(got), &e))
				if want == "" {
					require.Empty(t, e.RequestContext.Authorizer, format)
				} else {
					require.JSONEq(t, want, string(e.RequestContext.Authorizer), format)
				}
				if format != "2.0" && strings.HasPrefix(tt.name, "iam") {
					require.Equal(t, "ASIA1", e.RequestContext.Identity["accessKey"])
					require.Equal(t, "AROA1:s", e.RequestContext.Identity["caller"])
					require.Equal(t, "AROA1:s", e.RequestContext.Identity["user"])
					require.Equal(t, caller.UserARN, e.RequestContext.Identity["userArn"])
					require.Equal(t, "o-1", e.RequestContext.Identity["principalOrgId"])
					require.Equal(t, "123456789012", e.RequestContext.Identity["accountId"])
				}
				if format == "2.0" {
					if tt.name != "lambda" { // null in a context comes back as null
						lossless[events.APIGatewayV2HTTPRequest](t, got)
					}
				} else {
					lossless[events.APIGatewayProxyRequest](t, got, "/version", "/requestContext/deploymentId", "/requestContext/identity/principalOrgId")
				}
			}
		})
	}
}

func certificate(t *testing.T) *x509.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0xa1b2), Subject: pkix.Name{CommonName: "client.example.com"},
		NotBefore: time.Date(2019, 5, 28, 12, 30, 2, 0, time.UTC), NotAfter: time.Date(2039, 8, 5, 9, 36, 4, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func TestEventClientCert(t *testing.T) {
	cert := certificate(t)
	show := func(rc *gatekit.RequestContext, _ *http.Request) { rc.SetClientCert(cert) }
	check := func(got any) {
		m := got.(map[string]any)
		require.Contains(t, m["clientCertPem"], "-----BEGIN CERTIFICATE-----\n")
		require.Equal(t, "CN=client.example.com", m["subjectDN"])
		require.Equal(t, "CN=client.example.com", m["issuerDN"])
		require.Equal(t, "41394", m["serialNumber"])
		require.Equal(t, map[string]any{"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2039 GMT"}, m["validity"])
	}
	v2 := eventFor(t, gatekit.HTTP, "", integration.LambdaConfig{}, "GET /", httptest.NewRequest("GET", "/", nil), show)
	check(decoded(t, v2)["requestContext"].(map[string]any)["authentication"].(map[string]any)["clientCert"])
	lossless[events.APIGatewayV2HTTPRequest](t, v2)
	v1 := eventFor(t, gatekit.HTTP, "", integration.LambdaConfig{PayloadFormatVersion: "1.0"}, "GET /", httptest.NewRequest("GET", "/", nil), show)
	rest := eventFor(t, gatekit.REST, "", integration.LambdaConfig{}, "GET /", httptest.NewRequest("GET", "/", nil), show)
	for _, text := range []string{v1, rest} {
		check(decoded(t, text)["requestContext"].(map[string]any)["identity"].(map[string]any)["clientCert"])
		lossless[events.APIGatewayProxyRequest](t, text, "/version", "/requestContext/deploymentId", "/requestContext/identity/principalOrgId")
	}
}

// When bodies are base64: the table of HTTP APIs, and REST's list.
func TestEventBase64(t *testing.T) {
	post := func(contentType string) *http.Request {
		r := httptest.NewRequest("POST", "/", strings.NewReader("a=1&b=é"))
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		return r
	}
	for contentType, want := range map[string]bool{
		"text/plain": false, "TEXT/HTML; charset=utf-8": false, "text/x-anything": false, "application/json": false, "Application/JSON;x=y": false,
		"application/xml": false, "application/javascript": false, "application/octet-stream": true, "image/png": true, "multipart/form-data; boundary=x": true,
		"application/x-www-form-urlencoded": true, "application/problem+json": true, "": true, "text": true, ";": true,
	} {
		for _, format := range []string{"1.0", "2.0"} {
			m := decoded(t, eventFor(t, gatekit.HTTP, "", integration.LambdaConfig{PayloadFormatVersion: format}, "POST /", post(contentType), nil))
			require.Equal(t, want, m["isBase64Encoded"], contentType)
			require.Equal(t, map[bool]string{false: "a=1&b=é", true: "YT0xJmI9w6k="}[want], m["body"], contentType)
		}
	}
	for _, tt := range []struct {
		types       string
		contentType string
		want        bool
	}{
		{"", "image/png", false}, {"image/png", "image/png; q=1", true}, {"image/png", "IMAGE/PNG", true}, {"image/*", "image/gif", true}, {"image/*", "text/plain", false},
		{"*/*", "text/plain", true}, {"*/*", "", true}, {"image/png", "", false},
	} {
		c := integration.LambdaConfig{}
		if tt.types != "" {
			c.BinaryMediaTypes = []string{tt.types}
		}
		m := decoded(t, eventFor(t, gatekit.REST, "", c, "POST /", post(tt.contentType), nil))
		require.Equal(t, tt.want, m["isBase64Encoded"], tt)
	}
	empty := httptest.NewRequest("POST", "/", strings.NewReader(""))
	require.Equal(t, false, decoded(t, eventFor(t, gatekit.HTTP, "", integration.LambdaConfig{}, "POST /", empty, nil))["isBase64Encoded"])
	odd := httptest.NewRequest("POST", "/", strings.NewReader("a\xffb\x00"))
	odd.Header.Set("Content-Type", "text/plain")
	require.Equal(t, "a\ufffdb\x00", decoded(t, eventFor(t, gatekit.HTTP, "", integration.LambdaConfig{}, "POST /", odd, nil))["body"])
}

// Which path the function sees, by format, stage and base path.
func TestEventPaths(t *testing.T) {
	for _, tt := range []struct {
		name            string
		flavor          gatekit.Flavor
		format          string
		stage           string
		received        string // RequestPath
		base            string
		target          string // behind base path and stage
		path, inContext string
	}{
		{"v2-default", gatekit.HTTP, "2.0", "$default", "/p%20q", "", "/p%20q", "/p q", "/p q"},
		{"v2-stage", gatekit.HTTP, "2.0", "s", "/s/p", "", "/p", "/s/p", "/s/p"},
		{"v2-mapping", gatekit.HTTP, "2.0", "s", "/base/p", "base", "/p", "/s/p", "/s/p"},
		{"v2-mapping-default", gatekit.HTTP, "2.0", "$default", "/base/p", "base", "/p", "/p", "/p"},
		{"v2-encoded-slash", gatekit.HTTP, "2.0", "$default", "/a%2Fb", "", "/a%2Fb", "/a/b", "/a/b"},
		{"v1-stage", gatekit.HTTP, "1.0", "s", "/s/p%20q", "", "/p%20q", "/s/p%20q", "/s/p q"},
		{"v1-mapping", gatekit.HTTP, "1.0", "s", "/base/p", "base", "/p", "/base/p", "/base/p"},
		{"rest-stage", gatekit.REST, "", "s", "/s/p", "", "/p", "/p", "/s/p"},
		{"rest-no-base-stage-in-mapping", gatekit.REST, "", "s", "/p", "", "/p", "/p", "/p"},
		{"rest-base-no-stage", gatekit.REST, "", "s", "/base/s/p", "base", "/p", "/base/s/p", "/base/s/p"},
		{"rest-base-and-stage", gatekit.REST, "", "s", "/base/p", "base", "/p", "/base/p", "/base/p"},
		{"rest-escapes", gatekit.REST, "", "s", "/s/a%2Bb/", "", "/a%2Bb/", "/a%2Bb/", "/s/a%2Bb/"},
		{"rest-double-slash", gatekit.REST, "", "s", "/s//p", "", "//p", "/p", "/s//p"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			u, err := url.ParseRequestURI(tt.target)
			require.NoError(t, err)
			r.URL, r.RequestURI = &url.URL{Path: u.Path, RawPath: u.RawPath}, tt.target
			if strings.HasPrefix(tt.target, "//") {
				r.URL = &url.URL{Path: tt.target}
			}
			m := decoded(t, eventFor(t, tt.flavor, tt.stage, integration.LambdaConfig{PayloadFormatVersion: tt.format}, "GET /nothing", r, func(rc *gatekit.RequestContext, r *http.Request) {
				rc.Path = requestpath.New(tt.received, r.URL)
				rc.SetDomain(&gatekit.Domain{BasePath: tt.base})
			}))
			c := m["requestContext"].(map[string]any)
			if tt.format == "2.0" {
				require.Equal(t, tt.path, m["rawPath"])
				require.Equal(t, tt.inContext, c["http"].(map[string]any)["path"])
				return
			}
			require.Equal(t, tt.path, m["path"])
			require.Equal(t, tt.inContext, c["path"])
		})
	}
}

func TestEventPathParameters(t *testing.T) {
	for _, tt := range []struct {
		flavor      gatekit.Flavor
		key, target string
		want        map[string]any
	}{
		{gatekit.HTTP, "GET /f/{proxy+}", "/f/a/b%20c/", map[string]any{"proxy": "a/b c/"}},
		{gatekit.HTTP, "GET /f/{x}/{y}", "/f/a%2Fb/c", map[string]any{"x": "a/b", "y": "c"}},
		{gatekit.REST, "GET /f/{proxy+}", "/f/a%2Bb/c//d/", map[string]any{"proxy": "a%2Bb/c//d"}},
		{gatekit.REST, "GET /f/{x}/{y}", "/f/a%2Fb/c%2Bd/", map[string]any{"x": "a%2Fb", "y": "c%2Bd"}},
		{gatekit.REST, "GET /f/{x}", "/f/%C3%A9", map[string]any{"x": "%C3%A9"}},
	} {
		m := decoded(t, eventFor(t, tt.flavor, "s", integration.LambdaConfig{}, tt.key, httptest.NewRequest("GET", tt.target, nil), nil))
		require.Equal(t, tt.want, m["pathParameters"], tt.target)
	}
	// Under another router the values are all there is.
	h := gatekit.Must(integration.NewLambda(returns("{}"), integration.LambdaConfig{}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /f/{x}/{rest...}", func(_ http.ResponseWriter, r *http.Request) {
		r.SetPathValue("x", "changed value")
		rc, r := gatekit.Attach(r)
		rc.API = &gatekit.API{Flavor: gatekit.REST}
		payload, err := h.Event(r)
		require.NoError(t, err)
		require.Equal(t, map[string]any{"x": "changed%20value", "rest": "a/b"}, decoded(t, string(payload))["pathParameters"])
		require.Equal(t, "/f/{x}/{rest+}", decoded(t, string(payload))["resource"])
		require.Equal(t, "example.com", decoded(t, string(payload))["requestContext"].(map[string]any)["domainName"])
	})
	serve(mux, httptest.NewRequest("GET", "/f/1/a/b", nil))
}

// A signature isn't passed on; any other Authorization is.
func TestEventSignature(t *testing.T) {
	for value, kept := range map[string]bool{"Bearer x": true, "AWS4-HMAC-SHA256 Credential=x": false, "AWS4-ECDSA-P256-SHA256 Credential=x": false} {
		for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", value)
			got := eventFor(t, flavor, "s", integration.LambdaConfig{}, "GET /", r, nil)
			require.Equal(t, kept, strings.Contains(got, value), value)
		}
	}
}

func TestEventTrace(t *testing.T) {
	for sent, want := range map[string]string{
		root: `^` + root + `;Parent=[0-9a-f]{16};Sampled=0$`,
		root + ";Parent=53995c3f42cd8ad8;Sampled=1": `^` + root + `;Parent=53995c3f42cd8ad8;Sampled=1$`,
		"Sampled=1;" + root:                         `^` + root + `;Parent=[0-9a-f]{16};Sampled=1$`,
		"Root=1-xyz;Parent=53995c3f42cd8ad8":        `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`,
		"nonsense":                                  `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Amzn-Trace-Id", sent)
		h := gatekit.Must(integration.NewLambda(returns("{}"), integration.LambdaConfig{}))
		w := serve(apiOf(gatekit.REST, "s", h), r)
		require.Regexp(t, want, w.Header().Get("X-Amzn-Trace-Id"), sent)
	}
	w := answerTo(t, gatekit.HTTP, integration.LambdaConfig{}, returns("{}"))
	require.Empty(t, w.Header().Get("X-Amzn-Trace-Id"), "HTTP APIs don't send it")
}

// Bodies and events are bounded, with each flavor's words.
func TestEventBounds(t *testing.T) {
	for _, tt := range []struct {
		name        string
		c           integration.LambdaConfig
		contentType string
		size        int
		chunked     bool
		ok          bool
	}{
		{"fits", integration.LambdaConfig{}, "text/plain", 6<<20 - 2<<10, false, true},
		{"event-over", integration.LambdaConfig{}, "text/plain", 6<<20 - 100, false, false},
		{"over-6", integration.LambdaConfig{}, "text/plain", 6<<20 + 1, true, false},
		{"base64-fits", integration.LambdaConfig{}, "image/png", 4 << 20, true, true},
		{"base64-over", integration.LambdaConfig{}, "image/png", 5 << 20, false, false},
		{"over-10", integration.LambdaConfig{}, "text/plain", 10<<20 + 1, true, false},
		{"raised", integration.LambdaConfig{MaxRequestBytes: 20 << 20, MaxEventBytes: 30 << 20}, "image/png", 12 << 20, true, true},
		{"lowered", integration.LambdaConfig{MaxRequestBytes: 10}, "text/plain", 11, true, false},
		{"at-the-bound", integration.LambdaConfig{MaxRequestBytes: 10}, "text/plain", 10, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for flavor, want := range map[gatekit.Flavor]string{gatekit.HTTP: `{"message":"Request Entity Too Large"}`, gatekit.REST: `{"message": "Request Too Long"}`} {
				c := tt.c
				c.BinaryMediaTypes = []string{"image/*"}
				h := gatekit.Must(integration.NewLambda(returns(`{}`), c))
				r := httptest.NewRequest("POST", "/", bytes.NewReader(make([]byte, 0)))
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", tt.size))), int64(tt.size)
				if tt.chunked {
					r.ContentLength = -1
				}
				r.Header.Set("Content-Type", tt.contentType)
				w := serve(apiOf(flavor, "", h), r)
				if tt.ok {
					require.Equal(t, 200, w.Code)
					continue
				}
				require.Equal(t, 413, w.Code)
				require.Equal(t, want, w.Body.String())
			}
		})
	}
}

func TestUnreadableBody(t *testing.T) {
	h := gatekit.Must(integration.NewLambda(returns(`{}`), integration.LambdaConfig{}))
	r := httptest.NewRequest("POST", "/", nil)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("short")), 100
	require.Equal(t, 400, serve(apiOf(gatekit.HTTP, "", h), r).Code)
	r = httptest.NewRequest("POST", "/", nil)
	r.Body = http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("too long")), 3)
	r.ContentLength = -1
	require.Equal(t, 413, serve(apiOf(gatekit.HTTP, "", h), r).Code, "an outer bound's")
}

// An event costs few allocations: one for itself, the rest for what the request's headers need.
func TestEventAllocs(t *testing.T) {
	h := gatekit.Must(integration.NewLambda(returns("{}"), integration.LambdaConfig{}))
	_, r := gatekit.Attach(httptest.NewRequest("GET", "/orders/7?a=1", nil))
	r.Header.Set("User-Agent", "agent")
	r.Header.Set("X-Amzn-Trace-Id", root)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := h.Event(r); err != nil {
			panic(err)
		}
	}), 6.0)
}
