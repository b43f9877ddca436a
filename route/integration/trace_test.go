package integration_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// Where a station traces, a backend is told the station's place in the trace and not the client's;
// where none does, what the client says goes on.
func TestTraceContext(t *testing.T) {
	const theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for _, flavor := range []gatekit.Flavor{gatekit.HTTP, gatekit.REST} {
		for _, traced := range []bool{false, true} {
			var got http.Header
			backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
			a := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: flavor}}))
			a.Use(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if traced {
						gatekit.From(r.Context()).SetTraceContext(&gatekit.TraceContext{TraceID: [16]byte{0xab}, SpanID: [8]byte{1}, State: "a=b"})
					}
					next.ServeHTTP(w, r)
				})
			})
			a.Handle("GET /a", gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: backend.URL})))
			r := httptest.NewRequest("GET", "/a", nil)
			r.Header.Set("Traceparent", theirs)
			r.Header.Set("Tracestate", "c=d")
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			backend.Close()
			require.Equal(t, 200, w.Code)
			if !traced {
				require.Equal(t, theirs, got.Get("Traceparent"))
				require.Equal(t, "c=d", got.Get("Tracestate"))
				continue
			}
			require.Equal(t, []string{"00-ab000000000000000000000000000000-0100000000000000-00"}, got["Traceparent"])
			require.Equal(t, []string{"a=b"}, got["Tracestate"])
			require.Equal(t, "Root=1-ab000000-000000000000000000000000;Parent=0100000000000000;Sampled=0", got.Get("X-Amzn-Trace-Id"))
			require.Equal(t, theirs, r.Header.Get("Traceparent"), "the client's request stays as it is")
		}
	}
}
