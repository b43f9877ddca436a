package sigv4_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// randomText is up to most of the pieces, joined.
func randomText(random *rand.Rand, most int, pieces ...string) string {
	var b strings.Builder
	for range random.IntN(most + 1) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

// The canonical path is what path.Clean makes of it, but for the slash at its end and for the
// escapes.
func TestURIAgainstPathClean(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		sent := "/" + randomText(random, 8, "/", "/", "a", "b", ".", "..", "...", "%2e", " ", "é", "~")
		want := path.Clean(sent)
		if want != "/" && strings.HasSuffix(sent, "/") {
			want += "/"
		}
		var escaped strings.Builder
		for _, c := range []byte(want) {
			if c == '/' || c == '.' || c == '~' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
				escaped.WriteByte(c)
			} else {
				fmt.Fprintf(&escaped, "%%%02X", c)
			}
		}
		require.Equal(t, escaped.String(), string(sigv4.AppendURI(nil, sent, sigv4.PathRules{})), "%q", sent)
		require.Equal(t, want == sent, sigv4.IsNormal(sent), "%q", sent)
	}
}

// The canonical line of a header is its values without the white space that strings.Fields takes
// out, joined by commas.
func TestHeaderAgainstFields(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 5_000 {
		var values, want []string
		for range 1 + random.IntN(3) {
			value := randomText(random, 6, " ", "\t", "\v", "\f", "a", "b,", "\"", "é")
			values = append(values, value)
			want = append(want, strings.Join(strings.Fields(value), " "))
		}
		require.Equal(t, "x-a:"+strings.Join(want, ",")+"\n", string(sigv4.AppendHeader(nil, "x-a", values...)), "%q", values)
	}
}

// X-Amz-Date is what time.Parse reads in that form, but for what it takes beyond it.
func TestTimeAgainstParse(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 20_000 {
		text := fmt.Sprintf("%04d%02d%02dT%02d%02d%02dZ", random.IntN(10000), random.IntN(14), random.IntN(33), random.IntN(26), random.IntN(62), random.IntN(62))
		want, err := time.Parse("20060102T150405Z", text)
		got, ok := sigv4.ParseTime(text)
		require.Equal(t, err == nil, ok, text)
		if ok {
			require.True(t, want.Equal(got), text)
			require.Equal(t, text, sigv4.FormatTime(got))
		}
	}
}

// Bounds and emptiness.
func TestParseEdges(t *testing.T) {
	for size, want := range map[int]bool{1: true, 128: true, 129: false} {
		_, _, ok := sigv4.ParseCredential(sigv4.HMAC, strings.Repeat("A", size)+"/20240102/us-east-1/execute-api/aws4_request")
		require.Equal(t, want, ok, size)
	}
	for _, set := range []string{"", ",", " , "} {
		require.False(t, sigv4.InRegionSet(set, ""), set)
		require.False(t, sigv4.InRegionSet(set, "us-east-1"), set)
	}
}
