package websocket_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// counting is a registry that counts how often it is asked where a connection is.
type counting struct {
	websocket.Registry
	finds atomic.Int64
}

func (c *counting) Join(ctx context.Context, n websocket.Node) (websocket.Member, error) {
	m, err := c.Registry.Join(ctx, n)
	return &countingMember{m, c}, err
}

type countingMember struct {
	websocket.Member
	counting *counting
}

func (m *countingMember) Find(ctx context.Context, ids []string) ([]websocket.Place, error) {
	m.counting.finds.Add(1)
	return m.Member.Find(ctx, ids)
}

// Where a connection is is asked once, and again when its node isn't heard: while the node may live
// the answer is 503, then 410, and never 410 for a connection that is there; of a node that has left
// in order it is 410 at once.
func TestPlacesAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := websocket.NewMemory(10 * time.Second)
		registry := &counting{Registry: shared}
		other := newRig(t, websocket.Config{Registry: shared, Transport: shared})
		r := newRig(t, websocket.Config{Registry: registry, Transport: shared})
		c := other.dial()
		id := other.connectionID()
		ctx := t.Context()
		for range 5 {
			require.NoError(t, r.api.Send(ctx, id, websocket.Text, []byte("hello")))
			require.Equal(t, "hello", receive(t, c))
		}
		require.EqualValues(t, 1, registry.finds.Load())

		require.NoError(t, c.Close(1000, ""))
		synctest.Wait()
		for range 2 {
			require.ErrorIs(t, r.api.Send(ctx, id, websocket.Text, nil), websocket.ErrGone)
		}
		require.EqualValues(t, 1, registry.finds.Load(), "the node said that it is gone")

		other.dial()
		events := other.fn.Of("eventType", "CONNECT")
		id = contextOf(events[1])["connectionId"].(string)
		_, err := r.api.Info(ctx, id)
		require.NoError(t, err)
		shared.Sever("a1b2c3d4e5/prod", other.api.Node())
		require.ErrorIs(t, r.api.Send(ctx, id, websocket.Text, nil), websocket.ErrUnavailable)
		time.Sleep(time.Minute)
		require.ErrorIs(t, r.api.Send(ctx, id, websocket.Text, nil), websocket.ErrGone)
		require.EqualValues(t, 4, registry.finds.Load())

		third := newRig(t, websocket.Config{Registry: shared, Transport: shared})
		third.dial()
		id = third.connectionID()
		require.NoError(t, r.api.Send(ctx, id, websocket.Text, nil))
		require.NoError(t, third.api.Shutdown(ctx))
		require.ErrorIs(t, r.api.Send(ctx, id, websocket.Text, nil), websocket.ErrGone)
	})
}
