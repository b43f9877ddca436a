package websocket_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// far is a registry that has all connections on another node, and the way there.
type far struct {
	*websocket.Memory
	group []string
	lost  bool // it can't say who is in a group

	mu    sync.Mutex
	finds int
	sent  []string
}

type farMember struct {
	websocket.Member
	far *far
}

func (f *far) Join(ctx context.Context, n websocket.Node) (websocket.Member, error) {
	m, err := f.Memory.Join(ctx, n)
	return &farMember{m, f}, err
}

func (m *farMember) Find(_ context.Context, ids []string) ([]websocket.Place, error) {
	m.far.mu.Lock()
	defer m.far.mu.Unlock()
	m.far.finds++
	return slices.Repeat([]websocket.Place{{Node: "far", Found: websocket.Live}}, len(ids)), nil
}

func (m *farMember) Group(context.Context, string) iter.Seq2[websocket.Entry, error] {
	return func(yield func(websocket.Entry, error) bool) {
		if m.far.lost {
			yield(websocket.Entry{}, websocket.ErrUnavailable)
			return
		}
		for i, id := range m.far.group {
			place := [...]websocket.Place{{Node: "far", Found: websocket.Live}, {}, {Found: websocket.Gone}}[min(i, 2)]
			if !yield(websocket.Entry{ID: id, Place: place}, nil) {
				return
			}
		}
	}
}

func (f *far) Call(_ context.Context, _, _ string, c websocket.Call) (websocket.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, c.IDs...)
	return websocket.Answer{Results: slices.Repeat([]websocket.Result{websocket.ResultOK}, len(c.IDs))}, nil
}

// A group tells where its connections are: nobody is asked again.
func TestPublishAsksNobodyAgain(t *testing.T) {
	f := &far{Memory: websocket.NewMemory(0), group: []string{"there", "somewhere", "nowhere"}}
	r := newRig(t, websocket.Config{Registry: f, Transport: f})
	failed, err := r.api.Publish(t.Context(), "room", websocket.Text, []byte("hello"))
	require.NoError(t, err)
	require.Equal(t, map[string]error{"somewhere": websocket.ErrUnavailable, "nowhere": websocket.ErrGone}, failed)
	require.Equal(t, []string{"there"}, f.sent)
	require.Zero(t, f.finds)

	_, err = r.api.Publish(t.Context(), "room", websocket.Text, []byte("\xff"))
	require.ErrorContains(t, err, "text")
	f.lost = true
	_, err = r.api.Publish(t.Context(), "room", websocket.Text, []byte("hello"))
	require.ErrorIs(t, err, websocket.ErrUnavailable)
	require.Len(t, f.sent, 1)
}

// However many ids a broadcast names, and how often, each connection hears it once.
func TestBroadcastToOneThatIsNamedTwice(t *testing.T) {
	f := &far{Memory: websocket.NewMemory(0)}
	r := newRig(t, websocket.Config{Registry: f, Transport: f})
	var ids []string
	for i := range 1500 { // two calls
		ids = append(ids, fmt.Sprint("id", i))
	}
	failed, err := r.api.Broadcast(t.Context(), append(ids, "id0", "id1499"), websocket.Text, []byte("hello"))
	require.NoError(t, err)
	require.Empty(t, failed)
	require.ElementsMatch(t, ids, f.sent)
}
