package integration

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
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
	uri        *uritemplate.Source
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
	slow           slowOnes
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

// NewHTTP returns a Proxy, or one error that lists every field it refuses. It copies cfg. Health checks and upgraded connections end with ctx; after that
// requests are still served, for a program that is shutting down, but no connection is kept.
func NewHTTP(ctx context.Context, cfg HTTPConfig) (*Proxy, error) {
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
	errSlowBody   = errors.New("integration: the client's body was too slow to come")
	errGivenUp    = errors.New("integration: the client kept an upstream waiting that others needed")
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

	at       *upstream // where it has a place, or nil
	slow     bool      // it is one of Proxy.slow, for client
	client   netip.Addr
	sendFrom time.Time // when sending could begin; before the watch is set, and not changed after it
	down     pace      // the client's, as it reads

	mu      sync.Mutex // over what other goroutines look at, body's being another one included
	phase   phase
	until   time.Time // when the wait for that ends: a timer that has run in another phase ends none
	interim int       // 1xx responses
	sent    bool      // a connection was got: the upstream may have seen something of this attempt
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

// ServeHTTP passes the request on and answers with what comes back.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{proxy: p, w: w, in: r, rc: gatekit.From(r.Context()), start: time.Now()}
	if x.rc != nil && int(x.rc.API.Flavor) < len(p.timeout) {
		x.flavor = x.rc.API.Flavor
	}
	x.mapped = x.rc != nil && x.rc.Mapped()
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
	defer x.release()
	if x.body != nil {
		defer context.AfterFunc(ctx, func() {
			if context.Cause(ctx) != context.Canceled { // else the client is gone, and reading fails by itself
				x.endBody()
			}
		})()
	}
	if err := x.readAhead(); err != nil {
		x.fail(err)
		return
	}
	p.retries.budget.deposit()
	res, err := x.send()
	if err != nil {
		x.fail(err)
		return
	}
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
		variables = x.rc.API.Variables
		if p.config.Private && !p.config.RequestPath && x.rc.API.Stage != "" && x.rc.API.Stage != "$default" {
			prefix = "/" + x.rc.API.Stage
		}
	}
	t, err := p.uri.Template(variables)
	if err != nil {
		return badURI(err)
	}
	host := hostOf(t)
	x.url.Scheme, x.url.Host = p.scheme, host
	if x.mapped && r.URL.Host != "" { // transform.REST has a URI, and what is mapped into it
		t, host = nil, r.Host
	}
	to := target{r: r, path: gatekit.PathOf(r), routeKey: gatekit.RouteKey(r), decode: p.config.InsecureDecodeEncodedSlash}
	if err := to.set(&x.url, t, prefix, p.config.RequestPath); err != nil {
		return err
	}
	x.out.Method = r.Method
	if m := p.config.Method; m != "" && m != "ANY" {
		x.out.Method = m
	} else if p.config.MethodOverride {
		if m := r.Header["X-Http-Method-Override"]; len(m) == 1 && httpword.IsToken(m[0]) {
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
		if n := r.ContentLength; n > aheadBytes && x.mayKeep(n) {
			x.body.kept = make([]byte, 0, n)
		}
		x.out.Body, x.out.ContentLength = x.body, r.ContentLength
	}
	x.setHeaders()
	x.announceTrailers()
	return nil
}
