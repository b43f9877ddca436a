package crs

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/corazawaf/coraza/v3/types"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf/internal/bodyfront"
)

// errPanic is a fault of the engine's. What it has panicked with may be the request's own text.
var errPanic = errors.New("crs: the engine has panicked")

// exchange is a request and its answer before the engine.
type exchange struct {
	set     *RuleSet
	r       *http.Request
	tx      types.Transaction
	stopped bool
	verdict Verdict
}

// begin judges the request. Whoever calls it calls end.
func (s *RuleSet) begin(r *http.Request) *exchange {
	x := &exchange{set: s, r: r}
	x.guard(func() error {
		x.tx = s.engine.NewTransactionWithID("-") // nobody reads its ID: a random one costs
		return x.request()
	})
	return x
}

// guard runs a step of the engine's, unless one has failed. Panics are faults.
func (x *exchange) guard(step func() error) {
	if x.verdict.Fault != nil {
		return
	}
	defer func() {
		if recover() != nil {
			x.verdict.Fault = errPanic
		}
	}()
	if err := step(); err != nil {
		x.verdict.Fault = fmt.Errorf("crs: %w", err)
	}
}

// refused reports whether the request, or its answer, isn't to go on.
func (x *exchange) refused() bool {
	if x.verdict.Fault != nil {
		return !x.set.cfg.FailOpen
	}
	return x.stopped // never with DetectionOnly
}

// request runs the phases 1 and 2.
func (x *exchange) request() error {
	r, tx := x.r, x.tx
	uri := r.RequestURI
	if uri == "" { // a request that no server has read
		uri = r.URL.RequestURI()
	}
	if sizeOf(r, uri) > maxHeader && x.tooLarge(headerTooLarge) ||
		cookiesOf(r) > maxArguments && x.tooLarge(tooManyCookies) {
		return nil
	}
	x.connection()
	tx.ProcessURI(uri, r.Method, r.Proto)
	x.behindHash(uri)
	for name, values := range r.Header {
		for _, value := range values {
			tx.AddRequestHeader(name, value)
		}
	}
	if r.Host != "" { // what net/http takes out of the header
		tx.AddRequestHeader("Host", r.Host)
		tx.SetServerName(r.Host)
	}
	for _, coding := range r.TransferEncoding {
		tx.AddRequestHeader("Transfer-Encoding", coding)
	}
	if _, said := r.Header["Content-Length"]; !said && r.ContentLength > 0 { // no server has read it
		tx.AddRequestHeader("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	for name := range r.Trailer {
		tx.AddRequestHeader("Trailer", name)
	}
	if tx.ProcessRequestHeaders() != nil {
		x.stopped = true
		return nil
	}
	return x.body()
}

// behindHash tells the engine the arguments behind a "#". It takes that for the beginning of a
// fragment, which no request has; net/http, and so the handler, doesn't.
func (x *exchange) behindHash(uri string) {
	if !strings.Contains(uri, "#") {
		return
	}
	_, query, _ := strings.Cut(uri, "?")
	values, _ := url.ParseQuery(query) // as far as it parses; what doesn't, the handler isn't given either
	for name, list := range values {
		for _, value := range list {
			x.tx.AddGetRequestArgument(name, value)
		}
	}
}

func (x *exchange) connection() {
	client := ""
	if addr := gatekit.SourceIP(x.r); addr.IsValid() {
		client = addr.Unmap().String()
	}
	from, _ := netip.ParseAddrPort(x.r.RemoteAddr)
	var to netip.AddrPort
	if addr, ok := x.r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		to = addr.AddrPort()
	}
	server := ""
	if to.IsValid() {
		server = to.Addr().Unmap().String()
	}
	x.tx.ProcessConnection(client, int(from.Port()), server, int(to.Port()))
}

// body runs phase 2, with as much of the body as is judged. A body that is too large is refused
// before it is read, if it says so. The one byte beyond the limit is the engine's limit: it judges
// what it has when it is given that.
func (x *exchange) body() error {
	limit, pass := x.set.cfg.RequestBodyLimit, x.set.cfg.InsecurePassLargerBodies
	if x.tx.IsRequestBodyAccessible() {
		if x.r.ContentLength > int64(limit) && !pass && x.tooLarge(bodyTooLarge) {
			return nil
		}
		front, _ := bodyfront.Read(x.r, limit+1)
		if len(front) > limit && !pass && x.tooLarge(bodyTooLarge) {
			return nil
		}
		if len(front) > 0 {
			stopped, _, err := x.tx.WriteRequestBody(front)
			if x.stopped = stopped != nil; x.stopped || err != nil {
				return err
			}
		}
	}
	stopped, err := x.tx.ProcessRequestBody()
	x.stopped = stopped != nil || x.tx.Interruption() != nil
	return err
}

// sizeOf is about what the request line and the header take.
func sizeOf(r *http.Request, uri string) int {
	n := len(r.Method) + len(uri) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value)
		}
	}
	return n
}

// cookiesOf is how many cookies there are at most. The engine has a limit for arguments only.
func cookiesOf(r *http.Request) (n int) {
	for _, line := range r.Header["Cookie"] {
		n += 1 + strings.Count(line, ";")
	}
	return n
}

var (
	bodyTooLarge = Finding{RuleID: RuleBodyTooLarge, Severity: "critical", Variables: []string{"REQUEST_BODY"},
		Message: "The body is larger than RequestBodyLimit"}
	headerTooLarge = Finding{RuleID: RuleHeaderTooLarge, Severity: "critical", Variables: []string{"REQUEST_HEADERS"},
		Message: "The request line and the header are too large"}
	tooManyCookies = Finding{RuleID: RuleTooManyArguments, Severity: "critical", Variables: []string{"REQUEST_COOKIES"},
		Message: "Too many cookies"}
)

// tooLarge notes what is too large, and reports whether that ends the evaluation.
func (x *exchange) tooLarge(f Finding) bool {
	if x.verdict.Rule != f.RuleID {
		f.Variables = slices.Clone(f.Variables)
		x.verdict.Findings = append(x.verdict.Findings, f)
	}
	x.verdict.Rule = f.RuleID
	x.stopped = !x.set.cfg.DetectionOnly
	return x.stopped
}

// end closes the transaction and returns the verdict.
func (x *exchange) end() *Verdict {
	v := &x.verdict
	if x.tx != nil {
		x.guard(func() error {
			x.tx.ProcessLogging()
			v.collect(x.set, x.tx)
			return nil
		})
		x.close()
	}
	v.Blocked = x.refused()
	if v.Fault != nil && !v.Blocked {
		x.set.report(x.r, v.Fault)
	}
	return v
}

// close gives back what the transaction holds, also after a fault.
func (x *exchange) close() {
	defer func() { _ = recover() }() // what can't be given back is the garbage collector's
	_ = x.tx.Close()                 // it says that a temporary file is gone already
}
