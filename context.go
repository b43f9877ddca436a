package gatekit

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/requestpath"
)

// RequestContext is what the gateway knows of one request. One is attached per request, by the first station that has
// something to write; later ones fill it in place, so a chain of ten costs what a chain of one does.
//
// A station writes the plain fields before it calls the next handler, in the goroutine that serves the request; after that
// they are only read. The methods are safe from any goroutine, and all of them work on nil.
type RequestContext struct {
	API

	// DomainName is the host that the client used, without a port: what it sent, or, behind package domain, normalized.
	DomainName string
	// BasePath is the API mapping's key that the request came through, without slashes at its ends.
	BasePath string
	// CustomDomain says that package domain has chosen the API by a custom domain name, and not by its generated host name.
	CustomDomain bool
	// Path is the request's path: as received, as routed, as told to backends.
	Path Path
	// RouteKey is the configured key of the route that matched: "GET /orders/{id}", "$default". Empty before routing.
	RouteKey string
	// OperationName is the route's, where it has one (route.OperationName). It is for events and logs, and nothing is decided by it.
	OperationName string
	// ConnectionID is the WebSocket connection's, on WebSocket APIs.
	ConnectionID string
	// RequestTime is when the request was first seen by a station.
	RequestTime time.Time
	// StageVariables are the stage's. The map is shared by all requests and must not be written to.
	StageVariables map[string]string
	// StageSettings are what the stage says of its methods, or nil.
	StageSettings *StageSettings
	// DeploymentID names the deployment of the API that serves the request, where the stage was given one.
	DeploymentID string
	// Canary is $context.isCanaryRequest: "true" or "false" on a stage that has a canary, else "".
	Canary string
	// Identity is what is known of the caller without asking an authorizer.
	Identity Identity
	// Authorization is nil until an authorizer has admitted the request.
	Authorization *Authorization
	// AuthorizationScopes are what the route demands one of, where it demands scopes. The list is shared by all requests and must not be
	// written to.
	AuthorizationScopes []string
	// Mapped says that transform.REST has made the request as the backend is to get it, and gives response headers the names that clients see: an
	// HTTP integration leaves both as they are.
	Mapped bool
	// Charge is what the request costs its caller's quota. It is nil unless a usage plan counts it.
	Charge Charge

	guessedFrom string // the pattern of another router that RouteKey was made from; "" once somebody has stated the key
	responder   func(http.ResponseWriter, *http.Request, *Rejection)
	integration atomic.Pointer[Integration]
	rejection   atomic.Pointer[Rejection]
	trial       atomic.Pointer[trial] // the innermost Shadow whose rule is running

	id        requestID
	idHeaders [2]string // what the request-ID headers' slices point at, without an allocation of their own
}

// plainFields are what stations write before they call next.
type plainFields struct {
	api                                          API
	domainName, basePath, routeKey, connectionID string
	operationName                                string
	guessedFrom                                  string
	path                                         Path
	requestTime                                  time.Time
	stageVariables                               map[string]string
	stageSettings                                *StageSettings
	deploymentID, canary                         string
	customDomain, mapped                         bool
	identity                                     Identity
	authorization                                *Authorization
	scopes                                       []string
	charge                                       Charge
	responder                                    func(http.ResponseWriter, *http.Request, *Rejection)
}

func (rc *RequestContext) plain() plainFields {
	return plainFields{
		rc.API, rc.DomainName, rc.BasePath, rc.RouteKey, rc.ConnectionID, rc.OperationName, rc.guessedFrom, rc.Path,
		rc.RequestTime, rc.StageVariables, rc.StageSettings, rc.DeploymentID, rc.Canary,
		rc.CustomDomain, rc.Mapped, rc.Identity, rc.Authorization, rc.AuthorizationScopes, rc.Charge, rc.responder,
	}
}

func (rc *RequestContext) restore(f plainFields) {
	rc.API, rc.DomainName, rc.BasePath, rc.Path, rc.RouteKey, rc.ConnectionID = f.api, f.domainName, f.basePath, f.path, f.routeKey, f.connectionID
	rc.StageSettings, rc.DeploymentID, rc.Canary = f.stageSettings, f.deploymentID, f.canary
	rc.RequestTime, rc.StageVariables, rc.Identity, rc.Authorization, rc.AuthorizationScopes = f.requestTime, f.stageVariables, f.identity, f.authorization, f.scopes
	rc.CustomDomain, rc.Mapped, rc.OperationName = f.customDomain, f.mapped, f.operationName
	rc.guessedFrom = f.guessedFrom
	rc.Charge, rc.responder = f.charge, f.responder
}

// Identity is what is known of a caller without asking an authorizer: $context.identity of the access-log page.
type Identity struct {
	// SourceIP is the client's address: the connection's peer, or, behind proxies that are trusted ([TrustedProxies]),
	// what they say. It has no zone and is never an IPv4 address in IPv6 form. The zero Addr means that it isn't known.
	SourceIP netip.Addr
	// UserAgent is the User-Agent header.
	UserAgent string
	// APIKey and APIKeyID are the caller's API key, on routes that require one.
	APIKey, APIKeyID string
	// ClientCert is the client's verified certificate, with mutual TLS.
	ClientCert *x509.Certificate
	// Caller is the IAM identity that signed the request, or nil.
	Caller *IAMCaller
}

// IAMCaller is the identity behind a signed request. Fields that don't apply are empty. (Developer guide, "Variables for
// data models, authorizers, mapping templates, and CloudWatch access logging", $context.identity.)
type IAMCaller struct {
	AccessKey, AccountID, CallerID, UserID, UserARN, PrincipalOrgID string

	CognitoIdentityID, CognitoIdentityPoolID                 string
	CognitoAuthenticationType, CognitoAuthenticationProvider string
}

// Integration is the outcome of the call to the backend.
type Integration struct {
	// Status is the HTTP status that the backend, or the function's code, answered with.
	Status int
	// FunctionError is what a Lambda function failed with; empty otherwise. It is for logs, and never sent to clients.
	FunctionError string
	// Latency is the time from the call to the end of its answer.
	Latency time.Duration
}

// Charge is what a request costs its caller's quota: one unit, unless who knows better settles it. It is safe for concurrent use.
type Charge interface {
	// Reserved returns how many units were taken before the request was let through.
	Reserved() int64
	// Settle makes the request cost units, 0 or more, in place of what was reserved: a number of tokens, rows or kilobytes. It may be
	// called while the request is served or after it was answered, once. More than was reserved is counted even beyond the limit, as
	// the work is done. An error means that the count stands as it was.
	Settle(ctx context.Context, units int64) error
}

// contextKey is the module's only context key: a new feature adds a field to RequestContext, not a key.
type contextKey struct{}

// attached is a context, the RequestContext that it carries, and the request that carries it, in one object: attaching costs one
// allocation.
type attached struct {
	context.Context
	rc      RequestContext
	request http.Request
}

func (a *attached) Value(key any) any {
	if key == (contextKey{}) {
		return &a.rc
	}
	return a.Context.Value(key)
}

// From returns the RequestContext that ctx carries, or nil outside a gateway.
func From(ctx context.Context) *RequestContext {
	rc, _ := ctx.Value(contextKey{}).(*RequestContext)
	return rc
}

// WithoutRequestContext returns ctx without the RequestContext that it carries, so that a request made with it gets one of its own: a gateway behind a gateway
// in the same process.
func WithoutRequestContext(ctx context.Context) context.Context {
	if From(ctx) == nil {
		return ctx
	}
	return outside{ctx}
}

type outside struct{ context.Context }

func (o outside) Value(key any) any {
	if key == (contextKey{}) {
		return nil
	}
	return o.Context.Value(key)
}

// Attach returns the request's RequestContext and the request that carries it: r itself if it has one, else a shallow copy
// with a new one. A new one knows the request's path, time, source IP (the connection's), user agent and verified client certificate. The route key is
// filled in from r.Pattern where another router than this module's has matched the request. Headers that a client's Connection names are gone in the
// copy: they are for this connection (RFC 9110, section 7.6.1), so that no station decides by what no backend gets.
func Attach(r *http.Request) (*RequestContext, *http.Request) {
	rc := From(r.Context())
	if rc == nil {
		a := &attached{Context: r.Context()}
		rc = &a.rc
		rc.id.draw()
		rc.Path = requestpath.Of(r)
		rc.RequestTime = time.Now()
		rc.DomainName = httpword.Host(r.Host)
		rc.Identity.SourceIP = remoteIP(r.RemoteAddr)
		if ua := r.Header["User-Agent"]; len(ua) > 0 {
			rc.Identity.UserAgent = ua[0]
		}
		if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
			rc.Identity.ClientCert = r.TLS.VerifiedChains[0][0]
		}
		a.request = *r.WithContext(a) // inlined, so that the copy that it makes stays on the stack
		r = &a.request
		if len(r.Header["Connection"]) > 0 {
			r.Header = hopbyhop.StripUnsigned(r.Header)
		}
	} else {
		requestpath.Follow(&rc.Path, r.URL, rc.Flavor == REST)
	}
	rc.guessRouteKey(r.Pattern)
	return rc, r
}

// Detach returns a deep copy of r in ctx, without its body, for work on it that goes on when r is answered. It has a RequestContext of its own that
// knows what r's knows, so that what becomes of it isn't told of r. It costs its caller nothing (Charge is nil).
func Detach(ctx context.Context, r *http.Request) *http.Request {
	a := &attached{Context: ctx}
	rc, r := Attach(r)
	a.rc.restore(rc.plain())
	a.rc.id = rc.id
	a.rc.Charge, a.rc.responder = nil, nil
	detached := r.Clone(a)
	detached.Body, detached.ContentLength = http.NoBody, 0
	return detached
}

// SetResponder makes f answer the refusals of this request that the stations behind the caller make, in place of the
// flavor's form. f gets the Rejection as it was given to [Reject] and must not change it; a Reject within f is answered in
// the flavor's form. A later call replaces f.
func (rc *RequestContext) SetResponder(f func(http.ResponseWriter, *http.Request, *Rejection)) {
	if rc != nil {
		rc.responder = f
	}
}

// SetIntegration records the outcome of the call to the backend. A later call replaces it.
func (rc *RequestContext) SetIntegration(i Integration) {
	if rc != nil {
		rc.integration.Store(&i)
	}
}

// Integration returns the outcome of the call to the backend, or nil if there was none yet. It must not be modified.
func (rc *RequestContext) Integration() *Integration {
	if rc == nil {
		return nil
	}
	return rc.integration.Load()
}

// Rejection returns why the gateway answered the request itself, or nil if it didn't. It must not be modified.
func (rc *RequestContext) Rejection() *Rejection {
	if rc == nil {
		return nil
	}
	return rc.rejection.Load()
}
