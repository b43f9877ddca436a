package wsconn_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// Whatever was read before, a connection waits with its own 256 bytes only.
func TestWaitingHoldsNoBuffer(t *testing.T) {
	for name, in := range map[string]string{
		"short": ok, "many": strings.Repeat(ok, 100), "long": masked(fin|text, long), "long-then-short": masked(fin|text, long) + ok,
		"fragments": masked(text, strings.Repeat("x", 5000)) + masked(fin|cont, "y"), "middle": masked(fin|text, strings.Repeat("x", 1000)),
	} {
		require.False(t, wsconn.WaitingHolds([]byte(in)), name)
	}
	require.True(t, wsconn.WaitingHolds([]byte(masked(text, long))), "an open message has to be somewhere")
}

// Text is looked at in words: a bad byte is found at every place in one, and a rune isn't taken for
// a bad byte at any.
func TestUTF8AtEveryPlace(t *testing.T) {
	for i := range 80 {
		for _, s := range []string{"\xff", "\x80", euro, clef, euro[:2]} {
			p := []byte(strings.Repeat("a", i) + s + strings.Repeat("b", 80))
			_, got := wsconn.ValidUTF8(p, true)
			require.Equal(t, utf8.Valid(p), got, "%q at %d", s, i)
		}
	}
}
