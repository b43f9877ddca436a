package redisregistry_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/redisregistry"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// cable is a machine's way to Redis, which a test can cut.
type cable struct {
	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

var errCut = errors.New("the network is gone") // and not a refusal: nobody says that Redis is down

func (c *cable) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return nil, errCut
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err == nil {
		c.conns[conn] = true
	}
	return conn, err
}

func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.conns {
			_ = conn.Close()
		}
		clear(c.conns)
	}
}

const (
	lease  = 2 * time.Second
	margin = 500 * time.Millisecond
)

// fleet makes machines on the Redis at addr, and knows the cable of each node.
type fleet struct {
	t      *testing.T
	addr   string
	name   string
	mu     sync.Mutex
	cables map[string]*cable
}

func newFleet(t *testing.T, addr string) *fleet {
	return &fleet{t: t, addr: addr, name: "fleet", cables: map[string]*cable{}}
}

func (f *fleet) machine() (*redisregistry.Registry, *cable) {
	c := &cable{conns: map[net.Conn]bool{}}
	client := redis.NewClient(&redis.Options{
		Addr: f.addr, Dialer: c.dial, ContextTimeoutEnabled: true, DialTimeout: time.Second, MinRetryBackoff: -1, MaxRetries: 1,
	})
	ctx, cancel := context.WithCancel(context.Background())
	f.t.Cleanup(func() { cancel(); _ = client.Close() })
	g, err := redisregistry.New(ctx, redisregistry.Config{Client: client, Name: f.name, Lease: lease, Margin: margin})
	require.NoError(f.t, err)
	return g, c
}

// known notes which node is on which cable.
type known struct {
	*redisregistry.Registry
	fleet *fleet
	cable *cable
}

func (k *known) Join(ctx context.Context, n websocket.Node) (websocket.Member, error) {
	k.fleet.mu.Lock()
	k.fleet.cables[n.Scope+" "+n.ID] = k.cable
	k.fleet.mu.Unlock()
	return k.Registry.Join(ctx, n)
}

func (f *fleet) set(scope, node string, cut bool) {
	f.mu.Lock()
	c := f.cables[scope+" "+node]
	f.mu.Unlock()
	if c != nil {
		c.set(cut)
	}
}

func (f *fleet) store() websockettest.Store {
	return websockettest.Store{
		New: func(*testing.T) (websocket.Registry, websocket.Transport) {
			g, c := f.machine()
			return &known{g, f, c}, g
		},
		Lease: lease, Margin: margin,
		Sever:  func(scope, node string) { f.set(scope, node, true) },
		Mend:   func(scope, node string) { f.set(scope, node, false) },
		Forget: f.forget,
	}
}

// forget empties Redis.
func (f *fleet) forget() {
	client := redis.NewClient(&redis.Options{Addr: f.addr})
	defer client.Close()
	require.NoError(f.t, client.FlushAll(f.t.Context()).Err())
}
