package integration

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/mediatype"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// Event returns the event that the function gets for r: payload 2.0 or 1.0 of HTTP APIs, or the
// proxy event of REST APIs. It reads the body. Its errors are a 413 if the body or the event is too
// large, and a 400 if the body can't be read. (Developer guide, "Create AWS Lambda proxy
// integrations for HTTP APIs", "Set up Lambda proxy integrations in API Gateway".)
func (h *LambdaHandler) Event(r *http.Request) ([]byte, error) {
	rc, r := gatekit.Attach(r)
	return h.event(rc, r)
}

func (h *LambdaHandler) event(rc *gatekit.RequestContext, r *http.Request) ([]byte, error) {
	room := bodies.Get().(*bytes.Buffer)
	defer func() {
		if room.Cap() <= maxPooled {
			room.Reset()
			bodies.Put(room)
		}
	}()
	body, err := wholebody.Into(room, "integration", r, h.config.MaxRequestBytes)
	if err != nil {
		return nil, err
	}
	w := event.Writer{Context: rc, Request: r, Body: body, Base64: len(body) > 0 && h.isBinary(rc, r)}
	size := len(body)
	if w.Base64 {
		size = base64.StdEncoding.EncodedLen(size)
	}
	if int64(size) > h.config.MaxEventBytes {
		return nil, eventTooLarge
	}
	b := make([]byte, 0, size+size/16+w.Room())
	switch {
	case rc.API.Flavor == gatekit.REST:
		b = w.AppendREST(b)
	case rc.API.Flavor == gatekit.WebSocket:
		b = w.AppendWebSocket(b, event.SocketOf(rc))
	case h.config.PayloadFormatVersion == "1.0":
		b = w.AppendV1(b)
	default:
		b = w.AppendV2(b)
	}
	if int64(len(b)) > h.config.MaxEventBytes {
		return nil, eventTooLarge
	}
	return b, nil
}

// isBinary reports whether the event carries r's body as base64.
func (h *LambdaHandler) isBinary(rc *gatekit.RequestContext, r *http.Request) bool {
	contentType := ""
	if v := r.Header["Content-Type"]; len(v) > 0 {
		contentType = v[0]
	}
	if rc.API.Flavor == gatekit.REST {
		return h.binary.Has(contentType)
	}
	return !isText(contentType)
}

var eventTooLarge = &gatekit.Rejection{
	Type: gatekit.RequestTooLarge, Cause: errors.New("integration: the event is larger than its bound"),
}

// bodies are buffers for bodies, which the event has a copy of.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxPooled = 64 << 10

// isText reports whether an HTTP API hands over a body of this type as it is. (A comparison with
// the managed gateway from June 2026: text/*, application/json, application/xml and
// application/javascript; everything else, and a missing type, is base64.)
func isText(contentType string) bool {
	switch media := mediatype.Of(contentType); media {
	case "application/json", "application/xml", "application/javascript":
		return true
	default:
		return strings.HasPrefix(media, "text/")
	}
}
