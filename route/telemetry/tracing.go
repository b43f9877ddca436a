package telemetry

import (
	"bufio"
	"context"
	"maps"
	"net"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/traceid"
)

// tracing makes spans.
type tracing struct {
	tracer      trace.Tracer // nil without
	trusted     *gatekit.TrustedProxies
	remote      Remote
	keepBaggage bool
	// options are what a span starts with, made once. Attributes come when it is recorded: an SDK
	// copies those that it starts with for requests, too, that it doesn't sample, which are most. A
	// sampler sees the method, as the span's name.
	options []trace.SpanStartOption
}

func newTracing(cfg *Config, trusted *gatekit.TrustedProxies) tracing {
	return tracing{
		tracer: cfg.TracerProvider.Tracer(Scope), trusted: trusted, remote: cfg.Remote, keepBaggage: cfg.KeepBaggage,
		options: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
	}
}

// traced is the context of a span, and where that stands in its trace, in one object.
type traced struct {
	ctx   context.Context
	trace gatekit.TraceContext
}

// span is a request's span while it is served.
type span struct {
	trace.Span
	tracer trace.Tracer
	ctx    context.Context // of the span
	r      *http.Request
	notes  gatekit.Notes
	about  about
	method uint8
	scheme uint8
}

// spanNames are those of spans until their route is known. (Semantic conventions for HTTP spans,
// "Name".)
var spanNames = func() [methods]string {
	all := methodNames
	all[methods-1] = "HTTP"
	return all
}()

// about is what a span says of its request that a handler may write to as long as it runs, which it
// may beyond the end of the request: so it is read before.
type about struct{ path, domain, address, agent, requestID string }

func aboutOf(rc *gatekit.RequestContext) about {
	a := about{
		path: cut(rc.Path.Received()), domain: cut(rc.DomainName()), agent: cut(rc.UserAgent()),
		requestID: rc.RequestID(),
	}
	if ip := rc.SourceIP(); ip.IsValid() {
		a.address = ip.String()
	}
	return a
}

// startSpan starts the request's span, and reports whether it is recorded.
func (c *call) startSpan() bool {
	t := &c.t.tracing
	at := &traced{}
	ctx, options := c.rc.Beneath(), t.options
	own := trace.SpanContextFromContext(c.r.Context()) // of a station in front, or of another library
	switch {
	case own.IsValid():
		ctx = c.r.Context()
	default:
		ctx, options = t.continued(ctx, c.r, options)
	}
	method := methodOf(c.r.Method)
	name := spanNames[method]
	if isMessage(c.rc, c.r) {
		name = "MESSAGE"
	}
	ctx, started := t.tracer.Start(ctx, name, options...)
	sc := started.SpanContext()
	if !sc.IsValid() {
		return false // a provider that does nothing: what the client sent goes on as it is
	}
	at.ctx, at.trace = ctx, gatekit.TraceContext{
		TraceID: sc.TraceID(), SpanID: sc.SpanID(), Sampled: sc.IsSampled(), State: sc.TraceState().String(),
	}
	c.rc.SetTraceContext(&at.trace)
	if own.IsValid() || !c.rc.SetBeneath(&at.ctx) {
		c.r = c.r.WithContext(ctx)
	}
	if h, changed := t.header(c.r); changed {
		c.r = c.r.WithContext(c.r.Context()) // a copy, as the caller's stays as it is
		c.r.Header = h
	}
	if !started.IsRecording() {
		return false
	}
	c.span = span{
		Span: started, tracer: t.tracer, ctx: ctx, r: c.r, about: aboutOf(c.rc), method: method, scheme: schemeOf(c.r),
	}
	return true
}

// continued returns ctx with what the client says of the trace that it is in, or options with a
// link to it, as far as it is believed.
func (t *tracing) continued(
	ctx context.Context, r *http.Request, options []trace.SpanStartOption,
) (context.Context, []trace.SpanStartOption) {
	if len(r.Header["Baggage"]) > 0 && t.trusted.Trusts(r) {
		ctx = propagation.Baggage{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	if t.remote == IgnoreRemote && !t.trusted.Trusts(r) {
		return ctx, options
	}
	from := remoteOf(r)
	switch {
	case !from.IsValid():
		return ctx, options
	case t.remote == InsecureContinueRemote || t.trusted.Trusts(r):
		return trace.ContextWithRemoteSpanContext(ctx, from), options
	}
	link := trace.WithLinks(trace.Link{SpanContext: from})
	return ctx, append(options[:len(options):len(options)], link)
}

// remoteOf returns the span context that the request's headers name: traceparent's, else
// X-Amzn-Trace-Id's. It isn't valid if neither has its form.
func remoteOf(r *http.Request) (sc trace.SpanContext) {
	if len(r.Header["Traceparent"]) == 1 {
		carrier := propagation.HeaderCarrier(r.Header)
		if state := r.Header["Tracestate"]; len(state) > 1 { // one list (W3C Trace Context, section 3.3.1)
			carrier = propagation.HeaderCarrier{
				"Traceparent": r.Header["Traceparent"], "Tracestate": {strings.Join(state, ",")},
			}
		}
		sc = trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
	}
	if amzn := r.Header["X-Amzn-Trace-Id"]; !sc.IsValid() && len(amzn) == 1 {
		if at, ok := traceid.Parse(amzn[0]).W3C(); ok {
			flags := trace.TraceFlags(0).WithSampled(at.Sampled)
			sc = trace.NewSpanContext(trace.SpanContextConfig{
				TraceID: at.TraceID, SpanID: at.SpanID, TraceFlags: flags, Remote: true,
			})
		}
	}
	return sc
}

// header returns the request's header without what the client says of traces, as a copy, and
// whether there was any: the request's own place is in its context, and a handler behind that reads
// these headers would begin elsewhere. A signature that covers one of them keeps it, as its
// verification needs it.
func (t *tracing) header(r *http.Request) (h http.Header, changed bool) {
	h = r.Header
	for _, name := range [...]string{"Traceparent", "Tracestate", "Baggage"} {
		if len(h[name]) == 0 || signs(r, name) || name == "Baggage" && (t.keepBaggage || t.trusted.Trusts(r)) {
			continue
		}
		if !changed {
			h, changed = maps.Clone(h), true
		}
		delete(h, name)
	}
	return h, changed
}

// signs reports whether a signature (SigV4) may cover the header.
func signs(r *http.Request, name string) bool {
	a := r.Header["Authorization"]
	return len(a) > 0 && strings.HasPrefix(a[0], "AWS4-") && strings.Contains(a[0], strings.ToLower(name))
}

// watch returns the ResponseWriter of a traced request: of one that is to change protocols, a
// writer that ends the span when the connection is taken over, since that may stay open for hours.
func (s *span) watch(c *call) http.ResponseWriter {
	s.notes = c.notes
	if s.Span == nil || len(c.r.Header["Upgrade"]) == 0 {
		return c.w
	}
	return &upgrading{c.w, *s}
}

type upgrading struct {
	*gatekit.Watched
	span span
}

// Hijack implements http.Hijacker.
func (u *upgrading) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := u.Watched.Hijack()
	if err == nil {
		u.span.end(u.span.notes.Choice(), http.StatusSwitchingProtocols, true)
	}
	return conn, rw, err
}
