package otelsdk_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/telemetry"
)

// The stations themselves, and not notes that look like theirs: an authorizer with a cache, the
// stage cache, and a backend that is asked over HTTP.
func TestRealStations(t *testing.T) {
	r := newRig(t, telemetry.Config{Detailed: true}, sdktrace.AlwaysSample())
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "order") }))
	defer backend.Close()
	proxy := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: backend.URL}))
	answers := gatekit.Must(cache.New(t.Context(), cache.Config{}))
	custom := gatekit.Must(auth.NewCustom(func(r *http.Request) (*policy.Verdict, error) {
		return &policy.Verdict{Principal: "ann", Allow: r.Header.Get("Authorization") != "mallory"}, nil
	}, auth.CacheConfig{TTL: time.Minute}))
	a := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, APIID: "a1b2c3d4e5", Stage: "prod"}}))
	a.Use(r.Middleware)
	a.Handle("GET /orders", proxy, auth.Require(auth.Named("callers", custom)), answers.Middleware)
	for _, caller := range []string{"ann", "ann", "ann", "mallory"} {
		send(a, "GET", "/orders", "Authorization", caller)
	}
	got := r.read(t)
	of := func(name, label string) int64 {
		for series, n := range got {
			if strings.HasPrefix(series, name+"{") && strings.Contains(series, label) {
				return n
			}
		}
		t.Fatalf("%s%s: %v", name, label, got)
		return 0
	}
	require.EqualValues(t, 4, of("ApiGateway/Count", ""))
	require.EqualValues(t, 1, of("ApiGateway/4XXError", ""))
	require.EqualValues(t, 2, of("ApiGateway/CacheHitCount", ""))
	require.EqualValues(t, 1, of("ApiGateway/CacheMissCount", ""))
	require.EqualValues(t, 1, of("ApiGateway/IntegrationLatency", ""), "what the cache answers asks no backend")
	require.EqualValues(t, 2, of("gatekit.authorizer.cache", "gatekit.authorizer=callers,gatekit.cache.result=hit"))
	require.EqualValues(t, 2, of("gatekit.authorizer.cache", "gatekit.authorizer=callers,gatekit.cache.result=miss"))
	require.EqualValues(t, 1, of("gatekit.refusals", "gatekit.phase=authorize"))
	phases := map[string]int{}
	for _, s := range r.spans.GetSpans() {
		if s.SpanKind == trace.SpanKindServer {
			for _, e := range s.Events {
				phases[e.Name]++
			}
			continue
		}
		phases[s.Name]++
		require.NotZero(t, s.EndTime.Sub(s.StartTime))
	}
	for _, phase := range []string{"cache", "authorizer", "authorize", "integration"} {
		require.Positive(t, phases[phase], "%s: %v", phase, phases)
	}
}
