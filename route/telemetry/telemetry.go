package telemetry

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bodycount"
	"github.com/gatekit-go/gatekit/internal/httpword"
)

// Middleware measures and traces the requests that pass it. It stands in front: what it doesn't
// see isn't counted. On a WebSocket API it stands in UseMessages, and in Use for handshakes.
func (t *Telemetry) Middleware(next http.Handler) http.Handler { return &measured{t, next} }

type measured struct {
	t    *Telemetry
	next http.Handler
}

// Station implements [gatekit.Station].
func (h *measured) Station() (kind string, next http.Handler) { return "telemetry", h.next }

func (h *measured) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	c := call{t: h.t, rc: rc, r: r, known: gatekit.Choice{API: rc.API, Route: rc.Route}, pattern: r.Pattern}
	recorded := h.t.tracing.tracer != nil && c.startSpan()
	if !recorded && !h.t.measures() {
		h.next.ServeHTTP(w, c.r)
		return
	}
	w = c.begin(w, recorded)
	defer c.end() // also of a handler that panics, which goes on
	h.next.ServeHTTP(w, c.r)
	c.returned = true
}

// call is one request on its way.
type call struct {
	t        *Telemetry
	rc       *gatekit.RequestContext
	r        *http.Request
	w        *gatekit.Watched
	body     *bodycount.Body
	notes    gatekit.Notes
	known    gatekit.Choice // before the request goes on
	pattern  string         // of a router in front
	message  bool           // of a WebSocket connection
	method   uint8
	scheme   uint8
	returned bool
	span     span
}

func (c *call) begin(w http.ResponseWriter, recorded bool) http.ResponseWriter {
	c.message = isMessage(c.rc, c.r)
	c.method, c.scheme = methodOf(c.r.Method), schemeOf(c.r)
	keep := gatekit.KeepOutcomes
	if recorded {
		keep |= gatekit.KeepTimes
	}
	if c.t.measures() {
		c.t.active[c.method][c.scheme].Add(1)
		if c.t.service && !c.message {
			c.body = bodycount.Watch(c.r)
		}
	}
	c.notes = c.rc.KeepNotes(keep)
	c.w = c.rc.Watch(w)
	return c.span.watch(c)
}

// isMessage reports whether the request is one that a WebSocket connection makes, and not its
// handshake.
func isMessage(rc *gatekit.RequestContext, r *http.Request) bool {
	return rc.Connection != nil && len(r.Header["Upgrade"]) == 0
}

func (c *call) end() {
	took := time.Since(c.rc.Time)
	status := c.w.Status()
	if !c.returned && !c.w.Wrote() {
		status = http.StatusInternalServerError // what a server makes of a panic, or nothing at all
	}
	c.learn()
	if c.t.measures() {
		c.t.active[c.method][c.scheme].Add(-1)
		c.measure(took, status)
	}
	if c.span.Span != nil {
		c.endSpan(status)
	}
	c.notes.Release()
}

// learn takes over what stations behind have chosen. Where none has, a router in front may have.
func (c *call) learn() {
	chosen := c.notes.Choice()
	if chosen.API != nil {
		c.known.API, c.known.APIKeyID = chosen.API, chosen.APIKeyID
	}
	if chosen.Route != nil {
		c.known.Route = chosen.Route
	}
	// A pattern for all below a path may have another router behind it, which has found no route.
	if p := c.r.Pattern; c.known.Route == nil && p != "" && p == c.pattern && !strings.HasSuffix(p, "/") {
		c.known.Route = &gatekit.Route{Key: gatekit.RouteKey(c.r)}
	}
}

func (c *call) measure(took time.Duration, status int) {
	t := c.t
	s := t.of(t.keyOf(c.known.API, c.known.Route))
	c.notes.Each(s.note)
	ctx := noSpan
	if c.span.Span != nil {
		ctx = c.span.ctx
	}
	if i := c.rc.Integration(); i != nil && t.service {
		s.integration.add(ctx, t.durations.integration, i.Latency, time.Millisecond)
	}
	if t.top != nil && c.known.APIKeyID != "" {
		t.top.Add(c.known.APIKeyID, 1)
	}
	if c.message { // counted by the API, with what it sends on its own: see ObserveWebSocket
		return
	}
	s.count.Add(1)
	switch {
	case status >= 500:
		s.server.Add(1)
	case status >= 400:
		s.client.Add(1)
	}
	n := c.body.Bytes(c.r)
	if httpword.BodySent(c.r.Method, status) {
		n += c.w.Bytes()
	}
	if n > 0 {
		s.bytes.Add(n)
	}
	if status == http.StatusSwitchingProtocols || c.r.Method == http.MethodConnect { // over HTTP/2: RFC 8441
		return // how long a connection was open is no latency
	}
	if t.service {
		s.latency.add(ctx, t.durations.latency, took, time.Millisecond)
	}
	if t.http {
		a := answer{c.method, c.scheme, versionOf(c.r), statusOf(status)}
		if to := t.answered(s, a); to != nil {
			to.add(ctx, t.durations.request, took, time.Second)
		}
	}
}

// noSpan is what is measured in, unless a span is recorded, of which an SDK may keep an exemplar.
var noSpan = context.Background()
