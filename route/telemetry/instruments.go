package telemetry

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatekit-go/gatekit"
)

// namespace stands before the service's names, as AWS/ApiGateway does in CloudWatch: OpenTelemetry
// wants names to begin with a letter, which 4xx doesn't.
const namespace = "ApiGateway/"

// counter is an instrument that is read from a series.
type counter struct {
	name, unit, description string
	service                 bool // among ServiceNames
	flavors                 []gatekit.Flavor
	of                      func(*series) *atomic.Int64
	instrument              metric.Int64ObservableCounter
}

var (
	requests = []gatekit.Flavor{gatekit.HTTP, gatekit.REST, gatekit.WebSocket} // handshakes, of the last
	restOnly = []gatekit.Flavor{gatekit.REST}
	httpOnly = []gatekit.Flavor{gatekit.HTTP, gatekit.WebSocket}
)

func counters() []*counter {
	return []*counter{
		{name: namespace + "Count", unit: "{request}", service: true, flavors: requests,
			description: "Requests.", of: func(s *series) *atomic.Int64 { return &s.count }},
		{name: namespace + "4xx", unit: "{request}", service: true, flavors: httpOnly,
			description: "Requests answered 400 to 499.", of: func(s *series) *atomic.Int64 { return &s.client }},
		{name: namespace + "5xx", unit: "{request}", service: true, flavors: httpOnly,
			description: "Requests answered 500 to 599.", of: func(s *series) *atomic.Int64 { return &s.server }},
		{name: namespace + "4XXError", unit: "{request}", service: true, flavors: restOnly,
			description: "Requests answered 400 to 499.", of: func(s *series) *atomic.Int64 { return &s.client }},
		{name: namespace + "5XXError", unit: "{request}", service: true, flavors: restOnly,
			description: "Requests answered 500 to 599.", of: func(s *series) *atomic.Int64 { return &s.server }},
		{name: namespace + "CacheHitCount", unit: "{request}", service: true, flavors: requests,
			description: "Requests answered from the stage's cache.",
			of:          func(s *series) *atomic.Int64 { return &s.hits }},
		{name: namespace + "CacheMissCount", unit: "{request}", service: true, flavors: requests,
			description: "Requests that the stage's cache had no answer to.",
			of:          func(s *series) *atomic.Int64 { return &s.misses }},
		{name: namespace + "DataProcessed", unit: "By", service: true, flavors: requests,
			description: "Bytes of bodies of requests and answers.",
			of:          func(s *series) *atomic.Int64 { return &s.bytes }},
		{name: "gatekit.integration.retries", unit: "{attempt}", flavors: requests,
			description: "Calls of a backend that were made again.",
			of:          func(s *series) *atomic.Int64 { return &s.retries }},
	}
}

func (c *counter) is(of gatekit.Flavor) bool {
	for _, f := range c.flavors {
		if f == of {
			return true
		}
	}
	return false
}

// instruments are those that tell more than a number of a series.
type instruments struct {
	counters                            []*counter
	refusals, trials, limits, authCache metric.Int64ObservableCounter
	quota, top                          metric.Int64ObservableGauge
	active                              metric.Int64ObservableUpDownCounter
}

// register makes the instruments, and has them read by one callback.
func (t *Telemetry) register() error {
	var errs []error
	var all []metric.Observable
	ask := func(o metric.Observable, err error) {
		errs, all = append(errs, err), append(all, o)
	}
	counts := func(name, unit, description string) metric.Int64ObservableCounter {
		c, err := t.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		ask(c, err)
		return c
	}
	gauge := func(name, unit, description string) metric.Int64ObservableGauge {
		g, err := t.meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
		ask(g, err)
		return g
	}
	i := &instruments{}
	for _, c := range counters() {
		if t.service || !c.service {
			c.instrument = counts(c.name, c.unit, c.description)
			i.counters = append(i.counters, c)
		}
	}
	i.refusals = counts("gatekit.refusals", "{request}", "Requests that the gateway refused, by phase.")
	i.trials = counts("gatekit.refusals.on_trial", "{request}", "Requests that a rule on trial would have refused.")
	i.limits = counts("gatekit.throttled", "{request}", "Requests that a limit refused, by the limit.")
	i.authCache = counts("gatekit.authorizer.cache", "{look}", "Looks of authorizers into their caches, by result.")
	i.quota = gauge("gatekit.quota.left", "{request}",
		"The least that was left of any key's quota of a plan since the last reading.")
	if t.top != nil {
		i.top = gauge("gatekit.top_keys", "{request}", "Requests of the API keys that came most often.")
	}
	if t.http {
		var err error
		i.active, err = t.meter.Int64ObservableUpDownCounter("http.server.active_requests",
			metric.WithUnit("{request}"), metric.WithDescription("Number of active HTTP server requests."))
		ask(i.active, err)
	}
	errs = append(errs, t.registerDurations())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("telemetry: make the instruments: %w", err)
	}
	return t.observe(func(_ context.Context, o metric.Observer) error {
		i.tell(t, o)
		return nil
	}, all...)
}

func (t *Telemetry) registerDurations() error {
	if t.own {
		return nil
	}
	var errs []error
	make := func(wanted bool, of *Histogram) (h metric.Float64Histogram) {
		if !wanted {
			return nil
		}
		h, err := t.meter.Float64Histogram(of.Name, metric.WithUnit(of.Unit), metric.WithDescription(of.Description),
			metric.WithExplicitBucketBoundaries(of.Bounds...))
		errs = append(errs, err)
		return h
	}
	t.durations = durations{
		request: make(t.http, &requestDuration), latency: make(t.service, &latency),
		integration: make(t.service, &integrationLatency),
	}
	return errors.Join(errs...)
}

// observe registers a callback, until Close.
func (t *Telemetry) observe(f metric.Callback, all ...metric.Observable) error {
	registration, err := t.meter.RegisterCallback(f, all...)
	if err != nil {
		return fmt.Errorf("telemetry: register with the MeterProvider: %w", err)
	}
	t.stopping.Lock()
	defer t.stopping.Unlock()
	t.stop = append(t.stop, registration)
	return nil
}

// Close takes back what was registered with the MeterProvider. Requests may still pass.
func (t *Telemetry) Close() error {
	t.stopping.Lock()
	defer t.stopping.Unlock()
	var errs []error
	for _, r := range t.stop {
		errs = append(errs, r.Unregister())
	}
	t.stop = nil
	return errors.Join(errs...)
}

// tell tells a reader all there is.
func (i *instruments) tell(t *Telemetry, o metric.Observer) {
	t.each(func(flavor gatekit.Flavor, s *series) { i.tellSeries(o, flavor, s) })
	if i.active != nil {
		t.tellActive(o, i.active)
	}
	if i.top != nil {
		for _, c := range t.TopKeys() {
			o.ObserveInt64(i.top, c.Count, metric.WithAttributes(attribute.String("gatekit.api_key.id", c.ID)))
		}
	}
}

// tellActive tells how many requests of each method there are. Where there is none, that is told of
// GET.
func (t *Telemetry) tellActive(o metric.Observer, to metric.Int64Observable) {
	for m := range t.active {
		for scheme := range t.active[m] {
			n := t.active[m][scheme].Load()
			if n == 0 && !(m == 0 && scheme == 0) {
				continue
			}
			o.ObserveInt64(to, n, metric.WithAttributes(
				attribute.String("http.request.method", methodNames[m]),
				attribute.String("url.scheme", schemeNames[scheme])))
		}
	}
}

func (i *instruments) tellSeries(o metric.Observer, flavor gatekit.Flavor, s *series) {
	set := metric.WithAttributeSet(s.attributes)
	for _, c := range i.counters {
		if c.is(flavor) {
			o.ObserveInt64(c.instrument, c.of(s).Load(), set)
		}
	}
	with := func(name, value string) metric.ObserveOption {
		return metric.WithAttributes(attribute.String(name, value))
	}
	for p := range gatekit.Phases {
		phase := with("gatekit.phase", p.String())
		if n := s.refused[p].Load(); n > 0 {
			o.ObserveInt64(i.refusals, n, set, phase)
		}
		if n := s.trial[p].Load(); n > 0 {
			o.ObserveInt64(i.trials, n, set, phase)
		}
	}
	s.limits.Each(func(rule string, n *atomic.Int64) {
		o.ObserveInt64(i.limits, n.Load(), set, with("gatekit.limit", rule))
	})
	s.authorizers.Each(func(name string, c *cached) {
		of := with("gatekit.authorizer", name)
		o.ObserveInt64(i.authCache, c.hits.Load(), set, of, with("gatekit.cache.result", "hit"))
		o.ObserveInt64(i.authCache, c.misses.Load(), set, of, with("gatekit.cache.result", "miss"))
	})
	s.quotas.Each(func(plan string, q *quota) {
		o.ObserveInt64(i.quota, q.tell(), set, with("gatekit.plan", plan))
	})
}

// KeyCount is how many requests came with an API key: at least Count-Over, and at most Count.
type KeyCount struct {
	ID          string
	Count, Over int64
}

// TopKeys returns the Config.TopKeys keys with which most requests came, by their IDs, the most
// first. A key that comes more often than one request in 20 times TopKeys is always counted.
func (t *Telemetry) TopKeys() []KeyCount {
	if t.top == nil {
		return nil
	}
	top := t.top.Top(t.topN)
	all := make([]KeyCount, len(top))
	for i, c := range top {
		all[i] = KeyCount{c.Key, c.Count, c.Over}
	}
	return all
}
