package transform

import (
	"bufio"
	"net"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/latewriter"
)

// answer is what an integration answered.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	document jsonpath.Document
}

// choose returns the integration response for an answer: the first whose pattern fits the error
// message of a Lambda function, or the status, else the default. (Developer guide, "Set up an
// integration response"; Go's . doesn't match a line end either.)
func (e *exchange) choose(status int) *response {
	text := strconv.Itoa(status)
	if e.rest.lambda {
		text = ""
		if i := e.rc.Integration(); i != nil {
			text = i.FunctionError
		}
	}
	var fallback *response
	for i := range e.rest.responses {
		r := &e.rest.responses[i]
		if r.pattern == nil {
			fallback = r
		} else if r.pattern.MatchString(text) {
			return r
		}
	}
	return fallback
}

// conversionOf is what becomes of an answer's payload.
func (e *exchange) conversionOf(chosen *response, h http.Header) conversion {
	return responseConversion(chosen.handling, e.rest.binary.Has(h.Get("Content-Type")),
		e.rest.binary.Has(e.r.Header.Get("Accept")))
}

// respond turns an answer into the method's response.
func (e *exchange) respond(w http.ResponseWriter, a *answer) error {
	chosen := e.choose(a.status)
	if chosen == nil {
		return errNoResponse
	}
	t := chosen.templates.forResponse(e.r.Header.Get("Accept"))
	e.responding(chosen, t)
	c := e.conversionOf(chosen, a.header)
	if t != nil && c.binary() {
		return errBinaryTemplate
	}
	payload, err := convert(c, a.body)
	if err != nil {
		return err
	}
	body := payload
	if t != nil {
		if body, err = e.render(t, payload); err != nil {
			return err
		}
	}
	h, status, err := e.responseHeader(chosen, &answer{status: a.status, header: a.header, body: payload})
	if err != nil {
		return err
	}
	if httpword.BodyAllowed(status) {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	setHeaders(w, h)
	w.WriteHeader(status)
	if httpword.BodySent(e.r.Method, status) {
		_, _ = w.Write(body) // a client that went away is no fault of ours
	}
	return nil
}

// setHeaders adds h to what stations further out have set.
func setHeaders(w http.ResponseWriter, h http.Header) {
	to := w.Header()
	for name, values := range h {
		to[name] = values
	}
}

// responseHeader applies mappings, and what the templates have overridden.
func (e *exchange) responseHeader(chosen *response, a *answer) (http.Header, int, error) {
	h := http.Header{"Content-Type": {applicationJSON}}
	if e.rest.kind != Mock {
		h["X-Amzn-Trace-Id"] = []string{e.trace()}
	}
	set := func(name string, values []string) {
		if name = remapped(name, true); name == "" || len(values) == 0 {
			return
		}
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = headerText(v)
		}
		h[name] = list
	}
	for i := range chosen.mappings {
		m := &chosen.mappings[i]
		values, err := e.values(&m.from, a)
		if err != nil {
			return nil, 0, err
		}
		set(m.name, values)
	}
	status := chosen.status
	if e.context != nil {
		over, err := e.context.response.exported(http.CanonicalHeaderKey)
		if err != nil {
			return nil, 0, err
		}
		for _, name := range sortedKeys(over.Header) {
			if !parameterName.MatchString(name) {
				return nil, 0, errHeader
			}
			set(name, over.Header[name])
		}
		if over.Status != 0 {
			status = over.Status
		}
	}
	return h, status, nil
}

// capture takes the answer of an integration whose response is mapped. It keeps the body if
// something needs it, else it streams; a refusal of the gateway's own passes as it is.
type capture struct {
	latewriter.Writer
	exchange *exchange
	header   http.Header // the integration's

	response http.Header // the method's, of an answer that streams
	as       int         // its status
	text     bool        // whether what is streamed is text
	rest     []byte      // an unfinished character of it
	err      error       // why there is no answer
}

// keptText is up to what length text is kept that could be streamed.
const keptText = 1 << 20

// Header returns the integration's.
func (c *capture) Header() http.Header { return c.header }

// Inform stops what the integration says before its answer.
func (c *capture) Inform(int) bool { return false }

// Hijack fails: a mapped response has no connection to take over.
func (c *capture) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

// Keep decides whether the answer is kept, or streams. An HTTP integration's streams where nothing
// looks into its body; what a function has failed of may become known only when it is done.
func (c *capture) Keep(status int) (int64, bool) {
	e := c.exchange
	if e.rc.Rejection() != nil {
		c.response, c.as = c.header, status
		return 0, false
	}
	most := e.rest.maxBody
	if e.rest.kind != HTTP {
		return most, true
	}
	chosen := e.choose(status)
	if chosen == nil || chosen.templates != nil || needsBody(chosen.mappings) {
		return most, true
	}
	conversion := e.conversionOf(chosen, c.header)
	if conversion != asText && conversion != asIs {
		return most, true
	}
	if length, err := strconv.Atoi(c.header.Get("Content-Length")); err == nil && conversion == asText &&
		length <= keptText {
		return most, true // its length may change, and yet is to be told
	}
	if c.response, c.as, c.err = e.responseHeader(chosen, &answer{status: status, header: c.header}); c.err != nil {
		return 0, true // of which nothing is taken
	}
	e.responding(chosen, nil)
	c.text = conversion == asText
	if length := c.header["Content-Length"]; !c.text && len(length) == 1 {
		c.response["Content-Length"] = length
	}
	return 0, false
}

// Commit sends what Keep has made of the header.
func (c *capture) Commit(int) int {
	setHeaders(c.ResponseWriter, c.response)
	return c.as
}

// WriteBody makes text valid on the way.
func (c *capture) WriteBody(w http.ResponseWriter, b []byte) (int, error) {
	if !c.text || len(c.rest) == 0 && utf8.Valid(b) {
		return w.Write(b)
	}
	text, rest := appendValidText(nil, append(c.rest, b...))
	c.rest = append([]byte(nil), rest...)
	_, err := w.Write(text)
	return len(b), err
}

// finish answers, once the integration is done.
func (c *capture) finish() error {
	c.Finish()
	switch {
	case c.err != nil:
		return c.err
	case c.Overflowed():
		return &gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: http.StatusBadGateway,
			Cause: errAnswerTooLarge}
	case c.Kept():
		return c.exchange.respond(c.ResponseWriter, &answer{status: c.Status(), header: c.header, body: c.Held()})
	case len(c.rest) > 0:
		_, _ = c.ResponseWriter.Write(utf8.AppendRune(nil, utf8.RuneError))
	}
	return nil
}
