package integration

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
)

// Proxy is an http.Handler that passes requests on to HTTP servers: the HTTP proxy integration and, with several upstreams, the private
// integration behind a VPC link. Bodies are streamed in both directions. It is safe for concurrent use.
//
// Who is told what (h: HTTP API, r: REST API):
//
//	to the upstream    Host is the URI's; headers of one connection (RFC 9110, section 7.6.1) stay behind, as does Expect.
//	                   h: Forwarded and Via are appended to, X-Amzn-Trace-Id is added, X-Forwarded-* is dropped.
//	                   r: X-Forwarded-For is appended to; X-Forwarded-Port, X-Forwarded-Proto, X-Amzn-Trace-Id and X-Amzn-Apigateway-Api-Id are
//	                   set; Content-Encoding, Content-MD5, Max-Forwards, Server, Via and WWW-Authenticate are dropped.
//	to the client      h: what the upstream said.
//	                   r: Connection, Content-Length, Date, Server and X-Amzn-Requestid become x-amzn-Remapped-…; Content-Encoding and Via are
//	                   dropped.
//
// Behind transform.REST, path, query, Host and headers are what that has made of its URI and mappings, and response headers are its to name: beside
// headers of one connection nothing is added, renamed or dropped. The Proxy's URI, or its Upstreams, say who is connected to.
//
// What goes wrong before there are response headers is answered in the flavor's form: 503 on an HTTP API; 504 on a REST API, for an upstream that
// is too slow and one that can't be reached with different messages. What goes wrong later aborts the client's connection
// (http.ErrAbortHandler), so that no cut response looks complete.
type Proxy struct {
	ctx        context.Context
	ended      atomic.Bool // ctx has
	transport  *http.Transport
	config     HTTPConfig
	uri        *uriSource
	scheme     string
	checkHost  string // the Host header of health checks
	implicit   bool   // the only upstream is the URI's host
	keep       headerSet
	timeout    [3]time.Duration // by flavor
	tryTimeout time.Duration
	idle       time.Duration

	maxConnections int32
	connectionWait time.Duration
	queue          queue
	maxRequest     int64
	maxResponse    int64

	health       *HealthCheck
	ejectAfter   int32
	ejectFor     time.Duration
	panicPercent int
	retries      *retries
	balance      Balance
	turn         atomic.Uint32

	setting   sync.Mutex // over SetUpstreams
	upstreams atomic.Pointer[upstreamSet]
}

// HTTP returns a Proxy, or one error that lists every field it refuses. It copies cfg. Health checks and upgraded connections end with ctx; after that
// requests are still served, for a program that is shutting down, but no connection is kept.
func HTTP(ctx context.Context, cfg HTTPConfig) (*Proxy, error) {
	found, err := cfg.check()
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		ctx: ctx, config: cfg, uri: found.uri, scheme: found.scheme, checkHost: found.host,
		transport:      cfg.newTransport(found.scheme, found.host),
		tryTimeout:     cfg.TryTimeout,
		idle:           orDefault(cfg.IdleTimeout, defaultIdleTimeout),
		maxConnections: int32(orDefault(cfg.MaxConnections, defaultMaxConnections)),
		connectionWait: orDefault(cfg.ConnectionWait, defaultConnectionWait),
		queue:          queue{max: int32(orDefault(cfg.MaxWaiting, defaultMaxWaiting))},
		maxRequest:     orDefault(cfg.MaxRequestBytes, maxPayload),
		maxResponse:    orDefault(cfg.MaxResponseBytes, maxPayload),
		ejectAfter:     int32(orDefault(cfg.Ejection.Failures, defaultFailures)),
		ejectFor:       orDefault(cfg.Ejection.For, defaultEjection),
		panicPercent:   cfg.PanicPercent,
		retries:        newRetries(cfg.Retry),
		balance:        cfg.Balance,
		keep:           newHeaderSet(cfg.GatewayHeaders),
	}
	for f := range p.timeout {
		p.timeout[f] = orDefault(cfg.Timeout, gatekit.Flavor(f).Limits().IntegrationTimeout)
	}
	if cfg.Health != nil {
		p.health = cfg.Health.withDefaults()
	}
	if p.implicit = len(cfg.Upstreams) == 0; p.implicit {
		cfg.Upstreams = []Upstream{{Address: found.host}}
	}
	p.setUpstreams(cfg.Upstreams)
	context.AfterFunc(ctx, func() {
		p.ended.Store(true)
		p.transport.CloseIdleConnections()
	})
	return p, nil
}

// Station implements [gatekit.Station]. An integration is where a chain ends.
func (p *Proxy) Station() (kind string, next http.Handler) { return "integration.HTTP", nil }

// What ends an exchange, as causes of its context.
var (
	errNoHeaders  = errors.New("integration: the upstream sent no response headers in time")
	errTryTimeout = errors.New("integration: the upstream sent no response headers in the attempt's time")
	errSilent     = errors.New("integration: the response paused for too long")
	errStalled    = errors.New("integration: the client took nothing for too long")
	errBusy       = errors.New("integration: every upstream has as many requests as it may have")
	errSent       = errors.New("integration: the exchange has ended")
)

// exchange is one request on its way. It holds what would otherwise be allocated piece by piece.
type exchange struct {
	proxy  *Proxy
	w      http.ResponseWriter
	in     *http.Request
	rc     *gatekit.RequestContext
	flavor gatekit.Flavor
	mapped bool // see gatekit.RequestContext.Mapped
	start  time.Time

	ctx    context.Context // of all attempts
	cancel context.CancelCauseFunc
	watch  *time.Timer

	out     http.Request // the first attempt's
	url     url.URL
	values  [8]string // what the out headers' slices point at
	upgrade string
	body    *clientBody // nil without one
	trace   httptrace.ClientTrace

	mu      sync.Mutex // over what other goroutines look at, body's being another one included
	phase   phase
	interim int  // 1xx responses
	sent    bool // a connection was got: the upstream may have seen something of this attempt
}

// phase is what is waited for.
type phase uint8

const (
	forHeaders phase = iota
	forUpstream
	forClient
	done
)

// ServeHTTP passes the request on and answers with what comes back.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{proxy: p, w: w, in: r, rc: gatekit.From(r.Context()), start: time.Now()}
	if x.rc != nil && int(x.rc.Flavor) < len(p.timeout) {
		x.flavor = x.rc.Flavor
	}
	x.mapped = x.rc != nil && x.rc.Mapped
	if err := x.prepare(); err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(errSent)
	x.cancel = cancel
	x.trace.Got1xxResponse, x.trace.GotConn = x.got1xx, x.gotConn
	x.ctx = httptrace.WithClientTrace(ctx, &x.trace)
	x.out = *x.out.WithContext(x.ctx)
	x.watch = time.AfterFunc(p.timeout[x.flavor], x.late)
	defer x.end()
	if x.body != nil {
		defer context.AfterFunc(ctx, func() {
			if context.Cause(ctx) != context.Canceled { // else the client is gone, and reading fails by itself
				x.endBody()
			}
		})()
	}
	p.retries.budget.deposit()
	res, u, err := x.send()
	if err != nil {
		x.fail(err)
		return
	}
	defer p.release(u)
	x.answer(res)
}

// prepare fills in what is sent, or returns why nothing is.
func (x *exchange) prepare() error {
	p, r := x.proxy, x.in
	if p.maxRequest > 0 && r.ContentLength > p.maxRequest {
		return tooLarge
	}
	var variables map[string]string
	prefix := ""
	if x.rc != nil {
		variables = x.rc.StageVariables
		if p.config.Private && !p.config.RequestPath && x.rc.Stage != "" && x.rc.Stage != "$default" {
			prefix = "/" + x.rc.Stage
		}
	}
	t, err := p.uri.template(variables)
	if err != nil {
		return err
	}
	host, own := t.host, x.mapped && r.URL.Host != ""
	if own { // transform.REST has a URI, and what is mapped into it
		t, host = &uriTemplate{host: t.host}, r.Host
	}
	if err := t.target(&x.url, r, prefix, p.config.RequestPath || own, p.config.InsecureDecodeEncodedSlash); err != nil {
		return err
	}
	x.url.Scheme, x.url.Host = p.scheme, t.host
	x.out.Method = r.Method
	if m := p.config.Method; m != "" && m != "ANY" {
		x.out.Method = m
	} else if p.config.MethodOverride {
		if m := r.Header["X-Http-Method-Override"]; len(m) == 1 && isHTTPToken(m[0]) {
			x.out.Method = m[0]
		}
	}
	if x.out.Method == http.MethodConnect {
		return badTarget // a tunnel to wherever the client says
	}
	x.out.URL, x.out.Host = &x.url, host
	x.out.Proto, x.out.ProtoMajor, x.out.ProtoMinor = "HTTP/1.1", 1, 1
	x.upgrade = upgradeOf(r.Header)
	if r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0 {
		x.body = &clientBody{in: r.Body, length: r.ContentLength, limit: p.maxRequest}
		if n := r.ContentLength; n > 0 && n <= p.retries.bodyBytes && isIdempotent(x.out.Method) {
			x.body.kept = make([]byte, 0, n)
		}
		x.out.Body, x.out.ContentLength = x.body, r.ContentLength
		x.out.Trailer = r.Trailer
	}
	x.setHeaders()
	return nil
}

// send makes attempts until one is answered or none is left. The caller releases the upstream. The request's body isn't read any more, if it
// isn't being sent.
func (x *exchange) send() (*http.Response, *upstream, error) {
	p := x.proxy
	var room [maxAttempts]*upstream
	tried := room[:0]
	for {
		u, err := x.connectionAt(tried)
		if err != nil {
			return nil, nil, err
		}
		res, err := x.try(u, len(tried))
		tried = append(tried, u)
		again := err != nil || len(p.retries.statuses) > 0 && contains(p.retries.statuses, res.StatusCode)
		if err == nil {
			p.answered(u)
		} else if x.upstreamsFault() {
			p.failed(u)
		}
		if again && len(tried) < p.retries.attemptsFor(len(p.upstreams.Load().all)) && x.mayRepeat(err) && p.retries.budget.withdraw() {
			if res != nil {
				_ = res.Body.Close()
			}
			p.release(u)
			continue
		}
		if err != nil {
			p.release(u)
			return nil, nil, err
		}
		return res, u, nil
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
func (x *exchange) connectionAt(tried []*upstream) (*upstream, error) {
	p := x.proxy
	if u := p.take(x.start.UnixNano(), tried); u != nil {
		return u, nil
	}
	place := p.queue.join()
	if place == nil {
		return nil, errBusy
	}
	defer p.queue.leave(place)
	ctx, cancel := context.WithTimeoutCause(x.ctx, p.connectionWait, errBusy)
	defer cancel()
	for {
		if u := p.take(time.Now().UnixNano(), tried); u != nil { // one may have become free while we joined
			return u, nil
		}
		if err := p.queue.wait(ctx, place); err != nil {
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
	switch x.phase {
	case forHeaders:
		x.cancel(errNoHeaders)
		x.endBodyLocked()
	case forUpstream:
		x.cancel(errSilent)
	case forClient:
		x.cancel(errStalled)
		_ = http.NewResponseController(x.w).SetWriteDeadline(time.Unix(1, 0)) // ends the Write; the connection is lost anyway
	}
}

// await says what is waited for from now on, and no longer than the idle timeout.
func (x *exchange) await(ph phase) {
	x.mu.Lock()
	x.phase = ph
	x.mu.Unlock()
	x.watch.Reset(x.proxy.idle)
}

// headersIn ends the wait for the headers. It returns why that came too late, or nil.
func (x *exchange) headersIn() error {
	inTime := x.watch.Stop()
	x.mu.Lock()
	x.phase = forUpstream
	x.mu.Unlock()
	if !inTime {
		return errNoHeaders
	}
	return nil
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
