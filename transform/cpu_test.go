//go:build unix

package transform_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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

// As BenchmarkAttackProcesses of transform/vtl:
//
//	go test -run '^$' -bench VariableAttackProcesses -benchtime 1x ./transform
func BenchmarkVariableAttackProcesses(b *testing.B) {
	for _, tt := range variableAttacks {
		b.Run("attack="+tt.name, func(b *testing.B) {
			for b.Loop() {
				child := exec.Command(os.Args[0], "-test.run=^$", "-test.benchtime=1x",
					"-test.bench=^BenchmarkVariableAttacks$/^attack="+tt.name+"$")
				require.NoError(b, child.Run())
				used := child.ProcessState.SysUsage().(*syscall.Rusage)
				b.ReportMetric(float64(used.Maxrss)/1024, "peak-MB") // Linux counts in KB
				b.ReportMetric(float64(used.Utime.Nano()+used.Stime.Nano())/1e6, "cpu-ms")
			}
		})
	}
}
