package waf

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// The names of actions, as records have them.
const (
	actionAllow     = "ALLOW"
	actionBlock     = "BLOCK"
	actionCount     = "COUNT"
	actionCaptcha   = "CAPTCHA"
	actionChallenge = "CHALLENGE"
)

// action is what a rule does, compiled.
type action struct {
	kind      string
	insert    []CustomHTTPHeader // names with their prefix, canonical
	response  *response          // nil is the flavor's 403
	rejection *gatekit.Rejection // of a request that it ends; shared by all
	puzzle    *Puzzle
	immunity  time.Duration
}

// Quotas of actions.
const (
	maxInserted        = 10
	maxResponseHeaders = 10
	maxHeaderName      = 64
	maxHeaderValue     = 255
	maxResponseBody    = 4 << 10
	maxBodies          = 50
	maxBodiesTotal     = 50 << 10
	defaultImmunity    = 300
	maxImmunity        = 259_200
	insertedPrefix     = "x-amzn-waf-"
)

var responseCodes = []int64{
	200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 411,
	412, 413, 414, 415, 416, 421, 429, 500, 501, 502, 503, 504, 505,
}

// inserted compiles headers to insert.
func inserted(m *mistakes.Mistakes, from *CustomRequestHandling) (to []CustomHTTPHeader) {
	if from == nil {
		return nil
	}
	m = m.Under("CustomRequestHandling").Under("InsertHeaders")
	mistakes.Range(m, "length", len(from.InsertHeaders), 1, maxInserted)
	checkHeaders(m, from.InsertHeaders)
	for _, h := range from.InsertHeaders {
		to = append(to, CustomHTTPHeader{textproto.CanonicalMIMEHeaderKey(insertedPrefix + h.Name), h.Value})
	}
	return to
}

func checkHeaders(m *mistakes.Mistakes, list []CustomHTTPHeader) {
	seen := map[string]bool{}
	for i, h := range list {
		at, name := m.Index(i), strings.ToLower(h.Name)
		at.Require(h.Name != "" && len(h.Name) <= maxHeaderName && !strings.ContainsFunc(h.Name, notOfHeaderName),
			"Name", "want 1 to %d of letters, digits and . _ $ -, got %.100q", maxHeaderName, h.Name)
		at.Require(len(h.Value) <= maxHeaderValue && !strings.ContainsFunc(h.Value,
			func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }), "Value",
			"want up to %d bytes without control characters, got %.300q", maxHeaderValue, h.Value)
		at.Require(!seen[name], "Name", "want different ones, got %q twice", h.Name)
		seen[name] = true
	}
}

func notOfHeaderName(c rune) bool {
	return !strings.ContainsRune("-_.$", c) && notOfLabel(c)
}

// response is a custom response, compiled.
type response struct {
	status      int
	headers     []CustomHTTPHeader // names canonical
	contentType string
	body        []byte
	length      string
}

var contentTypes = map[string]string{
	"TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html", "APPLICATION_JSON": "application/json",
}

// compileResponse looks the body up in the first of bodies that has it.
func compileResponse(m *mistakes.Mistakes, from *CustomResponse,
	bodies ...map[string]CustomResponseBody) *response {
	if from == nil {
		return nil
	}
	m = m.Under("CustomResponse")
	m.Require(slices.Contains(responseCodes, from.ResponseCode), "ResponseCode", "want one of %v, got %d",
		responseCodes, from.ResponseCode)
	m.Require(len(from.ResponseHeaders) <= maxResponseHeaders, "ResponseHeaders", "want at most %d, got %d",
		maxResponseHeaders, len(from.ResponseHeaders))
	checkHeaders(m.Under("ResponseHeaders"), from.ResponseHeaders)
	to := &response{status: int(from.ResponseCode)}
	for _, h := range from.ResponseHeaders {
		name := textproto.CanonicalMIMEHeaderKey(h.Name)
		m.Require(name != "Content-Type", "ResponseHeaders", "want no Content-Type, which follows the body's")
		to.headers = append(to.headers, CustomHTTPHeader{name, h.Value})
	}
	if key := from.CustomResponseBodyKey; key != "" {
		i := slices.IndexFunc(bodies, func(b map[string]CustomResponseBody) bool { _, ok := b[key]; return ok })
		if i < 0 {
			m.Add("CustomResponseBodyKey", "want one of CustomResponseBodies, got %q%s", key,
				nearest.Hint(key, keysOf(bodies[0])))
			return to
		}
		of := bodies[i][key]
		to.contentType, to.body = contentTypes[of.ContentType], []byte(of.Content)
		to.length = strconv.Itoa(len(to.body))
	}
	return to
}

func checkBodies(m *mistakes.Mistakes, bodies map[string]CustomResponseBody) {
	m = m.Under("CustomResponseBodies")
	total := 0
	for key, b := range bodies {
		m.Key(key).Require(contentTypes[b.ContentType] != "", "ContentType",
			"want TEXT_PLAIN, TEXT_HTML or APPLICATION_JSON, got %q", b.ContentType)
		mistakes.Range(m.Key(key).Under("Content"), "length", len(b.Content), 1, maxResponseBody)
		total += len(b.Content)
	}
	m.Require(len(bodies) <= maxBodies && total <= maxBodiesTotal, "", "want at most %d of %d bytes, got %d of %d",
		maxBodies, maxBodiesTotal, len(bodies), total)
}

// write answers. It is a responder of gatekit's, which has set the request's ID.
func (a *response) write(w http.ResponseWriter, r *http.Request, why *gatekit.Rejection) {
	h := w.Header()
	why.SetHeaders(h)
	values := make([]string, len(a.headers)+2) // each in a slice of its own, which nobody can append to
	for i, of := range a.headers {
		values[i] = of.Value
		h[of.Name] = values[i : i+1 : i+1]
	}
	delete(h, "Content-Length")
	if n := len(a.headers); a.body != nil && a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		values[n], values[n+1] = a.contentType, a.length
		h["Content-Type"], h["Content-Length"] = values[n:n+1:n+1], values[n+1:n+2:n+2]
	} else {
		h["Content-Type"] = nil // nothing is sent, so nothing is to be guessed
	}
	w.WriteHeader(a.status)
	if a.body != nil && r.Method != http.MethodHead && a.status != http.StatusNoContent &&
		a.status != http.StatusNotModified {
		_, _ = w.Write(a.body) // a client that went away is no fault of ours
	}
}
