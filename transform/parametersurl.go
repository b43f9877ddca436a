package transform

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/querytext"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// editQuery carries out what p says of query parameters. Pairs that aren't touched keep their bytes
// and their order.
func (p *plan) editQuery(raw string, res *results) string {
	texts, present := res.texts, res.present
	var b strings.Builder
	b.Grow(len(raw))
	add := func(pair string) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pair)
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, _, _ := strings.Cut(pair, "=")
		if name = querytext.Decoded(name); !p.replaces(name, present) {
			add(pair)
		}
	}
	for i := range p.mappings {
		if m := &p.mappings[i]; m.place == inQuery && m.action != remove && present[i] {
			add(url.QueryEscape(m.name) + "=" + url.QueryEscape(texts[i]))
		}
	}
	return b.String()
}

// replaces reports whether the values that a query parameter came with are replaced or removed.
func (p *plan) replaces(name string, present []bool) bool {
	for i := range p.mappings {
		if m := &p.mappings[i]; m.place == inQuery && m.name == name && (p.removes(m, present[i]) || m.action == overwrite && present[i]) {
			return true
		}
	}
	return false
}

// checkPath refuses literal parts that can't stand in a path.
func (v value) checkPath() error {
	for i := range v {
		p := &v[i]
		if p.Kind != selector.Literal {
			continue
		}
		decoded, err := url.PathUnescape(p.Name)
		if err != nil || strings.ContainsAny(p.Name, "?# ") || requestpath.Check("/"+decoded) != nil {
			return errors.New("want a path, escaped, without query and dot segments, got " + strconv.Quote(p.Name))
		}
	}
	return nil
}

// path returns what v is for m as an escaped path. What was selected is escaped, but for its
// slashes; a path variable stays as it came, so that what the client encoded makes no segment.
func (v value) path(m *selector.Message) (string, bool) {
	var b strings.Builder
	for i := range v {
		p := &v[i]
		text, ok := p.Joined(m)
		switch {
		case !ok:
			return "", false
		case p.Kind == selector.PathVariable:
			text, _, _ = gatekit.PathVariable(m.Request, p.Name)
		case p.Kind&(selector.Literal|selector.Path) == 0: // those are escaped already
			text = (&url.URL{Path: text}).EscapedPath()
		}
		b.WriteString(text)
	}
	path := b.String()
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path, true
}

// What every request gets whose mapped path is none.
var (
	badPath = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: errors.New("transform: the mapped path has a dot segment, a NUL or a backslash")}
	noPath  = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: errors.New("transform: a selector of the mapped path finds nothing")}
)

// badHost is what a request gets whose mapped Host is none.
var badHost = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: errors.New("transform: the mapped Host is no host")}

// editHost replaces the Host of the request to the backend, if p says so, and reports whether it
// has. Without a value it stays.
func (p *plan) editHost(r *http.Request, res *results) (set bool, err error) {
	for i := range p.mappings {
		if p.mappings[i].place != inHost || !res.present[i] {
			continue
		}
		if r.Host, set = res.texts[i], true; !httpword.IsHost(r.Host) {
			return false, badHost
		}
	}
	return set, nil
}

// editPath replaces u's path, if p says so, and reports whether it has.
func (p *plan) editPath(u *url.URL, res *results) (set bool, err error) {
	for i := range p.mappings {
		switch {
		case p.mappings[i].place != inPath, !res.present[i] && !p.drops:
		case !res.present[i]:
			return false, noPath
		case requestpath.Set(u, res.texts[i]) != nil:
			return false, badPath
		default:
			set = true
		}
	}
	return set, nil
}
