package auth

import (
	"cmp"
	"slices"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// AdditionalClaim is a check of one claim of a token. A claim that passes is one string: numbers,
// lists and null fail. (API reference, "JwtAdditionalClaim", whose only format is SINGLE_STRING.)
type AdditionalClaim struct {
	_ struct{} // keyed literals only, so that fields can be added

	// ClaimName is the claim's name, in its letter case: any but iss, aud, exp, nbf, iat, scope and
	// scp, which are judged anyway. Required.
	ClaimName string
	// ExpectedValues are the values that pass, compared byte by byte. None means that any does. The
	// managed gateway takes one at the most.
	ExpectedValues []string
	// Optional lets tokens without the claim pass: what "required": false says of the managed
	// gateway's, where it is the default. A token that has the claim is held against
	// ExpectedValues all the same.
	Optional bool
}

// judgedAnyway are the claims that no AdditionalClaim may name.
var judgedAnyway = []string{"iss", "aud", "exp", "nbf", "iat", "scope", "scp"}

const maxAdditionalClaims = 100

// checkAdditional adds what is wrong to m, which speaks of the list.
func checkAdditional(m *mistakes.Mistakes, claims []AdditionalClaim) {
	m.Require(len(claims) <= maxAdditionalClaims, "", "want at most %d, got %d", maxAdditionalClaims, len(claims))
	seen := map[string]bool{}
	for i, c := range claims {
		m := m.Index(i)
		m.Require(c.ClaimName != "" && !slices.Contains(judgedAnyway, c.ClaimName), "ClaimName",
			"want the name of a claim other than iss, aud, exp, nbf, iat, scope and scp, got %s", quoted(c.ClaimName))
		m.Require(!seen[c.ClaimName], "ClaimName", "want each once, got %s twice", quoted(c.ClaimName))
		seen[c.ClaimName] = true
		m.Require(!slices.Contains(c.ExpectedValues, ""), "ExpectedValues", `want values, got ""`)
	}
}

// failsAdditional returns the first additional check that a token's claims don't pass, by its
// claim, or "".
func (c *checks) failsAdditional(payload []byte) string {
	if len(c.additional) == 0 {
		return ""
	}
	odd := ""
	texts := map[string]string{} // of those that are asked for and are one string
	err := strictjson.ObjectOfNames(payload, maxTokenDepth, func(name string, value []byte) error {
		if slices.ContainsFunc(c.additional, func(a AdditionalClaim) bool { return a.ClaimName == name }) {
			text, ok := strictjson.Text(value)
			if !ok {
				odd = name
				return errMalformed
			}
			texts[name] = text
		}
		return nil
	})
	if err != nil {
		return cmp.Or(odd, c.additional[0].ClaimName)
	}
	for _, a := range c.additional {
		text, present := texts[a.ClaimName]
		if !present && !a.Optional ||
			present && len(a.ExpectedValues) > 0 && !slices.Contains(a.ExpectedValues, text) {
			return a.ClaimName
		}
	}
	return ""
}
