package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition/source"
)

// A program that is told to end takes its functions with it, and what was built for them.
func TestTerminated(t *testing.T) {
	made := t.TempDir()
	t.Setenv("TMPDIR", made)
	p := start(t, "-template", "testdata/openapi.yaml", "-function", "orders=./app/orders")
	p.run(2)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-p.exited:
		require.NoError(t, err, p.log)
	case <-time.After(time.Minute):
		t.Fatal("it didn't end")
	}
	p.cmd = nil
	left, err := filepath.Glob(filepath.Join(made, "gatekit-functions-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// Documents that are refused, however many, take no function from the one that is served.
func TestRefusedDocuments(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/sam")))
	template := filepath.Join(dir, "template.yaml")
	text, err := os.ReadFile(template)
	require.NoError(t, err)
	p := start(t, "-template", template, "-watch", "-strict")
	for n := 1; n <= 3; n++ {
		refused := strings.ReplaceAll(string(text), "python3", "cobol3") + strings.Repeat("#", n)
		require.NotEqual(t, string(text), refused)
		require.NoError(t, os.WriteFile(template, []byte(refused), 0o600))
		require.Eventually(t, func() bool { return strings.Count(p.log.String(), "isn't served as it is now") == n },
			time.Minute, 5*time.Millisecond, p.log)
		_, body := p.get("/books/7/reviews", "")
		require.Equal(t, "7: good (books)", body)
	}
}

// A page whose host's name leads to this machine isn't served.
func TestHosts(t *testing.T) {
	p := start(t, "-template", "testdata/sam/template.yaml")
	doc, err := source.Read("testdata/sam/template.yaml", source.Options{})
	require.NoError(t, err)
	own := doc.APIs[0].Identifier()
	for host, want := range map[string]int{
		"": 200, "localhost": 200, "LOCALHOST:80": 200, "[::1]:80": 200, own + ".execute-api.localhost": 200,
		"evil.example": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example:80": 403,
	} {
		r, err := http.NewRequest("GET", p.set["API"]+"/hello", nil)
		require.NoError(t, err)
		r.Host = host
		w, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, w.Body.Close())
		require.Equal(t, want, w.StatusCode, host)
	}
}

// Who listens beyond this machine is asked for by any name, and prints an address that can be asked.
func TestBeyondLoopback(t *testing.T) {
	p := start(t, "-template", "testdata/sam/template.yaml", "-addr", ":0")
	require.Regexp(t, `^http://127\.0\.0\.1:\d+$`, p.set["API"])
	require.Regexp(t, `^http://127\.0\.0\.1:\d+$`, p.set["MINT"])
	r, err := http.NewRequest("GET", p.set["API"]+"/hello", nil)
	require.NoError(t, err)
	r.Host = "machine.example"
	w, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, w.Body.Close())
	require.Equal(t, 200, w.StatusCode)
}
