package arn_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/arn"
)

func TestARN(t *testing.T) {
	api := arn.API{Region: "us-east-2", AccountID: "123456781977", APIID: "abc123", Stage: "prod"}
	require.Equal(t, "arn:aws:execute-api:us-east-2:123456781977:abc123/prod/GET/pets/1", api.Method("GET", "pets/1"))
	require.Equal(t, "arn:aws:execute-api:us-east-2:123456781977:abc123/prod/$connect", api.Route("$connect"))
	require.Equal(t, "arn:aws:execute-api:us-east-2:********1977:abc123/prod/GET/pets/1", arn.Mask(api.Method("GET", "pets/1")))
	require.Equal(t, "arn:aws:execute-api:unknown:000000000000:unknown/$default/GET/", arn.API{}.Method("GET", ""))
	require.Equal(t, "aws-cn", arn.Partition("cn-north-1"))
	require.Equal(t, "aws-us-gov", arn.Partition("us-gov-west-1"))
	require.Equal(t, "nonsense", arn.Mask("nonsense"))
}

func TestPath(t *testing.T) {
	for escaped, want := range map[string]string{
		"/": "", "/pets": "pets", "/pets/": "pets/", "/p%65ts": "pets", "/%61dmin": "admin", "/a%2Fb": "a%2Fb", "/a%2fb": "a%2Fb", "/a%20b": "a%20b", "/é": "%C3%A9",
		"/%c3%a9": "%C3%A9", "/%2A?"[:4]: "*", "/a:b@c": "a:b@c", "/%25": "%25", "//admin": "/admin", "/PUBLIC": "PUBLIC",
	} {
		got, err := arn.Path(escaped)
		require.NoError(t, err, escaped)
		require.Equal(t, want, got, escaped)
	}
	for _, escaped := range []string{"/public/../admin", "/public/%2e%2e/admin", "/.", "/a%2F..%2Fb", "/%", "/%zz", "/%00", "/%5C", `/a\b`} {
		_, err := arn.Path(escaped)
		require.Error(t, err, escaped)
	}
}

// The normal form is its own, decodes to what was asked for, and has as many segments.
func FuzzPath(f *testing.F) {
	f.Add("/a%2Fb/%c3%a9/*")
	f.Add("/%61//b/")
	f.Fuzz(func(t *testing.T, escaped string) {
		got, err := arn.Path(escaped)
		if err != nil {
			return
		}
		again, err := arn.Path(got)
		if again != strings.TrimPrefix(got, "/") || err != nil {
			t.Errorf("%q: %q, then %q, %v", escaped, got, again, err)
		}
		want, err1 := url.PathUnescape(strings.TrimPrefix(escaped, "/"))
		have, err2 := url.PathUnescape(got)
		if want != have || err1 != nil || err2 != nil || strings.Count(got, "/") != strings.Count(strings.TrimPrefix(escaped, "/"), "/") {
			t.Errorf("%q became %q", escaped, got)
		}
	})
}
