package transform

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// Middleware returns next behind the method's templates and mappings. next sees the integration
// request: the URL, method, headers and body that the configuration makes of the client's, its path
// parameters by r.PathValue, and the same RequestContext. What it answers becomes the method's
// response. A mock calls no one: its next may be nil.
//
// What can't be turned into a request or a response is refused with [gatekit.Reject]: 413 for a
// body that is too large, 415 for a type without a template, 400 for a body that a mapping can't
// read, and 500 for everything that the configuration or a template got wrong. Refusals that next
// makes with Reject pass unchanged.
//
// Bodies are read as a whole, up to the bound, where a template, a mapping or a conversion needs
// them, and otherwise streamed.
func (t *REST) Middleware(next http.Handler) http.Handler {
	return &restHandler{t, next}
}

// ServeHTTP answers without an integration behind: a mock does, and of another type that is a
// mistake of the configuration, a 500.
func (t *REST) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(&restHandler{rest: t}).ServeHTTP(w, r)
}

// Station implements [gatekit.Station]. As a handler of its own a REST is where a chain ends.
func (t *REST) Station() (kind string, next http.Handler) { return "rest", nil }

type restHandler struct {
	rest *REST
	next http.Handler
}

// Station implements gatekit.Station.
func (h *restHandler) Station() (kind string, next http.Handler) { return "rest", h.next }

func (h *restHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	rc.SetMapped(true)
	e := &exchange{rest: h.rest, r: r, rc: rc, parameters: parameters{r: r}}
	var err error
	switch {
	case h.rest.broken != nil:
		err = h.rest.broken
	case h.next == nil && h.rest.kind != Mock:
		err = errNoIntegration
	case h.rest.kind == AWSProxy:
		rc.SetMapped(false)
		h.next.ServeHTTP(w, r)
	case h.rest.kind == Mock:
		err = e.mock(w)
	case h.rest.kind == HTTPProxy:
		err = e.proxy(w, h.next)
	default:
		err = e.mapped(w, h.next)
	}
	if err != nil {
		refused(rc, cmp.Or(e.rule, ruleRequest), time.Time{}, err)
		refuse(w, r, err)
	}
}

var (
	tooLarge    = &gatekit.Rejection{Type: gatekit.RequestTooLarge}
	unsupported = &gatekit.Rejection{Type: gatekit.UnsupportedMediaType}
	unreadable  = &gatekit.Rejection{Type: gatekit.BadRequestBody, Message: "Invalid JSON in request body"}

	errNoIntegration  = errors.New("transform: no integration behind a method that isn't a mock")
	errNoResponse     = errors.New("transform: no integration response for this answer")
	errStatusCode     = errors.New("transform: want an object with an integer statusCode from the mock's request template")
	errBinaryTemplate = errors.New("transform: want text for a template, got a payload of bytes")
	errBase64         = errors.New("transform: want base64 in a payload to convert to bytes")
	errHeader         = errors.New("transform: a header that must not be set")
	errProxyMethod    = errors.New("transform: want POST as the method of an AWS_PROXY integration")
	errAnswerTooLarge = errors.New("transform: the integration's answer is too large")
)

// refuse answers for err: a Rejection as it is, anything else as a mistake of the configuration.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	var rej *gatekit.Rejection
	if !errors.As(err, &rej) {
		rej = &gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: err}
	}
	gatekit.Reject(w, r, rej)
}

// readBody reads the request's body up to the bound.
func (e *exchange) readBody() (err error) {
	e.body, err = wholebody.Read("transform", e.r, e.rest.maxBody)
	var over *http.MaxBytesError
	if errors.As(err, &over) { // a bound that a station further out has set
		return tooLarge
	}
	return err
}

// mock answers as an integration of type MOCK: the request template's statusCode selects the
// response. (Developer guide, "Mock integrations for REST APIs in API Gateway".)
func (e *exchange) mock(w http.ResponseWriter) error {
	t, err := e.pick()
	if err != nil {
		return err
	}
	if err := e.readBody(); err != nil {
		return err
	}
	made, err := e.requestBody(t)
	if err != nil {
		return err
	}
	status, ok := mockStatus(made)
	if !ok {
		return errStatusCode
	}
	e.rc.SetIntegration(gatekit.Integration{Status: status, Mock: true})
	return e.respond(w, &answer{status: status})
}

// pick returns the template for the request, or nil if its body may pass without one.
func (e *exchange) pick() (*Template, error) {
	t := e.rest.templates.forRequest(e.r.Header)
	switch {
	case t != nil, e.rest.passthrough == WhenNoMatch,
		e.rest.passthrough == WhenNoTemplates && len(e.rest.templates) == 0:
		e.chosen(t)
		return t, nil
	}
	return nil, unsupported
}

// conversion is what becomes of the request's body before anything sees it.
func (e *exchange) conversion() conversion {
	t := applicationJSON
	if values := e.r.Header["Content-Type"]; len(values) > 0 {
		t = mediatype.OfBody(values[0])
	}
	return requestConversion(e.rest.handling, e.rest.binary.Has(t))
}

// requestBody converts the body and renders the template over it, if there is one.
func (e *exchange) requestBody(t *Template) ([]byte, error) {
	c := e.conversion()
	if t != nil && c.binary() {
		return nil, errBinaryTemplate
	}
	body, err := convert(c, e.body)
	if err != nil || t == nil {
		return body, err
	}
	return e.render(t, body)
}

func convert(c conversion, body []byte) ([]byte, error) {
	switch c {
	case asText:
		return validText(body), nil
	case toBase64:
		return base64.StdEncoding.AppendEncode(nil, body), nil
	case toBytes:
		decoded, err := decodeBase64(string(body))
		if err != nil {
			return nil, errBase64
		}
		return decoded, nil
	}
	return body, nil
}
