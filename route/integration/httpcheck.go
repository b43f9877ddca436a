package integration

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/upstream"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

// checked is what check finds out.
type checked struct {
	uri    *uritemplate.Source
	scheme string
	host   string // of a URI without stage variables
}

// check adds every mistake in c to m.
func (c *HTTPConfig) check(m *mistakes.Mistakes) checked {
	out := c.checkURI(m)
	m.Require(c.Method == "" || httpword.IsToken(c.Method), "Method", "want a method, ANY or nothing, got %q", c.Method)
	checkUpstreams(m.Under("Upstreams"), c.Upstreams)
	m.Require(c.Balance <= PowerOfTwo, "Balance", "want one of its constants, got %v", c.Balance)
	if c.Health != nil {
		m.Require(len(c.Upstreams) > 0,
			"Health", "want Upstreams: there is nobody else to send to, however the URI's host is")
		c.Health.check(m.Under("Health"))
	}
	mistakes.AtLeast(m.Under("Ejection"), "For", c.Ejection.For, 0)
	mistakes.Range(m, "PanicPercent", c.PanicPercent, 0, 100)
	c.Retry.check(m.Under("Retry"))
	for _, d := range []struct {
		field        string
		value, least time.Duration
	}{
		{"Timeout", c.Timeout, minTimeout},
		{"TryTimeout", c.TryTimeout, minTimeout},
		{"ConnectTimeout", c.ConnectTimeout, time.Millisecond},
		{"IdleTimeout", c.IdleTimeout, time.Millisecond},
		{"ConnectionWait", c.ConnectionWait, time.Millisecond},
	} {
		m.Require(d.value == 0 || d.value >= d.least, d.field, "want 0, or at least %v, got %v", d.least, d.value)
	}
	mistakes.Range(m, "MaxConnections", c.MaxConnections, 0, maxConnections)
	mistakes.Range(m, "MaxWaiting", c.MaxWaiting, 0, maxConnections)
	mistakes.Range(m, "MaxResponseHeaderBytes", c.MaxResponseHeaderBytes, 0, 1<<20)
	m.Require(slices.Contains([]string{"", "http", "https"}, c.ForwardedProto),
		"ForwardedProto", `want "", "http" or "https", got %q`, c.ForwardedProto)
	for i, name := range c.GatewayHeaders {
		m.Under("GatewayHeaders").Index(i).Require(httpword.IsToken(name), "", "want a header's name, got %q", name)
	}
	m.Require(c.Protocol <= H2C, "Protocol", "want one of its constants, got %v", c.Protocol)
	m.Require(c.Protocol != HTTP2 || out.scheme == "https", "Protocol", "want H2C for HTTP/2 without TLS, got HTTP2")
	m.Require(c.Protocol != H2C || out.scheme == "http", "Protocol", "want HTTP2 for an https URI, got H2C")
	m.Require(len(c.TLS.ServerName) <= 512 && !strings.ContainsAny(c.TLS.ServerName, ":/ {}"),
		"TLS.ServerName", "want a name of 1 to 512 characters without a port, got %q", c.TLS.ServerName)
	m.Require(c.TLS.ClientCertificate == nil || len(c.TLS.Certificates) == 0,
		"TLS.Certificates", "want them or ClientCertificate, got both")
	return out
}

func (c *HTTPConfig) checkURI(m *mistakes.Mistakes) checked {
	out := checked{scheme: "http"}
	if strings.HasPrefix(c.URI, "https:") || !strings.HasPrefix(c.URI, "http:") && c.TLS.ServerName != "" {
		out.scheme = "https"
	}
	uri, err := parseURI(c.URI)
	if err != nil {
		m.Add("URI", "%w", err)
		return out
	}
	if out.uri = uri; uri.Fixed() {
		out.host = hostOf(uri.Shape())
		m.Require(out.host != "" || len(c.Upstreams) > 0,
			"URI", "want http://host/… or https://host/…, or Upstreams, got %q", c.URI)
	}
	return out
}

// idleTLS reports whether there are TLS settings that have no effect, as nothing is encrypted.
func (c *HTTPConfig) idleTLS(scheme string) bool {
	t := &c.TLS
	set := t.ServerName != "" || t.RootCAs != nil || len(t.Certificates) > 0 || t.ClientCertificate != nil ||
		t.InsecureSkipVerify
	return set && scheme == "http"
}

// newPool returns what sends the requests.
func (c *HTTPConfig) newPool(ctx context.Context, found checked) *upstream.Pool {
	to := servers(c.Upstreams)
	if len(to) == 0 {
		to = []upstream.Server{{Address: found.host, Weight: 1}}
	}
	return upstream.New(ctx, upstream.Config{
		Servers: to, Fixed: len(c.Upstreams) == 0,
		Transport: c.newTransport(found), Scheme: found.scheme,
		Balance: c.Balance, PanicPercent: c.PanicPercent,
		Health: c.Health.health(found.host), Retry: c.Retry.retry(),
		Ejection: upstream.Ejection{
			Failures: cmp.Or(c.Ejection.Failures, 5), For: cmp.Or(c.Ejection.For, 10*time.Second),
		},
		MaxConnections: cmp.Or(c.MaxConnections, defaultMaxConnections),
		MaxWaiting:     cmp.Or(c.MaxWaiting, 1000),
		ConnectionWait: cmp.Or(c.ConnectionWait, time.Second),
		TryTimeout:     c.TryTimeout,
		IdleTimeout:    cmp.Or(c.IdleTimeout, idleTimeout),
		Client:         gatekit.SourceIP,
	})
}

const defaultMaxConnections = 1000

// newTransport returns what connects. One serves all upstreams, as it keeps connections by address.
func (c *HTTPConfig) newTransport(found checked) *http.Transport {
	connect := cmp.Or(c.ConnectTimeout, 5*time.Second)
	t := &http.Transport{
		DialContext:            c.Dial,
		TLSHandshakeTimeout:    connect,
		DisableCompression:     true, // what the client accepts is the client's to say
		MaxIdleConns:           0,    // bounded by those for each host, of which there are as many as upstreams
		MaxIdleConnsPerHost:    cmp.Or(c.MaxConnections, defaultMaxConnections),
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: int64(cmp.Or(c.MaxResponseHeaderBytes, 64<<10)),
		Protocols:              new(http.Protocols),
	}
	if t.DialContext == nil {
		t.DialContext = (&net.Dialer{Timeout: connect}).DialContext
	}
	t.Protocols.SetHTTP1(c.Protocol != H2C)
	t.Protocols.SetHTTP2(c.Protocol == HTTP2)
	t.Protocols.SetUnencryptedHTTP2(c.Protocol == H2C)
	if found.scheme == "https" {
		name := c.TLS.ServerName
		if name == "" && len(c.Upstreams) > 0 && found.host != "" {
			name = httpword.Hostname(found.host) // without upstreams the address that is connected to has the name
		}
		t.TLSClientConfig = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			ServerName:         name,
			RootCAs:            c.TLS.RootCAs,
			Certificates:       slices.Clone(c.TLS.Certificates),
			InsecureSkipVerify: c.TLS.InsecureSkipVerify,
		}
		if c.TLS.ClientCertificate != nil {
			t.TLSClientConfig.GetClientCertificate = c.TLS.clientCertificate
		}
	}
	return t
}

// clientCertificate answers a server that asks for a certificate. None isn't an answer: the server
// might take the connection for anybody's.
func (t *TLS) clientCertificate(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	certificate, err := t.ClientCertificate(asked.Context())
	if err == nil && (certificate == nil || len(certificate.Certificate) == 0) {
		err = errors.New("there is none")
	}
	if err != nil {
		return nil, fmt.Errorf("integration: TLS.ClientCertificate: %w", err)
	}
	return certificate, nil
}
