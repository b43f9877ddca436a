package transform

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/querytext"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// few is how many mappings need no slices of their own.
const few = 8

// results are the texts of a plan's mappings. A mapping that isn't present is to be left out.
type results struct {
	texts   []string
	present []bool
	room    [few]string
	rooms   [few]bool
}

// values computes every mapping's text from the message as it is.
func (p *plan) values(m *selector.Message, res *results) {
	res.texts, res.present = res.room[:], res.rooms[:]
	if n := len(p.mappings); n > few {
		res.texts, res.present = make([]string, n), make([]bool, n)
	}
	texts, present := res.texts, res.present
	for i := range p.mappings {
		switch mp := &p.mappings[i]; {
		case mp.action == remove || mp.place == inStatus:
			present[i] = true
		case mp.place == inPath:
			texts[i], present[i] = mappedPath(mp.value, m)
		default:
			texts[i], present[i] = mp.value.Joined(m)
			if mp.place == inHeader {
				texts[i] = headerText(texts[i])
			}
		}
	}
}

// editHeader carries out what p says of headers. No slice of h is written to: others may hold it.
func (p *plan) editHeader(h http.Header, res *results) {
	texts, present := res.texts, res.present
	for i := range p.mappings {
		m := &p.mappings[i]
		if m.place != inHeader {
			continue
		}
		switch have := h[m.name]; {
		case p.removes(m, present[i]):
			delete(h, m.name)
		case !present[i]:
		case m.action == overwrite || len(have) == 0:
			h[m.name] = texts[i : i+1 : i+1]
		default:
			h[m.name] = append(have[:len(have):len(have)], texts[i])
		}
	}
}

// removes reports whether m drops what is there and puts nothing in its place.
func (p *plan) removes(m *mapping, present bool) bool {
	return m.action == remove || m.action == overwrite && !present && p.drops
}

// keepMapped takes the names of mapped headers out of Connection: what it names every proxy behind
// drops, so that a client could have what the gateway says of it kept from the backend. (RFC 9110,
// section 7.6.1.)
func (p *plan) keepMapped(h http.Header) {
	lines := h["Connection"]
	mapped := false
	for _, line := range lines {
		for option := range strings.SplitSeq(line, ",") {
			mapped = mapped || p.setsHeader(option)
		}
	}
	if !mapped {
		return
	}
	setList(h, "Connection", lines, func(option string) bool { return !p.setsHeader(option) })
}

// dropAliases removes what would get past the mappings of headers: trailers of the same names,
// which net/http fills in when the body is read if they are announced, and headers with
// underscores, which some backends read as the same.
func (p *plan) dropAliases(h, trailer http.Header) {
	for name := range trailer {
		if p.mapsHeader(name) || p.mapsHeader(hopbyhop.Twin(name)) {
			delete(trailer, name) // in the server's own map, as it is the one that is filled in
		}
	}
	for name := range h {
		if twin := hopbyhop.Twin(name); twin != "" && p.mapsHeader(twin) && !p.mapsHeader(name) {
			delete(h, name)
		}
	}
}

// mapsHeader reports whether a mapping is about the header.
func (p *plan) mapsHeader(name string) bool {
	for i := range p.mappings {
		if m := &p.mappings[i]; m.place == inHeader && m.name == name {
			return true
		}
	}
	return false
}

// setsHeader reports whether the connection option names a header that a mapping sets.
func (p *plan) setsHeader(option string) bool {
	option = strings.Trim(option, " \t")
	for i := range p.mappings {
		if m := &p.mappings[i]; m.place == inHeader && m.action != remove && strings.EqualFold(m.name, option) {
			return true
		}
	}
	return false
}

// headerText is s without control characters, which could end the header. (RFC 9110, section 5.5.)
func headerText(s string) string {
	if httpword.IsFieldValue(s) {
		return s
	}
	return strings.Map(func(c rune) rune {
		if c < 0x80 && !httpword.IsFieldByte(byte(c)) {
			return ' '
		}
		return c
	}, s)
}

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
		if m := &p.mappings[i]; m.place == inQuery && m.name == name &&
			(p.removes(m, present[i]) || m.action == overwrite && present[i]) {
			return true
		}
	}
	return false
}

// checkPath refuses literal parts that can't stand in a path.
func checkPath(v selector.Text) error {
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

// mappedPath returns what v is for m as an escaped path. What was selected is escaped, but for its
// slashes; a path variable stays as it came, so that what the client encoded makes no segment.
func mappedPath(v selector.Text, m *selector.Message) (string, bool) {
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
	badPath = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest,
		Cause: errors.New("transform: the mapped path has a dot segment, a NUL or a backslash")}
	noPath = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest,
		Cause: errors.New("transform: a selector of the mapped path finds nothing")}
)

// badHost is what a request gets whose mapped Host is none.
var badHost = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest,
	Cause: errors.New("transform: the mapped Host is no host")}

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
