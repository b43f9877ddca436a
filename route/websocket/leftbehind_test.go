package websocket_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// A handler may leave somebody behind who reads the message and writes the reply, as under
// http.TimeoutHandler. Who comes late gets nothing, and who is at it gets that message and no other,
// although the memory of messages is used again.
func TestLeftBehind(t *testing.T) {
	r := bareRig(t, websocket.Config{MaxFrameBytes: 64 << 10})
	slow := &gate{reached: make(chan struct{}), open: make(chan struct{})}
	type end struct {
		late              []byte
		readErr, writeErr error
	}
	ends := make(chan end, 1)
	r.api.Handle("$default", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		first := make([]byte, 1)
		_, err := io.ReadFull(req.Body, first)
		if err != nil || first[0] != 'a' {
			_, _ = io.WriteString(w, "ok")
			return
		}
		go func() {
			_, _ = io.Copy(slow, req.Body)
			late, readErr := io.ReadAll(req.Body)
			_, writeErr := io.WriteString(w, "late")
			ends <- end{late, readErr, writeErr}
		}()
		<-slow.reached
		_, _ = io.WriteString(w, "left")
	}))
	c := r.dial()
	const n = 30_000
	send(t, c, strings.Repeat("a", n))
	require.Equal(t, "left", receive(t, c))
	for range 20 {
		send(t, c, strings.Repeat("b", n))
		require.Equal(t, "ok", receive(t, c))
	}
	close(slow.open)
	e := <-ends
	require.True(t, string(slow.got) == strings.Repeat("a", n-1), "somebody else's message")
	require.Empty(t, e.late)
	require.ErrorIs(t, e.readErr, http.ErrBodyReadAfterClose)
	require.ErrorIs(t, e.writeErr, websocket.ErrTooLarge)
	send(t, c, "b")
	require.Equal(t, "ok", receive(t, c), "what was written late")
}

// gate is a writer that looks at what it is given once it is opened.
type gate struct {
	reached, open chan struct{}
	got           []byte
}

func (g *gate) Write(b []byte) (int, error) {
	close(g.reached)
	<-g.open
	g.got = append(g.got, b...)
	return len(b), nil
}
