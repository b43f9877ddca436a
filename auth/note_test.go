package auth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/invoke"
	"github.com/gatekit-go/gatekit/internal/notetest"
)

// noted serves r to an API of a's, and returns the notes.
func noted(t testing.TB, api gatekit.API, a auth.Authorizer, r *http.Request, scopes ...string) notetest.Notes {
	t.Helper()
	describe, err := gatekit.Describe(api)
	require.NoError(t, err)
	h := gatekit.Chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), describe, auth.Require(a, scopes...))
	notes, r := notetest.Keep(t, r)
	h.ServeHTTP(httptest.NewRecorder(), r)
	tellsNothing(t, notes, r)
	return notes
}

// tellsNothing asserts that the notes hold nothing of the credentials of r.
func tellsNothing(t testing.TB, notes notetest.Notes, r *http.Request) {
	t.Helper()
	said := notes.Verbose()
	words := r.Header["Authorization"]
	for name := range r.URL.Query() {
		words = append(words, r.URL.Query()[name]...)
	}
	for _, credential := range words {
		for part := range strings.FieldsFuncSeq(credential, func(c rune) bool { return strings.ContainsRune(" .,=/", c) }) {
			if len(part) > 15 {
				require.NotContains(t, said, part)
			}
		}
	}
	require.NotContains(t, said, secretKey)
}

func TestJWTNotes(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	token := iss().Mint(good(nil))
	expired := iss().Mint(good(authtest.Claims{"exp": 1}))
	other := iss().Mint(good(authtest.Claims{"aud": "other"}))
	for _, tt := range []struct {
		name   string
		a      auth.Authorizer
		r      *http.Request
		scopes []string
		want   string
	}{
		{"new", j, bearer(token), nil, "authenticate miss (jwt), authenticate passed (jwt)"},
		{"known", j, bearer(token), nil, "authenticate hit (jwt), authenticate passed (jwt)"},
		{"no-cache", newJWT(t, iss(), auth.JWTConfig{TokenCache: -1}), bearer(token), nil, "authenticate passed (jwt)"},
		{"named", auth.Named("staff", j), bearer(token), nil, "authenticate hit (staff), authenticate passed (staff)"},
		{"scope", j, bearer(token), []string{"nobody:has", "orders:list"}, "authenticate hit (jwt), authenticate passed (jwt), authorize passed (orders:list)"},
		{"no-scope", j, bearer(token), []string{"nobody:has"}, "authenticate hit (jwt), authenticate passed (jwt), authorize refused 403"},
		{"expired", j, bearer(expired), nil, "authenticate miss (jwt), authenticate refused (jwt) 401"},
		{"audience", j, bearer(other), nil, "authenticate miss (jwt), authenticate refused (jwt) 401"},
		{"no-token", j, httptest.NewRequest("GET", "/", nil), nil, "authenticate skipped (jwt), authenticate refused 401"},
		{"by-issuer", gatekit.Must(auth.ByIssuer(j)), bearer(token), nil, "authenticate hit (jwt), authenticate passed (jwt)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, noted(t, testAPI, tt.a, tt.r, tt.scopes...).String())
		})
	}
	for token, want := range map[string]string{
		expired: "exp: invalid_token: token is expired", other: "aud: invalid_token: the token does not have a valid audience",
		"x": "three segments: ", token[:len(token)-8] + "AAAAAAAA": "signature: ", "..": "syntax: ",
	} {
		require.Contains(t, noted(t, testAPI, j, bearer(token)).Verbose(), want)
	}
	tenants := newJWT(t, iss(), auth.JWTConfig{AdditionalClaims: []auth.AdditionalClaim{{ClaimName: "plan"}, {ClaimName: "tenant", ExpectedValues: []string{"a"}}}})
	for claim, claims := range map[string]authtest.Claims{"tenant": {"plan": "x", "tenant": "s3cret"}, "plan": {"tenant": "a"}, "plan:": {"tenant": "a", "plan": 7}} {
		said := noted(t, testAPI, tenants, bearer(iss().Mint(good(claims)))).Verbose()
		require.Contains(t, said, "AdditionalClaims "+claim)
		require.NotContains(t, said, "s3cret")
	}
	require.Contains(t, noted(t, testAPI, j, bearer(token), "a:b", "c:d").Verbose(), "wanted is one of: a:b c:d: insufficient_scope: ")
}

func TestCognitoNotes(t *testing.T) {
	c := newCognito(t, auth.CognitoConfig{})
	id, access := request("GET", "/", iss().Mint(idToken(nil))), request("GET", "/", iss().Mint(accessToken(nil)))
	require.Equal(t, "authenticate miss (cognito), authenticate passed (cognito)", noted(t, rest, c, id).String())
	require.Equal(t, "authenticate hit (cognito), authenticate refused (cognito) 401", noted(t, rest, c, id, "openid").String())
	require.Equal(t, "authenticate miss (cognito), authenticate passed (cognito), authorize passed (openid)", noted(t, rest, c, access, "openid").String())
	require.Equal(t, "authenticate hit (cognito), authenticate passed (cognito), authorize refused 401", noted(t, rest, c, access, "a:b").String())
	require.Equal(t, "authenticate skipped (cognito), authenticate refused 401", noted(t, rest, c, httptest.NewRequest("GET", "/", nil)).String())
}

func TestLambdaNotes(t *testing.T) {
	office := policyAnswer(`{"Sid":"Office","Action":"execute-api:Invoke","Effect":"Allow","Resource":"`+testARN+`GET/pets"}`, statement("Deny", testARN+"GET/admin"))
	f := &answering{text: office}
	l := newLambda(t, f, auth.LambdaConfig{})
	line := func(a auth.Authorizer, path, token string) string {
		return noted(t, rest, a, request("GET", path, token)).String()
	}
	const before = "authenticate passed (lambda), authorizer "
	require.Equal(t, before+"miss (lambda), authorizer passed (lambda) 200, authorize passed (lambda Office)", line(l, "/pets", "t"))
	require.Equal(t, before+"hit (lambda), authorize passed (lambda Office)", line(l, "/pets", "t"))
	require.Equal(t, before+"hit (lambda), authorize refused (lambda statement 1) 403", line(l, "/admin", "t"))
	require.Equal(t, before+"hit (lambda), authorize refused (lambda) 403", line(l, "/else", "t"))
	require.Equal(t, "authenticate skipped (lambda), authenticate refused 401", noted(t, rest, l, httptest.NewRequest("GET", "/", nil)).String())
	require.Equal(t, "authenticate passed (them), authorizer hit (them), authorize passed (them Office)", line(auth.Named("them", l), "/pets", "t"))

	off := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{TTL: auth.Off, IdentitySource: []string{"$request.header.Authorization"}}})
	require.Equal(t, before+"passed (lambda) 200, authorize passed (lambda Office)", line(off, "/pets", "t"))
	f.text = "error:Unauthorized"
	require.Equal(t, before+"refused (lambda) 401", line(off, "/pets", "t"))
	f.text = "error:broken"
	require.Equal(t, before+"failed (lambda), authenticate refused (AUTHORIZER_CONFIGURATION_ERROR) 500", line(off, "/pets", "t"))
	f.text = "{}"
	require.Equal(t, before+"failed (lambda) 200, authenticate refused (AUTHORIZER_CONFIGURATION_ERROR) 500", line(off, "/pets", "t"))
}

// telling is a function elsewhere, whose service says what it made of the call.
type telling struct{ err error }

func (f telling) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	invoke.Tell(ctx, invoke.Outcome{RequestID: "id-1"})
	return []byte(allowAll), f.err
}

type throttledCall struct{}

func (throttledCall) Error() string            { return "throttled" }
func (throttledCall) HTTPStatusCode() int      { return 429 }
func (throttledCall) ServiceRequestID() string { return "id-2" }

func TestFunctionCallsAreNoted(t *testing.T) {
	call := func(err error) (note gatekit.Note) {
		noted(t, rest, newLambda(t, telling{err}, auth.LambdaConfig{}), request("GET", "/", "t")).Each(func(n *gatekit.Note) {
			if n.Phase == gatekit.PhaseAuthorizer && n.Verdict != gatekit.Miss {
				note = *n
			}
		})
		return note
	}
	passed := call(nil)
	require.Equal(t, "id-1", passed.RequestID)
	require.Equal(t, 200, passed.Status)
	failed := call(throttledCall{})
	require.Equal(t, 429, failed.Status)
	require.Error(t, failed.Err)
}

// The time of the call is the call's, and what bridges a failure is said to be old.
func TestStaleDecisionsAreNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &answering{text: allowAll}
		f.during(func(context.Context) { time.Sleep(time.Second) })
		l := newLambda(t, f, auth.LambdaConfig{CacheConfig: auth.CacheConfig{TTL: time.Minute, StaleIfError: time.Hour}})
		noted(t, rest, l, request("GET", "/", "t")).Each(func(n *gatekit.Note) {
			if n.Phase == gatekit.PhaseAuthorizer && n.Verdict == gatekit.Passed {
				require.Equal(t, time.Second, n.Took)
			} else {
				require.Zero(t, n.Took, n.Phase)
			}
		})
		allow := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument("Allow")})
		for _, a := range []auth.Authorizer{allow.With(l), allow.With(auth.Any(l))} {
			noted(t, rest, a, request("GET", "/", "other")).Each(func(n *gatekit.Note) {
				require.True(t, n.Phase != gatekit.PhaseAuthorize || n.Took <= 1)
			})
			l.Flush()
		}
		noted(t, rest, l, request("GET", "/", "t"))
		time.Sleep(2 * time.Minute)
		f.text = "error:broken"
		notes := noted(t, rest, l, request("GET", "/", "t"))
		require.Equal(t, "authenticate passed (lambda), authorizer miss (lambda), authorizer failed (lambda), authorizer hit (lambda), authorize passed (lambda statement 0)", notes.String())
		require.Contains(t, notes.Verbose(), "StaleIfError")
	})
}

func TestCustomNotes(t *testing.T) {
	answer, fail := &policy.Verdict{Principal: "u", Allow: true}, error(nil)
	c := gatekit.Must(auth.NewCustom(func(*http.Request) (*policy.Verdict, error) { return answer, fail }, auth.CacheConfig{TTL: auth.Off}))
	line := func() string { return noted(t, testAPI, c, request("GET", "/", "t")).String() }
	require.Equal(t, "authenticate passed (custom), authorizer passed (custom), authorize passed (custom)", line())
	answer = &policy.Verdict{}
	require.Equal(t, "authenticate passed (custom), authorizer passed (custom), authorize refused (custom) 403", line())
	answer, fail = nil, auth.ErrNoCredentials
	require.Equal(t, "authenticate passed (custom), authorizer skipped (custom), authenticate refused 401", line())
	fail = errors.New("broken")
	require.Equal(t, "authenticate passed (custom), authorizer failed (custom), authenticate refused (AUTHORIZER_CONFIGURATION_ERROR) 500", line())
}

func TestSigV4Notes(t *testing.T) {
	s := newSigV4(t, auth.SigV4Config{})
	sign := func() *http.Request {
		r := unsigned("GET", "/pets", "")
		require.NoError(t, signer.Sign(r, time.Now()))
		return r
	}
	require.Equal(t, "authenticate passed (sigv4), authorize passed (sigv4)", noted(t, rest, s, sign()).String())
	require.Equal(t, "authenticate skipped (sigv4), authenticate refused 403", noted(t, rest, s, unsigned("GET", "/pets", "")).String())
	for why, spoil := range map[string]func(*http.Request){
		"auth: the signature doesn't match":        func(r *http.Request) { r.URL.RawQuery = "a=1" },
		"auth: the credential scope isn't":         func(r *http.Request) { replace(r, "us-east-1", "eu-east-1") },
		"auth: SignedHeaders isn't sorted":         func(r *http.Request) { replace(r, "host;", "no-such;") },
		"auth: unknown access key ID":              func(r *http.Request) { replace(r, keyID, "AKIDOTHER") },
		"auth: the signature's parameters are inc": func(r *http.Request) { replace(r, "SignedHeaders", "Signed") },
	} {
		r := sign()
		spoil(r)
		notes := noted(t, rest, s, r)
		require.Equal(t, "authenticate refused (sigv4) 403", notes.String(), why)
		require.Contains(t, notes.Verbose(), why)
	}
	own := bob
	own.Policy = gatekit.Must(policy.Parse(`{"Version":"2012-10-17","Statement":[` + statement("Allow", testARN+"GET/pets") + `]}`))
	s = newSigV4(t, auth.SigV4Config{Credentials: auth.StaticCredentials{keyID: own}})
	require.Equal(t, "authenticate passed (sigv4), authorize passed (sigv4 statement 0)", noted(t, rest, s, sign()).String())
	other := unsigned("GET", "/other", "")
	require.NoError(t, signer.Sign(other, time.Now()))
	notes := noted(t, rest, s, other)
	require.Equal(t, "authenticate passed (sigv4), authorize refused (sigv4) 403", notes.String())
	require.Contains(t, notes.Verbose(), "implicit deny: no statement applies; nearest is statement 0 of policy 0 but for Resource: ")
}

func TestClientCertificateNotes(t *testing.T) {
	cert, err := x509.ParseCertificate(newAuthority(t).issue(t, time.Now().Add(time.Hour)).Certificate[0])
	require.NoError(t, err)
	for _, tt := range []struct {
		name, want, why string
		config          auth.ClientCertificateConfig
		certs           []*x509.Certificate
	}{
		{name: "listed", config: auth.ClientCertificateConfig{DNSNames: []string{"client.example.com"}}, certs: []*x509.Certificate{cert}, want: "authenticate passed (client certificate)"},
		{name: "not-listed", config: auth.ClientCertificateConfig{URIs: []string{"spiffe://other"}}, certs: []*x509.Certificate{cert}, want: "authenticate refused (client certificate) 403", why: "403: URIs: auth: the client's certificate is in none"},
		{name: "fingerprint", config: auth.ClientCertificateConfig{Fingerprints: []string{strings.Repeat("00", 32)}}, certs: []*x509.Certificate{cert}, want: "authenticate refused (client certificate) 403", why: "403: Fingerprints: "},
		{name: "none", want: "authenticate skipped (client certificate), authenticate refused 403"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.TLS = &tls.ConnectionState{PeerCertificates: tt.certs, VerifiedChains: [][]*x509.Certificate{tt.certs}}
			if tt.certs == nil {
				r.TLS = nil
			}
			notes := noted(t, testAPI, gatekit.Must(auth.NewClientCertificate(tt.config)), r)
			require.Equal(t, tt.want, notes.String())
			require.Contains(t, notes.Verbose(), tt.why)
			require.NotContains(t, notes.Verbose(), "client.example.com")
		})
	}
}

func replace(r *http.Request, from, to string) {
	r.Header["Authorization"] = []string{strings.Replace(r.Header.Get("Authorization"), from, to, 1)}
}

func TestResourcePolicyNotes(t *testing.T) {
	pets := func() *http.Request { return request("GET", "/pets", "t") }
	allow := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument("Allow")})
	silent := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument("")})
	fence := newResourcePolicy(t, auth.ResourcePolicyConfig{Document: resourceDocument("Allow"), AllowSourceIPs: []string{"198.51.100.0/24"}})
	l := newLambda(t, &answering{text: allowAll}, auth.LambdaConfig{})
	no := newLambda(t, &answering{text: policyAnswer(statement("Deny", "*"))}, auth.LambdaConfig{})
	const asked = "authenticate passed (lambda), authorizer miss (lambda), authorizer passed (lambda) 200, "
	for _, tt := range []struct {
		name string
		a    auth.Authorizer
		want string
	}{
		{"alone", allow, "authorize passed (resource policy statement 0)"},
		{"silent", silent, "authorize refused (resource policy) 403"},
		{"fence", fence, "authorize refused (AllowSourceIPs statement 0) 403"},
		{"fence-first", fence.With(l), "authorize refused (AllowSourceIPs statement 0) 403"},
		{"both", allow.With(auth.Named("l", l)), strings.ReplaceAll(asked, "lambda", "l") + "authorize passed (l statement 0), authorize passed (resource policy statement 0)"},
		{"caller-denied", allow.With(no), asked + "authorize passed (resource policy statement 0), authorize refused (lambda statement 0) 403"},
		{"silence-suffices", silent.With(l), strings.Replace(asked, "miss (lambda), authorizer passed (lambda) 200", "hit (lambda)", 1) + "authorize passed (lambda statement 0), authorize skipped (resource policy)"},
		{"token-and-silence", silent.With(admitting{}), "authenticate passed (authorizer), authorize refused (resource policy) 403"},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, noted(t, rest, tt.a, pets()).String()) })
	}
	require.Contains(t, noted(t, rest, silent, pets()).Verbose(), "nearest is statement 0 of policy 0 but for Resource: ")
}

// admitting is an authorizer of the program's own.
type admitting struct{ err error }

func (a admitting) Authorize(*http.Request) (*gatekit.Authorization, error) {
	if a.err != nil {
		return nil, a.err
	}
	return gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "p", Scopes: []string{"a:b"}}), nil
}

func TestComposedNotes(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	const none, in = "authenticate skipped (jwt)", "authenticate passed (own)"
	own := auth.Named("own", admitting{})
	no := admitting{&gatekit.Rejection{Type: gatekit.AccessDenied}}
	for _, tt := range []struct {
		name   string
		a      auth.Authorizer
		scopes []string
		want   string
	}{
		{"any", auth.Any(j, own), nil, none + ", " + in},
		{"any-of-none", auth.Any(j, auth.Named("b", j)), nil, none + ", authenticate skipped (b), authenticate refused 401"},
		{"all", auth.All(own, admitting{}), nil, in + ", authenticate passed (authorizer)"},
		{"all-but-one", auth.All(own, no), nil, in + ", authorize refused (authorizer) 403"},
		{"optional", auth.Optional(j), nil, none + ", authenticate passed (optional)"},
		{"scopes", own, []string{"a:b"}, in + ", authorize passed (a:b)"},
		{"no-scopes", own, []string{"c:d"}, in + ", authorize refused 403"},
		{"fault", admitting{errors.New("broken")}, nil, "authenticate failed (authorizer) 500, authenticate refused (AUTHORIZER_FAILURE) 500"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, noted(t, testAPI, tt.a, httptest.NewRequest("GET", "/", nil), tt.scopes...).String())
		})
	}
}

// An authorizer that outlives its request, and notes what it found then.
func TestLateNotes(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	slow := gatekit.Must(auth.NewCustom(func(*http.Request) (*policy.Verdict, error) {
		<-release
		return &policy.Verdict{Allow: true}, nil
	}, auth.CacheConfig{}))
	h := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		r = r.WithContext(context.WithoutCancel(r.Context())) // so that it waits for the answer
		slow.Middleware(http.NotFoundHandler()).ServeHTTP(w, r)
	}), time.Millisecond, "")
	rc, r := gatekit.Attach(request("GET", "/", "t"))
	notes := rc.KeepNotes(notetest.Everything)
	h.ServeHTTP(httptest.NewRecorder(), r)
	notes.Each(func(n *gatekit.Note) { require.Equal(t, gatekit.PhaseAuthenticate, n.Phase) })
	notes.Release()
	close(release)
	<-done
	notes.Each(func(n *gatekit.Note) { t.Error(n) })
}

// What an authorizer on trial refuses isn't noted as refused.
func TestShadowNotes(t *testing.T) {
	h := gatekit.Chain(http.NotFoundHandler(), gatekit.Shadow(newJWT(t, iss(), auth.JWTConfig{}).Middleware, func(*http.Request, *gatekit.Rejection) {}))
	for token, want := range map[string]string{"": "authenticate skipped (jwt), authenticate on trial 401", "x": "authenticate miss (jwt), authenticate on trial (jwt) 401"} {
		r := httptest.NewRequest("GET", "/", nil)
		if token != "" {
			r = bearer(token)
		}
		notes, r := notetest.Keep(t, r)
		h.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, want, notes.String())
	}
}
