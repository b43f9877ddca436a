package waf_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/auth/waf/waftest"
)

var errWhy = errors.New("score 10 of 5")

// engine counts rule 1 always, and blocks /b.
func engine(r *http.Request) (*waf.GroupVerdict, error) {
	switch r.URL.Path {
	case "/nothing":
		return nil, nil
	case "/fault":
		return nil, errWhy
	case "/panic":
		panic("secret of the request")
	}
	v := &waf.GroupVerdict{Matches: []waf.GroupMatch{{Rule: "1", Labels: []string{"1", "attack-x", "not:a:name", "", "é"}}}}
	if r.URL.Path == "/b" {
		v.Block, v.Cause = "2", errWhy
	}
	return v, nil
}

// bound is a rule that refers to a managed group.
func bound(counted bool, scope *waf.Statement, overrides ...waf.RuleActionOverride) waf.Rule {
	r := waf.Rule{Name: "engine", Priority: 1, OverrideAction: &waf.OverrideAction{None: none}, Statement: waf.Statement{
		ManagedRuleGroupStatement: &waf.ManagedRuleGroupStatement{VendorName: "OWASP", Name: "CRS", ScopeDownStatement: scope, RuleActionOverrides: overrides},
	}}
	if counted {
		r.OverrideAction = &waf.OverrideAction{Count: none}
	}
	return r
}

func withEngine(f waf.GroupFunc, rules ...waf.Rule) waf.Config {
	return waf.Config{ACL: webACL(rules...), GroupFuncs: map[string]waf.GroupFunc{"OWASP:CRS": f}}
}

func TestGroupFunc(t *testing.T) {
	label := waf.Statement{LabelMatchStatement: &waf.LabelMatchStatement{Scope: "LABEL", Key: "awswaf:managed:owasp:CRS:attack-x"}}
	scope := onPath("/b")
	behind := rule("behind", 2, label, block)
	of := func(rules ...waf.Rule) *waf.ACL { return compiled(t, withEngine(engine, rules...)) }
	labels := []string{"awswaf:managed:owasp:CRS:1", "awswaf:managed:owasp:CRS:attack-x"}
	waftest.Run(t, of(bound(false, nil), behind), []waftest.Case{
		{Name: "blocks", Request: request("GET", "/b", ""), Want: waftest.Block, Rule: "engine/2", Labels: labels},
		{Name: "labels", Request: request("GET", "/", ""), Want: waftest.Block, Rule: "behind", Labels: labels},
		{Name: "nothing", Request: request("GET", "/nothing", ""), Want: waftest.Allow, Rule: "Default_Action"},
	})
	waftest.Run(t, of(bound(true, nil)), []waftest.Case{{Name: "counted", Request: request("GET", "/b", ""), Want: waftest.Allow, Rule: "Default_Action", Labels: labels}})
	waftest.Run(t, of(bound(false, &scope)), []waftest.Case{
		{Name: "in-scope", Request: request("GET", "/b", ""), Want: waftest.Block, Rule: "engine/2"},
		{Name: "out-of-scope", Request: request("GET", "/fault", ""), Want: waftest.Allow, Rule: "Default_Action"},
	})
	d := of(bound(false, nil)).Check(request("GET", "/b", ""))
	require.Equal(t, []string{"engine/1"}, d.Counted)
	require.Equal(t, labels, d.Labels) // what is no name isn't set
	require.Equal(t, gatekit.WAFFiltered, d.Rejection.Type)
	require.ErrorIs(t, d.Rejection, errWhy)
	require.Equal(t, "OWASP#CRS", d.Record.TerminatingRuleID)
	require.Equal(t, []waf.RuleGroupRecord{{RuleGroupID: "OWASP#CRS", TerminatingRule: &waf.RuleRecord{RuleID: "2", Action: "BLOCK"},
		NonTerminatingMatchingRules: []waf.RuleRecord{{RuleID: "1", Action: "COUNT"}}}}, d.Record.RuleGroupList)
	own := refers("own", 1, false, waf.RuleGroupReferenceStatement{})
	cfg := waf.Config{ACL: webACL(own), GroupFuncs: map[string]waf.GroupFunc{"g": engine}}
	require.Contains(t, compiled(t, cfg).Check(request("GET", "/b", "")).Labels, "awswaf:111122223333:rulegroup:g:1")
}

// What can't be judged is refused, and FailOpen passes it. What a function has panicked with isn't told.
func TestGroupFuncThatFails(t *testing.T) {
	for _, path := range []string{"/fault", "/panic"} {
		cfg := withEngine(engine, bound(false, nil))
		d := compiled(t, cfg).Check(request("GET", path, ""))
		require.Equal(t, "BLOCK", d.Action, path)
		require.NotContains(t, d.Rejection.Error()+d.Record.Fault, "secret")
		var log strings.Builder
		cfg.FailOpen, cfg.Logger = true, slog.New(slog.NewTextHandler(&log, nil))
		require.Equal(t, "ALLOW", compiled(t, cfg).Check(request("GET", path, "")).Action, path)
		require.Contains(t, log.String(), "requests pass it")
		require.NotContains(t, log.String(), "secret")
	}
}

// A verdict without a cause is refused with the rule's name, and however long it is, it is looked at so far.
func TestGroupFuncOfFewAndManyWords(t *testing.T) {
	d := compiled(t, withEngine(func(*http.Request) (*waf.GroupVerdict, error) {
		return &waf.GroupVerdict{Block: "2", Matches: make([]waf.GroupMatch, 2000)}, nil
	}, bound(false, nil))).Check(request("GET", "/", ""))
	require.ErrorContains(t, d.Rejection, "rule engine/2: Block")
	require.Len(t, d.Counted, 1000)
}

func TestGroupFuncRefused(t *testing.T) {
	cfg := withEngine(engine, bound(false, nil, waf.RuleActionOverride{Name: "1", ActionToUse: *count}))
	refused(t, cfg, `RuleActionOverrides: want none, as the group is judged by Config.GroupFuncs["OWASP:CRS"]`)
	configured := bound(false, nil)
	configured.Statement.ManagedRuleGroupStatement.ManagedRuleGroupConfigs = make([]map[string]any, 1)
	refused(t, withEngine(engine, configured), "ManagedRuleGroupConfigs: want none")
	refused(t, withEngine(nil, bound(false, nil)), `want a function in Config.GroupFuncs["OWASP:CRS"], got none`)
	cfg = withEngine(engine, bound(false, nil))
	cfg.RuleGroups = map[string]*waf.RuleGroup{"OWASP:CRS": group()}
	refused(t, cfg, `want one of Config.RuleGroups and Config.GroupFuncs for "OWASP:CRS", got both`)
}

// A body that the function has read is the ACL's and the handler's again, whoever reads first.
func TestGroupFuncReadsTheBody(t *testing.T) {
	reads := func(r *http.Request) (*waf.GroupVerdict, error) {
		whole, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(whole)))
		return &waf.GroupVerdict{Matches: []waf.GroupMatch{{Rule: string(whole)}}}, err
	}
	for _, priority := range []int64{0, 2} {
		body := rule("body", priority, text("CONTAINS", "hello", waf.FieldToMatch{Body: &waf.BodyField{OversizeHandling: "CONTINUE"}}), count)
		acl := compiled(t, withEngine(reads, bound(false, nil), body))
		r := request("POST", "/", "hello")
		require.ElementsMatch(t, []string{"engine/hello", "body"}, acl.Check(r).Counted)
		w := httptest.NewRecorder()
		acl.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })).ServeHTTP(w, r)
		require.Equal(t, "hello", w.Body.String())
	}
}
