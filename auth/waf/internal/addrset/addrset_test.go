package addrset_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/gaissmai/bart"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/addrset"
)

func parse(t testing.TB, v6 bool, cidrs ...string) *addrset.Set {
	t.Helper()
	s, err := addrset.Parse(v6, cidrs)
	require.NoError(t, err)
	return s
}

func TestContains(t *testing.T) {
	v4 := parse(t, false, "192.0.2.0/24", "198.51.100.7/32", "10.1.2.3/8", "10.0.0.0/8", "128.0.0.0/1")
	require.Equal(t, 4, v4.Len(), "bits behind the length don't count")
	for address, want := range map[string]bool{
		"192.0.2.0": true, "192.0.2.255": true, "192.0.3.0": true, "198.51.100.7": true, "10.255.255.255": true, "11.0.0.0": false, "127.255.255.255": false,
		"::ffff:10.0.0.1": true, "::ffff:11.0.0.1": false, "::ffff:10.0.0.1%eth0": true, "::1": false, "a00::1": false,
	} {
		require.Equal(t, want, v4.Contains(netip.MustParseAddr(address)), address)
	}
	v6 := parse(t, true, "2001:db8::/32", "fe80::1/128")
	for address, want := range map[string]bool{
		"2001:db8::1": true, "2001:db9::": false, "fe80::1": true, "fe80::1%eth0": true, "fe80::2": false, "32.1.13.184": false,
	} {
		require.Equal(t, want, v6.Contains(netip.MustParseAddr(address)), address)
	}
	require.False(t, v4.Contains(netip.Addr{}))
	empty := parse(t, false)
	require.Zero(t, empty.Len())
	require.False(t, empty.Contains(netip.MustParseAddr("192.0.2.1")))
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, cidr string
		v6         bool
		want       string
	}{
		{"empty", "", false, `Addresses[0]: want a prefix of IPv4 such as 192.0.2.0/24, got ""`},
		{"word", "everybody", true, `want a prefix of IPv6 such as 2001:db8::/32, got "everybody"`},
		{"no-length", "192.0.2.1", false, "want a prefix of IPv4: for one address, write 192.0.2.1/32"},
		{"no-length-6", "2001:db8::1", true, "for one address, write 2001:db8::1/128"},
		{"other-family", "192.0.2.0/24", true, "want a prefix of IPv6 such as 2001:db8::/32, as a set has one family"},
		{"other-family-6", "2001:db8::/32", false, "want a prefix of IPv4 such as 192.0.2.0/24, as a set has one family"},
		{"all", "0.0.0.0/0", false, "want less than all addresses"},
		{"all-6", "::/0", true, "want less than all addresses"},
		{"mapped", "::ffff:192.0.2.0/120", true, "want an address of IPv4 in its own form, in a set of IPv4"},
		{"mapped-4", "::ffff:192.0.2.0/120", false, "want an address of IPv4 in its own form"},
		{"too-long", "192.0.2.0/33", false, "want a prefix of IPv4"},
		{"zone", "fe80::1%eth0/64", true, "want a prefix of IPv6"},
		{"zone-without-length", "fe80::1%eth0", true, "want a prefix of IPv6 such as"},
		{"leading-zero", "192.0.02.0/24", false, "want a prefix of IPv4"},
		{"space", " 192.0.2.0/24", false, "want a prefix of IPv4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := addrset.Parse(tt.v6, []string{tt.cidr})
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := addrset.Parse(false, []string{"192.0.2.0/24", "x", "10.0.0.0/8", "y"})
	require.ErrorContains(t, err, `Addresses[1]: want a prefix of IPv4 such as 192.0.2.0/24, got "x"`)
	require.ErrorContains(t, err, `Addresses[3]`, "all mistakes are named")
}

func TestPrefixesOfBothFamilies(t *testing.T) {
	var list []netip.Prefix
	for _, text := range []string{"192.0.2.1", "2001:db8::1", "10.1.0.0/8", "2001:db9::/32"} {
		p, err := addrset.Prefix(text)
		require.NoError(t, err)
		list = append(list, p)
	}
	s := addrset.Of(list)
	require.Equal(t, 4, s.Len())
	for address, want := range map[string]bool{"192.0.2.1": true, "192.0.2.2": false, "2001:db8::1": true, "2001:db8::2": false, "10.255.0.1": true, "2001:db9:1::": true} {
		require.Equal(t, want, s.Contains(netip.MustParseAddr(address)), address)
	}
	for _, text := range []string{"", "::/0", "0.0.0.0/0", "::ffff:192.0.2.1", "fe80::1%eth0", "x", "1.2.3.4/33", "1.2.3"} {
		_, err := addrset.Prefix(text)
		require.ErrorContains(t, err, "want ", text)
	}
}

// A set agrees with a search through its list.
func TestAgreesWithASearch(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var list []netip.Prefix
		var cidrs []string
		for range rnd.IntN(40) {
			p := netip.PrefixFrom(random(rnd), 1+rnd.IntN(32)).Masked()
			list, cidrs = append(list, p), append(cidrs, p.String())
		}
		s := parse(t, false, cidrs...)
		for range 500 {
			a := random(rnd)
			want := slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
			require.Equal(t, want, s.Contains(a), "%v in %v", a, list)
		}
	}
}

// random is an address among few networks, so that some are in a set.
func random(rnd *rand.Rand) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(rnd.IntN(4)), byte(rnd.IntN(2)), byte(rnd.IntN(256)), byte(rnd.IntN(256))})
}

func TestNoAllocations(t *testing.T) {
	s := parse(t, true, "2001:db8::/32", "fe80::1/128")
	a, mapped := netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:192.0.2.1")
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Contains(a); s.Contains(mapped) }))
}

// What is taken is a set of the one family, whose prefixes are in it, and isn't everything.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "::ffff:1.2.3.4/120", "fe80::1%a/64", "1.2.3.4", "/", "1.2.3.4/08"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, cidr string, v6 bool) {
		s, err := addrset.Parse(v6, []string{cidr})
		if err != nil {
			require.Nil(t, s)
			return
		}
		p, err := netip.ParsePrefix(cidr)
		require.NoError(t, err)
		require.Equal(t, v6, p.Addr().Is6())
		require.Positive(t, p.Bits())
		require.True(t, s.Contains(p.Addr()))
		require.Equal(t, 1, s.Len())
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMillion tells bytes an entry and how long a look-up takes in a set of a million, half of
// which find something, beside bart's table that is made for speed, a map (which knows single
// addresses alone) and a search through the sorted list (which can't have one within another).
func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	for _, kind := range []string{"addresses", "networks"} {
		rnd := rand.New(rand.NewPCG(1, 2))
		any4 := func() netip.Addr {
			v := rnd.Uint32()
			return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		}
		list, cidrs := make([]netip.Prefix, n), make([]string, n)
		for i := range list {
			list[i] = netip.PrefixFrom(any4(), 32)
			if kind == "networks" {
				list[i] = netip.PrefixFrom(list[i].Addr(), 16+rnd.IntN(17)).Masked()
			}
			cidrs[i] = list[i].String()
		}
		probes := make([]netip.Addr, 1<<16)
		for i := range probes {
			if probes[i] = any4(); i%2 == 0 {
				probes[i] = list[rnd.IntN(n)].Addr()
			}
		}
		for _, peer := range []struct {
			name string
			make func() func(netip.Addr) bool
		}{
			{"gatekit", func() func(netip.Addr) bool { return parse(b, false, cidrs...).Contains }},
			{"bart-fast", func() func(netip.Addr) bool {
				t := &bart.Fast[struct{}]{}
				for _, p := range list {
					t.Insert(p, struct{}{})
				}
				return t.Contains
			}},
			{"map", func() func(netip.Addr) bool {
				t := map[netip.Addr]struct{}{}
				for _, p := range list {
					t[p.Addr()] = struct{}{}
				}
				return func(a netip.Addr) bool { _, ok := t[a]; return ok }
			}},
			{"sorted", func() func(netip.Addr) bool {
				t := slices.Clone(list)
				slices.SortFunc(t, netip.Prefix.Compare)
				return func(a netip.Addr) bool {
					i, _ := slices.BinarySearchFunc(t, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
					return i < n && t[i].Contains(a) || i > 0 && t[i-1].Contains(a)
				}
			}},
		} {
			b.Run(fmt.Sprintf("of=%s/by=%s", kind, peer.name), func(b *testing.B) {
				before := heap()
				contains := peer.make()
				used := heap() - before
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					contains(probes[i&(1<<16-1)])
					i++
				}
				b.ReportMetric(float64(used)/n, "bytes/entry")
			})
		}
	}
}
