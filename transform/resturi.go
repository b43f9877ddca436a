package transform

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/internal/requestpath"
)

var errHost = errors.New("transform: the URI's variables make no host")

// build returns the URL for values of path parameters and stage variables. What a value holds stays within its part of the URL: a client
// can't add to the path by an encoded slash, climb out of it (400), or choose the host's form (500).
func (u *uriTemplate) build(path map[string]pathValue, stage map[string]string) (*url.URL, error) {
	bad := false
	host := fill(u.host, path, stage, func(v pathValue) string {
		bad = bad || strings.Contains(v.text, "/") // only a stage variable, which is configuration, may hold host and path
		return v.text
	})
	host, base, _ := strings.Cut(host, "/")
	if bad || !isHost(host) {
		return nil, errHost
	}
	escaped := fill(u.path, path, stage, func(v pathValue) string {
		if v.escaped != "" {
			return v.escaped
		}
		return requestpath.Spell(v.text, v.segments)
	})
	if base != "" { // a slash that then stands twice reaches the backend once
		escaped = "/" + strings.TrimSuffix(base, "/") + escaped
	}
	built := &url.URL{Scheme: u.scheme, Host: host}
	if err := requestpath.Set(built, escaped); err != nil {
		return nil, badPath
	}
	built.RawQuery = fill(u.query, path, stage, func(v pathValue) string { return url.QueryEscape(v.text) })
	return built, nil
}

// badSegments reports whether a path has a segment that is dots, or a character that servers take for something else.
// Some split before they decode, some after.
func badSegments(escaped, decoded string) bool {
	return requestpath.Check(escaped) != nil || requestpath.Check(decoded) != nil
}

// pathValue is a path parameter of the integration request. Segments says that its slashes separate, as those of what templates make do. Escaped is
// a path variable's value as it came: what the client encoded in it makes no segment.
type pathValue struct {
	text     string
	segments bool
	escaped  string
}

// fill puts values into parts. A variable that nothing is mapped to stays as it is spelled, a stage variable that isn't there is nothing.
func fill(parts []uriPart, path map[string]pathValue, stage map[string]string, escape func(pathValue) string) string {
	var b strings.Builder
	for _, p := range parts {
		switch {
		case p.stage:
			b.WriteString(stage[p.text]) // configuration, which may hold several segments
		case p.variable:
			if v, ok := path[p.text]; ok {
				b.WriteString(escape(v))
			} else {
				b.WriteString("{" + p.text + "}")
			}
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// isHost reports whether s is a host name or IP address with or without a port.
func isHost(s string) bool {
	u, err := url.Parse("http://" + s)
	return err == nil && s != "" && u.Host == s && u.Hostname() != "" && !strings.ContainsAny(s, `/?#@\{}%`)
}

// appendQuery appends a pair to an encoded query.
func appendQuery(query *strings.Builder, name, value string) {
	if query.Len() > 0 {
		query.WriteByte('&')
	}
	query.WriteString(url.QueryEscape(name))
	query.WriteByte('=')
	query.WriteString(url.QueryEscape(value))
}

// withHeader returns a copy of r with header h and URL u, whose path values can be set without touching r's.
func withHeader(r *http.Request, h http.Header, u *url.URL) *http.Request {
	bare := *r
	bare.Header, bare.Trailer, bare.TransferEncoding, bare.Form, bare.PostForm, bare.MultipartForm = nil, nil, nil, nil, nil, nil
	bare.URL = nil
	copied := bare.Clone(r.Context())
	copied.Header, copied.URL = h, u
	return copied
}
