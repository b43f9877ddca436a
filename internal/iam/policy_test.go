package iam_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/iam"
)

const pets = "arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/pets"

func request(change func(*iam.Request)) *iam.Request {
	r := &iam.Request{Action: "execute-api:Invoke", Resource: pets, Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
	if change != nil {
		change(r)
	}
	return r
}

// document is a policy of one statement that allows, with more members.
func document(version, more string) string {
	statement := map[string]json.RawMessage{"Effect": []byte(`"Allow"`), "Action": []byte(`"*"`), "Resource": []byte(`"*"`)}
	if err := json.Unmarshal([]byte("{"+more+"}"), &statement); err != nil {
		panic(fmt.Sprint(more, err))
	}
	for _, not := range []string{"Action", "Resource"} {
		if statement["Not"+not] != nil {
			delete(statement, not)
		}
	}
	text, _ := json.Marshal(statement)
	return `{"Version":"` + version + `","Statement":` + string(text) + `}`
}

func parse(t testing.TB, text string, o iam.Options) *iam.Policy {
	t.Helper()
	p, err := iam.Parse([]byte(text), o)
	require.NoError(t, err, text)
	return p
}

func effect(t testing.TB, text string, r *iam.Request) iam.Effect {
	t.Helper()
	return iam.Evaluate(r, parse(t, text, iam.Options{})).Effect
}

func TestResources(t *testing.T) {
	const api = "arn:aws:execute-api:us-east-1:111122223333:"
	for _, tt := range []struct {
		pattern, resource string
		want              bool
	}{
		{"abc/*", "abc/prod/GET/pets", true}, {"abc/*", "abc", false}, {"abc/prod/GET/pets", "abc/prod/GET/pets", true},
		{"abc/prod/GET/pets", "abc/prod/GET/pets/", false}, {"abc/prod/GET/pets/*", "abc/prod/GET/pets/1/x", true}, {"abc/prod/GET/pets/*", "abc/prod/GET/pets/", true},
		{"abc/prod/GET/pets/*", "abc/prod/GET/pets", false}, {"abc/prod/GET/pets*", "abc/prod/GET/petsecrets", true}, {"abc/prod/GET/pets*", "abc/prod/GET/Pets", false},
		{"abc/*/pets", "abc/prod/GET/a/b/pets", true}, {"abc/*/pets", "abc/prod/GET/pets/1", false}, {"abc/prod/*/admin", "abc/prod/GET/x/admin", true},
		{"abc/prod/*/admin", "abc/prod/GET/admin/", false}, {"abc/", "abc/prod/GET/pets", false}, {"abc/prod/get/pets", "abc/prod/GET/pets", false},
		{"abc/prod/GET/a:b", "abc/prod/GET/a:b", true}, {"abc/prod/GET/*", "abc/prod/GET/a:b:c", true}, {"*", "anything", true},
	} {
		got := effect(t, document("2012-10-17", `"Resource":"`+api+tt.pattern+`"`), request(func(r *iam.Request) { r.Resource = api + tt.resource }))
		require.Equal(t, tt.want, got == iam.Allow, "%s on %s", tt.pattern, tt.resource)
	}
	for pattern, want := range map[string]bool{
		"*": true, "arn:aws:execute-api:*:*:*": true, "arn:aws-cn:execute-api:*:*:*": false, "arn:*:execute-api:us-*-1:*:*": true,
		"arn:aws:execute-api:us-east-1:1111*:abc/*": true, "arn:aws:execute-api:*:abc/*:x": false, "arn:aws:s3:::abc": false,
		"arn:aws:execute-api:us-east-1:111122223333:*/pet?": true, "arn:aws:execute-api:us-east-1:?:abc/*": false,
	} {
		require.Equal(t, want, effect(t, document("2012-10-17", `"Resource":"`+pattern+`"`), request(nil)) == iam.Allow, pattern)
		require.Equal(t, !want, effect(t, document("2012-10-17", `"NotResource":"`+pattern+`"`), request(nil)) == iam.Allow, pattern)
	}
}

func TestActions(t *testing.T) {
	for action, want := range map[string]bool{
		"*": true, "execute-api:*": true, "execute-api:Invoke": true, "EXECUTE-API:INVOKE": true, "execute-api:Inv?ke": true, "*:Invoke": true,
		"execute-api:InvalidateCache": false, "s3:*": false, "execute-api:Invoke?": false,
	} {
		require.Equal(t, want, effect(t, document("2012-10-17", `"Action":"`+action+`"`), request(nil)) == iam.Allow, action)
		require.Equal(t, !want, effect(t, document("2012-10-17", `"NotAction":["s3:Get","`+action+`"]`), request(nil)) == iam.Allow, action)
	}
	odd := request(func(r *iam.Request) { r.Action = "Execute-API:Invoke" })
	require.Equal(t, iam.Allow, effect(t, document("2012-10-17", `"Action":"execute-api:invoke"`), odd))
}

func TestVersionsAndVariables(t *testing.T) {
	bob := request(func(r *iam.Request) {
		r.Principal = iam.Principal{Type: iam.User, UserName: "bob", ARN: "arn:aws:iam::1:user/bob"}
		r.Resource = "arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/bob"
		r.UserAgent = "bob"
	})
	const resource = `"Resource":"arn:aws:execute-api:*:*:abc/prod/GET/${aws:username}"`
	require.Equal(t, iam.Allow, effect(t, document("2012-10-17", resource), bob))
	require.Equal(t, iam.ImplicitDeny, effect(t, document("2008-10-17", resource), bob))
	require.Equal(t, iam.ImplicitDeny, effect(t, `{"Statement":{"Effect":"Allow","Action":"*",`+resource+`}}`, bob), "no version is 2008-10-17")
	require.Equal(t, iam.ImplicitDeny, effect(t, document("2012-10-17", resource), request(nil)), "no value: the resource matches nothing")
	for operator, want := range map[string]bool{"StringEquals": true, "StringNotEquals": false, "StringLike": true, "StringEqualsIgnoreCase": true} {
		text := document("2012-10-17", `"Condition":{"`+operator+`":{"aws:UserAgent":"${aws:username}"}}`)
		require.Equal(t, want, effect(t, text, bob) == iam.Allow, operator)
		nobody := request(func(r *iam.Request) { r.UserAgent = "bob" })
		require.Equal(t, !want, effect(t, text, nobody) == iam.Allow, "%s without a value", operator)
		literal := document("2008-10-17", `"Condition":{"`+operator+`":{"aws:UserAgent":"${aws:username}"}}`)
		require.Equal(t, !want, effect(t, literal, bob) == iam.Allow, "%s of 2008", operator)
	}
}

// verdict is the obvious reading of an operator for one value.
func verdict(operator, have, want string) (matches bool) {
	switch operator {
	case "StringEquals", "StringNotEquals", "BinaryEquals":
		return have == want
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		return strings.EqualFold(have, want)
	case "Bool":
		return have == want
	case "StringLike", "StringNotLike", "ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals":
		return strings.HasPrefix(have, strings.TrimSuffix(want, "*"))
	case "IpAddress", "NotIpAddress":
		return netip.MustParsePrefix(want).Contains(netip.MustParseAddr(have))
	}
	diff := strings.Compare(have, want) // the samples' order is that of their texts
	switch {
	case strings.HasSuffix(operator, "LessThan"):
		return diff < 0
	case strings.HasSuffix(operator, "LessThanEquals"):
		return diff <= 0
	case strings.HasSuffix(operator, "GreaterThan"):
		return diff > 0
	case strings.HasSuffix(operator, "GreaterThanEquals"):
		return diff >= 0
	}
	return diff == 0
}

// TestConditions walks every operator with every prefix and suffix, over every kind of value, in a
// statement of each effect.
func TestConditions(t *testing.T) {
	type sample struct{ want, same, other, wrong string }
	samples := map[string]sample{
		"String": {"ab*", "ab*", "xy", ""}, "StringFold": {"Ab", "aB", "xy", ""}, "Like": {"ab*", "abc", "xy", ""},
		"Numeric": {"25", "25", "31", "many"}, "Date": {"2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", "2027-01-02T00:00:00Z", "soon"},
		"Bool": {"true", "true", "false", "yes"}, "Binary": {"AAEC", "AAEC", "AAED", "%"}, "Ip": {"192.0.2.0/24", "192.0.2.7", "198.51.100.7", "here"},
		"Arn": {"arn:aws:iam::1:role/*", "arn:aws:iam::1:role/x", "arn:aws:iam::2:role/x", "role"},
	}
	kinds := map[string]string{
		"StringEquals": "String", "StringNotEquals": "String", "StringEqualsIgnoreCase": "StringFold", "StringNotEqualsIgnoreCase": "StringFold",
		"StringLike": "Like", "StringNotLike": "Like", "Bool": "Bool", "BinaryEquals": "Binary", "IpAddress": "Ip", "NotIpAddress": "Ip",
		"ArnEquals": "Arn", "ArnLike": "Arn", "ArnNotEquals": "Arn", "ArnNotLike": "Arn",
	}
	for _, kind := range []string{"Numeric", "Date"} {
		for _, form := range []string{"Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"} {
			kinds[kind+form] = kind
		}
	}
	cells := 0
	for operator, kind := range kinds {
		s := samples[kind]
		negated := strings.Contains(operator, "Not")
		for _, values := range [][]string{nil, {s.same}, {s.other}, {s.same, s.other}, {s.other, s.other}, {s.wrong}} {
			if len(values) == 1 && values[0] == "" {
				continue // every text is a string
			}
			for _, prefix := range []string{"", "ForAllValues:", "ForAnyValue:"} {
				for _, suffix := range []string{"", "IfExists"} {
					for _, statement := range []string{"Allow", "Deny"} {
						cells++
						good := func(v string) bool { return verdict(operator, v, s.want) != negated }
						var holds bool
						switch wrong := len(values) == 1 && values[0] == s.wrong; {
						case wrong:
							holds = statement == "Deny"
						case len(values) == 0:
							holds = suffix != "" || prefix == "ForAllValues:" || prefix == "" && negated
						case prefix == "" && len(values) > 1:
							holds = statement == "Deny"
						case prefix == "ForAnyValue:":
							holds = slices.ContainsFunc(values, good)
						default:
							holds = !slices.ContainsFunc(values, func(v string) bool { return !good(v) })
						}
						name := fmt.Sprintf("%s%s%s over %q in %s", prefix, operator, suffix, values, statement)
						text := document("2012-10-17", `"Effect":"`+statement+`","Condition":{"`+prefix+operator+suffix+`":{"my:Key":"`+s.want+`"}}`)
						got := effect(t, text, request(func(r *iam.Request) { r.Extra = map[string][]string{"my:key": values} }))
						want := map[bool]iam.Effect{false: iam.ImplicitDeny, true: iam.Allow}[holds]
						if holds && statement == "Deny" {
							want = iam.ExplicitDeny
						}
						require.Equal(t, want, got, name)
					}
				}
			}
		}
	}
	require.Greater(t, cells, 300)
}

func TestKnownKeys(t *testing.T) {
	r := request(func(r *iam.Request) {
		r.SecureTransport, r.UserAgent, r.Referer, r.Region, r.ResourceAccount = true, "curl/8", "https://x.example/", "us-east-1", "111122223333"
		r.SourceIP = netip.MustParseAddr("::ffff:192.0.2.1")
		r.Principal = iam.Principal{
			Type: iam.AssumedRole, AccountID: "444455556666", ARN: "arn:aws:sts::444455556666:assumed-role/R/s", RoleARN: "arn:aws:iam::444455556666:role/R",
			UserID: "AROAX:s", OrgID: "o-1", OrgPaths: []string{"o-1/r-1/ou-1/", "o-1/r-1/"}, Tags: map[string]string{"Team": "blue"},
			Temporary: true, TokenIssued: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), MFA: true, MFAAge: 90 * time.Second,
		}
	})
	for _, condition := range []string{
		`"DateGreaterThan":{"aws:CurrentTime":"2026-01-02T03:04Z"}`, `"DateLessThan":{"aws:CurrentTime":"2026-01-02T03:04:05.000000007Z"}`,
		`"DateEquals":{"aws:TokenIssueTime":"2026-01-01"}`, `"DateGreaterThan":{"aws:EpochTime":"1767323044"}`, `"NumericEquals":{"aws:EpochTime":1767323045}`,
		`"DateLessThan":{"aws:CurrentTime":"2026-01-02T04:04:06+01:00"}`, `"DateGreaterThan":{"aws:CurrentTime":"2025"}`, `"DateLessThan":{"aws:CurrentTime":"2026-02"}`,
		`"Bool":{"aws:SecureTransport":true}`, `"StringEquals":{"aws:SecureTransport":"true"}`, `"Bool":{"aws:MultiFactorAuthPresent":"TRUE"}`,
		`"NumericLessThan":{"aws:MultiFactorAuthAge":"90.5"}`, `"IpAddress":{"aws:SourceIp":["198.51.100.0/24","192.0.2.9/24"]}`, `"IpAddress":{"AWS:sourceip":"192.0.2.1"}`,
		`"IpAddress":{"aws:SourceIp":"::ffff:192.0.2.0/120"}`, `"StringEquals":{"aws:SourceIp":"192.0.2.1"}`, `"StringLike":{"aws:UserAgent":"curl/*"}`,
		`"StringEquals":{"aws:Referer":"https://x.example/","aws:RequestedRegion":"us-east-1","aws:ResourceAccount":"111122223333"}`,
		`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/R"}`, `"StringEquals":{"aws:PrincipalType":"AssumedRole","aws:userid":"AROAX:s","aws:PrincipalAccount":"444455556666"}`,
		`"StringEquals":{"aws:PrincipalOrgID":"o-1","aws:PrincipalTag/team":"blue"}`, `"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/r-1/ou-*"}`,
		`"ForAllValues:StringLike":{"aws:PrincipalOrgPaths":"o-1/*"}`, `"Null":{"aws:username":"true","aws:userid":false,"aws:VpcSourceIp":true,"aws:PrincipalTag/color":true}`,
		`"NotIpAddress":{"aws:VpcSourceIp":"0.0.0.0/0"}`, `"StringNotEquals":{"aws:username":"x"}`,
	} {
		require.Equal(t, iam.Allow, effect(t, document("2012-10-17", `"Condition":{`+condition+`}`), r), condition)
	}
	for _, condition := range []string{
		`"IpAddress":{"aws:SourceIp":"192.0.2.2/32"}`, `"IpAddress":{"aws:SourceIp":"::/0"}`, `"IpAddress":{"aws:VpcSourceIp":"192.0.2.0/24"}`,
		`"StringEquals":{"aws:username":""}`, `"StringEquals":{"aws:UserAgent":"curl/*"}`, `"Null":{"aws:userid":true}`, `"DateLessThan":{"aws:CurrentTime":"2026-01-02"}`,
		`"StringEquals":{"aws:UserAgent":"curl/8","aws:Referer":"x"}`, `"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-1/r-1/"}`,
	} {
		require.Equal(t, iam.ImplicitDeny, effect(t, document("2012-10-17", `"Condition":{`+condition+`}`), r), condition)
	}
	// What only some callers have, the others lack, whatever else is known of them.
	other := request(func(r *iam.Request) {
		r.SourceIP, r.SourceVPC, r.Extra = netip.MustParseAddr("10.0.0.1"), "vpc-1", map[string][]string{"my:b": {"YQ=="}}
		r.Principal = iam.Principal{Type: iam.AssumedRole, UserName: "bob", MFA: true, MFAAge: time.Minute}
	})
	for condition, want := range map[string]bool{
		`"Null":{"aws:username":true}`: true, `"Null":{"aws:MultiFactorAuthAge":true}`: true, `"Null":{"aws:MultiFactorAuthPresent":true}`: true,
		`"IpAddress":{"aws:VpcSourceIp":"10.0.0.1"}`: true, `"Null":{"aws:SourceIp":true}`: true, `"StringEquals":{"aws:SourceVpc":"vpc-1"}`: true,
		`"BinaryEquals":{"my:b":"YQ=="}`: true, `"BinaryEquals":{"my:b":"Yg=="}`: false,
	} {
		require.Equal(t, want, effect(t, document("2012-10-17", `"Condition":{`+condition+`}`), other) == iam.Allow, condition)
	}
	private := request(func(r *iam.Request) { r.SourceIP, r.SourceVPCE = netip.MustParseAddr("10.0.0.1"), "vpce-1" })
	for condition, want := range map[string]bool{
		`"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}`: true, `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`: false, `"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}`: true,
		`"StringEquals":{"aws:SourceVpce":"vpce-1"}`: true, `"StringEquals":{"aws:PrincipalAccount":"anonymous","aws:PrincipalType":"Anonymous"}`: true,
	} {
		require.Equal(t, want, effect(t, document("2012-10-17", `"Condition":{`+condition+`}`), private) == iam.Allow, condition)
	}
}

// Without a time a policy that ends some day allows nothing, and one that begins to deny some day
// is none the wiser.
func TestNoTime(t *testing.T) {
	never := request(func(r *iam.Request) { r.Time = time.Time{} })
	for _, condition := range []string{`"DateLessThan":{"aws:CurrentTime":"2030-01-01"}`, `"NumericLessThan":{"aws:EpochTime":"1893456000"}`, `"StringLike":{"aws:CurrentTime":"*"}`} {
		require.Equal(t, iam.ImplicitDeny, effect(t, document("2012-10-17", `"Condition":{`+condition+`}`), never), condition)
		require.Equal(t, iam.Allow, effect(t, document("2012-10-17", `"Condition":{`+condition+`}`), request(nil)), condition)
	}
	require.Equal(t, iam.Allow, effect(t, document("2012-10-17", `"Condition":{"Null":{"aws:CurrentTime":true}}`), never))
}

func TestPrincipals(t *testing.T) {
	user := iam.Principal{Type: iam.User, AccountID: "111122223333", ARN: "arn:aws:iam::111122223333:user/a/bob", UserName: "bob"}
	session := iam.Principal{
		Type: iam.AssumedRole, AccountID: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/R/s", RoleARN: "arn:aws:iam::111122223333:role/p/R",
	}
	for _, tt := range []struct {
		entry                  string
		anonymous, bob, assume bool
	}{
		{`"*"`, true, true, true}, {`{"AWS":"*"}`, true, true, true}, {`{"AWS":"111122223333"}`, false, true, true}, {`{"AWS":"arn:aws:iam::111122223333:root"}`, false, true, true},
		{`{"AWS":"444455556666"}`, false, false, false}, {`{"AWS":"arn:aws:iam::111122223333:role/p/R"}`, false, false, true},
		{`{"AWS":["arn:aws:sts::111122223333:assumed-role/R/s"]}`, false, false, true}, {`{"AWS":"arn:aws:sts::111122223333:assumed-role/R/t"}`, false, false, false},
		{`{"AWS":"arn:aws:iam::111122223333:user/a/bob"}`, false, true, false}, {`{"AWS":"arn:aws:iam::111122223333:user/a/Bob"}`, false, false, false},
		{`{"AWS":"arn:aws:iam::111122223333:user/R"}`, false, false, false}, {`{"Service":"x.amazonaws.com"}`, false, false, false}, {`{"Federated":"f","CanonicalUser":"c"}`, false, false, false},
	} {
		for who, want := range map[*iam.Principal]bool{{}: tt.anonymous, &user: tt.bob, &session: tt.assume} {
			p := parse(t, document("2012-10-17", `"Principal":`+tt.entry), iam.Options{Principals: true})
			got := iam.Evaluate(request(func(r *iam.Request) { r.Principal = *who }), p).Effect
			require.Equal(t, want, got == iam.Allow, "%s for %+v", tt.entry, *who)
			p = parse(t, document("2012-10-17", `"NotPrincipal":`+tt.entry), iam.Options{Principals: true})
			got = iam.Evaluate(request(func(r *iam.Request) { r.Principal = *who }), p).Effect
			require.Equal(t, !want, got == iam.Allow, "not %s for %+v", tt.entry, *who)
		}
	}
	deny := func(entries string, who iam.Principal) bool {
		p := parse(t, document("2012-10-17", `"Effect":"Deny","NotPrincipal":{"AWS":[`+entries+`]}`), iam.Options{Principals: true})
		return iam.Evaluate(request(func(r *iam.Request) { r.Principal = who }), p).Effect == iam.ExplicitDeny
	}
	require.True(t, deny(`"arn:aws:iam::111122223333:role/p/R"`, session))
	require.True(t, deny(`"arn:aws:iam::111122223333:role/p/R","111122223333"`, session))
	require.False(t, deny(`"arn:aws:iam::111122223333:role/p/R","111122223333","arn:aws:sts::111122223333:assumed-role/R/s"`, session))
	require.False(t, deny(`"arn:aws:iam::111122223333:root","arn:aws:iam::111122223333:user/a/bob"`, user))
	require.True(t, deny(`"111122223333"`, iam.Principal{}))
}

func TestShortForm(t *testing.T) {
	for pattern, want := range map[string]bool{
		"execute-api:/*": true, "execute-api:/prod/GET/pets": true, "execute-api:/prod/*": true, "execute-api:/test/*": false, "execute-api:/": false,
		"arn:aws:execute-api:us-east-1:111122223333:other/*": false,
	} {
		p := parse(t, document("2012-10-17", `"Principal":"*","Resource":"`+pattern+`"`), iam.Options{Principals: true})
		require.Equal(t, want, iam.Evaluate(request(nil), p).Allowed(), pattern)
	}
}

// The order of statements and policies changes nothing: every order gives what the obvious
// evaluation gives.
func TestOrderDoesNotMatter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pool := []string{
		`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:abc/prod/GET/*"}`,
		`{"Effect":"Deny","Action":"*","Resource":"arn:aws:execute-api:*:*:abc/*/admin"}`, `{"Effect":"Deny","NotAction":"execute-api:*","Resource":"*"}`,
		`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`,
	}
	for range 500 {
		statements := make([]string, 1+rnd.IntN(4))
		for i := range statements {
			statements[i] = pool[rnd.IntN(len(pool))]
		}
		r := request(func(r *iam.Request) {
			r.SecureTransport = rnd.IntN(2) == 0
			r.Resource = []string{pets, "arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/admin"}[rnd.IntN(2)]
		})
		want := iam.ImplicitDeny
		for _, s := range statements {
			switch effect(t, `{"Statement":`+s+`}`, r) {
			case iam.ExplicitDeny:
				want = iam.ExplicitDeny
			case iam.Allow:
				if want == iam.ImplicitDeny {
					want = iam.Allow
				}
			}
		}
		for range 4 {
			rnd.Shuffle(len(statements), func(i, j int) { statements[i], statements[j] = statements[j], statements[i] })
			one := parse(t, `{"Statement":[`+strings.Join(statements, ",")+`]}`, iam.Options{})
			require.Equal(t, want, iam.Evaluate(r, one).Effect, statements)
			cut := rnd.IntN(len(statements))
			var two [2]*iam.Policy
			for i, part := range [][]string{statements[:cut], statements[cut:]} {
				if len(part) > 0 {
					two[i] = parse(t, `{"Statement":[`+strings.Join(part, ",")+`]}`, iam.Options{})
				}
			}
			require.Equal(t, want, iam.Evaluate(r, two[:]...).Effect, statements)
		}
	}
}

func TestDecision(t *testing.T) {
	p := parse(t, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"NoPets","Effect":"Deny","Action":"*","Resource":"`+pets+`"}]}`, iam.Options{})
	d := iam.Evaluate(request(nil), nil, p)
	require.Equal(t, iam.Decision{Effect: iam.ExplicitDeny, Policy: 1, Statement: 1, Sid: "NoPets"}, d)
	require.Equal(t, "explicit deny by statement 1 (NoPets) of policy 1", d.String())
	d = iam.Evaluate(request(func(r *iam.Request) { r.Resource = "nonsense" }), p)
	require.Equal(t, "allow by statement 0 of policy 0", d.String())
	require.Equal(t, "implicit deny: no statement applies", iam.Evaluate(request(nil)).String())
}

func FuzzParse(f *testing.F) {
	f.Add(document("2012-10-17", `"Condition":{"StringLike":{"aws:UserAgent":"a*${aws:username, 'x'}"},"IpAddress":{"aws:SourceIp":"::/0"}}`))
	f.Add(`{"Statement":[{"Effect":"Deny","NotAction":["a:b"],"NotResource":"arn:aws:a:::b*c?"}]}`)
	f.Add(`{"Version":"2008-10-17","Id":"x","Statement":{"Effect":"Allow","Principal":{"AWS":["111122223333"]},"Action":"*","Resource":"execute-api:/*"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, o := range []iam.Options{{}, {Principals: true}} {
			p, err := iam.Parse([]byte(text), o)
			if (p == nil) != (err != nil) {
				t.Fatal("want a policy or an error")
			}
			if p == nil {
				continue
			}
			if !json.Valid([]byte(text)) {
				t.Errorf("took what isn't JSON: %q", text)
			}
			r := request(nil)
			if a, b := iam.Evaluate(r, p), iam.Evaluate(r, p, p); a.Effect != b.Effect {
				t.Errorf("once %v, twice %v", a, b)
			}
		}
	})
}
