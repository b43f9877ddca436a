package requestpath_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// urlOf is what a server makes of a request line's path.
func urlOf(t testing.TB, path string) *url.URL {
	t.Helper()
	u, err := url.ParseRequestURI("http://h" + path) // else // would be a host
	require.NoError(t, err, path)
	return u
}

func TestForms(t *testing.T) {
	for _, tt := range []struct {
		sent             string
		rest             bool
		routed, decoded  string
		normal           string
		raw              string
		escaped          bool
		afterChoiceLoose string // Normal, where the route ignores a slash at the end
	}{
		{"/", false, "/", "/", "", "/", false, ""},
		{"/pets/", false, "/pets/", "/pets/", "pets/", "/pets/", false, "pets"},
		{"/a%2fb/", false, "/a%2fb/", "/a/b/", "a%2Fb/", "/a%2fb/", true, "a%2Fb"},
		{"/a%20b", false, "/a%20b", "/a b", "a%20b", "/a b", false, "a%20b"},
		{"/a%3bb;c", false, "/a%3bb;c", "/a;b;c", "a;b;c", "/a%3bb;c", true, "a;b;c"},
		{"/%61%25", false, "/%61%25", "/a%", "a%25", "/%61%25", true, "a%25"},
		{"//admin", false, "//admin", "//admin", "/admin", "//admin", false, "/admin"},
		{"//admin", true, "/admin", "/admin", "admin", "/admin", false, "admin"},
		{"////a%2Fb", true, "/a%2Fb", "/a/b", "a%2Fb", "/a%2Fb", true, "a%2Fb"},
		{"//%2Fadmin", true, "/%2Fadmin", "//admin", "%2Fadmin", "/%2Fadmin", true, "%2Fadmin"},
		{"/%2F/admin", true, "/%2F/admin", "///admin", "%2F/admin", "/%2F/admin", true, "%2F/admin"},
		{"//", true, "/", "/", "", "/", false, ""},
		{"/a//b//", true, "/a//b//", "/a//b//", "a//b/", "/a//b//", false, "a//b/"},
		{"/%c3%a9", false, "/%c3%a9", "/é", "%C3%A9", "/%c3%a9", true, "%C3%A9"},
		{"/%C3%A9", false, "/%C3%A9", "/é", "%C3%A9", "/é", false, "%C3%A9"},
		{"/*", false, "/*", "/*", "*", "/*", true, "*"},
	} {
		t.Run(tt.sent, func(t *testing.T) {
			u := urlOf(t, tt.sent)
			p := requestpath.New("/x"+tt.sent, u)
			requestpath.Follow(&p, u, tt.rest)
			require.Equal(t, "/x"+tt.sent, p.Received())
			require.Equal(t, tt.routed, p.Routed().String())
			require.Equal(t, tt.decoded, p.Routed().Decoded())
			require.Equal(t, tt.normal, p.Normal())
			raw, escaped := p.Routed().Raw()
			require.Equal(t, tt.raw, raw)
			require.Equal(t, tt.escaped, escaped)
			require.Equal(t, p.Routed(), p.Told(u))
			requestpath.Chosen(&p, true)
			require.Equal(t, tt.afterChoiceLoose, p.Normal())
			r, err := http.NewRequest("GET", "http://h/", nil)
			require.NoError(t, err)
			r.URL = u
			c := requestpath.FollowRequest(&p, r, tt.rest)
			require.Equal(t, tt.routed, c.URL.EscapedPath())
			require.Equal(t, tt.decoded, c.URL.Path)
			require.Equal(t, tt.sent, u.EscapedPath(), "the URL that others have")
			parsed, err := requestpath.Parse(tt.sent, tt.rest)
			require.NoError(t, err)
			require.Equal(t, tt.decoded, parsed.Decoded())
		})
	}
	_, err := requestpath.Parse("/%zz", false)
	require.Error(t, err)
}

func TestCheck(t *testing.T) {
	for _, path := range []string{
		"/.", "/..", "/a/../b", "/a/./b", "/a/.", "/a/..", "/..;/b", "/..;x=1/b", "/a/.;/b", "/..;", "/%2e%2e/x", "/.%2e/x", "/%2E./x", "/a%2f..%2fb", "/a/..%2f", "/..%3b/x", "/%2e%2e%3bx",
		"..", "../a", ".", "./a", "..;/a", "/a%00", "/%00", "/a%5Cb", "/a%5cb", `/a\b`, `/..\b`,
	} {
		f, err := requestpath.Parse(path, false)
		require.NoError(t, err)
		require.Error(t, f.Check(false), path)
	}
	for _, path := range []string{"", "/", "//", "/...", "/a..", "/.a", "/..a", "/a;..", "/a;x=../", "/.well-known/x", "/%252e%252e/x", "/a%2Fb", "*", "a"} {
		f, err := requestpath.Parse(path, false)
		require.NoError(t, err)
		require.NoError(t, f.Check(false), path)
	}
	for path, want := range map[string]error{"/a%2Fb": requestpath.ErrEncodedSlash, "/a%2fb": requestpath.ErrEncodedSlash, "/a%252Fb": nil, "/a/b": nil} {
		f, err := requestpath.Parse(path, false)
		require.NoError(t, err)
		require.Equal(t, want, f.Check(true), path)
	}
}

func TestWhole(t *testing.T) {
	for _, tt := range []struct {
		name, received, url string
		rest                bool
		want                string
	}{
		{"as-received", "/s/a%2fb", "/a%2fb", false, "/s/a%2fb"},
		{"nothing-in-front", "/a", "/a", false, "/a"},
		{"root", "/base", "/", false, "/base"},
		{"root-slash", "/base/", "/", false, "/base/"},
		{"rest", "/base/p", "/p", true, "/base/p"},
		{"rest-doubled", "/base//p", "//p", true, "/base/p"},
		{"rest-doubled-alone", "//p", "//p", true, "/p"},
		{"rest-root", "/base//", "//", true, "/base/"},
		{"doubled-of-http", "/s//p", "//p", false, "/s//p"},
		{"rewritten", "/old", "/new", false, "/new"},
		{"raw-bytes", "/base/\xe9", "/\xe9", false, "/base/%E9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := urlOf(t, tt.url)
			p := requestpath.New(tt.received, u)
			requestpath.Follow(&p, u, tt.rest)
			require.Equal(t, tt.want, p.Whole(u))
		})
	}
}

// A path follows the URL until a route is chosen by it; then another URL is what a mapping tells
// the backend.
func TestFollow(t *testing.T) {
	p := requestpath.Of(httptest.NewRequest("GET", "/v1/a%2fb?q=/c", nil))
	require.Equal(t, "/v1/a%2fb", p.Received())
	cut := requestpath.Cut(urlOf(t, "/v1/a%2fb"), len("/v1"))
	require.Equal(t, url.URL{Scheme: "http", Host: "h", Path: "/a/b", RawPath: "/a%2fb"}, cut)
	requestpath.Follow(&p, &cut, false)
	require.Equal(t, "/a%2fb", p.Routed().String())
	requestpath.Chosen(&p, false)
	mapped := urlOf(t, "/mapped")
	requestpath.Follow(&p, mapped, false)
	require.Equal(t, "/a%2fb", p.Routed().String())
	require.Equal(t, "/mapped", p.Told(mapped).String())
	require.Equal(t, "/v1/mapped", p.Whole(mapped))
	other := requestpath.New("/v1/a", urlOf(t, "/a"))
	requestpath.Settle(&other, urlOf(t, "/b/x"), false)
	requestpath.Follow(&other, mapped, false)
	require.Equal(t, "/b/x", other.Routed().String(), "no route, but a mapping")
	v, ok := other.Value(&http.Request{URL: mapped}, "GET /b/{id}", "id")
	require.True(t, ok)
	require.Equal(t, "x", v.Escaped)
	_, ok = other.Value(&http.Request{URL: mapped}, "GET /c/{id}", "id")
	require.False(t, ok, "nobody of ours has compared them")

	whole := requestpath.Cut(urlOf(t, "/v1"), len("/v1"))
	require.Equal(t, "/", whole.Path)
	usual := requestpath.Cut(urlOf(t, "/v(1)/a"), len("/v(1)"))
	require.Equal(t, "", usual.RawPath, "what was unusual is gone")
	for want, r := range map[string]*http.Request{
		"/p%41th": httptest.NewRequest("GET", "http://host/p%41th?x", nil), "/made%20up": {URL: &url.URL{Path: "/made up"}}, "//x": {RequestURI: "//x?y", URL: &url.URL{}},
		"/a": {URL: &url.URL{Path: "/a", RawPath: "/%zz"}}, "/b": {URL: &url.URL{Path: "/b", RawPath: "/a%2fb"}},
	} {
		p := requestpath.Of(r)
		require.Equal(t, want, p.Received())
	}
}

func TestVariables(t *testing.T) {
	for _, tt := range []struct {
		key, path string
		loose     bool
		want      []requestpath.Variable
	}{
		{"GET /pets/{id}/{proxy+}", "/pets/a%2Bb/x%2Fy/z%20z", false, []requestpath.Variable{{"id", "a%2Bb", "a+b", false}, {"proxy", "x%2Fy/z%20z", "x/y/z z", true}}},
		{"GET /{a}/{b}", "/x y/é", false, []requestpath.Variable{{"a", "x%20y", "x y", false}, {"b", "%C3%A9", "é", false}}},
		{"GET /{proxy+}", "/a//b/", false, []requestpath.Variable{{"proxy", "a//b/", "a//b/", true}}},
		{"GET /{proxy+}", "/a//b/", true, []requestpath.Variable{{"proxy", "a//b", "a//b", true}}},
		{"GET /{proxy+}", "/a//", true, []requestpath.Variable{{"proxy", "a/", "a/", true}}},
		{"ANY /files/{proxy+}", "/files/", false, []requestpath.Variable{{"proxy", "", "", true}}},
		{"ANY /files/{proxy+}", "/files", false, []requestpath.Variable{{"proxy", "", "", true}}},
		{"ANY /f%3Aoo/{id}", "/f:oo/%3b", false, []requestpath.Variable{{"id", "%3b", ";", false}}},
		{"ANY /x{a}-{b}/{id}", "/xu-v/%25", false, []requestpath.Variable{{"id", "%25", "%", false}}},
		{"ANY /other/{id}", "/files/x", false, nil},
		{"ANY /files/{id}", "/files/x/y", false, nil},
		{"ANY /files/{id}", "/files", false, nil},
		{"$default", "/files", false, nil},
		{"", "/files", false, nil},
		{"GET /", "/", false, nil},
	} {
		u := urlOf(t, strings.ReplaceAll(tt.path, " ", "%20"))
		p := requestpath.New("/", u)
		requestpath.Follow(&p, u, tt.loose)
		var got []requestpath.Variable
		for v := range p.Variables(tt.key) {
			got = append(got, v)
		}
		require.Equal(t, tt.want, got, "%s of %s", tt.key, tt.path)
	}
	u := urlOf(t, "/x%2fy")
	p := requestpath.New("/files/x%2fy", u)
	v, ok := p.Value(&http.Request{URL: u}, "ANY /files/{proxy+}", "proxy")
	require.True(t, ok, "a pattern in front of http.StripPrefix")
	require.Equal(t, requestpath.Variable{"proxy", "x%2fy", "x/y", true}, v)
}

func TestValue(t *testing.T) {
	u := urlOf(t, "/a%2fb/c%2fd/e")
	p := requestpath.New(u.EscapedPath(), u)
	const key = "GET /{id}/{rest+}"
	for _, tt := range []struct {
		name, set, escaped string
		ok                 bool
	}{
		{"id", "", "a%2fb", true},
		{"id", "a/b", "a%2fb", true},   // ours, and ServeMux's
		{"id", "a%2fb", "a%2fb", true}, // chi's
		{"id", "mapped/x y", "mapped%2Fx%20y", true},
		{"rest", "", "c%2fd/e", true},
		{"rest", "c/d/e", "c%2fd/e", true},
		{"rest", "m/n o", "m/n%20o", true},
		{"other", "v/w", "v%2Fw", true},
		{"other", "", "", false},
	} {
		r := &http.Request{URL: u}
		if tt.set != "" {
			r.SetPathValue(tt.name, tt.set)
		}
		v, ok := p.Value(r, key, tt.name)
		require.Equal(t, tt.ok, ok)
		require.Equal(t, tt.escaped, v.Escaped, "%+v", tt)
	}
}

func TestReadingAllocations(t *testing.T) {
	r := httptest.NewRequest("GET", "/v1/users/42/items/", nil)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		p := requestpath.Of(r)
		requestpath.Follow(&p, r.URL, true)
		_ = p.Routed().Check(true)
		_ = p.Normal()
		_ = p.Routed().String()
		_ = p.Whole(r.URL)
		requestpath.Chosen(&p, true)
		for v := range p.Variables("GET /v1/users/{id}/{proxy+}") {
			_ = v.Escaped
		}
	}), 1.0, "the variables' iterator")
}

// FuzzPath: whatever comes, all forms are one path: they decode to the same, have as many segments,
// and collapse once; the normal form is its own.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/a%2Fb/%c3%a9/*", "/%61//b/", "//x", "/a;b/..;/c", "/%2F/%2f", "/\xe9/%25"} {
		f.Add(path, true)
	}
	f.Fuzz(func(t *testing.T, path string, rest bool) {
		u, err := url.ParseRequestURI("http://h" + path)
		if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
			return
		}
		p := requestpath.New(path, u)
		requestpath.Follow(&p, u, rest)
		routed := p.Routed()
		decoded, err := url.PathUnescape(routed.String())
		if err != nil || decoded != routed.Decoded() {
			t.Errorf("%q: %q decodes to %q, not %q (%v)", path, routed, decoded, routed.Decoded(), err)
		}
		if rest && strings.HasPrefix(routed.String(), "//") {
			t.Errorf("%q: %q", path, routed)
		}
		if !rest && routed.String() != u.EscapedPath() {
			t.Errorf("%q: %q", path, routed)
		}
		loose := requestpath.New(path, u) // for Normal of a path whose slash at the end counts
		if rest {
			loose = p
			requestpath.Chosen(&loose, false)
		}
		normal := loose.Normal()
		have, err := url.PathUnescape(normal)
		if err != nil || have != strings.TrimPrefix(decoded, "/") && strings.HasPrefix(routed.String(), "/") || strings.Count(normal, "/") != strings.Count(strings.TrimPrefix(routed.String(), "/"), "/") {
			t.Errorf("%q: normal form %q", path, normal)
		}
		for v := range p.Variables("GET /{proxy+}") {
			if again, err := url.PathUnescape(v.Escaped); err != nil || again != v.Decoded {
				t.Errorf("%q: %+v", path, v)
			}
		}
	})
}
