package event

import (
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// SocketEvent is what happened to a WebSocket connection.
type SocketEvent string

// The kinds of events, as eventType says them.
const (
	Connect    SocketEvent = "CONNECT"
	Message    SocketEvent = "MESSAGE"
	Disconnect SocketEvent = "DISCONNECT"
)

// Socket is what a WebSocket event tells beside its Writer. There, Request is the one that opened
// the connection, for all events of it, and Context is the event's own: route key, time, connection
// ID, request ID, and what the authorizer of $connect learned.
type Socket struct {
	Type SocketEvent
	// ConnectedAt is when the connection was opened. The zero Time is the Context's, as in an
	// authorizer's event.
	ConnectedAt time.Time
	// MessageID is a message's.
	MessageID string
	// Code and Reason say how the connection was closed.
	Code   int
	Reason string
}

// SocketOf is what a RequestContext says of the event that its request is.
func SocketOf(rc *gatekit.RequestContext) Socket {
	c := rc.Connection
	switch {
	case c == nil:
		return Socket{Type: Connect}
	case c.CloseCode != 0:
		return Socket{Type: Disconnect, ConnectedAt: c.ConnectedAt, Code: c.CloseCode, Reason: c.CloseReason}
	case c.MessageID != "":
		return Socket{Type: Message, ConnectedAt: c.ConnectedAt, MessageID: c.MessageID}
	}
	return Socket{Type: Connect, ConnectedAt: c.ConnectedAt}
}

// AppendWebSocket appends the event of a WebSocket API. (Developer guide, "Set up … integration
// request in API Gateway" and "Managing connected users and client apps"; recorded. An authorizer's
// is a CONNECT event.)
func (w *Writer) AppendWebSocket(b []byte, s Socket) []byte {
	rc := w.Context
	b = append(b, '{')
	if a := w.Authorizer; a != nil {
		b = append(jsonlex.AppendString(append(b, `"type":"REQUEST","methodArn":`...), a.ARN), ',')
	}
	switch s.Type {
	case Connect:
		b = w.appendHandshake(b)
		if len(rc.API.Variables) > 0 || w.Authorizer != nil {
			b = append(AppendStrings(append(b, `"stageVariables":`...), rc.API.Variables), ',')
		}
	case Disconnect:
		b = append(w.appendFarewell(b), ',')
	}
	b = w.appendContextWebSocket(append(b, `"requestContext":`...), &s)
	if a := w.Authorizer; a != nil {
		if a.BodyDigest != "" {
			b = jsonlex.AppendString(append(b, `,"bodySha256":`...), a.BodyDigest)
		}
		return append(b, '}')
	}
	if s.Type == Message {
		b = w.appendBody(append(b, `,"body":`...))
	}
	return append(strconv.AppendBool(append(b, `,"isBase64Encoded":`...), w.Base64), '}')
}

// appendHandshake appends headers and query. An integration's event has no query maps where there
// is no query, an authorizer's has them.
func (w *Writer) appendHandshake(b []byte) []byte {
	var room [32]Line
	lines := w.headers(room[:0])
	for i := range lines { // net/http's spelling of these names is nobody's
		if rest, ok := strings.CutPrefix(lines[i].Name, "Sec-Websocket-"); ok {
			lines[i].Name = "Sec-WebSocket-" + rest
		}
	}
	b = AppendLast(append(b, `"headers":`...), lines)
	b = append(AppendMulti(append(b, `,"multiValueHeaders":`...), lines), ',')
	query := w.Request.URL.RawQuery
	if query == "" && w.Authorizer == nil {
		return b
	}
	lines = QueryLines(lines[:0], query)
	b = AppendLast(append(b, `"queryStringParameters":`...), lines)
	return append(AppendMulti(append(b, `,"multiValueQueryStringParameters":`...), lines), ',')
}

// appendFarewell appends the headers of a DISCONNECT event: the host, and three names without a
// value, whatever the client had sent. (Recorded.)
func (w *Writer) appendFarewell(b []byte) []byte {
	b = jsonlex.AppendString(append(b, `"headers":{"Host":`...), w.Request.Host)
	b = append(b, `,"x-api-key":"","X-Forwarded-For":"","x-restapi":""},"multiValueHeaders":{"Host":[`...)
	b = jsonlex.AppendString(b, w.Request.Host)
	return append(b, `],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]}`...)
}

func (w *Writer) appendContextWebSocket(b []byte, s *Socket) []byte {
	rc := w.Context
	connected := s.ConnectedAt
	if connected.IsZero() {
		connected = rc.Time
	}
	b = jsonlex.AppendString(append(b, `{"routeKey":`...), rc.RouteKey())
	if s.Type == Message {
		b = jsonlex.AppendString(append(b, `,"messageId":`...), s.MessageID)
	}
	if s.Type == Disconnect {
		b = strconv.AppendInt(append(b, `,"disconnectStatusCode":`...), int64(s.Code), 10)
		b = jsonlex.AppendString(append(b, `,"disconnectReason":`...), s.Reason)
	}
	b = jsonlex.AppendString(append(b, `,"eventType":`...), string(s.Type))
	b = jsonlex.AppendString(append(b, `,"extendedRequestId":`...), w.requestID())
	b = AppendTime(append(b, `,"requestTime":`...), rc.Time)
	b = jsonlex.AppendString(append(b, `,"messageDirection":"IN","stage":`...), rc.API.Stage)
	b = AppendMillis(append(b, `,"connectedAt":`...), connected)
	b = AppendMillis(append(b, `,"requestTimeEpoch":`...), rc.Time)
	b = w.appendIdentityWebSocket(append(b, `,"identity":`...), s)
	b = jsonlex.AppendString(append(b, `,"requestId":`...), w.requestID())
	b = jsonlex.AppendString(append(b, `,"domainName":`...), w.socketDomain())
	b = jsonlex.AppendString(append(b, `,"connectionId":`...), rc.ConnectionID())
	b = jsonlex.AppendString(append(b, `,"apiId":`...), rc.API.APIID)
	if rc.OperationName() != "" {
		b = jsonlex.AppendString(append(b, `,"operationName":`...), rc.OperationName())
	}
	if w.Authorizer == nil {
		b = w.appendAuthorizerV1(b, true)
	}
	return append(b, '}')
}

// appendIdentityWebSocket appends what is known of the caller, and nothing that isn't: recorded
// events have no nulls here.
func (w *Writer) appendIdentityWebSocket(b []byte, s *Socket) []byte {
	rc := w.Context
	b = AppendAddr(append(b, `{"sourceIp":`...), rc.SourceIP())
	if rc.UserAgent() != "" && s.Type != Disconnect {
		b = jsonlex.AppendString(append(b, `,"userAgent":`...), rc.UserAgent())
	}
	if s.Type != Disconnect {
		b = w.appendKey(b)
	}
	if cert := NewClientCert(rc.ClientCert()); cert != nil {
		b = AppendClientCert(append(b, `,"clientCert":`...), cert)
	}
	if c := w.caller(); c != nil {
		for _, f := range []struct{ name, value string }{
			{`,"accessKey":`, c.AccessKey}, {`,"accountId":`, c.AccountID}, {`,"caller":`, c.CallerID},
			{`,"user":`, c.UserID}, {`,"userArn":`, c.UserARN}, {`,"principalOrgId":`, c.PrincipalOrgID},
			{`,"cognitoIdentityId":`, c.CognitoIdentityID}, {`,"cognitoIdentityPoolId":`, c.CognitoIdentityPoolID},
			{`,"cognitoAuthenticationType":`, c.CognitoAuthenticationType},
			{`,"cognitoAuthenticationProvider":`, c.CognitoAuthenticationProvider},
		} {
			b = appendOrNull(append(b, f.name...), f.value)
		}
	}
	return append(b, '}')
}

// socketDomain is the host that the client used, with the port that it named unless that is the
// scheme's own: functions make the address of @connections of it.
func (w *Writer) socketDomain() string {
	domain := w.domainName()
	byDefault := "80"
	if w.Request.TLS != nil {
		byDefault = "443"
	}
	if port := ForwardedPort(w.Request); port != byDefault && strings.EqualFold(httpword.Host(w.Request.Host), domain) {
		return domain + ":" + port
	}
	return domain
}
