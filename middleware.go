package gatekit

import (
	"fmt"
	"iter"
	"net/http"
)

// Middleware wraps a handler with one station of the gateway. It is an alias, so that any function
// of that shape, from any library, is one.
type Middleware = func(http.Handler) http.Handler

// Station is what a middleware of this module returns, so that a built chain can be walked and
// checked:
//
//	for h := range gatekit.Stations(chain) {
//		if s, ok := h.(gatekit.Station); ok {
//			kind, _ := s.Station()
//			fmt.Println(kind)
//		}
//	}
type Station interface {
	http.Handler
	// Station returns what the station is ("throttle", "auth", "cors" …) and the handler that it
	// calls.
	Station() (kind string, next http.Handler)
}

// RouteLister is a [Station] whose rules are listed by route key, apart from the routes: what an
// imported stage's settings are. (*route.API).Build refuses a key that none of its routes has.
type RouteLister interface {
	Station
	// RouteKeys returns the keys. It may be called more than once.
	RouteKeys() iter.Seq[string]
}

// RouteChecker is a [Station] that only makes sense on some routes, such as a cache whose key has a
// path variable. (*route.API).Build asks it about each route that it stands on.
type RouteChecker interface {
	Station
	// CheckRoute returns why the station can't stand on the route, or nil.
	CheckRoute(routeKey string) error
}

// Stations walks a built chain: it returns h and, as long as each is a [Station], the handlers
// behind it, the last one included. A middleware of somebody else's that isn't one ends the walk.
func Stations(h http.Handler) iter.Seq[http.Handler] {
	return func(yield func(http.Handler) bool) {
		for h != nil && yield(h) {
			s, ok := h.(Station)
			if !ok {
				return
			}
			_, h = s.Station()
		}
	}
}

// Chain returns h behind mw. The first middleware is the outermost: it sees a request first. Chain
// panics if h or one of mw is nil, as that is a mistake in the program's own text.
func Chain(h http.Handler, mw ...Middleware) http.Handler {
	if h == nil {
		panic("gatekit: Chain: want a handler, got nil")
	}
	for i := len(mw) - 1; i >= 0; i-- {
		if mw[i] == nil {
			panic(fmt.Sprintf("gatekit: Chain: middleware %d: want a func(http.Handler) http.Handler, got nil", i))
		}
		h = mw[i](h)
	}
	return h
}

// Must returns v, or panics with err. It is for configuration written as a literal, where an error
// is a mistake in the program's own text; configuration that comes from data wants the error.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
