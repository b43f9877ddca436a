package integration

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

// badTarget is what a request gets whose path or query can't be sent on.
var badTarget = &gatekit.Rejection{
	Type: gatekit.Default4XX, Status: http.StatusBadRequest,
	Cause: errors.New("integration: the path or query can't be sent on"),
}

// badURI is what a request gets for which the configuration makes no URI: of stage variables, or of
// what a router tells.
func badURI(cause error) *gatekit.Rejection {
	cause = fmt.Errorf("integration: HTTPConfig.URI: %w", cause)
	return &gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: cause}
}

// parseURI parses an integration URI, whose variables are the route's.
func parseURI(text string) (*uritemplate.Source, error) {
	uri, err := uritemplate.New(text)
	if err != nil {
		return nil, err
	}
	if t := uri.Shape(); t.HostVariables() {
		return nil, fmt.Errorf("want no path variable in the host, got %q: clients would choose the server", hostOf(t))
	} else if name := t.Greedy(); name != "" {
		return nil, fmt.Errorf("want {%s}, got {%s+}: the route says that it is greedy", name, name)
	}
	return uri, nil
}

// hostOf is the host of a URI as it is spelled: no variables stand in one that is taken.
func hostOf(t *uritemplate.Template) string {
	host, _ := t.Host(func(string) (uritemplate.Value, bool, error) { return uritemplate.Value{}, false, nil })
	return host
}

// target is what sets the path and query of one request.
type target struct {
	r        *http.Request
	path     gatekit.Path
	routeKey string
	decode   bool // [HTTPConfig].InsecureDecodeEncodedSlash
	message  bool // of a WebSocket connection: its path is the handshake's, and says nothing
}

// set sets u's for a template, or for none, which sends the request's. prefix is put before the
// path: "" or "/stage". asIs sends the request's path in place of the template's.
func (x *target) set(u *url.URL, t *uritemplate.Template, prefix string, asIs bool) (err error) {
	told := x.path.Told(x.r.URL)
	escaped := told.String()
	u.RawQuery = x.r.URL.RawQuery
	if t != nil && t.HasQuery() {
		query, err := t.Query(x.value)
		if err != nil {
			return err
		}
		if u.RawQuery = query; x.r.URL.RawQuery != "" {
			u.RawQuery += "&" + x.r.URL.RawQuery
		}
	}
	for i := range len(u.RawQuery) {
		if c := u.RawQuery[i]; c <= ' ' || c == 0x7f {
			return badTarget // from HTTP/2, where the path is no part of a line
		}
	}
	// net/url leaves a # there, and escapes it in a path; some upstreams would see a fragment.
	u.RawQuery = strings.ReplaceAll(u.RawQuery, "#", "%23")
	if t != nil && !asIs {
		path, err := t.Path(x.value)
		switch {
		case err != nil:
			return err
		case path == "" && t.Scheme == "" && !t.PathVariables(): // no URI: the request's path
		case !t.PathVariables() && !x.message && (x.routeKey == "" || x.routeKey == "$default"):
			// The route has no path of its own: the request's follows the URI's.
			escaped = strings.TrimSuffix(path, "/") + rooted(escaped)
		default:
			escaped = path
		}
	}
	if requestpath.Set(u, prefix+rooted(escaped)) != nil {
		return badTarget // a variable's value may have any segments
	}
	return nil
}

func rooted(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}

// value is an uritemplate.Values. A variable that the route doesn't have stays as it was written.
// One that nobody can tell, as the route has no path, or the router sets no values and has cut the
// path, is the configuration's mistake: an empty segment in its place would be another resource.
// What the client encoded stays encoded, in the spelling in which it came: an encoded slash that
// became a separator would reach a resource that another route guards.
func (x *target) value(name string) (uritemplate.Value, bool, error) {
	v, ok := x.path.Value(x.r, x.routeKey, name)
	if !ok {
		has := strings.Contains(x.routeKey, "{"+name+"}") || strings.Contains(x.routeKey, "{"+name+"+}")
		if has || x.routeKey == "" || x.routeKey == "$default" {
			return uritemplate.Value{}, false, badURI(errors.New("the route tells no path variable {" + name + "}"))
		}
		return uritemplate.Value{}, false, nil
	}
	if x.decode && v.Greedy {
		v.Escaped = (&url.URL{Path: v.Decoded}).EscapedPath()
	}
	return uritemplate.Value{Escaped: v.Escaped, Text: v.Decoded}, true, nil
}
