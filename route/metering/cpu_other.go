//go:build !unix

package metering

import (
	"runtime/metrics"
	"time"
)

// processTime returns how long the process has had processors, as Go's runtime estimates it: it
// knows nothing of what the kernel does for the process.
func processTime() time.Duration {
	all := []metrics.Sample{
		{Name: "/cpu/classes/user:cpu-seconds"}, {Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/cpu/classes/scavenge/total:cpu-seconds"},
	}
	metrics.Read(all)
	var seconds float64
	for _, s := range all {
		if s.Value.Kind() == metrics.KindFloat64 {
			seconds += s.Value.Float64()
		}
	}
	return time.Duration(seconds * float64(time.Second))
}
