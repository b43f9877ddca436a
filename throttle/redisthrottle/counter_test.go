package redisthrottle_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/waftest"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
)

func newCounter(t testing.TB, client redis.UniversalClient, name string, timeout time.Duration) *redisthrottle.Counter {
	c, err := redisthrottle.NewCounter(redisthrottle.CounterConfig{Client: client, Name: name, Timeout: timeout, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return c
}

func TestCounterConformance(t *testing.T) {
	waftest.RunCounter(t, func(t *testing.T, body func(*testing.T, waftest.CounterSetup)) {
		t.Parallel()
		m := newMini(t)
		n := 0
		body(t, waftest.CounterSetup{Advance: m.Advance, New: func(machines int) []waftest.Counter {
			n++
			all := make([]waftest.Counter, machines)
			for i := range all {
				all[i] = newCounter(t, connect(t, m.Addr()), fmt.Sprint("count-", n), 10*time.Second)
			}
			return all
		}})
	})
}

func TestCounterRefuses(t *testing.T) {
	_, err := redisthrottle.NewCounter(redisthrottle.CounterConfig{Name: "no name", Timeout: time.Hour})
	for _, want := range []string{"redisthrottle: CounterConfig.Client: want a redis.UniversalClient, got nil", "Name: want 1 to 64 letters", "Timeout: want 0s, or 1ms to 10s"} {
		require.ErrorContains(t, err, want)
	}
	_, err = redisthrottle.NewCounter(redisthrottle.CounterConfig{Name: "a", Client: redis.NewClient(&redis.Options{})})
	require.ErrorContains(t, err, "ContextTimeoutEnabled")
}

// What Redis keeps of a key says nothing of it, is bounded by the window's parts, and goes.
func TestCounterKeepsLittle(t *testing.T) {
	m := newMini(t)
	c, err := redisthrottle.NewCounter(redisthrottle.CounterConfig{Client: connect(t, m.Addr()), Name: "a", Timeout: 10 * time.Second, Secret: []byte("pepper")})
	require.NoError(t, err)
	for range 2000 {
		_, err := c.Count(t.Context(), "192.0.2.1", 5*time.Minute)
		require.NoError(t, err)
		m.Advance(time.Second)
	}
	require.Len(t, m.Keys(), 1)
	key := m.Keys()[0]
	require.True(t, strings.HasPrefix(key, "gatekit:w:a:300:"), key)
	require.NotContains(t, key, "192.0.2")
	fields, err := m.HKeys(key)
	require.NoError(t, err)
	require.LessOrEqual(t, len(fields), 60+3)
	other := newCounter(t, connect(t, m.Addr()), "a", 10*time.Second)
	n, err := other.Count(t.Context(), "192.0.2.1", 5*time.Minute)
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "another secret, another count")
	m.Advance(5*time.Minute + 6*time.Second)
	require.Empty(t, m.Keys())
}

func TestWindowsAreApart(t *testing.T) {
	c := newCounter(t, connect(t, newMini(t).Addr()), "a", 10*time.Second)
	for _, window := range []time.Duration{time.Minute, 2 * time.Minute, 90 * time.Second} {
		n, err := c.Count(t.Context(), "a", window)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	}
}

// A clock that goes back, by a little and by much, never makes a count stick.
func TestCounterClockGoesBack(t *testing.T) {
	m := newMini(t)
	c := newCounter(t, connect(t, m.Addr()), "a", 10*time.Second)
	count := func() int64 {
		n, err := c.Count(t.Context(), "a", time.Minute)
		require.NoError(t, err)
		return n
	}
	require.EqualValues(t, 1, count())
	m.SetTime(m.now.Add(-10 * time.Second))
	require.EqualValues(t, 2, count(), "it is counted, in the last second")
	m.SetTime(m.now.Add(61 * time.Second))
	require.EqualValues(t, 1, count())
	m.SetTime(m.now.Add(-time.Hour))
	require.EqualValues(t, 1, count(), "anew")
	require.EqualValues(t, 2, count())
	m.SetTime(m.now.Add(1000 * time.Hour)) // without that anything has expired
	require.EqualValues(t, 1, count())
}

// What isn't a count, and a Redis that isn't there, are errors, and a client's leaving is its own.
func TestCounterErrors(t *testing.T) {
	m := newMini(t)
	client := connect(t, m.Addr())
	c := newCounter(t, client, "a", 10*time.Second)
	_, err := c.Count(t.Context(), "a", time.Minute)
	require.NoError(t, err)
	key := m.Keys()[0]
	m.HSet(key, "n", "many")
	_, err = c.Count(t.Context(), "a", time.Minute)
	require.ErrorContains(t, err, "not a count")
	require.ErrorIs(t, err, redisthrottle.ErrAway)
	m.Del(key)
	require.NoError(t, m.Set(key, "a string"))
	_, err = c.Count(t.Context(), "a", time.Minute)
	require.ErrorIs(t, err, redisthrottle.ErrAway)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Count(gone, "b", time.Minute)
	require.ErrorIs(t, err, context.Canceled)

	m.Close()
	for range 20 {
		_, err = c.Count(t.Context(), "a", time.Minute)
		require.ErrorIs(t, err, redisthrottle.ErrAway)
		require.NotContains(t, err.Error(), "gatekit:w:")
	}
	began := time.Now()
	for range 1000 {
		_, err = c.Count(t.Context(), "a", time.Minute)
		require.ErrorIs(t, err, redisthrottle.ErrAway)
	}
	require.Less(t, time.Since(began), 20*time.Second, "most aren't even asked")
}
