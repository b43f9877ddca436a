package websocket

import (
	"context"
	"time"
)

// NewDeadline is newDeadline, and what ends it.
func NewDeadline(parent context.Context, d time.Duration) (context.Context, func()) {
	c := newDeadline(parent, d)
	return c, c.end
}
