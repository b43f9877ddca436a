package auth_test

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

const (
	poolA = "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_AAA"
	poolB = "arn:aws:cognito-idp:eu-west-1:444455556666:userpool/eu-west-1_BBB"
)

func newCognito(t testing.TB, c auth.CognitoConfig) *auth.Cognito {
	t.Helper()
	if c.UserPools == nil {
		c.UserPools, c.Issuers = []string{poolA}, map[string]string{poolA: iss().URL()}
	}
	a, err := auth.NewCognito(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

// idToken and accessToken are claims as a user pool's tokens have them.
func idToken(more authtest.Claims) authtest.Claims {
	c := authtest.Claims{"token_use": "id", "aud": "client1", "auth_time": 1680633579, "cognito:username": "bob", "email_verified": true, "cognito:groups": []string{"admins", "users"}}
	for name, value := range more {
		c[name] = value
	}
	return c
}

func accessToken(more authtest.Claims) authtest.Claims {
	c := authtest.Claims{"token_use": "access", "client_id": "client1", "scope": "https://example.com/cats.read openid"}
	for name, value := range more {
		c[name] = value
	}
	return c
}

// answerOf is status and body of a REST API's answer.
func answerOf(a auth.Authorizer, t testing.TB, token string, scopes ...string) string {
	describe := gatekit.Must(gatekit.Describe(rest))
	w := serve(func(next http.Handler) http.Handler {
		return gatekit.Chain(next, describe, auth.Require(a, scopes...))
	}, request("GET", "/", token))
	require.NotContains(t, w.Header(), "Www-Authenticate")
	if w.Code == 200 {
		return "200"
	}
	return fmt.Sprint(w.Code, " ", w.Header().Get("X-Amzn-Errortype"), " ", w.Body)
}

const (
	cognito401     = `401 UnauthorizedException {"message":"Unauthorized"}`
	cognitoExpired = `401 UnauthorizedException {"message":"The incoming token has expired"}`
)

func TestCognito(t *testing.T) {
	a := newCognito(t, auth.CognitoConfig{})
	id, access := iss().Mint(idToken(nil)), iss().Mint(accessToken(nil))
	for name, tt := range map[string]struct {
		token  string
		scopes []string
		want   string
	}{
		"id": {id, nil, "200"}, "bearer": {"Bearer " + id, nil, "200"}, "access": {access, []string{"x", "https://example.com/cats.read"}, "200"},
		"id where scopes are": {iss().Mint(idToken(authtest.Claims{"scope": "x"})), []string{"x"}, cognito401}, "access where none are": {access, nil, cognito401}, "other scope": {access, []string{"cats.read"}, cognito401},
		"no use": {iss().Mint(idToken(authtest.Claims{"token_use": nil})), nil, cognito401}, "odd use": {iss().Mint(idToken(authtest.Claims{"token_use": []string{"id"}})), nil, cognito401},
		"none": {"", nil, cognito401}, "blank": {"Bearer ", nil, cognito401}, "nonsense": {"x.y", nil, cognito401}, "other scheme": {"Basic eDp5", nil, cognito401}, "signature": {id[:len(id)-8] + "AAAAAAAA", nil, cognito401},
		"expired": {iss().Mint(idToken(authtest.Claims{"exp": time.Now().Unix() - 1})), nil, cognitoExpired}, "exp text": {iss().Mint(idToken(authtest.Claims{"exp": "9999999999"})), nil, cognito401},
		"from the future": {iss().Mint(idToken(authtest.Claims{"iat": time.Now().Unix() + 100})), nil, cognito401}, "other client": {iss().Mint(idToken(authtest.Claims{"aud": "client2"})), nil, "200"},
		"other algorithm": {iss().MintWith("ES256", idToken(nil)), nil, cognito401}, "ps256": {iss().MintWith("PS256", idToken(nil)), nil, cognito401},
		"look-alike issuer": {iss().Mint(idToken(authtest.Claims{"iss": iss().URL() + ".evil"})), nil, cognito401}, "issuer with slash": {iss().Mint(idToken(authtest.Claims{"iss": iss().URL() + "/"})), nil, cognito401},
		"issuer prefix": {iss().Mint(idToken(authtest.Claims{"iss": iss().URL()[:len(iss().URL())-1]})), nil, cognito401},
	} {
		for range 2 { // the second time it may be kept
			require.Equal(t, tt.want, answerOf(a, t, tt.token, tt.scopes...), name)
		}
	}
	_, err := a.Authorize(request("GET", "/", ""))
	require.ErrorIs(t, err, auth.ErrNoCredentials)
	require.Equal(t, 200, serve(a.Middleware, request("GET", "/", id)).Code)
	w := serve(a.Middleware, request("GET", "/", iss().Mint(idToken(authtest.Claims{"exp": 1}))))
	require.Equal(t, unauthorized, w.Body.String(), "an HTTP API has no text of its own for it")
}

// TestCognitoKeys: a public key is no secret, a key is found by its kid alone, and many groups are no trouble.
func TestCognitoKeys(t *testing.T) {
	a := newCognito(t, auth.CognitoConfig{})
	key, kid := iss().Key("RS256")
	public := key.Public().(*rsa.PublicKey)
	claims := jwt.MapClaims{"iss": iss().URL(), "token_use": "id", "exp": time.Now().Add(time.Hour).Unix()}
	swapped := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	swapped.Header["kid"] = kid
	text, err := swapped.SignedString(public.N.Bytes())
	require.NoError(t, err)
	require.Equal(t, cognito401, answerOf(a, t, text), "HS256 with the modulus for a secret")
	_, otherKid := iss().Key("ES256")
	for named, want := range map[string]string{kid: "200", otherKid: cognito401, "unknown": cognito401} {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
		token.Header["kid"] = named
		text, err := token.SignedString(key)
		require.NoError(t, err)
		require.Equal(t, want, answerOf(a, t, text), named)
	}
	for count, want := range map[int]string{1000: "200", 2000: cognito401} { // 2,000 are more than 16 KiB of token
		groups := make([]string, count)
		for i := range groups {
			groups[i] = fmt.Sprint("group", i)
		}
		require.Equal(t, want, answerOf(a, t, iss().Mint(idToken(authtest.Claims{"cognito:groups": groups}))), count)
	}
}

func TestCognitoExpression(t *testing.T) {
	a := newCognito(t, auth.CognitoConfig{IdentityValidationExpression: "client1|app-[0-9]+"})
	for aud, want := range map[string]string{"client1": "200", "app-7": "200", "client12": cognito401, "xclient1": cognito401, "app-7\n": cognito401, "": cognito401} {
		require.Equal(t, want, answerOf(a, t, iss().Mint(idToken(authtest.Claims{"aud": aud}))), "%q", aud)
	}
	require.Equal(t, "200", answerOf(a, t, iss().Mint(idToken(authtest.Claims{"aud": []string{"client1"}}))))
	require.Equal(t, cognito401, answerOf(a, t, iss().Mint(idToken(authtest.Claims{"aud": []string{"client1", "x"}}))))
	require.Equal(t, cognito401, answerOf(a, t, iss().Mint(accessToken(nil)), "openid"), "access tokens have no aud")
}

// A token that was verified and kept is refused from the second on at which it expires, in the words for that.
func TestCognitoCachedTokens(t *testing.T) {
	handler := iss().Handler()
	synctest.Test(t, func(t *testing.T) {
		a := newCognito(t, auth.CognitoConfig{HTTPClient: &http.Client{Transport: inMemory{handler}}})
		token := iss().Mint(idToken(authtest.Claims{"exp": time.Now().Unix() + 60}))
		require.Equal(t, "200", answerOf(a, t, token))
		require.Equal(t, "200", answerOf(a, t, token))
		time.Sleep(59 * time.Second)
		require.Equal(t, "200", answerOf(a, t, token))
		time.Sleep(time.Second)
		for range 2 {
			require.Equal(t, cognitoExpired, answerOf(a, t, token))
		}
	})
}

// TestCognitoPools: a pool's tokens are judged by its own keys.
func TestCognitoPools(t *testing.T) {
	b := authtest.NewIssuer(t)
	a := newCognito(t, auth.CognitoConfig{UserPools: []string{poolA, poolB}, Issuers: map[string]string{poolA: iss().URL(), poolB: b.URL()}})
	for range 2 {
		require.Equal(t, "200", answerOf(a, t, iss().Mint(idToken(nil))))
		require.Equal(t, "200", answerOf(a, t, b.Mint(idToken(nil))))
	}
	require.Equal(t, cognito401, answerOf(a, t, b.Mint(idToken(authtest.Claims{"iss": iss().URL()}))), "the other pool's key, of the same kid")
	require.Equal(t, cognito401, answerOf(a, t, authtest.NewIssuer(t).Mint(idToken(nil))), "a third pool")
	onlyA := newCognito(t, auth.CognitoConfig{})
	require.Equal(t, cognito401, answerOf(onlyA, t, b.Mint(idToken(nil))))
}

func TestCognitoKeysAway(t *testing.T) {
	down := authtest.NewIssuer(t)
	down.Down()
	_, err := auth.NewCognito(t.Context(), auth.CognitoConfig{UserPools: []string{poolA}, Issuers: map[string]string{poolA: down.URL()}})
	require.Error(t, err)
	a := newCognito(t, auth.CognitoConfig{UserPools: []string{poolA}, Issuers: map[string]string{poolA: down.URL()}, StartWithoutKeys: true})
	require.Equal(t, `500 AuthorizerConfigurationException {"message":null}`, answerOf(a, t, down.Mint(idToken(nil))))
}

func TestCognitoClaims(t *testing.T) {
	a := newCognito(t, auth.CognitoConfig{})
	found := admitted(t, a.Middleware, bearer(iss().Mint(idToken(authtest.Claims{
		"exp": int64(9999999999), "iat": 1680633579, "one": []string{"admins"}, "identities": []any{map[string]any{"userId": "1"}}, "custom:role": "a\"b\r\n", "__proto__": "x", "bracket": "[x]", "n": 1.5, "gone": nil,
	}))))
	for name, want := range map[string]string{
		"iat": "Tue Apr 04 18:39:39 UTC 2023", "exp": "Sat Nov 20 17:46:39 UTC 2286", "auth_time": "1680633579", "email_verified": "true", "cognito:groups": "admins,users", "one": "admins",
		"identities": `[{"userId":"1"}]`, "custom:role": "a\"b\r\n", "__proto__": "x", "bracket": "[x]", "n": "1.5", "aud": "client1",
	} {
		got, ok := found.ClaimString(name)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
		require.Equal(t, want, found.ClaimStrings()[name])
	}
	groups, _ := found.Claim("cognito:groups")
	require.Equal(t, []any{"admins", "users"}, groups, "Go code has the list")
	joined := admitted(t, a.Middleware, bearer(iss().Mint(idToken(authtest.Claims{"cognito:groups": []string{"admins,users"}}))))
	one, _ := joined.Claim("cognito:groups")
	require.Equal(t, []any{"admins,users"}, one, "only the text is ambiguous")
	j := admitted(t, newJWT(t, iss(), auth.JWTConfig{}).Middleware, bearer(iss().Mint(good(authtest.Claims{"cognito:groups": []string{"a", "b"}}))))
	text, _ := j.ClaimString("cognito:groups")
	require.Equal(t, "[a b]", text, "the JWT authorizer's form is another")
}

func TestCognitoConfig(t *testing.T) {
	for want, c := range map[string]auth.CognitoConfig{
		"UserPools: want 1 to 1000, got 0":        {},
		"UserPools[0]: want an ARN such as":       {UserPools: []string{"us-east-1_AAA"}},
		"UserPools[1]: want an ARN":               {UserPools: []string{poolA, "arn:aws:cognito-idp:us-east-1:111122223333:userpool/eu-west-1_AAA"}},
		"want each pool and issuer once":          {UserPools: []string{poolA, poolA}},
		"IdentitySource: want method.request":     {UserPools: []string{poolA}, IdentitySource: "$request.querystring.token"},
		"IdentityValidationExpression: want a re": {UserPools: []string{poolA}, IdentityValidationExpression: "(?<!a)b"},
		"Issuers: want ARNs of UserPools":         {UserPools: []string{poolA}, Issuers: map[string]string{poolB: "https://x.example"}},
		"want an https URL":                       {UserPools: []string{poolA}, Issuers: map[string]string{poolA: "http://idp.example"}},
		"RefreshInterval":                         {UserPools: []string{poolA}, RefreshInterval: time.Second},
	} {
		_, err := auth.NewCognito(t.Context(), c)
		require.ErrorContains(t, err, want)
		require.True(t, strings.HasPrefix(err.Error(), "auth: CognitoConfig."), err)
	}
}

// TestByIssuerREST: several issuers with audiences and algorithms of their own behind a REST API.
func TestByIssuerREST(t *testing.T) {
	b := authtest.NewIssuer(t)
	first := newJWT(t, iss(), auth.JWTConfig{Audience: []string{"a"}, Algorithms: []string{"RS256"}})
	second := newJWT(t, b, auth.JWTConfig{Audience: []string{"b"}, Algorithms: []string{"ES256"}})
	both, err := auth.ByIssuer(first, second)
	require.NoError(t, err)
	send := func(token string, scopes ...string) string {
		describe := gatekit.Must(gatekit.Describe(rest))
		w := serve(func(next http.Handler) http.Handler {
			return gatekit.Chain(next, describe, auth.Require(both, scopes...))
		}, request("GET", "/", "Bearer "+token))
		return strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Header().Get("X-Amzn-Errortype")))
	}
	require.Equal(t, "200", send(iss().Mint(authtest.Claims{"aud": "a"})))
	require.Equal(t, "200", send(b.MintWith("ES256", authtest.Claims{"aud": "b"})))
	for name, token := range map[string]string{
		"the other's audience": iss().Mint(authtest.Claims{"aud": "b"}), "the other's algorithm": iss().MintWith("ES256", authtest.Claims{"aud": "a"}), "and the reverse": b.Mint(authtest.Claims{"aud": "b"}),
		"the other's key of the same kid": b.Mint(authtest.Claims{"aud": "a", "iss": iss().URL()}), "nobody's": authtest.NewIssuer(t).Mint(authtest.Claims{"aud": "a"}),
	} {
		require.Equal(t, "401 UnauthorizedException", send(token), name)
	}
	require.Equal(t, "403 AccessDeniedException", send(iss().Mint(authtest.Claims{"aud": "a", "scope": "x"}), "y"))
}
