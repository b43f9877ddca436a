package waf

import (
	"context"
	"net/netip"
	"time"
)

// IPSource knows whether an address is of a set. It is safe for concurrent use, and doesn't block.
type IPSource interface {
	Contains(netip.Addr) bool
}

// Counter counts requests by key, in this process or for many.
type Counter interface {
	// Count counts one request of key, and returns how many there were within the window that ends
	// now, this one included. Keys are up to a few hundred bytes, not all of them text. It is safe
	// for concurrent use.
	Count(ctx context.Context, key string, window time.Duration) (int64, error)
}
