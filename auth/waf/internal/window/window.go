// Package window counts requests by key in windows that slide: how many of a key's there were in
// the last so many seconds, as a rate-based rule asks. (AWS WAF developer guide, "Using rate-based
// rule statements in AWS WAF".)
//
// A count is kept by whole seconds, so a request leaves it up to a second early, and never late.
// The service's own is an estimate that lags by many seconds.
//
// A key that was seen in one second of its window alone costs 32 bytes of a table that is at most
// four fifths full; one that was seen in others, too, costs 80 more, and from the fifth of those on
// 8 to 12 for each. The table is that of the limiters, internal/bucket: what it forgets when it is
// full are the keys with the lowest counts.
package window

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/gatekit-go/gatekit/internal/bucket"
)

// Memory counts in this process. It starts no goroutine, and is safe for concurrent use.
type Memory struct {
	start time.Time
	keys  *bucket.Keys[counter]
}

// maxWindow is the longest window, and with 12 bytes a second what a key may cost.
const maxWindow = time.Hour

// NewMemory returns counts of at most about so many keys.
func NewMemory(keys int) *Memory {
	return &Memory{start: time.Now(), keys: bucket.NewKeys[counter](keys)}
}

// Count counts one request of key, and returns how many there were within the window that ends now,
// this one included. A window is 1 second to 1 hour, in whole seconds, and the same for a key each
// time. It doesn't block.
func (m *Memory) Count(_ context.Context, key string, window time.Duration) (int64, error) {
	return m.count(m.keys.Hash(key), window)
}

// CountBytes is Count for a key in bytes, which are the caller's again when it returns.
func (m *Memory) CountBytes(key []byte, window time.Duration) (int64, error) {
	return m.count(m.keys.HashBytes(key), window)
}

func (m *Memory) count(hash uint64, window time.Duration) (int64, error) {
	if window < time.Second || window > maxWindow || window%time.Second != 0 {
		return 0, fmt.Errorf("window: want 1s to %v in whole seconds, got %v", maxWindow, window)
	}
	second := uint32(time.Since(m.start) / time.Second)
	s := m.keys.Lock(hash)
	defer s.Unlock()
	c := s.Find(hash)
	if c == nil {
		s.Insert(hash, counter{window: uint32(window / time.Second), last: second, now: 1}, int64(second))
		return 1, nil
	}
	c.window = uint32(window / time.Second)
	if second > c.last {
		c.advance(second)
	}
	if c.now < math.MaxUint32 {
		c.now++
	}
	return c.total(), nil
}

// Len returns for how many keys there is an entry.
func (m *Memory) Len() int { return m.keys.Len() }

// counter is one key's.
type counter struct {
	window uint32 // in seconds
	last   uint32 // second in which it was seen last, of those since the start
	now    uint32 // how often then
	before *past  // nil if never within the window before
}

// past is a queue of the seconds before the last, the oldest first, in a ring. The first few stand
// beside it: what a table of a million keys costs is the places in memory that a count touches.
type past struct {
	sum     int64
	seconds []second
	from, n int32
	few     [4]second
}

type second struct{ at, count uint32 }

func (c *counter) total() int64 {
	if c.before == nil {
		return int64(c.now)
	}
	return c.before.sum + int64(c.now)
}

// Worth is what the key counts: nothing once its last request has left the window.
func (c counter) Worth(now int64) int64 {
	if now-int64(c.last) >= int64(c.window) {
		return 0
	}
	return c.total()
}

// advance begins a later second, and forgets those that leave the window by then.
func (c *counter) advance(now uint32) {
	if now-c.last >= c.window {
		c.before = nil
	} else {
		if c.before == nil {
			c.before = &past{}
		}
		c.before.push(second{c.last, c.now})
		c.before.drop(now, c.window)
	}
	c.last, c.now = now, 0
}

// push makes the ring larger where it is full, and smaller where it is mostly empty.
func (p *past) push(s second) {
	if size := int32(len(p.seconds)); p.n == size || size > 4*int32(len(p.few)) && p.n < size/4 {
		fitting := p.few[:]
		if size > 0 {
			fitting = make([]second, p.n+p.n/2+2)
		}
		for i := range p.n {
			fitting[i] = p.seconds[p.place(i)]
		}
		p.seconds, p.from = fitting, 0
	}
	p.seconds[p.place(p.n)] = s
	p.n++
	p.sum += int64(s.count)
}

// place is where the second is that is i behind the oldest.
func (p *past) place(i int32) int32 {
	if i += p.from; i >= int32(len(p.seconds)) {
		i -= int32(len(p.seconds))
	}
	return i
}

// drop forgets the seconds that are a window old at now.
func (p *past) drop(now, window uint32) {
	for p.n > 0 && now-p.seconds[p.from].at >= window {
		p.sum -= int64(p.seconds[p.from].count)
		p.from = p.place(1)
		p.n--
	}
}
