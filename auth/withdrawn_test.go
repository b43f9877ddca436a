package auth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

// keyServer is the key set of an issuer that a test changes.
type keyServer struct {
	mu      sync.Mutex
	status  int
	jwks    string
	fetches int
}

func (s *keyServer) answer(status int, jwks string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.jwks = status, jwks
}

func (s *keyServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches
}

func (s *keyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	return inMemory{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fetches++
		w.WriteHeader(s.status)
		fmt.Fprint(w, s.jwks)
	})}.RoundTrip(r)
}

func (s *keyServer) authorizer(t *testing.T, i *authtest.Issuer, cfg auth.JWTConfig) *auth.JWT {
	t.Helper()
	s.answer(200, string(i.JWKS()))
	cfg.JWKSURL, cfg.HTTPClient = i.URL()+"/keys", &http.Client{Transport: s}
	return newJWT(t, i, cfg)
}

// The issuer's answer counts: keys that it has withdrawn admit nobody after a refresh, whatever else it answers in their place; tokens
// that are cached are no exception. Only what is no answer keeps them, for MaxStale at most.
func TestWithdrawnKeys(t *testing.T) {
	i := iss()
	var served struct{ Keys []map[string]any }
	require.NoError(t, json.Unmarshal(i.JWKS(), &served))
	forUse := func(use string) string {
		var keys []map[string]any
		for _, k := range served.Keys {
			changed := map[string]any{}
			for name, value := range k {
				changed[name] = value
			}
			changed["use"] = use
			keys = append(keys, changed)
		}
		return string(set(t, keys...))
	}
	const hour = time.Hour
	for name, tt := range map[string]struct {
		status int
		jwks   string
		keeps  bool
	}{
		"empty":             {200, `{"keys":[]}`, false},
		"empty-with-bom":    {200, "\ufeff" + `{"keys":[]}`, false},
		"for-encryption":    {200, forUse("enc"), false},
		"unknown-kinds":     {200, `{"keys":[{"kty":"XYZ","kid":"k"},{"kty":"AKP","kid":"l"}]}`, false},
		"no-keys-at-all":    {200, `{"keys":[1,null,"x",[],{}]}`, false},
		"secret":            {200, `{"keys":[{"kty":"oct","kid":"k","k":"AAAA"}]}`, false},
		"weak":              {200, `{"keys":[{"kty":"RSA","kid":"k","n":"AQ","e":"AQAB"}]}`, false},
		"other-keys":        {200, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`, false},
		"ambiguous":         {200, strings.Replace(string(i.JWKS()), `{"keys":[`, `{"keys":[{"kty":"RSA","kid":"RSA-1"},`, 1), false},
		"as-large-as-it-is": {200, `{"keys":[]` + strings.Repeat(" ", 150_000-11) + `}`, false},
		"too-large":         {200, `{"keys":[]` + strings.Repeat(" ", 150_000-10) + `}`, true},
		"down":              {503, `{"keys":[]}`, true},
		"not-found":         {404, ``, true},
		"html":              {200, `<html>`, true},
		"another-document":  {200, `{"error":"x"}`, true},
		"null":              {200, `{"keys":null}`, true},
		"cut-off":           {200, `{"keys":[`, true},
		"twice":             {200, `{"keys":[],"Keys":[]}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			var out logged
			synctest.Test(t, func(t *testing.T) {
				var s keyServer
				j := s.authorizer(t, i, auth.JWTConfig{RefreshInterval: hour, MaxStale: 2 * hour, Logger: out.logger()})
				mint := func() string { return i.Mint(good(authtest.Claims{"exp": time.Now().Add(100 * hour).Unix()})) }
				cached := mint()
				admitted(t, j.Middleware, bearer(cached))
				s.answer(tt.status, tt.jwks)
				time.Sleep(hour)
				if !tt.keeps {
					refused(t, j.Middleware, bearer(cached), 401, invalidToken(unverifiable))
					refused(t, j.Middleware, bearer(mint()), 401, invalidToken(unverifiable))
				} else {
					admitted(t, j.Middleware, bearer(cached))
					admitted(t, j.Middleware, bearer(mint()))
					time.Sleep(2*hour + time.Second)
					refused(t, j.Middleware, bearer(cached), 500, "")
					refused(t, j.Middleware, bearer(mint()), 500, "")
				}
				s.answer(200, string(i.JWKS()))
				time.Sleep(hour)
				admitted(t, j.Middleware, bearer(cached), "they are back")
				require.NoError(t, j.Close())
			})
			if name != "other-keys" && name != "ambiguous" {
				require.Contains(t, out.String(), "the key set could not be refreshed")
			}
		})
	}
}

// The default of MaxStale is what its doc says.
func TestDefaultMaxStale(t *testing.T) {
	i := iss()
	synctest.Test(t, func(t *testing.T) {
		var s keyServer
		j := s.authorizer(t, i, auth.JWTConfig{Logger: new(logged).logger()})
		token := i.Mint(good(authtest.Claims{"exp": time.Now().Add(100 * time.Hour).Unix()}))
		s.answer(503, "")
		time.Sleep(25*time.Hour - time.Second)
		admitted(t, j.Middleware, bearer(token))
		time.Sleep(time.Second)
		refused(t, j.Middleware, bearer(token), 500, "")
		require.NoError(t, j.Close())
	})
}

// An issuer that has no usable key when the program starts is an error, unless the program says that it may start so.
func TestStartWithAnEmptySet(t *testing.T) {
	i := iss()
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{status: 200, jwks: `{"keys":[]}`}
		cfg := auth.JWTConfig{Issuer: i.URL(), Audience: []string{audience}, JWKSURL: i.URL() + "/keys", HTTPClient: &http.Client{Transport: s}, Logger: new(logged).logger()}
		_, err := auth.NewJWT(t.Context(), cfg)
		require.ErrorContains(t, err, "no key that can verify a signature")
		cfg.StartWithoutKeys = true
		j, err := auth.NewJWT(t.Context(), cfg)
		require.NoError(t, err)
		refused(t, j.Middleware, bearer(i.Mint(good(nil))), 401, invalidToken(unverifiable))
		s.answer(200, string(i.JWKS()))
		time.Sleep(10 * time.Second)
		admitted(t, j.Middleware, bearer(i.Mint(good(nil))))
		require.NoError(t, j.Close())
	})
}

// A new key is good within one RefetchInterval of its publication, whatever strangers send: its kid before it is published, made-up
// kids, bad signatures by a known key, all the time.
func TestNewKeyWithinRefetchInterval(t *testing.T) {
	next := authtest.NewIssuer(t)
	require.NoError(t, next.Rotate()) // its kids differ from the first issuer's
	_, kid := next.Key("RS256")
	unsigned := func(i *authtest.Issuer, header string) string {
		return encode(header) + "." + encode(claimsJSON(i, "")) + ".AAAA"
	}
	for name, bad := range map[string]func(i *authtest.Issuer, n int) string{
		"its-kid": func(i *authtest.Issuer, _ int) string { return unsigned(i, `{"alg":"RS256","kid":"`+kid+`"}`) },
		"made-up-kids": func(i *authtest.Issuer, n int) string {
			return unsigned(i, fmt.Sprintf(`{"alg":"RS256","kid":"%d"}`, n))
		},
		"bad-signatures": func(i *authtest.Issuer, _ int) string { return unsigned(i, rs256Header(i)) },
	} {
		for _, interval := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
			for _, published := range []time.Duration{0, time.Millisecond, interval / 2, interval - 1, interval} {
				t.Run(fmt.Sprintf("%s-%v-%v", name, interval, published), func(t *testing.T) {
					i := iss()
					synctest.Test(t, func(t *testing.T) {
						var s keyServer
						j := s.authorizer(t, i, auth.JWTConfig{RefetchInterval: interval, RefreshInterval: 24 * time.Hour})
						stop := make(chan struct{})
						defer close(stop)
						go func() {
							for n := 0; ; n++ {
								select {
								case <-time.After(interval / 30):
									_, _ = j.Authorize(bearer(bad(i, n)))
								case <-stop:
									return
								}
							}
						}()
						_, _ = j.Authorize(bearer(bad(i, -1)))
						time.Sleep(published)
						s.answer(200, string(next.JWKS()))
						before := s.count()
						time.Sleep(interval)
						admitted(t, j.Middleware, bearer(next.Mint(good(authtest.Claims{"iss": i.URL()}))))
						require.LessOrEqual(t, s.count()-before, 2, "strangers cost the issuer no more than the interval allows")
						require.NoError(t, j.Close())
					})
				})
			}
		}
	}
}

// After an outage the next one is met as the first was: tried again after a second, and not after the half minute that the last had
// come to.
func TestRetriesBeginAnew(t *testing.T) {
	i := iss()
	synctest.Test(t, func(t *testing.T) {
		var s keyServer
		j := s.authorizer(t, i, auth.JWTConfig{RefreshInterval: time.Hour, MaxStale: 24 * time.Hour, Logger: new(logged).logger()})
		s.answer(503, "")
		time.Sleep(2 * time.Hour)
		s.answer(200, string(i.JWKS()))
		time.Sleep(time.Minute)
		before := s.count()
		s.answer(503, "")
		for s.count() == before {
			time.Sleep(time.Second / 10)
		}
		time.Sleep(5 * time.Second) // in which the second and the third attempt are due
		require.GreaterOrEqual(t, s.count()-before, 3)
		require.NoError(t, j.Close())
	})
}

// A key set is public: the client's cookies stay at home.
func TestFetchWithoutCookies(t *testing.T) {
	i := iss()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	at, err := url.Parse(i.URL())
	require.NoError(t, err)
	jar.SetCookies(at, []*http.Cookie{{Name: "session", Value: "secret"}})
	client := &http.Client{Jar: jar, Transport: inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" {
			http.Error(w, "cookies", http.StatusTeapot)
			return
		}
		_, _ = w.Write(i.JWKS())
	})}}
	newJWT(t, i, auth.JWTConfig{JWKSURL: i.URL() + "/keys", HTTPClient: client})
	require.NotNil(t, client.Jar, "the program's client is as it was")
}

// A PSS signature has a salt of the hash's length (RFC 7518, section 3.5), and no other.
func TestPSSSaltLength(t *testing.T) {
	i := iss()
	j := newJWT(t, i, auth.JWTConfig{})
	key, kid := i.Key("PS256")
	for algorithm, hash := range map[string]crypto.Hash{"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512} {
		for _, salt := range []int{0, 1, hash.Size() - 1, hash.Size(), hash.Size() + 1, 32, 48, 64, rsa.PSSSaltLengthAuto} {
			signed := encode(`{"alg":"`+algorithm+`","kid":"`+kid+`"}`) + "." + encode(claimsJSON(i, ""))
			sum := hash.New()
			sum.Write([]byte(signed))
			signature, err := rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), hash, sum.Sum(nil), &rsa.PSSOptions{SaltLength: salt})
			require.NoError(t, err)
			token := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
			if salt == hash.Size() {
				admitted(t, j.Middleware, bearer(token), algorithm, salt)
			} else {
				refused(t, j.Middleware, bearer(token), 401, invalidToken(badSignature), algorithm, salt)
			}
		}
	}
}
