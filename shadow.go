package gatekit

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"sync"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
)

// Shadow lets requests through that mw refuses, and reports them: a Shadow of an authorizer lets
// unauthenticated requests in. It puts a rule on trial with real traffic before the rule may refuse
// any of it.
//
// mw runs as it would. What it admits goes on as it admits it. What it refuses, through [Reject],
// is given to report with the refusal, and goes on as it came: the body is put back, and the
// headers and the fields of the RequestContext that mw has set are undone. An answer that mw gives
// in another way, such as that of a CORS preflight, stands. A panic passes through.
//
// A refusal behind mw is none of mw's, and answers as ever. A refusal that mw makes after the
// request went on is reported, and the answer that it got stands.
//
// report is called in the request's goroutine, before the request goes on. It must not keep the
// request, or change it or the Rejection. Up to 10 MiB of a body that mw reads are kept while it
// runs; it can't read more. Shadow panics if mw or report is nil, as both are literals in a
// program.
func Shadow(mw Middleware, report func(*http.Request, *Rejection)) Middleware {
	if mw == nil || report == nil {
		panic("gatekit: Shadow: want a middleware and a function to report to, got nil")
	}
	return func(next http.Handler) http.Handler {
		h := &shadow{report: report, next: next}
		h.rule = mw(&admitted{shadow: h})
		return h
	}
}

// maxTrialBody is the managed gateway's largest payload.
const maxTrialBody = 10 << 20

// shadow is a rule on trial, and what answers the requests that it would have refused.
type shadow struct {
	report func(*http.Request, *Rejection)
	rule   http.Handler
	next   http.Handler
}

// Station implements [Station].
func (h *shadow) Station() (kind string, next http.Handler) { return "shadow", h.rule }

func (h *shadow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := Attach(r)
	t := &trial{shadow: h, outer: rc.at.trial.Load(), r: r}
	header, known, integration := w.Header().Clone(), *rc, rc.Integration()
	hopbyhop.KeepTrailer(r)
	onTrial := r.Clone(r.Context())
	onTrial.Trailer = r.Trailer // a clone's own would stay empty
	if r.Body != nil && r.Body != http.NoBody {
		t.body = &keptBody{from: r.Body}
		onTrial.Body = t.body
	}

	h.try(rc, t, w, onTrial)
	why, wentOn := t.state()
	if why == nil || wentOn {
		return // answered: by what comes behind, or by the rule itself
	}
	clear(w.Header())
	maps.Copy(w.Header(), header)
	*rc = known
	rc.at.integration.Store(integration)
	r = r.WithContext(r.Context()) // a copy: the caller's request keeps its body
	if t.body != nil {
		r.Body = t.body.again()
	}
	h.report(r, why)
	h.next.ServeHTTP(w, r)
}

// try runs the rule. A panic ends the trial as well: who recovers from it may want to refuse the
// request.
func (h *shadow) try(rc *RequestContext, t *trial, w http.ResponseWriter, r *http.Request) {
	rc.at.trial.Store(t)
	defer rc.at.trial.CompareAndSwap(t, t.outer)
	h.rule.ServeHTTP(w, r)
}

// admitted is what a rule on trial calls if it admits the request.
type admitted struct{ shadow *shadow }

func (h *admitted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := From(r.Context())
	var t *trial
	if rc != nil {
		t = rc.at.trial.Load()
	}
	if t == nil || t.shadow != h.shadow { // the rule let the request go on after it had returned itself
		h.shadow.next.ServeHTTP(w, r)
		return
	}
	t.goesOn()
	rc.at.trial.Store(t.outer)
	defer rc.at.trial.Store(t) // what the rule refuses from now on is still only reported
	h.shadow.next.ServeHTTP(w, r)
}

// Station implements [Station].
func (h *admitted) Station() (kind string, next http.Handler) { return "admitted", h.shadow.next }

// trial is one request's way through a rule on trial.
type trial struct {
	shadow *shadow
	outer  *trial // of the Shadow around this one, if its rule is still running
	r      *http.Request
	body   *keptBody

	mu     sync.Mutex // a rule may run the rest in a goroutine of its own, as http.TimeoutHandler does
	why    *Rejection
	wentOn bool
}

// refused takes down what [Reject] was called for. The first reason counts: a client would have
// seen that.
func (t *trial) refused(why *Rejection) {
	t.mu.Lock()
	late := t.why == nil && t.wentOn
	if t.why == nil {
		t.why = why
	}
	t.mu.Unlock()
	if late {
		t.shadow.report(t.r, why)
	}
}

func (t *trial) goesOn() {
	t.mu.Lock()
	late := t.why != nil && !t.wentOn // refused, and goes on all the same
	t.wentOn = true
	t.mu.Unlock()
	if t.body != nil {
		t.body.forget()
	}
	if late {
		t.shadow.report(t.r, t.why)
	}
}

func (t *trial) state() (why *Rejection, wentOn bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.why, t.wentOn
}

// keptBody keeps what is read of a body, until it is told to forget.
type keptBody struct {
	from io.ReadCloser

	mu     sync.Mutex
	kept   []byte
	passes bool // nothing is kept any more
}

var errTrialBody = errors.New("gatekit: a rule on trial reads no more than 10 MiB of a body")

func (b *keptBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	passes, room := b.passes, maxTrialBody-len(b.kept)
	b.mu.Unlock()
	if passes {
		return b.from.Read(p)
	}
	if room == 0 {
		return 0, errTrialBody
	}
	n, err := b.from.Read(p[:min(len(p), room)])
	b.mu.Lock()
	b.kept = append(b.kept, p[:n]...)
	b.mu.Unlock()
	return n, err
}

// Close leaves the body open while the rule runs: who comes after it reads it again.
func (b *keptBody) Close() error {
	b.mu.Lock()
	passes := b.passes
	b.mu.Unlock()
	if !passes {
		return nil
	}
	return b.from.Close()
}

func (b *keptBody) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept, b.passes = nil, true
}

// again returns the whole body.
func (b *keptBody) again() io.ReadCloser {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.kept) == 0 {
		return b.from
	}
	return &rereadBody{kept: b.kept, ReadCloser: b.from}
}

type rereadBody struct {
	kept []byte
	io.ReadCloser
}

func (b *rereadBody) Read(p []byte) (int, error) {
	if len(b.kept) > 0 {
		n := copy(p, b.kept)
		b.kept = b.kept[n:]
		return n, nil
	}
	return b.ReadCloser.Read(p)
}
