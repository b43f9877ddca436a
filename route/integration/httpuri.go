package integration

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// maxURIBytes is the managed gateway's. (API reference, Integration, integrationUri.)
const maxURIBytes = 2048

// uriTemplate is a parsed integration URI: https://host:port/path/{variable}?name={variable}.
type uriTemplate struct {
	scheme, host string // host is "" where the URI is a path, or empty
	path         []uriPart
	query        []uriPart // without the ?
	variables    bool      // the path has variables
	fixed        string    // a path without, escaped
}

// uriPart is a literal, escaped as it was written, or a variable.
type uriPart struct {
	literal, variable string
	unknown           *gatekit.Rejection // what a request gets whose route has no value of the variable
}

// parseURI parses an integration URI whose stage variables are expanded. The error says what is wrong and how it should be.
func parseURI(text string) (*uriTemplate, error) {
	if len(text) > maxURIBytes {
		return nil, fmt.Errorf("want at most %d bytes, got %d", maxURIBytes, len(text))
	}
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`|#", c) >= 0 {
			return nil, fmt.Errorf("want a URI of visible ASCII without fragment, got %q in it", c)
		}
	}
	t := &uriTemplate{}
	rest := text
	if !strings.HasPrefix(text, "/") && text != "" {
		scheme, after, ok := strings.Cut(text, "://")
		if !ok || scheme != "http" && scheme != "https" {
			return nil, errors.New("want http://…, https://… or, with Upstreams, a path that begins with /")
		}
		t.scheme = scheme
		end := strings.IndexAny(after, "/?")
		if end < 0 {
			end = len(after)
		}
		t.host, rest = after[:end], after[end:]
		if err := checkHost(t.host); err != nil {
			return nil, err
		}
	}
	path, query, _ := strings.Cut(rest, "?")
	var err error
	if t.path, err = parseParts(path); err == nil {
		t.query, err = parseParts(query)
	}
	if err != nil {
		return nil, err
	}
	variables := 0
	for _, p := range slices.Concat(t.path, t.query) {
		if p.variable != "" {
			variables++
		}
	}
	if variables > routetree.MaxVariables { // each may be filled in with all of a request's path
		return nil, fmt.Errorf("want at most %d variables, got %d", routetree.MaxVariables, variables)
	}
	var literals strings.Builder
	for _, p := range t.path {
		t.variables = t.variables || p.variable != ""
		literals.WriteString(p.literal)
		if p.variable != "" {
			literals.WriteString("x")
		}
	}
	if requestpath.Set(&url.URL{}, literals.String()) != nil {
		return nil, fmt.Errorf("want a path with good escapes and without dot segments, got %q", path)
	}
	if !t.variables {
		t.fixed = path
	}
	return t, nil
}

func checkHost(host string) error {
	if strings.ContainsAny(host, "{}") {
		return fmt.Errorf("want no path variable in the host, got %q: clients would choose the server", host)
	}
	u, err := url.Parse("http://" + host)
	if err != nil || u.Host != host || u.Hostname() == "" || u.User != nil || strings.HasSuffix(host, ":") {
		return fmt.Errorf("want a host, or host:port, got %q", host)
	}
	return nil
}

// parseParts splits text at its variables.
func parseParts(text string) ([]uriPart, error) {
	var parts []uriPart
	for text != "" {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			parts = append(parts, uriPart{literal: text[:i]})
			text = text[i:]
			continue
		}
		name, after, ok := strings.Cut(text[1:], "}")
		switch {
		case text[0] == '}' || !ok:
			return nil, fmt.Errorf("want {name}, got %q", text)
		case strings.HasSuffix(name, "+"):
			return nil, fmt.Errorf("want {%s}, got {%s}: the route says that it is greedy", strings.TrimSuffix(name, "+"), name)
		case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-") != "":
			return nil, fmt.Errorf("want {name} of letters, digits and .:_-, got {%s}", name)
		}
		parts = append(parts, uriPart{variable: name, unknown: &gatekit.Rejection{
			Type: gatekit.APIConfigurationError, Cause: fmt.Errorf("integration: HTTPConfig.URI: the route tells no path variable {%s}", name),
		}})
		text = after
	}
	return parts, nil
}

// What a request gets whose path or query can't be sent on, and one whose stage variables make no URI.
var (
	badTarget = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: errors.New("integration: the path or query can't be sent on")}
	badURI    = &gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: errors.New("integration: the stage variables make no integration URI")}
)

// target sets the path and query of u for r. prefix is put before the path: "" or "/stage". asIs sends r's path in place of the template's.
func (t *uriTemplate) target(u *url.URL, r *http.Request, prefix string, asIs, decode bool) error {
	routeKey := gatekit.RouteKey(r)
	path := gatekit.PathOf(r)
	u.RawQuery = r.URL.RawQuery
	if len(t.query) > 0 {
		var err error
		if u.RawQuery, err = t.expandQuery(r, &path, routeKey); err != nil {
			return err
		}
	}
	for i := range len(u.RawQuery) {
		if c := u.RawQuery[i]; c <= ' ' || c == 0x7f {
			return badTarget // from HTTP/2, where the path is no part of a line
		}
	}
	if strings.IndexByte(u.RawQuery, '#') >= 0 { // net/url leaves it there, and escapes it in a path; some upstreams would see a fragment
		u.RawQuery = strings.ReplaceAll(u.RawQuery, "#", "%23")
	}
	told := path.Told(r.URL)
	escaped := t.fixed
	switch {
	case asIs, t.fixed == "" && t.host == "" && !t.variables: // no URI: the request's path
		escaped = told.String()
	case t.variables:
		var err error
		if escaped, err = t.expandPath(r, &path, routeKey, decode); err != nil {
			return err
		}
	case routeKey == "" || routeKey == "$default": // the route has no path of its own: the request's follows the URI's
		escaped = strings.TrimSuffix(t.fixed, "/") + rooted(told.String())
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

// expandPath returns the template's escaped path. What the client encoded stays encoded, in the spelling in which it came: an encoded slash that became
// a separator would reach a resource that another route guards. decode is [HTTPConfig].InsecureDecodeEncodedSlash.
func (t *uriTemplate) expandPath(r *http.Request, path *gatekit.Path, routeKey string, decode bool) (string, error) {
	var b strings.Builder
	for i := range t.path {
		p := &t.path[i]
		if p.variable == "" {
			b.WriteString(p.literal)
			continue
		}
		v, found, err := p.value(r, path, routeKey)
		switch {
		case err != nil:
			return "", err
		case !found:
			b.WriteString("%7B" + p.variable + "%7D")
		case decode && v.Greedy:
			b.WriteString((&url.URL{Path: v.Decoded}).EscapedPath())
		default:
			b.WriteString(v.Escaped)
		}
	}
	return rooted(b.String()), nil
}

// expandQuery returns the template's query followed by the client's.
func (t *uriTemplate) expandQuery(r *http.Request, path *gatekit.Path, routeKey string) (string, error) {
	var b strings.Builder
	for i := range t.query {
		p := &t.query[i]
		if p.variable == "" {
			b.WriteString(p.literal)
			continue
		}
		v, found, err := p.value(r, path, routeKey)
		switch {
		case err != nil:
			return "", err
		case !found:
			b.WriteString("%7B" + p.variable + "%7D")
		default:
			b.WriteString(url.QueryEscape(v.Decoded))
		}
	}
	if r.URL.RawQuery != "" {
		b.WriteByte('&')
		b.WriteString(r.URL.RawQuery)
	}
	return b.String(), nil
}

// value returns the variable's value, which may be empty. It is false for a variable that the route doesn't have, which stays as it was written. One that
// nobody can tell, as the route has no path, or the router sets no values and has cut the path, is the configuration's mistake: an empty segment in
// its place would be another resource.
func (p *uriPart) value(r *http.Request, path *gatekit.Path, routeKey string) (requestpath.Variable, bool, error) {
	v, ok := path.Value(r, routeKey, p.variable)
	if !ok && (routeKey == "" || routeKey == "$default" || hasVariable(routeKey, p.variable)) {
		return v, false, p.unknown
	}
	return v, ok, nil
}

func hasVariable(routeKey, name string) bool {
	return strings.Contains(routeKey, "{"+name+"}") || strings.Contains(routeKey, "{"+name+"+}")
}
