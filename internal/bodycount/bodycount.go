// Package bodycount tells how many bytes of a request's body there were, for logs and bills: what
// the client says, as far as it can be believed, else what was read.
package bodycount

import (
	"io"
	"net/http"
	"sync/atomic"
)

// maxClaimed is the longest body that a client is believed to send because it says so: there are no
// longer ones on the managed gateway, and a sum of claims must not overflow. (API Gateway quotas,
// "Payload size".)
const maxClaimed = 10 << 20

// Body counts what is read of a request's body. What an http.TimeoutHandler has left behind may be
// reading it while somebody asks.
type Body struct {
	io.ReadCloser
	n atomic.Int64
}

// Watch returns the counter that it puts in front of r's body, or nil where the length that the
// client has told is to be believed, so that most requests cost nothing.
func Watch(r *http.Request) *Body {
	if r.Body == nil || 0 <= r.ContentLength && r.ContentLength <= maxClaimed {
		return nil
	}
	b := &Body{ReadCloser: r.Body}
	r.Body = b
	return b
}

// Bytes returns how many bytes r's body has, of which b, which may be nil, is the counter.
func (b *Body) Bytes(r *http.Request) int64 {
	if b != nil {
		return b.n.Load()
	}
	return min(max(r.ContentLength, 0), maxClaimed)
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}
