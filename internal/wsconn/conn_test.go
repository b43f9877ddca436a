package wsconn_test

import (
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// serveConns is a server whose connections' handler is h, and the channel that tells of each.
func serveConns(t *testing.T, cfg wsconn.Config, h wsconn.Handler) (*httptest.Server, <-chan *wsconn.Conn) {
	t.Helper()
	conns := make(chan *wsconn.Conn, 64)
	srv := httptest.NewServer(handler(newEngine(t, cfg), h, conns))
	t.Cleanup(srv.Close)
	return srv, conns
}

func TestCloseByUs(t *testing.T) {
	h := newRecorder(nil)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	c := dial(t, srv)
	conn := <-conns
	require.NoError(t, conn.TrySend(wsconn.Text, []byte("last words")))
	require.NoError(t, conn.Close(4001, "so long"))
	for _, want := range []string{`81 "last words"`, "close 4001"} {
		f, err := c.readFrame()
		require.NoError(t, err)
		require.Equal(t, want, f.String())
	}
	// What the client sends before its answer is read and dropped; its answer's code changes
	// nothing.
	c.send(masked(fin|text, "too late") + masked(fin|closeOp, closing(1000, "other")))
	_, err := c.readFrame()
	require.ErrorIs(t, err, io.EOF)
	_ = c.Close()
	require.Equal(t, wsconn.End{Code: 4001, Reason: "so long", By: wsconn.Local}, h.end(t))
	require.Empty(t, h.all())
}

func TestCloseWithoutACode(t *testing.T) {
	h := newRecorder(nil)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	c := dial(t, srv)
	require.NoError(t, (<-conns).Close(0, ""))
	f, err := c.readFrame()
	require.NoError(t, err)
	require.Equal(t, `close ""`, f.String())
	c.send(masked(fin|closeOp, ""))
	_ = c.Close()
	require.Equal(t, wsconn.End{Code: 1005, By: wsconn.Local}, h.end(t))
}

func TestCloseRefusesWhatMayNotBeSent(t *testing.T) {
	h := newRecorder(nil)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	dial(t, srv)
	conn := <-conns
	for _, code := range []int{-1, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 66536} {
		require.Error(t, conn.Close(code, ""), code)
	}
	require.Error(t, conn.Close(0, "a reason without a code"))
	require.Error(t, conn.Close(1000, strings.Repeat("x", 124)))
	require.Error(t, conn.Close(1000, "\xff"))
	require.NoError(t, conn.Close(1000, strings.Repeat("x", 123)))
}

// A client that breaks the protocol behind our close frame gets no second one.
func TestFaultAfterClose(t *testing.T) {
	h := newRecorder(nil)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	c := dial(t, srv)
	require.NoError(t, (<-conns).Close(1000, ""))
	f, err := c.readFrame()
	require.NoError(t, err)
	require.Equal(t, "close 1000", f.String())
	c.send("\x81\x00")
	_, err = c.readFrame()
	require.Error(t, err)
	require.Equal(t, 1000, h.end(t).Code)
}

func TestLost(t *testing.T) {
	for name, leave := range map[string]func(c *client){
		"fin":             func(c *client) { _ = c.Close() },
		"reset":           func(c *client) { _ = c.Conn.(*net.TCPConn).SetLinger(0); _ = c.Close() },
		"inside-a-frame":  func(c *client) { c.send(masked(fin|text, "hello")[:8]); _ = c.Close() },
		"inside-a-header": func(c *client) { c.send("\x81"); _ = c.Close() },
		"in-a-message":    func(c *client) { c.send(masked(text, "a")); _ = c.Close() },
		"in-a-long-frame": func(c *client) { c.send(masked(fin|text, strings.Repeat("x", 9000))[:5000]); _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			h := newRecorder(nil)
			srv, _ := serveConns(t, wsconn.Config{}, h)
			c := dial(t, srv)
			leave(c)
			end := h.end(t)
			require.Equal(t, 1006, end.Code)
			require.Equal(t, wsconn.Lost, end.By)
			require.Error(t, end.Err)
			require.Empty(t, h.all())
		})
	}
}

func TestAbort(t *testing.T) {
	h := newRecorder(nil)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	c := dial(t, srv)
	conn := <-conns
	conn.Abort()
	conn.Abort()
	_, err := c.readFrame()
	require.Error(t, err)
	require.Equal(t, wsconn.End{Code: 1006, By: wsconn.Local}, h.end(t))
	require.ErrorIs(t, conn.TrySend(wsconn.Text, nil), wsconn.ErrClosed)
	require.ErrorIs(t, conn.Close(1000, ""), wsconn.ErrClosed)
}

// A handler's panic is its connection's end, and nobody else's.
func TestHandlerPanics(t *testing.T) {
	h := newRecorder(func(c *wsconn.Conn, op wsconn.Opcode, payload []byte) {
		if string(payload) == "panic" {
			panic("oh no")
		}
		echo(c, op, payload)
	})
	srv, _ := serveConns(t, wsconn.Config{}, h)
	c, other := dial(t, srv), dial(t, srv)
	c.send(masked(fin|text, "panic"))
	require.Equal(t, "1011", spell(t, c))
	_ = c.Close()
	end := h.end(t)
	require.Equal(t, 1011, end.Code)
	require.NotContains(t, end.Reason, "oh no")
	require.ErrorContains(t, end.Err, "oh no")
	require.ErrorContains(t, end.Err, "conn_test.go", "the stack")
	other.send(masked(fin|text, "fine"))
	f, err := other.readFrame()
	require.NoError(t, err)
	require.Equal(t, `81 "fine"`, f.String())
}

// The handler may close its own connection, and reply before it does.
func TestHandlerCloses(t *testing.T) {
	h := newRecorder(func(c *wsconn.Conn, op wsconn.Opcode, payload []byte) {
		echo(c, op, payload)
		_ = c.Close(1008, "enough")
	})
	srv, _ := serveConns(t, wsconn.Config{}, h)
	c := dial(t, srv)
	c.send(masked(fin|text, "one") + masked(fin|text, "two") + masked(fin|closeOp, closing(1008, "")))
	require.Equal(t, "one 1008", spell(t, c))
	_ = c.Close()
	require.Equal(t, 1008, h.end(t).Code)
	require.Equal(t, []string{"one"}, h.all())
}

func TestMessagesArePassedInOrder(t *testing.T) {
	h := newRecorder(echo)
	srv, _ := serveConns(t, wsconn.Config{}, h)
	c := dial(t, srv)
	var all strings.Builder
	var want []string
	for i := range 500 {
		s := strings.Repeat(string(rune('a'+i%26)), 1+i*7%900)
		want = append(want, s)
		all.WriteString(masked(fin|text, s))
	}
	go func() { _, _ = io.WriteString(c.Conn, all.String()) }()
	for _, s := range want {
		f, err := c.readFrame()
		require.NoError(t, err)
		require.Equal(t, s, string(f.payload))
	}
	require.Equal(t, want, h.all())
}

// Messages are whole whatever sizes follow each other, so no buffer is given back before its time.
func TestSizes(t *testing.T) {
	h := newRecorder(echo)
	srv, _ := serveConns(t, wsconn.Config{MaxFrameBytes: wsconn.Off, MaxMessageBytes: wsconn.Off, MaxQueueBytes: 1 << 30}, h)
	c := dial(t, srv)
	sizes := []int{0, 1, 125, 126, 241, 242, 243, 255, 256, 257, 4095, 4096, 4097, 5, 16383, 16384, 16385, 65535, 65536, 65537, 1, 300 << 10, 5 << 20, 3}
	go func() {
		for i, n := range sizes {
			_, _ = io.WriteString(c.Conn, masked(fin|text, strings.Repeat(string(rune('a'+i)), n)))
		}
	}()
	for i, n := range sizes {
		f, err := c.readFrame()
		require.NoError(t, err)
		require.Equal(t, strings.Repeat(string(rune('a'+i)), n), string(f.payload), n)
	}
}

// Goroutines end with the connection.
func TestGoroutinesEnd(t *testing.T) {
	h := newRecorder(echo)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	before := runtime.NumGoroutine()
	for range 20 {
		c := dial(t, srv)
		conn := <-conns
		for range 100 {
			_ = conn.TrySend(wsconn.Text, make([]byte, 4096)) // more than is read
		}
		_ = c.Close()
		h.end(t)
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, patience, 10*time.Millisecond)
}

// In a bubble a goroutine that is left behind fails the test.
func TestNothingIsLeftBehind(t *testing.T) {
	for name, leave := range map[string]func(p *pipe){
		"abort":  func(p *pipe) { p.conn.Abort() },
		"close":  func(p *pipe) { _ = p.conn.Close(1000, "") },
		"client": func(p *pipe) { _ = p.client.Close() },
		"queued": func(p *pipe) {
			for range 100 {
				_ = p.conn.TrySend(wsconn.Text, []byte("x"))
			}
			p.conn.Abort()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newRecorder(nil)
				p := openPipe(t, wsconn.Config{PingInterval: time.Second}, h)
				leave(p)
				h.end(t)
				_ = p.client.Close()
			})
		})
	}
}

// End is the last thing: nobody writes any more, which over HTTP/2 would be to a handler's writer
// that has returned.
func TestEndWaitsForTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{}, h)
		p.server.hold = make(chan struct{})
		require.NoError(t, p.conn.TrySend(wsconn.Text, []byte("x")))
		synctest.Wait() // the writer is in Write
		p.conn.Abort()
		synctest.Wait()
		require.Empty(t, h.ends)
		close(p.server.hold)
		h.end(t)
	})
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		field string
		cfg   wsconn.Config
	}{
		{"MaxFrameBytes", wsconn.Config{MaxFrameBytes: 124}},
		{"MaxFrameBytes", wsconn.Config{MaxFrameBytes: -2}},
		{"MaxMessageBytes", wsconn.Config{MaxMessageBytes: -5}},
		{"MaxMessageBytes", wsconn.Config{MaxMessageBytes: wsconn.Off, Deflate: true}},
		{"IdleTimeout", wsconn.Config{IdleTimeout: 30}},
		{"IdleTimeout", wsconn.Config{IdleTimeout: -time.Second}},
		{"Lifetime", wsconn.Config{Lifetime: 5}},
		{"PingInterval", wsconn.Config{PingInterval: 25}},
		{"PongTimeout", wsconn.Config{PongTimeout: wsconn.Off}},
		{"CloseTimeout", wsconn.Config{CloseTimeout: wsconn.Off}},
		{"WriteTimeout", wsconn.Config{WriteTimeout: wsconn.Off}},
		{"MaxQueueBytes", wsconn.Config{MaxQueueBytes: wsconn.Off}},
		{"MaxQueueMessages", wsconn.Config{MaxQueueMessages: wsconn.Off}},
		{"MaxControlFrames", wsconn.Config{MaxControlFrames: -2}},
	} {
		_, err := wsconn.New(tt.cfg)
		require.ErrorContains(t, err, "wsconn: Config."+tt.field+": want")
	}
	_, err := wsconn.New(wsconn.Config{MaxFrameBytes: 1, Lifetime: 1})
	require.ErrorContains(t, err, "MaxFrameBytes")
	require.ErrorContains(t, err, "Lifetime")
	_, err = wsconn.New(wsconn.Config{MaxFrameBytes: wsconn.Off, MaxMessageBytes: wsconn.Off, IdleTimeout: wsconn.Off, Lifetime: wsconn.Off,
		PingInterval: wsconn.Off, MaxControlFrames: wsconn.Off})
	require.NoError(t, err)
}

func TestRefusalsTellNothingOfTheRequest(t *testing.T) {
	r := upgradeRequest()
	r.Header.Set("Sec-WebSocket-Key", "a secret")
	_, err := newEngine(t, wsconn.Config{}).Check(r)
	var refusal *wsconn.Refusal
	require.True(t, errors.As(err, &refusal))
	require.NotContains(t, err.Error(), "secret")
}
