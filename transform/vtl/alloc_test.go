//go:build !race

package vtl_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// Text, references, conditions, loops and method calls need next to no memory of their own; values that a template makes do.
func TestExecuteAllocations(t *testing.T) {
	template, err := vtl.Parse("test", `{"name": "$name.trim()", "size": $list.size(), #if($name.startsWith("I") && $n >= 3)"kind": "$!m.kind",#end
#foreach($e in $list)
  "$e": [$e.length(), $n]#if($velocityHasNext), #end
#end}`)
	require.NoError(t, err)
	vars := map[string]any{"name": "Ida ", "n": 7, "list": vtl.NewList("a", "bc", "d"), "m": vtl.NewMap()}
	// The loop's iterator and state, and the text that trim returns.
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if err := template.Execute(io.Discard, vars); err != nil {
			t.Error(err)
		}
	}), 3.0)
}
