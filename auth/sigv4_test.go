package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route/cache"
)

const (
	keyID     = "AKIDEXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	bobARN    = "arn:aws:iam::111122223333:user/bob"
)

var (
	bob    = auth.Credential{SecretAccessKey: secretKey, Principal: policy.Principal{ARN: bobARN, UserID: "AIDABOB"}}
	signer = authtest.Signer{AccessKeyID: keyID, SecretAccessKey: secretKey, Region: "us-east-1"}
	rest   = flavored(gatekit.REST)
)

func newSigV4(t testing.TB, c auth.SigV4Config) *auth.SigV4 {
	t.Helper()
	if c.Credentials == nil {
		c.Credentials = auth.StaticCredentials{keyID: bob}
	}
	s, err := auth.NewSigV4(c)
	require.NoError(t, err)
	return s
}

func unsigned(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	}
	r.Host = "abc123.execute-api.us-east-1.amazonaws.com"
	return r
}

// atTime runs f at a time, in a bubble whose clock begins in 2000.
func atTime(t *testing.T, at time.Time, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(at))
		f(t)
	})
}

// TestSigV4Vectors verifies requests whose signatures were published or made by other signers.
func TestSigV4Vectors(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	const scope = keyID + "/20240102/us-east-1/execute-api/aws4_request"
	atTime(t, at, func(t *testing.T) {
		for _, tt := range []struct{ method, target, body, contentType, headers, signature string }{
			{"GET", "/prod/pets?b=2&a=1&a=0&empty&x=%20y&k=%2f", "", "", "host;x-amz-date", "b64e174c05d168f802708cff6428b8ef1db43d2b2614c7af5ca238986ec37c4d"},
			{"POST", "/prod/a%2Fb/~u/%40connections/L0SM9cOFvHcCIhw%3D", `{"a":1}`, " application/json", "content-type;host;x-amz-date", "1d31a1a9adce5fc54374f9d2c81b977a243badbf8db8608f1996ef85db7031df"},
			{"POST", "/prod/@connections/L0SM9cOFvHcCIhw=", `{"a":1}`, "", "host;x-amz-date", "08ac71ecd67f82434abcfd2043dd6e75e1753fa4d08489c28ea857b18246a5fb"},
		} {
			r := unsigned(tt.method, tt.target, tt.body)
			r.Header.Set("X-Amz-Date", "20240102T030405Z")
			if tt.contentType != "" {
				r.Header["Content-Type"] = []string{tt.contentType}
			}
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+scope+", SignedHeaders="+tt.headers+", Signature="+tt.signature)
			w := serve(behind(t, rest, newSigV4(t, auth.SigV4Config{})), r)
			require.Equal(t, 200, w.Code, "%s: %s", tt.target, w.Body)
		}
		const presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20240102%2Fus-east-1%2Fexecute-api%2Faws4_request&X-Amz-Date=20240102T030405Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host"
		r := unsigned("GET", "/prod/pets?"+presigned+"&X-Amz-Signature=e5c3348c6331220172731da822b62d5746ad3dd361a4d4fbfa8f3308b571ead4", "")
		w := serve(behind(t, rest, newSigV4(t, auth.SigV4Config{})), r)
		require.Equal(t, 200, w.Code, w.Body)

		r = unsigned("GET", "/prod/pets", "")
		r.Header.Set("X-Amz-Date", "20240102T030405Z")
		r.Header.Set("X-Amz-Region-Set", "us-east-1,eu-*")
		r.Header.Set("Authorization", "AWS4-ECDSA-P256-SHA256 Credential="+keyID+"/20240102/execute-api/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set, "+
			"Signature=3045022100c0482fd23334fddfaa527a1daff26752229fe87d17f469556743eb229cf69c1502207d1c63d8f4d004b465da30e1059b6f30833e93d532682211ae59b20efc40928d")
		w = serve(behind(t, rest, newSigV4(t, auth.SigV4Config{})), r)
		require.Equal(t, 200, w.Code, w.Body)
	})
}

func TestSigV4Forms(t *testing.T) {
	token := signer
	token.SessionToken = "session/token+=="
	regions := signer
	regions.Region = "eu-*, us-*"
	credentials := auth.StaticCredentials{keyID: bob, "ASIA": {SecretAccessKey: "s2", SessionToken: token.SessionToken, Expires: time.Now().Add(time.Hour), Principal: policy.Principal{ARN: "arn:aws:sts::111122223333:assumed-role/R/s"}}}
	token.AccessKeyID, token.SecretAccessKey = "ASIA", "s2"
	for name, sign := range map[string]func(*http.Request) error{
		"header": func(r *http.Request) error { return signer.Sign(r, time.Now()) }, "presigned": func(r *http.Request) error { return signer.Presign(r, time.Now(), time.Minute) },
		"v4a": func(r *http.Request) error { return regions.SignV4A(r, time.Now()) }, "v4a-presigned": func(r *http.Request) error { return regions.PresignV4A(r, time.Now(), time.Minute) },
		"token": func(r *http.Request) error { return token.Sign(r, time.Now()) }, "token-presigned": func(r *http.Request) error { return token.Presign(r, time.Now(), time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSigV4(t, auth.SigV4Config{Credentials: credentials})
			for range 2 { // the second time with a cached key
				for _, body := range []string{"", `{"a":1}`} {
					r := unsigned("POST", "/prod/pets/a%20b?x=1&y=%2F", body)
					r.Header.Set("Content-Type", "application/json")
					require.NoError(t, sign(r))
					found := admitted(t, behind(t, rest, s), r)
					caller, ok := found.Caller()
					require.True(t, ok)
					require.NotEmpty(t, caller.UserARN)
					require.Equal(t, caller.UserARN, found.Principal())
					rest, err := io.ReadAll(r.Body)
					require.NoError(t, err)
					require.Contains(t, []string{"", body}, string(rest))
				}
			}
		})
	}
}

// The handler reads the body that was verified, also when it came in chunks.
func TestSigV4Body(t *testing.T) {
	for _, size := range []int64{7, -1} {
		r := unsigned("POST", "/", `{"a":1}`)
		require.NoError(t, signer.Sign(r, time.Now()))
		r.ContentLength = size
		w := httptest.NewRecorder()
		behind(t, rest, newSigV4(t, auth.SigV4Config{MaxBodyBytes: 7}))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		})).ServeHTTP(w, r)
		require.Equal(t, `{"a":1}`, w.Body.String())
		r = unsigned("POST", "/", `{"a":10}`)
		require.NoError(t, signer.Sign(r, time.Now()))
		r.ContentLength = size
		if size > 0 {
			r.ContentLength = 8
		}
		require.Equal(t, 413, serve(behind(t, rest, newSigV4(t, auth.SigV4Config{MaxBodyBytes: 7})), r).Code)
	}
}

// A body that only says how large it is gets no room for it; one that is all there is read, and one
// that is cut off is a 400.
func TestSigV4LargeBodies(t *testing.T) {
	s := newSigV4(t, auth.SigV4Config{})
	large := strings.Repeat("x", 300<<10)
	r := unsigned("POST", "/", large)
	require.NoError(t, signer.Sign(r, time.Now()))
	require.Equal(t, 200, serve(behind(t, rest, s), r).Code)
	for _, announced := range []int64{int64(len(large)) + 1, int64(len(large)) - 1} {
		r = unsigned("POST", "/", large)
		require.NoError(t, signer.Sign(r, time.Now()))
		r.ContentLength = announced
		require.Equal(t, 400, serve(behind(t, rest, s), r).Code)
	}
}

func TestSigV4Policies(t *testing.T) {
	allowPets := gatekit.Must(policy.Parse(`{"Version":"2012-10-17","Statement":[` + statement("Allow", testARN+"GET/${aws:username}/*") + `,` + statement("Deny", testARN+"*/secret") + `]}`))
	withPolicy := bob
	withPolicy.Policy = allowPets
	s := newSigV4(t, auth.SigV4Config{Credentials: auth.StaticCredentials{keyID: withPolicy}})
	answer := func(api gatekit.API, s *auth.SigV4, path string) string {
		r := unsigned("GET", path, "")
		require.NoError(t, signer.Sign(r, time.Now()))
		w := serve(behind(t, api, s), r)
		return fmt.Sprint(w.Code, " ", w.Header().Get("X-Amzn-Errortype"), " ", w.Body)
	}
	require.Equal(t, `200  ["`+bobARN+`",null,""]`, answer(rest, s, "/bob/1"))
	const refused = `403 AccessDeniedException {"Message":"User: ` + bobARN + ` is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********3333:abc123/prod/GET/`
	require.Equal(t, refused+`al/1 because no identity-based policy allows the execute-api:Invoke action"}`, answer(rest, s, "/al/1"))
	require.Equal(t, refused+`bob/secret with an explicit deny in an identity-based policy"}`, answer(rest, s, "/bob/secret"))
	require.Equal(t, "403  "+forbidden, answer(testAPI, s, "/al/1"))
	other := rest
	other.AccountID = "444455556666"
	require.Contains(t, answer(other, newSigV4(t, auth.SigV4Config{}), "/bob/1"), "because no resource-based policy allows", "another account's caller")
}

// The right to replace a kept answer is the caller's policy's, and another than that to call the
// method.
func TestSigV4MayInvalidateCache(t *testing.T) {
	mayBoth := bob
	mayBoth.Policy = gatekit.Must(policy.Parse(`{"Statement":[` + statement("Allow", "*") + `,{"Effect":"Allow","Action":"execute-api:InvalidateCache","Resource":"` + testARN + `GET/pets"}]}`))
	mayAsk := bob
	mayAsk.Policy = gatekit.Must(policy.Parse(`{"Statement":[` + statement("Allow", "*") + `]}`))
	session := mayAsk
	session.SessionToken = "t"
	anything := bob // without a policy
	s := newSigV4(t, auth.SigV4Config{Credentials: auth.CredentialFunc(func(_ context.Context, id, token string) (auth.Credential, error) {
		switch id + token {
		case "BOTH":
			return mayBoth, nil
		case "ASK":
			return mayAsk, nil
		case "BOTHt":
			return session, nil
		case "ANY":
			return anything, nil
		}
		return auth.Credential{}, auth.ErrUnknownKey
	})})
	calls := 0
	answers := gatekit.Must(cache.New(t.Context(), cache.Config{MayInvalidate: s.MayInvalidateCache, Unauthorized: gatekit.FailWith403}))
	h := behind(t, rest, s)(answers.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls++ })))
	for _, tt := range []struct {
		id, token, path string
		want            int
	}{
		{"BOTH", "", "/pets", 200}, {"BOTH", "", "/cats", 403}, {"ASK", "", "/pets", 403}, {"BOTH", "t", "/pets", 403}, {"ANY", "", "/pets", 200},
	} {
		before := calls
		r := unsigned("GET", tt.path, "")
		require.NoError(t, authtest.Signer{AccessKeyID: tt.id, SecretAccessKey: secretKey, SessionToken: tt.token, Region: "us-east-1"}.Sign(r, time.Now()))
		r.Header.Set("Cache-Control", "max-age=0")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, tt.want, w.Code, tt)
		require.Equal(t, tt.want == 200, calls == before+1)
	}
	// Who wasn't admitted by a signature has no policy to ask.
	r := unsigned("GET", "/pets", "")
	require.False(t, s.MayInvalidateCache(r))
	require.NoError(t, authtest.Signer{AccessKeyID: "ANY", SecretAccessKey: secretKey, Region: "us-east-1"}.Sign(r, time.Now()))
	require.False(t, s.MayInvalidateCache(r))
	rc, r := gatekit.Attach(r)
	rc.API = &rest
	require.False(t, s.MayInvalidateCache(r), "signed, but nobody has looked")
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Caller: &gatekit.IAMCaller{AccessKey: "OTHER"}})
	require.False(t, s.MayInvalidateCache(r), "somebody else was admitted")
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Caller: &gatekit.IAMCaller{AccessKey: "ANY"}})
	require.True(t, s.MayInvalidateCache(r))
	rc.API = &gatekit.API{Flavor: rest.Flavor, Region: rest.Region, APIID: rest.APIID, Stage: rest.Stage, AccountID: "444455556666"}
	require.False(t, s.MayInvalidateCache(r), "another account's caller")
}

// A file is looked at once a second; here the second passes at once.
func TestCredentialSources(t *testing.T) { synctest.Test(t, credentialSources) }

func credentialSources(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write("\ufeff# comment\n[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key=" + secretKey + "\nregion = us-east-1\n\n[bob]\nAWS_ACCESS_KEY_ID = ASIAX\naws_secret_access_key = s\naws_session_token = t=\nprincipal_arn = " + bobARN + "\n")
	f, err := auth.NewCredentialsFile(path)
	require.NoError(t, err)
	c, err := f.Credential(t.Context(), "ASIAX", "t=")
	require.NoError(t, err)
	require.Equal(t, auth.Credential{SecretAccessKey: "s", SessionToken: "t=", Principal: policy.Principal{ARN: bobARN}}, c)
	_, err = f.Credential(t.Context(), "AKIAOTHER", "")
	require.ErrorIs(t, err, auth.ErrUnknownKey)
	s := newSigV4(t, auth.SigV4Config{Credentials: f})
	r := unsigned("GET", "/", "")
	require.NoError(t, signer.Sign(r, time.Now()))
	require.Equal(t, 200, serve(behind(t, testAPI, s), r).Code)

	write("[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = rotated-secret-of-another-length\n")
	time.Sleep(time.Second)
	require.Equal(t, 403, serve(behind(t, testAPI, s), r).Code, "the secret was rotated")
	write("nonsense")
	time.Sleep(time.Second)
	_, err = f.Credential(t.Context(), keyID, "")
	require.NoError(t, err, "what was read before stays")

	_, err = new(auth.CredentialsFile).Credential(t.Context(), keyID, "")
	require.ErrorIs(t, err, auth.ErrUnknownKey)
	for text, want := range map[string]string{
		"a = b": "line 1: want [section]", "[x]\nnonsense": "line 2: want", "[x]\n": `section "x": want aws_access_key_id`,
		"[x]\naws_access_key_id=a\naws_secret_access_key=b\n[y]\naws_access_key_id=a\naws_secret_access_key=c": `section "y": want each aws_access_key_id once`,
		"[x]\naws_access_key_id=a\naws_secret_access_key=\n# hunter2":                                          `section "x"`,
	} {
		write(text)
		_, err := auth.NewCredentialsFile(path)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err = auth.NewCredentialsFile(path + "-missing")
	require.ErrorIs(t, err, os.ErrNotExist)

	broken := auth.CredentialFunc(func(context.Context, string, string) (auth.Credential, error) {
		return auth.Credential{}, errors.New("the store is away")
	})
	w := serve(behind(t, rest, newSigV4(t, auth.SigV4Config{Credentials: broken})), r)
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "away")

	hanging := auth.CredentialFunc(func(ctx context.Context, _, _ string) (auth.Credential, error) {
		<-ctx.Done()
		return auth.Credential{}, ctx.Err()
	})
	start := time.Now()
	require.Equal(t, 500, serve(behind(t, rest, newSigV4(t, auth.SigV4Config{Credentials: hanging})), r).Code)
	require.Equal(t, 10*time.Second, time.Since(start))
}

// Over HTTP/2 the host is the :authority, and signed as that or as host.
func TestSigV4OverHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(newSigV4(t, auth.SigV4Config{Region: "us-east-1"}).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	})))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	for host, want := range map[string]string{"": "200 HTTP/2.0", "evil.example": "403 " + forbidden} {
		r, err := http.NewRequest("POST", srv.URL+"/a%20b?x=1", strings.NewReader("body"))
		require.NoError(t, err)
		require.NoError(t, signer.Sign(r, time.Now()))
		if host != "" {
			r.Host = host
		}
		resp, err := srv.Client().Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, fmt.Sprint(resp.StatusCode, " ", string(body)))
	}
}

// Whoever asks while the file is replaced gets the old credentials or the new ones.
func TestCredentialsFileWhileItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	write := func(secret string) {
		require.NoError(t, os.WriteFile(path+".new", []byte("[x]\naws_access_key_id=AKID\naws_secret_access_key="+secret+"\n"), 0o600))
		require.NoError(t, os.Rename(path+".new", path))
	}
	synctest.Test(t, func(t *testing.T) { // the clock stands still while anyone runs, so it is moved between rounds
		write("s")
		f, err := auth.NewCredentialsFile(path)
		require.NoError(t, err)
		for round := range 20 {
			write(strings.Repeat("s", round+2))
			time.Sleep(time.Second)
			got := make([]string, 8)
			var asking sync.WaitGroup
			for i := range got {
				asking.Go(func() {
					c, _ := f.Credential(t.Context(), "AKID", "")
					got[i] = c.SecretAccessKey
				})
			}
			asking.Wait()
			require.Contains(t, got, strings.Repeat("s", round+2), "who looked")
			for _, secret := range got {
				require.Contains(t, []int{round + 1, round + 2}, len(secret))
			}
		}
	})
}

func TestSigV4Config(t *testing.T) {
	for want, c := range map[string]auth.SigV4Config{
		"Credentials: want a CredentialSource": {}, "Service: want lower-case": {Service: "Execute"}, "Region: want lower-case": {Region: "us east"},
		"MaxBodyBytes: want 0 or more": {MaxBodyBytes: -1}, "ReplayCache: want": {ReplayCache: -1}, "KeyCache: want": {KeyCache: -1},
	} {
		_, err := auth.NewSigV4(c)
		require.ErrorContains(t, err, want)
	}
	_, err := auth.NewSigV4(auth.SigV4Config{Credentials: auth.StaticCredentials(nil)})
	require.ErrorContains(t, err, "Credentials")
	r := unsigned("GET", "/", "")
	require.NoError(t, signer.Sign(r, time.Now()))
	w := serve(auth.Require(newSigV4(t, auth.SigV4Config{})), r)
	require.Equal(t, "500 "+internalHTTP, fmt.Sprint(w.Code, " ", w.Body), "no region is known")
	require.Equal(t, 200, serve(auth.Require(newSigV4(t, auth.SigV4Config{Region: "us-east-1"})), r).Code)
	require.Equal(t, 200, serve(newSigV4(t, auth.SigV4Config{Region: "us-east-1"}).Middleware, r).Code)
}
