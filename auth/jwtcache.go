package auth

import (
	"hash/maphash"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/clock"
)

// tokenCache keeps verified tokens by their whole text, so that a token's second request costs a
// look-up. It holds what was verified, never a verdict on a route: times and scopes are checked on
// each use. nil keeps nothing.
type tokenCache struct {
	seed   maphash.Seed
	tokens *clock.Cache[string, verified]
}

type tokenTable = clock.Table[string, verified]

// verifiedToken is a token whose signature and claims were found good; its text is the key.
type verifiedToken = clock.Entry[string, verified]

type verified struct {
	authorization      *gatekit.Authorization
	by                 *verifier
	expires, notBefore float64
}

// newTokenCache returns nil, which keeps nothing, for no tokens.
func newTokenCache(maxTokens int, maxBytes int64) *tokenCache {
	if maxTokens == 0 {
		return nil
	}
	return &tokenCache{seed: maphash.MakeSeed(), tokens: clock.New[string, verified](maxTokens, maxBytes)}
}

// tokenCacheBytes is how much text that many tokens may have.
func tokenCacheBytes(maxTokens int) int64 {
	return int64(float64(maxTokens) / defaultTokenCache * defaultTokenCacheBytes)
}

// clear forgets everything. A token that is being verified meanwhile goes into the table that was
// current when that began.
func (c *tokenCache) clear() {
	if c != nil {
		c.tokens.Clear()
	}
}

func (c *tokenCache) table() *tokenTable {
	if c == nil {
		return nil
	}
	return c.tokens.Table()
}

// get returns the verified token whose text is text, or nil.
func (c *tokenCache) get(text string) *verifiedToken {
	if c == nil {
		return nil
	}
	return c.tokens.Get(maphash.String(c.seed, text), text)
}

// put keeps what was verified of text in t, which table returned before the verification began.
func (c *tokenCache) put(t *tokenTable, text string, v verified) {
	if c == nil {
		return
	}
	text = strings.Clone(text) // not the header that it is a part of
	c.tokens.Put(t, maphash.String(c.seed, text), text, v, int32(len(text)))
}

// forget takes out v, which has expired.
func (c *tokenCache) forget(v *verifiedToken) {
	if c != nil {
		c.tokens.Remove(maphash.String(c.seed, v.Key), v)
	}
}
