package websocket_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

func TestMemoryIsARegistry(t *testing.T) {
	websockettest.TestRegistry(t, synctest.Test, func(*testing.T) websockettest.Store {
		m := websocket.NewMemory(5 * time.Second)
		return websockettest.Store{
			New:   func(*testing.T) (websocket.Registry, websocket.Transport) { return m, m },
			Lease: 5 * time.Second, Margin: time.Second, Sever: m.Sever, Mend: m.Mend,
		}
	})
}
