package waf

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// GroupFunc judges requests in place of a rule group's rules: an engine with rules of another kind,
// such as those of the package crs. It is bound by a name in Config.GroupFuncs, and has the place
// of that group: its priority, its scope-down statement, its override action.
//
// It may read the body if it puts an equal one in its place, in r itself. It must neither change
// anything else of the request nor keep it, and is called by several goroutines. An error is a
// fault, as of a rule that can't be judged. A nil verdict is that of no match.
type GroupFunc func(r *http.Request) (*GroupVerdict, error)

// GroupVerdict is what a [GroupFunc] makes of a request.
type GroupVerdict struct {
	// Block is the name of the rule that blocks the request. "" lets the evaluation go on.
	Block string
	// Cause says why it does, for logs: it is the Rejection's. It tells nothing that the client
	// wants to be kept. nil names the rule.
	Cause error
	// Matches are the rules that have matched, in that order. They are counted.
	Matches []GroupMatch
}

// GroupMatch is a rule that has matched.
type GroupMatch struct {
	// Rule is its name.
	Rule string
	// Labels are names within the group's namespace, such as "942100": of letters, digits, _ and -.
	// Others aren't set.
	Labels []string
}

// maxGroupMatches is how many matches of one verdict are looked at.
const maxGroupMatches = 1000

// funcOf returns the function that a group's name is bound to. It has no rules of WAFv2's, so
// nothing that refers to one by its name.
func (h *holder) funcOf(m *mistakes.Mistakes, to *group, key, labels string, overrides int) bool {
	f, ok := lookup(h.acl.cfg.GroupFuncs, key)
	if !ok {
		return false
	}
	_, twice := lookup(h.acl.cfg.RuleGroups, key)
	m.Require(!twice, "", "want one of Config.RuleGroups and Config.GroupFuncs for %q, got both", key)
	m.Require(f != nil, "", "want a function in Config.GroupFuncs[%q], got none", key)
	m.Require(overrides == 0, "RuleActionOverrides",
		"want none, as the group is judged by Config.GroupFuncs[%q]: say there which rules are to be counted", key)
	checkNamespace(m, labels)
	to.judge, to.labels = f, labels
	return true
}

// runFunc judges a group that is a function's, and reports whether that ends the evaluation.
func (s *state) runFunc(ref *rule) bool {
	g := ref.group
	verdict, err := g.judged(s.r)
	if err != nil {
		if !s.acl.cfg.FailOpen {
			s.fail(err)
			return true
		}
		s.acl.report(s.r, err)
		s.passed = err
	}
	at := len(s.groups)
	s.groups = append(s.groups, groupSeen{group: g})
	if verdict == nil {
		return false
	}
	for _, match := range verdict.Matches[:min(len(verdict.Matches), maxGroupMatches)] {
		for _, name := range match.Labels {
			if isLabelName(name) {
				s.label(g.labels + name)
			}
		}
		s.seen = append(s.seen, seen{rule: &rule{name: match.Rule, action: countOnly}, group: g})
	}
	if verdict.Block == "" {
		return false
	}
	ended := &rule{name: verdict.Block, action: blockBy(ref, verdict)}
	s.groups[at].ended = ended
	if g.countOnly {
		s.seen = append(s.seen, seen{rule: ref, override: true})
		return false
	}
	s.last = ending{rule: ended, group: g}
	return true
}

var countOnly = &action{kind: actionCount}

// errPanic is a fault of the function's: what it has panicked with may be the request's own text.
var errPanic = errors.New("the function of a rule group has panicked")

// judged calls the function. One that panics has judged nothing.
func (g *group) judged(r *http.Request) (verdict *GroupVerdict, err error) {
	defer func() {
		if recover() != nil {
			verdict, err = nil, fmt.Errorf("%s: %w", g.id, errPanic)
		}
	}()
	return g.judge(r)
}

func blockBy(ref *rule, verdict *GroupVerdict) *action {
	cause := verdict.Cause
	if cause == nil {
		cause = fmt.Errorf("waf: rule %s/%s: Block", ref.name, verdict.Block)
	}
	return &action{kind: actionBlock, rejection: &gatekit.Rejection{Type: gatekit.WAFFiltered, Cause: cause}}
}

func isLabelName(name string) bool {
	for _, c := range name {
		if notOfLabel(c) {
			return false
		}
	}
	return name != "" && len(name) <= 128
}
