package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

func TestMembers(t *testing.T) {
	var got []string
	for name, value := range jsonscan.Members([]byte(` { "a" : 1 , "b":[{"x":"}"},"]"],"c\"":{"y":{}} ,"d":"\\","e":null,"a":-1.5e3 } `)) {
		got = append(got, string(name), string(value))
	}
	require.Equal(t, []string{`"a"`, "1", `"b"`, `[{"x":"}"},"]"]`, `"c\""`, `{"y":{}}`, `"d"`, `"\\"`, `"e"`,
		"null", `"a"`, "-1.5e3"}, got)
	for name := range jsonscan.Members([]byte(`[1]`)) {
		t.Fatal(string(name))
	}
	for range jsonscan.Members([]byte(`{"a":1,"b":2}`)) {
		break
	}
}

func TestElements(t *testing.T) {
	var got []string
	for value := range jsonscan.Elements([]byte("[ 1,\n[2,\"]\"] , {} ,true, \"a\" ]")) {
		got = append(got, string(value))
	}
	require.Equal(t, []string{"1", `[2,"]"]`, "{}", "true", `"a"`}, got)
	for value := range jsonscan.Elements([]byte(`{}`)) {
		t.Fatal(string(value))
	}
	for range jsonscan.Elements([]byte("[1,2]")) {
		break
	}
}

// Valid agrees with encoding/json, here and in the fuzz target.
func TestValid(t *testing.T) {
	for _, text := range []string{
		"", " ", "{}", "[]", "{ }", "[ ]", " [ 1 , 2 ] ", "[1,]", "[,1]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`,
		`{"a":1 "b":2}`, `{a:1}`, `{"a":1}}`, `[1]]`, `[}`, `{]`, "[1 2]", `"a`, `"\`, `"\x"`, `"\u12g4"`,
		`"\u12"`, "\"\n\"", "\"\x7f\xff\"", "-", "-0", "01", "1.", ".5", "1e", "1e+", "1E-5", "1.5e10", "--1", "+1",
		"tru", "true", "truex", "nul", "null", "False", "1 1", "{}[]", "[[[[]]]]", `{"a":{"b":[{"c":[]}]}}`,
		strings.Repeat("[", 10000) + strings.Repeat("]", 10000), strings.Repeat("[", 10001) + strings.Repeat("]",
			10001), strings.Repeat(`{"a":`, 9999) + "1" + strings.Repeat("}", 9999), strings.Repeat("[", 1<<20),
	} {
		require.Equal(t, json.Valid([]byte(text)), jsonscan.Valid(text), "%.100q", text)
	}
}

func TestText(t *testing.T) {
	for _, raw := range []string{`"a"`, `""`, `"\n\t\r\b\f\/\\\""`, `"\u00e9\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`,
		`"\ud83d\u0041"`, `"\ude00\ud83d"`, `"é😀"`} {
		var want string
		require.NoError(t, json.Unmarshal([]byte(raw), &want))
		got, ok := jsonscan.Text([]byte(raw))
		require.True(t, ok)
		require.Equal(t, want, got, raw)
		require.True(t, jsonscan.Is([]byte(raw), want))
		require.False(t, jsonscan.Is([]byte(raw), want+"x"))
		b, ok := jsonscan.AppendText([]byte("x"), []byte(raw))
		require.True(t, ok)
		require.Equal(t, "x"+want, string(b))
	}
	for _, raw := range []string{"", "1", `{`, `"`} {
		_, ok := jsonscan.Text([]byte(raw))
		require.False(t, ok)
		_, ok = jsonscan.AppendText(nil, []byte(raw))
		require.False(t, ok)
	}
	require.True(t, jsonscan.IsNull(""))
	require.True(t, jsonscan.IsNull([]byte("null")))
	require.False(t, jsonscan.IsNull([]byte(`"n"`)))
}

// What the scanner reads of valid JSON is what encoding/json reads.
func FuzzRead(f *testing.F) {
	f.Add(`{"a":[1,"b",{"c":null}],"d":"\u00e9"}`)
	f.Add(`[1,{"a":"]"},"\ud83d\ude00"]`)
	f.Add(`"\\"`)
	f.Fuzz(func(t *testing.T, in string) {
		require.Equal(t, json.Valid([]byte(in)), jsonscan.Valid(in), "%q", in)
		require.Equal(t, json.Valid([]byte(in)), jsonscan.Valid([]byte(in)), "%q", in)
		if !json.Valid([]byte(in)) || !utf8.ValidString(in) {
			for range jsonscan.Members([]byte(in)) { // no panic, no endless loop
			}
			for range jsonscan.Elements([]byte(in)) {
			}
			_, _ = jsonscan.Text([]byte(in))
			return
		}
		var rebuilt bytes.Buffer
		rebuild(&rebuilt, []byte(strings.TrimSpace(in)))
		var want, got any
		if err := json.Unmarshal([]byte(in), &want); err != nil {
			return // a number that is too large
		}
		if err := json.Unmarshal(rebuilt.Bytes(), &got); err != nil {
			t.Fatalf("%q: %v in %q", in, err, rebuilt.Bytes())
		}
		require.Equal(t, want, got)
	})
}

func rebuild(b *bytes.Buffer, value []byte) {
	switch value[0] {
	case '{':
		b.WriteByte('{')
		first := true
		for name, v := range jsonscan.Members(value) {
			if !first {
				b.WriteByte(',')
			}
			first = false
			rebuild(b, name)
			b.WriteByte(':')
			rebuild(b, v)
		}
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		first := true
		for v := range jsonscan.Elements(value) {
			if !first {
				b.WriteByte(',')
			}
			first = false
			rebuild(b, v)
		}
		b.WriteByte(']')
	case '"':
		text, _ := jsonscan.Text(value)
		b.Write(jsonlex.AppendString(nil, text))
	default:
		b.Write(value)
	}
}

// Every string survives writing, but for bytes that aren't UTF-8, which encoding/json replaces
// alike.
func FuzzString(f *testing.F) {
	f.Add("a\"\\\n\x00\x7f\xff é\u2028😀")
	f.Fuzz(func(t *testing.T, in string) {
		text := jsonlex.AppendString(nil, in)
		require.Equal(t, text, jsonlex.AppendString(nil, []byte(in)))
		var got, want string
		require.NoError(t, json.Unmarshal(text, &got), "%q", text)
		encoded, err := json.Marshal(in)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(encoded, &want))
		require.Equal(t, want, got)
	})
}

// What is only nearly what it looks like.
func TestNearly(t *testing.T) {
	for text, want := range map[string]string{
		`"\ud83d\nde00"`: "\ufffd\nde00", `"\ud83d\\ude00"`: "\ufffd\\ude00", `"\ud83dx"`: "\ufffdx",
		`"\ude00\ud83d"`: "\ufffd\ufffd", `"\ud83d\u0041"`: "\ufffdA", `"\ud83d\ude00"`: "😀",
	} {
		got, ok := jsonscan.Text(text)
		require.True(t, ok)
		require.Equal(t, want, got, text)
		require.True(t, jsonscan.Is(text, want), text)
	}
	require.True(t, jsonscan.Is(`"abc"`, "abc"))
	require.False(t, jsonscan.Is(`"abc"`, "abd"))
	require.False(t, jsonscan.Is(`"a\u0062c"`, "abd"))
	require.Equal(t, "\"\ufffd\ufffd\"", string(jsonlex.AppendString(nil, "\ufffd\xff")),
		"the replacement rune itself is a rune")
}
