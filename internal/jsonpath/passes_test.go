package jsonpath_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/jsonpath"
)

// Each index from the end counts the array first.
func TestPasses(t *testing.T) {
	for expr, want := range map[string]int{"$": 1, "$.a[0]": 1, "$[-1]": 2, "$.a[-1].b[-2]": 3} {
		p, err := jsonpath.Parse(expr)
		require.NoError(t, err)
		require.Equal(t, want, p.Passes(), expr)
	}
}
