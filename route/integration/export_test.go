package integration

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit"
)

// ExpandURI is what a URI makes of a request whose variable id has the value and which has the
// query.
func ExpandURI(uri, value, query string) (*url.URL, error) {
	source, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	t, err := source.Template(nil)
	if err != nil {
		return nil, err
	}
	r := &http.Request{URL: &url.URL{Path: "/" + value, RawQuery: query}, Pattern: "GET /{id}"}
	r.SetPathValue("id", value)
	u := &url.URL{}
	to := target{r: r, path: gatekit.PathOf(r), routeKey: gatekit.RouteKey(r)}
	return u, to.set(u, t, "", false)
}

// AppendForwarded is the header behind a client's.
func AppendForwarded(prior, host string, client netip.Addr) string {
	h := http.Header{}
	if prior != "" {
		h["Forwarded"] = strings.Split(prior, "\n")
	}
	f := forwarded{client: client, host: host, proto: "https"}
	return f.after(h["Forwarded"])
}
