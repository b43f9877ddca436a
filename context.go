package gatekit

import (
	"context"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// RequestContext is what the gateway knows of one request, and it is small. What is the same for
// all requests of a stage or a route is described once, when the API is built, and pointed at; what
// few ask for is made when it is asked for. One is attached per request, by the first station that
// has something to write; later ones fill it in place, so a chain of ten costs what a chain of one
// does.
//
// A station writes the plain fields before it calls the next handler, in the goroutine that serves
// the request; after that they are only read, and so are the things that they point at, always. The
// methods that tell something are safe from any goroutine, and all methods work on nil. A
// RequestContext may be copied (known := *rc): the copy knows what the original knew, and shares
// what becomes known later.
type RequestContext struct {
	// API is what the request is for, with its stage. It is never nil in a context that [Attach]
	// has made. It is shared by all requests of the stage: to say something else, a station points
	// at another one and doesn't write to this.
	API *API
	// Route is the route that was chosen, nil before that and under routers that tell none.
	// [RequestContext.RouteKey] knows more.
	Route *Route
	// Path is the request's path: as received, as routed, as told to backends.
	Path Path
	// Time is when the request was first seen by a station: the one reading of the clock that all
	// of them use.
	Time time.Time
	// Authorization is nil until an authorizer has admitted the request.
	Authorization *Authorization
	// Charge is what the request costs its caller's quota. It is nil unless a usage plan counts it.
	Charge Charge
	// Connection is the WebSocket connection that the request is a message of, or that it opens.
	// nil for other requests.
	Connection *Connection

	domain           *Domain // how package domain has chosen the API; nil if it hasn't
	scopes           *[]string
	apiKey, apiKeyID string // what a usage plan has found
	caller           *IAMCaller
	known            *identity     // of the client what the request itself doesn't say; nil is nothing
	webACL           *WebACL       // nil if none has judged the request
	trace            *TraceContext // nil unless somebody traces
	mapped           bool
	hostOverwritten  bool
	pathOverwritten  bool
	id               requestID
	responder        func(http.ResponseWriter, *http.Request, *Rejection)
	// at is where it is attached, with what becomes known later; nil in a context that nobody
	// attached.
	at *attached
}

// Domain is how package domain has chosen the API of a request. It is immutable.
type Domain struct {
	// Name is the host that the client used, normalized: in lower case, without a port.
	Name string
	// BasePath is the API mapping's key, without slashes at its ends; "" is the empty mapping.
	BasePath string
	// Custom says that the name is a custom domain's, and not one that the API was given.
	Custom bool
}

// Route is what is the same for all requests of a route. It is immutable.
type Route struct {
	// Key is the configured key: "GET /orders/{id}", "$default".
	Key string
	// OperationName is the route's, where it has one (route.OperationName). It is for events and
	// logs, and decides nothing.
	OperationName string
	// ResourceID is the id of the route's resource, where an imported API has one. Events make one
	// of the path if it is empty.
	ResourceID string
}

// Connection is a WebSocket connection, and what the request is on it: its opening, a message or
// its end. It is immutable.
type Connection struct {
	// ID is $context.connectionId.
	ID string
	// ConnectedAt is when the handshake was answered. The zero Time is now, as of the request that
	// opens the connection.
	ConnectedAt time.Time
	// MessageID is $context.messageId of a request that is a message; "" else.
	MessageID string
	// CloseCode and CloseReason say how the connection was closed, where the request is its
	// $disconnect. CloseCode is 0 else.
	CloseCode   int
	CloseReason string
}

// Integration is the outcome of the call to the backend.
type Integration struct {
	// Status is the HTTP status that the backend, or the function's code, answered with.
	Status int
	// ServiceStatus is what the Lambda service answered, where the backend is a function: 200 also
	// if the function failed, 429 if it was throttled. It is 0 where that isn't known, and for
	// other backends, whose status is Status. (Developer guide, "Variables for access logging":
	// integrationStatus beside integration.status.)
	ServiceStatus int
	// FunctionError is what a Lambda function failed with; empty otherwise. It is for logs, and
	// never sent to clients.
	FunctionError string
	// Err is why there is no answer, or not all of it; nil if there is, or if it is FunctionError.
	// It is for logs, too.
	Err error
	// Latency is the time from the call to the end of its answer.
	Latency time.Duration
	// RequestID and ExtendedRequestID are the IDs that the backend gave the call: its headers
	// x-amz-request-id or x-amzn-requestid, and x-amz-id-2. A function in this process is told its
	// ID by the gateway. They have at most 128 bytes.
	RequestID, ExtendedRequestID string
	// Upstream is the address of the server that was asked last, where a list of upstreams is
	// configured, as it is in the list; else "".
	Upstream string
	// Mock says that no backend was asked.
	Mock bool
}

// Charge is what a request costs its caller's quota: one unit, unless who knows better settles it.
// It is safe for concurrent use.
type Charge interface {
	// Reserved returns how many units were taken before the request was let through.
	Reserved() int64
	// Settle makes the request cost units, 0 or more, in place of what was reserved: a number of
	// tokens, rows or kilobytes. It may be called while the request is served or after it was
	// answered, once. More than was reserved is counted even beyond the limit, as the work is done.
	// An error means that the count stands as it was.
	Settle(ctx context.Context, units int64) error
}

// DomainName returns the host that the client used, without a port: as package domain has
// normalized it, else as the request has it.
func (rc *RequestContext) DomainName() string {
	if rc == nil {
		return ""
	}
	if rc.domain != nil {
		return rc.domain.Name
	}
	if r := rc.request(); r != nil {
		return httpword.Host(r.Host)
	}
	return ""
}

// BasePath returns the API mapping's key that the request came through, without slashes at its
// ends; "" without one.
func (rc *RequestContext) BasePath() string {
	if rc == nil || rc.domain == nil {
		return ""
	}
	return rc.domain.BasePath
}

// CustomDomain reports whether package domain has chosen the API by a custom domain name, and not
// by its generated host name.
func (rc *RequestContext) CustomDomain() bool {
	return rc != nil && rc.domain != nil && rc.domain.Custom
}

// SetDomain states the domain name and base path that the API was chosen by, for the station that
// has chosen it. It keeps d.
func (rc *RequestContext) SetDomain(d *Domain) {
	if rc != nil {
		rc.domain = d
	}
}

// ConnectionID returns the WebSocket connection's ID, or "".
func (rc *RequestContext) ConnectionID() string {
	if rc == nil || rc.Connection == nil {
		return ""
	}
	return rc.Connection.ID
}

// AuthorizationScopes returns what the route demands one of, or nil where it demands no scopes. The
// list is shared by all requests and must not be written to.
func (rc *RequestContext) AuthorizationScopes() []string {
	if rc == nil || rc.scopes == nil {
		return nil
	}
	return *rc.scopes
}

// SetAuthorizationScopes states them, by a pointer to the station's own list, which all its
// requests share. nil takes them back.
func (rc *RequestContext) SetAuthorizationScopes(scopes *[]string) {
	if rc != nil {
		rc.scopes = scopes
	}
}

// Mapped reports whether transform.REST has made the request as the backend is to get it, and gives
// response headers the names that clients see: an HTTP integration leaves both as they are.
func (rc *RequestContext) Mapped() bool { return rc != nil && rc.mapped }

// SetMapped states it.
func (rc *RequestContext) SetMapped(mapped bool) {
	if rc != nil {
		rc.mapped = mapped
	}
}

// Overwritten reports whether a mapping has set the Host or the path of the request that the
// backend is to get: then an HTTP integration sends these, and not what its own URI says. r.Host
// and r.URL of a request alone can't tell, as a client chooses both.
func (rc *RequestContext) Overwritten() (host, path bool) {
	if rc == nil {
		return false, false
	}
	return rc.hostOverwritten, rc.pathOverwritten
}

// SetOverwritten states it, for the station that has mapped.
func (rc *RequestContext) SetOverwritten(host, path bool) {
	if rc != nil {
		rc.hostOverwritten, rc.pathOverwritten = host, path
	}
}

// Host returns the Host that the client sent, with its port, whatever stations have made of it for
// a backend.
func (rc *RequestContext) Host() string {
	if r := rc.request(); r != nil {
		return r.Host
	}
	return ""
}

// SetResponder makes f answer the refusals of this request that the stations behind the caller
// make, in place of the flavor's form. f gets the Rejection as it was given to [Reject] and must
// not change it; a Reject within f is answered in the flavor's form. A later call replaces f.
func (rc *RequestContext) SetResponder(f func(http.ResponseWriter, *http.Request, *Rejection)) {
	if rc != nil {
		rc.responder = f
	}
}

// SetIntegration records the outcome of the call to the backend. A later call replaces it.
func (rc *RequestContext) SetIntegration(i Integration) {
	if rc == nil || rc.at == nil {
		return
	}
	rc.at.integration.Store(&i)
	if rc.Keeps(KeepOutcomes) {
		rc.noteIntegration(&i)
	}
}

// Integration returns the outcome of the call to the backend, or nil if there was none yet. It must
// not be modified.
func (rc *RequestContext) Integration() *Integration {
	if rc == nil || rc.at == nil {
		return nil
	}
	return rc.at.integration.Load()
}

// Rejection returns why the gateway answered the request itself, or nil if it didn't. It must not
// be modified.
func (rc *RequestContext) Rejection() *Rejection {
	if rc == nil || rc.at == nil {
		return nil
	}
	return rc.at.rejection.Load()
}

// OperationName returns the name of the route's operation, or "".
func (rc *RequestContext) OperationName() string {
	if rc == nil || rc.Route == nil {
		return ""
	}
	return rc.Route.OperationName
}
