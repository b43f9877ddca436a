package wsconn_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// pipe is a connection without a network, for tests with a clock of their own.
type pipe struct {
	client *client
	server *deadlineConn
	conn   *wsconn.Conn
}

// deadlineConn remembers the deadline that counts for writes, and can hold writes up, whatever else
// happens to the connection.
type deadlineConn struct {
	net.Conn
	write atomic.Value
	hold  chan struct{}
}

func (d *deadlineConn) Write(p []byte) (int, error) {
	if d.hold != nil {
		<-d.hold
	}
	return d.Conn.Write(p)
}

func (d *deadlineConn) SetWriteDeadline(t time.Time) error {
	d.write.Store(t)
	return d.Conn.SetWriteDeadline(t)
}

func newPipe(t *testing.T) *pipe {
	t.Helper()
	far, near := net.Pipe()
	t.Cleanup(func() { _, _ = far.Close(), near.Close() })
	return &pipe{client: &client{Conn: far, br: bufio.NewReader(far), t: t}, server: &deadlineConn{Conn: near}}
}

// hijacked is a ResponseWriter that gives up conn.
type hijacked struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {sampleKey}}
	return r
}

// open does the handshake and starts the connection.
func (p *pipe) open(t *testing.T, cfg wsconn.Config, h wsconn.Handler) {
	t.Helper()
	hs, err := newEngine(t, cfg).Check(upgradeRequest())
	require.NoError(t, err)
	opened := make(chan error, 1)
	go func() {
		var err error
		p.conn, err = hs.Accept(hijacked{httptest.NewRecorder(), p.server}, "")
		opened <- err
	}()
	require.Equal(t, http.StatusSwitchingProtocols, p.client.response().StatusCode)
	require.NoError(t, <-opened)
	require.NoError(t, p.client.SetReadDeadline(time.Time{}))
	p.conn.Start(h)
}

func openPipe(t *testing.T, cfg wsconn.Config, h wsconn.Handler) *pipe {
	t.Helper()
	p := newPipe(t)
	p.open(t, cfg, h)
	return p
}
