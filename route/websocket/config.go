package websocket

import (
	"cmp"
	"log/slog"
	"maps"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// Off turns a limit or a timer of [Config] off.
const Off = wsconn.Off

// The bounds that nothing is known of on the managed gateway.
const (
	defaultConnections = 100_000
	defaultInFlight    = 10_000
	defaultRefused     = 100
	refusedWindow      = 10 * time.Second
	defaultCallTimeout = 5 * time.Second
	defaultDrain       = 5 * time.Second
	maxParallel        = 1000
)

// maxPushBytes is the longest message that may be sent to a client. (Service model of
// apigatewaymanagementapi, PostToConnection, Data.)
const maxPushBytes = 128 << 10

// Config is what holds for all connections of an [API]. The zero value of a limit is the managed
// gateway's; where that has none, ours.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// API says which API and stage this is. Its Flavor is WebSocket, also if it is left out.
	API gatekit.API
	// RouteSelection is the route selection expression, such as "$request.body.action" or
	// "${request.body.service}/${request.body.action}". Required.
	RouteSelection string

	// AllowOrigins are the web pages that may connect, such as "https://app.example". None allows
	// the pages of the API's own host. A request without an Origin comes from no browser and
	// passes.
	AllowOrigins []string
	// InsecureAllowAnyOrigin lets every web page connect, in the name of whoever looks at it, as
	// the managed gateway does. It is safe only where no cookie and no network address lets anybody
	// in.
	InsecureAllowAnyOrigin bool
	// Subprotocols are what the API speaks by itself: where $connect names none, the first of the
	// client's that is listed is selected. None: only $connect selects, as on the managed gateway.
	Subprotocols []string
	// TrustedProxies and TrustedHeader are as in route.Config.
	TrustedProxies []string
	TrustedHeader  string

	// MaxFrameBytes and MaxMessageBytes bound what a client sends: 32,768 and 131,072 by default,
	// or Off.
	MaxFrameBytes, MaxMessageBytes int
	// AllowBinary takes and sends binary messages, which the managed gateway refuses with 1003.
	AllowBinary bool
	// Deflate accepts permessage-deflate. A message may be MaxMessageBytes when it is inflated, so
	// that can't be Off.
	Deflate bool
	// IdleTimeout and Lifetime close connections with 1001: after 10 minutes without a message and
	// after 2 hours by default, or Off.
	IdleTimeout, Lifetime time.Duration
	// PingInterval pings a client from which nothing was received for so long, and PongTimeout
	// gives it up so long after. 0 and Off send no pings, as the managed gateway does; 25 seconds
	// pass most proxies.
	PingInterval, PongTimeout time.Duration
	// MaxQueueBytes bounds what waits to be written to one client: 256 KiB by default.
	MaxQueueBytes int

	// Parallel is how many messages of one connection are served at once; their replies come in any
	// order. 0 and 1 serve them in order, one after the other, which the managed gateway doesn't.
	Parallel int
	// MaxInFlight bounds the messages that are served at once, of all connections. Beyond it
	// clients are read from later. 0 is 10,000.
	MaxInFlight int
	// MaxConnections bounds the connections of this process; more are answered 503. 0 is 100,000;
	// Off means none.
	MaxConnections int
	// MaxRefused closes a connection (1008) of which more messages than this were refused within 10
	// seconds. 0 is 100; Off means none.
	MaxRefused int
	// IntegrationTimeout ends the context of a handler: 29 seconds by default.
	IntegrationTimeout time.Duration
	// IgnoreExpiry keeps a connection open beyond the exp of the token that it was opened with, as
	// authorizers of the managed gateway do. Otherwise it is closed then, with 1008.
	IgnoreExpiry bool
	// AuthenticateWithin lets connections in unauthenticated and closes them (1008) unless a route
	// with an [Authenticate] handler has admitted their caller so soon. Until then messages of
	// other routes are refused. 0 is off.
	AuthenticateWithin time.Duration

	// Registry and Transport connect the API with those of other machines; both or none. They are
	// redisregistry's, or one Memory for several APIs of a process.
	Registry  Registry
	Transport Transport
	// CallTimeout bounds what is asked of another machine: 5 seconds by default.
	CallTimeout time.Duration
	// DrainOver is the time over which Shutdown closes connections, so that their clients don't all
	// come back at once: 5 seconds by default, or Off.
	DrainOver time.Duration

	// Logger gets what clients aren't told. nil is slog.Default().
	Logger *slog.Logger
}

// engine is the part of c that the engine checks.
func (c *Config) engine() wsconn.Config {
	return wsconn.Config{
		MaxFrameBytes: c.MaxFrameBytes, MaxMessageBytes: c.MaxMessageBytes,
		RefuseBinary: !c.AllowBinary, Deflate: c.Deflate,
		IdleTimeout: c.IdleTimeout, Lifetime: c.Lifetime,
		PingInterval: c.PingInterval, PongTimeout: c.PongTimeout,
		MaxQueueBytes: c.MaxQueueBytes,
	}
}

// orOff returns the value that counts for a field that can be turned off: 0 for off.
func orOff[T ~int | ~int64](v, def T) T {
	if v == Off {
		return 0
	}
	return cmp.Or(v, def)
}

// check returns an API without routes, or every mistake in c.
func (c Config) check() (*API, error) {
	m := mistakes.In("websocket: Config")
	a := &API{
		identity: c.API, routes: map[string]*route{}, conns: map[string]*socket{},
		opening: map[*gatekit.RequestContext]*socket{}, places: newPlaces(),
	}
	m.Require(c.API.Flavor == gatekit.HTTP || c.API.Flavor == gatekit.WebSocket, "API.Flavor",
		"want WebSocket, got %v", c.API.Flavor)
	a.identity.Flavor = gatekit.WebSocket
	a.identity.Variables = maps.Clone(c.API.Variables)
	m.Join(c.API.Validate())

	var err error
	if a.selection, err = parseRouteSelection(c.RouteSelection); err != nil {
		m.Add("RouteSelection", "%w", err)
	}
	if a.origins, err = newOrigins(c.AllowOrigins, c.InsecureAllowAnyOrigin); err != nil {
		m.Add("AllowOrigins", "%w", err)
	}
	if a.proxies, err = gatekit.NewTrustedProxies(c.TrustedHeader, c.TrustedProxies...); err != nil {
		m.Add("TrustedProxies", "%w", err)
	}
	if a.engine, err = wsconn.New(c.engine()); err != nil {
		m.Join(err)
	}
	for _, p := range c.Subprotocols {
		m.Require(isProtocol(p), "Subprotocols", "want tokens, got %q", p)
	}
	mistakes.Range(m, "Parallel", c.Parallel, 0, maxParallel)
	mistakes.AtLeast(m, "MaxInFlight", c.MaxInFlight, 0)
	mistakes.AtLeast(m, "MaxConnections", c.MaxConnections, Off)
	mistakes.AtLeast(m, "MaxRefused", c.MaxRefused, Off)
	mistakes.RangeOrZero(m, "IntegrationTimeout", c.IntegrationTimeout, time.Millisecond, 24*time.Hour)
	mistakes.RangeOrZero(m, "AuthenticateWithin", c.AuthenticateWithin, time.Millisecond, time.Hour)
	mistakes.RangeOrZero(m, "CallTimeout", c.CallTimeout, time.Millisecond, time.Minute)
	m.Require(c.DrainOver == Off || c.DrainOver >= 0, "DrainOver", "want 0 or more, or Off, got %v", c.DrainOver)
	m.Require((c.Registry == nil) == (c.Transport == nil), "Transport", "want one with a Registry, and none without")
	c.MaxInFlight = cmp.Or(c.MaxInFlight, defaultInFlight)
	c.MaxConnections = orOff(c.MaxConnections, defaultConnections)
	c.MaxRefused = orOff(c.MaxRefused, defaultRefused)
	c.IntegrationTimeout = cmp.Or(c.IntegrationTimeout, gatekit.WebSocket.Limits().IntegrationTimeout)
	c.CallTimeout = cmp.Or(c.CallTimeout, defaultCallTimeout)
	c.DrainOver = orOff(c.DrainOver, defaultDrain)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	a.config = c
	return a, m.Err()
}
