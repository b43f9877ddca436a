package bench

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// addressList are n random addresses, or networks of 16 to 32 bits, and some to look for, of which half are among them.
func addressList(n int, networks bool) (list []netip.Prefix, probes []netip.Addr) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func() netip.Addr {
		v := rnd.Uint32()
		return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	}
	list = make([]netip.Prefix, n)
	for i := range list {
		bits := 32
		if networks {
			bits = 16 + rnd.IntN(17)
		}
		list[i] = netip.PrefixFrom(random(), bits).Masked()
	}
	probes = make([]netip.Addr, 1<<16)
	for i := range probes {
		if probes[i] = random(); i%2 == 0 {
			probes[i] = list[rnd.IntN(n)].Addr()
		}
	}
	return list, probes
}

// ipSets are kinds of sets: gatekit's, a map, which knows single addresses alone, and a search through the sorted list, which can't have
// a network within another.
func ipSets(tb testing.TB) map[string]func(list []netip.Prefix) func(netip.Addr) bool {
	return map[string]func(list []netip.Prefix) func(netip.Addr) bool{
		"gatekit": func(list []netip.Prefix) func(netip.Addr) bool {
			path := filepath.Join(tb.TempDir(), "list.txt")
			var text strings.Builder
			for _, p := range list {
				fmt.Fprintln(&text, p)
			}
			if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
				tb.Fatal(err)
			}
			return must[*waf.IPList](tb)(waf.NewIPList(tb.Context(), waf.IPListConfig{File: path})).Contains
		},
		"map": func(list []netip.Prefix) func(netip.Addr) bool {
			m := make(map[netip.Addr]struct{}, len(list))
			for _, p := range list {
				m[p.Addr()] = struct{}{}
			}
			return func(a netip.Addr) bool { _, ok := m[a]; return ok }
		},
		"sorted": func(list []netip.Prefix) func(netip.Addr) bool {
			sorted := slices.Clone(list)
			slices.SortFunc(sorted, netip.Prefix.Compare)
			return func(a netip.Addr) bool {
				i, _ := slices.BinarySearchFunc(sorted, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
				return i < len(sorted) && sorted[i].Contains(a) || i > 0 && sorted[i-1].Contains(a)
			}
		},
	}
}

func TestIPSets(t *testing.T) {
	list, probes := addressList(1000, false)
	for name, set := range ipSets(t) {
		contains := set(list)
		for i, a := range probes[:100] {
			if want := i%2 == 0; contains(a) != want {
				t.Errorf("%s: %v: got %v", name, a, !want)
			}
		}
	}
}

// BenchmarkIPSet tells how long a look-up takes in a set of a million, and the heap's bytes an entry.
func BenchmarkIPSet(b *testing.B) {
	count := 1_000_000
	if benchtimeIsOnce() {
		count = 1000
	}
	for _, networks := range []bool{false, true} {
		list, probes := addressList(count, networks)
		for name, set := range ipSets(b) {
			b.Run(fmt.Sprintf("networks=%v/by=%s", networks, name), func(b *testing.B) {
				before := heap()
				contains := set(list)
				used := float64(int64(heap()-before)) / float64(count)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					contains(probes[i&(len(probes)-1)])
					i++
				}
				b.ReportMetric(used, "bytes/entry")
				runtime.KeepAlive(contains)
			})
		}
	}
}
