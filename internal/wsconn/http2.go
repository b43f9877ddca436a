package wsconn

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

// A connection over HTTP/2 is a stream that extended CONNECT opened (RFC 8441). net/http's server
// speaks it only where the process runs with GODEBUG=http2xconnect=1 in its environment; without,
// it resets such a stream before any handler sees it, and doesn't announce the setting, so browsers
// use HTTP/1.1. The request then has the method CONNECT and its protocol in a header named
// ":protocol".

func isHTTP2(r *http.Request) bool { return r.ProtoMajor >= 2 }

// isExtendedConnect reports whether an HTTP/2 request opens a WebSocket (RFC 8441, section 5). It
// has no key, as nothing but a client that speaks WebSocket opens such a stream.
func isExtendedConnect(r *http.Request) bool {
	protocol := r.Header[":protocol"]
	return r.Method == http.MethodConnect && len(protocol) == 1 && protocol[0] == "websocket"
}

// stream is an HTTP/2 stream as a transport.
type stream struct {
	r    *http.Request
	w    http.ResponseWriter
	rc   *http.ResponseController
	once sync.Once
}

func (s *stream) Read(p []byte) (int, error) { return s.r.Body.Read(p) }

// Write writes and flushes, as a message isn't to wait in net/http's buffer for the next.
func (s *stream) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	return n, errors.Join(err, s.rc.Flush())
}

func (s *stream) SetReadDeadline(t time.Time) error  { return s.rc.SetReadDeadline(t) }
func (s *stream) SetWriteDeadline(t time.Time) error { return s.rc.SetWriteDeadline(t) }

// CloseWrite lets the handler return, which ends the stream in order.
func (s *stream) CloseWrite() error {
	s.once.Do(func() { _ = s.r.Body.Close() })
	return nil
}

// Close ends what waits in Read and Write, by a reset: net/http resets a stream whose deadline has
// passed. After CloseWrite it does nothing.
func (s *stream) Close() error {
	s.once.Do(func() {
		_ = s.rc.SetWriteDeadline(time.Now())
		_ = s.r.Body.Close()
	})
	return nil
}
