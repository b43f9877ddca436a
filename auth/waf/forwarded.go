package waf

import (
	"net/netip"
	"net/textproto"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// forwarded takes an address out of a header. nil is the client's own.
type forwarded struct {
	header   string // canonical
	fallback verdict
}

// origin is what an address of a request is.
type origin uint8

const (
	known   origin = iota
	absent         // the header isn't there: the rule isn't applied
	invalid        // the header has no address there
)

func compileForwarded(m *mistakes.Mistakes, field string, header, fallback string) *forwarded {
	m = m.Under(field)
	m.Require(header != "" && len(header) <= 255 && !strings.ContainsFunc(header,
		func(c rune) bool { return c == '_' || notOfLabel(c) }), "HeaderName",
		"want 1 to 255 letters, digits and -, got %.300q", header)
	return &forwarded{textproto.CanonicalMIMEHeaderKey(header), fallbackOf(m, "FallbackBehavior", fallback)}
}

// fallbackOf reads MATCH or NO_MATCH.
func fallbackOf(m *mistakes.Mistakes, field, text string) verdict {
	m.Require(text == "MATCH" || text == "NO_MATCH", field, "want MATCH or NO_MATCH, got %q", text)
	if text == "MATCH" {
		return matches
	}
	return fails
}

// address returns the client's address, or the first of the header.
func (s *state) address(f *forwarded) (netip.Addr, origin) {
	if f == nil {
		return s.client(), known
	}
	lines := s.lines(f.header)
	if len(lines) == 0 {
		return netip.Addr{}, absent
	}
	first, _, _ := strings.Cut(lines[0], ",")
	return parseForwarded(first)
}

// lines are a header's values, also of the one that net/http keeps elsewhere.
func (s *state) lines(canonical string) []string {
	if canonical == "Host" && s.r.Host != "" {
		return []string{s.r.Host}
	}
	return s.r.Header[canonical]
}

// parseForwarded reads one entry of the list. An address with a port, in brackets or with a zone is
// none.
func parseForwarded(text string) (netip.Addr, origin) {
	addr, err := netip.ParseAddr(strings.Trim(text, " \t"))
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, invalid
	}
	return addr.Unmap(), known
}

// ipSet looks for an address in a set.
type ipSet struct {
	set  IPSource
	from *forwarded
	last bool
	any  bool
}

// maxForwarded is how many addresses of a list are looked at where any will do: the last ones, as
// the first are what a client can write.
const maxForwarded = 10

func (e *ipSet) eval(s *state) truth {
	switch {
	case e.any:
		return e.evalAny(s)
	case e.last:
		lines := s.lines(e.from.header)
		if len(lines) == 0 {
			return s.absent()
		}
		line := lines[len(lines)-1]
		return e.judge(parseForwarded(line[strings.LastIndexByte(line, ',')+1:]))
	}
	addr, is := s.address(e.from)
	if is == absent {
		return s.absent()
	}
	return e.judge(addr, is)
}

func (e *ipSet) judge(addr netip.Addr, is origin) truth {
	if is == invalid {
		return truthOf(e.from.fallback == matches)
	}
	return truthOf(addr.IsValid() && e.set.Contains(addr))
}

// evalAny looks at the last ten addresses, several lines being one list. (RFC 9110, section 5.3.)
func (e *ipSet) evalAny(s *state) truth {
	lines := s.lines(e.from.header)
	if len(lines) == 0 {
		return s.absent()
	}
	seen, malformed := 0, false
	for i := len(lines) - 1; i >= 0; i-- {
		line := lines[i]
		for more := true; more && seen < maxForwarded; seen++ {
			comma := strings.LastIndexByte(line, ',')
			addr, is := parseForwarded(line[comma+1:])
			if is == known && e.set.Contains(addr) {
				return yes
			}
			malformed = malformed || is == invalid
			if more = comma >= 0; more {
				line = line[:comma]
			}
		}
	}
	return truthOf(malformed && e.from.fallback == matches)
}

// geo looks where an address is, and labels the request with it.
type geo struct {
	countries map[string]bool
	from      *forwarded
}

func (e *geo) eval(s *state) truth {
	addr, is := s.address(e.from)
	switch is {
	case absent:
		return s.absent()
	case invalid:
		return truthOf(e.from.fallback == matches)
	}
	country, region := s.geo(addr)
	prefix := "awswaf:clientip:geo:"
	if e.from != nil {
		prefix = "awswaf:forwardedip:geo:"
	}
	s.pending = append(s.pending, prefix+"country:"+country, prefix+"region:"+country+"-"+region)
	return truthOf(e.countries[country])
}

// geo asks the ACL's function. What it doesn't know is XX.
func (s *state) geo(addr netip.Addr) (country, region string) {
	const unknown = "XX"
	if addr.IsValid() {
		country, region = s.acl.cfg.Geo(addr)
	}
	if len(country) != 2 || strings.ContainsFunc(country, notOfLabel) {
		return unknown, unknown
	}
	if region == "" || strings.ContainsFunc(region, notOfLabel) {
		region = unknown
	}
	return strings.ToUpper(country), region
}

// asn looks whose an address is.
type asn struct {
	numbers map[int64]bool
	from    *forwarded
}

func (e *asn) eval(s *state) truth {
	addr, is := s.address(e.from)
	switch is {
	case absent:
		return s.absent()
	case invalid:
		return truthOf(e.from.fallback == matches)
	}
	return truthOf(e.numbers[s.asn(addr)])
}

// asn asks the ACL's function: 0 is an address that belongs to no system.
func (s *state) asn(addr netip.Addr) int64 {
	if !addr.IsValid() {
		return 0
	}
	return int64(s.acl.cfg.ASN(addr))
}
