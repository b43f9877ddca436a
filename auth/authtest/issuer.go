// Package authtest gives tests and examples what real callers have: an OpenID Connect issuer on a
// loopback server that mints tokens, rotates its keys, goes down and slows down.
//
//	iss := authtest.NewIssuer(t)
//	jwt, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: iss.URL(), Audience: []string{"my-api"}})
//	r.Header.Set("Authorization", "Bearer "+iss.Mint(authtest.Claims{"aud": "my-api", "scope": "orders:read"}))
//
// The keys are drawn anew for each issuer and never leave the process.
package authtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// Claims are a token's claims.
type Claims map[string]any

// Issuer is an OpenID Connect issuer: discovery at /.well-known/openid-configuration, the key set
// at /jwks.json. Its methods are safe for concurrent use.
type Issuer struct {
	server *httptest.Server

	mu      sync.Mutex
	keys    map[string]crypto.Signer // by algorithm: those that Mint signs with
	public  []jwkset.JWKMarshal      // what the key set shows
	serial  int
	down    bool
	slow    time.Duration
	fetches int
}

// NewIssuer starts an issuer that stops when the test ends. It ends the test if it can't.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	iss, err := StartIssuer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(iss.Close)
	return iss
}

// StartIssuer starts an issuer for a program that isn't a test. Close stops it.
func StartIssuer() (*Issuer, error) {
	iss := &Issuer{}
	if err := iss.Rotate(); err != nil {
		return nil, err
	}
	iss.server = httptest.NewServer(iss.Handler())
	return iss, nil
}

// Close stops the issuer's server.
func (iss *Issuer) Close() { iss.server.Close() }

// URL returns the issuer's URL, which is the iss claim of its tokens.
func (iss *Issuer) URL() string { return iss.server.URL }

// Handler answers as the issuer does, for tests that bring a server or a transport of their own.
func (iss *Issuer) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		iss.answer(w, r, func() any {
			return map[string]any{
				"issuer":                                iss.URL(),
				"jwks_uri":                              iss.URL() + "/jwks.json",
				"response_types_supported":              []string{"code"},
				"subject_types_supported":               []string{"public"},
				"id_token_signing_alg_values_supported": slices.Sorted(maps.Keys(iss.keys)),
			}
		})
	})
	mux.HandleFunc("GET /jwks.json", func(w http.ResponseWriter, r *http.Request) {
		iss.answer(w, r, func() any {
			iss.fetches++
			return jwkset.JWKSMarshal{Keys: iss.public}
		})
	})
	return mux
}

func (iss *Issuer) answer(w http.ResponseWriter, r *http.Request, document func() any) {
	iss.mu.Lock()
	down, slow := iss.down, iss.slow
	text, err := json.Marshal(document())
	iss.mu.Unlock()
	if slow > 0 {
		timer := time.NewTimer(slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	if down || err != nil {
		http.Error(w, "the issuer is down", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

// Mint returns a token signed with RS256. Unless c says otherwise its iss is the issuer, its sub
// "user-1", its iat now and its exp an hour from now; a claim that is nil is left out. It panics if
// the claims can't be written as JSON.
func (iss *Issuer) Mint(c Claims) string { return iss.MintWith("RS256", c) }

// MintWith is Mint with another algorithm: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384,
// ES512 or EdDSA. It panics for any other one.
func (iss *Issuer) MintWith(algorithm string, c Claims) string {
	now := time.Now()
	claims := jwt.MapClaims{"iss": iss.URL(), "sub": "user-1", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	for name, value := range c {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	iss.mu.Lock()
	defer iss.mu.Unlock()
	key, kid, err := iss.signer(algorithm)
	if err != nil {
		panic(err)
	}
	token := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), claims)
	token.Header["kid"] = kid
	text, err := token.SignedString(key)
	if err != nil {
		panic(fmt.Errorf("authtest: MintWith: %w", err))
	}
	return text
}

// Key returns the private key that MintWith signs with for an algorithm, and its kid, for tests
// that build odd tokens by hand.
func (iss *Issuer) Key(algorithm string) (key crypto.Signer, kid string) {
	iss.mu.Lock()
	defer iss.mu.Unlock()
	key, kid, err := iss.signer(algorithm)
	if err != nil {
		panic(err)
	}
	return key, kid
}

// signer is called with the lock held.
func (iss *Issuer) signer(algorithm string) (crypto.Signer, string, error) {
	family := algorithm
	if len(algorithm) == 5 && (algorithm[:2] == "RS" || algorithm[:2] == "PS") {
		family = "RSA"
	}
	key := iss.keys[family]
	if key == nil {
		return nil, "", fmt.Errorf("authtest: want RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA, got %q", algorithm)
	}
	return key, kidOf(family, iss.serial), nil
}

func kidOf(family string, serial int) string { return fmt.Sprintf("%s-%d", family, serial) }

// Rotate replaces all keys: tokens minted before no longer verify once the key set is fetched
// again.
func (iss *Issuer) Rotate() error {
	keys := map[string]crypto.Signer{}
	var err error
	if keys["RSA"], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return fmt.Errorf("authtest: Rotate: %w", err)
	}
	for family, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		if keys[family], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			return fmt.Errorf("authtest: Rotate: %w", err)
		}
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("authtest: Rotate: %w", err)
	}
	keys["EdDSA"] = private

	iss.mu.Lock()
	defer iss.mu.Unlock()
	serial := iss.serial + 1
	var public []jwkset.JWKMarshal
	for family, key := range keys {
		jwk, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{
			KID: kidOf(family, serial), USE: jwkset.UseSig,
		}})
		if err != nil {
			return fmt.Errorf("authtest: Rotate: %w", err)
		}
		public = append(public, jwk.Marshal())
	}
	iss.keys, iss.public, iss.serial = keys, public, serial
	return nil
}

// Down makes the issuer answer every request with a 503, Up ends that.
func (iss *Issuer) Down() { iss.setDown(true) }

// Up ends what Down began.
func (iss *Issuer) Up() { iss.setDown(false) }

func (iss *Issuer) setDown(down bool) {
	iss.mu.Lock()
	defer iss.mu.Unlock()
	iss.down = down
}

// Slow makes the issuer wait for d before each answer. 0 ends that.
func (iss *Issuer) Slow(d time.Duration) {
	iss.mu.Lock()
	defer iss.mu.Unlock()
	iss.slow = d
}

// Fetches returns how often the key set was asked for.
func (iss *Issuer) Fetches() int {
	iss.mu.Lock()
	defer iss.mu.Unlock()
	return iss.fetches
}

// JWKS returns the key set as it is served now, for authorizers with a fixed one.
func (iss *Issuer) JWKS() []byte {
	iss.mu.Lock()
	defer iss.mu.Unlock()
	text, err := json.Marshal(jwkset.JWKSMarshal{Keys: iss.public})
	if err != nil {
		panic(fmt.Errorf("authtest: JWKS: %w", err)) // public keys that Rotate made always encode
	}
	return text
}
