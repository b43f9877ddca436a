//go:build unix

package transform_test

import (
	"syscall"
	"testing"
	"time"
)

// reportCPU reports the processor time of a benchmark, which other programs on the machine don't
// change.
func reportCPU(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it knows itself
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/1e6/float64(b.N), "cpu-ms/op") }
}
