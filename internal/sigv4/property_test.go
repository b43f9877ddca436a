package sigv4_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/sigv4"
)

func canonicalQuery(t *testing.T, query string, leaveOut ...string) string {
	t.Helper()
	b, ok := sigv4.AppendQuery(nil, query, leaveOut...)
	require.True(t, ok, "%q", query)
	return string(b)
}

// randomPairs are parameters in one of their spellings.
func randomPairs(random *rand.Rand) (pairs []string) {
	for range 1 + random.IntN(5) {
		name := randomText(random, 3, "a", "B", "%61", "%C3%A9", "é", "+", "%2B", "-")
		pairs = append(pairs, name+"="+randomText(random, 4, "1", "%31", " ", "%20", "=", "%3D", "%26", "/", "?", "%3B"))
	}
	return pairs
}

// The canonical query is one for all orders and spellings, is its own canonical form, and two that
// read differently have two: else one signature would be good for both.
func TestQueryIsCanonical(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	sorted := func(query string) string { // what net/url reads, in one order; a plus is a plus in what is signed
		values, err := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
		require.NoError(t, err, "%q", query)
		for name := range values {
			slices.Sort(values[name])
		}
		return values.Encode()
	}
	seen := map[string]string{} // canonical form → what is read
	for range 5_000 {
		pairs := randomPairs(random)
		query := strings.Join(pairs, "&")
		canonical := canonicalQuery(t, query)
		random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		require.Equal(t, canonical, canonicalQuery(t, strings.Join(pairs, "&&")), "%q in another order", query)
		require.Equal(t, canonical, canonicalQuery(t, canonical), "%q", query)
		require.Equal(t, sorted(query), sorted(canonical), "%q is signed as another query", query)
		if before, ok := seen[canonical]; ok {
			require.Equal(t, before, sorted(query), "two queries with the canonical form %q", canonical)
		}
		seen[canonical] = sorted(query)
	}
}

// What is left out leaves the rest as it is, wherever it stands and however it is spelled; and
// nothing else can be left out.
func TestQueryLeavesOut(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for range 2_000 {
		pairs := randomPairs(random)
		want := canonicalQuery(t, strings.Join(pairs, "&"))
		at := random.IntN(len(pairs) + 1)
		with := slices.Insert(slices.Clone(pairs), at, "X%2dAmz-Signature=00")
		require.Equal(t, want, canonicalQuery(t, strings.Join(with, "&"), sigv4.SignatureParameter), "%q", with)
		for _, other := range []string{"x-amz-signature=00", "X-Amz-Signature2=00", "X-Amz-Signature+=00"} {
			with := slices.Insert(slices.Clone(pairs), at, other)
			require.NotEqual(t, want, canonicalQuery(t, strings.Join(with, "&"), sigv4.SignatureParameter), "%q", with)
		}
	}
	for _, query := range []string{"a;b", "a=%", "a=%4", "a=%zz", "%=", "a=1&b=;", strings.Repeat("a&", 10_000)} {
		_, ok := sigv4.AppendQuery(nil, query)
		require.False(t, ok, "%.40q", query)
	}
}

// The MAC that doesn't allocate is crypto/hmac's, for keys and messages of every length around the
// block's, chained as signing keys are.
func TestMACAgainstHMAC(t *testing.T) {
	theirs := func(key, message []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(message)
		return h.Sum(nil)
	}
	for _, keyLength := range []int{0, 1, 59, 60, 61, 63, 64, 65, 200} {
		for _, length := range []int{0, 1, 63, 64, 65, 447, 448, 449, 5_000} {
			secret, message := strings.Repeat("k", keyLength), bytes.Repeat([]byte("m"), length)
			key := sigv4.DeriveHMACKey(secret, "20240102", "us-east-1", "execute-api")
			want := []byte("AWS4" + secret)
			for _, part := range []string{"20240102", "us-east-1", "execute-api", sigv4.Terminator} {
				want = theirs(want, []byte(part))
			}
			require.Equal(t, want, key[:], "a secret of %d bytes", keyLength)
			got := key.Sign(message)
			require.Equal(t, theirs(want, message), got[:], "%d bytes under a secret of %d", length, keyLength)
		}
	}
}

// A region set is what its obvious regular expression is.
func TestRegionSetAgainstRegexp(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	matches := 0
	for range 20_000 {
		set, region := randomText(random, 5, "us", "-", "*", "*", "a", ",", " ", "1"), randomText(random, 4, "us", "-", "a", "1")
		want := false
		for pattern := range strings.SplitSeq(set, ",") {
			if pattern = strings.Trim(pattern, " "); pattern != "" {
				want = want || regexp.MustCompile(`\A`+strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`)+`\z`).MatchString(region)
			}
		}
		if want {
			matches++
		}
		require.Equal(t, want, sigv4.InRegionSet(set, region), "%q in %q", region, set)
	}
	require.Greater(t, matches, 1_000)
}

// Two lists of values have one canonical line only where joining them by commas, as HTTP lets every
// proxy do, makes them one: RFC 9110, section 5.3. Names and values can't run into each other, as
// the name has no colon and the line ends.
func TestHeadersAreOneLine(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	seen := map[string]string{}
	for range 5_000 {
		var values []string
		for range 1 + random.IntN(3) {
			values = append(values, randomText(random, 4, "a", " ", ",", "\t", ":", "x-b:"))
		}
		line := string(sigv4.AppendHeader(nil, "x-a", values...))
		require.Equal(t, 1, strings.Count(line, "\n"))
		require.True(t, strings.HasPrefix(line, "x-a:"))
		var fields []string
		for _, v := range values {
			fields = append(fields, strings.Join(strings.Fields(v), " "))
		}
		joined := strings.Join(fields, ",")
		if before, ok := seen[line]; ok {
			require.Equal(t, before, joined)
		}
		seen[line] = joined
	}
}

// A derived SigV4A key is one of P-256 for every credential, another for each, and the same each
// time.
func TestECDSAKeysDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{"", "A", "AB", "AKIAEXAMPLE"} {
		for _, secret := range []string{"", "B", "AB", strings.Repeat("s", 100)} {
			key, err := sigv4.DeriveECDSAKey(id, secret)
			require.NoError(t, err)
			again, err := sigv4.DeriveECDSAKey(id, secret)
			require.NoError(t, err)
			require.True(t, key.Equal(again))
			raw, err := key.Bytes()
			require.NoError(t, err)
			require.Empty(t, seen[string(raw)], "%q %q has the key of another credential", id, secret)
			seen[string(raw)] = id + "/" + secret
		}
	}
}
