package integration

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/upstream"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

// Proxy is an http.Handler that passes requests on to HTTP servers: the HTTP proxy integration and,
// with several upstreams, the private integration behind a VPC link. Bodies are streamed in both
// directions. It is safe for concurrent use.
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
// Behind transform.REST, path, query, Host and headers are what that has made of its URI and
// mappings, and response headers are its to name: beside headers of one connection nothing is
// added, renamed or dropped. The Proxy's URI, or its Upstreams, say who is connected to.
//
// What goes wrong before there are response headers is answered in the flavor's form: 503 on an
// HTTP API; 504 on a REST API, for an upstream that is too slow and one that can't be reached with
// different messages. What goes wrong later aborts the client's connection (http.ErrAbortHandler),
// so that no cut response looks complete.
type Proxy struct {
	config      HTTPConfig
	uri         *uritemplate.Source
	scheme      string
	implicit    bool             // the only upstream is the URI's host
	keep        headerSet        // what a client's Connection can't take away
	ruled       headerSet        // these, and what is dropped
	timeout     [3]time.Duration // by flavor
	maxRequest  int64
	maxResponse int64
	pool        *upstream.Pool
}

// maxPayload is the managed gateway's, in both directions. (Developer guide, "Amazon API Gateway
// quotas": 10 MB.)
const maxPayload = 10 << 20

// NewHTTP returns a Proxy, or one error that lists every field it refuses. It copies cfg. Health
// checks and upgraded connections end with ctx; after that requests are still served, for a program
// that is shutting down, but no connection is kept.
func NewHTTP(ctx context.Context, cfg HTTPConfig) (*Proxy, error) {
	m := mistakes.In("integration: HTTPConfig")
	found := cfg.check(m)
	if err := m.Err(); err != nil {
		return nil, err
	}
	if cfg.idleTLS(found.scheme) {
		// The managed gateway takes them (a tlsConfig beside an http URI), so an API that has them
		// isn't refused here; but who meant https should hear of it.
		cmp.Or(cfg.Logger, slog.Default()).LogAttrs(ctx, slog.LevelWarn,
			"integration: HTTPConfig.TLS has no effect, as the URI says http: nothing is encrypted")
	}
	p := &Proxy{
		config: cfg, uri: found.uri, scheme: found.scheme, implicit: len(cfg.Upstreams) == 0,
		keep:        newHeaderSet(hopbyhop.Forwarding, cfg.GatewayHeaders),
		ruled:       newHeaderSet(hopbyhop.Forwarding, cfg.GatewayHeaders, droppedHTTP, droppedREST),
		pool:        cfg.newPool(ctx, found),
		maxRequest:  cmp.Or(cfg.MaxRequestBytes, maxPayload),
		maxResponse: cmp.Or(cfg.MaxResponseBytes, maxPayload),
	}
	for f := range p.timeout {
		p.timeout[f] = cmp.Or(cfg.Timeout, gatekit.Flavor(f).Limits().IntegrationTimeout)
	}
	return p, nil
}

// Station implements [gatekit.Station]. An integration is where a chain ends.
func (p *Proxy) Station() (kind string, next http.Handler) { return "integration.HTTP", nil }

// exchange is one request on its way: what this gateway knows of it, beside what is known to
// whoever sends a request to one of several servers.
type exchange struct {
	upstream.Exchange
	proxy  *Proxy
	rc     *gatekit.RequestContext
	flavor gatekit.Flavor
	mapped bool                // see gatekit.RequestContext.Mapped
	done   gatekit.Integration // what is known of the outcome
	told   bool                // recorded
	values [8]string           // what the out headers' slices point at
}

// ServeHTTP passes the request on and answers with what comes back.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{proxy: p, rc: gatekit.From(r.Context())}
	x.W, x.In, x.Began = w, r, time.Now()
	if x.rc != nil && int(x.rc.API.Flavor) < len(p.timeout) {
		x.flavor = x.rc.API.Flavor
	}
	x.mapped = x.rc != nil && x.rc.Mapped()
	if err := x.prepare(); err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	x.OnFailure = failureNotes(x.rc, p.implicit)
	x.Start(p.pool, p.timeout[x.flavor])
	defer x.End()
	res, err := x.Send()
	if err != nil {
		x.fail(err)
		return
	}
	x.answer(res)
}

// prepare fills in what is sent, or returns why nothing is.
func (x *exchange) prepare() error {
	p, r := x.proxy, x.In
	if p.maxRequest > 0 && r.ContentLength > p.maxRequest {
		return tooLarge
	}
	var variables map[string]string
	prefix := ""
	hostMapped, pathMapped := x.rc.Overwritten()
	requestPath := pathMapped || p.config.RequestPath
	if x.rc != nil {
		variables = x.rc.API.Variables
		if p.config.Private && !requestPath && x.rc.API.Stage != "" && x.rc.API.Stage != "$default" {
			prefix = "/" + x.rc.API.Stage
		}
	}
	t, err := p.uri.Template(variables)
	if err != nil {
		return badURI(err)
	}
	host := hostOf(t)
	x.URL.Scheme, x.URL.Host = p.scheme, host
	if x.mapped && r.URL.Host != "" { // transform.REST has a URI, and what is mapped into it
		t, hostMapped = nil, true
	}
	if hostMapped {
		host = r.Host
	}
	to := target{
		r: r, path: gatekit.PathOf(r), routeKey: gatekit.RouteKey(r), decode: p.config.InsecureDecodeEncodedSlash,
		message: x.rc != nil && x.rc.Connection != nil,
	}
	if err := to.set(&x.URL, t, prefix, requestPath); err != nil {
		return err
	}
	x.Out.Method = r.Method
	if m := p.config.Method; m != "" && m != "ANY" {
		x.Out.Method = m
	} else if p.config.MethodOverride {
		if m := r.Header["X-Http-Method-Override"]; len(m) == 1 && httpword.IsToken(m[0]) {
			x.Out.Method = m[0]
		}
	}
	if x.Out.Method == http.MethodConnect {
		return badTarget // a tunnel to wherever the client says
	}
	x.Out.URL, x.Out.Host = &x.URL, host
	x.Out.Proto, x.Out.ProtoMajor, x.Out.ProtoMinor = "HTTP/1.1", 1, 1
	x.Upgrade = upgradeOf(r.Header)
	if r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0 {
		x.SetBody(p.pool, p.maxRequest)
	}
	x.setHeaders()
	x.announceTrailers()
	return nil
}
