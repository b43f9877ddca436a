//go:build !race

package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
)

func TestAllocations(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	r := bearer(iss().Mint(good(nil)))
	scoped := j.WithScopes("orders:read")
	for range 2 {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			if _, err := scoped.Authorize(r); err != nil {
				panic(err)
			}
		}), "a token seen before")
	}
	h := auth.Require(j, "orders:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := httptest.NewRecorder()
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }), 2.0, "the context, and nothing more")
	_, r = gatekit.Attach(r)
	require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }), "attached already")
}

func TestAuthorizerAllocations(t *testing.T) {
	l := newLambda(t, &answering{text: allowAll}, auth.LambdaConfig{})
	_, r := gatekit.Attach(request("GET", "/pets", "t"))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := l.Authorize(r); err != nil {
			panic(err)
		}
	}), 2.0, "a decision that is kept")
	s := newSigV4(t, auth.SigV4Config{Region: "us-east-1"})
	signed := unsigned("GET", "/pets?a=1", "")
	require.NoError(t, signer.Sign(signed, time.Now()))
	_, signed = gatekit.Attach(signed)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := s.Authorize(signed); err != nil {
			panic(err)
		}
	}), 4.0, "a signature: the Authorization, its caller, and their ARN")
}

// Notes of what goes well cost one allocation, where nobody wants reasons, and none where nobody
// wants any.
func TestNoteAllocations(t *testing.T) {
	h := auth.Require(newJWT(t, iss(), auth.JWTConfig{}), "orders:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	rc, r := gatekit.Attach(bearer(iss().Mint(good(nil))))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		notes := rc.KeepNotes(gatekit.KeepOutcomes | gatekit.KeepTimes)
		h.ServeHTTP(w, r)
		notes.Release()
	}), 1.0)
	require.Zero(t, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }))
}

// A token that fails costs the Rejection and what Reject does, and no RequestContext.
func TestRefusalAllocations(t *testing.T) {
	j := newJWT(t, iss(), auth.JWTConfig{})
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for name, tt := range map[string]struct {
		h http.Handler
		r *http.Request
	}{
		"no-token":  {auth.Require(j)(nothing), httptest.NewRequest("GET", "/", nil)},
		"bad-token": {auth.Require(j)(nothing), bearer("x")},
		"no-scope":  {auth.Require(j, "nobody:has")(nothing), bearer(iss().Mint(good(nil)))},
	} {
		tt.h.ServeHTTP(httptest.NewRecorder(), tt.r)
		w := httptest.NewRecorder()
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { tt.h.ServeHTTP(w, tt.r) }), 4.0, name)
		require.GreaterOrEqual(t, w.Code, 401)
	}
}
