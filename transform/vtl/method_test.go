package vtl_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// Any method on any value with any arguments ends by a result or an [vtl.Error], never by a panic.
func TestMethodsTakeAnything(t *testing.T) {
	t.Parallel()
	setup, err := vtl.Parse("setup", `#set($big = 12345678901234567890)#set($array = $word.split("e"))#set($null = "")`+
		`#set($keys = $map.keySet())#set($values = $map.values())#set($entries = $map.entrySet())#set($char = $word.charAt(1))`+
		`#foreach($entry in $entries)$entry#end#set($json = $body.l)`+
		`$word $num $minus $long $half $yes $list $map $big $array $keys $values $entries $char $json $null`)
	require.NoError(t, err)
	values := func() map[string]any { // anew each time, as methods change them
		seen := map[string]any{}
		require.NoError(t, setup.Trace(io.Discard, map[string]any{
			"word": "tea", "num": 2, "minus": -1, "long": int64(5e9), "half": 0.5, "yes": true,
			"body": decoded(t, `{"l": ["a", {"b": 1}]}`),
			"list": []any{"a", "b", 3}, "map": map[string]any{"k": "v", "n": 2},
		}, func(r vtl.Reference) { seen[r.Text] = r.Value }))
		seen["$null"] = nil
		return seen
	}
	calls := 0
	for _, name := range vtl.MethodNames() {
		var templates []*vtl.Template
		for _, arguments := range []string{"", "$a", "$a, $b", "$\\!x, $a", "$a, $\\!x", "$a, $b, $a"} {
			text := "#foreach($i in [1])$r." + name + "(" + arguments + ")$list.iterator()." + name + "(" + arguments + ")$foreach." + name + "(" + arguments + ")#end$r$a$b"
			template, err := vtl.Parse("test", text)
			require.NoError(t, err)
			templates = append(templates, template)
		}
		for receiver := range values() {
			vars := values()
			for _, a := range vars {
				for _, template := range templates {
					calls++
					if err := template.Execute(io.Discard, map[string]any{"r": vars[receiver], "a": a, "b": vars["$num"], "list": vars["$list"]}); err != nil {
						require.IsType(t, &vtl.Error{}, err, "%s.%s", receiver, name)
					}
				}
			}
		}
	}
	require.Greater(t, calls, 20_000)
}

// What Velocity's search for a method finds though it can't be called fails; what it doesn't find is nothing.
func TestMethodsThatAreNotThere(t *testing.T) {
	for template, want := range map[string]string{
		`[$s.length(1)]`: "want no arguments of length", `[$l.size("x")]`: "want no arguments of size",
		`[$s.concat($\!x)]`: "want an argument of concat that is not null", `[$l.addAll($\!x)]`: "not null",
		`[$s.compareTo(1)]`: "of the same type", `[$n.compareTo("1")]`: "of the same type",
		`[$s.split("b").add(1)]`: "got an array", `[$m.keySet().add(1)]`: "got the keys",
		`[$n.parseInt("1", 99)]`: `want an integer, got "1"`,
		`[$s.substring("1")]`:    "", `[$s.concat(1)]`: "", `[$s.nope()]`: "", `[$s.notifyAll(1)]`: "", `[$s.intern()]`: "", `[$l.size]`: "",
		`[$s.indexOf($big)]`: "", `[$n.valueOf($big)]`: "", `[$s.substring(1, 2, 3)]`: "", `[$s.equalsIgnoreCase()]`: "",
	} {
		got, err := render(template, map[string]any{"s": "abc", "n": 1, "l": []any{1}, "m": map[string]any{}, "big": int64(5e9)})
		if want != "" {
			require.ErrorContains(t, err, want, template)
			continue
		}
		require.NoError(t, err, template)
		require.Equal(t, "[]", got, template)
	}
	got, err := render(`$s.split("b").remove("x") $s.split("b").subList(0, 1) $s.equalsIgnoreCase($\!x)`, map[string]any{"s": "abc"})
	require.NoError(t, err)
	require.Equal(t, "false [a] false", got)
}
