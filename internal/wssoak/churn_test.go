//go:build soak && linux

package wssoak

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

const (
	rounds       = 6
	connections  = 3000 // a round
	workers      = 60
	mostHeapMore = 4 << 20
)

// Connections come and go in every way there is, while all are sent to: what the process holds after
// six rounds is what it held after the second, and each connection has had its $disconnect.
func TestChurn(t *testing.T) {
	s := newServer(t, websocket.Config{PingInterval: time.Second, MaxQueueBytes: 64 << 10})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var before measured
	for round := range rounds {
		sending, stop := context.WithCancel(ctx)
		var senders, all sync.WaitGroup
		senders.Go(func() { s.sendToAll(sending) })
		jobs := make(chan int)
		for range workers {
			all.Go(func() {
				for i := range jobs {
					live(s.addr, i)
				}
			})
		}
		for i := range connections {
			jobs <- i
		}
		close(jobs)
		all.Wait()
		stop()
		senders.Wait()
		s.quiet(t)
		require.Eventually(t, func() bool { n, err := s.Count(ctx, "room"); return err == nil && n == 0 },
			patience, 10*time.Millisecond, "the group isn't empty")
		now := measure(t)
		t.Logf("after %d connections: %d goroutines, %d descriptors, %d KB of heap",
			s.connects.Load(), now.goroutines, now.descriptors, now.heap>>10)
		if round == 1 {
			before = now
		}
		if round == rounds-1 {
			require.LessOrEqual(t, now.goroutines, before.goroutines+5)
			require.LessOrEqual(t, now.descriptors, before.descriptors+5)
			require.LessOrEqual(t, now.heap, before.heap+mostHeapMore)
		}
	}
	require.GreaterOrEqual(t, s.connects.Load(), int64(rounds*connections))
}

// sendToAll sends to the group, and to connections that may have gone, until ctx ends.
func (s *server) sendToAll(ctx context.Context) {
	text := []byte(strings.Repeat("x", 1000))
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_, _ = s.Publish(ctx, "room", websocket.Text, text)
		s.ids.Range(func(id, _ any) bool {
			_ = s.Send(ctx, id.(string), websocket.Text, text)
			return rand.IntN(20) > 0
		})
	}
}

// live is the life of a connection, of which there are ten kinds.
func live(addr string, kind int) {
	c, err := dial(addr)
	if err != nil {
		return
	}
	defer c.Close()
	if c.frame(0x81, []byte(`{"action":"join"}`)) != nil || c.echo("hello") != nil {
		return
	}
	switch kind % 10 {
	case 0: // in order
		_ = c.frame(0x88, []byte{3, 0xe8})
		for err == nil {
			_, _, err = c.read()
		}
	case 1:
		c.reset()
	case 2: // in the middle of a frame
		_, _ = c.Write([]byte{0x81, 0xfe, 0x10})
	case 3: // in the middle of a message
		_ = c.frame(0x01, []byte("begun"))
	case 4: // against the protocol
		_ = c.frame(0xf1, nil)
		_, _, _ = c.read()
	case 5: // no text
		_ = c.frame(0x81, []byte{0xff})
		_, _, _ = c.read()
	case 6: // longer than one buffer
		_ = c.echo(strings.Repeat("long", 8000))
	case 7: // many at once, none read
		for range 200 {
			if c.frame(0x81, make([]byte, 2000)) != nil {
				return
			}
		}
	case 8: // pings
		for range 20 {
			_ = c.frame(0x89, []byte("ping"))
		}
		_ = c.echo("after")
	case 9: // half closed
		_ = c.CloseWrite()
		for err == nil {
			_, _, err = c.read()
		}
	}
}
