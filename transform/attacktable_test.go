package transform_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// forever runs a template a billion times.
func forever(of string) string {
	return "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])" + of + "#end#end#end"
}

// shared is a list of which each level has the one below twice.
const shared = `#set($d = [1])#foreach($i in [1..60])#set($d = [$d, $d])#end`

// quoted are names for a union, 676 of them.
func quotedNames() string {
	var names []string
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			names = append(names, fmt.Sprintf("'%c%c'", a, b))
		}
	}
	return strings.Join(names, ",")
}

// members is an object of distinct members, of about so many bytes.
func members(size int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `"m%d":%d,`, i, i)
	}
	return b.String() + `"zz":1}`
}

// variableAttacks are what templates and bodies may try with $input, $util and $context.
var variableAttacks = []struct {
	name, template string
	body           func(size int) string
}{
	{"union-of-names", `$input.json("$[` + quotedNames() + `]")`, members},
	{"unions-of-names", forever(`#set($x = $input.json("$[` + quotedNames() + `]"))`), members},
	{"union-of-indexes", forever(`#set($x = $input.json("$[` + strings.Repeat("-1,", 800) + `0]"))`), elements("0,")},
	{"slices", forever(`#set($x = $input.json("$[-2:]"))`), elements("0,")},
	{"from-the-end", forever(`#set($x = $input.json("$[-1]"))`), elements("[],")},
	{"wildcard", forever(`#set($x = $input.json("$.*.ghost"))`), members},
	{"descents", forever(`#set($x = $input.json("$..ghost"))`), elements(`{"a":[{}]},`)},
	{"descents-in-descents", `$input.json("$..*..*..*")`, elements(`[[[]]],`)},
	{"deep", `$input.json("$..a..a..a")`, func(size int) string {
		return strings.Repeat(`{"a":`, 500) + `"` + strings.Repeat("x", size-5000) + `"` + strings.Repeat("}", 500)
	}},
	{"filters", forever(`#set($x = $input.json("$[?(@.a > 1 && @.b < 2 || @.c)]"))`), elements(`{"a":1},`)},
	{"filters-over-the-whole", `$input.json("$.l[?(@ == $.l)]")`, func(size int) string { return `{"l":[` + strings.Repeat("[1],", size/4-10) + `0]}` }},
	{"filters-in-filters", `$input.json("$[?(@.a[?($..a[?($..b)])])]")`, elements(`{"a":[1,2]},`)},
	{"filters-by-pattern", `$input.json("$[?(@ =~ /(.*.*.*){100}x/)]")`, elements(`"aaaaaaaaaaaaaaaaaaaaaaaa",`)},
	{"filters-compiled-anew", forever(`#set($x = $input.json("$[?(@ =~ /(a?b?c?){200}$a$b$c/)]"))`), elements("0,")},
	{"filters-with-folded-ranges", forever(`#set($x = $input.json("$[?(@ =~ /(?i)[B-\x{1E942}][B-\x{1E942}]$a$b$c/)]"))`), elements("0,")},
	{"long-numbers-compared", `$input.json("$.l[?(@ == $.n)]")`, func(size int) string {
		return `{"n":` + strings.Repeat("9", size/2) + `,"l":[` + strings.Repeat("1,", size/4) + `1]}`
	}},
	{"expressions", forever(`#set($x = $input.path("$.a$a.b$b.c$c"))`), members},
	{"expression-of-a-shared-list", shared + forever(`#set($x = $input.path($d))`), members},
	{"parameter-of-a-shared-list", shared + forever(`#set($x = $input.params($d))`), members},
	{"decoded", forever(`#set($x = $input.path("$"))`), members},
	{"decoded-lists", forever(`#set($x = $input.path("$"))`), elements("[[0]],")},
	{"decoded-maps", forever(`#set($x = $input.path("$"))`), elements(`{"":0},`)},
	{"decoded-numbers", forever(`#set($x = $input.path("$"))`), elements("1.23456789012345678901234e-300,")},
	{"decoded-integers", forever(`#set($x = $input.path("$"))`), elements(strings.Repeat("9", 4000) + ",")},
	{"decoded-escapes", forever(`#set($x = $input.path("$"))`), elements(`"` + strings.Repeat(`\u00e9`, 50) + `",`)},
	{"decoded-and-kept", `#set($l = [])` + forever(`#set($x = $l.add($input.path("$")))`), elements("[],")},
	{"written", forever(`#set($x = $input.json("$"))`), members},
	{"written-lists", forever(`#set($x = $input.json("$"))`), elements("[],")},
	{"body", forever(`#set($x = $input.body)`), members},
	{"body-as-text", forever(`#set($x = $input.json("$"))`), func(size int) string { return "x" + strings.Repeat("\x01", size-1) }},
	{"escaped", `#set($s = $input.body)` + forever(`#set($x = $util.escapeJavaScript($s))`), func(size int) string { return strings.Repeat("é", size/2) }},
	{"url-encoded", `#set($s = $input.body)` + forever(`#set($x = $util.urlEncode($s))`), func(size int) string { return strings.Repeat("é", size/2) }},
	{"url-decoded", `#set($s = $input.body)` + forever(`#set($x = $util.urlDecode($s))`), func(size int) string { return strings.Repeat("%FF", size/3) }},
	{"base64-encoded", `#set($s = $input.body)` + forever(`#set($x = $util.base64Encode($s))`), members},
	{"base64-decoded", `#set($s = $input.body)` + forever(`#set($x = $util.base64Decode($s))`), func(size int) string { return strings.Repeat("////", size/4) }},
	{"parsed", `#set($s = $input.body)` + forever(`#set($x = $util.parseJson($s))`), elements(`{"a":{}},`)},
	{"parsed-and-kept", `#set($s = $input.body)#set($l = [])` + forever(`#set($x = $l.add($util.parseJson($s)))`), elements(`"",`)},
	{"parsed-deep", `#set($s = $input.body)` + forever(`#set($x = $util.parseJson($s))`), func(size int) string {
		return strings.Repeat("[", 500) + strings.Repeat("0,", size/2-1000) + "0" + strings.Repeat("]", 500)
	}},
	{"escaped-again", `#set($s = $input.body)` + forever(`#set($s = $util.escapeJavaScript($s))`), func(size int) string { return strings.Repeat("'", size) }},
	{"url-encoded-again", `#set($s = $input.body)` + forever(`#set($s = $util.urlEncode($s))`), func(size int) string { return strings.Repeat("%", size) }},
	{"base64-encoded-again", `#set($s = $input.body)` + forever(`#set($s = $util.base64Encode($s))`), members},
	{"body-lists-searched", `#set($l = $input.path("$"))` + forever(`#set($x = $l.containsAll($l))`), elements("[[0]],")},
	{"body-split", `#set($s = $input.body)` + forever(`#set($x = $s.split(""))`), func(size int) string { return strings.Repeat("é", size/2) }},
	{"body-replaced", `#set($s = $input.body)` + forever(`#set($x = $s.replaceAll("(.)(.)", "$2$1"))`), func(size int) string { return strings.Repeat("é", size/2) }},
	{"unions-of-slices", forever(`#set($x = $input.json("$[0:,0:,0:,0:,0:,0:,0:,0:]"))`), elements("0,")},
	{"everything", forever(`#set($x = $input.json("$..*"))`), elements(`{"a":[0]},`)},
	{"everything-decoded", forever(`#set($x = $input.path("$..*"))`), elements(`{"a":[0]},`)},
	{"context-filled", forever(`#set($context["$a-$b-$c"] = 1)`), members},
	{"context-listed", `#foreach($i in [1..1000])#set($context["$i"] = 1)#end` + forever(`#set($x = $context.keySet())`), members},
	{"context-with-long-names", `#set($s = $input.body)#foreach($i in [1..20])#set($context["$s$i"] = 1)#end` + forever(`#set($x = $context.size())`), elements("0,")},
	{"context-asked-for-a-shared-list", shared + forever(`#set($x = $context.get($d))`), members},
	{"context-asked-for-long-names", `#set($s = $input.body)` + forever(`#set($x = $context.get($s))`), members},
	{"override-of-a-shared-list", shared + `#foreach($i in [1..1000])#set($context.responseOverride.header["x$i"] = $d)#end`, members},
	{"overrides", forever(`#set($context.requestOverride.header["x$a-$b-$c"] = "x")`), members},
	{"override-of-many-values", `#set($l = [1..1000000])#foreach($i in [1..1000])#set($context.requestOverride.querystring["x$i"] = $l)#end`, members},
}

func elements(of string) func(int) string {
	return func(size int) string { return "[" + strings.Repeat(of, size/len(of)) + "0]" }
}

// Each ends by a limit, or was none, whatever the machine. How long each takes with a body of 10 MB
// and the default limits tells
//
//	go test -run '^$' -bench VariableAttacks -benchtime 1x -benchmem ./transform
func TestVariableAttacksEndByALimit(t *testing.T) {
	limits := vtl.Options{MaxOutputBytes: 1 << 20, MaxSteps: 20_000_000 / 40, MaxAllocBytes: 128 << 20 / 10}
	for _, tt := range variableAttacks {
		t.Run(tt.name, func(t *testing.T) {
			m, err := transform.NewREST(transform.RESTConfig{
				Type: transform.Mock, RequestTemplates: map[string]string{"application/json": tt.template}, IntegrationResponses: defaultResponse,
				Limits: limits,
			})
			require.NoError(t, err)
			w := httptest.NewRecorder()
			m.Middleware(nil).ServeHTTP(w, post(tt.body(200_000)))
			require.Equal(t, 500, w.Code) // none makes a status
		})
	}
}

func BenchmarkVariableAttacks(b *testing.B) {
	for _, tt := range variableAttacks {
		b.Run("attack="+tt.name, func(b *testing.B) {
			b.ReportAllocs()
			template, err := transform.NewTemplate("attack", tt.template)
			require.NoError(b, err)
			body := []byte(tt.body(10_000_000))
			done := reportCPU(b)
			for b.Loop() {
				_, _ = template.Render(post(""), body)
			}
			done()
		})
	}
}

// All overrides together are bounded, and not only each.
func TestOverridesAreBounded(t *testing.T) {
	for n, want := range map[string]bool{"2": true, "3": false} {
		template, err := transform.NewTemplate("t", `#foreach($i in [1..`+n+`])#set($context.responseOverride.header["x$i"] = $input.body)#end`)
		require.NoError(t, err)
		_, err = template.Render(post(""), []byte(strings.Repeat("x", 500_000)))
		require.Equal(t, want, err == nil, n)
	}
}
