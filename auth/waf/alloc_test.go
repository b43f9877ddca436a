//go:build !race

package waf_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
)

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// twenty is an ACL of twenty rules of all kinds, one of them a set of 10,000 addresses.
func twenty(t testing.TB) *waf.ACL {
	set := &waf.IPSet{IPAddressVersion: "IPV4"}
	for i := range 10_000 {
		set.Addresses = append(set.Addresses, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24).String())
	}
	source, err := set.Source()
	require.NoError(t, err)
	tx := transformed("URL_DECODE", "HTML_ENTITY_DECODE", "LOWERCASE")
	rules := []waf.Rule{
		rule("set", 0, waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "s"}}, block),
		rule("sqli", 1, waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{FieldToMatch: inArgs, TextTransformations: tx}}, block),
		rule("xss", 2, waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: inArgs, TextTransformations: tx}}, block),
		rule("regex", 3, waf.Statement{RegexMatchStatement: &waf.RegexMatchStatement{RegexString: `\.(bak|sql|env)$`, FieldToMatch: inPath, TextTransformations: tx}}, block),
		rule("size", 4, sizeIs("GT", 2048, inQuery), block),
		rule("agent", 5, not(sizeIs("GT", 0, header("user-agent"))), block),
		rule("cookies", 6, many("Cookies", "ALL", "MATCH", "CONTAINS", "<script"), block),
		rule("headers", 7, many("Headers", "ALL", "MATCH", "CONTAINS", "${jndi:"), block),
		rule("label", 8, labelIs("LABEL", "seen"), block),
		rule("count", 9, onPath("/"), count, "passed"),
	}
	for i := range 10 {
		rules = append(rules, rule(fmt.Sprint("path", i), int64(20+i), text("CONTAINS", fmt.Sprint("/internal", i), inPath, "URL_DECODE", "NORMALIZE_PATH"), block))
	}
	acl, err := waf.New(t.Context(), waf.Config{ACL: webACL(rules...), IPSets: map[string]waf.IPSource{"s": source}})
	require.NoError(t, err)
	return acl
}

func attached(r *http.Request) *http.Request {
	_, r = gatekit.Attach(r)
	return r
}

func plainGET() *http.Request {
	return request("GET", "/orders/7?expand=lines&page=%31", "", "User-Agent", "curl/8", "Cookie", "sid=1; theme=dark", "Accept", "*/*")
}

func TestAllocations(t *testing.T) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	d := discard{http.Header{}}
	for name, tt := range map[string]struct {
		h    http.Handler
		r    *http.Request
		want float64
	}{
		"twenty-rules": {twenty(t).Middleware(next), plainGET(), 0},
		"attached":     {twenty(t).Middleware(next), attached(plainGET()), 0},
		"blocked":      {blocking(t, onPath("/")).Middleware(next), request("GET", "/", ""), 4},
		"rate":         {compiled(t, waf.Config{ACL: webACL(rule("r", 0, rated(waf.RateBasedStatement{Limit: 1_000_000, AggregateKeyType: "IP"}), block))}).Middleware(next), request("GET", "/", ""), 0},
	} {
		require.LessOrEqual(t, testing.AllocsPerRun(200, func() {
			clear(d.h)
			tt.h.ServeHTTP(d, tt.r)
		}), tt.want, name)
	}
}

func BenchmarkTwentyRules(b *testing.B) {
	h := twenty(b).Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	d, r := discard{http.Header{}}, plainGET()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(d, r)
	}
}
