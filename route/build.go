package route

import (
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// Build ends the set-up and checks what names routes, once: each station on a route is asked if it
// can stand there ([gatekit.RouteChecker]), and each list of route keys is compared with the routes
// ([gatekit.RouteLister]). It returns one error that names every mistake, with the keys that may
// have been meant. From then on Add returns an error, and Use, UseMatched and Handle panic; further
// calls return the same.
//
// [NewStages] and domain.New call it. A program that serves the API itself should, as the first
// request does otherwise: if Build fails, every request is answered 500, whose cause is the error.
//
// Build sees the stations that can be walked to ([gatekit.Stations]): behind a middleware of
// another library's, none. A rule that is listed there for a route that isn't is never applied, and
// nobody says so; attach rules to their routes.
func (a *API) Build() error {
	errs := []error{a.build().err}
	if a.visited.CompareAndSwap(false, true) { // not again where an API is a handler of its own
		defer a.visited.Store(false)
		for h := range a.stations() {
			if other, ok := h.(interface{ Build() error }); ok && other != any(a) {
				errs = append(errs, other.Build())
			}
		}
	}
	return errors.Join(errs...)
}

// stations are all stations of all chains.
func (a *API) stations() iter.Seq[http.Handler] {
	return func(yield func(http.Handler) bool) {
		for h := range gatekit.Stations(a.built.Load().entry) {
			if !yield(h) {
				return
			}
		}
		for _, m := range a.routes {
			for h := range gatekit.Stations(m.handler) {
				if !yield(h) {
					return
				}
			}
		}
	}
}

// build makes the chains, and checks them. Other APIs behind them are left to Build, so that no
// lock is held while they build.
func (a *API) build() *built {
	a.mu.Lock()
	defer a.mu.Unlock()
	if b := a.built.Load(); b != nil {
		return b
	}
	for _, m := range a.routes {
		m.handler = gatekit.Chain(m.wrapped(), a.useMatched...)
	}
	b := &built{tree: a.tree}
	b.entry = gatekit.Chain(&chooser{api: a, tree: a.tree}, a.use...)
	if b.err = a.check(b.entry); b.err != nil {
		refuse := &refuser{&gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: b.err}}
		b.entry = gatekit.Chain(refuse, a.use...) // so that logs see it, and pages can read it
	}
	a.built.Store(b)
	return b
}

// refuser answers every request of an API that couldn't be built.
type refuser struct{ why *gatekit.Rejection }

func (h *refuser) ServeHTTP(w http.ResponseWriter, r *http.Request) { gatekit.Reject(w, r, h.why) }

// check returns what is wrong with the stations, each mistake once: a list stands on every route.
func (a *API) check(entry http.Handler) error {
	have := make(map[string]bool, len(a.routes))
	for _, m := range a.routes {
		have[m.route.Key] = true
	}
	var errs []error
	told := map[string]bool{}
	wrong := func(format string, args ...any) {
		if err := fmt.Errorf("route: API.Build: "+format, args...); !told[err.Error()] {
			told[err.Error()] = true
			errs = append(errs, err)
		}
	}
	for h := range gatekit.Stations(entry) {
		if l, ok := h.(gatekit.RouteLister); ok {
			kind, _ := l.Station()
			for key := range l.RouteKeys() {
				wrong("%s: it lists %q, and stands in Use, where no route is chosen yet: want it in UseMatched or on the routes", kind, key)
			}
		}
	}
	for _, m := range a.routes {
		for h := range gatekit.Stations(m.handler) {
			if l, ok := h.(gatekit.RouteLister); ok {
				kind, _ := l.Station()
				for key := range l.RouteKeys() {
					if !have[key] {
						have[key] = true // to be told once, whatever number of stations lists it
						wrong("%s: want the key of a route, got %q%s", kind, key, nearest.Hint(key, a.keys()))
					}
				}
			}
			if c, ok := h.(gatekit.RouteChecker); ok {
				if err := c.CheckRoute(m.route.Key); err != nil {
					wrong("route %q: %w", m.route.Key, err)
				}
			}
		}
	}
	return errors.Join(errs...)
}

// keys are the routes' keys, in the order in which they were added.
func (a *API) keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, m := range a.routes {
			if !yield(m.route.Key) {
				return
			}
		}
	}
}
