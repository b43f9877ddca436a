package auth

import (
	"bytes"
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

// What a key set may be at the most. The bytes are the managed gateway's bound (developer guide,
// "Amazon API Gateway quotas"), which has none for the number of keys: 150,000 bytes have room for
// some 400 RSA keys, and providers with many tenants publish more than a hundred.
const (
	maxJWKSBytes = 150_000
	minRSABits   = 2048
	maxRSABits   = 8192 // a larger one only costs time
)

var (
	errKeySet = errors.New("not a JSON Web Key Set without repeated names")
	errNoKey  = errors.New("the key set has no key that can verify a signature: want RSA of 2048 bits or more, " +
		"P-256, P-384, P-521 or Ed25519, with a kid of its own, for use sig")
)

// parseJWKS reads a JSON Web Key Set (RFC 7517) and returns the keys by kid that can verify
// signatures. Keys that can't be used safely are left out, as issuers publish others beside them:
// those that are secret, weak, for encryption, without a kid. Of two different keys with one kid
// that may both be meant neither is taken. An error says that data isn't a key set. That nothing of
// it is left is none: it is what an issuer says that has withdrawn its keys.
func parseJWKS(data []byte) (map[string]jwkset.JWK, error) {
	if len(data) > maxJWKSBytes {
		return nil, fmt.Errorf("the key set is longer than %d bytes", maxJWKSBytes)
	}
	var list [][]byte
	isSet := false
	err := strictjson.Object(withoutBOM(data), maxTokenDepth, func(name string, value []byte) error {
		if name == "keys" {
			list, isSet = strictjson.Elements(value)
		}
		return nil
	})
	if err != nil || !isSet {
		return nil, errKeySet
	}
	keys, ambiguous := map[string]jwkset.JWK{}, map[string]bool{}
	seen := map[string]bool{} // also what is of no use: that one might be the one that is meant
	for _, raw := range list {
		m, ok := readJWK(raw)
		if !ok || !mayVerify(&m) {
			continue
		}
		jwk, usable := verificationKey(m)
		if before, taken := keys[m.KID]; seen[m.KID] && !(usable && taken && sameKey(before, jwk)) {
			ambiguous[m.KID] = true
		}
		if seen[m.KID] = true; usable {
			keys[m.KID] = jwk
		}
	}
	for kid := range ambiguous {
		delete(keys, kid)
	}
	return keys, nil
}

// withoutBOM takes off the byte order mark that editors on Windows put before UTF-8. (RFC 8259,
// section 8.1 lets readers do so.)
func withoutBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// readJWK reads the members of a key that are needed, and no others: one of another type than usual
// is no reason to lose the key.
func readJWK(raw []byte) (m jwkset.JWKMarshal, ok bool) {
	texts := map[string]*string{
		"kid": &m.KID, "kty": (*string)(&m.KTY), "use": (*string)(&m.USE), "alg": (*string)(&m.ALG),
		"crv": (*string)(&m.CRV),
		"x":   &m.X, "y": &m.Y, "n": &m.N, "e": &m.E,
		"d": &m.D, "p": &m.P, "q": &m.Q, "dp": &m.DP, "dq": &m.DQ, "qi": &m.QI, "k": &m.K,
	}
	err := strictjson.Object(raw, maxTokenDepth, func(name string, value []byte) error {
		ok := string(value) == "null"
		switch field := texts[name]; {
		case ok: // as if it weren't there
		case field != nil:
			*field, ok = strictjson.Text(value)
		case name == "key_ops":
			var ops []string
			ops, ok = strictjson.Texts(value)
			for _, op := range ops {
				m.KEYOPS = append(m.KEYOPS, jwkset.KEYOPS(op))
			}
		case name == "oth":
			ok = json.Unmarshal(value, &m.OTH) == nil
		default:
			ok = true
		}
		if !ok {
			return errKeySet
		}
		return nil
	})
	return m, err == nil
}

// mayVerify reports whether a key doesn't say itself that it is for something else than signatures.
// Providers publish a key for encryption under the same kid as the one for signatures; no token's
// signature can mean that one. (RFC 7517, sections 4.2 to 4.5.)
func mayVerify(m *jwkset.JWKMarshal) bool {
	switch {
	case m.USE != "" && m.USE != jwkset.UseSig, len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify):
		return false
	case m.ALG == "":
		return true
	}
	// What RFC 7518, section 3.1 has for signatures; those for keys and contents (section 4.1) are
	// RSA-OAEP, ECDH-ES, A128KW and so on.
	alg := m.ALG.String()
	return alg == "EdDSA" || len(alg) == 5 && slices.Contains([]string{"RS", "PS", "ES", "HS"}, alg[:2])
}

// verificationKey makes a key of m, from its public parts alone: certificates and their URLs are
// never followed.
func verificationKey(m jwkset.JWKMarshal) (jwkset.JWK, bool) {
	none := jwkset.JWK{}
	private := m.D + m.P + m.Q + m.DP + m.DQ + m.QI + m.K
	if m.KID == "" || len(m.KID) > maxKeyIDBytes || private != "" || len(m.OTH) > 0 {
		return none, false // a private part that was published is no secret any longer
	}
	public := jwkset.JWKMarshal{KTY: m.KTY, USE: m.USE, ALG: m.ALG, KID: m.KID, CRV: m.CRV}
	sizes := map[jwkset.CRV]int{jwkset.CrvP256: 32, jwkset.CrvP384: 48, jwkset.CrvP521: 66, jwkset.CrvEd25519: 32}
	ok := true
	switch size := sizes[m.CRV]; m.KTY {
	case jwkset.KtyRSA:
		public.N, public.E, ok = soundRSA(m.N, m.E)
	case jwkset.KtyEC:
		var okY bool
		public.X, ok = coordinate(m.X, size)
		public.Y, okY = coordinate(m.Y, size)
		ok = ok && okY
	case jwkset.KtyOKP:
		x, err := decodeNumber(m.X)
		public.X, ok = segmentEncoding.EncodeToString(x), err == nil && len(x) == size
	default:
		ok = false
	}
	if !ok {
		return none, false
	}
	jwk, err := jwkset.NewJWKFromMarshal(public, jwkset.JWKMarshalOptions{},
		jwkset.JWKValidateOptions{StrictPadding: true})
	if err != nil || m.ALG != "" && !fitsKey(m.ALG.String(), jwk.Key()) {
		return none, false
	}
	switch jwk.Key().(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return jwk, true
	}
	return none, false
}

// decodeNumber reads base64url. Some providers write the standard alphabet, or padding: all of them
// are read in one way only, since the two alphabets don't overlap in what differs and the padding
// is checked.
func decodeNumber(text string) ([]byte, error) {
	if strings.ContainsAny(text, "+/") {
		text = strings.NewReplacer("+", "-", "/", "_").Replace(text)
	}
	if bare := strings.TrimRight(text, "="); len(bare) < len(text) && len(text)%4 == 0 && len(text)-len(bare) <= 2 {
		text = bare
	}
	return decodeSegment(text)
}

// coordinate writes a coordinate of a curve in its full length (RFC 7518, section 6.2.1.2), which
// some writers of numbers miss by leading zeros.
func coordinate(text string, size int) (string, bool) {
	b, err := decodeNumber(text)
	if b = bytes.TrimLeft(b, "\x00"); err != nil || len(b) > size {
		return "", false
	}
	return segmentEncoding.EncodeToString(append(make([]byte, size-len(b)), b...)), true
}

// fitsKey reports whether a signature of alg can be made with key's private half: each algorithm is
// bound to one type of key and, for ECDSA, to one curve (RFC 7518, section 3.1; RFC 8725, section
// 3.1).
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

// soundRSA reports whether modulus and exponent make a key that is worth trusting, and writes them
// in their one form: without leading zero octets (RFC 7518, section 6.3.1.1 forbids them, and knows
// that implementers write one).
func soundRSA(modulus, exponent string) (n, e string, ok bool) {
	rawN, err1 := decodeNumber(modulus)
	rawE, err2 := decodeNumber(exponent)
	N, E := new(big.Int).SetBytes(rawN), new(big.Int).SetBytes(rawE)
	if err1 != nil || err2 != nil || E.BitLen() > 31 {
		return "", "", false // crypto/rsa holds the exponent in an int, and jwkset would cut off what is longer
	}
	bits := N.BitLen()
	ok = bits >= minRSABits && bits <= maxRSABits && N.Bit(0) == 1 && E.Int64() >= 3 && E.Bit(0) == 1 && !hasROCA(N)
	return segmentEncoding.EncodeToString(N.Bytes()), segmentEncoding.EncodeToString(E.Bytes()), ok
}

// rocaPrimes are the small primes that the fingerprint of CVE-2017-15361 is taken over.
var rocaPrimes = [...]int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157}

// hasROCA reports whether n has the fingerprint of keys whose primes were made as k·M + 65537^a mod
// M, which can be factored (CVE-2017-15361): n is then a power of 65537 modulo each small prime.
// One honest modulus in 200 million has it too.
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
