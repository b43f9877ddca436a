package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// HTTPConfig configures a [Proxy].
type HTTPConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// URI is what requests are sent to: http://host/path or https://host/path, with {name} in path
	// or query for the route's variables ({proxy} for {proxy+}) and ${stageVariables.name} anywhere
	// behind the scheme. On $default, or without a route, the request's path follows the URI's,
	// unless it is a message of a WebSocket connection. The URI's query comes before the client's.
	// At most 2,048 bytes. With Upstreams it may be a path only, or empty, which means the
	// request's path.
	URI string
	// Method is the method that is sent. "" and "ANY" mean the client's.
	Method string
	// MethodOverride lets a client choose the method that is sent with X-HTTP-Method-Override, as
	// REST APIs do where Method is the client's. Authorizers have judged the request by its own
	// method.
	MethodOverride bool
	// RequestPath sends the request's own path, as the stations before have left it, in place of
	// the URI's path and without a stage. An overwrite:path mapping of transform.Parameters does so
	// by itself.
	RequestPath bool
	// InsecureDecodeEncodedSlash decodes greedy variables on their way into URI, as the managed
	// gateway is reported to: GET /files%2Fsecret becomes /files/secret there, past whatever guards
	// GET /files/secret here. By default the upstream gets them as they came.
	InsecureDecodeEncodedSlash bool

	// Upstreams are the servers that requests are sent to: the targets of a load balancer behind a
	// VPC link. None means the URI's host. The Host header and the name in the TLS handshake stay
	// the URI's.
	Upstreams []Upstream
	// Balance chooses among Upstreams.
	Balance Balance
	// Private makes it a private integration: the stage's name is put before the path, unless it is
	// $default, and a certificate of another name is a 500.
	Private bool
	// Health asks the upstreams how they are. nil asks nothing.
	Health *HealthCheck
	// Ejection says when upstreams that fail get no requests for a while.
	Ejection Ejection
	// PanicPercent is the share of healthy upstreams below which health isn't looked at: so many
	// can hardly have failed, and the others wouldn't carry the load. 0 means that requests are
	// sent to all only where none is healthy. At most 100.
	PanicPercent int
	// Retry says which requests are sent again.
	Retry Retry

	// Timeout is how long the response headers may take, all attempts together, not counting the
	// time in which a client sends its body, if that isn't slower than 32 KiB a second. A short
	// body must have come within the same time. 0 means the flavor's: 30 seconds for HTTP APIs, 29
	// for REST APIs. At least 50 ms; more than the flavor's is fine here.
	Timeout time.Duration
	// TryTimeout is how long they may take in one attempt. 0 means no less than Timeout. At least
	// 50 ms.
	TryTimeout time.Duration
	// ConnectTimeout is how long a connection may take to be made, each with its TLS handshake. 0
	// means 5 seconds.
	ConnectTimeout time.Duration
	// IdleTimeout is how long a response may pause once its headers are there, or an upgraded
	// connection be silent in both directions, or a client take nothing. A stream has no other end.
	// 0 means 5 minutes.
	IdleTimeout time.Duration

	// MaxConnections is how many requests may be at one upstream at a time. 0 means 1,000. A
	// request counts from when there is something to send (a body of up to 64 KiB is read first) to
	// the end of the upstream's answer. While others wait for a connection, a request whose client
	// sends or takes less than 32 KiB a second, and is behind that by half of ConnectionWait, is
	// given up: with 408, or by breaking off its answer.
	MaxConnections int
	// ConnectionWait is how long a request waits if all upstreams have that many. 0 means 1 second.
	ConnectionWait time.Duration
	// MaxWaiting is how many wait at the most; more are refused at once. 0 means 1,000.
	MaxWaiting int

	// MaxRequestBytes is the longest request body. 0 means the managed gateway's 10 MiB, negative
	// no limit.
	MaxRequestBytes int64
	// MaxResponseBytes is the longest response that says how long it is. 0 means the managed
	// gateway's 10 MiB, negative no limit. A response that doesn't say is streamed, however long it
	// gets: nothing is kept of it here.
	MaxResponseBytes int64
	// MaxResponseHeaderBytes bounds the response's headers. 0 means 64 KiB; at most 1 MiB.
	MaxResponseHeaderBytes int

	// Protocol is what is spoken to the upstreams. HTTP/1.1 by default, as by the managed gateway.
	Protocol Protocol
	// TLS is for upstreams that speak TLS.
	TLS TLS
	// Dial connects in place of net.Dialer: to a Unix socket, say. It must return when ctx ends.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// XForwarded adds X-Forwarded-For, -Host, -Port and -Proto on HTTP APIs too, whose backends
	// read Forwarded.
	XForwarded bool
	// ForwardedProto is "http" or "https", for programs behind a load balancer that ends TLS. ""
	// means what the connection says.
	ForwardedProto string
	// GatewayHeaders are headers that stations before this one set on the request. A client's
	// Connection header can't take them away. Those that package transform sets need not be named.
	// What a middleware in front of the module's first station has set can't be told from a
	// client's own: if the client's Connection names it, it is gone by then.
	GatewayHeaders []string
	// KeepContentEncoding leaves Content-Encoding in both directions as it is on REST APIs, which
	// otherwise drop it from the request, and decode a response that is compressed with gzip.
	KeepContentEncoding bool

	// Logger gets, once and at the start, what has no effect: TLS settings where the URI says http.
	// nil means slog.Default().
	Logger *slog.Logger
}

// TLS says how the upstreams' certificates are checked, and what they are shown.
type TLS struct {
	_ struct{} // keyed literals only, so that fields can be added

	// ServerName is the name sent in the handshake and checked against the certificate. "" means
	// the URI's host, or the upstream's. Where the URI has no scheme it switches to TLS, as
	// serverNameToVerify of a private integration does.
	ServerName string
	// RootCAs are the authorities that certificates must chain to. nil means the system's.
	RootCAs *x509.CertPool
	// Certificates are the client certificates to show.
	Certificates []tls.Certificate
	// ClientCertificate tells the client certificate to show, in place of Certificates, for each
	// connection to a server that asks for one: what a stage's client certificate is, by which
	// backends know that it is the gateway that calls. It may be another each time, so that a
	// certificate is replaced without a restart; connections that are open keep the one that they
	// were made with until they end. ctx is the handshake's. An error, or nil, fails the
	// connection.
	ClientCertificate func(ctx context.Context) (*tls.Certificate, error)
	// InsecureSkipVerify takes any certificate, as insecureSkipVerification of REST APIs does.
	// Anybody in between can read and change everything.
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
