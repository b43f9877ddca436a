package waf

import (
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// LoggingConfiguration is what the service logs of which requests: Redaction is for Config.Redact,
// LoggingFilter for Config.LoggingFilter.
type LoggingConfiguration struct {
	// RedactedFields are UriPath, QueryString, Method and SingleHeader.
	RedactedFields []FieldToMatch
	// LoggingFilter says which requests are logged. nil is all.
	LoggingFilter *LoggingFilter
}

// Redaction returns the redacted fields, or an error that names those that can't be redacted.
func (c *LoggingConfiguration) Redaction() (Redaction, error) {
	m := mistakes.In("waf: LoggingConfiguration").Under("RedactedFields")
	var to Redaction
	for i, f := range c.RedactedFields {
		rest := f
		rest.SingleHeader, rest.UriPath, rest.QueryString, rest.Method = nil, nil, nil, nil
		named := f.SingleHeader != nil && f.SingleHeader.Name != ""
		m.Index(i).Require(rest == FieldToMatch{} && (named || f.SingleHeader == nil) && f != FieldToMatch{}, "",
			"want UriPath, QueryString, Method or SingleHeader with a Name")
		if named {
			to.Headers = append(to.Headers, f.SingleHeader.Name)
		}
		to.UriPath, to.QueryString = to.UriPath || f.UriPath != nil, to.QueryString || f.QueryString != nil
		to.Method = to.Method || f.Method != nil
	}
	return to, m.Err()
}

// LoggingFilter says which records are logged: the first of its filters that a record meets says
// it, and for records that meet none the default. ("LoggingFilter" of the API reference.)
type LoggingFilter struct {
	// DefaultBehavior is KEEP or DROP.
	DefaultBehavior string
	// Filters are asked in their order.
	Filters []LogFilter
}

// LogFilter is one of them.
type LogFilter struct {
	// Behavior is KEEP or DROP, and Requirement MEETS_ANY or MEETS_ALL of the conditions.
	Behavior, Requirement string
	Conditions            []LogCondition
}

// LogCondition is one of these.
type LogCondition struct {
	// ActionCondition is met by the request's action, and by that of each rule that has matched.
	ActionCondition *ActionCondition
	// LabelNameCondition is met by a label of the record.
	LabelNameCondition *LabelNameCondition
}

// ActionCondition has an action: ALLOW, BLOCK, COUNT, CAPTCHA or CHALLENGE; or EXCLUDED_AS_COUNT,
// of rules in groups that count only because the reference says so.
type ActionCondition struct{ Action string }

// LabelNameCondition has a label's full name, from awswaf: on.
type LabelNameCondition struct{ LabelName string }

const logKeep, logDrop, excludedAsCount = "KEEP", "DROP", "EXCLUDED_AS_COUNT"

var logActions = []string{actionAllow, actionBlock, actionCount, actionCaptcha, actionChallenge, excludedAsCount}

// checked returns a copy of f, and adds what is wrong with it.
func (f *LoggingFilter) checked(m *mistakes.Mistakes) *LoggingFilter {
	if f == nil {
		return nil
	}
	behavior := func(m *mistakes.Mistakes, field, text string) {
		m.Require(text == logKeep || text == logDrop, field, "want KEEP or DROP, got %q", text)
	}
	behavior(m, "DefaultBehavior", f.DefaultBehavior)
	m.Require(len(f.Filters) > 0, "Filters", "want at least one, got none")
	to := &LoggingFilter{f.DefaultBehavior, slices.Clone(f.Filters)}
	for i := range to.Filters {
		filter, m := &to.Filters[i], m.Under("Filters").Index(i)
		behavior(m, "Behavior", filter.Behavior)
		m.Require(filter.Requirement == "MEETS_ANY" || filter.Requirement == "MEETS_ALL", "Requirement",
			"want MEETS_ANY or MEETS_ALL, got %q", filter.Requirement)
		m.Require(len(filter.Conditions) > 0, "Conditions", "want at least one, got none")
		filter.Conditions = slices.Clone(filter.Conditions)
		for j, c := range filter.Conditions {
			filter.Conditions[j] = c.checked(m.Under("Conditions").Index(j))
		}
	}
	return to
}

func (c LogCondition) checked(m *mistakes.Mistakes) (to LogCondition) {
	m.Require((c.ActionCondition == nil) != (c.LabelNameCondition == nil), "",
		"want one of ActionCondition and LabelNameCondition")
	if of := c.ActionCondition; of != nil {
		m.Require(slices.Contains(logActions, of.Action), "ActionCondition",
			"want one of %q, got %q", logActions, of.Action)
		to.ActionCondition = &ActionCondition{of.Action}
	}
	if of := c.LabelNameCondition; of != nil {
		checkKey(m, "LabelNameCondition", of.LabelName, false)
		m.Require(strings.HasPrefix(of.LabelName, "awswaf:"), "LabelNameCondition",
			"want a full name, from awswaf: on, got %.200q", of.LabelName)
		to.LabelNameCondition = &LabelNameCondition{of.LabelName}
	}
	return to
}

// keeps reports whether the record is logged. A nil filter keeps all.
func (f *LoggingFilter) keeps(r *Record) bool {
	if f == nil {
		return true
	}
	for _, filter := range f.Filters {
		if filter.meets(r) {
			return filter.Behavior == logKeep
		}
	}
	return f.DefaultBehavior == logKeep
}

func (f *LogFilter) meets(r *Record) bool {
	met := func(c LogCondition) bool {
		if c.LabelNameCondition != nil {
			return slices.Contains(r.Labels, NameRecord{c.LabelNameCondition.LabelName})
		}
		return r.acted(c.ActionCondition.Action)
	}
	if f.Requirement == "MEETS_ANY" {
		return slices.ContainsFunc(f.Conditions, met)
	}
	return !slices.ContainsFunc(f.Conditions, func(c LogCondition) bool { return !met(c) })
}

// acted reports whether the request's action is this one, or that of a rule that has matched.
func (r *Record) acted(action string) bool {
	did := func(of RuleRecord) bool {
		// An override to Count is what excluding a rule has become.
		excluded := of.Action == actionCount && of.OverriddenAction != ""
		return of.Action == action || action == excludedAsCount && excluded
	}
	if r.Action == action || slices.ContainsFunc(r.NonTerminatingMatchingRules, did) {
		return true
	}
	return slices.ContainsFunc(r.RuleGroupList, func(g RuleGroupRecord) bool {
		excluded := len(g.ExcludedRules) > 0 && (action == excludedAsCount || action == actionCount)
		return excluded || g.TerminatingRule != nil && did(*g.TerminatingRule) ||
			slices.ContainsFunc(g.NonTerminatingMatchingRules, did)
	})
}
