// Package upstream sends requests to servers of which there may be several, and some may be slow,
// busy or gone. It knows HTTP, and nothing of API Gateway: what is sent, and how a failure is told
// to the client, is its caller's to say.
//
// A [Pool] holds the servers: which one gets a request (balance.go), how many requests each may
// have and who waits (queue.go), who is sick (health.go) or ejected (ejection.go), and how much may
// be sent again (retry.go). An [Exchange] is one request on its way: its body (body.go, ahead.go),
// its attempts (send.go), its answer (copy.go, tunnel.go) and its clocks (exchange.go, pace.go).
package upstream

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Config configures a [Pool]. It has no defaults and isn't checked: that is done where its values
// come from, in the words that are used there.
type Config struct {
	Servers   []Server // at least one
	Transport *http.Transport
	Scheme    string // http or https

	Balance Balance
	// PanicPercent is the share of usable servers below which health isn't looked at.
	PanicPercent int
	// Fixed says that Servers are one, for good: it is never ejected.
	Fixed bool

	Health   *Health // nil asks nothing
	Ejection Ejection
	Retry    Retry

	MaxConnections int           // at one server at a time
	MaxWaiting     int           // for a connection
	ConnectionWait time.Duration // how long they wait
	TryTimeout     time.Duration // until the headers of one attempt; 0: none of its own
	IdleTimeout    time.Duration // how long an answer may pause, or a client take nothing

	// Client tells who a request is from, as far as places at the servers are concerned.
	Client func(*http.Request) netip.Addr
}

// Pool sends requests to servers. It is safe for concurrent use.
type Pool struct {
	config  Config
	ctx     context.Context
	ended   atomic.Bool // ctx has
	queue   queue
	slow    slowOnes
	retries *retries
	turn    atomic.Uint32

	setting sync.Mutex // over Set
	servers atomic.Pointer[serverSet]
}

// New returns a Pool. Health checks and upgraded connections end with ctx; after that requests are
// still served, for a program that is shutting down, but no connection is kept.
func New(ctx context.Context, c Config) *Pool {
	p := &Pool{config: c, ctx: ctx, queue: queue{max: int32(c.MaxWaiting)}, retries: newRetries(c.Retry)}
	p.Set(c.Servers)
	context.AfterFunc(ctx, func() {
		p.ended.Store(true)
		c.Transport.CloseIdleConnections()
	})
	return p
}
