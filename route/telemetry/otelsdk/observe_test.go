package otelsdk_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/metering"
	"github.com/gatekit-go/gatekit/route/telemetry"
	"github.com/gatekit-go/gatekit/route/websocket"
)

func TestWebSocket(t *testing.T) {
	for name, detailed := range map[string]bool{"detailed": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, telemetry.Config{Detailed: detailed}, sdktrace.AlwaysSample())
			chat := gatekit.Must(websocket.New(t.Context(), websocket.Config{
				API: gatekit.API{APIID: "chat", Stage: "prod"}, RouteSelection: "$request.body.action",
			}))
			answer := func(status int, text string) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					gatekit.From(r.Context()).SetIntegration(gatekit.Integration{Status: status, Latency: time.Millisecond})
					_, _ = w.Write([]byte(text))
				})
			}
			chat.Handle("echo", answer(200, "hello"))
			chat.Handle("bad", answer(500, "oh"))
			chat.Handle("late", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout})
			}))
			chat.UseMessages(r.Middleware)
			require.NoError(t, r.ObserveWebSocket(chat))
			meter := gatekit.Must(metering.New(metering.Config{}))
			meter.Observe(chat)
			require.NoError(t, r.ObserveMeter(meter))
			srv := httptest.NewServer(chat)
			defer srv.Close()
			conn, _, _, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"))
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			for _, action := range []string{"echo", "echo", "bad", "late", "none"} {
				require.NoError(t, wsutil.WriteClientText(conn, []byte(`{"action":"`+action+`"}`)))
				_, err := wsutil.ReadServerText(conn)
				require.NoError(t, err)
			}
			// The counts of a message are made before its answer is sent, but for the answer's own.
			require.Eventually(t, func() bool { return chat.Metrics().MessageCount == 10 }, 10*time.Second, time.Millisecond)
			got := r.read(t)
			const all = "{ApiId=chat,Stage=prod}"
			of := func(route string) string { return "{ApiId=chat,Route=" + route + ",Stage=prod}" }
			require.EqualValues(t, 1, got["ApiGateway/ConnectCount"+all])
			require.EqualValues(t, 1, got["gatekit.websocket.connections"+all])
			for name, want := range map[string]int64{"MessageCount": 10, "IntegrationError": 1, "ClientError": 1, "ExecutionError": 1} {
				var sum int64
				for series, n := range got {
					if strings.HasPrefix(series, "ApiGateway/"+name+"{") {
						sum += n
					}
				}
				require.Equal(t, want, sum, name)
			}
			if detailed {
				require.EqualValues(t, 2, got["ApiGateway/MessageCount"+of("echo")])
				require.EqualValues(t, 6, got["ApiGateway/MessageCount"+all])
				require.EqualValues(t, 1, got["ApiGateway/IntegrationError"+of("bad")])
				require.EqualValues(t, 1, got["ApiGateway/ExecutionError"+of("late")])
				require.EqualValues(t, 2, got["ApiGateway/IntegrationLatency"+of("echo")])
			} else {
				require.EqualValues(t, 3, got["ApiGateway/IntegrationLatency"+all])
			}
			require.EqualValues(t, 10, got["gatekit.metering.units{ApiId=chat,Stage=prod,gatekit.metering.kind=websocket-message}"])
			require.NotContains(t, got, "http.server.active_requests{http.request.method=POST}")
			for name := range got {
				require.False(t, strings.HasPrefix(name, "http.server.request.duration"), name)
			}
			require.Len(t, r.spans.GetSpans(), 5)
			require.Equal(t, "echo", r.spans.GetSpans()[0].Name)
		})
	}
}

func TestUpstreams(t *testing.T) {
	r := newRig(t, telemetry.Config{}, nil)
	asked := make(chan struct{}, 100)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			asked <- struct{}{}
			w.WriteHeader(500)
		}
	}))
	defer backend.Close()
	address := backend.Listener.Addr().(*net.TCPAddr).String()
	proxy := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{
		URI: "http://orders.internal/", Upstreams: []integration.Upstream{{Address: address}},
		Health: &integration.HealthCheck{Path: "/health", Interval: 10 * time.Millisecond, Unhealthy: 1},
	}))
	require.NoError(t, r.ObserveUpstreams("orders", proxy))
	<-asked
	name := "gatekit.upstream.healthy{gatekit.upstreams=orders,server.address=" + address + "}"
	require.Eventually(t, func() bool { n, ok := r.read(t)[name]; return ok && n == 0 }, 10*time.Second, time.Millisecond)
	require.Zero(t, r.read(t)["gatekit.upstream.active_requests{gatekit.upstreams=orders,server.address="+address+"}"])
}
