package bench

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/MicahParks/jwkset"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/internal/bench/stacks"
)

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func gatekitJWT(tb testing.TB, jwks []byte, cache int) *auth.JWT {
	return must[*auth.JWT](tb)(auth.NewJWT(context.Background(), auth.JWTConfig{Issuer: stacks.Issuer, Audience: []string{stacks.Audience}, JWKS: jwks, TokenCache: cache}))
}

// peers are middlewares that check an RS256 token.
func peers(tb testing.TB) map[string]gatekit.Middleware {
	i := issued()
	verifier := oidc.NewVerifier(stacks.Issuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{i.Key.Public()}}, &oidc.Config{ClientID: stacks.Audience})
	set := must[jwk.Set](tb)(jwk.Parse(i.JWKS))
	return map[string]gatekit.Middleware{
		"gatekit":           auth.Require(gatekitJWT(tb, i.JWKS, 0)),
		"gatekit-uncached":  auth.Require(gatekitJWT(tb, i.JWKS, -1)),
		"keyfunc":           must[gatekit.Middleware](tb)(stacks.Keyfunc(i.JWKS)),
		"go-jwt-middleware": must[gatekit.Middleware](tb)(stacks.GoJWTMiddleware(i)),
		"go-oidc": byHand(func(r *http.Request, token string) error {
			_, err := verifier.Verify(r.Context(), token)
			return err
		}),
		"jwx": byHand(func(_ *http.Request, token string) error {
			_, err := jwxjwt.Parse([]byte(token), jwxjwt.WithKeySet(set), jwxjwt.WithIssuer(stacks.Issuer), jwxjwt.WithAudience(stacks.Audience))
			return err
		}),
		"bare-crypto": byHand(func(_ *http.Request, token string) error {
			dot := strings.LastIndexByte(token, '.')
			signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
			if err != nil {
				return err
			}
			sum := sha256.Sum256([]byte(token[:dot]))
			return rsa.VerifyPKCS1v15(&i.Key.PublicKey, crypto.SHA256, sum[:], signature)
		}),
	}
}

func byHand(check func(*http.Request, string) error) gatekit.Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := check(r, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")); err != nil {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// Every peer admits the token and refuses one with another signature, so that none is measured while it fails.
func TestJWTPeers(t *testing.T) {
	token := issued().Token
	for name, mw := range peers(t) {
		if got := newResponse().serve(mw(nothing), request("GET", "/", "Authorization", "Bearer "+token)); got != 200 {
			t.Errorf("%s: a good token: %d", name, got)
		}
		if got := newResponse().serve(mw(nothing), request("GET", "/", "Authorization", "Bearer "+token[:len(token)-8]+"AAAAAAAA")); got != 401 {
			t.Errorf("%s: a bad signature: %d", name, got)
		}
	}
}

func BenchmarkJWTRepeated(b *testing.B) {
	for name, mw := range peers(b) {
		b.Run("by="+name, func(b *testing.B) {
			measure(b, mw(nothing), request("GET", "/", "Authorization", "Bearer "+issued().Token), 200)
		})
	}
	b.Run("by=gatekit/parallel=true", func(b *testing.B) {
		measureParallel(b, peers(b)["gatekit"](nothing), request("GET", "/", "Authorization", "Bearer "+issued().Token))
	})
	b.Run("by=gatekit-decision", func(b *testing.B) { // without attaching a context
		j, r := gatekitJWT(b, issued().JWKS, 0), request("GET", "/", "Authorization", "Bearer "+issued().Token)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := j.Authorize(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by=gatekit-decision/parallel=true", func(b *testing.B) {
		j := gatekitJWT(b, issued().JWKS, 0)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			r := request("GET", "/", "Authorization", "Bearer "+issued().Token)
			for pb.Next() {
				if _, err := j.Authorize(r); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkJWTNew verifies tokens that weren't seen before.
func BenchmarkJWTNew(b *testing.B) {
	ec := must[*ecdsa.PrivateKey](b)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for _, alg := range []struct {
		name   string
		method jwt.SigningMethod
		key    crypto.Signer
	}{{"RS256", jwt.SigningMethodRS256, issued().Key}, {"ES256", jwt.SigningMethodES256, ec}, {"EdDSA", jwt.SigningMethodEdDSA, ed}} {
		public := must[jwkset.JWK](b)(jwkset.NewJWKFromKey(alg.key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "main", USE: jwkset.UseSig}}))
		jwks := must[[]byte](b)(json.Marshal(jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{public.Marshal()}}))
		token := must[string](b)(stacks.Sign(alg.method, alg.key, 0))
		r := request("GET", "/", "Authorization", "Bearer "+token)
		b.Run("alg="+alg.name+"/by=gatekit", func(b *testing.B) { measure(b, auth.Require(gatekitJWT(b, jwks, -1))(nothing), r, 200) })
		b.Run("alg="+alg.name+"/by=keyfunc", func(b *testing.B) { measure(b, must[gatekit.Middleware](b)(stacks.Keyfunc(jwks))(nothing), r, 200) })
		b.Run("alg="+alg.name+"/by=bare-crypto", func(b *testing.B) {
			dot := strings.LastIndexByte(token, '.')
			signature := must[[]byte](b)(base64.RawURLEncoding.DecodeString(token[dot+1:]))
			for b.Loop() {
				sum, ok := sha256.Sum256([]byte(token[:dot])), false
				switch key := alg.key.Public().(type) {
				case *rsa.PublicKey:
					ok = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
				case *ecdsa.PublicKey:
					ok = ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
				case ed25519.PublicKey:
					ok = ed25519.Verify(key, []byte(token[:dot]), signature)
				}
				if !ok {
					b.Fatal("not verified")
				}
			}
		})
	}
}

// BenchmarkJWTMemory keeps live RS256 tokens, each of its own text, and tells the heap's bytes for each. Signing takes a millisecond a
// token, so it signs once for all rounds.
func BenchmarkJWTMemory(b *testing.B) {
	count := 100_000
	if testing.Short() || b.N == 1 && benchtimeIsOnce() {
		count = 2_000
	}
	tokens := make([]string, count)
	var wg sync.WaitGroup
	for g := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := g; n < count; n += runtime.GOMAXPROCS(0) {
				text, err := stacks.Sign(jwt.SigningMethodRS256, issued().Key, n)
				if err != nil {
					panic(err)
				}
				tokens[n] = text
			}
		})
	}
	wg.Wait()
	for b.Loop() {
		j := gatekitJWT(b, issued().JWKS, 2*count)
		before := heap()
		r := request("GET", "/")
		for _, token := range tokens {
			r.Header["Authorization"] = []string{"Bearer " + token}
			if _, err := j.Authorize(r); err != nil {
				b.Fatal(err)
			}
		}
		r.Header.Del("Authorization")
		used := heap() - before
		b.ReportMetric(float64(used)/float64(count), "bytes/token")
		b.ReportMetric(float64(used)/float64(count)/float64(len(tokens[0])), "x-its-length")
		runtime.KeepAlive(j)
		runtime.KeepAlive(tokens)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
