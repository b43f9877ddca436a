package transform

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// notProxied are the headers, beside the hidden ones, that a backend of type HTTP_PROXY doesn't get. (Recorded.)
var notProxied = map[string]bool{"Host": true, "Via": true}

// proxy serves integrations of type HTTP_PROXY: all passes, parameters may be mapped, bodies stream.
func (e *exchange) proxy(w http.ResponseWriter, next http.Handler) error {
	if e.r.ContentLength > e.rest.maxBody {
		return tooLarge
	}
	if e.rest.mapsBody {
		if err := e.readBody(); err != nil {
			return err
		}
	}
	h := http.Header{}
	for name, values := range event.Headers(e.r) {
		switch {
		case hidden[name], notProxied[name], name == "Content-Encoding" && !realCoding(values):
		default:
			h[name] = append([]string(nil), values...)
		}
	}
	api := e.rc.API.APIID
	if api == "" {
		api = unknownAPI
	}
	h["X-Amzn-Apigateway-Api-Id"], h["X-Amzn-Trace-Id"] = []string{api}, []string{e.trace()}
	out, err := e.integrationRequest(h)
	if err != nil {
		return err
	}
	out.ContentLength = e.r.ContentLength
	switch {
	case e.rest.mapsBody:
		out.Body, out.ContentLength = bodyOf(e.body), int64(len(e.body))
	case e.r.Body != nil:
		out.Body = http.MaxBytesReader(w, e.r.Body, e.rest.maxBody)
	}
	p := &proxied{ResponseWriter: w, rc: e.rc, header: http.Header{}}
	began := time.Now()
	next.ServeHTTP(p, out)
	if !p.committed {
		p.WriteHeader(http.StatusOK)
	}
	p.trailers()
	if e.rc.Integration() == nil {
		e.rc.SetIntegration(gatekit.Integration{Status: p.status, Latency: time.Since(began)})
	}
	return nil
}

// proxied gives the backend's headers the names that they have for clients, at the last moment. The backend's are kept apart from those that
// stations further out have set, which are not renamed.
type proxied struct {
	http.ResponseWriter
	rc        *gatekit.RequestContext
	header    http.Header
	status    int
	committed bool
}

func (w *proxied) Header() http.Header { return w.header }

func (w *proxied) commit(status int) {
	if w.committed {
		return
	}
	w.committed, w.status = true, status
	to := w.ResponseWriter.Header()
	if w.rc.Rejection() != nil { // the gateway's own answer
		for name, values := range w.header {
			to[name] = values
		}
		return
	}
	for name, values := range w.header {
		key := http.CanonicalHeaderKey(name)
		if key == "Content-Encoding" && !realCoding(values) {
			continue
		}
		if as := remapped(key, false); as != "" && len(values) > 0 {
			to[as] = values
		}
		if key == "Content-Length" {
			to[key] = values // renamed, and yet true
		}
	}
	if _, ok := to["Content-Type"]; !ok {
		to["Content-Type"] = []string{applicationJSON}
	}
}

// trailers passes on what the backend has set behind its body: the trailers that it announced, and others by net/http's prefix for them.
func (w *proxied) trailers() {
	to := w.ResponseWriter.Header()
	for _, names := range w.header["Trailer"] {
		for name := range strings.SplitSeq(names, ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			if values, ok := w.header[name]; ok && remapped(name, false) == name { // those that aren't can't be trailers
				to[name] = values
			}
		}
	}
	for name, values := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			to[name] = values
		}
	}
}

func (w *proxied) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		return // what the backend says before its answer is not passed on
	}
	if w.committed {
		return
	}
	w.commit(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *proxied) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// ReadFrom keeps sendfile where the server has it.
func (w *proxied) ReadFrom(r io.Reader) (int64, error) {
	w.WriteHeader(http.StatusOK)
	return io.Copy(w.ResponseWriter, r)
}

func (w *proxied) Flush() { _ = w.FlushError() }

func (w *proxied) FlushError() error {
	w.WriteHeader(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hands over a connection. Where that fails, the handler still answers.
func (w *proxied) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && !w.committed {
		w.committed, w.status = true, http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap is for what else http.ResponseController does: deadlines, full duplex.
func (w *proxied) Unwrap() http.ResponseWriter { return w.ResponseWriter }
