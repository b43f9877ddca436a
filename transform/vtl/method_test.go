package vtl_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// Any method on any value with any arguments ends by a result or an [vtl.Error], never by a panic, and leaves the template's
// other values what they may be.
func TestMethodsTakeAnything(t *testing.T) {
	t.Parallel()
	const setup = `#set($big = 12345678901234567890)#set($array = $word.split("e"))#set($keys = $map.keySet())` +
		`#set($values = $map.values())#set($entries = $map.entrySet())#set($char = $word.charAt(1))` +
		`#set($iterator = $list.iterator())#set($json = $body.l)#foreach($e in $entries)#set($entry = $e)#end`
	receivers := []string{"word", "num", "long", "half", "big", "yes", "list", "map", "array", "json", "keys", "values", "entries", "entry",
		"char", "iterator", "foreach"}
	arguments := []string{"", "'e'", "1", "-1", "$long", "$half", "$big", "$char", "true", "[1, 'b']", "$map", "$keys", "$array", "$\\!x",
		"'e', 'x'", "1, 'x'", "1, [2]", "-9, 9", "$\\!x, $\\!x", "$map, $list", "'e', 1", "'e', $long", "$char, $char", "1, 1, 1"}
	body, err := vtl.DecodeJSON([]byte(`{"l": ["a", {"b": 1}]}`))
	require.NoError(t, err)
	calls := 0
	for _, receiver := range receivers {
		for _, name := range vtl.MethodNames() {
			for _, arguments := range arguments {
				calls++
				text := setup + "#foreach($i in [1])$" + receiver + "." + name + "(" + arguments + ")#end|$list|$map|$body.l"
				template, err := vtl.Parse("test", text)
				require.NoError(t, err, text)
				vars := map[string]any{"word": "tea", "num": 42, "long": int64(5e9), "half": 0.5, "yes": true, "body": body,
					"list": []any{"a", "b", 3}, "map": map[string]any{"k": "v", "n": 2}}
				if err = template.Execute(io.Discard, vars); err != nil {
					require.IsType(t, &vtl.Error{}, err, text)
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
