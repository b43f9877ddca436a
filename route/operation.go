package route

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
)

// maxName bounds a name and an id, in bytes. An HTTP API's operation names have up to 64
// characters; of a REST API's no bound is known.
const maxName = 1024

// OperationName returns a middleware that states the operation name of its route ("getPet"), which
// events of REST and WebSocket APIs and $context.operationName show. Among the middlewares of
// [API.Handle] its place doesn't matter: all stations behind the choice of the route know the name,
// as an authorizer's event has it, too. Under another router it holds for what is behind it. It
// returns an error if name is empty, has control characters or more than 1,024 bytes. (API
// reference, "Method", operationName.)
func OperationName(name string) (gatekit.Middleware, error) {
	if err := checkName("OperationName", name); err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler { return &named{operation: name, next: next} }, nil
}

// ResourceID returns a middleware that states the id of its route's resource ("a1b2c3"), which
// events of REST APIs and $context.resourceId show: an API that is moved here keeps those that logs
// and functions know. Without it they show an id that is made of the resource's path. Its place is
// as [OperationName]'s, and so is the error. (API reference, "Resource", id.)
func ResourceID(id string) (gatekit.Middleware, error) {
	if err := checkName("ResourceID", id); err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler { return &named{resource: id, next: next} }, nil
}

func checkName(function, name string) error {
	if name == "" || len(name) > maxName || httpword.HasControl(name) {
		return fmt.Errorf("route: %s: want 1 to %d bytes without control characters, got %q",
			function, maxName, name[:min(len(name), 100)])
	}
	return nil
}

// named states what its route is called: the one of the two that isn't empty.
type named struct {
	operation, resource string
	next                http.Handler
}

func (h *named) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	known := gatekit.Route{Key: rc.RouteKey()}
	if rc.Route != nil {
		known = *rc.Route
	}
	was := known
	if h.note(&known); known != was { // under another router than ours, which notes it when it is built
		rc.Route = &known
	}
	h.next.ServeHTTP(w, r)
}

func (h *named) note(route *gatekit.Route) {
	route.OperationName = cmp.Or(h.operation, route.OperationName)
	route.ResourceID = cmp.Or(h.resource, route.ResourceID)
}

// Station implements [gatekit.Station].
func (h *named) Station() (kind string, next http.Handler) {
	if h.resource != "" {
		return "resource id", h.next
	}
	return "operation name", h.next
}

// wrapped puts the route's own middlewares around its handler, and notes the operation name and the
// resource's id that they state. The stations themselves stay, so that the chain can be walked.
func (m *matched) wrapped() http.Handler {
	h := m.handler
	for i := len(m.mw) - 1; i >= 0; i-- {
		h = gatekit.Chain(h, m.mw[i])
		if n, ok := h.(*named); ok {
			n.note(&m.route)
		}
	}
	return h
}
