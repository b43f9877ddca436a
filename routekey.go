package gatekit

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit/internal/routetree"
)

// RouteKey returns the key of the route that r is on: the RequestContext's, or, under another
// router than this module's, what r.Pattern says in the gateway's spelling. It is "" before
// routing. It attaches nothing.
//
// A pattern without a method gives a key that begins with ANY, whatever the router knows: a station
// whose rule depends on the route asks [RequireRouteKey].
func RouteKey(r *http.Request) string {
	rc := From(r.Context())
	if r.Pattern == "" || rc != nil && rc.Route != nil {
		return rc.RouteKey()
	}
	// Also where a router in front of this one had a pattern: this one is closer to the handler
	return routeKeyOf(r.Pattern)
}

// RouteKey returns the key of the route that was chosen: "GET /orders/{id}", "$default". Where
// another router than this module's has chosen it is what its pattern says in the gateway's
// spelling; it is "" before routing.
func (rc *RequestContext) RouteKey() string {
	if rc == nil {
		return ""
	}
	if rc.Route != nil {
		return rc.Route.Key
	}
	if r := rc.request(); r != nil && r.Pattern != "" {
		return routeKeyOf(r.Pattern)
	}
	return ""
}

// RequireRouteKey returns the key of the route that r is on, as a route.API or [OnRoute] has stated
// it, or as a pattern of http.ServeMux says that names its method. It is for stations whose rules
// are listed by route key. The error is a Rejection (500): a rule that can't be looked up must not
// pass for one that isn't there.
//
// It refuses a key that was made from a pattern without a method. chi's Get("/pets/{id}") has the
// same pattern as its Post("/pets/{id}"), and the same as the Handle("/pets/{id}") of
// http.ServeMux, so such a pattern tells no route.
//
// listed yields the keys that have rules; nil is none. A pattern for many paths ("GET /", "GET
// /{a}/{b}") may have another router behind it: where a closer one of these fits the request as
// well, nobody tells which it is on, and it is refused too.
func RequireRouteKey(r *http.Request, listed iter.Seq[string]) (string, error) {
	if rc := From(r.Context()); rc != nil && rc.Route != nil {
		return rc.Route.Key, nil
	}
	switch key := RouteKey(r); {
	case key == "":
		return "", errNoRoute
	case tellsNoMethod(key):
		return "", errNoMethod
	case listed != nil && strings.Contains(key, "{") && closerFits(r, key, listed):
		return "", errManyPaths
	default:
		return key, nil
	}
}

// closerFits reports whether a listed key fits the request's method and path that is closer than
// key: a router that had it would have chosen it.
func closerFits(r *http.Request, key string, listed iter.Seq[string]) bool {
	path := PathOf(r)
	for other := range listed {
		method, _, _ := strings.Cut(other, " ")
		if (method == "ANY" || method == r.Method) && closer(other, key) && path.Fits(other) {
			return true
		}
	}
	return false
}

// closer reports whether every path of key a is one of key b's, but not the other way round.
func closer(a, b string) bool {
	if routetree.Shape(a) == routetree.Shape(b) {
		return false
	}
	_, a, _ = strings.Cut(a, " ")
	_, b, _ = strings.Cut(b, " ")
	for more := true; more; {
		var own, other string
		var also bool
		own, a, also = strings.Cut(a, "/")
		other, b, more = strings.Cut(b, "/")
		variable := strings.HasPrefix(other, "{")
		switch {
		case variable && strings.HasSuffix(other, "+}"):
			return true // the rest, whatever it is
		case strings.HasSuffix(own, "+}"), !variable && own != other, also != more:
			return false
		}
	}
	return true
}

func tellsNoMethod(key string) bool { return key[0] == '$' || strings.HasPrefix(key, "ANY ") }

// Each is made once: a cause that is the same for every request needs no copy.
var (
	errNoRoute = &Rejection{Type: APIConfigurationError, Cause: errors.New(
		"gatekit: a station needs the route's key, and no router in front of it tells one: state it with gatekit.OnRoute")}
	errNoMethod = &Rejection{Type: APIConfigurationError, Cause: errors.New(
		"gatekit: a station needs the route's key, and the router's pattern names no method: state it with gatekit.OnRoute")}
	errManyPaths = &Rejection{Type: APIConfigurationError, Cause: errors.New(
		"gatekit: a station needs the route's key, and the router's pattern is for many paths, " +
			"behind which another may choose: state it with gatekit.OnRoute")}
)

// OnRoute returns a middleware that states the key of the route for every station behind it, under
// routers that don't tell it: chi, gin, echo, and http.ServeMux where the pattern names no method.
//
//	r.With(gatekit.Must(gatekit.OnRoute("GET /pets/{id}")), limits.Middleware).Get("/pets/{id}", getPet)
//
// The key is in the gateway's spelling, "GET /orders/{id}", "ANY /files/{proxy+}" or "$default";
// the error says how it should be. A request whose method isn't the key's is answered 500, as it is
// on another route than the one stated; HEAD is taken for GET, since http.ServeMux serves it so.
func OnRoute(routeKey string) (Middleware, error) {
	key, err := routetree.ParseKey(routeKey)
	if err != nil {
		return nil, fmt.Errorf("gatekit: OnRoute: %q: %w", routeKey, err)
	}
	method := key.Method
	if method == "ANY" {
		method = ""
	}
	wrong := &Rejection{Type: APIConfigurationError,
		Cause: fmt.Errorf("gatekit: OnRoute(%q) stands in front of a request with another method", routeKey)}
	return func(next http.Handler) http.Handler {
		return &onRoute{route: Route{Key: routeKey}, method: method, wrong: wrong, next: next}
	}, nil
}

type onRoute struct {
	route  Route
	method string // "" is every one
	wrong  *Rejection
	next   http.Handler
}

func (h *onRoute) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.method != "" && r.Method != h.method && (r.Method != http.MethodHead || h.method != http.MethodGet) {
		Reject(w, r, h.wrong)
		return
	}
	rc, r := Attach(r)
	rc.Route = &h.route
	if rc.Keeps(KeepOutcomes) {
		rc.Note(Note{Phase: PhaseRoute, Rule: h.route.Key, Reason: "stated by OnRoute"})
	}
	h.next.ServeHTTP(w, r)
}

// Station implements [Station].
func (h *onRoute) Station() (kind string, next http.Handler) { return "on route", h.next }

// routeKeyOf turns the pattern of another router into the gateway's spelling: "GET
// /files/{path...}" of http.ServeMux is "GET /files/{path+}", "/orders/" is "ANY /orders/{proxy+}",
// "/" is "$default". A chi pattern ("/orders/{id:[0-9]+}", "/files/*") names no method, so its key
// begins with ANY.
func routeKeyOf(pattern string) string {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = "ANY", pattern
	}
	path = strings.TrimLeft(path, " \t")
	i := strings.IndexByte(path, '/')
	if i < 0 {
		return ""
	}
	path = path[i:] // without a host
	if path == "/" && !ok {
		return "$default"
	}
	if ok && len(method)+1+len(path) == len(pattern) && !strings.ContainsAny(path, ".:*$") && path[len(path)-1] != '/' {
		return pattern // the two spellings agree: the common case, without an allocation
	}
	segments := strings.Split(path[1:], "/")
	if last := len(segments) - 1; segments[last] == "" || segments[last] == "*" {
		segments[last] = "{proxy+}" // a subtree: the rest of the path, which has no name there
	} else if segments[last] == "{$}" {
		segments = segments[:max(last, 1)] // the path itself; the root keeps an empty segment
		segments[0] = strings.TrimPrefix(segments[0], "{$}")
	}
	for i, s := range segments {
		segments[i] = keySegment(s)
	}
	return method + " /" + strings.Join(segments, "/")
}

// keySegment turns one segment of another router's pattern into the gateway's spelling.
func keySegment(s string) string {
	switch {
	case strings.HasPrefix(s, "{") && strings.HasSuffix(s, "...}"):
		return strings.TrimSuffix(s, "...}") + "+}"
	case strings.HasPrefix(s, "{") && strings.Contains(s, ":"):
		name, _, _ := strings.Cut(s, ":")
		return name + "}" // chi: {name:regexp}
	}
	return s
}
