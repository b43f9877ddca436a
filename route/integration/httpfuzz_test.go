package integration_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/route/integration"
)

// A URI that is taken sends every value to its own host, inside a path without dot segments.
func FuzzURI(f *testing.F) {
	for _, uri := range []string{"http://h/{id}", "https://h:1/a/{id}/b?x={id}", "http://h", "http://h/%41{id}.json", "/x/{id}", "http://h/{id}{id}", "http://${stageVariables.a}/", "http://[::1]:8/{id}"} {
		f.Add(uri, "a/b", "x=1")
		f.Add(uri, "../..", "a#b")
	}
	f.Fuzz(func(t *testing.T, uri, value, query string) {
		u, err := integration.ExpandURI(uri, value, query)
		if err != nil {
			return
		}
		if requestpath.Check(u.Path) != nil {
			t.Errorf("%q with %q: path %q", uri, value, u.Path)
		}
		line := u.RequestURI()
		if !strings.HasPrefix(line, "/") || strings.ContainsAny(line, " \r\n\t#") {
			t.Errorf("%q with %q: %q", uri, value, line)
		}
		again, err := url.ParseRequestURI(line)
		if err != nil || again.Path != u.Path || again.RawQuery != u.RawQuery {
			t.Errorf("%q with %q: %q is read as %v (%v), want %q", uri, value, line, again, err, u.Path)
		}
	})
}

// Who reads the header from the right finds the gateway's element, whatever the client sent before
// it.
func FuzzForwarded(f *testing.F) {
	for _, prior := range []string{"", "for=1.2.3.4", `for="[::1]:1";proto=http, for=_x`, `for="`, `a="\"",b=c`, ",", "for=1.2.3.4,"} {
		f.Add(prior, "api.example.com")
		f.Add(prior, `a"b\`)
	}
	proxies := gatekit.Must(gatekit.NewTrustedProxies("Forwarded", "192.0.2.1"))
	f.Fuzz(func(t *testing.T, prior, host string) {
		for _, client := range []string{"203.0.113.9", "2001:db8::9"} {
			header := integration.AppendForwarded(prior, host, netip.MustParseAddr(client))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = "192.0.2.1:1"
			r.Header["Forwarded"] = []string{header}
			if got := proxies.SourceIP(r); got.String() != client {
				t.Errorf("%q before host %q: %q is read as from %v", prior, host, header, got)
			}
			if strings.ContainsAny(header, "\r\n\x00") {
				t.Errorf("%q before host %q: %q", prior, host, header)
			}
		}
	})
}
