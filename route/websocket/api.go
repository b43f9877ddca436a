package websocket

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// The keys of the routes that no message selects by its text.
const (
	connectKey    = "$connect"
	disconnectKey = "$disconnect"
	defaultKey    = "$default"
)

// API is a WebSocket API: an http.Handler for handshakes, and the handlers of the messages on the
// connections that it opens. Set it up with Use, UseMessages, Handle and Add; [API.Build], or the
// first request, ends that. Then it is safe for concurrent use.
type API struct {
	config    Config
	identity  gatekit.API
	engine    *wsconn.Engine
	selection *selection
	origins   *origins
	proxies   *gatekit.TrustedProxies

	ctx      context.Context // of messages and $disconnect; ends when Shutdown gives up
	stop     context.CancelFunc
	node     Node
	member   Member
	places   *places
	hangUp   func()        // of the Transport; may be called twice
	inFlight chan struct{} // a token for each message that is served

	built       atomic.Bool
	mu          sync.Mutex // over the set-up
	use         []gatekit.Middleware
	useMessages []gatekit.Middleware
	routes      map[string]*route
	order       []*route
	entry       http.Handler // Use's middlewares around the upgrade
	noRoute     *route

	open  sync.RWMutex // over what follows
	conns map[string]*socket
	// opening are the handshakes that hold a place among MaxConnections: nil until the registry is
	// told of the connection.
	opening  map[*gatekit.RequestContext]*socket
	draining bool
	fenced   bool
	fences   int            // how many there were
	ends     sync.WaitGroup // one for each connection until its $disconnect is done

	connected time.Duration // how long the connections were open that have ended

	counts counts
}

// route is a route, with its chain once built.
type route struct {
	gatekit.Route
	handler      http.Handler
	mw           []gatekit.Middleware
	authenticate bool // an Authenticate handler, which serves callers who aren't admitted yet
	counts       counts
}

// New returns an API without routes, or one error that lists every field it refuses, or the
// registry's. It copies cfg. The end of ctx cuts all connections; [API.Shutdown] ends them in
// order.
func New(ctx context.Context, cfg Config) (*API, error) {
	a, err := cfg.check()
	if err != nil {
		return nil, err
	}
	a.ctx, a.stop = context.WithCancel(ctx)
	a.inFlight = make(chan struct{}, a.config.MaxInFlight)
	registry, transport := cfg.Registry, cfg.Transport
	if registry == nil {
		m := NewMemory(0)
		registry, transport = m, m
	}
	a.node = Node{
		ID: rand.Text(), Scope: a.identity.APIID + "/" + a.identity.Stage,
		Records: a.records, Fence: a.fence, Orphan: a.orphan,
	}
	if a.member, err = registry.Join(a.ctx, a.node); err != nil {
		a.stop()
		return nil, fmt.Errorf("websocket: join the registry: %w", err)
	}
	hangUp, err := transport.Listen(a.ctx, a.node, a.serveCall)
	if err != nil {
		_ = a.member.Leave(ctx)
		a.stop()
		return nil, fmt.Errorf("websocket: listen to other nodes: %w", err)
	}
	a.hangUp = sync.OnceFunc(hangUp)
	context.AfterFunc(ctx, a.abortAll)
	return a, nil
}

var errSetUp = errors.New("the set-up ended with the first request, or Build; make a new API to change routes")

// Use adds middlewares around the handshake, in front of those of $connect: limits, authorizers,
// API keys. It panics if one is nil or the set-up has ended.
func (a *API) Use(mw ...gatekit.Middleware) { a.add("Use", &a.use, mw) }

// UseMessages adds middlewares around all messages, those without a route too, in front of those of
// the routes. $connect and $disconnect don't pass them. It panics if one is nil or the set-up has
// ended.
func (a *API) UseMessages(mw ...gatekit.Middleware) { a.add("UseMessages", &a.useMessages, mw) }

func (a *API) add(name string, list *[]gatekit.Middleware, mw []gatekit.Middleware) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := checkMiddlewares(mw)
	if a.built.Load() {
		err = errSetUp
	}
	if err != nil {
		panic(fmt.Sprintf("websocket: API.%s: %v", name, err))
	}
	*list = append(*list, mw...)
}

func checkMiddlewares(mw []gatekit.Middleware) error {
	for i, m := range mw {
		if m == nil {
			return fmt.Errorf("middleware %d: want a func(http.Handler) http.Handler, got nil", i)
		}
	}
	return nil
}

// Handle adds a route behind its own middlewares. It panics where [API.Add] returns an error, as a
// key in the program's own text can only be a mistake there.
func (a *API) Handle(routeKey string, h http.Handler, mw ...gatekit.Middleware) {
	if err := a.Add(routeKey, h, mw...); err != nil {
		panic(err.Error())
	}
}

// Add adds a route behind its own middlewares: "$connect", "$disconnect", "$default", or a key that
// the route selection expression can evaluate to. What h writes is the reply; behind [OneWay] it is
// dropped. Of $connect it is the answer to the handshake, which any status but 2xx refuses; a
// Sec-Websocket-Protocol in its header selects the subprotocol.
//
// It returns an error if the key isn't one or is there already, if h or a middleware is nil, or if
// the set-up has ended.
func (a *API) Add(routeKey string, h http.Handler, mw ...gatekit.Middleware) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := checkMiddlewares(mw)
	if h == nil {
		err = errors.New("want a handler, got nil")
	}
	if a.built.Load() {
		err = errSetUp
	}
	if a.routes[routeKey] != nil {
		err = errors.New("is a route already")
	}
	if err = errors.Join(checkKey(routeKey), err); err != nil {
		return fmt.Errorf("websocket: API.Add: %q: %w", routeKey, err)
	}
	r := &route{Route: gatekit.Route{Key: routeKey}, handler: h, mw: append([]gatekit.Middleware(nil), mw...)}
	for station := range gatekit.Stations(h) {
		if _, ok := station.(*authenticator); ok {
			r.authenticate = true
		}
	}
	a.routes[routeKey] = r
	a.order = append(a.order, r)
	return nil
}

// maxKey is how long a route key may be; the managed gateway's bound isn't known.
const maxKey = 256

func checkKey(key string) error {
	switch {
	case key == connectKey || key == disconnectKey || key == defaultKey:
		return nil
	case key == "" || len(key) > maxKey:
		return fmt.Errorf("want 1 to %d bytes, got %d", maxKey, len(key))
	case key[0] == '$':
		return errors.New("want $connect, $disconnect, $default, or a key that doesn't begin with $")
	case strings.Contains(key, "/@connections"):
		return errors.New("is the management API's")
	}
	return nil
}

// Build ends the set-up. From then on Add returns an error, and Use, UseMessages and Handle panic;
// further calls do nothing. The first request calls it. The error says that nobody can ever be
// admitted: Config.AuthenticateWithin is set, and no route has a handler of [API.Authenticate].
func (a *API) Build() error {
	if a.built.Load() {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.built.Load() {
		return nil
	}
	for _, r := range a.order {
		switch r.Key {
		case connectKey: // noted by the upgrader
			r.handler = gatekit.Chain(r.handler, r.mw...)
		case disconnectKey: // whoever keeps notes stands among the route's own
			r.handler = gatekit.Chain(&noted{r.handler}, r.mw...)
		default:
			r.handler = gatekit.Chain(&noted{gatekit.Chain(r.handler, r.mw...)}, a.useMessages...)
		}
	}
	a.noRoute = &route{handler: gatekit.Chain(http.HandlerFunc(refuseRoute), a.useMessages...)}
	a.entry = gatekit.Chain(&upgrader{a}, a.use...)
	a.built.Store(true)
	authenticates := func(r *route) bool { return r.authenticate }
	if a.config.AuthenticateWithin > 0 && !slices.ContainsFunc(a.order, authenticates) {
		a.log(slog.LevelError, "nobody can be admitted", "", errNoAuthenticate)
		return errNoAuthenticate
	}
	return nil
}

var errNoAuthenticate = errors.New(
	"websocket: Config.AuthenticateWithin: want a route whose handler is API.Authenticate's")

var errNoRoute = &gatekit.Rejection{Type: gatekit.AccessDenied, Cause: errors.New("websocket: no route, and no $default")}

func refuseRoute(w http.ResponseWriter, r *http.Request) {
	gatekit.From(r.Context()).Note(gatekit.Note{Phase: gatekit.PhaseRoute, Verdict: gatekit.Refused,
		Reason: "the route selection expression gives no route's key, and there is no $default"})
	gatekit.Reject(w, r, errNoRoute)
}

// Node returns the ID under which the registry knows this API. It is new at each start.
func (a *API) Node() string { return a.node.ID }

// Routes returns the routes in the order they were added, each with its handler behind its
// middlewares and those of UseMessages, so that a built API can be walked and checked
// (gatekit.Station). It ends the set-up.
func (a *API) Routes() iter.Seq2[string, http.Handler] {
	_ = a.Build()
	return func(yield func(string, http.Handler) bool) {
		for _, r := range a.order {
			if !yield(r.Key, r.handler) {
				return
			}
		}
	}
}

// Select returns the key of the route that a message is for, or "" if there is none and no
// $default. A message can't name $connect or $disconnect. It ends the set-up.
func (a *API) Select(message []byte) (routeKey string) {
	_ = a.Build()
	return a.selectRoute(message).Key
}

// selectRoute returns the route of a message, noRoute if there is none.
func (a *API) selectRoute(message []byte) *route {
	if key, ok := a.selection.evaluate(message); ok && key != "" && key[0] != '$' {
		if r := a.routes[key]; r != nil {
			return r
		}
	}
	if r := a.routes[defaultKey]; r != nil {
		return r
	}
	return a.noRoute
}

// newID is a connection's or a message's ID: 11 random bytes as recorded ones are written. They
// come from the system's source: who knows an ID and has the permission can write to its client.
func newID() string {
	var b [11]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.URLEncoding.EncodeToString(b[:])
}

// log tells the operator what no client is told. It names the connection, and nothing that was
// sent.
func (a *API) log(level slog.Level, what, id string, err error) {
	a.config.Logger.LogAttrs(context.Background(), level, "websocket: "+what,
		slog.String("connection", id), slog.Any("error", err))
}
