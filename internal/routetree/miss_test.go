package routetree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/routetree"
)

func treeOf(t testing.TB, o routetree.Options, keys ...string) *routetree.Tree[string] {
	t.Helper()
	tree := routetree.New[string](o)
	for _, text := range keys {
		key, err := routetree.ParseKey(text)
		require.NoError(t, err)
		require.NoError(t, tree.Add(key, text))
	}
	return tree
}

func texts(values []*string) string {
	var all []string
	for _, v := range values {
		all = append(all, *v)
	}
	return strings.Join(all, ", ")
}

func TestMiss(t *testing.T) {
	tree := treeOf(t, routetree.Options{}, "GET /", "GET /a", "POST /a", "ANY /b/{x}/c", "GET /b/{y}", "PUT /only/here", "GET /files/{p+}")
	for _, tt := range []struct {
		method, path string
		methods      string
		segment      int
		near         string
	}{
		{"PUT", "/a", "GET /a, POST /a", 0, ""},
		{"PURGE", "/a", "GET /a, POST /a", 0, ""},
		{"GET", "/a/b", "", 2, "GET /a"},
		{"GET", "/a/", "", 2, "GET /a"},
		{"GET", "/b/1/d", "", 3, "ANY /b/{x}/c, GET /b/{y}"},
		{"GET", "/b", "", 2, "GET /b/{y}"},
		{"GET", "/files", "", 2, "GET /files/{p+}"},
		{"GET", "/c", "", 1, "GET /a, GET /b/{y}, GET /files/{p+}"},
		{"PUT", "/only", "", 2, "PUT /only/here"},
		{"PUT", "/only/there", "", 2, "PUT /only/here"},
		{"DELETE", "/only", "", 1, "ANY /b/{x}/c"},
		{"OPTIONS", "*", "", 0, ""},
	} {
		m := tree.Miss(tt.method, tt.path, false)
		require.Equal(t, []any{tt.methods, tt.segment, tt.near}, []any{texts(m.OtherMethods), m.Segment, texts(m.Near)}, tt.method+" "+tt.path)
	}
	m := treeOf(t, routetree.Options{IgnoreTrailingSlash: true}, "GET /a/b").Miss("GET", "/a%2fb/", true)
	require.Equal(t, []any{1, "GET /a/b"}, []any{m.Segment, texts(m.Near)})
	m = treeOf(t, routetree.Options{}).Miss("GET", "/a", false)
	require.Empty(t, m.Near)
}

// A node with very many literals isn't compared with all of them.
func TestMissOfManyLiterals(t *testing.T) {
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprintf("GET /a%d/b", i))
	}
	m := treeOf(t, routetree.Options{}, keys...).Miss("GET", "/a", false)
	require.Equal(t, []any{1, ""}, []any{m.Segment, texts(m.Near)})
	m = treeOf(t, routetree.Options{}, keys[:20]...).Miss("GET", "/a1x", false)
	require.Equal(t, []any{1, "GET /a1/b, GET /a10/b, GET /a11/b"}, []any{m.Segment, texts(m.Near)})
}

// Whatever is asked for, a miss names routes of the tree alone, and a segment that the path has, or
// the one behind it.
func FuzzMiss(f *testing.F) {
	tree := treeOf(f, routetree.Options{}, "GET /a", "POST /a/{x}", "ANY /b/{x}/c", "GET /files/{p+}")
	for _, path := range []string{"/", "/a", "/b/1", "/b//c", "/%61", "//", "*", ""} {
		f.Add("GET", path, true)
	}
	f.Fuzz(func(t *testing.T, method, path string, escaped bool) {
		var values routetree.Values
		if tree.Match(method, path, escaped, &values) != nil {
			return
		}
		m := tree.Miss(method, path, escaped)
		require.LessOrEqual(t, m.Segment, 1+strings.Count(path, "/"))
		require.LessOrEqual(t, len(m.Near), 3)
	})
}
