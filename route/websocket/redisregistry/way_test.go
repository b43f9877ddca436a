//go:build servers && unix

package redisregistry_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// way is a node's way to Redis through the test, which can cut it as a network does that loses packets:
// connections are neither refused nor reset, nothing arrives, and what was on its way arrives late.
type way struct {
	listener net.Listener
	to       string

	mu      sync.Mutex
	clear   chan struct{} // closed while it isn't cut
	snapper chan struct{} // not nil: closed at the next call to another node
	conns   []net.Conn
}

func newWay(t *testing.T, to string) *way {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &way{listener: l, to: to, clear: make(chan struct{})}
	close(w.clear)
	var all sync.WaitGroup
	all.Go(func() { w.accept(&all) })
	t.Cleanup(func() {
		_ = l.Close()
		w.mend()
		w.mu.Lock()
		for _, c := range w.conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		all.Wait()
	})
	return w
}

func (w *way) addr() string { return w.listener.Addr().String() }

func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clear = make(chan struct{})
}

func (w *way) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.clear:
	default:
		close(w.clear)
	}
}

// snap waits for the node's next call to another one and breaks all connections when it is on its way
// to Redis: it arrives there, but not the answer, so the client publishes it again.
func (w *way) snap(t *testing.T) {
	snapped := make(chan struct{})
	w.mu.Lock()
	w.snapper = snapped
	w.mu.Unlock()
	select {
	case <-snapped:
	case <-time.After(patience):
		require.Fail(t, "no call is published")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// snaps reports whether this is where to break.
func (w *way) snaps(question []byte) bool {
	if !bytes.Contains(question, []byte("publish\r\n")) || !bytes.Contains(question, []byte(":call:")) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.snapper == nil {
		return false
	}
	close(w.snapper)
	w.snapper = nil
	return true
}

func (w *way) accept(all *sync.WaitGroup) {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, near, far)
		w.mu.Unlock()
		all.Go(func() { w.copy(far, near, true) })
		all.Go(func() { w.copy(near, far, false) })
	}
}

// copy passes on what one end writes, and its end, as far as the way is clear.
func (w *way) copy(to, from net.Conn, questions bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		w.mu.Lock()
		clear := w.clear
		w.mu.Unlock()
		<-clear
		if questions && w.snaps(b[:n]) {
			_ = from.Close()
		}
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				_ = from.Close()
				return
			}
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}
