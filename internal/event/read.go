package event

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// Format is the format of an integration's event.
type Format uint8

const (
	// V2 is payload 2.0 of HTTP APIs, which function URLs send, too.
	V2 Format = iota
	// V1 is payload 1.0 of HTTP APIs.
	V1
	// REST is the proxy event of REST APIs.
	REST
)

// Incoming is an event that was read: each member that may be there as its JSON text, of members
// with one name the last.
type Incoming struct {
	Format Format

	version                                                        string
	routeKey, rawPath, rawQuery, cookies                           string // 2.0
	resource, path, httpMethod, multiHeaders, query, multiQuery    string // 1.0 and REST
	headers, pathParameters, stageVariables, context, body, base64 string
	methodARN, routeARN                                            string // an authorizer's

	requestContext incomingContext
}

// incomingContext is an event's requestContext.
type incomingContext struct {
	accountID, apiID, stage, domainName, requestID, extendedRequestID string
	http, identity, authorizer, authentication                        string
	time, path, operationName, deploymentID, resourceID               string
	elb, eventType, connectionID                                      string // of others than HTTP and REST APIs
}

// ErrNoEvent is what [Parse] returns, with what the text is instead where that is known.
var ErrNoEvent = errors.New("want the event of an HTTP or REST API's proxy integration")

func not(what string) error { return fmt.Errorf("%w, got %s", ErrNoEvent, what) }

// Parse reads the members of an event. The Incoming's parts are parts of payload.
//
// It refuses what looks like an event of the three formats and is none, rather than to guess: a
// load balancer's, whose query isn't decoded and whose client stands in X-Forwarded-For alone; a
// WebSocket API's, which in older recordings has an httpMethod; an authorizer's, who is asked
// before anybody may be served.
func Parse(payload string) (*Incoming, error) {
	payload = strings.TrimLeft(payload, " \t\r\n")
	if !jsonscan.Valid(payload) || payload[0] != '{' {
		return nil, ErrNoEvent
	}
	in := &Incoming{}
	for key, value := range jsonscan.Members(payload) {
		if p := in.member(key); p != nil {
			*p = value
		}
	}
	for key, value := range jsonscan.Members(in.context) {
		if p := in.requestContext.member(key); p != nil {
			*p = value
		}
	}
	c := &in.requestContext
	switch {
	case !jsonscan.IsNull(in.methodARN) || !jsonscan.IsNull(in.routeARN):
		return nil, not("an authorizer's")
	case !jsonscan.IsNull(c.elb):
		return nil, not("a load balancer's")
	case !jsonscan.IsNull(c.eventType) || !jsonscan.IsNull(c.connectionID):
		return nil, not("a WebSocket API's")
	case jsonscan.Is(in.version, "2.0") && len(c.http) > 0:
		in.Format = V2
	case jsonscan.Is(in.version, "1.0") && len(in.httpMethod) > 0:
		in.Format = V1
	case jsonscan.IsNull(in.version) && len(in.httpMethod) > 0 && len(in.context) > 0:
		in.Format = REST
	default:
		return nil, ErrNoEvent
	}
	return in, nil
}

// member returns where the member with this name goes, or nil.
func (in *Incoming) member(key string) *string {
	switch key {
	case `"version"`:
		return &in.version
	case `"methodArn"`:
		return &in.methodARN
	case `"routeArn"`:
		return &in.routeARN
	case `"routeKey"`:
		return &in.routeKey
	case `"rawPath"`:
		return &in.rawPath
	case `"rawQueryString"`:
		return &in.rawQuery
	case `"cookies"`:
		return &in.cookies
	case `"resource"`:
		return &in.resource
	case `"path"`:
		return &in.path
	case `"httpMethod"`:
		return &in.httpMethod
	case `"headers"`:
		return &in.headers
	case `"multiValueHeaders"`:
		return &in.multiHeaders
	case `"queryStringParameters"`:
		return &in.query
	case `"multiValueQueryStringParameters"`:
		return &in.multiQuery
	case `"pathParameters"`:
		return &in.pathParameters
	case `"stageVariables"`:
		return &in.stageVariables
	case `"requestContext"`:
		return &in.context
	case `"body"`:
		return &in.body
	case `"isBase64Encoded"`:
		return &in.base64
	}
	return nil
}

func (c *incomingContext) member(key string) *string {
	switch key {
	case `"accountId"`:
		return &c.accountID
	case `"apiId"`:
		return &c.apiID
	case `"stage"`:
		return &c.stage
	case `"domainName"`:
		return &c.domainName
	case `"requestId"`:
		return &c.requestID
	case `"extendedRequestId"`:
		return &c.extendedRequestID
	case `"http"`:
		return &c.http
	case `"identity"`:
		return &c.identity
	case `"authorizer"`:
		return &c.authorizer
	case `"authentication"`:
		return &c.authentication
	case `"timeEpoch"`, `"requestTimeEpoch"`:
		return &c.time
	case `"path"`:
		return &c.path
	case `"operationName"`:
		return &c.operationName
	case `"deploymentId"`:
		return &c.deploymentID
	case `"resourceId"`:
		return &c.resourceID
	case `"elb"`:
		return &c.elb
	case `"eventType"`:
		return &c.eventType
	case `"connectionId"`:
		return &c.connectionID
	}
	return nil
}

// text is the value of a string, "" of anything else.
func text(value string) string {
	s, _ := jsonscan.Text(value)
	return s
}

// get returns an object's member.
func get(object, name string) string {
	for key, value := range jsonscan.Members(object) {
		if jsonscan.Is(key, name) {
			return value
		}
	}
	return ""
}
