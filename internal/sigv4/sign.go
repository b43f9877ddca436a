package sigv4

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// The algorithms' names.
const (
	HMAC  = "AWS4-HMAC-SHA256"
	ECDSA = "AWS4-ECDSA-P256-SHA256"
)

// Terminator ends every credential scope.
const Terminator = "aws4_request"

// EmptyHash is the SHA-256 of an empty body.
const EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// AppendStringToSign appends the text that is signed: scope is the credential scope, without the
// key's id.
func AppendStringToSign(b []byte, algorithm, time, scope string, canonicalRequest []byte) []byte {
	b = append(append(b, algorithm...), '\n')
	b = append(append(b, time...), '\n')
	b = append(append(b, scope...), '\n')
	sum := sha256.Sum256(canonicalRequest)
	return hex.AppendEncode(b, sum[:])
}

// HMACKey is a derived signing key, which is good for one day, region and service.
type HMACKey [sha256.Size]byte

// DeriveHMACKey derives a signing key from a secret.
func DeriveHMACKey(secret, date, region, service string) HMACKey {
	k := mac([]byte("AWS4"+secret), []byte(date))
	k = mac(k[:], []byte(region))
	k = mac(k[:], []byte(service))
	return mac(k[:], []byte(Terminator))
}

// Sign returns the signature of a string to sign.
func (k *HMACKey) Sign(stringToSign []byte) [sha256.Size]byte { return mac(k[:], stringToSign) }

// mac is HMAC-SHA256 (RFC 2104) without the allocations of crypto/hmac, whose hash is an interface.
func mac(key, message []byte) [sha256.Size]byte {
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	var room [sha256.BlockSize + 448]byte
	inner := append(room[:0], make([]byte, sha256.BlockSize)...)
	copy(inner, key)
	for i := range sha256.BlockSize {
		inner[i] ^= 0x36
	}
	digest := sha256.Sum256(append(inner, message...))
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], key)
	for i := range sha256.BlockSize {
		outer[i] ^= 0x5c
	}
	copy(outer[sha256.BlockSize:], digest[:])
	return sha256.Sum256(outer[:])
}

// orderMinusTwo is n − 2, where n is the order of P-256.
var orderMinusTwo = [32]byte{
	0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
}

// DeriveECDSAKey derives the private key of SigV4A from a credential. It is good for any day,
// region and service.
//
// It is the KDF in counter mode of NIST SP 800-108 over HMAC, with the output taken as a candidate
// c: if c ≤ n − 2, the key is c + 1, which lies in 1 … n − 1 and is distributed evenly; else the
// next counter is tried. Reducing c modulo n would be simpler, and biased. All but one in 2^32
// credentials have their key with the first counter. (AWS's public reference of its signer,
// aws-c-auth.)
func DeriveECDSAKey(accessKeyID, secret string) (*ecdsa.PrivateKey, error) {
	for counter := byte(1); counter < 255; counter++ {
		message := []byte("\x00\x00\x00\x01" + ECDSA + "\x00" + accessKeyID)
		message = append(message, counter, 0, 0, 1, 0)
		d := mac([]byte("AWS4A"+secret), message)
		if !lessOrEqual(&d, &orderMinusTwo) {
			continue
		}
		for i := len(d) - 1; i >= 0; i-- { // d + 1
			if d[i]++; d[i] != 0 {
				break
			}
		}
		return ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	}
	return nil, errors.New("sigv4: no key for this credential")
}

// lessOrEqual reports whether a ≤ b, both big-endian. It takes the same time for all secrets: the
// borrow of b − a runs from the last byte to the first without a branch, where a comparison would
// stop at the first byte that differs and tell how long that took.
func lessOrEqual(a, b *[32]byte) bool {
	borrow := 0
	for i := len(a) - 1; i >= 0; i-- {
		borrow = (int(b[i]) - int(a[i]) - borrow) >> 8 & 1
	}
	return borrow == 0
}
