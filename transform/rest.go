package transform

import (
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonpath"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/selector"
	"github.com/gatekit-go/gatekit/internal/traceid"
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
	e.rc.SetIntegration(gatekit.Integration{Status: status})
	return e.respond(w, &answer{status: status})
}

// pick returns the template for the request, or nil if its body may pass without one.
func (e *exchange) pick() (*Template, error) {
	t := e.rest.templates.forRequest(e.r.Header)
	switch {
	case t != nil, e.rest.passthrough == WhenNoMatch, e.rest.passthrough == WhenNoTemplates && len(e.rest.templates) == 0:
		return t, nil
	}
	return nil, unsupported
}

// conversion is what becomes of the request's body before anything sees it.
func (e *exchange) conversion() conversion {
	t := applicationJSON
	if values := e.r.Header["Content-Type"]; len(values) > 0 {
		t = mediaType(values[0])
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

// mapped serves integrations of the types HTTP and AWS.
func (e *exchange) mapped(w http.ResponseWriter, next http.Handler) error {
	t, err := e.pick()
	if err != nil {
		return err
	}
	stream := t == nil && !e.rest.mapsBody && e.conversion() == asIs && e.rest.kind != AWS
	var body io.ReadCloser
	var length int64
	if stream {
		if length = e.r.ContentLength; length > e.rest.maxBody {
			return tooLarge
		}
		body = http.MaxBytesReader(w, e.r.Body, e.rest.maxBody)
	} else {
		if err := e.readBody(); err != nil {
			return err
		}
		made, err := e.requestBody(t)
		if err != nil {
			return err
		}
		if len(made) == 0 && e.rest.kind == AWS {
			made = []byte(emptyObject)
		}
		body, length = bodyOf(made), int64(len(made))
	}
	out, err := e.integrationRequest(e.defaultHeader(length != 0))
	if err != nil {
		return err
	}
	out.Body, out.ContentLength = body, length
	began := time.Now()
	c := &capture{exchange: e, header: http.Header{}}
	c.Init(w, c)
	next.ServeHTTP(c, out)
	if e.rc.Integration() == nil { // before the response is made, which may show it
		e.rc.SetIntegration(gatekit.Integration{Status: cmp.Or(c.Status(), http.StatusOK), Latency: time.Since(began)})
	}
	return c.finish()
}

// defaultHeader is what the managed gateway sends to backends by itself. (Recorded.)
func (e *exchange) defaultHeader(body bool) http.Header {
	api := e.rc.API.APIID
	if api == "" {
		api = unknownAPI
	}
	h := http.Header{
		"Accept":          {applicationJSON},
		"User-Agent":      {"AmazonAPIGateway_" + api},
		"X-Amzn-Trace-Id": {e.trace()},
	}
	if e.rest.kind == HTTP {
		h["X-Amzn-Apigateway-Api-Id"] = []string{api}
	}
	switch method := e.r.Method; { // the client's: a GET that becomes a POST has none (recorded)
	case e.rest.kind == HTTP && (method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions):
	case len(e.r.Header["Content-Type"]) > 0:
		h["Content-Type"] = e.r.Header["Content-Type"][:1:1]
	case body:
		h["Content-Type"] = []string{applicationJSON}
	}
	return h
}

// trace is the request's X-Amzn-Trace-Id, on its way to the backend and back.
func (e *exchange) trace() string {
	if e.traceID == "" {
		e.traceID = traceid.New(e.r.Header["X-Amzn-Trace-Id"], true, e.rc.ExtendedRequestID, e.rc.Time).String()
	}
	return e.traceID
}

// unknownAPI stands for an API that nobody has described, as in ARNs.
const unknownAPI = "unknown"

func (e *exchange) method() string {
	switch {
	case e.rest.method != "":
		return e.rest.method
	case e.rest.lambda:
		return http.MethodPost
	}
	return e.r.Method
}

// integrationRequest applies mappings, and what the template has overridden, to the headers that go
// out anyway.
func (e *exchange) integrationRequest(h http.Header) (*http.Request, error) {
	t := e.rest
	var over Override
	if e.context != nil {
		var err error
		if over, err = e.context.request.exported(http.CanonicalHeaderKey); err != nil {
			return nil, err
		}
	}
	host := ""
	paths := map[string]pathValue{}
	queries := map[string][]string{}
	for i := range t.mappings {
		m := &t.mappings[i]
		values, err := e.values(&m.from, nil)
		if errors.Is(err, errBodyNotJSON) {
			return nil, unreadable
		}
		if err != nil {
			return nil, err
		}
		if len(values) == 0 {
			continue
		}
		switch m.place {
		case "header":
			setHeader(t.kind, h, &host, m.name, values)
		case "querystring":
			queries[m.name] = values
		case "path":
			v := pathValue{text: values[0], segments: m.from.Kind != selector.PathVariable}
			if m.from.Kind == selector.PathVariable {
				v.escaped, _, _ = gatekit.PathVariable(e.r, m.from.Name)
			}
			paths[m.name] = v
		}
	}
	for _, name := range sortedKeys(over.Header) {
		values := over.Header[name]
		if !parameterName.MatchString(name) || failsAsRequestHeader(t.kind, name) {
			return nil, errHeader
		}
		setHeader(t.kind, h, &host, name, []string{strings.Join(values, ",")})
	}
	for name, values := range over.Path {
		paths[name] = pathValue{text: strings.Join(values, ","), segments: true}
	}
	maps.Copy(queries, over.QueryString)
	return e.build(h, host, paths, queries)
}

// build puts the integration request together. Without a URI the path stays the client's.
func (e *exchange) build(h http.Header, host string, paths map[string]pathValue, queries map[string][]string) (*http.Request, error) {
	t := e.rest
	path := gatekit.PathOf(e.r)
	target := &url.URL{}
	if requestpath.Set(target, path.Told(e.r.URL).String()) != nil {
		return nil, badPath
	}
	if t.uri != nil {
		built, err := integrationURL(t.uri, paths, e.rc.API.Variables)
		if err != nil {
			return nil, err
		}
		target = built
		if host == "" {
			host = built.Host
		}
	}
	var query strings.Builder
	query.WriteString(target.RawQuery)
	if t.kind == HTTPProxy && e.r.URL.RawQuery != "" {
		if query.Len() > 0 {
			query.WriteByte('&')
		}
		query.WriteString(e.r.URL.RawQuery)
	}
	for _, name := range sortedKeys(queries) {
		for _, value := range queries[name] {
			appendQuery(&query, name, value)
		}
	}
	target.RawQuery = query.String()
	requestpath.Settle(&e.rc.Path, e.r.URL, e.rc.API.Flavor == gatekit.REST)
	out := withHeader(e.r, h, target)
	out.Method, out.RequestURI = e.method(), ""
	if host != "" {
		out.Host = host
		e.rc.SetOverwritten(true, false)
	}
	for name, value := range paths {
		out.SetPathValue(name, value.text)
	}
	return out, nil
}

// setHeader sets a mapped header, unless it is one that backends never see.
func setHeader(kind IntegrationType, h http.Header, host *string, name string, values []string) {
	switch {
	case neverSent(kind, name):
	case name == "Host":
		*host = ""
		if httpword.IsHost(values[0]) {
			*host = values[0]
		}
	default:
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = headerText(v)
		}
		h[name] = list
	}
}

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
	return responseConversion(chosen.handling, e.rest.binary.Has(h.Get("Content-Type")), e.rest.binary.Has(e.r.Header.Get("Accept")))
}

// respond turns an answer into the method's response.
func (e *exchange) respond(w http.ResponseWriter, a *answer) error {
	chosen := e.choose(a.status)
	if chosen == nil {
		return errNoResponse
	}
	t := chosen.templates.forResponse(e.r.Header.Get("Accept"))
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
