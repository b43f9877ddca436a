package contextvar_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/contextvar"
)

func attached() (*gatekit.RequestContext, *http.Request) {
	rc, r := gatekit.Attach(httptest.NewRequest("POST", "https://api.example.com:8443/prod/pets/a%2Fb?q=1", nil))
	rc.API = &gatekit.API{Flavor: gatekit.REST, AccountID: "123456789012", Region: "us-east-1", APIID: "a1b2c3d4e5", Stage: "prod"}
	rc.Route, rc.Connection = &gatekit.Route{Key: "POST /pets/{id}"}, &gatekit.Connection{ID: "L0SM9cOFvHcCIhw="}
	rc.Time = time.Date(2023, 4, 4, 18, 39, 39, 5e6, time.UTC)
	rc.SetDomain(&gatekit.Domain{Name: "api.example.com", BasePath: "shop"})
	rc.SetSourceIP(netip.MustParseAddr("192.0.2.1"))
	rc.SetUserAgent("curl/8")
	rc.SetAPIKey("k", "kid")
	rc.SetCaller(&gatekit.IAMCaller{
		AccessKey: "AKIA", AccountID: "210987654321", CallerID: "AIDA", UserID: "AIDB", UserARN: "arn:aws:iam::1:user/u", PrincipalOrgID: "o-1",
		CognitoIdentityID: "ci", CognitoIdentityPoolID: "cp", CognitoAuthenticationType: "authenticated", CognitoAuthenticationProvider: "prov",
	})
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
		Principal: "me", Claims: map[string]any{"sub": "s", "aud": []any{"a", "b"}, "none": nil},
		Context: map[string]any{"s": "x", "n": 1, "f": 1e6, "half": 0.5, "t": true, "null": nil, "list": []any{"<", 1}, "principalId": "not this"},
	})
	return rc, r
}

func TestValues(t *testing.T) {
	rc, r := attached()
	rc.API.DeploymentID, rc.API.Canary = "d1", "false"
	rc.SetIntegration(gatekit.Integration{Status: 500, FunctionError: "boom", Latency: 12*time.Millisecond + 900*time.Microsecond})
	rc.SetWebACL(&gatekit.WebACL{ARN: "arn:aws:wafv2:eu-west-1:1:regional/webacl/a/1", ResponseCode: "WAF_ALLOW"})
	for name, want := range map[string]string{
		"accountId": "123456789012", "apiId": "a1b2c3d4e5", "stage": "prod", "connectionId": "L0SM9cOFvHcCIhw=",
		"deploymentId": "d1", "isCanaryRequest": "false",
		"requestId": rc.RequestID(), "extendedRequestId": rc.ExtendedRequestID(), "requestTime": "04/Apr/2023:18:39:39 +0000", "requestTimeEpoch": "1680633579005",
		"httpMethod": "POST", "path": "/prod/pets/a%2Fb", "protocol": "HTTP/1.1", "routeKey": "POST /pets/{id}", "resourcePath": "/pets/{id}",
		"domainName": "api.example.com", "domainPrefix": "api", "customDomain.basePathMatched": "shop",
		"identity.sourceIp": "192.0.2.1", "identity.userAgent": "curl/8", "identity.apiKey": "k", "identity.apiKeyId": "kid",
		"identity.accessKey": "AKIA", "identity.accountId": "210987654321", "identity.caller": "AIDA", "identity.user": "AIDB", "identity.userArn": "arn:aws:iam::1:user/u",
		"identity.principalOrgId": "o-1", "identity.cognitoIdentityId": "ci", "identity.cognitoIdentityPoolId": "cp",
		"identity.cognitoAuthenticationType": "authenticated", "identity.cognitoAuthenticationProvider": "prov",
		"authorizer.principalId": "me", "authorizer.claims.sub": "s", "authorizer.claims.aud": "[a b]",
		"authorizer.s": "x", "authorizer.n": "1", "authorizer.f": "1000000", "authorizer.half": "0.5", "authorizer.t": "true", "authorizer.list": `["<",1]`,
		"integration.status": "500", "integration.integrationStatus": "200", "integrationStatus": "200", "integration.latency": "12", "integrationLatency": "12",
		"integration.error": "boom", "integrationErrorMessage": "boom",
		"webaclArn": "arn:aws:wafv2:eu-west-1:1:regional/webacl/a/1", "wafResponseCode": "WAF_ALLOW",
	} {
		got, ok := contextvar.Value(r, name)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
		v, err := contextvar.Parse(name)
		require.NoError(t, err)
		require.Equal(t, name, v.Name())
		got, _ = v.Of(rc, r)
		require.Equal(t, want, got, name)
	}
	id, ok := contextvar.Value(r, "resourceId")
	require.True(t, ok)
	require.Regexp(t, "^[a-z2-7]{6}$", id)
	for _, name := range []string{
		"authorizer.claims", "authorizer.claims.none", "authorizer.claims.other", "authorizer.null", "authorizer.other", "status", "responseLength",
		"identity.clientCert.subjectDN", "error.message", "error.messageString", "error.responseType", "error.validationErrorString", "waf.status",
		"identity", "authorizer", "", "no-such-name", "requestid",
	} {
		got, ok := contextvar.Value(r, name)
		require.False(t, ok, name)
		require.Empty(t, got, name)
	}
}

func TestEmptyMapping(t *testing.T) {
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	_, ok := contextvar.Value(r, "customDomain.basePathMatched")
	require.False(t, ok, "not through a custom domain")
	rc.SetDomain(&gatekit.Domain{Name: "shop.example.com", Custom: true})
	got, _ := contextvar.Value(r, "customDomain.basePathMatched")
	require.Equal(t, "(none)", got)
}

func TestClientCertificate(t *testing.T) {
	rc, r := attached()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	rc.SetClientCert(srv.Certificate())
	for _, name := range []string{"subjectDN", "issuerDN", "serialNumber", "clientCertPem", "validity.notBefore", "validity.notAfter"} {
		got, ok := contextvar.Value(r, "identity.clientCert."+name)
		require.True(t, ok, name)
		require.NotEmpty(t, got, name)
	}
}

type detailed struct{}

func (detailed) Error() string                 { return "for the log" }
func (detailed) ValidationErrorString() string { return "[missing]" }

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		flavor                     gatekit.Flavor
		rej                        *gatekit.Rejection
		message, quoted, kind, why string
	}{
		{"by-type", gatekit.REST, &gatekit.Rejection{Type: gatekit.Throttled}, "Too Many Requests", `"Too Many Requests"`, "THROTTLED", ""},
		{"own-message", gatekit.HTTP, &gatekit.Rejection{Type: gatekit.Unauthorized, Message: `<"no">`}, `<"no">`, `"<\"no\">"`, "UNAUTHORIZED", ""},
		{"no-message", gatekit.REST, &gatekit.Rejection{Type: gatekit.AuthorizerFailure}, "", "null", "AUTHORIZER_FAILURE", ""},
		{"no-type-4xx", gatekit.REST, &gatekit.Rejection{Status: 418}, "Bad Request", `"Bad Request"`, "DEFAULT_4XX", ""},
		{"no-type", gatekit.REST, &gatekit.Rejection{}, "Internal server error", `"Internal server error"`, "DEFAULT_5XX", ""},
		{"unknown-type", gatekit.REST, &gatekit.Rejection{Type: 200}, "Internal server error", `"Internal server error"`, "DEFAULT_5XX", ""},
		{"detail", gatekit.REST, &gatekit.Rejection{Type: gatekit.BadRequestBody, Cause: fmt.Errorf("wrapped: %w", detailed{})}, "Invalid request body", `"Invalid request body"`, "BAD_REQUEST_BODY", "[missing]"},
		{"other-cause", gatekit.REST, &gatekit.Rejection{Type: gatekit.BadRequestBody, Cause: errors.New("secret")}, "Invalid request body", `"Invalid request body"`, "BAD_REQUEST_BODY", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rc, r := attached()
			rc.API = &gatekit.API{Flavor: tt.flavor}
			gatekit.Reject(httptest.NewRecorder(), r, tt.rej)
			for name, want := range map[string]string{"message": tt.message, "messageString": tt.quoted, "responseType": tt.kind, "validationErrorString": tt.why} {
				got, ok := contextvar.Value(r, "error."+name)
				require.Equal(t, want, got, name)
				require.Equal(t, want != "", ok, name)
			}
		})
	}
}

func TestIntegrationThatAnswered(t *testing.T) {
	rc, r := attached()
	rc.SetIntegration(gatekit.Integration{Status: 404})
	for _, name := range []string{"integration.status", "integrationStatus", "integration.integrationStatus"} {
		got, _ := contextvar.Value(r, name)
		require.Equal(t, "404", got, name)
	}
}

// An authorizer that verified a signature says who signed.
func TestCallerOfTheAuthorization(t *testing.T) {
	rc, r := attached()
	rc.SetCaller(nil)
	rc.SetDomain(&gatekit.Domain{Name: "shop.example.com"})
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Caller: &gatekit.IAMCaller{UserARN: "arn"}})
	for name, want := range map[string]string{"identity.userArn": "arn", "identity.user": "", "domainName": "shop.example.com", "domainPrefix": "shop", "authorizer.principalId": ""} {
		got, ok := contextvar.Value(r, name)
		require.Equal(t, want, got, name)
		require.Equal(t, want != "", ok, name)
	}
}

// Without a RequestContext there is what the request itself says.
func TestOutsideAGateway(t *testing.T) {
	r := httptest.NewRequest("GET", "/a%20b?q", nil)
	r.Host, r.Pattern = "[::1]:80", "GET /{name...}"
	for name, want := range map[string]string{
		"httpMethod": "GET", "path": "/a%20b", "routeKey": "GET /{name+}", "resourcePath": "/{name+}", "domainName": "[::1]", "protocol": "HTTP/1.1",
		"requestId": "", "extendedRequestId": "", "requestTime": "", "requestTimeEpoch": "", "identity.sourceIp": "", "identity.caller": "",
		"authorizer.principalId": "", "authorizer.claims.sub": "", "authorizer.x": "", "error.message": "", "integration.status": "", "stage": "",
	} {
		got, ok := contextvar.Value(r, name)
		require.Equal(t, want, got, name)
		require.Equal(t, want != "", ok, name)
	}
	_, ok := contextvar.Var{}.Value(r)
	require.False(t, ok)
	r.Host, r.Pattern = "api.example.com", ""
	for name, want := range map[string]string{"domainName": "api.example.com", "domainPrefix": "api", "resourceId": "", "integration.error": "", "integration.latency": ""} {
		got, ok := contextvar.Value(r, name)
		require.Equal(t, want, got, name)
		require.Equal(t, want != "", ok, name)
	}
}

func TestNamesThatThereAreNot(t *testing.T) {
	for _, name := range []string{"", "x", "authorizer.", "authorizer.claims.", "$context.stage", "stage ", "Stage", "identity.", "error"} {
		_, err := contextvar.Parse(name)
		require.ErrorContains(t, err, "want the name of a $context variable, got", name)
	}
}

// Each spelling of a claim that the grammar takes gives the claim.
func TestSpellingsOfClaims(t *testing.T) {
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Claims: map[string]any{"sub": "s", "cognito:groups": "g", "a.b": "c"}, Context: map[string]any{"tier": "gold"}})
	for name, want := range map[string]string{
		"authorizer.claims.sub": "s", "authorizer.claims['sub']": "s", `authorizer.claims["cognito:groups"]`: "g", "authorizer.jwt.claims.sub": "s",
		"authorizer.jwt.claims['a.b']": "c", "authorizer.claims.cognito:groups": "g", "authorizer.tier": "gold", "authorizer.lambda.tier": "gold",
	} {
		got, ok := contextvar.Value(r, name)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
	}
	for _, name := range []string{"authorizer.claims[sub]", "authorizer.claims['sub", "authorizer.claims['']", "authorizer.claims.", "authorizer.jwt.claims.", "authorizer.jwt.scopes", "authorizer.iam.userArn", "authorizer.lambda."} {
		_, err := contextvar.Parse(name)
		require.Error(t, err, name)
	}
	require.True(t, contextvar.Numeric("requestTimeEpoch"))
	require.True(t, contextvar.Numeric("connectedAt"), "milliseconds, as in a WebSocket API's events")
	require.False(t, contextvar.Numeric("requestId"))
}

// An identity source is what is known when nobody has been asked who calls, and the same for the
// caller's next request.
func TestSources(t *testing.T) {
	request := func() (*gatekit.RequestContext, *http.Request) {
		rc, r := attached()
		rc.Authorization = nil
		rc.SetAPIKey("", "")
		r.Header.Set("X-Api-Key", "carried")
		return rc, r
	}
	names := []string{
		"accountId", "apiId", "stage", "domainName", "domainPrefix", "routeKey", "resourcePath", "resourceId", "httpMethod", "path", "protocol", "connectionId",
		"customDomain.basePathMatched", "identity.sourceIp", "identity.userAgent", "identity.apiKey",
	}
	for _, name := range names {
		v, ok := contextvar.Source(name)
		require.True(t, ok, name)
		require.Equal(t, name, v.Name())
		value, ok := v.Of(request())
		require.True(t, ok, name)
		again, _ := v.Of(request())
		require.Equal(t, value, again, name)
		if name == "identity.apiKey" {
			require.Equal(t, "carried", value)
			_, found := contextvar.Value(func() *http.Request { _, r := request(); return r }(), name)
			require.False(t, found, "to templates and logs it is what a plan has found")
			continue
		}
		plain, err := contextvar.Parse(name)
		require.NoError(t, err)
		same, _ := plain.Of(request())
		require.Equal(t, value, same, "%s is one thing to all", name)
	}
	for _, name := range []string{
		"", "nothing", "requestId", "extendedRequestId", "requestTime", "requestTimeEpoch", "authorizer.principalId", "authorizer.claims.sub", "authorizer.x",
		"identity.userArn", "identity.apiKeyId", "error.message", "integration.status", "status", "waf.status", "messageId",
	} {
		v, ok := contextvar.Source(name)
		require.False(t, ok, name)
		require.Empty(t, v.Name())
	}
}
