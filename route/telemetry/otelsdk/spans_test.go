package otelsdk_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/telemetry"
)

func attributes(s tracetest.SpanStub) map[string]string {
	all := map[string]string{}
	for _, kv := range s.Attributes {
		all[string(kv.Key)] = kv.Value.String()
	}
	return all
}

// only returns the one server span.
func (r *rig) only(t *testing.T) tracetest.SpanStub {
	t.Helper()
	var found []tracetest.SpanStub
	for _, s := range r.spans.GetSpans() {
		if s.SpanKind == trace.SpanKindServer {
			found = append(found, s)
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

func TestSpan(t *testing.T) {
	r := newRig(t, telemetry.Config{}, sdktrace.AlwaysSample())
	w := send(api(t, r.Telemetry, gatekit.HTTP), "GET", "/orders/7?token=secret", "User-Agent", "curl/8")
	s := r.only(t)
	require.Equal(t, "GET /orders/{id}", s.Name)
	got := attributes(s)
	for name, want := range map[string]string{
		string(semconv.HTTPRequestMethodKey): "GET", string(semconv.HTTPRouteKey): "/orders/{id}", string(semconv.URLSchemeKey): "http",
		string(semconv.URLPathKey): "/orders/7", string(semconv.HTTPResponseStatusCodeKey): "200", string(semconv.ServerAddressKey): "example.com",
		string(semconv.ClientAddressKey): "192.0.2.1", string(semconv.UserAgentOriginalKey): "curl/8", string(semconv.NetworkProtocolVersionKey): "1.1",
		"gatekit.route_key": "GET /orders/{id}", "gatekit.api_id": "a1b2c3d4e5", "gatekit.stage": "prod",
		"gatekit.request_id": w.Header().Get("Apigw-Requestid"),
	} {
		require.Equal(t, want, got[name], name)
	}
	require.NotContains(t, strings.Join(strings.Fields(jsonOf(t, s)), " "), "secret")
	require.Equal(t, codes.Unset, s.Status.Code)
	require.Equal(t, "route", s.Events[0].Name)
}

func jsonOf(t *testing.T, s tracetest.SpanStub) string {
	t.Helper()
	b, err := json.Marshal([]any{s.Attributes, s.Events, s.Name})
	require.NoError(t, err)
	return string(b)
}

func TestSpanOfErrors(t *testing.T) {
	r := newRig(t, telemetry.Config{}, sdktrace.AlwaysSample())
	h := api(t, r.Telemetry, gatekit.HTTP)
	send(h, "GET", "/broken")
	s := r.only(t)
	require.Equal(t, codes.Error, s.Status.Code)
	require.Equal(t, "503", attributes(s)["error.type"])
	r.spans.Reset()
	send(h, "BREW", "/nothing")
	s = r.only(t)
	require.Equal(t, codes.Unset, s.Status.Code, "4xx is no error of a server")
	require.Equal(t, "HTTP", s.Name)
	require.Equal(t, "_OTHER", attributes(s)["http.request.method"])
	require.Equal(t, "BREW", attributes(s)["http.request.method_original"])
	r.spans.Reset()
	p := r.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no") }))
	require.Panics(t, func() { send(p, "GET", "/") })
	require.Equal(t, "panic", attributes(r.only(t))["error.type"])
}

// Notes that say how long something took are spans below the request's, others events.
func TestPhases(t *testing.T) {
	r := newRig(t, telemetry.Config{}, sdktrace.AlwaysSample())
	h := r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := gatekit.From(r.Context())
		require.True(t, rc.Keeps(gatekit.KeepTimes))
		began := rc.Clock()
		rc.Note(gatekit.Note{Phase: gatekit.PhaseAuthorizer, Rule: "lambda", Began: began, Took: 3 * time.Millisecond, RequestID: "aws-id"})
		rc.Note(gatekit.Note{Phase: gatekit.PhaseThrottle, Rule: "account", Left: 4, Limited: true})
		rc.Note(gatekit.Note{Phase: gatekit.PhaseIntegration, Verdict: gatekit.Failed, Status: 502, Began: began, Took: time.Second, Reason: "refused"})
		w.WriteHeader(502)
	}))
	send(h, "GET", "/")
	server := r.only(t)
	require.Len(t, server.Events, 1)
	require.Equal(t, "throttle", server.Events[0].Name)
	children := map[string]tracetest.SpanStub{}
	for _, s := range r.spans.GetSpans() {
		if s.Parent.SpanID() == server.SpanContext.SpanID() {
			children[s.Name] = s
		}
	}
	require.Len(t, children, 2)
	require.Equal(t, 3*time.Millisecond, children["authorizer"].EndTime.Sub(children["authorizer"].StartTime))
	require.Equal(t, "aws-id", attributes(children["authorizer"])["aws.request_id"])
	require.Equal(t, trace.SpanKindClient, children["integration"].SpanKind)
	require.Equal(t, codes.Error, children["integration"].Status.Code)
	require.Equal(t, "refused", attributes(children["integration"])["gatekit.reason"])
}

const (
	theirTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirParent = "00f067aa0ba902b7"
	traceparent = "00-" + theirTrace + "-" + theirParent + "-01"
	amznTrace   = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=" + theirParent + ";Sampled=1"
)

func TestWhoseTraceContextIsBelieved(t *testing.T) {
	const continued, linked, ignored = "continued", "linked", "ignored"
	for name, tt := range map[string]struct {
		remote        telemetry.Remote
		from          string // ContinueFrom; the peer is 192.0.2.1
		header, value string
		want          string
	}{
		"stranger":              {header: "Traceparent", value: traceparent, want: linked},
		"stranger-amzn":         {header: "X-Amzn-Trace-Id", value: amznTrace, want: linked},
		"ignored":               {remote: telemetry.IgnoreRemote, header: "Traceparent", value: traceparent, want: ignored},
		"anybody":               {remote: telemetry.InsecureContinueRemote, header: "Traceparent", value: traceparent, want: continued},
		"ours":                  {from: "192.0.2.0/24", header: "Traceparent", value: traceparent, want: continued},
		"ours-amzn":             {from: "192.0.2.0/24", header: "X-Amzn-Trace-Id", value: amznTrace, want: continued},
		"ours-though-ignored":   {remote: telemetry.IgnoreRemote, from: "192.0.2.1", header: "Traceparent", value: traceparent, want: continued},
		"another-network":       {from: "10.0.0.0/8", header: "Traceparent", value: traceparent, want: linked},
		"no-form":               {from: "192.0.2.1", header: "Traceparent", value: traceparent + "-x", want: ignored},
		"zero":                  {from: "192.0.2.1", header: "Traceparent", value: "00-00000000000000000000000000000000-" + theirParent + "-01", want: ignored},
		"upper-case":            {from: "192.0.2.1", header: "Traceparent", value: strings.ToUpper(traceparent), want: ignored},
		"amzn-without-a-parent": {from: "192.0.2.1", header: "X-Amzn-Trace-Id", value: "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", want: ignored},
		"amzn-zero":             {from: "192.0.2.1", header: "X-Amzn-Trace-Id", value: "Root=1-00000000-000000000000000000000000;Parent=" + theirParent, want: ignored},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := telemetry.Config{Remote: tt.remote}
			if tt.from != "" {
				cfg.ContinueFrom = []string{tt.from}
			}
			r := newRig(t, cfg, sdktrace.AlwaysSample())
			var inside *gatekit.TraceContext
			h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				inside = gatekit.From(r.Context()).TraceContext()
				require.Equal(t, trace.SpanContextFromContext(r.Context()).SpanID(), trace.SpanID(inside.SpanID))
				require.Empty(t, r.Header["Traceparent"], "a handler that reads it would begin beside the gateway")
			}))
			send(h, "GET", "/", tt.header, tt.value)
			s := r.only(t)
			require.Equal(t, trace.TraceID(inside.TraceID), s.SpanContext.TraceID())
			require.Equal(t, tt.want == continued, s.SpanContext.TraceID().String() == theirTrace)
			require.Equal(t, tt.want == continued, s.Parent.SpanID().String() == theirParent)
			require.Equal(t, tt.want == linked, len(s.Links) == 1)
			if tt.want == linked {
				require.Equal(t, theirTrace, s.Links[0].SpanContext.TraceID().String())
			}
		})
	}
}

// A stranger decides nothing about sampling: a parent-based sampler asks its root.
func TestStrangersDontSample(t *testing.T) {
	for _, from := range []string{"10.0.0.0/8", "192.0.2.1"} {
		r := newRig(t, telemetry.Config{ContinueFrom: []string{from}}, sdktrace.ParentBased(sdktrace.NeverSample()))
		send(r.Middleware(http.NotFoundHandler()), "GET", "/", "Traceparent", traceparent)
		require.Equal(t, from == "192.0.2.1", len(r.spans.GetSpans()) == 1)
	}
}

func TestBaggage(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg            telemetry.Config
		header, parsed bool
	}{
		"stranger": {},
		"kept":     {cfg: telemetry.Config{KeepBaggage: true}, header: true},
		"ours":     {cfg: telemetry.Config{ContinueFrom: []string{"192.0.2.1"}}, header: true, parsed: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.cfg, sdktrace.NeverSample())
			ran := false
			h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				ran = true
				require.Equal(t, tt.header, r.Header.Get("Baggage") != "")
				require.Equal(t, tt.parsed, baggage.FromContext(r.Context()).Member("user").Value() == "admin")
			}))
			in := httptest.NewRequest("GET", "/", nil)
			in.Header.Set("Baggage", "user=admin")
			h.ServeHTTP(httptest.NewRecorder(), in)
			require.True(t, ran)
			require.Equal(t, "user=admin", in.Header.Get("Baggage"), "the caller's request stays as it is")
		})
	}
}

// What a signature covers stays in the request, or nobody could verify it.
func TestSignedHeadersStay(t *testing.T) {
	r := newRig(t, telemetry.Config{}, sdktrace.NeverSample())
	h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.Equal(t, traceparent, r.Header.Get("Traceparent"))
		require.Empty(t, r.Header.Get("Tracestate"))
	}))
	send(h, "GET", "/", "Traceparent", traceparent, "Tracestate", "a=b",
		"Authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host;traceparent, Signature=y")
}

func TestHTTPBackendIsToldTheTrace(t *testing.T) {
	for name, sampler := range map[string]sdktrace.Sampler{"sampled": sdktrace.AlwaysSample(), "unsampled": sdktrace.NeverSample()} {
		for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
			t.Run(name+"-"+flavor.String(), func(t *testing.T) {
				r := newRig(t, telemetry.Config{}, sampler)
				got := make(chan http.Header, 1)
				backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
				defer backend.Close()
				proxy := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: backend.URL}))
				a := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor, APIID: "a", Stage: "s"}}))
				a.Use(r.Middleware)
				a.Handle("GET /a", proxy)
				require.Equal(t, 200, send(a, "GET", "/a", "Traceparent", traceparent, "Tracestate", "x=y", "X-Amzn-Trace-Id", amznTrace).Code)
				h := <-got
				parts := strings.Split(h.Get("Traceparent"), "-")
				require.Len(t, parts, 4)
				require.NotEqual(t, theirTrace, parts[1])
				require.Empty(t, h.Get("Tracestate"))
				sampled := strings.TrimPrefix(parts[3], "0")
				require.Equal(t, name == "sampled", sampled == "1")
				require.Equal(t, "Root=1-"+parts[1][:8]+"-"+parts[1][8:]+";Parent="+parts[2]+";Sampled="+sampled, h.Get("X-Amzn-Trace-Id"))
				if name == "sampled" {
					s := r.only(t)
					require.Equal(t, s.SpanContext.TraceID().String(), parts[1])
					require.Equal(t, s.SpanContext.SpanID().String(), parts[2])
				}
			})
		}
	}
}

func TestLambdaEventHasTheTrace(t *testing.T) {
	r := newRig(t, telemetry.Config{ContinueFrom: []string{"192.0.2.1"}}, sdktrace.AlwaysSample())
	a := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: "a", Stage: "s"}}))
	a.Use(r.Middleware)
	var header string
	f := lambda.NewHandler(func(e struct{ Headers map[string]string }) (string, error) {
		header = e.Headers["x-amzn-trace-id"]
		return "{}", nil
	})
	a.Handle("GET /a", gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{})))
	send(a, "GET", "/a", "Traceparent", traceparent)
	require.Equal(t, "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent="+r.only(t).SpanContext.SpanID().String()+";Sampled=1", header)
}

// Without an SDK, and with one that does nothing, everything is as without a Telemetry.
func TestNoop(t *testing.T) {
	tel := gatekit.Must(telemetry.New(telemetry.Config{TracerProvider: noop.NewTracerProvider()}))
	h := tel.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		require.Nil(t, gatekit.From(r.Context()).TraceContext())
		require.Equal(t, traceparent, r.Header.Get("Traceparent"))
	}))
	send(h, "GET", "/", "Traceparent", traceparent)
}

// The span of a handshake ends with the handshake.
func TestUpgrade(t *testing.T) {
	r := newRig(t, telemetry.Config{}, sdktrace.AlwaysSample())
	open, done := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"))
			<-open
			_ = conn.Close()
		}
		close(done)
	})))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 101, res.StatusCode)
	require.Equal(t, "101", attributes(r.only(t))["http.response.status_code"], "while the connection is open")
	close(open)
	<-done
	require.Eventually(t, func() bool { return r.read(t)["ApiGateway/Count{ApiId=,Stage=}"] == 1 }, 10*time.Second, time.Millisecond)
	require.Len(t, r.spans.GetSpans(), 1)
	for name := range r.read(t) {
		require.False(t, strings.HasPrefix(name, "ApiGateway/Latency") || strings.HasPrefix(name, "http.server.request"), name)
	}
}
