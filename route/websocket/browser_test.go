package websocket_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/websocket"
)

// guard admits "Bearer NAME-SECONDS": as NAME, with a token that expires so many seconds from now.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		name, rest, dash := strings.Cut(token, "-")
		var seconds int64
		_, err := fmt.Sscan(rest, &seconds)
		if !ok || !dash || err != nil {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.Unauthorized})
			return
		}
		rc, r := gatekit.Attach(r)
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
			Principal: name, Claims: map[string]any{"sub": name, "exp": time.Now().Unix() + seconds},
		})
		next.ServeHTTP(w, r)
	})
}

const page = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"

func TestOrigins(t *testing.T) {
	host := "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
	for _, tt := range []struct {
		name, origin string
		cfg          websocket.Config
		status       int
	}{
		{"none-is-no-browser", "", websocket.Config{}, 101},
		{"same-host", "https://" + host, websocket.Config{}, 101},
		{"same-host-without-tls", "http://" + host, websocket.Config{}, 403},
		{"other-port", "https://" + host + ":8443", websocket.Config{}, 403},
		{"default-port-spelled-out", "https://" + host + ":443", websocket.Config{}, 403},
		{"other-host", "https://evil.example", websocket.Config{}, 403},
		{"null", "null", websocket.Config{}, 403},
		{"empty", " ", websocket.Config{}, 403},
		{"suffix", "https://" + host + ".evil.example", websocket.Config{}, 403},
		{"prefix", "https://evil" + host, websocket.Config{}, 403},
		{"user", "https://evil.example@" + host, websocket.Config{}, 403},
		{"path", "https://" + host + "/x", websocket.Config{}, 403},
		{"two-in-one", "https://" + host + ", https://evil.example", websocket.Config{}, 403},
		{"upper-case", "https://" + strings.ToUpper(host), websocket.Config{}, 403},
		{"extension", "chrome-extension://abc", websocket.Config{}, 403},
		{"listed", "https://app.example", websocket.Config{AllowOrigins: []string{"https://app.example"}}, 101},
		{"listed-other-scheme", "http://app.example", websocket.Config{AllowOrigins: []string{"https://app.example"}}, 403},
		{"own-host-not-listed", "https://" + host, websocket.Config{AllowOrigins: []string{"https://app.example"}}, 403},
		{"any", "https://evil.example", websocket.Config{InsecureAllowAnyOrigin: true}, 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, tt.cfg)
				header := http.Header{}
				if tt.origin != "" {
					header.Set("Origin", tt.origin)
				}
				if tt.status == 101 {
					r.dialAt(base, header)
					return
				}
				require.Equal(t, tt.status, r.refused(base, header).StatusCode)
				require.Empty(t, r.fn.Events())
			})
		})
	}
}

func TestBearerFromSubprotocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{Subprotocols: []string{"chat"}}, gatekit.Must(websocket.BearerFromSubprotocol("")), guard)
		c := r.dialAt(base, http.Header{"Sec-Websocket-Protocol": {"bearer.ann-60, chat"}})
		require.Equal(t, "chat", c.Subprotocol)
		text, err := json.Marshal(r.fn.Events())
		require.NoError(t, err)
		require.NotContains(t, string(text), "bearer.")
		require.Equal(t, "chat", r.fn.Events()[0]["headers"].(map[string]any)["Sec-WebSocket-Protocol"])

		require.Equal(t, 401, r.refused(base, nil).StatusCode)
		require.Equal(t, 400, r.refused(base, http.Header{"Sec-Websocket-Protocol": {"bearer.ann-60, bearer.bob-60"}}).StatusCode)
		require.Equal(t, 400, r.refused(base, http.Header{"Sec-Websocket-Protocol": {"bearer.ann-60"}, "Authorization": {"Bearer bob-60"}}).StatusCode)

		time.Sleep(59 * time.Second)
		require.True(t, c.Open())
		time.Sleep(2 * time.Second)
		code, reason := c.Wait()
		require.Equal(t, 1008, code)
		require.Equal(t, "token expired", reason)
		require.NotContains(t, r.log.String(), "ann")
	})
	_, err := websocket.BearerFromSubprotocol("a b")
	require.ErrorContains(t, err, "prefix")
}

// ticketOf asks for a ticket.
func ticketOf(t *testing.T, tickets http.Handler, origin, token string) (string, *httptest.ResponseRecorder) {
	t.Helper()
	r := httptest.NewRequest("POST", page+"/ticket", nil)
	r.Header.Set("Origin", origin)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	tickets.ServeHTTP(w, r)
	var answer struct {
		Ticket    string
		ExpiresIn int
	}
	_ = json.Unmarshal(w.Body.Bytes(), &answer)
	return answer.Ticket, w
}

func TestTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tickets, err := websocket.NewTickets(websocket.TicketConfig{Guard: guard, Path: "/prod"})
		require.NoError(t, err)
		r := newRig(t, websocket.Config{AllowOrigins: []string{page, "https://other.example"}}, tickets.Middleware)
		with := func(ticket, origin string) http.Header {
			return http.Header{"Sec-Websocket-Protocol": {"chat, ticket." + ticket}, "Origin": {origin}}
		}
		ticket, w := ticketOf(t, tickets, page, "ann-300")
		require.Equal(t, 200, w.Code)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		c := r.dialAt(base, with(ticket, page))
		require.True(t, c.Open())
		claims := contextOf(r.fn.Events()[0])["authorizer"].(map[string]any)["claims"].(map[string]any)
		require.Equal(t, "ann", claims["sub"])
		text, _ := json.Marshal(r.fn.Events())
		require.NotContains(t, string(text), ticket)

		require.Equal(t, 401, r.refused(base, with(ticket, page)).StatusCode, "a second time")
		ticket, _ = ticketOf(t, tickets, page, "ann-600")
		require.Equal(t, 401, r.refused(base, with(ticket, "https://other.example")).StatusCode, "another origin")
		require.Equal(t, 401, r.refused(base, with(ticket, page)).StatusCode, "it was spent by that")
		ticket, _ = ticketOf(t, tickets, page, "ann-600")
		require.Equal(t, 401, r.refused(base+"2", with(ticket, page)).StatusCode, "another path")
		ticket, _ = ticketOf(t, tickets, page, "ann-600")
		time.Sleep(30 * time.Second)
		require.Equal(t, 401, r.refused(base, with(ticket, page)).StatusCode, "too late")
		for _, bad := range []string{"", "x", strings.Repeat("A", 43)} {
			require.Equal(t, 401, r.refused(base, with(bad, page)).StatusCode)
		}
		_, w = ticketOf(t, tickets, "https://evil.example", "ann-600")
		require.Equal(t, 403, w.Code)
		_, w = ticketOf(t, tickets, page, "nobody")
		require.Equal(t, 401, w.Code)
		get := httptest.NewRecorder()
		tickets.ServeHTTP(get, httptest.NewRequest("GET", page+"/ticket", nil))
		require.Equal(t, 405, get.Code)
		require.NotContains(t, r.log.String(), ticket)

		// The token's end is the connection's, also where a ticket stood for it.
		time.Sleep(10 * time.Minute)
		code, _ := c.Wait()
		require.Equal(t, 1008, code)
	})
	_, err := websocket.NewTickets(websocket.TicketConfig{TTL: time.Hour, AllowOrigins: []string{"app.example"}})
	for _, field := range []string{"Guard", "Path", "TTL", "AllowOrigins"} {
		require.ErrorContains(t, err, "websocket: TicketConfig."+field)
	}
}

func TestAGuardThatKnowsNobodySellsNoTicket(t *testing.T) {
	open := func(next http.Handler) http.Handler { return next }
	tickets := gatekit.Must(websocket.NewTickets(websocket.TicketConfig{Guard: open, Path: "/prod"}))
	_, w := ticketOf(t, tickets, page, "ann-60")
	require.Equal(t, 401, w.Code)
}

func TestAuthenticateByTheFirstMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{AuthenticateWithin: 10 * time.Second})
		whoami := websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
			return &websocket.Reply{Data: []byte("hello " + m.Authorization.Principal())}, nil
		})
		r.api.Handle("login", gatekit.Must(r.api.Authenticate(guard, "$request.body.token", whoami)))
		r.says("join", `{"statusCode":200,"body":"joined"}`)

		late := r.dial()
		c := r.dial()
		send(t, c, `{"action":"join"}`)
		message, _ := frame(t, receive(t, c))
		require.Equal(t, "Unauthorized", message)
		require.Empty(t, r.fn.Of("routeKey", "join"))
		for _, m := range []string{`{"action":"login"}`, `{"action":"login","token":"nobody"}`, `{"action":"login","token":"a b"}`, `{"action":"login","token":["ann-60"]}`} {
			send(t, c, m)
			message, _ = frame(t, receive(t, c))
			require.Equal(t, "Unauthorized", message)
		}
		send(t, c, `{"action":"login","token":"ann-60"}`)
		require.Equal(t, "hello ann", receive(t, c))
		send(t, c, `{"action":"join"}`)
		require.Equal(t, "joined", receive(t, c))

		code, reason := late.Wait()
		require.Equal(t, 1008, code)
		require.Equal(t, "authentication timed out", reason)

		time.Sleep(30 * time.Second)
		send(t, c, `{"action":"login","token":"bob-60"}`)
		message, _ = frame(t, receive(t, c))
		require.Equal(t, "Forbidden", message)
		send(t, c, `{"action":"login","token":"ann-60"}`)
		require.Equal(t, "hello ann", receive(t, c))
		time.Sleep(45 * time.Second) // the first token would have ended by now
		require.True(t, c.Open())
		time.Sleep(16 * time.Second)
		code, reason = c.Wait()
		require.Equal(t, 1008, code)
		require.Equal(t, "token expired", reason)
		require.NotContains(t, r.log.String(), "ann-60")
	})
}

func TestIgnoreExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{IgnoreExpiry: true}, guard)
		c := r.dialAt(base, http.Header{"Authorization": {"Bearer ann-60"}})
		time.Sleep(5 * time.Minute)
		require.True(t, c.Open())
	})
}
