package cors

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
)

// responseWriter replaces the handler's CORS headers by the configured ones at the last moment, however the handler answers: each way
// out commits first. Unwrap alone wouldn't do, since http.ResponseController would pass us by.
type responseWriter struct {
	http.ResponseWriter
	cors      *CORS
	origin    string // "" if the answer may not be read by the page
	committed bool
	values    [4]string // what the header slices point at: Allow-Origin, Allow-Credentials, Expose-Headers, Vary
}

// commit writes the headers, once.
func (w *responseWriter) commit() {
	if w.committed {
		return
	}
	w.committed = true
	h := w.Header()
	dropFamily(h)
	c, v := w.cors, &w.values
	if !c.anyOrigin {
		w.vary(h)
	}
	if w.origin == "" {
		return
	}
	v[0] = w.origin
	if c.anyOrigin {
		v[0] = "*"
	}
	h["Access-Control-Allow-Origin"] = v[0:1:1]
	if c.credentials {
		v[1] = "true"
		h["Access-Control-Allow-Credentials"] = v[1:2:2]
	}
	if c.exposeHeaders != "" {
		v[2] = c.exposeHeaders
		h["Access-Control-Expose-Headers"] = v[2:3:3]
	}
}

// vary adds Origin to Vary, unless the handler said so, or said that its answer varies by anything.
func (w *responseWriter) vary(h http.Header) {
	have := h["Vary"]
	for _, line := range have {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); name == "*" || strings.EqualFold(name, "Origin") {
				return
			}
		}
	}
	w.values[3] = "Origin"
	if len(have) == 0 {
		h["Vary"] = w.values[3:4:4]
	} else {
		h["Vary"] = append(have[:len(have):len(have)], "Origin") // the handler's slice may be shared by all its answers
	}
}

// dropFamily removes every header of the CORS protocol, also under keys that aren't in canonical form, which net/http sends too.
func dropFamily(h http.Header) {
	const family = "access-control-"
	for name := range h {
		if len(name) > len(family) && (name[0] == 'A' || name[0] == 'a') && strings.EqualFold(name[:len(family)], family) {
			delete(h, name)
		}
	}
}

// WriteHeader commits, except for 1xx, which the final answer is still to follow: that loses the handler's CORS headers and gets none.
// 101 ends HTTP on the connection, so it is final.
func (w *responseWriter) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		if !w.committed {
			dropFamily(w.Header())
		}
	} else {
		w.commit()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(b []byte) (int, error) {
	w.commit()
	return w.ResponseWriter.Write(b)
}

func (w *responseWriter) WriteString(s string) (int, error) {
	w.commit()
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom keeps sendfile where the server has it.
func (w *responseWriter) ReadFrom(r io.Reader) (int64, error) {
	w.commit()
	return io.Copy(w.ResponseWriter, r)
}

func (w *responseWriter) Flush() { _ = w.FlushError() }

func (w *responseWriter) FlushError() error {
	w.commit()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.commit()
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for what else http.ResponseController does: deadlines, full duplex.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
