package wsconn_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

const http2Env = "GATEKIT_WSCONN_HTTP2"

// net/http reads GODEBUG when it starts, so the tests of extended CONNECT are a process of their
// own.
func TestHTTP2(t *testing.T) {
	if os.Getenv(http2Env) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHTTP2$", "-test.count=1", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=http2xconnect=1", http2Env+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestHTTP2/abort")
		return
	}
	h := newRecorder(echo)
	conns := make(chan *wsconn.Conn, 1)
	e := newEngine(t, wsconn.Config{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hs, err := e.Check(r)
		if err != nil {
			err.(*wsconn.Refusal).Write(w)
			return
		}
		w.Header().Set("X-Request-Id", "r1")
		w.Header().Set("Content-Length", "5")
		c, err := hs.Accept(w, "chat")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		conns <- c
		c.Start(h)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	rt := http2RoundTripper(t, srv)

	t.Run("refused", func(t *testing.T) {
		for name, change := range map[string]func(r *http.Request) int{
			"version":   func(r *http.Request) int { r.Header.Set("Sec-Websocket-Version", "8"); return 426 },
			"protocol":  func(r *http.Request) int { r.Header[":protocol"] = []string{"connect-udp"}; return 426 },
			"get":       func(r *http.Request) int { r.Method = "GET"; r.Header.Del(":protocol"); return 426 },
			"not-ours":  func(r *http.Request) int { r.Header.Set("Sec-Websocket-Protocol", "other"); return 502 },
			"bad-lists": func(r *http.Request) int { r.Header.Set("Sec-Websocket-Protocol", "a b"); return 400 },
		} {
			r, _ := extendedConnect(t, srv)
			want := change(r)
			if r.Method == http.MethodGet {
				delete(r.Header, ":protocol")
			}
			w, err := rt.RoundTrip(r)
			require.NoError(t, err, name)
			require.Equal(t, want, w.StatusCode, name)
			_ = w.Body.Close()
		}
	})
	open := func(t *testing.T) (*client, *wsconn.Conn) {
		r, out := extendedConnect(t, srv)
		w, err := rt.RoundTrip(r)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, w.StatusCode)
		require.Equal(t, "chat", w.Header.Get("Sec-Websocket-Protocol"))
		require.Equal(t, "r1", w.Header.Get("X-Request-Id"))
		require.Empty(t, w.Header.Get("Sec-Websocket-Accept"))
		t.Cleanup(func() { _, _ = w.Body.Close(), out.Close() })
		near, _ := net.Pipe() // for its deadlines, which a stream's reader has none of
		return &client{Conn: streamConn{near, out}, br: bufio.NewReader(w.Body), t: t}, <-conns
	}
	t.Run("echo", func(t *testing.T) {
		c, _ := open(t)
		for range 3 {
			c.send(masked(fin|text, "hello"))
			f, err := c.readFrame()
			require.NoError(t, err)
			require.Equal(t, `81 "hello"`, f.String())
		}
		c.send(masked(fin|closeOp, closing(1000, "bye")))
		require.Equal(t, "1000", spell(t, c)) // and then the stream ends in order
		require.Equal(t, wsconn.End{Code: 1000, Reason: "bye", By: wsconn.Peer}, h.end(t))
	})
	t.Run("fault", func(t *testing.T) {
		c, _ := open(t)
		c.send("\x81\x00")
		require.Equal(t, "1002", spell(t, c))
		require.Equal(t, 1002, h.end(t).Code)
	})
	t.Run("close", func(t *testing.T) {
		c, conn := open(t)
		require.NoError(t, conn.TrySend(wsconn.Text, []byte("last")))
		require.NoError(t, conn.Close(1012, ""))
		c.send(masked(fin|closeOp, closing(1012, "")))
		require.Equal(t, "last 1012", spell(t, c))
		require.Equal(t, 1012, h.end(t).Code)
	})
	t.Run("lost", func(t *testing.T) {
		c, _ := open(t)
		_ = c.Conn.(streamConn).out.CloseWithError(io.ErrUnexpectedEOF) // resets the stream
		end := h.end(t)
		require.Equal(t, 1006, end.Code)
		require.Equal(t, wsconn.Lost, end.By)
	})
	t.Run("abort", func(t *testing.T) {
		c, conn := open(t)
		conn.Abort()
		_, err := c.readFrame()
		require.Error(t, err)
		require.Equal(t, wsconn.End{Code: 1006, By: wsconn.Local}, h.end(t))
		require.ErrorIs(t, conn.TrySend(wsconn.Text, nil), wsconn.ErrClosed)
	})
}

// streamConn writes into a request's body.
type streamConn struct {
	net.Conn
	out *io.PipeWriter
}

func (s streamConn) Write(p []byte) (int, error) { return s.out.Write(p) }

func extendedConnect(t *testing.T, srv *httptest.Server) (*http.Request, *io.PipeWriter) {
	t.Helper()
	body, out := io.Pipe()
	r, err := http.NewRequest(http.MethodConnect, srv.URL+"/chat", body)
	require.NoError(t, err)
	r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Protocol": {"chat"}}
	return r, out
}

// http2RoundTripper is net/http's HTTP/2 client without http.Transport in front, which takes no
// header that begins with a colon.
func http2RoundTripper(t *testing.T, srv *httptest.Server) http.RoundTripper {
	t.Helper()
	transport := srv.Client().Transport.(*http.Transport)
	w, err := srv.Client().Get(srv.URL) // makes the HTTP/2 client
	require.NoError(t, err)
	require.Equal(t, http.StatusUpgradeRequired, w.StatusCode)
	_ = w.Body.Close()
	cfg := transport.TLSClientConfig.Clone()
	cfg.NextProtos = []string{"h2"}
	addr := srv.Listener.Addr().String()
	c, err := tls.Dial("tcp", addr, cfg)
	require.NoError(t, err)
	return transport.TLSNextProto["h2"](addr, c)
}

// Without GODEBUG a server resets such a stream itself, and over HTTP/1.1 the header can't be sent:
// it names no token. A request that some other server lets through with it is judged as what it is.
func TestExtendedConnectOverHTTP1(t *testing.T) {
	r := upgradeRequest()
	r.Method = http.MethodConnect
	r.Header[":protocol"] = []string{"websocket"}
	_, err := newEngine(t, wsconn.Config{}).Check(r)
	require.Equal(t, http.StatusMethodNotAllowed, err.(*wsconn.Refusal).Status)
}
