package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"net/url"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
)

// Exchange is one request on its way. It holds what would otherwise be allocated piece by piece: a
// caller embeds it in a struct of its own, fills in the exported fields, and calls, in this order,
// [Exchange.SetBody] if there is one, [Exchange.Start], [Exchange.Send], and one of [Exchange.Copy]
// and [Exchange.Tunnel]; whatever happens after Start, [Exchange.End] before it returns.
type Exchange struct {
	W     http.ResponseWriter // the client's
	In    *http.Request       // the client's
	Began time.Time           // when the request came
	// Out is the first attempt's, without a context, and URL what its URL points at.
	Out http.Request
	URL url.URL
	// Upgrade is the protocol that the client asks to change to, or "".
	Upgrade string
	// OnFailure, if it isn't nil, is called for each attempt that is repeated, or that has taken
	// its server out of service.
	OnFailure func(Failure)

	pool    *Pool
	timeout time.Duration
	ctx     context.Context // of all attempts
	cancel  context.CancelCauseFunc
	unhook  func() bool
	watch   *time.Timer
	body    *clientBody // nil without one
	trace   httptrace.ClientTrace

	at       *server // where it has a place, or nil
	slow     bool    // it is one of Pool.slow, for client
	client   netip.Addr
	sendFrom time.Time // when sending could begin; before the watch is set, and not changed after it
	down     pace      // the client's, as it reads

	mu      sync.Mutex // over what other goroutines look at, body's being another one included
	phase   phase
	until   time.Time // when the wait for that ends: a timer that has run in another phase ends none
	interim int       // 1xx responses
	sent    bool      // a connection was got: the server may have seen something of this attempt
}

// phase is what is waited for.
type phase uint8

const (
	forBody phase = iota // of the client, before there is a place
	forHeaders
	forUpstream
	forClient
	done
)

// Why an exchange failed, beside errors of the transport.
var (
	// ErrTimeout is that no response headers came in time.
	ErrTimeout = errors.New("no response headers came in time")
	// ErrBusy is that every server has as many requests as it may have.
	ErrBusy = errors.New("upstream: every server has as many requests as it may have")
	// ErrSlowClient is that the client was too slow to send its body, or kept a server waiting that
	// others needed.
	ErrSlowClient = errors.New("the client was too slow")
)

// What ends an exchange, as causes of its context.
var (
	errNoHeaders  = fmt.Errorf("upstream: %w", ErrTimeout)
	errTryTimeout = fmt.Errorf("upstream: in the attempt's time %w", ErrTimeout)
	errSilent     = errors.New("upstream: the response paused for too long")
	errStalled    = errors.New("upstream: the client took nothing for too long")
	errSent       = errors.New("upstream: the exchange has ended")
	errSlowBody   = fmt.Errorf("upstream: %w to send its body", ErrSlowClient)
	errGivenUp    = fmt.Errorf("upstream: %w, and others needed its place", ErrSlowClient)
)

// SetBody sets the client's body as what is sent. It is called when Out has its method. limit is
// how long it may be; 0 or less: any.
func (x *Exchange) SetBody(p *Pool, limit int64) {
	x.pool = p
	n := x.In.ContentLength
	x.body = &clientBody{in: x.In.Body, length: n, limit: limit}
	if n > aheadBytes && x.mayKeep(n) {
		x.body.kept = make([]byte, 0, n)
	}
	x.Out.Body, x.Out.ContentLength = x.body, n
}

// HasBody reports whether the client's body is sent.
func (x *Exchange) HasBody() bool { return x.body != nil }

// OnBodyRead calls f when the body has been read, before the transport is told so: what the
// request's trailers are is known then.
func (x *Exchange) OnBodyRead(f func()) { x.body.trail = f }

// Complete reports whether all of the client's body has come, or there is none.
func (x *Exchange) Complete() bool { return x.body == nil || x.body.complete() }

// Fault returns what was wrong with the client's body, or nil.
func (x *Exchange) Fault() error {
	if x.body == nil {
		return nil
	}
	return x.body.fault()
}

// Start starts the clocks: timeout is how long the response headers may take.
func (x *Exchange) Start(p *Pool, timeout time.Duration) {
	ctx, cancel := context.WithCancelCause(x.In.Context())
	x.pool, x.timeout, x.cancel = p, timeout, cancel
	x.trace.Got1xxResponse, x.trace.GotConn = x.got1xx, x.gotConn
	x.ctx = httptrace.WithClientTrace(ctx, &x.trace)
	x.Out = *x.Out.WithContext(x.ctx)
	x.watch = time.AfterFunc(timeout, x.late)
	if x.body != nil {
		x.unhook = context.AfterFunc(ctx, func() {
			if context.Cause(ctx) != context.Canceled { // else the client is gone, and reading fails by itself
				x.EndBody()
			}
		})
	}
}

// End gives x's place up and makes sure that nothing touches the request or the response once the
// handler has returned.
func (x *Exchange) End() {
	if x.unhook != nil {
		x.unhook()
	}
	x.release()
	x.watch.Stop()
	x.EndBody()
	x.mu.Lock()
	x.phase = done
	x.mu.Unlock()
	x.cancel(errSent)
}

// ClientGone reports whether it is the client that has ended the exchange, by going away.
func (x *Exchange) ClientGone() bool { return context.Cause(x.ctx) == context.Canceled }

func (x *Exchange) gotConn(httptrace.GotConnInfo) {
	x.mu.Lock()
	x.sent = true
	x.mu.Unlock()
}

// maxInterim bounds the 1xx responses of one request.
const maxInterim = 16

// got1xx passes an interim response on: the upstream's headers alone, as those that stations before
// have set are the final answer's. 100 is the server's to send, when the body is read.
func (x *Exchange) got1xx(status int, header textproto.MIMEHeader) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.phase != forHeaders || status == http.StatusContinue || !x.In.ProtoAtLeast(1, 1) || !streams(x.W) {
		return nil
	}
	if x.interim++; x.interim > maxInterim {
		return errors.New("upstream: too many 1xx responses")
	}
	h := x.W.Header()
	final := h.Clone()
	clear(h)
	for name, values := range header {
		h[name] = values
	}
	hopbyhop.Drop(h, nil)
	x.W.WriteHeader(status)
	clear(h)
	for name, values := range final {
		h[name] = values
	}
	return nil
}

// streams reports whether what is written to w goes out before the answer is whole. Where it
// doesn't, as under http.TimeoutHandler, a 1xx would be taken for the answer, and the status behind
// it, of a refusal say, would be lost. Stations pass Flush on, so that the last writer tells.
func streams(w http.ResponseWriter) bool {
	for {
		within, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			_, ok = w.(http.Flusher)
			return ok
		}
		w = within.Unwrap()
	}
}

// late is what the timer calls.
func (x *Exchange) late() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if time.Now().Before(x.until) {
		return // it ran while another wait began, whose own time is to come
	}
	switch x.phase {
	case forBody:
		x.cancel(errSlowBody)
		x.endBodyLocked()
	case forHeaders:
		if more := x.allowance(time.Now()); more > 0 {
			x.watch.Reset(more)
			return
		}
		x.cancel(errNoHeaders)
		x.endBodyLocked()
	case forUpstream:
		x.cancel(errSilent)
	case forClient:
		x.cancel(errStalled)
		x.endWriteLocked()
	}
}

// endWriteLocked ends a Write that waits for the client. The connection is lost anyway.
func (x *Exchange) endWriteLocked() {
	_ = http.NewResponseController(x.W).SetWriteDeadline(time.Unix(1, 0))
}

// await says what is waited for from now on, and no longer than the idle timeout.
func (x *Exchange) await(ph phase) {
	x.begin(ph, x.pool.config.IdleTimeout)
	x.watch.Reset(x.pool.config.IdleTimeout)
}

// begin says what is waited for from now on, and how long. It returns why the exchange has ended
// before, or nil.
func (x *Exchange) begin(ph phase, wait time.Duration) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.phase, x.until = ph, time.Now().Add(wait)
	return context.Cause(x.ctx)
}

// headersIn ends the wait for the headers. It returns why that came too late, or nil.
func (x *Exchange) headersIn() error {
	defer x.watch.Stop()
	return x.begin(forUpstream, x.pool.config.IdleTimeout)
}

// EndBody ends the reading of the client's body. Who waits for the client keeps the transport from
// returning, and holds a lock that the server needs before it can answer: a client that sends
// nothing more would hold all of it. The server closes the connection behind the answer.
func (x *Exchange) EndBody() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.endBodyLocked()
}

func (x *Exchange) endBodyLocked() {
	if x.body != nil && x.phase != done && x.body.end() {
		_ = http.NewResponseController(x.W).SetReadDeadline(time.Unix(1, 0)) // ends the request's context, too
	}
}
