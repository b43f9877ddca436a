package gatekit

import (
	"fmt"
	"net/http"
)

// Middleware wraps a handler with one station of the gateway. It is an alias, so that any function of that shape, from any
// library, is one.
type Middleware = func(http.Handler) http.Handler

// Station is what a middleware of this module returns, so that a built chain can be walked and checked:
//
//	for s, ok := h.(gatekit.Station); ok; s, ok = h.(gatekit.Station) {
//		kind, next := s.Station()
//		fmt.Println(kind)
//		h = next
//	}
type Station interface {
	http.Handler
	// Station returns what the station is ("throttle", "auth", "cors" …) and the handler that it calls.
	Station() (kind string, next http.Handler)
}

// Chain returns h behind mw. The first middleware is the outermost: it sees a request first. Chain panics if h or one of
// mw is nil, as that is a mistake in the program's own text.
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

// Must returns v, or panics with err. It is for configuration written as a literal, where an error is a mistake in the
// program's own text; configuration that comes from data wants the error.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
