// Package examples holds programs that can be copied, a folder each, and here the README's example.
package examples_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

func Example_readme() {
	issuer := gatekit.Must(authtest.StartIssuer()) // in place of your OpenID Connect provider
	defer issuer.Close()

	jwt := gatekit.Must(auth.NewJWT(context.Background(), auth.JWTConfig{
		Issuer: issuer.URL(), Audience: []string{"orders"},
	}))
	defer jwt.Close()
	rules := gatekit.Must(cors.New(cors.Config{
		AllowOrigins: []string{"https://myapp.com"},
		AllowHeaders: []string{"Authorization"},
	}))
	perCaller := gatekit.Must(throttle.NewPerKey(throttle.Limit{Rate: 10, Burst: 2}, throttle.KeyConfig{Key: throttle.ByPrincipal}))

	api := gatekit.Must(route.New(route.Config{}))
	api.Use(rules.Middleware)
	api.Handle("GET /orders/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "order %s of %s", r.PathValue("id"), gatekit.From(r.Context()).Authorization.Principal())
	}), auth.Require(jwt, "orders:read"), perCaller.Middleware)

	token := issuer.Mint(authtest.Claims{"aud": "orders", "sub": "ann", "scope": "orders:read"})
	for _, authorization := range []string{"Bearer " + token, "", "Bearer " + token, "Bearer " + token} {
		r := httptest.NewRequest("GET", "/orders/7", nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 order 7 of ann
	// 401 {"message":"Unauthorized"}
	// 200 order 7 of ann
	// 429 {"message":"Too Many Requests"}
}

// The README's code is this example's body, word for word, and its two commands stand on lines of their own.
func TestREADME(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	_, body, ok := strings.Cut(string(source), "func Example_readme() {\n")
	require.True(t, ok)
	body, _, ok = strings.Cut(body, "\n}\n")
	require.True(t, ok)
	body = strings.TrimPrefix(strings.ReplaceAll("\n"+body, "\n\t", "\n"), "\n")
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), "```go\n"+body+"\n```\n")
	for _, command := range []string{"go run ./examples/quickstart", "go test ./..."} {
		require.Contains(t, string(readme), "\n"+command+"\n")
	}
}
