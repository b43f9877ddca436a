// Package circuit spares requests the wait for a server that doesn't answer.
package circuit

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Circuit keeps requests from waiting for a server that doesn't answer: after some failures in a
// row nobody asks it for a while; then one asks, and the others follow once that has an answer. It
// is safe for concurrent use; Logger and Name are set before the first.
type Circuit struct {
	// Logger gets that the server is away, and that it is back, as Package's words.
	Logger *slog.Logger
	// Package and Name say in logs whose server it is.
	Package, Name string

	mu       sync.Mutex
	failures int
	until    time.Time // not asked before; zero: closed
	probing  bool
}

const (
	maxFailures = 5
	pause       = time.Second
)

// ErrOpen is what Enter returns while nobody asks.
var ErrOpen = errors.New("the server has failed, and isn't asked for a while")

// Enter reports whether the caller may ask, and is the one that tries.
func (c *Circuit) Enter(now time.Time) (probe bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.IsZero() {
		return false, nil
	}
	if c.probing || now.Before(c.until) {
		return false, ErrOpen
	}
	c.probing = true
	return true, nil
}

// IsOpen reports whether nobody asks, but for one that tries.
func (c *Circuit) IsOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.until.IsZero()
}

// Leave takes down how it went. A caller whose own context ended knows nothing of Redis.
func (c *Circuit) Leave(probe bool, err error, ctx context.Context, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if probe {
		c.probing = false
	}
	switch {
	case err == nil:
		if c.failures > 0 && (probe || c.until.IsZero()) {
			if !c.until.IsZero() {
				c.Logger.LogAttrs(ctx, slog.LevelWarn, c.Package+": Redis is back", slog.String("name", c.Name))
			}
			c.failures, c.until = 0, time.Time{}
		}
	case ctx.Err() != nil:
	default:
		c.failures++
		if probe || c.failures >= maxFailures && c.until.IsZero() {
			if c.until.IsZero() {
				c.Logger.LogAttrs(ctx, slog.LevelError, c.Package+": Redis is away",
					slog.String("name", c.Name), slog.Any("error", err))
			}
			c.until = now.Add(pause/2 + rand.N(pause)) // of random length, so that machines don't come back all at once
		}
	}
}
