package definition_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

const sockets = `{"apis":[{"id":"Chat","flavor":"WEBSOCKET","route_selection":"$request.body.action","routes":{
	"$connect":{"auth":{"type":"CUSTOM","authorizer":"J"},"integration":{"type":"MOCK","target":{"kind":"mock"}}},
	"join":{"auth":{"type":"NONE"},"response_selection":"$default","request_models":{"$default":"Join"},"integration":{"type":"AWS_PROXY","target":{"kind":"lambda","function":"Join"}}},
	"log":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","target":{"kind":"lambda","function":"Join"}}},
	"echo":{"auth":{"type":"NONE"},"response_selection":"$default","integration":{"type":"AWS","target":{"kind":"lambda","function":"Echo"},"template_selection":"$request.body.v",
		"request_templates":{"1":"{\"one\":$input.json('$.x')}","$default":"{\"other\":$input.json('$.x')}"},"responses":[{"pattern":"$default"}]}},
	"queue":{"auth":{"type":"NONE"},"response_selection":"$default","integration":{"type":"AWS","target":{"kind":"service","service":"sqs","path":"1/q"},"request_templates":{"$default":"Action=SendMessage"}}},
	"closed":{"auth":{"type":"AWS_IAM"},"response_selection":"$default","integration":{"type":"AWS_PROXY","target":{"kind":"lambda","function":"Join"}}},
	"$default":{"auth":{"type":"NONE"},"response_selection":"$default","integration":{"type":"MOCK","target":{"kind":"mock"},"request_templates":{"$default":"{\"statusCode\":200}"},
		"responses":[{"pattern":"$default","templates":{"$default":"{\"err\":\"unknown action\"}"}}]}}},
	"authorizers":{"J":{"type":"REQUEST","target":{"kind":"lambda","function":"J"},"identity_source":["route.request.header.X-Token"],"ttl":0}},
	"models":{"Join":{"schema":{"type":"object","required":["room"]}}},
	"stages":{"prod":{"variables":{"a":"b"},"throttle":{"rate":100,"burst":100},"route_throttle":{"log":{"rate":1,"burst":1}}}}}]}`

func TestWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connected := make(chan string, 10)
		j := functionOf(func(event map[string]any) map[string]any {
			effect := "Deny"
			if event["headers"].(map[string]any)["X-Token"] == "yes" {
				effect = "Allow"
				connected <- event["requestContext"].(map[string]any)["connectionId"].(string)
			}
			return map[string]any{"principalId": "me", "policyDocument": map[string]any{"Version": "2012-10-17",
				"Statement": []any{map[string]any{"Effect": effect, "Action": "execute-api:Invoke", "Resource": "*"}}}}
		})
		b := definition.Bindings{InsecureAllowAnyOrigin: true, Functions: map[string]gatekit.Invoker{"Join": fn("joined"), "Echo": echo{}, "J": j},
			Credentials: auth.StaticCredentials{"AKIDEXAMPLE": {SecretAccessKey: "secret", Principal: policy.Principal{ARN: "arn:aws:iam::123456789012:user/ann", AccountID: "123456789012"}}}}
		g := build(t, sockets, b)
		_, refused := websockettest.Dial(t.Context(), g, "wss://chat.example/prod", nil)
		require.Equal(t, http.StatusUnauthorized, refused.StatusCode)
		_, refused = websockettest.Dial(t.Context(), g, "wss://chat.example/prod", http.Header{"X-Token": {"no"}})
		require.Equal(t, http.StatusForbidden, refused.StatusCode)
		_, refused = websockettest.Dial(t.Context(), g, "wss://chat.example/dev", http.Header{"X-Token": {"yes"}})
		require.Equal(t, http.StatusForbidden, refused.StatusCode)
		c, resp := websockettest.Dial(t.Context(), g, "wss://chat.example/prod", http.Header{"X-Token": {"yes"}})
		require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		says := func(message string) string {
			c.SendText(message)
			m, err := c.Receive(time.Second)
			require.NoError(t, err, message)
			return m
		}
		require.Equal(t, "joined", says(`{"action":"join","room":"r"}`))
		require.Contains(t, says(`{"action":"join"}`), "Bad request body")
		require.Equal(t, `{"one":7}`, says(`{"action":"echo","v":"1","x":7}`))
		require.Equal(t, `{"other":7}`, says(`{"action":"echo","x":7}`))
		require.Equal(t, `{"err":"unknown action"}`, says(`{"action":"dance"}`))
		require.Contains(t, says(`{"action":"queue"}`), "Internal server error")
		require.Contains(t, says(`{"action":"closed"}`), "Internal server error")
		c.SendText(`{"action":"log"}`)
		_, err := c.Receive(time.Second)
		require.ErrorIs(t, err, websockettest.ErrNothing, "a route without a response is silent")

		// A backend writes to the connection, also when another document is served.
		id := onlyConnection(t, g, connected)
		for range 2 {
			r := httptest.NewRequest("POST", "http://chat.example/prod/@connections/"+id, strings.NewReader("hello"))
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			require.Equal(t, http.StatusForbidden, w.Code)
			r = httptest.NewRequest("POST", "http://chat.example/prod/@connections/"+id, strings.NewReader("hello"))
			require.NoError(t, authtest.Signer{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", Region: "us-east-1"}.Sign(r, time.Now()))
			w = httptest.NewRecorder()
			g.ServeHTTP(w, r)
			require.Equal(t, http.StatusOK, w.Code, w.Body)
			m, err := c.Receive(time.Second)
			require.NoError(t, err)
			require.Equal(t, "hello", m)
			require.NoError(t, g.Update(t.Context(), parse(t, strings.Replace(sockets, "unknown action", "what", 1))))
		}
		require.Equal(t, `{"err":"unknown action"}`, says(`{"action":"dance"}`), "a connection stays with its routes")
		d, resp := websockettest.Dial(t.Context(), g, "wss://chat.example/prod", http.Header{"X-Token": {"yes"}})
		require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		d.SendText(`{"action":"dance"}`)
		m, err := d.Receive(time.Second)
		require.NoError(t, err)
		require.Equal(t, `{"err":"what"}`, m)

		var why []string
		for _, route := range g.Report().Routes {
			if !route.Served {
				why = append(why, route.Route+": "+route.Why)
			}
		}
		require.Equal(t, []string{"closed: only $connect has an authorizer or asks for a key",
			"queue: nothing says how the AWS service sqs is called"}, why)
		require.Nil(t, g.WebSocket("Chat", "dev"))
		require.NoError(t, g.Close())
	})
}

// onlyConnection is the ID of the connection that is open.
func onlyConnection(t *testing.T, g *definition.Gateway, connected <-chan string) string {
	t.Helper()
	api := g.WebSocket("Chat", "prod")
	require.IsType(t, (*websocket.API)(nil), api)
	require.EqualValues(t, 1, api.Metrics().Connections)
	return <-connected
}

func TestWebSocketCloses(t *testing.T) {
	for name, text := range map[string]string{
		"authorizer": strings.Replace(sockets, `"function":"J"`, `"function":"Nobody"`, 1),
		"web-acl":    strings.Replace(sockets, `"stages":{"prod":{`, `"stages":{"prod":{"web_acl":"Acl",`, 1),
		"selection":  strings.Replace(sockets, `"$request.body.action"`, `""`, 1),
		"unknown":    strings.Replace(sockets, `"$request.body.action"`, `"`+definition.Unknown("x")+`"`, 1),
		"key":        strings.Replace(sockets, `"$connect":{`, `"$connect":{"api_key_required":true,`, 1),
		"selected-key": strings.Replace(strings.Replace(sockets, `"$connect":{`, `"$connect":{"api_key_required":true,`, 1), `"route_selection"`,
			`"api_key_selection":"$request.body.key","route_selection"`, 1),
		"settings": strings.Replace(sockets, `"stages":{"prod":{`, `"stages":{"prod":{"cache":"0.5",`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := build(t, text, definition.Bindings{InsecureAllowAnyOrigin: true,
					Functions: map[string]gatekit.Invoker{"Join": fn("joined"), "Echo": echo{}, "J": &judge{}}})
				_, resp := websockettest.Dial(t.Context(), g, "wss://chat.example/prod", http.Header{"X-Token": {"yes"}})
				require.NotEqual(t, http.StatusSwitchingProtocols, resp.StatusCode)
				require.NotEmpty(t, g.Report().Of(definition.Unbound, definition.Unsupported, definition.UnknownValue))
				require.NoError(t, g.Close())
			})
		})
	}
}
