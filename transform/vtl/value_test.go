package vtl_test

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

func decoded(t *testing.T, text string) any {
	t.Helper()
	v, err := vtl.DecodeJSON([]byte(text))
	require.NoError(t, err)
	return v
}

func TestValuesPrintAsInJava(t *testing.T) {
	nested := vtl.NewMap()
	nested.Put("zeta", 1)
	nested.Put("alpha", vtl.NewJSONArray("x", map[string]any{"b": 2.0, "a": nil}))
	for _, tt := range []struct {
		name string
		v    any
		want string
	}{
		{"null", nil, ""},
		{"text", "a", "a"},
		{"bool", true, "true"},
		{"int", 7, "7"},
		{"long", int64(math.MinInt64), "-9223372036854775808"},
		{"big", new(big.Int).Lsh(big.NewInt(1), 70), "1180591620717411303424"},
		{"uint64-beyond-long", uint64(math.MaxUint64), "18446744073709551615"},
		{"double", 2.5, "2.5"},
		{"whole-double", 50.0, "50.0"},
		{"large-double", 1e9, "1.0E9"},
		{"ten-million", 1e7, "1.0E7"},
		{"below-ten-million", 9999999.5, "9999999.5"},
		{"small-double", 1e-5, "1.0E-5"},
		{"a-thousandth", 0.001, "0.001"},
		{"negative-exponent", -1.25e-10, "-1.25E-10"},
		{"infinite", math.Inf(-1), "-Infinity"},
		{"not-a-number", math.NaN(), "NaN"},
		{"negative-zero", math.Copysign(0, -1), "-0.0"},
		{"char", vtl.Char('x'), "x"},
		{"half-a-pair", vtl.Char(0xd83d), "?"},
		{"list", vtl.NewList(1, "two", vtl.NewList(3), true, 2.50, nil), "[1, two, [3], true, 2.5, null]"},
		{"map", nested, `{zeta=1, alpha=["x",{"a":null,"b":2.0}]}`},
		{"slice", []any{"a", []string{"b"}}, "[a, [b]]"},
		{"map-of-strings", map[string]string{"b": "2", "a": "1"}, "{a=1, b=2}"},
		{"unknown-type", struct{}{}, ""},
		{"no-list", vtl.NewList((*vtl.List)(nil), (*vtl.Map)(nil), (*big.Int)(nil)), "[null, null, null]"},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, vtl.ToString(tt.v)) })
	}
}

func TestMapKeepsTheOrderOfItsKeys(t *testing.T) {
	m := vtl.NewMap()
	var want []string
	for i := range 100 {
		key := strings.Repeat("k", i+1)
		m.Put(key, i)
		if i%3 != 0 {
			want = append(want, key)
		}
	}
	m.Put("k", "again") // stays first
	first := ""
	for k := range m.All() {
		first = k
		break
	}
	require.Equal(t, "k", first)
	for i := 0; i < 100; i += 3 {
		m.Delete(strings.Repeat("k", i+1))
	}
	m.Delete("not there")
	var got []string
	for k, v := range m.All() {
		got = append(got, k)
		found, ok := m.Get(k)
		require.True(t, ok)
		require.Equal(t, v, found)
	}
	require.Equal(t, want, got)
	require.Equal(t, len(want), m.Len())
	_, ok := m.Get("k")
	require.False(t, ok)
}

func TestListHoldsWhatTemplatesKnow(t *testing.T) {
	l := vtl.NewList(1, struct{}{})
	l.Append("x")
	require.Equal(t, 3, l.Len())
	require.Equal(t, int64(1), l.At(0))
	require.Nil(t, l.At(1))
	require.False(t, l.IsJSON())
	var got []any
	for _, v := range l.All() {
		got = append(got, v)
	}
	require.Equal(t, []any{int64(1), nil, "x"}, got)
	for range l.All() {
		break
	}
}

func TestDecodeJSON(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"order", ` {"b":1,"a":[true,false,null,"x"],"c":{}} `, `{"b":1,"a":[true,false,null,"x"],"c":{}}`},
		{"duplicate", `{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{"numbers", `[0,-0,12,9223372036854775807,9223372036854775808,1.50,1e3,1E-7]`, `[0,0,12,9223372036854775807,9223372036854775808,1.5,1000.0,1.0E-7]`},
		{"escapes", `"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0001"`, `"\"\\/\b\f\n\r\té😀\u0001"`},
		{"half-a-pair", `"\ud83d|\ud83dx\ude00\ud83d\u0041"`, `"�|�x��A"`},
		{"empty", `[[],{},""]`, `[[],{},""]`},
		{"too-big-for-a-double", `1e999`, `null`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, string(vtl.AppendJSON(nil, decoded(t, tt.text))))
		})
	}
	require.Equal(t, int64(7), decoded(t, "7"))
	require.Equal(t, 7.0, decoded(t, "7.0"))
	require.Equal(t, "{list=[{\"a\":1}]}", vtl.ToString(decoded(t, `{"list":[{"a":1}]}`)))
}

func TestDecodeJSONRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "offset 0: want a value, got the end"},
		{"word", "nul", "want a value, got 'n'"},
		{"not-utf8", "\"\xff\"", "want UTF-8"},
		{"two-values", "1 2", "offset 2: want the end of the text, got '2'"},
		{"leading-zero", "01", "want the end of the text"},
		{"bare-minus", "-", "want a digit"},
		{"no-fraction", "1.", "want a digit"},
		{"no-exponent", "1e+", "want a digit"},
		{"trailing-comma", "[1,]", "want a value, got ']'"},
		{"object-comma", `{"a":1,}`, "want a key in quotes"},
		{"no-colon", `{"a"1}`, "want a colon"},
		{"open-array", "[1", "want a comma or ]"},
		{"open-object", `{"a":1`, "want a comma or }"},
		{"open-text", `"a`, `want a closing "`},
		{"open-escape", `"\n`, `want a closing "`},
		{"control", "\"\n\"", "want an escape for a control character"},
		{"control-after-escape", "\"\\n\n\"", "want an escape for a control character"},
		{"escape", `"\x"`, "want one of"},
		{"hex", `"\u12g4"`, "want four hexadecimal digits"},
		{"short-hex", `"\u12`, "want four hexadecimal digits"},
		{"deep", strings.Repeat("[", 600), "nested up to 512 deep"},
		{"long-number", strings.Repeat("9", 5000), "a number of up to 4096 characters"},
		{"bad-key", `{"\x":1}`, "want one of"},
		{"bad-member", `{"a":x}`, "want a value"},
		{"single-quotes", `'a'`, "want a value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := vtl.DecodeJSON([]byte(tt.text))
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, v)
		})
	}
}

func TestAppendJSONOfWhatJSONHasNot(t *testing.T) {
	require.Equal(t, `>[null,null,"c","a\"b"]`, string(vtl.AppendJSON([]byte(">"), vtl.NewList(math.NaN(), math.Inf(1), vtl.Char('c'), `a"b`))))
	require.Equal(t, "null", string(vtl.AppendJSON(nil, struct{}{})))
}

// A list that holds itself, and one that holds another twice, thirty times over.
func TestValuesWithoutEndArePrintedUpToTheLimits(t *testing.T) {
	self := vtl.NewList()
	self.Append(self)
	require.Equal(t, "[(this Collection)]", vtl.ToString(self))
	array := vtl.NewJSONArray()
	array.Append(array)
	require.Equal(t, strings.Repeat("[", 512)+"null"+strings.Repeat("]", 512), string(vtl.AppendJSON(nil, array)))
	m := vtl.NewMap()
	m.Put("self", m)
	require.Equal(t, "{self=(this Map)}", vtl.ToString(m))
	a, b := vtl.NewList(), vtl.NewList()
	a.Append(b)
	b.Append(a)
	require.Less(t, len(vtl.ToString(a)), 2000)

	wide := vtl.NewList("x")
	for range 40 {
		wide = vtl.NewList(wide, wide)
	}
	require.Less(t, len(vtl.ToString(wide)), 11<<20)
	text := vtl.AppendJSON(nil, wide)
	require.Less(t, len(text), 11<<20)
	_, err := vtl.DecodeJSON(text)
	require.NoError(t, err)
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"b":1,"a":[true,null,"x\u00e9"]}`, `[1.5e300,-0,123456789012345678901234567890]`, `"\ud83d\ude00"`, `{"a":{"a":1,"a":2}}`, "[", `1e999`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := vtl.DecodeJSON(data)
		if err != nil {
			if v != nil {
				t.Errorf("DecodeJSON(%q): both a value and %v", data, err)
			}
			return
		}
		text := vtl.AppendJSON(nil, v)
		again, err := vtl.DecodeJSON(text)
		if err != nil {
			t.Fatalf("AppendJSON(%q) = %q, which is no JSON: %v", data, text, err)
		}
		if second := vtl.AppendJSON(nil, again); !slices.Equal(text, second) {
			t.Errorf("AppendJSON(%q) = %q, of its own output %q", data, text, second)
		}
	})
}
