package integration_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

// memory is a network in this process whose connections a fake clock can wait for. Real servers
// listen on it.
type memory struct {
	mu        sync.Mutex
	listeners map[string]*memoryListener
}

type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *memoryListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *memoryListener) Addr() net.Addr { return &net.TCPAddr{} }

func (m *memory) dial(ctx context.Context, _, address string) (net.Conn, error) {
	m.mu.Lock()
	l := m.listeners[address]
	m.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Err: fmt.Errorf("connection refused")}
	}
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
	case <-ctx.Done():
	}
	return nil, &net.OpError{Op: "dial", Err: fmt.Errorf("connection refused")}
}

func (m *memory) listen(address string) net.Listener {
	l := &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.listeners == nil {
		m.listeners = map[string]*memoryListener{}
	}
	m.listeners[address] = l
	return l
}

// serve starts a server, and returns what stops it.
func (m *memory) serve(address string, h http.HandlerFunc) (stop func()) {
	s := &http.Server{Handler: h}
	go s.Serve(m.listen(address))
	return func() {
		m.mu.Lock()
		delete(m.listeners, address)
		m.mu.Unlock()
		s.Close()
	}
}

// raw starts a server that speaks as f says, on each connection, after it has read a request's
// head.
func (m *memory) raw(address string, f func(net.Conn)) (stop func()) {
	l := m.listen(address)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if readHead(bufio.NewReader(conn)) != "" {
					f(conn)
				}
			}()
		}
	}()
	return func() { l.Close() }
}

// inMemory runs f with a network and a context that end with it, on a fake clock.
func inMemory(t *testing.T, f func(t *testing.T, net *memory, ctx context.Context)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer func() {
			cancel()
			time.Sleep(time.Minute) // net/http's servers end their connections with a pause
		}()
		f(t, &memory{}, ctx)
	})
}

func (m *memory) proxy(ctx context.Context, cfg integration.HTTPConfig) *integration.Proxy {
	cfg.Dial = m.dial
	return gatekit.Must(integration.NewHTTP(ctx, cfg))
}
