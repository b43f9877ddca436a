package waf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// rule is a rule, compiled, in its place: a group that is used twice has its rules twice.
type rule struct {
	name       string
	when       evaluator // nil of a reference to a group
	rate       *rateBased
	group      *group
	action     *action
	overridden string   // the action that an override has replaced, or ""
	excluded   bool     // by ExcludedRules
	labels     []string // full names
}

// Quotas of rules.
const (
	maxRuleName     = 128
	maxCapacity     = 5000
	maxRateRules    = 10
	maxRateInGroup  = 4
	maxReferences   = 50
	maxHeaders      = 100 // of all actions of an ACL: to insert, and of responses
	maxOverrides    = 100
	labelsOfOneUnit = 5
)

// holder is what rules are in: the ACL, or a group at its place.
type holder struct {
	acl       *ACL
	labels    string
	place     string
	bodies    map[string]CustomResponseBody
	inGroup   bool
	overrides map[string]*override
	capacity  *int64
	refers    int    // how often its rules refer to sets and groups
	within    string // what findings put before names: of a group, its place
}

// quotas are what rules use up of what all may have together.
type quotas struct {
	refers, inserted, responses int
	counts                      bool
}

func (h *holder) used() quotas {
	return quotas{h.refers, h.acl.insertedHeaders, h.acl.responseHeaders, h.acl.needsCounter}
}

// use gives back what a rule has used that is left out.
func (h *holder) use(of quotas) {
	h.refers, h.acl.insertedHeaders, h.acl.responseHeaders, h.acl.needsCounter = of.refers, of.inserted, of.responses,
		of.counts
}

// override is what a reference to a group says about one of its rules.
type override struct {
	action   Action
	excluded bool
	used     bool
}

// rules compiles rules in the order of their priorities.
func (h *holder) rules(m *mistakes.Mistakes, from []Rule) (to []*rule) {
	sorted := make([]*Rule, len(from))
	for i := range from {
		sorted[i] = &from[i]
	}
	slices.SortStableFunc(sorted, func(a, b *Rule) int { return int(a.Priority - b.Priority) })
	names, rated := map[string]bool{}, 0
	for i, r := range sorted {
		own, called := m.Key(r.Name), h.within+r.Name
		if h.acl.cfg.Lenient {
			own = mistakes.In("waf: rule " + called)
		}
		before, used := own.Len(), h.used()
		own.Require(r.Name != "" && len(r.Name) <= maxRuleName && !strings.ContainsFunc(r.Name, notOfLabel), "Name",
			"want 1 to %d letters, digits, _ and -, got %.200q", maxRuleName, r.Name)
		own.Require(!names[r.Name], "Name", "want different ones, got %q twice", r.Name)
		own.Require(r.Priority >= 0 && r.Priority < 1<<31, "Priority", "want 0 or more, got %d", r.Priority)
		own.Require(i == 0 || sorted[i-1].Priority != r.Priority, "Priority", "want different ones, got %d twice",
			r.Priority)
		names[r.Name] = true
		compiled, cost := h.rule(own, r)
		if own.Len() > before {
			if h.acl.cfg.Lenient {
				h.acl.findings = append(h.acl.findings, Finding{called, own.Err()})
				h.use(used)
			}
			continue
		}
		*h.capacity += cost
		if compiled.rate != nil {
			rated++
		}
		to = append(to, compiled)
	}
	most := maxRateRules
	if h.inGroup {
		most = maxRateInGroup
	}
	m.Require(h.refers <= maxReferences, "", "want at most %d references to sets and groups, got %d", maxReferences,
		h.refers)
	m.Require(rated <= most, "", "want at most %d rate-based rules, got %d", most, rated)
	return to
}

// rule compiles one, and returns what it costs.
func (h *holder) rule(m *mistakes.Mistakes, from *Rule) (to *rule, cost int64) {
	to = &rule{name: from.Name}
	for i, label := range from.RuleLabels {
		checkLabel(m.Under("RuleLabels").Index(i), label.Name)
		to.labels = append(to.labels, h.labels+label.Name)
	}
	cost = int64(len(to.labels)+labelsOfOneUnit-1) / labelsOfOneUnit
	within := m.Under("Statement")
	if from.Statement.ManagedRuleGroupStatement != nil || from.Statement.RuleGroupReferenceStatement != nil {
		m.Require(len(from.RuleLabels) == 0, "RuleLabels", "want none where a rule refers to a group, got %d",
			len(from.RuleLabels))
		m.Require(from.Action == nil, "Action", "want an OverrideAction where a rule refers to a group, got an Action")
		if h.inGroup {
			within.Add("", "want no reference to a group within a group")
			return to, cost
		}
		to.group = h.groupOf(within, from, &cost)
		return to, cost
	}
	p := place{in: h, acl: h.acl, labels: h.labels, name: h.place + "/" + from.Name, top: true, capacity: &cost}
	to.when = p.statement(within, &from.Statement)
	to.rate, _ = to.when.(*rateBased)
	m.Require(from.OverrideAction == nil, "OverrideAction", "want an Action: only references to groups have it")
	if from.Action == nil {
		m.Add("Action", "want Allow, Block, Count, Captcha or Challenge, got none")
		return to, cost
	}
	h.act(m, to, from)
	return to, cost
}

// act compiles what the rule does, as an override of its group's place may say.
func (h *holder) act(m *mistakes.Mistakes, to *rule, from *Rule) {
	over := h.overrides[from.Name]
	if over == nil {
		to.action = h.acl.action(m.Under("Action"), from.Action, from, h.place, h.bodies)
	} else { // what the rule itself would do needs nothing then, such as a Puzzle
		over.used, to.excluded = true, over.excluded
		name, n := only(from.Action)
		m.Require(n == 1, "Action", "want exactly one of Allow, Block, Count, Captcha and Challenge, got %d", n)
		to.overridden = strings.ToUpper(name)
		to.action = h.acl.action(m.Under("RuleActionOverrides").Key(from.Name), &over.action, from, h.place,
			h.acl.cfg.ACL.CustomResponseBodies, h.bodies)
	}
	m.Require(to.rate == nil || to.action == nil || to.action.kind != actionAllow, "Action",
		"want another than Allow for a rate-based rule")
}

// action compiles an action. Its rejection is made once for all requests that it ends.
func (a *ACL) action(m *mistakes.Mistakes, from *Action, of *Rule, place string,
	bodies ...map[string]CustomResponseBody) *action {
	name, n := only(from)
	if n != 1 {
		m.Add("", "want exactly one of Allow, Block, Count, Captcha and Challenge, got %d", n)
		return nil
	}
	m = m.Under(name)
	to := &action{kind: strings.ToUpper(name)}
	defer func() {
		a.insertedHeaders += len(to.insert)
		if to.response != nil && to.puzzle == nil {
			a.responseHeaders += len(to.response.headers)
		}
	}()
	cause := fmt.Errorf("waf: rule %s/%s: %s", place, of.Name, name)
	switch {
	case from.Allow != nil:
		to.insert = inserted(m, from.Allow.CustomRequestHandling)
	case from.Count != nil:
		to.insert = inserted(m, from.Count.CustomRequestHandling)
	case from.Block != nil:
		to.response = compileResponse(m, from.Block.CustomResponse, bodies...)
		to.rejection = rejectionOf(cause, to.response)
	case from.Captcha != nil:
		to.insert = inserted(m, from.Captcha.CustomRequestHandling)
		a.puzzle(m, to, a.cfg.Captcha, 405, cause)
		to.immunity = immunity(m, 60, of.CaptchaConfig, a.cfg.ACL.CaptchaConfig)
	default:
		to.insert = inserted(m, from.Challenge.CustomRequestHandling)
		a.puzzle(m, to, a.cfg.Challenge, 202, cause)
		to.immunity = immunity(m, defaultImmunity, of.ChallengeConfig, a.cfg.ACL.ChallengeConfig)
	}
	return to
}

func rejectionOf(cause error, answer *response) *gatekit.Rejection {
	to := &gatekit.Rejection{Type: gatekit.WAFFiltered, Cause: cause}
	if answer != nil {
		to.Status = answer.status
	}
	return to
}

// puzzle compiles what a client without a token is answered.
func (a *ACL) puzzle(m *mistakes.Mistakes, to *action, with *Puzzle, status int, cause error) {
	if with == nil || with.Token == nil {
		m.Add("", "want Config.%s with a Token, which knows who has solved it, got none",
			map[int]string{405: "Captcha", 202: "Challenge"}[status])
		return
	}
	to.puzzle = with
	to.response = &response{status: status, headers: []CustomHTTPHeader{
		{"X-Amzn-Waf-Action", strings.ToLower(to.kind)}, {"Cache-Control", "no-store, max-age=0"},
	}}
	to.rejection = rejectionOf(cause, to.response)
}

// immunity is how long a solved puzzle counts: as the first that says so has it.
func immunity(m *mistakes.Mistakes, least int64, from ...*ImmunityConfig) time.Duration {
	for _, c := range from {
		if c != nil && c.ImmunityTimeProperty != nil {
			n := c.ImmunityTimeProperty.ImmunityTime
			mistakes.Range(m, "ImmunityTime", n, least, maxImmunity)
			return time.Duration(n) * time.Second
		}
	}
	return defaultImmunity * time.Second
}

var errUnbound = errors.New("the managed group is bound to no group of yours")
