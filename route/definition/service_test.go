package definition_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/integration"
)

// called is what an AWS service was asked.
type calledService struct{ host, path, target, body, authorization string }

func emulator(t *testing.T, answer string) (*httptest.Server, chan calledService) {
	t.Helper()
	calls := make(chan calledService, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls <- calledService{r.Host, r.URL.RequestURI(), r.Header.Get("X-Amz-Target"), string(body), r.Header.Get("Authorization")}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s, calls
}

func TestServices(t *testing.T) {
	s, calls := emulator(t, `{"ok":1}`)
	text := apiOf("REST", `
		"POST /table/{id}":{"auth":{"type":"NONE"},"integration":{"type":"AWS","method":"POST","credentials":"Role","target":{"kind":"service","service":"dynamodb","action":"PutItem"},
			"request_templates":{"application/json":"{\"id\":\"$input.params('id')\"}"},"responses":[{"status":"200","templates":{"application/json":"put"}}]}},
		"POST /bucket/{key}":{"auth":{"type":"NONE"},"request_parameters":{"method.request.path.key":true},"integration":{"type":"AWS","method":"PUT","target":{"kind":"service","service":"s3","region":"eu-west-1","path":"files/{k}"},
			"request_parameters":{"integration.request.path.k":"method.request.path.key"},"responses":[{"status":"200"},{"pattern":"4\\d\\d","status":"400"}]}}`, "")
	b := definition.Bindings{Strict: true, Services: map[string]integration.ServiceConfig{"*": {Endpoint: s.URL,
		Credentials: func(context.Context) (integration.Credentials, error) {
			return integration.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		}}}}
	g := build(t, text, b)
	code, body := post(g, "/prod/table/7", "application/json", `{}`)
	require.Equal(t, []any{200, "put"}, []any{code, body})
	got := <-calls
	require.Equal(t, []string{"/", "DynamoDB_20120810.PutItem", `{"id":"7"}`}, []string{got.path, got.target, got.body})
	require.Contains(t, got.authorization, "/us-east-1/dynamodb/aws4_request")
	code, _ = post(g, "/prod/bucket/a.txt", "application/json", `x`)
	require.Equal(t, 200, code)
	got = <-calls
	require.Equal(t, []string{"/files/a.txt", "x"}, []string{got.path, got.body})
	require.Contains(t, got.authorization, "/eu-west-1/s3/aws4_request")

	http := apiOf("HTTP", `"POST /queue":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","payload_format":"1.0","target":{"kind":"subtype","subtype":"SQS-SendMessage"},
		"request_parameters":{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/q","MessageBody":"$request.body"},"responses":[{"status":"200","parameters":{"append:header.X-More":"more"}}]}}`, "")
	g = build(t, http, b)
	r := httptest.NewRequest("POST", "/queue", strings.NewReader("hello"))
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code, w.Body)
	require.Equal(t, "more", w.Header().Get("X-More"))
	require.Contains(t, (<-calls).body, "hello")
}

// The JWT authorizer of REST APIs has several issuers, each with checks of its own.
func TestNativeJWT(t *testing.T) {
	one, two := authtest.NewIssuer(t), authtest.NewIssuer(t)
	text := apiOf("REST", calls("GET /a", `{"type":"JWT","authorizer":"J"}`), `"authorizers":{"J":{"type":"JWT","identity_source":["method.request.header.Authorization"],
		"issuers":[{"issuer":"https://one.example","audience":["me"],"claims":[{"name":"tenant","values":["acme"],"required":true}]},{"issuer":"https://two.example","audience":["me"],"algorithms":["ES256"]}]}}`)
	g := build(t, text, definition.Bindings{Strict: true, Functions: functions("F"),
		Issuers: map[string]definition.IssuerBinding{"https://one.example": {URL: one.URL()}, "https://two.example": {URL: two.URL()}}})
	require.Contains(t, ask(g, "GET", "/prod/a"), "401")
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "Authorization: Bearer "+one.Mint(authtest.Claims{"aud": "me", "tenant": "acme"})))
	require.Contains(t, ask(g, "GET", "/prod/a", "Authorization: Bearer "+one.Mint(authtest.Claims{"aud": "me"})), "401")
	require.Equal(t, "200 F", ask(g, "GET", "/prod/a", "Authorization: Bearer "+two.MintWith("ES256", authtest.Claims{"aud": "me"})))
	require.Contains(t, ask(g, "GET", "/prod/a", "Authorization: Bearer "+two.Mint(authtest.Claims{"aud": "me"})), "401")
}

// An integration's timeout is the document's, in milliseconds.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := invoker(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		hangs := func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		const timeout = `"timeout":1500`
		text := apiOf("REST", `"GET /proxy":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST",`+timeout+`,"target":{"kind":"lambda","function":"F"}}},
			"GET /custom":{"auth":{"type":"NONE"},"integration":{"type":"AWS","method":"POST",`+timeout+`,"target":{"kind":"lambda","function":"F"},"responses":[{"status":"200"}]}},
			"GET /http":{"auth":{"type":"NONE"},"integration":{"type":"HTTP_PROXY","method":"GET",`+timeout+`,"target":{"kind":"http","uri":"http://back.example/"}}},
			"GET /service":{"auth":{"type":"NONE"},"integration":{"type":"AWS","method":"POST",`+timeout+`,"target":{"kind":"service","service":"sqs","path":"1/q"},"responses":[{"status":"200"}]}}`, "")
		g := build(t, text, definition.Bindings{Strict: true, Functions: map[string]gatekit.Invoker{"F": waits},
			Upstreams: map[string]integration.HTTPConfig{"back.example": {Dial: hangs, ConnectTimeout: time.Hour}},
			Services: map[string]integration.ServiceConfig{"sqs": {Dial: hangs, ConnectTimeout: time.Hour, Credentials: func(context.Context) (integration.Credentials, error) {
				return integration.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
			}}}})
		for _, path := range []string{"/proxy", "/custom", "/http", "/service"} {
			began := time.Now()
			require.Contains(t, ask(g, "GET", "/prod"+path), "504", path)
			require.Equal(t, 1500*time.Millisecond, time.Since(began), path)
		}
		require.NoError(t, g.Close())
	})
}

// The program's own keys don't stand for the caller's.
func TestCallersCredentials(t *testing.T) {
	s, calls := emulator(t, `{}`)
	b := judged()
	b.Services = map[string]integration.ServiceConfig{"*": {Endpoint: s.URL, Credentials: func(context.Context) (integration.Credentials, error) {
		return integration.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
	}}}
	for target, flavor := range map[string]string{
		`"type":"AWS","target":{"kind":"service","service":"sqs","action":"ListQueues"}`:                                                             "REST",
		`"type":"AWS_PROXY","target":{"kind":"subtype","subtype":"SQS-SendMessage"},"request_parameters":{"QueueUrl":"https://q","MessageBody":"a"}`: "HTTP",
		`"type":"AWS_PROXY","target":{"kind":"lambda","function":"F"}`:                                                                               "REST",
	} {
		for _, partition := range []string{"aws", "aws-cn"} {
			text := apiOf(flavor, `"GET /a":{"auth":{"type":"NONE"},"integration":{"method":"POST","credentials":"arn:`+partition+`:iam::*:user/*",`+target+`}}`, `"stages":{"prod":{}}`)
			g := build(t, text, b)
			require.Contains(t, ask(g, "GET", "/prod/a"), "500", target)
			require.Empty(t, calls)
			found := g.Report().Of(definition.Unsupported)
			require.Len(t, found, 1, "%s", g.Report())
			require.Equal(t, "it is to be called with the caller's own credentials", found[0].What)
		}
	}
}
