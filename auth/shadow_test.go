package auth_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

// Authorizers on trial let everybody in, tell what they would have refused, and leave nothing of what they did behind: no body that was read for
// its hash, no identity, no headers.
func TestAuthorizersOnTrial(t *testing.T) {
	issuer := authtest.NewIssuer(t)
	jwt, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: issuer.URL(), Audience: []string{"orders"}})
	require.NoError(t, err)
	sigv4, err := auth.NewSigV4(auth.SigV4Config{Region: "us-east-1", Credentials: auth.StaticCredentials{keyID: bob}})
	require.NoError(t, err)
	sign := func(secret string) func(*http.Request) {
		return func(r *http.Request) {
			require.NoError(t, authtest.Signer{AccessKeyID: keyID, SecretAccessKey: secret, Region: "us-east-1"}.Sign(r, time.Now()))
		}
	}
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	for name, tt := range map[string]struct {
		authorizer auth.Authorizer
		prepare    func(*http.Request)
		refused    gatekit.ResponseType // 0: admitted
	}{
		"jwt-none":         {jwt, func(*http.Request) {}, gatekit.Unauthorized},
		"jwt-nonsense":     {jwt, bearer("a.b.c"), gatekit.Unauthorized},
		"jwt-good":         {jwt, bearer(issuer.Mint(authtest.Claims{"aud": "orders", "sub": "ann", "scope": "s"})), 0},
		"jwt-scope":        {jwt, bearer(issuer.Mint(authtest.Claims{"aud": "orders", "sub": "ann"})), gatekit.AccessDenied},
		"sigv4-none":       {sigv4, func(*http.Request) {}, gatekit.MissingAuthenticationToken},
		"sigv4-wrong-key":  {sigv4, sign("another-secret-another-secret-another-se"), gatekit.InvalidSignature},
		"optional-refuses": {auth.Optional(jwt), bearer("a.b.c"), gatekit.Unauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			var why *gatekit.Rejection
			var scopes []string
			if strings.HasPrefix(name, "jwt") {
				scopes = []string{"s"}
			}
			onTrial := gatekit.Shadow(auth.Require(tt.authorizer, scopes...), func(_ *http.Request, r *gatekit.Rejection) { why = r })
			h := onTrial(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				require.Equal(t, "the body", string(body))
				require.Equal(t, tt.refused == 0, gatekit.From(r.Context()).Authorization != nil)
				w.WriteHeader(204)
			}))
			r := httptest.NewRequest("POST", "/orders", strings.NewReader("the body"))
			tt.prepare(r)
			r.RequestURI = "/orders"
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, 204, w.Code)
			require.Empty(t, w.Header())
			if tt.refused == 0 {
				require.Nil(t, why)
				return
			}
			require.NotNil(t, why)
			require.Equal(t, tt.refused, why.Type)
		})
	}
}
