// Package addrset holds the addresses of an IP set: a table of prefixes that is searched by the
// longest match, or rather by whether there is any.
package addrset

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Set is a set of addresses. It is immutable, and safe for concurrent use.
type Set struct {
	table bart.Lite
	len   int
}

// maxMistakes is how many are named of a list that may have a million.
const maxMistakes = 20

// Parse returns the set of the addresses within cidrs, each in the form 192.0.2.0/24, or one error
// that names what it refuses: whatever is no prefix, is of the other family, or takes in every
// address there is. An empty list is a set without addresses. Bits behind a prefix's length don't
// count. Addresses of IPv4 that are written as IPv6 belong into a set of IPv4, as this is how
// Contains looks for them. (WAFv2, IPSet: "all IPv4 and IPv6 CIDR ranges except for /0".)
func Parse(v6 bool, cidrs []string) (*Set, error) {
	s := &Set{}
	m := mistakes.In("Addresses")
	wrong := 0
	for i, cidr := range cidrs {
		prefix, why := parse(v6, cidr)
		if why == "" {
			s.table.Insert(prefix)
		} else if wrong++; wrong <= maxMistakes {
			m.Index(i).Add("", "%s, got %.64q", why, cidr)
		}
	}
	m.Require(wrong <= maxMistakes, "", "and %d more", wrong-maxMistakes)
	if err := m.Err(); err != nil {
		return nil, err
	}
	s.len = s.table.Size()
	return s, nil
}

// Prefix returns the network that text writes, of either family. An address alone is a network of
// one.
func Prefix(text string) (netip.Prefix, error) {
	v6 := strings.Contains(text, ":")
	cidr := text
	if a, err := netip.ParseAddr(text); err == nil {
		cidr = fmt.Sprintf("%s/%d", text, a.BitLen())
	}
	prefix, why := parse(v6, cidr)
	if why != "" {
		return netip.Prefix{}, fmt.Errorf("%s, got %.64q", why, text)
	}
	return prefix, nil
}

// Of returns the set of prefixes, which may be of both families.
func Of(prefixes []netip.Prefix) *Set {
	s := &Set{}
	for _, p := range prefixes {
		s.table.Insert(p)
	}
	s.len = s.table.Size()
	return s
}

// parse returns the prefix, or why cidr is none.
func parse(v6 bool, cidr string) (prefix netip.Prefix, why string) {
	family, example := "IPv4", "192.0.2.0/24"
	if v6 {
		family, example = "IPv6", "2001:db8::/32"
	}
	prefix, err := netip.ParsePrefix(cidr)
	switch {
	case err == nil && prefix.Bits() == 0:
		return prefix, "want less than all addresses, which is what a rule without an IP set matches"
	case err == nil && prefix.Addr().Is4In6():
		return prefix, "want an address of IPv4 in its own form, in a set of IPv4"
	case err == nil && prefix.Addr().Is6() == v6:
		return prefix, ""
	case err == nil:
		return prefix, fmt.Sprintf("want a prefix of %s such as %s, as a set has one family", family, example)
	}
	if address, err := netip.ParseAddr(cidr); err == nil && address.Is6() == v6 && !strings.Contains(cidr, "%") {
		return prefix, fmt.Sprintf("want a prefix of %s: for one address, write %s/%d", family, cidr, address.BitLen())
	}
	return prefix, fmt.Sprintf("want a prefix of %s such as %s", family, example)
}

// Contains reports whether a is in s. An address of IPv4 in the form of IPv6 is one of IPv4, and a
// zone doesn't count. The zero Addr is in no set.
func (s *Set) Contains(a netip.Addr) bool { return s.table.Contains(a.Unmap()) }

// Len returns how many different prefixes there are.
func (s *Set) Len() int { return s.len }
