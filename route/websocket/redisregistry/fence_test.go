package redisregistry_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// A node that gives up its connections serves no call until they are closed: others may have called them
// gone by then. A call for which nobody waits any more isn't served at all.
func TestCallsWaitForTheFence(t *testing.T) {
	f := newFleet(t, miniredis.RunT(t).Addr())
	g, cable := f.machine()
	other, _ := f.machine()
	fencing, release := make(chan struct{}), make(chan struct{})
	var fenced, early, late atomic.Bool
	node := websocket.Node{ID: "a", Scope: "a1b2c3d4e5/prod", Fence: func() {
		close(fencing)
		<-release
		fenced.Store(true)
	}}
	_, err := g.Join(t.Context(), node)
	require.NoError(t, err)
	stop, err := g.Listen(t.Context(), node, func(ctx context.Context, c websocket.Call) websocket.Answer {
		early.Store(early.Load() || !fenced.Load())
		late.Store(late.Load() || ctx.Err() != nil)
		return websocket.Answer{Results: make([]websocket.Result, len(c.IDs))}
	})
	require.NoError(t, err)
	defer stop()
	call := func(wait time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		_, err := other.Call(ctx, node.Scope, node.ID, websocket.Call{Op: websocket.OpSend, IDs: []string{"one"}})
		return err
	}
	cable.set(true)
	<-fencing
	cable.set(false)
	var reached error
	for reached = call(200 * time.Millisecond); errors.Is(reached, websocket.ErrUnavailable); { // it doesn't listen yet
		reached = call(200 * time.Millisecond)
	}
	require.ErrorIs(t, reached, context.DeadlineExceeded, "it answers while it gives up its connections")
	close(release)
	require.NoError(t, call(time.Minute))
	require.False(t, early.Load(), "a call was served early")
	require.False(t, late.Load(), "a call was served for nobody")
}
