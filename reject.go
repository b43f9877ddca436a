package gatekit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
)

// Reject records in the RequestContext why the gateway answers the request itself, and answers: through the responder if one
// is set ([RequestContext.SetResponder]), else in the flavor's form. An error that is no [Rejection] (nil, too) is a 500 whose
// text stays inside.
//
// The first rejection of a request is the one recorded. Where no RequestContext is attached, one is made for the answer's
// request ID. Reject writes nothing if the request's context is canceled, since nobody is there to read it.
func Reject(w http.ResponseWriter, r *http.Request, why error) {
	var rej *Rejection
	if !errors.As(why, &rej) || rej == nil {
		rej = &Rejection{Type: Default5XX, Cause: why}
	}
	rc := From(r.Context())
	if rc == nil {
		rc, r = Attach(r) // one that is there is only read: this may be a handler that has outlived its request
	}
	if t := rc.trial.Load(); t != nil {
		t.refused(rej)
		return
	}
	first := rc.rejection.CompareAndSwap(nil, rej)
	if errors.Is(r.Context().Err(), context.Canceled) {
		return
	}
	if first && rc.responder != nil {
		rc.requestIDHeaders(w.Header(), make([]string, 2))
		rc.responder(w, r, rej)
		return
	}
	rej.write(w, r, rc)
}

// write answers in the flavor's form. (HTTP: "Working with HTTP APIs"; REST: "Gateway responses in API Gateway".)
func (e *Rejection) write(w http.ResponseWriter, r *http.Request, rc *RequestContext) {
	status, body := e.StatusFor(rc.Flavor), e.BodyFor(rc.Flavor)
	h := w.Header()
	for _, stale := range [...]string{"Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Trailer"} {
		delete(h, stale) // what a station set for a body that isn't sent
	}
	for name, values := range e.Header {
		h[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	v := []string{"application/json", strconv.Itoa(len(body)), "", "", ""}
	rc.requestIDHeaders(h, v[3:])
	h["Content-Type"], h["Content-Length"] = v[0:1:1], v[1:2:2]
	if rc.Flavor == REST {
		v[2] = e.ErrorType()
		h["X-Amzn-Errortype"] = v[2:3:3]
	} else {
		delete(h, "X-Amzn-Errortype") // only the REST flavor sends it
	}
	if rc.Flavor == HTTP && status == http.StatusServiceUnavailable {
		h["Content-Type"] = nil // the recorded 503 has no content type; nil keeps net/http from sniffing one
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away is no fault of ours
	}
}

// BodyFor returns what a client of an API of flavor f gets, {"message":…} in the flavor's spelling, in a slice of its own: the message of
// [Rejection.MessageFor], or null.
func (e *Rejection) BodyFor(f Flavor) []byte {
	key := early
	if f == REST {
		key = answers[e.kind()].key
	}
	message := e.MessageFor(f)
	if message == "" {
		return []byte(key + "null}")
	}
	var b bytes.Buffer
	b.WriteString(key)
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the managed gateway sends < and > as they are
	_ = enc.Encode(message)  // a string always encodes
	b.Truncate(b.Len() - 1)  // the encoder's newline
	b.WriteByte('}')
	return b.Bytes()
}
