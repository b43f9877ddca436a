// Package exampletest runs examples as a newcomer would: it starts the program, and runs the lines
// that it prints.
package exampletest

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// WithinOneDay waits for midnight UTC to pass where it is less than a minute away: for programs
// whose lines have today's date.
func WithinOneDay(t *testing.T) {
	t.Helper()
	const day = 24 * time.Hour
	now := time.Now()
	if left := now.Truncate(day).Add(day).Sub(now); left < time.Minute { // Truncate is by UTC
		t.Logf("midnight UTC is %v away", left)
		<-time.After(left)
	}
}

// command is a line that a newcomer is to type, and what it answers. One without an answer sets a
// variable.
type command struct{ line, answer string }

var (
	assignment = regexp.MustCompile(`^[A-Z]+=`)
	refusal    = regexp.MustCompile(`\b(401|403|415|421|429|502)\b`)
)

// maxColumns bounds what has to be typed, without the answer beside it. A line that only sets a
// variable is pasted.
const maxColumns = 140

// PrintedLines starts the example, with more arguments if there are any. It prints n commands that
// start with curl or for, which one shell then runs, in order, with the variables that are set
// between them (TOKEN=…), against the answer that stands beside each behind " # ". They may run the
// program itself, by the path that it prints. An interrupt must end the program well. If a command
// was refused, the program's log has to say so.
func PrintedLines(t *testing.T, n int, args ...string) {
	t.Helper()
	cmd := Command(t, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	var log bytes.Buffer
	cmd.Stderr = io.MultiWriter(&log, os.Stderr) // log is read once the program has ended
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	commands, complete := read(bufio.NewScanner(stdout), n)
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() { // whatever fails
		_ = cmd.Process.Kill()
	}()
	require.True(t, complete, "want %d commands, got %q", n, commands)
	judge(t, commands)

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-exited:
		require.NoError(t, err, "it ends well on an interrupt: %s", &log)
	case <-time.After(time.Minute):
		t.Fatal("it didn't end on an interrupt")
	}
	for _, c := range commands {
		if refusal.MatchString(c.answer) {
			require.Contains(t, log.String(), "gatekit: request refused", "the log tells why %s", c.line)
		}
	}
}

// read collects commands until n of them have an answer.
func read(in *bufio.Scanner, n int) (commands []command, complete bool) {
	for n > 0 && in.Scan() {
		switch line := in.Text(); {
		case assignment.MatchString(line):
			commands = append(commands, command{line: line})
		case strings.HasPrefix(line, "curl"), strings.HasPrefix(line, "for"):
			line, answer, _ := strings.Cut(line, "   # ")
			commands = append(commands, command{line, answer})
			n--
		}
	}
	return commands, n == 0
}

// judge has one shell run the commands, and compares what each answers.
func judge(t *testing.T, commands []command) {
	t.Helper()
	const end = "-- end of a command --"
	var script strings.Builder
	for _, c := range commands {
		script.WriteString(c.line + "\necho; echo '" + end + "'\n")
	}
	shell := exec.CommandContext(t.Context(), "sh")
	shell.Env = append(os.Environ(), asProgram+"=1")
	shell.Stdin, shell.Stderr = strings.NewReader(script.String()), os.Stderr
	out, err := shell.Output()
	require.NoError(t, err)
	answers := strings.Split(string(out), end)
	require.Len(t, answers, len(commands)+1)
	for i, c := range commands {
		require.Equal(t, c.answer, strings.TrimSpace(answers[i]), c.line)
		if c.answer != "" {
			require.LessOrEqual(t, len(c.line), maxColumns, "too long to type: %s", c.line)
		}
	}
}
