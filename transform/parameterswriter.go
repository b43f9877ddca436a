package transform

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// parametersWriter maps an answer at the last moment, however the handler answers: each way out commits first. Unwrap alone wouldn't do,
// since http.ResponseController would pass us by.
type parametersWriter struct {
	http.ResponseWriter
	parameters *Parameters
	message    message
	plan       *plan  // what is done with the answer; nil is nothing
	status     int    // the integration's; 0 before it has said so
	held       []byte // the body so far, if the plan asks for it
	committed  bool
	bodiless   bool // the new status allows no body
}

// choose looks up what is done with an answer of this status.
func (w *parametersWriter) choose(status int) {
	w.status = status
	if w.message.rc.Rejection() == nil { // a refusal isn't the integration's answer
		w.plan = w.parameters.responses[status]
	}
	if w.plan == nil || !w.plan.asksBody || !allowsBody(status) {
		w.commit()
	}
}

// commit changes the headers, and writes them with the status and what was held of the body. Only the first call does something.
func (w *parametersWriter) commit() {
	if w.committed {
		return
	}
	w.committed = true
	status := w.status
	if w.plan != nil {
		h := w.Header()
		w.message.header, w.message.body = h, w.held[:min(len(w.held), maxMappedBody)]
		res := &results{}
		w.plan.values(&w.message, res)
		w.plan.editHeader(h, res)
		for i := range w.plan.mappings {
			if m := &w.plan.mappings[i]; m.place == inStatus {
				status = m.status
			}
		}
		if status != w.status && !allowsBody(status) {
			w.bodiless = true
			delete(h, "Content-Length")
		}
	}
	w.ResponseWriter.WriteHeader(status)
	if len(w.held) > 0 && !w.bodiless {
		_, _ = w.ResponseWriter.Write(w.held) // a client that went away shows at the next Write
	}
	w.held = nil
}

// allowsBody reports whether an answer of this status may have a body. (RFC 9110, section 6.4.1.)
func allowsBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// finish commits for a handler that has returned.
func (w *parametersWriter) finish() {
	if w.status == 0 {
		if w.message.rc.Rejection() != nil || w.parameters.responses[http.StatusOK] == nil {
			return // nothing to change: net/http writes the header
		}
		w.choose(http.StatusOK)
	}
	w.commit()
}

// WriteHeader passes 1xx on, but for 101: another header follows. The final one commits, unless the body is to be seen first.
func (w *parametersWriter) WriteHeader(status int) {
	switch {
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols, w.committed:
		w.ResponseWriter.WriteHeader(status)
	case w.status == 0:
		w.choose(status)
	}
}

func (w *parametersWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.choose(http.StatusOK)
	}
	if !w.committed {
		w.held = append(w.held, b...)
		if len(w.held) >= maxMappedBody {
			w.commit()
		}
		return len(b), nil
	}
	if w.bodiless {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

func (w *parametersWriter) WriteString(s string) (int, error) {
	if w.committed && !w.bodiless {
		return io.WriteString(w.ResponseWriter, s)
	}
	return w.Write([]byte(s))
}

// ReadFrom keeps sendfile where the server has it, for what isn't held.
func (w *parametersWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.choose(http.StatusOK)
	}
	var held int64
	if !w.committed {
		var err error
		held, err = io.Copy(writerOnly{w}, io.LimitReader(r, int64(maxMappedBody-len(w.held))))
		if err != nil || !w.committed {
			return held, err // the reader ended first
		}
	}
	to := io.Writer(w.ResponseWriter)
	if w.bodiless {
		to = io.Discard
	}
	n, err := io.Copy(to, r)
	return held + n, err
}

type writerOnly struct{ io.Writer }

func (w *parametersWriter) Flush() { _ = w.FlushError() }

func (w *parametersWriter) FlushError() error {
	if w.status == 0 {
		w.choose(http.StatusOK)
	}
	w.commit()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hands over a connection on which nothing is mapped any more.
func (w *parametersWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.status != 0 {
		w.commit()
	}
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.status, w.committed = http.StatusSwitchingProtocols, true
	}
	return conn, rw, err
}

// Unwrap is for what else http.ResponseController does: deadlines, full duplex.
func (w *parametersWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
