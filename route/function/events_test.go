package function_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/function"
)

const eventV2 = `{"version":"2.0","routeKey":"$default","rawPath":"/prod/x","rawQueryString":"","headers":{"host":"h"},"requestContext":{"stage":"prod","http":{"method":"GET","path":"/prod/x","sourceIp":"192.0.2.1"}},"isBase64Encoded":false}`

// Events written by hand lack much of what the gateway sends.
func TestHandwrittenEvents(t *testing.T) {
	for name, tt := range map[string]struct {
		event  string
		config function.Config
		want   string
	}{
		"v2":             {eventV2, function.Config{}, "GET /x  h 192.0.2.1"},
		"v2-keep":        {eventV2, function.Config{KeepStage: true}, "GET /prod/x  h 192.0.2.1"},
		"v2-stage-alone": {strings.ReplaceAll(eventV2, "/prod/x", "/prod"), function.Config{}, "GET /  h 192.0.2.1"},
		"v2-lookalike":   {strings.ReplaceAll(eventV2, "/prod/x", "/production"), function.Config{}, "GET /production  h 192.0.2.1"},
		"v1":             {`{"version":"1.0","path":"/base/x%2Fy","httpMethod":"GET","headers":{"Host":"h"},"queryStringParameters":{"a":"1"},"requestContext":{"stage":"prod"}}`, function.Config{BasePath: "/base/"}, "GET /x/y a=1 h "},
		"rest":           {`{"path":"/x","httpMethod":"GET","requestContext":{"domainName":"d","stage":"prod"},"multiValueQueryStringParameters":{"b":["1","2"],"a":["x y"]}}`, function.Config{}, "GET /x b=1&b=2&a=x+y d "},
		"url":            {`{"version":"2.0","rawPath":"/x","requestContext":{"http":{"method":"GET"},"domainName":"u"},"cookies":["a=1","b=2"]}`, function.Config{}, "GET /x  u "},
		"bad-escape":     {`{"path":"/x%zz","httpMethod":"GET","requestContext":{}}`, function.Config{}, "GET /x%zz   "},
	} {
		var got string
		fn := gatekit.Must(function.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			ip := ""
			if a := gatekit.From(r.Context()).SourceIP(); a.IsValid() {
				ip = a.String()
			}
			got = fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL.Path, r.URL.RawQuery, r.Host, ip)
			if name == "url" {
				require.Equal(t, "a=1; b=2", r.Header.Get("Cookie"))
			}
		}), tt.config))
		_, err := fn.Invoke(t.Context(), []byte(tt.event))
		require.NoError(t, err, name)
		require.Equal(t, tt.want, got, name)
	}
}

// A function URL's path keeps its escapes, an HTTP API's is decoded.
func TestFunctionURLs(t *testing.T) {
	for _, tt := range []struct{ name, context, raw, path, escaped string }{
		{"url", `"domainName":"abc.lambda-url.eu-west-1.on.aws","accountId":"123456789012","stage":"$default"`, "/caf%C3%A9/a%2Fb", "/café/a/b", "/caf%C3%A9/a%2Fb"},
		{"url-bad-escape", `"domainName":"abc.lambda-url.eu-west-1.on.aws"`, "/%zz", "/%zz", "/%25zz"},
		{"url-without-a-name", `"accountId":"anonymous"`, "/caf%C3%A9", "/café", "/caf%C3%A9"},
		{"api", `"domainName":"abc.execute-api.eu-west-1.amazonaws.com","accountId":"123456789012","stage":"$default"`, "/caf%C3%A9", "/caf%C3%A9", "/caf%25C3%25A9"},
		{"api-decoded", `"domainName":"api.example","stage":"$default"`, "/café", "/café", "/caf%C3%A9"},
	} {
		fn := gatekit.Must(function.New(http.NotFoundHandler(), function.Config{}))
		r, err := fn.Request(t.Context(), []byte(`{"version":"2.0","rawPath":"`+tt.raw+`","rawQueryString":"q=%C3%A9","requestContext":{"requestId":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
			"http":{"method":"GET","sourceIp":"192.0.2.1"},`+tt.context+`}}`))
		require.NoError(t, err)
		require.Equal(t, tt.path, r.URL.Path, tt.name)
		require.Equal(t, tt.escaped, r.URL.EscapedPath(), tt.name)
		require.Equal(t, "q=%C3%A9", r.URL.RawQuery)
		require.Equal(t, "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", gatekit.From(r.Context()).RequestID(), tt.name)
	}
}

// Only X-Forwarded-Proto: https makes it a TLS request, as the gateway sets the header; and the
// reply to HEAD has no body, though a type.
func TestSchemeAndHead(t *testing.T) {
	for proto, secure := range map[string]bool{"https": true, "http": false, "": false, "HTTPS, http": false} {
		var got *http.Request
		fn := gatekit.Must(function.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r
			fmt.Fprint(w, "hello")
		}), function.Config{}))
		reply, err := fn.Invoke(t.Context(), []byte(`{"version":"2.0","rawPath":"/","headers":{"x-forwarded-proto":"`+proto+`"},"requestContext":{"http":{"method":"HEAD"}}}`))
		require.NoError(t, err)
		require.Equal(t, secure, got.TLS != nil, proto)
		require.JSONEq(t, `{"statusCode":200,"headers":{"Content-Type":"text/plain; charset=utf-8"},"body":"","isBase64Encoded":false}`, string(reply))
	}
}

// Real request IDs arrive, one of a REST API's two without the other, too.
func TestFunctionRequestIDs(t *testing.T) {
	const uuid = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
	ids := func(event string) string {
		r, err := gatekit.Must(function.New(http.NotFoundHandler(), function.Config{})).Request(t.Context(), []byte(event))
		require.NoError(t, err)
		return gatekit.From(r.Context()).RequestID() + " " + gatekit.From(r.Context()).ExtendedRequestID()
	}
	for in, want := range map[string]string{"LV7fzho-PHcEJPw=": "LV7fzho-PHcEJPw=", "IPp-GHDZoAMFcVA=": "IPp-GHDZoAMFcVA=", "YL4xIB5p_tqg7ug=": "YL4xIB5p_tqg7ug=", "LV7fzho+PHcEJPw=": "LV7fzho-PHcEJPw="} {
		require.Equal(t, want+" "+want, ids(`{"version":"2.0","rawPath":"/","requestContext":{"requestId":"`+in+`","http":{"method":"GET"}}}`))
		require.Equal(t, want+" "+want, ids(`{"version":"1.0","path":"/","httpMethod":"GET","requestContext":{"requestId":"`+in+`","extendedRequestId":"`+in+`"}}`))
		require.Equal(t, uuid+" "+want, ids(`{"path":"/","httpMethod":"GET","requestContext":{"requestId":"`+uuid+`","extendedRequestId":"`+in+`"}}`))
	}
	const ownUUID = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
	for _, odd := range []string{"", "x", "LV7fzho-PHcEJPw=", uuid + "0"} {
		require.Regexp(t, ownUUID+" LV7fzho-PHcEJPw=$", ids(`{"path":"/","httpMethod":"GET","requestContext":{"requestId":"`+odd+`","extendedRequestId":"LV7fzho-PHcEJPw="}}`))
	}
	for _, odd := range []string{"", "x", "LV7fzho*PHcEJPw="} {
		require.Regexp(t, "^"+uuid+" [A-Za-z0-9_-]{15}=$", ids(`{"path":"/","httpMethod":"GET","requestContext":{"requestId":"`+uuid+`","extendedRequestId":"`+odd+`"}}`))
	}
}

// A Lambda authorizer that told nothing has admitted its caller all the same; null beside others is
// nobody.
func TestFunctionSilentAuthorizer(t *testing.T) {
	for authorizer, admitted := range map[string]bool{`{"lambda":null}`: true, `null`: false, `{}`: false, `{"jwt":null}`: false, `{"iam":null,"jwt":null,"lambda":null}`: false} {
		r, err := gatekit.Must(function.New(http.NotFoundHandler(), function.Config{})).Request(t.Context(), []byte(`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"GET"},"authorizer":`+authorizer+`}}`))
		require.NoError(t, err)
		require.Equal(t, admitted, gatekit.From(r.Context()).Authorization != nil, authorizer)
	}
}

func TestNoEvents(t *testing.T) {
	fn := gatekit.Must(function.New(http.NotFoundHandler(), function.Config{}))
	for _, payload := range []string{
		``, ` `, `null`, `[]`, `{}`, `"x"`, `{"version":"2.0"}`, `{"version":"3.0","httpMethod":"GET","path":"/","requestContext":{}}`, `{"Records":[]}`,
		`{"version":"2.0","rawPath":"x","requestContext":{"http":{"method":"GET"}}}`,
		`{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"G T"}}}`,
		`{"version":"2.0","rawPath":"/","headers":{"a b":"c"},"requestContext":{"http":{"method":"GET"}}}`,
		`{"version":"2.0","rawPath":"/","headers":{"a":"c\r\nd: e"},"requestContext":{"http":{"method":"GET"}}}`,
		`{"version":"2.0","rawPath":"/","cookies":["c\nd"],"requestContext":{"http":{"method":"GET"}}}`,
		`{"version":"2.0","rawPath":"/","body":{},"requestContext":{"http":{"method":"GET"}}}`,
		`{"version":"2.0","rawPath":"/","body":"%","isBase64Encoded":true,"requestContext":{"http":{"method":"GET"}}}`,
	} {
		_, err := fn.Invoke(t.Context(), []byte(payload))
		require.Error(t, err, payload)
		_, err = fn.Request(t.Context(), []byte(payload))
		require.Error(t, err, payload)
	}
}
