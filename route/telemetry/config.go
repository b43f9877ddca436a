package telemetry

import (
	"cmp"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/growtable"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/topkeys"
)

// Names says under which names requests are measured.
type Names uint8

// The names of metrics.
const (
	// AllNames is both of the others. The default.
	AllNames Names = iota
	// ServiceNames are the managed gateway's: Count, 4xx, Latency …
	ServiceNames
	// HTTPNames are those of OpenTelemetry's semantic conventions for HTTP servers.
	HTTPNames
)

// Remote says what becomes of the trace context (traceparent, X-Amzn-Trace-Id) of a client that
// [Config.ContinueFrom] doesn't name.
type Remote uint8

// What becomes of a stranger's trace context.
const (
	// LinkRemote begins a trace of our own and links it to the client's: nobody outside decides
	// what is sampled, or writes into a trace of ours. The default.
	LinkRemote Remote = iota
	// IgnoreRemote begins a trace of our own.
	IgnoreRemote
	// InsecureContinueRemote goes on with any client's trace, and with its decision whether that is
	// sampled, as the managed gateway does. A client can have all its requests recorded by it.
	InsecureContinueRemote
)

// Config configures a [Telemetry]. The zero value is refused: it would measure nothing.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// MeterProvider is where metrics go: an SDK's, or otel.GetMeterProvider(). nil makes none.
	MeterProvider metric.MeterProvider
	// Names are which metrics are made.
	Names Names
	// Detailed tells routes apart, as DetailedMetricsEnabled does. Otherwise only APIs and stages
	// are.
	Detailed bool
	// OwnHistograms keeps latencies in histograms of this package's, which cost a request half of
	// what an SDK's do. They don't reach the MeterProvider: a reader gets them through
	// [Telemetry.Histograms], which otelsdk.Producer makes a metric.Producer of the SDK's.
	OwnHistograms bool
	// APINames are the names of APIs by ID, for the dimension ApiName of REST APIs. One without a
	// name has its ID there.
	APINames map[string]string
	// MaxSeries bounds how many combinations of API, stage and route are told apart, and how many
	// of method, status and protocol within all of them: what comes later is counted together. 0 is
	// 2,000; at most 10,000.
	MaxSeries int
	// TopKeys is how many of the API keys with the most requests are told, by their IDs, out of any
	// number: 0 is none, at most 100.
	TopKeys int

	// TracerProvider is where spans go. nil makes none.
	TracerProvider trace.TracerProvider
	// ContinueFrom are the peers whose trace context and baggage are believed: addresses and
	// networks ("10.0.0.0/8") of proxies and callers that are yours. None by default.
	ContinueFrom []string
	// Remote is what becomes of everybody else's trace context.
	Remote Remote
	// KeepBaggage lets the baggage of clients that ContinueFrom doesn't name through to what is
	// behind. Otherwise it is taken out, as it looks there as if it came from the gateway.
	KeepBaggage bool
}

// Scope is the name under which everything is measured and traced: of the Meter and of the Tracer.
const Scope = "github.com/gatekit-go/gatekit/route/telemetry"

const (
	defaultSeries = 2_000
	maxSeries     = 10_000
	maxTop        = 100
	sketchPerTop  = 20 // a key with a 20th of a top key's share can't be missed
)

// Telemetry measures and traces requests. It is safe for concurrent use.
type Telemetry struct {
	detailed  bool
	own       bool
	service   bool // the service's names
	http      bool // OpenTelemetry's
	names     map[string]string
	began     time.Time
	top       *topkeys.Sketch
	topN      int
	tracing   tracing
	meter     metric.Meter // nil without metrics
	durations durations
	series    growtable.Table[seriesKey, series]
	others    atomic.Pointer[series]
	kinds     atomic.Int64             // of answers, of all series
	most      int                      // how many series there may be, and how many kinds
	active    [methods][2]atomic.Int64 // by method and scheme

	stopping sync.Mutex
	stop     []metric.Registration
}

// New returns a Telemetry, or one error that lists every field it refuses, or an instrument that
// the MeterProvider doesn't make. It copies cfg. It starts nothing; [Telemetry.Close] takes back
// what it has registered with the MeterProvider.
func New(cfg Config) (*Telemetry, error) {
	m := mistakes.In("telemetry: Config")
	m.Require(cfg.MeterProvider != nil || cfg.TracerProvider != nil || cfg.OwnHistograms, "MeterProvider",
		"want one, or a TracerProvider, as otherwise nothing is measured: otel.GetMeterProvider() is the program's")
	m.Require(cfg.Names <= HTTPNames, "Names", "want one of its constants, got %d", cfg.Names)
	m.Require(cfg.Remote <= InsecureContinueRemote, "Remote", "want one of its constants, got %d", cfg.Remote)
	mistakes.Range(m, "MaxSeries", cfg.MaxSeries, 0, maxSeries)
	mistakes.Range(m, "TopKeys", cfg.TopKeys, 0, maxTop)
	trusted, err := gatekit.NewTrustedProxies("", cfg.ContinueFrom...)
	if err != nil {
		m.Add("ContinueFrom", "%w", err)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	t := &Telemetry{
		detailed: cfg.Detailed, own: cfg.OwnHistograms, names: maps.Clone(cfg.APINames), began: time.Now(),
		service: cfg.Names != HTTPNames, http: cfg.Names != ServiceNames,
		topN: cfg.TopKeys, most: cmp.Or(cfg.MaxSeries, defaultSeries),
	}
	t.series.Bound(t.most)
	if t.topN > 0 {
		t.top = topkeys.New(t.topN * sketchPerTop)
	}
	if cfg.TracerProvider != nil {
		t.tracing = newTracing(&cfg, trusted)
	}
	if cfg.MeterProvider != nil {
		t.meter = cfg.MeterProvider.Meter(Scope)
		if err := t.register(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// measures reports whether metrics are made.
func (t *Telemetry) measures() bool { return t.meter != nil || t.own }
