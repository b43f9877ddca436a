package websockettest

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// The opcodes of frames. (RFC 6455, section 5.2.)
const (
	OpContinuation = 0
	OpText         = 1
	OpBinary       = 2
	OpClose        = 8
	OpPing         = 9
	OpPong         = 10
)

// Frame is one frame that the API has sent.
type Frame struct {
	Fin     bool
	Op      byte
	Payload []byte
}

// Client is a WebSocket client for tests. It reads by itself, as a browser does, answers pings and
// close frames, and keeps what has come until [Client.Receive] asks. Its methods may be called by
// several goroutines.
type Client struct {
	// Subprotocol is the one that was selected, or "".
	Subprotocol string

	conn net.Conn
	br   *bufio.Reader

	mu       sync.Mutex // over what follows
	change   chan struct{}
	frames   []Frame
	messages []string
	ended    bool
	code     int
	reason   string
	paused   chan struct{} // not nil: don't read until it is closed

	write sync.Mutex
	sent  bool // a close frame
}

// Dial does a handshake with h, which may be any handler that leads to an API. It returns the
// answer, and a Client unless it isn't a 101. header is added to the handshake's; a name with an
// empty list takes one away. Clients end with ctx. url is absolute, such as
// "wss://api.example/prod"; its scheme says if the request has come over TLS.
func Dial(ctx context.Context, h http.Handler, url string, header http.Header) (*Client, *http.Response) {
	r := httptest.NewRequest(http.MethodGet, httpURL(url), nil)
	r.Header = http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	for name, values := range header {
		if len(values) == 0 {
			delete(r.Header, name)
			continue
		}
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	far, near := net.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	w := &taken{ResponseRecorder: httptest.NewRecorder(), conn: near}
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		defer cancel() // as net/http does
		h.ServeHTTP(w, r.WithContext(ctx))
		if !w.hijacked {
			_ = near.Close()
		}
	}()
	c := &Client{conn: far, br: bufio.NewReader(far), change: make(chan struct{})}
	resp, err := http.ReadResponse(c.br, r)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		_ = far.Close()
		<-returned
		return nil, w.Result()
	}
	c.Subprotocol = resp.Header.Get("Sec-Websocket-Protocol")
	go c.read()
	return c, resp
}

// httpURL is the address of the handshake. (RFC 6455, section 3.)
func httpURL(url string) string {
	switch {
	case len(url) > 5 && url[:5] == "ws://":
		return "http" + url[2:]
	case len(url) > 6 && url[:6] == "wss://":
		return "https" + url[3:]
	}
	return url
}

// taken is a ResponseWriter whose connection can be taken over.
type taken struct {
	*httptest.ResponseRecorder
	conn     net.Conn
	hijacked bool
}

func (t *taken) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	t.hijacked = true
	return t.conn, bufio.NewReadWriter(bufio.NewReader(t.conn), bufio.NewWriter(t.conn)), nil
}

// read reads until the connection ends.
func (c *Client) read() {
	var message []byte
	for {
		c.mu.Lock()
		paused := c.paused
		c.mu.Unlock()
		if paused != nil {
			<-paused
		}
		f, err := readFrame(c.br)
		if err != nil {
			c.end(1006, "")
			return
		}
		c.note(func() { c.frames = append(c.frames, f) })
		switch f.Op {
		case OpPing:
			go func() { _ = c.WriteFrame(true, OpPong, f.Payload) }()
		case OpClose:
			code, reason := 1005, ""
			if len(f.Payload) >= 2 {
				code, reason = int(binary.BigEndian.Uint16(f.Payload)), string(f.Payload[2:])
			}
			c.end(code, reason)
			go func() { c.answer(f.Payload) }()
		case OpText, OpBinary, OpContinuation:
			if message = append(message, f.Payload...); f.Fin {
				text := string(message)
				message = nil
				c.note(func() { c.messages = append(c.messages, text) })
			}
		}
	}
}

// note changes what c knows, and wakes who waits for it.
func (c *Client) note(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.change)
	c.change = make(chan struct{})
}

func (c *Client) end(code int, reason string) {
	c.note(func() {
		if !c.ended {
			c.ended, c.code, c.reason = true, code, reason
		}
	})
}

// answer answers a close frame with its own payload, unless the client has closed first.
func (c *Client) answer(payload []byte) {
	c.write.Lock()
	first := !c.sent
	c.sent = true
	c.write.Unlock()
	if first {
		_ = c.WriteFrame(true, OpClose, payload[:min(len(payload), 2)])
	}
	_ = c.conn.Close()
}

func readFrame(br *bufio.Reader) (f Frame, err error) {
	var h [2]byte
	if _, err = io.ReadFull(br, h[:]); err != nil {
		return f, err
	}
	f.Fin, f.Op = h[0]&0x80 != 0, h[0]&0x0f
	n := uint64(h[1] & 0x7f)
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(br, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(br, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	switch {
	case err != nil:
		return f, err
	case h[1]&0x80 != 0 || n > 1<<24:
		return f, errors.New("websockettest: a frame that is masked, or longer than 16 MB")
	}
	f.Payload = make([]byte, n)
	_, err = io.ReadFull(br, f.Payload)
	return f, err
}

// WriteFrame sends one frame, masked, whatever is wrong with it.
func (c *Client) WriteFrame(fin bool, op byte, payload []byte) error {
	b := []byte{op, 0x80}
	if fin {
		b[0] |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b[1] |= byte(n)
	case n < 1<<16:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d} // any; a test's may be known
	b = append(b, mask[:]...)
	for i, p := range payload {
		b = append(b, p^mask[i%4])
	}
	return c.WriteRaw(b)
}

// WriteRaw sends bytes as they are.
func (c *Client) WriteRaw(b []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	_, err := c.conn.Write(b)
	return err
}

// SendText sends a text message in one frame.
func (c *Client) SendText(text string) error { return c.WriteFrame(true, OpText, []byte(text)) }

// SendBinary sends a binary message in one frame.
func (c *Client) SendBinary(data []byte) error { return c.WriteFrame(true, OpBinary, data) }

// Close sends a close frame: with code 0 one without a payload. It doesn't wait for the answer.
func (c *Client) Close(code int, reason string) error {
	c.write.Lock()
	c.sent = true
	c.write.Unlock()
	var payload []byte
	if code != 0 {
		payload = append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
	}
	return c.WriteFrame(true, OpClose, payload)
}

// Reset drops the connection without a close frame.
func (c *Client) Reset() { _ = c.conn.Close() }

// Pause has the client read nothing more until Resume is called: what is on its way then waits in
// the API's queue. A frame that is being read is still read.
func (c *Client) Pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused == nil {
		c.paused = make(chan struct{})
	}
}

// Resume ends Pause.
func (c *Client) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused != nil {
		close(c.paused)
		c.paused = nil
	}
}

// ErrNothing is what Receive returns when nothing has come in time.
var ErrNothing = errors.New("websockettest: no message has come in time")

// Receive returns the next message, text or binary. It waits for it as long as d, and then returns
// ErrNothing; io.EOF if the connection has ended before.
func (c *Client) Receive(d time.Duration) (string, error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		c.mu.Lock()
		if len(c.messages) > 0 {
			m := c.messages[0]
			c.messages = c.messages[1:]
			c.mu.Unlock()
			return m, nil
		}
		ended, change := c.ended, c.change
		c.mu.Unlock()
		if ended {
			return "", io.EOF
		}
		select {
		case <-change:
		case <-timer.C:
			return "", ErrNothing
		}
	}
}

// Wait waits for the end of the connection, and returns the code and reason of the API's close
// frame: 1005 if it has none, 1006 if there was no frame.
func (c *Client) Wait() (code int, reason string) {
	for {
		c.mu.Lock()
		ended, change := c.ended, c.change
		code, reason = c.code, c.reason
		c.mu.Unlock()
		if ended {
			return code, reason
		}
		<-change
	}
}

// Open reports whether the connection is open.
func (c *Client) Open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.ended
}

// Frames returns all frames that have come so far.
func (c *Client) Frames() []Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Frame(nil), c.frames...)
}
