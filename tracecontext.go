package gatekit

import "context"

// TraceContext is where a request stands in the traces of all that it passes through: what
// integrations tell the next one, as X-Amzn-Trace-Id and as traceparent. It is immutable.
type TraceContext struct {
	// TraceID names the trace, and SpanID the step of it that this gateway is. Neither is all zero.
	// (W3C Trace Context, section 3.2.2. The first 4 bytes of a TraceID are the time in X-Ray's
	// reading.)
	TraceID [16]byte
	SpanID  [8]byte
	// Sampled says that it is recorded.
	Sampled bool
	// State is the tracestate, "" without one.
	State string
}

// SetTraceContext states where the request stands in its trace, for the station that traces.
// Integrations behind it send it on in place of what the client has sent. It keeps t.
func (rc *RequestContext) SetTraceContext(t *TraceContext) {
	if rc != nil {
		rc.trace = t
	}
}

// TraceContext returns where the request stands in its trace, or nil where nobody traces. It must
// not be modified.
func (rc *RequestContext) TraceContext() *TraceContext {
	if rc == nil {
		return nil
	}
	return rc.trace
}

// Beneath returns the context that the RequestContext is attached to, or the last that SetBeneath
// was given; context.Background() where nobody attached it.
func (rc *RequestContext) Beneath() context.Context {
	if rc == nil || rc.at == nil {
		return context.Background()
	}
	return rc.at.beneath()
}

// SetBeneath has the request's context answer with the values of *ctx, which is derived from
// [RequestContext.Beneath] and never from the request's context: that would ask itself for ever. It
// puts a value (a span) into the context of a request without a copy of the request; deadlines and
// cancellation stay as they are. It reports whether it could: it can't where nobody attached the
// RequestContext.
func (rc *RequestContext) SetBeneath(ctx *context.Context) bool {
	if rc == nil || rc.at == nil {
		return false
	}
	rc.at.values.Store(ctx)
	return true
}
