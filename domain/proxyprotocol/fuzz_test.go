package proxyprotocol_test

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/domain/proxyprotocol"
)

// single is a listener of one connection from the proxy. Once that is closed there is no other.
type single struct {
	conn   *closing
	taken  bool
	closed chan struct{}
}

func (l *single) Accept() (net.Conn, error) {
	if !l.taken {
		l.taken = true
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *single) Close() error   { return l.conn.Close() }
func (l *single) Addr() net.Addr { return &net.TCPAddr{} }

type closing struct {
	net.Conn
	once func()
}

func (c *closing) Close() error { c.once(); return c.Conn.Close() }

func (c *closing) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// Whatever a proxy sends, a connection that is accepted has an address that somebody may have, and
// the rest of what was sent follows.
func FuzzHeader(f *testing.F) {
	v4 := addresses("203.0.113.9")
	for _, seed := range []string{
		v2(1, 0x11, v4) + get, v2(0, 0, "") + get, v2(1, 0x11, v4+tlv(1, 2)) + get, v2(1, 0x21, addresses("2001:db8::9")), v2(1, 0x11, v4, 4096),
		"PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n" + get, "PROXY UNKNOWN\r\n", "PROXY", "\r\n\r\n\x00", get, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		near, far := net.Pipe()
		inner := &single{closed: make(chan struct{})}
		inner.conn = &closing{far, sync.OnceFunc(func() { close(inner.closed) })}
		l, err := proxyprotocol.New(inner, config(t))
		require.NoError(t, err)
		go func() {
			_, _ = near.Write(sent)
			near.Close()
		}()
		conn, err := l.Accept()
		if err == nil {
			addr := netip.MustParseAddrPort(conn.RemoteAddr().String()).Addr()
			require.True(t, addr.IsValid() && !addr.IsUnspecified() && !addr.IsMulticast(), addr)
			rest, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.Equal(t, string(sent[len(sent)-len(rest):]), string(rest))
		}
		require.NoError(t, l.Close())
	})
}
