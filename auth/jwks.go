package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"

	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// What a key set may be at the most. (The managed gateway reads 150,000 bytes: developer guide, "Amazon API Gateway quotas".)
const (
	maxJWKSBytes = 150_000
	maxKeys      = 100
	minRSABits   = 2048
	maxRSABits   = 8192 // a larger one only costs time
)

var errKeySet = errors.New("not a JSON Web Key Set without repeated names")

// parseJWKS reads a JSON Web Key Set (RFC 7517) and returns the keys by kid that can verify signatures. Keys that can't be
// used safely are left out, as issuers publish others beside them: those that are secret, weak, for encryption, without a kid.
// Of two with one kid neither is taken. A set that isn't well-formed, or of which nothing is left, is an error.
func parseJWKS(data []byte) (map[string]jwkset.JWK, error) {
	if len(data) > maxJWKSBytes {
		return nil, fmt.Errorf("the key set is longer than %d bytes", maxJWKSBytes)
	}
	var list []json.RawMessage
	isSet := false
	err := strictjson.Object(data, maxTokenDepth, func(name string, value []byte) error {
		if name != "keys" {
			return nil
		}
		isSet = json.Unmarshal(value, &list) == nil && list != nil
		return nil
	})
	if err != nil || !isSet {
		return nil, errKeySet
	}
	if len(list) > maxKeys {
		return nil, fmt.Errorf("the key set has more than %d keys", maxKeys)
	}
	var members []jwkset.JWKMarshal
	kids := map[string]int{} // counts also what is of no use: that one might be the one that is meant
	for _, raw := range list {
		var m jwkset.JWKMarshal
		unambiguous := strictjson.Object(raw, maxTokenDepth, func(string, []byte) error { return nil }) == nil
		if unambiguous && json.Unmarshal(raw, &m) == nil {
			members = append(members, m)
			kids[m.KID]++
		}
	}
	keys := map[string]jwkset.JWK{}
	for _, m := range members {
		if jwk, ok := verificationKey(m); ok && kids[m.KID] == 1 {
			keys[m.KID] = jwk
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no key that can verify a signature: want RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519, with a kid of its own, for use sig")
	}
	return keys, nil
}

// verificationKey makes a key of m, from its public parts alone: certificates and their URLs are never followed.
func verificationKey(m jwkset.JWKMarshal) (jwkset.JWK, bool) {
	none := jwkset.JWK{}
	private := m.D + m.P + m.Q + m.DP + m.DQ + m.QI + m.K
	switch {
	case m.KID == "" || len(m.KID) > maxKeyIDBytes, private != "" || len(m.OTH) > 0:
		return none, false // a private part that was published is no secret any longer
	case m.USE != "" && m.USE != jwkset.UseSig:
		return none, false
	case len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify):
		return none, false
	}
	public := jwkset.JWKMarshal{KTY: m.KTY, USE: m.USE, KEYOPS: m.KEYOPS, ALG: m.ALG, KID: m.KID, CRV: m.CRV, X: m.X, Y: m.Y, N: m.N, E: m.E}
	if m.KTY == jwkset.KtyRSA && !soundRSA(m.N, m.E) {
		return none, false
	}
	jwk, err := jwkset.NewJWKFromMarshal(public, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{StrictPadding: true})
	if err != nil {
		return none, false
	}
	if m.ALG != "" && !fitsKey(m.ALG.String(), jwk.Key()) {
		return none, false
	}
	switch jwk.Key().(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return jwk, true
	}
	return none, false
}

// fitsKey reports whether a signature of alg can be made with key's private half: each algorithm is bound to one type of key
// and, for ECDSA, to one curve (RFC 7518, section 3.1; RFC 8725, section 3.1).
func fitsKey(alg string, key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return alg == "ES256"
		case elliptic.P384():
			return alg == "ES384"
		case elliptic.P521():
			return alg == "ES512"
		}
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

// soundRSA reports whether modulus and exponent make a key that is worth trusting.
func soundRSA(modulus, exponent string) bool {
	n, err1 := segmentEncoding.DecodeString(modulus)
	e, err2 := segmentEncoding.DecodeString(exponent)
	if err1 != nil || err2 != nil || len(e) > 4 {
		return false // crypto/rsa holds the exponent in an int, and jwkset would cut off what is longer
	}
	N, E := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e).Int64()
	bits := N.BitLen()
	return bits >= minRSABits && bits <= maxRSABits && N.Bit(0) == 1 &&
		E >= 3 && E < 1<<31 && E%2 == 1 && !hasROCA(N)
}

// rocaPrimes are the small primes that the fingerprint of CVE-2017-15361 is taken over.
var rocaPrimes = [...]int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157}

// hasROCA reports whether n has the fingerprint of keys whose primes were made as k·M + 65537^a mod M, which can be factored
// (CVE-2017-15361): n is then a power of 65537 modulo each small prime. One honest modulus in 200 million has it too.
func hasROCA(n *big.Int) bool {
	for _, p := range rocaPrimes {
		rest := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		power, found := int64(1), false
		for range p {
			if power == rest {
				found = true
				break
			}
			power = power * 65537 % p
		}
		if !found {
			return false
		}
	}
	return true
}
