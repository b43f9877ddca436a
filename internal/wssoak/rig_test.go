//go:build soak && linux

package wssoak

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/websocket"
)

// patience is how long is waited for what must happen.
const patience = time.Minute

// server is an API over the network that echoes, puts every connection into a group, and counts.
type server struct {
	*websocket.API
	addr               string
	connects, farewell atomic.Int64
	ids                sync.Map
}

func newServer(t *testing.T, cfg websocket.Config) *server {
	t.Helper()
	cfg.API = gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"}
	cfg.RouteSelection = "$request.body.action"
	cfg.DrainOver = websocket.Off
	cfg.Logger = slog.New(slog.DiscardHandler) // what clients do wrong is meant
	api, err := websocket.New(t.Context(), cfg)
	require.NoError(t, err)
	s := &server{API: api}
	api.Handle("$connect", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.connects.Add(1)
		s.ids.Store(gatekit.From(r.Context()).Connection.ID, true)
	}))
	api.Handle("$disconnect", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, there := s.ids.LoadAndDelete(gatekit.From(r.Context()).Connection.ID); there {
			s.farewell.Add(1)
		}
	}))
	api.Handle("join", websocket.HandlerFunc(func(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
		return nil, api.Enter(ctx, "room", m.ConnectionID)
	}))
	api.Handle("$default", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	listening := httptest.NewUnstartedServer(api)
	listening.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	listening.Start()
	t.Cleanup(listening.Close)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, api.Shutdown(ctx))
	})
	s.addr = listening.Listener.Addr().String()
	return s
}

// quiet waits until every connection has gone, with its $disconnect.
func (s *server) quiet(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return s.farewell.Load() == s.connects.Load() }, patience, 10*time.Millisecond,
		"$connect and $disconnect differ")
}

// client is a connection that is written to frame by frame.
type client struct {
	*net.TCPConn
	br *bufio.Reader
}

var errRefused = errors.New("refused")

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	c := &client{conn.(*net.TCPConn), bufio.NewReaderSize(conn, 512)}
	_ = c.SetDeadline(time.Now().Add(patience))
	_, err = io.WriteString(c, "GET /prod HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(c.br, nil); err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
			err = fmt.Errorf("%w with %d", errRefused, resp.StatusCode)
		}
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// frame sends a frame whose mask is zero.
func (c *client) frame(first byte, payload []byte) error {
	b := []byte{first, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		b = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(len(payload)))
	}
	_, err := c.Write(append(append(b, 0, 0, 0, 0), payload...))
	return err
}

// read returns the payload of the next frame, and its first byte.
func (c *client) read() (first byte, payload []byte, err error) {
	var h [4]byte
	if _, err = io.ReadFull(c.br, h[:2]); err != nil {
		return 0, nil, err
	}
	n := int(h[1])
	if n == 126 {
		if _, err = io.ReadFull(c.br, h[2:]); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(h[2:]))
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.br, payload)
	return h[0], payload, err
}

// echo sends a text and reads until it is back: in between come what others send.
func (c *client) echo(text string) error {
	if err := c.frame(0x81, []byte(text)); err != nil {
		return err
	}
	for {
		first, payload, err := c.read()
		if err != nil || first == 0x81 && string(payload) == text {
			return err
		}
	}
}

// reset ends the connection without a word.
func (c *client) reset() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// measured is what a process holds.
type measured struct {
	goroutines, descriptors int
	heap                    uint64
}

func measure(t *testing.T) (m measured) {
	t.Helper()
	for range 3 {
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return measured{runtime.NumGoroutine(), len(fds), stats.HeapAlloc}
}
