package event

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
)

// Headers returns the request's headers as the gateway passes them on: with Host, which net/http
// keeps elsewhere, and with what the gateway says of the connection. (Recorded events:
// X-Forwarded-For has the client's chain and then the peer.)
func Headers(r *http.Request) http.Header {
	h := make(http.Header, len(r.Header)+4)
	for name, values := range r.Header {
		h[name] = values
	}
	h["Host"] = []string{r.Host}
	// The connection's peer, not the client that the chain names.
	if _, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		h["X-Forwarded-For"] = []string{ForwardedFor(r)}
	}
	h["X-Forwarded-Port"], h["X-Forwarded-Proto"] = []string{ForwardedPort(r)}, []string{ForwardedProto(r)}
	return h
}

// DroppedByREST reports whether a REST API's front takes a request's header away, by its canonical
// name, before anything sees it: events and mapping templates alike. (Recorded; Developer guide,
// "Amazon API Gateway important notes".)
func DroppedByREST(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Content-Md5", "Expect", "Max-Forwards", "Proxy-Authenticate",
		"Server", "Te", "Transfer-Encoding", "Trailer", "Upgrade", "Www-Authenticate":
		return true
	}
	return false
}

// headers appends the lines of the request's headers, as the gateway passes them on.
func (w *Writer) headers(lines []Line) []Line {
	rc, r := w.Context, w.Request
	drop, length := DroppedByREST, ""
	connection, upgrade := "", ""
	switch {
	case rc.API.Flavor == gatekit.HTTP:
		drop, length = hopbyhop.Framing, w.contentLength()
	case rc.API.Flavor == gatekit.WebSocket && w.Authorizer != nil:
		// As recorded, an authorizer sees the upgrade, and a length of nothing, and an integration
		// doesn't.
		connection, upgrade = strings.Join(r.Header["Connection"], ", "), strings.Join(r.Header["Upgrade"], ", ")
		length = "0"
	}
	if a := r.Header["Authorization"]; len(a) > 0 && strings.HasPrefix(a[0], "AWS4-") && w.Authorizer == nil {
		// A signature goes no further than the gateway, of which an authorizer is a part.
		// (Developer guide, "Known issues", HTTP and REST APIs.)
		rest := drop
		drop = func(name string) bool { return name == "Authorization" || rest(name) }
	}
	return HeaderLines(lines, r, drop,
		Line{Name: "Connection", One: connection},
		Line{Name: "Content-Length", One: length},
		Line{Name: "Host", One: r.Host},
		Line{Name: "Upgrade", One: upgrade},
		Line{Name: "X-Amzn-Trace-Id", One: Trace(rc, r).String()},
		Line{Name: "X-Forwarded-For", One: ForwardedFor(r)},
		Line{Name: "X-Forwarded-Port", One: ForwardedPort(r)},
		Line{Name: "X-Forwarded-Proto", One: ForwardedProto(r)},
	)
}

// contentLength is the body's length, or "" if it isn't known: an authorizer is asked before a body
// that comes in chunks has been read.
func (w *Writer) contentLength() string {
	switch {
	case w.Authorizer == nil:
		return strconv.Itoa(len(w.Body))
	case w.Request.ContentLength < 0:
		return ""
	}
	return strconv.FormatInt(w.Request.ContentLength, 10)
}

// HeaderLines appends the headers of r to lines, sorted by name, without those that drop reports,
// and with extra ones in the place of r's own. Extra lines without a value are left out, and so is
// what the client sent under their names.
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

// sortLines sorts by name. Few lines, as most requests have, are sorted by moving numbers of one
// byte.
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

// ForwardedFor is the X-Forwarded-For of an event: the client's chain, and then the connection's
// peer.
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
	if explicit := httpword.Port(r.Host); explicit != "" {
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
