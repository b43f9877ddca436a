package waf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// onAction and onLabel are conditions.
func onAction(action string) waf.LogCondition {
	return waf.LogCondition{ActionCondition: &waf.ActionCondition{Action: action}}
}

func onLabel(name string) waf.LogCondition {
	return waf.LogCondition{LabelNameCondition: &waf.LabelNameCondition{LabelName: name}}
}

// filtered are the paths whose records are logged.
func filtered(t *testing.T, f *waf.LoggingFilter, paths ...string) (logged []string) {
	t.Helper()
	group := &waf.RuleGroup{Name: "g", Rules: []waf.Rule{
		rule("excluded", 0, onPath("/excluded"), block), rule("overridden", 1, onPath("/overridden"), block),
		rule("counts", 2, onPath("/counts"), count), rule("group", 3, onPath("/group"), block),
	}}
	acl := compiled(t, waf.Config{
		RuleGroups: map[string]*waf.RuleGroup{"g": group}, LoggingFilter: f,
		Log: func(r *waf.Record) { logged = append(logged, r.HTTPRequest.URI) },
		ACL: webACL(
			refers("ref", 0, false, waf.RuleGroupReferenceStatement{
				ARN: "g", ExcludedRules: []waf.ExcludedRule{{Name: "excluded"}},
				RuleActionOverrides: []waf.RuleActionOverride{{Name: "overridden", ActionToUse: *count}},
			}),
			rule("counted", 1, onPath("/counted"), count, "seen", "known"),
			rule("blocked", 2, onPath("/blocked"), block),
		),
	})
	for _, path := range paths {
		serve(acl.Middleware(echo), get(path))
	}
	return logged
}

const seenLabel, knownLabel = "awswaf:111122223333:webacl:acl:seen", "awswaf:111122223333:webacl:acl:known"

func TestLoggingFilter(t *testing.T) {
	all := []string{"/plain", "/counted", "/blocked", "/excluded", "/overridden", "/counts", "/group"}
	only := func(requirement string, conditions ...waf.LogCondition) *waf.LoggingFilter {
		return &waf.LoggingFilter{DefaultBehavior: "DROP", Filters: []waf.LogFilter{
			{Behavior: "KEEP", Requirement: requirement, Conditions: conditions}}}
	}
	for _, tt := range []struct {
		name string
		of   *waf.LoggingFilter
		want []string
	}{
		{"none", nil, all},
		{"blocked", only("MEETS_ANY", onAction("BLOCK")), []string{"/blocked", "/group"}},
		{"counted", only("MEETS_ANY", onAction("COUNT")), []string{"/counted", "/excluded", "/overridden", "/counts"}},
		{"excluded", only("MEETS_ANY", onAction("EXCLUDED_AS_COUNT")), []string{"/excluded", "/overridden"}},
		{"captcha", only("MEETS_ANY", onAction("CAPTCHA")), nil},
		{"label", only("MEETS_ANY", onLabel(seenLabel)), []string{"/counted"}},
		{"label-in-part", only("MEETS_ANY", onLabel("awswaf:111122223333:webacl:acl:see")), nil},
		{"any", only("MEETS_ANY", onLabel(seenLabel), onAction("BLOCK")), []string{"/counted", "/blocked", "/group"}},
		{"all", only("MEETS_ALL", onLabel(seenLabel), onLabel(knownLabel), onAction("ALLOW")), []string{"/counted"}},
		{"not-all", only("MEETS_ALL", onLabel(seenLabel), onAction("BLOCK")), nil},
		{"dropped", &waf.LoggingFilter{DefaultBehavior: "KEEP", Filters: []waf.LogFilter{
			{Behavior: "DROP", Requirement: "MEETS_ANY", Conditions: []waf.LogCondition{onAction("BLOCK"), onAction("COUNT")}},
		}}, []string{"/plain"}},
		{"first-decides", &waf.LoggingFilter{DefaultBehavior: "DROP", Filters: []waf.LogFilter{
			{Behavior: "DROP", Requirement: "MEETS_ANY", Conditions: []waf.LogCondition{onLabel(seenLabel)}},
			{Behavior: "KEEP", Requirement: "MEETS_ANY", Conditions: []waf.LogCondition{onAction("ALLOW")}},
		}}, []string{"/plain", "/excluded", "/overridden", "/counts"}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, filtered(t, tt.of, all...)) })
	}
}

func TestLoggingFilterIsChecked(t *testing.T) {
	ok := waf.LogFilter{Behavior: "KEEP", Requirement: "MEETS_ANY", Conditions: []waf.LogCondition{onAction("BLOCK")}}
	for want, f := range map[string]waf.LoggingFilter{
		`LoggingFilter.DefaultBehavior: want KEEP or DROP, got ""`:    {Filters: []waf.LogFilter{ok}},
		"LoggingFilter.Filters: want at least one, got none":          {DefaultBehavior: "KEEP"},
		`Filters[0].Behavior: want KEEP or DROP, got "keep"`:          {DefaultBehavior: "KEEP", Filters: []waf.LogFilter{{Behavior: "keep"}}},
		`Filters[1].Requirement: want MEETS_ANY or MEETS_ALL, got ""`: {DefaultBehavior: "KEEP", Filters: []waf.LogFilter{ok, {Behavior: "KEEP"}}},
		"Filters[0].Conditions: want at least one, got none":          {DefaultBehavior: "KEEP", Filters: []waf.LogFilter{{Behavior: "KEEP", Requirement: "MEETS_ALL"}}},
		"Conditions[0]: want one of ActionCondition and LabelNameCondition": {DefaultBehavior: "KEEP", Filters: []waf.LogFilter{
			{Behavior: "KEEP", Requirement: "MEETS_ALL", Conditions: []waf.LogCondition{{}}}}},
		`Conditions[0].ActionCondition: want one of`: {DefaultBehavior: "KEEP", Filters: []waf.LogFilter{
			{Behavior: "KEEP", Requirement: "MEETS_ALL", Conditions: []waf.LogCondition{onAction("block")}}}},
		`Conditions[1].LabelNameCondition: want a full name, from awswaf: on, got "seen"`: {DefaultBehavior: "KEEP", Filters: []waf.LogFilter{
			{Behavior: "KEEP", Requirement: "MEETS_ALL", Conditions: []waf.LogCondition{onAction("BLOCK"), onLabel("seen")}}}},
	} {
		refused(t, waf.Config{ACL: webACL(), LoggingFilter: &f}, want)
	}
}

// What the service answers to GetLoggingConfiguration, and CloudFormation's resource, are read.
func TestReadLoggingConfiguration(t *testing.T) {
	const members = `"ResourceArn":"arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1",
		"LogDestinationConfigs":["arn:aws:logs:us-east-1:111122223333:log-group:aws-waf-logs-acl"],
		"RedactedFields":[{"SingleHeader":{"Name":"x-tenant"}},{"UriPath":{}},{"QueryString":{}}],
		"LoggingFilter":{"DefaultBehavior":"DROP","Filters":[{"Behavior":"KEEP","Requirement":"MEETS_ANY","Conditions":[
			{"ActionCondition":{"Action":"BLOCK"}},{"LabelNameCondition":{"LabelName":"` + seenLabel + `"}}]}]}`
	for _, text := range []string{
		`{"LoggingConfiguration":{` + members + `,"ManagedByFirewallManager":false,"LogType":"WAF_LOGS","LogScope":"CUSTOMER"}}`,
		`{` + members + `}`, `{"Type":"AWS::WAFv2::LoggingConfiguration","Properties":{` + members + `}}`,
	} {
		doc, err := waf.Read([]byte(text), waf.ReadConfig{})
		require.NoError(t, err)
		redact, err := doc.LoggingConfiguration.Redaction()
		require.NoError(t, err)
		require.Equal(t, waf.Redaction{Headers: []string{"x-tenant"}, UriPath: true, QueryString: true}, redact)
		require.Equal(t, []string{"/counted", "/blocked"}, filtered(t, doc.LoggingConfiguration.LoggingFilter, "/plain", "/counted", "/blocked"))
	}
	_, err := waf.Read([]byte(`{"LoggingConfiguration":{"LoggingFilter":{"DefaultBehaviour":"DROP"}}}`), waf.ReadConfig{})
	require.ErrorContains(t, err, "LoggingConfiguration.LoggingFilter.DefaultBehaviour: no such field")
	for _, f := range []waf.FieldToMatch{{}, {Body: &waf.BodyField{}}, {Method: none, Body: &waf.BodyField{}}, {SingleHeader: &waf.NamedField{}}} {
		_, err := (&waf.LoggingConfiguration{RedactedFields: []waf.FieldToMatch{{Method: none}, f}}).Redaction()
		require.EqualError(t, err, "waf: LoggingConfiguration.RedactedFields[1]: want UriPath, QueryString, Method or SingleHeader with a Name")
	}
}
