package regexpsize_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/regexpsize"
)

func TestFolded(t *testing.T) {
	for text, want := range map[string]int{
		"[a-z]": 0, "(?i)[a-z]": 25, "(?si)[a-z0-9_-]": 34, "(?i:[а-я])": 31, `(?i)[B-\x{1E942}]`: 0x1e942 - 'B', `(?i)[B-\xff][a-z]`: 0xff - 'B' + 25,
		"(?i)a-z": 0, "(?i)[]a-z]": 25, "(?i)[": 0, `(?i)[a-\`: 0, "(?i)[^a-z][^a-z]": 50, "(?-i)[a-\U0010ffff]": 0, "(?i)[^]a-z]": 25, "(?i)[z-a]": 0,
	} {
		got := regexpsize.Folded(text)
		if text == `(?i)[a-\` {
			require.Less(t, got, 100)
			continue
		}
		require.Equal(t, want, got, text)
	}
}
