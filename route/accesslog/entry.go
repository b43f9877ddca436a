package accesslog

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bodycount"
	"github.com/gatekit-go/gatekit/internal/contextvar"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/latewriter"
)

// entry is a request that is being answered, and the ResponseWriter that sees how.
type entry struct {
	latewriter.Writer
	log      *Log
	rc       *gatekit.RequestContext
	r        *http.Request
	notes    gatekit.Notes
	body     *bodycount.Body // nil: its length is known, or nobody asks
	sent     int64
	status   int
	streamed bool
	written  bool
}

func (h *logged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	e := &entry{log: h.log, rc: rc, r: r}
	e.Init(w, e)
	if keep := h.log.format.keep; keep != 0 {
		e.notes = rc.KeepNotes(keep)
	}
	if h.log.format.counts {
		e.body = bodycount.Watch(r)
	}
	returned := false
	defer func() { // a panic goes on
		e.finish(!returned)
		e.notes.Release()
	}()
	h.next.ServeHTTP(e, r)
	returned = true
}

// finish writes the line, once.
func (e *entry) finish(panicked bool) {
	if !e.written {
		e.written = true
		e.log.write(e, e.notes, panicked)
	}
}

// answered is the status that the client has got. A message of a WebSocket connection that is
// refused is answered by a frame, which has none: it is the refusal's, as everywhere else.
func (e *entry) answered(panicked bool) int {
	rej := e.rc.Rejection()
	switch {
	case e.status != 0:
		return e.status
	case rej != nil:
		return rej.StatusFor(e.rc.API.Flavor)
	case panicked:
		return http.StatusInternalServerError
	case errors.Is(e.r.Context().Err(), context.Canceled):
		return 0
	}
	return http.StatusOK
}

// Commit implements latewriter.Committer.
func (e *entry) Commit(status int) int {
	e.status = status
	return status
}

// Stream implements latewriter.Streamer. A handshake ends where the connection is the handler's:
// what follows isn't an answer, and may last for days. Over HTTP/2 nothing is taken over, and the
// first flush is the end of the handshake (RFC 8441).
func (e *entry) Stream() {
	e.streamed = true
	if e.status == http.StatusSwitchingProtocols || e.r.Method == http.MethodConnect {
		e.finish(false)
	}
}

func (e *entry) count(n int64) {
	if httpword.BodySent(e.r.Method, e.status) {
		e.sent += n
	}
}

// Write implements io.Writer.
func (e *entry) Write(b []byte) (int, error) {
	n, err := e.Writer.Write(b)
	e.count(int64(n))
	return n, err
}

// WriteString implements io.StringWriter.
func (e *entry) WriteString(s string) (int, error) {
	n, err := e.Writer.WriteString(s)
	e.count(int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom, and keeps sendfile.
func (e *entry) ReadFrom(r io.Reader) (int64, error) {
	n, err := e.Writer.ReadFrom(r)
	e.count(n)
	return n, err
}

// int is the value of a variable that is a number.
func (p *piece) int(e *entry, o *contextvar.Outcome) (int64, bool) {
	text, ok := p.v.Logs(e.rc, e.r, o)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
