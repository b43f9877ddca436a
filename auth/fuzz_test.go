package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/policy"
)

// FuzzToken: no text but the issuer's own tokens is admitted.
func FuzzToken(f *testing.F) {
	j := newJWT(f, iss(), auth.JWTConfig{})
	token := iss().Mint(good(nil))
	for _, seed := range []string{token, token + "=", token[1:], "..", "a.b.c", rs256Header(iss()), encode(rs256Header(iss())) + "." + encode(`{"aud":[]}`) + ".AAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := j.Authorize(bearer(text))
		if (err == nil) != (strings.TrimLeft(text, " ") == token) || (a == nil) != (err != nil) {
			t.Errorf("Authorize(%q) = %v, %v", text, a, err)
		}
	})
}

// FuzzClaims: claims that the issuer has signed are taken apart without a panic, and admitted only with the issuer's name in them.
func FuzzClaims(f *testing.F) {
	j := newJWT(f, iss(), auth.JWTConfig{TokenCache: -1})
	for _, seed := range []string{claimsJSON(iss(), ""), claimsJSON(iss(), `,"scope":"a b","scp":["x"],"nbf":1.5,"iat":0`), `{"iss":"","exp":1e5}`, `{"aud":null}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, claims string) {
		a, err := j.Authorize(bearer(forge(t, iss(), rs256Header(iss()), claims)))
		if err == nil {
			if issuer, _ := a.ClaimString("iss"); issuer != iss().URL() {
				t.Errorf("admitted %q", claims)
			}
		}
	})
}

// FuzzIdentitySource: what is taken names a header or a query parameter.
func FuzzIdentitySource(f *testing.F) {
	for _, seed := range []string{"", "$request.header.Authorization", "$request.querystring.a b", "$request.header.", "$request.header.a:b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if auth.IdentitySourceError(text) == nil && text != "" && !strings.HasPrefix(text, "$request.header.") && !strings.HasPrefix(text, "$request.querystring.") {
			t.Errorf("took %q", text)
		}
	})
}

// FuzzCacheSource: what is taken as an identity source of a Lambda authorizer has one of its forms, and reading it from a request doesn't panic.
func FuzzCacheSource(f *testing.F) {
	for _, seed := range []string{"method.request.header.X-A", "route.request.querystring.a", "context.identity.sourceIp", "$stageVariables.x", "$context.requestId", "stageVariables."} {
		f.Add(seed, "a=1&a=2")
	}
	f.Fuzz(func(t *testing.T, text, query string) {
		c, err := auth.NewCustom(func(*http.Request) (*policy.Verdict, error) { return &policy.Verdict{Allow: true}, nil }, auth.CacheConfig{IdentitySource: []string{text}})
		if err != nil {
			return
		}
		if _, name, _ := strings.Cut(text, "."); name == "" {
			t.Errorf("took %q", text)
		}
		r := bearer("t")
		r.URL.RawQuery = query
		_, err = c.Authorize(r)
		if err != nil && !errors.Is(err, auth.ErrNoCredentials) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// FuzzJWKS: an error means no keys, and no error some.
func FuzzJWKS(f *testing.F) {
	f.Add(iss().JWKS())
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"k","n":"AQ","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"AQ","y":"AQ"},{"kty":"OKP","crv":"Ed25519","x":"AQ"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		kids, err := auth.ParseJWKS(data)
		if (err == nil) != (len(kids) > 0) {
			t.Errorf("ParseJWKS(%q) = %q, %v", data, kids, err)
		}
	})
}
