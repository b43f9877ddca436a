package waf_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

func and(of ...waf.Statement) waf.Statement {
	return waf.Statement{AndStatement: &waf.AndStatement{Statements: of}}
}

func or(of ...waf.Statement) waf.Statement {
	return waf.Statement{OrStatement: &waf.OrStatement{Statements: of}}
}

var (
	badSets     = map[string]waf.IPSource{"bad": addresses{netip.MustParsePrefix("192.0.2.0/24")}}
	forwardedBy = func(header string) waf.Statement {
		return waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "bad",
			IPSetForwardedIPConfig: &waf.IPSetForwardedIPConfig{HeaderName: header, FallbackBehavior: "MATCH", Position: "FIRST"}}}
	}
)

// A statement that isn't applied, as its header isn't there, decides nothing: neither does it match
// nor does it keep others from matching, in whatever order they are.
func TestAbsentAddressIsNeitherTrueNorFalse(t *testing.T) {
	absent, evil, other := forwardedBy("X-Forwarded-For"), onPath("/evil"), onPath("/other")
	for name, tt := range map[string]struct {
		of         waf.Statement
		want       bool
		asMismatch bool // with AbsentForwardedIPIsNoMatch
	}{
		"alone":       {absent, false, false},
		"or-behind":   {or(evil, absent), true, true},
		"or-in-front": {or(absent, evil), true, true},
		"or-of-no":    {or(absent, other), false, false},
		"and-behind":  {and(evil, absent), false, false},
		"and":         {and(absent, evil), false, false},
		"not":         {not(absent), false, true},
		"not-not":     {not(not(absent)), false, false},
		"not-or":      {not(or(absent, other)), false, true},
		"not-or-yes":  {not(or(absent, evil)), false, false},
		"not-and":     {not(and(absent, evil)), false, true},
		"not-and-no":  {not(and(absent, other)), true, true},
		"not-no-and":  {not(and(other, absent)), true, true},
		"or-of-not":   {or(not(absent), evil), true, true},
		"deep":        {or(and(absent, evil), and(evil, not(other))), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, blocked(compiled(t, waf.Config{IPSets: badSets, ACL: webACL(rule("r", 0, tt.of, block))}), get("/evil")))
			require.Equal(t, tt.asMismatch, blocked(compiled(t, waf.Config{IPSets: badSets, AbsentForwardedIPIsNoMatch: true,
				ACL: webACL(rule("r", 0, tt.of, block))}), get("/evil")))
		})
	}
}

// Leaving a header out takes nobody out of a rate-based rule's scope that another statement puts
// them into.
func TestRateScopeWithoutTheHeader(t *testing.T) {
	scope := or(forwardedBy("X-Forwarded-For"), onPath("/login"))
	acl := compiled(t, waf.Config{IPSets: badSets, ACL: webACL(rule("r", 0, rated(waf.RateBasedStatement{
		AggregateKeyType: "IP", ScopeDownStatement: &scope}), block))})
	require.Equal(t, 10, passes(acl, 30, get("/login")))
	require.Equal(t, 30, passes(acl, 30, get("/")))
}

// net/http keeps the Host header elsewhere.
func TestForwardedAddressInHost(t *testing.T) {
	acl := compiled(t, waf.Config{IPSets: badSets, ACL: webACL(rule("r", 0, forwardedBy("host"), block))})
	r := get("/")
	r.Host = "192.0.2.7"
	require.True(t, blocked(acl, r))
	r.Host = "198.51.100.7"
	require.False(t, blocked(acl, r))
	r.Host = ""
	require.False(t, blocked(acl, r), "absent")
}

func TestSetThatIsANilPointer(t *testing.T) {
	var list *waf.IPList
	refused(t, waf.Config{IPSets: map[string]waf.IPSource{"bad": list}, ACL: webACL(rule("r", 0, forwardedBy("X-A"), block))},
		"want a set of Config.IPSets")
}
