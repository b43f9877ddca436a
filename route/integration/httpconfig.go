package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

// HTTPConfig configures a [Proxy].
type HTTPConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// URI is what requests are sent to: http://host/path or https://host/path, with {name} in path or query for the route's variables ({proxy}
	// for {proxy+}) and ${stageVariables.name} anywhere behind the scheme. On $default, or without a route, the request's path follows the
	// URI's. The URI's query comes before the client's. At most 2,048 bytes. With Upstreams it may be a path only, or empty, which means the
	// request's path.
	URI string
	// Method is the method that is sent. "" and "ANY" mean the client's.
	Method string
	// MethodOverride lets a client choose the method that is sent with X-HTTP-Method-Override, as REST APIs do where Method is the client's.
	// Authorizers have judged the request by its own method.
	MethodOverride bool
	// RequestPath sends the request's own path, as the stations before have left it, in place of the URI's path and without a stage: behind an
	// overwrite:path mapping.
	RequestPath bool
	// InsecureDecodeEncodedSlash decodes greedy variables on their way into URI, as the managed gateway is reported to: GET /files%2Fsecret becomes
	// /files/secret there, past whatever guards GET /files/secret here. By default the upstream gets them as they came.
	InsecureDecodeEncodedSlash bool

	// Upstreams are the servers that requests are sent to: the targets of a load balancer behind a VPC link. None means the URI's host. The Host header and
	// the name in the TLS handshake stay the URI's.
	Upstreams []Upstream
	// Balance chooses among Upstreams.
	Balance Balance
	// Private makes it a private integration: the stage's name is put before the path, unless it is $default, and a certificate of another name is a
	// 500.
	Private bool
	// Health asks the upstreams how they are. nil asks nothing.
	Health *HealthCheck
	// Ejection says when upstreams that fail get no requests for a while.
	Ejection Ejection
	// PanicPercent is the share of healthy upstreams below which health isn't looked at: so many can hardly have failed, and the others wouldn't carry the
	// load. 0 means that requests are sent to all only where none is healthy. At most 100.
	PanicPercent int
	// Retry says which requests are sent again.
	Retry Retry

	// Timeout is how long the response headers may take, all attempts together, not counting the time in which a client sends its body, if that isn't
	// slower than 32 KiB a second. A short body must have come within the same time. 0 means the flavor's: 30 seconds for HTTP APIs, 29 for REST APIs. At least
	// 50 ms; more than the flavor's is fine here.
	Timeout time.Duration
	// TryTimeout is how long they may take in one attempt. 0 means no less than Timeout. At least 50 ms.
	TryTimeout time.Duration
	// ConnectTimeout is how long a connection may take to be made, each with its TLS handshake. 0 means 5 seconds.
	ConnectTimeout time.Duration
	// IdleTimeout is how long a response may pause once its headers are there, or an upgraded connection be silent in both directions, or a client take
	// nothing. A stream has no other end. 0 means 5 minutes.
	IdleTimeout time.Duration

	// MaxConnections is how many requests may be at one upstream at a time. 0 means 1,000. A request counts from when there is something to send (a body of
	// up to 64 KiB is read first) to the end of the upstream's answer. While others wait for a connection, a request whose client sends or takes less than
	// 32 KiB a second, and is behind that by half of ConnectionWait, is given up: with 408, or by breaking off its answer.
	MaxConnections int
	// ConnectionWait is how long a request waits if all upstreams have that many. 0 means 1 second.
	ConnectionWait time.Duration
	// MaxWaiting is how many wait at the most; more are refused at once. 0 means 1,000.
	MaxWaiting int

	// MaxRequestBytes is the longest request body. 0 means the managed gateway's 10 MiB, negative no limit.
	MaxRequestBytes int64
	// MaxResponseBytes is the longest response that says how long it is. 0 means the managed gateway's 10 MiB, negative no limit. A response that doesn't say
	// is streamed, however long it gets: nothing is kept of it here.
	MaxResponseBytes int64
	// MaxResponseHeaderBytes bounds the response's headers. 0 means 64 KiB; at most 1 MiB.
	MaxResponseHeaderBytes int

	// Protocol is what is spoken to the upstreams. HTTP/1.1 by default, as by the managed gateway.
	Protocol Protocol
	// TLS is for upstreams that speak TLS.
	TLS TLS
	// Dial connects in place of net.Dialer: to a Unix socket, say. It must return when ctx ends.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// XForwarded adds X-Forwarded-For, -Host, -Port and -Proto on HTTP APIs too, whose backends read Forwarded.
	XForwarded bool
	// ForwardedProto is "http" or "https", for programs behind a load balancer that ends TLS. "" means what the connection says.
	ForwardedProto string
	// GatewayHeaders are headers that stations before this one set on the request. A client's Connection header can't take them away. Those that
	// package transform sets need not be named. What a middleware in front of the module's first station has set can't be told from a client's own: if
	// the client's Connection names it, it is gone by then.
	GatewayHeaders []string
	// KeepContentEncoding leaves Content-Encoding in both directions as it is on REST APIs, which otherwise drop it from the request, and decode a
	// response that is compressed with gzip.
	KeepContentEncoding bool
}

// TLS says how the upstreams' certificates are checked, and what they are shown.
type TLS struct {
	_ struct{} // keyed literals only, so that fields can be added

	// ServerName is the name sent in the handshake and checked against the certificate. "" means the URI's host, or the upstream's. Where the URI has no
	// scheme it switches to TLS, as serverNameToVerify of a private integration does.
	ServerName string
	// RootCAs are the authorities that certificates must chain to. nil means the system's.
	RootCAs *x509.CertPool
	// Certificates are the client certificates to show.
	Certificates []tls.Certificate
	// InsecureSkipVerify takes any certificate, as insecureSkipVerification of REST APIs does. Anybody in between can read and change everything.
	InsecureSkipVerify bool
}

// Protocol is a version of HTTP.
type Protocol uint8

const (
	// HTTP1 is HTTP/1.1. The default.
	HTTP1 Protocol = iota
	// HTTP2 is HTTP/2 over TLS, or HTTP/1.1 where the upstream doesn't offer it.
	HTTP2
	// H2C is HTTP/2 without TLS, with prior knowledge.
	H2C
)

// String returns the constant's name.
func (p Protocol) String() string {
	switch p {
	case HTTP1:
		return "HTTP1"
	case HTTP2:
		return "HTTP2"
	case H2C:
		return "H2C"
	}
	return fmt.Sprintf("Protocol(%d)", uint8(p))
}

const (
	minProxyTimeout          = 50 * time.Millisecond
	defaultConnectTimeout    = 5 * time.Second
	defaultIdleTimeout       = 5 * time.Minute // of response streaming on Regional APIs
	defaultMaxConnections    = 1000
	defaultConnectionWait    = time.Second
	defaultMaxWaiting        = 1000
	defaultMaxResponseHeader = 64 << 10
	maxMaxResponseHeader     = 1 << 20
)

// checked is what check finds out.
type checked struct {
	uri    *uritemplate.Source
	scheme string
	host   string // of a URI without stage variables
}

// check returns every mistake in c.
func (c *HTTPConfig) check() (checked, error) {
	var errs []error
	refuse := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("integration: HTTPConfig."+field+": "+format, args...))
	}
	out := checked{scheme: "http"}
	uri, err := parseURI(c.URI)
	if err != nil {
		refuse("URI", "%w", err)
	} else {
		out.uri = uri
		if uri.Fixed() {
			out.host = hostOf(uri.Shape())
			if out.host == "" && len(c.Upstreams) == 0 {
				refuse("URI", "want http://host/… or https://host/…, or Upstreams, got %q", c.URI)
			}
		}
	}
	switch {
	case strings.HasPrefix(c.URI, "https:"):
		out.scheme = "https"
	case !strings.HasPrefix(c.URI, "http:") && c.TLS.ServerName != "":
		out.scheme = "https"
	}
	if c.Method != "" && !httpword.IsToken(c.Method) {
		refuse("Method", "want a method, ANY or nothing, got %q", c.Method)
	}
	if err := checkUpstreams("HTTPConfig.Upstreams", c.Upstreams); err != nil {
		errs = append(errs, err)
	}
	if c.Balance > PowerOfTwo {
		refuse("Balance", "want one of its constants, got %v", c.Balance)
	}
	if c.Health != nil {
		if len(c.Upstreams) == 0 {
			refuse("Health", "want Upstreams: there is nobody else to send to, however the URI's host is")
		}
		if err := c.Health.check(); err != nil {
			errs = append(errs, err)
		}
	}
	if c.Ejection.For < 0 {
		refuse("Ejection.For", "want 0 or more, got %v", c.Ejection.For)
	}
	if c.PanicPercent < 0 || c.PanicPercent > 100 {
		refuse("PanicPercent", "want 0 to 100, got %d", c.PanicPercent)
	}
	if err := c.Retry.check(); err != nil {
		errs = append(errs, err)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
		least time.Duration
	}{
		{"Timeout", c.Timeout, minProxyTimeout},
		{"TryTimeout", c.TryTimeout, minProxyTimeout},
		{"ConnectTimeout", c.ConnectTimeout, time.Millisecond},
		{"IdleTimeout", c.IdleTimeout, time.Millisecond},
		{"ConnectionWait", c.ConnectionWait, time.Millisecond},
	} {
		if d.value != 0 && d.value < d.least {
			refuse(d.name, "want 0, or at least %v, got %v", d.least, d.value)
		}
	}
	if c.MaxConnections < 0 || c.MaxConnections > 1_000_000 {
		refuse("MaxConnections", "want 0 to 1,000,000, got %d", c.MaxConnections)
	}
	if c.MaxWaiting < 0 || c.MaxWaiting > 1_000_000 {
		refuse("MaxWaiting", "want 0 to 1,000,000, got %d", c.MaxWaiting)
	}
	if c.MaxResponseHeaderBytes < 0 || c.MaxResponseHeaderBytes > maxMaxResponseHeader {
		refuse("MaxResponseHeaderBytes", "want 0 to %d, got %d", maxMaxResponseHeader, c.MaxResponseHeaderBytes)
	}
	if c.ForwardedProto != "" && c.ForwardedProto != "http" && c.ForwardedProto != "https" {
		refuse("ForwardedProto", `want "", "http" or "https", got %q`, c.ForwardedProto)
	}
	for i, name := range c.GatewayHeaders {
		if !httpword.IsToken(name) {
			refuse(fmt.Sprintf("GatewayHeaders[%d]", i), "want a header's name, got %q", name)
		}
	}
	errs = append(errs, c.checkTLS(out.scheme))
	return out, errors.Join(errs...)
}

func (c *HTTPConfig) checkTLS(scheme string) error {
	var errs []error
	switch {
	case c.Protocol > H2C:
		errs = append(errs, fmt.Errorf("integration: HTTPConfig.Protocol: want one of its constants, got %v", c.Protocol))
	case c.Protocol == HTTP2 && scheme == "http":
		errs = append(errs, errors.New("integration: HTTPConfig.Protocol: want H2C for HTTP/2 without TLS, got HTTP2"))
	case c.Protocol == H2C && scheme == "https":
		errs = append(errs, errors.New("integration: HTTPConfig.Protocol: want HTTP2 for an https URI, got H2C"))
	}
	if scheme == "http" && (c.TLS.ServerName != "" || c.TLS.RootCAs != nil || len(c.TLS.Certificates) > 0 || c.TLS.InsecureSkipVerify) {
		errs = append(errs, errors.New("integration: HTTPConfig.TLS: want an https URI: nothing would be encrypted"))
	}
	if len(c.TLS.ServerName) > 512 || strings.ContainsAny(c.TLS.ServerName, ":/ {}") {
		errs = append(errs, fmt.Errorf("integration: HTTPConfig.TLS.ServerName: want a name of 1 to 512 characters without a port, got %q", c.TLS.ServerName))
	}
	return errors.Join(errs...)
}

// newTransport returns what connects. One serves all upstreams, as it keeps connections by address.
func (c *HTTPConfig) newTransport(scheme, host string) *http.Transport {
	connect := orDefault(c.ConnectTimeout, defaultConnectTimeout)
	t := &http.Transport{
		DialContext:            c.Dial,
		TLSHandshakeTimeout:    connect,
		DisableCompression:     true, // what the client accepts is the client's to say
		MaxIdleConns:           0,    // bounded by those for each host, of which there are as many as upstreams
		MaxIdleConnsPerHost:    orDefault(c.MaxConnections, defaultMaxConnections),
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: int64(orDefault(c.MaxResponseHeaderBytes, defaultMaxResponseHeader)),
		Protocols:              new(http.Protocols),
	}
	if t.DialContext == nil {
		t.DialContext = (&net.Dialer{Timeout: connect}).DialContext
	}
	t.Protocols.SetHTTP1(c.Protocol != H2C)
	t.Protocols.SetHTTP2(c.Protocol == HTTP2)
	t.Protocols.SetUnencryptedHTTP2(c.Protocol == H2C)
	if scheme == "https" {
		name := c.TLS.ServerName
		if name == "" && len(c.Upstreams) > 0 && host != "" {
			name = httpword.Hostname(host) // without upstreams the address that is connected to has the name
		}
		t.TLSClientConfig = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			ServerName:         name,
			RootCAs:            c.TLS.RootCAs,
			Certificates:       slices.Clone(c.TLS.Certificates),
			InsecureSkipVerify: c.TLS.InsecureSkipVerify,
		}
	}
	return t
}

func orDefault[T comparable](v, deflt T) T {
	var zero T
	if v == zero {
		return deflt
	}
	return v
}
