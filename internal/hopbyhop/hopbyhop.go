// Package hopbyhop knows which headers are for one connection, which names two readers may take for
// one, and how trailers outlive copies of their request.
package hopbyhop

import (
	"maps"
	"net/http"
	"strings"
)

// Framing reports whether a header, by its canonical name, says how messages follow each other on
// one connection, whatever Connection says. (RFC 9110, section 7.6.1, and what clients send
// although it was never a standard.) Functions are told none of these, and can't set them.
func Framing(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// Forwarding are what a gateway, or a proxy that it trusts, has written or will write: a client
// can't take them away.
var Forwarding = []string{
	"Forwarded", "Host", "Via", "X-Amzn-Apigateway-Api-Id", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port",
	"X-Forwarded-Proto",
}

var forwarding = func() map[string]bool {
	set := map[string]bool{}
	for _, name := range Forwarding {
		set[name] = true
	}
	return set
}()

// Is reports whether a header, by its canonical name, is for one connection: those of [Framing],
// and what a proxy and its client tell each other of who they are.
func Is(name string) bool {
	return Framing(name) || name == "Proxy-Authenticate" || name == "Proxy-Authorization"
}

// Drop removes the headers of one connection from h, and those that Connection names, unless they
// are in keep: what an integration does with what it passes on.
func Drop(h http.Header, keep map[string]bool) {
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = http.CanonicalHeaderKey(strings.Trim(name, " \t")); name != "" && !keep[name] {
				delete(h, name)
			}
		}
	}
	for name := range h {
		if Is(name) {
			delete(h, name)
		}
	}
}

// Strip returns h without the headers that a client's Connection names: they are for this
// connection, so that no backend gets them, and nothing may be decided here by what they say. It
// returns h itself where there are none, and else a copy, whose Connection keeps the options that
// aren't headers (close, keep-alive, upgrade). What proxies in front have written isn't a client's
// to take away, nor its name from Connection.
func Strip(h http.Header) http.Header { return strip(h, false) }

// StripUnsigned is Strip before signatures are verified: it leaves X-Amz- headers, and their names
// in Connection, as a verifier refuses what a proxy in front might have taken out.
func StripUnsigned(h http.Header) http.Header { return strip(h, true) }

func strip(h http.Header, signed bool) http.Header {
	lines := h["Connection"]
	if !names(lines, signed) {
		return h
	}
	out := maps.Clone(h)
	var kept []string
	for _, line := range lines {
		for option := range strings.SplitSeq(line, ",") {
			if option = strings.Trim(option, " \t"); stays(option, signed) {
				kept = append(kept, option)
			} else {
				delete(out, http.CanonicalHeaderKey(option))
			}
		}
	}
	delete(out, "Connection")
	if len(kept) > 0 {
		out["Connection"] = []string{strings.Join(kept, ", ")}
	}
	return out
}

// names reports whether Connection names a header that is to be taken out.
func names(lines []string, signed bool) bool {
	for _, line := range lines {
		for option := range strings.SplitSeq(line, ",") {
			if option = strings.Trim(option, " \t"); option != "" && !stays(option, signed) {
				return true
			}
		}
	}
	return false
}

// stays reports whether a connection option takes nothing away.
func stays(option string, signed bool) bool {
	if isOption(option) {
		return true
	}
	name := http.CanonicalHeaderKey(option)
	return forwarding[name] || signed && strings.HasPrefix(name, "X-Amz-")
}

// isOption reports whether a connection option is none that takes away what a backend might read.
func isOption(option string) bool {
	return strings.EqualFold(option, "close") || strings.EqualFold(option, "keep-alive") ||
		strings.EqualFold(option, "upgrade") ||
		strings.EqualFold(option, "te") || strings.EqualFold(option, "http2-settings")
}

// Twin returns the name that name, which has underscores, is to backends that read headers as
// variables of an environment, in canonical form: X-Forwarded-For for X_Forwarded_For. (RFC 3875,
// section 4.1.18.) It is "" for a name without underscores.
func Twin(name string) string {
	if strings.IndexByte(name, '_') < 0 {
		return ""
	}
	return http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
}

// forbidden are fields that a trailer can't have, as they say how the message is framed, routed,
// cached, authorized or read, and whoever decided that has read the header section only. (RFC 9110,
// section 6.5.1.)
var forbidden = map[string]bool{
	"Age": true, "Authorization": true, "Cache-Control": true, "Cookie": true, "Date": true, "Expect": true, "Expires": true, "Forwarded": true,
	"Host": true, "Location": true, "Max-Forwards": true, "Origin": true, "Pragma": true, "Range": true, "Realm": true, "Referer": true,
	"Retry-After": true, "Server": true, "Set-Cookie": true, "User-Agent": true, "Vary": true, "Via": true, "Warning": true,
	"Www-Authenticate": true, "Apigw-Requestid": true, "X-Api-Key": true, "X-Real-Ip": true,
	// What backends take for another method, target or client than the request has.
	"X-Http-Method": true, "X-Http-Method-Override": true, "X-Method-Override": true, "X-Original-Url": true, "X-Rewrite-Url": true,
	"Cf-Connecting-Ip": true, "Client-Ip": true, "Remote-User": true, "True-Client-Ip": true, "X-Client-Ip": true,
}

// forbiddenPrefixes are families of them.
var forbiddenPrefixes = []string{"Accept", "Access-Control-", "Content-", "If-", "Proxy-", "Sec-", "X-Amz",
	"X-Forwarded"}

// MayTrail reports whether a field, by its canonical name, may be passed on in a trailer as far as
// the standard goes.
func MayTrail(name string) bool {
	if twin := Twin(name); twin != "" {
		name = twin
	}
	if Is(name) || forbidden[name] {
		return false
	}
	for _, prefix := range forbiddenPrefixes {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}
