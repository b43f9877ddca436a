package waf_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
)

// logged serves a request and returns its record as JSON.
func logged(t *testing.T, cfg waf.Config, r *http.Request) map[string]any {
	t.Helper()
	var records []*waf.Record
	cfg.Log = func(r *waf.Record) { records = append(records, r) }
	describe := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST, AccountID: "111122223333", APIID: "a1b2c3d4e5", Stage: "prod"}))
	serve(describe(compiled(t, cfg).Middleware(echo)), r)
	require.Len(t, records, 1)
	text, err := json.Marshal(records[0])
	require.NoError(t, err)
	var to map[string]any
	require.NoError(t, json.Unmarshal(text, &to))
	require.NotZero(t, to["timestamp"])
	require.NotEmpty(t, to["httpRequest"].(map[string]any)["requestId"])
	delete(to, "timestamp")
	delete(to["httpRequest"].(map[string]any), "requestId")
	return to
}

func requireJSON(t *testing.T, want string, got any) {
	t.Helper()
	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, want, string(text))
}

func TestRecord(t *testing.T) {
	cfg := waf.Config{
		Geo: func(netip.Addr) (string, string) { return "DE", "BE" },
		ACL: webACL(
			rule("counted", 0, onPath("/"), count, "seen"),
			rule("blocked", 1, text("CONTAINS", "evil", inBody), custom(429, "")),
		),
	}
	got := logged(t, cfg, request("POST", "/prod/orders?a=b&c", "evil", "Authorization", "Bearer secret", "Cookie", "sid=secret",
		"X-Api-Key", "secret", "X-Own", "shown"))
	requireJSON(t, `{
		"formatVersion": 1, "webaclId": "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1",
		"terminatingRuleId": "blocked", "terminatingRuleType": "REGULAR", "action": "BLOCK",
		"httpSourceName": "APIGW", "httpSourceId": "111122223333:a1b2c3d4e5:prod",
		"ruleGroupList": [], "rateBasedRuleList": [], "nonTerminatingMatchingRules": [{"ruleId": "counted", "action": "COUNT"}],
		"requestHeadersInserted": null, "responseCodeSent": 429, "labels": [{"name": "awswaf:111122223333:webacl:acl:seen"}],
		"requestBodySize": 4, "requestBodySizeInspectedByWAF": 4,
		"httpRequest": {"clientIp": "192.0.2.1", "country": "DE", "uri": "/prod/orders", "args": "a=b&c", "httpVersion": "HTTP/1.1", "httpMethod": "POST",
			"headers": [{"name": "authorization", "value": "REDACTED"}, {"name": "cookie", "value": "REDACTED"}, {"name": "host", "value": "example.com"},
				{"name": "x-api-key", "value": "REDACTED"}, {"name": "x-own", "value": "shown"}]}
	}`, got)
}

func TestRecordOfGroupsAndRates(t *testing.T) {
	cfg := waf.Config{RuleGroups: map[string]*waf.RuleGroup{"g": group(), "AWS:Core": group()}, ACL: webACL(
		managed("Core", nil, waf.RuleActionOverride{Name: "block", ActionToUse: *count}),
		refers("own", 2, true, waf.RuleGroupReferenceStatement{ExcludedRules: []waf.ExcludedRule{{Name: "count"}}}),
		rule("rate", 3, rated(waf.RateBasedStatement{AggregateKeyType: "IP", EvaluationWindowSec: 120}), count),
		rule("last", 4, onPath("/b"), &waf.Action{Allow: &waf.AllowAction{CustomRequestHandling: &waf.CustomRequestHandling{
			InsertHeaders: []waf.CustomHTTPHeader{{Name: "Seen", Value: "1"}}}}}),
	)}
	got := logged(t, cfg, request("GET", "/b", ""))
	requireJSON(t, `[
		{"ruleGroupId": "AWS#Core", "terminatingRule": null, "excludedRules": null,
		 "nonTerminatingMatchingRules": [{"ruleId": "block", "action": "COUNT", "overriddenAction": "BLOCK"}]},
		{"ruleGroupId": "arn:aws:wafv2:us-east-1:111122223333:regional/rulegroup/g/1", "excludedRules": null,
		 "terminatingRule": {"ruleId": "block", "action": "BLOCK"}, "nonTerminatingMatchingRules": []}]`, got["ruleGroupList"])
	requireJSON(t, `[{"ruleId": "own", "action": "COUNT"}]`, got["nonTerminatingMatchingRules"])
	requireJSON(t, `[{"name": "x-amzn-waf-seen", "value": "1"}]`, got["requestHeadersInserted"])
	require.Equal(t, "last", got["terminatingRuleId"])

	got = logged(t, cfg, request("GET", "/c", ""))
	requireJSON(t, `[{"exclusionType": "EXCLUDED_AS_COUNT", "ruleId": "count"}]`, got["ruleGroupList"].([]any)[1].(map[string]any)["excludedRules"])

	cfg.ACL.Rules[0].Statement.ManagedRuleGroupStatement.RuleActionOverrides = nil
	got = logged(t, cfg, request("GET", "/b", ""))
	require.Equal(t, "AWS#Core", got["terminatingRuleId"])
	require.Equal(t, "MANAGED_RULE_GROUP", got["terminatingRuleType"])
	require.Nil(t, got["responseCodeSent"])

	limited := waf.Config{ACL: webACL(rule("rate", 3, rated(waf.RateBasedStatement{AggregateKeyType: "IP", EvaluationWindowSec: 120}), block))}
	acl := compiled(t, limited)
	passes(acl, 10, request("GET", "/", ""))
	record := acl.Check(request("GET", "/", "")).Record
	require.Equal(t, "RATE_BASED", record.TerminatingRuleType)
	requireJSON(t, `[{"rateBasedRuleName": "rate", "limitKey": "IP", "maxRateAllowed": 10, "evaluationWindowSec": "120"}]`, record.RateBasedRuleList)
}

func TestRedaction(t *testing.T) {
	got := logged(t, waf.Config{
		ACL:    webACL(rule("big", 0, text("CONTAINS", "x", inBody), block)),
		Redact: waf.Redaction{Headers: []string{"x-own"}, UriPath: true, QueryString: true, Method: true},
		JA3:    func(*http.Request) string { return "ja3" },
	}, request("POST", "/secret?secret", strings.Repeat("a", 20<<10), "X-Own", "secret"))
	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.NotContains(t, string(text), "secret")
	require.NotContains(t, string(text), "POST")
	requireJSON(t, `["REQUEST_BODY"]`, got["oversizeFields"])
	require.EqualValues(t, 16<<10, got["requestBodySizeInspectedByWAF"])
	require.Equal(t, "ja3", got["ja3Fingerprint"])
}

// A record shows a hundred labels at most, and may be kept: nothing of it is used again.
func TestRecordsAreKept(t *testing.T) {
	var rules []waf.Rule
	for i := range 30 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		rules = append(rules, rule(name, int64(i), onPath("/many"), count, name+":1", name+":2", name+":3", name+":4"))
	}
	var records []*waf.Record
	acl := compiled(t, waf.Config{ACL: webACL(rules...), Log: func(r *waf.Record) { records = append(records, r) }})
	h := acl.Middleware(echo)
	serve(h, httptest.NewRequest("GET", "/many?1", nil))
	before, err := json.Marshal(records[0])
	require.NoError(t, err)
	serve(h, httptest.NewRequest("GET", "/other?2", nil))
	require.Len(t, records[0].Labels, 100)
	require.Empty(t, records[1].Labels)
	after, err := json.Marshal(records[0])
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}
