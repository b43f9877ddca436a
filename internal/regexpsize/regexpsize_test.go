package regexpsize_test

import (
	"regexp/syntax"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/regexpsize"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]int{"": 1, "abc": 4, "a{3,5}": 15, "a{3,}": 9, "[a-cx]": 5, "(ab|cd){100}": 900, "(a{10}){10}": 320} {
		re, err := syntax.Parse(text, syntax.Perl)
		require.NoError(t, err)
		require.Equal(t, want, regexpsize.Of(re), text)
	}
}
