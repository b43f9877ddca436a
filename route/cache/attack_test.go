package cache_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/cache"
)

// What one client sends must not become another's answer: no two lists of values are one key.
func TestNoTwoRequestsAreOneByJoining(t *testing.T) {
	b := &backend{}
	h := newCache(t, cache.Config{Route: cache.Route{Key: []string{"method.request.header.A", "method.request.header.B", "method.request.querystring.q", "method.request.querystring.r"}}}).Middleware(b)
	for i, tt := range []struct {
		target string
		a, b   []string
	}{
		{"/", []string{"x,y"}, nil}, {"/", []string{"x", "y"}, nil}, {"/", []string{"x"}, []string{"y"}}, {"/", nil, []string{"x,y"}}, {"/", []string{""}, nil}, {"/", nil, nil},
		{"/?q=1&r=2", nil, nil}, {"/?q=1%26r=2", nil, nil}, {"/?q=12", nil, nil}, {"/?q=1&q=2", nil, nil}, {"/?r=1&r=2", nil, nil}, {"/?q=%00", nil, nil}, {"/?q=\x7f", nil, nil},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		_, r.URL.RawQuery, _ = strings.Cut(tt.target, "?")
		r.Header["A"], r.Header["B"] = tt.a, tt.b
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, fmt.Sprint("answer ", i+1), w.Body.String())
	}
}

// Paths that a backend may read as others are answers of their own.
func TestPathsAreComparedAsSent(t *testing.T) {
	b := &backend{}
	h := newCache(t, cache.Config{}).Middleware(b)
	for i, target := range []string{"/a/b", "/a%2Fb", "/a/b?", "/A/b", "/a/b/", "//a/b", "/a/b?x", "/a/b?x="} {
		want := i + 1
		if target == "/a/b?" {
			want = 1 // the same URL to every reader
		} else if i > 2 {
			want--
		}
		require.Equal(t, fmt.Sprint("answer ", want), get(h, target).Body.String(), target)
	}
	require.Equal(t, "answer 8", get(h, "/a/b", func(r *http.Request) { r.Host = "evil.example" }).Body.String(), "a host that a backend may put into its answer")
}

// A refusal in front never reaches the cache, and an answer to someone is none for who is refused.
func TestAuthorizersStandInFront(t *testing.T) {
	b := &backend{}
	c := newCache(t, cache.Config{Route: cache.Route{Public: true}})
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /a", b, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Key") == "" {
				gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Unauthorized})
				return
			}
			next.ServeHTTP(w, r)
		})
	}, c.Middleware)
	require.Equal(t, 200, get(api, "/a", header("Key", "x")).Code)
	require.Equal(t, 401, get(api, "/a").Code)
	require.EqualValues(t, 1, c.Stats().Misses)
}

// Sizes of what clients send change nothing but the time of a hash.
func TestLongValues(t *testing.T) {
	b := &backend{}
	h := newCache(t, cache.Config{Route: cache.Route{Key: []string{"method.request.header.A"}}}).Middleware(b)
	long := strings.Repeat("x", 1<<20)
	require.Equal(t, "answer 1", get(h, "/", header("A", long)).Body.String())
	require.Equal(t, "answer 1", get(h, "/", header("A", long)).Body.String())
	require.Equal(t, "answer 2", get(h, "/", header("A", long+"y")).Body.String())
}

// FuzzKey looks for two parameter texts, or queries, that the parser and the key take apart
// differently.
func FuzzKey(f *testing.F) {
	f.Add("method.request.querystring.q", "q=1&q=2", "q=1")
	f.Add("method.request.header.X-A", "", "")
	f.Add("method.request.path.", "%", "&&")
	f.Fuzz(func(t *testing.T, parameter, query, other string) {
		c, err := cache.New(t.Context(), cache.Config{Route: cache.Route{Key: []string{parameter}}, MaxBytes: 1 << 16})
		if err != nil {
			return
		}
		b := &backend{}
		h := c.Middleware(b)
		name := parameter[strings.LastIndex(parameter, "querystring.")+len("querystring."):]
		values := func(raw string) (list []string) {
			r := &http.Request{Method: "GET", URL: httptest.NewRequest("GET", "/", nil).URL, Header: http.Header{}}
			r.URL.RawQuery = raw
			h.ServeHTTP(httptest.NewRecorder(), r)
			for pair := range strings.SplitSeq(raw, "&") {
				list = append(list, pair)
			}
			return list
		}
		one, two := values(query), values(other)
		if b.calls.Load() == 1 && strings.HasPrefix(parameter, "method.request.querystring.") && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") == "" &&
			!strings.ContainsAny(query+other, "%+") {
			var a, b []string
			for _, p := range one {
				if k, v, _ := strings.Cut(p, "="); k == name {
					a = append(a, v)
				}
			}
			for _, p := range two {
				if k, v, _ := strings.Cut(p, "="); k == name {
					b = append(b, v)
				}
			}
			require.Equal(t, a, b, "one answer for %q and %q", query, other)
		}
	})
}
