package definition_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

// large is a document of n routes as teams have them: functions behind an authorizer, each with its
// preflight, some of them validated.
func large(n int) string {
	var routes []string
	for i := range n / 2 {
		more := []string{`"operation":"op"`}
		if i%5 == 0 {
			more = append(more, `"validator":{"body":true,"parameters":true}`, `"request_models":{"application/json":"M`+fmt.Sprint(i%10)+`"}`)
		}
		routes = append(routes, calls(fmt.Sprintf("POST /r%d/{id}", i), `{"type":"CUSTOM","authorizer":"T"}`, more...),
			fmt.Sprintf(`"OPTIONS /r%d/{id}":{"auth":{"type":"NONE"},"integration":{"type":"MOCK","target":{"kind":"mock"},"request_templates":{"application/json":"{ statusCode: 200 }"},
			"responses":[{"status":"204","parameters":{"method.response.header.Access-Control-Allow-Origin":"'*'","method.response.header.Access-Control-Allow-Methods":"'OPTIONS,POST'"}}]}}`, i))
	}
	var models []string
	for i := range 10 {
		models = append(models, fmt.Sprintf(`"M%d":{"schema":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"integer"}}},"required":["a"]}}`, i))
	}
	return apiOf("REST", strings.Join(routes, ","), `"authorizers":{"T":{"type":"TOKEN","target":{"kind":"lambda","function":"T"}}},"models":{`+strings.Join(models, ",")+`}`)
}

// A document of 300 routes is read and built within 40 MB, and in a tenth of a second on a machine
// that does nothing else. The time isn't tested, as it is others' too; the memory is.
func TestFigures(t *testing.T) {
	text := []byte(large(300))
	b := definition.Bindings{Functions: map[string]gatekit.Invoker{"F": fn("F"), "T": &judge{}}, Strict: true, Logger: slog.New(slog.DiscardHandler)}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	doc, err := definition.Unmarshal(text)
	require.NoError(t, err)
	g, err := definition.Build(t.Context(), doc, b)
	took := time.Since(began)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d bytes of JSON: %v, %.1f MB allocated, %.1f MB kept", len(text), took, float64(allocated)/1e6, float64(after.HeapAlloc-before.HeapAlloc)/1e6)
	require.Less(t, allocated, uint64(40<<20))
	served, all := g.Report().Served()
	require.Equal(t, []int{300, 300}, []int{served, all})
	require.NoError(t, g.Close())
}

func BenchmarkBuild(b *testing.B) {
	text := []byte(large(300))
	bindings := definition.Bindings{Functions: map[string]gatekit.Invoker{"F": fn("F"), "T": &judge{}}, Logger: slog.New(slog.DiscardHandler)}
	b.Run("routes=300", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			doc, err := definition.Unmarshal(text)
			if err != nil {
				b.Fatal(err)
			}
			g, err := definition.Build(b.Context(), doc, bindings)
			if err != nil {
				b.Fatal(err)
			}
			_ = g.Close()
		}
	})
}
