package wsconn_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// The queue is bounded in bytes and in messages; one message that is larger by itself is let into
// an empty one.
func TestQueueIsBounded(t *testing.T) {
	for _, tt := range []struct {
		name     string
		cfg      wsconn.Config
		size     int
		accepted int
	}{
		{"bytes", wsconn.Config{MaxQueueBytes: 1024}, 98, 10}, // of 100 with the header; the first is being written and counts
		{"messages", wsconn.Config{MaxQueueMessages: 5}, 1, 6},
		{"one-large", wsconn.Config{MaxQueueBytes: 1024}, 5000, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newRecorder(nil)
				p := openPipe(t, tt.cfg, h)
				accepted := 0
				var err error
				for err == nil {
					if err = p.conn.TrySend(wsconn.Text, make([]byte, tt.size)); err == nil {
						accepted++
					}
					synctest.Wait()
				}
				require.ErrorIs(t, err, wsconn.ErrFull)
				require.Equal(t, tt.accepted, accepted)
				for range accepted {
					_, err := readFrame(p.client.br)
					require.NoError(t, err)
				}
				synctest.Wait()
				require.NoError(t, p.conn.TrySend(wsconn.Text, make([]byte, tt.size)), "there is room again")
				p.conn.Abort()
				h.end(t)
			})
		})
	}
}

// What is queued while the socket is busy goes out in one write.
func TestWritesAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{}, h)
		for i := range 50 {
			require.NoError(t, p.conn.TrySend(wsconn.Text, []byte(fmt.Sprint(i))))
			synctest.Wait()
		}
		// A pipe's Read takes from one Write. The first message was being written, the others are
		// one write.
		buf := make([]byte, 4096)
		n, err := p.client.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "\x81\x010", string(buf[:n]))
		n, err = p.client.Read(buf)
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(string(buf[:n]), "\x81\x0249"), "%q", buf[:n])
		p.conn.Abort()
		h.end(t)
	})
}

func TestSendWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{MaxQueueMessages: 1}, h)
		for range 2 {
			require.NoError(t, p.conn.TrySend(wsconn.Text, []byte("x")))
			synctest.Wait()
		}
		require.ErrorIs(t, p.conn.TrySend(wsconn.Text, nil), wsconn.ErrFull)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.conn.Send(ctx, wsconn.Text, nil), context.DeadlineExceeded)

		sent := make(chan error, 1)
		go func() { sent <- p.conn.Send(t.Context(), wsconn.Text, []byte("waited")) }()
		synctest.Wait()
		require.Empty(t, sent)
		for range 2 {
			_, err := readFrame(p.client.br)
			require.NoError(t, err)
		}
		require.NoError(t, <-sent)
		f, err := readFrame(p.client.br)
		require.NoError(t, err)
		require.Equal(t, `81 "waited"`, f.String())

		for range 2 {
			require.NoError(t, p.conn.TrySend(wsconn.Text, []byte("x")))
			synctest.Wait()
		}
		prepared := newEngine(t, wsconn.Config{}).Prepare(wsconn.Text, nil)
		go func() { sent <- p.conn.SendPrepared(t.Context(), prepared) }()
		synctest.Wait()
		require.NoError(t, p.conn.Close(1000, ""))
		require.ErrorIs(t, <-sent, wsconn.ErrClosed, "closing ends the wait")
		p.conn.Abort()
		h.end(t)
	})
}

// A peer that pings and reads no pong is sent off, and costs a bounded number of bytes.
func TestPongsThatAreNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{}, h)
		sent := 0
		for range 100 {
			if _, err := io.WriteString(p.client.Conn, masked(fin|ping, strings.Repeat("p", 125))); err != nil {
				break
			}
			sent++
			synctest.Wait()
		}
		require.Equal(t, "pongs are not read", h.end(t).Reason)
		_ = p.client.Close()
	})
}

// One that takes nothing delays nobody: sends to it fail at once, sends to others arrive.
func TestSlowReaderDelaysNobody(t *testing.T) {
	h := newRecorder(echo)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	slow := dial(t, srv)
	slowConn := <-conns
	require.NoError(t, slow.Conn.(*net.TCPConn).SetReadBuffer(4096))
	quick := dial(t, srv)
	quickConn := <-conns
	payload := make([]byte, 30<<10)
	for i := 0; slowConn.TrySend(wsconn.Text, payload) == nil; i++ {
		require.Less(t, i, 10_000, "the queue has no end")
	}
	require.ErrorIs(t, slowConn.TrySend(wsconn.Text, payload), wsconn.ErrFull)
	for range 100 {
		require.NoError(t, quickConn.Send(t.Context(), wsconn.Text, payload))
		f, err := quick.readFrame()
		require.NoError(t, err)
		require.Len(t, f.payload, len(payload))
	}
	slowConn.Abort()
}

// What was written in part is continued where it broke off.
func TestPartialWritesAreContinued(t *testing.T) {
	h := newRecorder(nil)
	srv, conns := serveConns(t, wsconn.Config{MaxFrameBytes: wsconn.Off, MaxQueueBytes: 64 << 20}, h)
	c := dial(t, srv)
	conn := <-conns
	p := newEngine(t, wsconn.Config{MaxFrameBytes: wsconn.Off}).Prepare(wsconn.Binary, []byte(strings.Repeat("P", 5<<20)))
	for i := range 8 {
		require.NoError(t, conn.TrySend(wsconn.Binary, []byte(strings.Repeat(string(rune('a'+i)), 3<<20))))
		require.NoError(t, conn.TrySendPrepared(p))
	}
	for i := range 8 {
		f, err := c.readFrame()
		require.NoError(t, err)
		require.True(t, string(f.payload) == strings.Repeat(string(rune('a'+i)), 3<<20), i)
		f, err = c.readFrame()
		require.NoError(t, err)
		require.True(t, string(f.payload) == strings.Repeat("P", 5<<20), i)
	}
}

// Several senders at once: each one's messages arrive in its order, and whole.
func TestManySenders(t *testing.T) {
	h := newRecorder(nil)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	c := dial(t, srv)
	conn := <-conns
	const senders, each = 8, 300
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				text := fmt.Sprintf("%d:%d:%s", s, i, strings.Repeat("x", i))
				if err := conn.Send(t.Context(), wsconn.Text, []byte(text)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	next := make([]int, senders)
	for range senders * each {
		f, err := c.readFrame()
		require.NoError(t, err)
		var s, i int
		var rest string
		_, err = fmt.Sscanf(string(f.payload), "%d:%d:%s", &s, &i, &rest)
		require.True(t, err == nil || i == 0, string(f.payload))
		require.Equal(t, next[s], i)
		require.Len(t, rest, i)
		next[s]++
	}
	wg.Wait()
}

func TestSentMessagesAreSplit(t *testing.T) {
	h := newRecorder(nil)
	srv, conns := serveConns(t, wsconn.Config{}, h)
	c := dial(t, srv)
	conn := <-conns
	for _, tt := range []struct {
		size int
		want []byte
	}{
		{32768, []byte{fin | text}}, {32769, []byte{text, fin | cont}}, {65536, []byte{text, fin | cont}}, {100 << 10, []byte{text, cont, cont, fin | cont}},
	} {
		require.NoError(t, conn.TrySend(wsconn.Text, make([]byte, tt.size)))
		total := 0
		for _, first := range tt.want {
			f, err := c.readFrame()
			require.NoError(t, err)
			require.Equal(t, first, f.first)
			require.LessOrEqual(t, len(f.payload), 32768)
			total += len(f.payload)
		}
		require.Equal(t, tt.size, total)
	}
}

func TestBroadcast(t *testing.T) {
	h := newRecorder(nil)
	srv, made := serveConns(t, wsconn.Config{}, h)
	var clients []*client
	var conns []*wsconn.Conn
	for range 150 {
		clients = append(clients, dial(t, srv))
		conns = append(conns, <-made)
	}
	conns[7].Abort()
	h.end(t)
	var mu sync.Mutex
	var refused []*wsconn.Conn
	for _, text := range []string{"one", "two"} {
		newEngine(t, wsconn.Config{}).Prepare(wsconn.Text, []byte(text)).Broadcast(conns, func(c *wsconn.Conn, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err == wsconn.ErrClosed {
				refused = append(refused, c)
			}
		})
	}
	require.Equal(t, []*wsconn.Conn{conns[7], conns[7]}, refused)
	for i, c := range clients {
		for _, want := range []string{`81 "one"`, `81 "two"`} {
			if i != 7 {
				f, err := c.readFrame()
				require.NoError(t, err)
				require.Equal(t, want, f.String())
			}
		}
	}
	newEngine(t, wsconn.Config{}).Prepare(wsconn.Text, nil).Broadcast(nil, nil)
}

// A peer that took something before the deadline is slow and is waited for again; one that took
// nothing is gone. TLS can't go on behind a deadline: its record would be broken off.
func TestSlowIsNotGone(t *testing.T) {
	for _, tt := range []struct {
		name      string
		takes     []int // how much each write takes before its deadline
		resumable bool
		want      error
	}{
		{"slow", []int{3, 1, 2, 4}, true, nil},
		{"gone", []int{3, 1, 0}, true, os.ErrDeadlineExceeded},
		{"slow-tls", []int{3}, false, os.ErrDeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []byte
			err := wsconn.WriteAll(func(p []byte) (int, error) {
				n := tt.takes[0]
				tt.takes = tt.takes[1:]
				got = append(got, p[:n]...)
				if n < len(p) {
					return n, os.ErrDeadlineExceeded
				}
				return n, nil
			}, tt.resumable, []byte("0123456789"))
			require.ErrorIs(t, err, tt.want)
			require.Empty(t, tt.takes)
			require.Equal(t, "0123456789"[:len(got)], string(got))
		})
	}
}
