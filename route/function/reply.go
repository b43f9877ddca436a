package function

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/mediatype"
)

// recorder is the ResponseWriter of a [Function].
type recorder struct {
	header http.Header
	method string
	room   int64

	sent    http.Header // as they were when the handler began to write
	status  int
	body    []byte
	tooMuch bool
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status != 0 || status >= 100 && status < 200 {
		return // a reply is final, so that hints have no place in it
	}
	if status < 200 || status > 999 {
		panic("function: WriteHeader: want a status from 100 to 999, got " + strconv.Itoa(status))
	}
	w.status, w.sent = status, w.header.Clone()
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) { return write(w, b) }

// WriteString implements io.StringWriter.
func (w *recorder) WriteString(s string) (int, error) { return write(w, s) }

// Flush implements http.Flusher. A reply goes out in whole.
func (w *recorder) Flush() { w.WriteHeader(http.StatusOK) }

func write[T string | []byte](w *recorder, b T) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case !httpword.BodyAllowed(w.status):
		return 0, http.ErrBodyNotAllowed
	case w.method == http.MethodHead:
		w.sniff([]byte(b))
		return len(b), nil
	case int64(len(w.body))+int64(len(b)) > w.room:
		w.tooMuch = true
		return 0, errTooMuch
	}
	w.body = append(w.body, b...)
	return len(b), nil
}

// sniff gives the answer a type where the handler gave none, as net/http's server does: to HEAD,
// too, of the body that isn't sent.
func (w *recorder) sniff(body []byte) {
	if _, set := w.sent["Content-Type"]; !set && len(body) > 0 {
		w.sent["Content-Type"] = []string{http.DetectContentType(body)}
	}
}

// droppedFromReply are headers of the connection, or those that the gateway in front sets for
// itself.
func droppedFromReply(name string) bool {
	switch name {
	case "Content-Length", "Date", "Apigw-Requestid", "X-Amzn-Requestid", "X-Amz-Apigw-Id":
		return true
	}
	return hopbyhop.Framing(name) || strings.HasPrefix(name, http.TrailerPrefix)
}

// reply writes what was recorded as a reply: cookies apart for payload 2.0, multi-value headers for
// the others.
func (w *recorder) reply(format event.Format) []byte {
	w.WriteHeader(http.StatusOK)
	w.sniff(w.body)
	var room [32]string
	names := room[:0]
	for name, values := range w.sent {
		if len(values) > 0 && !droppedFromReply(name) && (format != event.V2 || name != "Set-Cookie") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	b := make([]byte, 0, 512+len(w.body)*3/2)
	b = strconv.AppendInt(append(b, `{"statusCode":`...), int64(w.status), 10)
	if format == event.V2 {
		b = append(b, `,"headers":{`...)
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(jsonlex.AppendString(b, name), ':')
			b = jsonlex.AppendString(b, strings.Join(w.sent[name], ","))
		}
		b = append(b, '}')
		if cookies := w.sent["Set-Cookie"]; len(cookies) > 0 {
			b = event.AppendList(append(b, `,"cookies":`...), cookies)
		}
	} else {
		b = append(b, `,"multiValueHeaders":{`...)
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(jsonlex.AppendString(b, name), ':')
			b = event.AppendList(b, w.sent[name])
		}
		b = append(b, '}')
	}
	if w.isText() {
		b = jsonlex.AppendString(append(b, `,"body":`...), w.body)
		return append(b, `,"isBase64Encoded":false}`...)
	}
	b = base64.StdEncoding.AppendEncode(append(b, `,"body":"`...), w.body)
	return append(b, `","isBase64Encoded":true}`...)
}

// isText reports whether the body can stand in JSON as it is: UTF-8 of a type that is text, not
// compressed.
func (w *recorder) isText() bool {
	if len(w.body) == 0 {
		return true
	}
	if e := w.sent["Content-Encoding"]; len(e) > 0 && !strings.EqualFold(e[0], "identity") {
		return false
	}
	media := mediatype.Of(w.sent.Get("Content-Type"))
	kind, sub, _ := strings.Cut(media, "/")
	switch {
	case kind == "text", strings.HasSuffix(sub, "+json"), strings.HasSuffix(sub, "+xml"):
	case media == "application/json", media == "application/xml", media == "application/javascript",
		media == "application/x-www-form-urlencoded":
	default:
		return false
	}
	return utf8.Valid(w.body)
}
