package auth

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/sigv4"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// check appends what must have been signed to b, and compares. readable is false if it can't be
// computed: then the request's form or body is at fault, whoever signed it.
func (s *SigV4) check(b []byte, rc *gatekit.RequestContext, r *http.Request, sent *signed, secret string,
	unknown bool) (toSign []byte, readable bool, err error) {
	if toSign, err = s.stringToSign(b, rc, r, sent); err != nil {
		return nil, false, err
	}
	return toSign, true, s.checkSignature(rc, sent, secret, unknown, toSign)
}

// stringToSign appends what must have been signed to toSign.
func (s *SigV4) stringToSign(toSign []byte, rc *gatekit.RequestContext, r *http.Request, sent *signed) ([]byte, error) {
	rules := sigv4.PathRules{KeepSegments: s.config.DisablePathNormalization, EscapeOnce: s.config.DisablePathEscaping}
	switch path := rc.Path.Received(); {
	case path != "" && path[0] != '/': // the asterisk of OPTIONS, whose canonical form is that of /*
		return nil, wrongSignature(rc, errUnclean)
	case !rules.KeepSegments && rc.RouteKey() != "" && !sigv4.IsNormal(path):
		// a router has read the path as it is: no signature is good for two routes
		return nil, wrongSignature(rc, errUnclean)
	}
	var room [2048]byte
	b := append(append(room[:0], r.Method...), '\n')
	b = append(sigv4.AppendURI(b, rc.Path.Received(), rules), '\n')
	b, ok := sigv4.AppendQuery(b, r.URL.RawQuery, sent.leaveOut...)
	if !ok {
		return nil, wrongSignature(rc, errIncomplete)
	}
	b = append(b, '\n')
	if b, ok = sent.appendHeaders(b, r, s.config.AllowUnsignedSessionToken); !ok || sent.token != "" &&
		!sent.tokenSigned && !s.config.AllowUnsignedSessionToken {
		return nil, wrongSignature(rc, errSignedHeaders)
	}
	b = append(append(append(b, '\n'), sent.signedHeaders...), '\n')
	b, err := s.appendBodyHash(b, rc, r)
	if err != nil {
		return nil, err
	}
	return sigv4.AppendStringToSign(toSign, sent.algorithm, sent.date, sent.credential.Scope, b), nil
}

var (
	errUnclean       = errors.New("auth: the path has empty or dot segments, which a signature doesn't tell apart")
	errSignedHeaders = errors.New("auth: SignedHeaders isn't sorted, names a header that isn't there, " +
		"or lacks host or an x-amz- header")
	errBodyHash = errors.New("auth: the body isn't the one that X-Amz-Content-Sha256 names")
)

func (s *SigV4) appendBodyHash(b []byte, rc *gatekit.RequestContext, r *http.Request) ([]byte, error) {
	named, ok := one(r.Header["X-Amz-Content-Sha256"])
	if !ok || named != "" && !sigv4.IsHash(named) && !(named == "UNSIGNED-PAYLOAD" && s.config.AllowUnsignedPayload) {
		return nil, wrongSignature(rc, errBodyHash)
	}
	if named == "UNSIGNED-PAYLOAD" {
		return append(b, named...), nil
	}
	body, err := wholebody.Read("auth", r, s.config.MaxBodyBytes)
	if err != nil {
		return nil, err
	}
	start := len(b)
	if len(body) == 0 {
		b = append(b, sigv4.EmptyHash...)
	} else {
		sum := sha256.Sum256(body)
		b = hex.AppendEncode(b, sum[:])
	}
	if named != "" && string(b[start:]) != named {
		return nil, wrongSignature(rc, errBodyHash)
	}
	return b, nil
}

// checkSignature compares in constant time.
func (s *SigV4) checkSignature(rc *gatekit.RequestContext, sent *signed, secret string, unknown bool,
	toSign []byte) error {
	key, err := s.key(sent, secret, unknown)
	switch {
	case err != nil || !sigv4.IsLowerHex(sent.signature):
	case sent.algorithm == sigv4.HMAC:
		var got [sha256.Size]byte
		if len(sent.signature) != 2*len(got) {
			break
		}
		_, err := hex.Decode(got[:], []byte(sent.signature))
		if want := key.hmac.Sign(toSign); err == nil && subtle.ConstantTimeCompare(want[:], got[:]) == 1 {
			return nil
		}
	default:
		if len(sent.signature) > maxECDSASignature {
			break
		}
		got, err := hex.DecodeString(sent.signature)
		if sum := sha256.Sum256(toSign); err == nil && ecdsa.VerifyASN1(key.ecdsa, sum[:], got) {
			return nil
		}
	}
	return wrongSignature(rc, errWrongSignature)
}

// maxECDSASignature is more than two numbers of 32 bytes take in DER, in hex.
const maxECDSASignature = 2 * 128

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
	// what differs; the rest is compared
	hash := maphash.String(s.seed, secret) ^ maphash.String(s.seed, at.date) ^ maphash.String(s.seed, at.keyID)
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
