package metering

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bodycount"
	"github.com/gatekit-go/gatekit/internal/growtable"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/route/websocket"
)

// Config configures a [Meter]. The zero value is good: the prices are those of us-east-1.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Prices are what units cost. nil is USEast1().
	Prices *Prices
	// Free are the refusals that aren't charged. nil is [FreeRefusals]; an empty list that isn't
	// nil charges all.
	Free []gatekit.ResponseType
	// MaxRows bounds how many combinations of API, stage, route and API key are told apart. Keys
	// that come later are counted together as "(other)" of their route, and routes as that of all.
	// 0 is 2,000; at most 10,000.
	MaxRows int
	// Months is how many calendar months (UTC) are kept, with the present one. 0 is 2; at most 24.
	Months int
}

const (
	defaultRows   = 2_000
	maxRows       = 10_000
	defaultMonths = 2
	maxMonths     = 24
)

// FreeRefusals returns the refusals that aren't charged on the managed gateway: of who isn't
// authenticated or authorized, has no key or a wrong one, comes too often or has used up a quota,
// and of what a web ACL blocks. (Reported by its staff; the pricing notes say so of failed
// authentication and missing keys.)
func FreeRefusals() []gatekit.ResponseType {
	return []gatekit.ResponseType{
		gatekit.Unauthorized, gatekit.InvalidSignature, gatekit.ExpiredToken, gatekit.AuthorizerFailure,
		gatekit.AuthorizerConfigurationError, gatekit.AccessDenied, gatekit.InvalidAPIKey, gatekit.QuotaExceeded,
		gatekit.Throttled, gatekit.WAFFiltered,
	}
}

// Kind is what is counted.
type Kind uint8

// What is counted.
const (
	HTTPRequest Kind = iota
	RESTRequest
	WebSocketMessage
	ConnectionMinute
	kinds
)

var kindNames = [kinds]string{"http-request", "rest-request", "websocket-message", "connection-minute"}

// String returns the kind's name: "http-request".
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "unknown"
}

// MarshalText writes the name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// The steps in which requests and messages are charged.
const (
	requestStep = 512 << 10
	messageStep = 32 << 10
)

// steps returns how many steps n bytes begin: at least one.
func steps(n int64, step int64) int64 { return max((n+step-1)/step, 1) }

// other stands for keys and routes that there is no room for.
const other = "(other)"

type rowKey struct {
	kind                   Kind
	api, stage, route, key string
}

// row counts what is charged together.
type row struct{ calls, free, units, in, out atomic.Int64 }

// ledger is a month's.
type ledger struct {
	month time.Time // its first instant
	end   time.Time
	began time.Time // when it began to be counted
	rows  growtable.Table[rowKey, row]

	// Under Meter.mu:
	cpu     time.Duration // of the process when the month began
	sockets []socketCount // as when the month began
}

// socketCount is what a WebSocket API had counted before the month.
type socketCount struct {
	units     int64
	connected time.Duration
}

// Meter counts what is charged. It is safe for concurrent use.
type Meter struct {
	prices  Prices
	free    [256]bool // by gatekit.ResponseType
	most    int
	months  int
	now     atomic.Pointer[ledger]
	mu      sync.Mutex
	past    []*Report // the last one first
	sockets []*websocket.API
}

// New returns a Meter, or one error that lists every field it refuses. It copies cfg.
func New(cfg Config) (*Meter, error) {
	prices := USEast1()
	if cfg.Prices != nil {
		prices = cfg.Prices.clone()
	}
	m := mistakes.In("metering: Config")
	prices.check(m.Under("Prices"))
	mistakes.Range(m, "MaxRows", cfg.MaxRows, 0, maxRows)
	mistakes.Range(m, "Months", cfg.Months, 0, maxMonths)
	if err := m.Err(); err != nil {
		return nil, err
	}
	c := &Meter{prices: prices, most: cmp.Or(cfg.MaxRows, defaultRows), months: cmp.Or(cfg.Months, defaultMonths)}
	free := cfg.Free
	if free == nil {
		free = FreeRefusals()
	}
	for _, t := range free {
		c.free[uint8(t)] = true
	}
	c.now.Store(c.newLedger(time.Now()))
	return c, nil
}

func (c *Meter) newLedger(now time.Time) *ledger {
	now = now.UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	l := &ledger{month: month, end: month.AddDate(0, 1, 0), began: now, cpu: processTime()}
	l.rows.Bound(c.most + int(kinds)) // one more of each kind, for what there is no room for
	for _, api := range c.sockets {
		m := api.Metrics()
		l.sockets = append(l.sockets, socketCount{m.MessageUnits, m.Connected})
	}
	return l
}

// at returns the ledger for now. The first that comes in a month begins it.
func (c *Meter) at(now time.Time) *ledger {
	l := c.now.Load()
	if now.Before(l.end) {
		return l
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turn(now)
}

// turn is at with the lock held.
func (c *Meter) turn(now time.Time) *ledger {
	l := c.now.Load()
	if now.Before(l.end) {
		return l
	}
	c.past = slices.Insert(c.past, 0, c.report(l, l.end))
	c.past = c.past[:min(len(c.past), c.months-1)]
	l = c.newLedger(now)
	c.now.Store(l)
	return l
}

// Observe has the meter count the connection minutes of a WebSocket API, and the messages that its
// [Meter.Middleware] doesn't see: what the program sends on its own. Each API is observed once.
func (c *Meter) Observe(api *websocket.API) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := api.Metrics()
	c.sockets = append(c.sockets, api)
	l := c.now.Load()
	l.sockets = append(l.sockets, socketCount{m.MessageUnits, m.Connected})
}

// Middleware counts the requests that pass it. It stands in front, as requests that no route is for
// are charged, too. On a WebSocket API it stands in UseMessages; handshakes aren't charged.
func (c *Meter) Middleware(next http.Handler) http.Handler { return &metered{c, next} }

type metered struct {
	meter *Meter
	next  http.Handler
}

// Station implements [gatekit.Station].
func (h *metered) Station() (kind string, next http.Handler) { return "metering", h.next }

func (h *metered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	c := call{rc: rc, r: r, w: rc.Watch(w), notes: rc.KeepNotes(gatekit.KeepOutcomes)}
	c.message = rc.API.Flavor == gatekit.WebSocket && rc.Connection != nil && rc.Connection.MessageID != ""
	c.known = gatekit.Choice{API: rc.API, Route: rc.Route}
	_, c.known.APIKeyID = rc.FoundAPIKey()
	c.body = bodycount.Watch(r)
	defer h.meter.count(&c) // of a handler that panics, too
	h.next.ServeHTTP(c.w, r)
}

// call is one request on its way.
type call struct {
	rc      *gatekit.RequestContext
	r       *http.Request
	w       *gatekit.Watched
	notes   gatekit.Notes
	known   gatekit.Choice // before the request goes on
	message bool           // of a WebSocket connection
	body    *bodycount.Body
}

func (c *Meter) count(of *call) {
	chosen := of.notes.Choice()
	of.notes.Release()
	if of.w.Status() == http.StatusSwitchingProtocols {
		return // a handshake
	}
	k := rowKey{key: cmp.Or(chosen.APIKeyID, of.known.APIKeyID)}
	api, route := of.known.API, of.known.Route
	if chosen.API != nil {
		api = chosen.API
	}
	if chosen.Route != nil {
		route = chosen.Route
	}
	k.api, k.stage = api.APIID, api.Stage
	if route != nil {
		k.route = route.Key
	}
	in, out := of.body.Bytes(of.r), of.w.Bytes()
	units := int64(1)
	switch api.Flavor {
	case gatekit.REST:
		k.kind = RESTRequest
	case gatekit.HTTP:
		units = steps(in, requestStep)
	case gatekit.WebSocket:
		if !of.message {
			return // a handshake, or the end of a connection
		}
		k.kind, units = WebSocketMessage, steps(in, messageStep)
		if out > 0 {
			units += steps(out, messageStep)
		}
	}
	row := c.at(of.rc.Time).row(k, c.most)
	row.calls.Add(1)
	row.in.Add(in)
	row.out.Add(out)
	if why := of.rc.Rejection(); why != nil && k.kind != WebSocketMessage && c.free[uint8(why.Type)] {
		row.free.Add(1)
		return
	}
	row.units.Add(units)
}

// row returns k's row, or that of what there is no room for.
func (l *ledger) row(k rowKey, most int) *row {
	for _, k := range [...]rowKey{k, {k.kind, k.api, k.stage, k.route, other}} {
		if found := l.rows.Get(k); found != nil {
			return found
		}
		if found := l.rows.Add(k, func() bool { return l.rows.Len() < most }, newRow); found != nil {
			return found
		}
	}
	return l.rows.Add(rowKey{kind: k.kind, api: other, stage: other, route: other, key: other}, nil, newRow)
}

func newRow() *row { return new(row) }
