package bench

import (
	"fmt"
	"testing"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// BenchmarkCreateKey makes a key where there are others. It costs the same however many there are.
func BenchmarkCreateKey(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			store := must[*usageplan.Memory](b)(usageplan.NewMemory(0))
			for i := range n {
				data := fmt.Sprintf(`{"id":"k%d","enabled":true,"secrets":[{"sha256":"%064x","prefix":"abcd"}]}`, i, i+1)
				if err := store.Put(b.Context(), usageplan.Keys, usageplan.Record{ID: fmt.Sprint("k", i), Data: []byte(data)}); err != nil {
					b.Fatal(err)
				}
			}
			g := must[*usageplan.Registry](b)(usageplan.NewRegistry(b.Context(), usageplan.RegistryConfig{Store: store, MaxKeys: 10_000_000}))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := g.CreateKey(b.Context(), usageplan.NewKey{Enabled: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
