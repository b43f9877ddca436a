package iam_test

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/iam"
)

func TestGlob(t *testing.T) {
	r := &iam.Request{
		Principal: iam.Principal{Type: iam.User, UserName: "*", Tags: map[string]string{"team": "a/b", "odd": "${aws:username}?"}},
	}
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b:c", true}, {"?", "/", true}, {"?", "é", true}, {"a*??", "aé", false}, {"a*??", "aéé", true}, {"*?x", "éx", true}, {"?", "", false}, {"?", "ab", false},
		{"abc/*", "abc/", true}, {"abc/*", "abc", false}, {"abc*", "abc/x", true}, {"a*b*c", "a--b--c", true}, {"a*b*c", "a--c--b", false},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"a**a", "aa", true}, {"*a?", "xaay", true}, {"*a?", "xa", false}, {"??*", "a", false},
		{"*ab?d*", "xxabcdabxd", true}, {"x*?*y", "xy", false}, {"x*?*y", "x1y", true}, {"a.c", "abc", false}, {"a$", "a", false}, {"(a+)+$", "aaa", false},
		{"${*}", "*", true}, {"${*}", "a", false}, {"${?}${$}", "?$", true}, {"$x", "$x", true},
		{"u/${aws:username}/*", "u/*/x", true}, {"u/${aws:username}/*", "u/bob/x", false}, // a user named * is no wildcard
		{"${aws:PrincipalTag/Team}", "a/b", true}, {"*${aws:principaltag/odd}*", "1${aws:username}?2", true}, {"${aws:PrincipalTag/odd}", "$*?", false},
		{"${aws:userid}", "", false}, {"*${aws:userid}*", "anything", false}, {"${aws:userid, 'none'}", "none", true}, {"${aws:userid,'a*'}", "ab", false},
	} {
		got, err := iam.Glob(tt.pattern, tt.text, r)
		require.NoError(t, err, tt.pattern)
		require.Equal(t, tt.want, got, "%q on %q", tt.pattern, tt.text)
	}
	for _, pattern := range []string{"${", "${aws:username", "${}", "${username}", "${aws:userid,none}", "${aws:userid, 'a'b'}", "${aws:PrincipalOrgPaths}"} {
		_, err := iam.Glob(pattern, "", r)
		require.Error(t, err, pattern)
	}
}

// A glob is what its obvious regular expression is, on every short text.
func TestGlobAgainstRegexp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func(of string, most int) string {
		runes, b := []rune(of), strings.Builder{}
		for range random.IntN(most + 1) {
			b.WriteRune(runes[random.IntN(len(runes))])
		}
		return b.String()
	}
	for range 5_000 {
		pattern, value := text("ab/é*?", 6), text("ab/é", 7)
		want := regexp.MustCompile(`(?s)\A` + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + `\z`).MatchString(value)
		got, err := iam.Glob(pattern, value, &iam.Request{})
		require.NoError(t, err)
		require.Equal(t, want, got, "%q on %q", pattern, value)
	}
}

// A pattern of many stars takes no longer than its text is long: were it exponential, this test
// wouldn't end.
func TestHostileGlobs(t *testing.T) {
	text := strings.Repeat("a", 1<<16)
	for _, pattern := range []string{
		strings.Repeat("*a", 1<<15) + "b", strings.Repeat("a*", 1<<15) + "b", strings.Repeat("*", 1<<16) + "b", strings.Repeat("*?", 1<<10) + "b",
	} {
		got, err := iam.Glob(pattern, text, &iam.Request{})
		require.NoError(t, err)
		require.False(t, got)
	}
}

func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{{"a*b?c", "axxbyc"}, {"*aab*", "aaab"}, {"?*é", "xé"}, {"*\xff?", "\xffé"}, {"a*a*a*b", "aaaaaaab"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if strings.Contains(pattern, "${") || strings.ContainsRune(pattern+text, '\ufffd') || !valid(pattern) || !valid(text) {
			return // the oracle can't say those
		}
		got, err := iam.Glob(pattern, text, &iam.Request{})
		if err != nil {
			t.Fatalf("%q: %v", pattern, err)
		}
		oracle := regexp.QuoteMeta(pattern)
		oracle = strings.ReplaceAll(strings.ReplaceAll(oracle, `\*`, `.*`), `\?`, `.`)
		if want := regexp.MustCompile(`(?s)\A` + oracle + `\z`).MatchString(text); got != want {
			t.Errorf("%q on %q: got %v, want %v", pattern, text, got, want)
		}
	})
}

func valid(s string) bool { return strings.ToValidUTF8(s, "") == s }

// An ARN without wildcards is a pattern that only it matches. What is taken though it isn't an ARN
// matches nothing.
func FuzzARN(f *testing.F) {
	f.Add("arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/a:b", "arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/a")
	f.Add("arn:aws:s3:::b", "arn:aws:s3:::")
	f.Add("arn:aws:s3", "arn:aws:s3:::")
	f.Fuzz(func(t *testing.T, text, other string) {
		if strings.ContainsAny(text, "*?$") {
			return
		}
		quoted, _ := json.Marshal(text)
		p, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":`+string(quoted)+`}}`), iam.Options{})
		if err != nil || !valid(text) {
			return
		}
		isARN := !strings.Contains(strings.Join(p.Findings(), ""), "Resource: want an ARN of six parts") && !strings.Contains(strings.Join(p.Findings(), ""), "want a partition")
		for _, resource := range []string{text, other} {
			if got := iam.Evaluate(request(func(r *iam.Request) { r.Resource = resource }), p).Allowed(); got != (isARN && resource == text) {
				t.Errorf("%q on %q: got %v", text, resource, got)
			}
		}
	})
}
