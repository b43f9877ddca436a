package waf

import (
	"github.com/gatekit-go/gatekit/auth/waf/internal/addrset"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

const maxAddresses = 10_000

// Source returns the set as Config.IPSets wants it, or an error that names what WAFv2 refuses as
// well: an address of the other version, a prefix that is all addresses, more than 10,000.
func (set *IPSet) Source() (IPSource, error) {
	m := mistakes.In("waf: IPSet " + set.Name)
	m.Require(set.IPAddressVersion == "IPV4" || set.IPAddressVersion == "IPV6", "IPAddressVersion",
		"want IPV4 or IPV6, got %q", set.IPAddressVersion)
	m.Require(len(set.Addresses) <= maxAddresses, "Addresses", "want at most %d, got %d", maxAddresses,
		len(set.Addresses))
	if err := m.Err(); err != nil {
		return nil, err
	}
	parsed, err := addrset.Parse(set.IPAddressVersion == "IPV6", set.Addresses)
	if err != nil {
		m.Add("Addresses", "%w", err)
		return nil, m.Err()
	}
	return parsed, nil
}
