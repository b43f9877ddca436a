// Package bucket is a table of token buckets, one a key, that costs 16 bytes a slot and no
// goroutine.
//
// A bucket is kept as the generic cell rate algorithm keeps it: one number, the time at which the
// bucket will be full again. A token moves that time on by the time that a token takes to come
// back; a request is refused while it lies further ahead than a whole bucket takes. That is the
// token bucket exactly, without a counter and a time to keep in step. A bucket whose time has
// passed is full, as one that was never used is: it needs no slot.
package bucket

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"time"
)

// Table is a set of buckets of one size, by key. It is safe for concurrent use.
//
// A key is kept as a 64-bit hash under a seed of the process's own. Two keys with one hash share a
// bucket; among n keys in use that happens with a probability of about n²/2^65: one in 37 million
// for a million keys. Nobody outside can look for such keys, as the seed is secret.
type Table struct {
	seed     maphash.Seed
	start    time.Time
	shift    uint  // ticks are 2^-shift nanoseconds
	token    int64 // ticks that one token takes to come back; 0: the bucket is always empty
	whole    int64 // ticks from empty to full
	maxShard int   // buckets a shard
	shards   [shardCount]shard
}

const (
	shardCount = 64
	minSlots   = 8
	sampled    = 16
)

// shard is a part of the table with a lock of its own, on cache lines of its own.
type shard struct {
	mu    sync.Mutex
	slots []slot // open addressing, linear probing
	used  int
	_     [128 - 8 - 24 - 8]byte
}

type slot struct {
	hash uint64 // 0: free
	full int64  // when the bucket is full again, in ticks since the table's start
}

// Verdict is what Take found.
type Verdict struct {
	OK bool
	// Wait is how long it takes until a token is there, if not OK. It is Never if none ever will
	// be.
	Wait time.Duration
	// Left is how many tokens are left.
	Left int
	// Full is how long it takes until the bucket is full.
	Full time.Duration
}

// Never is the Wait of a bucket that gets no tokens.
const Never = time.Duration(math.MaxInt64)

const (
	maxFill  = 100 * 365 * 24 * time.Hour
	maxToken = 1e9 // tokens a second that can be told apart
)

// New returns a table of buckets that hold burst tokens and get rate tokens a second. Either 0
// makes buckets that are always empty. It keeps at most about maxKeys buckets that aren't full.
func New(rate float64, burst, maxKeys int) (*Table, error) {
	t := &Table{seed: maphash.MakeSeed(), start: time.Now(), maxShard: max(maxKeys/shardCount, minSlots)}
	if rate == 0 || burst == 0 {
		return t, nil
	}
	if err := Check(rate, burst); err != nil {
		return nil, err
	}
	fill := fillSeconds(rate, burst)
	if maxKeys < 1 {
		return nil, errors.New("want room for at least one key")
	}
	nanos := 1e9 / min(rate, maxToken)
	if nanos < 1e6 && fill < maxFill.Seconds()/100 {
		// Sixteenths of a nanosecond: exact to a millionth at 10,000 a second, and 18 years until
		// it overflows.
		t.shift = 4
	}
	t.token = int64(math.Round(nanos * float64(int64(1)<<t.shift)))
	t.whole = t.token * int64(burst)
	return t, nil
}

// Check returns an error if no bucket can be of that size: rate and burst are finite and not
// negative.
func Check(rate float64, burst int) error {
	if rate == 0 || burst == 0 || fillSeconds(rate, burst) <= maxFill.Seconds() {
		return nil
	}
	return fmt.Errorf("want a bucket that is full again within 100 years, at a billion tokens a second at the most, "+
		"got %.3g tokens at %.3g a second", float64(burst), rate)
}

func fillSeconds(rate float64, burst int) float64 { return float64(burst) / min(rate, maxToken) }

// Hash returns the hash of a key for Take.
func (t *Table) Hash(key string) uint64 { return nonzero(maphash.String(t.seed, key)) }

// HashBytes is Hash for a key in bytes. It equals Hash of the same bytes.
func (t *Table) HashBytes(key []byte) uint64 { return nonzero(maphash.Bytes(t.seed, key)) }

func nonzero(h uint64) uint64 { return max(h, 1) }

// Take takes a token from the bucket of hash, if one is there. A refusal takes nothing. It doesn't
// block but for other Takes.
func (t *Table) Take(hash uint64) Verdict {
	if t.token == 0 {
		return Verdict{Wait: Never, Full: Never}
	}
	now := int64(time.Since(t.start)) << t.shift
	s := &t.shards[hash>>58]
	s.mu.Lock()
	b := s.find(hash)
	full := now
	if b != nil && b.full > now {
		full = b.full
	}
	after := full + t.token
	if after-now > t.whole {
		s.mu.Unlock()
		return Verdict{Wait: t.duration(after - t.whole - now), Full: t.duration(full - now)}
	}
	if b != nil {
		b.full = after
	} else {
		s.insert(slot{hash, after}, now, t.maxShard)
	}
	s.mu.Unlock()
	return Verdict{OK: true, Left: int((t.whole - (after - now)) / t.token), Full: t.duration(after - now)}
}

// Give puts back the token that a Take of hash took.
func (t *Table) Give(hash uint64) {
	s := &t.shards[hash>>58]
	s.mu.Lock()
	if b := s.find(hash); b != nil {
		b.full -= t.token // at the latest when the bucket would be full anyway
	}
	s.mu.Unlock()
}

// duration rounds up: a caller who waits it out finds the token.
func (t *Table) duration(ticks int64) time.Duration {
	return time.Duration((ticks + int64(1)<<t.shift - 1) >> t.shift)
}

// home is where hash's slot would be in a table of n: its lower bits, scaled, so that n may be any
// number.
func home(hash uint64, n int) int {
	hi, _ := bits.Mul64(hash<<6, uint64(n)) // the upper six bits choose the shard
	return int(hi)
}

func (s *shard) find(hash uint64) *slot {
	n := len(s.slots)
	if n == 0 {
		return nil
	}
	for i := home(hash, n); ; {
		switch s.slots[i].hash {
		case hash:
			return &s.slots[i]
		case 0:
			return nil
		}
		if i++; i == n {
			i = 0
		}
	}
}

// insert puts in a bucket that isn't there.
func (s *shard) insert(b slot, now int64, maxUsed int) {
	if s.used >= maxUsed {
		s.evict(b.hash, now)
	} else if (s.used+1)*5 > len(s.slots)*4 { // at most four fifths are in use, so that a free slot ends each search
		s.rebuild(now)
	}
	n := len(s.slots)
	i := home(b.hash, n)
	for s.slots[i].hash != 0 {
		if i++; i == n {
			i = 0
		}
	}
	s.slots[i] = b
	s.used++
}

// rebuild drops the buckets that are full by now, which is most of them where keys come and go, and
// makes room for half as many again as are left.
func (s *shard) rebuild(now int64) {
	live := 0
	for _, b := range s.slots {
		if b.hash != 0 && b.full > now {
			live++
		}
	}
	old := s.slots
	s.slots = make([]slot, max(minSlots, (live+1)*15/8)) // half as many again at four fifths: 1.5 / 0.8
	s.used = live
	n := len(s.slots)
	for _, b := range old {
		if b.hash == 0 || b.full <= now {
			continue
		}
		i := home(b.hash, n)
		for s.slots[i].hash != 0 {
			if i++; i == n {
				i = 0
			}
		}
		s.slots[i] = b
	}
}

// evict makes room in a shard that holds all the buckets it may: of some that lie where the new one
// goes, it drops the fullest. That gives its caller the fewest tokens back. So a flood of new keys,
// each of which has used one token, drives out its own, and not the bucket of somebody who is at
// the limit.
func (s *shard) evict(hash uint64, now int64) {
	n := len(s.slots)
	victim := -1
	for i, seen := home(hash, n), 0; seen < sampled || victim < 0; seen++ {
		if b := s.slots[i]; b.hash != 0 && (victim < 0 || b.full < s.slots[victim].full) {
			if victim = i; b.full <= now {
				break
			}
		}
		if i++; i == n {
			i = 0
		}
	}
	// Move up what was displaced by the victim, so that no search ends at its slot too early.
	for i := victim; ; {
		if i++; i == n {
			i = 0
		}
		b := s.slots[i]
		if b.hash == 0 {
			break
		}
		if distance(home(b.hash, n), i, n) >= distance(victim, i, n) {
			s.slots[victim] = b
			victim = i
		}
	}
	s.slots[victim] = slot{}
	s.used--
}

func distance(from, to, n int) int {
	if to < from {
		return to + n - from
	}
	return to - from
}

// Len returns how many buckets have a slot.
func (t *Table) Len() int {
	total := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		total += s.used
		s.mu.Unlock()
	}
	return total
}
