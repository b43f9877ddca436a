package telemetry

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/growtable"
)

// seriesKey is what requests are told apart by: words of a configuration alone, and none of a
// client's.
type seriesKey struct {
	flavor            gatekit.Flavor
	api, stage, route string
}

// What stands for a route that there isn't, and for what there is no room for.
const (
	unmatched = "(unmatched)"
	other     = "(other)"
)

// series are the counts of one seriesKey.
type series struct {
	attributes attribute.Set
	base       []attribute.KeyValue // of the series of one status
	count      atomic.Int64
	client     atomic.Int64 // answered 4xx
	server     atomic.Int64 // answered 5xx
	hits       atomic.Int64
	misses     atomic.Int64
	bytes      atomic.Int64
	retries    atomic.Int64
	refused    [gatekit.Phases]atomic.Int64
	trial      [gatekit.Phases]atomic.Int64

	latency, integration timing
	answers              growtable.Table[answer, timing]
	limits               growtable.Table[string, atomic.Int64] // refused, by the limit
	authorizers          growtable.Table[string, cached]
	quotas               growtable.Table[string, quota]
}

// cached are the looks of one authorizer into its cache.
type cached struct{ hits, misses atomic.Int64 }

// maxRules bounds how many limits, authorizers and plans of one series are told apart.
const maxRules = 100

func (t *Telemetry) keyOf(api *gatekit.API, route *gatekit.Route) seriesKey {
	k := seriesKey{flavor: api.Flavor, api: api.APIID, stage: api.Stage}
	if t.detailed {
		k.route = unmatched
		if route != nil {
			k.route = route.Key
		}
	}
	return k
}

// of returns the series of k, or the one for what there is no room for.
func (t *Telemetry) of(k seriesKey) *series {
	if s := t.series.Get(k); s != nil {
		return s
	}
	if s := t.series.Add(k, nil, func() *series { return t.newSeries(k) }); s != nil {
		return s
	}
	if s := t.others.Load(); s != nil {
		return s
	}
	t.others.CompareAndSwap(nil, t.newSeries(seriesKey{api: other, stage: other, route: other}))
	return t.others.Load()
}

// each calls f with all series, with the flavor by whose names they are told.
func (t *Telemetry) each(f func(gatekit.Flavor, *series)) {
	t.series.Each(func(k seriesKey, s *series) { f(k.flavor, s) })
	if s := t.others.Load(); s != nil {
		f(gatekit.HTTP, s)
	}
}

func (t *Telemetry) newSeries(k seriesKey) *series {
	attributes := t.dimensions(k)
	s := &series{attributes: attribute.NewSet(attributes...)}
	s.base = []attribute.KeyValue{attribute.String("ApiId", k.api), attribute.String("Stage", k.stage)}
	if _, path, ok := strings.Cut(k.route, " "); ok {
		s.base = append(s.base, attribute.String("http.route", path))
	} else if k.route == "$default" || k.route == other {
		s.base = append(s.base, attribute.String("http.route", k.route))
	}
	s.latency, s.integration = t.timing(attributes...), t.timing(attributes...)
	s.answers.Bound(t.most + 5)
	s.limits.Bound(maxRules)
	s.authorizers.Bound(maxRules)
	s.quotas.Bound(maxRules)
	return s
}

// dimensions are the service's. (Developer guide, "Amazon API Gateway dimensions and metrics" of
// REST APIs; "Monitor CloudWatch metrics for HTTP APIs".)
func (t *Telemetry) dimensions(k seriesKey) []attribute.KeyValue {
	stage := attribute.String("Stage", k.stage)
	if k.flavor != gatekit.REST {
		all := []attribute.KeyValue{attribute.String("ApiId", k.api), stage}
		if k.route != "" {
			all = append(all, attribute.String("Route", k.route))
		}
		return all
	}
	name := t.names[k.api]
	if name == "" {
		name = k.api
	}
	all := []attribute.KeyValue{attribute.String("ApiName", name), stage}
	if k.route != "" {
		method, resource, ok := strings.Cut(k.route, " ")
		if !ok {
			resource = method
		}
		all = append(all, attribute.String("Method", method), attribute.String("Resource", resource))
	}
	return all
}

// answer is what the semantic conventions tell requests of one series apart by.
type answer struct {
	method, scheme, version uint8
	status                  uint16
}

var methodNames = [...]string{
	"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY", "_OTHER",
}

const methods = len(methodNames)

// methodOf returns the number of a method's name: a client's own word is _OTHER. (Semantic
// conventions for HTTP, "http.request.method".)
func methodOf(name string) uint8 {
	for i := range methods - 1 {
		if methodNames[i] == name {
			return uint8(i)
		}
	}
	return uint8(methods - 1)
}

var (
	schemeNames  = [...]string{"http", "https"}
	versionNames = [...]string{"", "1.0", "1.1", "2", "3"}
)

func schemeOf(r *http.Request) uint8 {
	if r.TLS != nil {
		return 1
	}
	return 0
}

func versionOf(r *http.Request) uint8 {
	switch {
	case r.ProtoMajor == 1 && r.ProtoMinor == 0:
		return 1
	case r.ProtoMajor == 1:
		return 2
	case r.ProtoMajor == 2 || r.ProtoMajor == 3:
		return uint8(r.ProtoMajor) + 1
	}
	return 0
}

// statusOf returns status, or the first of its hundred where nobody has given it a meaning: a
// backend that makes them up makes no series.
func statusOf(status int) uint16 {
	if http.StatusText(status) != "" {
		return uint16(status)
	}
	return uint16(min(max(status/100, 1), 5) * 100)
}

// answered returns where the duration of a goes, or nil where there is no room.
func (t *Telemetry) answered(s *series, a answer) *timing {
	if found := s.answers.Get(a); found != nil {
		return found
	}
	mayGrow := func() bool {
		if t.kinds.Add(1) > int64(t.most) {
			t.kinds.Add(-1)
			return false
		}
		return true
	}
	make := func() *timing {
		all := append(s.base[:len(s.base):len(s.base)],
			attribute.String("http.request.method", methodNames[a.method]),
			attribute.String("url.scheme", schemeNames[a.scheme]),
			attribute.Int("http.response.status_code", int(a.status)))
		if a.version > 0 {
			all = append(all, attribute.String("network.protocol.version", versionNames[a.version]))
		}
		if a.status >= 500 {
			all = append(all, attribute.String("error.type", strconv.Itoa(int(a.status))))
		}
		made := t.timing(all...)
		return &made
	}
	if found := s.answers.Add(a, mayGrow, make); found != nil {
		return found
	}
	// No room: all that comes later, by its hundred alone, which are five a series at the most.
	a = answer{method: uint8(methods - 1), status: a.status / 100 * 100}
	return s.answers.Add(a, nil, make)
}
