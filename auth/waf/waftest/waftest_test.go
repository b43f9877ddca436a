package waftest_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/auth/waf/waftest"
)

// acl blocks /bad, counts /seen, and lets ten requests of an address in five minutes through.
func acl() *waf.ACL {
	path := func(prefix string) waf.Statement {
		return waf.Statement{ByteMatchStatement: &waf.ByteMatchStatement{
			SearchString: prefix, PositionalConstraint: "STARTS_WITH", FieldToMatch: waf.FieldToMatch{UriPath: &struct{}{}},
			TextTransformations: []waf.TextTransformation{{Type: "NONE"}},
		}}
	}
	return gatekit.Must(waf.New(context.Background(), waf.Config{ACL: &waf.WebACL{
		Name: "shop", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}},
		Rules: []waf.Rule{
			{Name: "bad", Priority: 0, Statement: path("/bad"), Action: &waf.Action{Block: &waf.BlockAction{}}},
			{Name: "seen", Priority: 1, Statement: path("/seen"), Action: &waf.Action{Count: &waf.CountAction{}}, RuleLabels: []waf.Label{{Name: "path:seen"}}},
			{Name: "limit", Priority: 2, Statement: waf.Statement{RateBasedStatement: &waf.RateBasedStatement{Limit: 10, AggregateKeyType: "IP"}},
				Action: &waf.Action{Block: &waf.BlockAction{}}},
		},
	}}))
}

func TestRun(t *testing.T) {
	waftest.Run(t, acl(), []waftest.Case{
		{Name: "home", Request: waftest.Request("GET", "/", ""), Want: waftest.Allow, Rule: "Default_Action", NoLabels: []string{"seen"}},
		{Name: "bad", Request: waftest.Request("GET", "/bad", ""), Want: waftest.Block, Rule: "bad"},
		{Name: "seen", Request: waftest.Request("GET", "/seen", ""), Want: waftest.Count, Rule: "seen", Labels: []string{"path:seen"}},
		{Name: "limited", Request: waftest.From("2001:db8::1", waftest.Request("GET", "/", "")), Times: 11, Want: waftest.Block, Rule: "limit"},
		{Name: "not-yet", Request: waftest.From("198.51.100.1", waftest.Request("GET", "/", "")), Times: 10, Want: waftest.Allow},
	})
}

func TestJudge(t *testing.T) {
	seen := waftest.Request("GET", "/seen", "")
	for want, c := range map[string]waftest.Case{
		"want BLOCK, got ALLOW by Default_Action": {Request: waftest.Request("GET", "/", ""), Want: waftest.Block},
		"want ALLOW, got BLOCK by bad":            {Request: waftest.Request("GET", "/bad", ""), Want: waftest.Allow},
		"want rule limit, got BLOCK by bad":       {Request: waftest.Request("GET", "/bad", ""), Want: waftest.Block, Rule: "limit"},
		"want COUNT, got ALLOW":                   {Request: waftest.Request("GET", "/", ""), Want: waftest.Count},
		"want COUNT, got BLOCK":                   {Request: waftest.Request("GET", "/bad", ""), Want: waftest.Count},
		"want rule bad, got ALLOW":                {Request: seen, Want: waftest.Count, Rule: "bad"},
		"want label path, got ALLOW":              {Request: seen, Want: waftest.Allow, Labels: []string{"path"}},
		"want no label seen, got ALLOW by Default_Action, counted by seen, labels awswaf:000000000000:webacl:shop:path:seen": {Request: seen, Want: waftest.Allow, NoLabels: []string{"seen"}},
	} {
		require.Contains(t, waftest.Judge(&c, acl()), want)
	}
}

func TestRequest(t *testing.T) {
	odd := []string{"x"}
	r := waftest.Request("POST", "/a?b", "body", "Host", "shop.example", "x-a", "1", "X-A", "2")
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, "body", string(body))
	require.Equal(t, "shop.example", r.Host)
	require.Equal(t, []string{"1", "2"}, r.Header["X-A"])
	require.Equal(t, "198.51.100.1:4711", waftest.From("198.51.100.1", r).RemoteAddr)
	require.Equal(t, "[2001:db8::1]:4711", waftest.From("2001:db8::1", r).RemoteAddr)
	require.PanicsWithValue(t, "waftest: Request: want names and values of headers, got a name alone", func() { waftest.Request("GET", "/", "", odd...) })
}
