package telemetry

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatekit-go/gatekit"
)

// endSpan ends the span of a request that was answered with status, unless a connection that was
// taken over has.
func (c *call) endSpan(status int) {
	if c.span.IsRecording() {
		c.span.end(c.known, status, c.returned)
	}
}

// end says of the request what is known now, has its phases as spans and events below it, and ends
// it. (Semantic conventions for HTTP spans, "HTTP server".)
func (s *span) end(chosen gatekit.Choice, status int, returned bool) {
	all := make([]attribute.KeyValue, 0, 16)
	add := func(name, value string) {
		if value != "" {
			all = append(all, attribute.String(name, value))
		}
	}
	add("http.request.method", methodNames[s.method])
	add("url.scheme", schemeNames[s.scheme])
	if s.method == uint8(methods-1) {
		add("http.request.method_original", cut(s.r.Method))
	}
	add("url.path", s.about.path)
	add("network.protocol.version", versionNames[versionOf(s.r)])
	add("server.address", s.about.domain)
	add("client.address", s.about.address)
	add("user_agent.original", s.about.agent)
	add("gatekit.request_id", cmp.Or(s.notes.RequestID(), s.about.requestID))
	if api := chosen.API; api != nil {
		add("gatekit.api_id", api.APIID)
		add("gatekit.stage", api.Stage)
	}
	s.nameRoute(chosen.Route, add)
	all = append(all, attribute.Int("http.response.status_code", status))
	switch {
	case !returned:
		add("error.type", "panic")
		s.SetStatus(codes.Error, "the handler panicked")
	case status >= http.StatusInternalServerError:
		add("error.type", strconv.Itoa(status))
		s.SetStatus(codes.Error, "")
	}
	s.SetAttributes(all...)
	s.notes.Each(s.phase)
	if n := s.notes.Dropped(); n > 0 {
		s.SetAttributes(attribute.Int("gatekit.notes.dropped", n))
	}
	s.End()
}

// nameRoute names the span by its route, of which there are few.
func (s *span) nameRoute(route *gatekit.Route, add func(name, value string)) {
	if route == nil {
		return
	}
	add("gatekit.route_key", route.Key)
	if _, path, ok := strings.Cut(route.Key, " "); ok {
		add("http.route", path)
		s.SetName(spanNames[s.method] + " " + path)
		return
	}
	s.SetName(route.Key)
}

// phase makes a span of a note that says how long it took, and an event of any other.
func (s *span) phase(n *gatekit.Note) {
	if n.Text != "" { // an execution log's line, which has headers and bodies, and says nothing else
		return
	}
	all := make([]attribute.KeyValue, 0, 8)
	all = append(all, attribute.String("gatekit.phase", n.Phase.String()),
		attribute.String("gatekit.verdict", n.Verdict.String()))
	if n.Rule != "" {
		all = append(all, attribute.String("gatekit.rule", cut(n.Rule)))
	}
	if n.Reason != "" {
		all = append(all, attribute.String("gatekit.reason", cut(n.Reason)))
	}
	if n.Status != 0 {
		all = append(all, attribute.Int("http.response.status_code", n.Status))
	}
	if n.Limited {
		all = append(all, attribute.Int64("gatekit.left", n.Left))
	}
	if n.RequestID != "" {
		all = append(all, attribute.String("aws.request_id", cut(n.RequestID)))
	}
	if n.Began.IsZero() || n.Took <= 0 {
		s.AddEvent(n.Phase.String(), trace.WithAttributes(all...))
		return
	}
	kind := trace.SpanKindInternal
	if n.Phase == gatekit.PhaseIntegration {
		kind = trace.SpanKindClient
	}
	_, child := s.tracer.Start(s.ctx, n.Phase.String(), trace.WithTimestamp(n.Began),
		trace.WithSpanKind(kind), trace.WithAttributes(all...))
	if n.Verdict == gatekit.Failed {
		child.SetStatus(codes.Error, "")
	}
	child.End(trace.WithTimestamp(n.Began.Add(n.Took)))
}

// maxText bounds what a client's words take in a span.
const maxText = 1024

func cut(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxText)], "\ufffd")
}
