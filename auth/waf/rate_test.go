package waf_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

func rated(of waf.RateBasedStatement) waf.Statement {
	if of.Limit == 0 {
		of.Limit = 10
	}
	return waf.Statement{RateBasedStatement: &of}
}

// passes is how many of n requests aren't blocked.
func passes(acl *waf.ACL, n int, r *http.Request) (passed int) {
	for range n {
		if !blocked(acl, r) {
			passed++
		}
	}
	return passed
}

// The first request above the limit is blocked, until the window has passed.
func TestRateByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acl := compiled(t, waf.Config{ACL: webACL(rule("r", 0, rated(waf.RateBasedStatement{AggregateKeyType: "IP", EvaluationWindowSec: 60}), block, "limited"),
			rule("label", 1, labelIs("LABEL", "limited"), block))})
		require.Equal(t, 10, passes(acl, 15, request("GET", "/", "")))
		require.Equal(t, 10, passes(acl, 11, from("198.51.100.1", request("GET", "/", ""))))
		time.Sleep(50 * time.Second)
		require.Zero(t, passes(acl, 1, request("GET", "/", "")), "and what is blocked goes on counting")
		time.Sleep(65 * time.Second)
		require.Equal(t, 10, passes(acl, 12, request("GET", "/", "")))
	})
}

func TestRateKeys(t *testing.T) {
	custom := func(keys ...waf.RateBasedStatementCustomKey) waf.RateBasedStatement {
		return waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS", CustomKeys: keys}
	}
	named := func(name string, types ...string) *waf.RateLimitNamed {
		return &waf.RateLimitNamed{Name: name, TextTransformations: transformed(append(types, "NONE")...)}
	}
	plain := &waf.RateLimitText{TextTransformations: transformed("NONE")}
	forwarded := &waf.ForwardedIPConfig{HeaderName: "X-Forwarded-For", FallbackBehavior: "MATCH"}
	ignoring := &waf.ForwardedIPConfig{HeaderName: "X-Forwarded-For", FallbackBehavior: "NO_MATCH"}
	forwardedASN := func(c *waf.ForwardedIPConfig) waf.RateBasedStatement {
		return waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{{ASN: none}}, ForwardedIPConfig: c}
	}
	r := func(target string, headers ...string) *http.Request { return request("GET", target, "", headers...) }
	scope := onPath("/a")
	for _, tt := range []struct {
		name            string
		of              waf.RateBasedStatement
		first, second   *http.Request
		shared, counted bool // the second counts for the first; the first counts at all
	}{
		{"header", custom(waf.RateBasedStatementCustomKey{Header: named("X-A")}), r("/", "x-a", "1"), r("/", "x-a", "2"), false, true},
		{"header-same", custom(waf.RateBasedStatementCustomKey{Header: named("X-A", "LOWERCASE")}), r("/", "x-a", "a"), r("/", "x-a", "A"), true, true},
		{"header-absent", custom(waf.RateBasedStatementCustomKey{Header: named("X-A")}), r("/"), r("/"), true, false},
		{"header-empty", custom(waf.RateBasedStatementCustomKey{Header: named("X-A")}), r("/", "x-a", ""), r("/", "x-a", ""), true, true},
		{"header-two", custom(waf.RateBasedStatementCustomKey{Header: named("X-A")}), r("/", "x-a", "1"), r("/", "x-a", "2", "x-a", "1"), true, true},
		{"cookie", custom(waf.RateBasedStatementCustomKey{Cookie: named("sid")}), r("/", "cookie", "a=1; sid=1"), r("/", "cookie", "sid=1; a=2"), true, true},
		{"cookie-other", custom(waf.RateBasedStatementCustomKey{Cookie: named("sid")}), r("/", "cookie", "sid=1"), r("/", "cookie", "sid=2"), false, true},
		{"cookie-absent", custom(waf.RateBasedStatementCustomKey{Cookie: named("sid")}), r("/", "cookie", "SID=1"), r("/"), true, false},
		{"argument", custom(waf.RateBasedStatementCustomKey{QueryArgument: named("id")}), r("/?id=1&a=2"), r("/?ID=1"), true, true},
		{"query", custom(waf.RateBasedStatementCustomKey{QueryString: plain}), r("/?a"), r("/?b"), false, true},
		{"path", custom(waf.RateBasedStatementCustomKey{UriPath: plain}), r("/a"), r("/a?b"), true, true},
		{"method", custom(waf.RateBasedStatementCustomKey{HTTPMethod: none}), r("/"), request("PUT", "/", ""), false, true},
		{"tuple", custom(waf.RateBasedStatementCustomKey{Header: named("X-A")}, waf.RateBasedStatementCustomKey{Header: named("X-B")}), r("/", "x-a", "ab", "x-b", "c"), r("/", "x-a", "a", "x-b", "bc"), false, true},
		{"tuple-lacks-one", custom(waf.RateBasedStatementCustomKey{Header: named("X-A")}, waf.RateBasedStatementCustomKey{Header: named("X-B")}), r("/", "x-a", "1"), r("/"), true, false},
		{"address-and-path", custom(waf.RateBasedStatementCustomKey{IP: none}, waf.RateBasedStatementCustomKey{UriPath: plain}), r("/"), from("198.51.100.7", r("/")), false, true},
		{"asn", custom(waf.RateBasedStatementCustomKey{ASN: none}), r("/"), from("198.51.100.7", r("/")), false, true},
		{"asn-unknown", custom(waf.RateBasedStatementCustomKey{ASN: none}), from("198.51.100.7", r("/")), from("198.51.100.8", r("/")), true, true},
		{"asn-forwarded", forwardedASN(forwarded), r("/", "x-forwarded-for", "192.0.2.1"), from("198.51.100.7", r("/", "x-forwarded-for", "192.0.2.1")), true, true},
		{"asn-forwarded-absent", forwardedASN(forwarded), r("/"), r("/"), true, false},
		{"asn-forwarded-malformed", forwardedASN(ignoring), r("/", "x-forwarded-for", "x"), r("/", "x-forwarded-for", "x"), true, false},
		{"label", custom(waf.RateBasedStatementCustomKey{LabelNamespace: &waf.RateLimitLabelNamespace{Namespace: "path:"}}), r("/a"), r("/b"), false, true},
		{"label-absent", custom(waf.RateBasedStatementCustomKey{LabelNamespace: &waf.RateLimitLabelNamespace{Namespace: "path:"}}), r("/"), r("/"), true, false},
		{"ja4", custom(waf.RateBasedStatementCustomKey{JA4Fingerprint: &waf.FingerprintField{FallbackBehavior: "MATCH"}}), r("/", "X-JA4", "a"), r("/", "X-JA4", "b"), false, true},
		{"ja4-absent", custom(waf.RateBasedStatementCustomKey{JA4Fingerprint: &waf.FingerprintField{FallbackBehavior: "MATCH"}}), r("/"), r("/"), true, true},
		{"ja4-absent-not", custom(waf.RateBasedStatementCustomKey{JA4Fingerprint: &waf.FingerprintField{FallbackBehavior: "NO_MATCH"}}), r("/"), r("/"), true, false},
		{"forwarded", waf.RateBasedStatement{AggregateKeyType: "FORWARDED_IP", ForwardedIPConfig: forwarded}, r("/", "x-forwarded-for", "192.0.2.1, 192.0.2.2"), r("/", "x-forwarded-for", "192.0.2.1"), true, true},
		{"forwarded-other", waf.RateBasedStatement{AggregateKeyType: "FORWARDED_IP", ForwardedIPConfig: forwarded}, r("/", "x-forwarded-for", "192.0.2.1"), r("/", "x-forwarded-for", "192.0.2.2"), false, true},
		{"forwarded-absent", waf.RateBasedStatement{AggregateKeyType: "FORWARDED_IP", ForwardedIPConfig: forwarded}, r("/"), r("/"), true, false},
		{"forwarded-malformed-shares", waf.RateBasedStatement{AggregateKeyType: "FORWARDED_IP", ForwardedIPConfig: forwarded}, r("/", "x-forwarded-for", "x"), r("/", "x-forwarded-for", "y"), true, true},
		{"forwarded-malformed-not", waf.RateBasedStatement{AggregateKeyType: "FORWARDED_IP", ForwardedIPConfig: ignoring}, r("/", "x-forwarded-for", "x"), r("/"), true, false},
		{"constant", waf.RateBasedStatement{AggregateKeyType: "CONSTANT", ScopeDownStatement: &scope}, r("/a"), from("198.51.100.7", r("/a2")), true, true},
		{"out-of-scope", waf.RateBasedStatement{AggregateKeyType: "CONSTANT", ScopeDownStatement: &scope}, r("/b"), r("/a"), true, false},
		{"long", custom(waf.RateBasedStatementCustomKey{Header: named("X-A")}), r("/", "x-a", strings.Repeat("a", 500)+"1"), r("/", "x-a", strings.Repeat("a", 500)+"2"), false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			acl := compiled(t, waf.Config{
				ASN: func(addr netip.Addr) uint32 { return map[string]uint32{"192.0.2.1": 64500}[addr.String()] },
				JA4: func(r *http.Request) string { return r.Header.Get("X-JA4") },
				ACL: webACL(rule("a", 0, onPath("/a"), count, "path:a"), rule("b", 1, onPath("/b"), count, "path:b"), rule("r", 2, rated(tt.of), block)),
			})
			want := 10
			if !tt.counted {
				want = 12
			}
			require.Equal(t, want, passes(acl, 12, tt.first))
			require.Equal(t, tt.shared && tt.counted, blocked(acl, tt.second))
		})
	}
}

// What an earlier rule blocks doesn't reach the counter, and the same group counts at each place
// for itself.
func TestWhatIsCounted(t *testing.T) {
	acl := compiled(t, waf.Config{ACL: webACL(rule("first", 0, text("CONTAINS", "bad", inQuery), block),
		rule("r", 1, rated(waf.RateBasedStatement{AggregateKeyType: "IP"}), block))})
	require.Zero(t, passes(acl, 20, request("GET", "/?bad", "")))
	require.Equal(t, 10, passes(acl, 20, request("GET", "/", "")))

	g := &waf.RuleGroup{Name: "g", Rules: []waf.Rule{rule("r", 0, rated(waf.RateBasedStatement{AggregateKeyType: "IP"}), count)}}
	acl = compiled(t, waf.Config{RuleGroups: map[string]*waf.RuleGroup{"g": g}, ACL: webACL(
		refers("one", 0, false, waf.RuleGroupReferenceStatement{ARN: "g"}), refers("two", 1, false, waf.RuleGroupReferenceStatement{ARN: "g"}))})
	passes(acl, 9, request("GET", "/", ""))
	require.Empty(t, acl.Check(request("GET", "/", "")).Counted, "ten at each place, and not twenty")
	require.Equal(t, []string{"one/r", "two/r"}, acl.Check(request("GET", "/", "")).Counted)
}

type counter func(key string, window time.Duration) (int64, error)

func (c counter) Count(_ context.Context, key string, window time.Duration) (int64, error) {
	return c(key, window)
}

// Machines with one ACL and one counter agree on keys; another limit counts anew.
func TestSharedCounter(t *testing.T) {
	var keys []string
	shared := counter(func(key string, window time.Duration) (int64, error) {
		require.Equal(t, 2*time.Minute, window)
		keys = append(keys, key)
		return int64(len(keys)), nil
	})
	for _, limit := range []int64{10, 10, 11} {
		acl := compiled(t, waf.Config{Counter: shared, ACL: webACL(rule("r", 0,
			rated(waf.RateBasedStatement{Limit: limit, AggregateKeyType: "IP", EvaluationWindowSec: 120}), block))})
		require.False(t, blocked(acl, request("GET", "/", "")))
	}
	require.Equal(t, keys[0], keys[1])
	require.NotEqual(t, keys[0], keys[2])
	require.Less(t, len(keys[0]), 64)
	long := rated(waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS", EvaluationWindowSec: 120, CustomKeys: []waf.RateBasedStatementCustomKey{
		{UriPath: &waf.RateLimitText{TextTransformations: transformed("NONE")}}}})
	blocked(compiled(t, waf.Config{Counter: shared, ACL: webACL(rule("r", 0, long, block))}), request("GET", "/"+strings.Repeat("a", 9000), ""))
	require.Less(t, len(keys[3]), 64, "a client doesn't choose how long keys are")
}

func TestCounterThatFails(t *testing.T) {
	gone := errors.New("the counter is away")
	of := rated(waf.RateBasedStatement{AggregateKeyType: "IP"})
	cfg := waf.Config{Counter: counter(func(string, time.Duration) (int64, error) { return 0, gone }), ACL: webACL(rule("r", 0, of, block), rule("s", 1, onPath("/s"), block))}
	acl := compiled(t, cfg)
	d := acl.Check(request("GET", "/", ""))
	require.ErrorIs(t, d.Rejection, gone, "closed")
	require.Equal(t, "BLOCK", d.Action)
	require.ErrorContains(t, d.Rejection, "waf: rule r can't be judged: the counter is away")
	require.Equal(t, "r", d.Rule)
	require.Equal(t, gone.Error(), d.Record.Fault)
	require.Equal(t, "r", d.Record.TerminatingRuleID)
	w := serve(acl.Middleware(echo), request("GET", "/", ""))
	require.Equal(t, 403, w.Code)
	within := &waf.RuleGroup{Name: "g", Rules: []waf.Rule{rule("r", 0, of, count)}}
	inGroup := compiled(t, waf.Config{Counter: cfg.Counter, RuleGroups: map[string]*waf.RuleGroup{"g": within},
		ACL: webACL(refers("g", 0, true, waf.RuleGroupReferenceStatement{ARN: "g"}))})
	require.ErrorIs(t, inGroup.Check(request("GET", "/", "")).Rejection, gone, "and in a group that only counts")

	var out strings.Builder
	cfg.FailOpen, cfg.Logger = true, slog.New(slog.NewTextHandler(&out, nil))
	synctest.Test(t, func(t *testing.T) {
		acl = compiled(t, cfg)
		for range 50 {
			require.False(t, blocked(acl, request("GET", "/", "")))
		}
		require.True(t, blocked(acl, request("GET", "/s", "")), "the other rules hold")
		time.Sleep(time.Second)
		require.False(t, blocked(acl, request("GET", "/", "")))
	})
	require.Equal(t, 2, strings.Count(out.String(), "\n"), "one record a second: %s", out.String())
	require.Contains(t, out.String(), gone.Error())
}

func TestRatesThatAreRefused(t *testing.T) {
	scope, header := onPath("/"), &waf.RateLimitNamed{Name: "X-A", TextTransformations: transformed("NONE")}
	for want, of := range map[string]waf.RateBasedStatement{
		"Limit: want 10 to 2000000000, got 9":                        {Limit: 9, AggregateKeyType: "IP"},
		"EvaluationWindowSec: want 60, 120, 300 or 600, got 61":      {AggregateKeyType: "IP", EvaluationWindowSec: 61},
		"AggregateKeyType: want IP":                                  {},
		"ScopeDownStatement: want one with CONSTANT":                 {AggregateKeyType: "CONSTANT"},
		"ForwardedIPConfig: want one with FORWARDED_IP":              {AggregateKeyType: "FORWARDED_IP"},
		"CustomKeys.length: want 1 to 5, got 0":                      {AggregateKeyType: "CUSTOM_KEYS"},
		"CustomKeys: want none with IP":                              {AggregateKeyType: "IP", CustomKeys: []waf.RateBasedStatementCustomKey{{Header: header}}},
		"CustomKeys: want another key beside IP":                     {AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{{IP: none}}},
		"CustomKeys: want HTTPMethod once, got it 2 times":           {AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{{HTTPMethod: none}, {HTTPMethod: none}}},
		"CustomKeys[0]: want exactly one, got 2":                     {AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{{HTTPMethod: none, Header: header}}},
		"CustomKeys[0].ASN: want Config.ASN":                         {AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{{ASN: none}}},
		"ForwardedIPConfig: want one with ForwardedIP, got none":     {AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{{ForwardedIP: none}, {Header: header}}},
		"CustomKeys[0].Header.TextTransformations.length: want 1 to": {AggregateKeyType: "CUSTOM_KEYS", CustomKeys: []waf.RateBasedStatementCustomKey{{Header: &waf.RateLimitNamed{Name: "a"}}}},
	} {
		refused(t, waf.Config{ACL: webACL(rule("r", 0, rated(of), block))}, want)
	}
	good := rated(waf.RateBasedStatement{AggregateKeyType: "CONSTANT", ScopeDownStatement: &scope})
	refused(t, waf.Config{ACL: webACL(rule("r", 0, good, allow))}, "Action: want another than Allow for a rate-based rule")
	refused(t, waf.Config{ACL: webACL(rule("r", 0, not(good), block))}, "RateBasedStatement: want it as a rule's own statement")
	refused(t, waf.Config{ACL: webACL(rule("r", 0, rated(waf.RateBasedStatement{AggregateKeyType: "CONSTANT", ScopeDownStatement: &good}), block))},
		"RateBasedStatement: want it as a rule's own statement")
	var many []waf.Rule
	for i := range 11 {
		many = append(many, rule("r"+strconv.Itoa(i), int64(i), good, block))
	}
	refused(t, waf.Config{ACL: webACL(many...)}, "want at most 10 rate-based rules, got 11")
	refused(t, waf.Config{ACL: webACL(refers("g", 0, false, waf.RuleGroupReferenceStatement{ARN: "g"})), RuleGroups: map[string]*waf.RuleGroup{"g": {Name: "g", Rules: many[:5]}}},
		"want at most 4 rate-based rules, got 5")
}
