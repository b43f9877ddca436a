package wsclients

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// goSession is what both Go clients do; each brings its own way to.
type goSession struct {
	ask    func(binary bool, data string) (string, error)
	closed func(err error) []any // what a read that failed tells of the close frame
}

// noise is more than a frame and a message may have, in letters that no compression makes few of.
func noise() string {
	b := make([]byte, 200_000)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+/"[x>>26]
	}
	return string(b)
}

func runGo(t *testing.T, protocol string, open func() goSession, bye func() []any) []byte {
	t.Helper()
	s := open()
	saw := map[string]any{"protocol": protocol}
	for key, text := range map[string]string{"text": "héllo € 𝄞", "empty": ""} {
		got, err := s.ask(false, text)
		require.NoError(t, err)
		saw[key] = got
	}
	got, err := s.ask(true, "\x00\xff\x80")
	require.NoError(t, err)
	saw["binary"] = []int{int(got[0]), int(got[1]), int(got[2])}
	got, err = s.ask(false, "large")
	require.NoError(t, err)
	saw["large"] = len(got)
	repeated := ""
	for range 2000 {
		repeated += "gatekit "
	}
	got, err = s.ask(false, repeated)
	require.NoError(t, err)
	saw["repeated"] = len(got)
	saw["closedByClient"] = bye()

	s = open()
	_, err = s.ask(false, "close me")
	saw["closedByServer"] = s.closed(err)
	s = open()
	_, err = s.ask(false, noise())
	saw["tooBig"] = s.closed(err)
	text, err := json.Marshal(saw)
	require.NoError(t, err)
	return text
}

func runCoder(ctx context.Context, t *testing.T, srv *httptest.Server, _ <-chan []byte) []byte {
	var c *coder.Conn
	open := func() goSession {
		var err error
		c, _, err = coder.Dial(ctx, webSocketURL(srv), &coder.DialOptions{Subprotocols: []string{"other", "chat"},
			CompressionMode: coder.CompressionContextTakeover})
		require.NoError(t, err)
		c.SetReadLimit(1 << 20)
		conn := c
		t.Cleanup(func() { _ = conn.CloseNow() })
		return goSession{
			ask: func(binary bool, data string) (string, error) {
				op := coder.MessageText
				if binary {
					op = coder.MessageBinary
				}
				if err := conn.Write(ctx, op, []byte(data)); err != nil {
					return "", err
				}
				_, b, err := conn.Read(ctx)
				return string(b), err
			},
			closed: func(err error) []any {
				var e coder.CloseError
				ok := errors.As(err, &e)
				return []any{int(e.Code), e.Reason, ok}
			},
		}
	}
	return runGo(t, "chat", open, func() []any {
		require.Equal(t, "chat", c.Subprotocol())
		require.NoError(t, c.Ping(c.CloseRead(ctx)))
		require.NoError(t, c.Close(4001, "bye"))
		return []any{4001, "bye", true}
	})
}

func runGorilla(ctx context.Context, t *testing.T, srv *httptest.Server, _ <-chan []byte) []byte {
	dialer := websocket.Dialer{Subprotocols: []string{"other", "chat"}, EnableCompression: true}
	var c *websocket.Conn
	open := func() goSession {
		var err error
		c, _, err = dialer.DialContext(ctx, webSocketURL(srv), nil)
		require.NoError(t, err)
		conn := c
		t.Cleanup(func() { _ = conn.Close() })
		return goSession{
			ask: func(binary bool, data string) (string, error) {
				op := websocket.TextMessage
				if binary {
					op = websocket.BinaryMessage
				}
				if err := conn.WriteMessage(op, []byte(data)); err != nil {
					return "", err
				}
				_, b, err := conn.ReadMessage()
				return string(b), err
			},
			closed: func(err error) []any {
				var e *websocket.CloseError
				require.ErrorAs(t, err, &e)
				return []any{e.Code, e.Text, true}
			},
		}
	}
	return runGo(t, "chat", open, func() []any {
		require.Equal(t, "chat", c.Subprotocol())
		require.NoError(t, c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "bye"),
			time.Now().Add(time.Minute)))
		_, _, err := c.ReadMessage()
		var e *websocket.CloseError
		require.ErrorAs(t, err, &e)
		return []any{e.Code, e.Text, true}
	})
}
