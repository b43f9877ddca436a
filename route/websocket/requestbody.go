package websocket

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
)

// message is the body of the request that a message travels as: the very bytes that it was read to,
// which are read to again once it is served. Whoever reads after that gets an error, as from the
// bodies of net/http, and who is reading then keeps the bytes from being used again: waiting for
// them would have a client wait for what a handler has left behind.
type message struct {
	data bytes.Reader
	uses atomic.Int32 // who reads now; far below 0 once the message is served
}

const served = -1 << 30

// Read implements io.ReadCloser.
func (m *message) Read(b []byte) (int, error) {
	defer m.uses.Add(-1)
	if m.uses.Add(1) <= 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	return m.data.Read(b)
}

// WriteTo implements io.WriterTo. Without it io.Copy would make a buffer of 32 KB for each message.
func (m *message) WriteTo(w io.Writer) (int64, error) {
	defer m.uses.Add(-1)
	if m.uses.Add(1) <= 0 {
		return 0, http.ErrBodyReadAfterClose
	}
	return m.data.WriteTo(w)
}

// Close implements io.ReadCloser. The message can still be read, by a station in front of who has
// closed it.
func (m *message) Close() error { return nil }

// end closes the message, and reports whether nobody is reading.
func (m *message) end() bool { return m.uses.Add(served) == served }
