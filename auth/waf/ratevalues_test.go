package waf_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

func ratedBy(keys ...waf.RateBasedStatementCustomKey) waf.Statement {
	return rated(waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS", CustomKeys: keys})
}

func plainKey(name string) *waf.RateLimitNamed {
	return &waf.RateLimitNamed{Name: name, TextTransformations: transformed("NONE")}
}

// A value that is sent beside another one makes no new client: whichever a backend goes by, the
// first or the last, is counted.
func TestRepeatedRateKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		key  waf.RateBasedStatementCustomKey
		with func(values ...string) *http.Request
	}{
		"cookie": {waf.RateBasedStatementCustomKey{Cookie: plainKey("s")}, func(v ...string) *http.Request {
			return get("/", "Cookie", "s="+v[0]+"; s="+v[1])
		}},
		"cookie-lines": {waf.RateBasedStatementCustomKey{Cookie: plainKey("s")}, func(v ...string) *http.Request {
			return get("/", "Cookie", "s="+v[0], "Cookie", "s="+v[1])
		}},
		"header": {waf.RateBasedStatementCustomKey{Header: plainKey("x-s")}, func(v ...string) *http.Request {
			return get("/", "X-S", v[0], "X-S", v[1])
		}},
		"argument": {waf.RateBasedStatementCustomKey{QueryArgument: plainKey("s")}, func(v ...string) *http.Request {
			return get("/?s=" + v[0] + "&s=middle&s=" + v[1])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for first := range 2 {
				acl := compiled(t, waf.Config{ACL: webACL(rule("r", 0, ratedBy(tt.key), block))})
				passed := 0
				for i := range 30 {
					values := []string{"abc", fmt.Sprint(i)}
					if !blocked(acl, tt.with(values[first], values[1-first])) {
						passed++
					}
				}
				require.Equal(t, 10, passed)
			}
			acl := compiled(t, waf.Config{ACL: webACL(rule("r", 0, ratedBy(tt.key), block))})
			require.Equal(t, 10, passes(acl, 30, tt.with("abc", "abc")), "and once, if they are the same")
		})
	}
}

// A request is counted for each tuple of first and last values, and for no more.
func TestRepeatedRateKeysAreBounded(t *testing.T) {
	counted := map[string]int{}
	acl := compiled(t, waf.Config{
		Counter: counter(func(key string, _ time.Duration) (int64, error) { counted[key]++; return 1, nil }),
		ACL: webACL(rule("r", 0, ratedBy(waf.RateBasedStatementCustomKey{Header: plainKey("x-a")},
			waf.RateBasedStatementCustomKey{Cookie: plainKey("c")}, waf.RateBasedStatementCustomKey{QueryArgument: plainKey("q")}), block)),
	})
	acl.Check(get("/?q=1&q=2&q=3&q=4", "X-A", "1", "X-A", "2", "X-A", "3", "Cookie", "c=1; c=2; c=3"))
	require.Len(t, counted, 8)
	for _, n := range counted {
		require.Equal(t, 1, n)
	}
}

// What records don't show, they don't show as a rate-based rule's value either.
func TestRedactionOfRateKeys(t *testing.T) {
	plain := &waf.RateLimitText{TextTransformations: transformed("NONE")}
	keys := []waf.RateBasedStatementCustomKey{{QueryString: plain}, {UriPath: plain}, {HTTPMethod: none}, {QueryArgument: plainKey("token")}, {Header: plainKey("x-secret")}}
	for _, hide := range []bool{false, true} {
		cfg := waf.Config{ACL: webACL(rule("r", 0, ratedBy(keys...), block))}
		if hide {
			cfg.Redact = waf.Redaction{QueryString: true, UriPath: true, Method: true, Headers: []string{"X-Secret", "Host"}}
		}
		acl := compiled(t, cfg)
		r := get("/path?token=hunter2", "X-Secret", "s1")
		passes(acl, 11, r)
		to := acl.Check(r).Record
		want := []string{"token=hunter2", "/path", "GET", "hunter2", "s1"}
		for i, value := range to.RateBasedRuleList[0].CustomValues {
			if hide {
				want[i] = "REDACTED"
			}
			require.Equal(t, want[i], value.Value, value.Key)
		}
		require.NotEmpty(t, to.RateBasedRuleList[0].RateBasedRuleID)
		host := "example.com"
		if hide {
			host = "REDACTED"
		}
		require.Contains(t, to.HTTPRequest.Headers, waf.HeaderRecord{Name: "host", Value: host})
	}
}

func TestRateByNetworksOfIPv6(t *testing.T) {
	of := rated(waf.RateBasedStatement{AggregateKeyType: "IP"})
	rotating := func(acl *waf.ACL) (passed int) {
		for i := range 30 {
			if !blocked(acl, from(fmt.Sprintf("2001:db8::%x", i+1), get("/"))) {
				passed++
			}
		}
		return passed
	}
	require.Equal(t, 30, rotating(compiled(t, waf.Config{ACL: webACL(rule("r", 0, of, block))})))
	acl := compiled(t, waf.Config{RateIPv6Prefix: 64, ACL: webACL(rule("r", 0, of, block))})
	require.Equal(t, 10, rotating(acl))
	require.Equal(t, "2001:db8::/64", acl.Check(from("2001:db8::77", get("/"))).Record.RateBasedRuleList[0].LimitValue)
	require.False(t, blocked(acl, from("2001:db8:0:1::1", get("/"))), "another network")
	require.Equal(t, 10, passes(acl, 12, from("192.0.2.1", get("/"))))
	require.False(t, blocked(acl, from("192.0.2.2", get("/"))), "IPv4 counts each address")
	refused(t, waf.Config{RateIPv6Prefix: 129, ACL: webACL()}, "RateIPv6Prefix")
}
