package bench

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// BenchmarkYardstick is what other figures are multiples of.
func BenchmarkYardstick(b *testing.B) {
	b.Run("of=sha256-1KB", func(b *testing.B) {
		data := make([]byte, 1024)
		for b.Loop() {
			sha256.Sum256(data)
		}
	})
	b.Run("of=map-40-bytes", func(b *testing.B) {
		m := map[string]int{}
		for i := range 1000 {
			m[fmt.Sprintf("%040d", i)] = i
		}
		key := fmt.Sprintf("%040d", 500)
		for b.Loop() {
			_ = m[key]
		}
	})
}
