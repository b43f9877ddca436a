package wsconn_test

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// patience is how long a test waits for what must happen at once.
const patience = 20 * time.Second

// recorder is a handler that notes what it is told, and does what its function says with each
// message.
type recorder struct {
	message func(c *wsconn.Conn, op wsconn.Opcode, payload []byte)
	ends    chan wsconn.End

	mu       sync.Mutex
	messages []string
}

func newRecorder(message func(*wsconn.Conn, wsconn.Opcode, []byte)) *recorder {
	return &recorder{message: message, ends: make(chan wsconn.End, 16)}
}

func (r *recorder) Message(c *wsconn.Conn, op wsconn.Opcode, payload []byte) {
	r.mu.Lock()
	r.messages = append(r.messages, string(payload))
	r.mu.Unlock()
	if r.message != nil {
		r.message(c, op, payload)
	}
}

func (r *recorder) End(_ *wsconn.Conn, e wsconn.End) { r.ends <- e }

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.messages...)
}

// end waits for the end, and fails if there is a second.
func (r *recorder) end(t *testing.T) wsconn.End {
	t.Helper()
	select {
	case e := <-r.ends:
		require.Empty(t, r.ends, "a second end")
		return e
	case <-time.After(patience):
		require.FailNow(t, "no end")
		return wsconn.End{}
	}
}

func echo(c *wsconn.Conn, op wsconn.Opcode, payload []byte) { _ = c.TrySend(op, payload) }

// handler upgrades every request and gives its connection to h.
func handler(e *wsconn.Engine, h wsconn.Handler, conns chan<- *wsconn.Conn) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		hs, err := e.Check(r)
		if err != nil {
			err.(*wsconn.Refusal).Write(w)
			return
		}
		c, err := hs.Accept(w, "")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if conns != nil {
			conns <- c
		}
		c.Start(h)
	}
}

func newEngine(t testing.TB, cfg wsconn.Config) *wsconn.Engine {
	t.Helper()
	e, err := wsconn.New(cfg)
	require.NoError(t, err)
	return e
}

const request = "GET /chat HTTP/1.1\r\nHost: api.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// client is a raw socket that speaks as it is told to.
type client struct {
	net.Conn
	br *bufio.Reader
	t  testing.TB
}

// dial opens a connection with the usual handshake and extra header lines.
func dial(t testing.TB, srv *httptest.Server, extra ...string) *client {
	t.Helper()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	cl := &client{Conn: c, br: bufio.NewReader(c), t: t}
	cl.send(request)
	for _, line := range extra {
		cl.send(line + "\r\n")
	}
	cl.send("\r\n")
	w := cl.response()
	require.Equal(t, http.StatusSwitchingProtocols, w.StatusCode)
	return cl
}

func (c *client) send(s string) {
	c.t.Helper()
	_, err := io.WriteString(c.Conn, s)
	require.NoError(c.t, err)
}

func (c *client) response() *http.Response {
	c.t.Helper()
	require.NoError(c.t, c.SetReadDeadline(time.Now().Add(patience)))
	w, err := http.ReadResponse(c.br, &http.Request{Method: http.MethodGet})
	require.NoError(c.t, err)
	return w
}

// frame is one frame as read.
type frame struct {
	first   byte
	payload []byte
}

func (f frame) String() string {
	if f.first&0xf == 8 {
		if len(f.payload) < 2 {
			return fmt.Sprintf("close %q", f.payload)
		}
		return fmt.Sprintf("close %d", binary.BigEndian.Uint16(f.payload))
	}
	return fmt.Sprintf("%02x %q", f.first, f.payload)
}

// readFrame reads a frame of the server's, or returns io.EOF or another end.
func (c *client) readFrame() (frame, error) {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return frame{}, err
	}
	return readFrame(c.br)
}

func readFrame(r io.Reader) (frame, error) {
	var h [10]byte
	if _, err := io.ReadFull(r, h[:2]); err != nil {
		return frame{}, err
	}
	n := int(h[1])
	if n >= 128 {
		return frame{}, fmt.Errorf("the server masks: % x", h[:2])
	}
	var ext []byte
	switch n {
	case 126:
		ext = h[2:4]
	case 127:
		ext = h[2:10]
	}
	if ext != nil {
		if _, err := io.ReadFull(r, ext); err != nil {
			return frame{}, err
		}
		n = 0
		for _, b := range ext {
			n = n<<8 | int(b)
		}
		if n < 126 || len(ext) == 8 && n < 1<<16 {
			return frame{}, fmt.Errorf("a length of %d in %d bytes", n, len(ext))
		}
	}
	f := frame{first: h[0], payload: make([]byte, n)}
	_, err := io.ReadFull(r, f.payload)
	return f, err
}

// mask is the key of all frames that tests send: no byte of it is zero.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// masked encodes a frame with any first byte as a client sends it.
func masked(first byte, payload string) string {
	n := len(payload)
	b := []byte{first}
	switch {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return string(append(b, mask[:]...)) + xor(payload)
}

func xor(payload string) string {
	b := []byte(payload)
	for i := range b {
		b[i] ^= mask[i%4]
	}
	return string(b)
}

// The first bytes of frames.
const (
	fin, rsv1, rsv2, rsv3 = 0x80, 0x40, 0x20, 0x10

	cont, text, binaryOp, closeOp, ping, pong = 0, 1, 2, 8, 9, 10
)

// closing is a close frame's payload.
func closing(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

// inflated is a compressed message's text.
func inflated(t *testing.T, p []byte) string {
	t.Helper()
	b, err := io.ReadAll(flate.NewReader(strings.NewReader(string(p) + "\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
	require.NoError(t, err)
	return string(b)
}
