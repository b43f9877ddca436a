//go:build !race

package wsconn_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// A message that comes and one that goes cost no allocation, whatever its size: buffers are pooled
// and headers are read in place. (A collection may empty the pools, which is why it isn't zero for
// the long one.)
func TestAllocEcho(t *testing.T) {
	srv, _ := serveConns(t, wsconn.Config{}, plain(echo))
	for size, most := range map[int]float64{5: 0, 200: 0, 30000: 1} {
		c := dial(t, srv)
		out, in := []byte(masked(fin|text, strings.Repeat("x", size))), make([]byte, size+2)
		if size > 125 {
			in = make([]byte, size+4)
		}
		got := testing.AllocsPerRun(200, func() {
			_, _ = c.Write(out)
			_, _ = io.ReadFull(c.br, in)
		})
		require.LessOrEqual(t, got, most, size)
	}
}

// plain is a handler that keeps nothing.
type plain func(*wsconn.Conn, wsconn.Opcode, []byte)

func (p plain) Message(c *wsconn.Conn, op wsconn.Opcode, payload []byte) { p(c, op, payload) }
func (plain) End(*wsconn.Conn, wsconn.End)                               {}

// Refusing is what an attacker makes the engine do.
func TestAllocRefusal(t *testing.T) {
	e := newEngine(t, wsconn.Config{})
	r := upgradeRequest()
	r.Header["Sec-Websocket-Key"] = []string{"no key"}
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = e.Check(r) }))
}
