package auth

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// signingKey is what verifies a credential's signatures.
type signingKey struct {
	hmac  sigv4.HMACKey
	ecdsa *ecdsa.PublicKey // SigV4A
}

// derivedFrom is all that a signing key depends on: the key's id in SigV4A alone, the scope in
// SigV4 alone.
type derivedFrom struct{ algorithm, keyID, secret, date, region, service string }

// key derives the key, or finds it among those derived before. The secret is part of what it is
// found by: after a rotation it is another. All who are unknown share one, so that they can neither
// fill the cache nor tell by the time that their key was derived just now.
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

// replayCache remembers what was signed until it expires. It is asked about verified requests only,
// so nobody without a key can fill it. It keeps what was signed and not the signature: SigV4A has
// many for one request.
type replayCache struct {
	most int

	mu    sync.Mutex
	seen  map[[sha256.Size]byte]time.Time
	swept time.Time
}

func newReplayCache(most int) *replayCache {
	if most == 0 {
		return nil
	}
	return &replayCache{most: most, seen: map[[sha256.Size]byte]time.Time{}}
}

// check refuses what was seen before. When it is full it looks for what has expired, once a second
// at most, and then refuses what is new.
func (c *replayCache) check(rc *gatekit.RequestContext, digest [sha256.Size]byte, expires, now time.Time) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if until, ok := c.seen[digest]; ok && !now.After(until) {
		return wrongSignature(rc, errReplay)
	}
	if len(c.seen) >= c.most && now.Sub(c.swept) >= time.Second {
		c.swept = now
		for old, until := range c.seen {
			if now.After(until) {
				delete(c.seen, old)
			}
		}
	}
	if len(c.seen) >= c.most {
		return &gatekit.Rejection{Type: gatekit.AuthorizerFailure, Cause: errReplayFull}
	}
	c.seen[digest] = expires
	return nil
}
