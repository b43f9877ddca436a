package strictjson_test

import (
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// obvious is Object by encoding/json's tokens, in the slowest way: every name is compared with
// every other. It returns what the outermost object's names are.
func obvious(text string, maxDepth int, exact bool) (names []string, ok bool) {
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) || halved(text) {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, false
	}
	names, ok = within(d, '{', 1, maxDepth, !exact)
	return names, ok
}

// within reads what an object or array holds, up to its end.
func within(d *json.Decoder, bracket json.Delim, depth, maxDepth int, fold bool) (names []string, ok bool) {
	if depth > maxDepth {
		return nil, false
	}
	for d.More() {
		if bracket == '{' {
			token, _ := d.Token()
			name := token.(string)
			if slices.ContainsFunc(names,
				func(seen string) bool { return seen == name || fold && strings.EqualFold(seen, name) }) {
				return nil, false
			}
			names = append(names, name)
		}
		token, err := d.Token()
		if err == io.EOF {
			return nil, false
		}
		if inner, nests := token.(json.Delim); nests {
			if _, ok := within(d, inner, depth+1, maxDepth, false); !ok {
				return nil, false
			}
		}
	}
	_, _ = d.Token() // the closing bracket
	return names, true
}

// halved reports whether valid JSON text escapes half of a surrogate pair: encoding/json then makes
// a U+FFFD that isn't spelled.
func halved(text string) bool {
	spelled := strings.ToLower(strings.ReplaceAll(text, `\\`, ""))
	for i := strings.Index(spelled, `\u`); i >= 0; i = strings.Index(spelled, `\u`) {
		spelled = spelled[i:]
		unit := spelled[2:6]
		switch {
		case unit >= "dc00" && unit <= "dfff":
			return true
		case unit < "d800" || unit > "dfff":
			spelled = spelled[6:]
			continue
		case len(spelled) < 12 || spelled[6:8] != `\u` || spelled[8:12] < "dc00" || spelled[8:12] > "dfff":
			return true
		}
		spelled = spelled[12:]
	}
	return false
}

var objects = []string{
	`{}`, ` { } `, `{"a":1}`, `{"a":1,"b":[true,{"c":"\u00e9\n"}],"d":-1.5e-7}`, `{"a":1,"a":2}`, `{"a":1,"A":2}`,
	`{"a":{"b":1,"B":2}}`,
	`{"a":{"b":1,"b":2}}`, `{"a":[{"b":1},{"b":2}]}`, `{"a":[{"b":1,"\u0062":2}]}`, `{"k":1,"\u212a":2}`,
	`{"ß":1,"ẞ":2}`, `{"ſ":1,"S":2}`,
	`{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`, `{"a":"\ude00\ud83d"}`, `{"a":"\ud83d\ud83d\ude00"}`,
	`{"a":"\\ud83d"}`, `{"a":"\\\ud83d"}`,
	`{"\ud83d":1}`, `{"\ufffd":1,"�":2}`, `{"a":[[[]]]}`, `{"a":[[[[]]]]}`, `{"a":{"a":{"a":{}}}}`,
	`{"a":{"a":{"a":{"a":1}}}}`, "{\"\xff\":0}",
	`{"a":01}`, `{"a":1}x`, `{"a":1,}`, `[{"a":1}]`, `{"a" : {} , "b":null }`, `{"":1,"":2}`, `{"":{"":1}}`,
	"{\"a\":\"\xed\xa0\x80\"}",
	`{"a":"` + strings.Repeat("é", 20) + `\n","` + strings.Repeat("é", 20) + `":[]}`,
}

func checkAgainstObvious(t *testing.T, text string) {
	t.Helper()
	for _, exact := range []bool{true, false} {
		const maxDepth = 4
		read := strictjson.Object
		if exact {
			read = strictjson.ObjectOfNames
		}
		var got []string
		err := read([]byte(text), maxDepth, func(name string, value []byte) error {
			got = append(got, name)
			require.True(t, json.Valid(value), "%q: %q", text, value)
			return nil
		})
		want, ok := obvious(text, maxDepth, exact)
		require.Equal(t, ok, err == nil, "%q, exact %t", text, exact)
		require.Equal(t, want, got, "%q, exact %t", text, exact)
		require.Equal(t, err, read([]byte(text), maxDepth, nil), "%q: only checked, it is as good", text)
	}
}

func TestAgainstAnObviousReader(t *testing.T) {
	taken := 0
	for _, text := range objects {
		checkAgainstObvious(t, text)
		if _, ok := obvious(text, 4, false); ok {
			taken++
		}
	}
	require.Greater(t, taken, 10)
	require.Less(t, taken, len(objects)-10)
}

// FuzzAgainstAnObviousReader: Object takes what the obvious reader takes, and refuses what that
// refuses.
func FuzzAgainstAnObviousReader(f *testing.F) {
	for _, text := range objects {
		f.Add(text)
	}
	f.Fuzz(checkAgainstObvious)
}

// Where an object's names stop being a list and become a map, a repeated one is still found,
// whichever it is.
func TestRepeatedNameAtEveryPlace(t *testing.T) {
	for n := range 40 {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"n` + strconv.Itoa(i) + `":0,`)
		}
		distinct := "{" + b.String() + `"last":0}`
		require.NoError(t, strictjson.Object([]byte(distinct), 1, nil), "%s", distinct)
		for i := range n {
			twice := "{" + b.String() + `"n` + strconv.Itoa(i) + `":0}`
			require.ErrorIs(t, strictjson.ObjectOfNames([]byte(twice), 1, nil), strictjson.ErrSyntax, "%s", twice)
		}
	}
}

// What only is checked costs nothing but for names with escapes.
func TestCheckingAllocatesLittle(t *testing.T) {
	text := []byte(`{"iss":"https://idp.example","aud":["a","b"],"o":{"a":1,"b":[1,2,{"c":"\n"}]},"sub":"x"}`)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if strictjson.ObjectOfNames(text, 10, nil) != nil {
			panic("refused")
		}
	}), 1.0)
}

func TestElements(t *testing.T) {
	for text, want := range map[string][]string{
		`[]`: {}, `[ ]`: {}, `[1]`: {"1"}, `["a" , {"b":[1,2]},[ ]]`: {`"a"`, `{"b":[1,2]}`, `[ ]`},
		`[null,true] `: {"null", "true"},
	} {
		got, ok := strictjson.Elements([]byte(text))
		require.True(t, ok, text)
		texts := make([]string, len(got))
		for i, e := range got {
			texts[i] = string(e)
		}
		require.Equal(t, want, texts, text)
	}
	for _, text := range []string{``, ` `, `{}`, `"[]"`, `1`, `[`, `[1`, `[1,]`, `[1 2]`, `[]]`, `[1]x`, ` []`,
		`[01]`} {
		_, ok := strictjson.Elements([]byte(text))
		require.False(t, ok, text)
	}
}
