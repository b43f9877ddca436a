package gatekit

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// contextKey is the module's only context key: a new feature adds a field to RequestContext, not a
// key.
type contextKey struct{}

// attached is a context, the RequestContext that it carries, the request that carries it, and what
// becomes known of it later, in one object: attaching costs one allocation. It is 688 bytes, of a
// class of 704; the next is 768.
type attached struct {
	context.Context
	rc      RequestContext
	request http.Request

	integration atomic.Pointer[Integration]
	rejection   atomic.Pointer[Rejection]
	trial       atomic.Pointer[trial] // the innermost Shadow whose rule is running
	notes       atomic.Pointer[notes] // nil unless somebody keeps them
	watched     Watched               // lent to the first who watches the answer
	values      atomic.Pointer[context.Context]
	// idHeaders is what the request-ID headers' slices point at, without an allocation of their
	// own.
	idHeaders [2]string
}

func (a *attached) Value(key any) any {
	if key == (contextKey{}) {
		return &a.rc
	}
	return a.beneath().Value(key)
}

// beneath is the context that answers for other values.
func (a *attached) beneath() context.Context {
	if ctx := a.values.Load(); ctx != nil {
		return *ctx
	}
	return a.Context
}

// From returns the RequestContext that ctx carries, or nil outside a gateway.
func From(ctx context.Context) *RequestContext {
	rc, _ := ctx.Value(contextKey{}).(*RequestContext)
	return rc
}

// WithoutRequestContext returns ctx without the RequestContext that it carries, so that a request
// made with it gets one of its own: a gateway behind a gateway in the same process.
func WithoutRequestContext(ctx context.Context) context.Context {
	if From(ctx) == nil {
		return ctx
	}
	return outside{ctx}
}

type outside struct{ context.Context }

func (o outside) Value(key any) any {
	if key == (contextKey{}) {
		return nil
	}
	return o.Context.Value(key)
}

// noAPI is what is known of the API where nobody has described it.
var noAPI API

// Attach returns the request's RequestContext and the request that carries it: r itself if it has
// one, else a shallow copy with a new one. Headers that a client's Connection names are gone in the
// copy: they are for this connection (RFC 9110, section 7.6.1), so that no station decides by what
// no backend gets.
func Attach(r *http.Request) (*RequestContext, *http.Request) {
	ctx := r.Context()
	value := ctx.Value(contextKey{})
	rc, ok := value.(*RequestContext)
	if !ok {
		a := &attached{Context: ctx}
		rc = &a.rc
		rc.API, rc.at = &noAPI, a
		if p, ok := value.(*peer); ok { // the search for a RequestContext ends at the connection
			rc.known = &p.identity
		}
		rc.id.draw()
		rc.Path = requestpath.Of(r)
		rc.Time = time.Now()
		hopbyhop.KeepTrailer(r)
		a.request = *r.WithContext(a) // inlined, so that the copy that it makes stays on the stack
		r = &a.request
		if len(r.Header["Connection"]) > 0 {
			r.Header = hopbyhop.StripUnsigned(r.Header)
		}
	} else {
		requestpath.Follow(&rc.Path, r.URL, rc.API.Flavor == REST)
	}
	if r.Pattern != "" && rc.at != nil && &rc.at.request != r {
		rc.at.request.Pattern = r.Pattern // another router has chosen since: RouteKey makes a key of it
	}
	return rc, r
}

// Detach returns a deep copy of r in ctx, without its body, for work on it that goes on when r is
// answered. It has a RequestContext of its own that knows what r's knows, so that what becomes of
// it isn't told of r. It costs its caller nothing (Charge is nil), and its refusals are nobody's to
// answer.
func Detach(ctx context.Context, r *http.Request) *http.Request {
	rc, r := Attach(r)
	a := &attached{Context: ctx, rc: *rc}
	a.rc.at, a.rc.Charge, a.rc.responder = a, nil, nil
	a.request = *r.Clone(a)
	a.request.Body, a.request.ContentLength = http.NoBody, 0
	return &a.request
}

// request is the request that the context was attached to, as it was then, or nil.
func (rc *RequestContext) request() *http.Request {
	if rc == nil || rc.at == nil {
		return nil
	}
	return &rc.at.request
}
