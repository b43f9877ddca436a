// Package throttletest has the test suite that a limit by caller must pass, wherever it keeps its
// buckets.
package throttletest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
)

// Clock moves the time that a limiter goes by.
type Clock interface {
	// Advance lets d pass, a whole number of milliseconds.
	Advance(d time.Duration)
}

// Limiter is a limit by caller, such as throttle.Keyed.
type Limiter interface {
	// Check takes a token, or returns a *gatekit.Rejection of type Throttled.
	Check(r *http.Request) error
}

// Callers tells callers apart: what New's limiters must use as their key.
var Callers = throttle.ByHeader("X-Caller")

// Setup is what one test needs.
type Setup struct {
	// Clock is the time that the limiters go by, which the suite lets pass.
	Clock Clock
	// New returns a limiter whose callers are told apart by [Callers], with buckets of its own, all
	// full.
	New func(l throttle.Limit) Limiter
}

// Run tests a kind of limiter. with calls its body once, with what the body needs; it may do so in
// a synctest bubble.
func Run(t *testing.T, with func(t *testing.T, body func(t *testing.T, s Setup))) {
	for name, body := range map[string]func(*testing.T, Setup){
		"burst-and-refill":      burstAndRefill,
		"retry-after":           retryAfter,
		"fractions-add-up":      fractions,
		"zero-blocks":           zero,
		"callers-are-separate":  callers,
		"odd-callers":           oddCallers,
		"never-above-the-burst": neverAbove,
		"refusals-are-free":     refusals,
		"agrees-with-counting":  walk,
	} {
		t.Run(name, func(t *testing.T) { with(t, body) })
	}
}

func request(caller string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["X-Caller"] = []string{caller}
	return r
}

// ask returns "ok", or what Retry-After says, "" if there is none.
func ask(t *testing.T, l Limiter, caller string) string {
	t.Helper()
	err := l.Check(request(caller))
	if err == nil {
		return "ok"
	}
	var why *gatekit.Rejection
	if !errors.As(err, &why) || why.Type != gatekit.Throttled {
		t.Fatalf("%q: %v, want a Rejection of type Throttled", caller, err)
	}
	if why.RetryAfter == 0 {
		return ""
	}
	return fmt.Sprint(int64(math.Ceil(why.RetryAfter.Seconds())))
}

func expect(t *testing.T, l Limiter, caller string, want ...string) {
	t.Helper()
	for i, w := range want {
		if got := ask(t, l, caller); got != w {
			t.Fatalf("request %d: %q, want %q", i, got, w)
		}
	}
}

func burstAndRefill(t *testing.T, s Setup) {
	l := s.New(throttle.Limit{Rate: 2, Burst: 3})
	expect(t, l, "a", "ok", "ok", "ok", "1", "1")
	s.Clock.Advance(499 * time.Millisecond)
	expect(t, l, "a", "1")
	s.Clock.Advance(time.Millisecond)
	expect(t, l, "a", "ok", "1")
	s.Clock.Advance(time.Second)
	expect(t, l, "a", "ok", "ok", "1")
}

func retryAfter(t *testing.T, s Setup) {
	l := s.New(throttle.Limit{Rate: 0.1, Burst: 1})
	expect(t, l, "a", "ok", "10")
	for left := 10; left > 1; left-- {
		s.Clock.Advance(time.Millisecond)
		expect(t, l, "a", fmt.Sprint(left)) // rounded up
		s.Clock.Advance(999 * time.Millisecond)
		expect(t, l, "a", fmt.Sprint(left-1))
	}
	s.Clock.Advance(999 * time.Millisecond)
	expect(t, l, "a", "1")
	s.Clock.Advance(time.Millisecond)
	expect(t, l, "a", "ok")
	l = s.New(throttle.Limit{Rate: 1e-6, Burst: 1})
	expect(t, l, "a", "ok", "1000000")
}

// Parts of a token that come between requests aren't lost.
func fractions(t *testing.T, s Setup) {
	for _, rate := range []float64{1.0 / 3, 0.7, 3, 7, 30} {
		l := s.New(throttle.Limit{Rate: rate, Burst: 2})
		admitted := 0
		const step, steps = 7 * time.Millisecond, 600 // 4.2 s
		for range steps {
			if ask(t, l, "a") == "ok" {
				admitted++
			}
			s.Clock.Advance(step)
		}
		want := 2 + rate*(step*(steps-1)).Seconds()
		if got := float64(admitted); got > want+0.001 || got < want-1.001 {
			t.Fatalf("%v a second: admitted %d, want %.2f less at most 1", rate, admitted, want)
		}
	}
}

func zero(t *testing.T, s Setup) {
	l := s.New(throttle.Limit{})
	expect(t, l, "a", "", "")
	s.Clock.Advance(time.Hour)
	expect(t, l, "a", "")
}

func callers(t *testing.T, s Setup) {
	l := s.New(throttle.Limit{Rate: 1, Burst: 1})
	for i := range 200 {
		expect(t, l, fmt.Sprint("caller ", i), "ok")
	}
	for i := range 200 {
		expect(t, l, fmt.Sprint("caller ", i), "1")
	}
	other := s.New(throttle.Limit{Rate: 1, Burst: 1})
	expect(t, other, "caller 0", "ok", "1")
}

func oddCallers(t *testing.T, s Setup) {
	l := s.New(throttle.Limit{Rate: 1, Burst: 1})
	for _, caller := range []string{"", " ", "\x00", "\xff\xfe", "{a}", "{a}b", "a:b", "*", "?", "[a]",
		"a\r\nSET x 1", "ключ", strings.Repeat("x", 1<<20), strings.Repeat("x", 1<<20) + "y"} {
		expect(t, l, caller, "ok", "1")
	}
}

func neverAbove(t *testing.T, s Setup) {
	l := s.New(throttle.Limit{Rate: 10, Burst: 2})
	expect(t, l, "a", "ok")
	s.Clock.Advance(24 * time.Hour)
	expect(t, l, "a", "ok", "ok", "1")
}

func refusals(t *testing.T, s Setup) {
	l := s.New(throttle.Limit{Rate: 1, Burst: 1})
	expect(t, l, "a", "ok")
	for range 100 {
		s.Clock.Advance(5 * time.Millisecond)
		expect(t, l, "a", "1")
	}
	s.Clock.Advance(500 * time.Millisecond)
	expect(t, l, "a", "ok", "1")
}

// walk compares a random walk with a bucket counted in ten-thousandths of a token, which the rates
// give a whole number of each millisecond.
func walk(t *testing.T, s Setup) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, rate := range []float64{0.1, 0.5, 1, 2.5, 40} {
		burst := rnd.IntN(5) + 1
		l := s.New(throttle.Limit{Rate: rate, Burst: burst})
		const token = 10_000
		perMilli := int(rate * 10)
		have := burst * token
		for step := range 400 {
			want := "ok"
			if have >= token {
				have -= token
			} else {
				millis := (token - have + perMilli - 1) / perMilli
				want = fmt.Sprint((millis + 999) / 1000)
			}
			if got := ask(t, l, "a"); got != want {
				t.Fatalf("%v a second, burst %d, step %d: %q, want %q", rate, burst, step, got, want)
			}
			if rnd.IntN(3) > 0 {
				millis := rnd.IntN(int(1000/rate)) + 1
				s.Clock.Advance(time.Duration(millis) * time.Millisecond)
				have = min(have+millis*perMilli, burst*token)
			}
		}
	}
}
