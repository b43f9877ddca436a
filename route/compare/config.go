package compare

import (
	"cmp"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// What a Config that doesn't say gets, and the most that one may ask for.
const (
	defaultRate        = 10
	defaultConcurrency = 4
	defaultRequests    = 1000
	defaultBody        = 1 << 20
	defaultTimeout     = 30 * time.Second

	maxRate        = 1000
	maxConcurrency = 64
	maxRequests    = 100_000
	maxBody        = 64 << 20
	maxTimeout     = 5 * time.Minute
)

// Config says what is compared. The zero value is refused.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Gateway is the one in this process. Required.
	Gateway http.Handler
	// Remote is the other one's base URL, with the stage or base path that its paths begin with:
	// "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod". https, or http on a loopback host.
	// Required.
	Remote string
	// Log is the access log. Required. A Read that blocks isn't interrupted.
	Log io.Reader

	// Host is the host that Gateway is asked for. Empty: Remote's.
	Host string
	// Prefix is what Gateway's paths begin with, where Remote's begin with its path. Empty: the
	// same; "/": nothing.
	Prefix string
	// LogPrefix is cut off the log's paths that begin with it. Empty: Remote's path; "/": nothing.
	// Routes, which a log may have in place of paths, begin with no stage.
	LogPrefix string
	// Methods are those that are sent, without bodies. Empty: GET and HEAD.
	Methods []string
	// Header is added to every request, such as credentials: a log has none. GatewayHeader replaces
	// headers of it for Gateway, where another issuer knows the callers. Cookie headers are sent as
	// they are given.
	Header, GatewayHeader http.Header
	// Ignore are differences that don't count, as [Difference].What has them: "header Server",
	// "body .items[].id". What is below a member isn't looked at either.
	Ignore []string

	// Rate is how many requests a second each side gets. 0: 10; at most 1,000.
	Rate float64
	// Concurrency is how many are asked at a time. 0: 4; at most 64.
	Concurrency int
	// MaxRequests ends the comparison after so many. 0: 1,000; at most 100,000.
	MaxRequests int
	// MaxBodyBytes is the largest body that is compared. 0: 1 MiB; at most 64 MiB.
	MaxBodyBytes int64
	// Timeout bounds each answer. 0: 30 seconds; at most 5 minutes.
	Timeout time.Duration
	// TLS is for connections to Remote: certificates of one's own, or authorities. It is copied.
	TLS *tls.Config
	// Told is called with the first difference of each kind when it is found, by one goroutine at a
	// time. It may be nil.
	Told func(Difference)
}

// checked returns the Config with its defaults, and Remote as it was read.
func (c Config) checked() (Config, *url.URL, error) {
	m := mistakes.In("compare: Config")
	m.Require(c.Gateway != nil, "Gateway", "want a handler, got nil")
	remote := c.remote(m)
	m.Require(c.Log != nil, "Log", "want an access log, got nil")
	m.Require(c.Host == "" || httpword.IsHost(c.Host), "Host", "want a host name, got %q", c.Host)
	for field, prefix := range map[string]string{"Prefix": c.Prefix, "LogPrefix": c.LogPrefix} {
		_, err := url.PathUnescape(prefix)
		m.Require(prefix == "" || prefix[0] == '/' && isTarget(prefix) && err == nil && !strings.Contains(prefix, "?"),
			field, "want a path such as /prod, got %q", prefix)
	}
	for i, method := range c.Methods {
		m.Under("Methods").Require(httpword.IsToken(method), "", "want methods such as GET, got %q at %d", method, i)
	}
	checkHeader(m.Under("Header"), c.Header)
	checkHeader(m.Under("GatewayHeader"), c.GatewayHeader)
	c.Rate = cmp.Or(c.Rate, defaultRate)
	mistakes.Range(m, "Rate", c.Rate, 0.01, maxRate)
	c.Concurrency = cmp.Or(c.Concurrency, defaultConcurrency)
	mistakes.Range(m, "Concurrency", c.Concurrency, 1, maxConcurrency)
	c.MaxRequests = cmp.Or(c.MaxRequests, defaultRequests)
	mistakes.Range(m, "MaxRequests", c.MaxRequests, 1, maxRequests)
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, defaultBody)
	mistakes.Range(m, "MaxBodyBytes", c.MaxBodyBytes, 1, maxBody)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	mistakes.Range(m, "Timeout", c.Timeout, time.Millisecond, maxTimeout)
	if err := m.Err(); err != nil {
		return c, nil, err
	}
	c.Host = cmp.Or(c.Host, remote.Host)
	base := strings.TrimRight(remote.EscapedPath(), "/")
	c.Prefix = strings.TrimRight(cmp.Or(c.Prefix, base), "/")
	c.LogPrefix = strings.TrimRight(cmp.Or(c.LogPrefix, base), "/")
	if len(c.Methods) == 0 {
		c.Methods = []string{http.MethodGet, http.MethodHead}
	}
	c.TLS = c.TLS.Clone()
	c.GatewayHeader = merged(c.Header, c.GatewayHeader)
	c.Header = merged(c.Header, nil)
	return c, remote, nil
}

// remote reads Remote. An error has none of its text but the scheme: it may have a password.
func (c Config) remote(m *mistakes.Mistakes) *url.URL {
	u, err := url.Parse(c.Remote)
	if err != nil || !httpword.IsHost(u.Host) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		m.Add("Remote", "want a URL such as https://api.example.com/prod, without user, query and fragment")
		return nil
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		m.Add("Remote", "want https, or http on a loopback host, got %q: credentials would be readable", u.Scheme)
	}
	return u
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkHeader says names only: values are credentials.
func checkHeader(m *mistakes.Mistakes, h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpword.IsToken(name):
			m.Add("", "want names of headers, got %q", name)
		case hopbyhop.Framing(canonical), canonical == "Host", canonical == "Content-Length":
			m.Add("", "%s: it says how the request is sent, and can't be set", canonical)
		case !slices.ContainsFunc(h[name], func(v string) bool { return v != "" }):
			m.Add("", "%s: want a value, got none", canonical)
		case slices.ContainsFunc(h[name], func(v string) bool { return !httpword.IsFieldValue(v) }):
			m.Add("", "%s: want a value without line breaks and control characters", canonical)
		}
	}
}

// merged is a copy of h with those of over in place of its own, by canonical names.
func merged(h, over http.Header) http.Header {
	all := http.Header{}
	for _, from := range []http.Header{h, over} {
		for name, values := range from {
			all[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	if all.Get("User-Agent") == "" {
		all.Set("User-Agent", "gatekit-compare")
	}
	return all
}
