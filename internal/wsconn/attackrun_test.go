package wsconn_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/internal/wsconn"
	"github.com/stretchr/testify/require"
)

// spell writes the frames that came back as the table does: messages by their text, with a plus
// between their fragments.
func spell(t *testing.T, c *client) string {
	t.Helper()
	var words []string
	for {
		f, err := c.readFrame()
		require.NoError(t, err, "after %q: the connection ended without a close frame", words)
		switch f.first {
		case fin | text, fin | binaryOp:
			words = append(words, string(f.payload))
		case text, binaryOp:
			words = append(words, string(f.payload)+"+")
		case cont:
			words[len(words)-1] += string(f.payload) + "+"
		case fin | cont:
			words[len(words)-1] += string(f.payload)
		case fin | pong:
			words = append(words, "pong:"+string(f.payload))
		case fin | closeOp:
			word := "empty-close"
			if len(f.payload) > 0 {
				word = strings.TrimPrefix(f.String(), "close ")
			}
			_, err := c.readFrame()
			require.ErrorIs(t, err, io.EOF, "the server hangs up behind its close frame")
			return strings.Join(append(words, word), " ")
		default:
			require.Fail(t, "unexpected frame", "%v", f)
		}
	}
}

func (a frameAttack) run(t *testing.T, send func(c *client)) {
	a.cfg.Deflate = a.deflate
	h := newRecorder(echo)
	srv := httptest.NewServer(handler(newEngine(t, a.cfg), h, nil))
	defer srv.Close()
	var extra []string
	if a.deflate {
		extra = []string{"Sec-WebSocket-Extensions: permessage-deflate"}
	}
	c := dial(t, srv, extra...)
	send(c)
	require.Equal(t, a.want, spell(t, c))
	_ = c.Close()
	end := h.end(t)
	code := a.end
	if code == 0 {
		_, err := fmt.Sscan(a.want[strings.LastIndex(a.want, " ")+1:], &code)
		require.NoError(t, err)
	}
	require.Equal(t, code, end.Code)
	by := wsconn.Local
	if a.byPeer {
		by = wsconn.Peer
	}
	require.Equal(t, by, end.By, end)
	if a.got != nil {
		require.ElementsMatch(t, a.got, h.all())
	}
}

func TestFrameAttacks(t *testing.T) {
	for _, a := range frameAttacks() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.run(t, func(c *client) { _, _ = io.WriteString(c.Conn, a.send) })
		})
	}
}

// The same, a byte at a time: no verdict depends on how TCP cuts what is sent.
func TestFrameAttacksByteByByte(t *testing.T) {
	for _, a := range frameAttacks() {
		if len(a.send) > 2000 {
			continue // the same code as the shorter ones, and long to send
		}
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.run(t, func(c *client) {
				for _, b := range []byte(a.send) {
					if _, err := c.Write([]byte{b}); err != nil {
						return // refused before the end
					}
				}
			})
		})
	}
}
