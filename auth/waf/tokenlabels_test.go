package waf_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// Groups against bots and fraud say by a label what there is of a token, to their own rules and to
// later ones; other groups don't, nor does one that is skipped.
func TestTokenLabels(t *testing.T) {
	const bots = "AWSManagedRulesBotControlRuleSet"
	now := time.Now()
	for _, tt := range []struct {
		name, group string
		token       waf.Token
		path        string
		want        []string
	}{
		{"accepted", bots, waf.Token{Solved: now}, "/", []string{"awswaf:managed:token:accepted"}},
		{"absent", bots, waf.Token{}, "/", []string{"awswaf:managed:token:absent"}},
		{"said-to-be-missing", bots, waf.Token{Failure: "TOKEN_MISSING"}, "/", []string{"awswaf:managed:token:absent"}},
		{"within-the-acl's-time", bots, waf.Token{Solved: now.Add(-20 * time.Minute)}, "/", []string{"awswaf:managed:token:accepted"}},
		{"expired", bots, waf.Token{Solved: now.Add(-40 * time.Minute)}, "/", []string{"awswaf:managed:token:rejected"}},
		{"of-the-future", bots, waf.Token{Solved: now.Add(time.Hour)}, "/", []string{"awswaf:managed:token:rejected"}},
		{"other-domain", bots, waf.Token{Solved: now, Failure: "TOKEN_DOMAIN_MISMATCH"}, "/", []string{"awswaf:managed:token:rejected"}},
		{"takeover", "AWSManagedRulesATPRuleSet", waf.Token{}, "/", []string{"awswaf:managed:token:absent"}},
		{"fake-accounts", "AWSManagedRulesACFPRuleSet", waf.Token{}, "/", []string{"awswaf:managed:token:absent"}},
		{"another-group", "AWSManagedRulesCommonRuleSet", waf.Token{}, "/", nil},
		{"skipped", bots, waf.Token{}, "/static", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			skip := waf.Statement{NotStatement: &waf.NotStatement{Statement: pointer(onPath("/static"))}}
			of := waf.Rule{Name: "managed", Priority: 0, OverrideAction: &waf.OverrideAction{None: none}, Statement: waf.Statement{
				ManagedRuleGroupStatement: &waf.ManagedRuleGroupStatement{VendorName: "AWS", Name: tt.group, ScopeDownStatement: &skip}}}
			web := webACL(of, rule("later", 1, labelIs("LABEL", "awswaf:managed:token:absent"), block))
			web.ChallengeConfig = &waf.ImmunityConfig{ImmunityTimeProperty: &waf.ImmunityTimeProperty{ImmunityTime: 1800}}
			own := rule("own", 0, labelIs("NAMESPACE", "awswaf:managed:token:"), count, "saw")
			cfg := waf.Config{
				ACL: web, RuleGroups: map[string]*waf.RuleGroup{"AWS:" + tt.group: {Name: "mine", Rules: []waf.Rule{own}}},
				Challenge: &waf.Puzzle{Token: func(*http.Request) waf.Token { return tt.token }},
			}
			d := compiled(t, cfg).Check(get(tt.path))
			want := tt.want
			if want != nil {
				want = append(want, "awswaf:managed:aws:"+tt.group+":saw")
			}
			require.Equal(t, want, []string(d.Labels))
			absent := len(tt.want) == 1 && tt.want[0] == "awswaf:managed:token:absent"
			require.Equal(t, absent, d.Rejection != nil)

			cfg.RuleGroups = nil
			cfg.GroupFuncs = map[string]waf.GroupFunc{"AWS:" + tt.group: func(*http.Request) (*waf.GroupVerdict, error) { return nil, nil }}
			require.Equal(t, tt.want, []string(compiled(t, cfg).Check(get(tt.path)).Labels), "a group in Go")
			cfg.Challenge = nil
			require.Empty(t, compiled(t, cfg).Check(get(tt.path)).Labels, "nothing knows of tokens")
		})
	}
}

func pointer[T any](v T) *T { return &v }
