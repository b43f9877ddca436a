package websocket_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// A handshake whose $connect ends after Shutdown has begun is refused, and $connect hears of it.
func TestShutdownDuringConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		r.answer("join", func(context.Context) (string, error) {
			time.Sleep(20 * time.Second)
			return `{"statusCode":200}`, nil
		})
		c := r.dial()
		send(t, c, `{"action":"join"}`)
		synctest.Wait()
		r.answer("$connect", func(context.Context) (string, error) {
			time.Sleep(5 * time.Second)
			return `{"statusCode":200}`, nil
		})
		status := make(chan int, 1)
		go func() {
			_, resp := websockettest.Dial(context.Background(), r.api, base, nil)
			status <- resp.StatusCode
		}()
		synctest.Wait()
		go func() { _ = r.api.Shutdown(context.Background()) }()
		require.Equal(t, 503, <-status)
		synctest.Wait()
		require.Len(t, r.fn.Of("disconnectStatusCode", 1006.0), 1)
		code, _ := c.Wait()
		require.Equal(t, 1012, code)
	})
}

// What an integration does wrong is no flood of its client's.
func TestFaultsAreNoFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		r.throws("join", "boom")
		c := r.dial()
		for range 150 {
			send(t, c, `{"action":"join"}`)
		}
		synctest.Wait()
		require.True(t, c.Open())
	})
}

func TestBroadcastTellsWhoIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		slow := r.dial()
		slowID := r.connectionID()
		slow.Pause()
		fast := r.dial()
		ids := []string{slowID, r.connectionID()}
		data := []byte(strings.Repeat("x", 100_000))
		var failed map[string]error
		for range 6 {
			var err error
			failed, err = r.api.Broadcast(t.Context(), ids, websocket.Text, data)
			require.NoError(t, err)
			require.Len(t, receive(t, fast), 100_000)
		}
		require.Len(t, failed, 1)
		require.ErrorIs(t, failed[slowID], websocket.ErrFull)
		slow.Resume()
	})
}

// nosy is a registry that shows the node that has joined.
type nosy struct {
	*websocket.Memory
	node websocket.Node
}

func (n *nosy) Join(ctx context.Context, node websocket.Node) (websocket.Member, error) {
	n.node = node
	return n.Memory.Join(ctx, node)
}

func TestRecordsForARegistryThatHasLostThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := &nosy{Memory: websocket.NewMemory(0)}
		r := newRig(t, websocket.Config{Registry: registry, Transport: registry}, guard)
		require.Equal(t, "a1b2c3d4e5/prod", registry.node.Scope)
		r.dialAt(base, http.Header{"Authorization": {"Bearer ann-60"}})
		id := r.connectionID()
		for _, group := range []string{"one", "two"} {
			require.NoError(t, r.api.Enter(t.Context(), group, id))
		}
		require.NoError(t, r.api.Exit(t.Context(), "two", id))
		n := 0
		for record := range registry.node.Records() {
			n++
			require.Equal(t, id, record.ID)
			require.Equal(t, []string{"one"}, record.Groups)
			require.Contains(t, string(record.State), `"principal":"ann"`)
			require.NotContains(t, string(record.State), "Bearer")
		}
		require.Equal(t, 1, n)
	})
}

// A fenced node sends nothing more, to a client that doesn't read either, and runs no $disconnect.
func TestFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := &nosy{Memory: websocket.NewMemory(0)}
		r := newRig(t, websocket.Config{Registry: registry, Transport: registry})
		c := r.dial()
		c.Pause()
		id := r.connectionID()
		for range 2 {
			require.NoError(t, r.api.Send(t.Context(), id, websocket.Text, []byte(strings.Repeat("x", 100_000))))
		}
		from := time.Now()
		registry.node.Fence()
		require.Equal(t, time.Second, time.Since(from), "it waits for a client that takes nothing, and no longer than that")
		synctest.Wait()
		require.ErrorIs(t, r.api.Send(t.Context(), id, websocket.Text, []byte("x")), websocket.ErrGone)
		require.Empty(t, r.fn.Of("eventType", "DISCONNECT"))
		require.Zero(t, r.api.Metrics().Connections)
		require.Error(t, c.SendText("x"))
		c.Resume()
		r.dial() // and it is open again, where the registry is
	})
}

// A fence costs only the time that clients take: none at all for a node whose clients answer, or that has no clients.
func TestFenceIsOverWithTheLastConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := &nosy{Memory: websocket.NewMemory(0)}
		r := newRig(t, websocket.Config{Registry: registry, Transport: registry})
		from := time.Now()
		registry.node.Fence()
		c := r.dial()
		registry.node.Fence()
		require.Zero(t, time.Since(from))
		code, _ := c.Wait()
		require.Equal(t, 1012, code)
		require.Empty(t, r.fn.Of("eventType", "DISCONNECT"))
	})
}

func TestTwoSubprotocolsAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t, websocket.Config{})
		r.api.Handle("$connect", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Sec-Websocket-Protocol"] = []string{"a", "b"}
		}))
		require.Equal(t, 502, r.refused(base, http.Header{"Sec-Websocket-Protocol": {"a, b"}}).StatusCode)
	})
}
