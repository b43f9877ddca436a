package main

import (
	"bufio"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/authtest"
)

// The program is built and started as a newcomer would start it, and every line that it prints is run by a shell, in order, against the
// output that stands beside it.
func TestPrintedLinesWork(t *testing.T) {
	withCurl(t)
	printedLinesWork(t)
}

func printedLinesWork(t *testing.T) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "quickstart")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(program, "-addr", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	exited := make(chan error, 1)

	var lines []string
	for in := bufio.NewScanner(stdout); len(lines) < 5 && in.Scan(); {
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
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			t.Error("it didn't end on an interrupt")
		}
	}()
	require.Len(t, lines, 5)
	for _, line := range lines {
		command, want, ok := strings.Cut(line, "   # ")
		require.True(t, ok, line)
		got, err := exec.Command("sh", "-c", command).Output()
		require.NoError(t, err, command)
		require.Equal(t, want, strings.TrimSpace(string(got)), command)
	}
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "ftp://x", "orders"), "JWTConfig.Issuer")
	require.ErrorContains(t, run(t.Context(), "nonsense", "", "orders"), "listen")
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "", ""), "Audience[0]")
}

// With -issuer and -audience the tokens of that issuer count.
func TestAnotherIssuer(t *testing.T) {
	iss := authtest.NewIssuer(t)
	api, err := gateway(t.Context(), iss.URL(), "shop")
	require.NoError(t, err)
	for audience, want := range map[string]int{"shop": 200, "orders": 401} {
		r := httptest.NewRequest("GET", "/orders/7", nil)
		r.Header.Set("Authorization", "Bearer "+iss.Mint(authtest.Claims{"aud": audience, "scope": "orders:read"}))
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, audience)
	}
}
