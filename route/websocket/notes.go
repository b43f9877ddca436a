package websocket

import (
	"net/http"
	"strconv"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// noteRoute notes the route of a message, or of the opening or the end of a connection. Notes are a
// request's, and so a message has its own.
func noteRoute(rc *gatekit.RequestContext) {
	if !rc.Keeps(gatekit.KeepOutcomes) {
		return
	}
	n := gatekit.Note{Phase: gatekit.PhaseRoute, Rule: rc.RouteKey()}
	if rc.Connection != nil {
		n.Reason = string(event.SocketOf(rc).Type)
		if code := rc.Connection.CloseCode; code != 0 && rc.Keeps(gatekit.KeepReasons) {
			n.Reason += ": closed with " + strconv.Itoa(code)
		}
	}
	rc.Note(n)
}

// noted is a route's handlers, behind those of UseMessages.
type noted struct{ next http.Handler }

// Station implements [gatekit.Station].
func (h *noted) Station() (kind string, next http.Handler) { return "websocket route", h.next }

func (h *noted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	noteRoute(gatekit.From(r.Context()))
	h.next.ServeHTTP(w, r)
}
