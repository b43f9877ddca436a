package waf

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
)

// maxNotedRules is how many of the rules that count are noted of a request, and maxNotedLabels how
// many labels.
const (
	maxNotedRules  = 16
	maxNotedLabels = 10
)

// note notes the rules that have matched, and how the evaluation ended. why is the fault's refusal.
func (s *state) note(rc *gatekit.RequestContext, began time.Time, act *action, why *gatekit.Rejection) {
	for _, of := range s.seen[:min(len(s.seen), maxNotedRules)] {
		n := gatekit.Note{Phase: gatekit.PhaseWAF, Verdict: gatekit.OnTrial, Rule: nameOf(of.rule, of.group)}
		if of.token != nil && of.token.failure == "" {
			n.Verdict = gatekit.Passed // of a puzzle that is solved
		}
		if rc.Keeps(gatekit.KeepReasons) {
			n.Reason = found(of.details)
		}
		rc.Note(n)
	}
	if s.passed != nil {
		rc.Note(gatekit.Note{Phase: gatekit.PhaseWAF, Verdict: gatekit.Failed, Err: s.passed})
	}
	n := gatekit.Note{Phase: gatekit.PhaseWAF, Rule: s.last.name(), Status: http.StatusOK, Began: began}
	flavor := rc.API.Flavor
	switch {
	case why != nil:
		n.Verdict, n.Status, n.Err = gatekit.Failed, why.StatusFor(flavor), why.Cause
		if s.last.rule == nil { // a group's function
			n.Rule = ""
		}
	case act.kind != actionAllow:
		n.Verdict, n.Status = gatekit.Refused, act.rejection.StatusFor(flavor)
		if act.response != nil {
			n.Status = act.response.status
		}
		n.Err = act.rejection.Cause
	}
	if n.Reason = act.kind; why != nil {
		n.Reason = ""
	}
	if rc.Keeps(gatekit.KeepReasons) {
		n.Reason = s.reason(n.Reason)
	}
	rc.Note(n)
}

// reason adds to an action what it was taken for.
func (s *state) reason(action string) string {
	parts := []string{action}
	if s.last.token != nil {
		parts = append(parts, s.last.token.failure)
	}
	parts = append(parts, found(s.last.details))
	if n := len(s.labels); n > 0 {
		parts = append(parts, "labels "+strings.Join(s.labels[:min(n, maxNotedLabels)], " "))
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return strings.Join(parts, ", ")
}

// found says where a rule has found an injection, and nothing of what.
func found(details []MatchRecord) string {
	if len(details) == 0 {
		return ""
	}
	d := &details[0]
	text := d.ConditionType + " in " + d.Location
	if d.MatchedFieldName != "" {
		text += " " + d.MatchedFieldName
	}
	return text
}
