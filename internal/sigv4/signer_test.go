package sigv4_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// The guide's own example, of which every step is published. (IAM user guide, "Create a signed AWS
// API request".)
func TestSignerOfTheGuide(t *testing.T) {
	s := sigv4.Signer{
		Algorithm: sigv4.HMAC, AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		Region: "us-east-1", Service: "iam",
	}
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	r := &sigv4.Request{
		Method: "GET", Path: "/", Query: "Action=ListUsers&Version=2010-05-08", Host: "iam.amazonaws.com", BodyHash: sigv4.EmptyHash,
		Header: map[string][]string{
			"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}, "X-Amz-Date": {"20150830T123600Z"}, "Accept": {"*/*"},
		},
	}
	got, err := s.Authorization(r, at)
	require.NoError(t, err)
	require.Equal(t, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, "+
		"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", got)
	r.Query = "a=%zz"
	_, err = s.Authorization(r, at)
	require.ErrorIs(t, err, sigv4.ErrQuery)
	require.Equal(t, sigv4.EmptyHash, sigv4.Hash(nil))
}

func TestRespell(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "": "", "/a b/(x)!*'": "/a%20b/%28x%29%21%2A%27", "/%41%2f%2F/~": "/A%2F%2F/~", "/a+b;c=d": "/a%2Bb%3Bc%3Dd",
		"//a//": "//a//", "/%E1%88%B4/ሴ": "/%E1%88%B4/%E1%88%B4", "/%25": "/%25",
	} {
		got, ok := sigv4.Respell(path)
		require.True(t, ok, path)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"/%", "/%1", "/%zz", "/a%2"} {
		_, ok := sigv4.Respell(bad)
		require.False(t, ok, bad)
	}
}

// A path and its canonical spelling are one to who decodes them, segment by segment.
func FuzzRespell(f *testing.F) {
	for _, seed := range []string{"/", "/a%2Fb/..", "/%41", "/a b", "/%", "//"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, ok := sigv4.Respell(path)
		decoded, err := url.PathUnescape(path)
		require.Equal(t, err == nil, ok, path)
		if !ok {
			require.Empty(t, got)
			return
		}
		again, ok := sigv4.Respell(got)
		require.True(t, ok)
		require.Equal(t, got, again)
		back, err := url.PathUnescape(got)
		require.NoError(t, err)
		require.Equal(t, decoded, back)
		require.Equal(t, strings.Count(path, "/"), strings.Count(got, "/"))
	})
}
