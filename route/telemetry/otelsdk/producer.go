package otelsdk

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/gatekit-go/gatekit/route/telemetry"
)

// Producer gives the histograms that a Telemetry keeps (telemetry.Config.OwnHistograms) to a
// reader: to metric.NewPeriodicReader and metric.NewManualReader by metric.WithProducer, to the
// Prometheus exporter by its own WithProducer. They are cumulative. A reader wants its producers
// before the provider is made that a Telemetry wants, so the zero Producer produces nothing until
// Of is called. It is safe for concurrent use.
//
//	var histograms otelsdk.Producer
//	reader := metric.NewPeriodicReader(exporter, metric.WithProducer(&histograms))
//	provider := metric.NewMeterProvider(metric.WithReader(reader))
//	t, err := telemetry.New(telemetry.Config{MeterProvider: provider, OwnHistograms: true})
//	histograms.Of(t)
type Producer struct {
	of atomic.Pointer[telemetry.Telemetry]
}

var _ metric.Producer = (*Producer)(nil)

// Of has p produce the histograms of t from now on.
func (p *Producer) Of(t *telemetry.Telemetry) { p.of.Store(t) }

// Produce implements metric.Producer.
func (p *Producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	t := p.of.Load()
	if t == nil {
		return nil, nil
	}
	now := time.Now()
	at := map[string]int{} // of a name, in metrics
	var metrics []metricdata.Metrics
	for _, h := range t.Histograms() {
		i, ok := at[h.Name]
		if !ok {
			i = len(metrics)
			at[h.Name] = i
			metrics = append(metrics, metricdata.Metrics{Name: h.Name, Description: h.Description, Unit: h.Unit,
				Data: metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality}})
		}
		data := metrics[i].Data.(metricdata.Histogram[float64])
		data.DataPoints = append(data.DataPoints, metricdata.HistogramDataPoint[float64]{
			Attributes: h.Attributes, StartTime: h.Began, Time: now,
			Count: h.Count(), Sum: h.Sum, Bounds: h.Bounds, BucketCounts: h.Counts,
		})
		metrics[i].Data = data
	}
	if len(metrics) == 0 {
		return nil, nil
	}
	return []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: telemetry.Scope}, Metrics: metrics}}, nil
}
