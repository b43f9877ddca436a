package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/corazawaf/libinjection-go"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/throttle"
)

var (
	noSetting = &struct{}{}
	blocks    = &waf.Action{Block: &waf.BlockAction{}}
)

func transformations(names ...string) (list []waf.TextTransformation) {
	for i, name := range names {
		list = append(list, waf.TextTransformation{Priority: int64(i), Type: name})
	}
	return list
}

func webACL(tb testing.TB, sets map[string]waf.IPSource, statements ...waf.Statement) *waf.ACL {
	acl := &waf.WebACL{Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}}
	for i, s := range statements {
		acl.Rules = append(acl.Rules, waf.Rule{Name: fmt.Sprint("r", i), Priority: int64(i), Statement: s, Action: blocks})
	}
	return must[*waf.ACL](tb)(waf.New(tb.Context(), waf.Config{ACL: acl, IPSets: sets}))
}

// twentyRules are of the kinds that people have: a set of 10,000 addresses, injection in arguments, patterns, sizes, headers, cookies, paths.
func twentyRules(tb testing.TB) *waf.ACL {
	set := &waf.IPSet{IPAddressVersion: "IPV4"}
	for i := range 10_000 {
		set.Addresses = append(set.Addresses, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24).String())
	}
	args, path := waf.FieldToMatch{AllQueryArguments: noSetting}, waf.FieldToMatch{UriPath: noSetting}
	many := &waf.ManyFields{MatchPattern: waf.FieldsPattern{All: noSetting}, MatchScope: "ALL", OversizeHandling: "MATCH"}
	all, plain := transformations("URL_DECODE", "HTML_ENTITY_DECODE", "LOWERCASE"), transformations("NONE")
	contains := func(in waf.FieldToMatch, search string, list []waf.TextTransformation) waf.Statement {
		return waf.Statement{ByteMatchStatement: &waf.ByteMatchStatement{SearchString: search, PositionalConstraint: "CONTAINS", FieldToMatch: in, TextTransformations: list}}
	}
	agent := waf.Statement{SizeConstraintStatement: &waf.SizeConstraintStatement{ComparisonOperator: "GT",
		FieldToMatch: waf.FieldToMatch{SingleHeader: &waf.NamedField{Name: "user-agent"}}, TextTransformations: plain}}
	statements := []waf.Statement{
		{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "set"}},
		{SqliMatchStatement: &waf.SqliMatchStatement{FieldToMatch: args, TextTransformations: all}},
		{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: args, TextTransformations: all}},
		{RegexMatchStatement: &waf.RegexMatchStatement{RegexString: `\.(bak|sql|env)$`, FieldToMatch: path, TextTransformations: all}},
		{SizeConstraintStatement: &waf.SizeConstraintStatement{ComparisonOperator: "GT", Size: 2048, FieldToMatch: waf.FieldToMatch{QueryString: noSetting}, TextTransformations: plain}},
		{NotStatement: &waf.NotStatement{Statement: &agent}},
		contains(waf.FieldToMatch{Cookies: many}, "<script", plain),
		contains(waf.FieldToMatch{Headers: many}, "${jndi:", plain),
		{LabelMatchStatement: &waf.LabelMatchStatement{Scope: "LABEL", Key: "seen"}},
	}
	for i := range 11 {
		statements = append(statements, contains(path, fmt.Sprint("/internal", i), transformations("URL_DECODE", "NORMALIZE_PATH")))
	}
	return webACL(tb, map[string]waf.IPSource{"set": must[waf.IPSource](tb)(set.Source())}, statements...)
}

func BenchmarkWAF(b *testing.B) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	r := request("GET", "/orders/7?expand=lines&page=%31", "User-Agent", "curl/8", "Cookie", "sid=1; theme=dark", "Accept", "*/*")
	b.Run("rules=20/req=get", func(b *testing.B) { measure(b, twentyRules(b).Middleware(ok), r, 200) })
	b.Run("rules=20/req=blocked", func(b *testing.B) {
		r := request("GET", "/orders/7", "User-Agent", "curl/8")
		r.RemoteAddr = "10.1.2.3:4711"
		measure(b, twentyRules(b).Middleware(ok), r, 403)
	})
}

// jsonOf is about 8 KB of JSON in 600 elements, as APIs are sent them: one text of ten is prose with an apostrophe, which costs the engine's
// look, while plain words are passed over by the filter in front of it.
func jsonOf(n int) (body []byte, texts []string) {
	items := make([]map[string]any, n/6)
	for i := range items {
		items[i] = map[string]any{"sku": fmt.Sprint("A-", i), "n": i % 7, "note": []string{"it's late, so ring twice and wait by the gate", "at the door, please, after six in the evening"}[min(i%10, 1)]}
		for _, k := range []string{"sku", "n", "note"} {
			texts = append(texts, k, fmt.Sprint(items[i][k]))
		}
	}
	body, _ = json.Marshal(items)
	return body, texts
}

// BenchmarkWAFJSON judges each element for SQL injection and scripts, and beside it the engine alone on the same texts.
func BenchmarkWAFJSON(b *testing.B) {
	body, texts := jsonOf(600)
	in := waf.FieldToMatch{JsonBody: &waf.JsonBody{MatchPattern: waf.JsonMatchPattern{All: noSetting}, MatchScope: "ALL"}}
	acl := webACL(b, nil,
		waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{FieldToMatch: in, TextTransformations: transformations("NONE")}},
		waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: in, TextTransformations: transformations("NONE")}})
	h := acl.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	b.Run("by=gatekit", func(b *testing.B) {
		r, w, reader := httptest.NewRequest("POST", "/", nil), newResponse(), bytes.NewReader(body)
		r.ContentLength = int64(len(body))
		b.ReportAllocs()
		for b.Loop() {
			reader.Reset(body)
			r.Body = readerBody{reader}
			if got := w.serve(h, r); got != 200 {
				b.Fatal(got)
			}
		}
	})
	b.Run("by=libinjection", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, text := range texts {
				if found, _ := libinjection.IsSQLi(text); found || libinjection.IsXSS(text) {
					b.Fatal(text)
				}
			}
		}
	})
}

type readerBody struct{ *bytes.Reader }

func (readerBody) Close() error { return nil }

// BenchmarkWAFRate counts requests of a million addresses, beside a limit by caller.
func BenchmarkWAFRate(b *testing.B) {
	keys := keyCount
	if benchtimeIsOnce() {
		keys = 1000
	}
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	rate := &waf.WebACL{Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}, Rules: []waf.Rule{{Name: "rate", Action: blocks,
		Statement: waf.Statement{RateBasedStatement: &waf.RateBasedStatement{Limit: aLot, AggregateKeyType: "IP"}}}}}
	for name, h := range map[string]http.Handler{
		"gatekit": must[*waf.ACL](b)(waf.New(b.Context(), waf.Config{ACL: rate, RateKeys: 2 * keyCount})).Middleware(ok),
		"per-key": gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 1e5, Burst: aLot}, throttle.KeyConfig{Key: throttle.ByIP, MaxKeys: 2 * keyCount})).Middleware(ok),
	} {
		b.Run("by="+name, func(b *testing.B) {
			r, w := request("GET", "/"), newResponse()
			addresses := make([]string, keys)
			for i := range addresses {
				addresses[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}), 4711).String()
				r.RemoteAddr = addresses[i]
				w.serve(h, r)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 7919) % keys
				r.RemoteAddr = addresses[i]
				w.serve(h, r)
			}
		})
	}
}

// What is measured is what is meant.
func TestWAF(t *testing.T) {
	acl := twentyRules(t)
	for target, want := range map[string]string{"/orders/7?page=1": "ALLOW", "/a/../internal3": "BLOCK", "/?q=%3Cscript%3E": "BLOCK"} {
		if got := acl.Check(request("GET", target, "User-Agent", "curl/8")); got.Action != want {
			t.Errorf("%s: got %s by %s", target, got.Action, got.Rule)
		}
	}
	if body, texts := jsonOf(600); len(texts) != 600 || len(body) < 7500 || len(body) > 8500 || !strings.Contains(string(body), "late") {
		t.Errorf("%d texts, %d bytes", len(texts), len(body))
	}
}
