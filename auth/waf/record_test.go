package waf_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
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

var rateID = regexp.MustCompile(`"rateBasedRuleId":"[\w-]{16}",`) // a digest

func requireJSON(t *testing.T, want string, got any) {
	t.Helper()
	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, want, rateID.ReplaceAllString(string(text), ""))
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
		"ruleGroupList": [], "rateBasedRuleList": [], "terminatingRuleMatchDetails": [], "nonTerminatingMatchingRules": [{"ruleId": "counted", "action": "COUNT"}],
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

	inserting := &waf.Action{Count: &waf.CountAction{CustomRequestHandling: &waf.CustomRequestHandling{
		InsertHeaders: []waf.CustomHTTPHeader{{Name: "Seen", Value: "1"}}}}}
	blocks := waf.Config{ACL: webACL(rule("one", 0, onPath("/"), inserting), rule("two", 1, onPath("/"), block))}
	require.Nil(t, logged(t, blocks, request("GET", "/", ""))["requestHeadersInserted"], "none is inserted into what is blocked")

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
	requireJSON(t, `[{"rateBasedRuleName": "rate", "limitKey": "IP", "limitValue": "192.0.2.1", "maxRateAllowed": 10, "evaluationWindowSec": "120"}]`, record.RateBasedRuleList)
}

// What is counted by is told, but for what may be a secret.
func TestRecordOfCustomKeys(t *testing.T) {
	named := func(name string) *waf.RateLimitNamed {
		return &waf.RateLimitNamed{Name: name, TextTransformations: transformed("LOWERCASE")}
	}
	forwarded := &waf.ForwardedIPConfig{HeaderName: "X-Real-IP", FallbackBehavior: "MATCH"}
	keys := []waf.RateBasedStatementCustomKey{
		{Header: named("X-A")}, {Header: named("Authorization")}, {Cookie: named("sid")}, {QueryArgument: named("id")},
	}
	others := []waf.RateBasedStatementCustomKey{
		{HTTPMethod: none}, {UriPath: &waf.RateLimitText{TextTransformations: transformed("NONE")}}, {ForwardedIP: none}, {ASN: none},
		{LabelNamespace: &waf.RateLimitLabelNamespace{Namespace: "a:"}},
	}
	acl := compiled(t, waf.Config{
		ASN: func(netip.Addr) uint32 { return 64500 },
		ACL: webACL(
			rule("label", 0, onPath("/"), count, "a:b", "a:c"),
			rule("one", 1, rated(waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS", CustomKeys: keys}), count),
			rule("two", 2, rated(waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS", CustomKeys: others, ForwardedIPConfig: forwarded}), count),
			rule("three", 3, rated(waf.RateBasedStatement{AggregateKeyType: "FORWARDED_IP", ForwardedIPConfig: forwarded}), count)),
	})
	r := get("/p?id=Seven", "X-A", "Shown", "Authorization", "secret", "Cookie", "sid=secret", "X-Real-IP", "198.51.100.1")
	passes(acl, 10, r)
	requireJSON(t, `[
		{"rateBasedRuleName": "one", "limitKey": "CUSTOMKEYS", "maxRateAllowed": 10, "evaluationWindowSec": "300", "customValues": [
			{"key": "HEADER", "name": "X-A", "value": "shown"}, {"key": "HEADER", "name": "Authorization", "value": "REDACTED"},
			{"key": "COOKIE", "name": "sid", "value": "REDACTED"}, {"key": "QUERY_ARGUMENT", "name": "id", "value": "seven"}]},
		{"rateBasedRuleName": "two", "limitKey": "CUSTOMKEYS", "maxRateAllowed": 10, "evaluationWindowSec": "300", "customValues": [
			{"key": "HTTP_METHOD", "value": "GET"}, {"key": "URI_PATH", "value": "/p"}, {"key": "FORWARDED_IP", "value": "198.51.100.1"},
			{"key": "ASN", "value": "64500"},
			{"key": "LABEL_NAMESPACE", "name": "a:", "value": "awswaf:111122223333:webacl:acl:a:b,awswaf:111122223333:webacl:acl:a:c"}]},
		{"rateBasedRuleName": "three", "limitKey": "FORWARDED_IP", "limitValue": "198.51.100.1", "maxRateAllowed": 10, "evaluationWindowSec": "300"}
	]`, acl.Check(r).Record.RateBasedRuleList)
	r.Header.Set("X-Real-IP", "nonsense")
	passes(acl, 10, r)
	require.Equal(t, "INVALID", acl.Check(r).Record.RateBasedRuleList[2].LimitValue)
}

// Injection is told with its place, and without what was found.
func TestRecordOfInjection(t *testing.T) {
	high := sqliIn(argument("ID"))
	high.SqliMatchStatement.SensitivityLevel = "HIGH"
	acl := compiled(t, waf.Config{ACL: webACL(
		rule("counted", 0, transforming(sqliIn(header("X-A")), nil, nil), count),
		rule("blocked", 1, waf.Statement{OrStatement: &waf.OrStatement{Statements: []waf.Statement{
			transforming(xssIn(inBody), nil, nil), transforming(high, []string{"URL_DECODE"}, nil)}}}, block))})
	record := acl.Check(get("/?id=1%27%20OR%20%271%27=%271", "X-A", "1' OR '1'='1")).Record
	requireJSON(t, `[{"conditionType": "SQL_INJECTION", "sensitivityLevel": "HIGH", "location": "SINGLE_QUERY_ARG", "matchedFieldName": "id"}]`,
		record.TerminatingRuleMatchDetails)
	requireJSON(t, `[{"ruleId": "counted", "action": "COUNT", "ruleMatchDetails": [
		{"conditionType": "SQL_INJECTION", "sensitivityLevel": "LOW", "location": "HEADER", "matchedFieldName": "x-a"}]}]`, record.NonTerminatingMatchingRules)
	acl = compiled(t, waf.Config{ACL: webACL(
		rule("half", 0, waf.Statement{AndStatement: &waf.AndStatement{Statements: []waf.Statement{transforming(xssIn(inBody), nil, nil), onPath("/x")}}}, block),
		rule("counted", 1, onPath("/"), count), rule("blocked", 2, transforming(xssIn(inBody), nil, nil), block))})
	record = acl.Check(post("<script>alert(1)</script>")).Record
	require.Empty(t, record.NonTerminatingMatchingRules[0].RuleMatchDetails, "an earlier rule's, which hasn't matched")
	requireJSON(t, `[{"conditionType": "XSS", "location": "BODY", "matchedFieldName": ""}]`, record.TerminatingRuleMatchDetails)
}

// Parts that are too large are told, of those that a rule has looked at.
func TestRecordOfOversize(t *testing.T) {
	acl := compiled(t, waf.Config{ACL: webACL(
		rule("json", 0, text("EXACTLY", "x", jsonValues), count), rule("cookies", 1, many("Cookies", "ALL", "CONTINUE", "EXACTLY", "x"), count),
		rule("headers", 2, many("Headers", "ALL", "CONTINUE", "EXACTLY", "x"), count))})
	large := post(strings.Repeat(" ", 20<<10), "Cookie", strings.Repeat("a", 9<<10))
	require.Equal(t, []string{"REQUEST_JSON_BODY", "REQUEST_HEADERS", "REQUEST_COOKIES"}, acl.Check(large).Record.OversizeFields)
	require.Empty(t, acl.Check(post("{}", "Cookie", "a")).Record.OversizeFields)
	require.Empty(t, blocking(t, onPath("/x")).Check(large).Record.OversizeFields)
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
