package jsonlex_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// values are single JSON values, and texts that are none. encoding/json says which: it is the
// oracle.
var values = []string{
	`0`, `-0`, `1`, `-1`, `10`, `01`, `-01`, `00`, `1.5`, `1.`, `.5`, `-`, `+1`, `1e1`, `1E+1`, `1e-1`, `1e`, `1e+`,
	`0e0`, `0.0e0`, `1.e1`, `0x1`, `1_0`, `NaN`, `Infinity`,
	`true`, `false`, `null`, `tru`, `truee`, `True`, `nul`, `n`, ``, ` `, `,`, `:`,
	`""`, `"a"`, `"`, `"a`, `"\"`, `"\""`, `"\\"`, `"\/"`, `"\b\f\n\r\t"`, `"\a"`, `"\u0041"`, `"\u004"`, `"\u004g"`,
	`"\U0041"`, `"\ud834\udd1e"`, `"\ud834"`, `"\udd1e"`,
	`"\ud834x"`, `"\ud834\u0041"`, `"\ud834\ud834\udd1e"`, "\"\x00\"", "\"\x1f\"", "\"\t\"", "\"\x7f\"", "\"\xff\"",
	"\"\xed\xa0\x80\"", `"é"`, `"𝄞"`, `"` + strings.Repeat("a", 100) + `"`,
	`"` + strings.Repeat("a", 7) + `\n"`, `"` + strings.Repeat("a", 8) + "\x01\"", `'a'`,
	`[]`, `[ ]`, `[1]`, `[1,2]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `]`, `[[`, `[[]]`, `[[],[]]`, `[[1],[2]]`, `[}`,
	`[1}`, "[\n1\t,\r2 ]", "[\v1]", "[\u00a01]",
	`{}`, `{ }`, `{"a":1}`, `{"a":1,"b":2}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a":1 "b":2}`, `{"a" : 1}`,
	`{a:1}`, `{1:1}`, `{"a":1]`, `{`, `}`, `{"a":{}}`, `{"a":{"b":[{}]}}`, `{"a":1,"a":2}`,
	`1 2`, `{} {}`, `[]]`, `{}}`, "\ufeff1", `/**/1`, `1//`, `"a""b"`,
}

func valid(text string) bool {
	i := jsonlex.Space(text, 0)
	end, ok := jsonlex.Value(text, i, 10000)
	return ok && jsonlex.Space(text, end) == len(text)
}

func TestValueAgreesWithEncodingJSON(t *testing.T) {
	for _, text := range values {
		for _, padded := range []string{text, " \t\r\n" + text + " \n", "[" + text + "]", `{"a":` + text + "}",
			"[1," + text + ",2]"} {
			require.Equal(t, json.Valid([]byte(padded)), valid(padded), "%q", padded)
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, text := range values {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := json.Valid([]byte(text))
		if got := valid(text); got != want {
			t.Fatalf("Value(%q) says %t, encoding/json %t", text, got, want)
		}
		i := jsonlex.Space(text, 0)
		end, ok := jsonlex.Value(text, i, 10000)
		if end < 0 || end > len(text) {
			t.Fatalf("Value(%q) stops at %d", text, end)
		}
		ofBytes, okBytes := jsonlex.Value([]byte(text), i, 10000)
		if ofBytes != end || okBytes != ok {
			t.Fatalf("Value(%q) differs for bytes", text)
		}
		if skipped := jsonlex.SkipValue(text, i); skipped < 0 || skipped > len(text) || want && skipped != end {
			t.Fatalf("SkipValue(%q) = %d, Value %d", text, skipped, end)
		}
		if !ok || text[i] != '"' {
			return
		}
		var decoded string
		if err := json.Unmarshal([]byte(text[i:end]), &decoded); err != nil {
			t.Fatal(err)
		}
		got, ok := jsonlex.Unquote(text[i:end])
		if !ok || strings.ToValidUTF8(got, "\ufffd") != strings.ToValidUTF8(decoded,
			"\ufffd") && utf8.ValidString(text) {
			t.Fatalf("Unquote(%q) = %q, encoding/json %q", text[i:end], got, decoded)
		}
	})
}

func TestWhereItStops(t *testing.T) {
	for _, tt := range []struct {
		text string
		at   int
	}{
		{`{"a":tru}`, 5}, {`{"a":1,}`, 7}, {`{"a" 1}`, 5}, {`[1 2]`, 3}, {`"a\x"`, 3}, {"\"a\x01\"", 2}, {`"a`, 2},
		{`01`, 1}, {`1.x`, 2}, {`1ex`, 2}, {`-`, 1}, {``, 0}, {`[`, 1},
	} {
		end, ok := jsonlex.Value(tt.text, 0, 100)
		require.Equal(t, tt.text == `01`, ok, "%q", tt.text) // a number that ends there, and text behind it
		require.Equal(t, tt.at, end, "%q", tt.text)
	}
}

func TestDepthIsBounded(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	_, ok := jsonlex.Value(nested(100), 0, 100)
	require.True(t, ok)
	_, ok = jsonlex.Value(nested(101), 0, 100)
	require.False(t, ok)
	_, ok = jsonlex.Value(`1`, 0, 0)
	require.True(t, ok)
	_, ok = jsonlex.Value(`{}`, 0, 0)
	require.False(t, ok)
}

func TestHalfPair(t *testing.T) {
	for inner, want := range map[string]bool{
		``: false, `a`: false, `\u0041`: false, `\ud834\udd1e`: false, `\ud834`: true, `\udd1e`: true,
		`\udd1e\ud834`: true, `\ud834\n`: true,
		`\ufffd`: false, `\\ud834`: false, `\ud834\ud834\udd1e`: true, `a\ud834\udd1eb\udd1e`: true,
		`\ud834\u0041`: true,
	} {
		require.Equal(t, want, jsonlex.HalfPair(inner), "%q", inner)
	}
}

func TestInner(t *testing.T) {
	for _, text := range []string{``, `"`, `a`, `a"`, `"a`, `1`, `null`} {
		_, ok := jsonlex.Inner(text)
		require.False(t, ok, "%q", text)
		_, ok = jsonlex.Unquote(text)
		require.False(t, ok, "%q", text)
	}
}

// Whatever is written is read back, and by encoding/json too.
func FuzzAppendString(f *testing.F) {
	for _, text := range []string{"", "a", "<&>", "\"\\/", "\x00\b\f\n\r\t\x1f\x7f", "é𝄞\u2028", "\xff",
		"a\xed\xa0\x80b", strings.Repeat("x", 50) + "\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := jsonlex.AppendString(nil, text)
		if other := jsonlex.AppendString([]byte("x"), []byte(text)); !bytes.Equal(other[1:], quoted) {
			t.Fatalf("AppendString(%q) differs for bytes", text)
		}
		if end, ok := jsonlex.String(quoted, 0); !ok || end != len(quoted) {
			t.Fatalf("AppendString(%q) = %q, which is no string", text, quoted)
		}
		want := strings.ToValidUTF8(text, "\ufffd")
		var decoded string
		if err := json.Unmarshal(quoted, &decoded); err != nil {
			t.Fatal(err)
		}
		got, _ := jsonlex.Unquote(quoted)
		if got != decoded || utf8.ValidString(text) && got != want {
			t.Fatalf("AppendString(%q) = %q, which reads %q", text, quoted, got)
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(text)
		if theirs := bytes.TrimSuffix(b.Bytes(), []byte("\n")); !bytes.ContainsAny(theirs,
			"\u2028\u2029") && !bytes.Contains(theirs, []byte(`\u`)) && !bytes.Equal(theirs, quoted) {
			t.Fatalf("AppendString(%q) = %q, encoding/json %q", text, quoted, theirs)
		}
	})
}

func TestReadingAllocatesNothing(t *testing.T) {
	text := []byte(`{"a":[1,2.5,"x\ny",{"b":null}],"c":"` + strings.Repeat("text ", 100) + `"}`)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, ok := jsonlex.Value(text, 0, 100); !ok {
			panic("no value")
		}
		jsonlex.SkipValue(text, 0)
	}))
}

// The word at a time finds the same place as the byte at a time, wherever the byte is that ends it.
func TestPlainAtEveryPlace(t *testing.T) {
	for _, c := range []byte{'"', '\\', 0, 0x1f, ' ', '!', '#', 0x7f, 0x80, 0xa2, 0xdc, 0xff} {
		for n := range 40 {
			text := []byte(strings.Repeat("x", n) + string([]byte{c}) + "tail" + strings.Repeat("y", 20))
			want := slices.IndexFunc(text, func(c byte) bool { return c < ' ' || c == '"' || c == '\\' })
			if want < 0 {
				want = len(text)
			}
			require.Equal(t, want, jsonlex.Plain(text, 0), "%q at %d", c, n)
			require.Equal(t, want, jsonlex.Plain(string(text), 0), "%q at %d", c, n)
		}
	}
}

func BenchmarkValue(b *testing.B) {
	text := []byte(`{"items":[` + strings.Repeat(`{"id":123456,"name":"a name of some length","tags":["a","b"],"price":12.5},`, 100) + `{}]}`)
	for name, f := range map[string]func() bool{
		"by=jsonlex":       func() bool { _, ok := jsonlex.Value(text, 0, 100); return ok },
		"by=encoding/json": func() bool { return json.Valid(text) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if !f() {
					b.Fatal("no value")
				}
			}
		})
	}
}

func ExampleValue() {
	text := `{"user": {"id": 7}} and more`
	end, ok := jsonlex.Value(text, 0, 10)
	fmt.Println(text[:end], ok)
	// Output: {"user": {"id": 7}} true
}

func BenchmarkAppendString(b *testing.B) {
	for name, text := range map[string]string{
		"text=short":        "api.example.com",
		"text=header":       "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/122.0 Safari/537.36",
		"text=JSON":         strings.Repeat(`{"qty":1,"sku":"A-17"},`, 40),
		"text=beyond-ASCII": strings.Repeat("Zürich, Genève, 東京 ", 20),
	} {
		b.Run(name, func(b *testing.B) {
			var room []byte
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				room = jsonlex.AppendString(room[:0], text)
			}
		})
	}
}
