package jsonlex_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// walk is the obvious reader above the lexer: it makes of a value what encoding/json makes of it.
func walk(text string, i int) (value any, end int, ok bool) {
	if i >= len(text) {
		return nil, i, false
	}
	switch text[i] {
	case '{':
		object := map[string]any{}
		i, empty := jsonlex.Open(text, i)
		for more := !empty; more; {
			var quoted string
			if quoted, i, ok = jsonlex.Name(text, i); !ok {
				return nil, i, false
			}
			name, _ := jsonlex.Unquote(quoted)
			if object[name], i, ok = walk(text, i); !ok {
				return nil, i, false
			}
			if i, more, ok = jsonlex.Next(text, i, '{'); !ok {
				return nil, i, false
			}
		}
		return object, i, true
	case '[':
		array := []any{}
		i, empty := jsonlex.Open(text, i)
		for more := !empty; more; {
			var element any
			if element, i, ok = walk(text, i); !ok {
				return nil, i, false
			}
			array = append(array, element)
			if i, more, ok = jsonlex.Next(text, i, '['); !ok {
				return nil, i, false
			}
		}
		return array, i, true
	}
	if end, ok = jsonlex.Scalar(text, i); !ok {
		return nil, end, false
	}
	switch token := text[i:end]; token[0] {
	case '"':
		value, ok = jsonlex.Unquote(token)
	case 't', 'f':
		value = token == "true"
	case 'n':
	default:
		value = json.Number(token)
	}
	return value, end, ok
}

// FuzzWalk: a reader that walks stops where Value stops, and reads what encoding/json reads.
func FuzzWalk(f *testing.F) {
	for _, text := range values {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "[")+strings.Count(text, "{") > 5000 {
			return // walk, unlike Value, takes a call for each
		}
		i := jsonlex.Space(text, 0)
		_, end, ok := walk(text, i)
		wantEnd, wantOK := jsonlex.Value(text, i, 10000)
		if end != wantEnd || ok != wantOK {
			t.Fatalf("walking %q ends at %d, %t; Value at %d, %t", text, end, ok, wantEnd, wantOK)
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var want any
		if !ok || !json.Valid([]byte(text)) || d.Decode(&want) != nil {
			return
		}
		text = strings.ToValidUTF8(text, "\ufffd")
		if got, _, _ := walk(text, i); !reflect.DeepEqual(got, want) && !strings.Contains(text, "\ufffd") {
			t.Fatalf("walking %q makes %#v, encoding/json %#v", text, got, want)
		}
	})
}

func TestWalk(t *testing.T) {
	got, end, ok := walk(`{"a":[1,-0.5e+3,[],{}],"b\n":"\ud834\udd1e\ud834","c":{"d":null,"e":true,"f":false}} tail`,
		0)
	require.True(t, ok)
	require.Equal(t, 84, end)
	require.Equal(t, map[string]any{
		"a": []any{json.Number("1"), json.Number("-0.5e+3"), []any{}, map[string]any{}}, "b\n": "𝄞\ufffd",
		"c": map[string]any{"d": nil, "e": true, "f": false},
	}, got)
}

func TestNext(t *testing.T) {
	for _, tt := range []struct {
		text     string
		bracket  byte
		end      int
		more, ok bool
	}{
		{` , 1`, '[', 3, true, true}, {`,`, '[', 1, true, true}, {` ]`, '[', 2, false, true}, {`}`, '{', 1, false,
			true},
		{` }`, '[', 1, false, false}, {`]`, '{', 0, false, false}, {`  `, '[', 2, false, false}, {``, '{', 0, false,
			false},
		{`x`, '[', 0, false, false}, {`:`, '{', 0, false, false},
	} {
		end, more, ok := jsonlex.Next(tt.text, 0, tt.bracket)
		require.Equal(t, tt.end, end, "%q", tt.text)
		require.Equal(t, tt.more, more, "%q", tt.text)
		require.Equal(t, tt.ok, ok, "%q", tt.text)
	}
}

func TestOpen(t *testing.T) {
	for text, want := range map[string]struct {
		end   int
		empty bool
	}{
		`[]`: {2, true}, `[ ]`: {3, true}, `{ }x`: {3, true}, `[ 1]`: {2, false}, `[}`: {1, false}, `{]`: {1, false},
		`[`:       {1, false},
		"{\n\t\"": {3, false},
	} {
		end, empty := jsonlex.Open(text, 0)
		require.Equal(t, want.end, end, "%q", text)
		require.Equal(t, want.empty, empty, "%q", text)
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string]struct {
		quoted string
		end    int
		ok     bool
	}{
		`"a":1`: {`"a"`, 4, true}, "\"\\\"\" :\n 1": {`"\""`, 8, true}, `"a":`: {`"a"`, 4, true}, `"a"`: {`"a"`, 3,
			false},
		`"a" 1`: {`"a"`, 4, false}, `"a`: {``, 2, false}, `a`: {``, 0, false}, ``: {``, 0, false},
	} {
		quoted, end, ok := jsonlex.Name(text, 0)
		require.Equal(t, want.quoted, quoted, "%q", text)
		require.Equal(t, want.end, end, "%q", text)
		require.Equal(t, want.ok, ok, "%q", text)
	}
}

func TestEscape(t *testing.T) {
	for text, want := range map[string]struct {
		end int
		ok  bool
	}{
		`\n`: {2, true}, `\/x`: {2, true}, `\u00e9`: {6, true}, `\u00E9f`: {6, true}, `\u00e`: {1, false}, `\u`: {1,
			false},
		`\x0041`: {1, false}, `\`: {1, false}, `\'`: {1, false}, `\U0041`: {1, false}, `\u 041`: {1, false},
	} {
		end, ok := jsonlex.Escape(text, 0)
		require.Equal(t, want.end, end, "%q", text)
		require.Equal(t, want.ok, ok, "%q", text)
		at, ok := jsonlex.String(`"abcdefgh\\`+text+`"`, 0) // as a string that isn't over sees it
		if !want.ok && text != `\` {
			require.False(t, ok, "%q", text)
			require.Equal(t, len(`"abcdefgh\\`)+want.end, at, "%q", text)
		}
	}
}

// What a string stops at is told apart by the backslashes in front of it.
func TestInEscape(t *testing.T) {
	for text, want := range map[string]bool{
		`"\x"`: true, `"\\\x"`: true, `"\`: true, `"\u12"`: true, "\"\\\x01": true, "\"\\\\\x01": false,
		`"\\`: false, `"a`: false,
		"\"\x01": false, `"`: false, "\"a\\\\\\\\\x01": false, "\"a\\\\\\\\\\\x01": true, `"\n`: false,
	} {
		end, ok := jsonlex.String(text, 0)
		require.False(t, ok, "%q", text)
		require.Equal(t, want, jsonlex.InEscape(text, end), "%q", text)
	}
}

// FuzzHalfPair: a string has half of a pair if encoding/json makes more U+FFFD of it than it
// spells.
func FuzzHalfPair(f *testing.F) {
	for _, text := range append(values, `"\ufffd\ud834"`, `"\\ud834"`, `"\uFFFD"`, `"\ud834\ud834\udd1e"`) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		end, ok := jsonlex.String(text, 0)
		if !ok {
			return
		}
		var said string
		require.NoError(t, json.Unmarshal([]byte(text[:end]), &said))
		inner, _ := jsonlex.Inner(text[:end])
		spelled := strings.ToLower(strings.ReplaceAll(inner, `\\`, ""))
		spelt := strings.Count(spelled, "\ufffd") + strings.Count(spelled, `\ufffd`)
		require.Equal(t, strings.Count(said, "\ufffd") > spelt, jsonlex.HalfPair(inner), "%q", inner)
		require.Equal(t, strings.Contains(inner, `\`), jsonlex.Escaped(inner), "%q", inner)
		require.Equal(t, said, string(jsonlex.AppendUnescaped(nil, []byte(inner))))
	})
}
