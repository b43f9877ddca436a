package event_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
	query := event.Query("a=1&a=2&b&=x&&%zz=%zz&c=%20+")
	require.Equal(t, map[string][]string{"a": {"1", "2"}, "b": {""}, "": {"x"}, "%zz": {"%zz"}, "c": {"  "}}, query)
	require.Equal(t, "2", event.Last(query)["a"])
	require.Equal(t, "1,2", event.Joined(query, false)["a"])
	require.Equal(t, map[string]string{"x-a": "1,2"}, event.Joined(map[string][]string{"X-A": {"1", "2"}}, true))
	require.Equal(t, []string{"a=1", "b=\"x\"", "c"}, event.Cookies(http.Header{"Cookie": {" a=1;b=\"x\" ;; ", "c"}}))
	r := httptest.NewRequest("GET", "/", nil)
	r.SetPathValue("id", "a b/c")
	require.Equal(t, map[string]string{"id": "a b/c", "gone": ""}, event.PathParameters(r, "GET /{id+}/{gone}", false))
	require.Equal(t, map[string]string{"id": "a%20b/c"}, event.PathParameters(r, "GET /{id...}", true))
	require.Empty(t, event.PathParameters(r, "GET /{", false)["x"])
	require.Equal(t, "/a", event.ResourcePath("GET /a"))
	require.Equal(t, "$default", event.ResourcePath("$default"))
	require.Equal(t, "/prod/a", event.RawPath("prod", "/a"))
	require.Equal(t, "/a", event.RawPath("$default", "/a"))
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
	require.Equal(t, "0f:01", c.SerialNumber)
	require.Equal(t, event.Validity{NotBefore: "Jan  5 08:00:00 2024 GMT", NotAfter: "Nov 14 08:00:00 2026 GMT"}, c.Validity)
	require.True(t, strings.HasPrefix(c.ClientCertPem, "-----BEGIN CERTIFICATE-----\n"))
}

// Whatever a client sends becomes an event: no pair and no cookie gets lost, nothing panics.
func FuzzQuery(f *testing.F) {
	f.Add("a=1&a=%zz;b", "a=1; b")
	f.Fuzz(func(t *testing.T, query, cookies string) {
		pairs := 0
		for _, values := range event.Query(query) {
			pairs += len(values)
		}
		want := 0
		for pair := range strings.SplitSeq(query, "&") {
			if pair != "" {
				want++
			}
		}
		if pairs != want {
			t.Errorf("%q: got %d pairs, want %d", query, pairs, want)
		}
		for _, cookie := range event.Cookies(http.Header{"Cookie": {cookies}}) {
			if cookie == "" || strings.Contains(cookie, ";") {
				t.Errorf("%q: got %q", cookies, cookie)
			}
		}
	})
}
