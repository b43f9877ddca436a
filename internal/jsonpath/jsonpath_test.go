package jsonpath_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
)

const shop = `{"items":[{"sku":"a","qty":1,"tags":["x","y"]},{"sku":"b","qty":2},{"sku":"Abc","qty":"2","price":null}],
	"owner":{"name":"Zoë","first name":"Z","a.b":1},"limit":2,"twice":1,"twice":{"n":3},"e":{}}`

func TestSelect(t *testing.T) {
	for _, tt := range []struct {
		path     string
		definite bool
		want     string // JSON of the list
	}{
		{"$.limit", true, `[2]`},
		{"limit", true, `[2]`},
		{" $.limit\n", true, `[2]`},
		{"['limit']", true, `[2]`},
		{"$.ghost", true, `[]`},
		{"$.limit.x", true, `[]`},
		{"$.limit[0]", true, `[]`},
		{"$.items.sku", true, `[]`},
		{"$.owner['name']", true, `["Zoë"]`},
		{`$.owner["first name"]`, true, `["Z"]`},
		{`$["owner"]['a.b']`, true, `[1]`},
		{"$.owner.['a.b']", true, `[1]`},
		{"$.items[0].sku", true, `["a"]`},
		{"$.items[-1].sku", true, `["Abc"]`},
		{"$.items[3]", true, `[]`},
		{"$.items[-4]", true, `[]`},
		{"$.items[ 1 ].sku", true, `["b"]`},
		{"$.items[2].price", true, `[null]`},
		{"$.twice.n", true, `[3]`},
		{"$.items[*].sku", false, `["a","b","Abc"]`},
		{"$.items.*.sku", false, `["a","b","Abc"]`},
		{"$.items[1:].sku", false, `["b","Abc"]`},
		{"$.items[:1].sku", false, `["a"]`},
		{"$.items[-2:].sku", false, `["b","Abc"]`},
		{"$.items[-9:-1].sku", false, `["a","b"]`},
		{"$.items[:].sku", false, `["a","b","Abc"]`},
		{"$.items[0,2,7].sku", false, `["a","Abc"]`},
		{"$.items[0]['qty','sku','ghost']", false, `[1,"a"]`},
		{"$..qty", false, `[1,2,"2"]`},
		{"$..ghost", false, `[]`},
		{"$.ghost[*]", false, `[]`},
		{"$..tags[1]", false, `["y"]`},
		{"$..['name','limit']", false, `[2,"Zoë"]`},
		{"$.owner.*", false, `["Zoë","Z",1]`},
		{"$.items[?(@.qty > 1)].sku", false, `["b"]`},
		{"$.items[?(@.qty == 2)].sku", false, `["b","Abc"]`},
		{"$.items[?(@.qty == '2')].sku", false, `["b","Abc"]`},
		{"$.items[?(@.qty >= $.limit)].sku", false, `["b"]`},
		{"$.items[?(@.tags)].sku", false, `["a"]`},
		{"$.items[?(!@.tags)].sku", false, `["b","Abc"]`},
		{"$.items[?(@.price)].sku", false, `["Abc"]`},
		{"$.items[?(@.price == null)].sku", false, `["Abc"]`},
		{"$.items[?(@.price != null)].sku", false, `["a","b"]`},
		{"$.items[?(@.sku =~ /a.*/)].sku", false, `["a"]`},
		{"$.items[?(@.sku =~ /a.*/i)].sku", false, `["a","Abc"]`},
		{"$.items[?(/b/ =~ @.sku)].sku", false, `["b"]`},
		{"$.items[?(@.sku=='a'||@.sku=='b'&&@.qty==2)].qty", false, `[1,2]`},
		{"$.items[?((@.sku=='a'||@.sku=='b')&&@.qty==2)].qty", false, `[2]`},
		{"$.items[?(@.tags[?(@ == 'y')])].sku", false, `["a"]`},
		{"$.items[?(@['sku'] < 'b')].sku", false, `["a","Abc"]`},
		{"$.items[?(@.qty < true)].sku", false, `[]`},
		{"$.owner[?(@.name)].name", false, `["Zoë"]`},
		{"$.items[0].tags[?(@ == 'y')]", false, `["y"]`},
		{"$..[?(@.qty == 1)].sku", false, `["a"]`},
		{`$.owner[?(@.name == "Zo\u00eb")]['a.b']`, false, `[1]`},
		{`$['\ud83d\ude00','limit']`, false, `[2]`},
	} {
		t.Run(tt.path, func(t *testing.T) {
			p, err := jsonpath.Parse(tt.path)
			require.NoError(t, err)
			require.Equal(t, tt.definite, p.Definite())
			got, err := p.Select([]byte(shop))
			require.NoError(t, err)
			list := []json.RawMessage{}
			for _, value := range got {
				list = append(list, value)
			}
			text, err := json.Marshal(list)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(text))
		})
	}
}

func TestTheWholeDocument(t *testing.T) {
	for _, text := range []string{`[1, 2]`, "  {\"a\": 1}\n", `"x"`, `null`, `-1.5e+7`} {
		p, err := jsonpath.Parse("$")
		require.NoError(t, err)
		got, err := p.Select([]byte(text))
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(text), string(got[0]))
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ expr, want string }{
		{"", `want an expression such as "$.name"`},
		{"  ", `want an expression such as "$.name"`},
		{"$.", "want a name or * at the end"},
		{"$..", "want a name or * at the end"},
		{"$...a", "want a name or * at offset 3"},
		{"$.a..", "want a name or *"},
		{"$a", "want the end, or . or [ at offset 1"},
		{"$.a b", "want the end, or . or [ at offset 3"},
		{"$.a.length()", "want no function"},
		{"$[", "want an index, a slice"},
		{"$[]", "want an index, a slice"},
		{"$[1", "want ] at the end"},
		{"$[1,]", "want an index at offset 4"},
		{"$['a',]", "want a name in quotes"},
		{"$['a'", "want ] at the end"},
		{"$['a", "want the closing quote"},
		{`$['a\`, "want a character behind the backslash"},
		{`$['\u12']`, "want four hexadecimal digits"},
		{"$[99999999999]", "want a number of at most 32 bits"},
		{"$[-]", "want a number of at most 32 bits"},
		{"$[1:2:3]", "want ]"},
		{"$[?@.a]", "want ( behind ?"},
		{"$[?()]", "want @, $, a text"},
		{"$[?(@.a", "want ), or && or ||"},
		{"$[?(@.a)", "want ] at the end"},
		{"$[?(@.a = 1)]", "want ), or && or ||"},
		{"$[?(1)]", "want a comparison"},
		{"$[?(@.a == )]", "want @, $, a text"},
		{"$[?((@.a)]", "want ), or && or ||"},
		{"$[?(((@.a)]", "want )"},
		{"$[?(@.a =~ 'x')]", "want =~ between a path and a regular expression"},
		{"$[?(@.a == /x/)]", "want =~ between a path and a regular expression"},
		{"$[?(/x/ =~ /x/)]", "want =~ between a path and a regular expression"},
		{"$[?(@.a =~ /(/)]", "want a regular expression of Go's syntax"},
		{"$[?(@.a =~ /)(/)]", "want a regular expression of Go's syntax"},
		{"$[?(@.a =~ /(?=x)/)]", "want a regular expression of Go's syntax"},
		{"$[?(@.a =~ /x)]", "want the closing /"},
		{"$[?(@.a =~ /" + strings.Repeat("x", 600) + "/)]", "want a regular expression of at most 512 bytes"},
		{"$[?(@.a =~ /(xxxxx){999}/)]", "want smaller regular expressions"},
		{"$[?(@.a =~ /(x{500}){500}/)]", "want a regular expression of Go's syntax"},
		{"$[?(" + strings.Repeat("(", 100) + "@.a)]", "nests less"},
		{"$[?(" + strings.Repeat("!", 100) + "@.a)]", "nests less"},
		{"$" + strings.Repeat("[?(@", 60), "nests less"},
		{"$" + strings.Repeat(".a", 200), "want at most 128 steps"},
		{"$." + strings.Repeat("a", 5000), "want an expression of at most 4096 bytes"},
		{"$.\xff", "want an expression in UTF-8"},
	} {
		t.Run(tt.expr[:min(len(tt.expr), 30)], func(t *testing.T) {
			p, err := jsonpath.Parse(tt.expr)
			require.Nil(t, p)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestDocumentsThatAreNotJSON(t *testing.T) {
	for _, text := range []string{
		"", " ", "{", "[", "{]", "[}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{'a':1}`, `[1,]`, `[1 2]`, `[,1]`,
		`{"a":1 "b":2}`, "tru", "nul", "True",
		"01", "-", "1.", ".5", "+1", "1e", "1e+", "0x1", "NaN", `"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"",
		"\"\x00\"", "1 2", "{} {}", "[1]]",
		"\"\xff\"", "\"\xed\xa0\x80\"", "\ufeff{}", "{\"a\":1}\x00", "[1,\f2]",
		strings.Repeat("[", jsonpath.MaxDepth+1) + strings.Repeat("]", jsonpath.MaxDepth+1),
		strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<20),
	} {
		_, err := jsonpath.Open([]byte(text))
		require.ErrorIs(t, err, jsonpath.ErrSyntax, "%.40q", text)
		p, err := jsonpath.Parse("$.a")
		require.NoError(t, err)
		_, err = p.Select([]byte(text))
		require.ErrorIs(t, err, jsonpath.ErrSyntax)
	}
	_, err := jsonpath.Open([]byte(strings.Repeat("[", jsonpath.MaxDepth) + strings.Repeat("]", jsonpath.MaxDepth)))
	require.NoError(t, err)
	p, err := jsonpath.Parse("$..a")
	require.NoError(t, err)
	_, err = jsonpath.Document{}.Select(p)
	require.ErrorIs(t, err, jsonpath.ErrSyntax)
	_, ok := jsonpath.Document{}.Get(p)
	require.False(t, ok)
}

func TestWorkIsBounded(t *testing.T) {
	many := []byte("[" + strings.Repeat("0,", jsonpath.MaxResults) + "0]")
	deep := []byte(strings.Repeat(`{"a":`, 500) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat("}", 500))
	texts := []byte("[" + strings.Repeat(`"`+strings.Repeat("y", 1000)+`",`, 100) + "0]")
	wide := []byte("[" + strings.Repeat(`{"a":[1,2,3,4]},`, 20_000) + "0]")
	for _, tt := range []struct {
		path string
		text []byte
	}{
		{"$[*]", many},
		{"$..a", deep},
		{"$..a..a..a", deep},
		{"$[?($..b || @.a)]", wide},
		{"$[?(@.a[?($..a[?($..b)])])]", wide},
		{"$[?(@ =~ /(.*.*.*.*){200}x/)]", texts},
	} {
		p, err := jsonpath.Parse(tt.path)
		require.NoError(t, err)
		d, err := jsonpath.Open(tt.text)
		require.NoError(t, err)
		limit := jsonpath.Cost{Looked: math.MaxInt, Made: math.MaxInt}
		if racing {
			limit.Looked = 16 << 20
		}
		_, _, err = d.SelectWithin(p, limit)
		require.ErrorIs(t, err, jsonpath.ErrTooMuch, tt.path)
	}
}

func TestNumbersOfAnySize(t *testing.T) {
	for _, tt := range []struct {
		filter string
		want   int
	}{
		{"@ > 1e999999998", 2},
		{"@ < 0.1", 2},
		{"@ == 10e-1", 1},
		{"@ == 100000000000000000000000000000001", 1},
		{"@ < -1e5", 1},
		{"@ == 0", 1},
	} {
		p, err := jsonpath.Parse("$[?(" + tt.filter + ")]")
		require.NoError(t, err)
		got,
			err := p.Select([]byte(`[1.000, 1e999999999, 1e99999999999999999999, 100000000000000000000000000000001, -1e999999, -0.0e9]`))
		require.NoError(t, err)
		require.Len(t, got, tt.want, "%s: %q", tt.filter, got)
	}
}

func TestAppendCompact(t *testing.T) {
	for in, want := range map[string]string{
		`{ "a" : [ 1 , 2.50 ] , "b" : "t" }`:               `{"a":[1,2.50],"b":"t"}`,
		`"\u00e9\/\ud83d\ude00\u2028\u0001\b\f\n\r\t\"\\"`: `"é/😀` + "\u2028" + `\u0001\b\f\n\r\t\"\\"`,
		`"\ud800x\udc00"`:                                  `"` + "\ufffdx\ufffd" + `"`,
		`{"a":1,"b":2,"\u0061":{"c":1,"c":[]}}`:            `{"a":{"c":[]},"b":2}`,
		`{"":1,"":2}`:                                      `{"":2}`,
		` [] `:                                             `[]`,
		`{}`:                                               `{}`,
		`{"0":0,"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"a":0,"b":0,"c":0,"d":0,"c":1,"0":1}`: `{"0":1,"1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,"9":0,"a":0,"b":0,"c":1,"d":0}`,
	} {
		d, err := jsonpath.Open([]byte(in))
		require.NoError(t, err, in)
		p, err := jsonpath.Parse("$")
		require.NoError(t, err)
		value, ok := d.Get(p)
		require.True(t, ok)
		require.Equal(t, want, string(jsonpath.AppendCompact(nil, value)))
	}
}

func TestUnquote(t *testing.T) {
	for _, value := range []string{`"a"`, `"\u00e9\n\"\\\/\b\f\r\t"`, `"\ud83d\ude00"`, `"\ud83dx"`,
		`"\ud83d\u0041"`, `"\udc00"`, `""`} {
		var want string
		require.NoError(t, json.Unmarshal([]byte(value), &want))
		got, ok := jsonpath.Unquote([]byte(value))
		require.True(t, ok)
		require.Equal(t, want, got, value)
	}
	for _, value := range []string{``, `1`, `{}`, `null`, `"`} {
		_, ok := jsonpath.Unquote([]byte(value))
		require.False(t, ok)
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c jsonpath.Cache
	first, err := c.Parse("$.a")
	require.NoError(t, err)
	again, err := c.Parse("$.a")
	require.NoError(t, err)
	require.Same(t, first, again)
	for i := range 2000 {
		_, err := c.Parse("$.a" + strings.Repeat("x", i))
		require.NoError(t, err)
	}
	require.LessOrEqual(t, c.Len(), 512)
	_, err = c.Parse("$.")
	require.Error(t, err)
}

func TestGetAllocatesNothing(t *testing.T) {
	d, err := jsonpath.Open([]byte(shop))
	require.NoError(t, err)
	p, err := jsonpath.Parse("$.items[1].sku")
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { d.Get(p) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = jsonpath.Open([]byte(shop[:0])) }))
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"$.a", "a", "$..a[?(@.b > 1 && !(@.c =~ /x/i))]['d','e'][-1:][0,1].*", "$['\\u0061']",
		"$[?($.a == 'b' || @ != null)]", "$.a.length()"} {
		f.Add(s, `{"a":[{"b":2,"c":"x"}]}`)
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		p, err := jsonpath.Parse(expr)
		if err != nil {
			if p != nil {
				t.Fatal("an error and a path")
			}
			return
		}
		values, err := p.Select([]byte(text))
		if err != nil {
			return
		}
		if p.Definite() && len(values) > 1 {
			t.Fatalf("%q is definite but selects %d values", expr, len(values))
		}
		for _, value := range values {
			if !json.Valid(value) {
				t.Fatalf("%q of %q selects %q, which isn't JSON", expr, text, value)
			}
			if compact := jsonpath.AppendCompact(nil, value); !json.Valid(compact) {
				t.Fatalf("%q becomes %q, which isn't JSON", value, compact)
			}
		}
	})
}

// What is JSON for us is so for encoding/json and the other way round, but for UTF-8, which it
// doesn't ask for, and depth.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{shop, `{"a":1,}`, "[1e5,-0.5E-1,\"\\ud83d\\ude00\"]", "\"\xff\"", "[[[[]]]]",
		`{"a":{"a":1,"a":2}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := jsonpath.Open(text)
		if err != nil {
			if !errors.Is(err, jsonpath.ErrSyntax) || len(text) < 512 && json.Valid(text) && utf8.Valid(text) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q isn't JSON", text)
		}
		p, _ := jsonpath.Parse("$")
		value, ok := d.Get(p)
		if !ok {
			t.Fatalf("%q has no root", text)
		}
		if got, want := string(jsonpath.AppendCompact(nil, value)), print(decode(t, text)); got != want {
			t.Fatalf("%q: got %s, want %s", text, got, want)
		}
	})
}
