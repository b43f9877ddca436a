package accesslog

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/latewriter"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// MaxEntry is how many bytes of an entry an execution log has; longer ones are cut. (Developer
// guide, "Set up CloudWatch logging for REST APIs".)
const MaxEntry = 1 << 10

// ExecutionConfig configures an [Execution].
type ExecutionConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Writer gets the entries of a request, one a line, in one call of Write when it is answered.
	// It is required; a [Writer] is one that requests don't wait for.
	Writer io.Writer
	// ErrorsOnly leaves out what went as it should: the managed gateway's level ERROR, in place of
	// INFO.
	ErrorsOnly bool
	// DataTrace adds bodies, of which the first bytes are read before anything else reads them.
	DataTrace bool
	// Secrets are names of headers and query parameters that are masked beside those that always
	// are, such as an authorizer's identity source. Case doesn't matter.
	Secrets []string
	// TestInvoke writes entries as the console's test does: each behind its time, and not behind
	// the request's ID.
	TestInvoke bool
	// Logger hears of a Writer that fails, at most once a minute. nil is slog.Default().
	Logger *slog.Logger
}

// Execution is an execution log of a REST API: what a method got, what became of it, what its
// backend was sent and what it answered, for who debugs templates. Make it with [NewExecution]; it
// is safe for concurrent use.
//
// It is two stations: Method around a method, behind the choice of its route, and Endpoint around
// the integration.
//
//	api.Handle("POST /orders", log.Endpoint("")(orders), log.Method, createOrder.Middleware)
type Execution struct {
	config  ExecutionConfig
	secrets []string // in lower case
	out     *output
}

// masked are names of headers and query parameters whose values are never shown.
var masked = []string{
	"authorization", "proxy-authorization", "x-api-key", "api-key", "api_key", "apikey", "cookie", "set-cookie",
	"x-auth-token", "x-access-token", "x-csrf-token", "x-xsrf-token", "x-amzn-oidc-accesstoken", "x-amzn-oidc-data",
	"sec-websocket-protocol", "client_assertion", "assertion", "auth_token", "jwt", "secret", "sig", "signature",
	"x-amz-security-token", "x-amz-signature", "x-amz-credential", "access_token", "id_token", "refresh_token",
	"token", "password", "client_secret", "x-forwarded-client-cert", "client-cert",
}

// NewExecution returns the log, or one error that names each field it refuses. It copies cfg.
func NewExecution(cfg ExecutionConfig) (*Execution, error) {
	m := mistakes.In("accesslog: ExecutionConfig")
	m.Require(cfg.Writer != nil, "Writer", "want an io.Writer, got nil")
	for i, name := range cfg.Secrets {
		m.Under("Secrets").Index(i).Require(name != "", "", "want a name, got none")
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	x := &Execution{config: cfg, out: &output{to: cfg.Writer, faults: faults{log: cfg.Logger}}}
	x.secrets = slices.Clone(masked)
	for _, name := range cfg.Secrets {
		x.secrets = append(x.secrets, strings.ToLower(name))
	}
	return x, nil
}

// Method writes the entries of each request that next answers.
func (x *Execution) Method(next http.Handler) http.Handler { return &executed{x, next} }

type executed struct {
	log  *Execution
	next http.Handler
}

// Station implements [gatekit.Station].
func (h *executed) Station() (kind string, next http.Handler) { return "execution log", h.next }

func (h *executed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	x := h.log
	t := &transcript{log: x, id: rc.RequestID()}
	var notes gatekit.Notes
	answer := &watched{log: x}
	answer.Init(w, answer)
	if !x.config.ErrorsOnly {
		notes = rc.KeepNotes(gatekit.KeepTexts)
		t.began(rc, r)
	}
	returned := false
	defer func() { // a panic goes on
		t.ended(rc, notes, answer, !returned)
		notes.Release()
		if len(t.text) > 0 {
			x.out.write(t.text)
		}
	}()
	h.next.ServeHTTP(answer, r)
	returned = true
}

// Endpoint returns the station around the integration, which uri names: "" is the URL of the
// request that it gets. It works behind Method alone.
func (x *Execution) Endpoint(uri string) gatekit.Middleware {
	return func(next http.Handler) http.Handler { return &endpoint{log: x, uri: uri, next: next} }
}

type endpoint struct {
	log  *Execution
	uri  string
	next http.Handler
}

// Station implements [gatekit.Station].
func (h *endpoint) Station() (kind string, next http.Handler) { return "execution log", h.next }

func (h *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, x := gatekit.From(r.Context()), h.log
	if !rc.Keeps(gatekit.KeepTexts) {
		h.next.ServeHTTP(w, r)
		return
	}
	say := func(text string) {
		rc.Note(gatekit.Note{Phase: gatekit.PhaseIntegration, Text: text, Began: time.Now()})
	}
	uri := h.uri
	if uri == "" {
		uri = x.url(r)
	}
	say("Endpoint request URI: " + uri)
	say("Endpoint request headers: " + x.headers(r.Header, r.Host))
	if x.config.DataTrace {
		say("Endpoint request body after transformations: " + peek(r))
	}
	say("Sending request to " + uri)
	answer := &watched{log: x}
	answer.Init(w, answer)
	began := time.Now()
	h.next.ServeHTTP(answer, r)
	took := time.Since(began)
	if i := rc.Integration(); i != nil {
		took = i.Latency
	}
	if rc.Rejection() != nil {
		return // what is sent then isn't the endpoint's
	}
	say("Received response. Status: " + answer.statusText() + ", Integration latency: " + millis(took) + " ms")
	say("Endpoint response headers: " + answer.headers(w))
	if x.config.DataTrace {
		say("Endpoint response body before transformations: " + string(answer.body))
	}
}

// watched is a ResponseWriter that keeps what an execution log shows of an answer.
type watched struct {
	latewriter.Writer
	log    *Execution
	status int
	header string
	body   []byte // the first bytes
}

// Commit implements latewriter.Committer.
func (w *watched) Commit(status int) int {
	w.status = status
	w.header = w.log.headers(w.Header(), "")
	return status
}

// WriteBody implements latewriter.Body.
func (w *watched) WriteBody(to http.ResponseWriter, b []byte) (int, error) {
	n, err := to.Write(b)
	if room := MaxEntry - len(w.body); w.log.config.DataTrace && room > 0 {
		w.body = append(w.body, b[:min(n, room)]...)
	}
	return n, err
}

func (w *watched) statusText() string {
	if w.status == 0 {
		return "200"
	}
	return strconv.Itoa(w.status)
}

// headers are those that were sent, or, of an answer that wrote nothing, those that will be.
func (w *watched) headers(to http.ResponseWriter) string {
	if w.status == 0 {
		return w.log.headers(to.Header(), "")
	}
	return w.header
}

// peek returns the first bytes of a request's body, which it still has.
func peek(r *http.Request) string {
	if r.Body == nil || r.Body == http.NoBody {
		return ""
	}
	first := make([]byte, MaxEntry)
	n, _ := io.ReadFull(r.Body, first) // what went wrong shows again to who reads on
	r.Body = &peeked{first: first[:n], ReadCloser: r.Body}
	return string(first[:n])
}

// peeked is a body whose beginning has been read.
type peeked struct {
	first []byte
	io.ReadCloser
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.first) == 0 {
		return p.ReadCloser.Read(b)
	}
	n := copy(b, p.first)
	p.first = p.first[n:]
	return n, nil
}

// url is a URL with its secrets masked.
func (x *Execution) url(r *http.Request) string {
	u := *r.URL
	u.User = nil
	if u.RawQuery == "" {
		return u.String()
	}
	var b strings.Builder
	for rest, more := u.RawQuery, true; more; {
		part := rest
		if i := strings.IndexAny(rest, "&;"); i >= 0 { // some backends divide at both
			part = rest[:i+1]
		}
		b.WriteString(x.parameter(part))
		rest = rest[len(part):]
		more = rest != ""
	}
	u.RawQuery = b.String()
	return u.String()
}

// parameter is a part of a query, with the separator behind it, that shows no secret. A name that
// can't be read may be one.
func (x *Execution) parameter(part string) string {
	name, value, ok := strings.Cut(part, "=")
	if !ok {
		return part
	}
	plain, err := url.QueryUnescape(name) // as the backend reads it
	if err == nil && !x.secret(plain) {
		return part
	}
	value = strings.TrimRight(value, "&;")
	return name + "=" + maskedAs(plain, value) + part[len(name)+1+len(value):]
}

func (x *Execution) secret(name string) bool {
	return slices.Contains(x.secrets, strings.ToLower(name))
}

// headers prints a header as Java does a map, by name. Of host, "" is none.
func (x *Execution) headers(h http.Header, host string) string {
	all := make(map[string][]string, len(h)+1)
	for name, values := range h {
		if len(values) > 0 {
			all[name] = values
		}
	}
	if host != "" && len(h["Host"]) == 0 && httpword.IsHost(httpword.Host(host)) {
		all["Host"] = []string{host}
	}
	return x.printed(all)
}
