package websocket_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// The scenarios by their numbers. Each has a clock of its own.
func scenarios(t *testing.T, rows map[string]func(*testing.T)) {
	t.Helper()
	for name, row := range rows {
		t.Run(name, func(t *testing.T) { synctest.Test(t, row) })
	}
}

func TestHandshakeScenarios(t *testing.T) {
	scenarios(t, map[string]func(*testing.T){
		"row-01-query": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.dialAt(base+"?room=a&room=b", nil)
			e := r.fn.Events()[0]
			require.Equal(t, "CONNECT", contextOf(e)["eventType"])
			require.Equal(t, map[string]any{"room": "b"}, e["queryStringParameters"])
			require.Equal(t, map[string]any{"room": []any{"a", "b"}}, e["multiValueQueryStringParameters"])
			require.NotContains(t, e, "body")
			require.NotContains(t, contextOf(e), "messageId")
			require.Equal(t, "$connect", contextOf(e)["routeKey"])
			require.Regexp(t, `^[A-Za-z0-9_-]{15}=$`, contextOf(e)["connectionId"])
		},
		"row-02-no-query": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.dial()
			require.NotContains(t, r.fn.Events()[0], "queryStringParameters")
			require.NotContains(t, r.fn.Events()[0], "multiValueQueryStringParameters")
		},
		"row-03-statuses": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.says("$connect", `{"statusCode":201}`)
			r.dial()
			m := newManager(t, r.api)
			for _, status := range []string{"301", "401", "501"} {
				r.says("$connect", `{"statusCode":`+status+`}`)
				resp := r.refused(base, nil)
				require.Equal(t, status, resp.Status[:3])
				require.Equal(t, 410, m.call("GET", "/prod/@connections/"+escape(r.connectionID()), nil).Code)
			}
			synctest.Wait()
			require.Empty(t, r.fn.Of("eventType", "DISCONNECT"))
		},
		"row-04-throws": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.throws("$connect", "boom")
			require.Equal(t, 502, r.refused(base, nil).StatusCode)
			r.says("$connect", `"no proxy result"`)
			require.Equal(t, 502, r.refused(base, nil).StatusCode)
		},
		"row-05-timeout": func(t *testing.T) {
			r := bareRig(t, websocket.Config{})
			h := r.lambda(integration.LambdaConfig{Timeout: time.Second})
			r.api.Handle("$connect", h)
			r.api.Handle("$disconnect", h)
			r.answer("$connect", func(ctx context.Context) (string, error) {
				time.Sleep(2 * time.Second)
				return `{"statusCode":200}`, nil
			})
			require.Equal(t, 504, r.refused(base, nil).StatusCode)
			time.Sleep(2 * time.Second)
			require.Empty(t, r.fn.Of("eventType", "DISCONNECT"))
			require.Zero(t, r.api.Metrics().Connections)
		},
		"row-06-not-open-yet": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			m := newManager(t, r.api)
			r.answer("$connect", func(context.Context) (string, error) {
				w := m.call("POST", "/prod/@connections/"+escape(r.connectionID()), []byte("early"))
				require.Equal(t, 410, w.Code)
				require.Equal(t, "GoneException", w.Header().Get("X-Amzn-Errortype"))
				return `{"statusCode":200}`, nil
			})
			c := r.dial()
			require.Equal(t, 200, m.call("POST", "/prod/@connections/"+escape(r.connectionID()), []byte("hi")).Code)
			require.Equal(t, "hi", receive(t, c))
		},
		"row-07-no-connect-route": func(t *testing.T) {
			r := bareRig(t, websocket.Config{})
			r.api.Handle("join", r.lambda(integration.LambdaConfig{}))
			r.says("join", `{"statusCode":200,"body":"hi"}`)
			c := r.dial()
			send(t, c, `{"action":"join"}`)
			require.Equal(t, "hi", receive(t, c))
		},
		"row-08-plain-get": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			for _, path := range []string{"", "/x/y"} {
				resp := r.refused(base+path, http.Header{"Upgrade": nil, "Connection": nil})
				require.Equal(t, 426, resp.StatusCode)
				require.Equal(t, "websocket", resp.Header.Get("Upgrade"))
			}
			require.Empty(t, r.fn.Events())
		},
		"row-14-subprotocol-refused": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.says("$connect", `{"statusCode":400}`)
			require.Equal(t, 400, r.refused(base, http.Header{"Sec-Websocket-Protocol": {"chat1"}}).StatusCode)
		},
		"row-15-subprotocol": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.says("$connect", `{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"myprotocol","X-Other":"1"}}`)
			c, resp := websockettest.Dial(t.Context(), r.api, base, http.Header{"Sec-Websocket-Protocol": {"chat1, myprotocol"}})
			require.Equal(t, 101, resp.StatusCode)
			require.Equal(t, "myprotocol", c.Subprotocol)
			require.Empty(t, resp.Header.Get("X-Other"))
			require.Equal(t, 502, r.refused(base, http.Header{"Sec-Websocket-Protocol": {"chat1"}}).StatusCode, "not offered")
			require.Equal(t, 502, r.refused(base, nil).StatusCode, "none offered")
			c.Reset()
		},
		"row-16-none-selected": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dialAt(base, http.Header{"Sec-Websocket-Protocol": {"chat1"}})
			require.Empty(t, c.Subprotocol)
		},
	})
}

func TestMessageScenarios(t *testing.T) {
	scenarios(t, map[string]func(*testing.T){
		"row-17-two-way": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.says("join", `{"statusCode":200,"body":"hi"}`)
			c := r.dial()
			send(t, c, `{"action":"join"}`)
			require.Equal(t, "hi", receive(t, c))
			require.Empty(t, receive(t, c))
			e := r.fn.Of("eventType", "MESSAGE")[0]
			require.Equal(t, `{"action":"join"}`, e["body"])
			require.Equal(t, false, e["isBase64Encoded"])
			require.NotContains(t, e, "headers")
			require.Equal(t, "join", contextOf(e)["routeKey"])
			require.Equal(t, r.connectionID(), contextOf(e)["connectionId"])
			require.Equal(t, "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", contextOf(e)["domainName"])
			require.Regexp(t, `^[A-Za-z0-9_-]{15}=$`, contextOf(e)["messageId"])
		},
		"row-18-one-way": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.says("fire", `{"statusCode":200,"body":"x"}`)
			c := r.dial()
			send(t, c, `{"action":"fire"}`)
			require.Empty(t, receive(t, c))
			require.Len(t, r.fn.Of("routeKey", "fire"), 1)
		},
		"row-19-no-body": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			send(t, c, `{"action":"join"}`)
			r.says("join", `{"statusCode":200,"body":""}`)
			send(t, c, `{"action":"join"}`)
			require.Empty(t, receive(t, c))
		},
		"row-20-one-way-throws": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.throws("fire", "boom")
			r.says("join", `{"statusCode":500,"body":"still here"}`)
			c := r.dial()
			send(t, c, `{"action":"fire"}`)
			got := receive(t, c)
			message, members := frame(t, got)
			require.Equal(t, "Internal server error", message)
			require.Equal(t, `{"message": "Internal server error", "connectionId":"`+r.connectionID()+`", "requestId":"`+members["requestId"].(string)+`"}`, got)
			send(t, c, `{"action":"join"}`)
			require.Equal(t, "still here", receive(t, c))
		},
		"row-21-default": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			messages := []string{`{"action":"zzz"}`, `{"x":1}`, `not json`, `[1]`, `{"action":"$connect"}`, `{"action":"$disconnect"}`, `{"action":null}`, ``}
			for _, m := range messages {
				send(t, c, m)
			}
			synctest.Wait()
			events := r.fn.Of("routeKey", "$default")
			require.Len(t, events, len(messages))
			for i, m := range messages {
				require.Equal(t, m, events[i]["body"])
			}
		},
		"row-22-no-default": func(t *testing.T) {
			r := bareRig(t, websocket.Config{})
			r.api.Handle("join", r.lambda(integration.LambdaConfig{}))
			c := r.dial()
			seen := map[any]bool{}
			for _, m := range []string{`{"action":"zzz"}`, `{"x":1}`, `not json`, `[1]`} {
				send(t, c, m)
				message, members := frame(t, receive(t, c))
				require.Equal(t, "Forbidden", message)
				seen[members["requestId"]] = true
			}
			require.Len(t, seen, 4)
			require.Empty(t, r.fn.Events())
			require.True(t, c.Open())
		},
		"row-23-two-variables": func(t *testing.T) {
			r := bareRig(t, websocket.Config{RouteSelection: "${request.body.service}/${request.body.action}"})
			h := r.lambda(integration.LambdaConfig{})
			r.api.Handle("chat/join", h)
			r.api.Handle("$default", h)
			c := r.dial()
			send(t, c, `{"service":"chat","action":"join"}`)
			send(t, c, `{"action":"join"}`)
			synctest.Wait()
			require.Len(t, r.fn.Of("routeKey", "chat/join"), 1)
			require.Len(t, r.fn.Of("routeKey", "$default"), 1)
		},
		"row-24-static-default": func(t *testing.T) {
			r := newRig(t, websocket.Config{RouteSelection: `\$default`})
			c := r.dial()
			send(t, c, `{"action":"join"}`)
			synctest.Wait()
			require.Len(t, r.fn.Of("routeKey", "$default"), 1)
		},
		"row-25-array": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			send(t, c, `{"action":["a","b"]}`)
			synctest.Wait()
			require.Len(t, r.fn.Of("routeKey", "$default"), 1)
		},
		"row-46-throttled": rowThrottled,
		"row-49-order": func(t *testing.T) {
			for parallel, want := range map[int][]string{0: {"slow", "fast"}, 2: {"fast", "slow"}} {
				r := bareRig(t, websocket.Config{Parallel: parallel})
				r.api.Handle("join", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
					if strings.Contains(string(m.Data), "slow") {
						time.Sleep(200 * time.Millisecond)
						return &websocket.Reply{Data: []byte("slow")}, nil
					}
					time.Sleep(10 * time.Millisecond)
					return &websocket.Reply{Data: []byte("fast")}, nil
				}))
				c := r.dial()
				send(t, c, `{"action":"join","x":"slow"}`)
				send(t, c, `{"action":"join"}`)
				require.Equal(t, want, []string{receive(t, c), receive(t, c)})
			}
		},
	})
}

func TestFrameScenarios(t *testing.T) {
	text := func(n int) []byte { return []byte(strings.Repeat("x", n)) }
	scenarios(t, map[string]func(*testing.T){
		"row-28-binary": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			require.NoError(t, c.SendBinary([]byte("x")))
			code, _ := c.Wait()
			require.Equal(t, 1003, code)
			require.Equal(t, 1003.0, contextOf(r.disconnect())["disconnectStatusCode"])
		},
		"row-29-large-frame": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			_ = c.WriteFrame(true, websockettest.OpText, text(33<<10)) // refused by its header
			code, _ := c.Wait()
			require.Equal(t, 1009, code)
			require.Empty(t, r.fn.Of("eventType", "MESSAGE"))
		},
		"row-30-four-frames": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			for i := range 4 {
				op := byte(websockettest.OpContinuation)
				if i == 0 {
					op = websockettest.OpText
				}
				require.NoError(t, c.WriteFrame(i == 3, op, text(25<<10)))
			}
			synctest.Wait()
			events := r.fn.Of("eventType", "MESSAGE")
			require.Len(t, events, 1)
			require.Len(t, events[0]["body"], 100<<10)
		},
		"row-31-large-message": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			for i := range 5 {
				op := byte(websockettest.OpContinuation)
				if i == 0 {
					op = websockettest.OpText
				}
				_ = c.WriteFrame(i == 4, op, text(30<<10))
			}
			code, _ := c.Wait()
			require.Equal(t, 1009, code)
			require.Empty(t, r.fn.Of("eventType", "MESSAGE"))
		},
		"row-32-ping-inside": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.says("join", `{"statusCode":200,"body":"hi"}`)
			c := r.dial()
			require.NoError(t, c.WriteFrame(false, websockettest.OpText, []byte(`{"action":`)))
			require.NoError(t, c.WriteFrame(true, websockettest.OpPing, []byte("p1")))
			require.NoError(t, c.WriteFrame(true, websockettest.OpContinuation, []byte(`"join"}`)))
			require.Equal(t, "hi", receive(t, c))
			require.Equal(t, websockettest.Frame{Fin: true, Op: websockettest.OpPong, Payload: []byte("p1")}, c.Frames()[0])
		},
		"row-33-broken-frames": func(t *testing.T) {
			for name, raw := range map[string][]byte{"unmasked": {0x81, 0x01, 'x'}, "rsv1": {0xc1, 0x81, 0, 0, 0, 0, 'x'}} {
				r := newRig(t, websocket.Config{})
				c := r.dial()
				_ = c.WriteRaw(raw)
				code, _ := c.Wait()
				require.Equal(t, 1002, code, name)
				require.Equal(t, 1002.0, contextOf(r.disconnect())["disconnectStatusCode"], name)
			}
		},
		"row-34-idle": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			time.Sleep(10*time.Minute - time.Second)
			require.True(t, c.Open())
			time.Sleep(2 * time.Second)
			code, reason := c.Wait()
			require.Equal(t, 1001, code)
			require.Equal(t, "Going away", reason)
			e := contextOf(r.disconnect())
			require.Equal(t, 1001.0, e["disconnectStatusCode"])
			require.Equal(t, "Going away", e["disconnectReason"])
			require.Equal(t, 410, newManager(t, r.api).call("GET", "/prod/@connections/"+escape(r.connectionID()), nil).Code)
		},
		"row-35-lifetime": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			for range 12 {
				time.Sleep(9*time.Minute + 30*time.Second)
				require.NoError(t, r.api.Send(t.Context(), r.connectionID(), websocket.Text, []byte("push")))
			}
			require.True(t, c.Open())
			time.Sleep(6*time.Minute + time.Second)
			code, _ := c.Wait()
			require.Equal(t, 1001, code)
		},
		"row-36-close-without-code": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			require.NoError(t, c.Close(0, ""))
			code, _ := c.Wait()
			require.Equal(t, 1005, code)
			e := r.disconnect()
			require.Equal(t, 1005.0, contextOf(e)["disconnectStatusCode"])
			require.Equal(t, "Client-side close frame status not set", contextOf(e)["disconnectReason"])
			host := "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
			require.Equal(t, map[string]any{"Host": host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}, e["headers"])
			require.NotContains(t, e, "body")
		},
		"row-37-going-away": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			c := r.dial()
			require.NoError(t, c.Close(1001, ""))
			c.Wait()
			e := contextOf(r.disconnect())
			require.Equal(t, 1001.0, e["disconnectStatusCode"])
			require.Equal(t, "", e["disconnectReason"])
		},
		"row-38-reset": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.dial().Reset()
			require.Equal(t, 1006.0, contextOf(r.disconnect())["disconnectStatusCode"])
			require.Equal(t, 410, newManager(t, r.api).call("GET", "/prod/@connections/"+escape(r.connectionID()), nil).Code)
		},
		"row-39-disconnect-throws": func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			m := newManager(t, r.api)
			r.answer("$disconnect", func(context.Context) (string, error) {
				require.Equal(t, 410, m.call("GET", "/prod/@connections/"+escape(r.connectionID()), nil).Code)
				return "", context.Canceled
			})
			c := r.dial()
			require.NoError(t, c.Close(1000, "bye"))
			c.Wait()
			e := contextOf(r.disconnect())
			require.Equal(t, "bye", e["disconnectReason"])
			require.EqualValues(t, 1, r.api.Metrics().IntegrationError)
			require.Contains(t, r.log.String(), "$disconnect failed")
		},
	})
}
