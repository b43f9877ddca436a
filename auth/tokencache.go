package auth

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gatekit-go/gatekit"
)

// tokenCache keeps verified tokens by their whole text, so that a token's second request costs a look-up. It holds what was
// verified, never a verdict on a route: times and scopes are checked on each use.
//
// Reading takes no lock and writes nothing that two readers share: a slot is a pointer, and the slots of one hash are one
// cache line. What is put in is bounded in number and in bytes of token text; a hand that goes round the slots, as in the CLOCK
// algorithm, takes out what hasn't been used since it last came by.
type tokenCache struct {
	maxTokens int
	maxBytes  int64
	seed      maphash.Seed
	current   atomic.Pointer[tokenTable]
}

// ways is how many slots a hash has: 8 pointers, one cache line.
const ways = 8

type tokenTable struct {
	sets [][ways]atomic.Pointer[verifiedToken]

	writing sync.Mutex // over what follows, and all stores to sets
	tokens  int
	bytes   int64
	hand    int
}

// verifiedToken is a token whose signature and claims were found good.
type verifiedToken struct {
	text               string
	authorization      *gatekit.Authorization
	expires, notBefore float64
	used               atomic.Bool
}

// newTokenCache returns nil, which keeps nothing, if maxTokens is negative.
func newTokenCache(maxTokens int, maxBytes int64) *tokenCache {
	if maxTokens < 0 {
		return nil
	}
	c := &tokenCache{maxTokens: maxTokens, maxBytes: maxBytes, seed: maphash.MakeSeed()}
	c.clear()
	return c
}

// clear forgets everything. A token that is being verified meanwhile goes into the table that was current when that began.
func (c *tokenCache) clear() {
	if c == nil {
		return
	}
	// Twice as many slots as tokens, so that few sets are full before the cache is.
	sets := 1
	for sets*ways < 2*c.maxTokens {
		sets *= 2
	}
	c.current.Store(&tokenTable{sets: make([][ways]atomic.Pointer[verifiedToken], sets)})
}

func (c *tokenCache) table() *tokenTable {
	if c == nil {
		return nil
	}
	return c.current.Load()
}

func (c *tokenCache) set(t *tokenTable, text string) *[ways]atomic.Pointer[verifiedToken] {
	return &t.sets[maphash.String(c.seed, text)&uint64(len(t.sets)-1)]
}

// get returns the verified token whose text is text, or nil.
func (c *tokenCache) get(text string) *verifiedToken {
	if c == nil {
		return nil
	}
	set := c.set(c.current.Load(), text)
	for i := range set {
		if v := set[i].Load(); v != nil && v.text == text {
			if !v.used.Load() { // a store only where it changes something: it would take the line from other cores
				v.used.Store(true)
			}
			return v
		}
	}
	return nil
}

// put keeps v in t, which table returned before v's verification began.
func (c *tokenCache) put(t *tokenTable, v *verifiedToken) {
	if c == nil || int64(len(v.text)) > c.maxBytes {
		return
	}
	v.text = strings.Clone(v.text) // not the header that it is a part of
	t.writing.Lock()
	defer t.writing.Unlock()
	set := c.set(t, v.text)
	free := -1
	for i := range set {
		switch old := set[i].Load(); {
		case old == nil:
			free = i
		case old.text == v.text:
			return // another request was faster
		}
	}
	if free < 0 {
		free = t.victim(set)
		t.drop(&set[free])
	}
	for t.tokens >= c.maxTokens || t.bytes+int64(len(v.text)) > c.maxBytes {
		t.evict()
	}
	set[free].Store(v)
	t.tokens++
	t.bytes += int64(len(v.text))
}

// forget takes out v, which has expired.
func (c *tokenCache) forget(v *verifiedToken) {
	if c == nil {
		return
	}
	t := c.current.Load()
	t.writing.Lock()
	defer t.writing.Unlock()
	set := c.set(t, v.text)
	for i := range set {
		if set[i].Load() == v {
			t.drop(&set[i])
		}
	}
}

func (t *tokenTable) drop(slot *atomic.Pointer[verifiedToken]) {
	if old := slot.Swap(nil); old != nil {
		t.tokens--
		t.bytes -= int64(len(old.text))
	}
}

// victim returns a slot of a full set whose token wasn't used lately, and lets the others' use be forgotten.
func (t *tokenTable) victim(set *[ways]atomic.Pointer[verifiedToken]) int {
	for i := range set {
		if !set[i].Load().used.Swap(false) {
			return i
		}
	}
	return 0
}

// evict takes out the next token that wasn't used since the hand last passed, or, after a round in which all were, the next one.
func (t *tokenTable) evict() {
	slots := len(t.sets) * ways
	for i := range 2 * slots {
		slot := &t.sets[t.hand/ways][t.hand%ways]
		t.hand = (t.hand + 1) % slots
		if v := slot.Load(); v != nil && (i >= slots || !v.used.Swap(false)) {
			t.drop(slot)
			return
		}
	}
}
