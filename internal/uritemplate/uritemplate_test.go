package uritemplate_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/uritemplate"
)

// values are a path variable with what clients encode, one with separators, and none.
func values(name string) (uritemplate.Value, bool, error) {
	switch name {
	case "id":
		return uritemplate.Value{Escaped: "a%2fb%3b", Text: "a/b;"}, true, nil
	case "proxy":
		return uritemplate.Value{Escaped: "a/b", Text: "a/b"}, true, nil
	case "empty":
		return uritemplate.Value{}, true, nil
	case "fails":
		return uritemplate.Value{}, false, errFails
	}
	return uritemplate.Value{}, false, nil
}

var errFails = errors.New("fails")

// What both kinds of APIs take, and what they make of it.
func TestTemplate(t *testing.T) {
	stage := map[string]string{"host": "up.example", "port": "8080", "url": "up.example/base/", "bare": "up.example/base", "seg": "a/b/", "q": "x=1", "key-a.b": "k"}
	for _, tt := range []struct{ uri, host, path, query string }{
		{"", "", "", ""},
		{"/", "", "/", ""},
		{"/v/{id}", "", "/v/a%2fb%3b", ""},
		{"http://h", "h", "", ""},
		{"https://h:8443/a%2Fb?x=%41", "h:8443", "/a%2Fb", "x=%41"},
		{"http://h?x=1", "h", "", "x=1"},
		{"http://[::1]:8080/{proxy}", "[::1]:8080", "/a/b", ""},
		{"http://h/{id}{proxy}.json", "h", "/a%2fb%3ba/b.json", ""},
		{"http://h/{none}?x={none}&y={id}", "h", "/%7Bnone%7D", "x=%7Bnone%7D&y=a%2Fb%3B"},
		{"http://{none}.example/", "{none}.example", "/", ""},
		{`http://h/{id\}`, "h", "/a%2fb%3b", ""},
		{"http://h/{empty}/x", "h", "//x", ""},
		{"http://h/$x/{a.b:c_d$-e}", "h", "/$x/%7Ba.b:c_d$-e%7D", ""},
		{"http://${stageVariables.host}:${stageVariables.port}/x", "up.example:8080", "/x", ""},
		{"http://api.${stageVariables.host}/${stageVariables.none}/x?${stageVariables.q}", "api.up.example", "//x", "x=1"},
		{"http://${stageVariables.url}/pets", "up.example", "/base/pets", ""},
		{"http://${stageVariables.url}", "up.example", "/base/", ""},
		{"http://${stageVariables.bare}/pets", "up.example", "/base/pets", ""},
		{"http://${stageVariables.bare}?x={id}", "up.example", "/base", "x=a%2Fb%3B"},
		{"http://h/${stageVariables.seg}/c", "h", "/a/b//c", ""},
		{"http://h/${stageVariables.key-a.b}", "h", "/k", ""},
		{`http://h/${stageVariables.port\}`, "h", "/8080", ""},
		{"/v/${stageVariables.port}", "", "/v/8080", ""},
	} {
		t.Run(tt.uri, func(t *testing.T) {
			s, err := uritemplate.New(tt.uri)
			require.NoError(t, err)
			require.Equal(t, !strings.Contains(tt.uri, "${stage"), s.Fixed())
			for range 2 { // the second time from what was remembered
				u, err := s.Template(stage)
				require.NoError(t, err)
				require.Equal(t, s.Shape().Scheme, u.Scheme)
				host, err := u.Host(values)
				require.NoError(t, err)
				path, err := u.Path(values)
				require.NoError(t, err)
				query, err := u.Query(values)
				require.NoError(t, err)
				require.Equal(t, []string{tt.host, tt.path, tt.query}, []string{host, path, query})
				require.Equal(t, tt.query != "", u.HasQuery())
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for uri, want := range map[string]string{
		"ftp://x":                               "want http://",
		"x":                                     "want http://",
		"HTTP://x":                              "want http://",
		"http://":                               "want a host",
		"http:///x":                             "want a host",
		"http://u:p@h/":                         "want a host",
		"http://h:":                             "want a host",
		"http://h:x":                            "want a host",
		"http://h:65536":                        "want a host",
		"http://%41/":                           "want a host",
		"http://h/{":                            "want {name}",
		"http://h/}":                            "want {name}",
		"http://h/{}":                           "letters, digits",
		"http://h/{a/b}":                        "letters, digits",
		"http://h/{a b}":                        "visible ASCII",
		"http://h/a/../b":                       "without dot segments",
		"http://h/a/..":                         "without dot segments",
		"http://h/..;x/b":                       "without dot segments",
		"http://h/%2e%2E/b":                     "without dot segments",
		"http://h/a%5Cb":                        "without dot segments",
		"http://h/%00":                          "without dot segments",
		"http://h/%zz":                          "good escapes",
		"http://h/#f":                           "without fragment",
		"http://h/\n":                           "visible ASCII",
		"http://h/ü":                            "visible ASCII",
		`http://h/\`:                            "visible ASCII",
		"${stageVariables.x}://h":               "behind the scheme",
		"${stageVariables.x}":                   "behind the scheme",
		"http://${stageVariables.}/":            "want ${stageVariables.name}",
		"http://${stageVariables.a b}/":         "want ${stageVariables.name}",
		"http://${stageVariables.a/":            "want ${stageVariables.name}",
		"http://h/" + strings.Repeat("a", 2040): "at most 2048 bytes, got 2049",
		"http://h/" + strings.Repeat("{a}", 9) + "?" + strings.Repeat("{a}", 8): "at most 16 variables, got 17",
	} {
		_, err := uritemplate.New(uri)
		require.ErrorContains(t, err, want, uri)
	}
}

// Stage variables are configuration, and can make what would have been refused.
func TestStageVariablesThatMakeNoURI(t *testing.T) {
	s, err := uritemplate.New("http://${stageVariables.host}:${stageVariables.port}/${stageVariables.path}")
	require.NoError(t, err)
	for _, stage := range []map[string]string{
		nil, {"host": "h"}, {"host": "h", "port": "x"}, {"host": "u@h", "port": "1"}, {"host": "a b", "port": "1"}, {"host": "h", "port": "1", "path": ".."},
		{"host": "h", "port": "1", "path": "{id}"}, {"host": "h", "port": "1", "path": "a#b"}, {"host": "h", "port": "1", "path": strings.Repeat("a", 2048)},
	} {
		_, err := s.Template(stage)
		require.Error(t, err, stage)
	}
}

func TestVariables(t *testing.T) {
	host, path, query := parse(t, "http://{a}/"), parse(t, "http://h/{a}"), parse(t, "http://h/?{a+}")
	require.True(t, host.HostVariables())
	require.False(t, host.PathVariables())
	require.False(t, path.HostVariables())
	require.True(t, path.PathVariables())
	require.False(t, query.HostVariables() || query.PathVariables())
	require.Equal(t, "a", query.Greedy())
	require.Empty(t, path.Greedy())
	_, err := parse(t, "http://h/{fails}").Path(values)
	require.Equal(t, errFails, err)
}

func parse(t *testing.T, uri string) *uritemplate.Template {
	t.Helper()
	u, err := uritemplate.Parse(uri)
	require.NoError(t, err)
	return u
}

// A configuration that makes stage variables up fills no memory.
func TestRememberedURIs(t *testing.T) {
	s, err := uritemplate.New("http://h/${stageVariables.x}")
	require.NoError(t, err)
	for i := range 1000 {
		_, err := s.Template(map[string]string{"x": strings.Repeat("a", i)})
		require.NoError(t, err)
	}
	require.LessOrEqual(t, uritemplate.Remembered(s), 128)
}

// A URI that is taken has a scheme and a host, or is a path, and literals that net/url reads as
// they are written.
func FuzzURI(f *testing.F) {
	for _, uri := range []string{"http://h/{id}", "https://h:1/a/{id}/b?x={id}", "/x/{id}", "http://${stageVariables.a}/", "http://[::1]:8/{id}", `http://h/{id\}`} {
		f.Add(uri, "up.example/base/")
		f.Add(uri, "1")
	}
	f.Fuzz(func(t *testing.T, uri, stage string) {
		s, err := uritemplate.New(uri)
		if err != nil {
			return
		}
		u, err := s.Template(map[string]string{"a": stage})
		if err != nil {
			return
		}
		one := func(string) (uritemplate.Value, bool, error) {
			return uritemplate.Value{Escaped: "1", Text: "1"}, true, nil
		}
		host, _ := u.Host(one)
		path, _ := u.Path(one)
		query, _ := u.Query(one)
		if u.Scheme == "" && host != "" || strings.ContainsAny(host+path+query, " \r\n\t#\\") {
			t.Fatalf("%q with %q: %q %q %q", uri, stage, host, path, query)
		}
		scheme := u.Scheme
		if scheme == "" { // the path is sent to an upstream
			scheme, host = "http", "h"
		}
		whole := scheme + "://" + host + path + "?" + query
		again, err := url.Parse(whole)
		if err != nil || again.Host != host || again.RawQuery != query || requestpath.Check(again.Path) != nil {
			t.Fatalf("%q with %q: %q is read as %v (%v)", uri, stage, whole, again, err)
		}
	})
}
