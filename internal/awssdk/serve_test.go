package awssdk_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// A function that posts to connections with the SDK does so behind examples/serve as it is: the
// program tells it where, and gives it a key.
func TestServedFunctionPostsToConnections(t *testing.T) {
	program := filepath.Join(t.TempDir(), "serve")
	build := exec.Command("go", "build", "-o", program, "./examples/serve")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	cmd := exec.CommandContext(t.Context(), program, "-template", "chat/template.yaml", "-strict")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=of-the-shell", "AWS_SECRET_ACCESS_KEY=of-the-shell", "AWS_SESSION_TOKEN=of-the-shell")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.NoError(t, cmd.Wait())
	}()
	at := ""
	for lines := bufio.NewScanner(stdout); at == "" && lines.Scan() && lines.Text() != "# ctrl-c ends it"; {
		_, at, _ = strings.Cut(lines.Text(), "# a WebSocket client connects to ")
	}
	require.NotEmpty(t, at)

	conn, resp, err := gorilla.DefaultDialer.DialContext(t.Context(), at, nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	defer conn.Close()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	require.NoError(t, conn.WriteMessage(gorilla.TextMessage, []byte("hello")))
	_, text, err := conn.ReadMessage()
	require.NoError(t, err)
	require.Equal(t, "you said hello", string(text))
}
