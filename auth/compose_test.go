package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

// apiKey is an authorizer of a user's own: it admits the key "good" and fails for "broken".
func apiKey(calls *int) auth.Authorizer {
	return authorizerFunc(func(r *http.Request) (*gatekit.Authorization, error) {
		*calls++
		switch r.Header.Get("X-Key") {
		case "good":
			return gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "machine", Scopes: []string{"orders:read"}}), nil
		case "":
			return nil, auth.ErrNoCredentials
		case "broken":
			return nil, errors.New("the database is away")
		}
		return nil, &gatekit.Rejection{Type: gatekit.Unauthorized, Header: http.Header{"Www-Authenticate": {"Key"}}}
	})
}

func keyed(key, token string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	if key != "" {
		r.Header.Set("X-Key", key)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func TestAny(t *testing.T) {
	calls := 0
	j := newJWT(t, iss(), auth.JWTConfig{})
	token := iss().Mint(good(authtest.Claims{"sub": "ann"}))
	mw := auth.Require(auth.Any(auth.Named("jwt", j), auth.Named("key", apiKey(&calls))))

	a := admitted(t, mw, keyed("", token))
	require.Equal(t, "ann jwt", a.Principal()+" "+a.Authorizer())
	require.Zero(t, calls, "the first with credentials decides alone")
	a = admitted(t, mw, keyed("good", ""))
	require.Equal(t, "machine key", a.Principal()+" "+a.Authorizer())
	refused(t, mw, keyed("good", "x"), 401, invalidToken(segments), "a bad token doesn't fall through to a good key")
	require.Equal(t, 1, calls)
	refused(t, mw, keyed("bad", ""), 401, "Key")
	refused(t, mw, keyed("broken", ""), 500, "")
	refused(t, mw, keyed("", ""), 401, "Bearer")

	other := authorizerFunc(func(*http.Request) (*gatekit.Authorization, error) {
		return nil, &gatekit.Rejection{Type: gatekit.Unauthorized, Header: http.Header{"Www-Authenticate": {"Negotiate", "Bearer"}}, Cause: auth.ErrNoCredentials}
	})
	w := httptest.NewRecorder()
	auth.Require(auth.Any(j, other))(http.NotFoundHandler()).ServeHTTP(w, keyed("", ""))
	require.Equal(t, []string{"Bearer", "Negotiate"}, w.Header()["Www-Authenticate"], "a line from each")
	basic := keyed("good", "")
	basic.Header.Set("Authorization", "Basic dTpw")
	admitted(t, mw, basic, "another scheme is not a bad token")
	_, err := auth.Any(auth.Any(j), other).Authorize(keyed("", ""))
	require.ErrorIs(t, err, auth.ErrNoCredentials, "so that it can be nested")
}

func TestAnyWithScopes(t *testing.T) {
	calls := 0
	j := newJWT(t, iss(), auth.JWTConfig{})
	mw := auth.Require(auth.Any(j, apiKey(&calls)), "orders:write")
	refused(t, mw, keyed("", iss().Mint(good(nil))), 403, `Bearer scope="orders:write" error="insufficient_scope"`)
	refused(t, mw, keyed("good", ""), 403, "")
	admitted(t, auth.Require(auth.Any(j, apiKey(&calls)), "orders:write", "orders:read"), keyed("good", ""))
}

func TestAll(t *testing.T) {
	calls := 0
	j := newJWT(t, iss(), auth.JWTConfig{})
	token := iss().Mint(good(authtest.Claims{"sub": "ann"}))
	mw := auth.Require(auth.All(j, auth.Named("key", apiKey(&calls))), "orders:list")
	a := admitted(t, mw, keyed("good", token))
	require.Equal(t, "ann", a.Principal())
	require.Len(t, a.Others(), 1)
	require.Equal(t, "machine key", a.Others()[0].Principal()+" "+a.Others()[0].Authorizer())
	a.Others()[0] = nil
	require.NotNil(t, a.Others()[0])
	require.Empty(t, admitted(t, j.Middleware, keyed("", token)).Others(), "the shared Authorization is as it was")
	refused(t, mw, keyed("", token), 401, "")
	refused(t, mw, keyed("bad", token), 401, "Key")
	refused(t, mw, keyed("broken", token), 500, "")
	refused(t, mw, keyed("good", ""), 401, "Bearer")
	refused(t, auth.Require(auth.All(j, apiKey(&calls)), "admin"), keyed("good", token), 403, `Bearer scope="admin" error="insufficient_scope"`)
}

func TestOptional(t *testing.T) {
	calls := 0
	j := newJWT(t, iss(), auth.JWTConfig{})
	mw := auth.Require(auth.Optional(auth.Any(j, apiKey(&calls))))
	require.Equal(t, "", admitted(t, mw, keyed("", "")).Principal())
	require.Equal(t, "machine", admitted(t, mw, keyed("good", "")).Principal())
	refused(t, mw, keyed("", "x"), 401, invalidToken(segments))
	refused(t, mw, keyed("broken", ""), 500, "")
	expired := iss().Mint(good(authtest.Claims{"exp": 1}))
	refused(t, mw, keyed("", expired), 401, invalidToken("token is expired"))
	scoped := auth.Require(auth.Optional(j), "orders:read")
	refused(t, scoped, keyed("", ""), 401, "Bearer", "nobody without credentials has a scope")
	admitted(t, scoped, keyed("", iss().Mint(good(nil))))
	nothing := authorizerFunc(func(*http.Request) (*gatekit.Authorization, error) { return nil, nil })
	refused(t, auth.Require(auth.Optional(nothing)), keyed("", ""), 500, "")
}

func TestByIssuer(t *testing.T) {
	one, two := authtest.NewIssuer(t), authtest.NewIssuer(t)
	jwts := []*auth.JWT{newJWT(t, one, auth.JWTConfig{}), newJWT(t, two, auth.JWTConfig{Audience: []string{"second"}})}
	both, err := auth.ByIssuer(jwts...)
	require.NoError(t, err)
	mw := auth.Require(both, "orders:read")
	for range 2 {
		require.Equal(t, "ann", admitted(t, mw, bearer(one.Mint(good(authtest.Claims{"sub": "ann"})))).Principal())
		require.Equal(t, "bob", admitted(t, mw, bearer(two.Mint(good(authtest.Claims{"sub": "bob", "aud": "second"})))).Principal())
	}
	frame := `Bearer scope="orders:read" error="invalid_token" error_description="`
	refused(t, mw, bearer(two.Mint(good(nil))), 401, frame+`the token does not have a valid audience"`, "the audience of the other issuer")
	refused(t, mw, bearer(two.Mint(good(authtest.Claims{"iss": one.URL()}))), 401, frame+badSignature+`"`, "signed by the other issuer, under an equal kid")
	refused(t, mw, bearer(iss().Mint(good(nil))), 401, frame+badSignature+`"`, "neither issuer's")
	refused(t, mw, bearer("x"), 401, frame+segments+`"`)
	refused(t, mw, keyed("", ""), 401, "Bearer")

	_, err = auth.ByIssuer()
	require.ErrorContains(t, err, "want at least one JWT")
	_, err = auth.ByIssuer(jwts[0], nil, jwts[0], newJWT(t, iss(), auth.JWTConfig{IdentitySource: "$request.header.X"}))
	for _, want := range []string{"JWT 1: want a JWT, got nil", "JWT 2: want each issuer once", "JWT 3: want the identity source of the first"} {
		require.ErrorContains(t, err, want)
	}
}

func TestCompositionOfNothing(t *testing.T) {
	for name, f := range map[string]func(){
		"Any": func() { auth.Any() }, "All": func() { auth.All() }, "Optional": func() { auth.Optional(nil) }, "Named": func() { auth.Named("x", (*auth.JWT)(nil)) }, "Any-nil": func() { auth.Any(nil) },
	} {
		require.Panics(t, f, name)
	}
}

func ExampleAny() {
	issuer := gatekit.Must(authtest.StartIssuer())
	defer issuer.Close()
	people := gatekit.Must(auth.NewJWT(context.Background(), auth.JWTConfig{Issuer: issuer.URL(), Audience: []string{"orders"}}))
	defer people.Close()
	machines := authorizerFunc(func(r *http.Request) (*gatekit.Authorization, error) {
		secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Machine ")
		switch {
		case !ok:
			return nil, auth.ErrNoCredentials
		case secret != "s3cret":
			return nil, &gatekit.Rejection{Type: gatekit.Unauthorized}
		}
		return gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "machine"}), nil
	})
	h := auth.Require(auth.Any(people, machines))(whoami)
	for _, credentials := range []string{"Bearer " + issuer.Mint(authtest.Claims{"aud": "orders", "sub": "ann"}), "Machine s3cret", "Machine guess"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", credentials)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello, ann
	// 200 hello, machine
	// 401 {"message":"Unauthorized"}
}

// CheckScopes is what Require panics for.
func TestCheckScopes(t *testing.T) {
	require.NoError(t, auth.CheckScopes())
	require.NoError(t, auth.CheckScopes("orders:read", "https://api.example/x"))
	jwt := auth.Optional(&auth.JWT{})
	for _, scope := range []string{"", "a b", `a"`, `a\`, "ä", "a\n"} {
		err := auth.CheckScopes("good", scope)
		require.ErrorContains(t, err, "want visible ASCII", scope)
		require.PanicsWithValue(t, err.Error(), func() { auth.Require(jwt, scope) }, scope)
	}
}
