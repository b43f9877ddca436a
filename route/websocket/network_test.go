package websocket_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/throttle"
)

// Over a socket and net/http's own server: handshake, message, push, and a shutdown that the client
// sees.
func TestOverTheNetwork(t *testing.T) {
	opened := make(chan string, 1)
	ended := make(chan *websocket.Message, 1)
	api := gatekit.Must(websocket.New(t.Context(), websocket.Config{
		API: prod, RouteSelection: "$request.body.action", DrainOver: websocket.Off,
	}))
	api.Handle("$connect", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		opened <- m.ConnectionID
		return &websocket.Reply{Subprotocol: "chat"}, nil
	}))
	api.Handle("$disconnect", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		ended <- m
		return nil, nil
	}))
	api.Handle("join", echo)
	server := httptest.NewServer(api)
	defer server.Close()

	dialer := ws.Dialer{Protocols: []string{"other", "chat"}}
	conn, br, hs, err := dialer.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/prod")
	require.NoError(t, err)
	defer conn.Close()
	require.Nil(t, br)
	require.Equal(t, "chat", hs.Protocol)
	require.NoError(t, wsutil.WriteClientText(conn, []byte(`{"action":"join"}`)))
	got, err := wsutil.ReadServerText(conn)
	require.NoError(t, err)
	require.Equal(t, `join:{"action":"join"}`, string(got))
	id := <-opened
	require.NoError(t, api.Send(t.Context(), id, websocket.Text, []byte("push")))
	got, err = wsutil.ReadServerText(conn)
	require.NoError(t, err)
	require.Equal(t, "push", string(got))

	done := make(chan error, 1)
	go func() { done <- api.Shutdown(context.Background()) }()
	head, err := ws.ReadHeader(conn) // wsutil doesn't know 1012
	require.NoError(t, err)
	payload := make([]byte, head.Length)
	_, err = io.ReadFull(conn, payload)
	require.NoError(t, err)
	code, _ := ws.ParseCloseFrameData(payload)
	require.Equal(t, ws.StatusCode(1012), code)
	require.NoError(t, ws.WriteFrame(conn, ws.MaskFrame(ws.NewCloseFrame(payload))))
	require.NoError(t, conn.Close())
	require.NoError(t, <-done)
	m := <-ended
	require.Equal(t, 1012, m.CloseCode)
	require.Equal(t, id, m.ConnectionID)
	require.Equal(t, websocket.Disconnect, m.Event)
}

func TestConnectionsBehindAThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{})
		r.dial()
		limit := gatekit.Must(throttle.New(throttle.Limit{Rate: 1, Burst: 1}))
		m := newManager(t, r.api, limit.Middleware)
		require.Equal(t, 200, m.call("GET", pathOf(r.connectionID()), nil).Code)
		w := m.call("GET", pathOf(r.connectionID()), nil)
		require.Equal(t, 429, w.Code)
		require.Equal(t, "LimitExceededException", w.Header().Get("X-Amzn-Errortype"))
		require.Equal(t, `{"message":"Limit Exceeded"}`, w.Body.String())
	})
}

// UseMessages stands around every message, those without a route too, and around nothing else.
func TestUseMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t, websocket.Config{})
		var keys []string
		r.api.UseMessages(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				keys = append(keys, gatekit.RouteKey(req))
				next.ServeHTTP(w, req)
			})
		})
		for _, key := range []string{"$connect", "join", "$disconnect"} {
			r.api.Handle(key, echo)
		}
		c := r.dial()
		send(t, c, `{"action":"join"}`)
		send(t, c, `{"action":"nope"}`)
		require.Equal(t, `join:{"action":"join"}`, receive(t, c))
		message, _ := frame(t, receive(t, c))
		require.Equal(t, "Forbidden", message)
		require.NoError(t, c.Close(1000, ""))
		synctest.Wait()
		require.Equal(t, []string{"join", ""}, keys)
	})
}

// Parallel is the most that one connection has served at once, and MaxInFlight all of them.
func TestBoundsOfWhatIsServedAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  websocket.Config
		want int
	}{
		{"in-order", websocket.Config{}, 2}, // one a connection
		{"parallel", websocket.Config{Parallel: 3}, 6},
		{"in-flight", websocket.Config{Parallel: 3, MaxInFlight: 4}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := bareRig(t, tt.cfg)
				running := make(chan struct{}, 100)
				release := make(chan struct{})
				r.api.Handle("join", websocket.HandlerFunc(func(context.Context, *websocket.Message) (*websocket.Reply, error) {
					running <- struct{}{}
					<-release
					return nil, nil
				}))
				for range 2 {
					c := r.dial()
					go func() {
						for range 10 {
							_ = c.SendText(`{"action":"join"}`)
						}
					}()
				}
				synctest.Wait()
				require.Len(t, running, tt.want)
				close(release)
				time.Sleep(time.Second)
				require.Len(t, running, 20)
			})
		})
	}
}
