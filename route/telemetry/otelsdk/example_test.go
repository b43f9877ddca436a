package otelsdk_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/telemetry"
	"github.com/gatekit-go/gatekit/route/telemetry/otelsdk"
)

func ExampleProducer() {
	var histograms otelsdk.Producer
	reader := metric.NewManualReader(metric.WithProducer(&histograms)) // in a program, a periodic one, or Prometheus's
	t := gatekit.Must(telemetry.New(telemetry.Config{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(reader)),
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.TraceIDRatioBased(0.01))),
		OwnHistograms:  true,
		Detailed:       true,
	}))
	histograms.Of(t)

	api := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"}}))
	api.Use(t.Middleware)
	api.Handle("GET /orders/{id}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "order") }))
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/orders/7", nil))

	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		fmt.Println(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "ApiGateway/Count" {
				key, _ := sum.DataPoints[0].Attributes.Value("Route")
				fmt.Println(m.Name, key.AsString(), sum.DataPoints[0].Value)
			}
		}
	}
	// Output: ApiGateway/Count GET /orders/{id} 1
}
