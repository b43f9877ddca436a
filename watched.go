package gatekit

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// Watched is a ResponseWriter that knows what has been answered, and changes nothing of it: for
// stations that count, log and trace. Like every ResponseWriter it is one goroutine's.
type Watched struct {
	http.ResponseWriter
	bytes  int64
	status int32
}

// Watch returns a ResponseWriter in front of w that knows what is answered through it. The first
// one of a request costs no allocation: it lives in the request's own RequestContext, and not in a
// pool, so that a handler that outlives its request never writes into another's answer. Where w is
// a Watched already, it is returned as it is: several stations share one.
func (rc *RequestContext) Watch(w http.ResponseWriter) *Watched {
	if seen, ok := w.(*Watched); ok {
		return seen
	}
	if rc == nil || rc.at == nil || rc.at.watched.ResponseWriter != nil {
		return &Watched{ResponseWriter: w}
	}
	rc.at.watched.ResponseWriter = w
	return &rc.at.watched
}

// Status returns the status that was answered with: 200 where the handler has named none, as
// net/http does, and 101 where it took the connection over.
func (w *Watched) Status() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return int(w.status)
}

// Wrote reports whether something was answered.
func (w *Watched) Wrote() bool { return w.status != 0 }

// Bytes returns how many bytes of a body were written.
func (w *Watched) Bytes() int64 { return w.bytes }

// WriteHeader implements http.ResponseWriter.
func (w *Watched) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) { // another 1xx isn't the answer
		w.status = int32(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *Watched) begin() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
}

// Write implements io.Writer.
func (w *Watched) Write(b []byte) (int, error) {
	w.begin()
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// WriteString implements io.StringWriter.
func (w *Watched) WriteString(s string) (int, error) {
	w.begin()
	n, err := io.WriteString(w.ResponseWriter, s)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom, so that the server can use sendfile.
func (w *Watched) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(w.ResponseWriter, r)
	if n > 0 { // of nothing, net/http makes no answer: the handler may still name a status
		w.begin()
	}
	w.bytes += n
	return n, err
}

// Flush implements http.Flusher.
func (w *Watched) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *Watched) FlushError() error {
	w.begin()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker.
func (w *Watched) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap is for what else http.ResponseController does: deadlines, full duplex.
func (w *Watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
