package transform

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/latewriter"
)

// notProxied are the headers, beside the hidden ones, that a backend of type HTTP_PROXY doesn't
// get. (Recorded.)
var notProxied = map[string]bool{"Host": true, "Via": true}

// proxy serves integrations of type HTTP_PROXY: all passes, parameters may be mapped, bodies
// stream.
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
		case e.rest.mapsHeader(name), e.rest.mapsHeader(hopbyhop.Twin(name)): // also where the source is absent
		case event.DroppedByREST(name), notProxied[name], name == "Content-Encoding" && !realCoding(values):
		default:
			h[name] = append([]string(nil), values...)
		}
	}
	api := e.rc.API.APIID
	if api == "" {
		api = unknownAPI
	}
	h["X-Amzn-Apigateway-Api-Id"], h["X-Amzn-Trace-Id"] = []string{api}, []string{e.trace()}
	e.chosen(nil)
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
	p := &proxied{rc: e.rc, header: http.Header{}}
	p.Init(w, p)
	began := time.Now()
	next.ServeHTTP(p, out)
	p.Finish()
	p.trailers()
	if e.rc.Integration() == nil {
		e.rc.SetIntegration(gatekit.Integration{Status: p.Status(), Latency: time.Since(began)})
	}
	return nil
}

// mapsHeader reports whether a mapping is about the header. A client's own is never sent in its
// place, nor under underscores: the backend would take for the authorizer's what a client says
// wherever the authorizer says nothing.
func (t *REST) mapsHeader(name string) bool {
	return slices.ContainsFunc(t.mappings, func(m restMapping) bool { return m.place == "header" && m.name == name })
}

// proxied gives the backend's headers the names that they have for clients, at the last moment. The
// backend's are kept apart from those that stations further out have set, which are not renamed.
type proxied struct {
	latewriter.Writer
	rc     *gatekit.RequestContext
	header http.Header
}

// Header returns the backend's.
func (w *proxied) Header() http.Header { return w.header }

// Inform stops what the backend says before its answer.
func (w *proxied) Inform(int) bool { return false }

// Commit renames.
func (w *proxied) Commit(status int) int {
	to := w.ResponseWriter.Header()
	if w.rc.Rejection() != nil { // the gateway's own answer
		for name, values := range w.header {
			to[name] = values
		}
		return status
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
	return status
}

// trailers passes on what the backend has set behind its body: the trailers that it announced, and
// others by net/http's prefix for them.
func (w *proxied) trailers() {
	to := w.ResponseWriter.Header()
	for _, names := range w.header["Trailer"] {
		for name := range strings.SplitSeq(names, ",") {
			name = http.CanonicalHeaderKey(strings.Trim(name, " \t"))
			// those that aren't can't be trailers
			if values, ok := w.header[name]; ok && remapped(name, false) == name {
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
