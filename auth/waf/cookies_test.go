package waf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// However a cookie is written: what net/http makes of it is judged.
func TestCookiesAsBackendsReadThem(t *testing.T) {
	in := waf.FieldToMatch{Cookies: &waf.ManyFields{MatchPattern: waf.FieldsPattern{IncludedCookies: []string{"role"}},
		MatchScope: "VALUE", OversizeHandling: "MATCH"}}
	acl := blocking(t, text("EXACTLY", "admin", in))
	quoted := blocking(t, text("EXACTLY", `"admin"`, in))
	keys := blocking(t, text("EXACTLY", "admin", waf.FieldToMatch{Cookies: &waf.ManyFields{
		MatchPattern: waf.FieldsPattern{All: none}, MatchScope: "KEY", OversizeHandling: "MATCH"}}))
	for line, want := range map[string]bool{
		"role=admin": true, "role =admin": true, "role\t=admin": true, "a=1;  role  =admin": true,
		`role="admin"`: true, `role ="admin"`: true, `role="admin`: false, "role=user": false, `role=""`: false, `role="`: false,
	} {
		r := get("/", "Cookie", line)
		require.Equal(t, want, blocked(acl, r), line)
		if c, err := r.Cookie("role"); want {
			require.NoError(t, err, line)
			require.Equal(t, "admin", c.Value, line)
		}
	}
	require.True(t, blocked(quoted, get("/", "Cookie", `role="admin"`)), "as it is written, too")
	require.False(t, blocked(keys, get("/", "Cookie", `role="admin"`)))
}

// One cookie in several spellings is one client.
func TestRateByCookieInAnySpelling(t *testing.T) {
	acl := compiled(t, waf.Config{ACL: webACL(rule("r", 0, rated(waf.RateBasedStatement{AggregateKeyType: "CUSTOM_KEYS",
		CustomKeys: []waf.RateBasedStatementCustomKey{{Cookie: &waf.RateLimitNamed{Name: "session", TextTransformations: transformed("NONE")}}},
	}), block))})
	require.Equal(t, 10, passes(acl, 10, get("/", "Cookie", "session=abc")))
	for _, line := range []string{"session =abc", `session="abc"`, "session=abc", "session\t=abc"} {
		require.True(t, blocked(acl, get("/", "Cookie", line)), line)
	}
}
