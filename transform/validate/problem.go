package validate

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/gatekit-go/gatekit"
)

// problem is the body of an answer that says what is wrong. (RFC 9457; errors as in its section 3.)
type problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail,omitempty"`
	Errors []problemError `json:"errors,omitempty"`
}

type problemError struct {
	Detail  string `json:"detail"`
	Pointer string `json:"pointer,omitempty"` // of a place in the body
	In      string `json:"in,omitempty"`      // of a parameter
	Name    string `json:"name,omitempty"`
}

// respondProblem is the responder of validators with ProblemDetails.
func respondProblem(w http.ResponseWriter, r *http.Request, rej *gatekit.Rejection) {
	flavor := gatekit.From(r.Context()).API.Flavor
	status := rej.StatusFor(flavor)
	p := problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: rej.MessageFor(flavor)}
	var parameters *ParameterError
	var body *BodyError
	switch {
	case errors.As(rej.Cause, &parameters):
		p.Detail = "Missing required request parameters"
		for _, missing := range parameters.missing {
			p.Errors = append(p.Errors, problemError{Detail: "is required, and must not be blank",
				In: missing.place.String(), Name: missing.name})
		}
	case errors.As(rej.Cause, &body):
		if body.reason != nil {
			p.Errors = []problemError{{Detail: body.reason.Error(), Pointer: "#"}}
		}
		for _, m := range body.Mistakes() {
			p.Errors = append(p.Errors, problemError{Detail: m.Detail, Pointer: m.Pointer})
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(p) // strings and numbers always encode
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	h := w.Header()
	for _, stale := range [...]string{"Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Trailer"} {
		delete(h, stale) // what a station set for a body that isn't sent
	}
	for name, values := range rej.Header {
		h[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	delete(h, "X-Amzn-Errortype")
	if flavor == gatekit.REST {
		h["X-Amzn-Errortype"] = []string{rej.ErrorType()}
	}
	h["Content-Type"], h["Content-Length"] = []string{"application/problem+json"}, []string{strconv.Itoa(len(text))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // a client that went away is no fault of ours
	}
}
