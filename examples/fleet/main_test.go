package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"bufio"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 2)
}

func TestCurlStandIn(t *testing.T) {
	exampletest.WithCurl(t, true)
	exampletest.PrintedLines(t, 2)
}

// What all gateways let through together is the limit of one, exact or leased.
func TestAdmittedTogether(t *testing.T) {
	for _, leased := range []bool{false, true} {
		cmd := exampletest.Command(t, fmt.Sprintf("-leased=%v", leased), "-gateways", "2")
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		start := time.Now()
		require.NoError(t, cmd.Start())
		sum, lines := 0, 0
		for in := bufio.NewScanner(stdout); lines < 3 && in.Scan(); {
			var n int
			if _, err := fmt.Sscanf(in.Text(), "admitted in the last second: %d (", &n); err == nil {
				sum += n
				lines++
				require.Equal(t, 1, strings.Count(in.Text(), "+"), "two gateways")
			}
		}
		took := time.Since(start)
		require.NoError(t, cmd.Process.Kill())
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
		require.Equal(t, 3, lines)
		require.Positive(t, sum)
		require.LessOrEqual(t, float64(sum), float64(ofLoad.Burst)+ofLoad.Rate*took.Seconds()+2*10, "leased: %v", leased)
	}
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, fleet(t.Context(), options{gateways: 0}, io.Discard), "-gateways")
	require.ErrorContains(t, gateway(t.Context(), options{addr: "nonsense", redis: "127.0.0.1:1"}, io.Discard), "listen")
}
