package transformtest_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/transformtest"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

func TestRender(t *testing.T) {
	got, err := transformtest.Render(`{"id":"$input.params('id')","who":"$context.authorizer.claims.sub","n":$input.json('$.n')}#set($context.requestOverride.header.X-Page = $input.params('page'))#set($context.responseOverride.status = 202)`,
		transformtest.Event{
			Resource: "/pets/{id}", PathParameters: map[string]string{"id": "a/b"}, QueryString: "page=1&page=2", Header: map[string]string{"X-A": "1"}, Body: `{"n":[1, 2]}`,
			Context: map[string]string{"authorizer.claims.sub": "ann"},
		})
	require.NoError(t, err)
	require.Equal(t, `{"id":"a/b","who":"ann","n":[1,2]}`, got.Output)
	require.Equal(t, transform.Override{Header: map[string][]string{"X-Page": {"2"}}}, got.RequestOverride)
	require.Equal(t, transform.Override{Status: 202}, got.ResponseOverride)
	require.Equal(t, &transformtest.Request{
		Method: "POST", URL: "/pets/a%2Fb", Host: "example.com", Body: got.Output,
		Header: http.Header{
			"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"AmazonAPIGateway_unknown"}, "X-Amzn-Apigateway-Api-Id": {"unknown"}, "X-Page": {"2"},
		},
	}, got.Request)
}

func TestTemplatesThatFail(t *testing.T) {
	var failure *vtl.Error
	_, err := transformtest.Render(`#if(`, transformtest.Event{})
	require.ErrorAs(t, err, &failure)
	got, err := transformtest.Render(`$context.stage#set($s = "abc")$s.substring(9)`, transformtest.Event{Context: map[string]string{"stage": "dev"}})
	require.ErrorAs(t, err, &failure)
	require.Equal(t, "1:1 $context.stage = \"dev\"\n", transformtest.TraceText(got.Trace[:1]))
}

// Every name that an event can set shows in templates.
func TestContext(t *testing.T) {
	values := map[string]string{
		"stage": "prod", "apiId": "a1", "accountId": "123456789012", "domainName": "api.example.com", "path": "/prod/x", "requestId": "0a1b2c3d-0000-4000-8000-123456789abc",
		"requestTimeEpoch": "1428582896000", "identity.sourceIp": "192.0.2.9", "identity.userAgent": "curl", "identity.apiKey": "k", "identity.apiKeyId": "kid",
		"identity.accessKey": "AKIA", "identity.accountId": "1", "identity.caller": "c", "identity.user": "u", "identity.userArn": "arn", "identity.principalOrgId": "o",
		"identity.cognitoIdentityId": "ci", "identity.cognitoIdentityPoolId": "cp", "identity.cognitoAuthenticationType": "ct", "identity.cognitoAuthenticationProvider": "cv",
		"authorizer.principalId": "ann", "authorizer.claims.sub": "s", "authorizer.claims.email": "e", "authorizer.tier": "gold",
	}
	for name, value := range values {
		got, err := transformtest.Render("$context."+name, transformtest.Event{Context: values})
		require.NoError(t, err)
		require.Equal(t, value, got.Output, name)
	}
	got, err := transformtest.Render("$context.requestTime $context.httpMethod $context.resourcePath $stageVariables.v", transformtest.Event{
		Method: "PATCH", Resource: "/a/{p+}", PathParameters: map[string]string{"p": "x/y z"}, Context: values, StageVariables: map[string]string{"v": "w"},
	})
	require.NoError(t, err)
	require.Equal(t, "09/Apr/2015:12:34:56 +0000 PATCH /a/{p+} w", got.Output)
	require.Equal(t, "/a/x/y%20z", got.Request.URL)
}

func TestEventsThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		event transformtest.Event
		want  string
	}{
		{transformtest.Event{Method: "GET IT"}, `transformtest: Event.Method: want a method such as POST, got "GET IT"`},
		{transformtest.Event{Resource: "pets"}, `transformtest: Event.Resource: want a path such as /pets/{id}, got "pets"`},
		{transformtest.Event{Resource: "/pets?x"}, `transformtest: Event.Resource`},
		{transformtest.Event{Context: map[string]string{"ghost": "x"}}, `transformtest: Event.Context["ghost"]: want a name that the documentation lists, got "x"`},
		{transformtest.Event{Context: map[string]string{"authorizer.claims": "x"}}, `Event.Context["authorizer.claims"]`},
		{transformtest.Event{Context: map[string]string{"requestId": "x"}}, `Event.Context["requestId"]: want a UUID`},
		{transformtest.Event{Context: map[string]string{"requestTimeEpoch": "x"}}, `Event.Context["requestTimeEpoch"]`},
		{transformtest.Event{Context: map[string]string{"identity.sourceIp": "x"}}, `Event.Context["identity.sourceIp"]`},
	} {
		_, err := transformtest.Render("", tt.event)
		require.ErrorContains(t, err, tt.want)
		_, err = transformtest.Exchange(transform.RESTConfig{Type: transform.HTTPProxy}, tt.event, transformtest.Answer{})
		require.ErrorContains(t, err, tt.want)
	}
	_, err := transformtest.Exchange(transform.RESTConfig{}, transformtest.Event{}, transformtest.Answer{})
	require.ErrorContains(t, err, "RESTConfig.Type")
}

func TestExchange(t *testing.T) {
	c := transform.RESTConfig{
		Type: transform.AWS, PassthroughBehavior: transform.Never, RequestTemplates: map[string]string{"application/json": `{"n":$input.json('$.n')}`},
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200, ResponseParameters: map[string]string{"method.response.header.X-B": "integration.response.header.X-B"}},
			{StatusCode: 404, SelectionPattern: "Not found.*", ResponseTemplates: map[string]string{"application/json": `{"why":$input.json('$.errorMessage')}`}},
		},
	}
	got, err := transformtest.Exchange(c, transformtest.Event{Body: `{"n":7}`}, transformtest.Answer{Body: `"ok"`, Header: map[string]string{"X-B": "b"}})
	require.NoError(t, err)
	require.Equal(t, `{"n":7}`, got.Request.Body)
	require.Equal(t, 200, got.Status)
	require.Equal(t, `"ok"`, got.Body)
	require.Equal(t, http.Header{"Content-Type": {"application/json"}, "Content-Length": {"4"}, "X-B": {"b"}}, got.Header)
	require.Nil(t, got.Rejection)

	got, err = transformtest.Exchange(c, transformtest.Event{Body: `{"n":7}`}, transformtest.Answer{FunctionError: "Not found: 7", Body: `{"errorMessage":"Not found: 7"}`})
	require.NoError(t, err)
	require.Equal(t, 404, got.Status)
	require.Equal(t, `{"why":"Not found: 7"}`, got.Body)

	got, err = transformtest.Exchange(c, transformtest.Event{Body: "x", Header: map[string]string{"Content-Type": "text/plain", "Host": "h"}}, transformtest.Answer{})
	require.NoError(t, err)
	require.Equal(t, 415, got.Status)
	require.Equal(t, gatekit.UnsupportedMediaType, got.Rejection.Type)
	require.Nil(t, got.Request)
}
