package wsconn

import (
	"net"
	"syscall"
	"time"

	"github.com/gatekit-go/gatekit/internal/netconn"
)

// transport is what a connection stands on: a net.Conn that net/http gave up, or an HTTP/2 stream.
type transport interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close() error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// rawConn returns the way to write to t without waiting, or nil if there is none: then only a
// goroutine of the connection's own writes. The type must be the very one, as a wrapper that counts
// or encrypts has the method, too, and would be passed by; one that does neither says so.
func rawConn(t transport) syscall.RawConn {
	if !canTryWrite {
		return nil
	}
	var raw syscall.RawConn
	var err error
	conn, ok := t.(net.Conn)
	if !ok {
		return nil
	}
	switch c := netconn.WritesTo(conn).(type) {
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	}
	if err != nil {
		return nil
	}
	return raw
}

// shutWrite tells the peer that nothing follows. Closing at once would answer whatever the peer
// still sends with a reset, at which its system may drop the close frame that it hasn't read (RFC
// 9112, section 9.6, has the same of responses). What can't be closed by halves, like a pipe, has
// no such buffers.
func shutWrite(t transport) {
	if half, ok := t.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = t.Close()
}
