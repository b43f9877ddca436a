package authtest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/authtest"
)

func TestServeTokens(t *testing.T) {
	iss := authtest.NewIssuer(t)
	ask := func(method, body, origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		iss.ServeTokens(w, r)
		return w
	}
	w := ask("POST", "aud=my-api&scope=a+b&cognito:groups=admins&cognito:groups=users&exp=4102444800&level=7", "")
	require.Equal(t, http.StatusOK, w.Code)
	claims := jwt.MapClaims{}
	_, _, err := jwt.NewParser().ParseUnverified(w.Body.String(), claims)
	require.NoError(t, err)
	require.Equal(t, jwt.MapClaims{
		"iss": iss.URL(), "sub": "user-1", "aud": "my-api", "scope": "a b", "cognito:groups": []any{"admins", "users"},
		"exp": 4102444800.0, "level": "7", "iat": claims["iat"],
	}, claims)

	require.Equal(t, http.StatusBadRequest, ask("GET", "", "").Code)
	require.Equal(t, http.StatusBadRequest, ask("POST", "aud=a", "https://evil.example").Code, "a web page")
	require.Equal(t, http.StatusBadRequest, ask("POST", "aud=%zz", "").Code)
	require.Equal(t, http.StatusBadRequest, ask("POST", "aud="+strings.Repeat("a", 65<<10), "").Code)
}
