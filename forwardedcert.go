package gatekit

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// ForwardedClientCertConfig configures a [ForwardedClientCert].
type ForwardedClientCertConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Proxies are those whose header is believed. Required. They must take the header out of what
	// clients send: Envoy does with forward_client_cert_details SANITIZE_SET, and writes the
	// certificate with set_current_client_cert_details.cert.
	Proxies *TrustedProxies
	// Header is what they write. "" means X-Forwarded-Client-Cert, in Envoy's form. Client-Cert is
	// that of RFC 9440: base64 between colons. Any other one holds a certificate in PEM, escaped as
	// in URLs: X-Amzn-Mtls-Clientcert-Leaf of load balancers, or what nginx is told to set to
	// $ssl_client_escaped_cert.
	Header string
	// Element says which element of X-Forwarded-Client-Cert is the client's. The zero value is that
	// there must be exactly one.
	Element ForwardedElement
	// ClientCAs, if set, must have issued the certificate, intermediate ones being in the pool as
	// well: for proxies that pass on what they haven't verified. nil takes the proxies' word.
	ClientCAs *x509.CertPool
}

// ForwardedElement is which element of several in X-Forwarded-Client-Cert counts.
type ForwardedElement uint8

const (
	// OnlyElement refuses a header of several elements. It is right behind one proxy that sets the
	// header, and the only choice that a name in a client's certificate can't deceive: Envoy writes
	// URI names without quotes, in which a comma looks like the next element.
	OnlyElement ForwardedElement = iota
	// LastElement is what the nearest proxy appended (APPEND_FORWARD): its own client, which is
	// another proxy where there are two.
	LastElement
	// FirstElement is what the farthest proxy wrote. Each one before the nearest must set the
	// header anew or be trusted to append, or else a client writes the first element.
	FirstElement
)

// ForwardedClientCert takes a client's certificate from a header of a proxy at which TLS ended, so
// that auth.ClientCertificate, events and $context.identity.clientCert show it as if TLS ended
// here. It is immutable and safe for concurrent use. (Envoy, "x-forwarded-client-cert"; RFC 9440.)
type ForwardedClientCert struct {
	config ForwardedClientCertConfig
	header string
}

const (
	envoyHeader     = "X-Forwarded-Client-Cert"
	rfc9440Header   = "Client-Cert"
	maxForwarded    = 64 << 10 // bytes of all the header's lines
	maxForwardedAll = 16       // elements
)

// NewForwardedClientCert returns a reader of the header, or one error that names every field it
// refuses.
func NewForwardedClientCert(c ForwardedClientCertConfig) (*ForwardedClientCert, error) {
	m := mistakes.In("gatekit: ForwardedClientCertConfig")
	m.Require(c.Proxies.Any(), "Proxies", "want at least one, as anybody else could name any certificate")
	f := &ForwardedClientCert{config: c, header: envoyHeader}
	if c.Header != "" {
		f.header = textproto.CanonicalMIMEHeaderKey(c.Header)
		m.Require(httpword.IsToken(c.Header), "Header", "want a header's name, got %q", c.Header)
	}
	mistakes.Range(m, "Element", c.Element, OnlyElement, FirstElement)
	m.Require(c.Element == OnlyElement || f.header == envoyHeader,
		"Element", "want OnlyElement, as %s has no elements", f.header)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

var errForwardedCert = errors.New("gatekit: the proxy's header of the client's certificate isn't one")

// Certificate returns the certificate that a trusted proxy has sent with r, or nil if it sent none,
// or r comes from somebody else. An error means a header that can't be believed: it doesn't parse,
// has several elements where there must be one, names another certificate by its hash, or one that
// ClientCAs haven't issued.
func (f *ForwardedClientCert) Certificate(r *http.Request) (*x509.Certificate, error) {
	lines := r.Header[f.header]
	if len(lines) == 0 || !f.config.Proxies.Trusts(r) {
		return nil, nil
	}
	length := 0
	for _, line := range lines {
		length += len(line)
	}
	if length > maxForwarded {
		return nil, errForwardedCert
	}
	cert, err := f.parse(lines)
	if err != nil || f.config.ClientCAs == nil {
		return cert, err
	}
	_, err = cert.Verify(x509.VerifyOptions{
		Roots: f.config.ClientCAs, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, fmt.Errorf("gatekit: the forwarded certificate: %w", err)
	}
	return cert, nil
}

// Middleware states the certificate in the RequestContext. On connections from a trusted proxy it
// is the header's or none, never the proxy's own, with which it may have come by TLS; a header that
// can't be believed is a 400. On others it is the connection's, and the header is taken out, so
// that nothing behind believes it.
//
// It stands in front of everything that asks for a certificate, and behind gatekit.Describe.
func (f *ForwardedClientCert) Middleware(next http.Handler) http.Handler {
	return &certForwarded{from: f, next: next}
}

type certForwarded struct {
	from *ForwardedClientCert
	next http.Handler
}

func (h *certForwarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.from.config.Proxies.Trusts(r) {
		if rc := From(r.Context()); rc.Keeps(KeepOutcomes) && r.Header[h.from.header] != nil {
			rc.Note(Note{Phase: PhaseAuthenticate, Verdict: Skipped, Rule: h.from.header,
				Reason: "not from a trusted proxy"})
		}
		delete(r.Header, h.from.header)
		h.next.ServeHTTP(w, r)
		return
	}
	rc, r := Attach(r) // first, as it takes out what Connection names
	cert, err := h.from.Certificate(r)
	if err != nil {
		rc.Note(Note{Phase: PhaseAuthenticate, Verdict: Refused, Rule: h.from.header})
		Reject(w, r, &Rejection{Type: Default4XX, Status: http.StatusBadRequest, Cause: err})
		return
	}
	if cert != nil && rc.Keeps(KeepOutcomes) {
		rc.Note(Note{Phase: PhaseAuthenticate, Rule: h.from.header})
	}
	rc.SetClientCert(cert)
	h.next.ServeHTTP(w, r)
}

// Station implements [Station].
func (h *certForwarded) Station() (kind string, next http.Handler) {
	return "forwarded client certificate", h.next
}

func (f *ForwardedClientCert) parse(lines []string) (*x509.Certificate, error) {
	if f.header != envoyHeader {
		if len(lines) != 1 {
			return nil, errForwardedCert
		}
		if f.header == rfc9440Header {
			return bareCertificate(lines[0])
		}
		return escapedCertificate(lines[0])
	}
	var elements []certElement
	for _, line := range lines { // several lines are one list (RFC 9110, section 5.3)
		for more := true; more; {
			var e certElement
			if len(elements) == maxForwardedAll {
				return nil, errForwardedCert
			}
			if line, more = e.read(line); e.bad {
				return nil, errForwardedCert
			}
			elements = append(elements, e)
		}
	}
	if f.config.Element == OnlyElement && len(elements) != 1 {
		return nil, errForwardedCert
	}
	if f.config.Element == FirstElement {
		return elements[0].certificate()
	}
	return elements[len(elements)-1].certificate()
}

// certElement is one element of X-Forwarded-Client-Cert, as far as it counts.
type certElement struct {
	cert, hash       string
	hasCert, hasHash bool
	bad              bool
}

// read reads an element, Key=value;Key="value", and returns what follows behind its comma.
func (e *certElement) read(s string) (rest string, more bool) {
	for {
		s = strings.TrimLeft(s, " \t")
		key, after, found := strings.Cut(s, "=")
		value, after, ok := elementValue(after)
		if !found || !ok || !e.set(key, value) {
			e.bad = true
			return "", false
		}
		after = strings.TrimLeft(after, " \t")
		switch {
		case after == "":
			return "", false
		case after[0] == ',':
			return after[1:], true
		}
		s = after[1:] // elementValue has seen that it is a semicolon
	}
}

// set takes in a pair. Which keys there are is Envoy's business, but of those that count there is
// one each.
func (e *certElement) set(key, value string) bool {
	if !httpword.IsToken(key) {
		return false
	}
	switch {
	case strings.EqualFold(key, "Cert"):
		again := e.hasCert
		e.cert, e.hasCert = value, true
		return !again
	case strings.EqualFold(key, "Hash"):
		again := e.hasHash
		e.hash, e.hasHash = value, true
		return !again
	}
	return true
}

// elementValue reads a value, quoted or not, up to the separator behind it. In quotes a backslash
// takes the next character as it is.
func elementValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		end := strings.IndexAny(s, ";,")
		if end < 0 {
			end = len(s)
		}
		value = strings.TrimRight(s[:end], " \t")
		return value, s[end:], !strings.Contains(value, `"`)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			rest = s[i+1:]
			next := strings.TrimLeft(rest, " \t")
			return b.String(), rest, next == "" || next[0] == ';' || next[0] == ','
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false // without an end
}

// certificate returns the element's certificate. One that names it by the hash alone tells nothing
// that could be judged.
func (e *certElement) certificate() (*x509.Certificate, error) {
	if !e.hasCert {
		return nil, errors.New("gatekit: the proxy's header has no Cert, but what names the certificate at the most")
	}
	cert, err := escapedCertificate(e.cert)
	if err != nil {
		return nil, err
	}
	if e.hasHash {
		digest := sha256.Sum256(cert.Raw)
		said, err := hex.DecodeString(e.hash)
		if err != nil || !bytes.Equal(said, digest[:]) {
			return nil, errors.New("gatekit: the proxy's header has the Hash of another certificate than its Cert")
		}
	}
	return cert, nil
}

// escapedCertificate reads a certificate in PEM that is escaped as in URLs: one, and nothing beside
// it.
func escapedCertificate(s string) (*x509.Certificate, error) {
	text, err := url.PathUnescape(s) // not QueryUnescape: a plus is one
	if err != nil {
		return nil, errForwardedCert
	}
	in := []byte(text)
	if !bytes.HasPrefix(in, []byte("-----BEGIN CERTIFICATE-----")) {
		return nil, errForwardedCert
	}
	block, rest := pem.Decode(in)
	if block == nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errForwardedCert
	}
	return derCertificate(block.Bytes)
}

// bareCertificate reads the byte sequence of RFC 9440.
func bareCertificate(s string) (*x509.Certificate, error) {
	if len(s) < 2 || s[0] != ':' || s[len(s)-1] != ':' {
		return nil, errForwardedCert
	}
	der, err := base64.StdEncoding.Strict().DecodeString(s[1 : len(s)-1])
	if err != nil {
		return nil, errForwardedCert
	}
	return derCertificate(der)
}

func derCertificate(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errForwardedCert // the parser's own error shows bytes of it
	}
	return cert, nil
}
