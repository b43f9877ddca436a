package addrset_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/addrset"
)

// A list of nothing but mistakes names the first of them and how many there are, and each in a few
// bytes.
func TestManyMistakes(t *testing.T) {
	_, err := addrset.Parse(false, slices.Repeat([]string{strings.Repeat("x", 10_000)}, 100_000))
	require.ErrorContains(t, err, "Addresses[19]")
	require.ErrorContains(t, err, "Addresses: and 99980 more")
	require.Less(t, len(err.Error()), 10_000)
}

// The caller's list may change afterwards: a set doesn't.
func TestListIsCopied(t *testing.T) {
	list := []string{"192.0.2.0/24"}
	s, err := addrset.Parse(false, list)
	require.NoError(t, err)
	list[0] = "10.0.0.0/8"
	require.True(t, s.Contains(mustAddr("192.0.2.1")))
	require.False(t, s.Contains(mustAddr("10.0.0.1")))
}

// Every address there is can't be listed in halves without notice by a rule of one prefix; in two
// halves it can, which is what its author wrote.
func TestAllAddressesInHalves(t *testing.T) {
	s := parse(t, false, "0.0.0.0/1", "128.0.0.0/1")
	require.True(t, s.Contains(mustAddr("255.255.255.255")))
	require.False(t, s.Contains(mustAddr("::1")), "of the other family there is none")
}

var mustAddr = netip.MustParseAddr
