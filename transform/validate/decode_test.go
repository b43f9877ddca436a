package validate_test

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/validate"
)

func TestDecode(t *testing.T) {
	for text, want := range map[string]any{
		`null`: nil, ` true `: true, "\tfalse\r\n": false, `""`: "", `"a"`: "a", `0`: json.Number("0"),
		`-0.50e+07`: json.Number("-0.50e+07"), `12345678901234567890`: json.Number("12345678901234567890"),
		`{}`: map[string]any{}, `[]`: []any{}, `[ 1 , [ ] , { } ]`: []any{json.Number("1"), []any{},
			map[string]any{}}, `{"a":{"b":[null]},"":1}`: map[string]any{"a": map[string]any{"b": []any{nil}},
			"": json.Number("1")},
		`"\"\\\/\b\f\n\r\tA\u00e9é"`: "\"\\/\b\f\n\r\tAéé", `"\ud83d\ude00x"`: "😀x", `"\ud83d"`: "\ufffd",
		`"\ud83d\u0041"`: "\ufffdA", `"\ude00\ud83d\ude00"`: "\ufffd😀",
		`{"a\u0062":1}`: map[string]any{"ab": json.Number("1")},
		`1e400`:         json.Number("1e400"), `1e-400`: json.Number("1e-400"), strings.Repeat("[",
			128) + strings.Repeat("]", 128): nested(128),
		strings.Repeat("9", 400): json.Number(strings.Repeat("9", 400)),
	} {
		got, err := validate.Decode(text, false)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		``: "not JSON, at byte 0", ` `: "not JSON", `{`: "not JSON", `[`: "not JSON", `]`: "not JSON",
		`"`: "not JSON", `"\`: "not JSON", `"\u12`: "not JSON", `"\u12g4"`: "not JSON", `"\x"`: "not JSON",
		`tru`: "not JSON", `True`: "not JSON",
		`{"a"}`: "not JSON", `{"a":}`: "not JSON", `{"a":1,}`: "not JSON", `{,}`: "not JSON", `{a:1}`: "not JSON",
		`{'a':1}`: "not JSON", `{"a":1 "b":2}`: "not JSON", `[1,]`: "not JSON", `[,1]`: "not JSON",
		`[1 2]`: "not JSON", `{1:2}`: "not JSON",
		`01`: "not JSON", `-`: "not JSON", `+1`: "not JSON", `.5`: "not JSON", `1.`: "not JSON", `1e`: "not JSON",
		`1e+`: "not JSON", `-01`: "not JSON", `0x1`: "not JSON", `NaN`: "not JSON", `Infinity`: "not JSON",
		`1 2`: "not JSON, at byte 2", `{}x`: "not JSON", `{} {}`: "not JSON", "\ufeff{}": "not JSON",
		"\"\x01\"": "not JSON", "\"\\n\x01\"": "not JSON", "\x00": "not JSON", "[1]\x00": "not JSON",
		"/**/{}":   "not JSON",
		"\"\xff\"": "not UTF-8", "\"\xed\xa0\x80\"": "not UTF-8", "\xff\xfe{\x00": "not UTF-8",
		`1e401`: "a number is too long or too large", `1e-401`: "a number is too long or too large",
		`1e999999999999999999999`: "a number is too long or too large", strings.Repeat("9",
			401): "a number is too long or too large",
		strings.Repeat("[", 129) + strings.Repeat("]", 129): "nested too deep", strings.Repeat(`{"a":`,
			1<<20): "nested too deep", strings.Repeat("[", 10<<20): "nested too deep",
		`{"a":1,"a":1}`: "an object has a name twice", `{"a":1,"\u0061":2}`: "an object has a name twice",
		`[{"a":{"b":1,"c":2,"b":3}}]`:              "an object has a name twice",
		"[" + strings.Repeat("1,", 500_000) + "1]": "too many values",
	} {
		got, err := validate.Decode(text, false)
		require.ErrorContains(t, err, want, "%.50s", text)
		require.Nil(t, got)
	}
	got, err := validate.Decode(`{"a":1,"b":2,"a":3}`, true)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": json.Number("3"), "b": json.Number("2")}, got)
}

func nested(depth int) any {
	value := []any{}
	for range depth - 1 {
		value = []any{value}
	}
	return value
}

// FuzzDecode: what is taken, encoding/json takes, and reads alike; what encoding/json takes is only
// refused for a reason of ours.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,true,false,null,"x\u00e9\ud83d\ude00\n"]}`, `{"a":1,"a":2}`,
		`"\ud83d\u0041"`, ` [ ] `, `1e999`, "\"\xff\"", `{"":{"":{}}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := validate.Decode(text, true)
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var want any
		wantErr := d.Decode(&want)
		if wantErr == nil {
			if _, wantErr = d.Token(); wantErr == io.EOF {
				wantErr = nil
			} else {
				wantErr = io.ErrUnexpectedEOF
			}
		}
		switch {
		case err == nil && wantErr != nil:
			t.Fatalf("%q is taken", text)
		case err == nil && !reflect.DeepEqual(got, want):
			t.Fatalf("%q is %#v, want %#v", text, got, want)
		case err != nil && wantErr == nil && strings.HasPrefix(err.Error(), "not JSON") && utf8.ValidString(text):
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := validate.Decode(text, false); err == nil && wantErr != nil {
			t.Fatalf("%q is taken", text)
		}
	})
}
