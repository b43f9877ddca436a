package routetree_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

func TestParseKey(t *testing.T) {
	for text, pattern := range map[string]string{
		"$default":                   "/",
		"GET /":                      "GET /",
		"ANY /":                      "/",
		"GET /orders/{id}":           "GET /orders/{id}",
		"ANY /files/{proxy+}":        "/files/{proxy...}",
		"DELETE /a/{b.c:d-e_1}/f.g":  "DELETE /a/{b.c:d-e_1}/f.g",
		"POST /v1.0/~x/a=b,c;d/@:!$": "POST /v1.0/~x/a=b,c;d/@:!$",
		"GET /a/%3Aid/%2A/v1:batch":  "GET /a/%3Aid/%2A/v1:batch",
		"GET /caf%C3%A9/%7bid%7D":    "GET /caf%C3%A9/%7bid%7D",
	} {
		k, err := routetree.ParseKey(text)
		require.NoError(t, err, text)
		require.Equal(t, text, k.String())
		require.Equal(t, pattern, k.Pattern())
	}
}

func TestParseKeyRefuses(t *testing.T) {
	for text, wantErr := range map[string]string{
		"":                                  "want $default, or a method",
		"$Default":                          "want $default, or a method",
		"GET":                               "want $default, or a method",
		"get /a":                            "want $default, or a method",
		"CONNECT /a":                        "want $default, or a method",
		"/a":                                "want $default, or a method",
		"GET a":                             "begins with /",
		"GET  /a":                           "begins with /",
		"GET /a/":                           "doesn't end in /",
		"GET //":                            "doesn't end in /",
		"GET //a":                           "no empty segment",
		"GET /a//b":                         "no empty segment",
		"GET /a/./b":                        "no dot segment",
		"GET /..":                           "no dot segment",
		"GET /a{b}":                         "whole segment",
		"GET /{a}b":                         "want {name} or {name+}",
		"GET /{}":                           "want {name} or {name+}",
		"GET /{+}":                          "want {name} or {name+}",
		"GET /{a":                           "want {name} or {name+}",
		"GET /{a b}":                        "want {name} or {name+}",
		"GET /{a+}/b":                       "want {a+} at the end",
		"GET /{a}/{a}":                      "want each variable once",
		"GET /a b":                          "and escapes such as",
		"GET /ä":                            "and escapes such as",
		"GET /a\x00":                        "and escapes such as",
		"GET /..;x/a":                       "no dot segment",
		"GET /%2e%2E":                       "no dot segment",
		"GET /a%2Fb":                        "no escape of '/'",
		"GET /a%5cb":                        "no escape of '\\\\'",
		"GET /a%00":                         "no escape of",
		"GET /a%zz":                         "good escapes",
		"GET /%":                            "good escapes",
		"GET /a%20 b":                       "good escapes",
		"GET /one/:id":                      "want {id}, got \":id\", which is another router's spelling; the segment itself is %3Aid",
		"GET /:":                            "want {name}",
		"GET /:id/x":                        "want {id}",
		"GET /f/*":                          "want {proxy+}, got \"*\", which is another router's spelling; the segment itself is %2A",
		"GET /f/*rest":                      "want {rest+}",
		"GET /f/{path...}":                  "want {path+}",
		"GET /f/{...}":                      "want {proxy+}",
		"GET /f/x...}":                      "want {x+}",
		"GET /f/{$}":                        "want the path without",
		"GET /f/{id:[0-9]+}":                "want {name} or {name+}",
		"GET /" + many("a", 65):             "at most 64 segments",
		"GET " + manyVariables(17):          "at most 16 variables",
		"GET /" + strings.Repeat("a", 3000): "at most 2048 bytes",
	} {
		_, err := routetree.ParseKey(text)
		require.ErrorContains(t, err, wantErr, text)
	}
}

func many(s string, n int) string { return strings.TrimSuffix(strings.Repeat(s+"/", n), "/") }

func manyVariables(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "/{v%d}", i)
	}
	return b.String()
}

func newTree(t testing.TB, o routetree.Options, keys ...string) *routetree.Tree[string] {
	t.Helper()
	tree := routetree.New[string](o)
	for _, key := range keys {
		k, err := routetree.ParseKey(key)
		require.NoError(t, err)
		require.NoError(t, tree.Add(k, key))
	}
	return tree
}

// match returns "key name=value …", "" if there is no route.
func match(t testing.TB, tree *routetree.Tree[string], method, path string) string {
	t.Helper()
	decoded, err := url.PathUnescape(path)
	require.NoError(t, err)
	if requestpath.Check(decoded) != nil {
		return "refused"
	}
	var values routetree.Values
	found := tree.Match(method, path, strings.Contains(path, "%"), &values)
	if found == nil {
		return ""
	}
	k, err := routetree.ParseKey(*found)
	require.NoError(t, err)
	names := k.Variables()
	require.Equal(t, len(names), values.Len(), "%s for %s", *found, path)
	text := *found
	for i, name := range names {
		text += " " + name + "=" + values.At(i)
	}
	return text
}

var petRoutes = []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"}

// The worked examples of "Working with routes for HTTP APIs", and what is known beside them.
func TestSelection(t *testing.T) {
	for _, tt := range []struct {
		name          string
		keys          []string
		request, want string
	}{
		{"literal", petRoutes, "GET /pets/dog/1", "GET /pets/dog/1"},
		{"variable", petRoutes, "GET /pets/dog/2", "GET /pets/dog/{id} id=2"},
		{"greedy-with-method", petRoutes, "GET /pets/cat/1", "GET /pets/{proxy+} proxy=cat/1"},
		{"other-method-falls-to-any", petRoutes, "POST /pets/dog/1", "ANY /{proxy+} proxy=pets/dog/1"},
		{"greedy-beats-default", petRoutes, "POST /test/5", "ANY /{proxy+} proxy=test/5"},
		{"root-is-default", petRoutes, "GET /", "$default"},
		{"greedy-wants-a-segment", petRoutes, "GET /pets", "ANY /{proxy+} proxy=pets"},
		{"no-route-for-the-method", petRoutes[:3], "POST /pets/dog/1", ""},
		{"greedy-takes-an-empty-end", petRoutes, "GET /pets/", "GET /pets/{proxy+} proxy="},
		{"greedy-keeps-slashes", petRoutes, "GET /pets/a//b/", "GET /pets/{proxy+} proxy=a//b/"},
		{"empty-segment-is-no-value", []string{"GET /a/{x}/b"}, "GET /a//b", ""},
		{"trailing-slash-differs", []string{"GET /pets"}, "GET /pets/", ""},
		{"trailing-slash-is-no-value", []string{"GET /pets/{id}"}, "GET /pets/", ""},
		{"case-matters", []string{"GET /pets"}, "GET /Pets", ""},
		{"method-beats-any", []string{"ANY /a", "GET /a"}, "GET /a", "GET /a"},
		{"any-for-the-others", []string{"GET /a", "ANY /a"}, "PUT /a", "ANY /a"},
		{"any-takes-unknown-methods", []string{"ANY /a"}, "PURGE /a", "ANY /a"},
		{"unknown-method-has-no-other-route", []string{"GET /a"}, "PURGE /a", ""},
		{"methods-are-upper-case", []string{"GET /a"}, "get /a", ""},
		{"head-is-not-get", []string{"GET /a"}, "HEAD /a", ""},
		{"path-before-method", []string{"ANY /pets/dog", "GET /pets/{proxy+}"}, "GET /pets/dog", "ANY /pets/dog"},
		{"left-decides", []string{"GET /pets/{proxy+}", "GET /{a}/{b}"}, "GET /pets/dog", "GET /pets/{proxy+} proxy=dog"},
		{"goes-back-from-a-literal", []string{"GET /a/b/c", "GET /a/{x}/d"}, "GET /a/b/d", "GET /a/{x}/d x=b"},
		{"goes-back-to-a-greedy", []string{"GET /a/{x}/c/d", "GET /{p+}"}, "GET /a/b/c/e", "GET /{p+} p=a/b/c/e"},
		{"longer-prefix-wins", []string{"GET /a/{p+}", "GET /a/b/{p+}"}, "GET /a/b/c", "GET /a/b/{p+} p=c"},
		{"rest-falls-to-proxy", []string{"GET /test", "ANY /{proxy+}"}, "OPTIONS /test", "ANY /{proxy+} proxy=test"},
		{"default-takes-all", []string{"$default"}, "PURGE /x//y", "$default"},
		{"empty-path-is-root", []string{"GET /"}, "GET ", "GET /"},
		{"asterisk-is-no-path", []string{"$default"}, "OPTIONS *", ""},
		{"slash-stays-inside", []string{"GET /f/{x}", "GET /f/{x}/{y}"}, "GET /f/a%2Fb", "GET /f/{x} x=a/b"},
		{"slash-in-greedy", []string{"GET /f/{x+}"}, "GET /f/a%2fb/c%20d", "GET /f/{x+} x=a/b/c d"},
		{"encoded-literal", []string{"GET /pets"}, "GET /p%65ts", "GET /pets"},
		{"plus-is-plus", []string{"GET /{x}"}, "GET /a+b%2Bc", "GET /{x} x=a+b+c"},
		{"percent-once", []string{"GET /{x}"}, "GET /%2541", "GET /{x} x=%41"},
		{"dots", petRoutes, "GET /pets/../x", "refused"},
		{"encoded-dots", petRoutes, "GET /pets/%2e%2E/x", "refused"},
		{"dots-behind-encoded-slash", petRoutes, "GET /pets/a%2F..%2Fb", "refused"},
		{"single-dot-at-end", petRoutes, "GET /pets/.", "refused"},
		{"backslash", petRoutes, "GET /pets%5C1", "refused"},
		{"nul", petRoutes, "GET /pets/%00", "refused"},
		{"dots-in-names", petRoutes, "GET /pets/dog/...", "GET /pets/dog/{id} id=..."},
		{"hidden-files", petRoutes, "GET /.well-known/..a", "ANY /{proxy+} proxy=.well-known/..a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, path, _ := strings.Cut(tt.request, " ")
			require.Equal(t, tt.want, match(t, newTree(t, routetree.Options{}, tt.keys...), method, path))
		})
	}
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name          string
		options       routetree.Options
		keys          []string
		request, want string
	}{
		{"trailing-slash", routetree.Options{IgnoreTrailingSlash: true}, []string{"GET /a/{x}"}, "GET /a/b/", "GET /a/{x} x=b"},
		{"trailing-slash-not-in-proxy", routetree.Options{IgnoreTrailingSlash: true}, []string{"GET /a/{x+}"}, "GET /a/b/c/", "GET /a/{x+} x=b/c"},
		{"proxy-not-its-parent", routetree.Options{IgnoreTrailingSlash: true}, []string{"GET /a/{x+}"}, "GET /a/", ""},
		{"greedy-empty", routetree.Options{GreedyMatchesEmpty: true}, []string{"GET /a/{x+}"}, "GET /a", "GET /a/{x+} x="},
		{"greedy-empty-root", routetree.Options{GreedyMatchesEmpty: true}, []string{"ANY /{x+}", "$default"}, "GET /", "ANY /{x+} x="},
		{"full-match-first", routetree.Options{FullMatchFirst: true}, []string{"GET /pets/{proxy+}", "GET /{a}/{b}"}, "GET /pets/dog", "GET /{a}/{b} a=pets b=dog"},
		{"full-match-first-else-greedy", routetree.Options{FullMatchFirst: true}, []string{"GET /pets/{proxy+}", "GET /{a}/{b}"}, "GET /pets/dog/1", "GET /pets/{proxy+} proxy=dog/1"},
		{"ignore-case", routetree.Options{IgnoreCase: true}, []string{"GET /Pets/{id}"}, "GET /pETS/Ab", "GET /Pets/{id} id=Ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, path, _ := strings.Cut(tt.request, " ")
			require.Equal(t, tt.want, match(t, newTree(t, tt.options, tt.keys...), method, path))
		})
	}
}

func TestConflicts(t *testing.T) {
	for _, tt := range []struct {
		name          string
		first, second string
		options       routetree.Options
		wantErr       string
	}{
		{"twice", "GET /a", "GET /a", routetree.Options{}, "is there already"},
		{"other-names", "GET /a/{x}/c", "GET /a/{y}/c", routetree.Options{}, `"GET /a/{x}/c" matches the same`},
		{"other-greedy-name", "ANY /{x+}", "ANY /{y+}", routetree.Options{}, `"ANY /{x+}" matches the same`},
		{"default", "$default", "$default", routetree.Options{}, "is there already"},
		{"case", "GET /a", "GET /A", routetree.Options{IgnoreCase: true}, `"GET /a" matches the same`},
		{"case-differs", "GET /a", "GET /A", routetree.Options{}, ""},
		{"any-and-get", "ANY /a", "GET /a", routetree.Options{}, ""},
		{"variable-and-greedy", "GET /{x}", "GET /{x+}", routetree.Options{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := newTree(t, tt.options, tt.first)
			k, err := routetree.ParseKey(tt.second)
			require.NoError(t, err)
			err = tree.Add(k, tt.second)
			if tt.wantErr == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.wantErr)
			}
		})
	}
}

// obvious is the order of selection as the guide tells it: drop routes of other methods, sort the rest, take the first that matches.
func obvious(keys []string, method, path string) string {
	segments := strings.Split(path[1:], "/")
	if path == "/" {
		segments = nil
	}
	type candidate struct {
		key  routetree.Key
		rank string // one digit a segment, then one for the method: less is better
	}
	var candidates []candidate
	for _, text := range keys {
		k, _ := routetree.ParseKey(text)
		if k.Default || k.Method != method && k.Method != "ANY" {
			continue
		}
		rank, ok := "", true
		for i, s := range k.Segments {
			switch {
			case s.Greedy:
				ok = ok && len(segments) > i
				rank += "2"
			case s.Variable != "":
				ok = ok && len(segments) > i && segments[i] != ""
				rank += "1"
			default:
				ok = ok && len(segments) > i && segments[i] == s.Literal
				rank += "0"
			}
		}
		n := len(k.Segments)
		ok = ok && (n == len(segments) || n > 0 && k.Segments[n-1].Greedy)
		rank += "|" + map[bool]string{true: "1", false: "0"}[k.Method == "ANY"]
		if ok {
			candidates = append(candidates, candidate{k, rank})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return strings.Compare(a.rank, b.rank) })
	if len(candidates) == 0 {
		if slices.Contains(keys, "$default") {
			return "$default"
		}
		return ""
	}
	best := candidates[0].key
	text := best.String()
	for i, s := range best.Segments {
		if s.Greedy {
			text += " " + s.Variable + "=" + strings.Join(segments[i:], "/")
		} else if s.Variable != "" {
			text += " " + s.Variable + "=" + segments[i]
		}
	}
	return text
}

// Every subset of a small universe of routes is too many, so random subsets, but all requests on each.
func TestAgreesWithTheObviousMatcher(t *testing.T) {
	var universe []string
	kinds := []string{"a", "b", "{x}", "{y+}"}
	var grow func(prefix string, depth int)
	grow = func(prefix string, depth int) {
		for _, kind := range kinds {
			path := prefix + "/" + strings.Replace(kind, "x", fmt.Sprint("x", depth), 1)
			for _, method := range []string{"GET", "POST", "ANY"} {
				universe = append(universe, method+" "+path)
			}
			if depth < 3 && kind != "{y+}" {
				grow(path, depth+1)
			}
		}
	}
	grow("", 1)
	universe = append(universe, "GET /", "ANY /", "$default")
	var paths []string
	var walk func(prefix string, depth int)
	walk = func(prefix string, depth int) {
		for _, s := range []string{"a", "b", "c", ""} {
			paths = append(paths, prefix+"/"+s)
			if depth < 4 {
				walk(prefix+"/"+s, depth+1)
			}
		}
	}
	walk("", 1)
	rounds := 400
	rng := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		var keys []string
		for _, i := range rng.Perm(len(universe))[:1+rng.IntN(12)] {
			keys = append(keys, universe[i])
		}
		tree := newTree(t, routetree.Options{}, keys...)
		for _, path := range paths {
			for _, method := range []string{"GET", "POST", "PURGE"} {
				if got, want := match(t, tree, method, path), obvious(keys, method, path); got != want {
					t.Fatalf("routes %q, %s %s: got %q, want %q", keys, method, path, got, want)
				}
			}
		}
	}
}

// A walk that goes back at every segment must not take a time that doubles with each.
func TestHostilePathIsLinear(t *testing.T) {
	var keys []string
	for i := range 20 { // a/a/a…/{x}/a/a… with the variable at each place, and none that ends in b
		s := strings.Split(many("a", 20), "/")
		s[i] = "{x}"
		keys = append(keys, "GET /"+strings.Join(s, "/"))
	}
	tree := newTree(t, routetree.Options{}, keys...)
	require.Equal(t, "", match(t, tree, "GET", "/"+many("a", 19)+"/b/b"))
	require.Equal(t, "", match(t, tree, "GET", "/"+many("a", 100_000)))
	require.Equal(t, "", match(t, tree, "GET", strings.Repeat("/", 1_000_000)))
}

func TestMatchAllocatesNothing(t *testing.T) {
	tree := newTree(t, routetree.Options{}, append(petRoutes, "GET /a/{a}/b/{b}/c/{c}/d/{d}/e/{e}")...)
	var values routetree.Values
	for _, path := range []string{"/pets/dog/1", "/pets/dog/2", "/nothing/here", "/a/1/b/2/c/3/d/4/e/5", "/pets/%"} {
		require.Zero(t, testing.AllocsPerRun(100, func() { tree.Match("GET", path, false, &values) }), path)
	}
}

// FuzzParseKey: a key that parses is written as it was read.
func FuzzParseKey(f *testing.F) {
	for _, key := range append(petRoutes, "GET /{a}/{b.c+}", "GET /a{b}", "ANY /", "GET //") {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := routetree.ParseKey(text)
		if err == nil && k.String() != text {
			t.Errorf("ParseKey(%q).String() = %q", text, k.String())
		}
		if err != nil && (k.Method != "" || k.Default || k.Segments != nil) {
			t.Errorf("ParseKey(%q) = %+v beside an error", text, k)
		}
	})
}

// FuzzMatch: any path is matched as the obvious matcher does, escaped or not.
func FuzzMatch(f *testing.F) {
	tree := newTree(f, routetree.Options{}, petRoutes...)
	for _, path := range []string{"/pets/dog/1", "/pets//1", "/", "/pets/%2F/x", "/..", "/a/./b", "/%00", "//", "/pets/"} {
		f.Add("GET", path)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(u.Path, "/") || requestpath.Check(u.Path) != nil {
			return
		}
		var values routetree.Values
		found := tree.Match(method, u.EscapedPath(), true, &values)
		if u.RawPath != "" {
			return // the obvious matcher doesn't decode
		}
		got := ""
		if found != nil {
			got = *found
			k, _ := routetree.ParseKey(got)
			for i, name := range k.Variables() {
				got += " " + name + "=" + values.At(i)
			}
		}
		if want := obvious(petRoutes, method, u.Path); got != want {
			t.Errorf("%s %q: got %q, want %q", method, path, got, want)
		}
	})
}

// A segment that another router takes for a variable has a spelling, and is that segment and no other.
func TestEscapedLiterals(t *testing.T) {
	for _, o := range []routetree.Options{{}, {IgnoreCase: true}} {
		tree := newTree(t, o, "GET /a/%3Aid", "GET /%2A/x", "GET /caf%C3%A9/{id}", "GET /%7Bid%7D")
		for path, want := range map[string]string{
			"/a/:id": "GET /a/%3Aid", "/a/%3aid": "GET /a/%3Aid", "/a/7": "", "/*/x": "GET /%2A/x", "/%2A/x": "GET /%2A/x", "/y/x": "",
			"/caf%C3%A9/7": "GET /caf%C3%A9/{id} id=7", "/caf%c3%a9/7": "GET /caf%C3%A9/{id} id=7", "/%7Bid%7D": "GET /%7Bid%7D", "/7": "",
		} {
			require.Equal(t, want, match(t, tree, "GET", path), path)
		}
		for _, same := range []string{"GET /a/%3aid", "GET /a/%3A%69d", "GET /%2a/x"} {
			k, err := routetree.ParseKey(same)
			require.NoError(t, err)
			require.ErrorContains(t, tree.Add(k, same), "matches the same", same)
		}
		k, err := routetree.ParseKey("GET /{x}")
		require.NoError(t, err)
		require.NoError(t, tree.Add(k, "GET /{x}"))
	}
}
