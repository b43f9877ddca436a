// Package window counts requests by key in windows that slide: how many of a key's there were in
// the last so many seconds, as a rate-based rule asks. (AWS WAF developer guide, "Using rate-based
// rule statements in AWS WAF".)
//
// A count is kept by whole seconds, so a request leaves it up to a second early, and never late.
// The service's own is an estimate that lags by many seconds.
//
// A key that was seen in up to five seconds of its window costs 48 bytes of a table that is at most
// four fifths full; one that was seen in more costs 4 to 6 more for each, and 40. The table is that
// of the limiters, internal/bucket: what it forgets when it is full are the keys with the lowest
// counts.
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

// maxWindow is the longest window. Two of them must be less than what a tally's second can tell.
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
		s.Insert(hash, counter{window: uint16(window / time.Second), last: second, now: 1}, int64(second))
		return 1, nil
	}
	c.window = uint16(window / time.Second)
	if second > c.last {
		c.advance(second)
	}
	if c.total() < math.MaxUint32 { // more than can come in an hour
		c.now++
	}
	return c.total(), nil
}

// Len returns for how many keys there is an entry.
func (m *Memory) Len() int { return m.keys.Len() }

// counter is one key's. What a table of a million keys costs is the places in memory that a count
// touches: so the few seconds of most keys stand here, and the others' sum.
type counter struct {
	last   uint32 // second in which it was seen last, of those since the start
	now    uint32 // how often then
	before uint32 // how often in the seconds before, within the window
	window uint16 // in seconds
	n      uint8  // of few
	few    [4]tally
	more   *ring // instead of few, if they are more
}

// tally is a second, of which the lower bits do, and how often the key was seen in it. One that
// is too often for the number has several.
type tally struct{ at, count uint16 }

func (c *counter) total() int64 { return int64(c.before) + int64(c.now) }

// Worth is what the key counts: nothing once its last request has left the window.
func (c counter) Worth(now int64) int64 {
	if now-int64(c.last) >= int64(c.window) {
		return 0
	}
	return c.total()
}

// advance begins a later second, and forgets those that leave the window by then.
func (c *counter) advance(second uint32) {
	if second-c.last >= uint32(c.window) {
		*c = counter{last: second, window: c.window}
		return
	}
	for left := c.now; left > 0; {
		count := min(left, math.MaxUint16)
		c.push(tally{uint16(c.last), uint16(count)})
		left -= count
	}
	c.before += c.now
	c.last, c.now = second, 0
	for c.n > 0 && c.left(c.few[0]) {
		c.before -= uint32(c.few[0].count)
		copy(c.few[:], c.few[1:c.n])
		c.n--
	}
	for c.more != nil && c.left(c.more.first()) {
		c.before -= uint32(c.more.first().count)
		if c.more.drop(); c.more.n == 0 {
			c.more = nil
		}
	}
}

// left reports whether a second before the last has left the window.
func (c *counter) left(t tally) bool { return uint16(c.last)-t.at >= c.window }

func (c *counter) push(t tally) {
	if c.more == nil {
		if int(c.n) < len(c.few) {
			c.few[c.n] = t
			c.n++
			return
		}
		c.more, c.n = &ring{}, 0
		for _, t := range c.few {
			c.more.push(t)
		}
	}
	c.more.push(t)
}

// ring is a queue of tallies, the oldest first.
type ring struct {
	tallies []tally
	from, n int32
}

func (r *ring) first() tally { return r.tallies[r.from] }

func (r *ring) drop() {
	r.from = r.place(1)
	r.n--
}

// push makes the ring larger where it is full, and smaller where it is mostly empty.
func (r *ring) push(t tally) {
	if size := int32(len(r.tallies)); r.n == size || size > 16 && r.n < size/4 {
		fitting := make([]tally, r.n+r.n/2+8)
		for i := range r.n {
			fitting[i] = r.tallies[r.place(i)]
		}
		r.tallies, r.from = fitting, 0
	}
	r.tallies[r.place(r.n)] = t
	r.n++
}

// place is where the tally is that is i behind the first.
func (r *ring) place(i int32) int32 {
	if i += r.from; i >= int32(len(r.tallies)) {
		i -= int32(len(r.tallies))
	}
	return i
}
