package iam_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/iam"
)

// dice draws documents and requests of a small world, so that patterns and values meet often.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 11))} }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

// some draws 1 to most of from.
func some(d dice, most int, from ...string) any {
	n := 1 + d.IntN(most)
	if n == 1 && d.IntN(2) == 0 {
		return pick(d, from...)
	}
	list := make([]string, n)
	for i := range list {
		list[i] = pick(d, from...)
	}
	return list
}

const world = "arn:aws:execute-api:us-east-1:111122223333:"

var (
	worldActions   = []string{"execute-api:Invoke", "execute-api:*", "*", "EXECUTE-api:invoke", "execute-api:Inv?ke", "execute-api:ManageConnections", "s3:*", "*:Invoke"}
	worldResources = []string{
		"*", world + "abc/*", world + "abc/prod/GET/pets", world + "abc/*/pets", world + "abc/prod/*/a:b", world + "abc/prod/GET/${aws:username}",
		world + "abc/prod/GET/${aws:username}/*", world + "???/prod/GET/p*s", world + "abc/prod/GET/${my:one, 'pets'}", "arn:aws:execute-api:*:*:*",
		"arn:aws:execute-api:us-*-1:1111*:abc/prod/POST/*", "arn:aws-cn:execute-api:*:*:*", "arn:aws:s3:::bucket", world + "xyz/*", world + "abc/prod/GET/${*}", world + "*bob*bob*",
	}
	worldPrincipals = []any{
		"*", map[string]any{"AWS": "*"}, map[string]any{"AWS": []string{"111122223333", "arn:aws:iam::444455556666:root"}},
		map[string]any{"AWS": "arn:aws:iam::111122223333:user/bob"}, map[string]any{"AWS": "arn:aws:iam::444455556666:role/R"}, map[string]any{"Service": "x.amazonaws.com"},
	}
	// worldConditions are operators by the keys that they may be asked of, with the values to ask
	// for.
	worldConditions = []struct {
		operators, keys, values []string
	}{
		{
			[]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"},
			[]string{"aws:UserAgent", "AWS:useragent", "aws:username", "my:one", "my:Many", "my:none", "aws:SourceVpce", "aws:SecureTransport"},
			[]string{"pets", "Pets", "p*", "p?ts", "bob", "vpce-1", "${aws:username}", "${my:one}", "${aws:username}*", "*", "true", ""},
		},
		{
			[]string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
			[]string{"my:number", "my:one", "my:numbers", "aws:EpochTime", "my:none"}, []string{"7", "7.0", "-1.5", "1767323045", "100"},
		},
		{
			[]string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
			[]string{"aws:CurrentTime", "my:date", "my:one", "my:none"}, []string{"2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2027-01-01T00:00:00Z", "1767323045"},
		},
		{[]string{"Bool"}, []string{"aws:SecureTransport", "my:one", "my:none"}, []string{"true", "false"}},
		{[]string{"BinaryEquals"}, []string{"my:binary", "my:none"}, []string{"AAEC", "cGV0cw=="}},
		{
			[]string{"IpAddress", "NotIpAddress"}, []string{"aws:SourceIp", "aws:VpcSourceIp", "my:address", "my:one", "my:none"},
			[]string{"192.0.2.0/24", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32", "10.0.0.0/8"},
		},
		{
			[]string{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"}, []string{"aws:PrincipalArn", "my:arn", "my:one", "my:none"},
			[]string{"arn:aws:iam::111122223333:user/*", "arn:aws:iam::444455556666:role/R", "arn:*:iam::*:*", "arn:aws:iam::111122223333:user/${aws:username}", "arn:aws:iam::${my:account, '111122223333'}:user/*"},
		},
		{[]string{"Null"}, []string{"aws:username", "my:one", "my:Many", "my:none"}, []string{"true", "false"}},
	}
)

// condition draws a Condition of up to three keys.
func (d dice) condition() map[string]any {
	drawn := map[string]any{}
	for range 1 + d.IntN(3) {
		kind := worldConditions[d.IntN(len(worldConditions))]
		operator := pick(d, kind.operators...)
		if operator != "Null" {
			operator = pick(d, "", "", "", "ForAllValues:", "ForAnyValue:") + operator + pick(d, "", "", "IfExists")
		}
		drawn[operator] = map[string]any{pick(d, kind.keys...): some(d, 3, kind.values...)}
	}
	return drawn
}

func (d dice) statement(principals bool) map[string]any {
	s := map[string]any{"Effect": pick(d, "Allow", "Allow", "Deny")}
	s[pick(d, "Action", "Action", "Action", "NotAction")] = some(d, 3, worldActions...)
	s[pick(d, "Resource", "Resource", "Resource", "NotResource")] = some(d, 3, worldResources...)
	if principals {
		s["Principal"] = pick(d, worldPrincipals...)
	}
	if d.IntN(2) == 0 {
		s["Condition"] = d.condition()
	}
	return s
}

func (d dice) statements(principals bool) (list []map[string]any) {
	for range 1 + d.IntN(4) {
		list = append(list, d.statement(principals))
	}
	return list
}

func documentOf(statements []map[string]any) string {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (d dice) request() *iam.Request {
	r := &iam.Request{
		Action:    pick(d, "execute-api:Invoke", "execute-api:Invoke", "execute-api:ManageConnections", "Execute-API:INVOKE"),
		Resource:  world + pick(d, "abc/prod/GET/pets", "abc/prod/GET/bob", "abc/prod/GET/bob/x", "abc/prod/POST/a:b", "abc/prod/GET/*", "abc/prod/GET/", "xyz/dev/GET/", "abc"),
		Time:      time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(pick(d, 0, time.Second, -time.Hour)),
		UserAgent: pick(d, "", "pets", "Pets", "p*", "curl"), SecureTransport: d.IntN(2) == 0, SourceVPCE: pick(d, "", "", "vpce-1"),
		SourceIP: pick(d, netip.Addr{}, netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8::1")),
		Principal: pick(d,
			iam.Principal{},
			iam.Principal{Type: iam.User, UserName: "bob", AccountID: "111122223333", ARN: "arn:aws:iam::111122223333:user/bob"},
			iam.Principal{Type: iam.User, UserName: "*", AccountID: "444455556666", ARN: "arn:aws:iam::444455556666:user/*"},
			iam.Principal{
				Type: iam.AssumedRole, AccountID: "444455556666", ARN: "arn:aws:sts::444455556666:assumed-role/R/s", RoleARN: "arn:aws:iam::444455556666:role/R",
			},
		),
		Extra: map[string][]string{},
	}
	for key, values := range map[string][][]string{
		"my:one": {{"pets"}, {"7"}, {"true"}, {"192.0.2.9"}, {"arn:aws:iam::1:x"}, {""}, {"2026-01-02T03:04:05Z"}}, "my:many": {{"pets", "bob"}, {"pets", "pets"}, {"x", "y"}},
		"my:number": {{"7"}, {"-1.5"}, {"soon"}}, "my:numbers": {{"7", "100"}, {"7", "x"}, {"x", "7"}}, "my:date": {{"2026-01-02T03:04:05Z"}, {"never"}},
		"my:binary": {{"AAEC"}, {"%"}}, "my:address": {{"192.0.2.1"}, {"here"}, {"::ffff:192.0.2.9"}}, "my:arn": {{"arn:aws:iam::111122223333:user/bob"}, {"role"}},
	} {
		if d.IntN(4) > 0 {
			r.Extra[key] = pick(d, values...)
		}
	}
	return r
}

// drawn is how many policies are drawn: enough to find each of a dozen bugs put in by hand.
const drawn = 800

// The engine says of every policy and request what the naive reading says, and all its effects turn
// up.
func TestAgainstTheNaiveReading(t *testing.T) {
	d, seen := newDice(1), map[iam.Effect]int{}
	for range drawn {
		principals := d.IntN(2) == 0
		text := documentOf(d.statements(principals))
		p := parse(t, text, iam.Options{Principals: principals})
		oracle := newNaive(text)
		for range 4 {
			r := d.request()
			got := iam.Evaluate(r, p)
			require.Equal(t, oracle.effect(r), got.Effect, "%s\non %+v", text, r)
			seen[got.Effect]++
			require.Equal(t, got.Effect == iam.ImplicitDeny, got.Statement < 0, "a statement has decided, or none")
		}
	}
	for _, effect := range []iam.Effect{iam.ImplicitDeny, iam.ExplicitDeny, iam.Allow} {
		require.Greater(t, seen[effect], drawn/5, "%v: draws that show nothing: %v", effect, seen)
	}
}

// The order of statements and of policies, and how statements are spread over policies, decide
// nothing.
func TestOrderDecidesNothing(t *testing.T) {
	d := newDice(2)
	for range drawn / 4 {
		statements := d.statements(false)
		whole := parse(t, documentOf(statements), iam.Options{})
		var one []*iam.Policy
		for _, s := range statements {
			one = append(one, parse(t, documentOf([]map[string]any{s}), iam.Options{}))
		}
		d.Shuffle(len(one), func(i, j int) { one[i], one[j] = one[j], one[i] })
		r := d.request()
		want := iam.Evaluate(r, whole).Effect
		require.Equal(t, want, iam.Evaluate(r, one...).Effect, "%v", statements)
		require.Equal(t, want, iam.Evaluate(r, append(one, nil, whole)...).Effect, "saying it twice says no more")
	}
}

// A statement more that denies opens nothing, and one more that allows closes nothing: who adds a
// rule knows which way it goes.
func TestStatementsGoOneWay(t *testing.T) {
	d := newDice(3)
	for range drawn / 4 {
		statements, more, r := d.statements(false), d.statement(false), d.request()
		before := iam.Evaluate(r, parse(t, documentOf(statements), iam.Options{})).Effect
		after := iam.Evaluate(r, parse(t, documentOf(append(statements, more)), iam.Options{})).Effect
		switch {
		case before == iam.ExplicitDeny:
			require.Equal(t, iam.ExplicitDeny, after, "nothing takes a deny back")
		case more["Effect"] == "Deny":
			require.Contains(t, []iam.Effect{before, iam.ExplicitDeny}, after, "%v", more)
		default:
			require.Contains(t, []iam.Effect{before, iam.Allow}, after, "%v", more)
		}
	}
}

// Element and not-element are each other's opposite, for what they name, wherever both are
// well-formed.
func TestNotIsTheOpposite(t *testing.T) {
	d := newDice(4)
	for range drawn / 4 {
		r, resources, actions := d.request(), some(d, 3, worldResources...), some(d, 3, worldActions...)
		allows := func(members map[string]any) bool {
			members["Effect"] = "Allow"
			return iam.Evaluate(r, parse(t, documentOf([]map[string]any{members}), iam.Options{})).Allowed()
		}
		require.NotEqual(t, allows(map[string]any{"Action": "*", "Resource": resources}), allows(map[string]any{"Action": "*", "NotResource": resources}), "%v", resources)
		require.NotEqual(t, allows(map[string]any{"Action": actions, "Resource": "*"}), allows(map[string]any{"NotAction": actions, "Resource": "*"}), "%v", actions)
	}
}

// FuzzPolicy: what is taken is taken again in other spellings that mean the same, an error comes
// without a policy, and no policy of statements that deny allows.
func FuzzPolicy(f *testing.F) {
	d := newDice(5)
	for range 40 {
		f.Add(documentOf(d.statements(false)), false)
		f.Add(documentOf(d.statements(true)), true)
	}
	f.Add(`{"Statement":[{"Effect":"deny","Action":[],"NotResource":[]}]}`, false)
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:${a}"}}`, false)
	requests := []*iam.Request{d.request(), d.request(), d.request(), {}}
	f.Fuzz(func(t *testing.T, text string, principals bool) {
		p, err := iam.Parse([]byte(text), iam.Options{Principals: principals})
		if err != nil {
			if p != nil || len(err.Error()) > 20_000 {
				t.Errorf("%q: a policy beside an error, or an error of %d bytes", text, len(err.Error()))
			}
			return
		}
		again, err := iam.Parse([]byte(" \n"+text+"\t"), iam.Options{Principals: principals})
		if err != nil {
			t.Fatalf("%q with blanks around it: %v", text, err)
		}
		for _, r := range requests {
			got := iam.Evaluate(r, p)
			if got != iam.Evaluate(r, again) {
				t.Errorf("%q says two things", text)
			}
			if got.Allowed() && !strings.Contains(strings.ToLower(text), "allow") && !strings.Contains(text, `\u`) {
				t.Errorf("%q allows", text)
			}
		}
	})
}
