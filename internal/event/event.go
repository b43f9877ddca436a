// Package event writes what Lambda functions see of a request: the parts that the events of authorizers and integrations share. It only
// knows shapes; what belongs into which event is said where the event is made.
package event

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Marshal writes v as JSON without escaping <, > and &, which functions may compare byte by byte.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Headers returns the request's headers as the gateway passes them on: with Host, which net/http keeps elsewhere, and with what the
// gateway says of the connection. (Recorded events: X-Forwarded-For has the client's chain and then the peer.)
func Headers(r *http.Request) http.Header {
	h := make(http.Header, len(r.Header)+4)
	for name, values := range r.Header {
		h[name] = values
	}
	h["Host"] = []string{r.Host}
	if _, err := netip.ParseAddrPort(r.RemoteAddr); err == nil { // the connection's peer, not the client that the chain names
		h["X-Forwarded-For"] = []string{ForwardedFor(r)}
	}
	h["X-Forwarded-Port"], h["X-Forwarded-Proto"] = []string{ForwardedPort(r)}, []string{ForwardedProto(r)}
	return h
}

// Last returns the last value of each name, as payload 1.0 has it.
func Last(values map[string][]string) map[string]string {
	last := make(map[string]string, len(values))
	for name, list := range values {
		if len(list) > 0 {
			last[name] = list[len(list)-1]
		}
	}
	return last
}

// Joined returns the values of each name joined by commas, as payload 2.0 has it. Lower makes names lower case.
func Joined(values map[string][]string, lower bool) map[string]string {
	joined := make(map[string]string, len(values))
	for name, list := range values {
		if lower {
			name = strings.ToLower(name)
		}
		joined[name] = strings.Join(list, ",")
	}
	return joined
}

// Query decodes a query string, a pair that doesn't decode as it is. No pair is left out, as functions judge what backends will read.
func Query(raw string) map[string][]string {
	values := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		values[name] = append(values[name], value)
	}
	return values
}

// Cookies returns the cookies one by one, each as it was sent.
func Cookies(h http.Header) []string {
	var cookies []string
	for _, line := range h["Cookie"] {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.Trim(cookie, " \t"); cookie != "" {
				cookies = append(cookies, cookie)
			}
		}
	}
	return cookies
}

// PathParameters returns the route's variables, decoded, or with encoded true as they are in a path.
func PathParameters(r *http.Request, routeKey string, encoded bool) map[string]string {
	parameters := map[string]string{}
	for rest := routeKey; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return parameters
		}
		name, after, _ := strings.Cut(after, "}")
		name, rest = strings.TrimSuffix(strings.TrimSuffix(name, "+"), "..."), after
		value := r.PathValue(name)
		if encoded {
			segments := strings.Split(value, "/")
			for i := range segments {
				segments[i] = url.PathEscape(segments[i])
			}
			value = strings.Join(segments, "/")
		}
		parameters[name] = value
	}
}

// ResourcePath is a route key without its method: "/orders/{id}".
func ResourcePath(routeKey string) string {
	if _, path, ok := strings.Cut(routeKey, " "); ok {
		return path
	}
	return routeKey
}

// ResourceID stands in for the id that the managed gateway gives a resource: six characters that stay the same for a path.
func ResourceID(resourcePath string) string {
	sum := sha256.Sum256([]byte(resourcePath))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:4]))[:6]
}

// Time is t in the Common Log Format, as $context.requestTime.
func Time(t time.Time) string { return t.UTC().Format("02/Jan/2006:15:04:05 -0700") }

// DomainPrefix is the first label of a host name.
func DomainPrefix(host string) string {
	label, _, _ := strings.Cut(host, ".")
	return label
}

// ClientCert is a client's certificate as events show it.
type ClientCert struct {
	ClientCertPem string   `json:"clientCertPem"`
	SubjectDN     string   `json:"subjectDN"`
	IssuerDN      string   `json:"issuerDN"`
	SerialNumber  string   `json:"serialNumber"`
	Validity      Validity `json:"validity"`
}

// Validity is when a certificate is valid.
type Validity struct {
	NotBefore string `json:"notBefore"`
	NotAfter  string `json:"notAfter"`
}

// NewClientCert returns nil for nil.
func NewClientCert(c *x509.Certificate) *ClientCert {
	if c == nil {
		return nil
	}
	return &ClientCert{
		ClientCertPem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
		SubjectDN:     c.Subject.String(), IssuerDN: c.Issuer.String(), SerialNumber: serialNumber(c.SerialNumber.Bytes()),
		Validity: Validity{certTime(c.NotBefore), certTime(c.NotAfter)},
	}
}

// CertificateNames are a certificate's names and times as [ClientCert] has them, in a map of its own.
func CertificateNames(c *x509.Certificate) map[string]any {
	return map[string]any{
		"subjectDN": c.Subject.String(), "issuerDN": c.Issuer.String(), "serialNumber": serialNumber(c.SerialNumber.Bytes()),
		"notBefore": certTime(c.NotBefore), "notAfter": certTime(c.NotAfter),
	}
}

func certTime(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

// serialNumber is hex with colons between the bytes.
func serialNumber(b []byte) string {
	text := make([]string, len(b))
	for i := range b {
		text[i] = hex.EncodeToString(b[i : i+1])
	}
	return strings.Join(text, ":")
}

// AddrText is an address as events have it, "" if it isn't known.
func AddrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// Millis is t in milliseconds since 1970.
func Millis(t time.Time) json.Number { return json.Number(strconv.FormatInt(t.UnixMilli(), 10)) }

// RawPath is the decoded path of payload 2.0, which begins with the stage unless that is $default. routed is the path behind base path
// and stage.
func RawPath(stage, routed string) string {
	if stage == "" || stage == "$default" {
		return routed
	}
	return "/" + stage + routed
}
