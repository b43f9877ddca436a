package crs_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"text/tabwriter"

	libinjection "github.com/corazawaf/libinjection-go"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// lines are the lines of a file of testdata: attacks and harmless texts of our own writing.
func lines(tb testing.TB, name string) []string {
	tb.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(tb, err)
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// spellings are ways to write the same.
var spellings = map[string]func(string) string{
	"as it is":      func(s string) string { return s },
	"encoded twice": url.QueryEscape,
	"mixed case": func(s string) string {
		b := []byte(s)
		for i := 0; i < len(b); i += 2 {
			if b[i]|0x20 >= 'a' && b[i]|0x20 <= 'z' {
				b[i] ^= 0x20
			}
		}
		return string(b)
	},
	"tabs":      func(s string) string { return strings.ReplaceAll(s, " ", "\t") },
	"comments":  func(s string) string { return strings.ReplaceAll(s, " ", "/**/") },
	"entities":  html.EscapeString,
	"NUL bytes": func(s string) string { return strings.ReplaceAll(s, "i", "i\x00") },
}

var spellingsInOrder = []string{"as it is", "encoded twice", "mixed case", "tabs", "comments", "entities", "NUL bytes"}

// recommended are the transformations that find what the spellings hide: one list that decodes what may be decoded once, and
// one that decodes twice and takes out what parsers skip. A rule asks for either.
var recommended = [][]string{
	{"URL_DECODE"},
	{"URL_DECODE", "URL_DECODE", "HTML_ENTITY_DECODE", "REMOVE_NULLS"},
}

// ofStatements is a web ACL that blocks by the engine's statements, with the recommended transformations.
func ofStatements(tb testing.TB, sensitivity string) *waf.ACL {
	tb.Helper()
	arguments := waf.FieldToMatch{AllQueryArguments: &struct{}{}}
	var any []waf.Statement
	for _, names := range recommended {
		var list []waf.TextTransformation
		for i, name := range names {
			list = append(list, waf.TextTransformation{Priority: int64(i), Type: name})
		}
		any = append(any,
			waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{FieldToMatch: arguments, TextTransformations: list, SensitivityLevel: sensitivity}},
			waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: arguments, TextTransformations: list}})
	}
	acl, err := waf.New(tb.Context(), waf.Config{ACL: &waf.WebACL{
		Name: "statements", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}}, Rules: []waf.Rule{{
			Name: "injection", Action: &waf.Action{Block: &waf.BlockAction{}}, Statement: waf.Statement{OrStatement: &waf.OrStatement{Statements: any}},
		}},
	}})
	require.NoError(tb, err)
	return acl
}

// judges are who is compared.
func judges(tb testing.TB) (names []string, refuses []func(string) bool) {
	low, high, set := ofStatements(tb, "LOW"), ofStatements(tb, "HIGH"), plainSet(tb)
	asArgument := func(text string) *http.Request { return request("GET", "/?q="+url.QueryEscape(text), "") }
	return []string{"libinjection", "auth/waf LOW", "auth/waf HIGH", "CRS level 1"}, []func(string) bool{
		func(text string) bool {
			sqli, _ := libinjection.IsSQLi(text)
			return sqli || libinjection.IsXSS(text)
		},
		func(text string) bool { return low.Check(asArgument(text)).Rejection != nil },
		func(text string) bool { return high.Check(asArgument(text)).Rejection != nil },
		func(text string) bool { return set.Check(asArgument(text)).Blocked },
	}
}

// What is found of attacks, and of what is harmless: by libinjection alone, which is given the argument decoded as a handler
// would read it, by statements of a web ACL, and by the rule set.
func TestRates(t *testing.T) {
	names, refuses := judges(t)
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(table, "\t\t\t%s\t\n", strings.Join(names, "\t"))
	for _, kind := range []struct {
		file  string
		least [4]float64 // as it is
	}{{"sqli.txt", [4]float64{.90, .90, .90, .95}}, {"xss.txt", [4]float64{.95, .95, .95, .99}}} {
		texts := lines(t, kind.file)
		require.GreaterOrEqual(t, len(texts), 150)
		for _, spelling := range spellingsInOrder {
			share := shares(texts, spellings[spelling], refuses)
			row(table, kind.file, spelling, len(texts), share)
			require.GreaterOrEqual(t, share[1], share[0], "%s %s: less than the engine alone", kind.file, spelling)
			require.GreaterOrEqual(t, share[2], share[1], "%s %s: less than at low sensitivity", kind.file, spelling)
			for i, least := range kind.least {
				require.True(t, spelling != "as it is" || share[i] >= least, "%s %s: %f", kind.file, names[i], share[i])
			}
		}
	}
	texts := lines(t, "harmless.txt")
	require.GreaterOrEqual(t, len(texts), 300)
	share := shares(texts, spellings["as it is"], refuses)
	row(table, "harmless.txt", "as it is", len(texts), share)
	require.NoError(t, table.Flush())
	t.Logf("refused:\n%s", out.String())
	for i, most := range []float64{.03, .03, .06, .06} {
		require.LessOrEqual(t, share[i], most, "of what is harmless %s refuses", names[i])
	}
	require.LessOrEqual(t, share[1], share[0]+.01)
}

func row(table io.Writer, file, spelling string, texts int, share [4]float64) {
	_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t", file, spelling, texts)
	for _, of := range share {
		_, _ = fmt.Fprintf(table, "%.1f %%\t", 100*of)
	}
	_, _ = fmt.Fprintln(table)
}

func shares(texts []string, spelled func(string) string, refuses []func(string) bool) (of [4]float64) {
	for _, text := range texts {
		text = spelled(text)
		for i, f := range refuses {
			if f(text) {
				of[i] += 1 / float64(len(texts))
			}
		}
	}
	return of
}
