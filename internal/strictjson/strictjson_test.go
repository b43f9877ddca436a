package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/strictjson"
)

func members(t testing.TB, data string) (map[string]string, error) {
	t.Helper()
	got := map[string]string{}
	err := strictjson.Object([]byte(data), 20, func(name string, value []byte) error {
		got[name] = string(value)
		return nil
	})
	return got, err
}

func TestObject(t *testing.T) {
	got, err := members(t,
		` { "a" : 1.5e+3 , "b":[1,{"x":null} ] , "\u0063":"\ud83d\ude00", "d":{} , "e":"","f":true,"g":-0 } `)
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"a": "1.5e+3", "b": `[1,{"x":null} ]`, "c": `"\ud83d\ude00"`, "d": "{}", "e": `""`, "f": "true", "g": "-0",
	}, got)
}

func TestObjectRefuses(t *testing.T) {
	deep := strings.Repeat(`[`, 20) + strings.Repeat(`]`, 20)
	many := `{"n0":1` + strings.Repeat(`,"x":1`, 2) + `}`
	for _, data := range []string{
		``, ` `, `null`, `[]`, `"a"`, `1`, `{`, `}`, `{}}`, `{} {}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,"a":1}`,
		`{"a":1 "b":2}`, `{a:1}`, `{'a':1}`,
		`{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":+1}`, `{"a":1e}`, `{"a":-}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":tru}`,
		`{"a":True}`, `{"a":nul}`,
		`{"a":"` + "\x00" + `"}`, `{"a":"` + "\n" + `"}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, `{"a":"`,
		`{"a":"\`, `{"a":"\u`,
		`{"a":"\ud800"}`, `{"a":"\udc00"}`, `{"a":"\ud800\n"}`, `{"a":"\ud800\u0041"}`, `{"a":"\ud800\ud800"}`,
		"{\"a\":\"\xff\"}", "{\"\xc3\x28\":1}", "\ufeff{}", `{"a":1}//`, `{"a":/**/1}`,
		`{"a":1,"a":1}`, `{"a":1,"A":1}`, `{"iss":1,"ISS":2}`, `{"iss":1,"i\u0073s":2}`, `{"k":1,"\u212a":2}`,
		`{"scope":1,"\u017fcope":2}`, `{"é":1,"É":2}`,
		`{"a":{"b":1,"b":2}}`, `{"a":[{"b":1,"b":2}]}`, `{"a":` + deep + `}`, many,
	} {
		_, err := members(t, data)
		require.ErrorIs(t, err, strictjson.ErrSyntax, "%q", data)
	}
}

func TestNestedNamesMayDifferByCase(t *testing.T) {
	_, err := members(t, `{"a":{"b":1,"B":2}}`)
	require.NoError(t, err)
}

func TestManyNames(t *testing.T) {
	var b strings.Builder
	b.WriteByte('{')
	for i := range 5000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"n` + strings.Repeat("x", i%7) + string(rune('0'+i%10)) + strings.Repeat("y", i/70) + `":0`)
	}
	distinct := b.String() + `}`
	got, err := members(t, distinct)
	require.NoError(t, err)
	require.Len(t, got, 5000)
	_, err = members(t, b.String()+`,"N0":1}`)
	require.ErrorIs(t, err, strictjson.ErrSyntax)
}

func TestMemberErrorEnds(t *testing.T) {
	stop, calls := errors.New("stop"), 0
	err := strictjson.Object([]byte(`{"a":1,"b":2}`), 20, func(string, []byte) error { calls++; return stop })
	require.ErrorIs(t, err, stop)
	require.Equal(t, 1, calls)
}

func TestTexts(t *testing.T) {
	s, ok := strictjson.Text([]byte(`"a\u0062"`))
	require.True(t, ok)
	require.Equal(t, "ab", s)
	list, ok := strictjson.Texts([]byte(`["a", "\"b" ]`))
	require.True(t, ok)
	require.Equal(t, []string{"a", `"b`}, list)
	for _, other := range []string{``, `1`, `null`, `{}`, `[1]`, `["a",null]`, `[["a"]]`} {
		_, ok = strictjson.Texts([]byte(other))
		require.False(t, ok, other)
		_, ok = strictjson.Text([]byte(other))
		require.False(t, ok, other)
	}
}

// FuzzObject: what Object takes, encoding/json takes with the same members; what it refuses as JSON
// is no object, has a repeated name, a lone surrogate, other bytes than UTF-8, or is too deep.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1,"b":[true,{"c":"\u00e9\n"}],"d":-1.5e-7}`, `{"a":1,"A":2}`,
		`{"a":"\ud83d\ude00"}`, `{"a":[[[]]]}`, "{\"\xff\":0}", `{"a" : {} , "b":null }`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		got, err := members(t, data)
		var want map[string]json.RawMessage
		wantErr := json.Unmarshal([]byte(data), &want)
		if err != nil {
			if len(got) > 0 {
				t.Errorf("%q: members before an error: %v", data, got)
			}
			return
		}
		if wantErr != nil || !utf8.ValidString(data) || len(got) != len(want) {
			t.Fatalf("%q: took %v; encoding/json: %v, %v", data, got, want, wantErr)
		}
		for name, value := range want {
			if got[name] != string(value) {
				t.Errorf("%q: %q = %s, encoding/json has %s", data, name, got[name], value)
			}
		}
	})
}

// Depth is how deep values nest, not how many there are; and it is the limit of objects and arrays
// alike.
func TestDepth(t *testing.T) {
	nothing := func(string, []byte) error { return nil }
	for data, want := range map[string]bool{
		`{"a":{},"b":{},"c":[],"d":[],"e":[{},{},[],[]]}`: true, `{"a":[[]]}`: true, `{"a":{"b":{}}}`: true,
		`{"a":[[[]]]}`: false, `{"a":{"b":{"c":{}}}}`: false, `{"a":[{"b":[]}]}`: false,
	} {
		require.Equal(t, want, strictjson.Object([]byte(data), 3, nothing) == nil, data)
	}
}

// ObjectOfNames is as strict as Object but for the letter case of the outermost names.
func TestObjectOfNames(t *testing.T) {
	for data, want := range map[string]bool{
		`{"a":1,"A":2}`: true, `{"k":1,"\u212a":2}`: true, `{"a":1,"a":2}`: false, `{"a":1,"\u0061":2}`: false,
		`{"o":{"a":1,"a":2}}`: false, `{"a":"\ud800\ue000"}`: false, `{"a":"\ud83d\ude00"}`: true,
		`{"a":1}x`: false, `[]`: false, ``: false,
	} {
		names := ""
		err := strictjson.ObjectOfNames([]byte(data), 3, func(name string,
			_ []byte) error {
			names += name
			return nil
		})
		require.Equal(t, want, err == nil, data)
		require.Equal(t, want, names != "", data)
	}
	_, ok := strictjson.Elements([]byte(`[1]x`))
	require.False(t, ok)
}
