package jsonbody_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/jsonbody"
)

// Bodies that would cost a careless reader its stack, its memory or the square of their length.
func TestHostileBodies(t *testing.T) {
	var names, objects strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&names, `"%x":0,`, i)
		fmt.Fprintf(&objects, `{"a":0},`)
	}
	deep := func(n int) string { return strings.Repeat("[", n) + `"x"` + strings.Repeat("]", n) }
	for _, tt := range []struct {
		name, body string
		elements   int
		err        error
	}{
		{"deep", deep(10_000), 1, nil},
		{"too-deep", deep(10_001), 0, jsonbody.ErrDepth},
		{"only-open", strings.Repeat(`{"a":`, 1<<18), 10_000, jsonbody.ErrDepth},
		{"many-names", "{" + names.String() + `"end":1}`, 120_002, nil},
		{"many-objects", "[" + objects.String() + `1]`, 120_001, nil},
		{"many-escaped-names", "{" + strings.ReplaceAll(names.String(), `"`+"", `"`) + `"\u0031":1}`, 120_000, jsonbody.ErrDuplicate},
		{"one-long-string", `["` + strings.Repeat(`\u0041`, 1<<17) + `"]`, 1, nil},
		{"backslashes", `["` + strings.Repeat(`\\`, 1<<19), 0, jsonbody.ErrTruncated},
		{"quotes", strings.Repeat(`"`, 1<<20), 0, jsonbody.ErrRoot},
		{"empty-strings", "[" + strings.Repeat(`""`, 1<<19), 1 << 19, jsonbody.ErrTruncated},
		{"colons", `{"a"` + strings.Repeat(":", 1<<20), 1, jsonbody.ErrSyntax},
		{"blanks", strings.Repeat(" ", 1<<20), 0, jsonbody.ErrTruncated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b jsonbody.Buffer
			began := time.Now()
			got, err := elements(compile(t, jsonbody.All), &b, tt.body)
			require.Less(t, time.Since(began), 20*time.Second)
			if tt.name == "quotes" {
				require.Error(t, err)
				return
			}
			require.Len(t, got, tt.elements)
			require.Equal(t, tt.err, err)
			got, err = elements(compile(t, jsonbody.All), &b, `{"a":["b"]}`)
			require.NoError(t, err, "the buffer is as good as new")
			require.Equal(t, []string{"a", "b"}, got)
		})
	}
}

// tokens is the obvious reading of a body that is valid, by encoding/json: its elements, unless a
// name occurs twice in an object.
func tokens(body []byte) (all []string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	type level struct {
		names map[string]bool
		name  bool // a name is next
	}
	var open []*level
	for {
		token, err := d.Token()
		if err != nil {
			return all, err == io.EOF
		}
		var in *level
		if len(open) > 0 {
			in = open[len(open)-1]
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			open = open[:len(open)-1]
			continue
		}
		if in != nil && in.name {
			name := token.(string)
			if in.names[name] {
				return nil, false
			}
			in.names[name], in.name = true, false
			all = append(all, name)
			continue
		}
		if in != nil && in.names != nil {
			in.name = true // behind this value
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &level{names: map[string]bool{}, name: true})
		case json.Delim('['):
			open = append(open, &level{})
		case nil:
			all = append(all, "null")
		default:
			all = append(all, fmt.Sprint(token))
		}
	}
}

// A body that is valid gives what encoding/json reads, and no error. Any other ends, and what a
// pattern includes is a part of what there is.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"c":"d","b":{"e":{"f":"g"}}}}`, `{"key1":"value1""key2":"value2"}`, `[1,-2.5e3,true,null,"\u003c",{},[]]`, `{"a":1,"a":2}`, `{"a"::[{"b":"c"}`,
		`["\ud800x"]`, `{"~":{"/":[0,1,{"0":1}]}}`, "[\"\xff\"]", `{"":""}`,
	} {
		f.Add([]byte(seed), "/a/b")
	}
	f.Add([]byte(`{"a":[1,{"b":2}]}`), "/a/1")
	var used jsonbody.Buffer
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		before := bytes.Clone(body)
		got, err := elements(compile(t, jsonbody.All), &used, string(body))
		if want, ok := tokens(body); ok && json.Valid(body) && utf8.Valid(body) && (body[0] != '"') {
			root := bytes.TrimLeft(body, " \t\r\n")[0]
			if root != '{' && root != '[' {
				require.Equal(t, jsonbody.ErrRoot, err)
			} else {
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		}
		total := 0
		for _, text := range got {
			total += len(text)
		}
		require.LessOrEqual(t, total, 3*len(body), "half a pair becomes three bytes of six")
		keys, errKeys := elements(compile(t, jsonbody.Keys), &used, string(body))
		values, errValues := elements(compile(t, jsonbody.Values), &used, string(body))
		require.Equal(t, err, errKeys)
		require.Equal(t, err, errValues)
		require.Len(t, got, len(keys)+len(values))
		if p, bad := jsonbody.Compile([]string{path}, jsonbody.All); bad == nil {
			some, errSome := elements(p, &used, string(body))
			require.Equal(t, err, errSome)
			rest := got
			for _, text := range some {
				i := 0
				for i < len(rest) && rest[i] != text {
					i++
				}
				require.Less(t, i, len(rest), "%q isn't among %q in this order", some, got)
				rest = rest[i+1:]
			}
		}
		require.Equal(t, before, body)
	})
}
