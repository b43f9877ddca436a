package otelsdk_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/telemetry"
	"github.com/gatekit-go/gatekit/route/telemetry/otelsdk"
)

// rig is a Telemetry on the real SDK.
type rig struct {
	*telemetry.Telemetry
	reader *metric.ManualReader
	spans  *tracetest.InMemoryExporter
}

// newRig returns one. sampled records all spans; otherwise none is made.
func newRig(t *testing.T, cfg telemetry.Config, sampler sdktrace.Sampler) *rig {
	t.Helper()
	var histograms otelsdk.Producer
	r := &rig{reader: metric.NewManualReader(metric.WithProducer(&histograms)), spans: tracetest.NewInMemoryExporter()}
	cfg.MeterProvider = metric.NewMeterProvider(metric.WithReader(r.reader))
	if sampler != nil {
		cfg.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans), sdktrace.WithSampler(sampler))
	}
	var err error
	r.Telemetry, err = telemetry.New(cfg)
	require.NoError(t, err)
	histograms.Of(r.Telemetry)
	return r
}

// read returns what a reader gets: "name{a=b,c=d}" and the number, of a histogram the count.
func (r *rig) read(t *testing.T) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, r.reader.Collect(t.Context(), &all))
	out := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		require.Equal(t, telemetry.Scope, scope.Scope.Name)
		for _, m := range scope.Metrics {
			require.NotEmpty(t, m.Unit, m.Name)
			require.NotEmpty(t, m.Description, m.Name)
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					out[m.Name+label(p.Attributes)] += p.Value
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					out[m.Name+label(p.Attributes)] += p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					out[m.Name+label(p.Attributes)] += int64(p.Count)
				}
			case metricdata.Gauge[float64]: // of money and time
				require.NotEmpty(t, data.DataPoints)
			default:
				t.Fatalf("%s: %T", m.Name, m.Data)
			}
		}
	}
	return out
}

// label writes attributes in the order of their names, without those that all requests of a test
// have.
func label(s attribute.Set) string {
	var all []string
	for _, kv := range s.ToSlice() {
		if kv.Key != "url.scheme" && kv.Key != "network.protocol.version" {
			all = append(all, fmt.Sprintf("%s=%s", kv.Key, kv.Value.String()))
		}
	}
	sort.Strings(all)
	return "{" + strings.Join(all, ",") + "}"
}

// api returns a described API with some routes, behind t.
func api(t *testing.T, tel *telemetry.Telemetry, flavor gatekit.Flavor) *route.API {
	t.Helper()
	a := gatekit.Must(route.New(route.Config{API: gatekit.API{
		Flavor: flavor, APIID: "a1b2c3d4e5", Stage: "prod", Region: "eu-west-1", AccountID: "123456789012",
	}}))
	a.Use(tel.Middleware)
	answer := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte("0123456789"))
		})
	}
	a.Handle("GET /orders/{id}", answer(200))
	a.Handle("POST /orders", answer(201))
	a.Handle("GET /missing", answer(404))
	a.Handle("GET /broken", answer(503))
	return a
}

func send(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
