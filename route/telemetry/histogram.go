package telemetry

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatekit-go/gatekit"
)

// secondBounds are the boundaries that the semantic conventions advise for
// http.server.request.duration, in seconds, and millisecondBounds the same in the service's unit.
var (
	secondBounds = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

	millisecondBounds = func() []float64 {
		all := slices.Clone(secondBounds)
		for i := range all {
			all[i] *= 1000
		}
		return all
	}()

	bounds = func() (all [buckets - 1]time.Duration) {
		for i, b := range millisecondBounds {
			all[i] = time.Duration(b * float64(time.Millisecond))
		}
		return all
	}()
)

const buckets = 15

// histogram counts durations in buckets of its own.
type histogram struct {
	counts [buckets]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
}

func (h *histogram) add(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

// durations are the instruments of an SDK's histograms, nil where the histograms are our own.
type durations struct {
	request, latency, integration metric.Float64Histogram
}

// timing is where the durations of one set of attributes go.
type timing struct {
	attributes attribute.Set
	own        *histogram
	options    []metric.RecordOption
}

func (t *Telemetry) timing(attributes ...attribute.KeyValue) timing {
	set := attribute.NewSet(attributes...)
	if t.own {
		return timing{attributes: set, own: new(histogram)}
	}
	return timing{attributes: set, options: []metric.RecordOption{metric.WithAttributeSet(set)}}
}

// add counts d, in an SDK's histogram as so many of unit.
func (t *timing) add(ctx context.Context, to metric.Float64Histogram, d, unit time.Duration) {
	switch {
	case t.own != nil:
		t.own.add(d)
	case to != nil:
		to.Record(ctx, float64(d)/float64(unit), t.options...)
	}
}

// Histogram is one of those that Config.OwnHistograms keeps.
type Histogram struct {
	Name, Unit, Description string
	Attributes              attribute.Set
	// Began is since when it counts.
	Began time.Time
	// Bounds are the upper boundaries of all buckets but the last, and Counts how many are in each.
	Bounds []float64
	Counts []uint64
	// Sum is of all that was counted, in Unit.
	Sum float64
}

// Count is how many were counted.
func (h *Histogram) Count() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// The histograms, by both kinds of names.
var (
	requestDuration = Histogram{Name: "http.server.request.duration", Unit: "s", Bounds: secondBounds,
		Description: "Duration of HTTP server requests."}
	latency = Histogram{Name: namespace + "Latency", Unit: "ms", Bounds: millisecondBounds,
		Description: "The time between when the gateway receives a request and when it has answered."}
	integrationLatency = Histogram{Name: namespace + "IntegrationLatency", Unit: "ms", Bounds: millisecondBounds,
		Description: "The time between when the gateway relays a request to the backend and when it has the answer."}
)

// Histograms returns what Config.OwnHistograms has kept, those of which nothing was counted left
// out. It is empty otherwise.
func (t *Telemetry) Histograms() (all []Histogram) {
	if !t.own {
		return nil
	}
	add := func(of Histogram, from *timing, unit time.Duration) {
		if from.own == nil {
			return
		}
		of.Attributes, of.Began, of.Counts = from.attributes, t.began, make([]uint64, buckets)
		for i := range of.Counts {
			of.Counts[i] = from.own.counts[i].Load()
		}
		of.Sum = float64(from.own.sum.Load()) / float64(unit)
		if of.Bounds = slices.Clone(of.Bounds); of.Count() > 0 {
			all = append(all, of)
		}
	}
	t.each(func(_ gatekit.Flavor, s *series) {
		if t.service {
			add(latency, &s.latency, time.Millisecond)
			add(integrationLatency, &s.integration, time.Millisecond)
		}
		s.answers.Each(func(_ answer, a *timing) { add(requestDuration, a, time.Second) })
	})
	return all
}
