package querytext_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/querytext"
)

func TestValues(t *testing.T) {
	const query = "&&a=1&b=two+words&a=%32&flag&%61=3&bad=%zz&=empty&c=&a%20b=x"
	for name, want := range map[string][2]string{
		"a": {"1,2,3", "3"}, "b": {"two words", "two words"}, "flag": {"", ""}, "bad": {"%zz", "%zz"}, "": {"empty", "empty"}, "c": {"", ""}, "a b": {"x", "x"},
	} {
		joined, ok := querytext.Joined(query, name)
		require.True(t, ok, name)
		require.Equal(t, want[0], joined, name)
		last, ok := querytext.Last(query, name)
		require.True(t, ok, name)
		require.Equal(t, want[1], last, name)
	}
	for _, name := range []string{"A", "missing", "a%20b", "1"} {
		_, ok := querytext.Joined(query, name)
		require.False(t, ok, name)
		_, ok = querytext.Last(query, name)
		require.False(t, ok, name)
	}
}

// FuzzQuery: both find what decoding the whole query finds.
func FuzzQuery(f *testing.F) {
	f.Add("a=1&b=two+words&a=%32&%61=3&bad=%zz", "a")
	f.Add("&&=x&&", "")
	f.Fuzz(func(t *testing.T, query, name string) {
		var want []string
		for _, line := range event.QueryLines(nil, query) {
			if line.Name == name {
				want = append(want, line.One)
			}
		}
		joined, ok := querytext.Joined(query, name)
		last, okLast := querytext.Last(query, name)
		if ok != (want != nil) || okLast != ok || joined != strings.Join(want, ",") || ok && !slices.Equal(want[len(want)-1:], []string{last}) {
			t.Fatalf("%q of %q: %q and %q, want %q", name, query, joined, last, want)
		}
	})
}

func TestAppend(t *testing.T) {
	var b strings.Builder
	querytext.Append(&b, "a b", "1&2")
	querytext.Append(&b, "", "")
	querytext.Append(&b, "a b", "ü")
	require.Equal(t, "a+b=1%262&=&a+b=%C3%BC", b.String())
	joined, ok := querytext.Joined(b.String(), "a b")
	require.True(t, ok)
	require.Equal(t, "1&2,ü", joined)
}
