//go:build unix

// Package redistest starts real Redis servers for tests.
package redistest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Server is a redis-server process that keeps nothing on disk.
type Server struct {
	// Addr is where it listens, also after a restart.
	Addr string

	t    testing.TB
	args []string
	cmd  *exec.Cmd
}

// Start starts a server on a free port, and ends it with the test. Without a redis-server the test
// fails: it isn't one to be skipped.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return start(t, append([]string{"--save", "", "--appendonly", "no", "--dir", t.TempDir()}, args...))
}

// StartSentinel starts a Sentinel with a configuration.
func StartSentinel(t testing.TB, config string) *Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sentinel.conf") // which it writes to
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	return start(t, []string{file, "--sentinel"})
}

func start(t testing.TB, args []string) *Server {
	t.Helper()
	_, err := exec.LookPath("redis-server")
	require.NoError(t, err, "these tests want a redis-server (Debian: apt-get install redis-server)")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{Addr: l.Addr().String(), t: t, args: args}
	require.NoError(t, l.Close())
	s.Run()
	t.Cleanup(s.Kill)
	return s
}

// Run starts the server again, empty, and waits until it answers.
func (s *Server) Run() {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	require.NoError(s.t, err)
	s.cmd = exec.Command("redis-server", append(slices.Clone(s.args), "--port", port, "--bind", "127.0.0.1",
		"--daemonize", "no", "--loglevel", "warning")...)
	s.cmd.Stderr = os.Stderr
	require.NoError(s.t, s.cmd.Start())
	for deadline := time.Now().Add(10 * time.Second); ; {
		if answer, err := ping(s.Addr); err == nil && answer == "+PONG\r\n" {
			return
		}
		require.True(s.t, time.Now().Before(deadline), "redis-server doesn't answer at %s", s.Addr)
		time.Sleep(5 * time.Millisecond)
	}
}

func ping(addr string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprint(c, "PING\r\n"); err != nil {
		return "", err
	}
	var b [7]byte
	n, err := c.Read(b[:])
	return string(b[:n]), err
}

// Kill ends the server at once. It may be run again.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Stop makes the server hold still, as a machine does whose network is gone: what is sent to it is
// never answered. GoOn ends that.
func (s *Server) Stop() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGSTOP)) }

// GoOn ends a Stop.
func (s *Server) GoOn() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGCONT)) }
