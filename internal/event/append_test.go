package event_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/event"
)

func valid[T any](t *testing.T, text []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func utf8s(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// The appending writers write what the maps hold that authorizers' events are made of.
func FuzzAppend(f *testing.F) {
	f.Add("a=1&a=2&b&=x&&c=%20+&é=\"", "a=1;b=\"x\" ;; c", "v\\1")
	f.Add("a=%E2%98&a=%95", "", "")
	f.Fuzz(func(t *testing.T, raw, sent, header string) {
		raw, sent, header = utf8s(raw), utf8s(sent), utf8s(header)
		want := query(raw)
		for name, values := range want {
			if !utf8.ValidString(name) || !utf8.ValidString(strings.Join(values, ",")) {
				return // decoding made bytes that JSON can't hold
			}
		}
		lines := event.QueryLines(nil, raw)
		require.Equal(t, want, valid[map[string][]string](t, event.AppendMulti(nil, lines)))
		require.Equal(t, last(want), valid[map[string]string](t, event.AppendLast(nil, lines)))
		require.Equal(t, joined(want, false), valid[map[string]string](t, event.AppendJoined(nil, lines, false)))

		h := http.Header{"Cookie": {sent, sent}}
		if list := cookies(h); len(list) > 0 {
			require.Equal(t, list, valid[[]string](t, event.AppendCookies(nil, h)))
		} else {
			require.Empty(t, event.AppendCookies(nil, h))
		}

		r := httptest.NewRequest("GET", "/", nil)
		r.Header["X-A"], r.Header["X-B"] = []string{header, "2"}, []string{header}
		lines = event.HeaderLines(nil, r, func(string) bool { return false },
			event.Line{Name: "Host", One: r.Host}, event.Line{Name: "X-Forwarded-For", One: event.ForwardedFor(r)},
			event.Line{Name: "X-Forwarded-Port", One: event.ForwardedPort(r)}, event.Line{Name: "X-Forwarded-Proto", One: event.ForwardedProto(r)})
		require.Equal(t, joined(event.Headers(r), true), valid[map[string]string](t, event.AppendJoined(nil, lines, true)))
		require.Equal(t, map[string][]string(event.Headers(r)), valid[map[string][]string](t, event.AppendMulti(nil, lines)))
	})
}

func TestHeaderLines(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = http.Header{"B": {"1"}, "A": {"2"}, "Drop": {"x"}, "Own": {"client's"}, "None": {}, "Gone": {"x"}}
	lines := event.HeaderLines(nil, r, func(name string) bool { return name == "Drop" }, event.Line{Name: "Own", One: "ours"}, event.Line{Name: "Gone"})
	require.Equal(t, `{"A":"2","B":"1","Own":"ours"}`, string(event.AppendLast(nil, lines)))
	require.Equal(t, `{}`, string(event.AppendMulti(nil, nil)))
	for _, n := range []int{31, 32, 33, 300} {
		r.Header = http.Header{}
		for i := range n {
			r.Header[fmt.Sprint("X-", i*7919%n)] = []string{"v"}
		}
		lines := event.HeaderLines(nil, r, func(string) bool { return false })
		require.Len(t, lines, n)
		require.True(t, slices.IsSortedFunc(lines, func(a, b event.Line) int { return strings.Compare(a.Name, b.Name) }))
	}
}

func TestPathParameters(t *testing.T) {
	r := httptest.NewRequest("GET", "/f/a%2Bb/c%2Fd//e/", nil)
	require.Equal(t, map[string]string{"x": "a+b", "rest": "c/d//e/"}, event.PathParameters(r, "GET /f/{x}/{rest+}", false))
	require.Equal(t, map[string]string{"x": "a%2Bb", "rest": "c%2Fd//e"}, event.PathParameters(r, "GET /f/{x}/{rest+}", true))
	r.SetPathValue("x", "other é")
	require.Equal(t, map[string]string{"x": "other%20%C3%A9"}, event.PathParameters(r, "GET /f/{x}", true), "another router than ours, or a mapping")
	require.Equal(t, map[string]string{"x": "other é", "gone": ""}, event.PathParameters(r, "GET /f/{x}/b/{gone}", false))
	for _, key := range []string{"$default", "GET /f", "", "GET /{", "GET /{}"} {
		require.Empty(t, event.PathParameters(r, key, true), key)
	}
}

func TestForwarded(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "[fe80::1%eth0]:80": "fe80::1", "@": "", "": "",
	} {
		r.RemoteAddr = remote
		require.Equal(t, want, event.ForwardedFor(r), remote)
	}
	r.RemoteAddr, r.Header["X-Forwarded-For"] = "@", []string{"a", "b"}
	require.Equal(t, "a, b", event.ForwardedFor(r))
}

func TestAppendScalars(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 6e6, time.UTC)
	require.Equal(t, `"02/Jan/2024:03:04:05 +0000"`, string(event.AppendTime(nil, at)))
	for at := time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)); at.Year() < 11000; at = at.AddDate(3, 1, 17).Add(4321 * time.Second) {
		require.Equal(t, `"`+event.Time(at)+`"`, string(event.AppendTime(nil, at)))
	}
	require.Equal(t, `1704164645006`, string(event.AppendMillis(nil, at)))
	require.Equal(t, `""`, string(event.AppendAddr(nil, netip.Addr{})))
	require.Equal(t, `"192.0.2.1"`, string(event.AppendAddr(nil, netip.MustParseAddr("192.0.2.1"))))
	require.Equal(t, `{"a":"1","b":"2"}`, string(event.AppendStrings(nil, map[string]string{"b": "2", "a": "1"})))
	c := &event.ClientCert{ClientCertPem: "p\n", SubjectDN: "s", IssuerDN: "i", SerialNumber: "n", Validity: event.Validity{NotBefore: "b", NotAfter: "a"}}
	require.Equal(t, *c, valid[event.ClientCert](t, event.AppendClientCert(nil, c)))
}
