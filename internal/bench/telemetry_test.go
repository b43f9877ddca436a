package bench

import (
	"net/http"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/metering"
	"github.com/gatekit-go/gatekit/route/telemetry"
	"github.com/gatekit-go/gatekit/route/telemetry/otelsdk"
)

// What metrics and spans cost beside otelhttp, with the same SDK: the same API without either is "station=none", and the difference is the
// station's. otelhttp makes three histograms, of durations and of both sizes; "histograms=sdk" makes two, under both kinds of names.
func BenchmarkTelemetry(b *testing.B) {
	meters := func(p ...metric.Producer) *metric.MeterProvider {
		options := []metric.ManualReaderOption{}
		for _, one := range p {
			options = append(options, metric.WithProducer(one))
		}
		return metric.NewMeterProvider(metric.WithReader(metric.NewManualReader(options...)))
	}
	unsampled := func() trace.TracerProvider {
		return sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	}
	ours := func(cfg telemetry.Config) gatekit.Middleware { return gatekit.Must(telemetry.New(cfg)).Middleware }
	theirs := func(options ...otelhttp.Option) gatekit.Middleware {
		return func(next http.Handler) http.Handler { return otelhttp.NewHandler(next, "orders", options...) }
	}
	var histograms otelsdk.Producer
	for _, station := range []struct {
		name string
		mw   gatekit.Middleware
	}{
		{"station=none", func(next http.Handler) http.Handler { return next }},
		{"metrics=gatekit/histograms=own", func(next http.Handler) http.Handler {
			t := gatekit.Must(telemetry.New(telemetry.Config{MeterProvider: meters(&histograms), OwnHistograms: true, Detailed: true}))
			histograms.Of(t)
			return t.Middleware(next)
		}},
		{"metrics=gatekit/histograms=sdk", ours(telemetry.Config{MeterProvider: meters(), Detailed: true})},
		{"metrics=gatekit/histograms=sdk-http", ours(telemetry.Config{MeterProvider: meters(), Detailed: true, Names: telemetry.HTTPNames})},
		{"metrics=otelhttp", theirs(otelhttp.WithMeterProvider(meters()), otelhttp.WithTracerProvider(tracenoop.NewTracerProvider()))},
		{"unsampled=gatekit", ours(telemetry.Config{TracerProvider: unsampled()})},
		{"unsampled=otelhttp", theirs(otelhttp.WithMeterProvider(metricnoop.NewMeterProvider()), otelhttp.WithTracerProvider(unsampled()))},
		{"metering=gatekit", gatekit.Must(metering.New(metering.Config{})).Middleware},
	} {
		b.Run(station.name, func(b *testing.B) {
			api := gatekit.Must(route.New(route.Config{API: gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"}}))
			api.Handle("GET /orders/{id}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }), station.mw)
			measure(b, api, request("GET", "/orders/7"), http.StatusOK)
		})
	}
}
