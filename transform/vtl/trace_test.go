package vtl_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

func TestTrace(t *testing.T) {
	template, err := vtl.Parse("test", "é$a ${m.k[0]}\n#set($m.x = $nope.y)\n  #if($!m.get($a))\"#end#set($s = \"1 $a\n $m.k\")\\$a #$a")
	require.NoError(t, err)
	type seen struct {
		text         string
		line, column int
		value        any
		defined      bool
	}
	var got []seen
	k := vtl.NewList(7)
	var out strings.Builder
	require.NoError(t, template.Trace(&out, map[string]any{"a": "k", "m": map[string]any{"k": k}}, func(r vtl.Reference) {
		got = append(got, seen{r.Text, r.Line, r.Column, r.Value, r.Defined})
	}))
	require.Equal(t, "ék 7\n  \"$a #k", out.String())
	require.Equal(t, []seen{
		{"$a", 1, 2, "k", true},
		{"${m.k[0]}", 1, 5, int64(7), true},
		{"$nope.y", 2, 13, "", false},
		{"$a", 3, 15, "k", true},
		{"$!m.get($a)", 3, 7, k, true},
		{"$a", 3, 37, "k", true},
		{"$m.k", 4, 2, k, true},
		{"$a", 4, 9, "k", true},
		{"$a", 4, 13, "k", true},
	}, got)
}

func TestErrorsNameThePlace(t *testing.T) {
	for _, tt := range []struct{ name, template, want string }{
		{"open-if", "a\n  #if($x)\nb", "vtl: test:3:2: want #end of the #if at 2:3, got the end of the template"},
		{"no-condition", "#if()", `test:1:5: want a value, got ")"`},
		{"no-assign", "é#set($x 1)", `test:1:10: want =, got "1"`},
		{"no-reference", "#set(x = 1)", `test:1:6: want a reference, as in #set($x = 1), got "x"`},
		{"lone-end", "a #end", `test:1:3: want text, a reference or a directive, got "#end"`},
		{"foreach-else", "#foreach($n in [])a#{else}b#end", `test:1:20: want #end of the #foreach at 1:1, got "#{else}"`},
		{"dollar-at-the-end", "total: $", "test:1:8: want a name, a directive or the end of a comment after $, # or #*, got the end"},
		{"sign", "#set($x = ~)", "test:1:11: want an operator, a value or a parenthesis, got '~'"},
		{"minus", "#set($x = 9-4)", `test:1:12: want an operator or ), got "-4"`},
		{"argument", "$l.get($i + 1)", "test:1:11: want an operator, a value or a parenthesis, got '+'"},
		{"index", "$l[$i+1]", "test:1:6: want an operator, a value or a parenthesis, got '+'"},
		{"default", "${x|'d'}", `test:1:4: want }, got "|'d'}"`},
		{"null", "#set($x = null)", `test:1:11: want a value, got "null"`},
		{"comma", "#set($m = {\"a\":1,})", `test:1:18: want a value, got "}"`},
		{"range", "#set($x = [1..'a'])", `test:1:15: want an integer or a reference, got "'a'"`},
		{"macro", "#macro($x)#end", `test:1:8: want the name of the macro, got "$x"`},
		{"define", "#define($a $b)#end", "test:1:1: want #define($name), got 2 arguments"},
		{"word", "#foreach($x in y)#end", `test:1:16: want a reference, a value or ), got "y"`},
		{"no-parenthesis", "#foreach $x", "test:1:9: want ( after #foreach"},
		{"in-a-string", "\n#set($x = \"a\n#if($y)\")", "want #end of the #if at 3:1, got the end of the string"},
		{"string-escape", `#set($x = "\u12")`, `test:1:11: want four hexadecimal digits after \u`},
		{"out-of-range", "\n $l.get(3)", "test:2:5: want an index from 0 to 0, got 3"},
		{"index-out-of-range", "$l[1]", "test:1:3: want an index from 0 to 0, got 1"},
		{"assigned-out-of-range", "#set($l[1] = 2)", "test:1:8: want an index from 0 to 0, got 1"},
		{"substring", "$s.substring(2, 1)", "test:1:4: want a range within 0 to 3, got 2 to 1"},
		{"number", "$n.parseInt('x')", `test:1:4: want an integer, got "x"`},
		{"changed", "#foreach($e in $l)$l.add(1)#end", "test:1:1: want a list or map that isn't changed while a #foreach goes over it"},
		{"pattern", "$s.matches('(')", "test:1:4: matches \"(\": want a regular expression"},
		{"group", "$s.replaceAll('a', '$1')", "want a group of the pattern after $"},
		{"break", "#break($l)", "test:1:1: want #break or #break($foreach), got another value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := render(tt.template, map[string]any{"l": []any{1}, "s": "abc", "n": 1})
			require.ErrorContains(t, err, tt.want)
		})
	}
}
