package vtl_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// What a template from an untrusted author may try: each fails with an error that names a limit, soon and without much memory.
// What doesn't end fails by the test's own deadline.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	// A twentieth of the defaults: what is charged is the same.
	limits := vtl.Options{MaxOutputBytes: 10 << 20 / 20, MaxSteps: 20_000_000 / 20, MaxAllocBytes: 128 << 20 / 20}
	double := func(setup, step string) string {
		return setup + "#foreach($i in [1..1000])" + step + "#end"
	}
	const long = `#set($s = "0123456789")#foreach($i in [1..15])#set($s = $s + $s)#end`
	turns := func(of string) string {
		return "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])" + of + "#end#end#end"
	}
	for _, tt := range []struct{ name, template, want string }{
		{"doubled-text", double(`#set($s = "0123456789")`, `#set($s = $s + $s)`), "Options.MaxOutputBytes"},
		{"doubled-string", double(`#set($s = "0123456789")`, `#set($s = "$s$s")`), "Options.Max"},
		{"concat", double(`#set($s = "0123456789")`, `#set($s = $s.concat($s))`), "Options.MaxOutputBytes"},
		{"replace", double(`#set($s = "0123456789")`, `#set($s = $s.replace("0", $s))`), "Options.MaxOutputBytes"},
		{"replace-nothing", `#set($s = "0123456789")#foreach($i in [1..20])#set($s = $s + $s)#end#set($s = $s.replace("", $s))`, "Options.Max"},
		{"replace-all", double(`#set($s = "0123456789")`, `#set($s = $s.replaceAll("[0-9]", $s))`), "Options.Max"},
		{"doubled-list", double(`#set($l = [1])`, `#set($x = $l.addAll($l))`), "Options.Max"},
		{"inserted-list", double(`#set($l = [1])`, `#set($x = $l.addAll(0, $l))`), "Options.Max"},
		{"range", `#set($l = [-2147483648..2147483647])`, "Options.MaxAllocBytes"},
		{"ranges", double("", `#set($l = [1..10000000])`), "Options.Max"},
		{"squared-integer", double(`#set($n = 9)`, `#set($n = $n * $n)`), "integers of up to 16384 bits"},
		{"loops", `#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#foreach($d in [1..1000])x#end#end#end#end`, "Options.Max"},
		{"silent-loops", `#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#end#end#end`, "Options.Max"},
		{"output", `#set($s = "0123456789")#foreach($i in [1..19])#set($s = $s + $s)#end$s$s$s$s`, "Options.MaxOutputBytes"},
		{"blocks", `#define($a)$b$b$b$b#end#define($b)$c$c$c$c#end#define($c)$d$d$d$d#end#define($d)$e$e$e$e#end#define($e)$f$f$f$f#end#define($f)$g$g$g$g#end#define($g)$a$a$a$a#end$a`, "Options.Max"},
		{"list-in-itself", `#set($l = [1])#set($x = $l.add([$l]))$l`, "nested up to 512 deep"},
		{"map-in-itself", `#set($m = {})#set($m.m = [$m])$m`, "nested up to 512 deep"},
		{"lists-in-each-other-compared", `#set($a = [])#set($b = [])#set($x = $a.add($b))#set($x = $b.add($a))#if($a == $b)same#end`, "values that can be compared"},
		{"list-hash", `#set($l = [])#set($x = $l.add($l))$l.hashCode()`, "nested up to 512 deep"},
		{"twice-each", `#set($l = ["0123456789"])#foreach($i in [1..40])#set($l = [$l, $l])#end$l`, "Options.MaxOutputBytes"},
		{"twice-each-compared", double(`#set($a = [1])#set($b = [1])`, `#set($a = [$a, $a])#set($b = [$b, $b])#if($foreach.count == 100)#stop#end#if($a == $b)#end`), "Options.MaxSteps"},
		{"twice-each-hashed", `#set($l = [1])#foreach($i in [1..200])#set($l = [$l, $l])#end$l.hashCode()`, "Options.MaxSteps"},
		{"list-keys", `#set($m = {})#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = $m.put([$i, $j], 1))#end#end`, "Options.MaxSteps"},
		{"searched-list", `#set($l = [1..1000])#foreach($i in [1..7])#set($x = $l.addAll($l))#end#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = $l.contains(0))#end#end`, "Options.MaxSteps"},
		{"long-texts-compared", long + `#set($t = "x$s")#set($t = $t.substring(1))` + turns(`#if($s == $t)#end`), "Options.MaxSteps"},
		{"long-texts-in-lists", long + `#set($t = "x$s")#set($l = [$t.substring(1)])` + turns(`#if($l == [$s])#end`), "Options.MaxSteps"},
		{"long-numbers", long + `#set($d = 1.5)` + turns(`#set($x = $d.parseDouble($s))`), "Options.MaxSteps"},
		{"long-keys", long + `#set($m = {})#foreach($i in [1..20])#set($x = $m.put($i, 1))#end` + turns(`#set($x = $m.get($s))`), "Options.MaxSteps"},
		{"long-indexes", long + `#set($m = {})#foreach($i in [1..20])#set($x = $m.put($i, 1))#end` + turns(`#set($x = $m[$s])`), "Options.MaxSteps"},
		{"long-names", `#set($m = {})#foreach($i in [1..20])#set($x = $m.put($i, 1))#end` + turns(`#set($x = $m.`+strings.Repeat("a", 250_000)+`)`), "Options.MaxSteps"},
		{"pattern-size", `#set($s = "a")$s.matches("((((a{100}){100}){100}){100}){100}")`, "regular expression"},
		{"large-pattern", `#set($s = "a")$s.matches("(abcdefghijklmnopqrstuvwxyz){999}")`, "a smaller pattern"},
		{"long-pattern", `#set($s = "a")$s.matches("` + strings.Repeat("a", 1001) + `")`, "up to 1000 bytes"},
		{"pattern-time", `#set($s = "aaaaaaaaaa")#foreach($i in [1..15])#set($s = $s + $s)#end#foreach($i in [1..1000])$s.matches("(a|a)*(a|a)*(a|a)*(a|a)*(a|a)*(a|a)*(a|a)*(a|a)*(a|a)*b")#end`, "Options.MaxSteps"},
		{"look-around", `#set($s = "a")$s.matches("(?=a)a")`, "without look-around"},
		{"back-reference", `#set($s = "a")$s.replaceAll("(a)\1", "")`, "without look-around, back references"},
		{"split", `#set($s = "aaaaaaaaaa")#foreach($i in [1..19])#set($s = $s + $s)#end#foreach($i in [1..100])#set($x = $s.split(""))#end`, "Options.Max"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			template, err := limits.Parse("test", tt.template)
			require.NoError(t, err)
			var out strings.Builder
			err = template.Execute(&out, nil)
			require.ErrorContains(t, err, tt.want)
			require.IsType(t, &vtl.Error{}, err)
			require.Empty(t, out.String())
		})
	}
}

// An entry may hold itself, in a list that prints as JSON, too.
func TestEntriesThatHoldThemselves(t *testing.T) {
	for _, template := range []string{
		`#foreach($e in $m.entrySet())#set($x = $e.setValue($e))$e#end`,
		`#foreach($e in $m.entrySet())#set($x = $e.setValue([$e]))$e#end`,
		`#foreach($e in $m.entrySet())#set($x = $e.setValue($e))#set($x = $array.add($e))$array#end`,
		`#foreach($e in $m.entrySet())#set($x = $e.setValue($e))$e.hashCode()#end`,
		`#foreach($e in $m.entrySet())#set($x = $e.setValue($m.entrySet()))$m#end`,
		`#foreach($e in $m.entrySet())#set($x = $array.add($m.values()))#set($x = $e.setValue($m.values()))$array#end`,
		`#foreach($e in $m.entrySet())#foreach($f in $n.entrySet())#set($x = $e.setValue($f))#set($x = $f.setValue($e))#if($e.equals($f))#end#end#end`,
	} {
		_, err := render(template, map[string]any{"m": map[string]any{"k": 1}, "n": map[string]any{"k": 1}, "array": vtl.NewJSONArray()})
		require.IsType(t, &vtl.Error{}, err, template)
	}
}

func TestParserLimits(t *testing.T) {
	nested := func(before, within, after string, n int) string {
		return strings.Repeat(before, n) + within + strings.Repeat(after, n)
	}
	for _, tt := range []struct{ name, template, want string }{
		{"blocks", nested("#if(true)", "x", "#end", 10_000), "Options.MaxDepth"},
		{"parentheses", "#set($x = " + nested("(", "1", ")", 10_000) + ")", "Options.MaxDepth"},
		{"lists", "#set($x = " + nested("[", "1", "]", 10_000) + ")", "Options.MaxDepth"},
		{"maps", "#set($x = " + nested(`{"a":`, "1", "}", 10_000) + ")", "Options.MaxDepth"},
		{"methods", nested("$a.b(", "1", ")", 10_000), "Options.MaxDepth"},
		{"lists-in-methods", nested("$a.b([", "1", "])", 10_000), "Options.MaxDepth"},
		{"indexes", nested("$a[", "1", "]", 10_000), "Options.MaxDepth"},
		{"long-integer", "#set($x = " + strings.Repeat("9", 5000) + ")", "up to 4096 digits"},
		{"size", strings.Repeat("x", 300<<10+1), "up to 300 KB"},
		{"not-utf8", "a\xffb", "in UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			template, err := vtl.Parse("deep", tt.template)
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, template)
		})
	}
	for _, tt := range []struct{ name, template, want string }{
		{"a-hundred-deep", nested("#if(true)", "x", "#end", 100), "x"},
		{"nots", "#if(" + strings.Repeat("!", 100_000) + "true)x#end", "x"},
		{"long-chain", "#set($x = 0" + strings.Repeat("+1", 100_000) + ")$x", "100000"},
		{"long-condition", "#if(true" + strings.Repeat(" && true", 30_000) + ")x#end", "x"},
		{"long-reference", "$a" + strings.Repeat(".b", 100_000), ""},
		{"backslashes", strings.Repeat(`\`, 300<<10), strings.Repeat(`\`, 300<<10)},
		{"backslashes-before-a-directive", strings.Repeat(`\`, 200_001) + "#if", strings.Repeat(`\`, 100_000) + "#if"},
		{"commented-backslashes", "#*" + strings.Repeat(`\`, 300_000) + "*#x", "x"},
		{"dollars", strings.Repeat("$", 100_000) + " ", strings.Repeat("$", 100_000) + " "},
		{"blanks", "$x" + strings.Repeat(" ", 200_000), strings.Repeat(" ", 200_000)},
		{"quotes", `#set($x = "` + strings.Repeat(`""`, 100_000) + `")$x.length()`, "100000"},
		{"text", strings.Repeat("x", 300<<10), strings.Repeat("x", 300<<10)},
		{"else-ifs", "#if(false)" + strings.Repeat("#elseif(false)", 20_000) + "#{else}x#end", "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := render(tt.template, nil)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestOptions(t *testing.T) {
	execute := func(o vtl.Options, text string) (string, error) {
		template, err := o.Parse("test", text)
		if err != nil {
			return "", err
		}
		var out strings.Builder
		err = template.Execute(&out, nil)
		return out.String(), err
	}
	for _, tt := range []struct {
		name     string
		options  vtl.Options
		template string
		want     string
	}{
		{"loops", vtl.Options{StrictLoops: true}, "#foreach($i in [1..1001])#end", "test:1:1: want no more than 1000 turns of a #foreach (Options.StrictLoops)"},
		{"output", vtl.Options{MaxOutputBytes: 10}, "12345678901", "want an output of up to 10 bytes (Options.MaxOutputBytes)"},
		{"steps", vtl.Options{MaxSteps: 11}, "#foreach($i in [1..10])#end", ""},
		{"steps-exceeded", vtl.Options{MaxSteps: 5}, "#foreach($i in [1..10])x#end", "want no more than 5 steps (Options.MaxSteps)"},
		{"depth", vtl.Options{MaxDepth: 3}, "#if(true)#if(true)#if(true)x#end#end#end", "want no more than 3 levels of nesting (Options.MaxDepth)"},
		{"memory", vtl.Options{MaxAllocBytes: 100}, "#set($l = [1..10])", "want no more than 100 bytes of memory (Options.MaxAllocBytes)"},
		{"negative-output", vtl.Options{MaxOutputBytes: -1}, "", "Options.MaxOutputBytes: want a positive number, or 0 for the default, got -1"},
		{"negative-steps", vtl.Options{MaxSteps: -1}, "", "Options.MaxSteps"},
		{"negative-depth", vtl.Options{MaxDepth: -1}, "", "Options.MaxDepth"},
		{"negative-memory", vtl.Options{MaxAllocBytes: -1}, "", "Options.MaxAllocBytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := execute(tt.options, tt.template)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
	got, err := execute(vtl.Options{StrictLoops: true}, "#foreach($i in [1..1000])#if($foreach.last)$i#end#end")
	require.NoError(t, err)
	require.Equal(t, "1000", got)
}

// One template, many goroutines, each with variables of its own. The race detector looks on.
func TestTemplateIsConcurrent(t *testing.T) {
	template, err := vtl.Parse("shared", `#set($m = {"k": $n})#set($s = "<$m.k>")#foreach($i in [1..50])#if($s.matches("<[0-9]+>"))$i,#end#end$s`)
	require.NoError(t, err)
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			for range 200 {
				var out strings.Builder
				if err := template.Execute(&out, map[string]any{"n": n}); err != nil {
					t.Error(err)
				}
				if want := "<" + string(rune('0'+n)) + ">"; !strings.HasSuffix(out.String(), ","+want) {
					t.Errorf("got %q, want it to end with %q", out.String(), want)
				}
			}
		})
	}
	group.Wait()
}

// What one execution set, even one that failed, the next doesn't see.
func TestNothingIsLeftBehind(t *testing.T) {
	template, err := vtl.Parse("twice", `[$x][$foreach.count]#set($x = "secret")#foreach($e in [$nothing])#set($l = $in)$l[9]#end`)
	require.NoError(t, err)
	for range 10 {
		require.ErrorContains(t, template.Execute(io.Discard, map[string]any{"in": []any{1}}), "want an index from 0 to 0, got 9")
		var out strings.Builder
		require.NoError(t, template.Execute(&out, nil))
		require.Equal(t, "[][]", out.String())
	}
}

// Nothing of Go shows: an Object has what it says it has, and no more.
type counter struct {
	Exported int
	n        int64
	err      error
}

func (c *counter) Property(name string) (any, bool) {
	switch name {
	case "n":
		return c.n, true
	case "odd":
		return make(chan int), true
	case "none":
		return nil, true
	}
	return nil, false
}

func (c *counter) Call(method string, args []any) (any, bool, error) {
	switch method {
	case "add":
		if len(args) == 1 {
			if n, ok := args[0].(int64); ok {
				c.n += n
				return c.n, true, nil
			}
		}
	case "fail":
		return nil, false, c.err
	case "list":
		return []any{1, "b"}, true, nil
	}
	return nil, false, nil
}

func (c *counter) Set(name string, value any) bool {
	n, ok := value.(int64)
	if name == "n" && ok {
		c.n = n
	}
	return name == "n" && ok
}

func TestObjects(t *testing.T) {
	cause := errors.New("broken")
	for _, tt := range []struct{ name, template, want, wantErr string }{
		{name: "property", template: `$o.n ${o["n"]} [$o.Exported][$o.nope][$o.none]`, want: "5 5 [][][]"},
		{name: "method", template: `$o.add(2) $o.add("x") $o.add() $o.nope(1)|$o.n`, want: "7   |7"},
		{name: "result", template: `#foreach($e in $o.list())<$e>#end`, want: "<1><b>"},
		{name: "set", template: `#set($o.n = 9)#set($o.nope = 1)#set($o["n"] = $o.n + 1)$o.n`, want: "10"},
		{name: "set-of-another-type", template: `#set($o.n = "x")$o.n`, want: "5"},
		{name: "no-reflection", template: `[$o][$o.class][$o.getClass()][$o.toString()][$o.String()][$o.err]`, want: "[][][][][][]"},
		{name: "truth", template: `#if($o)yes#end#if($o == $o)same#end`, want: "yessame"},
		{name: "error", template: "\n $o.fail()", wantErr: "vtl: test:2:5: fail: broken"},
		{name: "unknown-type", template: "$o.odd", wantErr: "want a value that templates know of odd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := render(tt.template, map[string]any{"o": &counter{n: 5, err: cause}})
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				require.Equal(t, tt.name == "error", errors.Is(err, cause))
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	_, err := render("$x", map[string]any{"x": func() {}})
	require.ErrorContains(t, err, "variable x: want a value that templates know")
	got, err := render("$y", map[string]any{"x": func() {}, "y": 1})
	require.NoError(t, err)
	require.Equal(t, "1", got)
}

func TestReflectionIsNotThere(t *testing.T) {
	for _, template := range []string{
		`$s.class`, `$s.getClass()`, `$s.getClass().forName("java.lang.Runtime")`, `$l.class.name`, `$l.getClass().getClassLoader()`, `$n.class`, `$s.bytes`, `$l.iterator().class`,
	} {
		got, err := render(template, map[string]any{"s": "x", "l": []any{1}, "n": 1})
		require.NoError(t, err, template)
		require.Empty(t, got, template)
	}
}

// A writer's error is handed on as it is.
func TestWriterFails(t *testing.T) {
	template, err := vtl.Parse("test", "x")
	require.NoError(t, err)
	reader, writer := io.Pipe()
	require.NoError(t, reader.CloseWithError(io.ErrUnexpectedEOF))
	require.ErrorIs(t, template.Execute(writer, nil), io.ErrUnexpectedEOF)
}
