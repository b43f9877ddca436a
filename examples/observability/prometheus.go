package main

import (
	"net/http"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/gatekit-go/gatekit/route/telemetry/otelsdk"
)

// prometheus returns a provider of meters and the handler that a Prometheus scrapes. histograms is
// told of the telemetry that keeps them.
func prometheus() (meters *metric.MeterProvider, scrape http.Handler, histograms *otelsdk.Producer, err error) {
	registry, histograms := client.NewRegistry(), new(otelsdk.Producer)
	reader, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithProducer(histograms),
		otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		return nil, nil, nil, err
	}
	meters = metric.NewMeterProvider(metric.WithReader(reader))
	return meters, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), histograms, nil
}
