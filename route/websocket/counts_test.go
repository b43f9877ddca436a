package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// Units are steps of 32 KB, of messages from clients by their routes; connections count until they
// end.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{MaxFrameBytes: websocket.Off})
		require.Equal(t, "a1b2c3d4e5", r.api.Identity().APIID)
		r.says("join", `{"statusCode":200,"body":"`+strings.Repeat("x", 32<<10+1)+`"}`)
		r.throws("fire", "no")
		c, other := r.dial(), r.dial()
		say := func(action string, n int) {
			text := `{"action":"` + action + `","pad":""}`
			require.NoError(t, c.SendText(text[:len(text)-2]+strings.Repeat("x", n-len(text))+`"}`))
			synctest.Wait()
		}
		say("join", 32<<10)   // one unit, and two of the answer
		say("join", 32<<10+1) // two, and two
		say("fire", 100)      // one, and one of the error frame
		say("none", 100)      // $default, which fire's kind of route serves
		ids := r.fn.Of("eventType", "CONNECT")
		require.Len(t, ids, 2)
		id := contextOf(ids[0])["connectionId"].(string)
		require.NoError(t, r.api.Send(t.Context(), id, websocket.Text, bytes.Repeat([]byte("x"), 64<<10))) // two
		_, err := r.api.Broadcast(t.Context(), []string{id, contextOf(ids[1])["connectionId"].(string), "gone"},
			websocket.Text, bytes.Repeat([]byte("x"), 33<<10)) // two each
		require.NoError(t, err)
		time.Sleep(90 * time.Second)
		require.NoError(t, other.Close(1000, ""))
		synctest.Wait()
		time.Sleep(30 * time.Second)
		m := r.api.Metrics()
		require.EqualValues(t, 2, m.ConnectCount)
		require.EqualValues(t, 10, m.MessageCount)
		require.EqualValues(t, 3+4+2+1+2+4, m.MessageUnits)
		require.EqualValues(t, 1, m.IntegrationError)
		require.EqualValues(t, 1, m.Connections)
		require.Equal(t, 210*time.Second, m.Connected)
		routes := map[string]websocket.RouteMetrics{}
		for _, one := range m.Routes {
			routes[one.RouteKey] = one
		}
		require.Len(t, routes, 5)
		require.Equal(t, websocket.RouteMetrics{RouteKey: "join", MessageCount: 2, MessageUnits: 3}, routes["join"])
		require.Equal(t, websocket.RouteMetrics{RouteKey: "fire", MessageCount: 1, MessageUnits: 1, IntegrationError: 1}, routes["fire"])
		require.Equal(t, websocket.RouteMetrics{RouteKey: "$default", MessageCount: 1, MessageUnits: 1}, routes["$default"])
		require.Equal(t, websocket.RouteMetrics{RouteKey: "$connect"}, routes["$connect"])
		r.answer("$connect", func(context.Context) (string, error) { return "", errors.New("no") })
		r.refused(base, nil)
		require.EqualValues(t, 1, r.api.Metrics().Routes[0].IntegrationError)
	})
}
