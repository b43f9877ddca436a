package cors

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxOriginBytes bounds an origin: a scheme, a host name of 253 bytes, a port.
const maxOriginBytes = 512

// origin is a serialized origin taken apart.
type origin struct {
	scheme, host string // the host without brackets
}

// parseOrigin parses an origin in exactly the form that browsers send: a scheme, a host in lower
// case, and a port unless it is the scheme's default. It is a parser of its own since url.Parse
// takes more: a path, a user, "http://evil@victim". (RFC 6454, section 6.2; URL Standard,
// "origin".)
func parseOrigin(text string) (o origin, ok bool) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || len(text) > maxOriginBytes || !isScheme(scheme) {
		return origin{}, false
	}
	host, port := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && strings.IndexByte(rest[i:], ']') < 0 {
		host, port = rest[:i], rest[i+1:]
		if !isPort(port, scheme) {
			return origin{}, false
		}
	}
	if inner, bracket := strings.CutPrefix(host, "["); bracket {
		inner, closed := strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		if !closed || err != nil || !a.Is6() || a.Zone() != "" || strings.ToLower(inner) != inner {
			return origin{}, false
		}
		return origin{scheme, inner}, true
	}
	if !isHost(host) {
		return origin{}, false
	}
	return origin{scheme, host}, true
}

func (o origin) loopback() bool {
	a, err := netip.ParseAddr(o.host)
	return o.host == "localhost" || strings.HasSuffix(o.host, ".localhost") || err == nil && a.Unmap().IsLoopback()
}

// isScheme: lower case, as browsers write it. (RFC 3986, section 3.1.)
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return s != ""
}

// isHost takes a name or an IPv4 address: labels of lower-case letters, digits, - and _ between
// dots. Names in other scripts arrive as xn--….
func isHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	label := 0
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_':
			if label++; label > 63 {
				return false
			}
		case c == '.' && label > 0 && i+1 < len(s):
			label = 0
		default:
			return false
		}
	}
	return s != ""
}

func isPort(s, scheme string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || s[0] == '0' || s[0] == '+' {
		return false
	}
	return !(n == 80 && scheme == "http" || n == 443 && scheme == "https")
}
