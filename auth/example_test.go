package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "hello, %s", gatekit.From(r.Context()).Authorization.Principal())
})

func ExampleNewJWT() {
	issuer := gatekit.Must(authtest.StartIssuer()) // in place of an OpenID Connect provider
	defer issuer.Close()
	jwt := gatekit.Must(auth.NewJWT(context.Background(), auth.JWTConfig{Issuer: issuer.URL(), Audience: []string{"orders"}}))
	defer jwt.Close()

	h := jwt.Middleware(whoami)
	for _, token := range []string{
		issuer.Mint(authtest.Claims{"aud": "orders", "sub": "ann"}),
		issuer.Mint(authtest.Claims{"aud": "another", "sub": "ann"}),
		"",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		if token == "" {
			r.Header.Del("Authorization")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body, w.Header()["Www-Authenticate"])
	}
	// Output:
	// 200 hello, ann []
	// 401 {"message":"Unauthorized"} [Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"]
	// 401 {"message":"Unauthorized"} [Bearer]
}

// A configuration that is wrong doesn't start: the error names each field.
func ExampleNewJWT_refused() {
	_, err := auth.NewJWT(context.Background(), auth.JWTConfig{Issuer: "http://idp.example.com"})
	fmt.Println(err)
	// Output:
	// auth: JWTConfig.Issuer: want an https URL, got "http://idp.example.com"
	// auth: JWTConfig.Audience: want at least one, got none
}

func ExampleRequire() {
	issuer := gatekit.Must(authtest.StartIssuer())
	defer issuer.Close()
	jwt := gatekit.Must(auth.NewJWT(context.Background(), auth.JWTConfig{Issuer: issuer.URL(), Audience: []string{"orders"}}))
	defer jwt.Close()

	read, write := auth.Require(jwt, "orders:read"), auth.Require(jwt, "orders:write")
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(authtest.Claims{"aud": "orders", "scope": "orders:read", "sub": "ann"}))
	for _, mw := range []gatekit.Middleware{read, write} {
		w := httptest.NewRecorder()
		mw(whoami).ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body, w.Header()["Www-Authenticate"])
	}
	// Output:
	// 200 hello, ann []
	// 403 {"message":"Forbidden"} [Bearer scope="orders:write" error="insufficient_scope"]
}

// Authorize is the decision without the answer.
func ExampleJWT_Authorize() {
	issuer := gatekit.Must(authtest.StartIssuer())
	defer issuer.Close()
	jwt := gatekit.Must(auth.NewJWT(context.Background(), auth.JWTConfig{Issuer: issuer.URL(), Audience: []string{"orders"}}))
	defer jwt.Close()

	_, err := jwt.Authorize(httptest.NewRequest("GET", "/", nil))
	fmt.Println(errors.Is(err, auth.ErrNoCredentials))
	// Output:
	// true
}

// Without scopes every token for the audience opens every route: also the ID token, which says who somebody is and not what a client may
// do for them.
func ExampleRequire_incorrect() {
	issuer := gatekit.Must(authtest.StartIssuer())
	defer issuer.Close()
	jwt := gatekit.Must(auth.NewJWT(context.Background(), auth.JWTConfig{Issuer: issuer.URL(), Audience: []string{"client1"}}))
	defer jwt.Close()

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(authtest.Claims{"aud": "client1", "sub": "ann", "token_use": "id"}))
	for _, mw := range []gatekit.Middleware{auth.Require(jwt), auth.Require(jwt, "orders:read")} {
		w := httptest.NewRecorder()
		mw(whoami).ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello, ann
	// 403 {"message":"Forbidden"}
}
