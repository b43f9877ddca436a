package auth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

func TestAdmits(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	for _, algorithm := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		token := iss().MintWith(algorithm, good(authtest.Claims{"sub": "ann", "n": int64(12345678901), "groups": []string{"a", "b"}}))
		for range 2 { // the second time from the cache
			a := admitted(t, auth.Require(j, "orders:read"), bearer(token), algorithm)
			require.Equal(t, "ann", a.Principal())
			require.Equal(t, []string{"orders:read", "orders:list"}, a.Scopes(), "all of them, not the intersection")
			n, ok := a.Claim("n")
			require.True(t, ok)
			require.Equal(t, json.Number("12345678901"), n)
			text, ok := a.ClaimString("groups")
			require.True(t, ok)
			require.Equal(t, "[a b]", text)
		}
	}
}

// The Authorization that all requests with one token share can't be changed through what it returns.
func TestAuthorizationIsImmutable(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	token := iss().Mint(good(authtest.Claims{"o": map[string]any{"k": "v"}, "l": []string{"x"}}))
	for range 2 {
		a := admitted(t, auth.Require(j), bearer(token))
		require.Equal(t, []string{"orders:read", "orders:list"}, a.Scopes())
		claims := a.Claims()
		require.Equal(t, map[string]any{"k": "v"}, claims["o"])
		o, _ := a.Claim("o")
		a.Scopes()[0] = "admin"
		claims["aud"] = "spoiled"
		claims["o"].(map[string]any)["k"] = "spoiled"
		o.(map[string]any)["k"] = "spoiled"
		delete(claims, "l")
	}
}

func TestScopes(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	mw := auth.Require(j, "a", "b:c")
	for name, tt := range map[string]struct {
		claims authtest.Claims
		ok     bool
	}{
		"scope":                 {authtest.Claims{"scope": "x a"}, true},
		"other-of-the-two":      {authtest.Claims{"scope": "b:c"}, true},
		"scp-string":            {authtest.Claims{"scope": nil, "scp": "a x"}, true},
		"scp-array":             {authtest.Claims{"scope": nil, "scp": []string{"x", "a"}}, true},
		"scp-counts":            {authtest.Claims{"scope": "a", "scp": "x"}, false},
		"none":                  {authtest.Claims{"scope": nil}, false},
		"empty":                 {authtest.Claims{"scope": ""}, false},
		"longer":                {authtest.Claims{"scope": "a:b b:cd aa"}, false},
		"shorter":               {authtest.Claims{"scope": "b"}, false},
		"case":                  {authtest.Claims{"scope": "A"}, false},
		"tab-separates-nothing": {authtest.Claims{"scope": "x\ta\ty"}, false},
		"newline":               {authtest.Claims{"scope": "x\na"}, false},
		"double-blanks":         {authtest.Claims{"scope": "  x  a  "}, true},
		"object":                {authtest.Claims{"scope": map[string]any{"a": "a"}}, false},
		"number":                {authtest.Claims{"scope": 1}, false},
		"array-with-number":     {authtest.Claims{"scope": nil, "scp": []any{"a", 1}}, false},
		"one-with-blank":        {authtest.Claims{"scope": nil, "scp": []string{"x a"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := bearer(iss().Mint(good(tt.claims)))
			if tt.ok {
				admitted(t, mw, r)
				return
			}
			refused(t, mw, r, 403, `Bearer scope="a b:c" error="insufficient_scope"`)
			admitted(t, auth.Require(j), r, "a route without scopes doesn't look at them")
		})
	}
	refused(t, mw, bearer("x"), 401, `Bearer scope="a b:c" error="invalid_token" error_description="token contains an invalid number of segments"`)
}

// A token that was admitted on one route is judged by the scopes of the next.
func TestScopesAreNotCached(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	token := iss().Mint(good(nil))
	admitted(t, auth.Require(j, "orders:read"), bearer(token))
	refused(t, auth.Require(j, "orders:write"), bearer(token), 403, `Bearer scope="orders:write" error="insufficient_scope"`)
	admitted(t, auth.Require(j, "orders:list"), bearer(token))
}

func TestRESTFlavor(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	rest := gatekit.Must(gatekit.Describe(gatekit.API{Flavor: gatekit.REST}))
	for _, tt := range []struct {
		r               *http.Request
		status          int
		body, errorType string
	}{
		{bearer("x"), 401, `{"message":"Unauthorized"}`, "UnauthorizedException"},
		{bearer(iss().Mint(good(nil))), 403, `{"Message":"User is not authorized to access this resource"}`, "AccessDeniedException"},
	} {
		w := httptest.NewRecorder()
		gatekit.Chain(http.NotFoundHandler(), rest, auth.Require(j, "admin")).ServeHTTP(w, tt.r)
		require.Equal(t, tt.status, w.Code)
		require.Equal(t, tt.body, w.Body.String())
		require.Equal(t, tt.errorType, w.Header().Get("x-amzn-ErrorType"))
	}
}

func TestErrNoCredentials(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	with := func(values ...string) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		if values != nil {
			r.Header["Authorization"] = values
		}
		return r
	}
	for name, tt := range map[string]struct {
		r    *http.Request
		none bool
	}{
		"no-header": {with(), true}, "empty": {with(""), true}, "basic": {with("Basic dTpw"), true}, "sigv4": {with("AWS4-HMAC-SHA256 Credential=x"), true},
		"bearer": {with("Bearer x"), false}, "bare": {with("x"), false}, "bearer-alone": {with("Bearer"), false}, "bearer-blank": {with("Bearer "), false}, "two": {with("Basic x", "Basic y"), false},
	} {
		_, err := j.Authorize(tt.r)
		require.Equal(t, tt.none, errors.Is(err, auth.ErrNoCredentials), name)
		var rejection *gatekit.Rejection
		require.ErrorAs(t, err, &rejection, name)
		require.Equal(t, gatekit.Unauthorized, rejection.Type)
	}
	_, err := j.Authorize(with())
	require.ErrorContains(t, err, "missing: token not provided")
	_, err = j.Authorize(with("a.b"))
	require.ErrorContains(t, err, "invalid_token: token contains an invalid number of segments")
}

func TestRequireType(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{RequireType: "at+JWT"})
	_, kid := iss().Key("RS256")
	for typ, ok := range map[string]bool{`"at+jwt"`: true, `"application/at+jwt"`: true, `"AT+JWT"`: true, `"JWT"`: false, `""`: false, `1`: false} {
		token := forge(t, iss(), `{"alg":"RS256","kid":"`+kid+`","typ":`+typ+`}`, claimsJSON(iss(), ""))
		if ok {
			admitted(t, auth.Require(j), bearer(token), typ)
		} else {
			refused(t, auth.Require(j), bearer(token), 401, invalidToken("token is malformed"), typ)
		}
	}
	refused(t, auth.Require(j), bearer(forge(t, iss(), rs256Header(iss()), claimsJSON(iss(), ""))), 401, invalidToken("token is malformed"))
}

func TestAlgorithmsOfTheManagedGateway(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{Algorithms: []string{"RS256", "RS384", "RS512"}})
	admitted(t, auth.Require(j), bearer(iss().MintWith("RS384", good(nil))))
	for _, algorithm := range []string{"ES256", "EdDSA", "PS256"} {
		refused(t, auth.Require(j), bearer(iss().MintWith(algorithm, good(nil))), 401, invalidToken("token signature is invalid"), algorithm)
	}
}

// exp, nbf and iat at their boundaries, with and without leeway; the clock stands still within a bubble.
func TestTimes(t *testing.T) {
	jwks := iss().JWKS()
	for _, leeway := range []time.Duration{0, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			j := newJWT(t, iss(), auth.JWTConfig{JWKS: jwks, Leeway: leeway})
			mw := auth.Require(j)
			now, skew := time.Now().Unix(), int64(leeway.Seconds())
			mint := func(c authtest.Claims) *http.Request { return bearer(iss().Mint(good(c))) }
			admitted(t, mw, mint(authtest.Claims{"exp": now + 1 - skew}))
			refused(t, mw, mint(authtest.Claims{"exp": now - skew}), 401, invalidToken("token is expired"))
			refused(t, mw, mint(authtest.Claims{"exp": now - 1 - skew}), 401, invalidToken("token is expired"))
			admitted(t, mw, mint(authtest.Claims{"nbf": now + skew}))
			refused(t, mw, mint(authtest.Claims{"nbf": now + 1 + skew}), 401, invalidToken("token is not valid yet"))
			admitted(t, mw, mint(authtest.Claims{"iat": now + skew}))
			refused(t, mw, mint(authtest.Claims{"iat": now + 1 + skew}), 401, invalidToken("token used before issued"))
			admitted(t, mw, mint(authtest.Claims{"exp": float64(now+1-skew) + 0.5, "iat": nil}))
			refused(t, mw, mint(authtest.Claims{"exp": float64(now-skew) + 0.5}), 401, invalidToken("token is expired"))
			refused(t, mw, mint(authtest.Claims{"nbf": float64(now+skew) + 0.5}), 401, invalidToken("token is not valid yet"))
		})
	}
}

// The issuer's checks come first: the order of the managed gateway, seen by which text is sent.
func TestOrderOfChecks(t *testing.T) {
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{}), "admin")
	frame := `Bearer scope="admin" error="invalid_token" error_description="`
	for _, step := range []struct {
		claims    authtest.Claims
		challenge string
	}{
		{authtest.Claims{"iss": "https://evil", "aud": "x", "exp": 1, "nbf": int64(1) << 40, "iat": int64(1) << 40}, frame + `issuer does not match"`},
		{authtest.Claims{"aud": "x", "exp": 1, "nbf": int64(1) << 40, "iat": int64(1) << 40}, frame + `the token does not have a valid audience"`},
		{authtest.Claims{"exp": nil, "nbf": int64(1) << 40, "iat": int64(1) << 40}, frame + `token is missing required claim"`},
		{authtest.Claims{"exp": 1, "nbf": int64(1) << 40, "iat": int64(1) << 40}, frame + `token is expired"`},
		{authtest.Claims{"nbf": int64(1) << 40, "iat": int64(1) << 40}, frame + `token is not valid yet"`},
		{authtest.Claims{"iat": int64(1) << 40}, frame + `token used before issued"`},
	} {
		refused(t, mw, bearer(iss().Mint(good(step.claims))), 401, step.challenge)
	}
	refused(t, mw, bearer(iss().Mint(good(nil))), 403, `Bearer scope="admin" error="insufficient_scope"`)
}

func TestAudience(t *testing.T) {
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{Audience: []string{"orders", "shop"}}))
	for name, tt := range map[string]struct {
		claims authtest.Claims
		ok     bool
	}{
		"one":                   {authtest.Claims{"aud": "shop"}, true},
		"one-of-an-array":       {authtest.Claims{"aud": []string{"x", "orders"}}, true},
		"client-id-without-aud": {authtest.Claims{"aud": nil, "client_id": "orders"}, true},
		"aud-shadows-client-id": {authtest.Claims{"aud": "x", "client_id": "orders"}, false},
		"aud-empty-string":      {authtest.Claims{"aud": "", "client_id": "orders"}, false},
		"aud-empty-array":       {authtest.Claims{"aud": []string{}, "client_id": "orders"}, false},
		"aud-object":            {authtest.Claims{"aud": map[string]any{}, "client_id": "orders"}, false},
		"aud-number":            {authtest.Claims{"aud": 1, "client_id": "orders"}, false},
		"aud-array-with-number": {authtest.Claims{"aud": []any{1, "orders"}}, false},
		"aud-nested":            {authtest.Claims{"aud": []any{[]string{"orders"}}}, false},
		"client-id-array":       {authtest.Claims{"aud": nil, "client_id": []string{"orders"}}, false},
		"client-id-other":       {authtest.Claims{"aud": nil, "client_id": "x"}, false},
		"neither":               {authtest.Claims{"aud": nil}, false},
		"case":                  {authtest.Claims{"aud": "Orders"}, false},
		"longer":                {authtest.Claims{"aud": "orders2"}, false},
		"client-id-empty":       {authtest.Claims{"aud": nil, "client_id": ""}, false},
	} {
		r := bearer(iss().Mint(good(tt.claims)))
		if tt.ok {
			admitted(t, mw, r, name)
		} else {
			refused(t, mw, r, 401, invalidToken("the token does not have a valid audience"), name)
		}
	}
	null := forge(t, iss(), rs256Header(iss()), `{"iss":"`+iss().URL()+`","aud":null,"client_id":"orders","exp":9999999999}`)
	refused(t, mw, bearer(null), 401, invalidToken("the token does not have a valid audience"))
}

func TestIdentitySources(t *testing.T) {
	token := iss().Mint(good(nil))
	for _, tt := range []struct {
		name, source, header, value, target string
		want                                string // "" is admitted
	}{
		{"bearer", "", "Authorization", "Bearer " + token, "/", ""},
		{"bare", "", "Authorization", token, "/", ""},
		{"lower-case", "", "Authorization", "bearer " + token, "/", ""},
		{"upper-case", "", "Authorization", "BEARER " + token, "/", ""},
		{"blanks", "", "Authorization", "Bearer    " + token, "/", ""},
		{"other-header", "$request.header.X-Token", "X-Token", token, "/", ""},
		{"header-in-lower-case", "$request.header.x-token", "X-Token", "Bearer " + token, "/", ""},
		{"other-header-ignores-authorization", "$request.header.x-token", "Authorization", token, "/", "Bearer"},
		{"query", "$request.querystring.token", "", "", "/?a=b&token=" + token, ""},
		{"query-bearer", "$request.querystring.token", "", "", "/?token=Bearer+" + token, ""},
		{"query-encoded-name", "$request.querystring.token", "", "", "/?t%6fken=" + token, ""},
		{"query-case-matters", "$request.querystring.token", "", "", "/?Token=" + token, "Bearer"},
		{"query-missing", "$request.querystring.token", "", "", "/", "Bearer"},
		{"query-empty", "$request.querystring.token", "", "", "/?token=", "Bearer"},
		{"query-twice", "$request.querystring.token", "", "", "/?token=" + token + "&token=" + token, invalidToken("token is malformed")},
		{"query-twice-encoded", "$request.querystring.token", "", "", "/?token=" + token + "&%74oken=x", invalidToken("token is malformed")},
		{"query-bad-escape", "$request.querystring.token", "", "", "/?token=%zz", invalidToken("token is malformed")},
		{"token-in-query-of-a-header-source", "", "", "", "/?authorization=" + token, "Bearer"},
		{"two-tokens", "", "Authorization", "Bearer " + token + " " + token, "/", invalidToken("token contains an invalid number of segments")},
		{"comma-list", "", "Authorization", "Bearer " + token + ", Bearer " + token, "/", invalidToken("token contains an invalid number of segments")},
		{"bearer-alone", "", "Authorization", "Bearer", "/", invalidToken("token contains an invalid number of segments")},
		{"basic", "", "Authorization", "Basic dTpw", "/", invalidToken("token contains an invalid number of segments")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{IdentitySource: tt.source}))
			r := httptest.NewRequest("GET", tt.target, nil)
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			if tt.want == "" {
				admitted(t, mw, r)
			} else {
				refused(t, mw, r, 401, tt.want)
			}
		})
	}
	two := bearer(token)
	two.Header.Add("Authorization", "Bearer "+token)
	refused(t, auth.Require(newJWT(t, iss(), auth.JWTConfig{})), two, 401, invalidToken("token is malformed"))
}

func TestConfigErrors(t *testing.T) {
	_, err := auth.NewJWT(t.Context(), auth.JWTConfig{})
	require.ErrorContains(t, err, `auth: JWTConfig.Issuer: want an https URL, got ""`)
	require.ErrorContains(t, err, "auth: JWTConfig.Audience: want at least one, got none")
	_, err = auth.NewJWT(t.Context(), auth.JWTConfig{
		Issuer: "http://idp.example", Audience: []string{"a", ""}, IdentitySource: "$request.path.x", JWKSURL: "ftp://x", JWKS: []byte("{}"),
		Algorithms: []string{"RS256", "HS256", "none"}, RequireType: " at+jwt", Leeway: 61 * time.Second, FetchTimeout: time.Minute, RefreshInterval: time.Second, RefetchInterval: time.Millisecond,
	})
	for _, want := range []string{
		`JWTConfig.Issuer: want an https URL, got "http://idp.example"`, `JWTConfig.Audience[1]: want an audience, got ""`,
		"JWTConfig.IdentitySource: want $request.header.NAME, $request.querystring.NAME or method.request.header.NAME", `JWTConfig.JWKSURL: want an https URL, got "ftp://x"`,
		"JWTConfig.JWKS: want it or JWKSURL, got both", `JWTConfig.Algorithms[1]: want RS256`, `got "HS256"`, `JWTConfig.Algorithms[2]: want RS256`,
		"JWTConfig.RequireType: want a type", "JWTConfig.Leeway: want 0s to 1m0s, got 1m1s", "JWTConfig.FetchTimeout: want", "JWTConfig.RefreshInterval: want", "JWTConfig.RefetchInterval: want",
	} {
		require.ErrorContains(t, err, want)
	}
	for _, issuer := range []string{"idp.example", "https://", "https:///x", "https://u:p@idp.example", "https://idp.example#x", "https://idp.example?x", "file:///etc/passwd", "http://169.254.169.254", "https://169.254.169.254/", "https://[fe80::1]", "http://10.0.0.1"} {
		_, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: issuer, Audience: []string{"a"}, JWKS: iss().JWKS()})
		require.ErrorContains(t, err, "JWTConfig.Issuer: want", issuer)
	}
	for _, source := range []string{"Authorization", "$request.header.", "$request.header.a b", "$request.header.a,$request.header.b", "$request.querystring.", "route.request.header.Authorization", "$context.x"} {
		_, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: iss().URL(), Audience: []string{"a"}, JWKS: iss().JWKS(), IdentitySource: source})
		require.ErrorContains(t, err, "JWTConfig.IdentitySource: want", source)
	}
}

type authorizerFunc func(*http.Request) (*gatekit.Authorization, error)

func (f authorizerFunc) Authorize(r *http.Request) (*gatekit.Authorization, error) { return f(r) }

func TestRequire(t *testing.T) {
	fails := func(a *gatekit.Authorization, err error) gatekit.Middleware {
		return auth.Require(authorizerFunc(func(*http.Request) (*gatekit.Authorization, error) { return a, err }), "s")
	}
	some := gatekit.NewAuthorization(gatekit.AuthorizationFields{Scopes: []string{"other"}})
	refused(t, fails(nil, nil), bearer("x"), 500, "")
	refused(t, fails(nil, errors.New("secret")), bearer("x"), 500, "")
	refused(t, fails(some, errors.New("an Authorization beside an error")), bearer("x"), 500, "")
	refused(t, fails(some, nil), bearer("x"), 403, "")
	refused(t, fails(nil, &gatekit.Rejection{Type: gatekit.Unauthorized}), bearer("x"), 401, "")
	scoped := gatekit.NewAuthorization(gatekit.AuthorizationFields{Scopes: []string{"s"}})
	admitted(t, fails(scoped, nil), bearer("x"))

	require.PanicsWithValue(t, "auth: Require: want an Authorizer, got nil", func() { auth.Require(nil) })
	require.PanicsWithValue(t, "auth: Require: want an Authorizer, got nil", func() { auth.Require((*auth.JWT)(nil)) })
	for _, scope := range []string{"", "a b", `a"b`, "a\\b", "é", "a\n"} {
		require.Panics(t, func() { auth.Require(newJWT(t, iss(), auth.JWTConfig{}), scope) }, scope)
	}
}

func TestStation(t *testing.T) {
	h := newJWT(t, iss(), auth.JWTConfig{}).Middleware(http.NotFoundHandler())
	kind, next := h.(gatekit.Station).Station()
	require.Equal(t, "auth", kind)
	require.NotNil(t, next)
}
