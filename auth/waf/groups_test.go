package waf_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/auth/waf/waftest"
)

// group is a group that counts /c, blocks /b and /d, and allows /a.
func group() *waf.RuleGroup {
	return &waf.RuleGroup{
		Name: "g", ARN: "arn:aws:wafv2:us-east-1:111122223333:regional/rulegroup/g/1", Capacity: 50,
		Rules: []waf.Rule{
			rule("count", 10000, onPath("/c"), count, "counted"),
			rule("block", 20000, onPath("/b"), block, "blocked"),
			rule("allow", 20001, onPath("/a"), allow),
			rule("custom", 20002, onPath("/d"), &waf.Action{Block: &waf.BlockAction{CustomResponse: &waf.CustomResponse{
				ResponseCode: 418 - 3, CustomResponseBodyKey: "why"}}}),
			rule("own-label", 30000, labelIs("LABEL", "counted"), count, "second"),
		},
		CustomResponseBodies: map[string]waf.CustomResponseBody{"why": {ContentType: "TEXT_PLAIN", Content: "the group's"}},
	}
}

// refers is a rule that refers to the group.
func refers(name string, priority int64, counted bool, of waf.RuleGroupReferenceStatement) waf.Rule {
	r := waf.Rule{Name: name, Priority: priority, OverrideAction: &waf.OverrideAction{None: none}}
	if counted {
		r.OverrideAction = &waf.OverrideAction{Count: none}
	}
	if of.ARN == "" {
		of.ARN = group().ARN
	}
	r.Statement.RuleGroupReferenceStatement = &of
	return r
}

var groups = map[string]*waf.RuleGroup{"g": group()}

func TestGroupsAtTheirPlace(t *testing.T) {
	acl := compiled(t, waf.Config{RuleGroups: groups, ACL: webACL(
		rule("before", 50, onPath("/before"), block),
		refers("group", 100, false, waf.RuleGroupReferenceStatement{}),
		rule("behind", 200, onPath("/"), block),
	)})
	waftest.Run(t, acl, []waftest.Case{
		{Name: "before", Request: request("GET", "/before", ""), Want: waftest.Block, Rule: "before"},
		{Name: "block", Request: request("GET", "/b", ""), Want: waftest.Block, Rule: "group/block", Labels: []string{"awswaf:111122223333:rulegroup:g:blocked"}},
		{Name: "allow", Request: request("GET", "/a", ""), Want: waftest.Allow, Rule: "group/allow"},
		{Name: "behind", Request: request("GET", "/c", ""), Want: waftest.Block, Rule: "behind", Labels: []string{"counted", "second"}},
	})
}

// The labels of a group are another context than the ACL's.
func TestLabelsOfGroupsInTheACL(t *testing.T) {
	for key, want := range map[string]bool{"counted": false, "awswaf:111122223333:rulegroup:g:counted": true} {
		acl := compiled(t, waf.Config{RuleGroups: groups, ACL: webACL(
			refers("group", 1, false, waf.RuleGroupReferenceStatement{}), rule("label", 2, labelIs("LABEL", key), block))})
		require.Equal(t, want, blocked(acl, request("GET", "/c", "")), key)
	}
	told := group()
	told.LabelNamespace = "awswaf:managed:aws:core-rule-set:"
	acl := compiled(t, waf.Config{RuleGroups: map[string]*waf.RuleGroup{"g": told}, ACL: webACL(refers("group", 1, false, waf.RuleGroupReferenceStatement{}))})
	require.Contains(t, acl.Check(request("GET", "/c", "")).Labels, "awswaf:managed:aws:core-rule-set:counted")
	told.LabelNamespace = "core:"
	refused(t, waf.Config{RuleGroups: map[string]*waf.RuleGroup{"g": told}, ACL: webACL(refers("group", 1, false, waf.RuleGroupReferenceStatement{}))},
		"LabelNamespace: want one such as")
}

// A group whose result is counted stops at the rule that would have ended the evaluation.
func TestCountedGroup(t *testing.T) {
	g := group()
	g.Rules = append(g.Rules, rule("after", 40000, onPath("/"), count, "after"))
	acl := compiled(t, waf.Config{RuleGroups: map[string]*waf.RuleGroup{"g": g}, ACL: webACL(
		refers("group", 1, true, waf.RuleGroupReferenceStatement{}), rule("behind", 2, onPath("/b/behind"), block))})
	waftest.Run(t, acl, []waftest.Case{
		{Name: "goes-on", Request: request("GET", "/b/behind", ""), Want: waftest.Block, Rule: "behind", NoLabels: []string{"after"}},
		{Name: "counted", Request: request("GET", "/b", ""), Want: waftest.Count, Rule: "group", NoLabels: []string{"after"}},
		{Name: "runs-through", Request: request("GET", "/c", ""), Want: waftest.Count, Rule: "group/after", Labels: []string{"counted", "after"}},
		{Name: "allow-is-counted-too", Request: request("GET", "/a", ""), Want: waftest.Count, Rule: "group"},
	})
}

func TestOverrides(t *testing.T) {
	acl := compiled(t, waf.Config{RuleGroups: groups, ACL: &waf.WebACL{
		Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}},
		CustomResponseBodies: map[string]waf.CustomResponseBody{"mine": {ContentType: "TEXT_PLAIN", Content: "x"}},
		Rules: []waf.Rule{refers("group", 1, false, waf.RuleGroupReferenceStatement{
			RuleActionOverrides: []waf.RuleActionOverride{
				{Name: "block", ActionToUse: *count},
				{Name: "count", ActionToUse: waf.Action{Block: &waf.BlockAction{CustomResponse: &waf.CustomResponse{ResponseCode: 429, CustomResponseBodyKey: "mine"}}}},
			},
			ExcludedRules: []waf.ExcludedRule{{Name: "custom"}},
		})},
	}})
	waftest.Run(t, acl, []waftest.Case{
		{Name: "counts", Request: request("GET", "/b", ""), Want: waftest.Count, Rule: "group/block", Labels: []string{"blocked"}},
		{Name: "blocks", Request: request("GET", "/c", ""), Want: waftest.Block, Rule: "group/count"},
		{Name: "excluded", Request: request("GET", "/d", ""), Want: waftest.Count, Rule: "group/custom"},
	})
	for name, of := range map[string]waf.RuleGroupReferenceStatement{
		`want names of the group's rules, got "Block"; the nearest are "block"`: {ExcludedRules: []waf.ExcludedRule{{Name: "Block"}}},
		`want different names, got "block" twice`:                               {ExcludedRules: []waf.ExcludedRule{{Name: "block"}, {Name: "block"}}},
		`want exactly one of Allow, Block`:                                      {RuleActionOverrides: []waf.RuleActionOverride{{Name: "block"}}},
	} {
		refused(t, waf.Config{RuleGroups: groups, ACL: webACL(refers("group", 1, false, of))}, name)
	}
}

func managed(name string, scope *waf.Statement, over ...waf.RuleActionOverride) waf.Rule {
	return waf.Rule{Name: "managed", Priority: 1, OverrideAction: &waf.OverrideAction{None: none},
		Statement: waf.Statement{ManagedRuleGroupStatement: &waf.ManagedRuleGroupStatement{
			VendorName: "AWS", Name: name, ScopeDownStatement: scope, RuleActionOverrides: over}}}
}

func TestManagedGroups(t *testing.T) {
	scope := not(onPath("/b/health"))
	cfg := waf.Config{ACL: webACL(managed("AWSManagedRulesCommonRuleSet", &scope, waf.RuleActionOverride{Name: "NoSuchRule", ActionToUse: *count}))}
	refused(t, cfg, `ManagedRuleGroupStatement.Name: the managed group is bound to no group of yours: its rules aren't published, so write a RuleGroup `+
		`that does what you need of it and give it as Config.RuleGroups["AWS:AWSManagedRulesCommonRuleSet"]`)
	cfg.RuleGroups = map[string]*waf.RuleGroup{"AWS:AWSManagedRulesCommonRuleSet": group()}
	acl := compiled(t, cfg)
	waftest.Run(t, acl, []waftest.Case{
		{Name: "block", Request: request("GET", "/b", ""), Want: waftest.Block, Rule: "managed/block", Labels: []string{"awswaf:managed:aws:AWSManagedRulesCommonRuleSet:blocked"}},
		{Name: "out-of-scope", Request: request("GET", "/b/health", ""), Want: waftest.Allow, NoLabels: []string{"blocked"}},
	})
}

func TestGroupsThatAreRefused(t *testing.T) {
	with := func(change func(*waf.Rule)) waf.Config {
		r := refers("group", 1, false, waf.RuleGroupReferenceStatement{})
		change(&r)
		return waf.Config{RuleGroups: groups, ACL: webACL(r)}
	}
	refused(t, with(func(r *waf.Rule) { r.OverrideAction = nil }), "OverrideAction: want None or Count")
	refused(t, with(func(r *waf.Rule) { r.OverrideAction = &waf.OverrideAction{None: none, Count: none} }), "OverrideAction: want None or Count")
	refused(t, with(func(r *waf.Rule) { r.Action = block }), "want an OverrideAction where a rule refers to a group, got an Action")
	refused(t, with(func(r *waf.Rule) { r.RuleLabels = []waf.Label{{Name: "a"}} }), "RuleLabels: want none where a rule refers to a group")
	refused(t, with(func(r *waf.Rule) { r.Statement.RuleGroupReferenceStatement.ARN = "h" }), `want a group of Config.RuleGroups, by its ARN or name, got "h"`)
	refused(t, with(func(r *waf.Rule) { r.Statement.ByteMatchStatement = &waf.ByteMatchStatement{} }), "want exactly one statement, got 2")
	within := not(refers("x", 1, false, waf.RuleGroupReferenceStatement{}).Statement)
	refused(t, waf.Config{RuleGroups: groups, ACL: webACL(rule("r", 1, within, block))}, "want a rule group as a rule's own statement in a web ACL")

	// A group that refers to itself, or to any other, is refused, so that there are no circles.
	circle := group()
	circle.Rules = append(circle.Rules, refers("again", 1, false, waf.RuleGroupReferenceStatement{}))
	refused(t, waf.Config{RuleGroups: map[string]*waf.RuleGroup{"g": circle}, ACL: webACL(refers("group", 1, false, waf.RuleGroupReferenceStatement{}))},
		`Rules["again"].Statement: want no reference to a group within a group`)
}

// A lenient ACL leaves out what it can't judge, whole rules at a time, and says so.
func TestLenient(t *testing.T) {
	odd := waf.Statement{OrStatement: &waf.OrStatement{Statements: []waf.Statement{onPath("/"), {RegexMatchStatement: &waf.RegexMatchStatement{
		RegexString: "(?=a)", FieldToMatch: inPath, TextTransformations: transformed("NONE")}}}}}
	g := group()
	g.Rules = append(g.Rules, rule("odd-in-group", 1, odd, block))
	acl := compiled(t, waf.Config{Lenient: true, RuleGroups: map[string]*waf.RuleGroup{"g": g}, ACL: webACL(
		rule("odd", 0, odd, block), managed("AWSManagedRulesSQLiRuleSet", nil), refers("group", 5, false, waf.RuleGroupReferenceStatement{}),
	)})
	waftest.Run(t, acl, []waftest.Case{
		{Name: "left-out", Request: request("GET", "/", ""), Want: waftest.Allow},
		{Name: "others-count", Request: request("GET", "/b", ""), Want: waftest.Block, Rule: "group/block"},
	})
	var left []string
	for _, f := range acl.Findings() {
		left = append(left, f.Rule)
	}
	require.Equal(t, "odd managed group/odd-in-group", strings.Join(left, " "))
	require.ErrorContains(t, acl.Findings()[0].Err, "waf: rule odd.Statement.OrStatement.Statements[1].RegexMatchStatement.RegexString: want a pattern that RE2 takes")
	_, err := waf.New(t.Context(), waf.Config{Lenient: true, ACL: &waf.WebACL{Name: "acl"}})
	require.ErrorContains(t, err, "DefaultAction: want one of Allow and Block")
}
