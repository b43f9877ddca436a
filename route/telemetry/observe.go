package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/metering"
	"github.com/gatekit-go/gatekit/route/websocket"
)

// ObserveWebSocket has the counts of a WebSocket API read: ConnectCount, MessageCount,
// IntegrationError, ClientError and ExecutionError, and the connections that are open. With
// Config.Detailed they are told by route, and what belongs to none (replies, what the program sends
// on its own, refused handshakes) has no Route. It does nothing without a MeterProvider. Each API
// is observed once.
func (t *Telemetry) ObserveWebSocket(api *websocket.API) error {
	if t.meter == nil {
		return nil
	}
	id := api.Identity()
	base := []attribute.KeyValue{attribute.String("ApiId", id.APIID), attribute.String("Stage", id.Stage)}
	counters, all, err := t.websocketCounters()
	open, openErr := t.meter.Int64ObservableUpDownCounter("gatekit.websocket.connections",
		metric.WithUnit("{connection}"), metric.WithDescription("Connections that are open."))
	if err := errors.Join(err, openErr); err != nil {
		return fmt.Errorf("telemetry: make the instruments: %w", err)
	}
	return t.observe(func(_ context.Context, o metric.Observer) error {
		m := api.Metrics()
		rest := websocket.RouteMetrics{MessageCount: m.MessageCount, IntegrationError: m.IntegrationError,
			ClientError: m.ClientError, ExecutionError: m.ExecutionError}
		if t.detailed {
			for i := range m.Routes {
				r := &m.Routes[i]
				tellRoute(o, counters, r, append(base[:2:2], attribute.String("Route", r.RouteKey)))
				rest.MessageCount -= r.MessageCount
				rest.IntegrationError -= r.IntegrationError
				rest.ClientError -= r.ClientError
				rest.ExecutionError -= r.ExecutionError
			}
		}
		tellRoute(o, counters, &rest, base)
		set := metric.WithAttributes(base...)
		o.ObserveInt64(counters[0], m.ConnectCount, set)
		o.ObserveInt64(open, m.Connections, set)
		return nil
	}, append(all, open)...)
}

// websocketCounters makes ConnectCount and what tellRoute tells.
func (t *Telemetry) websocketCounters() (counters []metric.Int64ObservableCounter, all []metric.Observable, err error) {
	var errs []error
	for _, c := range [...]struct{ name, unit, description string }{
		{"ConnectCount", "{message}", "Messages sent to the $connect integration."},
		{"MessageCount", "{message}", "Messages from and to clients."},
		{"IntegrationError", "{message}", "Answers of integrations with 4xx and 5xx."},
		{"ClientError", "{message}", "Messages refused before the integration ran."},
		{"ExecutionError", "{message}", "Integrations that couldn't be called."},
	} {
		one, err := t.meter.Int64ObservableCounter(namespace+c.name,
			metric.WithUnit(c.unit), metric.WithDescription(c.description))
		counters, all, errs = append(counters, one), append(all, one), append(errs, err)
	}
	return counters, all, errors.Join(errs...)
}

func tellRoute(
	o metric.Observer, to []metric.Int64ObservableCounter, r *websocket.RouteMetrics, attributes []attribute.KeyValue,
) {
	set := metric.WithAttributes(attributes...)
	for i, n := range [...]int64{r.MessageCount, r.IntegrationError, r.ClientError, r.ExecutionError} {
		o.ObserveInt64(to[i+1], max(n, 0), set) // the parts are read a moment after the sum
	}
}

// ObserveUpstreams has the states of a proxy's upstreams read under a name of yours: whether each
// is healthy and not ejected, and how many requests it has not answered yet. It does nothing
// without a MeterProvider.
func (t *Telemetry) ObserveUpstreams(name string, proxy *integration.Proxy) error {
	if t.meter == nil {
		return nil
	}
	healthy, err := t.meter.Int64ObservableGauge("gatekit.upstream.healthy", metric.WithUnit("1"),
		metric.WithDescription("1 for an upstream that is healthy and not ejected, else 0."))
	outstanding, outErr := t.meter.Int64ObservableUpDownCounter("gatekit.upstream.active_requests",
		metric.WithUnit("{request}"), metric.WithDescription("Requests that an upstream has not answered yet."))
	if err := errors.Join(err, outErr); err != nil {
		return fmt.Errorf("telemetry: make the instruments: %w", err)
	}
	return t.observe(func(_ context.Context, o metric.Observer) error {
		now := time.Now()
		for _, u := range proxy.Upstreams() {
			well := int64(0)
			if u.Healthy && !now.Before(u.EjectedUntil) {
				well = 1
			}
			set := metric.WithAttributes(
				attribute.String("gatekit.upstreams", name), attribute.String("server.address", u.Address))
			o.ObserveInt64(healthy, well, set)
			o.ObserveInt64(outstanding, int64(u.Outstanding), set)
		}
		return nil
	}, healthy, outstanding)
}

// ObserveMeter has what a meter counts read: units by kind, API and stage, with Config.Detailed by
// route as well, and what this month costs so far, there and here, in dollars. API keys are left
// out, as there may be many: they are in the meter's reports. It does nothing without a
// MeterProvider.
func (t *Telemetry) ObserveMeter(m *metering.Meter) error {
	if t.meter == nil {
		return nil
	}
	units, err := t.meter.Int64ObservableGauge("gatekit.metering.units", metric.WithUnit("{unit}"),
		metric.WithDescription("What would be charged on the managed gateway, of this month."))
	there, thereErr := t.meter.Float64ObservableGauge("gatekit.metering.cost.there", metric.WithUnit("{USD}"),
		metric.WithDescription("What this month would cost on the managed gateway so far."))
	here, hereErr := t.meter.Float64ObservableGauge("gatekit.metering.cost.here", metric.WithUnit("{USD}"),
		metric.WithDescription("What the processor time of this month costs here so far."))
	cpu, cpuErr := t.meter.Float64ObservableGauge("gatekit.metering.cpu", metric.WithUnit("s"),
		metric.WithDescription("Processor time of the process, of this month."))
	if err := errors.Join(err, thereErr, hereErr, cpuErr); err != nil {
		return fmt.Errorf("telemetry: make the instruments: %w", err)
	}
	return t.observe(func(_ context.Context, o metric.Observer) error {
		r := m.Report()
		for of, n := range t.unitsOf(r) {
			set := []attribute.KeyValue{attribute.String("gatekit.metering.kind", of.kind.String()),
				attribute.String("ApiId", of.api), attribute.String("Stage", of.stage)}
			if t.detailed && of.route != "" {
				set = append(set, attribute.String("Route", of.route))
			}
			o.ObserveInt64(units, n, metric.WithAttributes(set...))
		}
		for _, item := range r.There {
			o.ObserveFloat64(there, dollars(item.Cost),
				metric.WithAttributes(attribute.String("gatekit.metering.kind", item.Kind.String())))
		}
		o.ObserveFloat64(here, dollars(r.Here))
		o.ObserveFloat64(cpu, r.CPU.Seconds())
		return nil
	}, units, there, here, cpu)
}

type metered struct {
	kind              metering.Kind
	api, stage, route string
}

// unitsOf sums over API keys, and over routes unless they are told apart.
func (t *Telemetry) unitsOf(r *metering.Report) map[metered]int64 {
	all := map[metered]int64{}
	for i := range r.Rows {
		row := &r.Rows[i]
		of := metered{kind: row.Kind, api: row.API, stage: row.Stage}
		if t.detailed {
			of.route = row.Route
		}
		all[of] += row.Units
	}
	return all
}

// dollars is for people who look at a graph: the report has the exact amount.
func dollars(d metering.Dollars) float64 { return float64(d) / float64(metering.Dollar) }
