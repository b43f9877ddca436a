package waf

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
)

// Middleware judges requests in front of next. What the ACL allows goes on, with the headers that
// its rules insert; what it blocks is answered with the rule's custom response, or in the API's
// form, which is 403 and of type WAFFiltered.
func (a *ACL) Middleware(next http.Handler) http.Handler { return &station{a, next} }

type station struct {
	acl  *ACL
	next http.Handler
}

// Station implements [gatekit.Station].
func (h *station) Station() (kind string, next http.Handler) { return "waf", h.next }

func (h *station) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := gatekit.From(r.Context()) // only written to where there is one: attaching one costs
	began := rc.Clock()
	s := h.acl.begin(r)
	s.evaluate()
	act, why := s.action(), s.faulty()
	if rc.Keeps(gatekit.KeepOutcomes) {
		s.note(rc, began, act, why)
	}
	if h.acl.cfg.Log != nil {
		if of := s.record(); h.acl.cfg.LoggingFilter.keeps(of) {
			h.acl.cfg.Log(of)
		}
	}
	allowed := why == nil && act.kind == actionAllow
	if allowed {
		r = s.insert(act)
	}
	h.acl.release(s)
	switch {
	case allowed:
		rc.SetWebACL(&h.acl.allowed)
		h.next.ServeHTTP(w, r)
	case why != nil:
		rc.SetWebACL(&h.acl.blocked)
		gatekit.Reject(w, r, why)
	default:
		rc.SetWebACL(&h.acl.blocked)
		act.refuse(w, r)
	}
}

// faulty is how a request is refused that a rule couldn't judge; nil if all could.
func (s *state) faulty() *gatekit.Rejection {
	if s.err == nil {
		return nil
	}
	return &gatekit.Rejection{
		Type: gatekit.WAFFiltered, Cause: fmt.Errorf("waf: rule %s can't be judged: %w", s.last.name(), s.err),
	}
}

// insert returns the request with the headers that rules insert, of equal names the last one. They
// replace a client's.
func (s *state) insert(act *action) *http.Request {
	if len(s.inserted)+len(act.insert) == 0 {
		return s.r
	}
	hopbyhop.KeepTrailer(s.r)
	r := s.r.WithContext(s.r.Context())                   // a copy: stations in front see the request as it came
	if r.Header = maps.Clone(r.Header); r.Header == nil { // of a request that was made by hand
		r.Header = http.Header{}
	}
	for _, list := range [][]CustomHTTPHeader{s.inserted, act.insert} {
		for _, h := range list {
			r.Header[h.Name] = []string{h.Value}
		}
	}
	return r
}

// refuse answers a request that is blocked, or has a puzzle to solve. Where the answer is the
// rule's own, it goes through gatekit.Reject as well, as its responder: so the refusal is recorded,
// and gatekit.Shadow sees it.
func (a *action) refuse(w http.ResponseWriter, r *http.Request) {
	if a.response != nil {
		var rc *gatekit.RequestContext
		rc, r = gatekit.Attach(r)
		rc.SetResponder(a.respond)
	}
	gatekit.Reject(w, r, a.rejection)
}

func (a *action) respond(w http.ResponseWriter, r *http.Request, why *gatekit.Rejection) {
	answer := a.response
	if a.puzzle != nil && a.puzzle.Page != nil && wantsHTML(r) {
		page := *answer
		page.contentType, page.body = "text/html; charset=utf-8", a.puzzle.Page
		page.length = fmt.Sprint(len(page.body))
		answer = &page
	}
	answer.write(w, r, why)
}

// wantsHTML reports whether a browser asks for a page.
func wantsHTML(r *http.Request) bool {
	return slices.ContainsFunc(r.Header["Accept"], func(line string) bool {
		return strings.Contains(strings.ToLower(line), "text/html")
	})
}

// Decision is what the ACL makes of a request.
type Decision struct {
	// Action is ALLOW, BLOCK, CAPTCHA or CHALLENGE.
	Action string
	// Rule is the rule that has ended the evaluation: its name, that of its group's place in front
	// for a group's ("core/NoUserAgent"), or Default_Action.
	Rule string
	// Counted are the rules that have matched and let the evaluation go on, in that order, also
	// those with a valid token. A group whose result was counted is among them.
	Counted []string
	// Labels are all that were set, in full.
	Labels []string
	// Headers are those to insert, in the order in which they are to be set.
	Headers []CustomHTTPHeader
	// Rejection is how the request is refused; nil of one that goes on. It must not be changed.
	Rejection *gatekit.Rejection
	// Record is what the log says.
	Record *Record
}

// Check judges the request and answers nothing. What it reads of the body it puts back. Rate-based
// rules count the request.
func (a *ACL) Check(r *http.Request) *Decision {
	s := a.begin(r)
	defer a.release(s)
	s.evaluate()
	act := s.action()
	d := &Decision{Action: act.kind, Rule: s.last.name(), Labels: slices.Clone(s.labels), Record: s.record()}
	for _, of := range s.seen {
		d.Counted = append(d.Counted, nameOf(of.rule, of.group))
	}
	switch {
	case s.err != nil:
		d.Action, d.Rejection = actionBlock, s.faulty()
	case act.kind == actionAllow:
		d.Headers = slices.Concat(s.inserted, act.insert)
	default:
		d.Rejection = act.rejection
	}
	return d
}

func (e ending) name() string {
	if e.rule == nil {
		return defaultAction
	}
	return nameOf(e.rule, e.group)
}

func nameOf(r *rule, g *group) string {
	if g == nil {
		return r.name
	}
	return g.ref.name + "/" + r.name
}
