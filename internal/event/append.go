package event

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// Line is one header, or one parameter, of an event: a name with one value or several.
type Line struct {
	Name   string
	One    string   // the value, where Values is nil
	Values []string // in order
}

// Last is the last value.
func (l *Line) Last() string {
	if len(l.Values) > 0 {
		return l.Values[len(l.Values)-1]
	}
	return l.One
}

// HeaderLines appends the headers of r to lines, sorted by name, without those that drop reports, and with extra ones in the place of r's own.
// Extra lines without a value are left out, and so is what the client sent under their names.
func HeaderLines(lines []Line, r *http.Request, drop func(name string) bool, extra ...Line) []Line {
	for name, values := range r.Header {
		if len(values) == 0 || drop(name) || isExtra(extra, name) {
			continue
		}
		lines = append(lines, Line{Name: name, Values: values})
	}
	for i := range extra {
		if extra[i].One != "" {
			lines = append(lines, extra[i])
		}
	}
	sortLines(lines)
	return lines
}

// sortLines sorts by name. Few lines, as most requests have, are sorted by moving numbers of one byte.
func sortLines(lines []Line) {
	const few = 32
	if len(lines) > few {
		slices.SortFunc(lines, func(a, b Line) int { return strings.Compare(a.Name, b.Name) })
		return
	}
	var order [few]uint8
	for i := range lines {
		j := i
		for ; j > 0 && lines[i].Name < lines[order[j-1]].Name; j-- {
			order[j] = order[j-1]
		}
		order[j] = uint8(i)
	}
	var sorted [few]Line
	for i := range lines {
		sorted[i] = lines[order[i]]
	}
	copy(lines, sorted[:])
}

func isExtra(extra []Line, name string) bool {
	for i := range extra {
		if extra[i].Name == name {
			return true
		}
	}
	return false
}

// QueryLines appends the parameters of a query to lines, sorted by name, each value as a line of its own: [Query] without a map.
func QueryLines(lines []Line, raw string) []Line {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		lines = append(lines, Line{Name: name, One: value})
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return strings.Compare(a.Name, b.Name) })
	return lines
}

// group returns how many of the lines, from the first on, have its name.
func group(lines []Line) int {
	n := 1
	for n < len(lines) && lines[n].Name == lines[0].Name {
		n++
	}
	return n
}

// AppendJoined appends {"name":"a,b"}. Lower makes names lower case.
func AppendJoined(b []byte, lines []Line, lower bool) []byte {
	b = append(b, '{')
	for first := true; len(lines) > 0; first = false {
		n := group(lines)
		b = appendName(b, lines[0].Name, first, lower)
		b = append(b, '"')
		for i := range lines[:n] {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJoinedValues(b, &lines[i])
		}
		b = append(b, '"')
		lines = lines[n:]
	}
	return append(b, '}')
}

func appendJoinedValues(b []byte, l *Line) []byte {
	if l.Values == nil {
		return jsonscan.AppendInner(b, l.One)
	}
	for i, value := range l.Values {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonscan.AppendInner(b, value)
	}
	return b
}

// AppendLast appends {"name":"last"}.
func AppendLast(b []byte, lines []Line) []byte {
	b = append(b, '{')
	for first := true; len(lines) > 0; first = false {
		n := group(lines)
		b = jsonscan.AppendString(appendName(b, lines[0].Name, first, false), lines[n-1].Last())
		lines = lines[n:]
	}
	return append(b, '}')
}

// AppendMulti appends {"name":["a","b"]}.
func AppendMulti(b []byte, lines []Line) []byte {
	b = append(b, '{')
	for first := true; len(lines) > 0; first = false {
		n := group(lines)
		b = append(appendName(b, lines[0].Name, first, false), '[')
		for i := range lines[:n] {
			if lines[i].Values == nil {
				b = append(jsonscan.AppendString(b, lines[i].One), ',')
			}
			for _, value := range lines[i].Values {
				b = append(jsonscan.AppendString(b, value), ',')
			}
		}
		b[len(b)-1] = ']' // the last comma
		lines = lines[n:]
	}
	return append(b, '}')
}

func appendName(b []byte, name string, first, lower bool) []byte {
	if !first {
		b = append(b, ',')
	}
	from := len(b)
	b = jsonscan.AppendString(b, name)
	if lower {
		for i := from; i < len(b); i++ {
			if 'A' <= b[i] && b[i] <= 'Z' {
				b[i] += 'a' - 'A'
			}
		}
	}
	return append(b, ':')
}

// AppendStrings appends a map in the order of its names.
func AppendStrings(b []byte, values map[string]string) []byte {
	var room [16]string
	names := room[:0]
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		b = jsonscan.AppendString(appendName(b, name, i == 0, false), values[name])
	}
	return append(b, '}')
}

// AppendPathParameters appends the route's variables as an object, decoded, or with encoded true as they stand in the path. It appends nothing
// if there are none. (REST events keep %2B; a slash at the end is no part of the last variable there.)
func AppendPathParameters(b []byte, r *http.Request, routeKey string, encoded bool) []byte {
	pattern := ResourcePath(routeKey)
	if strings.IndexByte(pattern, '{') < 0 {
		return b
	}
	path := ""
	if encoded {
		path = r.URL.EscapedPath()
	}
	from := len(b)
	for pattern != "" {
		var segment, escaped string
		segment, pattern, _ = strings.Cut(strings.TrimPrefix(pattern, "/"), "/")
		escaped, path, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
		name, greedy := variable(segment)
		if name == "" {
			continue
		}
		value := r.PathValue(name)
		if encoded {
			if greedy && path != "" {
				escaped += "/" + path
			}
			if greedy {
				escaped, value = strings.TrimSuffix(escaped, "/"), strings.TrimSuffix(value, "/")
			}
			if decoded, err := url.PathUnescape(escaped); err == nil && decoded == value {
				value = escaped
			} else { // another router than ours
				value = escapePath(value)
			}
		}
		first := len(b) == from
		if first {
			b = append(b, '{')
		}
		b = jsonscan.AppendString(appendName(b, name, first, false), value)
	}
	if len(b) == from {
		return b
	}
	return append(b, '}')
}

// variable returns the name of a segment {name}, {name+} or {name...}, or "".
func variable(segment string) (name string, greedy bool) {
	if len(segment) < 3 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return "", false
	}
	name = segment[1 : len(segment)-1]
	bare := strings.TrimSuffix(strings.TrimSuffix(name, "+"), "...")
	return bare, len(bare) < len(name)
}

func escapePath(value string) string {
	segments := strings.Split(value, "/")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	return strings.Join(segments, "/")
}

// AppendCookies appends the cookies as an array, each as it was sent, or nothing if there are none.
func AppendCookies(b []byte, h http.Header) []byte {
	from := len(b)
	for _, line := range h["Cookie"] {
		for line != "" {
			var cookie string
			cookie, line, _ = strings.Cut(line, ";")
			if cookie = strings.Trim(cookie, " \t"); cookie == "" {
				continue
			}
			if len(b) == from {
				b = append(b, '[')
			} else {
				b = append(b, ',')
			}
			b = jsonscan.AppendString(b, cookie)
		}
	}
	if len(b) == from {
		return b
	}
	return append(b, ']')
}

// AppendClientCert appends a client's certificate, which isn't nil.
func AppendClientCert(b []byte, c *ClientCert) []byte {
	b = jsonscan.AppendString(append(b, `{"clientCertPem":`...), c.ClientCertPem)
	b = jsonscan.AppendString(append(b, `,"subjectDN":`...), c.SubjectDN)
	b = jsonscan.AppendString(append(b, `,"issuerDN":`...), c.IssuerDN)
	b = jsonscan.AppendString(append(b, `,"serialNumber":`...), c.SerialNumber)
	b = jsonscan.AppendString(append(b, `,"validity":{"notBefore":`...), c.Validity.NotBefore)
	b = jsonscan.AppendString(append(b, `,"notAfter":`...), c.Validity.NotAfter)
	return append(b, "}}"...)
}

// AppendTime appends [Time] as a JSON string.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return append(t.AppendFormat(append(b, '"'), "02/Jan/2006:15:04:05 -0700"), '"')
	}
	hour, minute, second := t.Clock()
	b = append(two(append(b, '"'), day), '/')
	b = append(append(b, "JanFebMarAprMayJunJulAugSepOctNovDec"[3*(month-1):3*month]...), '/')
	b = append(two(two(b, year/100), year%100), ':')
	b = append(two(b, hour), ':')
	b = append(two(b, minute), ':')
	return append(two(b, second), ` +0000"`...)
}

func two(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// AppendMillis appends [Millis].
func AppendMillis(b []byte, t time.Time) []byte { return strconv.AppendInt(b, t.UnixMilli(), 10) }

// AppendAddr appends [AddrText] as a JSON string.
func AppendAddr(b []byte, a netip.Addr) []byte {
	b = append(b, '"')
	if a.IsValid() {
		b = a.AppendTo(b)
	}
	return append(b, '"')
}

// ForwardedFor is the X-Forwarded-For of an event: the client's chain, and then the connection's peer.
func ForwardedFor(r *http.Request) string {
	peer := ""
	if p, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		if p.Addr().Is4() {
			peer = r.RemoteAddr[:strings.LastIndexByte(r.RemoteAddr, ':')]
		} else {
			peer = p.Addr().Unmap().WithZone("").String()
		}
	}
	chain := r.Header["X-Forwarded-For"]
	switch {
	case len(chain) == 0:
		return peer
	case peer == "":
		return strings.Join(chain, ", ")
	}
	return strings.Join(chain, ", ") + ", " + peer
}

// ForwardedPort is the port that the client asked for.
func ForwardedPort(r *http.Request) string {
	if _, explicit, ok := strings.Cut(r.Host[strings.LastIndexByte(r.Host, ']')+1:], ":"); ok && explicit != "" && strings.Trim(explicit, "0123456789") == "" {
		return explicit
	}
	if r.TLS != nil {
		return "443"
	}
	return "80"
}

// ForwardedProto is "https" or "http".
func ForwardedProto(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
