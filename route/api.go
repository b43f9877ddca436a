package route

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/routetree"
)

// API is an http.Handler that sends each request to the handler of its route. Set it up with Use,
// UseMatched, Handle and Add; [API.Build], or the first request, ends that. Then it is immutable
// and safe for concurrent use.
type API struct {
	identity           gatekit.API
	identified         bool // identity isn't the zero value
	proxies            *gatekit.TrustedProxies
	rejectEncodedSlash bool
	looseSlash         bool // a slash at the end of a path doesn't count

	built   atomic.Pointer[built] // nil until Build or the first request
	visited atomic.Bool           // by a Build that is on its way through the handlers

	mu         sync.Mutex // over the set-up
	use        []gatekit.Middleware
	useMatched []gatekit.Middleware
	tree       *routetree.Tree[*matched]
	routes     []*matched
}

// built is an API whose set-up has ended.
type built struct {
	entry http.Handler // Use's middlewares around the choice of a route
	tree  *routetree.Tree[*matched]
	err   error // what Build refuses; then entry answers 500
}

// matched is a route.
type matched struct {
	route     gatekit.Route // what its requests are told of it
	pattern   string
	variables []string
	handler   http.Handler         // once built, with all middlewares around it
	mw        []gatekit.Middleware // the route's own
}

// New returns an API without routes, or one error that lists every field it refuses. It copies cfg.
func New(cfg Config) (*API, error) {
	proxies, err := cfg.check()
	if err != nil {
		return nil, err
	}
	return &API{
		identity:           cfg.API,
		identified:         cfg.API.Described(),
		proxies:            proxies,
		rejectEncodedSlash: cfg.RejectEncodedSlash,
		looseSlash:         cfg.options().IgnoreTrailingSlash,
		tree:               routetree.New[*matched](cfg.options()),
	}, nil
}

var errSetUp = errors.New("the set-up ended with the first request, or Build; make a new API to change routes")

// Use adds middlewares that run for every request before its route is chosen, in the order given.
// It panics if one is nil or the set-up has ended.
func (a *API) Use(mw ...gatekit.Middleware) { a.add("Use", &a.use, mw) }

// UseMatched adds middlewares that run for every request that has a route, $default among them,
// before the route's own. It panics if one is nil or the set-up has ended.
func (a *API) UseMatched(mw ...gatekit.Middleware) { a.add("UseMatched", &a.useMatched, mw) }

func (a *API) add(name string, list *[]gatekit.Middleware, mw []gatekit.Middleware) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := checkMiddlewares(mw)
	if a.built.Load() != nil {
		err = errSetUp
	}
	if err != nil {
		panic(fmt.Sprintf("route: API.%s: %v", name, err))
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

// Add adds a route behind its own middlewares. It returns an error if the key isn't one, if another
// route matches the same requests (the error names both), if h or a middleware is nil, or if the
// set-up has ended.
func (a *API) Add(routeKey string, h http.Handler, mw ...gatekit.Middleware) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := checkMiddlewares(mw)
	if h == nil {
		err = errors.New("want a handler, got nil")
	}
	if a.built.Load() != nil {
		err = errSetUp
	}
	key, keyErr := routetree.ParseKey(routeKey)
	if err = errors.Join(keyErr, err); err == nil {
		m := &matched{route: gatekit.Route{Key: routeKey}, pattern: key.Pattern(), variables: key.Variables(),
			handler: h, mw: append([]gatekit.Middleware(nil), mw...)}
		if err = a.tree.Add(key, m); err == nil {
			a.routes = append(a.routes, m)
			return nil
		}
	}
	return fmt.Errorf("route: API.Add: %q: %w", routeKey, err)
}

func (a *API) ready() *built {
	if b := a.built.Load(); b != nil {
		return b
	}
	if err := a.Build(); err != nil { // nobody has asked for it: whoever starts the program without Build reads it here
		slog.Error("route: the API can't be built, every request is answered 500", slog.String("error", err.Error()))
	}
	return a.built.Load()
}

// Routes returns the routes in the order they were added, each with its handler behind all
// middlewares but those of Use, so that a built API can be walked and checked (gatekit.Station). It
// ends the set-up.
func (a *API) Routes() iter.Seq2[string, http.Handler] {
	a.ready()
	return func(yield func(string, http.Handler) bool) {
		for _, m := range a.routes {
			if !yield(m.route.Key, m.handler) {
				return
			}
		}
	}
}

// Match returns the key of the route that a request with this method and escaped path gets, or ""
// if there is none or the path is refused. It allocates nothing unless the path has escapes. It
// ends the set-up.
func (a *API) Match(method, escapedPath string) (routeKey string) {
	form, err := requestpath.Parse(escapedPath, a.identity.Flavor == gatekit.REST)
	if err != nil || form.Check(a.rejectEncodedSlash) != nil {
		return ""
	}
	path, escaped := form.Raw()
	var values routetree.Values
	if m := a.ready().tree.Match(method, path, escaped, &values); m != nil {
		return (*m).route.Key
	}
	return ""
}

// ServeHTTP sends the request to its route, or refuses it: 404 for HTTP and 403 for REST where
// there is none, 400 for a path that two readers might take for different ones. Use's middlewares
// see refused requests too: they are logged, and pages can read them.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	a.serve(w, r, rc, &a.identity)
}

// serve is ServeHTTP for the API as it is known under a stage.
func (a *API) serve(w http.ResponseWriter, r *http.Request, rc *gatekit.RequestContext, identity *gatekit.API) {
	if a.identified {
		rc.API = identity
	}
	if rc.API.Flavor == gatekit.REST {
		rc.AdoptRequestID(r.Header)
	}
	r = requestpath.FollowRequest(&rc.Path, r, rc.API.Flavor == gatekit.REST)
	if a.proxies.Any() {
		rc.SetSourceIP(a.proxies.SourceIP(r))
	}
	rc.SetRequestIDHeaders(w.Header())
	a.ready().entry.ServeHTTP(w, r)
}
