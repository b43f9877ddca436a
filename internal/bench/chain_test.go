package bench

import (
	"net/http"
	"testing"

	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

func stack(tb testing.TB, name string) http.Handler {
	return must[http.Handler](tb)(stacks.Build(name, issued()))
}

func TestStacks(t *testing.T) {
	for _, name := range stacks.Names {
		h := stack(t, name)
		if got := newResponse().serve(h, request("GET", stacks.Path, "Authorization", "Bearer "+issued().Token)); got != 200 {
			t.Errorf("%s: got %d", name, got)
		}
		if got := newResponse().serve(h, request("GET", stacks.Path, "Authorization", "Bearer x")); name != "bare" && got/100 != 4 {
			t.Errorf("%s without a good token: got %d", name, got)
		}
	}
}

// The budget of the whole chain, above a bare handler.
func TestChainAllocations(t *testing.T) {
	gatekit, bare := stack(t, "gatekit"), stack(t, "bare")
	token := "Bearer " + issued().Token
	for _, tt := range []struct {
		name   string
		r      *http.Request
		budget float64
	}{
		{"no-origin", request("GET", stacks.Path, "Authorization", token), 3},
		{"origin", request("GET", stacks.Path, "Authorization", token, "Origin", stacks.Origin), 5},
		{"variables", request("GET", "/orders/7", "Authorization", token), 5},
	} {
		w := newResponse()
		count := func(h http.Handler) float64 { return testing.AllocsPerRun(200, func() { w.serve(h, tt.r) }) }
		if above := count(gatekit) - count(bare); above > tt.budget {
			t.Errorf("%s: %v allocations above a bare handler, the budget is %v", tt.name, above, tt.budget)
		}
	}
}

func BenchmarkChain(b *testing.B) {
	for _, name := range stacks.Names {
		h := stack(b, name)
		b.Run("by="+name, func(b *testing.B) {
			measure(b, h, request("GET", stacks.Path, "Authorization", "Bearer "+issued().Token), 200)
		})
		b.Run("by="+name+"/origin=true", func(b *testing.B) {
			measure(b, h, request("GET", stacks.Path, "Authorization", "Bearer "+issued().Token, "Origin", stacks.Origin), 200)
		})
	}
	b.Run("by=gatekit/variables=1", func(b *testing.B) {
		measure(b, stack(b, "gatekit"), request("GET", "/orders/7", "Authorization", "Bearer "+issued().Token), 200)
	})
}
