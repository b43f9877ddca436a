package redisregistry

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/outage"
	"github.com/gatekit-go/gatekit/route/websocket"
)

// Config configures a [Registry].
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Client is a connection to Redis, which stays the caller's to close. Required. Its options want
	// ContextTimeoutEnabled, as Timeout would mean nothing otherwise. It gets a hook that sees how
	// dialing ends.
	Client redis.UniversalClient
	// Name tells this fleet from others in the same Redis: 1 to 64 letters, digits, "-" or "_". All
	// machines have the same. Required.
	Name string
	// Lease is how long a machine that isn't heard of keeps its connections: 0 is 5 seconds, 1 second
	// to 5 minutes. It is renewed three times as often. All machines have the same.
	Lease time.Duration
	// Margin is what is added to a lease before others judge by it, as clocks don't run alike: 0 is a
	// second, at most a minute.
	Margin time.Duration
	// Timeout is how long one question to Redis may take: 0 is a third of the lease, and it is at most
	// that.
	Timeout time.Duration
	// Logger is told when Redis goes away and comes back, and of leases that were lost. nil is
	// slog.Default().
	Logger *slog.Logger
}

const (
	defaultLease = 5 * time.Second
	minLease     = time.Second
	maxLease     = 5 * time.Minute
	maxMargin    = time.Minute
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c *Config) check() error {
	m := mistakes.In("redisregistry: Config")
	enabled := true
	switch client := c.Client.(type) {
	case nil:
		m.Add("Client", "want a redis.UniversalClient, got nil")
	case *redis.Client:
		enabled = client.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		enabled = client.Options().ContextTimeoutEnabled
	case *redis.Ring:
		m.Add("Client", "want one Redis, a Sentinel or a cluster: a Ring spreads one fleet's records over servers that know nothing of each other")
	}
	m.Require(enabled, "Client", "want ContextTimeoutEnabled in its options, so that a slow Redis is waited for no longer than it may be")
	m.Require(nameForm.MatchString(c.Name), "Name", "want 1 to 64 letters, digits, - or _, got %.70q", c.Name)
	mistakes.RangeOrZero(m, "Lease", c.Lease, minLease, maxLease)
	mistakes.Range(m, "Margin", c.Margin, 0, maxMargin)
	mistakes.Range(m, "Timeout", c.Timeout, 0, cmp.Or(c.Lease, defaultLease)/3)
	return m.Err()
}

// Registry is a [websocket.Registry] and a [websocket.Transport] on Redis. It is safe for concurrent
// use, and serves as many APIs of a process as there are.
type Registry struct {
	client  redis.UniversalClient
	prefix  string
	lease   time.Duration
	margin  time.Duration
	timeout time.Duration
	logger  *slog.Logger
	outage  outage.Log
	dials   dials
	ctx     context.Context

	mu      sync.Mutex
	members map[string]*member // by the key of scope and node
	replies replies
}

var (
	_ websocket.Registry  = (*Registry)(nil)
	_ websocket.Transport = (*Registry)(nil)
)

// New returns a Registry, or one error that names every field it refuses. It asks Redis nothing yet.
// What it starts later, for members, listeners and answers, ends with ctx.
func New(ctx context.Context, c Config) (*Registry, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	lease := cmp.Or(c.Lease, defaultLease)
	logger := cmp.Or(c.Logger, slog.Default())
	g := &Registry{
		client: c.Client, prefix: "gatekit:ws:" + c.Name + ":", lease: lease, margin: cmp.Or(c.Margin, time.Second),
		timeout: cmp.Or(c.Timeout, lease/3), logger: logger, ctx: ctx, members: map[string]*member{},
		outage: outage.Log{Logger: logger, Away: "redisregistry: Redis can't be asked"},
	}
	c.Client.AddHook(&g.dials)
	g.replies = replies{registry: g, channel: g.prefix + "reply:" + rand.Text(), waiting: map[uint64]chan websocket.Answer{}}
	return g, nil
}

// tag begins the keys of a scope, with the hash tag that keeps them on one shard.
func (g *Registry) tag(scope string) string { return g.prefix + "{" + scope + "}:" }

var (
	nodeForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	scopeForm = regexp.MustCompile(`^[^{}\x00-\x1f]{1,256}$`)
)

// Join implements [websocket.Registry].
func (g *Registry) Join(ctx context.Context, n websocket.Node) (websocket.Member, error) {
	if !nodeForm.MatchString(n.ID) || !scopeForm.MatchString(n.Scope) {
		return nil, fmt.Errorf("redisregistry: Node: want an ID of 1 to 64 letters, digits, - or _ and a scope without braces, got %.70q in %.260q", n.ID, n.Scope)
	}
	m := &member{registry: g, node: n, tag: g.tag(n.Scope), wake: make(chan struct{}, 1), ended: make(chan struct{})}
	key := m.tag + n.ID
	g.mu.Lock()
	if g.members[key] != nil {
		g.mu.Unlock()
		return nil, fmt.Errorf("redisregistry: node %q has joined already", n.ID)
	}
	g.members[key] = m
	g.mu.Unlock()
	if err := m.take(ctx); err != nil {
		g.forget(m)
		return nil, err
	}
	// The membership ends with the caller's context and with the registry's.
	m.ctx, m.cancel = context.WithCancel(ctx)
	unhook := context.AfterFunc(g.ctx, m.cancel)
	go func() {
		defer close(m.ended)
		defer unhook()
		m.keep()
	}()
	return m, nil
}

func (g *Registry) forget(m *member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if key := m.tag + m.node.ID; g.members[key] == m {
		delete(g.members, key)
	}
}

func (g *Registry) member(scope, node string) *member {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members[g.tag(scope)+node]
}

// ask runs one script, within the timeout. A failure is [websocket.ErrUnavailable] with its cause, or
// ctx's own.
func (g *Registry) ask(ctx context.Context, s *redis.Script, tag string, args ...any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	answer, err := s.Run(asking, g.client, []string{tag}, args...).Result()
	if ctx.Err() == nil {
		g.outage.Note(context.WithoutCancel(ctx), err)
	}
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, &unavailable{err}
}

// unavailable is websocket.ErrUnavailable with why.
type unavailable struct{ cause error }

func (e *unavailable) Error() string {
	return websocket.ErrUnavailable.Error() + ": " + e.cause.Error()
}
func (e *unavailable) Unwrap() []error { return []error{websocket.ErrUnavailable, e.cause} }

// dials sees how the client's dialing ends. The client tries again and again, so that what it returns
// in the end is as a rule that time is over, and not why.
type dials struct{ refused atomic.Bool }

// DialHook implements redis.Hook.
func (d *dials) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err == nil || ctx.Err() == nil { // a dial that was called off says nothing
			d.refused.Store(errors.Is(err, syscall.ECONNREFUSED))
		}
		return conn, err
	}
}

// ProcessHook implements redis.Hook.
func (*dials) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (*dials) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
