package vtl_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// doubled is a template that makes $name a text of 2^n times what is given.
func doubled(name, text string, n int) string {
	return `#set($` + name + ` = '` + text + `')#foreach($i in [1..` + number(n) + `])#set($` + name + ` = "$` + name + `$` + name + `")#end`
}

func number(n int) string {
	return string(rune('0'+n/10)) + string(rune('0'+n%10))
}

// forever runs a template a billion times.
func forever(of string) string {
	return "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])" + of + "#end#end#end"
}

// nested makes $name a value that holds the one before twice, so deep.
func nestedTwice(name, seed, twice string, n string) string {
	return `#set($` + name + ` = ` + seed + `)#foreach($i in [1..` + n + `])#set($` + name + ` = ` + twice + `)#end`
}

var (
	kilo   = doubled("k", "0123456789", 7)  // 1.3 KB
	mega   = doubled("s", "0123456789", 17) // 1.3 MB
	as     = doubled("s", "aaaaaaaaaa", 11) // 20 KB
	many   = doubled("s", "aaaaaaaaaa", 14) // 160 KB
	umlaut = doubled("s", "äöüßéèêëĳ", 15)  // 600 KB, of which no letter is ASCII
	pairs  = doubled("s", "😀😀😀😀", 15)       // 512 KB
	large  = `#set($l = [1..100000])`
	keys   = `#set($m = {})#foreach($i in [1..1000])#foreach($j in [1..40])#set($x = $m.put("$i-$j", $j))#end#end`
	lists  = `#set($m = {})#foreach($i in [1..700])#set($x = $m.put([$i, "k"], 1))#end`
	square = `#set($n = 9)#foreach($i in [1..11])#set($n = $n * $n)#end`
)

// An attack is what an author of a template may try to hold up a processor or to fill memory. Each must end, by a result or an
// error, within what Options says.
type attack struct{ name, template string }

var attacks = slices.Concat(firstAttacks, moreAttacks)

var firstAttacks = []attack{
	// Texts.
	{"length", mega + forever(`$s.length()`)},
	{"length-of-pairs", pairs + forever(`#set($x = $s.length())`)},
	{"substring", mega + forever(`#set($x = $s.substring(1))`)},
	{"substring-of-umlauts", umlaut + forever(`#set($x = $s.substring(2, 250000))`)},
	{"substring-in-pairs", pairs + forever(`#set($x = $s.substring(1, 200001))`)},
	{"char-at", umlaut + forever(`#set($x = $s.charAt(250000))`)},
	{"code-point-at", pairs + forever(`#set($x = $s.codePointAt(250000))`)},
	{"index-of", many + `#set($t = $s.substring(1000))#set($t = "${t}b")` + forever(`#set($x = $s.indexOf($t))`)},
	{"index-of-from", umlaut + forever(`#set($x = $s.indexOf("z", 200000))`)},
	{"last-index-of", many + forever(`#set($x = $s.lastIndexOf("baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))`)},
	{"contains", mega + forever(`#set($x = $s.contains("01234567891"))`)},
	{"starts-with-from", umlaut + forever(`#set($x = $s.startsWith("x", 250000))`)},
	{"equals", mega + `#set($t = "${s}a")#set($u = "${s}a")` + forever(`#set($x = $t.equals($u))`)},
	{"equals-ignoring-case", mega + `#set($t = $s.toUpperCase())` + forever(`#set($x = $s.equalsIgnoreCase($t))`)},
	{"equals-ignoring-case-of-umlauts", umlaut + `#set($t = $s.toUpperCase())` + forever(`#set($x = $s.equalsIgnoreCase($t))`)},
	{"compare-to", mega + `#set($t = "${s}a")` + forever(`#set($x = $s.compareTo($t))`)},
	{"compare-ignoring-case", umlaut + `#set($t = "${s}a")` + forever(`#set($x = $s.compareToIgnoreCase($t))`)},
	{"upper-case", mega + forever(`#set($x = $s.toUpperCase())`)},
	{"upper-case-of-umlauts", umlaut + forever(`#set($x = $s.toUpperCase())`)},
	{"lower-case-of-umlauts", umlaut + forever(`#set($x = $s.toLowerCase())`)},
	{"trim", doubled("s", "          ", 17) + forever(`#set($x = $s.trim())`)},
	{"concat", mega + forever(`#set($x = $s.concat($s))`)},
	{"doubled", `#set($s = "0123456789")` + forever(`#set($s = "$s$s")`)},
	{"appended", `#set($s = "")` + forever(`#set($s = $s + "0123456789")`)},
	{"replaced", many + forever(`#set($x = $s.replace("a", "bcdefghijk"))`)},
	{"replaced-by-nothing", many + forever(`#set($x = $s.replace("a", ""))`)},
	{"replaced-nothing", umlaut + forever(`#set($x = $s.replace("", ""))`)},
	{"hash-of-text", umlaut + forever(`#set($x = $s.hashCode())`)},
	{"text-of-number", square + forever(`#set($x = $n.toString())`)},
	{"parsed-number", doubled("s", "1234567890", 8) + `#set($d = 0.5)` + forever(`#set($x = $d.parseDouble("0.$s"))`)},
	{"interpolated", kilo + forever(`#set($x = "$k$k$k$k$k$k$k$k$k$k")`)},
	{"text-in-condition", mega + `#set($t = "${s}a")#set($u = "${s}a")` + forever(`#if($t == $u)#end`)},
	// Regular expressions.
	{"rescans", as + forever(`#set($x = $s.replaceAll(".*x|a", "b"))`)},
	{"rescans-of-much", many + `#set($x = $s.replaceAll(".*x|a", "b"))`},
	{"rescans-of-split", many + `#set($x = $s.split(".*x|a"))`},
	{"rescans-by-three", as + `#set($x = $s.replaceAll("(.*)(.*)(.*)x|a", "b"))`},
	{"groups-in-replacement", many + doubled("r", "$0$0", 10) + `#set($x = $s.replaceAll("a+", $r))`},
	{"many-groups", as + `#set($x = $s.replaceAll("` + strings.Repeat("(a?)", 150) + `", "$1"))`},
	{"named-groups", as + doubled("r", "${zz}", 9) + forever(`#set($x = $s.replaceAll("`+strings.Repeat("(?<a>a?)", 1)+`(?<zz>a)", $r))`)},
	{"many-instructions", as + `#set($x = $s.matches("(a?b?c?d?e?){200}x"))`},
	{"matches", many + forever(`#set($x = $s.matches("(a|a)*(a|a)*(a|a)*b"))`)},
	{"classes", umlaut + forever(`#set($x = $s.replaceAll("[\p{L}&&x]|\p{L}", ""))`)},
	{"unicode-classes", umlaut + forever(`#set($x = $s.replaceAll("\p{Lu}", ""))`)},
	{"empty-matches", many + forever(`#set($x = $s.replaceAll("", ""))`)},
	{"split-to-letters", many + forever(`#set($x = $s.split(""))`)},
	{"split-literally", many + forever(`#set($x = $s.split("a", -1))`)},
	{"word-boundaries", mega + forever(`#set($x = $s.replaceAll("\b", ""))`)},
	{"compiled-anew", forever(`#set($x = "s")#set($x = $x.matches("${b}(a?b?c?d?){900}$c"))`)},
	{"compiled-classes", forever(`#set($x = "s")#set($x = $x.matches("${b}[^\pL\pN][^\pL\pN][^\pL\pN][^\pL\pN][^\pL\pN]$c"))`)},
	{"folded-ranges", forever(`#set($x = "s")#set($x = $x.matches("${b}(?i)` + strings.Repeat(`[B-\x{1E942}]`, 60) + `$c"))`)},
	// Lists.
	{"list-added-to", `#set($l = [])` + forever(`#set($x = $l.add($c))`)},
	{"list-inserted-into", large + forever(`#set($x = $l.add(0, $c))`)},
	{"list-removed-from", large + forever(`#set($x = $l.remove(0))#set($x = $l.add(1))`)},
	{"list-searched", large + forever(`#set($x = $l.contains(0))`)},
	{"list-searched-from-the-end", large + forever(`#set($x = $l.lastIndexOf(0))`)},
	{"remove-all", `#set($l = [1..10000])#set($k = [10001..20000])` + forever(`#set($x = $l.removeAll($k))`)},
	{"retain-all", `#set($l = [1..10000])` + forever(`#set($k = [10001..20000])#set($x = $l.retainAll($l))`)},
	{"remove-all-of-itself", large + `#set($x = $l.removeAll($l))`},
	{"contains-all", large + forever(`#set($x = $l.containsAll($l))`)},
	{"list-doubled", large + forever(`#set($x = $l.addAll($l))`)},
	{"sub-list", large + forever(`#set($x = $l.subList(0, 99999))`)},
	{"to-array", large + forever(`#set($x = $l.toArray())`)},
	{"lists-compared", large + `#set($k = [1..100000])` + forever(`#if($l == $k)#end`)},
	{"list-hash", large + forever(`#set($x = $l.hashCode())`)},
	{"list-hash-of-itself", large + `#set($x = $l.add(0, $l))#set($x = $l.hashCode())`},
	{"list-text", large + forever(`#set($x = $l.toString())`)},
	{"list-literal", forever(`#set($x = [` + strings.Repeat("1,", 20000) + `1])`)},
	{"ranges", forever(`#set($x = [1..1000])`)},
	{"iterators", large + forever(`#set($x = $l.iterator())`)},
	// Maps.
	{"map-filled", `#set($m = {})` + forever(`#set($x = $m.put("$a-$b-$c", 1))`)},
	{"map-with-lists-as-keys", `#set($m = {})` + forever(`#set($x = $m.put([$a, $b, $c], 1))`)},
	{"map-with-deep-keys", large + `#set($m = {$l: 1})#set($k = [1..100000])` + forever(`#set($x = $m.get($k))`)},
	{"map-asked-for-lists", lists + forever(`#set($x = $m.containsKey([0, "k"]))`)},
	{"map-removed-from", keys + forever(`#set($x = $m.remove("1-1"))#set($x = $m.put("1-1", 1))`)},
	{"map-removed-pairs", keys + forever(`#set($x = $m.remove("1-1", 1))#set($x = $m.put("1-1", 1))`)},
	{"map-removed-keys", keys + forever(`#set($x = $m.keySet().remove("1-1"))#set($x = $m.put("1-1", 1))`)},
	{"map-searched", keys + forever(`#set($x = $m.containsValue(0))`)},
	{"map-copied", keys + forever(`#set($n = {})#set($x = $n.putAll($m))`)},
	{"maps-compared", keys + `#set($n = {})#set($x = $n.putAll($m))` + forever(`#if($m == $n)#end`)},
	{"key-sets-compared", keys + `#set($n = {})#set($x = $n.putAll($m))` + forever(`#if($m.keySet() == $n.keySet())#end`)},
	{"key-sets-contained", keys + forever(`#set($x = $m.keySet().containsAll($m.keySet()))`)},
	{"values-searched", keys + forever(`#set($x = $m.values().contains(0))`)},
	{"map-hash", keys + forever(`#set($x = $m.hashCode())`)},
	{"map-text", keys + forever(`#set($x = "$m")`)},
	{"map-as-its-own-key", `#set($m = {})#set($n = {})#set($x = $m.put($n, 1))#set($x = $n.put($m, 1))#if($m == $n)#end$m.hashCode()`},
	{"entries", keys + forever(`#set($x = $m.entrySet().toArray())`)},
	{"small-maps", forever(`#set($x = {"a": {"b": {"c": {}}}})`)},
	// Shared structures.
	{"text-of-shared-lists", nestedTwice("d", "[1]", "[$d, $d]", "60") + forever(`#set($x = "$d")`)},
	{"text-of-shared-empty-lists", nestedTwice("d", "[]", "[$d, $d]", "60") + `$d`},
	{"text-of-shared-maps", nestedTwice("d", "{}", `{"a": $d, "b": $d}`, "60") + `$d`},
	{"text-of-maps-as-keys", nestedTwice("d", "{}", `{[$d, $d]: 1}`, "60") + `$d`},
	{"hash-of-shared-lists", nestedTwice("d", "[1]", "[$d, $d]", "60") + `$d.hashCode()`},
	{"hash-of-shared-maps", nestedTwice("d", "{}", `{"a": $d, "b": $d}`, "60") + `$d.hashCode()`},
	{"shared-lists-compared", nestedTwice("d", "[1]", "[$d, $d]", "60") + nestedTwice("e", "[1]", "[$e, $e]", "60") + `#if($d == $e)#end`},
	{"shared-maps-compared", nestedTwice("d", "{}", `{"a": $d, "b": $d}`, "60") + nestedTwice("e", "{}", `{"a": $e, "b": $e}`, "60") + `#if($d == $e)#end`},
	{"shared-list-beside-text", nestedTwice("d", "[1]", "[$d, $d]", "60") + forever(`#if($d == "x")#end`)},
	{"shared-lists-as-keys", nestedTwice("d", "[1]", "[$d, $d]", "60") + nestedTwice("e", "[1]", "[$e, $e]", "60") + `#set($m = {$d: 1})$m.get($e)`},
	// Numbers.
	{"squared", `#set($n = 9)` + forever(`#set($n = $n * $n)`)},
	{"large-products", square + forever(`#set($x = $n * $n)`)},
	{"large-quotients", square + `#set($k = $n * 7)` + forever(`#set($x = $k / $n)`)},
	{"large-with-doubles", square + forever(`#set($x = $n * 0.5)`)},
	{"large-compared", square + forever(`#if($n > 0.5)#end`)},
	{"large-as-doubles", square + forever(`#set($x = $n.doubleValue())`)},
	{"doubles-printed", `#set($n = 1.0000000000000002)` + forever(`#set($x = "$n$n$n$n")`)},
	// Control.
	{"loops", forever("")},
	{"else-ifs", forever(`#if(false)` + strings.Repeat("#elseif(false)", 10000) + `#end`)},
	{"arguments", `#set($s = "s")` + forever(`#set($x = $s.f(`+strings.Repeat("1,", 10000)+`1))`)},
	{"operators", forever(`#set($x = 1` + strings.Repeat("+1", 10000) + `)`)},
	{"blocks", `#define($b)#define($c)$b$b$b$b#end$c$c$c$c#end$b$b$b`},
	{"blocks-in-conditions", mega + `#define($d)$s$s$s#end` + forever(`#if($d)#end`)},
	{"blocks-of-blocks", `#define($d0)x#end` + blocks(30) + `$d30`},
	{"inner-loops", `#set($l = [1, 2])` + forever(`#foreach($x in $l)#foreach($y in $l)#foreach($z in $l)#end#end#end`)},
	{"loop-properties", strings.Repeat(`#foreach($x in [1])`, 100) + `#foreach($a in [1..1000])#foreach($b in [1..1000])$foreach.topmost.index$foreach.nope#end#end` + strings.Repeat("#end", 100)},
	{"output", mega + forever(`$s`)},
	{"long-text", forever(strings.Repeat("x", 200_000))},
}

func blocks(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		b.WriteString(`#define($d` + number(i) + `)$d` + number(i-1) + `$d` + number(i-1) + `#end`)
	}
	return strings.NewReplacer("$d00", "$d0").Replace(b.String())
}

// What is charged doesn't depend on the machine, so that this does neither: with a fortieth of the default limits each attack ends by a limit, or
// was none. How long each takes with the defaults tells
//
//	go test -run '^$' -bench Attacks -benchtime 1x -benchmem ./transform/vtl
func TestAttacksEndByALimit(t *testing.T) {
	t.Parallel()
	limits := vtl.Options{MaxOutputBytes: 10 << 20 / 2, MaxSteps: 20_000_000 / 40, MaxAllocBytes: 128 << 20 / 10}
	ended := 0
	for _, tt := range attacks {
		t.Run(tt.name, func(t *testing.T) {
			template, err := limits.Parse("test", tt.template)
			require.NoError(t, err)
			if err = template.Execute(io.Discard, nil); err != nil {
				require.IsType(t, &vtl.Error{}, err)
				ended++
			}
		})
	}
	require.Greater(t, ended, 100)
}

func BenchmarkAttacks(b *testing.B) {
	for _, tt := range attacks {
		b.Run("attack="+tt.name, func(b *testing.B) {
			b.ReportAllocs()
			template, err := vtl.Parse("test", tt.template)
			require.NoError(b, err)
			done := reportCPU(b)
			for b.Loop() {
				_ = template.Execute(io.Discard, nil)
			}
			done()
		})
	}
}

// What is charged apart from steps of the template: a key's removal by the keys behind it, the output by what its buffer grows to.
func TestCharges(t *testing.T) {
	for _, tt := range []struct {
		name, template, want string
		limits               vtl.Options
	}{
		{
			"removal", `#set($m = {})#foreach($i in [1..1000])#set($x = $m.put($i, 1))#end#foreach($i in [1..100])#set($x = $m.remove($i))#end`,
			"Options.MaxSteps", vtl.Options{MaxSteps: 60_000},
		},
		{"output", `#foreach($i in [1..500])` + strings.Repeat("x", 2000) + `#end`, "Options.MaxAllocBytes", vtl.Options{MaxAllocBytes: 600_000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			template, err := tt.limits.Parse("test", tt.template)
			require.NoError(t, err)
			require.ErrorContains(t, template.Execute(io.Discard, nil), tt.want)
		})
	}
}

// The first match is found without the others: there are three million.
func TestFirstMatchesOfMany(t *testing.T) {
	for template, want := range map[string]string{
		`#set($x = $s.replaceFirst("[a]", "#"))$x.substring(0, 3) $x.length()`: "#aa 3000000",
		`#set($x = $s.split("[a]", 3))$x.size() $x[2].length()`:                "3 2999998",
		`#set($x = $s.split("a", 2))$x[1].length()`:                            "2999999",
	} {
		got, err := render(template, map[string]any{"s": strings.Repeat("a", 3_000_000)})
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestHalfPairs(t *testing.T) {
	for template, want := range map[string]string{
		`$s.substring(0, 2)`: "a?", `$s.substring(2)`: "?😀b", `$s.substring(2, 4)`: "??", `$s.substring(2, 2)`: "", `$s.substring(1, 3)`: "😀", `$s.substring(2, 3)`: "?",
	} {
		got, err := render(template, map[string]any{"s": "a😀😀b"})
		require.NoError(t, err)
		require.Equal(t, want, got, template)
	}
}
