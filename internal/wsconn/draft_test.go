package wsconn_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// A draft that was written bit by bit arrives as the message that it is, whatever form its header
// takes, and whether or not the socket takes it at once.
func TestDraft(t *testing.T) {
	for _, cfg := range []wsconn.Config{{MaxFrameBytes: wsconn.Off}, {MaxFrameBytes: 1000}, {}} {
		srv, conns := serveConns(t, cfg, newRecorder(nil))
		c := dial(t, srv)
		conn := <-conns
		var d wsconn.Draft
		sizes := []int{0, 1, 125, 126, 999, 1000, 1001, 0xffff, 0x10000, 300 << 10}
		sent := make(chan error, 1)
		go func() {
			for i, n := range sizes {
				for left := n; left > 0; left -= min(left, 70000) {
					_, _ = d.Write([]byte(strings.Repeat(string(rune('a'+i)), min(left, 70000))))
				}
				if err := conn.SendDraft(context.Background(), wsconn.Text, &d); err != nil || len(d.Bytes()) != 0 {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		for i, n := range sizes {
			var got []byte
			for fin := false; !fin; {
				f, err := c.readFrame()
				require.NoError(t, err)
				got, fin = append(got, f.payload...), f.first&0x80 != 0
			}
			require.True(t, string(got) == strings.Repeat(string(rune('a'+i)), n), "message %d is another one", i)
		}
		require.NoError(t, <-sent)
	}
}

// What can't be sent is given back, and what waits is what was written, not what was written after.
func TestDraftWaits(t *testing.T) {
	srv, conns := serveConns(t, wsconn.Config{MaxQueueBytes: 1 << 20, MaxFrameBytes: wsconn.Off}, newRecorder(nil))
	c := dial(t, srv)
	conn := <-conns
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	accepted := 0
	for ; ; accepted++ { // the client reads nothing yet
		var d wsconn.Draft
		_, _ = d.Write([]byte(strings.Repeat(string(rune('a'+accepted%26)), 100_000)))
		if err := conn.SendDraft(ctx, wsconn.Binary, &d); err != nil {
			require.ErrorIs(t, err, context.Canceled)
			require.Empty(t, d.Bytes())
			break
		}
	}
	for i := range accepted {
		f, err := c.readFrame()
		require.NoError(t, err)
		require.True(t, string(f.payload) == strings.Repeat(string(rune('a'+i%26)), 100_000), "message %d is another one", i)
	}
}
