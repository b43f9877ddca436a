package circuit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/circuit"
)

var errAway = errors.New("connection refused")

// ask is a call that ends with err. It reports whether the server was asked.
func ask(c *circuit.Circuit, ctx context.Context, err error) bool {
	probe, open := c.Enter(time.Now())
	if open != nil {
		return false
	}
	c.Leave(probe, err, ctx, time.Now())
	return true
}

func TestCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := &circuit.Circuit{Logger: slog.New(slog.NewTextHandler(&log, nil)), Package: "pkg", Name: "name"}
		for range 4 {
			require.True(t, ask(c, t.Context(), errAway))
		}
		require.True(t, ask(c, t.Context(), nil), "four failures are no pause")
		for range 5 {
			require.False(t, c.IsOpen())
			require.True(t, ask(c, t.Context(), errAway))
		}
		require.True(t, c.IsOpen())
		require.False(t, ask(c, t.Context(), nil))
		require.Equal(t, 1, strings.Count(log.String(), "pkg: Redis is away"))

		time.Sleep(1500 * time.Millisecond) // the longest pause
		require.True(t, ask(c, t.Context(), errAway), "one tries")
		require.False(t, ask(c, t.Context(), nil), "in vain, and the next pause begins")

		// Of many at once, one tries. A caller that goes away meanwhile leaves the trial to the
		// next.
		time.Sleep(1500 * time.Millisecond)
		probe, err := c.Enter(time.Now())
		require.NoError(t, err)
		require.True(t, probe)
		require.False(t, ask(c, t.Context(), nil))
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		c.Leave(probe, context.Canceled, gone, time.Now())
		require.True(t, ask(c, t.Context(), nil))
		require.False(t, c.IsOpen())
		require.Equal(t, 1, strings.Count(log.String(), "pkg: Redis is back"))
		require.Equal(t, 1, strings.Count(log.String(), "pkg: Redis is away"))
	})
}

// Clients that go away tell nothing of the server.
func TestCallersThatGoAway(t *testing.T) {
	c := &circuit.Circuit{Logger: slog.New(slog.DiscardHandler)}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		require.True(t, ask(c, gone, context.Canceled))
	}
	require.False(t, c.IsOpen())
}

func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &circuit.Circuit{Logger: slog.New(slog.DiscardHandler)}
		for range 5 {
			ask(c, t.Context(), errAway)
		}
		time.Sleep(1500 * time.Millisecond)
		var tried atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if probe, err := c.Enter(time.Now()); err == nil {
					tried.Add(1)
					time.Sleep(time.Millisecond)
					c.Leave(probe, nil, t.Context(), time.Now())
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, tried.Load())
	})
}
