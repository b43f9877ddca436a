package integration

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"time"
)

// send makes attempts until one is answered, at the upstream x.at, or none is left. The request's body isn't read any more, if it isn't being sent.
func (x *exchange) send() (*http.Response, error) {
	p := x.proxy
	var room [maxAttempts]*upstream
	tried := room[:0]
	for {
		u, err := x.connectionAt(tried)
		if err != nil {
			return nil, err
		}
		x.hold(u)
		res, err := x.try(u, len(tried))
		tried = append(tried, u)
		again := err != nil || len(p.retries.statuses) > 0 && contains(p.retries.statuses, res.StatusCode)
		if err != nil && x.upstreamsFault() { // of an answer the end of its body tells
			p.failed(u)
		}
		if again && len(tried) < p.retries.attemptsFor(len(p.upstreams.Load().all)) && x.mayRepeat(err) && p.retries.budget.withdraw() {
			if res != nil {
				_ = res.Body.Close()
			}
			x.release()
			continue
		}
		return res, err
	}
}

func contains(statuses []int, status int) bool {
	for _, s := range statuses {
		if s == status {
			return true
		}
	}
	return false
}

// connectionAt returns an upstream that may have one more request, and waits for one if there is none.
func (x *exchange) connectionAt(tried []*upstream) (u *upstream, err error) {
	p := x.proxy
	if p.queue.waiting.Load() == 0 {
		if u := p.take(x.start.UnixNano(), tried); u != nil {
			return u, nil
		}
	}
	p.slow.giveUpOne(time.Now(), p.patience())
	place := p.queue.join(x)
	if place == nil {
		return nil, errBusy
	}
	defer p.queue.leave(place)
	ctx, cancel := context.WithTimeoutCause(x.ctx, p.connectionWait, errBusy)
	defer cancel()
	look := time.NewTicker(max(p.patience()/2, time.Millisecond))
	defer look.Stop()
	for turn := p.queue.isNext(place); ; { // one may have become free while we joined
		now := time.Now()
		if turn {
			if u := p.take(now.UnixNano(), tried); u != nil {
				return u, nil
			}
		}
		p.slow.giveUpOne(now, p.patience())
		if turn, err = p.queue.wait(ctx, place, look.C); err != nil {
			return nil, err
		}
	}
}

// try sends the request to u.
func (x *exchange) try(u *upstream, earlier int) (*http.Response, error) {
	p, out := x.proxy, &x.out
	if earlier > 0 { // the transport's goroutines may still look at what it was given
		out = new(http.Request)
		*out = x.out
		url := x.url
		out.URL = &url
		if x.body != nil {
			body := x.body.again()
			x.mu.Lock()
			x.body = body
			x.mu.Unlock()
			out.Body = body
		}
	}
	if u.address != "" {
		out.URL.Host = u.address
	}
	out.Close = p.ended.Load()
	x.mu.Lock()
	x.sent = false
	x.mu.Unlock()
	if p.tryTimeout == 0 {
		res, err := p.transport.RoundTrip(out)
		return res, x.cause(x.ctx, err)
	}
	ctx, cancel := context.WithCancelCause(x.ctx) // ends with the exchange, as the response is read under it
	timer := time.AfterFunc(p.tryTimeout, func() {
		cancel(errTryTimeout)
		x.endBody()
	})
	res, err := p.transport.RoundTrip(out.WithContext(ctx))
	if !timer.Stop() && err == nil {
		_ = res.Body.Close()
		res, err = nil, errTryTimeout
	}
	if err != nil {
		defer cancel(nil)
	}
	return res, x.cause(ctx, err)
}

// cause returns why ctx ended, if that is why there is an error.
func (x *exchange) cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// mayRepeat reports whether the request may be sent again after err, or after an answer if err is nil. If so, nothing reads the client's body for the
// attempt before any more.
func (x *exchange) mayRepeat(err error) bool {
	if x.ctx.Err() != nil || x.clientsFault() != nil || x.upgrade != "" && err == nil {
		return false
	}
	x.mu.Lock()
	sent := x.sent
	x.mu.Unlock()
	if sent && !isIdempotent(x.out.Method) {
		return false
	}
	return x.body == nil || x.body.repeatable()
}

// upstreamsFault reports whether it is the upstream that failed, and not the client: one that went away, sent nonsense, or is slow to send. Else
// clients could take upstreams out of service.
func (x *exchange) upstreamsFault() bool {
	if x.in.Context().Err() != nil {
		return false
	}
	x.mu.Lock()
	sent := x.sent
	x.mu.Unlock()
	return x.body == nil || !sent || x.body.complete() || x.clientsFault() == nil && x.ctx.Err() == nil
}

// clientsFault returns what was wrong with the client's body, or nil.
func (x *exchange) clientsFault() error {
	if x.body == nil {
		return nil
	}
	return x.body.fault()
}

func (x *exchange) gotConn(httptrace.GotConnInfo) {
	x.mu.Lock()
	x.sent = true
	x.mu.Unlock()
}

// maxInterim bounds the 1xx responses of one request.
const maxInterim = 16

// got1xx passes an interim response on: the upstream's headers alone, as those that stations before have set are the final answer's. 100 is the
// server's to send, when the body is read.
func (x *exchange) got1xx(status int, header textproto.MIMEHeader) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.phase != forHeaders || status == http.StatusContinue || !x.in.ProtoAtLeast(1, 1) || !streams(x.w) {
		return nil
	}
	if x.interim++; x.interim > maxInterim {
		return errors.New("integration: too many 1xx responses")
	}
	h := x.w.Header()
	final := h.Clone()
	clear(h)
	for name, values := range header {
		h[name] = values
	}
	dropHopByHop(h, nil)
	x.w.WriteHeader(status)
	clear(h)
	for name, values := range final {
		h[name] = values
	}
	return nil
}

// streams reports whether what is written to w goes out before the answer is whole. Where it doesn't, as under http.TimeoutHandler, a 1xx would be
// taken for the answer, and the status behind it, of a refusal say, would be lost. Stations pass Flush on, so that the last writer tells.
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
func (x *exchange) late() {
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
func (x *exchange) endWriteLocked() {
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Unix(1, 0))
}

// await says what is waited for from now on, and no longer than the idle timeout.
func (x *exchange) await(ph phase) {
	x.begin(ph, x.proxy.idle)
	x.watch.Reset(x.proxy.idle)
}

// begin says what is waited for from now on, and how long. It returns why the exchange has ended before, or nil.
func (x *exchange) begin(ph phase, wait time.Duration) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.phase, x.until = ph, time.Now().Add(wait)
	return context.Cause(x.ctx)
}

// headersIn ends the wait for the headers. It returns why that came too late, or nil.
func (x *exchange) headersIn() error {
	defer x.watch.Stop()
	return x.begin(forUpstream, x.proxy.idle)
}

// end makes sure that nothing touches the request or the response once the handler has returned.
func (x *exchange) end() {
	x.watch.Stop()
	x.endBody()
	x.mu.Lock()
	x.phase = done
	x.mu.Unlock()
}

// endBody ends the reading of the client's body. Who waits for the client keeps the transport from returning, and holds a lock that the server needs
// before it can answer: a client that sends nothing more would hold all of it. The server closes the connection behind the answer.
func (x *exchange) endBody() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.endBodyLocked()
}

func (x *exchange) endBodyLocked() {
	if x.body != nil && x.phase != done && x.body.end() {
		_ = http.NewResponseController(x.w).SetReadDeadline(time.Unix(1, 0)) // ends the request's context, too
	}
}
