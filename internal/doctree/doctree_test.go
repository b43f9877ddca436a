package doctree_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/doctree"
)

var limits = doctree.Limits{Bytes: 1 << 16, Depth: 20, Values: 1000}

func parse(t *testing.T, text string) *doctree.Node {
	t.Helper()
	n, err := doctree.Parse([]byte(text), limits)
	require.NoError(t, err)
	return n
}

func TestScalars(t *testing.T) {
	for _, tt := range []struct {
		yaml string
		kind doctree.Kind
		text string
	}{
		{"2012-10-17", doctree.Text, "2012-10-17"},
		{"2022-08-08T14:56:31Z", doctree.Text, "2022-08-08T14:56:31Z"},
		{"012345678901", doctree.Text, "012345678901"},
		{"000000000000", doctree.Text, "000000000000"},
		{"'012'", doctree.Text, "012"},
		{"0o14", doctree.Text, "0o14"},
		{"12:30:45", doctree.Text, "12:30:45"},
		{"200", doctree.Number, "200"},
		{"0", doctree.Number, "0"},
		{"1.0", doctree.Number, "1.0"},
		{"-1", doctree.Number, "-1"},
		{"1_000", doctree.Number, "1000"},
		{"0x1F", doctree.Number, "31"},
		{"0x_", doctree.Text, "0x_"},
		{"1.", doctree.Number, "1."},
		{".5", doctree.Number, ".5"},
		{"6.02e23", doctree.Number, "6.02e23"},
		{"e5", doctree.Text, "e5"},
		{".", doctree.Text, "."},
		{"1.2.3", doctree.Text, "1.2.3"},
		{".inf", doctree.Text, ".inf"},
		{"yes", doctree.Bool, "true"},
		{"On", doctree.Bool, "true"},
		{"OFF", doctree.Bool, "false"},
		{"no", doctree.Bool, "false"},
		{"True", doctree.Bool, "true"},
		{"tRUE", doctree.Text, "tRUE"},
		{"y", doctree.Text, "y"},
		{"n", doctree.Text, "n"},
		{"'yes'", doctree.Text, "yes"},
		{`"200"`, doctree.Text, "200"},
		{"!!str 200", doctree.Text, "200"},
		{"!!str yes", doctree.Text, "yes"},
		{"!!int 200", doctree.Number, "200"},
		{"~", doctree.Null, ""},
		{"null", doctree.Null, ""},
		{"", doctree.Null, ""},
		{"|\n  yes\n", doctree.Text, "yes\n"},
		{">\n  a\n  b\n", doctree.Text, "a b\n"},
	} {
		t.Run(tt.yaml, func(t *testing.T) {
			v := parse(t, "k: "+tt.yaml+"\n").Get("k")
			require.Equal(t, tt.kind, v.Kind, v.Kind.String())
			require.Equal(t, tt.text, v.Text)
		})
	}
}

// A key is text as it was written, and the version of a policy isn't a day.
func TestKeys(t *testing.T) {
	n := parse(t, "200: a\non: b\nnull: c\n2012-10-17: d\n012: e\n? f\n: g\n")
	var names []string
	for name := range n.Names() {
		names = append(names, name)
	}
	require.Equal(t, []string{"200", "on", "null", "2012-10-17", "012", "f"}, names)
	require.Equal(t, "b", n.Get("on").Text)
	for range n.Names() {
		break // which ends it
	}
}

func TestLines(t *testing.T) {
	for name, text := range map[string]string{
		"yaml": "a:\n  - 1\n  - b: 2\n    c: 3\n",
		"json": "{\"a\":\n [1,\n  {\"b\": 2,\n   \"c\": 3}]}",
	} {
		t.Run(name, func(t *testing.T) {
			second := parse(t, text).Get("a").Items[1]
			require.Equal(t, 3, second.Line)
			require.Equal(t, 3, second.Members[0].Line)
			require.Equal(t, 4, second.Members[1].Line)
			require.Equal(t, 4, second.Get("c").Line)
		})
	}
}

func TestJSON(t *testing.T) {
	n := parse(t, "\ufeff {\"a\":\"\\u00e9\\/\",\"b\":[true,false,null,-1.50e2],\"c\":{},\"d\":[]}\n")
	require.Equal(t, `{"a":"é/","b":[true,false,null,-1.50e2],"c":{},"d":[]}`, string(n.AppendJSON(nil)))
	require.Equal(t, "{}", string(parse(t, "{}").AppendJSON(nil)))
	require.Equal(t, `{"a":1}`, string(parse(t, "{a: 1,}").AppendJSON(nil)), "what begins with a brace may be YAML")
	require.Nil(t, n.Get("x"))
	require.Nil(t, (*doctree.Node)(nil).Get("x"))
	require.Equal(t, "null", string((*doctree.Node)(nil).AppendJSON(nil)))
}

func TestNumbersAsJSON(t *testing.T) {
	for yaml, want := range map[string]string{"+1": "1", ".5": "0.5", "1.": "1", "-.5e3": "-0.5e3", "+1.5E+3": "1.5e+3",
		"1.50": "1.50", "0": "0"} {
		require.Equal(t, want, string(parse(t, "k: "+yaml).Get("k").AppendJSON(nil)), yaml)
	}
}

func TestManyMembersAreIndexed(t *testing.T) {
	var b strings.Builder
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		b.WriteString(string(c) + ": " + string(c) + "\n")
	}
	n := parse(t, b.String())
	require.Equal(t, "q", n.Get("q").Text)
	require.Equal(t, "z", n.Get("z").Text)
	require.Nil(t, n.Get("aa"))
}

func TestAliasesAndMerges(t *testing.T) {
	n := parse(t, "a: &a {x: 1, y: 2}\nb: *a\nc:\n  <<: *a\n  y: 3\nd:\n  <<: [{z: 1}, *a]\n&k key: v\nl:\n  *k : w\n")
	require.Equal(t, `{"a":{"x":1,"y":2},"b":{"x":1,"y":2},"c":{"y":3,"x":1},"d":{"z":1,"x":1,"y":2},"key":"v","l":{"key":"w"}}`,
		string(n.AppendJSON(nil)))
	require.Equal(t, "!Ref", parse(t, "a: !Ref B\n").Get("a").Tag)
	require.Equal(t, "!Sub", parse(t, "a: !Sub [b]\n").Get("a").Tag)
}

func TestRefusals(t *testing.T) {
	deep := strings.Repeat("[", 30) + strings.Repeat("]", 30)
	laughs := "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
	for _, tt := range []struct{ name, text, want string }{
		{"long", strings.Repeat("a", 1<<17), "want at most 65536 bytes, got 131072"},
		{"deep-json", `{"a":` + deep + `}`, "line 1: want at most 20 levels"},
		{"deep-yaml", "a: " + deep, "line 1: want at most 20 levels"},
		{"values-json", `{"a":[` + strings.Repeat("1,", 1000) + `1]}`, "want at most 1000 values, aliases counted"},
		{"values-yaml", "a: [" + strings.Repeat("1,", 1000) + "1]", "want at most 1000 values, aliases counted"},
		{"values-many", "a: [" + strings.Repeat("1,", 3000) + "1]", "want at most 1000 values, got about"},
		{"values-inline", "a:\n" + strings.Repeat("- - - - -\n", 800), "want at most 1000 values, got about"},
		{"laughs", laughs, "want at most 1000 values, aliases counted"},
		{"circle", "a: &a [*a]\n", "want at most"},
		{"twice-json", "{\"a\":1,\n\"a\":2}", `line 2: "a" is there twice, also in line 1`},
		{"twice-escaped", `{"a":1,"\u0061":2}`, `"a" is there twice`},
		{"twice-yaml", "a: 1\nb: 2\na: 3\n", `line 3: "a" is there twice, also in line 1`},
		{"twice-as-number", "200: 1\n'200': 2\n", `"200" is there twice`},
		{"twice-flow", `{a: 1, "a": 2}`, `line 1: "a" is there twice, also in line 1`},
		{"tagged-key", "b: 1\n!foo a: b\n", "line 2: want a key without a tag, got !foo"},
		{"tagged-key-flow", "{!foo a: b}", "line 1: want a key without a tag, got !foo"},
		{"tagged-key-int", "!!int 200: b\n", "want a key without a tag, got !!int"},
		{"directive", "%YAML 1.2\n---\na: yes\n", "want no directive %YAML, or one of the version 1.1"},
		{"json", "{\"a\":\n\"b\"", "invalid JSON in line 2"},
		{"json-value", "{\"a\":\n]}", "invalid JSON in line 2"},
		{"behind", "{\"a\":1}\n{\"b\":2}", "invalid JSON in line 2"},
		{"utf-8", "{\"a\":\"\xff\"}", "want UTF-8"},
		{"empty", "", "the document is empty"},
		{"comment", "# nothing\n", "the document is empty"},
		{"two", "a: 1\n---\nb: 2\n", "want one document"},
		{"tab", "a:\n\t- b\n", "invalid YAML: line 2"},
		{"anchor", "a: *b\n", "unknown anchor 'b' referenced"},
		{"key", "? [a]\n: b\n", "line 1: want a key that is text"},
		{"merge", "a:\n  <<: 1\n", "line 2: want a map, or a list of maps, behind <<"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := doctree.Parse([]byte(tt.text), limits)
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, n)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a: 1", `{"a":[1,{"b":null}]}`, "a: &a [*a]", "{a: 1,}", "<<: {a: b}", "? {a: b}", "a: !Ref b",
		"- |\n  x\n- >-\n  y", "%YAML 1.1\n---\na: b\n...", "a: 0x1_F", "# c\na: # d\n  # e\n  - b # f\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := doctree.Parse(text, limits)
		if err != nil {
			if n != nil {
				t.Fatalf("Parse(%q) = %v beside an error", text, n)
			}
			return
		}
		written := n.AppendJSON(nil)
		if n.Kind != doctree.Map {
			return // a scalar alone is YAML, and JSON is what begins with a brace
		}
		again, err := doctree.Parse(written, limits)
		if err != nil && len(written) <= limits.Bytes {
			t.Fatalf("Parse(%q) of %q: %v", written, text, err)
		}
		if err == nil && string(again.AppendJSON(nil)) != string(written) {
			t.Fatalf("%q written is %q, and again %q", text, written, again.AppendJSON(nil))
		}
	})
}

// Many members are indexed, and what is set or deleted meanwhile is found, and in its place.
func TestSetIsFound(t *testing.T) {
	n := &doctree.Node{Kind: doctree.Map}
	value := func(text string) *doctree.Node { return &doctree.Node{Kind: doctree.Text, Text: text, Line: 3} }
	for i := range 40 {
		name := strconv.Itoa(i)
		require.Nil(t, n.Get(name))
		n.Set(name, value(name))
		require.Equal(t, name, n.Get(name).Text)
	}
	n.Set("7", value("other"))
	n.Delete("8")
	n.Set("40", value("40"))
	require.Equal(t, "other", n.Get("7").Text)
	require.Nil(t, n.Get("8"))
	require.Equal(t, "9", n.Get("9").Text)
	require.Equal(t, "40", n.Get("40").Text)
	require.Len(t, n.Members, 40)
	require.Equal(t, 3, n.Members[39].Line)
}

func TestSetAndDelete(t *testing.T) {
	n := &doctree.Node{Kind: doctree.Map}
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		n.Set(string(c), &doctree.Node{Kind: doctree.Text, Text: string(c)})
	}
	require.Equal(t, "q", n.Get("q").Text) // which makes the index
	n.Set("q", &doctree.Node{Kind: doctree.Text, Text: "other"})
	n.Set("new", &doctree.Node{Kind: doctree.Text, Text: "new", Line: 7})
	require.Equal(t, "other", n.Get("q").Text)
	require.Equal(t, "new", n.Get("new").Text)
	require.Equal(t, 7, n.Members[26].Line)
	n.Delete("a")
	n.Delete("none")
	require.Nil(t, n.Get("a"))
	require.Equal(t, "z", n.Get("z").Text)
	require.Len(t, n.Members, 26)
}

// A reader may take the later of two values, and is told of both.
func TestTwice(t *testing.T) {
	for _, text := range []string{"a: 1\nb: 2\na: 3\nc: 4\na: 5\n", "{\"a\":1,\n\"b\":2,\"a\":3,\"c\":4,\n\"a\":5}"} {
		l, told := limits, 0
		l.Twice = func(later, first doctree.Member) error {
			told++
			require.Equal(t, "a", later.Name)
			require.GreaterOrEqual(t, later.Line, first.Line)
			require.Less(t, first.Value.Text, later.Value.Text)
			return nil
		}
		n, err := doctree.Parse([]byte(text), l)
		require.NoError(t, err)
		require.Equal(t, 2, told)
		require.Equal(t, `{"a":5,"b":2,"c":4}`, string(n.AppendJSON(nil)))
		l.Twice = func(doctree.Member, doctree.Member) error { return errors.New("no") }
		_, err = doctree.Parse([]byte(text), l)
		require.EqualError(t, err, "no")
	}
}
