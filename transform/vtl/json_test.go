package vtl_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// Whoever reads a template's log finds the place, and what should stand there.
func TestDecodeJSONSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":                     `offset 0: want a value, got the end`,
		"  ":                   `offset 2: want a value, got the end`,
		"x":                    `offset 0: want a value, got 'x'`,
		"[1,]":                 `offset 3: want a value, got ']'`,
		"[tru]":                `offset 1: want a value, got 't'`,
		"[nul":                 `offset 1: want a value, got 'n'`,
		`{"a":}`:               `offset 5: want a value, got '}'`,
		`{"a"`:                 `offset 4: want a colon, got the end`,
		`{"a" 1}`:              `offset 5: want a colon, got '1'`,
		`{a:1}`:                `offset 1: want a key in quotes, got 'a'`,
		`{"a":1,}`:             `offset 7: want a key in quotes, got '}'`,
		`{"a":1 "b":2}`:        `offset 7: want a comma or }, got '"'`,
		`{"a":1]`:              `offset 6: want a comma or }, got ']'`,
		`[1 2]`:                `offset 3: want a comma or ], got '2'`,
		`[1}`:                  `offset 2: want a comma or ], got '}'`,
		`[01]`:                 `offset 2: want a comma or ], got '1'`,
		`-01`:                  `offset 2: want the end of the text, got '1'`,
		`[] x`:                 `offset 3: want the end of the text, got 'x'`,
		`-`:                    `offset 1: want a digit, got the end`,
		`[-]`:                  `offset 2: want a digit, got ']'`,
		`1.e5`:                 `offset 2: want a digit, got 'e'`,
		`1e+ `:                 `offset 3: want a digit, got ' '`,
		`"`:                    `offset 1: want a closing ", got the end`,
		`"\\`:                  `offset 3: want a closing ", got the end`,
		`"a\n`:                 `offset 4: want a closing ", got the end`,
		`"\`:                   `offset 2: want one of "\/bfnrtu, got the end`,
		`"ab\x"`:               `offset 4: want one of "\/bfnrtu, got 'x'`,
		`"\u12`:                `offset 2: want four hexadecimal digits after, got 'u'`,
		`"\\\u123g"`:           `offset 4: want four hexadecimal digits after, got 'u'`,
		"\"a\nb\"":             `offset 2: want an escape for a control character, got '\n'`,
		"\"\\\\\x1f\"":         `offset 3: want an escape for a control character, got '\x1f'`,
		"\"\\\x1f\"":           `offset 2: want one of "\/bfnrtu, got '\x1f'`,
		`{"a\` + "\n" + `":1}`: `offset 4: want one of "\/bfnrtu, got '\n'`,
	} {
		v, err := vtl.DecodeJSON([]byte(text))
		require.EqualError(t, err, "vtl: JSON text, "+want, "%q", text)
		require.Nil(t, v)
	}
}

// plain makes of a value what encoding/json makes of its text.
func plain(v any) any {
	switch v := v.(type) {
	case *vtl.Map:
		object := map[string]any{}
		for key, value := range v.All() {
			object[key] = plain(value)
		}
		return object
	case *vtl.List:
		array := []any{}
		for i := range v.Len() {
			array = append(array, plain(v.At(i)))
		}
		return array
	case int64:
		return float64(v)
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f
	}
	return v
}

// FuzzDecodeJSON: what encoding/json takes is taken and says the same, within the bounds; nothing
// else is.
func FuzzDecodeJSON(f *testing.F) {
	for _, text := range []string{
		`{"b":1,"a":[true,null,"x\u00e9"]}`, `[1.5e300,-0,123456789012345678901234567890,0.1]`,
		`"\ud83d\ude00\ud83d"`, `{"a":{"a":1,"a":2}}`,
		`[]`, `{}`, ` [ 1 , { } ] `, `"\`, `01`, `[1}`, `"\u12g4"`, "\"\x01\"", `{"a\"":[[[]]]}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := vtl.DecodeJSON([]byte(text))
		var want any
		wantErr := json.Unmarshal([]byte(text), &want)
		switch valid := json.Valid([]byte(text)) && utf8.ValidString(text); {
		case err == nil && !valid:
			t.Fatalf("%q is taken", text)
		case err != nil && valid && len(text) < 512:
			t.Fatalf("%q: %v", text, err)
		case err == nil && wantErr == nil && !strings.ContainsAny(text, "eE"): // nor infinite
			require.Equal(t, want, plain(got), "%q", text)
		}
	})
}
