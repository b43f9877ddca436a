package gatekit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
)

// perToken are the claims that tell one token of a caller from the next, and nothing of the caller. (RFC 7519, section 4.1; OpenID Connect
// Core 1.0, section 2; Cognito's tokens.)
var perToken = map[string]bool{
	"exp": true, "nbf": true, "iat": true, "jti": true, "auth_time": true, "nonce": true, "at_hash": true, "c_hash": true, "s_hash": true,
	"sid": true, "event_id": true, "origin_jti": true,
}

// Fingerprint is a digest of all that an authorizer learned of a caller, and of the API key that it found: two requests with one fingerprint may
// have one answer. Of a token's claims those are left out that differ from token to token (exp, iat, jti …), so that a caller keeps the
// fingerprint when the token is renewed. It is computed at the first call, and zero on nil.
func (a *Authorization) Fingerprint() [sha256.Size]byte {
	if a == nil {
		return [sha256.Size]byte{}
	}
	if known := a.fingerprint.Load(); known != nil {
		return *known
	}
	sum := sha256.Sum256(a.appendIdentity(nil))
	a.fingerprint.Store(&sum)
	return sum
}

// appendIdentity appends what Fingerprint is made of, each part after its length.
func (a *Authorization) appendIdentity(b []byte) []byte {
	text := func(parts ...string) {
		for _, s := range parts {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	scopes := slices.Sorted(slices.Values(a.scopes))
	b = binary.AppendUvarint(b, uint64(len(scopes)))
	text(scopes...)
	text(a.principal, a.authorizer, a.usageKey)
	var claims map[string]json.RawMessage
	if a.claims != nil {
		_ = json.Unmarshal(a.claims, &claims) // an object, as NewAuthorization has seen
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if !perToken[name] {
			text(name, string(claims[name]))
		}
	}
	b = append(b, 0)
	context, err := json.Marshal(a.context) // sorts
	if err != nil {
		context = []byte(err.Error()) // strings, numbers, booleans: NaN at most
	}
	text(string(context))
	if a.caller != nil {
		caller, _ := json.Marshal(a.caller) // strings
		text(string(caller))
	}
	b = append(b, 0)
	for _, other := range a.others {
		sum := other.Fingerprint()
		b = append(b, sum[:]...)
	}
	return b
}
