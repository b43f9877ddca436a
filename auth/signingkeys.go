package auth

import (
	"crypto/ecdsa"
	"hash/maphash"
	"strings"

	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// signingKey is what verifies a credential's signatures.
type signingKey struct {
	hmac  sigv4.HMACKey
	ecdsa *ecdsa.PublicKey // SigV4A
}

// derivedFrom is all that a signing key depends on: the key's id in SigV4A alone, the scope in SigV4 alone.
type derivedFrom struct{ algorithm, keyID, secret, date, region, service string }

// key derives the key, or finds it among those derived before. The secret is part of what it is found by: after a rotation it is another.
// All who are unknown share one, so that they can neither fill the cache nor tell by the time that their key was derived just now.
func (s *SigV4) key(sent *signed, secret string, unknown bool) (signingKey, error) {
	c := &sent.credential
	at := derivedFrom{algorithm: sigv4.HMAC, secret: secret, date: c.Date, region: c.Region, service: c.Service}
	if sent.algorithm == sigv4.ECDSA {
		at = derivedFrom{algorithm: sigv4.ECDSA, secret: secret, keyID: c.KeyID}
		if unknown {
			at.keyID = "unknown"
		}
	}
	hash := maphash.String(s.seed, secret) ^ maphash.String(s.seed, at.date) ^ maphash.String(s.seed, at.keyID) // what differs; the rest is compared
	if e := s.keys.Get(hash, at); e != nil {
		return e.Value, nil
	}
	var key signingKey
	if at.algorithm == sigv4.HMAC {
		key.hmac = sigv4.DeriveHMACKey(secret, at.date, at.region, at.service)
	} else {
		private, err := sigv4.DeriveECDSAKey(at.keyID, secret)
		if err != nil {
			return key, err
		}
		key.ecdsa = &private.PublicKey
	}
	for _, text := range [...]*string{&at.keyID, &at.date, &at.region, &at.service} {
		*text = strings.Clone(*text) // not the header that it is a part of
	}
	s.keys.Put(s.keys.Table(), hash, at, key, 0)
	return key, nil
}
