package auth

import (
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// event writes what the function is told of r.
func (l *Lambda) event(
	rc *gatekit.RequestContext, r *http.Request, resource string, values []string, bodyDigest string,
) []byte {
	if l.config.Type == typeToken {
		return event.AppendToken(nil, values[0], resource)
	}
	to := &event.Authorizer{ARN: resource, Identity: values, BodyDigest: bodyDigest}
	w := event.Writer{Context: rc, Request: r, Authorizer: to}
	b := make([]byte, 0, w.Room()+len(resource))
	switch {
	case rc.API.Flavor == gatekit.WebSocket:
		return w.AppendWebSocket(b, event.Socket{Type: event.Connect})
	case rc.API.Flavor == gatekit.REST:
		return w.AppendREST(b)
	case l.config.PayloadFormatVersion == "1.0":
		return w.AppendV1(b)
	}
	return w.AppendV2(b)
}
