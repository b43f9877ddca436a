package auth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

const claimChallenge = `Bearer scope="" error="invalid_token" error_description="token has invalid claims"`

func TestAdditionalClaims(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{AdditionalClaims: []auth.AdditionalClaim{
		{ClaimName: "token_use", ExpectedValues: []string{"access"}},
		{ClaimName: "tenant", ExpectedValues: []string{"acme", "umbrella"}, Optional: true},
		{ClaimName: "sub"},
	}})
	for _, tt := range []struct {
		name   string
		claims authtest.Claims
		ok     bool
	}{
		{"all", authtest.Claims{"token_use": "access", "tenant": "acme"}, true},
		{"the-other-value", authtest.Claims{"token_use": "access", "tenant": "umbrella"}, true},
		{"optional-absent", authtest.Claims{"token_use": "access"}, true},
		{"absent", authtest.Claims{}, false},
		{"other-value", authtest.Claims{"token_use": "id"}, false},
		{"other-case", authtest.Claims{"token_use": "Access"}, false},
		{"other-case-of-the-name", authtest.Claims{"Token_Use": "access"}, false},
		{"blank", authtest.Claims{"token_use": "access "}, false},
		{"empty", authtest.Claims{"token_use": ""}, false},
		{"list", authtest.Claims{"token_use": []string{"access"}}, false},
		{"object", authtest.Claims{"token_use": map[string]any{"access": "access"}}, false},
		{"number", authtest.Claims{"token_use": 1}, false},
		{"true", authtest.Claims{"token_use": true}, false},
		{"prefix-of-a-list", authtest.Claims{"token_use": "access id"}, false},
		{"optional-and-wrong", authtest.Claims{"token_use": "access", "tenant": "acme2"}, false},
		{"optional-and-a-list", authtest.Claims{"token_use": "access", "tenant": []string{"acme"}}, false},
		{"within-another", authtest.Claims{"ext": map[string]any{"token_use": "access"}}, false},
		{"any-value-but-none", authtest.Claims{"token_use": "access", "sub": nil}, false},
		{"any-value-but-a-number", authtest.Claims{"token_use": "access", "sub": 7}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.claims["aud"] = audience
			token := iss().Mint(tt.claims)
			for range 2 { // the second time from the cache, if it was let in
				if !tt.ok {
					refused(t, j.Middleware, bearer(token), 401, claimChallenge)
					continue
				}
				w := httptest.NewRecorder()
				j.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, bearer(token))
				require.Equal(t, 200, w.Code)
			}
		})
	}
}

// A claim that is there twice is two claims to two readers.
func TestAdditionalClaimTwice(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{AdditionalClaims: []auth.AdditionalClaim{{ClaimName: "role", ExpectedValues: []string{"admin"}}}})
	for roles, want := range map[string]int{
		`"role":"admin"`: 200, `"role":"user","role":"admin"`: 401, `"role":"admin","role":"user"`: 401, `"role":"admin","role":"admin"`: 401,
		`"role":"user","Role":"admin"`: 401, `"role":null`: 401,
	} {
		w := httptest.NewRecorder()
		h := j.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		h.ServeHTTP(w, bearer(forge(t, iss(), rs256Header(iss()), claimsJSON(iss(), ","+roles))))
		require.Equal(t, want, w.Code, roles)
	}
}

func TestRefusedAdditionalClaims(t *testing.T) {
	many := make([]auth.AdditionalClaim, 101)
	for i := range many {
		many[i].ClaimName = fmt.Sprint(i)
	}
	for want, claims := range map[string][]auth.AdditionalClaim{
		`AdditionalClaims[0].ClaimName: want the name of a claim other than iss`: {{}},
		`and scp, got "scope"`:                            {{ClaimName: "scope"}},
		`AdditionalClaims[1].ClaimName: want each once`:   {{ClaimName: "a"}, {ClaimName: "a"}},
		`AdditionalClaims[0].ExpectedValues: want values`: {{ClaimName: "a", ExpectedValues: []string{"x", ""}}},
		`AdditionalClaims: want at most 100, got 101`:     many,
	} {
		_, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: iss().URL(), Audience: []string{"a"}, JWKS: iss().JWKS(), AdditionalClaims: claims})
		require.ErrorContains(t, err, want)
	}
}

// The lists that a JWT was made with are its own.
func TestAdditionalClaimsAreCopied(t *testing.T) {
	claims := []auth.AdditionalClaim{{ClaimName: "role", ExpectedValues: []string{"admin"}}}
	j := newJWT(t, iss(), auth.JWTConfig{AdditionalClaims: claims})
	claims[0].ExpectedValues[0], claims[0].Optional = "user", true
	refused(t, j.Middleware, bearer(iss().Mint(authtest.Claims{"aud": audience, "role": "user"})), 401, claimChallenge)
	refused(t, j.Middleware, bearer(iss().Mint(authtest.Claims{"aud": audience})), 401, claimChallenge)
}

// A REST API's JWT authorizer trusts two issuers: each with audiences, algorithms and claims of its
// own.
func ExampleByIssuer() {
	company, partner := gatekit.Must(authtest.StartIssuer()), gatekit.Must(authtest.StartIssuer())
	defer company.Close()
	defer partner.Close()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	trust := func(issuer, audience string, algorithms []string, claims ...auth.AdditionalClaim) *auth.JWT {
		return gatekit.Must(auth.NewJWT(ctx, auth.JWTConfig{
			Issuer: issuer, Audience: []string{audience}, Algorithms: algorithms, AdditionalClaims: claims,
			IdentitySource: "method.request.header.Authorization",
		}))
	}
	both := gatekit.Must(auth.ByIssuer(
		trust(company.URL(), "orders", []string{"RS256"}),
		trust(partner.URL(), "partners", []string{"ES256"}, auth.AdditionalClaim{ClaimName: "tier", ExpectedValues: []string{"gold"}}),
	))
	rest := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST}))
	h := gatekit.Chain(whoami, rest, auth.Require(both))
	for _, token := range []string{
		company.Mint(authtest.Claims{"aud": "orders"}),
		partner.MintWith("ES256", authtest.Claims{"aud": "partners", "tier": "gold"}),
		partner.MintWith("ES256", authtest.Claims{"aud": "partners", "tier": "silver"}),
		partner.MintWith("RS256", authtest.Claims{"aud": "partners", "tier": "gold"}),
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, bearer(token))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 hello, user-1
	// 200 hello, user-1
	// 401 {"message":"Unauthorized"}
	// 401 {"message":"Unauthorized"}
}
