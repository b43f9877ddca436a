package jsonbody_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/jsonbody"
)

func compile(t testing.TB, scope jsonbody.Scope, paths ...string) *jsonbody.Pattern {
	t.Helper()
	p, err := jsonbody.Compile(paths, scope)
	require.NoError(t, err)
	return p
}

// elements are what Walk hands out, and its error.
func elements(p *jsonbody.Pattern, b *jsonbody.Buffer, body string) (got []string, err error) {
	err = p.Walk(b, []byte(body), func(text []byte) bool {
		got = append(got, string(text))
		return true
	})
	return got, err
}

func TestWalk(t *testing.T) {
	const guide = `{"a":{"c":"d","b":{"e":{"f":"g"}}}}`
	for _, tt := range []struct {
		name, body string
		scope      jsonbody.Scope
		paths      []string
		want       string // separated by |
		err        error
	}{
		{name: "all", body: guide, want: "a|c|d|b|e|f|g"},
		{name: "keys", body: guide, scope: jsonbody.Keys, want: "a|c|b|e|f"},
		{name: "values", body: guide, scope: jsonbody.Values, want: "d|g"},
		{name: "below-a-path", body: guide, paths: []string{"/a/b"}, want: "e|f|g"},
		{name: "keys-below-a-path", body: guide, paths: []string{"/a/b"}, scope: jsonbody.Keys, want: "e|f"},
		{name: "path-to-a-string", body: guide, paths: []string{"/a/c"}, want: "d"},
		{name: "path-to-a-string-keys", body: guide, paths: []string{"/a/c"}, scope: jsonbody.Keys, want: ""},
		{name: "two-paths", body: guide, paths: []string{"/a/c", "/a/b/e"}, want: "d|f|g"},
		{name: "path-within-a-path", body: guide, paths: []string{"/a/b/e", "/a"}, want: "c|d|b|e|f|g"},
		{name: "path-of-nothing", body: guide, paths: []string{"/b", "/a/c/d"}, want: ""},
		{name: "root", body: guide, paths: []string{"/"}, want: "a|c|d|b|e|f|g"},
		{name: "array-index", body: `{"a":["x",{"y":"z"},"w"]}`, paths: []string{"/a/1"}, want: "y|z"},
		{name: "array-of-the-root", body: `["x","y","z"]`, paths: []string{"/2"}, want: "z"},
		{name: "index-with-zero", body: `["x","y"]`, paths: []string{"/01"}, want: ""},
		{name: "escaped-path", body: `{"a/b":{"m~n":"1","~1":"2"}}`, paths: []string{"/a~1b/m~0n", "/a~1b/~01"}, want: "1|2"},
		{name: "name-escaped-in-the-body", body: `{"\u0061":"x"}`, paths: []string{"/a"}, want: "x"},
		{name: "case", body: `{"A":"x"}`, paths: []string{"/a"}, want: ""},
		{name: "unescaped", body: `{"\u003cscript\u003e":"a\n\"\\\/\ud83d\ude00"}`, want: "<script>|a\n\"\\/😀"},
		{name: "scalars", body: `[1,-2.5e3,true,false,null,"",{},[]]`, want: "1|-2.5e3|true|false|null|"},
		{name: "space", body: " \t\r\n{ \"a\" : [ 1 , 2 ] } \n", want: "a|1|2"},

		{name: "missing-comma", body: `{"key1":"value1""key2":"value2"}`, want: "key1|value1|key2|value2"},
		{name: "missing-comma-in-array", body: `["a""b" 1 2{"c":3}[4]]`, want: "a|b|1|2|c|3|4"},
		{name: "missing-colon", body: `{"a""b","c" "d"}`, want: "a|b|c|d"},
		{name: "doubled-colon", body: `{"a"::"b","c": :1}`, want: "a|b|c|1"},
		{name: "three-colons", body: `{"a":::"b"}`, want: "a", err: jsonbody.ErrSyntax},
		{name: "trailing-comma", body: `["a",]`, want: "a", err: jsonbody.ErrSyntax},
		{name: "doubled-comma", body: `["a",,"b"]`, want: "a", err: jsonbody.ErrSyntax},
		{name: "comma-first", body: `[,"a"]`, want: "", err: jsonbody.ErrSyntax},
		{name: "name-without-value", body: `{"a"}`, want: "a", err: jsonbody.ErrSyntax},
		{name: "number-as-name", body: `{1:2}`, want: "", err: jsonbody.ErrSyntax},
		{name: "leading-zero", body: `[01]`, want: "0|1"},
		{name: "letters", body: `["a",b]`, want: "a", err: jsonbody.ErrSyntax},
		{name: "single-quotes", body: `{'a':1}`, want: "", err: jsonbody.ErrSyntax},
		{name: "control-character", body: "[\"a\",\"b\nc\"]", want: "a", err: jsonbody.ErrSyntax},
		{name: "bad-escape", body: `["a","\x41"]`, want: "a", err: jsonbody.ErrSyntax},
		{name: "wrong-bracket", body: `["a"}`, want: "a", err: jsonbody.ErrSyntax},
		{name: "behind-the-end", body: `["a"]"b"`, want: "a", err: jsonbody.ErrSyntax},
		{name: "byte-order-mark", body: "\xef\xbb\xbf{}", want: "", err: jsonbody.ErrSyntax},

		{name: "duplicate", body: `{"a":1,"b":2,"a":3,"c":4}`, want: "a|1|b|2", err: jsonbody.ErrDuplicate},
		{name: "duplicate-escaped", body: `{"a":1,"\u0061":3}`, want: "a|1", err: jsonbody.ErrDuplicate},
		{name: "duplicate-behind-other-escapes", body: `{"\u0061":1,"\u0062":2,"a":3}`, want: "a|1|b|2", err: jsonbody.ErrDuplicate},
		{name: "duplicate-outside-of-the-paths", body: `{"x":1,"x":2,"a":3}`, paths: []string{"/a"}, want: "", err: jsonbody.ErrDuplicate},
		{name: "same-name-elsewhere", body: `{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}`, want: "a|a|a|1|b|a|1|a|2"},
		{name: "duplicate-behind-an-object", body: `{"a":{"b":1},"a":2}`, want: "a|b|1", err: jsonbody.ErrDuplicate},

		{name: "truncated-string", body: `{"a":"b","c":"d`, want: "a|b|c", err: jsonbody.ErrTruncated},
		{name: "truncated-name", body: `{"a":"b","c`, want: "a|b", err: jsonbody.ErrTruncated},
		{name: "truncated-object", body: `{"a":"b"`, want: "a|b", err: jsonbody.ErrTruncated},
		{name: "truncated-array", body: `[1,`, want: "1", err: jsonbody.ErrTruncated},
		{name: "truncated-number", body: `[-`, want: "", err: jsonbody.ErrTruncated},
		{name: "nothing", body: ``, want: ""},
		{name: "blank", body: ` `, want: "", err: jsonbody.ErrTruncated},
		{name: "root-string", body: `"a"`, want: "", err: jsonbody.ErrRoot},
		{name: "root-number", body: ` 12`, want: "", err: jsonbody.ErrRoot},
		{name: "root-null", body: `null`, want: "", err: jsonbody.ErrRoot},
		{name: "root-text", body: `a=b`, want: "", err: jsonbody.ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b jsonbody.Buffer
			p := compile(t, tt.scope, tt.paths...)
			for range 2 {
				got, err := elements(p, &b, tt.body)
				require.Equal(t, tt.want, strings.Join(got, "|"))
				require.Equal(t, tt.err, err)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	long := "/" + strings.Repeat("x", 512)
	_, err := jsonbody.Compile([]string{"/ok", "", "a", "/~2", "/~", long}, jsonbody.Scope(7))
	for _, want := range []string{
		`MatchPattern.IncludedPaths[1]: want a JSON Pointer of 1 to 512 bytes such as /orders/0/note, got "", which has 0 bytes`,
		`IncludedPaths[2]: want a JSON Pointer of 1 to 512 bytes such as /orders/0/note, got "a", which doesn't begin with /`,
		`got "/~2", where ~ is neither ~0 nor ~1`, `got "/~", where ~ is neither`, "which has 513 bytes", "want a scope of All, Keys or Values, got 7",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "[0]")
	for name, want := range map[string]jsonbody.Scope{"ALL": jsonbody.All, "KEY": jsonbody.Keys, "VALUE": jsonbody.Values} {
		got, err := jsonbody.ParseScope(name)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err = jsonbody.ParseScope("VALUES")
	require.ErrorContains(t, err, `the nearest are "VALUE"`)
}

func TestYieldEndsTheWalk(t *testing.T) {
	for enough, body := range []string{`{"a":1}`, `{"a":1}`, `[1,2,x`} {
		seen := 0
		err := compile(t, jsonbody.All).Walk(&jsonbody.Buffer{}, []byte(body), func([]byte) bool { seen++; return seen <= enough })
		if enough == 2 {
			require.Equal(t, jsonbody.ErrSyntax, err, "not ended by yield")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, enough+1, seen)
	}
}

// eight is a body of 8 KB with some 600 elements.
func eight() []byte {
	var b strings.Builder
	b.WriteString(`{"orders":[`)
	for i := range 100 {
		fmt.Fprintf(&b, `{"id":%d,"sku":"AB-%05d","note":"line\nof \"text\" %d","qty\u0031":%d},`, i, i*7, i, i%9)
	}
	b.WriteString(`{}]}`)
	return []byte(b.String())
}

func TestNoAllocations(t *testing.T) {
	body, small := eight(), []byte(`{"a":"b","c":["d\n"]}`)
	var b jsonbody.Buffer
	p := compile(t, jsonbody.All)
	n := 0
	count := func([]byte) bool { n++; return true }
	require.NoError(t, p.Walk(&b, body, count))
	require.Equal(t, 801, n)
	require.Zero(t, testing.AllocsPerRun(20, func() {
		_ = p.Walk(&b, body, count)
		_ = p.Walk(&b, small, count)
	}))
}

func BenchmarkWalk(b *testing.B) {
	for name, body := range map[string][]byte{"8kb": eight(), "small": []byte(`{"a":"b","c":["d"]}`)} {
		b.Run("body="+name, func(b *testing.B) {
			var buffer jsonbody.Buffer
			p := compile(b, jsonbody.All)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				_ = p.Walk(&buffer, body, func([]byte) bool { return true })
			}
		})
	}
}
