package vtl_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// A generator writes templates by the grammar, and now and then against it. It is deterministic.
type generator struct {
	*rand.Rand
	b     strings.Builder
	depth int
	names int
	loops int
}

// generate returns a template.
func generate(rnd *rand.Rand) string {
	g := &generator{Rand: rnd}
	switch g.IntN(10) {
	case 0: // signs in any order
		for range 1 + g.IntN(12) {
			g.b.WriteString(g.pick(fragments...))
		}
	case 1: // a good one with a wound
		g.statements(1 + g.IntN(4))
		return wound(rnd, g.b.String())
	default:
		g.statements(1 + g.IntN(6))
	}
	return g.b.String()
}

// wound takes something out, puts something in, or doubles something.
func wound(rnd *rand.Rand, s string) string {
	if s == "" {
		return s
	}
	i := rnd.IntN(len(s))
	for i > 0 && s[i]&0xc0 == 0x80 {
		i--
	}
	switch rnd.IntN(3) {
	case 0:
		j := i + 1
		for j < len(s) && s[j]&0xc0 == 0x80 {
			j++
		}
		return s[:i] + s[j:]
	case 1:
		return s[:i] + fragments[rnd.IntN(len(fragments))] + s[i:]
	}
	return s[:i] + s[i:] + s[i:]
}

func (g *generator) pick(s ...string) string { return s[g.IntN(len(s))] }

func (g *generator) write(s ...string) {
	for _, t := range s {
		g.b.WriteString(t)
	}
}

// within runs f, or leaf once it is deep.
func (g *generator) within(f, leaf func()) {
	if g.depth > 4 || g.b.Len() > 1500 {
		leaf()
		return
	}
	g.depth++
	f()
	g.depth--
}

var fragments = []string{
	"$", "#", "\\", "\\\\", "!", "$!", "{", "}", "[", "]", "(", ")", ".", "..", ",", ":", "\"", "'", " ", "  ", "\n", "\r\n", "\t", "x", "word", "1", "-", "-1",
	"2.5", "1e3", "é", "😀", "$word", "${word}", "$!word", "$!{word}", "$undefined", "$list[0]", "$list.size()", "$map.k", "$map[\"k\"]", "#if", "#if(", "#if($yes)", "#else", "#{else}",
	"#elseif($yes)", "#end", "#{end}", "#set", "#set(", "#set($x = 1)", " #set($x=2)", "#foreach", "#foreach($i in $list)", "#stop", "#break", "#define($d)", "#macro(m)", "#literal()", "##", "#*", "*#",
	"#**", "#[[", "]]#", "=", "==", "&&", "||", "<", ">", "and", "in", "true", "false", "$word.", "$word.length", "$word.length(", "#foo", "#foo(", "#foo($word)", "#@foo", "#@foo()", "#1", "#evaluate(\"$word\")", "\\#if", "\\$word",
	"\\\\$word", "$5", "$[", "$.", "$!.", "$$", "##\n", "#{", "#{set}", "#{if}", "$\\!word", "$#",
}

func (g *generator) text() {
	g.write(g.pick("a", "b ", " c", "\n", "  ", "{\"k\": ", "}", ", ", ".", "-", "[", "]", "\t", "Zoë", "\r\n", "$ ", "$5", "# ", "#1", "\\", "\\n", "x.y", "!", "(", ")", "\"", "'", "%", "@", "&", "=", ":", "/", "<b>", "#ff", "\\\\ "))
}

func (g *generator) statements(n int) {
	for range n {
		g.statement()
	}
}

func (g *generator) name() string {
	return g.pick("word", "text", "empty", "one", "num", "neg", "long", "half", "yes", "no", "list", "map", "a-b", "x", "y", "z", "undefined", "l", "m", "e")
}

func (g *generator) statement() {
	switch g.IntN(20) {
	case 0, 1, 2, 3:
		g.text()
	case 4, 5, 6, 7:
		g.escape()
		g.reference()
		g.write(g.pick("", "", " ", ".", "\n", "x", "-"))
	case 8, 9, 10, 11:
		g.write(g.pick("", "", "", " ", "\n  "))
		g.set()
		g.write(g.pick("", "", "\n", " \n", "  ", "\r\n"))
	case 12, 13, 14:
		g.within(g.ifStatement, g.text)
	case 15, 16:
		g.within(g.foreach, g.text)
	case 17:
		g.write(g.pick("## line\n", "##\n", "#* c *#", "#** d *#", "#[[ $word #if ]]#", "##$word\r\n", "#*\n*#\n"))
	case 18:
		g.within(g.rare, g.text)
	case 19:
		g.write(g.pick("\\#if($yes)", "\\#set($x = 1)", "\\#end", "\\\\#if($yes)a#end", "\\#foo", "\\#{if}", "#foo", "#foo($word)", "#foo( $word 1 \"s\" )\n", "#{foo}", "#show", "#return(1)", "#evaluate(\"$word\")", "\\#foreach", "\\\\\\#else"))
	}
}

func (g *generator) escape() {
	if g.IntN(6) == 0 {
		g.write(g.pick("\\", "\\\\", "\\\\\\", "\\\\\\\\", "$", "#"))
	}
}

func (g *generator) end() string {
	return g.pick("#end", "#end", "#end", "#{end}", "#end\n", "#end  \n", "#end ", "#end\r\n")
}

func (g *generator) rare() {
	switch g.IntN(8) {
	case 0:
		g.write("#define($", g.pick("d", "x"), ")")
		g.statements(1 + g.IntN(2))
		g.write("#end", g.pick("", "\n"), "$d", g.pick("", "()", "$!d"))
	case 1:
		g.names++
		g.write("#macro(own", strconv.Itoa(g.names), " $p)[$p]#end#own", strconv.Itoa(g.names), "(1)")
	case 2:
		g.write("#literal()")
		g.statements(1 + g.IntN(2))
		g.write("#end")
	case 3:
		g.write(g.pick("#stop", "#break", "#stop\n", "#{stop}x", "#break()", "#stop($word)"))
	case 4:
		g.write("#foreach($e in ", g.pick("$map.entrySet()", "$m.entrySet()", "$map.keySet()", "$map.values()", "$list.iterator()"), ")$e ", g.pick("$e.key", "$e.value", "$e.getKey()", "$velocityCount"), "#end")
	case 5:
		g.write("#foreach($i in $list)$foreach.", g.pick("index", "count", "hasNext", "first", "last", "parent", "parent.count", "topmost.index", "nope", "isFirst()", "hasNext()", "getIndex()"), g.pick(" ", ","), "#end")
	case 6:
		g.write("#foreach($i in [1..3])#foreach($j in [1..2])$foreach.parent.index.$foreach.index #if($i == 2)#break", g.pick("", "($foreach)", "($foreach.parent)"), "#end#end#end")
	case 7:
		g.write("#set($s = ", "\"#foreach($q in $list)$q#if($foreach.hasNext),#end#end\"", ")$s")
	}
}

func (g *generator) ifStatement() {
	g.write(g.pick("#if(", "#if (", "#{if}("))
	g.expression()
	g.write(")", g.pick("", "", "\n", " \n", " "))
	g.statements(1 + g.IntN(3))
	if g.IntN(4) == 0 {
		g.write("#elseif(")
		g.expression()
		g.write(")", g.pick("", "\n"))
		g.statements(1)
	}
	if g.IntN(3) == 0 {
		g.write(g.pick("#else ", "#{else}", "#else\n", "#else  \n"))
		g.statements(1)
	}
	g.write(g.end())
}

func (g *generator) foreach() {
	g.write("#foreach($", g.pick("i", "x", "word", "j"), " in ")
	switch g.IntN(6) {
	case 0:
		g.write("[", strconv.Itoa(g.IntN(5)-2), "..", g.pick("3", "1", "-1", "$one", "$neg"), "]")
	case 1:
		g.listLiteral()
	case 2:
		if g.loops == 0 && g.IntN(4) == 0 {
			g.write("[1..1100]")
			break
		}
		g.write(g.pick("$map", "$word", "$undefined", "$map.sub", "$word.split(\"e\")", "[]", "{}"))
	default:
		g.write(g.pick("$list", "$l", "$map.values()", "${list}"))
	}
	g.write(")", g.pick("", "", "\n"))
	g.loops++
	g.statements(1 + g.IntN(3))
	g.loops--
	g.write(g.pick("$i", "$!x", "$velocityCount", "$foreach.count", "$velocityHasNext"))
	g.write(g.end())
}

func (g *generator) set() {
	g.write(g.pick("#set(", "#set( ", "#set ($", "#{set}("))
	if s := g.b.String(); s[len(s)-1] != '$' {
		g.write("$")
	}
	switch g.IntN(8) {
	case 0:
		g.write("map.", g.pick("k", "new", "sub"))
	case 1:
		g.write("map[\"", g.pick("k", "q r", "n"), "\"]")
	case 2:
		g.write("list[", g.pick("0", "1", "-1", "$one"), "]")
	case 3:
		g.write("x.y")
	default:
		g.write(g.pick("x", "y", "z", "l", "m", "word", "num"))
	}
	g.write(g.pick(" = ", "=", " =", "= "))
	g.expression()
	g.write(g.pick("", "", " "), ")")
}

func (g *generator) expression() {
	g.within(func() {
		switch g.IntN(12) {
		case 0, 1, 2, 3:
			g.operand()
		case 4, 5:
			g.operand()
			g.write(g.pick(" + ", "+", " - ", "*", " * ", "/", " / ", "%", " % "))
			g.operand()
		case 6, 7:
			g.operand()
			g.write(g.pick(" == ", "==", " != ", " < ", ">", " >= ", "<=", " eq ", " ne ", " lt ", " gt ", " le ", " ge "))
			g.operand()
		case 8:
			g.expression()
			g.write(g.pick(" && ", "||", " and ", " or ", "&&"))
			g.expression()
		case 9:
			g.write(g.pick("!", "! ", "not ", "!!"))
			g.expression()
		case 10:
			g.write("(")
			g.expression()
			g.write(")")
		case 11:
			g.operand()
			g.write(g.pick(" + ", " * ", " == "))
			g.expression()
		}
	}, g.operand)
}

func (g *generator) operand() {
	switch g.IntN(12) {
	case 0, 1, 2, 3:
		g.reference()
	case 4, 5:
		g.number()
	case 6, 7:
		g.stringLiteral()
	case 8:
		g.write(g.pick("true", "false"))
	case 9:
		g.within(g.listLiteral, g.number)
	case 10:
		g.within(g.mapLiteral, g.number)
	case 11:
		g.write("[", strconv.Itoa(g.IntN(4)), g.pick("..", " .. "), strconv.Itoa(g.IntN(4)), "]")
	}
}

func (g *generator) number() {
	g.write(g.pick("0", "1", "2", "7", "10", "-1", "-3", "1.5", "2.0", ".5", "5.", "1e3", "0.001", "100000000", "2147483647", "-2147483648", "9223372036854775807", "12345678901234567890", "0.1", "1.0E10", "3"))
}

func (g *generator) stringLiteral() {
	if g.IntN(2) == 0 {
		g.write("'", g.pick("", "a", "it''s", "$word", "b c", "#if", "10", "Zoë", "\\n", "1"), "'")
		return
	}
	g.write("\"")
	switch g.IntN(4) {
	case 0:
		g.write(g.pick("", "a", "say \"\"hi\"\"", "10", "Zoë", "\\u00e9", "1", "k", "tea"))
	case 1:
		g.write(g.pick("$word", "${word}s", "$undefined", "a $num b", "$", "\\$word", "\\\\$word", "#", "5$", "$list", "${list}[0]", "$map.k"))
	case 2:
		g.write(g.pick("#if($yes)y#end", "#if($num > 5)big#{else}small#end", "## c", "#* c *#x", "a##", "#foreach($i in [1..3])$i#end", "#set($x = 5)$x", "#foo", "x#stop", "#[[ $x ]]#", "\n$word\n"))
	case 3:
		g.write(g.pick("$word.length()", "$word.substring(1)", "$list.get(0)", "$word.contains('e')", "${map.k}x"))
	}
	g.write("\"")
}

func (g *generator) listLiteral() {
	g.write("[")
	for i := range g.IntN(4) {
		if i > 0 {
			g.write(g.pick(",", ", "))
		}
		g.parameter()
	}
	g.write("]")
}

func (g *generator) mapLiteral() {
	g.write("{")
	for i := range g.IntN(3) {
		if i > 0 {
			g.write(g.pick(",", ", "))
		}
		g.write(g.pick("\"k\"", "'j'", "1", "$word", "\"$word\"", "true"), g.pick(":", " : "))
		g.parameter()
	}
	g.write(g.pick("}", " }"))
}

func (g *generator) parameter() {
	g.within(func() {
		switch g.IntN(8) {
		case 0, 1:
			g.number()
		case 2, 3:
			g.stringLiteral()
		case 4, 5:
			g.reference()
		case 6:
			g.listLiteral()
		case 7:
			g.mapLiteral()
		}
	}, g.number)
}

func (g *generator) reference() {
	name := g.name()
	switch g.IntN(4) {
	case 0:
		g.write("${", name)
		g.steps()
		g.write("}")
	case 1:
		g.write("$!", name)
		g.steps()
	default:
		g.write("$", name)
		g.steps()
	}
}

func (g *generator) steps() {
	for g.IntN(3) == 0 {
		switch g.IntN(4) {
		case 0:
			g.write(".", g.pick("k", "n", "sub", "size", "nope", "empty", "a-1", "Length", "key"))
		case 1:
			g.write("[", g.pick("0", "1", "-1", "$one", "\"k\"", "'n'", " 0 ", "7", "true"), "]")
		default:
			g.within(func() { g.write(".", g.method()) }, func() { g.write(".size()") })
		}
	}
}

func (g *generator) method() string {
	return g.pick(
		"length()", "size()", "substring(1)", "substring(1, 2)", "substring($one)", "indexOf(\"e\")", "lastIndexOf('a')", "indexOf(\"a\", 1)", "contains(\"e\")", "contains(1)",
		"startsWith(\"t\")", "endsWith(\"a\")", "equals(\"tea\")", "equals(42)", "equalsIgnoreCase(\"TEA\")", "compareTo(\"tez\")", "matches(\"t.*\")", "matches('[a-z]+')",
		"replace(\"e\", \"ee\")", "replaceAll(\"[aeiou]\", \"*\")", "replaceAll('(t)(e)', '$2$1')", "replaceAll(\"x*\", \"-\")", "replaceFirst(\"[a-z]\", \"#\")", "split(\"e\")", "split(\"\")", "split(\"e\")[0]", "split(\"a\").size()",
		"toUpperCase()", "toLowerCase()", "trim()", "concat(\"!\")", "charAt(0)", "charAt(9)", "isEmpty()", "toString()", "hashCode()",
		"get(0)", "get(\"k\")", "get($one)", "add(\"x\")", "add(0, 'y')", "set(0, 9)", "remove(0)", "remove(\"b\")", "addAll([7, 8])", "subList(0, 1)", "clear()", "lastIndexOf(\"b\")", "containsAll(['a'])",
		"put(\"k\", 5)", "put(\"new\", 'w')", "putAll({\"z\":1})", "containsKey(\"k\")", "containsValue(\"v\")", "keySet()", "values()", "entrySet()", "getOrDefault(\"q\", 1)", "remove(\"k\")",
		"intValue()", "longValue()", "doubleValue()", "parseInt(\"7\")", "parseInt(\"x\")", "valueOf(\"8\")", "compareTo(1)", "equals(1)", "nope()", "nope(1, 2)", "length(1)", "substring(\"1\")",
		"get($num)", "contains($word)", "equals($undefined)", "concat($word)", "put($word, $num)", "add($list.size())", "concat(null)", "contains()",
	)
}
