// Package outage says once that something is away, and once that it is back, however many requests
// find it so.
package outage

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Log tells of the outages of one thing. It is safe for concurrent use; its fields are set before
// the first call.
type Log struct {
	// Logger gets the two lines of an outage: the first one with the error, the second one with how
	// long it was and how often it failed.
	Logger *slog.Logger
	// Away is the first line's message; the second one's is the same with ": it is over" behind it.
	Away string

	away     atomic.Bool
	mu       sync.Mutex
	began    time.Time
	latest   time.Time
	failures int
}

// calm is how long nothing must have failed before an outage is over: what fails now and then is
// one outage, and not a thousand.
const calm = time.Second

// Note calls Failed, or Worked if err is nil.
func (l *Log) Note(ctx context.Context, err error) {
	if err != nil {
		l.Failed(ctx, err)
	} else {
		l.Worked(ctx)
	}
}

// Failed notes a failure, and logs the first one.
func (l *Log) Failed(ctx context.Context, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures++
	l.latest = time.Now()
	if l.away.Load() {
		return
	}
	l.away.Store(true)
	l.began = l.latest
	l.Logger.LogAttrs(ctx, slog.LevelError, l.Away, slog.Any("error", err))
}

// Worked notes that all went well. It costs one atomic load where nothing is wrong.
func (l *Log) Worked(ctx context.Context) {
	if !l.away.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.away.Load() || now.Sub(l.latest) < calm {
		return
	}
	l.away.Store(false)
	l.Logger.LogAttrs(ctx, slog.LevelWarn, l.Away+": it is over",
		slog.Duration("lasted", now.Sub(l.began)), slog.Int("failures", l.failures))
	l.failures = 0
}
