package crs_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	corazahttp "github.com/corazawaf/coraza/v3/http"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// serve measures a handler on one request, whose body is there again each time.
func serve(b *testing.B, h http.Handler, r *http.Request, body string, want int) {
	b.Helper()
	reader := strings.NewReader(body)
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", fmt.Sprint(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			b.Fatal(w.Code)
		}
	}
}

// corazaAlone is the engine with its own http.Handler, and with the same rules and settings as a RuleSet has.
func corazaAlone(b testing.TB, directives string) http.Handler {
	b.Helper()
	engine, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(directives))
	require.NoError(b, err)
	return corazahttp.WrapHandler(engine, nothing)
}

const withCRS = `
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecAuditEngine Off
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecAction "id:900990,phase:1,pass,t:none,nolog,setvar:tx.crs_setup_version=4250"
Include @owasp_crs/REQUEST-*.conf
`

// A small POST, and 8 KB of JSON, through the rule set and through the engine alone.
func BenchmarkCRS(b *testing.B) {
	const form = "name=Ann&note=it%27s+late%2C+as+ever&quantity=7"
	kinds := []struct{ name, kind, body string }{
		{"small-post", "application/x-www-form-urlencoded", form}, {"json-8k", jsonType, eightKB()},
	}
	for _, of := range kinds {
		r := func() *http.Request { return request("POST", "/orders?page=2", "x", "Content-Type", of.kind) }
		b.Run("req="+of.name+"/by=gatekit", func(b *testing.B) { serve(b, plainSet(b).Middleware(nothing), r(), of.body, 200) })
		b.Run("req="+of.name+"/by=coraza", func(b *testing.B) { serve(b, corazaAlone(b, withCRS), r(), of.body, 200) })
	}
	b.Run("req=get/by=gatekit", func(b *testing.B) {
		serve(b, plainSet(b).Middleware(nothing), request("GET", "/orders?page=2", ""), "", 200)
	})
	b.Run("req=refused/by=gatekit", func(b *testing.B) { serve(b, plainSet(b).Middleware(nothing), request("GET", sqli, ""), "", 403) })
	b.Run("req=small-post-inspected/by=gatekit", func(b *testing.B) {
		set := newSet(b, crs.Config{InspectResponses: true})
		serve(b, set.Middleware(nothing), request("POST", "/orders?page=2", "x"), form, 200)
	})
}

// eightKB is JSON in 600 elements.
func eightKB() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `,{"sku":"A-%d","n":%d,"note":"it's late, as ever, %d"}`, i, i%7, i)
	}
	return "[" + b.String()[1:] + "]"
}

// The same twenty rules for a web ACL and for the engine: 10,000 networks, injection in arguments, patterns, sizes, headers,
// cookies, paths.
func BenchmarkTwentyRules(b *testing.B) {
	r := request("GET", "/orders/7?expand=lines&page=%31", "", "User-Agent", "curl/8", "Cookie", "sid=1; theme=dark")
	networks := make([]string, 10_000)
	for i := range networks {
		networks[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24).String()
	}
	b.Run("by=gatekit", func(b *testing.B) { serve(b, twentyStatements(b, networks).Middleware(nothing), r, "", 200) })
	b.Run("by=coraza", func(b *testing.B) { serve(b, corazaAlone(b, twentyDirectives(networks)), r, "", 200) })
}

func twentyStatements(b *testing.B, networks []string) *waf.ACL {
	some := &struct{}{}
	transformed := func(names ...string) (list []waf.TextTransformation) {
		for i, name := range names {
			list = append(list, waf.TextTransformation{Priority: int64(i), Type: name})
		}
		return list
	}
	set, err := (&waf.IPSet{IPAddressVersion: "IPV4", Addresses: networks}).Source()
	require.NoError(b, err)
	args, path := waf.FieldToMatch{AllQueryArguments: some}, waf.FieldToMatch{UriPath: some}
	many := &waf.ManyFields{MatchPattern: waf.FieldsPattern{All: some}, MatchScope: "VALUE", OversizeHandling: "MATCH"}
	decoded, plain := transformed("URL_DECODE", "HTML_ENTITY_DECODE", "LOWERCASE"), transformed("NONE")
	contains := func(in waf.FieldToMatch, search string, list []waf.TextTransformation) waf.Statement {
		return waf.Statement{ByteMatchStatement: &waf.ByteMatchStatement{SearchString: search, PositionalConstraint: "CONTAINS", FieldToMatch: in, TextTransformations: list}}
	}
	larger := func(n int64, in waf.FieldToMatch) waf.Statement {
		return waf.Statement{SizeConstraintStatement: &waf.SizeConstraintStatement{ComparisonOperator: "GT", Size: n, FieldToMatch: in, TextTransformations: plain}}
	}
	statements := []waf.Statement{
		{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "set"}},
		{SqliMatchStatement: &waf.SqliMatchStatement{FieldToMatch: args, TextTransformations: decoded}},
		{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: args, TextTransformations: decoded}},
		{RegexMatchStatement: &waf.RegexMatchStatement{RegexString: `\.(bak|sql|env)$`, FieldToMatch: path, TextTransformations: decoded}},
		larger(2048, waf.FieldToMatch{QueryString: some}),
		larger(512, waf.FieldToMatch{SingleHeader: &waf.NamedField{Name: "user-agent"}}),
		contains(waf.FieldToMatch{Cookies: many}, "<script", plain),
		contains(waf.FieldToMatch{Headers: many}, "${jndi:", plain),
		contains(waf.FieldToMatch{QueryString: some}, "../", transformed("URL_DECODE")),
	}
	for i := range 11 {
		statements = append(statements, contains(path, fmt.Sprint("/internal", i), transformed("URL_DECODE", "NORMALIZE_PATH")))
	}
	acl := &waf.WebACL{Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}}
	for i, s := range statements {
		acl.Rules = append(acl.Rules, waf.Rule{Name: fmt.Sprint("r", i), Priority: int64(i), Statement: s, Action: &waf.Action{Block: &waf.BlockAction{}}})
	}
	web, err := waf.New(context.Background(), waf.Config{ACL: acl, IPSets: map[string]waf.IPSource{"set": set}})
	require.NoError(b, err)
	return web
}

func twentyDirectives(networks []string) string {
	var d bytes.Buffer
	d.WriteString("SecRuleEngine On\nSecRequestBodyAccess Off\nSecAuditEngine Off\n")
	for i, rule := range []struct{ variable, operator, transformed string }{
		{"REMOTE_ADDR", "@ipMatch " + strings.Join(networks, ","), "t:none"},
		{"ARGS_GET", "@detectSQLi", "t:none,t:urlDecode,t:htmlEntityDecode,t:lowercase"},
		{"ARGS_GET", "@detectXSS", "t:none,t:urlDecode,t:htmlEntityDecode,t:lowercase"},
		{"REQUEST_FILENAME", `@rx \.(bak|sql|env)$`, "t:none,t:urlDecode,t:htmlEntityDecode,t:lowercase"},
		{"QUERY_STRING", "@gt 2048", "t:none,t:length"},
		{"REQUEST_HEADERS:User-Agent", "@gt 512", "t:none,t:length"},
		{"REQUEST_COOKIES", "@contains <script", "t:none"},
		{"REQUEST_HEADERS", "@contains ${jndi:", "t:none"},
		{"QUERY_STRING", "@contains ../", "t:none,t:urlDecode"},
	} {
		fmt.Fprintf(&d, "SecRule %s \"%s\" \"id:%d,phase:1,deny,nolog,%s\"\n", rule.variable, rule.operator, i+1, rule.transformed)
	}
	for i := range 11 {
		fmt.Fprintf(&d, "SecRule REQUEST_FILENAME \"@contains /internal%d\" \"id:%d,phase:1,deny,nolog,t:none,t:urlDecode,t:normalizePath\"\n", i, i+100)
	}
	return d.String()
}

// SQL injection and scripts looked for in each element of 8 KB of JSON, by two statements and by two of the engine's rules.
func BenchmarkInjectionInJSON(b *testing.B) {
	r := request("POST", "/orders", "x", "Content-Type", jsonType)
	some := &struct{}{}
	in := waf.FieldToMatch{JsonBody: &waf.JsonBody{MatchPattern: waf.JsonMatchPattern{All: some}, MatchScope: "ALL"}}
	plain, block := []waf.TextTransformation{{Type: "NONE"}}, &waf.Action{Block: &waf.BlockAction{}}
	acl, err := waf.New(context.Background(), waf.Config{ACL: &waf.WebACL{
		Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}, Rules: []waf.Rule{
			{Name: "sqli", Action: block, Statement: waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{FieldToMatch: in, TextTransformations: plain}}},
			{Name: "xss", Action: block, Priority: 1, Statement: waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: in, TextTransformations: plain}}},
		},
	}})
	require.NoError(b, err)
	b.Run("by=gatekit", func(b *testing.B) { serve(b, acl.Middleware(nothing), r, eightKB(), 200) })
	b.Run("by=coraza", func(b *testing.B) {
		serve(b, corazaAlone(b, `
SecRuleEngine On
SecRequestBodyAccess On
SecAuditEngine Off
SecAction "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule ARGS_POST|ARGS_POST_NAMES "@detectSQLi" "id:2,phase:2,deny,nolog,t:none"
SecRule ARGS_POST|ARGS_POST_NAMES "@detectXSS" "id:3,phase:2,deny,nolog,t:none"
`), r, eightKB(), 200)
	})
}
