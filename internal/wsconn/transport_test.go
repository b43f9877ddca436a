package wsconn_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// passing is a wrapper through which writes pass unchanged, if it says so.
type passing struct {
	*net.TCPConn
	says bool
}

func (c *passing) WritesTo() net.Conn {
	if c.says {
		return c.TCPConn
	}
	return nil
}

// Only what writes unchanged is written past.
func TestWritingWithoutWaiting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	tcp := conn.(*net.TCPConn)
	can := wsconn.WritesWithoutWaiting(tcp) // where there are such sockets at all
	require.Equal(t, can, wsconn.WritesWithoutWaiting(&passing{tcp, true}))
	require.False(t, wsconn.WritesWithoutWaiting(&passing{tcp, false}))
	require.False(t, wsconn.WritesWithoutWaiting(struct{ *net.TCPConn }{tcp}), "a wrapper that has the method, too")
}
