package integration_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

type socketFunction func(context.Context, []byte) ([]byte, error)

func (f socketFunction) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

func TestLambdaSpeaksWebSocket(t *testing.T) {
	connectedAt := time.UnixMilli(1708326702000)
	for _, tt := range []struct {
		name, key  string
		connection gatekit.Connection
		want       map[string]any
	}{
		{"connect", "$connect", gatekit.Connection{}, map[string]any{"eventType": "CONNECT"}},
		{"message", "join", gatekit.Connection{MessageID: "GXEXRJTWSTydXDQ="}, map[string]any{"eventType": "MESSAGE", "messageId": "GXEXRJTWSTydXDQ="}},
		{"disconnect", "$disconnect", gatekit.Connection{CloseCode: 1005, CloseReason: "why"},
			map[string]any{"eventType": "DISCONNECT", "disconnectStatusCode": 1005.0, "disconnectReason": "why"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var event map[string]any
			h, err := integration.NewLambda(socketFunction(func(_ context.Context, payload []byte) ([]byte, error) {
				return []byte(`{"statusCode":201,"body":"hi","extra":1}`), json.Unmarshal(payload, &event)
			}), integration.LambdaConfig{})
			require.NoError(t, err)
			r := httptest.NewRequest(http.MethodPost, "/prod", strings.NewReader(`{"action":"join"}`))
			r.Header.Set("Content-Type", "application/json")
			rc, r := gatekit.Attach(r)
			tt.connection.ID, tt.connection.ConnectedAt = "3tYjey7ZHj9yH8s=", connectedAt
			rc.API, rc.Route, rc.Connection = &gatekit.API{Flavor: gatekit.WebSocket, Stage: "prod"}, &gatekit.Route{Key: tt.key}, &tt.connection
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, 201, w.Code)
			require.Equal(t, "hi", w.Body.String())
			context := event["requestContext"].(map[string]any)
			for name, value := range tt.want {
				require.Equal(t, value, context[name], name)
			}
			require.Equal(t, "3tYjey7ZHj9yH8s=", context["connectionId"])
			require.Equal(t, 1708326702000.0, context["connectedAt"])
			if tt.name == "message" {
				require.Equal(t, `{"action":"join"}`, event["body"])
			}
		})
	}
}
