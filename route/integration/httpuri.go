package integration

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

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
	decoded      string    // of a path without variables
	escaped      string    // "" if it is how net/url escapes decoded
}

// uriPart is a literal, escaped as it was written, or a variable.
type uriPart struct{ literal, variable string }

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
	decoded, err := url.PathUnescape(literals.String())
	if err != nil || requestpath.Check(decoded) != nil {
		return nil, fmt.Errorf("want a path with good escapes and without dot segments, got %q", path)
	}
	if !t.variables {
		t.decoded = decoded
		if (&url.URL{Path: decoded}).EscapedPath() != literals.String() {
			t.escaped = literals.String()
		}
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
		parts = append(parts, uriPart{variable: name})
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
func (t *uriTemplate) target(u *url.URL, r *http.Request, prefix string, asIs bool) error {
	routeKey := gatekit.RouteKey(r)
	u.RawQuery = r.URL.RawQuery
	if len(t.query) > 0 {
		u.RawQuery = t.expandQuery(r, routeKey)
	}
	for i := range len(u.RawQuery) {
		if c := u.RawQuery[i]; c <= ' ' || c == 0x7f {
			return badTarget // from HTTP/2, where the path is no part of a line
		}
	}
	if strings.IndexByte(u.RawQuery, '#') >= 0 { // net/url leaves it there, and escapes it in a path; some upstreams would see a fragment
		u.RawQuery = strings.ReplaceAll(u.RawQuery, "#", "%23")
	}
	switch {
	case asIs:
		u.Path, u.RawPath = r.URL.Path, r.URL.RawPath
	case t.variables:
		if u.Path, u.RawPath = "", t.expandPath(r, routeKey); prefix == "" {
			var err error
			if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
				return badTarget
			}
		}
	case routeKey == "" || routeKey == "$default": // the route has no path of its own: the request's follows the URI's
		base := url.URL{Path: strings.TrimSuffix(t.decoded, "/"), RawPath: strings.TrimSuffix(t.escaped, "/")}
		u.Path, u.RawPath = base.Path+rooted(r.URL.Path), ""
		if base.RawPath != "" || r.URL.RawPath != "" {
			u.RawPath = base.EscapedPath() + rooted(r.URL.EscapedPath())
		}
	case t.decoded == "" && t.host == "": // no URI: the request's path
		u.Path, u.RawPath = r.URL.Path, r.URL.RawPath
	default:
		u.Path, u.RawPath = t.decoded, t.escaped
	}
	u.Path = rooted(u.Path)
	if u.RawPath != "" {
		u.RawPath = rooted(u.RawPath)
	}
	if prefix != "" {
		if u.RawPath != "" {
			u.RawPath = prefix + u.RawPath
			var err error
			if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
				return badTarget
			}
		} else {
			u.Path = prefix + u.Path
		}
	}
	if requestpath.Check(u.Path) != nil {
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

// expandPath returns the template's escaped path.
func (t *uriTemplate) expandPath(r *http.Request, routeKey string) string {
	var b strings.Builder
	for _, p := range t.path {
		if p.variable == "" {
			b.WriteString(p.literal)
			continue
		}
		value, kind := pathValue(r, routeKey, p.variable)
		switch kind {
		case greedy:
			b.WriteString((&url.URL{Path: value}).EscapedPath())
		case single:
			b.WriteString(url.PathEscape(value)) // a slash in the value makes no second segment
		case unmapped:
			b.WriteString("%7B" + p.variable + "%7D")
		}
	}
	return rooted(b.String())
}

// expandQuery returns the template's query followed by the client's.
func (t *uriTemplate) expandQuery(r *http.Request, routeKey string) string {
	var b strings.Builder
	for _, p := range t.query {
		if p.variable == "" {
			b.WriteString(p.literal)
			continue
		}
		if value, kind := pathValue(r, routeKey, p.variable); kind == unmapped {
			b.WriteString("%7B" + p.variable + "%7D")
		} else {
			b.WriteString(url.QueryEscape(value))
		}
	}
	if r.URL.RawQuery != "" {
		b.WriteByte('&')
		b.WriteString(r.URL.RawQuery)
	}
	return b.String()
}

type variableKind uint8

const (
	single variableKind = iota
	greedy
	unmapped // the route has no such variable: it stays as it was written
)

func pathValue(r *http.Request, routeKey, name string) (string, variableKind) {
	value := r.PathValue(name)
	for rest := routeKey; ; {
		_, after, ok := strings.Cut(rest, "{"+name)
		switch {
		case !ok && value == "" && routeKey != "":
			return "", unmapped
		case !ok:
			return value, single // another router's
		case strings.HasPrefix(after, "+}"):
			return value, greedy
		case strings.HasPrefix(after, "}"):
			return value, single
		}
		rest = after
	}
}

// uriSource is an integration URI as configured, with or without ${stageVariables.name} in it.
type uriSource struct {
	text   string
	static *uriTemplate // nil where stage variables decide

	parsed sync.Map // text → *uriTemplate, of the values that were seen
	seen   atomic.Int32
}

// maxParsed bounds the URIs kept parsed. Stage variables come from the configuration, so this is never reached unless it makes values up.
const maxParsed = 128

const stageVariable = "${stageVariables."

func newURISource(text string) (*uriSource, error) {
	s := &uriSource{text: text}
	if !strings.Contains(text, stageVariable) {
		var err error
		s.static, err = parseURI(text)
		return s, err
	}
	if i := strings.Index(text, stageVariable); i < len("http://") {
		return nil, fmt.Errorf("want a stage variable behind the scheme, got %q", text)
	}
	expanded, err := expandStageVariables(text, func(string) string { return "1" }) // a host, a port, a segment
	if err == nil {
		_, err = parseURI(expanded)
	}
	return s, err
}

// template returns the template for a request with these stage variables, or badURI.
func (s *uriSource) template(variables map[string]string) (*uriTemplate, error) {
	if s.static != nil {
		return s.static, nil
	}
	// A missing variable is empty. (Reported for REST APIs.)
	text, err := expandStageVariables(s.text, func(name string) string { return variables[name] })
	if err != nil {
		return nil, badURI
	}
	if t, ok := s.parsed.Load(text); ok {
		return t.(*uriTemplate), nil
	}
	t, err := parseURI(text)
	if err != nil {
		return nil, &gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: fmt.Errorf("integration: HTTPConfig.URI: %w", err)}
	}
	if s.seen.Load() < maxParsed {
		s.seen.Add(1)
		s.parsed.Store(text, t)
	}
	return t, nil
}

func expandStageVariables(text string, value func(name string) string) (string, error) {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(text, stageVariable)
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return "", fmt.Errorf("want ${stageVariables.name} of letters, digits and _, got %q", stageVariable+after)
		}
		// A value's braces would be variables, and a quotation mark breaks logs.
		if v := value(name); strings.ContainsAny(v, "{}") {
			return "", fmt.Errorf("want a stage variable without braces, got %q", name)
		} else {
			b.WriteString(v)
		}
		text = rest
	}
}
