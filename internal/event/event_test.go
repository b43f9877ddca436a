package event_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

func TestHeaders(t *testing.T) {
	for host, port := range map[string]string{"a.example": "443", "a.example:8443": "8443", "[::1]": "443", "[::1]:99": "99", "a:b:c": "443", "a:": "443", "": "443", "]": "443"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.TLS, r.RemoteAddr = host, &tls.ConnectionState{}, "[::ffff:192.0.2.1]:4711"
		r.Header["X-Forwarded-For"] = []string{"203.0.113.1", "198.51.100.1"}
		h := event.Headers(r)
		require.Equal(t, []string{port}, h["X-Forwarded-Port"], host)
		require.Equal(t, []string{"203.0.113.1, 198.51.100.1, 192.0.2.1"}, h["X-Forwarded-For"])
		require.Equal(t, []string{"https"}, h["X-Forwarded-Proto"])
		require.Equal(t, []string{host}, h["Host"])
		require.Equal(t, []string{"203.0.113.1", "198.51.100.1"}, r.Header["X-Forwarded-For"], "the request's own stay")
		r.RemoteAddr = "@"
		require.Equal(t, []string{"203.0.113.1", "198.51.100.1"}, event.Headers(r)["X-Forwarded-For"])
	}
}

func TestValues(t *testing.T) {
	parsed := query("a=1&a=2&b&=x&&%zz=%zz&c=%20+")
	require.Equal(t, map[string][]string{"a": {"1", "2"}, "b": {""}, "": {"x"}, "%zz": {"%zz"}, "c": {"  "}}, parsed)
	require.Equal(t, "2", last(parsed)["a"])
	require.Equal(t, "1,2", joined(parsed, false)["a"])
	require.Equal(t, map[string]string{"x-a": "1,2"}, joined(map[string][]string{"X-A": {"1", "2"}}, true))
	require.Equal(t, []string{"a=1", "b=\"x\"", "c"}, cookies(http.Header{"Cookie": {" a=1;b=\"x\" ;; ", "c"}}))
	require.Equal(t, "/a", event.ResourcePath("GET /a"))
	require.Equal(t, "$default", event.ResourcePath("$default"))
	require.Len(t, event.ResourceID(""), 6)
	require.Equal(t, "02/Jan/2024:03:04:05 +0000", event.Time(time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)))
	text, err := event.Marshal(map[string]string{"a": "<&>"})
	require.NoError(t, err)
	require.Equal(t, `{"a":"<&>"}`, string(text))
	_, err = event.Marshal(make(chan int))
	require.Error(t, err)
}

func TestClientCert(t *testing.T) {
	require.Nil(t, event.NewClientCert(nil))
	c := event.NewClientCert(&x509.Certificate{
		Raw: []byte{1}, Subject: pkix.Name{CommonName: "c"}, SerialNumber: big.NewInt(0x0f01), NotBefore: time.Date(2024, 1, 5, 8, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 11, 14, 8, 0, 0, 0, time.UTC),
	})
	require.Equal(t, "3841", c.SerialNumber)
	require.Equal(t, event.Validity{NotBefore: "Jan  5 08:00:00 2024 GMT", NotAfter: "Nov 14 08:00:00 2026 GMT"}, c.Validity)
	require.True(t, strings.HasPrefix(c.ClientCertPem, "-----BEGIN CERTIFICATE-----\n"))
}

// A signature is for the gateway, and so for its authorizers; a body is for the function alone.
func TestOnlyForOne(t *testing.T) {
	for name, write := range map[string]func(*event.Writer) []byte{
		"v2": func(w *event.Writer) []byte { return w.AppendV2(nil) }, "v1": func(w *event.Writer) []byte { return w.AppendV1(nil) },
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x")
		rc, r := gatekit.Attach(r)
		for _, to := range []*event.Authorizer{nil, {ARN: "arn", BodyDigest: "digest"}} {
			text := string(write(&event.Writer{Context: rc, Request: r, Body: []byte("the body"), Authorizer: to}))
			require.Equal(t, to != nil, strings.Contains(text, "Credential=x"), name)
			require.Equal(t, to == nil, strings.Contains(text, "the body"), name)
			require.Equal(t, to != nil, strings.Contains(text, `"bodySha256":"digest"`), name)
		}
	}
	require.Equal(t, `{"type":"TOKEN","authorizationToken":"Bearer \"","methodArn":"arn"}`, string(event.AppendToken(nil, `Bearer "`, "arn")))
}

// Names stand in the certificate's order, with the escapes of RFC 2253, and serial numbers are
// decimal.
func TestCertificateNames(t *testing.T) {
	raw := func(parts ...pkix.RelativeDistinguishedNameSET) []byte {
		der, err := asn1.Marshal(pkix.RDNSequence(parts))
		require.NoError(t, err)
		return der
	}
	one := func(oid string, value any) pkix.RelativeDistinguishedNameSET {
		var id asn1.ObjectIdentifier
		for text := range strings.SplitSeq(oid, ".") {
			n, _ := strconv.Atoi(text)
			id = append(id, n)
		}
		return pkix.RelativeDistinguishedNameSET{{Type: id, Value: value}}
	}
	serial, _ := new(big.Int).SetString("29382910293847561029384756102", 10)
	for want, subject := range map[string][]byte{
		"C=US,ST=Washington,L=Seattle,O=Amazon Web Services,OU=Security,CN=My Client": raw(one("2.5.4.6", "US"), one("2.5.4.8", "Washington"), one("2.5.4.7", "Seattle"),
			one("2.5.4.10", "Amazon Web Services"), one("2.5.4.11", "Security"), one("2.5.4.3", "My Client")),
		`CN=a\,b\+c,C=DE`:           raw(one("2.5.4.3", "a,b+c"), one("2.5.4.6", "DE")),
		"DC=example,UID=u7,E=a@b.c": raw(one("0.9.2342.19200300.100.1.25", "example"), one("0.9.2342.19200300.100.1.1", "u7"), one("1.2.840.113549.1.9.1", "a@b.c")),
		"CN=y+O=x":                  raw(append(one("2.5.4.10", "x"), one("2.5.4.3", "y")...)),
		"1.2.3=#130161":             raw(one("1.2.3", asn1.RawValue{FullBytes: []byte{12, 1, 'a'}})),
		"":                          raw(),
		"C=DE,O=Org,CN=hand-made":   nil,
	} {
		c := event.NewClientCert(&x509.Certificate{
			RawSubject: subject, Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Org"}, CommonName: "hand-made"}, SerialNumber: serial,
		})
		require.Equal(t, want, c.SubjectDN)
		require.Equal(t, "29382910293847561029384756102", c.SerialNumber)
		require.Equal(t, c.SubjectDN, event.CertificateNames(&x509.Certificate{RawSubject: subject, Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Org"}, CommonName: "hand-made"}})["subjectDN"])
	}
}

// Whatever a client sends becomes an event: no pair and no cookie gets lost, nothing panics.
func FuzzQuery(f *testing.F) {
	f.Add("a=1&a=%zz;b", "a=1; b")
	f.Fuzz(func(t *testing.T, raw, sent string) {
		pairs := len(event.QueryLines(nil, raw))
		want := 0
		for pair := range strings.SplitSeq(raw, "&") {
			if pair != "" {
				want++
			}
		}
		if pairs != want {
			t.Errorf("%q: got %d pairs, want %d", raw, pairs, want)
		}
		var list []string
		if text := event.AppendCookies(nil, http.Header{"Cookie": {sent}}); len(text) > 0 {
			list = valid[[]string](t, text)
		}
		for _, cookie := range list {
			if cookie == "" || strings.Contains(cookie, ";") {
				t.Errorf("%q: got %q", sent, cookie)
			}
		}
	})
}
