package waf_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

func TestCapacity(t *testing.T) {
	tx := transformed("NONE")
	jsonBody := waf.FieldToMatch{JsonBody: &waf.JsonBody{MatchPattern: waf.JsonMatchPattern{All: none}, MatchScope: "ALL"}}
	scope := onPath("/")
	pre := text("EXACTLY", "x", inArgs)
	pre.ByteMatchStatement.PreParseTextTransformations = transformed("URL_DECODE")
	key := waf.RateBasedStatementCustomKey{Header: &waf.RateLimitNamed{Name: "a", TextTransformations: transformed("LOWERCASE")}}
	for _, tt := range []struct {
		name string
		of   waf.Statement
		want int
	}{
		{"exactly", text("EXACTLY", "x", inPath), 2},
		{"contains", text("CONTAINS", "x", inPath), 10},
		{"contains-word", text("CONTAINS_WORD", "x", inPath), 10},
		{"transformations", text("EXACTLY", "x", inPath, "LOWERCASE", "URL_DECODE", "NONE"), 22},
		{"json", text("EXACTLY", "x", jsonBody, "LOWERCASE"), 14},
		{"all-arguments", text("EXACTLY", "x", inArgs), 12},
		{"pre-parse", pre, 22},
		{"regex", waf.Statement{RegexMatchStatement: &waf.RegexMatchStatement{RegexString: "a", FieldToMatch: inPath, TextTransformations: tx}}, 3},
		{"regex-set", waf.Statement{RegexPatternSetReferenceStatement: &waf.RegexPatternSetReferenceStatement{ARN: "p", FieldToMatch: inPath, TextTransformations: tx}}, 25},
		{"size", sizeIs("EQ", 1, inPath), 1},
		{"sqli", waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{FieldToMatch: inPath, TextTransformations: tx}}, 20},
		{"sqli-high", waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{SensitivityLevel: "HIGH", FieldToMatch: inPath, TextTransformations: tx}}, 30},
		{"xss", waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: inPath, TextTransformations: tx}}, 40},
		{"label", labelIs("LABEL", "a"), 1},
		{"ip-set", waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "s"}}, 1},
		{"ip-set-any", waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "s",
			IPSetForwardedIPConfig: &waf.IPSetForwardedIPConfig{HeaderName: "a", FallbackBehavior: "MATCH", Position: "ANY"}}}, 5},
		{"rate", rated(waf.RateBasedStatement{AggregateKeyType: "IP"}), 2},
		{"rate-keys", rated(waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{key, key}, ScopeDownStatement: &scope}), 64},
		{"nested", not(waf.Statement{AndStatement: &waf.AndStatement{Statements: []waf.Statement{onPath("/"), text("CONTAINS", "x", inPath)}}}), 12},
	} {
		acl := compiled(t, waf.Config{
			IPSets: map[string]waf.IPSource{"s": addresses{}}, RegexPatternSets: map[string]*waf.RegexPatternSet{"p": {RegularExpressionList: []waf.Regex{{"a"}}}},
			ACL: webACL(rule("r", 0, tt.of, block)),
		})
		require.Equal(t, tt.want, acl.Capacity(), tt.name)
	}
	require.Equal(t, 3, compiled(t, waf.Config{ACL: webACL(rule("r", 0, onPath("/"), block, "a", "b", "c", "d", "e"))}).Capacity())
	require.Equal(t, 4, compiled(t, waf.Config{ACL: webACL(rule("r", 0, onPath("/"), block, "a", "b", "c", "d", "e", "f"))}).Capacity())
	require.Equal(t, 50, compiled(t, waf.Config{RuleGroups: groups, ACL: webACL(refers("g", 0, false, waf.RuleGroupReferenceStatement{}))}).Capacity(), "declared")
	undeclared := group()
	undeclared.Capacity = 0
	require.Equal(t, 12, compiled(t, waf.Config{RuleGroups: map[string]*waf.RuleGroup{"g": undeclared},
		ACL: webACL(refers("g", 0, false, waf.RuleGroupReferenceStatement{}))}).Capacity(), "the sum of its rules")
}

// What WAFv2's quotas don't allow is refused when the ACL is made.
func TestQuotas(t *testing.T) {
	many := func(n int, of waf.Statement) (rules []waf.Rule) {
		for i := range n {
			rules = append(rules, rule(fmt.Sprint("r", i), int64(i), of, block))
		}
		return rules
	}
	headers := func(n int) (list []waf.CustomHTTPHeader) {
		for i := range n {
			list = append(list, waf.CustomHTTPHeader{Name: fmt.Sprint("h", i), Value: "v"})
		}
		return list
	}
	inserting := func(n int) *waf.Action {
		return &waf.Action{Count: &waf.CountAction{CustomRequestHandling: &waf.CustomRequestHandling{InsertHeaders: headers(n)}}}
	}
	one := func(of waf.Statement) waf.Config { return waf.Config{ACL: webACL(rule("r", 0, of, block))} }
	acting := func(a *waf.Action) waf.Config { return waf.Config{ACL: webACL(rule("r", 0, onPath("/"), a))} }
	bodies := func(key string, b waf.CustomResponseBody) waf.Config {
		acl := webACL()
		acl.CustomResponseBodies = map[string]waf.CustomResponseBody{key: b}
		return waf.Config{ACL: acl}
	}
	geo := waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "s"}}
	hundred := many(11, onPath("/"))
	for i := range hundred {
		hundred[i].Action = inserting(10)
	}
	answers := many(11, onPath("/"))
	for i := range answers {
		answers[i].Action = custom(400, "", headers(10)...)
	}
	duplicate := many(2, onPath("/"))
	duplicate[1].Name, duplicate[1].Priority = "r0", 0
	for want, cfg := range map[string]waf.Config{
		"want at most 5000 WCU, got 5040":                                                                        {ACL: webACL(many(126, waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: inPath, TextTransformations: transformed("NONE")}})...)},
		"want at most 50 references to sets and groups, got 51":                                                  {IPSets: map[string]waf.IPSource{"s": addresses{}}, ACL: webACL(many(51, geo)...)},
		"want at most 100 headers to insert, got 110":                                                            {ACL: webACL(hundred...)},
		"want at most 100 headers of responses, got 110":                                                         {ACL: webACL(answers...)},
		`Rules["r0"].Name: want different ones, got "r0" twice`:                                                  {ACL: webACL(duplicate...)},
		`Priority: want different ones, got 0 twice`:                                                             {ACL: webACL(duplicate...)},
		"InsertHeaders.length: want 1 to 10, got 11":                                                             acting(inserting(11)),
		"ResponseHeaders: want at most 10, got 11":                                                               acting(custom(400, "", headers(11)...)),
		"ResponseCode: want one of":                                                                              acting(custom(418, "")),
		"ResponseHeaders: want no Content-Type":                                                                  acting(custom(400, "", waf.CustomHTTPHeader{Name: "content-type", Value: "a"})),
		`ResponseHeaders[1].Name: want different ones, got "A"`:                                                  acting(custom(400, "", waf.CustomHTTPHeader{Name: "a"}, waf.CustomHTTPHeader{Name: "A"})),
		"ResponseHeaders[0].Name: want 1 to 64":                                                                  acting(custom(400, "", waf.CustomHTTPHeader{Name: "a b"})),
		"ResponseHeaders[0].Value: want up to 255":                                                               acting(custom(400, "", waf.CustomHTTPHeader{Name: "a", Value: "b\r\nc: d"})),
		`CustomResponseBodyKey: want one of CustomResponseBodies, got "slow"`:                                    acting(custom(400, "slow")),
		"Content.length: want 1 to 4096, got 4097":                                                               bodies("a", waf.CustomResponseBody{ContentType: "TEXT_HTML", Content: strings.Repeat("a", 4097)}),
		"want at most 50 of 51200 bytes, got 51 of 51":                                                           tooMany(51, 1),
		"want at most 50 of 51200 bytes, got 13 of 53248":                                                        tooMany(13, 4096),
		"ContentType: want TEXT_PLAIN":                                                                           bodies("a", waf.CustomResponseBody{ContentType: "text/html", Content: "a"}),
		"Action: want exactly one of Allow":                                                                      acting(&waf.Action{Block: block.Block, Count: count.Count}),
		"Action: want Allow, Block, Count":                                                                       acting(nil),
		"want exactly one statement, got 0":                                                                      one(waf.Statement{}),
		"want exactly one statement, got 2":                                                                      one(waf.Statement{GeoMatchStatement: &waf.GeoMatchStatement{}, NotStatement: &waf.NotStatement{}}),
		"NotStatement.Statement: want a statement, got none":                                                     one(waf.Statement{NotStatement: &waf.NotStatement{}}),
		"AndStatement.Statements: want at least 2, got 1":                                                        one(waf.Statement{AndStatement: &waf.AndStatement{Statements: []waf.Statement{onPath("/")}}}),
		"OrStatement.Statements[1]: want exactly one statement":                                                  one(waf.Statement{OrStatement: &waf.OrStatement{Statements: []waf.Statement{onPath("/"), {}}}}),
		"SearchString.length: want 1 to 200, got 0":                                                              one(text("EXACTLY", "", inPath)),
		"SearchString.length: want 1 to 200, got 201":                                                            one(text("EXACTLY", strings.Repeat("a", 201), inPath)),
		"SearchString: want letters, digits and underscores":                                                     one(text("CONTAINS_WORD", "a-b", inPath)),
		"PositionalConstraint: want EXACTLY":                                                                     one(text("exactly", "a", inPath)),
		"FieldToMatch: want exactly one, got 0":                                                                  one(text("EXACTLY", "a", waf.FieldToMatch{})),
		"FieldToMatch: want exactly one, got 2":                                                                  one(text("EXACTLY", "a", waf.FieldToMatch{UriPath: none, Method: none})),
		"FieldToMatch: want JA3Fingerprint in a ByteMatchStatement":                                              one(text("CONTAINS", "a", waf.FieldToMatch{JA3Fingerprint: &waf.FingerprintField{FallbackBehavior: "MATCH"}})),
		"HeaderOrder: want Config.HeaderOrder":                                                                   one(text("CONTAINS", "a", waf.FieldToMatch{HeaderOrder: &waf.BodyField{OversizeHandling: "MATCH"}})),
		"Cookies.OversizeHandling: want CONTINUE":                                                                one(many2("Cookies", "")),
		"Headers.MatchScope: want ALL, KEY or VALUE":                                                             one(many2("Headers", "CONTINUE")),
		"SingleQueryArgument.Name: want 1 to 30 bytes":                                                           one(text("EXACTLY", "a", argument(strings.Repeat("a", 31)))),
		"UriFragment.FallbackBehavior: want MATCH or NO_MATCH":                                                   one(text("EXACTLY", "a", waf.FieldToMatch{UriFragment: &waf.FingerprintField{}})),
		"TextTransformations.length: want 1 to 10, got 11":                                                       one(text("EXACTLY", "a", inPath, strings.Fields(strings.Repeat("NONE ", 11))...)),
		`TextTransformations[0].Type: want a text transformation, got "URL_DECOD"; the nearest are "URL_DECODE"`: one(text("EXACTLY", "a", inPath, "URL_DECOD")),
		"Size: want 0 to 21474836480, got -1":                                                                    one(sizeIs("EQ", -1, inPath)),
		"ComparisonOperator: want EQ, NE":                                                                        one(sizeIs("==", 1, inPath)),
		`SensitivityLevel: want LOW or HIGH, got "MIDDLE"`:                                                       one(waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{SensitivityLevel: "MIDDLE", FieldToMatch: inPath, TextTransformations: transformed("NONE")}}),
		`JsonBody.MatchPattern: want All or IncludedPaths`:                                                       one(text("EXACTLY", "a", waf.FieldToMatch{JsonBody: &waf.JsonBody{MatchScope: "ALL"}})),
		`JsonBody.InvalidFallbackBehavior: want MATCH`:                                                           one(text("EXACTLY", "a", waf.FieldToMatch{JsonBody: &waf.JsonBody{MatchScope: "ALL", InvalidFallbackBehavior: "x"}})),
		"AssociationConfig: want KB_16":                                                                          {ACL: &waf.WebACL{Name: "a", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}, AssociationConfig: &waf.AssociationConfig{RequestBody: map[string]waf.RequestBodyConfig{"API_GATEWAY": {DefaultSizeInspectionLimit: "KB_8"}}}}},
		"waf: Config.ACL: want a web ACL, got none":                                                              {},
		"Name: want 1 to 128 letters":                                                                            {ACL: &waf.WebACL{Name: "a b"}},
		"DefaultAction: want one of Allow and Block":                                                             {ACL: &waf.WebACL{Name: "a"}},
		"LabelNamespace: want one such as":                                                                       {ACL: &waf.WebACL{Name: "a", LabelNamespace: "x"}},
	} {
		t.Run(want, func(t *testing.T) { refused(t, cfg, want) })
	}
}

// tooMany is an ACL with n bodies of that size.
func tooMany(n, size int) waf.Config {
	acl := webACL()
	acl.CustomResponseBodies = map[string]waf.CustomResponseBody{}
	for i := range n {
		acl.CustomResponseBodies[fmt.Sprint(i)] = waf.CustomResponseBody{ContentType: "TEXT_HTML", Content: strings.Repeat("a", size)}
	}
	return waf.Config{ACL: acl}
}

// many2 has neither a right scope nor, if it is empty, a right handling of what is too large.
func many2(part, oversize string) waf.Statement {
	return many(part, "BOTH", oversize, "EXACTLY", "a")
}

// The order of fields is that of the document, and all mistakes are told at once.
func TestAllMistakesAtOnce(t *testing.T) {
	_, err := waf.New(t.Context(), waf.Config{ACL: webACL(
		rule("one", 0, text("EXACTLY", "", inPath), block), rule("two", 1, text("EXACTLY", "", inPath), block))})
	require.ErrorContains(t, err, `waf: Config.ACL.Rules["one"].Statement.ByteMatchStatement.SearchString.length`)
	require.ErrorContains(t, err, `waf: Config.ACL.Rules["two"].Statement.ByteMatchStatement.SearchString.length`)
}

func TestIPSetDocuments(t *testing.T) {
	set := &waf.IPSet{Name: "office", IPAddressVersion: "IPV4", Addresses: []string{"192.0.2.0/24"}}
	source, err := set.Source()
	require.NoError(t, err)
	acl := compiled(t, waf.Config{IPSets: map[string]waf.IPSource{"office": source},
		ACL: webACL(rule("r", 0, waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "arn:aws:wafv2:us-east-1:1:regional/ipset/office/id"}}, block))})
	require.True(t, blocked(acl, from("192.0.2.200", request("GET", "/", ""))))
	require.False(t, blocked(acl, from("192.0.3.1", request("GET", "/", ""))))
	for want, set := range map[string]*waf.IPSet{
		"IPAddressVersion: want IPV4 or IPV6": {Addresses: []string{"192.0.2.0/24"}},
		"Addresses: want at most 10000":       {IPAddressVersion: "IPV4", Addresses: make([]string, 10_001)},
		"0.0.0.0/0":                           {IPAddressVersion: "IPV4", Addresses: []string{"0.0.0.0/0"}},
		"2001:db8::/32":                       {IPAddressVersion: "IPV4", Addresses: []string{"2001:db8::/32"}},
	} {
		source, err := set.Source()
		require.ErrorContains(t, err, want)
		require.Nil(t, source)
	}
}
