package authtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	w, err := http.Get(url)
	require.NoError(t, err)
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w.StatusCode, string(b)
}

func TestIssuer(t *testing.T) {
	iss := authtest.NewIssuer(t)
	status, text := get(t, iss.URL()+"/.well-known/openid-configuration")
	require.Equal(t, 200, status)
	var discovery map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &discovery))
	require.Equal(t, iss.URL(), discovery["issuer"])
	_, jwks := get(t, discovery["jwks_uri"].(string))
	require.JSONEq(t, string(iss.JWKS()), jwks)
	require.Equal(t, 1, iss.Fetches())

	for _, algorithm := range []string{"RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		key, kid := iss.Key(algorithm)
		token, err := jwt.Parse(iss.MintWith(algorithm, authtest.Claims{"aud": "a", "sub": nil}), func(*jwt.Token) (any, error) { return key.Public(), nil })
		require.NoError(t, err, algorithm)
		require.Equal(t, kid, token.Header["kid"])
		require.Contains(t, jwks, `"kid":"`+kid+`"`)
		claims := token.Claims.(jwt.MapClaims)
		require.Equal(t, iss.URL(), claims["iss"])
		require.NotContains(t, claims, "sub", "nil leaves a claim out")
	}
	require.Panics(t, func() { iss.MintWith("HS256", nil) })
	require.Panics(t, func() { iss.Mint(authtest.Claims{"c": func() {}}) })

	iss.Down()
	status, _ = get(t, iss.URL()+"/jwks.json")
	require.Equal(t, 503, status)
	iss.Up()
	require.NoError(t, iss.Rotate())
	_, rotated := get(t, iss.URL()+"/jwks.json")
	require.NotEqual(t, jwks, rotated)
}

func ExampleStartIssuer() {
	iss := gatekit.Must(authtest.StartIssuer())
	defer iss.Close()
	token := iss.Mint(authtest.Claims{"aud": "my-api", "scope": "orders:read"})
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	fmt.Println(parsed.Claims.(jwt.MapClaims)["scope"], err)
	// Output:
	// orders:read <nil>
}
