package auth

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/gatekit-go/gatekit"
)

// replayCache remembers what was signed until it expires. It is asked about verified requests only, so nobody without a key can fill it.
// It keeps what was signed and not the signature: SigV4A has many for one request.
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

// check refuses what was seen before. When it is full it looks for what has expired, once a second at most, and then refuses what is new.
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
