package auth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

const (
	segments     = "token contains an invalid number of segments"
	malformed    = "token is malformed"
	badSignature = "token signature is invalid"
	unverifiable = "token is unverifiable"
)

func TestShapeOfTheToken(t *testing.T) {
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{}))
	token := iss().Mint(good(nil))
	parts := strings.Split(token, ".")
	header, claims, signature := parts[0], parts[1], parts[2]
	flipped := []byte(signature)
	flipped[10] = map[bool]byte{true: 'B', false: 'A'}[flipped[10] == 'A']
	for _, tt := range []struct{ name, token, want string }{
		{"no-dot", header, segments}, {"one-dot", header + "." + claims, segments}, {"three-dots", token + ".", segments}, {"jwe", token + ".a.b", segments},
		{"json-serialization", `{"payload":"` + claims + `","signatures":[]}`, segments},
		{"two-dots-only", "..", malformed}, {"empty-header", "." + claims + "." + signature, malformed}, {"empty-claims", header + ".." + signature, malformed},
		{"empty-signature", header + "." + claims + ".", badSignature}, {"short-signature", header + "." + claims + "." + signature[:40], badSignature},
		{"altered-signature", header + "." + claims + "." + string(flipped), badSignature},
		{"trailing-blank", token + " ", malformed}, {"tab", token[:5] + "\t" + token[5:], malformed}, {"nul", token + "\x00", malformed},
		{"newline-in-header", header[:4] + "\n" + header[4:] + "." + claims + "." + signature, malformed}, {"cr-in-signature", token[:len(token)-3] + "\r" + token[len(token)-3:], malformed},
		{"padding", header + "." + claims + "." + signature + "==", malformed}, {"padded-header", header + "=." + claims + "." + signature, malformed},
		{"other-alphabet", header + "." + claims + "." + strings.NewReplacer("-", "+", "_", "/").Replace(signature) + "+", malformed},
		{"stray-bits", header + "." + claims + "." + strayBits(signature), malformed},
		{"not-utf8", "\xff\xfe." + claims + "." + signature, malformed},
		{"16-kib", header + "." + strings.Repeat("a", 16<<10) + "." + signature, malformed}, {"1-mib", strings.Repeat("a", 1<<20), malformed},
		{"a-million-dots", strings.Repeat(".", 10_000), segments},
	} {
		t.Run(tt.name, func(t *testing.T) { refused(t, mw, bearer(tt.token), 401, invalidToken(tt.want)) })
	}
	admitted(t, mw, bearer(token))
}

// strayBits changes bits of the last character that decode to nothing: another text of one signature.
func strayBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[i^1])
}

// Every one of these is signed by the issuer's own key: what is refused is its form.
func TestHeaders(t *testing.T) {
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{}))
	_, kid := iss().Key("RS256")
	claims := claimsJSON(iss(), "")
	for _, tt := range []struct{ name, header, want string }{
		{"none", `{"alg":"none","kid":"` + kid + `"}`, badSignature}, {"None", `{"alg":"None","kid":"` + kid + `"}`, badSignature}, {"nOnE", `{"alg":"nOnE","kid":"` + kid + `"}`, badSignature},
		{"empty-alg", `{"alg":"","kid":"` + kid + `"}`, badSignature}, {"no-alg", `{"kid":"` + kid + `"}`, badSignature}, {"alg-number", `{"alg":256,"kid":"` + kid + `"}`, malformed},
		{"alg-in-lower-case", `{"alg":"rs256","kid":"` + kid + `"}`, badSignature}, {"other-rsa-alg", `{"alg":"RS512","kid":"` + kid + `"}`, badSignature}, {"ps-for-rs", `{"alg":"PS256","kid":"` + kid + `"}`, badSignature},
		{"es-with-rsa-key", `{"alg":"ES256","kid":"` + kid + `"}`, badSignature}, {"rs-with-ec-key", `{"alg":"RS256","kid":"ES256-1"}`, badSignature}, {"rs-with-ed-key", `{"alg":"RS256","kid":"EdDSA-1"}`, badSignature},
		{"no-kid", `{"alg":"RS256"}`, unverifiable}, {"empty-kid", `{"alg":"RS256","kid":""}`, malformed}, {"kid-number", `{"alg":"RS256","kid":1}`, malformed}, {"kid-null", `{"alg":"RS256","kid":null}`, malformed},
		{"kid-path", `{"alg":"RS256","kid":"../../etc/passwd"}`, unverifiable}, {"kid-sql", `{"alg":"RS256","kid":"' OR 1=1 --"}`, unverifiable}, {"kid-url", `{"alg":"RS256","kid":"http://evil/"}`, unverifiable},
		{"kid-huge", `{"alg":"RS256","kid":"` + strings.Repeat("k", 257) + `"}`, malformed}, {"kid-unknown", `{"alg":"RS256","kid":"other"}`, unverifiable},
		{"crit", `{"alg":"RS256","kid":"` + kid + `","crit":["exp"],"exp":1}`, malformed}, {"crit-empty", `{"alg":"RS256","kid":"` + kid + `","crit":[]}`, malformed}, {"crit-string", `{"alg":"RS256","kid":"` + kid + `","crit":"b64"}`, malformed},
		{"b64", `{"alg":"RS256","kid":"` + kid + `","b64":false}`, malformed}, {"b64-true", `{"alg":"RS256","kid":"` + kid + `","b64":true}`, malformed},
		{"nested", `{"alg":"RS256","kid":"` + kid + `","cty":"JWT"}`, malformed}, {"nested-lower", `{"alg":"RS256","kid":"` + kid + `","cty":"application/jwt"}`, malformed},
		{"alg-twice", `{"alg":"RS256","alg":"RS256","kid":"` + kid + `"}`, malformed}, {"alg-twice-by-case", `{"alg":"RS256","ALG":"none","kid":"` + kid + `"}`, malformed}, {"kid-twice-by-escape", `{"alg":"RS256","kid":"` + kid + `","\u006bid":"x"}`, malformed},
		{"second-object", `{"alg":"RS256","kid":"` + kid + `"}{}`, malformed}, {"array", `["RS256"]`, malformed}, {"bom", "\ufeff" + rs256Header(iss()), malformed}, {"not-utf8", `{"alg":"RS256","kid":"` + kid + "\xff" + `"}`, malformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused(t, mw, bearer(forge(t, iss(), tt.header, claims)), 401, invalidToken(tt.want))
		})
	}
	// Keys and URLs in the header are passed over: the token is verified with the issuer's key, and with no other.
	admitted(t, mw, bearer(forge(t, iss(), `{"alg":"RS256","kid":"`+kid+`","jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/","jwk":{},"x5c":[]}`, claims)))
}

func TestEmbeddedKeyIsNotTrusted(t *testing.T) {
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{}))
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, kid := iss().Key("RS256")
	n := base64.RawURLEncoding.EncodeToString(own.N.Bytes())
	signed := encode(`{"alg":"RS256","kid":"`+kid+`","jwk":{"kty":"RSA","e":"AQAB","n":"`+n+`"}}`) + "." + encode(claimsJSON(iss(), ""))
	sum := crypto.SHA256.New()
	sum.Write([]byte(signed))
	signature, err := own.Sign(rand.Reader, sum.Sum(nil), crypto.SHA256)
	require.NoError(t, err)
	refused(t, mw, bearer(signed+"."+base64.RawURLEncoding.EncodeToString(signature)), 401, invalidToken(badSignature))
}

// HS256 with the public key, in any form that it is known in, as the secret.
func TestPublicKeyAsSecret(t *testing.T) {
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{}))
	key, kid := iss().Key("RS256")
	public := key.Public().(*rsa.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	n := public.N.Bytes()
	for _, secret := range [][]byte{
		der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), x509.MarshalPKCS1PublicKey(public), n, []byte(base64.RawURLEncoding.EncodeToString(n)), {}, []byte("secret"),
	} {
		refused(t, mw, bearer(hmacToken(t, secret, kid, iss().URL())), 401, invalidToken(badSignature))
	}
}

func TestClaims(t *testing.T) {
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{}))
	url := iss().URL()
	const inAnHour = `"exp":9999999999`
	for _, tt := range []struct{ name, claims, want string }{
		{"array", `[]`, malformed}, {"string", `"x"`, malformed}, {"number", `1`, malformed}, {"null", `null`, malformed}, {"empty-text", ``, malformed}, {"cut-off", `{"iss":"` + url, malformed},
		{"deep", claimsJSON(iss(), `,"x":`+strings.Repeat("[", 30)+strings.Repeat("]", 30)), malformed},
		{"very-deep", claimsJSON(iss(), `,"x":`+strings.Repeat("[", 5000)), malformed},
		{"trailing", claimsJSON(iss(), "") + "x", malformed}, {"bom", "\ufeff" + claimsJSON(iss(), ""), malformed}, {"not-utf8", claimsJSON(iss(), ",\"x\":\"\xff\""), malformed},
		{"lone-surrogate", claimsJSON(iss(), `,"x":"\ud800"`), malformed},
		{"iss-twice-good-first", `{"iss":"` + url + `","iss":"bad","aud":"orders",` + inAnHour + `}`, malformed}, {"iss-twice-good-last", `{"iss":"bad","iss":"` + url + `","aud":"orders",` + inAnHour + `}`, malformed},
		{"iss-by-case", `{"iss":"bad","ISS":"` + url + `","aud":"orders",` + inAnHour + `}`, malformed}, {"exp-by-case", `{"iss":"` + url + `","aud":"orders","exp":1,"EXP":9999999999}`, malformed},
		{"iss-by-escape", `{"iss":"bad","\u0069ss":"` + url + `","aud":"orders",` + inAnHour + `}`, malformed},
		{"iss-missing", `{"aud":"orders",` + inAnHour + `}`, "issuer does not match"}, {"iss-slash", `{"iss":"` + url + `/","aud":"orders",` + inAnHour + `}`, "issuer does not match"},
		{"iss-number", `{"iss":1,"aud":"orders",` + inAnHour + `}`, malformed}, {"iss-array", `{"iss":["` + url + `"],"aud":"orders",` + inAnHour + `}`, malformed},
		{"exp-missing", `{"iss":"` + url + `","aud":"orders"}`, "token is missing required claim"},
		{"exp-string", `{"iss":"` + url + `","aud":"orders","exp":"9999999999"}`, malformed}, {"exp-string-1e99", `{"iss":"` + url + `","aud":"orders","exp":"1e99"}`, malformed},
		{"exp-1e400", `{"iss":"` + url + `","aud":"orders","exp":1e400}`, malformed}, {"exp-2^63", `{"iss":"` + url + `","aud":"orders","exp":9223372036854775808}`, malformed}, {"exp-2^53+2", `{"iss":"` + url + `","aud":"orders","exp":9007199254740994}`, malformed},
		{"exp-negative", `{"iss":"` + url + `","aud":"orders","exp":-1}`, "token is expired"}, {"exp-0", `{"iss":"` + url + `","aud":"orders","exp":0}`, "token is expired"},
		{"exp-null", `{"iss":"` + url + `","aud":"orders","exp":null}`, malformed}, {"exp-true", `{"iss":"` + url + `","aud":"orders","exp":true}`, malformed}, {"exp-object", `{"iss":"` + url + `","aud":"orders","exp":{}}`, malformed},
		{"nbf-string", claimsJSON(iss(), `,"nbf":"1"`), malformed}, {"iat-1e400", claimsJSON(iss(), `,"iat":1e400`), malformed}, {"iat-array", claimsJSON(iss(), `,"iat":[1]`), malformed},
		{"sub-fraction", claimsJSON(iss(), `,"sub":1.5`), malformed}, {"sub-exponent", claimsJSON(iss(), `,"sub":1e3`), malformed}, {"sub-list", claimsJSON(iss(), `,"sub":["a"]`), malformed},
		{"sub-object", claimsJSON(iss(), `,"sub":{}`), malformed}, {"sub-true", claimsJSON(iss(), `,"sub":true`), malformed}, {"sub-twice-by-case", claimsJSON(iss(), `,"sub":"a","SUB":"b"`), malformed},
		{"scope-twice-by-case", claimsJSON(iss(), `,"Scope":"a","scope":"b"`), malformed}, {"sub-twice-by-long-s", claimsJSON(iss(), `,"ſub":"a","sub":"b"`), malformed},
		{"private-claim-twice", claimsJSON(iss(), `,"role":"a","role":"b"`), malformed}, {"private-claim-twice-by-escape", claimsJSON(iss(), `,"role":"a","r\u006fle":"b"`), malformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused(t, mw, bearer(forge(t, iss(), rs256Header(iss()), tt.claims)), 401, invalidToken(tt.want))
		})
	}
	admitted(t, mw, bearer(forge(t, iss(), rs256Header(iss()), claimsJSON(iss(), `,"nbf":-5,"iat":1.5`))))
}

// Two issuers with one kid: neither can sign for the other.
func TestIssuerMixUp(t *testing.T) {
	other := authtest.NewIssuer(t)
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{}))
	_, kid := iss().Key("RS256")
	_, otherKid := other.Key("RS256")
	require.Equal(t, kid, otherKid)
	refused(t, mw, bearer(other.Mint(good(authtest.Claims{"iss": iss().URL()}))), 401, invalidToken(badSignature))
	refused(t, mw, bearer(iss().Mint(good(authtest.Claims{"iss": other.URL()}))), 401, invalidToken("issuer does not match"))
}

// A token from the cache is refused once it has expired, though the cache has it; an altered one isn't found there.
func TestCachedTokens(t *testing.T) {
	jwks := iss().JWKS()
	synctest.Test(t, func(t *testing.T) {
		mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{JWKS: jwks}))
		now := time.Now().Unix()
		token := iss().Mint(good(authtest.Claims{"exp": now + 60}))
		admitted(t, mw, bearer(token))
		admitted(t, mw, bearer(token))
		altered := token[:len(token)-20] + "AAAAAAAAAAAAAAAAAAAA"
		refused(t, mw, bearer(altered), 401, invalidToken(badSignature))
		time.Sleep(59 * time.Second)
		admitted(t, mw, bearer(token))
		time.Sleep(time.Second)
		for range 2 {
			refused(t, mw, bearer(token), 401, invalidToken("token is expired"))
		}
	})
}

// Claims are data: a value with quotes or line breaks reaches the handler as it is, and no header.
func TestHostileClaimValues(t *testing.T) {
	mw := auth.Require(newJWT(t, iss(), auth.JWTConfig{}))
	value := "a\"b\r\nX-Evil: 1\x00[a b]"
	a := admitted(t, mw, bearer(iss().Mint(good(authtest.Claims{"sub": value, "list": []string{value}}))))
	require.Equal(t, value, a.Principal())
	text, ok := a.ClaimString("list")
	require.True(t, ok)
	require.Equal(t, "["+value+"]", text)
	refused(t, mw, bearer(iss().Mint(good(authtest.Claims{"aud": value}))), 401, invalidToken("the token does not have a valid audience"))
}

// No log line and no error text holds a part of a token, a claim or a kid.
func TestNothingLeaks(t *testing.T) {
	var out logged
	i := authtest.NewIssuer(t)
	j := newJWT(t, i, auth.JWTConfig{JWKSURL: i.URL() + "/jwks.json", Logger: out.logger()})
	i.Down()
	for _, token := range []string{
		"c2VjcmV0.c2VjcmV0.c2VjcmV0", i.Mint(good(authtest.Claims{"aud": "secret-audience"})), forge(t, i, `{"alg":"RS256","kid":"secret-kid"}`, claimsJSON(i, "")), i.Mint(good(authtest.Claims{"iss": "https://secret-issuer"})),
	} {
		_, err := j.Authorize(bearer(token))
		require.Error(t, err)
		for _, text := range []string{err.Error(), out.String()} {
			require.NotContains(t, text, "secret")
			require.NotContains(t, text, "c2VjcmV0")
			require.NotContains(t, text, strings.Split(token, ".")[1])
		}
	}
}

// A handler that outlives its request, with TimeoutHandler between the authorizer and it.
func TestTimeoutHandler(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	h := gatekit.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		<-release
		_ = gatekit.From(r.Context()).Authorization.Claims()
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.IntegrationTimeout})
	}), newJWT(t, iss(), auth.JWTConfig{}).Middleware, func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Millisecond, "") })
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc, r := gatekit.Attach(r)
		h.ServeHTTP(w, r)
		_, _, _ = rc.Rejection(), rc.Authorization.Principal(), rc.RequestID()
	})
	w := httptest.NewRecorder()
	outer.ServeHTTP(w, bearer(iss().Mint(good(nil))))
	require.Equal(t, 503, w.Code)
	close(release)
	<-done
}

// A request that no server has parsed.
func TestOddRequests(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	_, err := j.Authorize(&http.Request{})
	require.ErrorIs(t, err, auth.ErrNoCredentials)
	for _, value := range []string{" ", "Bearer  ", "bearer\t", strings.Repeat(" ", 1<<20), strings.Repeat("Bearer ", 1000), "\x00", fmt.Sprint(make([]byte, 1000))} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"] = []string{value}
		_, err := j.Authorize(r)
		require.Error(t, err)
	}
}
