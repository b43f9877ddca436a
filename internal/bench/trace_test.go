package bench

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

// traces are the whole chain behind a Trace: off is one that isn't asked, refused one that keeps
// the notes of each request and explains those that are refused, and on explains each.
func traces(tb testing.TB) map[string]http.Handler {
	secrets := [][]byte{make([]byte, 32)}
	quiet := slog.New(slog.DiscardHandler)
	trace := func(c gatekit.TraceConfig) http.Handler {
		c.Logger, c.PerSecond = quiet, 10_000_000
		return gatekit.Must(gatekit.NewTrace(c)).Middleware(stack(tb, "gatekit"))
	}
	return map[string]http.Handler{
		"without": stack(tb, "gatekit"),
		"off":     trace(gatekit.TraceConfig{Secrets: secrets}),
		"sampled": trace(gatekit.TraceConfig{Secrets: secrets, OneIn: 1 << 30}),
		"refused": trace(gatekit.TraceConfig{Refused: true}),
		"on":      trace(gatekit.TraceConfig{OneIn: 1}),
	}
}

var traceNames = []string{"without", "off", "sampled", "refused", "on"}

// A request that isn't traced costs no allocation, one whose notes are kept and thrown away none but
// for the reasons that stations put into words, and one that is explained a few.
func TestTraceAllocations(t *testing.T) {
	r := request("GET", stacks.Path, "Authorization", "Bearer "+issued().Token, "Origin", stacks.Origin)
	all := traces(t)
	count := func(name string) float64 {
		w := newResponse()
		return testing.AllocsPerRun(500, func() { w.serve(all[name], r) })
	}
	without := count("without")
	for name, most := range map[string]float64{"off": 0, "sampled": 0, "refused": 1, "on": 6} {
		if got := count(name) - without; got > most {
			t.Errorf("%s: %v allocations more than without a trace, want at most %v", name, got, most)
		}
	}
}

func BenchmarkTrace(b *testing.B) {
	all := traces(b)
	for _, name := range traceNames {
		b.Run("trace="+name, func(b *testing.B) {
			measure(b, all[name], request("GET", stacks.Path, "Authorization", "Bearer "+issued().Token, "Origin", stacks.Origin), 200)
		})
	}
	for _, name := range traceNames {
		b.Run("trace="+name+"/refused=true", func(b *testing.B) {
			measure(b, all[name], request("GET", stacks.Path), 401)
		})
	}
	b.Run("keeps", func(b *testing.B) { // what each station asks when nobody wants to know
		_, r := gatekit.Attach(request("GET", "/"))
		b.ReportAllocs()
		for b.Loop() {
			if gatekit.From(r.Context()).Keeps(gatekit.KeepOutcomes) {
				b.Fatal("kept")
			}
		}
	})
}
