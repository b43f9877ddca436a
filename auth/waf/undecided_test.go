package waf_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// Where it can't be told how search strings are spelled, it is to be said, and none is taken for
// another.
func TestSearchStringsThatCannotBeTold(t *testing.T) {
	word, binary := byteMatch("a", "SearchString", "c3FsbWFw", "NONE"), byteMatch("b", "SearchString", "AA==", "NONE")
	wrapped := func(rules ...string) string {
		return `{"WebACL":{"Name":"a","DefaultAction":{"Allow":{}},"Rules":[` + strings.Join(rules, ",") + `]},"LockToken":"x"}`
	}
	quoted := strings.Replace(word, `"Priority":0,"Action"`, `"Priority":"0","Action"`, 1)
	require.NotEqual(t, word, quoted)
	for name, tt := range map[string]struct{ doc, want string }{
		"binary-of-the-api":   {wrapped(word, binary), "some of them of no text"},
		"text-of-the-api":     {wrapped(word), ""},
		"plain-of-a-dump":     {wrapped(word, byteMatch("b", "SearchString", "/admin", "NONE")), ""},
		"digest-of-the-api":   {wrapped(word, byteMatch("b", "SearchString", "1B2M2Y8AsgTpgAmY7PhCfg==", "MD5")), ""},
		"rules-of-formation":  {"[" + quoted + "]", "numbers in quotes"},
		"plain-and-formation": {"[" + strings.Replace(quoted, "c3FsbWFw", "sql-map", 1) + "]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := waf.Read([]byte(tt.doc), waf.ReadConfig{})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "want ReadConfig.SearchStrings")
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, doc)
			for _, how := range []waf.SearchStrings{waf.SearchStringsBase64, waf.SearchStringsPlain} {
				_, err := waf.Read([]byte(tt.doc), waf.ReadConfig{SearchStrings: how})
				require.NoError(t, err)
			}
		})
	}
}

// What stands where nobody reads it is a mistake, and so are two spellings of one name.
func TestReadPassesOverNothing(t *testing.T) {
	_, err := waf.Read([]byte(`{"WebACL":{"Name":"a","DefaultAction":{"Allow":{}}},"Rules":[],"LockToken":"x"}`), waf.ReadConfig{})
	require.ErrorContains(t, err, "Rules: want nothing but WebACL")
	_, err = waf.Read([]byte(`{"WebACL":{"Name":"a","DefaultAction":{"Allow":{}}},"LockToken":"x","ApplicationIntegrationURL":"https://x"}`), waf.ReadConfig{})
	require.NoError(t, err)
	_, err = waf.Read([]byte(`{"Name":"a","Arn":"x","ARN":"y","DefaultAction":{"Allow":{}},"Rules":[]}`), waf.ReadConfig{})
	require.ErrorContains(t, err, "without repeated names")
}

// How much a pattern may cost depends on how long the text may be.
func TestPatternsCostIsBounded(t *testing.T) {
	acl := func(pattern, limit string) *waf.WebACL {
		to := webACL(rule("r", 0, waf.Statement{RegexMatchStatement: &waf.RegexMatchStatement{
			RegexString: pattern, FieldToMatch: inBody, TextTransformations: transformed("NONE")}}, block))
		to.AssociationConfig = &waf.AssociationConfig{RequestBody: map[string]waf.RequestBodyConfig{"API_GATEWAY": {DefaultSizeInspectionLimit: limit}}}
		return to
	}
	for _, tt := range []struct {
		pattern string
		fits    string // the largest limit at which it is taken
	}{
		{`(?:a?b?){800}(?:a?b?){800}(?:a?b?){800}c`, ""},
		{`(?i)(union|select).{0,500}(from|where)`, "KB_16"},
		{`(?i)(?:union|select)\s+(?:all\s+)?[\w.]{1,64}`, "KB_16 KB_32 KB_48 KB_64"},
		{strings.Repeat("a|", 255) + "b", "KB_16 KB_32 KB_48 KB_64"},
		{strings.Repeat("é", 512), "KB_16 KB_32 KB_48 KB_64"},
	} {
		for _, limit := range []string{"KB_16", "KB_32", "KB_48", "KB_64"} {
			_, err := waf.New(t.Context(), waf.Config{ACL: acl(tt.pattern, limit)})
			if strings.Contains(tt.fits, limit) {
				require.NoError(t, err, "%s %s", tt.pattern, limit)
			} else {
				require.ErrorContains(t, err, "want fewer repetitions: the pattern has", "%s %s", tt.pattern, limit)
			}
		}
	}
}

// A rule whose CAPTCHA is overridden to Count needs nobody who knows tokens.
func TestOverriddenCaptchaNeedsNoPuzzle(t *testing.T) {
	g := &waf.RuleGroup{Name: "g", Rules: []waf.Rule{rule("c", 0, onPath("/"), &waf.Action{Captcha: &waf.CaptchaAction{}})}}
	acl := compiled(t, waf.Config{RuleGroups: map[string]*waf.RuleGroup{"g": g}, ACL: webACL(refers("ref", 1, false,
		waf.RuleGroupReferenceStatement{ARN: "g", RuleActionOverrides: []waf.RuleActionOverride{{Name: "c", ActionToUse: *count}}}))})
	d := acl.Check(get("/"))
	require.Equal(t, []string{"ref/c"}, d.Counted)
	require.Equal(t, "CAPTCHA", d.Record.RuleGroupList[0].NonTerminatingMatchingRules[0].OverriddenAction)
}

// Rules that are left out use up no quota of those that aren't.
func TestLeftOutRulesUseNoQuota(t *testing.T) {
	odd := waf.Statement{AndStatement: &waf.AndStatement{Statements: []waf.Statement{
		{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "none"}}, onPath("/")}}}
	insert := &waf.Action{Count: &waf.CountAction{CustomRequestHandling: &waf.CustomRequestHandling{
		InsertHeaders: []waf.CustomHTTPHeader{{Name: "a", Value: "1"}, {Name: "b", Value: "1"}}}}}
	var rules []waf.Rule
	for i := range 60 {
		rules = append(rules, rule("r"+strings.Repeat("x", i), int64(i), odd, insert))
	}
	acl := compiled(t, waf.Config{Lenient: true, ACL: webACL(rules...)})
	require.Len(t, acl.Findings(), 60)
}
