package redisthrottle

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// circuit keeps requests from waiting for a Redis that doesn't answer: after some failures in a row nobody asks it for a while; then one asks,
// and the others follow once that has an answer.
type circuit struct {
	log  *slog.Logger
	name string

	mu       sync.Mutex
	failures int
	until    time.Time // not asked before; zero: closed
	probing  bool
}

const (
	maxFailures = 5
	pause       = time.Second
)

var errOpen = errors.New("redisthrottle: Redis has failed, and isn't asked for a while")

// enter reports whether the caller may ask, and is the one that tries.
func (c *circuit) enter(now time.Time) (probe bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.IsZero() {
		return false, nil
	}
	if c.probing || now.Before(c.until) {
		return false, errOpen
	}
	c.probing = true
	return true, nil
}

func (c *circuit) isOpen(time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.until.IsZero()
}

// leave takes down how it went. A caller whose own context ended knows nothing of Redis.
func (c *circuit) leave(probe bool, err error, ctx context.Context, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if probe {
		c.probing = false
	}
	switch {
	case err == nil:
		if c.failures > 0 && (probe || c.until.IsZero()) {
			if !c.until.IsZero() {
				c.log.LogAttrs(ctx, slog.LevelWarn, "redisthrottle: Redis is back", slog.String("name", c.name))
			}
			c.failures, c.until = 0, time.Time{}
		}
	case ctx.Err() != nil:
	default:
		c.failures++
		if probe || c.failures >= maxFailures && c.until.IsZero() {
			if c.until.IsZero() {
				c.log.LogAttrs(ctx, slog.LevelError, "redisthrottle: Redis is away", slog.String("name", c.name), slog.Any("error", err))
			}
			c.until = now.Add(pause/2 + rand.N(pause)) // of random length, so that machines don't come back all at once
		}
	}
}
