package auth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
)

// What the package doc lists among the Differences: signed by a known key, and refused.
func TestSigV4Differences(t *testing.T) {
	for target, want := range map[string]string{
		"/pets?a=1": "200", "/pets?a=%3B&b=%25": "200", "/pets?a=1;b=2": wrongSignature, "/pets?;": wrongSignature, "/pets?a=%": wrongSignature, "/pets?a=%zz": wrongSignature,
		"/pets?%=a": wrongSignature, "/pets?a=%2": wrongSignature, "/pets//1": wrongSignature, "//pets": wrongSignature, "/pets/1//": wrongSignature,
		"/pets/../1": wrongSignature, "/pets/./1": wrongSignature,
	} {
		r := unsigned("GET", target, "")
		if err := signer.Sign(r, time.Now()); err != nil { // the signer refuses it, too
			path, query, _ := strings.Cut(target, "?")
			r = unsigned("GET", path, "")
			require.NoError(t, signer.Sign(r, time.Now()), target)
			r.URL.RawQuery = query
		}
		rc, r := gatekit.Attach(r)
		rc.Route = &gatekit.Route{Key: "GET /{proxy+}"}
		require.Equal(t, want, outcome(t, newSigV4(t, auth.SigV4Config{}), r), target)
		if strings.Contains(target, "/.") {
			rc.Route = &gatekit.Route{Key: ""}
			require.Equal(t, `400 BadRequestException {"message":"Bad Request"}`, outcome(t, newSigV4(t, auth.SigV4Config{}), r), target)
		}
	}
}

// The replay cache looks for what has expired once a second at most, however often it is full: a
// flood costs no more.
func TestSigV4ReplaySweeps(t *testing.T) {
	atTime(t, time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), func(t *testing.T) {
		s := newSigV4(t, auth.SigV4Config{ReplayCache: 1})
		send := func(path string) string {
			r := unsigned("GET", path, "")
			require.NoError(t, signer.Sign(r, time.Now()))
			return outcome(t, s, r)[:3]
		}
		require.Equal(t, "200", send("/1"))
		time.Sleep(5 * time.Minute)
		require.Equal(t, "500", send("/2"), "the first is good for this very instant")
		time.Sleep(time.Second - time.Nanosecond)
		require.Equal(t, "500", send("/3"), "it isn't any longer, but nobody looks")
		time.Sleep(time.Nanosecond)
		require.Equal(t, "200", send("/4"))
	})
}

// A session ends at the instant that it expires, and a principal's account is the one that the
// source names.
func TestSigV4SessionAndAccount(t *testing.T) {
	atTime(t, time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), func(t *testing.T) {
		ends := time.Now().Add(time.Minute)
		s := newSigV4(t, auth.SigV4Config{Credentials: auth.StaticCredentials{"ASIAX": {
			SecretAccessKey: secretKey, SessionToken: "token", Expires: ends, Principal: policy.Principal{ARN: "arn:aws:iam::444455556666:user/bob", AccountID: "111122223333"},
		}}})
		session := authtest.Signer{AccessKeyID: "ASIAX", SecretAccessKey: secretKey, SessionToken: "token", Region: "us-east-1"}
		send := func() (*gatekit.Authorization, error) {
			r := unsigned("GET", "/", "")
			require.NoError(t, session.Sign(r, time.Now()))
			rc, r := gatekit.Attach(r)
			rc.API = &rest
			return s.Authorize(r)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		found, err := send()
		require.NoError(t, err)
		caller, ok := found.Caller()
		require.True(t, ok)
		require.Equal(t, "111122223333", caller.AccountID)
		time.Sleep(time.Nanosecond)
		_, err = send()
		require.ErrorContains(t, err, "expired")
	})
}

// What the file says counts at once, no credential included. What it can't say leaves the
// credentials good for an hour, and no longer.
func TestWithdrawnCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "credentials")
		one := "[a]\naws_access_key_id = " + keyID + "\naws_secret_access_key = " + secretKey + "\n"
		require.NoError(t, os.WriteFile(path, []byte(one), 0o600))
		f, err := auth.NewCredentialsFile(path)
		require.NoError(t, err)
		ask := func() error {
			time.Sleep(time.Second)
			_, err := f.Credential(t.Context(), keyID, "")
			return err
		}
		require.NoError(t, ask())
		require.NoError(t, os.WriteFile(path, []byte("# nobody\n"), 0o600))
		require.ErrorIs(t, ask(), auth.ErrUnknownKey)
		for _, lose := range []func(){
			func() { require.NoError(t, os.Remove(path)) },
			func() { require.NoError(t, os.WriteFile(path, []byte("nonsense"), 0o600)) },
		} {
			require.NoError(t, os.WriteFile(path, []byte(one), 0o600))
			require.NoError(t, ask())
			lose()
			require.NoError(t, ask())
			time.Sleep(time.Hour - 2*time.Second)
			require.NoError(t, ask())
			time.Sleep(time.Second)
			require.ErrorContains(t, ask(), "auth: NewCredentialsFile: ")
			require.NotErrorIs(t, ask(), auth.ErrUnknownKey, "a fault, and not a stranger")
		}
		require.NoError(t, os.WriteFile(path, []byte(one), 0o600))
		require.NoError(t, ask())
	})
}
