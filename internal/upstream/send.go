package upstream

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// MaxAttempts bounds [Retry.Attempts].
const MaxAttempts = 10

// Send sends the request and returns the response, when its headers are there: read ahead of what
// the client sends, then attempts until one is answered or none is left.
func (x *Exchange) Send() (*http.Response, error) {
	if err := x.readAhead(); err != nil {
		return nil, err
	}
	x.pool.retries.budget.deposit()
	res, err := x.send()
	if err != nil {
		return nil, err
	}
	if err := x.headersIn(); err != nil {
		_ = res.Body.Close()
		return nil, err
	}
	return res, nil
}

// send makes attempts until one is answered, by the server x.at, or none is left. The request's
// body isn't read any more, if it isn't being sent.
func (x *Exchange) send() (*http.Response, error) {
	p := x.pool
	var room [MaxAttempts]*server
	tried := room[:0]
	for {
		s, err := x.connectionAt(tried)
		if err != nil {
			return nil, err
		}
		x.hold(s)
		var began time.Time
		if x.OnFailure != nil {
			began = time.Now()
		}
		res, err := x.try(s, len(tried))
		tried = append(tried, s)
		again := err != nil || slices.Contains(p.retries.Statuses, res.StatusCode)
		f := Failure{Address: s.address, Err: err}
		if err != nil && x.serversFault() { // of an answer the end of its body tells
			f.Ejected = p.failed(s)
		}
		left := len(tried) < p.retries.attemptsFor(len(p.servers.Load().all))
		f.Repeated = again && left && x.mayRepeat(err) && p.retries.budget.withdraw()
		if x.OnFailure != nil && (f.Repeated || f.Ejected) {
			if f.Took = time.Since(began); res != nil {
				f.Status = res.StatusCode
			}
			x.OnFailure(f)
		}
		if !f.Repeated {
			return res, err
		}
		if res != nil {
			_ = res.Body.Close()
		}
		x.release()
	}
}

// Failure is an attempt that came to nothing.
type Failure struct {
	Address  string // the server's, as it is configured; "" is the only one
	Status   int    // of an answer that counts as none; 0 without one
	Err      error  // nil with an answer
	Took     time.Duration
	Repeated bool // another attempt follows
	Ejected  bool // the server gets no requests for a while
}

// Server returns the address of the server that the exchange has a place at, or "".
func (x *Exchange) Server() string {
	if x.at == nil {
		return ""
	}
	return x.at.address
}

// connectionAt returns a server that may have one more request, and waits for one if there is none.
func (x *Exchange) connectionAt(tried []*server) (s *server, err error) {
	p := x.pool
	if p.queue.waiting.Load() == 0 {
		if s := p.take(x.Began.UnixNano(), tried); s != nil {
			return s, nil
		}
	}
	p.slow.giveUpOne(time.Now(), p.patience())
	place := p.queue.join(x)
	if place == nil {
		return nil, ErrBusy
	}
	defer p.queue.leave(place)
	ctx, cancel := context.WithTimeoutCause(x.ctx, p.config.ConnectionWait, ErrBusy)
	defer cancel()
	look := time.NewTicker(max(p.patience()/2, time.Millisecond))
	defer look.Stop()
	for turn := p.queue.isNext(place); ; { // one may have become free while we joined
		now := time.Now()
		if turn {
			if s := p.take(now.UnixNano(), tried); s != nil {
				return s, nil
			}
		}
		p.slow.giveUpOne(now, p.patience())
		if turn, err = p.queue.wait(ctx, place, look.C); err != nil {
			return nil, err
		}
	}
}

// try sends the request to s.
func (x *Exchange) try(s *server, earlier int) (*http.Response, error) {
	p, out := x.pool, &x.Out
	if earlier > 0 { // the transport's goroutines may still look at what it was given
		out = new(http.Request)
		*out = x.Out
		url := x.URL
		out.URL = &url
		if x.body != nil {
			body := x.body.again()
			x.mu.Lock()
			x.body = body
			x.mu.Unlock()
			out.Body = body
		}
	}
	if s.address != "" {
		out.URL.Host = s.address
	}
	out.Close = p.ended.Load()
	x.mu.Lock()
	x.sent = false
	x.mu.Unlock()
	if p.config.TryTimeout == 0 {
		res, err := p.config.Transport.RoundTrip(out)
		return res, x.cause(x.ctx, err)
	}
	ctx, cancel := context.WithCancelCause(x.ctx) // ends with the exchange, as the response is read under it
	timer := time.AfterFunc(p.config.TryTimeout, func() {
		cancel(errTryTimeout)
		x.EndBody()
	})
	res, err := p.config.Transport.RoundTrip(out.WithContext(ctx))
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
func (x *Exchange) cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// mayRepeat reports whether the request may be sent again after err, or after an answer if err is
// nil. If so, nothing reads the client's body for the attempt before any more.
func (x *Exchange) mayRepeat(err error) bool {
	if x.ctx.Err() != nil || x.Fault() != nil || x.Upgrade != "" && err == nil {
		return false
	}
	x.mu.Lock()
	sent := x.sent
	x.mu.Unlock()
	if sent && !isIdempotent(x.Out.Method) {
		return false
	}
	return x.body == nil || x.body.repeatable()
}

// serversFault reports whether it is the server that failed, and not the client: one that went
// away, sent nonsense, or is slow to send. Else clients could take servers out of service.
func (x *Exchange) serversFault() bool {
	if x.In.Context().Err() != nil {
		return false
	}
	x.mu.Lock()
	sent := x.sent
	x.mu.Unlock()
	return x.body == nil || !sent || x.body.complete() || x.Fault() == nil && x.ctx.Err() == nil
}
