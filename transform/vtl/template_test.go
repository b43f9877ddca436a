package vtl_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// render executes a template.
func render(text string, vars map[string]any) (string, error) {
	t, err := vtl.Parse("test", text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, vars)
	return out.String(), err
}

// A recorded is a line of testdata/templates.jsonl: what the managed gateway or its engine make of a template.
type recorded struct {
	Number   int             `json:"n"`
	Template string          `json:"t"`
	Input    json.RawMessage `json:"in"`
	Output   string          `json:"out"`
	Fails    bool            `json:"err"`
}

func readCases(t testing.TB, file string) []recorded {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	var cases []recorded
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var c recorded
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		cases = append(cases, c)
	}
	require.NoError(t, lines.Err())
	return cases
}

// recordedCases are those that need no more than the language: the variables are tested where they are made.
func recordedCases(t testing.TB) []recorded {
	var cases []recorded
	for _, c := range readCases(t, "../testdata/templates.jsonl") {
		if c.Input == nil && !strings.Contains(c.Template, "$util.") && !strings.Contains(c.Template, "$context.") {
			cases = append(cases, c)
		}
	}
	return cases
}

// oddCases are what authors may come upon, with what Velocity 1.7 makes of them; TestVelocityAgrees asks it again.
func oddCases(t testing.TB) []recorded { return readCases(t, "testdata/odd.jsonl") }

// oracleVars are those of testdata/velocity/Oracle.java.
func oracleVars() map[string]any {
	m := vtl.NewMap()
	m.Put("k", "v")
	m.Put("n", 2)
	m.Put("sub", vtl.NewList(1, 2))
	items := vtl.NewList()
	for i := range 500 {
		item := vtl.NewMap()
		item.Put("id", i)
		item.Put("name", "Item number "+strconv.Itoa(i))
		item.Put("price", float64(i)*0.25)
		item.Put("tags", vtl.NewList("red", "green", "blue"))
		items.Append(item)
	}
	return map[string]any{
		"word": "tea", "text": "Zoë's 5 \"cups\"", "empty": "", "one": 1, "num": 42, "neg": -7, "long": int64(5000000000), "half": 0.5,
		"yes": true, "no": false, "list": vtl.NewList("a", "b", 3, "b"), "map": m, "a-b": "hyphen", "items": items,
	}
}

func TestOddTemplates(t *testing.T) {
	for _, c := range oddCases(t) {
		got, err := render(c.Template, oracleVars())
		require.Equal(t, c.Fails, err != nil, "%q: %v", c.Template, err)
		require.Equal(t, c.Output, got, "%q", c.Template)
	}
}

func TestRecordedTemplates(t *testing.T) {
	cases := recordedCases(t)
	require.Len(t, cases, 85)
	for _, c := range cases {
		t.Run(fmt.Sprint(c.Number), func(t *testing.T) {
			got, err := render(c.Template, nil)
			if c.Fails {
				require.Error(t, err)
				require.IsType(t, &vtl.Error{}, err)
				require.Empty(t, got)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.Output, got)
		})
	}
}

// As Velocity 1.7 has it.
func TestForeachInfo(t *testing.T) {
	for template, want := range map[string]string{
		"a\n #foreach($i in [1])$foreach.info|$foreach.info.name|$foreach.info.type|$foreach.info.depth|$foreach.info.line|$foreach.getInfo().column|$foreach.info.template#end": "a\n #foreach[type:block template:test line:2 column:2]|foreach|block|1|2|2|test",
		"#foreach($i in [1])#foreach($i in [1])$foreach.info $foreach.info.depth $foreach.parent.info.depth $foreach.info.nope#end#end":                                          "#foreach[type:block depth:2 template:test line:1 column:20] 2 1 ",
		`#set($x="#foreach($i in [1])$foreach.info#end")$x`: "#foreach[type:block template:test line:1 column:10]",
	} {
		got, err := render(template, nil)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
