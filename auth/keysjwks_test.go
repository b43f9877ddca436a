package auth_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaJWK(n *big.Int, e string, more map[string]any) map[string]any {
	jwk := map[string]any{"kty": "RSA", "kid": "k", "n": b64(n.Bytes()), "e": e}
	for name, value := range more {
		jwk[name] = value
	}
	return jwk
}

func set(t testing.TB, jwks ...map[string]any) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{"keys": jwks})
	require.NoError(t, err)
	return data
}

// Beside a sound key, each of these is left out; alone, it makes the set an error.
func TestUnsafeKeysAreLeftOut(t *testing.T) {
	sound, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	public, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	const e = "AQAB"
	weak := new(big.Int).Rsh(sound.N, 1024)
	weak.SetBit(weak, 0, 1)
	even := new(big.Int).SetBit(sound.N, 0, 0)
	huge := new(big.Int).Lsh(sound.N, 8192)
	huge.SetBit(huge, 0, 1)
	for name, jwk := range map[string]map[string]any{
		"no-kid":           rsaJWK(sound.N, e, map[string]any{"kid": ""}),
		"oct":              {"kty": "oct", "kid": "k", "k": "c2VjcmV0"},
		"private":          rsaJWK(sound.N, e, map[string]any{"d": b64(sound.D.Bytes())}),
		"private-part":     rsaJWK(sound.N, e, map[string]any{"p": "AQ"}),
		"for-encryption":   rsaJWK(sound.N, e, map[string]any{"use": "enc"}),
		"for-signing-only": rsaJWK(sound.N, e, map[string]any{"key_ops": []string{"sign"}}),
		"1024-bits":        rsaJWK(weak, e, nil),
		"over-8192-bits":   rsaJWK(huge, e, nil),
		"even-modulus":     rsaJWK(even, e, nil),
		"e-1":              rsaJWK(sound.N, "AQ", nil),
		"e-2":              rsaJWK(sound.N, "Ag", nil),
		"e-even":           rsaJWK(sound.N, "AQAA", nil),
		"e-of-5-bytes":     rsaJWK(sound.N, "AQAAAAE", nil),
		"e-empty":          rsaJWK(sound.N, "", nil),
		"roca":             rsaJWK(rocaModulus(), e, nil),
		"alg-of-ec":        rsaJWK(sound.N, e, map[string]any{"alg": "ES256"}),
		"alg-hs256":        rsaJWK(sound.N, e, map[string]any{"alg": "HS256"}),
		"padded":           rsaJWK(sound.N, "AQAB==", nil),
		"not-on-the-curve": {"kty": "EC", "crv": "P-256", "kid": "k", "x": b64(make([]byte, 32)), "y": b64(make([]byte, 32))},
		"other-curve":      {"kty": "EC", "crv": "secp256k1", "kid": "k", "x": "AA", "y": "AA"},
		"x25519":           {"kty": "OKP", "crv": "X25519", "kid": "k", "x": b64(public)},
		"short-ed25519":    {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": b64(public[:31])},
		"unknown-kty":      {"kty": "XYZ", "kid": "k"},
		"number-for-kid":   rsaJWK(sound.N, e, map[string]any{"kid": 1}),
		"n-by-case":        rsaJWK(sound.N, e, map[string]any{"N": "AQ"}),
		"certificate-url":  {"kty": "RSA", "kid": "k", "x5u": "https://127.0.0.1:1/"},
	} {
		_, err := auth.ParseJWKS(set(t, jwk))
		require.ErrorContains(t, err, "no key that can verify a signature", name)
		kids, err := auth.ParseJWKS(set(t, jwk, rsaJWK(sound.N, e, map[string]any{"kid": "sound"})))
		require.NoError(t, err, name)
		require.Equal(t, []string{"sound"}, kids, name)
	}
	for name, jwk := range map[string]map[string]any{
		"rsa": rsaJWK(sound.N, e, nil), "rsa-sig": rsaJWK(sound.N, e, map[string]any{"use": "sig", "alg": "PS512", "key_ops": []string{"verify"}}),
		"ed25519": {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": b64(public)}, "unknown-members": rsaJWK(sound.N, e, map[string]any{"x-more": 1, "x5u": "https://127.0.0.1:1/"}),
	} {
		kids, err := auth.ParseJWKS(set(t, jwk))
		require.NoError(t, err, name)
		require.Equal(t, []string{"k"}, kids)
	}
}

// Of two keys with one kid neither is taken, whatever the other is, unless it says itself that it is for something else, or is
// the same.
func TestDuplicateKids(t *testing.T) {
	sound, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	one := rsaJWK(sound.N, "AQAB", nil)
	orders := func(two map[string]any) [][]map[string]any {
		return [][]map[string]any{{one, two}, {two, one}, {one, two, one}, {two, two, one}}
	}
	for name, two := range map[string]map[string]any{
		"other": rsaJWK(other.N, "AQAB", nil), "secret": {"kty": "oct", "kid": "k", "k": "AA"}, "hmac": {"kty": "oct", "kid": "k", "alg": "HS256"},
		"weak": rsaJWK(big.NewInt(15), "AQAB", nil), "other-for-signatures": rsaJWK(other.N, "AQAB", map[string]any{"use": "sig"}),
		"same-for-another-algorithm": rsaJWK(sound.N, "AQAB", map[string]any{"alg": "RS512"}),
	} {
		for _, jwks := range orders(two) {
			_, err := auth.ParseJWKS(set(t, jwks...))
			require.ErrorContains(t, err, "no key that can verify a signature", name)
		}
	}
	for name, two := range map[string]map[string]any{
		"same": rsaJWK(sound.N, "AQAB", nil), "for-encryption": rsaJWK(other.N, "AQAB", map[string]any{"use": "enc"}),
		"same-for-encryption": rsaJWK(sound.N, "AQAB", map[string]any{"use": "enc"}), "by-its-algorithm": rsaJWK(other.N, "AQAB", map[string]any{"alg": "RSA-OAEP-256"}),
		"by-its-operations": rsaJWK(other.N, "AQAB", map[string]any{"key_ops": []string{"wrapKey"}}), "ec-for-agreement": {"kty": "EC", "kid": "k", "alg": "ECDH-ES"},
	} {
		for _, jwks := range orders(two) {
			kids, err := auth.ParseJWKS(set(t, jwks...))
			require.NoError(t, err, name)
			require.Equal(t, []string{"k"}, kids, name)
		}
	}
}

// What can only be read in one way is taken, also where RFC 7518 wants it written in another.
func TestJWKSAsProvidersWriteThem(t *testing.T) {
	i := iss()
	token := i.MintWith
	var served struct{ Keys []map[string]any }
	require.NoError(t, json.Unmarshal(i.JWKS(), &served))
	raw := func(jwk map[string]any, name string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(jwk[name].(string))
		require.NoError(t, err)
		return b
	}
	each := func(change func(jwk map[string]any, name string)) []byte {
		var changed []map[string]any
		for _, jwk := range served.Keys {
			jwk = maps.Clone(jwk)
			for _, name := range []string{"n", "e", "x", "y"} {
				if jwk[name] != nil {
					change(jwk, name)
				}
			}
			changed = append(changed, jwk)
		}
		return set(t, changed...)
	}
	many := slices.Clone(served.Keys)
	for n := range 150 {
		key := maps.Clone(served.Keys[0])
		key["kid"] = "other-" + strconv.Itoa(n)
		many = append(many, key)
	}
	for name, jwks := range map[string][]byte{
		"bom":               append([]byte("\ufeff"), i.JWKS()...),
		"padded":            each(func(jwk map[string]any, name string) { jwk[name] = base64.URLEncoding.EncodeToString(raw(jwk, name)) }),
		"standard-alphabet": each(func(jwk map[string]any, name string) { jwk[name] = base64.StdEncoding.EncodeToString(raw(jwk, name)) }),
		"leading-zero": each(func(jwk map[string]any, name string) {
			if jwk["kty"] != "OKP" {
				jwk[name] = b64(append([]byte{0}, raw(jwk, name)...))
			}
		}),
		"cut-zeros": each(func(jwk map[string]any, name string) {
			if jwk["kty"] != "OKP" { // these are no numbers: a zero is one of their 32 bytes
				jwk[name] = b64(bytes.TrimLeft(raw(jwk, name), "\x00"))
			}
		}),
		"150-keys-more": set(t, many...),
		"odd-members": each(func(jwk map[string]any, _ string) {
			jwk["x5c"], jwk["x5t"], jwk["use"], jwk["key_ops"], jwk["alg"] = "text", 1, nil, []string{"verify", "x"}, nil
		}),
	} {
		j := newJWT(t, i, auth.JWTConfig{JWKS: jwks})
		for _, algorithm := range []string{"RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"} {
			admitted(t, j.Middleware, bearer(token(algorithm, good(nil))), name, algorithm)
		}
	}
}

// rocaModulus is 2048 bits with the fingerprint: a power of 65537 modulo each of the primes, put together by the Chinese remainder
// theorem.
func rocaModulus() *big.Int {
	n, m := big.NewInt(1), big.NewInt(2)
	for _, p := range []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157} {
		prime, want := big.NewInt(p), new(big.Int).Exp(big.NewInt(65537), big.NewInt(5), big.NewInt(p))
		for new(big.Int).Mod(n, prime).Cmp(want) != 0 {
			n.Add(n, m)
		}
		m.Mul(m, prime)
	}
	k := new(big.Int).Lsh(big.NewInt(1), 2047)
	k.Div(k, m).Add(k, big.NewInt(1))
	return n.Add(n, k.Mul(k, m))
}
