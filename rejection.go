package gatekit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rejection is a request that the gateway answers itself. It is an error; its Cause is for the log
// and is never sent.
//
// A Rejection given to [Reject] is never modified, so one without Header and Cause can be made once
// and returned for every request; data of one request means a fresh copy. RetryAfter and Challenge
// are plain values, so that the refusals that are made most often (429, 401) need no Header, which
// costs four allocations.
type Rejection struct {
	// Type is the gateway response type.
	Type ResponseType
	// Status is the HTTP status. 0 means the type's own for the flavor.
	Status int
	// Message is what the client is told. "" means the type's own for the flavor.
	Message string
	// RetryAfter is how long the caller has to wait: the header Retry-After, in whole seconds,
	// rounded up. 0 sends none.
	RetryAfter time.Duration
	// Challenge is a value of the header WWW-Authenticate, in front of those in Header. "" is none.
	Challenge string
	// Header is added to the answer. Reject copies it. A name without values is taken out of what
	// the answer has.
	Header http.Header
	// Cause is what went wrong, for logs. It must hold no token, key or claim.
	Cause error
}

// Error returns the type, and the message and cause if there are any.
func (e *Rejection) Error() string {
	text := "gatekit: " + e.kind().String()
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the Cause.
func (e *Rejection) Unwrap() error { return e.Cause }

// StatusFor returns the status that a client of an API of flavor f gets: Status, or the type's own.
func (e *Rejection) StatusFor(f Flavor) int {
	switch a := &answers[e.kind()]; {
	case e.Status >= 400 && e.Status <= 599:
		return e.Status
	case f == HTTP:
		return a.http
	default:
		return a.status
	}
}

// MessageFor returns the message that a client of an API of flavor f gets: Message, or the type's
// own. It is "" where the managed gateway sends a JSON null.
func (e *Rejection) MessageFor(f Flavor) string {
	a := &answers[e.kind()]
	switch {
	case e.Message != "":
		return e.Message
	case f == REST:
		return a.message
	}
	if status := e.StatusFor(f); status != a.http {
		return http.StatusText(status) // outside REST, messages go by status
	}
	return a.httpText
}

// ErrorType returns the value of x-amzn-ErrorType that the REST flavor sends, such as
// "UnauthorizedException": the type's own, or the one in Header.
func (e *Rejection) ErrorType() string {
	if own := e.Header["X-Amzn-Errortype"]; len(own) > 0 {
		return own[0]
	}
	return answers[e.kind()].errorType
}

func (e *Rejection) kind() ResponseType {
	switch {
	case e.Type != 0 && e.Type < responseTypes:
		return e.Type
	case e.Status >= 400 && e.Status < 500:
		return Default4XX
	}
	return Default5XX
}

// appendMessage appends key, message as a JSON string, and the closing brace. The managed gateway
// sends <, > and & as they are.
func appendMessage(b []byte, key, message string) []byte {
	b = append(b, key...)
	if strings.IndexFunc(message, needsEscape) < 0 { // the encoder would write the same, and allocate four times
		b = append(append(append(b, '"'), message...), '"')
		return append(b, '}')
	}
	var encoded bytes.Buffer
	enc := json.NewEncoder(&encoded)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(message) // a string always encodes
	b = append(b, bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))...)
	return append(b, '}')
}

func needsEscape(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }

// Reject records in the RequestContext why the gateway answers the request itself, and answers:
// through the responder if one is set ([RequestContext.SetResponder]), else in the flavor's form.
// An error that is no [Rejection] (nil, too) is a 500 whose text stays inside.
//
// The first rejection of a request is the one recorded. Where no RequestContext is attached, the
// answer has a request ID all the same, and nothing is attached: refusing is what an attack makes a
// gateway do, so it costs as little as it can. Reject writes nothing if the request's context is
// canceled, since nobody is there to read it.
func Reject(w http.ResponseWriter, r *http.Request, why error) {
	rej := rejectionOf(why)
	rc := From(r.Context()) // only read: this may be a handler that has outlived its request
	if rc == nil {
		rej.writeAlone(w, r, HTTP)
		return
	}
	a := rc.at // never nil: only Attach makes contexts that From finds
	if t := a.trial.Load(); t != nil {
		rc.noteRefusal(rej, OnTrial)
		t.refused(rej)
		return
	}
	rc.noteRefusal(rej, Refused)
	first := a.rejection.CompareAndSwap(nil, rej)
	if canceled(r, rej) {
		return
	}
	if first && rc.responder != nil {
		rc.id.setHeaders(w.Header(), rc.API.Flavor, &a.idHeaders, make([]string, 2), nil)
		rc.responder(w, r, rej)
		return
	}
	rej.write(w, r, rc.API.Flavor, &rc.id, &a.idHeaders)
}

// Reject is [Reject] in the name of a: for a station in front of the APIs, which knows in whose
// form it refuses before anything is attached. Where a RequestContext is, a becomes its API; where
// none is, none is made, as anybody can send what no API is for.
func (a *API) Reject(w http.ResponseWriter, r *http.Request, why error) {
	if rc := From(r.Context()); rc != nil {
		rc.API = a
		Reject(w, r, why)
		return
	}
	rejectionOf(why).writeAlone(w, r, a.Flavor)
}

// writeAlone answers where nothing is attached.
func (e *Rejection) writeAlone(w http.ResponseWriter, r *http.Request, f Flavor) {
	if !canceled(r, e) {
		var id requestID // stays on the stack
		id.draw()
		e.write(w, r, f, &id, nil)
	}
}

// rejectionOf returns why itself, as nearly every station gives it, or else looks for the Rejection
// that it wraps, at the cost of an allocation.
func rejectionOf(why error) *Rejection {
	if rej, ok := why.(*Rejection); ok && rej != nil {
		return rej
	}
	var rej *Rejection
	if !errors.As(why, &rej) || rej == nil {
		rej = &Rejection{Type: Default5XX, Cause: why}
	}
	return rej
}

// canceled reports whether the client went away, so that nobody reads why it is refused. Past a
// deadline it is still there, and also if it has sent its body too slowly: net/http ends the
// context of a request whose connection can't be read, whatever the reason is.
func canceled(r *http.Request, why *Rejection) bool {
	err := r.Context().Err()
	return err != nil && errors.Is(err, context.Canceled) && !errors.Is(why.Cause, os.ErrDeadlineExceeded)
}

// write answers in the flavor's form. (HTTP: "Working with HTTP APIs"; REST: "Gateway responses in
// API Gateway".) ids are the texts of id if they have been made, nil or empty strings if not.
//
// All values share one slice, each with a capacity of its own length, so that who appends to one of
// them copies it.
func (e *Rejection) write(w http.ResponseWriter, r *http.Request, f Flavor, id *requestID, ids *[2]string) {
	const fixed = 7
	v := make([]string, fixed+e.headerValues())
	h := w.Header()
	var room [20]byte
	wait := id.setHeaders(h, f, ids, v[0:2], e.appendWait(room[:0]))
	e.setHeaders(h, v[fixed-2:], wait)
	status := e.StatusFor(f)
	var body []byte
	body, v[2] = e.body(f, status)
	v[3] = "application/json"
	h["Content-Length"], h["Content-Type"] = v[2:3:3], v[3:4:4]
	if f == REST {
		v[4] = e.ErrorType()
		h["X-Amzn-Errortype"] = v[4:5:5]
	} else {
		delete(h, "X-Amzn-Errortype") // only the REST flavor sends it
	}
	if f == HTTP && status == http.StatusServiceUnavailable {
		h["Content-Type"] = nil // the recorded 503 has no content type; nil keeps net/http from sniffing one
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away is no fault of ours
	}
}

// SetHeaders sets in h what the refusal brings along, RetryAfter, Challenge and Header, in slices
// of h's own, and takes out what a station set for a body that isn't sent: for a responder
// ([RequestContext.SetResponder]), as Reject does it by itself.
func (e *Rejection) SetHeaders(h http.Header) {
	e.setHeaders(h, make([]string, 2+e.headerValues()), string(e.appendWait(nil)))
}

// headerValues returns how many values e.Header has.
func (e *Rejection) headerValues() (n int) {
	for _, values := range e.Header {
		n += len(values)
	}
	return n
}

// setHeaders is SetHeaders with room for two strings and the values of e.Header, and the text of
// the wait.
func (e *Rejection) setHeaders(h http.Header, room []string, wait string) {
	if len(h) > 0 {
		for _, stale := range [...]string{"Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Trailer"} {
			delete(h, stale)
		}
	}
	room, rest := room[:2:2], room[2:]
	for name, values := range e.Header {
		n := copy(rest, values)
		if n == 0 {
			delete(h, http.CanonicalHeaderKey(name))
			continue
		}
		h[http.CanonicalHeaderKey(name)], rest = rest[:n:n], rest[n:]
	}
	if wait != "" {
		room[0] = wait
		h["Retry-After"] = room[0:1:1]
	}
	if e.Challenge != "" {
		room[1] = e.Challenge
		h["Www-Authenticate"] = append(room[1:2:2], e.Header["Www-Authenticate"]...)
	}
}

// appendWait appends the seconds of Retry-After, if there are any. It rounds up, as a caller who
// comes back a moment too early is refused again. (RFC 9110, section 10.2.3.)
func (e *Rejection) appendWait(b []byte) []byte {
	if e.RetryAfter <= 0 {
		return b
	}
	return strconv.AppendInt(b, int64((e.RetryAfter-1)/time.Second)+1, 10)
}

// said is a body that is made once, with its Content-Length.
type said struct {
	body   []byte
	length string
}

// bodies are what the response types say in each flavor when nobody customized it. A ResponseWriter
// must not modify what it is given (io.Writer), so all refusals share them.
var bodies = func() (all [responseTypes][flavors]said) {
	for t := ResponseType(1); t < responseTypes; t++ {
		for f := range flavors {
			e := &Rejection{Type: t}
			body := e.BodyFor(f)
			all[t][f] = said{body, strconv.Itoa(len(body))}
		}
	}
	return all
}()

// body returns what BodyFor does, and its length, without an allocation where the type's own words
// do.
func (e *Rejection) body(f Flavor, status int) (body []byte, length string) {
	t := e.kind()
	a := &answers[t]
	own := f == REST || f == HTTP && status == a.http || f == WebSocket && status == a.status
	if f < flavors && e.Message == "" && own {
		s := &bodies[t][f]
		return s.body, s.length
	}
	body = e.BodyFor(f)
	return body, strconv.Itoa(len(body))
}

// BodyFor returns what a client of an API of flavor f gets, {"message":…} in the flavor's spelling,
// in a slice of its own: the message of [Rejection.MessageFor], or null.
func (e *Rejection) BodyFor(f Flavor) []byte {
	key := early
	if f == REST {
		key = answers[e.kind()].key
	}
	message := e.MessageFor(f)
	if message == "" {
		return slices.Concat([]byte(key), []byte("null}"))
	}
	return appendMessage(make([]byte, 0, len(key)+len(message)+len(`""}`)), key, message)
}
