package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/selector"
	"github.com/gatekit-go/gatekit/internal/traceid"
	"github.com/gatekit-go/gatekit/internal/upstream"
)

// serviceCall is one call of a service.
type serviceCall struct {
	upstream.Exchange
	service *Service
	rc      *gatekit.RequestContext
	flavor  gatekit.Flavor
	client  http.ResponseWriter
	answer  heldAnswer // in the client's place, until it is whole
	host    string     // of the service, for causes
}

// heldAnswer keeps a body, up to its bound.
type heldAnswer struct {
	header http.Header
	body   bytes.Buffer
	most   int64
}

func (h *heldAnswer) Header() http.Header { return h.header }
func (h *heldAnswer) WriteHeader(int)     {}
func (h *heldAnswer) Write(b []byte) (int, error) {
	if int64(h.body.Len()+len(b)) > h.most {
		return 0, errResponseTooLarge
	}
	return h.body.Write(b)
}

// prepare gets a key, signs, and fills in what is sent.
func (x *serviceCall) prepare(ctx context.Context, r *http.Request, to *serviceRequest) error {
	s := x.service
	key, err := s.config.Credentials(ctx)
	if err != nil {
		return fmt.Errorf("integration: ServiceConfig.Credentials: %w", err)
	}
	if !key.usable() {
		return errCredentials
	}
	address, host, scheme := to.host, to.host, "https"
	if e := s.endpoint; e != nil {
		address, host, scheme = e.Host, e.Host, e.Scheme
		if to.service.Subdomain != "" {
			host = to.service.Subdomain + "." + e.Host
		}
	}
	if err := to.sign(key, host, time.Now()); err != nil {
		return err
	}
	x.host = to.host
	x.URL.Scheme, x.URL.Host, x.URL.RawQuery = scheme, address, to.query
	if requestpath.Set(&x.URL, to.path) != nil {
		return badTarget
	}
	if len(to.header["User-Agent"]) == 0 {
		to.header["User-Agent"] = nil // keeps the transport from writing its own
	}
	x.Out.Method, x.Out.URL, x.Out.Host, x.Out.Header = to.method, &x.URL, host, to.header
	x.Out.Proto, x.Out.ProtoMajor, x.Out.ProtoMinor = "HTTP/1.1", 1, 1
	// What the exchange knows as the client is this request, whose body is at hand, and an answer
	// that is kept: nobody waits for the real one in between.
	in := *r.WithContext(ctx)
	in.Body, in.ContentLength, in.Trailer = http.NoBody, int64(len(to.body)), nil
	x.answer.header, x.answer.most = http.Header{}, s.maxResponse
	x.W, x.In = &x.answer, &in
	if len(to.body) > 0 {
		in.Body = io.NopCloser(bytes.NewReader(to.body))
		x.SetBody(s.pool, 0)
	}
	return nil
}

// serve sends the request, and answers.
func (x *serviceCall) serve(r *http.Request) {
	x.OnFailure = failureNotes(x.rc, true)
	x.Start(x.service.pool, x.service.timeout[x.flavor])
	defer x.End()
	res, err := x.Send()
	status, outcome := 0, gatekit.Integration{}
	if err == nil {
		status = res.StatusCode
		setIDs(&outcome, res.Header)
		err = x.read(res)
	}
	outcome.Status, outcome.Err, outcome.Latency = status, err, time.Since(x.Began)
	x.rc.SetIntegration(outcome)
	switch {
	case x.ClientGone():
		panic(http.ErrAbortHandler) // nobody is there to read an answer
	case errors.Is(err, errResponseTooLarge):
		refuseService(x.client, r, responseTooLarge[x.flavor == gatekit.REST])
	case err != nil:
		refuseService(x.client, r, failure(x.Out.Method, "https://"+x.host, err, x.flavor, false))
	case x.service.subtype != nil && !x.service.config.PassErrors && (status < 200 || status > 299):
		code := serviceError(res.Header, x.answer.body.Bytes())
		refuseService(x.client, r, fmt.Errorf("integration: %s answered %d %s", x.host, status, code))
	default:
		x.pass(res)
	}
}

// read keeps the answer's body.
func (x *serviceCall) read(res *http.Response) error {
	defer res.Body.Close()
	if x.Out.Method == http.MethodHead {
		x.Answered()
		return nil
	}
	if res.ContentLength > x.service.maxResponse {
		return errResponseTooLarge
	}
	if res.ContentLength == 0 {
		x.Answered()
		return nil
	}
	err := x.Copy(res.Body, res.ContentLength, false)
	switch {
	case err == nil || errors.Is(err, errResponseTooLarge):
		return err
	case x.In.Context().Err() != nil:
		return context.Cause(x.In.Context())
	}
	return fmt.Errorf("read the answer: %w", err)
}

// pass answers the client.
func (x *serviceCall) pass(res *http.Response) {
	hopbyhop.Drop(res.Header, nil)
	delete(res.Header, "X-Amz-Apigw-Id")
	delete(res.Header, "Apigw-Requestid")
	delete(res.Header, "Trailer")
	out := x.client.Header()
	for name, values := range res.Header {
		if prior := out[name]; len(prior) > 0 {
			values = append(prior[:len(prior):len(prior)], values...)
		}
		out[name] = values
	}
	body := x.answer.body.Bytes()
	if httpword.BodyAllowed(res.StatusCode) && x.Out.Method != http.MethodHead {
		out["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	x.client.WriteHeader(res.StatusCode)
	if httpword.BodySent(x.In.Method, res.StatusCode) {
		_, _ = x.client.Write(body) // a client that went away is no fault of ours
	}
}

// serviceError is the word by which a service names its refusal, for the log: none of its
// sentences, which repeat what was asked.
func serviceError(h http.Header, body []byte) string {
	code, _, _ := strings.Cut(h.Get("X-Amzn-Errortype"), ":")
	if code == "" && jsonscan.Valid(body) {
		for name, value := range jsonscan.Members(body) {
			if jsonscan.Is(name, "__type") {
				code, _ = jsonscan.Text(value)
			}
		}
	}
	if _, in, ok := strings.Cut(string(body[:min(len(body), 4096)]), "<Code>"); code == "" && ok {
		code, _, _ = strings.Cut(in, "<")
	}
	code = code[strings.LastIndexByte(code, '#')+1:]
	return errorCode(code)
}

// text is what a parameter is filled with. A part of the body is looked for in its first 100 KB, as
// everywhere in HTTP APIs; $request.body alone is all of it. Where the text is JSON with selectors
// within its strings, what they find stays within them: a quote from outside would end the string.
func (p *serviceParameter) text(m selector.Message) (string, bool) {
	whole := m.Body
	part := whole[:min(len(whole), maxMappedBody)]
	json := len(p.value) > 1 && strings.HasPrefix(strings.TrimLeft(p.value[0].Name, " \t\r\n"), "{") &&
		p.value[0].Kind == selector.Literal
	var b []byte
	quoted := false
	for i := range p.value {
		s := &p.value[i]
		m.Body = part
		if s.Kind == selector.Body {
			m.Body = whole
		}
		text, found := s.Joined(&m)
		switch {
		case !found:
			return "", false
		case json && s.Kind == selector.Literal:
			quoted = endsQuoted(text, quoted)
			b = append(b, text...)
		case json && quoted:
			b = jsonlex.AppendInner(b, text)
		default:
			b = append(b, text...)
		}
	}
	return string(b), true
}

// maxMappedBody is how much of a body JSON paths see. (Developer guide, "Work with AWS service
// integrations for HTTP APIs".)
const maxMappedBody = 100 << 10

// endsQuoted reports whether a string of JSON is open at the end of text, if one was at its
// beginning.
func endsQuoted(text string, quoted bool) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case quoted && text[i] == '\\':
			i++
		}
	}
	return quoted
}

func traceOf(rc *gatekit.RequestContext, r *http.Request) string {
	return traceid.Of(rc, r.Header["X-Amzn-Trace-Id"], false, rc.Time).String()
}

func splitQuery(query string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			if pair != "" && !yield(pair) {
				return
			}
		}
	}
}

func indexOr(text string, c byte) int {
	if i := strings.IndexByte(text, c); i >= 0 {
		return i
	}
	return len(text)
}

func plusAsBlank(query string) string { return strings.ReplaceAll(query, "+", "%20") }
