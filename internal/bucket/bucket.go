// Package bucket is a table of token buckets, one a key, that costs 16 bytes a slot and no
// goroutine; and [Keys], the table below it, for whatever else is kept of callers by the million.
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
	"math"
	"time"
)

// Table is a set of buckets of one size, by key. It is safe for concurrent use.
type Table struct {
	*Keys[level]
	start time.Time
	shift uint  // ticks are 2^-shift nanoseconds
	token int64 // ticks that one token takes to come back; 0: the bucket is always empty
	whole int64 // ticks from empty to full
}

// level is when a bucket is full again, in ticks since the table's start.
type level int64

// Worth is how much is missing of the bucket. To forget the fullest gives its caller the fewest
// tokens back.
func (l level) Worth(now int64) int64 { return int64(l) - now }

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
	t := &Table{Keys: NewKeys[level](maxKeys), start: time.Now()}
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

// Take takes a token from the bucket of hash, if one is there. A refusal takes nothing. It doesn't
// block but for other Takes.
func (t *Table) Take(hash uint64) Verdict {
	if t.token == 0 {
		return Verdict{Wait: Never, Full: Never}
	}
	now := int64(time.Since(t.start)) << t.shift
	s := t.Lock(hash)
	b := s.Find(hash)
	full := now
	if b != nil && int64(*b) > now {
		full = int64(*b)
	}
	after := full + t.token
	if after-now > t.whole {
		s.Unlock()
		return Verdict{Wait: t.duration(after - t.whole - now), Full: t.duration(full - now)}
	}
	if b != nil {
		*b = level(after)
	} else {
		s.Insert(hash, level(after), now)
	}
	s.Unlock()
	return Verdict{OK: true, Left: int((t.whole - (after - now)) / t.token), Full: t.duration(after - now)}
}

// Give puts back the token that a Take of hash took.
func (t *Table) Give(hash uint64) {
	s := t.Lock(hash)
	if b := s.Find(hash); b != nil {
		*b -= level(t.token) // at the latest when the bucket would be full anyway
	}
	s.Unlock()
}

// duration rounds up: a caller who waits it out finds the token.
func (t *Table) duration(ticks int64) time.Duration {
	return time.Duration((ticks + int64(1)<<t.shift - 1) >> t.shift)
}
