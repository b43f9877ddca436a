package route

import (
	"fmt"
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
)

// maxOperationName bounds a name, in bytes. An HTTP API's have up to 64 characters; of a REST API's
// no bound is known.
const maxOperationName = 1024

// OperationName returns a middleware that states the operation name of its route ("getPet"), which
// events of REST and WebSocket APIs and $context.operationName show. Among the middlewares of
// [API.Handle] its place doesn't matter: all stations behind the choice of the route know the name,
// as an authorizer's event has it, too. Under another router it holds for what is behind it. It
// returns an error if name is empty, has control characters or more than 1,024 bytes. (API
// reference, "Method", operationName.)
func OperationName(name string) (gatekit.Middleware, error) {
	if name == "" || len(name) > maxOperationName || httpword.HasControl(name) {
		return nil, fmt.Errorf("route: OperationName: want 1 to %d bytes without control characters, got %q",
			maxOperationName, name[:min(len(name), 100)])
	}
	return func(next http.Handler) http.Handler { return &operation{name: name, next: next} }, nil
}

type operation struct {
	name string
	next http.Handler
}

func (h *operation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc, r := gatekit.Attach(r)
	if rc.OperationName() != h.name { // under another router than ours, which notes the name when it is built
		known := gatekit.Route{Key: rc.RouteKey()}
		if rc.Route != nil {
			known = *rc.Route
		}
		known.OperationName = h.name
		rc.Route = &known
	}
	h.next.ServeHTTP(w, r)
}

// Station implements [gatekit.Station].
func (h *operation) Station() (kind string, next http.Handler) { return "operation name", h.next }

// wrapped puts the route's own middlewares around its handler, and notes the operation name that
// one of them states. The station itself stays, so that the chain can still be walked.
func (m *matched) wrapped() http.Handler {
	h := m.handler
	for i := len(m.mw) - 1; i >= 0; i-- {
		h = gatekit.Chain(h, m.mw[i])
		if o, ok := h.(*operation); ok {
			m.route.OperationName = o.name
		}
	}
	return h
}
