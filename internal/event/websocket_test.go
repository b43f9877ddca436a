package event_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// socket is a connection as a WebSocket API knows it.
func socket(target string) (*gatekit.RequestContext, *http.Request) {
	r := httptest.NewRequest("GET", target, nil)
	r.Host, r.RemoteAddr = "a1b2.example.com", "198.51.100.7:4711"
	r.Header = http.Header{
		"Connection": {"keep-alive", "Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"k=="}, "Sec-Websocket-Version": {"13"}, "User-Agent": {"ua/1"},
		"X-Amzn-Trace-Id": {"Root=1-5759e988-bd862e3fe1be46a994272793"}, "X-A": {"1", "2"},
	}
	rc, r := gatekit.Attach(r)
	rc.API = &gatekit.API{Flavor: gatekit.WebSocket, APIID: "a1b2c3d4e5", Stage: "prod"}
	rc.Route, rc.Connection, rc.Time = &gatekit.Route{Key: "$connect"}, &gatekit.Connection{ID: "3tYjey7ZHj9yH8s="}, time.UnixMilli(1708326702001)
	rc.SetRequestID("pU3KGCUwux1tEyw=", "")
	return rc, r
}

const (
	socketHeaders = `"Host":"a1b2.example.com","Sec-WebSocket-Key":"k==","Sec-WebSocket-Version":"13","User-Agent":"ua/1",
		"X-A":"2","X-Amzn-Trace-Id":"Root=1-5759e988-bd862e3fe1be46a994272793","X-Forwarded-For":"198.51.100.7","X-Forwarded-Port":"80","X-Forwarded-Proto":"http"`
	socketMulti = `"Host":["a1b2.example.com"],"Sec-WebSocket-Key":["k=="],"Sec-WebSocket-Version":["13"],"User-Agent":["ua/1"],
		"X-A":["1","2"],"X-Amzn-Trace-Id":["Root=1-5759e988-bd862e3fe1be46a994272793"],"X-Forwarded-For":["198.51.100.7"],"X-Forwarded-Port":["80"],"X-Forwarded-Proto":["http"]`
	socketContext = `"routeKey":"$connect","eventType":"CONNECT","extendedRequestId":"pU3KGCUwux1tEyw=","requestTime":"19/Feb/2024:07:11:42 +0000","messageDirection":"IN",
		"stage":"prod","connectedAt":1708326702000,"requestTimeEpoch":1708326702001,"identity":{"userAgent":"ua/1","sourceIp":"198.51.100.7"},
		"requestId":"pU3KGCUwux1tEyw=","domainName":"a1b2.example.com","connectionId":"3tYjey7ZHj9yH8s=","apiId":"a1b2c3d4e5"`
)

var connectedAt = time.UnixMilli(1708326702000)

// The CONNECT event (spec/websocket-api.md 6.1), to the integration and to the authorizer.
func TestConnectEvent(t *testing.T) {
	rc, r := socket("/")
	w := event.Writer{Context: rc, Request: r}
	got := w.AppendWebSocket(nil, event.Socket{Type: event.Connect, ConnectedAt: connectedAt})
	require.JSONEq(t, `{"headers":{`+socketHeaders+`},"multiValueHeaders":{`+socketMulti+`},"requestContext":{`+socketContext+`},"isBase64Encoded":false}`, string(got))

	rc, r = socket("/?room=a&room=b")
	rc.API.Variables = map[string]string{"k": "v"}
	w = event.Writer{Context: rc, Request: r}
	m := valid[map[string]any](t, w.AppendWebSocket(nil, event.Socket{Type: event.Connect}))
	require.Equal(t, map[string]any{"room": "b"}, m["queryStringParameters"])
	require.Equal(t, map[string]any{"room": []any{"a", "b"}}, m["multiValueQueryStringParameters"])
	require.Equal(t, map[string]any{"k": "v"}, m["stageVariables"])
	require.EqualValues(t, int64(1708326702001), m["requestContext"].(map[string]any)["connectedAt"])

	rc, r = socket("/")
	w = event.Writer{Context: rc, Request: r, Authorizer: &event.Authorizer{ARN: "arn", Identity: []string{"x"}}}
	require.JSONEq(t, `{"type":"REQUEST","methodArn":"arn","headers":{"Connection":"keep-alive, Upgrade","Upgrade":"websocket","Content-Length":"0",`+socketHeaders+`},
		"multiValueHeaders":{"Connection":["keep-alive, Upgrade"],"Upgrade":["websocket"],"Content-Length":["0"],`+socketMulti+`},
		"queryStringParameters":{},"multiValueQueryStringParameters":{},"stageVariables":{},"requestContext":{`+socketContext+`}}`,
		string(w.AppendWebSocket(nil, event.Socket{Type: event.Connect, ConnectedAt: connectedAt})))
}

// The MESSAGE and DISCONNECT events (6.2, 6.3).
func TestMessageAndDisconnectEvents(t *testing.T) {
	rc, r := socket("/?room=a")
	rc.Route = &gatekit.Route{Key: "sendmessage"}
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "u1", Context: map[string]any{"tenant": "t9"}})
	w := event.Writer{Context: rc, Request: r, Body: []byte(`{"a":1}`)}
	require.JSONEq(t, `{"requestContext":{"routeKey":"sendmessage","messageId":"GXEXRJTWSTydXDQ=","eventType":"MESSAGE","extendedRequestId":"pU3KGCUwux1tEyw=",
		"requestTime":"19/Feb/2024:07:11:42 +0000","messageDirection":"IN","stage":"prod","connectedAt":1708326702000,"requestTimeEpoch":1708326702001,
		"identity":{"userAgent":"ua/1","sourceIp":"198.51.100.7"},"requestId":"pU3KGCUwux1tEyw=","domainName":"a1b2.example.com","connectionId":"3tYjey7ZHj9yH8s=",
		"apiId":"a1b2c3d4e5","authorizer":{"principalId":"u1","integrationLatency":0,"tenant":"t9"}},"body":"{\"a\":1}","isBase64Encoded":false}`,
		string(w.AppendWebSocket(nil, event.Socket{Type: event.Message, ConnectedAt: connectedAt, MessageID: "GXEXRJTWSTydXDQ="})))

	rc.Route, rc.Authorization = &gatekit.Route{Key: "$disconnect"}, nil
	w = event.Writer{Context: rc, Request: r}
	require.JSONEq(t, `{"headers":{"Host":"a1b2.example.com","x-api-key":"","X-Forwarded-For":"","x-restapi":""},
		"multiValueHeaders":{"Host":["a1b2.example.com"],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]},
		"requestContext":{"routeKey":"$disconnect","disconnectStatusCode":1005,"eventType":"DISCONNECT","extendedRequestId":"pU3KGCUwux1tEyw=",
		"requestTime":"19/Feb/2024:07:11:42 +0000","messageDirection":"IN","disconnectReason":"Client-side close frame status not set","stage":"prod",
		"connectedAt":1708326702000,"requestTimeEpoch":1708326702001,"identity":{"sourceIp":"198.51.100.7"},"requestId":"pU3KGCUwux1tEyw=",
		"domainName":"a1b2.example.com","connectionId":"3tYjey7ZHj9yH8s=","apiId":"a1b2c3d4e5"},"isBase64Encoded":false}`,
		string(w.AppendWebSocket(nil, event.Socket{Type: event.Disconnect, ConnectedAt: connectedAt, Code: 1005, Reason: "Client-side close frame status not set"})))
}

// What identity and domainName say in odd cases.
func TestSocketIdentity(t *testing.T) {
	for host, want := range map[string]string{
		"a.example:80": "a.example", "a.example:8080": "a.example:8080", "a.example": "a.example", "[::1]:99": "[::1]:99", "[::1]": "[::1]",
	} {
		rc, r := socket("/")
		r.Host = host
		w := event.Writer{Context: rc, Request: r}
		c := valid[map[string]any](t, w.AppendWebSocket(nil, event.Socket{Type: event.Message}))["requestContext"].(map[string]any)
		require.Equal(t, want, c["domainName"], host)
	}
	rc, r := socket("/")
	r.Host = "a.example:99"
	rc.SetDomain(&gatekit.Domain{Name: "api.example"})
	delete(r.Header, "User-Agent")
	r.Header.Set("X-Api-Key", "key")
	rc.SetUserAgent("")
	rc.Route = &gatekit.Route{Key: rc.RouteKey(), OperationName: "op"}
	rc.SetCaller(&gatekit.IAMCaller{UserARN: "arn", AccountID: "1"})
	w := event.Writer{Context: rc, Request: r}
	c := valid[map[string]any](t, w.AppendWebSocket(nil, event.Socket{Type: event.Connect}))["requestContext"].(map[string]any)
	require.Equal(t, "api.example", c["domainName"], "another host than the one whose port it is")
	require.Equal(t, "op", c["operationName"])
	require.Equal(t, map[string]any{
		"sourceIp": "198.51.100.7", "apiKey": "key", "accountId": "1", "userArn": "arn", "accessKey": nil, "caller": nil, "user": nil, "principalOrgId": nil,
		"cognitoIdentityId": nil, "cognitoIdentityPoolId": nil, "cognitoAuthenticationType": nil, "cognitoAuthenticationProvider": nil,
	}, c["identity"])
}
