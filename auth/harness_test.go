package auth_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/internal/notetest"
)

const audience = "orders"

// iss is one issuer for all tests that don't rotate its keys: an RSA key takes a while to find.
var iss = sync.OnceValue(func() *authtest.Issuer {
	i, err := authtest.StartIssuer()
	if err != nil {
		panic(err)
	}
	return i
})

// newJWT returns an authorizer with i's keys as they are now, unless cfg says otherwise.
func newJWT(t testing.TB, i *authtest.Issuer, cfg auth.JWTConfig) *auth.JWT {
	t.Helper()
	cfg.Issuer = i.URL()
	if cfg.Audience == nil {
		cfg.Audience = []string{audience}
	}
	if cfg.JWKSURL == "" && cfg.HTTPClient == nil && cfg.JWKS == nil {
		cfg.JWKS = i.JWKS()
	}
	j, err := auth.NewJWT(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return j
}

// good are the claims of a token that is admitted.
func good(more authtest.Claims) authtest.Claims {
	c := authtest.Claims{"aud": audience, "scope": "orders:read orders:list"}
	for name, value := range more {
		c[name] = value
	}
	return c
}

func bearer(token string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Authorization"] = []string{"Bearer " + token}
	return r
}

// The answers, byte for byte.
const (
	unauthorized = `{"message":"Unauthorized"}`
	forbidden    = `{"message":"Forbidden"}`
)

func invalidToken(description string) string {
	return `Bearer scope="" error="invalid_token" error_description="` + description + `"`
}

// refused asserts the whole answer, and that the handler was not called.
func refused(t *testing.T, mw gatekit.Middleware, r *http.Request, status int, challenge string, about ...any) {
	t.Helper()
	w := httptest.NewRecorder()
	mw(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error(append([]any{"the handler was called"}, about...)...)
	})).ServeHTTP(w, r)
	require.Equal(t, status, w.Code, about...)
	require.Equal(t, map[int]string{401: unauthorized, 403: forbidden, 500: `{"message":"Internal Server Error"}`}[status], w.Body.String(), about...)
	if challenge == "" {
		require.NotContains(t, w.Header(), "Www-Authenticate", about...)
	} else {
		require.Equal(t, []string{challenge}, w.Header()["Www-Authenticate"], about...)
	}
	require.Equal(t, "application/json", w.Header().Get("Content-Type"), about...)
	again := r.Clone(r.Context())
	notes, again := notetest.Keep(t, again)
	mw(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), again)
	tellsNothing(t, notes, r)
	require.Contains(t, notes.String(), " refused ", about...)
}

// admitted asserts a 200 and returns what the handler knows of the caller.
func admitted(t *testing.T, mw gatekit.Middleware, r *http.Request, about ...any) (a *gatekit.Authorization) {
	t.Helper()
	w := httptest.NewRecorder()
	mw(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { a = gatekit.From(r.Context()).Authorization })).ServeHTTP(w, r)
	require.Equal(t, 200, w.Code, append([]any{w.Body.String() + w.Header().Get("Www-Authenticate")}, about...)...)
	require.NotNil(t, a)
	return a
}

func encode(part string) string { return base64.RawURLEncoding.EncodeToString([]byte(part)) }

// forge signs any header and claims with the issuer's RS256 key, however odd they are.
func forge(t testing.TB, i *authtest.Issuer, header, claims string) string {
	t.Helper()
	key, _ := i.Key("RS256")
	signed := encode(header) + "." + encode(claims)
	sum := crypto.SHA256.New()
	sum.Write([]byte(signed))
	signature, err := key.Sign(rand.Reader, sum.Sum(nil), crypto.SHA256)
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func rs256Header(i *authtest.Issuer) string {
	_, kid := i.Key("RS256")
	return `{"alg":"RS256","kid":"` + kid + `"}`
}

// claimsJSON is the JSON of claims that are admitted, with the fields of more appended as text.
func claimsJSON(i *authtest.Issuer, more string) string {
	base, err := json.Marshal(map[string]any{"iss": i.URL(), "aud": audience, "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		panic(err)
	}
	return strings.TrimSuffix(string(base), "}") + more + "}"
}

// hmacToken signs with HS256 and a secret of the attacker's choice.
func hmacToken(t testing.TB, secret []byte, kid, issuer string) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": issuer, "aud": audience, "exp": time.Now().Add(time.Hour).Unix()})
	token.Header["kid"] = kid
	text, err := token.SignedString(secret)
	require.NoError(t, err)
	return text
}

// logged collects a logger's output.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// inMemory is a transport that calls a handler: for synctest, where blocked network I/O would stop the clock.
type inMemory struct{ handler http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() { defer close(done); m.handler.ServeHTTP(w, r) }()
	select {
	case <-done:
		return w.Result(), nil
	case <-r.Context().Done():
		<-done
		return nil, r.Context().Err()
	}
}
