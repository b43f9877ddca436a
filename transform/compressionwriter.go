package transform

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/latewriter"
	"github.com/gatekit-go/gatekit/internal/mediatype"
)

// variedWriter says of an answer that it would have been another one for another Accept-Encoding.
type variedWriter struct{ latewriter.Writer }

// Commit implements latewriter.Committer.
func (w *variedWriter) Commit(status int) int {
	addVary(w.Header(), status)
	return status
}

func addVary(h http.Header, status int) {
	if status == http.StatusSwitchingProtocols || status == http.StatusNoContent {
		return
	}
	for _, line := range h["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); name == "*" || strings.EqualFold(name, "Accept-Encoding") {
				return
			}
		}
	}
	h["Vary"] = append(slices.Clip(h["Vary"]), "Accept-Encoding")
}

// compressingWriter compresses an answer, if it is long enough and may be compressed.
type compressingWriter struct {
	latewriter.Writer
	coding   string
	minimum  int64
	method   string
	out      compressor // nil of an answer that stays as it is
	declared int64      // how long a compressed answer said to be; -1: it didn't
	written  int64
}

// sniffed is how much of a body net/http looks at to tell its type.
const sniffed = 512

// mayCompress reports whether an answer may be compressed, whatever its length.
func (w *compressingWriter) mayCompress(status int) bool {
	h := w.Header()
	if !httpword.BodySent(w.method, status) || status == http.StatusPartialContent ||
		len(h["Content-Encoding"]) > 0 || len(h["Content-Range"]) > 0 ||
		mediatype.Of(h.Get("Content-Type")) == "text/event-stream" {
		return false
	}
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(directive, " \t"), "no-transform") {
				return false
			}
		}
	}
	return true
}

// length is how long the answer says to be, or -1.
func (w *compressingWriter) length() int64 {
	values := w.Header()["Content-Length"]
	if len(values) != 1 {
		return -1
	}
	n, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil {
		return -1
	}
	return int64(n)
}

// Hold implements latewriter.Holder: what must be seen of the body before it is decided. Without a
// byte there is nothing to compress.
func (w *compressingWriter) Hold(status int) int {
	if !w.mayCompress(status) {
		return 0
	}
	switch n := w.length(); {
	case n < 0:
		return int(max(w.minimum, 1))
	case n < w.minimum || n == 0 || len(w.Header()["Content-Type"]) > 0:
		return 0
	}
	return sniffed
}

// Commit implements latewriter.Committer.
func (w *compressingWriter) Commit(status int) int {
	h := w.Header()
	addVary(h, status)
	n := w.length()
	size := n
	if n < 0 {
		size = int64(len(w.Held()))
	}
	if size == 0 || size < w.minimum || !w.mayCompress(status) {
		return status
	}
	if _, typed := h["Content-Type"]; !typed { // net/http doesn't tell it of an encoded body
		h["Content-Type"] = []string{http.DetectContentType(w.Held())}
	}
	h["Content-Encoding"] = []string{w.coding}
	for _, name := range ofEncodedBody {
		delete(h, name)
	}
	delete(h, "Content-Length")
	delete(h, "Accept-Ranges")
	if tag := h["Etag"]; len(tag) == 1 && strings.HasPrefix(tag[0], `"`) {
		h["Etag"] = []string{"W/" + tag[0]}
	}
	w.declared = n
	w.out = compressors[w.coding].Get().(compressor)
	w.out.Reset(w.ResponseWriter)
	return status
}

// WriteBody implements latewriter.Body.
func (w *compressingWriter) WriteBody(to http.ResponseWriter, b []byte) (int, error) {
	if w.out == nil {
		return to.Write(b)
	}
	if w.declared >= 0 && w.written+int64(len(b)) > w.declared {
		return 0, http.ErrContentLength // as net/http, which doesn't know the length any more
	}
	n, err := w.out.Write(b)
	w.written += int64(n)
	return n, err
}

// Stream implements latewriter.Streamer.
func (w *compressingWriter) Stream() {
	if w.out != nil {
		_ = w.out.Flush() // a client that went away shows at the next Write
	}
}

// finish ends the answer, once the handler is done. One that is shorter than it said must not look
// complete, which the client couldn't tell any more.
func (w *compressingWriter) finish(rc *gatekit.RequestContext) {
	w.Finish()
	w.note(rc)
	if w.out == nil {
		return
	}
	if w.declared >= 0 && w.written != w.declared {
		panic(http.ErrAbortHandler)
	}
	_ = w.out.Close()
	w.out.Reset(nil)
	compressors[w.coding].Put(w.out)
	w.out = nil
}
