package integration

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/traceid"
)

// eventOf is what an event is written from.
type eventOf struct {
	rc     *gatekit.RequestContext
	r      *http.Request
	trace  traceid.Trace
	body   []byte
	base64 bool
}

// Event returns the event that the function gets for r: payload 2.0 or 1.0 of HTTP APIs, or the proxy event of REST APIs. It reads the body. Its
// errors are a 413 if the body or the event is too large, and a 400 if the body can't be read. (Developer guide, "Create AWS Lambda proxy
// integrations for HTTP APIs", "Set up Lambda proxy integrations in API Gateway".)
func (h *LambdaHandler) Event(r *http.Request) ([]byte, error) {
	rc, r := gatekit.Attach(r)
	return h.event(rc, r, traceid.New(r.Header["X-Amzn-Trace-Id"], rc.Flavor == gatekit.REST, rc.RequestTime))
}

func (h *LambdaHandler) event(rc *gatekit.RequestContext, r *http.Request, trace traceid.Trace) ([]byte, error) {
	e := eventOf{rc: rc, r: r, trace: trace}
	contentType := ""
	if v := r.Header["Content-Type"]; len(v) > 0 {
		contentType = v[0]
	}
	if rc.Flavor == gatekit.REST {
		e.base64 = h.binary.has(contentType)
	} else {
		e.base64 = !isText(contentType)
	}
	room := bodies.Get().(*bytes.Buffer)
	defer func() {
		if room.Cap() <= maxPooled {
			room.Reset()
			bodies.Put(room)
		}
	}()
	var err error
	if e.body, err = readBody(r, room, h.config.MaxRequestBytes); err != nil {
		return nil, err
	}
	if len(e.body) == 0 {
		e.base64 = false
	}
	size := len(e.body)
	if e.base64 {
		size = base64.StdEncoding.EncodedLen(size)
	}
	if int64(size) > h.config.MaxEventBytes {
		return nil, eventTooLarge
	}
	b := make([]byte, 0, size+size/16+e.roomForHeaders())
	switch {
	case rc.Flavor == gatekit.REST:
		b = e.appendV1(b, "")
	case h.config.PayloadFormatVersion == "1.0":
		b = e.appendV1(b, "1.0")
	default:
		b = e.appendV2(b)
	}
	if int64(len(b)) > h.config.MaxEventBytes {
		return nil, eventTooLarge
	}
	return b, nil
}

// roomForHeaders is about how many bytes the rest of an event takes.
func (e *eventOf) roomForHeaders() int {
	n := 1024 + 3*len(e.rc.Path.Received()) + 3*len(e.r.URL.RawQuery)
	per := 1
	if e.rc.Flavor == gatekit.REST {
		per, n = 2, n+1024
	}
	if e.rc.Authorization.HasClaims() {
		n += 384
	}
	for name, values := range e.r.Header {
		n += len(name) + 8
		for _, value := range values {
			n += per * (len(value) + 4)
		}
	}
	return n
}

var (
	errBody       = errors.New("integration: the body is larger than its bound")
	errEvent      = errors.New("integration: the event is larger than its bound")
	bodyTooLarge  = &gatekit.Rejection{Type: gatekit.RequestTooLarge, Cause: errBody}
	eventTooLarge = &gatekit.Rejection{Type: gatekit.RequestTooLarge, Cause: errEvent}
)

// bodies are buffers for bodies, which the event has a copy of.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxPooled = 64 << 10

// readBody reads the whole body, at most limit bytes of it. What it returns is room's.
func readBody(r *http.Request, room *bytes.Buffer, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > limit {
		return nil, bodyTooLarge
	}
	// The room grows with what has come, not with what was announced: that costs a caller nothing.
	n, err := room.ReadFrom(io.LimitReader(r.Body, limit+1))
	var tooLarge *http.MaxBytesError
	switch {
	case n > limit || errors.As(err, &tooLarge):
		return nil, bodyTooLarge
	case err == nil && r.ContentLength > n:
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: fmt.Errorf("integration: read the body: %w", err)}
	}
	return room.Bytes(), nil
}

// isText reports whether an HTTP API hands over a body of this type as it is. (A comparison with the managed gateway from June 2026: text/*,
// application/json, application/xml and application/javascript; everything else, and a missing type, is base64.)
func isText(contentType string) bool {
	media := mediaType(contentType)
	return len(media) >= 5 && strings.EqualFold(media[:5], "text/") ||
		strings.EqualFold(media, "application/json") || strings.EqualFold(media, "application/xml") || strings.EqualFold(media, "application/javascript")
}

// droppedByHTTP are headers of the connection, which say nothing about the request.
func droppedByHTTP(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// droppedByREST are the headers that a REST API's front drops. (Recorded; Developer guide, "Amazon API Gateway important notes".)
func droppedByREST(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Content-Md5", "Expect", "Max-Forwards", "Proxy-Authenticate", "Server", "Te", "Transfer-Encoding", "Trailer", "Upgrade", "Www-Authenticate":
		return true
	}
	return false
}

// headers appends the lines of r's headers, as the gateway passes them on.
func (e *eventOf) headers(lines []event.Line) []event.Line {
	drop, length := droppedByHTTP, strconv.Itoa(len(e.body))
	if e.rc.Flavor == gatekit.REST {
		drop, length = droppedByREST, ""
	}
	if a := e.r.Header["Authorization"]; len(a) > 0 && strings.HasPrefix(a[0], "AWS4-") {
		// A signature goes no further than the gateway. (Developer guide, "Known issues", HTTP and REST APIs.)
		rest := drop
		drop = func(name string) bool { return name == "Authorization" || rest(name) }
	}
	return event.HeaderLines(lines, e.r, drop,
		event.Line{Name: "Content-Length", One: length},
		event.Line{Name: "Host", One: e.r.Host},
		event.Line{Name: "X-Amzn-Trace-Id", One: e.trace.String()},
		event.Line{Name: "X-Forwarded-For", One: event.ForwardedFor(e.r)},
		event.Line{Name: "X-Forwarded-Port", One: event.ForwardedPort(e.r)},
		event.Line{Name: "X-Forwarded-Proto", One: event.ForwardedProto(e.r)},
	)
}

// appendBody appends the body's text, or its base64.
func (e *eventOf) appendBody(b []byte) []byte {
	if !e.base64 {
		return jsonscan.AppendString(b, e.body)
	}
	b = base64.StdEncoding.AppendEncode(append(b, '"'), e.body)
	return append(b, '"')
}

// domainName is the host that the client used, without its port.
func (e *eventOf) domainName() string {
	if e.rc.DomainName != "" {
		return e.rc.DomainName
	}
	host := e.r.Host
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 && strings.IndexByte(host[colon:], ']') < 0 {
		host = host[:colon]
	}
	return host
}

// caller is the IAM identity behind the request, or nil.
func (e *eventOf) caller() *gatekit.IAMCaller {
	if e.rc.Identity.Caller != nil {
		return e.rc.Identity.Caller
	}
	if caller, ok := e.rc.Authorization.Caller(); ok {
		return &caller
	}
	return nil
}

func appendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

func appendScopes(b []byte, rc *gatekit.RequestContext) []byte {
	if len(rc.AuthorizationScopes) == 0 {
		return append(b, "null"...) // a route without scopes doesn't tell those of the token
	}
	return appendList(b, rc.Authorization.Scopes())
}

func appendList(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsonscan.AppendString(b, s)
	}
	return append(b, ']')
}
