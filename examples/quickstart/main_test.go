package main

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 5)
}

// The stand-in for curl does what the real one does.
func TestCurlStandIn(t *testing.T) {
	exampletest.WithCurl(t, true)
	exampletest.PrintedLines(t, 5)
}

func TestRefusesBadFlags(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "ftp://x", "orders"), "JWTConfig.Issuer")
	require.ErrorContains(t, run(t.Context(), "nonsense", "", "orders"), "listen")
	require.ErrorContains(t, run(t.Context(), "127.0.0.1:0", "", ""), "Audience[0]")
}

// With -issuer and -audience the tokens of that issuer count.
func TestAnotherIssuer(t *testing.T) {
	iss := authtest.NewIssuer(t)
	api, err := gateway(t.Context(), iss.URL(), "shop")
	require.NoError(t, err)
	for audience, want := range map[string]int{"shop": 200, "orders": 401} {
		r := httptest.NewRequest("GET", "/orders/7", nil)
		r.Header.Set("Authorization", "Bearer "+iss.Mint(authtest.Claims{"aud": audience, "scope": "orders:read"}))
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, audience)
	}
}
