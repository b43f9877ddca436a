package requestpath

import (
	"net/http"
	"net/url"
	"strings"
)

// Path is the path of one request: as received, as routed, as told to backends. Each form is read
// from the request once, by the station that makes it, and everyone else asks the Path, so that
// what is judged is what is served.
//
// The zero value is no request's, and all its forms are empty. A Path is a value: copies don't
// change. Its methods are safe for concurrent use.
type Path struct {
	received string
	routed   Form
	collapse bool // slashes doubled in front are one
	loose    bool // a slash at the end is no part of what a route matched
	settled  bool // routed no longer follows the request's URL
	chosen   bool // a route of ours has been chosen by routed, so that its key fits
}

// Form is a path in one of its forms. It is kept in the spelling in which it came, so that no
// reader has to guess which slash was one. The zero value is empty.
type Form struct {
	decoded string
	escaped string // where unusual; else it is what net/url makes of decoded
	unusual bool
}

// FormOf returns the path of u. net/url sets RawPath only where the spelling that came isn't the
// one that it would write, and EscapedPath checks that somebody who has changed Path has changed
// RawPath as well.
func FormOf(u *url.URL) Form {
	if u.RawPath == "" {
		return Form{decoded: u.Path}
	}
	if escaped := u.EscapedPath(); escaped == u.RawPath {
		return Form{u.Path, escaped, true}
	}
	return Form{decoded: u.Path}
}

// Parse returns the form of an escaped path, or an error if it has an escape that is none. rest
// says that slashes doubled in front are one.
func Parse(escaped string, rest bool) (f Form, err error) {
	f = Form{decoded: escaped}
	if strings.IndexByte(escaped, '%') >= 0 {
		if f.decoded, err = url.PathUnescape(escaped); err != nil {
			return Form{}, err
		}
		f.escaped, f.unusual = escaped, true
	}
	if rest {
		f = f.collapsed()
	}
	return f, nil
}

// String returns the path with its escapes as they came: "/a%2fb".
func (f Form) String() string {
	if f.unusual {
		return f.escaped
	}
	return escape(f.decoded)
}

// Decoded returns the path decoded: "/a/b". Which of its slashes were encoded can't be seen any
// more, so nothing that judges or matches may read it.
func (f Form) Decoded() string { return f.decoded }

// Raw returns the path to split at its slashes, and whether its segments have to be decoded then.
// It allocates nothing.
func (f Form) Raw() (path string, escaped bool) {
	if f.unusual {
		return f.escaped, true
	}
	return f.decoded, false // net/url's own spelling encodes no slash by %2F, or there would be a RawPath
}

// is reports whether f was read from u, without reading u again.
func (f *Form) is(u *url.URL) bool {
	if f.decoded != u.Path {
		return false
	}
	if f.unusual {
		return f.escaped == u.RawPath
	}
	return u.RawPath == ""
}

// collapsed returns f with one slash in front. It looks at the spelling, as the slash of /%2Fa is
// no separator.
func (f Form) collapsed() Form {
	path, escaped := f.Raw()
	if !strings.HasPrefix(path, "//") {
		return f
	}
	more := len(path) - len(strings.TrimLeft(path, "/")) - 1
	f.decoded = f.decoded[more:] // as many, as no slash among them was encoded
	if escaped {
		f.escaped = f.escaped[more:]
	}
	return f
}

// withoutSlash returns f without one slash at its end.
func (f Form) withoutSlash() Form {
	path, escaped := f.Raw()
	if len(path) < 2 || path[len(path)-1] != '/' {
		return f
	}
	f.decoded = f.decoded[:len(f.decoded)-1]
	if escaped {
		f.escaped = f.escaped[:len(f.escaped)-1]
	}
	return f
}

// Received returns the path as the client sent it, with its escapes, base path and stage, without
// the query. It is what a signature is for, and what the log says.
func (p *Path) Received() string { return p.received }

// Routed returns the path that the route is chosen by, and that every ARN and policy is about:
// without base path and stage, and on REST APIs with one slash in front, however many came.
func (p *Path) Routed() Form { return p.routed }

// Told returns the path that backends are told of a request with the URL u: the routed one, unless
// a station behind the choice of a route, such as a parameter mapping, has given the request
// another.
func (p *Path) Told(u *url.URL) Form {
	if p.routed.is(u) {
		return p.routed
	}
	f := FormOf(u)
	if p.collapse && !p.settled {
		f = f.collapsed()
	}
	return f
}

// Whole returns what [Path.Told] does with what stands in front of the routed path, base path and
// stage, escaped: the path of payload 1.0, and of REST events behind a custom domain. Where the
// routed path isn't the end of the received one, as somebody has rewritten the request, it has
// nothing in front, for a function must be told what was judged.
func (p *Path) Whole(u *url.URL) string {
	told := p.Told(u).String()
	if len(told) > 1 && !p.collapse && strings.HasSuffix(p.received, told) {
		return p.received
	}
	front, ok := p.front(p.received)
	if !ok { // an unusual client: characters that no path may hold, which net/url has escaped
		if f, err := Parse(p.received, false); err == nil {
			f = FormOf(&url.URL{Path: f.decoded, RawPath: f.escaped})
			front, ok = p.front(f.String())
		}
	}
	switch {
	case !ok || front == "":
		return told
	case told == "/" && !strings.HasSuffix(p.received, "/"):
		return front // /base has the path / behind it
	}
	return front + told
}

// front returns what of received stands in front of the routed path.
func (p *Path) front(received string) (string, bool) {
	routed := p.routed.String()
	front, ok := strings.CutSuffix(received, routed)
	if !ok && routed == "/" {
		front, ok = received, true
	}
	if p.collapse {
		front = strings.TrimRight(front, "/")
	}
	return front, ok
}

// New returns the path of a request with this URL that was received as this, which may be empty.
func New(received string, u *url.URL) Path {
	return Path{received: received, routed: FormOf(u)}
}

// Of returns the path of r. The request line is preferred to r.URL, which http.StripPrefix and
// others rewrite; it has no path where it has the absolute form, and no server has read it where r
// was made up.
func Of(r *http.Request) Path {
	p := Path{routed: FormOf(r.URL)}
	if strings.HasPrefix(r.RequestURI, "/") {
		p.received, _, _ = strings.Cut(r.RequestURI, "?")
	} else {
		p.received = p.routed.String()
	}
	return p
}

// Follow makes the routed path that of u, until a route is chosen: each station that finds another
// URL than the last one did, behind http.StripPrefix or another router, takes that. rest says that
// slashes doubled in front are one, as on REST APIs.
func Follow(p *Path, u *url.URL, rest bool) {
	if p.settled || rest == p.collapse && p.routed.is(u) {
		return
	}
	p.collapse, p.loose = rest, rest
	if p.routed = FormOf(u); rest {
		p.routed = p.routed.collapsed()
	}
}

// Chosen ends that: a route was chosen by the routed path. loose says that it took a path with a
// slash at its end for the one without.
func Chosen(p *Path, loose bool) { p.loose, p.chosen, p.settled = loose, true, true }

// Settle is for a station that gives the request another URL for its backend, under another router
// than ours: what was routed is what came to the station, and the next one's URL is what is told.
func Settle(p *Path, u *url.URL, rest bool) {
	Follow(p, u, rest)
	p.settled = true
}

// FollowRequest is [Follow] where the API has become known: it returns r, or a copy of it whose URL
// has one slash in front as well, so that handlers read there what was judged.
func FollowRequest(p *Path, r *http.Request, rest bool) *http.Request {
	p.chosen, p.settled = false, false // an API within an API chooses anew
	if Follow(p, r.URL, rest); !rest || len(r.URL.Path) < 2 || r.URL.Path[1] != '/' {
		return r
	}
	f := FormOf(r.URL)
	c := f.collapsed()
	if c == f {
		return r // /%2F
	}
	copied, u := *r, c.on(r.URL)
	copied.URL = &u
	return &copied
}

// Cut returns u without the first n bytes of its path, which are segments without escapes: a base
// path, or a stage. What is left begins with a slash.
func Cut(u *url.URL, n int) url.URL {
	f := FormOf(u)
	if f.decoded = f.decoded[n:]; f.decoded == "" {
		return Form{decoded: "/"}.on(u)
	}
	if f.unusual {
		f.escaped = f.escaped[n:]
		if escape(f.decoded) == f.escaped {
			f.escaped, f.unusual = "", false // what was unusual has gone with the cut
		}
	}
	return f.on(u)
}

// on returns u with the path f.
func (f Form) on(u *url.URL) url.URL {
	c := *u
	c.Path, c.RawPath = f.decoded, f.escaped
	return c
}

// Set gives u an escaped path. It refuses a bad escape, and what [Check] does.
func Set(u *url.URL, escaped string) error {
	f, err := Parse(escaped, false)
	if err == nil {
		err = Check(f.decoded)
	}
	if err != nil {
		return err
	}
	if u.Path, u.RawPath = f.decoded, escaped; escape(f.decoded) == escaped {
		u.RawPath = ""
	}
	return nil
}

// escape is net/url's spelling of a decoded path. Most paths are their own.
func escape(decoded string) string {
	for i := range len(decoded) {
		if c := decoded[i]; c != '/' && !isPlain[c] {
			return (&url.URL{Path: decoded}).EscapedPath()
		}
	}
	return decoded
}

// isPlain has the characters that net/url leaves as they are in a path.
var isPlain = table("-._~$&+,:;=@")

// isPathChar has those that stand for themselves in a segment. (RFC 3986, section 3.3: pchar.)
var isPathChar = table("-._~!$&'()*+,;=:@")

func table(more string) (t [256]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + more {
		t[c] = true
	}
	return t
}
