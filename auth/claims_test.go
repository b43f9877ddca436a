package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth"
)

// Providers that number their users send the number; names of private claims may differ in letter case alone.
func TestClaimsAsProvidersWriteThem(t *testing.T) {
	mw := newJWT(t, iss(), auth.JWTConfig{}).Middleware
	for claim, principal := range map[string]string{
		`1`: "1", `-7`: "-7", `12345678901234567890`: "12345678901234567890", `null`: "", `"0"`: "0",
	} {
		a := admitted(t, mw, bearer(forge(t, iss(), rs256Header(iss()), claimsJSON(iss(), `,"sub":`+claim))))
		require.Equal(t, principal, a.Principal())
		text, _ := a.ClaimString("sub")
		require.Equal(t, principal, text)
	}
	a := admitted(t, mw, bearer(forge(t, iss(), rs256Header(iss()), claimsJSON(iss(), `,"role":"reader","Role":"admin","k":1,"\u212a":2`))))
	require.Equal(t, map[string]string{"role": "reader", "Role": "admin", "k": "1", "\u212a": "2"}, map[string]string{
		"role": a.ClaimStrings()["role"], "Role": a.ClaimStrings()["Role"], "k": a.ClaimStrings()["k"], "\u212a": a.ClaimStrings()["\u212a"],
	})
}
