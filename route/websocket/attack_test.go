package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// echo replies with the route key and the message.
var echo = websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
	return &websocket.Reply{Type: m.Type, Data: []byte(m.RouteKey + ":" + string(m.Data))}, nil
})

func TestNoMessageNamesConnectOrDisconnect(t *testing.T) {
	for _, expr := range []string{"$request.body.action", "${request.body.action}", "$request.body['action']", "${request.body.a}${request.body.b}"} {
		api := gatekit.Must(websocket.New(t.Context(), websocket.Config{RouteSelection: expr}))
		for _, key := range []string{"$connect", "$disconnect", "$default", "join"} {
			api.Handle(key, echo)
		}
		for _, m := range []string{
			`{"action":"$connect"}`, `{"action":"$disconnect"}`, `{"action":"$default"}`, `{"action":"\u0024connect"}`,
			`{"a":"$","b":"connect"}`, `{"action":{"$connect":1}}`, `{"action":["$connect"]}`,
		} {
			require.Equal(t, "$default", api.Select([]byte(m)), "%s of %s", m, expr)
		}
	}
}

func TestRouteSelection(t *testing.T) {
	for _, tt := range []struct{ name, expression, message, want string }{
		{"string", "$request.body.action", `{"action":"join"}`, "join"},
		{"braces", "${request.body.action}", `{"action":"join"}`, "join"},
		{"nested", "$request.body.data.room", `{"data":{"room":"r1"}}`, "r1"},
		{"subscript", "$request.body['a.b']", `{"a.b":"join"}`, "join"},
		{"element", "$request.body.list[1]", `{"list":["x","join"]}`, "join"},
		{"text-around", "on-${request.body.action}!", `{"action":"join"}`, "on-join!"},
		{"nothing-found", "${request.body.action}-${request.body.nope}", `{"action":"join"}`, "join-"},
		{"number", "$request.body.action", `{"action":1}`, "1"},
		{"number-as-written", "$request.body.action", `{"action":1.0}`, "1.0"},
		{"exponent-as-written", "$request.body.action", `{"action":1e2}`, "1e2"},
		{"boolean", "$request.body.action", `{"action":true}`, "true"},
		{"null", "x$request.body.action", `{"action":null}`, "x"},
		{"array", "$request.body.action", `{"action":["a", "b"]}`, "[a, b]"},
		{"array-of-kinds", "$request.body.action", `{"action":[1, null, {"k" : 1}]}`, `[1, , {"k":1}]`},
		{"object", "$request.body.action", `{"action":{"k" : [1, 2]}}`, `{"k":[1,2]}`},
		{"last-of-duplicates", "$request.body.action", `{"action":"a","action":"b"}`, "b"},
		{"escape", "$request.body.action", `{"action":"jo\u0069n"}`, "join"},
		{"static", "action", `{"x":1}`, "action"},
		{"escaped-dollar", `\$request.body.action`, `{"x":1}`, ""},
		{"no-recursion", "$request.body.action", `{"action":"${request.body.other}","other":"join"}`, "${request.body.other}"},
		{"many", "$request.body.list[*].k", `{"list":[{"k":"a"},{"k":"b"}]}`, "[a, b]"},
		{"scalar", "$request.body.action", `42`, ""},
		{"byte-order-mark", "$request.body.action", "\ufeff" + `{"action":"join"}`, ""},
		{"two-documents", "$request.body.action", `{"action":"join"}{}`, ""},
		{"too-deep", "$request.body.action", strings.Repeat("[", 600) + strings.Repeat("]", 600), ""},
		{"case", "$request.body.action", `{"Action":"join"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := gatekit.Must(websocket.New(t.Context(), websocket.Config{RouteSelection: tt.expression}))
			if tt.want != "" && tt.want[0] != '$' {
				api.Handle(tt.want, echo)
			}
			api.Handle("$default", echo)
			want := tt.want
			if want == "" || want[0] == '$' {
				want = "$default"
			}
			require.Equal(t, want, api.Select([]byte(tt.message)))
		})
	}
}

func TestConfigsThatCantBe(t *testing.T) {
	memory := websocket.NewMemory(0)
	for _, tt := range []struct {
		name, want string
		cfg        websocket.Config
	}{
		{"no-expression", "Config.RouteSelection: want a selection expression", websocket.Config{}},
		{"headers", "Config.RouteSelection: want $request.body.PATH, got $request.header.x", websocket.Config{RouteSelection: "$request.header.x"}},
		{"path", "Config.RouteSelection", websocket.Config{RouteSelection: "$request.body.a[?("}},
		{"open-brace", "braces and brackets closed", websocket.Config{RouteSelection: "${request.body.a"}},
		{"bare-dollar", "got $", websocket.Config{RouteSelection: "$"}},
		{"connect", "$connect is no route for messages", websocket.Config{RouteSelection: `\$connect`}},
		{"disconnect", "$disconnect is no route for messages", websocket.Config{RouteSelection: `\$disconnect`}},
		{"flavor", "Config.API.Flavor", websocket.Config{API: gatekit.API{Flavor: gatekit.REST}}},
		{"stage", "Stage", websocket.Config{API: gatekit.API{Stage: "a b"}}},
		{"origin", "Config.AllowOrigins", websocket.Config{AllowOrigins: []string{"app.example"}}},
		{"origin-path", "Config.AllowOrigins", websocket.Config{AllowOrigins: []string{"https://app.example/"}}},
		{"origin-star", "Config.AllowOrigins", websocket.Config{AllowOrigins: []string{"*"}}},
		{"origin-both", "Config.AllowOrigins", websocket.Config{AllowOrigins: []string{"https://a.example"}, InsecureAllowAnyOrigin: true}},
		{"frame", "MaxFrameBytes", websocket.Config{MaxFrameBytes: 1}},
		{"deflate", "MaxMessageBytes", websocket.Config{Deflate: true, MaxMessageBytes: websocket.Off}},
		{"idle", "IdleTimeout", websocket.Config{IdleTimeout: 30}},
		{"parallel", "Config.Parallel", websocket.Config{Parallel: -1}},
		{"in-flight", "Config.MaxInFlight", websocket.Config{MaxInFlight: -1}},
		{"connections", "Config.MaxConnections", websocket.Config{MaxConnections: -2}},
		{"drain", "Config.DrainOver", websocket.Config{DrainOver: -2}},
		{"timeout", "Config.IntegrationTimeout", websocket.Config{IntegrationTimeout: 29}},
		{"subprotocol", "Config.Subprotocols", websocket.Config{Subprotocols: []string{"a b"}}},
		{"registry-alone", "Config.Transport", websocket.Config{Registry: memory}},
		{"proxies", "Config.TrustedProxies", websocket.Config{TrustedProxies: []string{"x"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := websocket.New(t.Context(), tt.cfg)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestRoutesThatCantBe(t *testing.T) {
	api := gatekit.Must(websocket.New(t.Context(), websocket.Config{RouteSelection: "$request.body.action"}))
	require.NoError(t, api.Add("join", echo))
	for key, want := range map[string]string{
		"": "want 1 to 256 bytes", "$foo": "doesn't begin with $", "join": "is a route already",
		"POST/@connections/x": "management API's", strings.Repeat("x", 257): "want 1 to 256 bytes",
	} {
		require.ErrorContains(t, api.Add(key, echo), want)
	}
	require.ErrorContains(t, api.Add("nil", nil), "want a handler")
	require.ErrorContains(t, api.Add("nil", echo, nil), "middleware 0")
	require.NoError(t, api.Build())
	require.ErrorContains(t, api.Add("late", echo), "set-up ended")
	require.Panics(t, func() { api.Use(guard) })
	_, err := api.Connections(nil)
	require.ErrorContains(t, err, "guard")
	_, err = api.Authenticate(nil, "$request.body.token", nil)
	require.ErrorContains(t, err, "guard")
	_, err = websocket.Select("$request.header.x", map[string]gatekit.Middleware{"1": guard})
	require.ErrorContains(t, err, "expression")
	_, err = websocket.Select("x", nil)
	require.ErrorContains(t, err, "choices")
	_, err = websocket.Select("x", map[string]gatekit.Middleware{"1": nil})
	require.ErrorContains(t, err, `choices["1"]`)
}

// A guard that lets everybody pass, such as one that only logs, makes nobody a manager.
func TestConnectionsWithoutAVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		r.dial()
		open, err := r.api.Connections(func(next http.Handler) http.Handler { return next })
		require.NoError(t, err)
		for _, method := range []string{"GET", "POST", "DELETE", "PUT"} {
			w := httptest.NewRecorder()
			open.ServeHTTP(w, httptest.NewRequest(method, page+pathOf(r.connectionID()), nil))
			require.Equal(t, 403, w.Code, method)
		}
	})
}

func TestConnectionsPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		r.dial()
		m := newManager(t, r.api)
		id := escape(r.connectionID())
		for path, status := range map[string]int{
			"/prod/@connections/" + id:              200,
			"/prod/%40connections/" + id:            200,
			"/a/b/@connections/" + id:               200,
			"/prod/@connections/":                   403,
			"/prod/@connections":                    403,
			"/prod/@connections/" + id + "/x":       403,
			"/prod/%2540connections/" + id:          403,
			"/prod/@Connections/" + id:              403,
			"/prod/@connections/a%2Fb":              403,
			"/prod/@connections/unknown":            410,
			"/prod/@connections/" + id + id:         410,
			"/prod/@connections/AAAAAAAAAAAAAAA%3D": 410,
		} {
			w := m.call("GET", path, nil)
			require.Equal(t, status, w.Code, "%s %s", path, w.Body)
			requestID := w.Header().Get("Apigw-Requestid")
			require.Len(t, requestID, 16)
			require.Equal(t, requestID, w.Header().Get("X-Amzn-Requestid"), "where SDKs look for it, %s", path)
		}
		w := m.call("PUT", "/prod/@connections/"+id, nil)
		require.Equal(t, 405, w.Code)
		require.Equal(t, "DELETE, GET, POST", w.Header().Get("Allow"))
		w = m.call("POST", "/prod/@connections/"+id, []byte("\xff"))
		require.Equal(t, 400, w.Code)
	})
}

func TestSendErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		c := r.dial()
		ctx, id := t.Context(), r.connectionID()
		require.ErrorIs(t, r.api.Send(ctx, id, websocket.Text, make([]byte, 131_073)), websocket.ErrTooLarge)
		require.ErrorContains(t, r.api.Send(ctx, id, websocket.Text, []byte("\xff")), "UTF-8")
		require.ErrorContains(t, r.api.Send(ctx, id, websocket.Binary, []byte("x")), "AllowBinary")
		require.ErrorIs(t, r.api.Send(ctx, "x", websocket.Text, nil), websocket.ErrGone)
		require.ErrorContains(t, r.api.Close(ctx, id, 1006, ""), "want 1000")
		require.ErrorContains(t, r.api.Enter(ctx, "", id), "group")
		require.ErrorIs(t, r.api.Enter(ctx, "room", "x"), websocket.ErrGone)
		failed, err := r.api.Broadcast(ctx, []string{id, "x", id}, websocket.Text, []byte("all"))
		require.NoError(t, err)
		require.Len(t, failed, 1)
		require.ErrorIs(t, failed["x"], websocket.ErrGone)
		require.Equal(t, "all", receive(t, c))
		require.NoError(t, r.api.Close(ctx, id, 4000, "done"))
		code, reason := c.Wait()
		require.Equal(t, 4000, code)
		require.Equal(t, "done", reason)
		_, err = r.api.Info(ctx, id)
		require.ErrorIs(t, err, websocket.ErrGone)
	})
}

func TestGroupsEndWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		c := r.dial()
		ctx, id := t.Context(), r.connectionID()
		require.NoError(t, r.api.Enter(ctx, "room", id))
		n, err := r.api.Count(ctx, "room")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		c.Reset()
		synctest.Wait()
		n, err = r.api.Count(ctx, "room")
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// Who leaves while $connect runs has a $disconnect if $connect has admitted it, and none if not.
func TestAClientLeavesDuringConnect(t *testing.T) {
	for answer, want := range map[string]int{`{"statusCode":200}`: 1, `{"statusCode":403}`: 0} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, websocket.Config{})
			r.answer("$connect", func(context.Context) (string, error) {
				time.Sleep(5 * time.Second)
				return answer, nil
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			c, _ := websockettest.Dial(ctx, r.api, base, nil)
			require.Nil(t, c)
			time.Sleep(10 * time.Second)
			events := r.fn.Of("eventType", "DISCONNECT")
			require.Len(t, events, want)
			if want > 0 {
				require.Equal(t, 1006.0, contextOf(events[0])["disconnectStatusCode"])
			}
			require.Zero(t, r.api.Metrics().Connections)
		})
	}
}

func TestTimeoutsOfMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t, websocket.Config{})
		r.api.Handle("lambda", r.lambda(integration.LambdaConfig{}))
		r.api.Handle("go", websocket.HandlerFunc(func(ctx context.Context, _ *websocket.Message) (*websocket.Reply, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("slow: %w", ctx.Err())
		}))
		r.answer("lambda", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		c := r.dial()
		for _, key := range []string{"lambda", "go"} {
			began := time.Now()
			send(t, c, `{"action":"`+key+`"}`)
			text, err := c.Receive(time.Minute)
			require.NoError(t, err)
			message, _ := frame(t, text)
			require.Equal(t, "Endpoint request timed out", message, key)
			require.Equal(t, 29*time.Second, time.Since(began), key)
		}
	})
}

func TestHandlersThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t, websocket.Config{})
		r.api.Handle("panic", websocket.HandlerFunc(func(context.Context, *websocket.Message) (*websocket.Reply, error) { panic("boom") }))
		r.api.Handle("error", websocket.HandlerFunc(func(context.Context, *websocket.Message) (*websocket.Reply, error) {
			return nil, errors.New("the password is 1234")
		}))
		r.api.Handle("refuse", websocket.HandlerFunc(func(context.Context, *websocket.Message) (*websocket.Reply, error) {
			return nil, &gatekit.Rejection{Type: gatekit.AccessDenied}
		}))
		r.api.Handle("large", websocket.HandlerFunc(func(context.Context, *websocket.Message) (*websocket.Reply, error) {
			return &websocket.Reply{Data: make([]byte, 131_073)}, nil
		}))
		r.api.Handle("bytes", websocket.HandlerFunc(func(context.Context, *websocket.Message) (*websocket.Reply, error) {
			return &websocket.Reply{Data: []byte("\xff")}, nil
		}))
		r.api.Handle("join", echo)
		c := r.dial()
		for key, want := range map[string]string{
			"panic": "Internal server error", "error": "Internal server error", "refuse": "Forbidden",
			"large": "Internal server error", "bytes": "Internal server error",
		} {
			send(t, c, `{"action":"`+key+`"}`)
			got := receive(t, c)
			message, _ := frame(t, got)
			require.Equal(t, want, message, key)
			require.NotContains(t, got, "1234")
		}
		send(t, c, `{"action":"join"}`)
		require.Equal(t, `join:{"action":"join"}`, receive(t, c))
	})
}

func TestBinary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t, websocket.Config{AllowBinary: true})
		r.api.Handle("$default", echo)
		r.api.Handle("lambda", r.lambda(integration.LambdaConfig{}))
		c := r.dial()
		require.NoError(t, c.SendBinary([]byte("\xff\x00")))
		require.Equal(t, "$default:\xff\x00", receive(t, c))
		require.Equal(t, byte(websockettest.OpBinary), c.Frames()[0].Op)
		r.says("lambda", `{"statusCode":200,"body":"/wA=","isBase64Encoded":true}`)
		send(t, c, `{"action":"lambda"}`)
		require.Equal(t, "\xff\x00", receive(t, c))
	})
}

func TestMaxConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{MaxConnections: 2})
		a := r.dial()
		r.dial()
		require.Equal(t, 503, r.refused(base, nil).StatusCode)
		a.Reset()
		synctest.Wait()
		r.dial()
	})
}

// A flood of messages without a route costs its sender the connection, and nobody else theirs.
func TestFloodOfRefusedMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t, websocket.Config{})
		r.api.Handle("join", echo)
		c, other := r.dial(), r.dial()
		for range 100 {
			send(t, c, "x")
		}
		synctest.Wait()
		require.True(t, c.Open())
		time.Sleep(11 * time.Second) // another window
		for range 100 {
			send(t, c, "x")
		}
		synctest.Wait()
		require.True(t, c.Open())
		_ = c.SendText("x")
		code, _ := c.Wait()
		require.Equal(t, 1008, code)
		send(t, other, `{"action":"join"}`)
		require.Equal(t, `join:{"action":"join"}`, receive(t, other))
	})
}

// A client that doesn't read its own replies isn't read from: nothing piles up but its queue.
func TestRepliesObeyTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t, websocket.Config{})
		served := 0
		r.api.Handle("join", websocket.HandlerFunc(func(context.Context, *websocket.Message) (*websocket.Reply, error) {
			served++
			return &websocket.Reply{Data: make([]byte, 100_000)}, nil
		}))
		c := r.dial()
		c.Pause()
		go func() {
			for range 50 {
				if c.SendText(`{"action":"join"}`) != nil {
					return
				}
			}
		}()
		synctest.Wait()
		require.Less(t, served, 10)
		c.Resume()
	})
}

func TestShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		r.answer("join", func(ctx context.Context) (string, error) {
			time.Sleep(20 * time.Second)
			return `{"statusCode":200}`, nil
		})
		c := r.dial()
		send(t, c, `{"action":"join"}`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		require.ErrorIs(t, r.api.Shutdown(ctx), context.DeadlineExceeded)
		code, _ := c.Wait()
		require.Equal(t, 1006, code)
		time.Sleep(time.Minute)
	})
}

// HTTP integrations send a message to their own address, whatever the route's key and the path of
// the handshake are.
func TestHTTPIntegrationOverTheNetwork(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Method+" "+r.URL.Path+" "+string(body))
		_, _ = w.Write([]byte("from the backend"))
	}))
	defer server.Close()
	h := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: server.URL + "/hook"}))
	api := gatekit.Must(websocket.New(t.Context(), websocket.Config{API: prod, RouteSelection: "$request.body.action"}))
	api.Handle("join", h)
	api.Handle("$default", h)
	c, resp := websockettest.Dial(t.Context(), api, base+"/x?y=1", nil)
	require.Equal(t, 101, resp.StatusCode)
	defer c.Reset()
	for _, m := range []string{`{"action":"join"}`, `{"action":"other"}`} {
		require.NoError(t, c.SendText(m))
		got, err := c.Receive(10 * time.Second)
		require.NoError(t, err)
		require.Equal(t, "from the backend", got)
	}
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []string{`POST /hook {"action":"join"}`, `POST /hook {"action":"other"}`}, seen)
}
