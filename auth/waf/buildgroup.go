package waf

import (
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// group is a rule group at its place in an ACL.
type group struct {
	id        string // as the log has it
	managed   bool
	scope     evaluator
	rules     []*rule
	countOnly bool
	ref       *rule
	judge     GroupFunc     // in place of rules
	labels    string        // the namespace of what judge finds
	tokens    time.Duration // how long a token counts for its labels; 0 sets none
}

// groupOf compiles a reference to a group.
func (h *holder) groupOf(m *mistakes.Mistakes, ref *Rule, cost *int64) *group {
	_, n := only(&ref.Statement)
	m.Require(n == 1, "", "want exactly one statement, got %d", n)
	to := &group{}
	h.refers++
	if over := ref.OverrideAction; over == nil || (over.None == nil) == (over.Count == nil) {
		m.Add("OverrideAction", "want None or Count where a rule refers to a group")
	} else {
		to.countOnly = over.Count != nil
	}
	var from *RuleGroup
	var overrides map[string]*override
	if of := ref.Statement.ManagedRuleGroupStatement; of != nil {
		m = m.Under("ManagedRuleGroupStatement")
		to.id, to.managed = of.VendorName+"#"+of.Name, true
		to.tokens = h.acl.tokensOf(m, of)
		m.Require(len(of.ManagedRuleGroupConfigs) == 0, "ManagedRuleGroupConfigs",
			"want none: they are for the vendor's own group, which nobody publishes")
		names := len(of.RuleActionOverrides) + len(of.ExcludedRules)
		if !h.funcOf(m, to, of.VendorName+":"+of.Name, managedLabels(of), names) {
			from = h.managed(m, of)
		}
		overrides = overridesOf(m, of.RuleActionOverrides, of.ExcludedRules)
		if of.ScopeDownStatement != nil {
			p := place{in: h, acl: h.acl, labels: h.labels, name: h.place + "/" + ref.Name, capacity: cost}
			to.scope = p.statement(m.Under("ScopeDownStatement"), of.ScopeDownStatement)
		}
	} else {
		of := ref.Statement.RuleGroupReferenceStatement
		m = m.Under("RuleGroupReferenceStatement")
		to.id = of.ARN
		names := len(of.RuleActionOverrides) + len(of.ExcludedRules)
		if !h.funcOf(m, to, of.ARN, "awswaf:"+accountOf(of.ARN)+":rulegroup:"+arnName(of.ARN)+":", names) {
			from = h.own(m, of.ARN)
		}
		overrides = overridesOf(m, of.RuleActionOverrides, of.ExcludedRules)
	}
	if from != nil {
		h.fill(m, to, ref, from, overrides, cost)
	}
	return to
}

func (h *holder) managed(m *mistakes.Mistakes, of *ManagedRuleGroupStatement) *RuleGroup {
	key := of.VendorName + ":" + of.Name
	if group := h.acl.cfg.RuleGroups[key]; group != nil {
		return group
	}
	m.Add("Name", "%w: its rules aren't published, so write a RuleGroup that does what you need of it and give it as "+
		"Config.RuleGroups[%[2]q], or bind the rule set of auth/waf/crs by Config.GroupFuncs[%[2]q]", errUnbound, key)
	return nil
}

func (h *holder) own(m *mistakes.Mistakes, arn string) *RuleGroup {
	group, ok := lookup(h.acl.cfg.RuleGroups, arn)
	if ok && group != nil {
		return group
	}
	m.Add("ARN", "want a group of Config.RuleGroups, by its ARN or name, got %q%s", arn,
		nearest.Hint(arn, keysOf(h.acl.cfg.RuleGroups)))
	return nil
}

func overridesOf(m *mistakes.Mistakes, list []RuleActionOverride, excluded []ExcludedRule) map[string]*override {
	m.Require(len(list)+len(excluded) <= maxOverrides, "RuleActionOverrides", "want at most %d, got %d", maxOverrides,
		len(list)+len(excluded))
	to := map[string]*override{}
	for _, of := range list {
		m.Require(to[of.Name] == nil, "RuleActionOverrides", "want different names, got %q twice", of.Name)
		to[of.Name] = &override{action: of.ActionToUse}
	}
	for _, of := range excluded {
		m.Require(to[of.Name] == nil, "ExcludedRules", "want different names, got %q twice", of.Name)
		to[of.Name] = &override{action: Action{Count: &CountAction{}}, excluded: true}
	}
	return to
}

// fill compiles the group's rules, for this place.
func (h *holder) fill(m *mistakes.Mistakes, to *group, ref *Rule, from *RuleGroup, overrides map[string]*override,
	cost *int64) {
	sum := int64(0)
	labels := from.LabelNamespace
	switch {
	case labels != "":
	case to.managed:
		labels = managedLabels(ref.Statement.ManagedRuleGroupStatement)
	default:
		labels = "awswaf:" + accountOf(from.ARN) + ":rulegroup:" + from.Name + ":"
	}
	in := &holder{acl: h.acl, labels: labels, place: h.place + "/" + ref.Name, bodies: from.CustomResponseBodies,
		within: ref.Name + "/", inGroup: true, overrides: overrides, capacity: &sum}
	m = m.Under("Rules")
	checkNamespace(m, labels)
	checkBodies(m, from.CustomResponseBodies)
	to.rules = in.rules(m, from.Rules)
	for name, over := range overrides {
		m.Require(over.used || to.managed || h.acl.cfg.Lenient, "RuleActionOverrides",
			"want names of the group's rules, got %q%s", name, nearest.Hint(name, ruleNames(from.Rules)))
	}
	if from.Capacity > 0 {
		sum = from.Capacity
	}
	m.Require(sum <= maxCapacity, "", "want at most %d WCU in a group, got %d", maxCapacity, sum)
	*cost += sum
}

func managedLabels(of *ManagedRuleGroupStatement) string {
	return "awswaf:managed:" + strings.ToLower(of.VendorName) + ":" + of.Name + ":"
}

func ruleNames(rules []Rule) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range rules {
			if !yield(rules[i].Name) {
				return
			}
		}
	}
}

// arnName returns the name in an ARN of WAFv2's, or what isn't one as it is.
func arnName(arn string) string {
	if parts := strings.Split(arn, "/"); len(parts) == 4 {
		return parts[2]
	}
	return arn
}

// accountOf returns the account of an ARN, or zeros.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[4] != "" {
		return parts[4]
	}
	return "000000000000"
}

func checkNamespace(m *mistakes.Mistakes, labels string) {
	m.Require(strings.HasPrefix(labels, "awswaf:") && strings.HasSuffix(labels, ":") && !strings.ContainsFunc(labels,
		func(c rune) bool { return c != ':' && notOfLabel(c) }), "LabelNamespace",
		"want one such as awswaf:111122223333:webacl:NAME:, of letters, digits, _ and -, got %.200q", labels)
}
