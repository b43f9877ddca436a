package gatekit_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
)

func TestSourceIPOfTheConnection(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1234": "192.0.2.1", "[2001:db8::1]:1": "2001:db8::1", "[::ffff:192.0.2.1]:1": "192.0.2.1", "[fe80::1%eth0]:1": "fe80::1",
		"": "", "@": "", "192.0.2.1": "", "host:80": "", "[::1": "",
	} {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {"10.0.0.1"}, "Forwarded": {"for=10.0.0.1"}}}
		got := gatekit.SourceIP(r)
		require.Equal(t, want != "", got.IsValid(), remote)
		if want != "" {
			require.Equal(t, want, got.String())
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	const unknown = "invalid IP"
	for _, tt := range []struct {
		name, header, remote string
		lines                []string
		want                 string
	}{
		{"not-a-proxy", "", "198.51.100.7:1", []string{"203.0.113.9"}, "198.51.100.7"},
		{"no-list", "", "10.0.0.1:1", nil, "10.0.0.1"},
		{"one", "", "10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"forged-on-the-left", "", "10.0.0.1:1", []string{"1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"forged-trusted-on-the-left", "", "10.0.0.1:1", []string{"10.0.0.9, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"two-lines", "", "10.0.0.1:1", []string{"1.2.3.4", "203.0.113.9,10.0.0.2"}, "203.0.113.9"},
		{"all-trusted", "", "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"garbage-on-the-left", "", "10.0.0.1:1", []string{"<script>, 203.0.113.9"}, "203.0.113.9"},
		{"garbage-on-the-right", "", "10.0.0.1:1", []string{"203.0.113.9, unknown"}, unknown},
		{"empty-entry", "", "10.0.0.1:1", []string{"203.0.113.9,"}, unknown},
		{"empty-line", "", "10.0.0.1:1", []string{""}, unknown},
		{"port", "", "10.0.0.1:1", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"v6", "", "10.0.0.1:1", []string{"2001:db8::9"}, "2001:db8::9"},
		{"v6-brackets", "", "10.0.0.1:1", []string{"[2001:db8::9]"}, "2001:db8::9"},
		{"v6-port", "", "10.0.0.1:1", []string{"[2001:db8::9]:4711"}, "2001:db8::9"},
		{"v4-in-brackets", "", "10.0.0.1:1", []string{"[203.0.113.9]"}, unknown},
		{"v4-in-v6", "", "10.0.0.1:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"trusted-v4-in-v6", "", "[::ffff:10.0.0.1]:1", []string{"203.0.113.9, ::ffff:10.0.0.2"}, "203.0.113.9"},
		{"zone", "", "10.0.0.1:1", []string{"fe80::1%eth0"}, unknown},
		{"leading-zeros", "", "10.0.0.1:1", []string{"203.000.113.009"}, unknown},
		{"other-header", "", "10.0.0.1:1", nil, "10.0.0.1"},
		{"trusted-v6-network", "", "[2001:db8:ffff::1]:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"forwarded", "Forwarded", "10.0.0.1:1", []string{`for=203.0.113.9;proto=https;by=10.0.0.1`}, "203.0.113.9"},
		{"forwarded-case-and-order", "Forwarded", "10.0.0.1:1", []string{`proto=https;FOR="203.0.113.9"`}, "203.0.113.9"},
		{"forwarded-list", "Forwarded", "10.0.0.1:1", []string{`for=1.2.3.4, for=203.0.113.9, for=10.0.0.2`}, "203.0.113.9"},
		{"forwarded-v6", "Forwarded", "10.0.0.1:1", []string{`for="[2001:db8::9]:4711"`}, "2001:db8::9"},
		{"forwarded-port", "Forwarded", "10.0.0.1:1", []string{`for="203.0.113.9:4711"`}, "203.0.113.9"},
		{"forwarded-v6-unquoted", "Forwarded", "10.0.0.1:1", []string{`for=[2001:db8::9]`}, unknown},
		{"forwarded-v6-without-brackets", "Forwarded", "10.0.0.1:1", []string{`for="2001:db8::9"`}, unknown},
		{"forwarded-hidden", "Forwarded", "10.0.0.1:1", []string{`for=_hidden`}, unknown},
		{"forwarded-unknown", "Forwarded", "10.0.0.1:1", []string{`for=unknown`}, unknown},
		{"forwarded-twice", "Forwarded", "10.0.0.1:1", []string{`for=203.0.113.9;for=1.2.3.4`}, unknown},
		{"forwarded-no-for", "Forwarded", "10.0.0.1:1", []string{`proto=https`}, unknown},
		{"forwarded-open-quote-on-the-left", "Forwarded", "10.0.0.1:1", []string{`for="1.2.3.4, for=203.0.113.9`}, "203.0.113.9"},
		{"forwarded-comma-in-quotes", "Forwarded", "10.0.0.1:1", []string{`for=203.0.113.9;x="a,b"`}, "203.0.113.9"},
		{"forwarded-semicolon-in-quotes", "Forwarded", "10.0.0.1:1", []string{`x="a;for=1.2.3.4";for=203.0.113.9`}, "203.0.113.9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := gatekit.Must(gatekit.NewTrustedProxies(tt.header, "10.0.0.0/8", "2001:db8:ffff::/48"))
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.remote
			name := "X-Forwarded-For"
			if tt.header != "" {
				name = tt.header
				r.Header.Set("X-Forwarded-For", "9.9.9.9")
			} else {
				r.Header.Set("Forwarded", "for=9.9.9.9")
			}
			if tt.lines != nil {
				r.Header[name] = tt.lines
			}
			var got netip.Addr
			p.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = gatekit.SourceIP(r) })).ServeHTTP(httptest.NewRecorder(), r)
			require.Equal(t, tt.want, got.String())
			require.Equal(t, got, p.SourceIP(r))
		})
	}
	var none *gatekit.TrustedProxies
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Forwarded-For", "1.2.3.4")
	require.Equal(t, "192.0.2.1", none.SourceIP(r).String())
	require.False(t, none.Any())
}

func TestNewTrustedProxiesRefuses(t *testing.T) {
	_, err := gatekit.NewTrustedProxies("X-Real-IP", "10.0.0.0/33", "host", "::ffff:10.0.0.0/104", "0.0.0.0/0", "::/0", "fe80::1%eth0")
	for _, want := range []string{
		`header: want X-Forwarded-For or Forwarded, got "X-Real-IP"`, "prefixes[0]: want an address", `prefixes[1]: want an address or a prefix such as 10.0.0.0/8, got "host"`,
		"prefixes[2]: want the IPv4 form", "prefixes[3]: want the proxies' own networks, got all addresses", "prefixes[4]: want the proxies' own networks", "prefixes[5]: want an address",
	} {
		require.ErrorContains(t, err, want)
	}
	p, err := gatekit.NewTrustedProxies("x-forwarded-for", "192.0.2.1", "::ffff:192.0.2.2", "2001:db8::1")
	require.NoError(t, err)
	require.True(t, p.Any())
}

// FuzzTrustedProxies: whatever the header says, the answer is the peer, nothing, or an address that
// stands in it; and an untrusted entry on the right is the answer, whatever stands to its left.
func FuzzTrustedProxies(f *testing.F) {
	for _, seed := range []string{"1.2.3.4", "10.0.0.2, 1.2.3.4", `for="[::1]:80"`, `for=1.2.3.4;by="a,b"`, `"`, ",,,", `for="`, "\x00"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	xff, forwarded := gatekit.Must(gatekit.NewTrustedProxies("", "10.0.0.0/8")), gatekit.Must(gatekit.NewTrustedProxies("Forwarded", "10.0.0.0/8"))
	f.Fuzz(func(t *testing.T, value string, useForwarded bool) {
		p, name, last := xff, "X-Forwarded-For", "203.0.113.9"
		if useForwarded {
			p, name, last = forwarded, "Forwarded", "for=203.0.113.9"
		}
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{name: {value}}}
		if got := p.SourceIP(r); got.IsValid() && got.String() != "10.0.0.1" && !strings.Contains(value, got.String()) && !got.Is6() {
			t.Errorf("%q: %v stands nowhere in it", value, got)
		}
		r.Header[name] = []string{value, last}
		if got := p.SourceIP(r); got.String() != "203.0.113.9" {
			t.Errorf("%q changes who sent %s: %v", value, last, got)
		}
	})
}

func TestTrustsAddr(t *testing.T) {
	p, err := gatekit.NewTrustedProxies("", "10.0.0.0/8")
	require.NoError(t, err)
	var nobody *gatekit.TrustedProxies
	for addr, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "11.0.0.1": false, "::1": false} {
		require.Equal(t, want, p.TrustsAddr(netip.MustParseAddr(addr)), addr)
		require.False(t, nobody.TrustsAddr(netip.MustParseAddr(addr)))
	}
	require.False(t, p.TrustsAddr(netip.Addr{}))
}
