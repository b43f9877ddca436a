package signed_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/signed"
)

var first, second = []byte(strings.Repeat("a", 32)), []byte(strings.Repeat("b", 32))

var now = time.Unix(1_000_000, 0)

func TestCounts(t *testing.T) {
	keys := signed.New("purpose", time.Hour, [][]byte{first, second})
	text := keys.Text("me", now.Add(time.Minute))
	require.True(t, keys.Counts(text, "me", now))
	require.True(t, signed.New("purpose", time.Hour, [][]byte{second, first}).Counts(text, "me", now), "any secret's")
	require.False(t, signed.New("purpose", time.Hour, [][]byte{second}).Counts(text, "me", now), "another secret")
	require.False(t, signed.New("other", time.Hour, [][]byte{first}).Counts(text, "me", now), "another purpose")
	require.False(t, keys.Counts(text, "you", now), "another subject")
	require.True(t, keys.Counts(text, "me", now.Add(time.Minute-time.Nanosecond)))
	require.False(t, keys.Counts(text, "me", now.Add(time.Minute)), "expired")
	long := keys.Text("me", now.Add(2*time.Hour))
	require.False(t, keys.Counts(long, "me", now), "made for longer than may be")
	require.True(t, keys.Counts(long, "me", now.Add(time.Hour)))
	for i := range text { // no bit of it may change
		for bit := range 8 {
			b := []byte(text)
			b[i] ^= 1 << bit
			require.False(t, keys.Counts(string(b), "me", now), "%q", b)
		}
	}
	for _, bad := range []string{"", ".", "...", "v1", text + "A", text[:len(text)-1], " " + text, text + "\r\n", text[:20] + "\n" + text[20:],
		strings.Repeat("x", 1<<20), "v1.99999999999.me.", "v2" + text[2:], "v1.-1.me.", "v1..me." + text[14:], "v1.1000060.me.me" + text[13:]} {
		require.False(t, keys.Counts(bad, "me", now), "%.50q", bad)
	}
}

func TestCheck(t *testing.T) {
	for _, secrets := range [][][]byte{nil, {[]byte("short")}, {first, nil}, make([][]byte, 11)} {
		m := mistakes.In("x")
		signed.Check(m, "Secrets", secrets)
		require.ErrorContains(t, m.Err(), "x.Secrets: ")
	}
	m := mistakes.In("x")
	signed.Check(m, "Secrets", [][]byte{first, second})
	require.NoError(t, m.Err())
}

// What a caller does to its secrets later changes nothing.
func TestSecretsAreCopied(t *testing.T) {
	own := []byte(strings.Repeat("c", 32))
	keys := signed.New("purpose", time.Hour, [][]byte{own})
	text := keys.Text("me", now.Add(time.Minute))
	clear(own)
	require.True(t, keys.Counts(text, "me", now))
}

func FuzzCounts(f *testing.F) {
	keys := signed.New("purpose", time.Hour, [][]byte{first})
	good := keys.Text("me", now.Add(time.Minute))
	for _, text := range []string{good, "", "v1.1.me.x", "v1.1000060.me.", good + "="} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if keys.Counts(text, "me", now) {
			require.Equal(t, good, text, "nobody can make another")
		}
	})
}
