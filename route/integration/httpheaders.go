package integration

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/traceid"
)

// headerSet is a set of canonical header names.
type headerSet = map[string]bool

func newHeaderSet(lists ...[]string) headerSet {
	set := headerSet{}
	for _, name := range slices.Concat(lists...) {
		set[http.CanonicalHeaderKey(name)] = true
	}
	return set
}

// dropTwins removes headers with underscores that a backend may take for one that the gateway
// writes, drops or has judged by its real name: it would read a client's X_Forwarded_For as this
// gateway's X-Forwarded-For.
func (x *exchange) dropTwins(h http.Header) {
	for name := range h {
		twin := hopbyhop.Twin(name)
		if twin == "" {
			continue
		}
		if _, set := h[twin]; set || x.proxy.ruled[twin] || hopbyhop.Is(twin) {
			delete(h, name)
		}
	}
}

// What else isn't passed on to an upstream. Expect is answered here; the forwarding headers are
// this gateway's to write.
var (
	droppedHTTP = []string{
		"Expect", "Host", "X-Amzn-Apigateway-Api-Id",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto",
	}
	droppedREST = []string{
		"Content-Length", "Content-Md5", "Expect", "Host", "Max-Forwards", "Server", "Via", "Www-Authenticate",
		"X-Amzn-Apigateway-Api-Id", "X-Forwarded-Host",
	}
)

// viaHTTP is what the managed gateway was seen to write into Via.
const viaHTTP = "HTTP/1.1 AmazonAPIGateway"

// setHeaders fills in the headers for the upstream. They are new slices or the client's own, which
// the transport only reads.
func (x *exchange) setHeaders() {
	p, in := x.proxy, x.In.Header
	h := make(http.Header, len(in)+6)
	for name, values := range in {
		if values != nil {
			h[name] = values
		}
	}
	hopbyhop.Drop(h, p.keep)
	if x.Upgrade != "" {
		h["Connection"], h["Upgrade"] = x.value(0, "Upgrade"), x.value(1, x.Upgrade)
	}
	if len(h["User-Agent"]) == 0 {
		h["User-Agent"] = nil // keeps the transport from writing its own
	}
	switch {
	case x.mapped: // and complete
	case x.flavor == gatekit.REST:
		for _, name := range droppedREST {
			delete(h, name)
		}
		if !p.config.KeepContentEncoding {
			delete(h, "Content-Encoding")
		}
		x.xForwarded(h, false)
		if x.rc != nil && x.rc.API.APIID != "" {
			h["X-Amzn-Apigateway-Api-Id"] = x.value(2, x.rc.API.APIID)
		}
	default:
		if acceptsTrailers(in) {
			h["Te"] = []string{"trailers"}
		}
		x.setForwarded(h)
		x.setVia(h)
		forwardedFor := h["X-Forwarded-For"]
		for _, name := range droppedHTTP {
			delete(h, name)
		}
		if p.config.XForwarded {
			if forwardedFor != nil {
				h["X-Forwarded-For"] = forwardedFor
			}
			x.xForwarded(h, true)
		}
	}
	x.dropTwins(h)
	seen := x.Began
	if x.rc != nil { // as in the events that an authorizer of the request got
		seen = x.rc.Time
	}
	trace := traceid.Of(x.rc, h["X-Amzn-Trace-Id"], x.flavor == gatekit.REST, seen)
	h["X-Amzn-Trace-Id"] = x.value(3, trace.String())
	if t := x.rc.TraceContext(); t != nil {
		x.setTraceparent(h, t)
	}
	x.Out.Header = h
}

// setTraceparent says which step of its trace the request comes from, whatever the client, or a
// mapping, said.
func (x *exchange) setTraceparent(h http.Header, t *gatekit.TraceContext) {
	h["Traceparent"] = []string{traceid.Traceparent(t)}
	delete(h, "Tracestate")
	if t.State != "" {
		h["Tracestate"] = []string{t.State}
	}
}

// value returns a slice of the i-th of x's own strings.
func (x *exchange) value(i int, s string) []string {
	x.values[i] = s
	return x.values[i : i+1 : i+1]
}

func acceptsTrailers(h http.Header) bool {
	for _, line := range h["Te"] {
		for coding := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(coding, " \t"), "trailers") {
				return true
			}
		}
	}
	return false
}

// upgradeOf returns the protocol that a client asks to change to: websocket, or "". No other is
// passed on: h2c would let a client speak to the upstream past everything that stands before it
// here.
func upgradeOf(h http.Header) string {
	if u := h["Upgrade"]; len(u) != 1 || !strings.EqualFold(u[0], "websocket") {
		return ""
	}
	for _, line := range h["Connection"] {
		for option := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(option, " \t"), "upgrade") {
				return "websocket"
			}
		}
	}
	return ""
}

func (x *exchange) proto() string {
	switch {
	case x.proxy.config.ForwardedProto != "":
		return x.proxy.config.ForwardedProto
	case x.In.TLS != nil:
		return "https"
	}
	return "http"
}

// receivedHost is the client's, which a mapping may have overwritten for the upstream.
func (x *exchange) receivedHost() string {
	if mapped, _ := x.rc.Overwritten(); mapped {
		return x.rc.Host()
	}
	return x.In.Host
}

// setForwarded appends this gateway's element to a client's Forwarded.
func (x *exchange) setForwarded(h http.Header) {
	f := forwarded{client: gatekit.SourceIP(x.In), host: x.receivedHost(), proto: x.proto()}
	if local, ok := x.In.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		f.by = local.AddrPort().Addr()
	}
	h["Forwarded"] = x.value(4, f.after(h["Forwarded"]))
}

func (x *exchange) setVia(h http.Header) {
	via := viaHTTP
	if prior := h["Via"]; len(prior) > 0 {
		via = strings.Join(prior, ", ") + ", " + viaHTTP
	}
	h["Via"] = x.value(5, via)
}

// xForwarded appends the peer to X-Forwarded-For, and says which port and scheme the client used.
func (x *exchange) xForwarded(h http.Header, host bool) {
	if peer, err := netip.ParseAddrPort(x.In.RemoteAddr); err == nil {
		chain := peer.Addr().Unmap().WithZone("").String()
		if prior := h["X-Forwarded-For"]; len(prior) > 0 {
			chain = strings.Join(prior, ", ") + ", " + chain
		}
		h["X-Forwarded-For"] = x.value(6, chain)
	}
	proto := x.proto()
	port := "80"
	if proto == "https" {
		port = "443"
	}
	received := x.receivedHost()
	explicit := strings.TrimPrefix(received[len(httpword.Host(received)):], ":")
	if explicit != "" && strings.Trim(explicit, "0123456789") == "" {
		port = explicit
	}
	v := []string{port, proto, received}
	h["X-Forwarded-Port"], h["X-Forwarded-Proto"] = v[0:1:1], v[1:2:2]
	if host {
		h["X-Forwarded-Host"] = v[2:3:3]
	}
}

// What a REST API passes on under another name.
var remapped = [...]struct{ from, to string }{
	{"Connection", "X-Amzn-Remapped-Connection"},
	{"Content-Length", "X-Amzn-Remapped-Content-Length"},
	{"Date", "X-Amzn-Remapped-Date"},
	{"Server", "X-Amzn-Remapped-Server"},
	{"X-Amzn-Requestid", "X-Amzn-Remapped-X-Amzn-Requestid"},
}

// passHeaders copies the response's headers to the client's, behind those that stations have set.
// It takes h over.
func (x *exchange) passHeaders(h http.Header) {
	switch {
	case x.mapped:
		connection := h["Connection"] // whose new name is transform.REST's to give
		if hopbyhop.Drop(h, nil); connection != nil {
			h["Connection"] = connection
		}
		delete(h, "X-Amz-Apigw-Id")
	case x.flavor == gatekit.REST:
		var renamed [len(remapped)][]string
		for i, m := range remapped {
			renamed[i] = h[m.from]
		}
		hopbyhop.Drop(h, nil)
		for i, m := range remapped {
			if delete(h, m.from); len(renamed[i]) > 0 {
				h[m.to] = renamed[i]
			}
		}
		delete(h, "Via")
		delete(h, "X-Amz-Apigw-Id") // the gateway's own
	default:
		hopbyhop.Drop(h, nil)
		delete(h, "Apigw-Requestid")
	}
	out := x.W.Header()
	for name, values := range h {
		if prior := out[name]; len(prior) > 0 {
			values = append(prior[:len(prior):len(prior)], values...)
		}
		out[name] = values
	}
}
