package integration_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// function is an Invoker.
type function func(context.Context, []byte) ([]byte, error)

func (f function) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }

// returns is a function that returns text.
func returns(text string) function {
	return func(context.Context, []byte) ([]byte, error) { return []byte(text), nil }
}

var identity = gatekit.API{AccountID: "123456789012", APIID: "a1b2c3d4e5", Region: "eu-west-1"}

// apiOf is an API whose routes one handler answers.
func apiOf(flavor gatekit.Flavor, stage string, h http.Handler, keys ...string) *route.API {
	of := identity
	of.Flavor, of.Stage = flavor, stage
	api := gatekit.Must(route.New(route.Config{API: of}))
	for _, key := range keys {
		api.Handle(key, h)
	}
	if !slices.Contains(keys, "$default") {
		api.Handle("$default", h)
	}
	return api
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// answerTo is what a client gets of an API whose function returned reply.
func answerTo(t *testing.T, flavor gatekit.Flavor, c integration.LambdaConfig, f gatekit.Invoker) *httptest.ResponseRecorder {
	t.Helper()
	h, err := integration.NewLambda(f, c)
	require.NoError(t, err)
	return serve(apiOf(flavor, "", h), httptest.NewRequest("GET", "/x", nil))
}

const (
	failedHTTP = `{"message":"Internal Server Error"}`
	failedREST = `{"message": "Internal server error"}`
)

// The table "Reply formats" of payload 2.0: a row each.
func TestRepliesV2(t *testing.T) {
	for _, tt := range []struct {
		name, reply string
		status      int
		contentType string
		body        string
	}{
		{"status", `{"statusCode":201,"body":"made","headers":{"Content-Type":"text/html"}}`, 201, "text/html", "made"},
		{"no-content-type", `{"statusCode":200,"body":"{}"}`, 200, "text/plain; charset=utf-8", "{}"},
		{"object", `{"a": 1}`, 200, "application/json", `{"a": 1}`},
		{"whitespace", " {\"a\" :\n1} ", 200, "application/json", " {\"a\" :\n1} "},
		{"array", `[1, 2]`, 200, "application/json", `[1, 2]`},
		{"number", `42`, 200, "application/json", `42`},
		{"boolean", `true`, 200, "application/json", `true`},
		{"null", `null`, 200, "application/json", `null`},
		{"string", `"Hello \"you\"\n\u00e9"`, 200, "application/json", "Hello \"you\"\né"},
		{"empty-string", `""`, 200, "application/json", ""},
		{"truncated", `{"a": 1,`, 200, "application/json", `{"a": 1,`},
		{"not-json", `hello`, 200, "application/json", `hello`},
		{"nothing", ``, 200, "application/json", ``},
		{"nested-status", `{"a":{"statusCode":404}}`, 200, "application/json", `{"a":{"statusCode":404}}`},
		{"zero", `{"statusCode":0}`, 500, "application/json", failedHTTP},
		{"fraction", `{"statusCode":200.5}`, 500, "application/json", failedHTTP},
		{"status-null", `{"statusCode":null}`, 500, "application/json", failedHTTP},
		{"status-99", `{"statusCode":99}`, 500, "application/json", failedHTTP},
		{"status-101", `{"statusCode":101}`, 500, "application/json", failedHTTP},
		{"status-1000", `{"statusCode":1000}`, 500, "application/json", failedHTTP},
		{"status-negative", `{"statusCode":-200}`, 500, "application/json", failedHTTP},
		{"status-string", `{"statusCode":"404","body":"gone"}`, 404, "text/plain; charset=utf-8", "gone"},
		{"status-text", `{"statusCode":"abc"}`, 500, "application/json", failedHTTP},
		{"status-huge", `{"statusCode":1e99999}`, 500, "application/json", failedHTTP},
		{"extra-key", `{"statusCode":200,"body":"b","x":1,"multiValueHeaders":{"X":["1"]}}`, 200, "text/plain; charset=utf-8", "b"},
		{"base64", `{"statusCode":200,"body":"aGVsbG8=","isBase64Encoded":true}`, 200, "text/plain; charset=utf-8", "hello"},
		{"base64-bad", `{"statusCode":200,"body":"%%%","isBase64Encoded":true}`, 500, "application/json", failedHTTP},
		{"base64-word", `{"statusCode":200,"body":"x","isBase64Encoded":"true"}`, 500, "application/json", failedHTTP},
		{"body-null", `{"statusCode":200,"body":null,"headers":null,"cookies":null,"isBase64Encoded":null}`, 200, "text/plain; charset=utf-8", ""},
		{"body-object", `{"statusCode":200,"body":{"a":1}}`, 500, "application/json", failedHTTP},
		{"headers-list", `{"statusCode":200,"headers":["a"]}`, 500, "application/json", failedHTTP},
		{"header-object", `{"statusCode":200,"headers":{"x":{}}}`, 500, "application/json", failedHTTP},
		{"cookies-text", `{"statusCode":200,"cookies":"a=1"}`, 500, "application/json", failedHTTP},
		{"last-wins", `{"statusCode":200,"body":"a","statusCode":202,"body":"b"}`, 202, "text/plain; charset=utf-8", "b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := answerTo(t, gatekit.HTTP, integration.LambdaConfig{}, returns(tt.reply))
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.body, w.Body.String())
			require.Equal(t, tt.contentType, w.Header().Get("Content-Type"))
			require.Equal(t, fmt.Sprint(len(tt.body)), w.Header().Get("Content-Length"))
		})
	}
}

func TestRepliesV1(t *testing.T) {
	for _, tt := range []struct {
		name, reply string
		status      int
		body        string
	}{
		{"status", `{"statusCode":201,"body":"made"}`, 201, "made"},
		{"extra-key", `{"statusCode":200,"body":"b","x":1,"cookies":["a=1"]}`, 200, "b"},
		{"base64", `{"statusCode":200,"body":"aGVsbG8=","isBase64Encoded":true}`, 200, "hello"},
		{"missing", `{"body":"b"}`, 500, failedHTTP},
		{"zero", `{"statusCode":0}`, 500, failedHTTP},
		{"string", `"Hello"`, 500, failedHTTP},
		{"list", `[]`, 500, failedHTTP},
		{"null", `null`, 500, failedHTTP},
		{"truncated", `{"statusCode":200`, 500, failedHTTP},
		{"nothing", ``, 500, failedHTTP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := answerTo(t, gatekit.HTTP, integration.LambdaConfig{PayloadFormatVersion: "1.0"}, returns(tt.reply))
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.body, w.Body.String())
			require.Empty(t, w.Header()["Set-Cookie"])
			if tt.status < 500 {
				require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			}
		})
	}
}

// The response contract of REST APIs: a row each.
func TestRepliesREST(t *testing.T) {
	for _, tt := range []struct {
		name, reply string
		status      int
		body        string
	}{
		{"empty", `{}`, 200, ""},
		{"only-body", `{"body":"b"}`, 200, "b"},
		{"only-status", `{"statusCode":204}`, 204, ""},
		{"extra-key", `{"statusCode":200,"cookies":[]}`, 502, failedREST},
		{"other-case", `{"StatusCode":200}`, 502, failedREST},
		{"string", `"Hello"`, 502, failedREST},
		{"list", `[]`, 502, failedREST},
		{"number", `1`, 502, failedREST},
		{"null", `null`, 502, failedREST},
		{"truncated", `{"statusCode":200`, 502, failedREST},
		{"nothing", ``, 502, failedREST},
		{"status-string", `{"statusCode":"201"}`, 201, ""},
		{"status-word", `{"statusCode":"abc"}`, 502, failedREST},
		{"status-0", `{"statusCode":0}`, 502, failedREST},
		{"status-99", `{"statusCode":99}`, 502, failedREST},
		{"status-1000", `{"statusCode":1000}`, 502, failedREST},
		{"headers-null", `{"headers":null,"multiValueHeaders":null}`, 200, ""},
		{"multi-no-list", `{"multiValueHeaders":{"X":"a"}}`, 502, failedREST},
		{"multi-no-object", `{"multiValueHeaders":["a"]}`, 502, failedREST},
		{"body-object", `{"body":{}}`, 502, failedREST},
		{"base64-not-accepted", `{"body":"aGVsbG8=","isBase64Encoded":true}`, 200, "aGVsbG8="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := answerTo(t, gatekit.REST, integration.LambdaConfig{}, returns(tt.reply))
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.body, w.Body.String())
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			if tt.status == 502 {
				require.Equal(t, "36", w.Header().Get("Content-Length"))
				require.Equal(t, "InternalServerErrorException", w.Header().Get("x-amzn-ErrorType"))
				require.Empty(t, w.Header().Get("X-Amzn-Trace-Id"), "not with what the gateway says itself")
			} else {
				require.Regexp(t, `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`, w.Header().Get("X-Amzn-Trace-Id"))
			}
		})
	}
}

// REST APIs turn base64 into bytes only for clients whose first accepted type is binary, whatever
// the answer's own type.
func TestBase64RepliesREST(t *testing.T) {
	const reply = `{"body":"aGVsbG8=","isBase64Encoded":true,"headers":{"Content-Type":"text/plain"}}`
	for _, tt := range []struct{ accept, types, want string }{
		{"image/png", "image/png", "hello"},
		{"IMAGE/PNG;q=0.5, text/html", "image/png", "hello"},
		{"text/html, image/png", "image/png", "aGVsbG8="},
		{"image/gif", "image/*", "hello"},
		{"*/*", "image/png", "aGVsbG8="},
		{"", "image/png", "aGVsbG8="},
		{"", "*/*", "hello"},
		{"text/html", "*/*", "hello"},
	} {
		h := gatekit.Must(integration.NewLambda(returns(reply), integration.LambdaConfig{BinaryMediaTypes: []string{tt.types}}))
		r := httptest.NewRequest("GET", "/", nil)
		if tt.accept != "" {
			r.Header.Set("Accept", tt.accept)
		}
		require.Equal(t, tt.want, serve(apiOf(gatekit.REST, "prod", h), r).Body.String(), tt)
	}
	w := answerTo(t, gatekit.REST, integration.LambdaConfig{BinaryMediaTypes: []string{"*/*"}}, returns(`{"body":"%%","isBase64Encoded":true}`))
	require.Equal(t, 500, w.Code, "recorded: 500, where other malformed replies are 502")
	require.Equal(t, failedREST, w.Body.String())
}

func TestReplyHeaders(t *testing.T) {
	const both = `{"statusCode":200,"headers":{"my-header":"single","X-Bool":true,"X-Num":7,"X-Null":null,"x-trim":" a\tb "},"multiValueHeaders":{"My-Header":["m1","m2"],"X-None":null}}`
	v1 := answerTo(t, gatekit.HTTP, integration.LambdaConfig{PayloadFormatVersion: "1.0"}, returns(both)).Header()
	require.Equal(t, []string{"single", "m1", "m2"}, v1["My-Header"])
	rest := answerTo(t, gatekit.REST, integration.LambdaConfig{}, returns(both)).Header()
	require.Equal(t, []string{"m1", "m2", "single"}, rest["My-Header"])
	require.Equal(t, []string{"true"}, rest["X-Bool"])
	require.Equal(t, []string{"7"}, rest["X-Num"])
	require.Equal(t, []string{"a\tb"}, rest["X-Trim"])
	require.NotContains(t, rest, "X-Null")
	require.NotContains(t, rest, "X-None")

	// A pair that is in both is sent once, on REST APIs: whatever letter case its names have, and
	// whichever type its value.
	const twice = `{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"*","x-a":"2","X-N":1,"X-Own":"o","set-cookie":"a=1"},` +
		`"multiValueHeaders":{"access-control-allow-origin":["*"],"X-A":["1"," 2 ","1"],"x-n":["1"],"X-Multi":["m","m"],"Set-Cookie":["a=1","b=2"]}}`
	rest = answerTo(t, gatekit.REST, integration.LambdaConfig{}, returns(twice)).Header()
	for name, want := range map[string][]string{
		"Access-Control-Allow-Origin": {"*"}, "X-A": {"1", "2", "1"}, "X-N": {"1"}, "X-Own": {"o"}, "X-Multi": {"m", "m"}, "Set-Cookie": {"a=1", "b=2"},
	} {
		require.Equal(t, want, rest[name], name)
	}

	v2 := answerTo(t, gatekit.HTTP, integration.LambdaConfig{}, returns(`{"statusCode":200,"headers":{"set-cookie":"c=3","x":"1"},"cookies":["a=1; Path=/","b=2"]}`)).Header()
	require.Equal(t, []string{"a=1; Path=/", "b=2", "c=3"}, v2["Set-Cookie"], "the list first")

	const own = `{"statusCode":200,"body":"x","headers":{"Connection":"close","Content-Length":"99","Date":"d","Server":"s","Transfer-Encoding":"chunked","Authorization":"a","Host":"h","User-Agent":"u","WWW-Authenticate":"w","Trailer":"X-Ok","Upgrade":"h2c","Keep-Alive":"k","Apigw-Requestid":"mine","X-Amzn-Requestid":"mine","X-Amz-Apigw-Id":"mine","X-Ok":"ok"}}`
	http := answerTo(t, gatekit.HTTP, integration.LambdaConfig{}, returns(own)).Header()
	for _, name := range []string{"Connection", "Date", "Transfer-Encoding", "Keep-Alive", "Trailer", "Upgrade"} {
		require.NotContains(t, http, name)
	}
	require.Equal(t, "1", http.Get("Content-Length"))
	require.Len(t, http.Get("Apigw-Requestid"), 16)
	require.Equal(t, "ok", http.Get("X-Ok"))
	require.Equal(t, "w", http.Get("Www-Authenticate"))
	rest = answerTo(t, gatekit.REST, integration.LambdaConfig{}, returns(own)).Header()
	for name, value := range map[string]string{"Connection": "close", "Content-Length": "99", "Date": "d", "Server": "s", "Authorization": "a", "Host": "h", "User-Agent": "u", "Www-Authenticate": "w", "Trailer": "X-Ok", "Upgrade": "h2c"} {
		require.Equal(t, value, rest.Get("x-amzn-Remapped-"+name), name)
		if name != "Content-Length" {
			require.Empty(t, rest.Get(name), name)
		}
	}
	require.Equal(t, "1", rest.Get("Content-Length"))
	require.NotContains(t, rest, "Transfer-Encoding")
	require.NotEqual(t, "mine", rest.Get("X-Amzn-Requestid"))
	require.NotEqual(t, "mine", rest.Get("X-Amz-Apigw-Id"))
}

// An answer to HEAD, 204 and 304 has no body on a real connection.
func TestNoBody(t *testing.T) {
	h := gatekit.Must(integration.NewLambda(returns(`{"statusCode":200,"body":"hello"}`), integration.LambdaConfig{}))
	server := httptest.NewServer(apiOf(gatekit.HTTP, "", h))
	defer server.Close()
	w, err := http.Head(server.URL)
	require.NoError(t, err)
	w.Body.Close()
	require.EqualValues(t, 5, w.ContentLength)
	w2 := answerTo(t, gatekit.HTTP, integration.LambdaConfig{}, returns(`{"statusCode":304,"body":"hello"}`))
	require.Empty(t, w2.Body.String())
	require.Empty(t, w2.Header().Get("Content-Length"))
}

// outcome serves one request and returns what is noted of it.
func outcome(t *testing.T, flavor gatekit.Flavor, c integration.LambdaConfig, f gatekit.Invoker) (*httptest.ResponseRecorder, *gatekit.RequestContext) {
	t.Helper()
	h := gatekit.Must(integration.NewLambda(f, c))
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/x", nil))
	return serve(apiOf(flavor, "", h), r), rc
}

type coded struct{ error }

func (coded) ErrorCode() string { return "AccessDeniedException" }

func TestFailures(t *testing.T) {
	boom := errors.New("secret detail")
	for _, tt := range []struct {
		name       string
		f          gatekit.Invoker
		rest, http int
		logged     string
	}{
		{"error", lambda.NewHandler(func() (string, error) { return "", boom }), 502, 500, "secret detail"},
		{"error-without-text", function(func(context.Context, []byte) ([]byte, error) { return nil, &integration.FunctionError{Type: "T"} }), 502, 500, "T"},
		{"panic", lambda.NewHandler(func() (string, error) { panic("secret panic") }), 502, 500, "secret panic"},
		{"panic-runtime", lambda.NewHandler(func() (string, error) { return strings.Repeat("x", -len("xx")), nil }), 502, 500, "strings: negative Repeat count"},
		{"function-error", function(func(context.Context, []byte) ([]byte, error) {
			kind := "Unhandled"
			return integration.FunctionResult(&kind, []byte(`{"errorMessage":"m","errorType":"E"}`))
		}), 502, 500, "m"},
		{"not-permitted", function(func(context.Context, []byte) ([]byte, error) { return nil, coded{boom} }), 500, 500, ""},
		{"throttled", function(func(context.Context, []byte) ([]byte, error) {
			return nil, &integration.InvokeError{Status: 429, Code: "TooManyRequestsException"}
		}), 500, 500, ""},
		{"own-error-with-code", lambda.NewHandler(func() (string, error) { return "", coded{boom} }), 502, 500, "secret detail"},
		{"deadline-of-its-own", lambda.NewHandler(func() (string, error) { return "", context.DeadlineExceeded }), 502, 500, "context deadline exceeded"},
		{"too-large", returns(`{"body":"` + strings.Repeat("x", 6<<20) + `"}`), 502, 500, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, rc := outcome(t, gatekit.REST, integration.LambdaConfig{}, tt.f)
			require.Equal(t, tt.rest, w.Code)
			require.Equal(t, failedREST, w.Body.String())
			require.Equal(t, tt.logged, rc.Integration().FunctionError)
			w, rc = outcome(t, gatekit.HTTP, integration.LambdaConfig{}, tt.f)
			require.Equal(t, tt.http, w.Code)
			require.Equal(t, failedHTTP, w.Body.String())
			require.Equal(t, tt.logged, rc.Integration().FunctionError)
			require.NotNil(t, rc.Rejection().Cause)
		})
	}
}

func TestOutcomeIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, rc := outcome(t, gatekit.HTTP, integration.LambdaConfig{}, function(func(context.Context, []byte) ([]byte, error) {
			time.Sleep(time.Second)
			return []byte(`{"statusCode":404}`), nil
		}))
		require.Equal(t, &gatekit.Integration{Status: 404, ServiceStatus: 200, Latency: time.Second}, rc.Integration())
	})
}

// The timeouts are the flavor's, and hold for functions that don't heed their context, too.
func TestTimeouts(t *testing.T) {
	for _, tt := range []struct {
		flavor  gatekit.Flavor
		timeout time.Duration
		after   time.Duration
		status  int
		body    string
	}{
		{gatekit.REST, 0, 29 * time.Second, 504, `{"message": "Endpoint request timed out"}`},
		{gatekit.HTTP, 0, 30 * time.Second, 503, `{"message":"Service Unavailable"}`},
		{gatekit.HTTP, 50 * time.Millisecond, 50 * time.Millisecond, 503, `{"message":"Service Unavailable"}`},
		{gatekit.REST, time.Minute, time.Minute, 504, `{"message": "Endpoint request timed out"}`},
	} {
		for _, heeds := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				h := gatekit.Must(integration.NewLambda(function(func(ctx context.Context, _ []byte) ([]byte, error) {
					if heeds {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					time.Sleep(time.Hour)
					return []byte(`"late"`), nil
				}), integration.LambdaConfig{Timeout: tt.timeout}))
				began := time.Now()
				w := serve(apiOf(tt.flavor, "", h), httptest.NewRequest("GET", "/", nil))
				require.Equal(t, tt.after, time.Since(began))
				require.Equal(t, tt.status, w.Code)
				require.Equal(t, tt.body, w.Body.String())
				require.NoError(t, h.Shutdown(t.Context()), "it waits for what goes on")
			})
		}
	}
}

// A function finishes what it has begun when its client goes away, and counts until then.
func TestClientGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var finished atomic.Bool
		var ended error
		h := gatekit.Must(integration.NewLambda(function(func(ctx context.Context, _ []byte) ([]byte, error) {
			time.Sleep(10 * time.Second)
			ended = ctx.Err()
			finished.Store(true)
			return []byte(`{}`), nil
		}), integration.LambdaConfig{Concurrency: 1}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		serve(apiOf(gatekit.HTTP, "", h), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		require.Equal(t, time.Second, time.Since(began))
		require.False(t, finished.Load())
		require.Equal(t, 500, serve(apiOf(gatekit.HTTP, "", h), httptest.NewRequest("GET", "/", nil)).Code, "throttled: one runs")
		time.Sleep(10 * time.Second)
		require.True(t, finished.Load())
		require.NoError(t, ended)
		require.Equal(t, 200, serve(apiOf(gatekit.HTTP, "", h), httptest.NewRequest("GET", "/", nil)).Code)
	})
}

// The context of a call that nobody waits for ends with the call, and not with its timeout.
func TestAbandonedCallIsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := make(chan context.Context, 1)
		h := gatekit.Must(integration.NewLambda(function(func(ctx context.Context, _ []byte) ([]byte, error) {
			began <- ctx
			time.Sleep(10 * time.Second)
			return []byte(`{}`), nil
		}), integration.LambdaConfig{}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		at := time.Now()
		serve(apiOf(gatekit.HTTP, "", h), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		of := <-began
		require.NoError(t, of.Err(), "the function goes on")
		<-of.Done()
		require.ErrorIs(t, of.Err(), context.Canceled)
		require.Equal(t, 10*time.Second, time.Since(at))
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := gatekit.Must(integration.NewLambda(function(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), integration.LambdaConfig{}))
		codes := make(chan int, 1)
		go func() { codes <- serve(apiOf(gatekit.HTTP, "", h), httptest.NewRequest("GET", "/", nil)).Code }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, h.Shutdown(ctx), context.DeadlineExceeded)
		require.Equal(t, 500, <-codes)
		require.Equal(t, 500, serve(apiOf(gatekit.HTTP, "", h), httptest.NewRequest("GET", "/", nil)).Code, "none begins any more")
	})
}

// What aws-lambda-go's users find in their context.
func TestLambdaContext(t *testing.T) {
	var got *lambdacontext.LambdaContext
	h := gatekit.Must(integration.NewLambda(lambda.NewHandler(func(ctx context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		got, _ = lambdacontext.FromContext(ctx)
		require.Equal(t, got.AwsRequestID, e.RequestContext.RequestID)
		_, ok := ctx.Deadline()
		require.True(t, ok)
		return events.APIGatewayProxyResponse{StatusCode: 200}, nil
	}), integration.LambdaConfig{FunctionARN: "arn:aws:lambda:eu-west-1:123456789012:function:f"}))
	w := serve(apiOf(gatekit.REST, "prod", h), httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 200, w.Code)
	require.Equal(t, w.Header().Get("x-amzn-RequestId"), got.AwsRequestID)
	require.Equal(t, "arn:aws:lambda:eu-west-1:123456789012:function:f", got.InvokedFunctionArn)
}

func TestLambdaConfig(t *testing.T) {
	_, err := integration.NewLambda(nil, integration.LambdaConfig{
		PayloadFormatVersion: "3.0", BinaryMediaTypes: []string{"image/png", "png", "*/png", "a b/c", ""}, Timeout: time.Millisecond,
		MaxRequestBytes: -1, MaxEventBytes: 2 << 30, MaxReplyBytes: -1, Concurrency: -1, IdleTimeout: time.Hour,
	})
	for _, want := range []string{
		"want an Invoker, got nil", `PayloadFormatVersion: want 1.0 or 2.0, got "3.0"`, `[1]: want a type`, `[3]: want`, `[4]: want`,
		"LambdaConfig.Timeout: want 0s, or 50ms to 15m0s, got 1ms", "MaxRequestBytes: want 0 to", "MaxEventBytes: want", "MaxReplyBytes: want", "Concurrency: want",
		"IdleTimeout: want Stream with it", "IdleTimeout: want 0s, or 50ms",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "[0]")
	require.NotContains(t, err.Error(), "[2]", "AWS takes a wildcard on the left, and it matches nothing")
}

func TestFunctionResult(t *testing.T) {
	out, err := integration.FunctionResult(nil, []byte("x"))
	require.NoError(t, err)
	require.Equal(t, "x", string(out))
	kind := ""
	_, err = integration.FunctionResult(&kind, nil)
	require.NoError(t, err)
	kind = "Unhandled"
	_, err = integration.FunctionResult(&kind, []byte(`{"errorMessage":"Task timed out after 3.00 seconds"}`))
	var failed *integration.FunctionError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "Unhandled", failed.Type)
	require.Equal(t, "Task timed out after 3.00 seconds", failed.Message)
	require.Equal(t, `{"errorMessage":"Task timed out after 3.00 seconds"}`, string(failed.JSON()))
	require.ErrorContains(t, err, "Task timed out")
	_, err = integration.FunctionResult(&kind, []byte(`not json`))
	require.ErrorAs(t, err, &failed)
	require.JSONEq(t, `{"errorMessage":"not json","errorType":"Unhandled"}`, string(failed.JSON()))
	require.ErrorContains(t, &integration.InvokeError{Status: 403, Code: "AccessDeniedException"}, "403 AccessDeniedException")
}

// An Accept header without a slash is no type of any kind, and a wildcard on the left of a binary
// type matches nothing.
func TestBinaryTypesThatAreNone(t *testing.T) {
	f := function(func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`), nil
	})
	h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{BinaryMediaTypes: []string{"image/*", "*/png"}}))
	for accept, want := range map[string]string{
		"image/png": "hi", "image": "aGk=", "image;q=1": "aGk=", "text/png": "aGk=", "*/png": "aGk=", "*/*": "aGk=", "": "aGk=",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		w := serve(apiOf(gatekit.REST, "prod", h), r)
		require.Equal(t, want, w.Body.String(), "Accept: %q", accept)
	}
}
