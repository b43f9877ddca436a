package transform

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

var errHost = errors.New("transform: the URI's variables make no host")

// integrationURL returns the URL for values of path parameters and stage variables. What a value
// holds stays within its part of the URL: a client can't add to the path by an encoded slash, climb
// out of it (400), or choose the host's form (500). A path parameter that nothing is mapped to
// stays as it is spelled.
func integrationURL(uri *uritemplate.Source, paths map[string]pathValue, stage map[string]string) (*url.URL, error) {
	t, err := uri.Template(stage)
	if err != nil {
		return nil, fmt.Errorf("transform: RESTConfig.URI: %w", err)
	}
	values := func(name string) (uritemplate.Value, bool, error) {
		v, ok := paths[name]
		return uritemplate.Value{Escaped: v.spelled(), Text: v.text}, ok, nil
	}
	host, _ := t.Host(values)
	path, _ := t.Path(values)
	query, _ := t.Query(values)
	if !httpword.IsHost(host) { // only a stage variable, which is configuration, may hold host and path
		return nil, errHost
	}
	if path == "" {
		path = "/"
	}
	built := &url.URL{Scheme: t.Scheme, Host: host, RawQuery: query}
	if requestpath.Set(built, path) != nil {
		return nil, badPath
	}
	return built, nil
}

// pathValue is a path parameter of the integration request. Segments says that its slashes
// separate, as those of what templates make do. Escaped is a path variable's value as it came: what
// the client encoded in it makes no segment.
type pathValue struct {
	text     string
	segments bool
	escaped  string
}

func (v pathValue) spelled() string {
	if v.escaped != "" {
		return v.escaped
	}
	return requestpath.Spell(v.text, v.segments)
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

// withHeader returns a copy of r with header h and URL u, whose path values can be set without
// touching r's.
func withHeader(r *http.Request, h http.Header, u *url.URL) *http.Request {
	bare := *r
	bare.Header, bare.Trailer, bare.TransferEncoding, bare.Form, bare.PostForm, bare.MultipartForm = nil, nil, nil, nil, nil, nil
	bare.URL = nil
	copied := bare.Clone(r.Context())
	copied.Header, copied.URL = h, u
	return copied
}
