// Package latewriter is the one ResponseWriter of stations that edit an answer on its way out: its
// headers, its status, its body.
//
// A handler may answer by Write, WriteHeader, Flush, ReadFrom or Hijack, or not at all, and
// http.ResponseController prefers the target of Unwrap to whatever stands around it. A station that
// wraps a writer by hand forgets one of these ways sooner or later, and then an answer leaves
// without its headers. [Writer] has them all, and each commits first: whatever the handler does,
// the station's [Committer] is asked once, right before the header is sent.
//
// What a station does beyond that is an interface more: to see or replace the body ([Body]), to see
// the beginning of the body before the header is sent ([Holder]), to know that an answer comes bit
// by bit ([Streamer]), to judge 1xx answers ([Informer]), to take a whole answer in place of the
// client ([Keeper]).
package latewriter

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// Committer edits the header of an answer.
type Committer interface {
	// Commit is called once, right before the header is sent with this status: 200 where the
	// handler named none, 101 where it took the connection over. It returns the status to send: of
	// one without a body, in place of one with, the body is dropped. It edits the header of the
	// writer that it stands in front of.
	Commit(status int) int
}

// Keeper takes whole answers in place of the client.
type Keeper interface {
	// Keep is called once, when the status is known, and reports whether this answer is kept: then
	// Commit isn't called, a flush does nothing, the connection can't be taken over, and what the
	// client gets is the station's to write when the handler has returned, from [Writer.Status] and
	// [Writer.Held]. A kept body has at most so many bytes; what goes beyond fails with
	// [ErrTooLarge].
	Keep(status int) (most int64, keep bool)
}

// ErrTooLarge is what writing returns behind the bound of a [Keeper].
var ErrTooLarge = errors.New("the answer is too large")

// Holder wants to see the body's beginning before the header is sent.
type Holder interface {
	// Hold is called once, when the status is known. It returns how many bytes of the body are held
	// back before Commit is called; 0 commits at once. Fewer are held where the body ends before,
	// or where the handler flushes or takes the connection over.
	Hold(status int) int
}

// Body sees each part of the body, in place of the writer that it would go to.
type Body interface {
	// WriteBody writes b to w, or what stands for it, and returns how much of b it has taken as an
	// io.Writer does.
	WriteBody(w http.ResponseWriter, b []byte) (int, error)
}

// Streamer is told that an answer comes bit by bit.
type Streamer interface {
	// Stream is called before every Flush and after every successful Hijack, when Commit has been
	// called.
	Stream()
}

// Informer judges 1xx answers, but for 101, which ends HTTP on the connection and is an answer as
// others are.
type Informer interface {
	// Inform reports whether the 1xx answer may pass. It must not commit: the final answer is still
	// to follow.
	Inform(status int) bool
}

// Writer is a ResponseWriter that commits late. A station embeds it in a struct of its own, which
// implements Committer, and calls [Writer.Init] before use and [Writer.Finish] when the handler has
// returned. Like every ResponseWriter it is one goroutine's.
//
// It is six words, as most answers need no more: what a station implements beyond Committer is
// looked up where it matters.
type Writer struct {
	http.ResponseWriter
	committer Committer
	held      *held // nil where nothing is held back
	status    int32 // the handler's; 0 before it has named one
	chosen    bool  // Keep and Hold have been asked
	committed bool
	bodiless  bool // the station's status allows no body
}

// held is the body's beginning, or all of a kept one.
type held struct {
	body []byte
	most int64
	kept bool
	over bool
}

// Init makes w write to to, and c edit what is written.
func (w *Writer) Init(to http.ResponseWriter, c Committer) { w.ResponseWriter, w.committer = to, c }

// Committed reports whether the header has been sent, or the connection been taken over.
func (w *Writer) Committed() bool { return w.committed }

// Status returns what the handler has answered with, 0 before it has.
func (w *Writer) Status() int { return int(w.status) }

// Held returns what is held of the body now. It is w's, until the header is sent.
func (w *Writer) Held() []byte {
	if w.held == nil {
		return nil
	}
	return w.held.body
}

// Kept reports whether the answer is a [Keeper]'s.
func (w *Writer) Kept() bool { return w.held != nil && w.held.kept }

// Overflowed reports whether more was written than a [Keeper] wanted. Nothing is held then.
func (w *Writer) Overflowed() bool { return w.held != nil && w.held.over }

// choose asks once what becomes of the body, and commits if nothing of it is held.
func (w *Writer) choose(status int) {
	if !w.chosen {
		if w.ask(status); w.held == nil {
			w.commit()
		}
	}
}

func (w *Writer) ask(status int) {
	w.chosen, w.status = true, int32(status)
	if k, ok := w.committer.(Keeper); ok {
		if most, keep := k.Keep(status); keep {
			w.held = &held{most: most, kept: true}
			return
		}
	}
	if h, ok := w.committer.(Holder); ok {
		if most := h.Hold(status); most > 0 {
			w.held = &held{most: int64(most)}
		}
	}
}

// commit sends the header and what was held, once.
func (w *Writer) commit() {
	if w.committed || w.Kept() {
		return
	}
	w.ResponseWriter.WriteHeader(w.edit())
	if body := w.Held(); len(body) > 0 {
		_, _ = w.write(body) // a client that went away shows at the next Write
	}
	w.held = nil
}

// edit has the station edit the header, and returns its status.
func (w *Writer) edit() int {
	w.committed = true
	status := w.committer.Commit(int(w.status))
	if status != int(w.status) && !httpword.BodyAllowed(status) {
		w.bodiless = true
		delete(w.ResponseWriter.Header(), "Content-Length")
	}
	return status
}

// WriteHeader commits, or begins to hold the body back. A 1xx other than 101 passes, if the station
// lets it: another header follows.
func (w *Writer) WriteHeader(status int) {
	switch {
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		if i, ok := w.committer.(Informer); !w.committed && (!ok || i.Inform(status)) {
			w.ResponseWriter.WriteHeader(status)
		}
	case w.committed:
		w.ResponseWriter.WriteHeader(status) // net/http says who calls it twice
	default:
		w.choose(status)
	}
}

func (w *Writer) write(b []byte) (int, error) {
	if w.bodiless {
		return len(b), nil
	}
	if seen, ok := w.committer.(Body); ok {
		return seen.WriteBody(w.ResponseWriter, b)
	}
	return w.ResponseWriter.Write(b)
}

// Write implements io.Writer.
func (w *Writer) Write(b []byte) (int, error) {
	w.choose(http.StatusOK)
	h := w.held
	switch {
	case w.committed:
		return w.write(b)
	case h.kept && (h.over || int64(len(h.body)+len(b)) > h.most):
		h.over, h.body = true, nil
		return 0, ErrTooLarge
	}
	h.body = append(h.body, b...)
	if !h.kept && int64(len(h.body)) >= h.most {
		w.commit()
	}
	return len(b), nil
}

// WriteString implements io.StringWriter.
func (w *Writer) WriteString(s string) (int, error) {
	w.choose(http.StatusOK)
	if _, seen := w.committer.(Body); w.committed && !w.bodiless && !seen {
		return io.WriteString(w.ResponseWriter, s)
	}
	return w.Write([]byte(s))
}

// ReadFrom implements io.ReaderFrom. It keeps sendfile where the server has it, for a body that
// nobody looks at.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	var first int64
	if !w.chosen { // of nothing, net/http makes no answer either: the handler may still name a status
		var err error
		if first, err = io.Copy(onlyWriter{w}, io.LimitReader(r, sniffed)); err != nil || first < sniffed {
			return first, err
		}
	}
	if w.Kept() {
		n, err := io.Copy(onlyWriter{w}, r)
		return first + n, err
	}
	if !w.committed {
		n, err := io.Copy(onlyWriter{w}, io.LimitReader(r, w.held.most-int64(len(w.held.body))))
		first += n
		if err != nil || !w.committed {
			return first, err // the reader ended first
		}
	}
	to := io.Writer(w.ResponseWriter)
	if _, seen := w.committer.(Body); seen || w.bodiless {
		to = onlyWriter{w}
	}
	n, err := io.Copy(to, r)
	return first + n, err
}

// sniffed is how much net/http writes by itself of what it reads, before it leaves the rest to
// sendfile.
const sniffed = 512

// onlyWriter hides ReadFrom from io.Copy, which would call it again.
type onlyWriter struct{ io.Writer }

// Flush implements http.Flusher.
func (w *Writer) Flush() { _ = w.FlushError() }

// FlushError commits, and sends what there is. It is what http.ResponseController calls. Of a kept
// answer there is nothing to send.
func (w *Writer) FlushError() error {
	w.choose(http.StatusOK)
	if w.Kept() {
		return nil
	}
	w.commit()
	w.stream()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *Writer) stream() {
	if s, ok := w.committer.(Streamer); ok {
		s.Stream()
	}
}

// Hijack hands the connection over and commits with 101, without sending a header: that is the
// handler's now. Where it can't be handed over, as with HTTP/2, nothing is committed and the
// handler still answers.
func (w *Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.Kept() {
		return nil, nil, http.ErrNotSupported
	}
	if w.chosen {
		w.commit() // a handler may announce the 101 by WriteHeader, and take over then
	}
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if !w.committed {
		w.chosen, w.committed, w.status = true, true, http.StatusSwitchingProtocols
		w.committer.Commit(http.StatusSwitchingProtocols)
	}
	w.stream()
	return conn, rw, nil
}

// Unwrap is for what else http.ResponseController does: deadlines, full duplex.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Finish commits for a handler that has returned. One that wrote nothing gets the header that
// net/http writes for it, edited: a WriteHeader here would forbid net/http to add Content-Length:
// 0. Only a station that changes the status has it written.
func (w *Writer) Finish() {
	if w.chosen {
		w.commit()
		return
	}
	if w.ask(http.StatusOK); w.Kept() {
		return
	}
	if status := w.edit(); status != http.StatusOK {
		w.ResponseWriter.WriteHeader(status)
	}
	w.held = nil
}
