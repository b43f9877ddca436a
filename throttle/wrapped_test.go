package throttle_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/domain/proxyprotocol"
	"github.com/gatekit-go/gatekit/internal/netconn"
	"github.com/gatekit-go/gatekit/throttle"
)

// shrouds is a listener around another, whose connections can't be looked through: that of
// netutil.LimitListener is so.
type shrouds struct{ net.Listener }

func (l shrouds) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return struct{ net.Conn }{c}, nil
}

// What stands between Guard and the server doesn't make an upload a flood, nor a hijacked connection
// a slow one.
func TestGuardWithinOtherListeners(t *testing.T) {
	const line = "PROXY TCP4 203.0.113.1 192.0.2.1 4711 80\r\n"
	behind := func(t *testing.T, inner net.Listener) net.Listener {
		proxies, err := gatekit.NewTrustedProxies("", "127.0.0.1")
		require.NoError(t, err)
		l, err := proxyprotocol.New(inner, proxyprotocol.Config{Proxies: proxies})
		require.NoError(t, err)
		return l
	}
	for _, tt := range []struct {
		name, first string
		around      func(*testing.T, net.Listener) net.Listener
		seen        bool
	}{
		{"proxyprotocol", line, behind, true},
		{"shrouded", "", func(_ *testing.T, l net.Listener) net.Listener { return shrouds{l} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := guard(t, throttle.ConnectionsConfig{})
			c.AllowOverhead(1 << 20)
			inner, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			s := &http.Server{ErrorLog: log.New(io.Discard, "", 0)}
			s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" {
					_, _ = io.Copy(io.Discard, r.Body)
				}
			})
			l := tt.around(t, c.Guard(s, inner))
			done := make(chan error, 1)
			go func() { done <- s.Serve(l) }()
			defer func() {
				require.NoError(t, s.Close())
				require.ErrorIs(t, <-done, http.ErrServerClosed)
				eventually(t, func() bool { return c.Counts().Open == 0 })
			}()
			conn := dial(t, "127.0.0.1", inner.Addr().String())
			_, err = fmt.Fprintf(conn, "%sPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", tt.first, 8<<20)
			require.NoError(t, err)
			_, err = conn.Write(make([]byte, 8<<20))
			require.NoError(t, err, "%+v", c.Counts())
			require.Equal(t, 200, answer(t, conn))

			ping := dial(t, "127.0.0.1", inner.Addr().String())
			_, _ = io.WriteString(ping, tt.first)
			for i := 0; err == nil && i < 100; i++ { // nobody reads these bodies
				_, err = fmt.Fprintf(ping, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n%100000d", 0)
				if err == nil && answer(t, ping) == 0 {
					err = net.ErrClosed
				}
			}
			require.Equal(t, tt.seen, err != nil, "a connection that is known has its limits")
			require.Equal(t, tt.seen, c.Counts().Hidden == 0)
		})
	}
}

// Who has taken a connection over may write to the socket itself; until then each write is looked
// at.
func TestHijackedConnectionIsWrittenPast(t *testing.T) {
	c := guard(t, throttle.ConnectionsConfig{})
	var fresh net.Conn
	addr := start(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Same(t, fresh, netconn.WritesTo(fresh))
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, err = io.WriteString(netconn.WritesTo(conn).(*net.TCPConn), "HTTP/1.1 204 \r\n\r\n")
		require.NoError(t, err)
	}), func(s *http.Server) {
		s.ConnContext = func(ctx context.Context, n net.Conn) context.Context { fresh = n; return ctx }
	})
	require.Equal(t, 204, get(t, dial(t, "127.0.0.1", addr)))
}
