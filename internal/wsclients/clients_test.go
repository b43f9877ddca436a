// Package wsclients holds tests in which the WebSocket clients that people have speak with the
// engine: Chromium, npm's ws, Debian's python3-websockets, coder/websocket and gorilla/websocket.
// It is a module of its own, since it needs what .ci/run installs.
package wsclients

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// echo sends back what it gets, but for two messages.
type echo struct{ ends chan wsconn.End }

func (e echo) Message(c *wsconn.Conn, op wsconn.Opcode, payload []byte) {
	switch string(payload) {
	case "large":
		_ = c.TrySend(wsconn.Text, bytes.Repeat([]byte("x"), 100<<10))
	case "close me":
		_ = c.Close(4002, "so long")
	default:
		_ = c.TrySend(op, payload)
	}
}

func (e echo) End(_ *wsconn.Conn, end wsconn.End) { e.ends <- end }

// server serves the engine under /ws, and a page that uses it.
func server(t *testing.T, cfg wsconn.Config, saw chan<- []byte) (*httptest.Server, echo) {
	t.Helper()
	engine := gatekit.Must(wsconn.New(cfg))
	h := echo{ends: make(chan wsconn.End, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		hs, err := engine.Check(r)
		if err != nil {
			err.(*wsconn.Refusal).Write(w)
			return
		}
		c, err := hs.Accept(w, "chat")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		c.Start(h)
	})
	mux.Handle("/", http.FileServer(http.Dir("testdata")))
	mux.HandleFunc("/saw", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		saw <- b
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv, h
}

// client runs a session and returns what it saw, as JSON.
type client struct {
	name string
	run  func(ctx context.Context, t *testing.T, srv *httptest.Server, saw <-chan []byte) []byte
	// tooBig is what its message of 200 KB is refused for: most send it in one frame.
	tooBig string
	// without are what the client has no way to do or to tell.
	without []string
}

var clients = []client{
	{name: "chromium", run: chromium},
	{name: "npm-ws", run: node},
	{name: "python3-websockets", run: python, without: []string{"closedWithoutCode"}},
	{name: "coder", run: runCoder, without: []string{"closedWithoutCode"}},
	{name: "gorilla", run: runGorilla, tooBig: "message is too big", // it writes frames of 4 KB
		without: []string{"closedWithoutCode"}},
}

func TestClients(t *testing.T) {
	for _, c := range clients {
		for name, cfg := range map[string]wsconn.Config{"plain": {}, "deflate": {Deflate: true}} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				results := make(chan []byte, 1)
				srv, h := server(t, cfg, results)
				tooBig := cmp.Or(c.tooBig, "frame is too big")
				var saw map[string]any
				text := c.run(ctx, t, srv, results)
				require.NoError(t, json.Unmarshal(text, &saw), "%s", text)
				want := map[string]any{
					"protocol": "chat", "text": "héllo € 𝄞", "empty": "", "binary": []any{0.0, 255.0, 128.0},
					"large": 102400.0, "repeated": 16000.0,
					"closedByClient":    []any{4001.0, "bye", true},
					"closedByServer":    []any{4002.0, "so long", true},
					"tooBig":            []any{1009.0, tooBig, true},
					"closedWithoutCode": []any{1005.0, "", true},
				}
				for _, missing := range c.without {
					delete(want, missing)
				}
				if got, ok := saw["fragments"]; ok {
					require.Equal(t, "in three parts", got)
					delete(saw, "fragments")
				}
				// The answer to a close frame has its code; the text is the client's own to repeat
				// or not.
				if closed, ok := saw["closedByClient"].([]any); ok && closed[1] == "" {
					closed[1] = "bye"
				}
				require.Equal(t, want, saw)

				ends := map[int]string{}
				for range len(want) - 6 { // one a connection
					select {
					case e := <-h.ends:
						ends[e.Code] = e.By.String() + " " + e.Reason
					case <-ctx.Done():
						require.Fail(t, "a connection without an end")
					}
				}
				wantEnds := map[int]string{4001: "peer bye", 4002: "local so long", 1009: "local " + tooBig}
				if _, ok := want["closedWithoutCode"]; ok {
					wantEnds[1005] = "peer "
				}
				require.Equal(t, wantEnds, ends)
			})
		}
	}
}

// command is a program that .ci/run installs.
func command(ctx context.Context, t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	require.NoError(t, err, "this module's tests need %s; .ci/run installs it", name)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// chromium loads the page, which sends what it saw; a headless browser doesn't end by itself.
func chromium(ctx context.Context, t *testing.T, srv *httptest.Server, saw <-chan []byte) []byte {
	ctx, cancel := context.WithCancel(ctx)
	cmd := command(ctx, t, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--remote-debugging-port=0", "--user-data-dir="+profile(t), srv.URL+"/page.html")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // its helpers too
	require.NoError(t, cmd.Start())
	defer func() {
		cancel()
		_ = cmd.Wait()
	}()
	select {
	case b := <-saw:
		return b
	case <-ctx.Done():
		require.Fail(t, "the page told nothing")
		return nil
	}
}

// profile is a folder for a browser. t.TempDir fails the test where one of the browser's processes writes
// something while the folder is removed.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chromium-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func output(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	return out
}

func webSocketURL(srv *httptest.Server) string {
	return "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws"
}

// node runs the page's script with npm's ws, at the version that the lock file has.
func node(ctx context.Context, t *testing.T, srv *httptest.Server, _ <-chan []byte) []byte {
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "session.js", "node.js"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	install := command(ctx, t, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	output(t, install)
	cmd := command(ctx, t, "node", "node.js", webSocketURL(srv))
	cmd.Dir = dir
	return output(t, cmd)
}

// python runs Debian's Python, as python3 may be another one without the package.
func python(ctx context.Context, t *testing.T, srv *httptest.Server, _ <-chan []byte) []byte {
	return output(t, command(ctx, t, "/usr/bin/python3", "testdata/session.py", webSocketURL(srv)))
}
