package compat_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// A connection that changes to WebSocket passes the proxy whatever router's writer stands around it: the answer is there before anything else is said.
func TestTunnelUnderRouters(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, b, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Accept: x\r\n\r\n")
		_, _ = io.Copy(conn, b) // says nothing before it is spoken to
	}))
	defer up.Close()
	p := gatekit.Must(integration.NewHTTP(t.Context(), integration.HTTPConfig{URI: up.URL}))
	h := gatekit.Chain(p, gatekit.Must(cors.New(cors.Config{AllowOrigins: []string{"https://myapp.com"}})).Middleware)

	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/ws", gin.WrapH(h))
	router := chi.NewRouter()
	router.Get("/ws", h.ServeHTTP)
	mux := http.NewServeMux()
	mux.Handle("GET /ws", h)
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /ws", h)
	for name, handler := range map[string]http.Handler{"gin": engine, "chi": router, "servemux": mux, "route": api, "bare": h} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(handler)
			defer s.Close()
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
			fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nOrigin: https://myapp.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			in := bufio.NewReader(conn)
			w, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusSwitchingProtocols, w.StatusCode)
			require.Equal(t, "x", w.Header.Get("Sec-Websocket-Accept"))
			require.Equal(t, "websocket", w.Header.Get("Upgrade"))
			require.True(t, strings.EqualFold("Upgrade", w.Header.Get("Connection")))
			require.Equal(t, "https://myapp.com", w.Header.Get("Access-Control-Allow-Origin"))
			fmt.Fprint(conn, "ping")
			echo := make([]byte, 4)
			_, err = io.ReadFull(in, echo)
			require.NoError(t, err)
			require.Equal(t, "ping", string(echo))
		})
	}
}
