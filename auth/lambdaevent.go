package auth

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// event writes what the function is told of r. (Developer guide, "Input to an API Gateway Lambda authorizer", "Lambda authorizer input
// format" of HTTP APIs, "Create a Lambda REQUEST authorizer function" of WebSocket APIs.)
func (l *Lambda) event(rc *gatekit.RequestContext, r *http.Request, resource string, values []string, bodyDigest string) ([]byte, error) {
	switch {
	case l.config.Type == typeToken:
		return event.Marshal(tokenEvent{typeToken, values[0], resource})
	case rc.Flavor == gatekit.WebSocket:
		return event.Marshal(connectEventOf(rc, r, resource))
	case rc.Flavor == gatekit.HTTP && l.config.PayloadFormatVersion != "1.0":
		e := payloadV2Of(rc, r, resource, values)
		e.BodySHA256 = bodyDigest
		return event.Marshal(e)
	}
	e := requestEventOf(rc, r, resource)
	e.BodySHA256 = bodyDigest
	if rc.Flavor == gatekit.HTTP {
		joined := strings.Join(values, ",")
		e.Version, e.IdentitySource, e.AuthorizationToken = "1.0", &joined, &joined
		e.RequestContext.ResourceID = rc.RouteKey
	}
	return event.Marshal(e)
}

type tokenEvent struct {
	Type               string `json:"type"`
	AuthorizationToken string `json:"authorizationToken"`
	MethodARN          string `json:"methodArn"`
}

// requestEvent is the REQUEST event of REST APIs, and payload 1.0 of HTTP APIs.
type requestEvent struct {
	Version            string  `json:"version,omitempty"`
	Type               string  `json:"type"`
	MethodARN          string  `json:"methodArn"`
	IdentitySource     *string `json:"identitySource,omitempty"`
	AuthorizationToken *string `json:"authorizationToken,omitempty"`
	Resource           string  `json:"resource"`
	Path               string  `json:"path"`
	HTTPMethod         string  `json:"httpMethod"`
	eventParameters
	PathParameters map[string]string `json:"pathParameters"`
	RequestContext requestEventAPI   `json:"requestContext"`
	BodySHA256     string            `json:"bodySha256,omitempty"`
}

// eventParameters are the members that REST and WebSocket events share.
type eventParameters struct {
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
}

type requestEventAPI struct {
	ResourceID        string        `json:"resourceId"`
	ResourcePath      string        `json:"resourcePath"`
	HTTPMethod        string        `json:"httpMethod"`
	Path              string        `json:"path"`
	AccountID         string        `json:"accountId"`
	APIID             string        `json:"apiId"`
	Stage             string        `json:"stage"`
	DomainName        string        `json:"domainName"`
	DomainPrefix      string        `json:"domainPrefix"`
	RequestID         string        `json:"requestId"`
	ExtendedRequestID string        `json:"extendedRequestId"`
	Protocol          string        `json:"protocol"`
	RequestTime       string        `json:"requestTime"`
	RequestTimeEpoch  json.Number   `json:"requestTimeEpoch"`
	Identity          eventIdentity `json:"identity"`
}

type eventIdentity struct {
	APIKey     string            `json:"apiKey,omitempty"`
	APIKeyID   string            `json:"apiKeyId,omitempty"`
	SourceIP   string            `json:"sourceIp"`
	UserAgent  string            `json:"userAgent"`
	ClientCert *event.ClientCert `json:"clientCert,omitempty"`
}

func identityOf(rc *gatekit.RequestContext) eventIdentity {
	i := &rc.Identity
	return eventIdentity{i.APIKey, i.APIKeyID, event.AddrText(i.SourceIP), i.UserAgent, event.NewClientCert(i.ClientCert)}
}

func parametersOf(rc *gatekit.RequestContext, r *http.Request) eventParameters {
	headers := event.Headers(r)
	query := event.Query(r.URL.RawQuery)
	variables := rc.StageVariables
	if variables == nil {
		variables = map[string]string{}
	}
	return eventParameters{event.Last(headers), headers, event.Last(query), query, variables}
}

func requestEventOf(rc *gatekit.RequestContext, r *http.Request, resource string) requestEvent {
	path := event.ResourcePath(rc.RouteKey)
	return requestEvent{
		Type: typeRequest, MethodARN: resource, Resource: path, Path: r.URL.EscapedPath(), HTTPMethod: r.Method,
		eventParameters: parametersOf(rc, r),
		PathParameters:  event.PathParameters(r, rc.RouteKey, rc.Flavor == gatekit.REST),
		RequestContext: requestEventAPI{
			ResourceID: event.ResourceID(path), ResourcePath: path, HTTPMethod: r.Method, Path: rc.Path.Received(),
			AccountID: rc.AccountID, APIID: rc.APIID, Stage: rc.Stage, DomainName: rc.DomainName, DomainPrefix: event.DomainPrefix(rc.DomainName),
			RequestID: rc.RequestID(), ExtendedRequestID: rc.ExtendedRequestID(), Protocol: r.Proto,
			RequestTime: event.Time(rc.RequestTime), RequestTimeEpoch: event.Millis(rc.RequestTime), Identity: identityOf(rc),
		},
	}
}

// payloadV2 is payload 2.0 of HTTP APIs. Members without content are left out.
type payloadV2 struct {
	Version               string            `json:"version"`
	Type                  string            `json:"type"`
	RouteARN              string            `json:"routeArn"`
	IdentitySource        []string          `json:"identitySource"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        payloadV2API      `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
	BodySHA256            string            `json:"bodySha256,omitempty"`
}

type payloadV2API struct {
	AccountID      string                   `json:"accountId"`
	APIID          string                   `json:"apiId"`
	Authentication *payloadV2Authentication `json:"authentication,omitempty"`
	DomainName     string                   `json:"domainName"`
	DomainPrefix   string                   `json:"domainPrefix"`
	HTTP           payloadV2HTTP            `json:"http"`
	RequestID      string                   `json:"requestId"`
	RouteKey       string                   `json:"routeKey"`
	Stage          string                   `json:"stage"`
	Time           string                   `json:"time"`
	TimeEpoch      json.Number              `json:"timeEpoch"`
}

type payloadV2Authentication struct {
	ClientCert *event.ClientCert `json:"clientCert"`
}

type payloadV2HTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

func payloadV2Of(rc *gatekit.RequestContext, r *http.Request, resource string, values []string) payloadV2 {
	path := event.RawPath(rc.Stage, r.URL.Path)
	headers := event.Headers(r)
	delete(headers, "Cookie")
	e := payloadV2{
		Version: "2.0", Type: typeRequest, RouteARN: resource, RouteKey: rc.RouteKey, RawPath: path, RawQueryString: r.URL.RawQuery,
		Cookies: event.Cookies(r.Header), Headers: event.Joined(headers, true), QueryStringParameters: event.Joined(event.Query(r.URL.RawQuery), false),
		PathParameters: event.PathParameters(r, rc.RouteKey, false), StageVariables: rc.StageVariables,
		RequestContext: payloadV2API{
			AccountID: rc.AccountID, APIID: rc.APIID, DomainName: rc.DomainName, DomainPrefix: event.DomainPrefix(rc.DomainName),
			HTTP:      payloadV2HTTP{r.Method, path, "HTTP/1.1", event.AddrText(rc.Identity.SourceIP), rc.Identity.UserAgent},
			RequestID: rc.RequestID(), RouteKey: rc.RouteKey, Stage: rc.Stage, Time: event.Time(rc.RequestTime), TimeEpoch: event.Millis(rc.RequestTime),
		},
	}
	if len(values) > 0 {
		e.IdentitySource = values
	}
	if cert := event.NewClientCert(rc.Identity.ClientCert); cert != nil {
		e.RequestContext.Authentication = &payloadV2Authentication{cert}
	}
	return e
}

// connectEvent is the event of a WebSocket API's $connect route.
type connectEvent struct {
	Type      string `json:"type"`
	MethodARN string `json:"methodArn"`
	eventParameters
	RequestContext connectEventAPI `json:"requestContext"`
}

type connectEventAPI struct {
	RouteKey          string        `json:"routeKey"`
	EventType         string        `json:"eventType"`
	ExtendedRequestID string        `json:"extendedRequestId"`
	RequestTime       string        `json:"requestTime"`
	MessageDirection  string        `json:"messageDirection"`
	Stage             string        `json:"stage"`
	ConnectedAt       json.Number   `json:"connectedAt"`
	RequestTimeEpoch  json.Number   `json:"requestTimeEpoch"`
	Identity          eventIdentity `json:"identity"`
	RequestID         string        `json:"requestId"`
	DomainName        string        `json:"domainName"`
	ConnectionID      string        `json:"connectionId"`
	APIID             string        `json:"apiId"`
}

func connectEventOf(rc *gatekit.RequestContext, r *http.Request, resource string) connectEvent {
	millis := event.Millis(rc.RequestTime)
	return connectEvent{
		Type: typeRequest, MethodARN: resource, eventParameters: parametersOf(rc, r),
		RequestContext: connectEventAPI{
			RouteKey: rc.RouteKey, EventType: "CONNECT", ExtendedRequestID: rc.ExtendedRequestID(), RequestTime: event.Time(rc.RequestTime),
			MessageDirection: "IN", Stage: rc.Stage, ConnectedAt: millis, RequestTimeEpoch: millis, Identity: identityOf(rc),
			RequestID: rc.RequestID(), DomainName: rc.DomainName, ConnectionID: rc.ConnectionID, APIID: rc.APIID,
		},
	}
}
