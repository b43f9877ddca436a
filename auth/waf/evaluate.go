package waf

import (
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// begin returns a state for r.
func (a *ACL) begin(r *http.Request) *state {
	s, ok := a.pool.Get().(*state)
	if !ok {
		s = newState(a)
	}
	s.reset(r)
	return s
}

// evaluate judges the request. How it ended is in s.last, or in s.err.
func (s *state) evaluate() {
	for _, r := range s.acl.rules {
		if r.group != nil {
			if s.runGroup(r) {
				return
			}
		} else if s.run(r, nil) {
			return
		}
	}
}

// run judges one rule, and reports whether it ends the evaluation.
func (s *state) run(r *rule, g *group) bool {
	matched := s.judge(r.when)
	if s.err != nil {
		s.last = ending{rule: r, group: g}
		return true
	}
	if !matched {
		return false
	}
	var token *tokenCheck
	if r.action.kind == actionCaptcha || r.action.kind == actionChallenge {
		token = checkToken(r.action.puzzle.Token(s.r), r.action.immunity)
		if token.failure != "" { // which sets no labels, even where a group's result only counts
			s.last = ending{rule: r, group: g, token: token, details: s.details}
			return true
		}
	}
	for _, label := range r.labels {
		s.label(label)
	}
	if r.action.kind == actionAllow || r.action.kind == actionBlock {
		s.last = ending{rule: r, group: g, details: s.details}
		return true
	}
	s.inserted = append(s.inserted, r.action.insert...)
	s.seen = append(s.seen, seen{rule: r, group: g, token: token, details: s.details})
	return false
}

// judge evaluates a rule's statement, and sets the labels that it brings. A fault ends the
// evaluation, unless the ACL is to fail open: then the rule hasn't matched.
func (s *state) judge(e evaluator) bool {
	s.pending, s.details = s.pending[:0], nil
	matched := e.eval(s) == yes && s.err == nil
	for _, label := range s.pending {
		s.label(label)
	}
	if s.err != nil && s.acl.cfg.FailOpen {
		s.acl.report(s.r, s.err)
		s.passed, s.err = s.err, nil
	}
	return matched
}

// label sets a label, once.
func (s *state) label(name string) {
	if !slices.Contains(s.labels, name) {
		s.labels = append(s.labels, name)
	}
}

// runGroup judges a group's rules. A rule that ends the evaluation ends it for the ACL, unless the
// group's result is only counted: then the group ends there, and the ACL goes on.
func (s *state) runGroup(ref *rule) bool {
	g := ref.group
	if g.scope != nil && !s.judge(g.scope) {
		return s.err != nil
	}
	s.labelToken(g.tokens)
	if g.judge != nil {
		return s.runFunc(ref)
	}
	at := len(s.groups)
	s.groups = append(s.groups, groupSeen{group: g})
	for _, r := range g.rules {
		if !s.run(r, g) {
			continue
		}
		s.groups[at].ended = r
		if s.err != nil || !g.countOnly {
			return true
		}
		s.seen = append(s.seen, seen{rule: ref, override: true, token: s.last.token})
		s.last = ending{}
		return false
	}
	return false
}

// report logs a fault that was passed over, one a second at most.
func (a *ACL) report(r *http.Request, err error) {
	second := time.Now().Unix()
	if was := a.logged.Load(); was == second || !a.logged.CompareAndSwap(was, second) {
		return
	}
	a.cfg.Logger.LogAttrs(r.Context(), slog.LevelWarn, "waf: a rule can't be judged, and requests pass it",
		slog.String("webacl", a.arn), slog.Any("error", err))
}

// tokenCheck is what a rule has found of a token.
type tokenCheck struct {
	solved  time.Time
	failure string // "" if the token counts
}

// Why a token doesn't count.
const (
	tokenMissing = "TOKEN_MISSING"
	tokenExpired = "TOKEN_EXPIRED"
	tokenInvalid = "TOKEN_INVALID"
)

// maxSkew is how far the clock of who has signed a token may be ahead.
const maxSkew = time.Minute

// checkToken judges what a token says, which counts for immunity.
func checkToken(token Token, immunity time.Duration) *tokenCheck {
	to := &tokenCheck{token.Solved, token.Failure}
	switch {
	case to.failure != "":
	case token.Solved.IsZero():
		to.failure = tokenMissing
	case time.Since(token.Solved) < -maxSkew:
		to.failure = tokenInvalid
	case time.Since(token.Solved) > immunity:
		to.failure = tokenExpired
	}
	return to
}

// action is what is done with the request in the end.
func (s *state) action() *action {
	if s.last.rule != nil {
		return s.last.rule.action
	}
	return s.acl.defaultAction
}
