package injection_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/injection"
)

// engineSource reads a file of the engine's, from where the go command has put it.
func engineSource(t *testing.T, name string) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/corazawaf/libinjection-go").Output()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), name))
	require.NoError(t, err)
	return string(text)
}

var entry = regexp.MustCompile(`"((?:[^"\\]|\\.)*)":\s*'(.)'`)

// engineTable is the engine's table of words and fingerprints.
func engineTable(t *testing.T) (words map[string]string, fingerprints []string) {
	words = map[string]string{}
	for _, m := range entry.FindAllStringSubmatch(engineSource(t, "sqli_data.go"), -1) {
		if m[2] == "F" {
			fingerprints = append(fingerprints, m[1][1:])
		} else {
			words[m[1]] = m[2]
		}
	}
	require.Len(t, fingerprints, 8367)
	require.Len(t, words, 985)
	return words, fingerprints
}

// What the filter's comment says of the fingerprints and words is so, of every one. A newer engine
// that knows others fails here.
func TestFilterStandsOnTheEngine(t *testing.T) {
	words, fingerprints := engineTable(t)
	for _, f := range fingerprints { // in capitals: t and T are one
		has := func(kinds string) bool { return strings.ContainsAny(f, kinds) }
		switch {
		case has("SCX();"):
		case has("&UEB"):
			require.True(t, len(f) >= 3 || f == "1U" || f == "VU", f)
		case has("T"):
			require.Len(t, f, 5, f)
		case has("O") && has("V"):
			require.GreaterOrEqual(t, len(f), 3, f)
		case has("O") && has("K"):
			require.Len(t, f, 5, f)
		default:
			require.True(t, len(f) == 3 && f[1] == 'K', f)
		}
	}
	// That is let pass, unless it is INTO.
	require.Contains(t, engineSource(t, "sqli.go"),
		`if s.tokenVec[1].category == sqliTokenTypeKeyword && (s.tokenVec[1].len < 5 || !toUpperCmp("INTO", s.tokenVec[1].val[:4])) {`)
	require.Contains(t, engineSource(t, "sqli.go"), "return s.statsTokens != 2")
	require.Equal(t, uint8(injection.Alone), injection.KindOf("INTO"))

	first := regexp.MustCompile(`^[A-Za-z_]*`)
	for word, kind := range words {
		if strings.Trim(word, "!<>=%&*+-/:@^|~") == "" {
			continue // signs, each of which is one to the filter, or begins a pair
		}
		var need uint8
		switch kind {
		case "U", "E", "B", "&":
			need = injection.Alone
		case "t", "T", "A":
			need = injection.Alone | injection.Typed
		case "k":
			need = injection.Alone | injection.Typed | injection.Keyword
		case "v":
			need = injection.Alone | injection.Variable
		case "o":
			need = injection.Alone | injection.Operator
		case "f", "n", "1": // by themselves in no fingerprint that has none of the others
			continue
		}
		require.NotZero(t, need, "%s is of a kind that the filter doesn't know: %s", word, kind)
		var seen uint8
		for part := range strings.FieldsSeq(word) {
			seen |= injection.KindOf(first.FindString(part))
		}
		require.NotZero(t, seen&need, "%s, a %s", word, kind)
	}
	for word, kind := range words {
		if kind == "&" || kind == "o" || kind == "v" {
			require.NotContains(t, word, ".")
		}
	}
}

// Only two characters beyond ASCII have a capital in it, and each makes the engine look.
func TestCapitalsOfOthers(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if unicode.ToUpper(r) < 0x80 {
			require.True(t, injection.MaybeSQL(utf8.AppendRune([]byte("x "), r)), "%U", r)
		}
	}
}

// The engine's own attributes end in a letter or a digit, as the filter for markup has it.
func TestAttributesEndInALetter(t *testing.T) {
	source := engineSource(t, "xss_decls.go")
	names := regexp.MustCompile(`\{"([^"]+)", attributeType`).FindAllStringSubmatch(source, -1)
	require.Greater(t, len(names), 400)
	for _, name := range names {
		require.Regexp(t, `[A-Z0-9_]$`, name[1])
	}
}
