// Package exampletest runs examples as a newcomer would: it starts the program, and runs the lines that it prints.
package exampletest

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// WithinOneDay waits for midnight UTC to pass where it is less than a minute away: for programs whose lines have today's date.
func WithinOneDay(t *testing.T) {
	t.Helper()
	const day = 24 * time.Hour
	now := time.Now()
	if left := now.Truncate(day).Add(day).Sub(now); left < time.Minute { // Truncate is by UTC
		t.Logf("midnight UTC is %v away", left)
		<-time.After(left)
	}
}

// PrintedLines starts the example. It prints n lines that start with curl or for, which a shell then runs,
// in order, against the output that stands beside each behind "   # ". An interrupt must end the program well.
func PrintedLines(t *testing.T, n int) {
	t.Helper()
	cmd := Command(t, "-addr", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	exited := make(chan error, 1)

	var lines []string
	for in := bufio.NewScanner(stdout); len(lines) < n && in.Scan(); {
		if line := in.Text(); strings.HasPrefix(line, "curl") || strings.HasPrefix(line, "for") {
			lines = append(lines, line)
		}
	}
	go func() { exited <- cmd.Wait() }()
	defer func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		select {
		case err := <-exited:
			require.NoError(t, err, "it ends well on an interrupt")
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			t.Error("it didn't end on an interrupt")
		}
	}()
	require.Len(t, lines, n)
	for _, line := range lines {
		command, want, ok := strings.Cut(line, "   # ")
		require.True(t, ok, line)
		got, err := exec.Command("sh", "-c", command).Output()
		require.NoError(t, err, command)
		require.Equal(t, want, strings.TrimSpace(string(got)), command)
	}
}
