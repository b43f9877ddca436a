package waf_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

func labelIs(scope, key string) waf.Statement {
	return waf.Statement{LabelMatchStatement: &waf.LabelMatchStatement{Scope: scope, Key: key}}
}

func TestLabelMatch(t *testing.T) {
	const own = "awswaf:111122223333:webacl:acl:"
	for _, tt := range []struct {
		name, label, scope, key string
		want                    bool
	}{
		{"itself", "header:encoding:utf8", "LABEL", "header:encoding:utf8", true},
		{"namespaces-before", "ns1:ns2:header:encoding:utf8", "LABEL", "header:encoding:utf8", true},
		{"another-component", "header:encoding2:utf8", "LABEL", "header:encoding:utf8", false},
		{"half-a-component", "xheader:utf8", "LABEL", "header:utf8", false},
		{"end", "header:encoding:utf8", "LABEL", "utf8", true},
		{"case", "header:utf8", "LABEL", "header:UTF8", false},
		{"front-only", "header:encoding:utf8", "LABEL", "header:encoding", false},
		{"full", "header:utf8", "LABEL", own + "header:utf8", true},
		{"full-is-whole", "ns:header:utf8", "LABEL", own + "header:utf8", false},
		{"namespace", "header:encoding:utf8", "NAMESPACE", "header:", true},
		{"namespace-within", "header:encoding:utf8", "NAMESPACE", "encoding:", true},
		{"namespace-run", "a:header:encoding:utf8", "NAMESPACE", "header:encoding:", true},
		{"namespace-gap", "header:a:encoding:utf8", "NAMESPACE", "header:encoding:", false},
		{"namespace-half", "header:xencoding:utf8", "NAMESPACE", "encoding:", false},
		{"namespace-not-the-name", "header:encoding", "NAMESPACE", "encoding:", false},
		{"namespace-full", "header:encoding:utf8", "NAMESPACE", own + "header:", true},
		{"namespace-full-is-a-beginning", "a:header:utf8", "NAMESPACE", own + "header:", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			acl := compiled(t, waf.Config{ACL: webACL(
				rule("first", 0, onPath("/"), count, tt.label), rule("second", 1, labelIs(tt.scope, tt.key), block))})
			require.Equal(t, tt.want, blocked(acl, request("GET", "/", "")))
		})
	}
}

// Only rules behind the one that sets a label see it.
func TestLabelsAreForLaterRules(t *testing.T) {
	acl := compiled(t, waf.Config{ACL: webACL(
		rule("late", 9, onPath("/"), count, "seen"), rule("early", 1, labelIs("LABEL", "seen"), block))})
	require.False(t, blocked(acl, request("GET", "/", "")))
	itself := waf.Statement{OrStatement: &waf.OrStatement{Statements: []waf.Statement{labelIs("LABEL", "seen"), onPath("/a")}}}
	acl = compiled(t, waf.Config{ACL: webACL(rule("a", 1, itself, count, "seen"), rule("b", 2, labelIs("LABEL", "seen"), block))})
	blocks(t, acl, map[string]bool{"/a": true, "/b": false})
}

func TestLabelsThatAreRefused(t *testing.T) {
	for label, want := range map[string]string{
		"": "want parts of 1 to 128", "a:": "want parts", "a b": "want parts", "ä": "want parts", strings.Repeat("a", 129): "want parts",
		"a:b:c:d:e:f:g": "at most 5 namespaces", "aws:x": `no part called "aws"`, "x:managed": `no part called "managed"`,
	} {
		refused(t, waf.Config{ACL: webACL(rule("r", 0, onPath("/"), count, label))}, want)
	}
	for _, of := range []waf.Statement{
		labelIs("LABEL", "a:"), labelIs("NAMESPACE", "a"), labelIs("LABEL", ""), labelIs("LABELS", "a"), labelIs("LABEL", "a b"),
		labelIs("LABEL", strings.Repeat("a", 1025)),
	} {
		_, err := waf.New(t.Context(), waf.Config{ACL: webACL(rule("r", 0, of, block))})
		require.ErrorContains(t, err, `Rules["r"].Statement.LabelMatchStatement.`)
	}
}

// A geo statement labels every request that it looks at, for later rules.
func TestGeo(t *testing.T) {
	geo := func(addr netip.Addr) (string, string) {
		switch addr.String() {
		case "192.0.2.1":
			return "US", "CA"
		case "192.0.2.2":
			return "de", ""
		case "192.0.2.4":
			return "x:", "a"
		case "192.0.2.5":
			return "US", "C:A"
		}
		return "", ""
	}
	of := waf.Statement{GeoMatchStatement: &waf.GeoMatchStatement{CountryCodes: []string{"US", "XX"}}}
	acl := compiled(t, waf.Config{Geo: geo, ACL: webACL(
		rule("itself", 0, waf.Statement{AndStatement: &waf.AndStatement{Statements: []waf.Statement{
			of, labelIs("NAMESPACE", "awswaf:clientip:geo:")}}}, block),
		rule("geo", 1, of, count),
	)})
	for addr, want := range map[string]struct {
		counted bool
		labels  []string
	}{
		"192.0.2.1": {true, []string{"awswaf:clientip:geo:country:US", "awswaf:clientip:geo:region:US-CA"}},
		"192.0.2.2": {false, []string{"awswaf:clientip:geo:country:DE", "awswaf:clientip:geo:region:DE-XX"}},
		"192.0.2.4": {true, []string{"awswaf:clientip:geo:country:XX", "awswaf:clientip:geo:region:XX-XX"}},
		"192.0.2.5": {true, []string{"awswaf:clientip:geo:country:US", "awswaf:clientip:geo:region:US-XX"}},
		"192.0.2.3": {true, []string{"awswaf:clientip:geo:country:XX", "awswaf:clientip:geo:region:XX-XX"}},
	} {
		r := from(addr, request("GET", "/", ""))
		d := acl.Check(r)
		require.Nil(t, d.Rejection, "labels come at the end of the rule: %s", addr)
		require.Equal(t, want.labels, d.Labels, addr)
		require.Equal(t, want.counted, len(d.Counted) == 1, addr)
	}
	refused(t, waf.Config{ACL: webACL(rule("r", 0, of, block))}, "GeoMatchStatement: want Config.Geo")
	of.GeoMatchStatement.CountryCodes = []string{"usa"}
	refused(t, waf.Config{Geo: geo, ACL: webACL(rule("r", 0, of, block))}, `want two capital letters each, got "usa"`)
}

func TestASN(t *testing.T) {
	numbers := func(addr netip.Addr) uint32 { return map[string]uint32{"192.0.2.1": 64500}[addr.String()] }
	of := func(list ...int64) waf.Statement {
		return waf.Statement{AsnMatchStatement: &waf.AsnMatchStatement{AsnList: list}}
	}
	acl := compiled(t, waf.Config{ASN: numbers, ACL: webACL(rule("r", 0, of(64500), block))})
	require.True(t, blocked(acl, from("192.0.2.1", request("GET", "/", ""))))
	require.False(t, blocked(acl, from("192.0.2.2", request("GET", "/", ""))))
	acl = compiled(t, waf.Config{ASN: numbers, ACL: webACL(rule("r", 0, of(0), block))})
	require.True(t, blocked(acl, from("192.0.2.2", request("GET", "/", ""))), "0 is whose address is nobody's")
	refused(t, waf.Config{ACL: webACL(rule("r", 0, of(1), block))}, "AsnMatchStatement: want Config.ASN")
	refused(t, waf.Config{ASN: numbers, ACL: webACL(rule("r", 0, of(1<<32), block))}, "want 0 to 4294967295")
}

func TestForwardedAddresses(t *testing.T) {
	set := addresses{netip.MustParsePrefix("192.0.2.0/24")}
	of := func(position, fallback string) waf.Statement {
		return waf.Statement{IPSetReferenceStatement: &waf.IPSetReferenceStatement{ARN: "bad",
			IPSetForwardedIPConfig: &waf.IPSetForwardedIPConfig{HeaderName: "x-forwarded-for", FallbackBehavior: fallback, Position: position}}}
	}
	const good, bad = "198.51.100.1", "192.0.2.1"
	list := func(n int, rest string) string { return rest + strings.Repeat(", "+good, n) }
	for _, tt := range []struct {
		name, position, fallback string
		lines                    []string
		want                     bool
	}{
		{"first", "FIRST", "NO_MATCH", []string{bad + ", " + good}, true},
		{"mapped", "FIRST", "NO_MATCH", []string{"::ffff:" + bad}, true},
		{"not-first", "FIRST", "NO_MATCH", []string{good + ", " + bad}, false},
		{"first-line", "FIRST", "NO_MATCH", []string{bad, good}, true},
		{"last", "LAST", "NO_MATCH", []string{good + ", " + bad}, true},
		{"not-last", "LAST", "NO_MATCH", []string{bad + ", " + good}, false},
		{"last-line", "LAST", "NO_MATCH", []string{good, good + "," + bad}, true},
		{"any", "ANY", "NO_MATCH", []string{good + ", " + bad + ", " + good}, true},
		{"any-line", "ANY", "NO_MATCH", []string{bad, good}, true},
		{"any-tenth", "ANY", "NO_MATCH", []string{list(9, bad)}, true},
		{"any-eleventh", "ANY", "NO_MATCH", []string{list(10, bad)}, false},
		{"any-none", "ANY", "MATCH", []string{good}, false},
		{"absent", "FIRST", "MATCH", nil, false},
		{"absent-any", "ANY", "MATCH", nil, false},
		{"absent-last", "LAST", "MATCH", nil, false},
		{"empty", "FIRST", "MATCH", []string{""}, true},
		{"malformed-match", "FIRST", "MATCH", []string{"unknown, " + good}, true},
		{"malformed-no-match", "FIRST", "NO_MATCH", []string{"unknown, " + bad}, false},
		{"malformed-elsewhere", "FIRST", "MATCH", []string{good + ", unknown"}, false},
		{"malformed-any", "ANY", "MATCH", []string{good + ", unknown"}, true},
		{"port", "FIRST", "NO_MATCH", []string{bad + ":80"}, false},
		{"semicolon", "FIRST", "NO_MATCH", []string{bad + ";" + good}, false},
		{"zone", "FIRST", "MATCH", []string{"fe80::1%eth0"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			acl := compiled(t, waf.Config{IPSets: map[string]waf.IPSource{"bad": set}, ACL: webACL(rule("r", 0, of(tt.position, tt.fallback), block))})
			r := from(bad, request("GET", "/", "")) // the connection's own address is never taken instead
			r.Header["X-Forwarded-For"] = tt.lines
			require.Equal(t, tt.want, blocked(acl, r))
		})
	}
	// Without the header the rule isn't applied, whatever is around the statement.
	cfg := waf.Config{IPSets: map[string]waf.IPSource{"bad": set}, ACL: webACL(rule("r", 0, not(of("FIRST", "MATCH")), block))}
	require.False(t, blocked(compiled(t, cfg), request("GET", "/", "")))
	cfg.ACL.Rules = append(cfg.ACL.Rules, rule("next", 1, onPath("/next"), block))
	require.Equal(t, "next", compiled(t, cfg).Check(request("GET", "/next", "")).Rule, "other rules are")
	cfg.AbsentForwardedIPIsNoMatch = true
	require.True(t, blocked(compiled(t, cfg), request("GET", "/", "")))
	refused(t, waf.Config{IPSets: cfg.IPSets, ACL: webACL(rule("r", 0, of("SECOND", "MATCH"), block))}, "Position: want FIRST, LAST or ANY")
	refused(t, waf.Config{IPSets: cfg.IPSets, ACL: webACL(rule("r", 0, of("LAST", ""), block))}, "FallbackBehavior: want MATCH or NO_MATCH")
	refused(t, waf.Config{ACL: webACL(rule("r", 0, of("LAST", "MATCH"), block))}, `ARN: want a set of Config.IPSets, by its ARN or name, got "bad"`)
}

func TestForwardedGeoAndASN(t *testing.T) {
	cfg := waf.Config{
		Geo: func(addr netip.Addr) (string, string) {
			return map[string]string{"198.51.100.1": "DE"}[addr.String()], ""
		},
		ASN: func(addr netip.Addr) uint32 { return map[string]uint32{"198.51.100.1": 64500}[addr.String()] },
		ACL: webACL(
			rule("geo", 0, waf.Statement{GeoMatchStatement: &waf.GeoMatchStatement{CountryCodes: []string{"DE"},
				ForwardedIPConfig: &waf.ForwardedIPConfig{HeaderName: "X-Real-IP", FallbackBehavior: "MATCH"}}}, count),
			rule("asn", 1, waf.Statement{AsnMatchStatement: &waf.AsnMatchStatement{AsnList: []int64{64500},
				ForwardedIPConfig: &waf.ForwardedIPConfig{HeaderName: "X-Real-IP", FallbackBehavior: "NO_MATCH"}}}, count),
		),
	}
	acl := compiled(t, cfg)
	d := acl.Check(request("GET", "/", "", "X-Real-IP", "198.51.100.1"))
	require.Equal(t, []string{"geo", "asn"}, d.Counted)
	require.Equal(t, []string{"awswaf:forwardedip:geo:country:DE", "awswaf:forwardedip:geo:region:DE-XX"}, d.Labels)
	require.Equal(t, []string{"geo"}, acl.Check(request("GET", "/", "", "X-Real-IP", "nobody")).Counted)
	require.Empty(t, acl.Check(request("GET", "/", "")).Counted)
}
