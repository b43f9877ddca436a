package crs

import (
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/latewriter"
)

// serveInspected is ServeHTTP with an eye on the answer: the transaction lasts as long as it.
func (h *station) serveInspected(w http.ResponseWriter, r *http.Request) {
	rc := gatekit.From(r.Context())
	began := rc.Clock()
	x := h.set.begin(r)
	defer func() {
		if v := x.end(); h.set.cfg.Log != nil {
			h.set.cfg.Log(r, v)
		}
	}()
	if refused := x.refused(); refused || rc.Keeps(gatekit.KeepOutcomes) {
		v := x.verdict // the request's part of it: the rest is said at the end
		if x.tx != nil {
			x.guard(func() error { v.collect(h.set, x.tx); return nil })
		}
		v.Blocked = refused
		v.note(rc, began)
		if refused {
			gatekit.Reject(w, r, v.rejection())
			return
		}
	}
	to := &inspected{exchange: x, proto: r.Proto}
	to.Init(w, to)
	h.next.ServeHTTP(to, r)
	to.Finish()
	to.finish()
}

// inspected is the ResponseWriter of a handler whose answer is judged. It stands on latewriter:
// however the handler answers, Commit is asked once before the header is sent.
type inspected struct {
	latewriter.Writer
	exchange *exchange
	proto    string
	answer   *answer     // in place of the handler's
	trailers http.Header // set before the header was sent, as it was held back
}

// Hold runs phase 3 and says how much of the body is held back for phase 4.
func (w *inspected) Hold(status int) int {
	x := w.exchange
	hold := 0
	x.guard(func() error {
		for name, values := range w.ResponseWriter.Header() {
			for _, value := range values {
				x.tx.AddResponseHeader(name, value)
			}
		}
		x.stopped = x.tx.ProcessResponseHeaders(status, w.proto) != nil
		if !x.stopped && x.tx.IsResponseBodyAccessible() && x.tx.IsResponseBodyProcessable() {
			hold = x.set.cfg.ResponseBodyLimit
		}
		return nil
	})
	return hold
}

// Commit implements latewriter.Committer: it runs phase 4 with what was held back, and answers
// itself if the rules refuse.
func (w *inspected) Commit(status int) int {
	x := w.exchange
	x.guard(func() error {
		if x.stopped {
			return nil
		}
		stopped, _, err := x.tx.WriteResponseBody(w.Held())
		if err == nil && stopped == nil {
			stopped, err = x.tx.ProcessResponseBody()
		}
		x.stopped = stopped != nil || x.tx.Interruption() != nil
		return err
	})
	if !x.refused() {
		w.setAside()
		return status
	}
	return w.refuse(status)
}

// refuse puts the refusal in place of the answer. Where nobody answers it, as in a trial or for a
// client that went away, the answer stands.
func (w *inspected) refuse(status int) int {
	x, v := w.exchange, w.exchange.verdict
	x.guard(func() error { v.collect(x.set, x.tx); return nil })
	v.Blocked = true
	v.note(gatekit.From(x.r.Context()), time.Time{})
	answer := &answer{header: http.Header{}}
	gatekit.Reject(answer, x.r, v.rejection())
	if answer.status == 0 {
		w.setAside()
		return status
	}
	w.answer = answer
	header := w.ResponseWriter.Header()
	clear(header)
	for name, values := range answer.header {
		header[name] = values
	}
	return answer.status
}

// WriteBody implements latewriter.Body: nothing of a refused answer gets out.
func (w *inspected) WriteBody(to http.ResponseWriter, b []byte) (int, error) {
	if w.answer != nil {
		return len(b), nil
	}
	return to.Write(b)
}

// setAside takes out of the header what is to be sent as trailers: the handler has had its header
// held back, and may have set them already.
func (w *inspected) setAside() {
	header := w.ResponseWriter.Header()
	for _, line := range header["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
			if values, ok := header[name]; ok && name != "Trailer" {
				if w.trailers == nil {
					w.trailers = http.Header{}
				}
				w.trailers[name] = values
				delete(header, name)
			}
		}
	}
}

// finish ends the answer, when the handler has returned: the refusal's body, or the trailers.
func (w *inspected) finish() {
	if w.answer != nil {
		_, _ = w.ResponseWriter.Write(w.answer.body) // a client that went away is no fault of ours
		return
	}
	header := w.ResponseWriter.Header()
	for name, values := range w.trailers {
		if _, newer := header[name]; !newer {
			header[name] = values
		}
	}
}

// answer keeps a refusal.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}
