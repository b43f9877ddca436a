package vtl_test

import "strings"

// deep is a value that is nested as deep as values may be.
func deep(name, around string) string {
	return `#set($` + name + ` = [1])#foreach($i in [1..500])#set($` + name + ` = ` + around + `)#end`
}

var (
	texts = kilo + `#set($l = [])#foreach($i in [1..1000])#foreach($j in [1..10])#set($x = $l.add("$k$i"))#end#end`
	rows  = `#set($l = [])#foreach($i in [1..300])#set($x = $l.add([1..1000]))#end`
	kept  = `#set($kept = [])`
)

// moreAttacks are those of the same kinds that came later.
var moreAttacks = []attack{
	// Loops around what is expensive.
	{"lists-in-lists", large + `#foreach($a in $l)#foreach($b in $l)#foreach($c in $l)#set($x = $l.indexOf($c))#end#end#end`},
	{"backward-ranges", forever(`#foreach($i in [2147483647..-2147483648])#end`)},
	{"null-turns", `#set($l = [$\!n, $\!n, $\!n])` + forever(`#foreach($x in $l)#set($x = 1)$x#end`)},
	{"infos", forever(`#set($x = "$foreach.info")`)},
	{"put-into-loops", forever(`#set($foreach["$a-$b-$c"] = 1)`)},
	{"outer-loops", strings.Repeat(`#foreach($x in [1])`, 90) + forever(`$foreach`+strings.Repeat(`.parent`, 90)+`.index`) +
		strings.Repeat("#end", 90)},
	{"iterated-twice", large + `#set($i = $l.iterator())` + forever(`#foreach($x in $i)#end#set($i = $l.iterator())`)},
	{"blocks-printed", mega + `#define($d)$s#end` + forever(`$d`)},
	{"blocks-in-texts", kilo + `#define($d)$k$k$k#end` + forever(`#set($x = "$d$d$d$d")`)},
	{"blocks-as-arguments", mega + `#define($d)$s#end#set($l = [])` + forever(`#set($x = $l.contains($d))`)},
	{"macros", `#macro(m)#m()#end` + forever(`#m()`)},
	{"evaluated", mega + forever(`#evaluate("$s")`)},
	{"references-in-a-text", forever(`#set($x = "` + strings.Repeat("$a", 20000) + `")`)},
	{"escapes", forever(strings.Repeat(`\\\$a`, 10000))},
	{"conditions", forever(`#if(!(` + strings.Repeat(`$a == 0 || `, 10000) + `false))#end`)},
	// Texts.
	{"text-and-list", large + forever(`#set($x = "a" + $l)`)},
	{"texts-of-lists-doubled", `#set($l = [1..1000])` + forever(`#set($l = ["$l$l"])`)},
	{"value-of-a-shared-list", nestedTwice("d", "[1]", "[$d, $d]", "60") + `#set($k = "")` + forever(`#set($x = $k.valueOf($d))`)},
	{"replaced-by-itself", `#set($s = "aaaaaaaaaa")` + forever(`#set($s = $s.replace("a", $s))`)},
	{"replaced-letters", many + `#set($b = "bcb")` + forever(`#set($x = $s.replace($s.charAt(0), $b.charAt(0)))`)},
	{"letters-as-texts", many + forever(`#set($x = $s.charAt(150000).toString())`)},
	{"split-and-joined", many + forever(`#set($s = "$s.split("""")$s")`)},
	{"starts-with", mega + `#set($t = $s.concat("x"))` + forever(`#set($x = $s.startsWith($t))`)},
	{"content-equals", mega + `#set($t = "x$s")#set($t = $t.substring(1))` + forever(`#set($x = $s.contentEquals($t))`)},
	{"bits", `#set($n = 1)` + forever(`#set($x = $n.toBinaryString(-1))`)},
	{"parsed-integers", doubled("s", "0000000000", 13) + `#set($n = 1)` + forever(`#set($x = $n.parseInt($s))`)},
	{"bad-integers", doubled("s", "xxxxxxxxxx", 17) + `#set($n = 1)#set($x = $n.parseInt($s))`},
	{"remainders", square + `#set($k = $n + 1)` + forever(`#set($x = $n % $k)`)},
	{"printed-integers", square + forever(`#set($x = "$n$n$n$n")`)},
	{"hashed-integers", square + `#set($m = {})` + forever(`#set($x = $m.put($n, 1))#set($x = $n.hashCode())`)},
	// Regular expressions.
	{"replaced-first", many + forever(`#set($x = $s.replaceFirst("(.*)(.*)x", "b"))`)},
	{"groups-doubled", `#set($s = "aaaaaaaaaa")` + forever(`#set($s = $s.replaceAll("(a)", "$1$1$1$1$1$1$1$1$1$1"))`)},
	{"nested-repetitions", many + forever(`#set($x = $s.matches("((a*)*)*b"))`)},
	{"counted-repetitions", many + forever(`#set($x = $s.matches("(a{1,30}){1,30}b"))`)},
	{"alternatives", many + forever(`#set($x = $s.split("(a|aa|aaa|aaaa)*b"))`)},
	{"ends", mega + forever(`#set($x = $s.replaceAll("[0-9]*$", ""))`)},
	{"letters-of-any-case", umlaut + forever(`#set($x = $s.replaceAll("(?i)[äöü]", ""))`)},
	{"escaped-replacements", many + forever(`#set($x = $s.replaceAll("a", "`+strings.Repeat(`\\`, 200)+`"))`)},
	{"split-with-limits", many + forever(`#set($x = $s.split("a?", 2147483647))`)},
	// Lists.
	{"long-texts-searched", texts + forever(`#set($x = $l.contains("$k#"))`)},
	{"lists-searched", rows + `#set($r = [1..999])#set($x = $r.add(0))` + forever(`#set($x = $l.contains($r))`)},
	{"lists-contained", rows + forever(`#set($x = $l.containsAll($l))`)},
	{"lists-retained", rows + forever(`#set($x = $l.retainAll([[1..1000]]))`)},
	{"removed-by-value", large + forever(`#set($x = $l.remove("x"))`)},
	{"inserted-lists", large + forever(`#set($x = $l.addAll(0, [1, 2, 3]))`)},
	{"deep-compared", deep("d", "[$d]") + deep("e", "[$e]") + forever(`#set($x = $d.equals($e))`)},
	{"deep-hashed", deep("d", `{"a": $d}`) + forever(`#set($x = $d.hashCode())`)},
	{"deep-printed", deep("d", `[$d]`) + forever(`#set($x = "$d")`)},
	{"list-in-itself-set", `#set($l = [1..1000])#foreach($i in [0..999])#set($x = $l.set($i, [$l]))#end` + forever(`#set($x = $l.hashCode())`)},
	{"sub-lists-kept", large + kept + forever(`#set($x = $kept.add($l.subList(0, 99999)))`)},
	{"ranges-kept", kept + forever(`#set($x = $kept.add([1..1000]))`)},
	{"iterators-kept", large + kept + forever(`#set($x = $kept.add($l.iterator()))`)},
	{"arrays-kept", many + kept + forever(`#set($x = $kept.add($s.split("a", -1)))`)},
	{"integers-kept", square + kept + forever(`#set($p = $n * $n)#set($x = $kept.add($p))`)},
	{"letters-kept", many + kept + forever(`#set($x = $kept.add($s.charAt($a)))`)},
	{"ranges-in-lists", forever(`#set($x = [[1..1000], [1..1000], [[1..1000]]])`)},
	// Maps.
	{"map-put-into-itself", keys + forever(`#set($x = $m.putAll($m))`)},
	{"map-literal", forever(`#set($x = {` + strings.Repeat(`"$a": 1, `, 10000) + `"b": 2})`)},
	{"views-kept", keys + kept + forever(`#set($x = $kept.add($m.entrySet()))`)},
	{"long-keys", mega + `#set($t = "x$s")#set($t = $t.substring(1))#set($m = {$s: 1})` + forever(`#set($x = $m.get($t))#set($x = $m[$t])`)},
	{"index-by-a-shared-list", nestedTwice("d", "[1]", "[$d, $d]", "60") + `#set($m = {"a": 1})` + forever(`#set($x = $m[$d])`)},
	{"values-contained", keys + forever(`#set($x = $m.values().containsAll($m.values()))`)},
	{"entries-compared", keys + forever(`#set($x = $m.entrySet().contains(1))`)},
	{"keys-retained", keys + large + forever(`#set($x = $l.retainAll($m.values()))#set($l = [1..10000])`)},
	{"maps-in-maps", `#set($m = {})` + forever(`#set($m = {"a": $m, "b": $m})#if($c == 400)#set($x = $m.hashCode())#end`)},
}
