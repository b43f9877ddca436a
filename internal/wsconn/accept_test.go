package wsconn_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// accept checks r and accepts it with what the caller sets.
func accept(t *testing.T, set func(http.Header), protocol string, change ...string) (*client, *http.Response, <-chan error) {
	t.Helper()
	e := newEngine(t, wsconn.Config{})
	errs := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hs, err := e.Check(r)
		if err == nil {
			if set != nil {
				set(w.Header())
			}
			var c *wsconn.Conn
			if c, err = hs.Accept(w, protocol); err == nil {
				c.Start(newRecorder(echo))
			}
		}
		if err != nil {
			clear(w.Header())
			w.WriteHeader(http.StatusBadGateway)
		}
		errs <- err
	}))
	t.Cleanup(srv.Close)
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	cl := &client{Conn: c, br: bufio.NewReader(c), t: t}
	cl.send(lines(change...))
	return cl, cl.response(), errs
}

func TestSubprotocol(t *testing.T) {
	_, w, errs := accept(t, nil, "myprotocol", "+Sec-WebSocket-Protocol: chat1, myprotocol")
	require.NoError(t, <-errs)
	require.Equal(t, "myprotocol", w.Header.Get("Sec-WebSocket-Protocol"))

	for name, offered := range map[string][]string{"another": {"+Sec-WebSocket-Protocol: chat1"}, "none": nil, "by-case": {"+Sec-WebSocket-Protocol: MyProtocol"}} {
		t.Run(name, func(t *testing.T) {
			_, w, errs := accept(t, nil, "myprotocol", offered...)
			require.ErrorIs(t, <-errs, wsconn.ErrProtocol)
			require.Equal(t, http.StatusBadGateway, w.StatusCode, "the caller could still answer")
		})
	}
}

// The answer has the headers that stations have set, and only those that may stand in it.
func TestAnswerHeaders(t *testing.T) {
	_, w, errs := accept(t, func(h http.Header) {
		h.Set("X-Request-Id", "r1")
		h["Set-Cookie"] = []string{"a=1", "b=2"}
		for _, name := range []string{"Content-Length", "Transfer-Encoding", "Content-Type", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol",
			"Sec-WebSocket-Extensions", "Upgrade", "Connection", "Trailer"} {
			h.Set(name, "5")
		}
		h["sec-websocket-accept"] = []string{"x"}
	}, "")
	require.NoError(t, <-errs)
	require.Equal(t, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {sampleAccept},
		"X-Request-Id": {"r1"}, "Set-Cookie": {"a=1", "b=2"}}, w.Header)
}

// What an integration returns must not begin a header or a frame of its own.
func TestAnswerHeaderInjection(t *testing.T) {
	for name, header := range map[string]http.Header{
		"crlf":          {"X-A": {"b\r\nSet-Cookie: evil=1"}},
		"lf":            {"X-A": {"b\nSet-Cookie: evil=1"}},
		"cr":            {"X-A": {"b\rc"}},
		"nul":           {"X-A": {"b\x00"}},
		"del":           {"X-A": {"\x7f"}},
		"end-of-answer": {"X-A": {"b\r\n\r\n\x81\x04evil"}},
		"second-value":  {"X-A": {"b", "c\r\nd: e"}},
		"name":          {"X-A: b\r\nX-B": {"c"}},
		"name-colon":    {"X:A": {"c"}},
		"name-space":    {"X A": {"c"}},
		"name-empty":    {"": {"c"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, w, errs := accept(t, func(h http.Header) {
				for k, v := range header {
					h[k] = v
				}
			}, "")
			require.Error(t, <-errs)
			require.Equal(t, http.StatusBadGateway, w.StatusCode)
			require.Empty(t, w.Header.Get("Set-Cookie"))
		})
	}
}

// Frames that come with the handshake, before the answer, aren't lost: one packet may hold both.
func TestFramesBehindTheHandshake(t *testing.T) {
	for name, frames := range map[string]string{
		"one":             masked(fin|text, "early"),
		"half":            masked(fin|text, "early")[:5],
		"more-than-small": masked(text, strings.Repeat("x", 3000)) + masked(fin|cont, ""),
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			h := newRecorder(echo)
			e := newEngine(t, wsconn.Config{})
			upgrade := handler(e, h, nil)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				<-release
				upgrade(w, r)
			}))
			defer srv.Close()
			c, err := net.Dial("tcp", srv.Listener.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			cl := &client{Conn: c, br: bufio.NewReader(c), t: t}
			cl.send(lines() + frames)
			close(release)
			require.Equal(t, 101, cl.response().StatusCode)
			if name == "half" {
				cl.send(masked(fin|text, "early")[5:])
			}
			f, err := cl.readFrame()
			require.NoError(t, err)
			require.Contains(t, []string{"early", strings.Repeat("x", 3000)}, string(f.payload))
		})
	}
}

// wrapped is a ResponseWriter as stations make them: it hides what is below, but for Unwrap.
type wrapped struct{ w http.ResponseWriter }

func (w wrapped) Header() http.Header         { return w.w.Header() }
func (w wrapped) Write(b []byte) (int, error) { return w.w.Write(b) }
func (w wrapped) WriteHeader(status int)      { w.w.WriteHeader(status) }
func (w wrapped) Unwrap() http.ResponseWriter { return w.w }

func TestHijackThroughWrappers(t *testing.T) {
	upgrade := handler(newEngine(t, wsconn.Config{}), newRecorder(echo), nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { upgrade(wrapped{wrapped{w}}, r) }))
	defer srv.Close()
	c := dial(t, srv)
	c.send(masked(fin|text, "hi"))
	f, err := c.readFrame()
	require.NoError(t, err)
	require.Equal(t, `81 "hi"`, f.String())
}

// Deadlines that http.Server or a station has set end with the handshake: here they have passed
// already.
func TestDeadlinesEndWithTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(echo)
		p := newPipe(t)
		require.NoError(t, p.server.SetDeadline(time.Unix(1, 0)))
		p.open(t, wsconn.Config{}, h)
		require.True(t, p.server.write.Load().(time.Time).IsZero(), "the one for the 101")
		p.client.send(masked(fin|text, "hi"))
		f, err := readFrame(p.client.br)
		require.NoError(t, err)
		require.Equal(t, `81 "hi"`, f.String())
		synctest.Wait()
		require.True(t, p.server.write.Load().(time.Time).IsZero(), "the one for the echo")
		p.conn.Abort()
		h.end(t)
	})
}

func TestNoHijack(t *testing.T) {
	e := newEngine(t, wsconn.Config{})
	srv := httptest.NewServer(http.TimeoutHandler(handler(e, newRecorder(nil), nil), time.Minute, ""))
	defer srv.Close()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	cl := &client{Conn: c, br: bufio.NewReader(c), t: t}
	cl.send(lines())
	require.Equal(t, http.StatusInternalServerError, cl.response().StatusCode)
}

// A client that sends its handshake slowly is http.Server's to bound; the engine sees whole
// requests only.
func TestSlowHandshake(t *testing.T) {
	srv := httptest.NewUnstartedServer(handler(newEngine(t, wsconn.Config{}), newRecorder(nil), nil))
	srv.Config.ReadHeaderTimeout = 50 * time.Millisecond
	srv.Start()
	defer srv.Close()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, request) // without its end
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}
