package waftest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// Counter is waf.Counter.
type Counter interface {
	Count(ctx context.Context, key string, window time.Duration) (int64, error)
}

// CounterSetup is what one test of a counter needs.
type CounterSetup struct {
	// Advance lets time pass for the counter, a whole number of seconds.
	Advance func(time.Duration)
	// New returns counters that have counted nothing, of so many machines that share their counts.
	// Where only one process can count, they are all one.
	New func(machines int) []Counter
}

// RunCounter tests a kind of waf.Counter. with calls its body once, with what the body needs; it
// may do so in a synctest bubble.
func RunCounter(t *testing.T, with func(t *testing.T, body func(t *testing.T, s CounterSetup))) {
	for name, body := range timed {
		t.Run(name, func(t *testing.T) { with(t, body) })
	}
	for name, body := range timeless {
		t.Run(name, func(t *testing.T) {
			with(t, func(t *testing.T, s CounterSetup) { body(t, s.New) })
		})
	}
}

// RunCounterNow is the part of RunCounter that lets no time pass, for counters on servers whose
// clock nobody moves.
func RunCounterNow(t *testing.T, fresh func(machines int) []Counter) {
	for name, body := range timeless {
		t.Run(name, func(t *testing.T) { body(t, fresh) })
	}
}

var timed = map[string]func(*testing.T, CounterSetup){
	"window-slides":        windowSlides,
	"long-silence":         longSilence,
	"agrees-with-counting": agreesWithCounting,
}

var timeless = map[string]func(*testing.T, func(int) []Counter){
	"counts-this-one":     countsThisOne,
	"keys-are-separate":   keysAreSeparate,
	"odd-keys":            oddKeys,
	"machines-count-once": machinesCountOnce,
	"refuses-no-window":   refusesNoWindow,
}

func count(t *testing.T, c Counter, key string, window time.Duration) int64 {
	t.Helper()
	n, err := c.Count(t.Context(), key, window)
	if err != nil {
		t.Fatalf("Count(%q, %v): %v", key, window, err)
	}
	return n
}

func wantCount(t *testing.T, c Counter, key string, window time.Duration, want int64) {
	t.Helper()
	if got := count(t, c, key, window); got != want {
		t.Fatalf("Count(%q, %v) = %d, want %d", key, window, got, want)
	}
}

func countsThisOne(t *testing.T, fresh func(int) []Counter) {
	c := fresh(1)[0]
	for want := range int64(100) {
		wantCount(t, c, "a", time.Minute, want+1)
	}
}

func keysAreSeparate(t *testing.T, fresh func(int) []Counter) {
	c := fresh(1)[0]
	wantCount(t, c, "a", time.Minute, 1)
	wantCount(t, c, "b", time.Minute, 1)
	wantCount(t, c, "a", time.Minute, 2)
	wantCount(t, fresh(1)[0], "a", time.Minute, 1)
}

// Keys are bytes, whatever they spell, and as long as they may be.
func oddKeys(t *testing.T, fresh func(int) []Counter) {
	c := fresh(1)[0]
	long := string(make([]byte, 4096))
	for _, key := range []string{"", "\x00", "\x00\x00", "\xff", "{a}", "a b\r\n", "a:b", long, "é", "É"} {
		wantCount(t, c, key, time.Minute, 1)
		wantCount(t, c, key, time.Minute, 2)
	}
}

// A request counts for a window, to the second or as finely as the counter keeps it: a sixtieth of
// the window.
func windowSlides(t *testing.T, s CounterSetup) {
	for _, window := range []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute} {
		c, step := s.New(1)[0], window/60
		wantCount(t, c, "a", window, 1)
		s.Advance(window / 2)
		wantCount(t, c, "a", window, 2)
		s.Advance(window/2 - 2*step)
		wantCount(t, c, "a", window, 3)
		s.Advance(3 * step) // the first has left
		wantCount(t, c, "a", window, 3)
		s.Advance(window / 2)
		wantCount(t, c, "a", window, 3) // the second has
	}
}

func longSilence(t *testing.T, s CounterSetup) {
	c := s.New(1)[0]
	for range 10 {
		count(t, c, "a", time.Minute)
		s.Advance(time.Second)
	}
	for _, pause := range []time.Duration{time.Minute, 2 * time.Minute, time.Hour, 240 * time.Hour} {
		s.Advance(pause + time.Second)
		wantCount(t, c, "a", time.Minute, 1)
	}
}

// Requests that machines count at once are each counted once: of n, every count from 1 to n is
// somebody's.
func machinesCountOnce(t *testing.T, fresh func(int) []Counter) {
	machines := fresh(4)
	const each = 50
	seen := make([]int, each*len(machines)+1)
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, c := range machines {
		all.Go(func() {
			for range each {
				n, err := c.Count(t.Context(), "a", 10*time.Minute)
				mu.Lock()
				if err != nil || n < 1 || int(n) >= len(seen) {
					t.Errorf("Count = %d, %v", n, err)
				} else {
					seen[n]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for n, times := range seen[1:] {
		if times != 1 {
			t.Fatalf("%d of %d requests are number %d", times, len(seen)-1, n+1)
		}
	}
}

// Against a list of all requests and their seconds: a count lies between that of the window and
// that of the window without the part that is kept together.
func agreesWithCounting(t *testing.T, s CounterSetup) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, window := range []time.Duration{time.Minute, 2 * time.Minute} {
		c, step := s.New(1)[0], max(window/60, time.Second)
		var now time.Duration
		requests := map[string][]time.Duration{}
		for range 600 {
			key := fmt.Sprint("key-", rnd.IntN(3))
			requests[key] = append(requests[key], now)
			var most, least int64
			for _, at := range requests[key] {
				if now-at < window+step {
					most++
				}
				if now-at < window-step {
					least++
				}
			}
			if got := count(t, c, key, window); got < least || got > most {
				t.Fatalf("%s after %v: %d, want %d to %d within %v", key, now, got, least, most, window)
			}
			if rnd.IntN(3) == 0 {
				d := time.Duration(rnd.IntN(1+rnd.IntN(20))) * time.Second
				now += d
				s.Advance(d)
			}
		}
	}
}

func refusesNoWindow(t *testing.T, fresh func(int) []Counter) {
	c := fresh(1)[0]
	for _, window := range []time.Duration{
		0, -time.Second, time.Millisecond, 1500 * time.Millisecond, time.Hour + time.Second,
	} {
		if n, err := c.Count(t.Context(), "a", window); err == nil {
			t.Errorf("Count(%v) = %d, want an error", window, n)
		}
	}
	wantCount(t, c, "a", time.Hour, 1)
	wantCount(t, c, "b", time.Second, 1)
}
