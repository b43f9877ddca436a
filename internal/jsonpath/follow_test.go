package jsonpath_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
)

// ways are definite paths, as the parser reads them and as a walk through decoded values takes
// them.
var ways = map[string][]any{
	`$.a`: {"a"}, `$['a']`: {"a"}, `$.a.b`: {"a", "b"}, `$.a[0]`: {"a", 0}, `$[0]`: {0}, `$[1].a`: {1, "a"},
	`$[-1]`:         {-1},
	`$.a[-1].b[-2]`: {"a", -1, "b", -2}, `$['\u0061'][1][0]`: {"a", 1, 0}, `$['']`: {""}, `$['\n"\\']`: {"\n\"\\"},
	`$["\"'"]`: {`"'`},
	`$['é']`:   {"é"}, `$['\ud83d\ude00']`: {"😀"}, `$['\ud83d']`: {"\ufffd"}, `$['\ud83dx']`: {"\ufffdx"},
	`$['\q\'\/']`: {`q'/`},
}

var parsed = sync.OnceValue(func() map[string]*jsonpath.Path {
	paths := map[string]*jsonpath.Path{}
	for expr := range ways {
		path, err := jsonpath.Parse(expr)
		if err != nil {
			panic(err)
		}
		paths[expr] = path
	}
	return paths
})

// walk goes the way through what encoding/json has decoded.
func walk(value any, way []any) (any, bool) {
	for _, step := range way {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			next, ok := object[step]
			if !ok {
				return nil, false
			}
			value = next
		case int:
			array, _ := value.([]any)
			if step < 0 {
				step += len(array)
			}
			if step < 0 || step >= len(array) {
				return nil, false
			}
			value = array[step]
		}
	}
	return value, true
}

func decoded(text []byte) (value any) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	_ = d.Decode(&value)
	return value
}

// checkWays follows all ways through text, in one pass with the check and on their own.
func checkWays(t *testing.T, text []byte) {
	t.Helper()
	valid := json.Valid(text) && utf8.Valid(text)
	root := decoded(text)
	for expr, way := range ways {
		p := parsed()[expr]
		d, value, ok, err := jsonpath.OpenAndGet(text, p)
		if !valid || err != nil {
			if !errors.Is(err, jsonpath.ErrSyntax) || value != nil || valid && len(text) < jsonpath.MaxDepth {
				t.Fatalf("%s of %q is %q, %v", expr, text, value, err)
			}
			continue
		}
		want, found := walk(root, way)
		require.Equal(t, found, ok, "%s of %q", expr, text)
		again, ok := d.Get(p)
		require.Equal(t, found, ok, "%s of %q", expr, text)
		require.Equal(t, string(value), string(again), "%s of %q", expr, text)
		if found && !reflect.DeepEqual(decoded(value), want) {
			t.Fatalf("%s of %q is %q, want %#v", expr, text, value, want)
		}
	}
}

var followed = []string{
	`{"a":{"b":1}}`, `{"a":[1,2,{"b":[3,4]}]}`, `[ 0 , {"a" : null} ]`, `{"a":1,"\u0061":[[5],[6]]}`,
	`{"":"x","\n\"\\":[],"\"'":true,"é":{}}`,
	`{"😀":1,"\ud83d":2,"\ud83dx":3,"q'/":4}`, `{"a":[]}`, `[]`, `{}`, `"a"`, ` -1.5e3 `, `{"aa":1,"b":{"a":2}}`,
	`{"a":{"b":1},"a":2}`,
	`[[[]],[[]]]`, `{"a":[{"b":[1,2]},{"b":[[{"a":1}],"]"]}]}`,
}

// A document that breaks off anywhere, or has another byte anywhere, is judged as a whole: also
// where the value was found before.
func TestDamageAnywhere(t *testing.T) {
	for _, text := range followed {
		checkWays(t, []byte(text))
		for i := range len(text) {
			checkWays(t, []byte(text[:i]))
			for _, c := range []byte(`{}[],:"\0-e.`) {
				checkWays(t, []byte(text[:i]+string(c)+text[i+1:]))
			}
		}
	}
}

// FuzzGet: a definite path leads where a walk through decoded values leads.
func FuzzGet(f *testing.F) {
	for _, text := range followed {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkWays(t, text) })
}

// The depth is the same limit on the way that a path takes, beside it, and behind it.
func TestDepthOnTheWay(t *testing.T) {
	const depth = jsonpath.MaxDepth
	lists := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for expr, text := range map[string]func(n int) string{
		"$": lists, "$.a": objects, "$[0]": lists, "$[-1]": lists, "$[0][0][0]": lists, "$[-1][-1]": lists,
		"$.a.a.a":                         objects,
		"$.b":                             func(n int) string { return `{"c":` + objects(n-1) + `,"b":1}` },
		"$[1]":                            func(n int) string { return `[` + lists(n-1) + `,1]` },
		"$[-2]":                           func(n int) string { return `[1,` + lists(n-1) + `]` },
		"$.a" + strings.Repeat(".a", 100): objects, "$[0]" + strings.Repeat("[0]", 100): lists,
	} {
		p, err := jsonpath.Parse(expr)
		require.NoError(t, err)
		_, _, ok, err := jsonpath.OpenAndGet([]byte(text(depth)), p)
		require.NoError(t, err, expr)
		require.True(t, ok, expr)
		_, value, ok, err := jsonpath.OpenAndGet([]byte(text(depth+1)), p)
		require.ErrorIs(t, err, jsonpath.ErrSyntax, expr)
		require.False(t, ok, expr)
		require.Nil(t, value, expr)
	}
}

// Texts that paths compare with are written as documents may write them.
func TestLiteralsOfFilters(t *testing.T) {
	document := `[{"s":"a\"b"},{"s":"\u003c&>"},{"s":"\u0001\n"},{"s":"é😀"},{"s":"\u2028"},{"s":"\ud83d\ude00"},{"s":"1"},{"s":0}]`
	for literal, want := range map[string]string{
		`'a"b'`: `"a\"b"`, `"a\"b"`: `"a\"b"`, `'<&>'`: `"\u003c&>"`, `'\u0001\n'`: `"\u0001\n"`, `'é😀'`: `"é😀"`,
		"'\u2028'": `"\u2028"`,
		`'\u2028'`: `"\u2028"`, `"\ud83d\ude00"`: `"\ud83d\ude00"`, `1`: `"1"`, `1.0`: ``, `0`: `0`, `-0.0e5`: `0`,
	} {
		p, err := jsonpath.Parse(`$[?(@.s == ` + literal + `)].s`)
		require.NoError(t, err, literal)
		found, err := p.Select([]byte(document))
		require.NoError(t, err)
		if want == "" {
			require.Empty(t, found, literal)
			continue
		}
		require.Len(t, found, 1, literal)
		require.Equal(t, want, string(found[0]), literal)
	}
	for _, literal := range []string{`01`, `-`, `1.`, `.5`, `+1`, `1e`, `0x1`, `tru`, `nul`, `'a`, `"a`, `'\u12'`,
		`'\`} {
		_, err := jsonpath.Parse(`$[?(@.s == ` + literal + `)].s`)
		require.Error(t, err, literal)
	}
}
