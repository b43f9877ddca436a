package auth_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
)

func discovered(t *testing.T, i *authtest.Issuer, cfg auth.JWTConfig) *auth.JWT {
	t.Helper()
	cfg.Issuer, cfg.Audience = i.URL(), []string{audience}
	j, err := auth.NewJWT(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return j
}

func TestDiscovery(t *testing.T) {
	i := authtest.NewIssuer(t)
	admitted(t, discovered(t, i, auth.JWTConfig{}).Middleware, bearer(i.Mint(good(nil))))
	require.Equal(t, 1, i.Fetches())
	admitted(t, discovered(t, i, auth.JWTConfig{JWKSURL: i.URL() + "/jwks.json"}).Middleware, bearer(i.Mint(good(nil))))
}

// A new key is fetched once, by the first token that names it; one that is gone no longer verifies, and what it verified is forgotten.
func TestRotation(t *testing.T) {
	i := authtest.NewIssuer(t)
	j := discovered(t, i, auth.JWTConfig{})
	before := i.Mint(good(nil))
	admitted(t, j.Middleware, bearer(before))
	require.NoError(t, i.Rotate())
	admitted(t, j.Middleware, bearer(before), "nobody has noticed")
	admitted(t, j.Middleware, bearer(i.Mint(good(nil))), "one fetch")
	require.Equal(t, 2, i.Fetches())
	refused(t, j.Middleware, bearer(before), 401, invalidToken(unverifiable))
	require.Equal(t, 2, i.Fetches())
}

// The issuer replaced a key under its old kid.
func TestRotationUnderOneKid(t *testing.T) {
	first, second := authtest.NewIssuer(t), authtest.NewIssuer(t)
	var current atomic.Pointer[authtest.Issuer]
	current.Store(first)
	fetches := atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetches.Add(1)
		_, _ = w.Write(current.Load().JWKS())
	}))
	defer server.Close()
	j := discovered(t, first, auth.JWTConfig{JWKSURL: server.URL})
	old, renewed := first.Mint(good(nil)), second.Mint(good(authtest.Claims{"iss": first.URL()}))
	admitted(t, j.Middleware, bearer(old))
	current.Store(second)
	admitted(t, j.Middleware, bearer(renewed))
	require.EqualValues(t, 2, fetches.Load())
	refused(t, j.Middleware, bearer(old), 401, invalidToken(badSignature))
}

// A thousand made-up kids at once cost the issuer one fetch, and all are refused.
func TestUnknownKidFlood(t *testing.T) {
	i := authtest.NewIssuer(t)
	j := discovered(t, i, auth.JWTConfig{})
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			for k := range 50 {
				_, err := j.Authorize(bearer(encode(fmt.Sprintf(`{"alg":"RS256","kid":"%d-%d"}`, n, k)) + "." + encode(claimsJSON(i, "")) + ".AAAA"))
				if err == nil {
					panic("admitted")
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, i.Fetches(), 2, "one at the start, one for the flood")
}

func TestLimiterOfUnknownKids(t *testing.T) {
	i := authtest.NewIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		j := discovered(t, i, auth.JWTConfig{HTTPClient: &http.Client{Transport: inMemory{i.Handler()}}, RefetchInterval: 10 * time.Second, RefreshInterval: 24 * time.Hour})
		before := i.Fetches()
		unknown := func(kid string) {
			refused(t, j.Middleware, bearer(forge(t, i, `{"alg":"RS256","kid":"`+kid+`"}`, claimsJSON(i, ""))), 401, invalidToken(unverifiable))
		}
		unknown("a")
		require.Equal(t, before+1, i.Fetches())
		time.Sleep(10*time.Second - 1)
		unknown("b")
		require.Equal(t, before+1, i.Fetches(), "within the interval")
		time.Sleep(time.Nanosecond)
		unknown("a")
		require.Equal(t, before+2, i.Fetches())
		refused(t, j.Middleware, bearer(i.Mint(good(nil))[:300]+"."+"AAAA"), 401, invalidToken(segments))
	})
}

// While the issuer is down the old keys serve, for RefreshInterval and MaxStale; then the answer is 500, cached tokens included.
func TestIssuerDownLater(t *testing.T) {
	i := authtest.NewIssuer(t)
	var out logged
	synctest.Test(t, func(t *testing.T) {
		j := discovered(t, i, auth.JWTConfig{
			HTTPClient: &http.Client{Transport: inMemory{i.Handler()}}, RefreshInterval: time.Hour, MaxStale: 2 * time.Hour, Logger: out.logger(),
		})
		mint := func() string { return i.Mint(good(authtest.Claims{"exp": time.Now().Add(100 * time.Hour).Unix()})) }
		token := mint()
		admitted(t, j.Middleware, bearer(token))
		i.Down()
		time.Sleep(3*time.Hour - time.Second)
		admitted(t, j.Middleware, bearer(token))
		admitted(t, j.Middleware, bearer(mint()))
		time.Sleep(2 * time.Second)
		refused(t, j.Middleware, bearer(token), 500, "")
		refused(t, j.Middleware, bearer(mint()), 500, "")
		i.Up()
		time.Sleep(31 * time.Second) // the longest wait between two attempts
		admitted(t, j.Middleware, bearer(token))
		require.NoError(t, j.Close())
	})
	require.Contains(t, out.String(), "the key set could not be refreshed")
	require.Contains(t, out.String(), "503")
	require.Equal(t, 2, strings.Count(out.String(), "the key set could not be refreshed"), "an outage is two lines, whoever asks meanwhile")
	require.Contains(t, out.String(), "it is over")
}

func TestIssuerDownAtTheStart(t *testing.T) {
	i := authtest.NewIssuer(t)
	i.Down()
	_, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: i.URL(), Audience: []string{audience}})
	require.ErrorContains(t, err, `auth: fetch `+i.URL()+`/.well-known/openid-configuration: want 200 OK, got "503 Service Unavailable"`)
	synctest.Test(t, func(t *testing.T) {
		j := discovered(t, i, auth.JWTConfig{StartWithoutKeys: true, HTTPClient: &http.Client{Transport: inMemory{i.Handler()}}, Logger: new(logged).logger()})
		refused(t, j.Middleware, bearer(i.Mint(good(nil))), 500, "")
		refused(t, j.Middleware, httptest.NewRequest("GET", "/", nil), 401, "Bearer", "without a token there is nothing to judge")
		i.Up()
		time.Sleep(2 * time.Second)
		admitted(t, j.Middleware, bearer(i.Mint(good(nil))))
		require.NoError(t, j.Close())
	})
}

func TestRefresh(t *testing.T) {
	i := authtest.NewIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		j := discovered(t, i, auth.JWTConfig{HTTPClient: &http.Client{Transport: inMemory{i.Handler()}}, RefreshInterval: time.Hour, MaxStale: -1})
		old := i.Mint(good(authtest.Claims{"exp": time.Now().Add(100 * time.Hour).Unix()}))
		admitted(t, j.Middleware, bearer(old))
		require.NoError(t, i.Rotate())
		for range 50 { // never a moment without keys, though none may be stale
			time.Sleep(5 * time.Minute)
			_, err := j.Authorize(bearer(i.Mint(good(nil))))
			require.NoError(t, err)
		}
		refused(t, j.Middleware, bearer(old), 401, invalidToken(unverifiable))
		require.NoError(t, j.Close())
	})
}

// A goroutine that is left behind fails the bubble.
func TestContextEndsEverything(t *testing.T) {
	i := authtest.NewIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		j, err := auth.NewJWT(ctx, auth.JWTConfig{Issuer: i.URL(), Audience: []string{audience}, HTTPClient: &http.Client{Transport: inMemory{i.Handler()}}})
		require.NoError(t, err)
		cancel()
		synctest.Wait()
		admitted(t, j.Middleware, bearer(i.Mint(good(nil))), "the keys are still fresh: a server that shuts down ends its requests well")
		refused(t, j.Middleware, bearer(forge(t, i, `{"alg":"RS256","kid":"x"}`, claimsJSON(i, ""))), 401, invalidToken(unverifiable))
	})
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := auth.NewJWT(canceled, auth.JWTConfig{Issuer: i.URL(), Audience: []string{audience}})
	require.ErrorIs(t, err, context.Canceled)
}

// A waiter that gives up doesn't take the fetch from the others.
func TestCanceledWaiter(t *testing.T) {
	i := authtest.NewIssuer(t)
	synctest.Test(t, func(t *testing.T) {
		j := discovered(t, i, auth.JWTConfig{HTTPClient: &http.Client{Transport: inMemory{i.Handler()}}})
		require.NoError(t, i.Rotate())
		i.Slow(500 * time.Millisecond)
		defer i.Slow(0)
		ctx, cancel := context.WithCancel(t.Context())
		token := i.Mint(good(nil))
		go func() {
			_, err := j.Authorize(bearer(token).WithContext(ctx))
			if err == nil {
				panic("a request that was given up was admitted")
			}
		}()
		synctest.Wait()
		verdict := make(chan error)
		go func() {
			_, err := j.Authorize(bearer(token))
			verdict <- err
		}()
		synctest.Wait()
		cancel()
		require.NoError(t, <-verdict)
		require.NoError(t, j.Close())
	})
}

func TestSlowIssuer(t *testing.T) {
	i := authtest.NewIssuer(t)
	i.Slow(time.Hour)
	start := time.Now()
	_, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: i.URL(), Audience: []string{audience}, FetchTimeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 20*time.Second)
}

// A hostile or broken issuer: each is an error at the start, within bounds.
func TestHostileDocuments(t *testing.T) {
	i := authtest.NewIssuer(t)
	var mu sync.Mutex
	var discovery, jwks http.HandlerFunc
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := jwks
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			h = discovery
		}
		mu.Unlock()
		h(w, r)
	}))
	defer server.Close()
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, s) }
	}
	document := func(issuer, jwksURI string) http.HandlerFunc {
		b, _ := json.Marshal(map[string]string{"issuer": issuer, "jwks_uri": jwksURI})
		return text(string(b))
	}
	fine := document(server.URL, server.URL+"/jwks")
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := fmt.Fprint(w, strings.Repeat(" ", 10_000)); err != nil {
				return
			}
		}
	}
	bomb := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(`{"keys":[` + strings.Repeat(" ", 20<<20)))
		_ = z.Close()
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	good := text(string(i.JWKS()))
	for _, tt := range []struct {
		name            string
		discovery, jwks http.HandlerFunc
		want            string
	}{
		{"fine", fine, good, ""},
		{"other-issuer", document("https://evil.example", server.URL+"/jwks"), good, `its issuer is "https://evil.example"`},
		{"issuer-with-slash", document(server.URL+"/", server.URL+"/jwks"), good, "its issuer is"},
		{"no-issuer", text(`{"jwks_uri":"` + server.URL + `/jwks"}`), good, `its issuer is ""`},
		{"issuer-twice", text(`{"issuer":"` + server.URL + `","Issuer":"x","jwks_uri":"` + server.URL + `/jwks"}`), good, "not a discovery document"},
		{"discovery-html", text(`<html>`), good, "not a discovery document"},
		{"no-jwks-uri", document(server.URL, ""), good, `jwks_uri: want an https URL, got ""`},
		{"http", document(server.URL, "http://idp.example/jwks"), good, "jwks_uri: want an https URL"},
		{"file", document(server.URL, "file:///etc/passwd"), good, "jwks_uri: want an https URL"},
		{"link-local", document(server.URL, "https://169.254.169.254/latest"), good, "isn't link-local"},
		{"link-local-v6", document(server.URL, "https://[fe80::1]/"), good, "isn't link-local"},
		{"link-local-in-v6", document(server.URL, "https://[::ffff:169.254.169.254]/"), good, "isn't link-local"},
		{"multicast", document(server.URL, "https://224.0.0.1/"), good, "isn't link-local"},
		{"multicast-v6", document(server.URL, "https://[ff02::1]/"), good, "isn't link-local"},
		{"unspecified", document(server.URL, "https://0.0.0.0/"), good, "isn't link-local"},
		{"userinfo", document(server.URL, "https://u:p@idp.example/"), good, "jwks_uri: want an https URL"},
		{"discovery-500", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "", 500) }, good, `want 200 OK, got "500`},
		{"discovery-endless", endless, good, "longer than 150000 bytes"},
		{"discovery-redirect", redirect("http://127.0.0.1:1/"), good, "redirect to another origin"},
		{"jwks-404", fine, http.NotFound, `want 200 OK, got "404`},
		{"jwks-endless", fine, endless, "longer than 150000 bytes"},
		{"jwks-bomb", fine, bomb, "longer than 150000 bytes"},
		{"jwks-redirect", fine, redirect("https://idp.example/"), "redirect to another origin"},
		{"jwks-redirect-loop", fine, redirect("/again"), "redirect"},
		{"jwks-html", fine, text(`<html>`), "not a JSON Web Key Set"},
		{"jwks-array", fine, text(`[]`), "not a JSON Web Key Set"},
		{"jwks-no-keys", fine, text(`{}`), "not a JSON Web Key Set"},
		{"jwks-null", fine, text(`{"keys":null}`), "not a JSON Web Key Set"},
		{"jwks-keys-twice", fine, text(`{"keys":[],"KEYS":[]}`), "not a JSON Web Key Set"},
		{"jwks-empty", fine, text(`{"keys":[]}`), "no key that can verify a signature"},
		{"jwks-useless", fine, text(`{"keys":[{}` + strings.Repeat(",{}", 100) + `]}`), "no key that can verify a signature"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mu.Lock()
			discovery, jwks = tt.discovery, tt.jwks
			mu.Unlock()
			j, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: server.URL, Audience: []string{audience}, FetchTimeout: 30 * time.Second})
			if tt.want == "" {
				require.NoError(t, err)
				require.NoError(t, j.Close())
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// An https issuer can't send us to a service of this machine.
func TestHTTPSIssuerCannotNameLoopback(t *testing.T) {
	transport := inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"issuer":"https://idp.example","jwks_uri":"https://127.0.0.1:9200/"}`)
	})}
	_, err := auth.NewJWT(t.Context(), auth.JWTConfig{Issuer: "https://idp.example", Audience: []string{audience}, HTTPClient: &http.Client{Transport: transport}})
	require.ErrorContains(t, err, "jwks_uri: want an https URL")
}
