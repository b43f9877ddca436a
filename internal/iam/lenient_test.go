package iam_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/iam"
)

// statement is one with an effect and the rest as JSON.
func statement(effect, rest string) string { return `{"Effect":"` + effect + `",` + rest + `}` }

// What the managed gateway takes gives a verdict here, too, and a finding. No such thing allows
// more than what its author wrote.
func TestTakenAndFound(t *testing.T) {
	const good = `"arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/*"`
	const allow, deny, silent = iam.Allow, iam.ExplicitDeny, iam.ImplicitDeny
	for name, tt := range map[string]struct {
		statements string
		want       iam.Effect
		finding    string
	}{
		"blueprint":              {statement("Allow", `"Action":"execute-api:Invoke","Resource":[`+good+`],"Condition":{}`) + "," + statement("Deny", `"Action":"execute-api:Invoke","Resource":[],"Condition":{}`), allow, "Statement[1].Resource: want at least one"},
		"blueprint-denies":       {statement("Allow", `"Action":"execute-api:Invoke","Resource":[]`) + "," + statement("Deny", `"Action":"execute-api:Invoke","Resource":[`+good+`]`), deny, "Statement[0].Resource: want at least one"},
		"nothing":                {statement("Allow", `"Action":"*","Resource":[]`), silent, "Statement[0].Resource"},
		"all-but-nothing":        {statement("Allow", `"Action":"*","NotResource":[]`), silent, "Statement[0].NotResource"},
		"deny-all-but-nothing":   {statement("Allow", `"Action":"*","Resource":"*"`) + "," + statement("Deny", `"Action":"*","NotResource":[]`), deny, "Statement[1].NotResource"},
		"no-action":              {statement("Allow", `"Action":[],"Resource":"*"`), silent, "Statement[0].Action"},
		"all-but-no-action":      {statement("Allow", `"NotAction":[],"Resource":"*"`), silent, "Statement[0].NotAction"},
		"deny-all-but-no-action": {statement("Allow", `"Action":"*","Resource":"*"`) + "," + statement("Deny", `"NotAction":[],"Resource":"*"`), deny, "Statement[1].NotAction"},
		"no-statement":           {"", silent, "Statement: want at least one"},
		"lower-case":             {statement("allow", `"Action":"*","Resource":"*"`), allow, `Statement[0].Effect: want "Allow" or "Deny" in these letters, got "allow"`},
		"upper-case-deny":        {statement("ALLOW", `"Action":"*","Resource":"*"`) + "," + statement("DENY", `"Action":"*","Resource":"*"`), deny, "Statement[1].Effect"},
		"short":                  {statement("Allow", `"Action":"*","Resource":"arn:aws:execute-api:*"`), allow, `Statement[0].Resource: want an ARN of six parts, as arn:aws:execute-api:*:*:*, got "arn:aws:execute-api:*"`},
		"short-by-region":        {statement("Allow", `"Action":"*","Resource":"arn:aws:execute-api:us-*-1:*"`), allow, "six parts"},
		"short-other-region":     {statement("Allow", `"Action":"*","Resource":"arn:aws:execute-api:eu-west-1:*"`), silent, "six parts"},
		"short-deny":             {statement("Allow", `"Action":"*","Resource":"*"`) + "," + statement("Deny", `"Action":"*","Resource":"arn:aws:execute-api:*"`), deny, "six parts"},
		"short-but":              {statement("Allow", `"Action":"*","NotResource":"arn:aws:execute-api:*"`), silent, "six parts"},
		"short-foreign":          {statement("Allow", `"Action":"*","Resource":["arn:aws:lambda:*",`+good+`]`), allow, `got "arn:aws:lambda:*"`},
		"short-foreign-alone":    {statement("Allow", `"Action":"*","Resource":"arn:aws:lambda:*"`), silent, "six parts"},
		"short-foreign-denied":   {statement("Allow", `"Action":"*","Resource":`+good) + "," + statement("Deny", `"Action":"*","Resource":"arn:aws:lambda:*"`), allow, "six parts"},
		"foreign":                {statement("Allow", `"Action":"*","Resource":["arn:aws:s3:::x",`+good+`]`), allow, "concerns another service"},
		"other-partition-short":  {statement("Allow", `"Action":"*","Resource":"arn:aws-cn:execute-api:*"`), silent, "six parts"},
		"sid-with-blanks":        {`{"Sid":"let them in","Effect":"Allow","Action":"*","Resource":"*"}`, allow, "Statement[0].Sid: want letters and digits"},
		"sid-number":             {`{"Sid":1,"Effect":"Allow","Action":"*","Resource":"*"}`, allow, "Statement[0].Sid"},
		"sid-twice":              {`{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}`, allow, "Statement[1].Sid: want each once"},
		"2008":                   {statement("Allow", `"Action":"*","Resource":["`+strings.Trim(good, `"`)+`${aws:username}",`+good+`]`), allow, "want \"Version\": \"2012-10-17\" for variables"},
		"condition-of-nothing":   {statement("Allow", `"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:UserAgent":[]}}`), silent, `["aws:UserAgent"]: want at least one value`},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, `{"Statement":[`+tt.statements+`]}`, iam.Options{})
			require.Equal(t, tt.want, iam.Evaluate(request(nil), p).Effect)
			require.Contains(t, strings.Join(p.Findings(), "\n"), tt.finding)
		})
	}
	require.Empty(t, parse(t, document("2012-10-17", `"Resource":`+good+`,"Sid":"Fine","Condition":{}`), iam.Options{}).Findings())
}

// A resource of which nobody has told how it is read there allows nothing, and denies whatever it
// may mean.
func TestUnclearResources(t *testing.T) {
	for _, pattern := range []string{
		"arn:aws", "arn:*", "arn:aws:*", "arn:aws:execute-api", "arn:aws:execute-api:", "arn:aws:execute-api:us-*", "arn:aws:execute-api:us-east-1", "arn:aws:execute-api:us-east-1:111122223333",
		"arn:aws:*:us-east-1:111122223333:abc/*", "arn:aws:execute-ap?:*:*:*", "arn::execute-api:us-east-1:111122223333:abc/*", "arn:aws::us-east-1:111122223333:abc/*", "arn:aws:execute-api:us-east-1:111122223333:",
		"arn:aws:*:*", "arn:::::",
	} {
		all := `,` + statement("Allow", `"Action":"*","Resource":"*"`)
		for form, want := range map[string]iam.Effect{
			statement("Allow", `"Action":"*","Resource":"`+pattern+`"`):              iam.ImplicitDeny,
			statement("Allow", `"Action":"*","NotResource":"`+pattern+`"`):           iam.ImplicitDeny,
			statement("Deny", `"Action":"*","Resource":"`+pattern+`"`) + all:         iam.ExplicitDeny,
			statement("Deny", `"Action":"*","NotResource":"`+pattern+`"`) + all:      iam.ExplicitDeny,
			statement("Allow", `"Action":"*","Resource":["`+pattern+`","`+pets+`"]`): iam.Allow,
		} {
			p := parse(t, `{"Statement":[`+form+`]}`, iam.Options{})
			require.Equal(t, want, iam.Evaluate(request(nil), p).Effect, form)
			require.NotEmpty(t, p.Findings(), form)
		}
	}
}

// A condition without values matches nothing. Where the operator would then hold, it holds only in
// a statement that denies.
func TestConditionsWithoutValues(t *testing.T) {
	from := request(func(r *iam.Request) { r.SourceIP = netip.MustParseAddr("192.0.2.1") })
	for _, operator := range []string{"IpAddress", "StringEquals", "StringLike", "ForAnyValue:StringEquals"} {
		for key, r := range map[string]*iam.Request{"there": from, "missing": request(nil)} {
			condition := `"Condition":{"` + operator + `":{"aws:SourceIp":[]}}`
			require.Equal(t, iam.ImplicitDeny, effect(t, document("2012-10-17", condition), r), "%s %s", operator, key)
			require.Equal(t, iam.ImplicitDeny, effect(t, document("2012-10-17", `"Effect":"Deny",`+condition), r), "%s %s", operator, key)
		}
	}
	for _, operator := range []string{"NotIpAddress", "StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringEquals", "ForAnyValue:StringNotEquals", "Null"} {
		for key, r := range map[string]*iam.Request{"there": from, "missing": request(nil)} {
			condition := `"Condition":{"` + operator + `":{"aws:SourceIp":[]}}`
			require.Equal(t, iam.ImplicitDeny, effect(t, document("2012-10-17", condition), r), "%s %s", operator, key)
			require.Equal(t, iam.ExplicitDeny, effect(t, document("2012-10-17", `"Effect":"Deny",`+condition), r), "%s %s", operator, key)
		}
	}
}

// Principal of nobody names nobody, and NotPrincipal of nobody opens to nobody.
func TestPrincipalsOfNobody(t *testing.T) {
	for _, who := range []iam.Principal{{}, {Type: iam.User, AccountID: "111122223333", ARN: "arn:aws:iam::111122223333:user/bob"}, {Type: iam.User}} {
		r := request(func(r *iam.Request) { r.Principal = who })
		for _, nobody := range []string{`{"AWS":[]}`, `{}`, `{"Service":[],"AWS":[]}`} {
			for more, want := range map[string]iam.Effect{
				`"Principal":` + nobody: iam.ImplicitDeny, `"NotPrincipal":` + nobody: iam.ImplicitDeny,
				`"Effect":"Deny","Principal":` + nobody: iam.ImplicitDeny, `"Effect":"Deny","NotPrincipal":` + nobody: iam.ExplicitDeny,
			} {
				p := parse(t, document("2012-10-17", more), iam.Options{Principals: true})
				require.Equal(t, want, iam.Evaluate(r, p).Effect, "%s of %v", more, who)
			}
		}
	}
}
