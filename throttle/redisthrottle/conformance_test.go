package redisthrottle_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/throttle/redisthrottle"
	"github.com/gatekit-go/gatekit/throttle/throttletest"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/usageplantest"
)

// go-redis tells each failed dial to a logger of its own, and these tests make many.
func init() { redis.SetLogger(silent{}) }

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func connect(t testing.TB, addr string) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// miniClock moves a miniredis' time.
type miniClock struct {
	*miniredis.Miniredis
	now time.Time
}

func newMini(t testing.TB) *miniClock {
	m := &miniClock{miniredis.RunT(t), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	m.SetTime(m.now)
	return m
}

func (m *miniClock) Advance(d time.Duration) {
	m.now = m.now.Add(d)
	m.SetTime(m.now)
	m.FastForward(d)
}

func quiet(client redis.UniversalClient, name string) redisthrottle.BucketsConfig {
	return redisthrottle.BucketsConfig{Client: client, Name: name, Timeout: 10 * time.Second, Logger: slog.New(slog.DiscardHandler)}
}

func newLimiter(t testing.TB, l throttle.Limit, c redisthrottle.BucketsConfig) *redisthrottle.Limiter {
	limiter, err := redisthrottle.New(l, redisthrottle.Config{BucketsConfig: c, Key: throttletest.Callers})
	require.NoError(t, err)
	return limiter
}

func TestExactConformance(t *testing.T) {
	throttletest.Run(t, func(t *testing.T, body func(*testing.T, throttletest.Setup)) {
		t.Parallel()
		m := newMini(t)
		client := connect(t, m.Addr())
		n := 0
		body(t, throttletest.Setup{Clock: m, New: func(l throttle.Limit) throttletest.Limiter {
			n++
			return newLimiter(t, l, quiet(client, fmt.Sprint("limit-", n)))
		}})
	})
}

func TestStore(t *testing.T) {
	t.Parallel()
	usageplantest.Run(t, func(t *testing.T) usageplan.Store {
		store, err := redisthrottle.NewStore(redisthrottle.StoreConfig{Client: connect(t, miniredis.RunT(t).Addr()), Name: "test", Timeout: 10 * time.Second})
		require.NoError(t, err)
		return store
	})
}
