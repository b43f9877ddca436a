package websocket_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// Whatever expression and message are, a message is for a route that there is, and for none that
// only the gateway selects; an expression without a dollar is its own value.
func FuzzSelect(f *testing.F) {
	for _, expr := range []string{
		"$request.body.action", "${request.body.a}/${request.body['b']}", `\$default`, `\$connect`, "join", "$request.body[0]",
		"$request.body..a", "$request.body.list[*]", "$", "${", "$request.body[", "a${request.body}b",
	} {
		f.Add(expr, `{"action":"join","a":"$","b":["x",{"y":null}]}`)
	}
	f.Add("$request.body.action", `{"action":"$connect"}`)
	f.Fuzz(func(t *testing.T, expr, message string) {
		api, err := websocket.New(t.Context(), websocket.Config{RouteSelection: expr})
		if err != nil {
			require.Contains(t, err.Error(), "websocket: Config.RouteSelection")
			return
		}
		for _, key := range []string{"$connect", "$disconnect", "$default", "join"} {
			require.NoError(t, api.Add(key, echo))
		}
		got := api.Select([]byte(message))
		require.Contains(t, []string{"$default", "join"}, got)
		if !strings.ContainsAny(expr, `$\`) && api.Select([]byte(`{}`)) == "join" {
			require.Equal(t, "join", expr)
		}
	})
}
