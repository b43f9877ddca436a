package waf_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/auth/waf/waftest"
)

var (
	request = waftest.Request
	from    = waftest.From
	block   = &waf.Action{Block: &waf.BlockAction{}}
	count   = &waf.Action{Count: &waf.CountAction{}}
	allow   = &waf.Action{Allow: &waf.AllowAction{}}
	none    = &struct{}{}
)

// webACL is an ACL that allows what its rules don't end.
func webACL(rules ...waf.Rule) *waf.WebACL {
	return &waf.WebACL{
		Name: "acl", ARN: "arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/1",
		DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}, Rules: rules,
	}
}

func rule(name string, priority int64, of waf.Statement, action *waf.Action, labels ...string) waf.Rule {
	r := waf.Rule{Name: name, Priority: priority, Statement: of, Action: action}
	for _, label := range labels {
		r.RuleLabels = append(r.RuleLabels, waf.Label{Name: label})
	}
	return r
}

// blocking is an ACL of one rule that blocks.
func blocking(t *testing.T, of waf.Statement) *waf.ACL {
	t.Helper()
	return compiled(t, waf.Config{ACL: webACL(rule("r", 0, of, block))})
}

func compiled(t *testing.T, cfg waf.Config) *waf.ACL {
	t.Helper()
	acl, err := waf.New(t.Context(), cfg)
	require.NoError(t, err)
	return acl
}

func refused(t *testing.T, cfg waf.Config, want string) {
	t.Helper()
	acl, err := waf.New(t.Context(), cfg)
	require.ErrorContains(t, err, want)
	require.Nil(t, acl)
}

func transformed(types ...string) (list []waf.TextTransformation) {
	for i, name := range types {
		list = append(list, waf.TextTransformation{Priority: int64(i), Type: name})
	}
	return list
}

// text looks for a string in a part of the request.
func text(position, search string, in waf.FieldToMatch, types ...string) waf.Statement {
	if len(types) == 0 {
		types = []string{"NONE"}
	}
	return waf.Statement{ByteMatchStatement: &waf.ByteMatchStatement{
		SearchString: search, PositionalConstraint: position, FieldToMatch: in, TextTransformations: transformed(types...),
	}}
}

func sizeIs(operator string, n int64, in waf.FieldToMatch, types ...string) waf.Statement {
	if len(types) == 0 {
		types = []string{"NONE"}
	}
	return waf.Statement{SizeConstraintStatement: &waf.SizeConstraintStatement{
		ComparisonOperator: operator, Size: n, FieldToMatch: in, TextTransformations: transformed(types...),
	}}
}

func not(of waf.Statement) waf.Statement {
	return waf.Statement{NotStatement: &waf.NotStatement{Statement: &of}}
}

func header(name string) waf.FieldToMatch {
	return waf.FieldToMatch{SingleHeader: &waf.NamedField{Name: name}}
}

func argument(name string) waf.FieldToMatch {
	return waf.FieldToMatch{SingleQueryArgument: &waf.NamedField{Name: name}}
}

var (
	inPath  = waf.FieldToMatch{UriPath: none}
	inQuery = waf.FieldToMatch{QueryString: none}
	inArgs  = waf.FieldToMatch{AllQueryArguments: none}
	inBody  = waf.FieldToMatch{Body: &waf.BodyField{}}
)

// onPath is a statement that a path with this beginning matches.
func onPath(prefix string) waf.Statement { return text("STARTS_WITH", prefix, inPath) }

type addresses []netip.Prefix

func (a addresses) Contains(addr netip.Addr) bool {
	for _, p := range a {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// blocks says whether each request is blocked.
func blocks(t *testing.T, acl *waf.ACL, cases map[string]bool) {
	t.Helper()
	for target, want := range cases {
		require.Equal(t, want, acl.Check(request("GET", target, "")).Rejection != nil, "%s", target)
	}
}

func blocked(acl *waf.ACL, r *http.Request) bool { return acl.Check(r).Rejection != nil }
