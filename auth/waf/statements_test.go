package waf_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

func TestByteMatch(t *testing.T) {
	for position, cases := range map[string]map[string]bool{
		"EXACTLY":       {"/?bad": true, "/?badly": false, "/?BAD": false, "/?": false, "/": false},
		"STARTS_WITH":   {"/?bad": true, "/?badly": true, "/?abad": false},
		"ENDS_WITH":     {"/?bad": true, "/?badly": false, "/?abad": true},
		"CONTAINS":      {"/?abadb": true, "/?ba": false},
		"CONTAINS_WORD": {"/?bad": true, "/?a-bad+b": true, "/?abad": false, "/?bad_": false, "/?badbad.bad": true, "/?bad1": false, "/?%bad%": true},
	} {
		t.Run(position, func(t *testing.T) { blocks(t, blocking(t, text(position, "bad", inQuery)), cases) })
	}
}

// What a request hasn't got never matches, so that NotStatement over it does.
func TestMissingParts(t *testing.T) {
	for name, in := range map[string]waf.FieldToMatch{
		"header": header("x-none"), "argument": argument("a"), "arguments": inArgs, "query": inQuery, "body": inBody,
		"json":     {JsonBody: &waf.JsonBody{MatchPattern: waf.JsonMatchPattern{All: none}, MatchScope: "ALL", InvalidFallbackBehavior: "MATCH"}},
		"fragment": {UriFragment: &waf.FingerprintField{FallbackBehavior: "NO_MATCH"}},
	} {
		t.Run(name, func(t *testing.T) {
			anything := sizeIs("GE", 0, in)
			require.False(t, blocked(blocking(t, anything), request("GET", "/", "")))
			require.True(t, blocked(blocking(t, not(anything)), request("GET", "/", "")))
		})
	}
	fragment := waf.FieldToMatch{UriFragment: &waf.FingerprintField{FallbackBehavior: "MATCH"}}
	require.True(t, blocked(blocking(t, text("EXACTLY", "x", fragment)), request("GET", "/", "")))
}

func TestSingleFields(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   waf.Statement
		r    *http.Request
		want bool
	}{
		{"header-any-case", text("EXACTLY", "v", header("X-naME")), request("GET", "/", "", "x-name", "v"), true},
		{"header-second-value", text("EXACTLY", "v", header("x-name")), request("GET", "/", "", "x-name", "a", "x-name", "v"), true},
		{"header-empty", sizeIs("EQ", 0, header("x-name")), request("GET", "/", "", "x-name", ""), true},
		{"header-host", text("EXACTLY", "shop.example", header("host")), request("GET", "/", "", "host", "shop.example"), true},
		{"transfer-encoding", text("EXACTLY", "chunked", header("transfer-encoding")), chunked(), true},
		{"transfer-encoding-in-all", many("Headers", "KEY", "CONTINUE", "EXACTLY", "transfer-encoding"), chunked(), true},
		{"transfer-encoding-absent", sizeIs("GE", 0, header("transfer-encoding")), request("GET", "/", ""), false},
		{"query-empty", sizeIs("EQ", 0, inQuery), request("GET", "/?", ""), true},
		{"arguments-none", sizeIs("GE", 0, inArgs), request("GET", "/?&&", ""), false},
		{"argument-any-case", text("EXACTLY", "v", argument("ID")), request("GET", "/?a=1&id=v", ""), true},
		{"argument-second", text("EXACTLY", "v", argument("id")), request("GET", "/?id=1&id=v", ""), true},
		{"argument-other", text("EXACTLY", "v", argument("id")), request("GET", "/?idx=v", ""), false},
		{"argument-not-decoded", text("EXACTLY", "a b", argument("id")), request("GET", "/?id=a%20b", ""), false},
		{"argument-decoded", text("EXACTLY", "a b", argument("id"), "URL_DECODE"), request("GET", "/?id=a%20b", ""), true},
		{"argument-escaped-name", text("EXACTLY", "v", argument("id")), request("GET", "/?i%64=v", ""), true},
		{"argument-without-value", sizeIs("EQ", 0, argument("id")), request("GET", "/?id", ""), true},
		{"all-arguments-values", text("EXACTLY", "v", inArgs), request("GET", "/?a=b&c=v", ""), true},
		{"all-arguments-no-names", text("EXACTLY", "v", inArgs), request("GET", "/?v=1", ""), false},
		{"path-as-received", text("EXACTLY", "/a%2Fb/../c", inPath), request("GET", "/a%2Fb/../c", ""), true},
		{"query-as-received", text("EXACTLY", "a=%27", inQuery), request("GET", "/?a=%27", ""), true},
		{"method", text("EXACTLY", "DELETE", waf.FieldToMatch{Method: none}), request("DELETE", "/", ""), true},
		{"body", text("CONTAINS", "evil", inBody), request("POST", "/", "an evil body"), true},
		{"cookie-key", many("Cookies", "KEY", "CONTINUE", "EXACTLY", "sid"), request("GET", "/", "", "cookie", "a=1; sid=2"), true},
		{"cookie-key-case", many("Cookies", "KEY", "CONTINUE", "EXACTLY", "sid"), request("GET", "/", "", "cookie", "SID=2"), false},
		{"cookie-value", many("Cookies", "VALUE", "CONTINUE", "EXACTLY", "2"), request("GET", "/", "", "cookie", "a=1; sid=2"), true},
		{"cookie-value-no-key", many("Cookies", "VALUE", "CONTINUE", "EXACTLY", "sid"), request("GET", "/", "", "cookie", "sid=2"), false},
		{"header-key", many("Headers", "KEY", "CONTINUE", "EXACTLY", "x-evil"), request("GET", "/", "", "X-Evil", "1"), true},
		{"header-key-host", many("Headers", "KEY", "CONTINUE", "EXACTLY", "host"), request("GET", "/", ""), true},
		{"header-value", many("Headers", "ALL", "CONTINUE", "EXACTLY", "1"), request("GET", "/", "", "X-Evil", "1"), true},
		{"headers-hold-cookie", many("Headers", "VALUE", "CONTINUE", "CONTAINS", "sid=2"), request("GET", "/", "", "cookie", "a=1; sid=2"), true},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, blocked(blocking(t, tt.of), tt.r)) })
	}
}

func chunked() *http.Request {
	r := request("POST", "/", "a")
	r.TransferEncoding = []string{"chunked"} // where net/http keeps it
	return r
}

// many looks for a string in all headers or cookies.
func many(part, scope, oversize, position, search string) waf.Statement {
	f := &waf.ManyFields{MatchPattern: waf.FieldsPattern{All: none}, MatchScope: scope, OversizeHandling: oversize}
	if part == "Cookies" {
		return text(position, search, waf.FieldToMatch{Cookies: f})
	}
	return text(position, search, waf.FieldToMatch{Headers: f})
}

func TestIncludedAndExcluded(t *testing.T) {
	pattern := func(p waf.FieldsPattern, cookies bool) waf.Statement {
		f := &waf.ManyFields{MatchPattern: p, MatchScope: "VALUE", OversizeHandling: "CONTINUE"}
		if cookies {
			return text("EXACTLY", "v", waf.FieldToMatch{Cookies: f})
		}
		return text("EXACTLY", "v", waf.FieldToMatch{Headers: f})
	}
	r := request("GET", "/", "", "X-A", "v", "Cookie", "b=v")
	only := request("GET", "/", "", "Host", "v")
	for _, tt := range []struct {
		name string
		of   waf.Statement
		want bool
	}{
		{"included", pattern(waf.FieldsPattern{IncludedHeaders: []string{"x-b", "x-a"}}, false), true},
		{"not-included", pattern(waf.FieldsPattern{IncludedHeaders: []string{"x-b"}}, false), false},
		{"excluded", pattern(waf.FieldsPattern{ExcludedHeaders: []string{"x-A"}}, false), false},
		{"not-excluded", pattern(waf.FieldsPattern{ExcludedHeaders: []string{"x-b"}}, false), true},
		{"host-excluded", pattern(waf.FieldsPattern{ExcludedHeaders: []string{"HOST"}}, false), false},
		{"host-included", pattern(waf.FieldsPattern{IncludedHeaders: []string{"host"}}, false), true},
		{"cookie-included", pattern(waf.FieldsPattern{IncludedCookies: []string{"b"}}, true), true},
		{"cookie-other-case", pattern(waf.FieldsPattern{IncludedCookies: []string{"B"}}, true), false},
		{"cookie-excluded", pattern(waf.FieldsPattern{ExcludedCookies: []string{"b"}}, true), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			of := r
			if strings.HasPrefix(tt.name, "host") {
				of = only
			}
			require.Equal(t, tt.want, blocked(blocking(t, tt.of), of))
		})
	}
}

func TestOversize(t *testing.T) {
	bodyOf := func(oversize string) waf.FieldToMatch {
		return waf.FieldToMatch{Body: &waf.BodyField{OversizeHandling: oversize}}
	}
	padded := func(n int) *http.Request { return request("POST", "/", strings.Repeat("a", n)+"evil") }
	const limit = 16 << 10
	for _, tt := range []struct {
		name string
		of   waf.Statement
		r    *http.Request
		want bool
	}{
		{"body-continue-within", text("CONTAINS", "evil", bodyOf("CONTINUE")), padded(limit - 4), true},
		{"body-continue-cut", text("CONTAINS", "evil", bodyOf("CONTINUE")), padded(limit - 3), false},
		{"body-match", text("CONTAINS", "nothing", bodyOf("MATCH")), padded(limit - 3), true},
		{"body-match-not-reached", text("CONTAINS", "nothing", bodyOf("MATCH")), padded(limit - 4), false},
		{"body-no-match", text("CONTAINS", "a", bodyOf("NO_MATCH")), padded(limit - 3), false},
		{"body-size-is-capped", sizeIs("GT", limit, bodyOf("CONTINUE")), padded(2 * limit), false},
		{"body-size-recipe", sizeIs("GT", limit, bodyOf("MATCH")), padded(2 * limit), true},
		{"not-turns-match", not(text("CONTAINS", "nothing", bodyOf("MATCH"))), padded(2 * limit), false},
		{"cookies-bytes", many("Cookies", "ALL", "MATCH", "EXACTLY", "x"), request("GET", "/", "", "cookie", "a="+strings.Repeat("b", 8<<10)), true},
		{"cookies-number", many("Cookies", "ALL", "MATCH", "EXACTLY", "x"), request("GET", "/", "", "cookie", strings.Repeat("a=1; ", 200)+"b=1"), true},
		{"cookies-fit", many("Cookies", "ALL", "MATCH", "EXACTLY", "x"), request("GET", "/", "", "cookie", strings.Repeat("a=1; ", 199)+"b=1"), false},
		{"cookies-continue", many("Cookies", "KEY", "CONTINUE", "EXACTLY", "b"), request("GET", "/", "", "cookie", strings.Repeat("a=1; ", 200)+"b=1"), false},
		{"cookies-continue-bytes", many("Cookies", "KEY", "CONTINUE", "EXACTLY", "b"), request("GET", "/", "", "cookie", "a="+strings.Repeat("b", 8<<10)+"; b=1"), false},
		{"headers", many("Headers", "ALL", "MATCH", "EXACTLY", "x"), request("GET", "/", "", "x-a", strings.Repeat("b", 8<<10)), true},
		{"headers-no-match", many("Headers", "ALL", "NO_MATCH", "EXACTLY", "evil"), request("GET", "/", "", "x-a", strings.Repeat("b", 8<<10), "x-b", "evil"), false},
		{"headers-continue", many("Headers", "ALL", "CONTINUE", "EXACTLY", "evil"), request("GET", "/", "", "x-a", strings.Repeat("b", 8<<10), "x-b", "evil"), true},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, blocked(blocking(t, tt.of), tt.r)) })
	}
	for n, want := range map[int]bool{199: false, 200: true} { // and Host
		require.Equal(t, want, blocked(blocking(t, many("Headers", "ALL", "MATCH", "EXACTLY", "x")), withHeaders(n)), n)
	}
	acl := webACL(rule("r", 0, text("CONTAINS", "evil", bodyOf("CONTINUE")), block))
	acl.AssociationConfig = &waf.AssociationConfig{RequestBody: map[string]waf.RequestBodyConfig{"API_GATEWAY": {DefaultSizeInspectionLimit: "KB_64"}}}
	wide := compiled(t, waf.Config{ACL: acl})
	require.True(t, blocked(wide, padded(64<<10-4)))
	require.False(t, blocked(wide, padded(64<<10-3)))
}

func TestSizeConstraint(t *testing.T) {
	for operator, want := range map[string][3]bool{
		"EQ": {false, true, false}, "NE": {true, false, true}, "LE": {true, true, false},
		"LT": {true, false, false}, "GE": {false, true, true}, "GT": {false, false, true},
	} {
		blocks(t, blocking(t, sizeIs(operator, 2, inQuery)), map[string]bool{"/?a": want[0], "/?ab": want[1], "/?abc": want[2]})
	}
	require.True(t, blocked(blocking(t, sizeIs("EQ", 1, inQuery, "URL_DECODE")), request("GET", "/?%61", "")), "after transformation")
}

func TestRegex(t *testing.T) {
	regex := func(pattern string) waf.Statement {
		return waf.Statement{RegexMatchStatement: &waf.RegexMatchStatement{
			RegexString: pattern, FieldToMatch: inBody, TextTransformations: transformed("NONE"),
		}}
	}
	for _, tt := range []struct {
		pattern, body string
		want          bool
	}{
		{"b+", "abc", true}, {"^b", "abc", false}, {"(?i)ABC", "xabc", true},
		{"a.b", "a\nb", false}, {"(?s)a.b", "a\nb", true},
		{`^a\xffb$`, "a\xffb", true}, {`^a\xffb$`, "a\xfeb", false}, {"^a.b$", "a\xffb", true}, {"é", "é", true},
		{"［admin］", "［admin］\xff", true}, {"［admin］", "\xff［admin］", true}, {"^.admin.$", "［admin］", true},
	} {
		require.Equal(t, tt.want, blocked(blocking(t, regex(tt.pattern)), request("POST", "/", tt.body)), "%q in %q", tt.pattern, tt.body)
	}
	for pattern, want := range map[string]string{
		`(?=a)b`: "without look-around", `a++`: "without look-around", `(a`: "missing closing",
		``: "want 1 to 512 characters", strings.Repeat("a", 513): "want 1 to 512 characters",
		`(x{900}){10}`: "invalid repeat count", strings.Repeat("(.*){999}", 20): "want fewer repetitions",
		"(?i)" + strings.Repeat(`[\x{0}-\x{10FFFF}]`, 20): "want smaller classes",
	} {
		_, err := waf.New(t.Context(), waf.Config{ACL: webACL(rule("r", 0, regex(pattern), block))})
		require.ErrorContains(t, err, `Rules["r"].Statement.RegexMatchStatement.RegexString`, pattern)
		require.ErrorContains(t, err, want)
	}
	set := waf.Statement{RegexPatternSetReferenceStatement: &waf.RegexPatternSetReferenceStatement{
		ARN: "arn:aws:wafv2:us-east-1:111122223333:regional/regexpatternset/words/1", FieldToMatch: inQuery, TextTransformations: transformed("NONE"),
	}}
	acl := compiled(t, waf.Config{
		ACL:              webACL(rule("r", 0, set, block)),
		RegexPatternSets: map[string]*waf.RegexPatternSet{"words": {RegularExpressionList: []waf.Regex{{"^a"}, {"b$"}}}},
	})
	blocks(t, acl, map[string]bool{"/?ax": true, "/?xb": true, "/?xax": false})
	refused(t, waf.Config{ACL: webACL(rule("r", 0, set, block)), RegexPatternSets: map[string]*waf.RegexPatternSet{"word": {}}},
		`RegexPatternSetReferenceStatement.ARN: want a set of Config.RegexPatternSets`)
}

func TestInjection(t *testing.T) {
	sqli := waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{
		FieldToMatch: argument("id"), TextTransformations: transformed("URL_DECODE"), SensitivityLevel: "HIGH",
	}}
	blocks(t, blocking(t, sqli), map[string]bool{"/?id=1%27%20OR%20%271%27%3D%271": true, "/?id=7": false, "/?other=1%27%20or%20%271%27=%271": false})
	xss := waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: inArgs, TextTransformations: transformed("URL_DECODE")}}
	blocks(t, blocking(t, xss), map[string]bool{"/?q=%3Cscript%3Ealert(1)%3C/script%3E": true, "/?q=1%3C2": false})
}

// Transformations run in the order of their priorities, whatever their order in the list.
func TestTransformationOrder(t *testing.T) {
	of := text("EXACTLY", "a b", inQuery)
	of.ByteMatchStatement.TextTransformations = []waf.TextTransformation{{Priority: 9, Type: "LOWERCASE"}, {Priority: 3, Type: "URL_DECODE"}}
	blocks(t, blocking(t, of), map[string]bool{"/?%41%20B": true})
	twice := text("EXACTLY", "a", inQuery, "URL_DECODE", "URL_DECODE")
	blocks(t, blocking(t, twice), map[string]bool{"/?%2561": true, "/?%252561": false})
}

func TestPreParse(t *testing.T) {
	of := text("EXACTLY", "evil", argument("b"), "NONE")
	of.ByteMatchStatement.PreParseTextTransformations = transformed("URL_DECODE")
	blocks(t, blocking(t, of), map[string]bool{"/?a=1%26b=evil": true, "/?a=1;b=evil": false})
	of.ByteMatchStatement.PreParseTextTransformations = transformed("REPLACE_SEMICOLONS_WITH_AMPERSANDS")
	blocks(t, blocking(t, of), map[string]bool{"/?a=1%26b=evil": false, "/?a=1;b=evil": true})
	of = text("EXACTLY", "1,3", argument("a"), "NONE")
	of.ByteMatchStatement.PreParseTextTransformations = transformed("COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA")
	blocks(t, blocking(t, of), map[string]bool{"/?a=1&b=2&a=3": true, "/?a=1&b=3": false})
	plain := text("EXACTLY", "1,3", argument("a"), "NONE") // the same in all else, and never true
	acl := compiled(t, waf.Config{ACL: webACL(rule("plain", 0, plain, block), rule("combined", 1, of, block))})
	require.Equal(t, "combined", acl.Check(request("GET", "/?a=1&a=3", "")).Rule)
	of.ByteMatchStatement.FieldToMatch = inQuery
	refused(t, waf.Config{ACL: webACL(rule("r", 0, of, block))}, "PreParseTextTransformations: want them with SingleQueryArgument or AllQueryArguments alone")
}

func TestJSONBody(t *testing.T) {
	in := func(scope, invalid string, paths ...string) waf.FieldToMatch {
		pattern := waf.JsonMatchPattern{IncludedPaths: paths}
		if paths == nil {
			pattern.All = none
		}
		return waf.FieldToMatch{JsonBody: &waf.JsonBody{MatchPattern: pattern, MatchScope: scope, InvalidFallbackBehavior: invalid}}
	}
	for _, tt := range []struct {
		name, search string
		in           waf.FieldToMatch
		body         string
		want         bool
	}{
		{"value", "evil", in("VALUE", ""), `{"a":[1,{"b":"evil"}]}`, true},
		{"unescaped", "evil", in("VALUE", ""), `{"a":"\u0065vil"}`, true},
		{"key", "evil", in("KEY", ""), `{"evil":1}`, true},
		{"key-no-value", "evil", in("KEY", ""), `{"a":"evil"}`, false},
		{"value-no-key", "evil", in("VALUE", ""), `{"evil":1}`, false},
		{"all", "evil", in("ALL", ""), `{"evil":1}`, true},
		{"number", "17", in("VALUE", ""), `{"a":17}`, true},
		{"path", "g", in("ALL", "", "/a/b"), `{"a":{"c":"d","b":{"e":{"f":"g"}}}}`, true},
		{"path-key-itself", "b", in("ALL", "", "/a/b"), `{"a":{"c":"d","b":{"e":{"f":"g"}}}}`, false},
		{"path-other", "d", in("ALL", "", "/a/b"), `{"a":{"c":"d","b":{"e":{"f":"g"}}}}`, false},
		{"invalid-up-to-the-error", "evil", in("VALUE", ""), `{"a":"evil","b":x`, true},
		{"invalid-behind-the-error", "evil", in("VALUE", ""), `{"b":x,"a":"evil"}`, false},
		{"invalid-match", "nothing", in("VALUE", "MATCH"), `{"b":x}`, true},
		{"valid-match", "nothing", in("VALUE", "MATCH"), `{"b":1}`, false},
		{"invalid-no-match", "evil", in("VALUE", "NO_MATCH"), `{"a":"evil","b":x`, false},
		{"invalid-string", `{"b":x,"a":"evil"}`, in("VALUE", "EVALUATE_AS_STRING"), `{"b":x,"a":"evil"}`, true},
		{"valid-string", `{"a":"evil"}`, in("VALUE", "EVALUATE_AS_STRING"), `{"a":"evil"}`, false},
		{"duplicate-key", "nothing", in("VALUE", "MATCH"), `{"a":1,"a":2}`, true},
		{"root-is-scalar", "nothing", in("VALUE", "MATCH"), `"evil"`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, blocked(blocking(t, text("EXACTLY", tt.search, tt.in)), request("POST", "/", tt.body)))
		})
	}
	cut := request("POST", "/", `{"a":"`+strings.Repeat("b", 17<<10)+`"}`)
	require.True(t, blocked(blocking(t, text("EXACTLY", "x", in("ALL", "MATCH"))), cut), "a body that is cut isn't JSON")
}

func TestAndOrNot(t *testing.T) {
	a, b := onPath("/a"), text("CONTAINS", "b", inQuery)
	blocks(t, blocking(t, waf.Statement{AndStatement: &waf.AndStatement{Statements: []waf.Statement{a, b}}}),
		map[string]bool{"/a?b": true, "/a": false, "/?b": false})
	blocks(t, blocking(t, waf.Statement{OrStatement: &waf.OrStatement{Statements: []waf.Statement{a, b}}}),
		map[string]bool{"/a": true, "/?b": true, "/": false})
	blocks(t, blocking(t, not(not(a))), map[string]bool{"/a": true, "/b": false})
}

func TestAddressOfTheClient(t *testing.T) {
	set := addresses{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	acl := compiled(t, waf.Config{
		ACL:    webACL(rule("r", 0, waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "bad"}}, block)),
		IPSets: map[string]waf.IPSource{"bad": set},
	})
	for addr, want := range map[string]bool{"192.0.2.9": true, "198.51.100.1": false, "2001:db8::1": true, "2001:db9::1": false, "::ffff:192.0.2.9": true} {
		require.Equal(t, want, blocked(acl, from(addr, request("GET", "/", ""))), addr)
	}
	r := request("GET", "/", "")
	r.RemoteAddr = "@"
	require.False(t, blocked(acl, r), "a connection that has no address is in no set")
}

// Statements that share a part and its transformations read it once, and differ in what they want.
func TestSharedTexts(t *testing.T) {
	var reads bytes.Buffer
	acl := compiled(t, waf.Config{ACL: webACL(
		rule("a", 0, text("CONTAINS", "never", inBody, "LOWERCASE"), block),
		rule("b", 1, text("CONTAINS", "never either", inBody, "LOWERCASE"), block),
		rule("c", 2, text("EXACTLY", "evil", inBody), block),
		rule("d", 3, text("EXACTLY", "evil", inBody, "LOWERCASE"), block),
	)})
	r := httptest.NewRequest("POST", "/", io.TeeReader(strings.NewReader("Evil"), &reads))
	d := acl.Check(r)
	require.Equal(t, "d", d.Rule)
	require.Equal(t, 4, reads.Len())
	whole, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, "Evil", string(whole))
}
