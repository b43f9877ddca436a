package event

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// setHeaders sets the headers, the host and the cookies.
func (in *Incoming) setHeaders(r *http.Request) error {
	object := in.multiHeaders
	if jsonscan.IsNull(object) {
		object = in.headers
	}
	n := min(strings.Count(object, `":`), 64) // or more, where values have such text
	r.Header = make(http.Header, n+1)
	room := make([]string, n+1) // one array for all headers that have one value
	add := func(key, value string) error {
		name, v := headerName(key), text(value)
		if !httpword.IsToken(name) || strings.ContainsAny(v, "\r\n\x00") {
			return errNotStrict
		}
		if have := r.Header[name]; len(have) > 0 || len(room) == 0 {
			r.Header[name] = append(have, v)
			return nil
		}
		room[0] = v
		r.Header[name], room = room[0:1:1], room[1:]
		return nil
	}
	for key, value := range jsonscan.Members(object) {
		if len(value) > 0 && value[0] == '[' {
			for one := range jsonscan.Elements(value) {
				if err := add(key, one); err != nil {
					return err
				}
			}
			continue
		}
		if err := add(key, value); err != nil {
			return err
		}
	}
	if !jsonscan.IsNull(in.cookies) {
		var b []byte
		for value := range jsonscan.Elements(in.cookies) {
			if len(b) > 0 {
				b = append(b, "; "...)
			}
			b, _ = jsonscan.AppendText(b, value)
		}
		if bytes.ContainsAny(b, "\r\n\x00") {
			return errNotStrict
		}
		if len(b) > 0 {
			r.Header["Cookie"] = []string{string(b)}
		}
	}
	if r.Host = r.Header.Get("Host"); r.Host == "" {
		r.Host = text(in.requestContext.domainName)
	}
	delete(r.Header, "Host") // net/http keeps it elsewhere
	return nil
}

// headerName is a header's canonical name. Those of most events are found without an allocation.
func headerName(key string) string {
	if len(key) >= 2 && len(key) <= 34 && key[0] == '"' {
		inner := key[1 : len(key)-1]
		var canonical [32]byte
		upper := true
		for i := range len(inner) {
			c := inner[i]
			switch {
			case upper && 'a' <= c && c <= 'z':
				c -= 'a' - 'A'
			case !upper && 'A' <= c && c <= 'Z':
				c += 'a' - 'A'
			}
			canonical[i] = c
			upper = c == '-'
		}
		if name, ok := known[string(canonical[:len(inner)])]; ok {
			return name
		}
	}
	return textproto.CanonicalMIMEHeaderKey(text(key))
}

// known are headers that most events have.
var known = func() map[string]string {
	m := map[string]string{}
	for _, name := range strings.Fields(`Accept Accept-Encoding Accept-Language Authorization Cache-Control
		Content-Length Content-Type Cookie Forwarded Host If-Match If-Modified-Since If-None-Match Origin Range Referer
		User-Agent Via X-Amz-Date X-Amzn-Trace-Id X-Api-Key X-Forwarded-For X-Forwarded-Port X-Forwarded-Proto
		X-Request-Id Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-Ch-Ua Sec-Ch-Ua-Mobile
		Sec-Ch-Ua-Platform Upgrade-Insecure-Requests Priority Traceparent Tracestate`) {
		m[name] = name
	}
	return m
}()

// connection is what is known of the client's TLS connection: its certificate, with mutual TLS,
// which the gateway has verified.
func (in *Incoming) connection(host string) *tls.ConnectionState {
	state := &tls.ConnectionState{HandshakeComplete: true, ServerName: httpword.Hostname(host)}
	cert := get(in.requestContext.identity, "clientCert")
	if in.Format == V2 {
		if jsonscan.IsNull(in.requestContext.authentication) {
			return state
		}
		cert = get(in.requestContext.authentication, "clientCert")
	}
	if jsonscan.IsNull(cert) {
		return state
	}
	block, _ := pem.Decode([]byte(text(get(cert, "clientCertPem"))))
	if block == nil {
		return state
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return state // who asks for a certificate refuses
	}
	state.PeerCertificates = []*x509.Certificate{leaf}
	state.VerifiedChains = [][]*x509.Certificate{{leaf}}
	return state
}
