package vtl_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
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

// recordedCases are those that need no more than the language: the variables are tested where they are made.
func recordedCases(t testing.TB) []recorded {
	f, err := os.Open("../testdata/templates.jsonl")
	require.NoError(t, err)
	defer f.Close()
	var cases []recorded
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var c recorded
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		if c.Input == nil && !strings.Contains(c.Template, "$util.") && !strings.Contains(c.Template, "$context.") {
			cases = append(cases, c)
		}
	}
	require.NoError(t, lines.Err())
	return cases
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
