package gatekit

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// SourceIP returns the client's address: the RequestContext's if one is attached, else that of the
// connection. The zero Addr means that it isn't an IP connection, or that a trusted proxy sent a
// list that doesn't parse. Every package of this module that needs the client's address asks here.
func SourceIP(r *http.Request) netip.Addr {
	if rc := From(r.Context()); rc != nil {
		return rc.SourceIP()
	}
	return remoteIP(r.RemoteAddr)
}

func remoteIP(hostport string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// TrustedProxies tells the client's address from what proxies in front of the program write into a
// header. A client can send that header too, so the list is read from the right, where the nearest
// proxy appended: entries of trusted proxies are passed over, and the first other one is the
// client. (RFC 7239, section 8.1.)
//
// nil trusts nobody. It is immutable and safe for concurrent use.
type TrustedProxies struct {
	prefixes  []netip.Prefix
	forwarded bool // the Forwarded header, not X-Forwarded-For
}

// NewTrustedProxies returns the proxies whose addresses are in prefixes ("10.0.0.0/8",
// "2001:db8::/32", or one address). header is what they write: "X-Forwarded-For" (also ""), or
// "Forwarded" (RFC 7239). Name the one that your proxy sets: it passes the other on as the client
// sent it. The error lists every prefix that doesn't parse.
func NewTrustedProxies(header string, prefixes ...string) (*TrustedProxies, error) {
	p := &TrustedProxies{}
	m := mistakes.In("gatekit: NewTrustedProxies")
	p.forwarded = strings.EqualFold(header, "Forwarded")
	m.Require(p.forwarded || header == "" || strings.EqualFold(header, "X-Forwarded-For"),
		"header", "want X-Forwarded-For or Forwarded, got %q", header)
	for i, text := range prefixes {
		prefix, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
		}
		in := m.Under("prefixes").Index(i)
		switch {
		case err != nil:
			in.Add("", "want an address or a prefix such as 10.0.0.0/8, got %q", text)
		case prefix.Addr().Is4In6():
			in.Add("", "want the IPv4 form, got %q", text)
		case prefix.Bits() == 0:
			in.Add("", "want the proxies' own networks, got all addresses (%q), which lets any client name its address",
				text)
		default:
			p.prefixes = append(p.prefixes, prefix.Masked())
		}
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// SourceIP returns the address of r's client. If the connection isn't from a trusted proxy, or that
// proxy sent no list, it is the connection's. If a part of the list that has to be believed doesn't
// parse, it is the zero Addr: doubt identifies nobody.
func (p *TrustedProxies) SourceIP(r *http.Request) netip.Addr {
	peer := remoteIP(r.RemoteAddr)
	if p == nil || !p.trusts(peer) {
		return peer
	}
	lines, parse := r.Header["X-Forwarded-For"], forwardedForAddr
	if p.forwarded {
		lines, parse = r.Header["Forwarded"], forwardedAddr
	}
	addr := peer
	for i := len(lines) - 1; i >= 0; i-- { // several lines are one list (RFC 9110, section 5.3)
		for line := lines[i]; ; {
			comma := lastComma(line, p.forwarded)
			var ok bool
			if addr, ok = parse(strings.Trim(line[comma+1:], " \t")); !ok {
				return netip.Addr{}
			}
			if !p.trusts(addr) {
				return addr
			}
			if comma < 0 {
				break
			}
			line = line[:comma]
		}
	}
	return addr // all are proxies of ours: the farthest
}

// Trusts reports whether r's connection comes from a trusted proxy, whose headers say more than a
// client's.
func (p *TrustedProxies) Trusts(r *http.Request) bool {
	return p != nil && p.trusts(remoteIP(r.RemoteAddr))
}

// TrustsAddr reports whether addr is a trusted proxy's: for what judges connections and not
// requests. nil trusts nobody.
func (p *TrustedProxies) TrustsAddr(addr netip.Addr) bool { return p != nil && p.trusts(addr.Unmap()) }

// Middleware attaches a RequestContext whose Identity.SourceIP is p's answer, for chains without a
// route.API.
func (p *TrustedProxies) Middleware(next http.Handler) http.Handler {
	return &proxied{proxies: p, next: next}
}

type proxied struct {
	proxies *TrustedProxies
	next    http.Handler
}

func (h *proxied) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := Attach(r)
	rc.SetSourceIP(h.proxies.SourceIP(r))
	h.next.ServeHTTP(w, r)
}

// Station implements [Station].
func (h *proxied) Station() (kind string, next http.Handler) { return "trusted proxies", h.next }

func (p *TrustedProxies) trusts(addr netip.Addr) bool {
	for _, prefix := range p.prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// forwardedForAddr reads an entry of X-Forwarded-For: an address, which some proxies send with a
// port.
func forwardedForAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
				return netip.Addr{}, false
			}
			if addr, err = netip.ParseAddr(s[1 : len(s)-1]); err != nil || !addr.Is6() {
				return netip.Addr{}, false
			}
			return addr.Unmap(), addr.Zone() == ""
		}
		addr = ap.Addr()
	}
	return addr.Unmap(), addr.Zone() == ""
}

// forwardedAddr reads the address out of one element of Forwarded, such as
// for="[2001:db8::1]:4711";proto=https. (RFC 7239, section 4.) An obfuscated identifier
// (for=_hidden, for=unknown) is no address.
func forwardedAddr(element string) (netip.Addr, bool) {
	var found netip.Addr
	for element != "" {
		end := untilSeparator(element, ';')
		name, value, ok := strings.Cut(element[:end], "=")
		if element = element[end:]; element != "" {
			element = element[1:]
		}
		if !ok || !strings.EqualFold(name, "for") {
			continue
		}
		if found.IsValid() {
			return netip.Addr{}, false // a parameter must not occur twice
		}
		quoted := len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"'
		if quoted {
			value = value[1 : len(value)-1]
		}
		if strings.Contains(value, ":") && (!quoted || value[0] != '[' && strings.Count(value, ":") > 1) {
			return netip.Addr{}, false // an IPv6 address has brackets, and a colon quotes
		}
		if found, ok = forwardedForAddr(value); !ok {
			return netip.Addr{}, false
		}
	}
	return found, found.IsValid()
}

// lastComma returns the index of the last comma that separates elements, or -1. With quotes, one
// inside a quoted string doesn't count; a string that doesn't end is refused later, as its element
// doesn't parse.
func lastComma(s string, quotes bool) int {
	if !quotes {
		return strings.LastIndexByte(s, ',')
	}
	inQuotes := false
	for i := len(s) - 1; i >= 0; i-- {
		switch s[i] {
		case '"':
			inQuotes = !inQuotes // an address holds no backslash, so an escaped quote only occurs where we refuse
		case ',':
			if !inQuotes {
				return i
			}
		}
	}
	return -1
}

// untilSeparator returns the index of the first sep outside quotes, or the length of s.
func untilSeparator(s string, sep byte) int {
	inQuotes := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			inQuotes = !inQuotes
		case s[i] == sep && !inQuotes:
			return i
		}
	}
	return len(s)
}

// Any reports whether there is a proxy to trust.
func (p *TrustedProxies) Any() bool { return p != nil && len(p.prefixes) > 0 }
