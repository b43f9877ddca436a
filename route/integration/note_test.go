package integration_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/notetest"
	"github.com/gatekit-go/gatekit/route/integration"
)

// noted serves r, and returns the notes and the outcome of the call.
func noted(t testing.TB, h http.Handler, r *http.Request) (notetest.Notes, *gatekit.Integration) {
	t.Helper()
	notes, r := notetest.Keep(t, r)
	h.ServeHTTP(httptest.NewRecorder(), r)
	i := gatekit.From(r.Context()).Integration()
	if i == nil {
		i = &gatekit.Integration{}
	}
	return notes, i
}

func get(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }

func TestHTTPNotes(t *testing.T) {
	up := addressOf(backend(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Amzn-Requestid"], h["X-Amz-Id-2"] = []string{"id-1"}, []string{strings.Repeat("e", 500)}
		w.WriteHeader(201)
	}))
	ill := addressOf(backend(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	down := closedAddress(t)
	retry := integration.Retry{Statuses: []int{503}}
	of := func(addresses ...string) http.Handler {
		return newProxy(t, integration.HTTPConfig{URI: "http://pets", Upstreams: upstreams(addresses...), Retry: retry, Ejection: integration.Ejection{Failures: 1}})
	}
	for _, tt := range []struct {
		name, want string
		h          http.Handler
	}{
		{"answered", "integration passed (" + up + ") 201", of(up)},
		{"one", "integration passed 201", newProxy(t, integration.HTTPConfig{URI: "http://" + up})},
		{"unreachable-first", "integration retried (" + down + "), integration passed (" + up + ") 201", of(down, up)},
		{"status-first", "integration retried (" + ill + ") 503, integration passed (" + up + ") 201", of(ill, up)},
		{"ill-alone", "integration passed (" + ill + ") 503", of(ill)},
		{"down-alone", "integration failed, integration refused (INTEGRATION_FAILURE) 503", newProxy(t, integration.HTTPConfig{URI: "http://" + down})},
		{"too-large", "integration failed 200, integration refused (API_CONFIGURATION_ERROR) 500", newProxy(t, integration.HTTPConfig{
			URI: "http://" + addressOf(backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "12345") })), MaxResponseBytes: 4,
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			notes, _ := noted(t, tt.h, get("/s3cret?a=s3cret"))
			require.Equal(t, tt.want, notes.String())
			require.NotContains(t, notes.Verbose(), "s3cret")
		})
	}
	notes, i := noted(t, of(down, up), get("/"))
	require.Contains(t, notes.Verbose(), "ejected: dial tcp")
	require.Equal(t, gatekit.Integration{Status: 201, RequestID: "id-1", ExtendedRequestID: strings.Repeat("e", 128), Upstream: up, Latency: i.Latency}, *i)
	_, i = noted(t, newProxy(t, integration.HTTPConfig{URI: "http://" + down}), get("/"))
	require.ErrorContains(t, i.Err, "connection refused")
}

// What breaks off after the answer has begun is noted as well.
func TestCutAnswersAreNoted(t *testing.T) {
	up := rawBackend(t, func(conn net.Conn, _ string) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
	})
	p := newProxy(t, integration.HTTPConfig{URI: up})
	notes, r := notetest.Keep(t, get("/"))
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { p.ServeHTTP(httptest.NewRecorder(), r) })
	require.Equal(t, "integration failed 200", notes.String())
	require.Contains(t, notes.Verbose(), "unexpected EOF")
}

func TestLambdaNotes(t *testing.T) {
	boom := errors.New("boom")
	told := function(func(ctx context.Context, _ []byte) ([]byte, error) {
		integration.TellRequestID(ctx, "id-"+strings.Repeat("x", 200))
		return []byte(`{"statusCode":404}`), nil
	})
	for _, tt := range []struct {
		name, want string
		f          gatekit.Invoker
		service    int
	}{
		{"local", "integration passed 200", lambda.NewHandler(func() (string, error) { return "", nil }), 200},
		{"local-error", "integration failed, integration refused (INTEGRATION_FAILURE) 500", lambda.NewHandler(func() (string, error) { return "", boom }), 200},
		{"told", "integration passed 404", told, 200},
		{"malformed", "integration failed, integration refused (INTEGRATION_FAILURE) 500", returns(`{"statusCode":{}}`), 200},
		{"function-error", "integration failed, integration refused (INTEGRATION_FAILURE) 500", fails(&integration.FunctionError{Type: "T"}), 200},
		{"throttled", "integration failed, integration refused (API_CONFIGURATION_ERROR) 500", fails(&integration.InvokeError{Status: 429}), 429},
		{"unreachable", "integration failed, integration refused (INTEGRATION_FAILURE) 500", fails(boom), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			notes, i := noted(t, apiOf(gatekit.HTTP, "", gatekit.Must(integration.NewLambda(tt.f, integration.LambdaConfig{}))), get("/x"))
			_, after, _ := strings.Cut(notes.String(), "integration ")
			require.Equal(t, tt.want, "integration "+after)
			require.Equal(t, tt.service, i.ServiceStatus)
			if strings.Contains(tt.want, "failed") {
				require.True(t, i.Err != nil || i.FunctionError != "")
			}
		})
	}
	rc, r := gatekit.Attach(get("/x"))
	serve(gatekit.Must(integration.NewLambda(lambda.NewHandler(func() (string, error) { return "", nil }), integration.LambdaConfig{})), r)
	require.Equal(t, rc.RequestID(), rc.Integration().RequestID)
	_, i := noted(t, gatekit.Must(integration.NewLambda(told, integration.LambdaConfig{})), get("/"))
	require.Equal(t, "id-"+strings.Repeat("x", 125), i.RequestID)
	hangs := function(func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
	notes, i := noted(t, gatekit.Must(integration.NewLambda(hangs, integration.LambdaConfig{Timeout: 50 * time.Millisecond})), get("/"))
	require.Equal(t, "integration failed, integration refused (INTEGRATION_TIMEOUT) 503", notes.String())
	require.Zero(t, i.ServiceStatus)
	require.ErrorContains(t, i.Err, "timeout")
}

func fails(err error) gatekit.Invoker {
	return function(func(context.Context, []byte) ([]byte, error) { return nil, err })
}

func TestLambdaCustomNotes(t *testing.T) {
	for _, tt := range []struct {
		body, kind string
		f          gatekit.Invoker
		want       string
	}{
		{"", "", returns("1"), "200 200 "},
		{"", "", fails(&integration.FunctionError{Message: "m"}), "200 200 m"},
		{"{", "", returns("1"), "400 400 "},
		{"", "Event", returns("1"), "202 202 "},
		{"", "", fails(&integration.InvokeError{Status: 403}), "0 403 "},
	} {
		_, i := custom(t, tt.f, tt.body, tt.kind)
		require.Equal(t, tt.want, fmt.Sprint(i.Status, i.ServiceStatus, " ", i.FunctionError))
	}
}

func TestMockNotes(t *testing.T) {
	notes, i := noted(t, gatekit.Must(integration.NewMock(integration.MockConfig{Status: 204})), get("/"))
	require.Equal(t, "integration answered 204", notes.String())
	require.True(t, i.Mock)
}

func TestEndpointTellsOfTheCall(t *testing.T) {
	url := backend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "id-1")
		if r.URL.Path != "/" {
			w.WriteHeader(429)
		}
		_, _ = io.WriteString(w, `{"statusCode":201}`)
	}).URL
	for path, status := range map[string]int{"/": 200, "/throttled": 429} {
		e := gatekit.Must(integration.NewEndpoint(integration.EndpointConfig{URL: url + path}))
		_, i := noted(t, gatekit.Must(integration.NewLambda(e, integration.LambdaConfig{})), get("/"))
		require.Equal(t, "id-1", i.RequestID)
		require.Equal(t, status, i.ServiceStatus)
	}
}

func TestServiceNotes(t *testing.T) {
	e := newEmulator(t, "sqs", region, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "id-1")
		w.WriteHeader(400)
	})
	s := newService(t, integration.ServiceConfig{
		Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Region: region, Endpoint: e.URL,
	})
	notes, i := noted(t, s, get("/"))
	require.Equal(t, "integration passed 400, integration refused (API_CONFIGURATION_ERROR) 500", notes.String())
	require.Equal(t, "id-1", i.RequestID)
	require.NotContains(t, notes.Verbose(), testKey.SecretAccessKey)
	s = newService(t, integration.ServiceConfig{
		Subtype: "SQS-PurgeQueue", RequestParameters: map[string]string{"QueueUrl": "q"}, Region: region, Endpoint: "http://" + closedAddress(t),
	})
	notes, _ = noted(t, s, get("/"))
	require.Contains(t, notes.String(), "integration failed, integration refused ")
}

// A backend that answers when its client has got another answer.
func TestLateNotes(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	p := newProxy(t, integration.HTTPConfig{URI: backend(t, func(http.ResponseWriter, *http.Request) { <-release }).URL})
	h := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		p.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	}), time.Millisecond, "")
	rc, r := gatekit.Attach(get("/"))
	notes := rc.KeepNotes(notetest.Everything)
	h.ServeHTTP(httptest.NewRecorder(), r)
	notes.Each(func(n *gatekit.Note) { t.Error(n) })
	notes.Release()
	close(release)
	<-done
	notes.Each(func(n *gatekit.Note) { t.Error(n) })
	require.Equal(t, 200, rc.Integration().Status)
}
