package websocket_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/websocket"
)

// Each message has notes of its own, and so have the opening of a connection and its end.
func TestNotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rig := bareRig(t, websocket.Config{})
		got := make(chan string, 10)
		keep := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r = gatekit.Explained(r)
				defer func() { got <- gatekit.Explain(r) }()
				next.ServeHTTP(w, r)
			})
		}
		h := rig.lambda(integration.LambdaConfig{})
		pass := func(next http.Handler) http.Handler { return next }
		rig.api.Handle("$connect", h, keep)
		rig.api.Handle("$disconnect", h, keep)
		rig.api.Handle("join", h, gatekit.Must(websocket.Select("$request.body.v", map[string]gatekit.Middleware{"1": pass})))
		rig.api.UseMessages(keep)
		c := rig.dial()
		<-got // of $connect: noted in front of its own middlewares
		for _, tt := range []struct{ send, want, not string }{
			{`{"action":"join","v":"1"}`, "join of stage prod: 200\n  1 route        passed  join  MESSAGE\n  2 transform    passed  1     selected by the message\n", "refused"},
			{`{"action":"secret"}`, "POST without a route of stage prod: 403, refused by route: the route selection expression gives no route's key, and there is no $default\n  1 route  refused", "join"},
			{`{"action":"join","v":"secret"}`, "2 validate  refused  BAD_REQUEST_BODY", "secret"},
		} {
			send(t, c, tt.send)
			explained := <-got
			require.Contains(t, explained, tt.want)
			require.NotContains(t, explained, tt.not)
		}
		require.NoError(t, c.Close(1001, "secret"))
		require.Contains(t, <-got, "1 route        passed  $disconnect  DISCONNECT: closed with 1001\n")
	})
}

// The opening is noted where somebody in front of it keeps notes.
func TestNotesOfConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rig := newRig(t, websocket.Config{})
		got := make(chan string, 1)
		rig.api.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r = gatekit.Explained(r)
				next.ServeHTTP(w, r)
				got <- gatekit.Explain(r)
			})
		})
		rig.dial()
		require.Contains(t, <-got, "1 route        passed  $connect  CONNECT\n")
	})
}

// A trace explains the messages of a connection one by one, and its handshake as another.
func TestTraceOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rig := newRig(t, websocket.Config{})
		trace := gatekit.Must(gatekit.NewTrace(gatekit.TraceConfig{OneIn: 1, Logger: slog.New(slog.DiscardHandler)}))
		rig.api.Use(trace.Middleware)
		rig.api.UseMessages(trace.Middleware)
		rig.says("join", `{"statusCode":200,"body":"welcome"}`)
		c := rig.dial()
		for range 2 {
			send(t, c, `{"action":"join"}`)
			require.Equal(t, "welcome", receive(t, c))
		}
		require.NoError(t, c.Close(1000, ""))
		synctest.Wait()
		var all []string
		for _, e := range trace.Recent(0) {
			all = append(all, fmt.Sprint(e.RouteKey, " ", e.Status, " ", len(e.Notes)))
		}
		require.Equal(t, []string{"join 200 2", "join 200 2", "$connect 101 2"}, all)
	})
}
