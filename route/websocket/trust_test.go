package websocket_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

// admitting is a guard that knows everybody as ann.
func admitting(context map[string]any) gatekit.Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			gatekit.From(r.Context()).Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
				Principal: "ann", Context: context,
			})
			next.ServeHTTP(w, r)
		})
	}
}

// Whoever an authorizer further out has let in is no caller of @connections, unless its guard says so.
func TestConnectionsTrustTheirGuardAlone(t *testing.T) {
	r := newRig(t, websocket.Config{})
	h, err := r.api.Connections(func(next http.Handler) http.Handler { return next })
	require.NoError(t, err)
	r.dial()
	req := httptest.NewRequest("POST", "/prod/@connections/"+escape(r.connectionID()), strings.NewReader("hi"))
	w := httptest.NewRecorder()
	_, req = gatekit.Attach(req)
	admitting(nil)(h).ServeHTTP(w, req)
	require.Equal(t, 403, w.Code)
}

// Numbers keep their digits on their way through a ticket.
func TestTicketsKeepNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tickets, err := websocket.NewTickets(websocket.TicketConfig{
			Guard: admitting(map[string]any{"n": json.Number("9007199254740993")}), Path: "/prod",
		})
		require.NoError(t, err)
		w := httptest.NewRecorder()
		tickets.ServeHTTP(w, httptest.NewRequest("POST", "/ticket", nil))
		var got struct{ Ticket string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		r := newRig(t, websocket.Config{}, tickets.Middleware)
		r.dialAt(base, http.Header{"Sec-Websocket-Protocol": {"ticket." + got.Ticket}})
		caller, err := json.Marshal(contextOf(r.fn.Events()[0])["authorizer"])
		require.NoError(t, err)
		require.Contains(t, string(caller), "9007199254740993")
	})
}

// A handler of Authenticate is one behind a station, too; and without any nobody can be admitted,
// which is said when the set-up ends.
func TestAuthenticateBehindAStation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, websocket.Config{AuthenticateWithin: time.Minute})
		h, err := r.api.Authenticate(admitting(nil), "$request.body.token", nil)
		require.NoError(t, err)
		r.api.Handle("auth", websocket.OneWay(h))
		require.NoError(t, r.api.Build())
		c := r.dial()
		send(t, c, `{"action":"auth","token":"x"}`)
		require.Empty(t, receive(t, c))
		send(t, c, `{"action":"join"}`)
		synctest.Wait()
		require.Len(t, r.fn.Of("routeKey", "join"), 1)
	})
	r := newRig(t, websocket.Config{AuthenticateWithin: time.Minute})
	require.ErrorContains(t, r.api.Build(), "Config.AuthenticateWithin: want a route")
}

// Who has authenticated by a message is known to the $disconnect that another node runs.
func TestOrphansOfTheAuthenticated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := websocket.NewMemory(10 * time.Second)
		cfg := websocket.Config{Registry: shared, Transport: shared, AuthenticateWithin: time.Minute}
		a, b := newRig(t, cfg), newRig(t, cfg)
		h, err := a.api.Authenticate(admitting(map[string]any{"tenant": "t9"}), "$request.body.token", nil)
		require.NoError(t, err)
		a.api.Handle("auth", h)
		c := a.dial()
		id := a.connectionID()
		require.NoError(t, a.api.Enter(t.Context(), "room", id))
		send(t, c, `{"action":"auth","token":"x"}`)
		synctest.Wait()
		n, err := b.api.Count(t.Context(), "room")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		shared.Sever("a1b2c3d4e5/prod", a.api.Node())
		time.Sleep(time.Minute)
		require.Equal(t, "t9", contextOf(b.disconnect())["authorizer"].(map[string]any)["tenant"])
	})
}

// fencing is a registry whose lease is lost, and there again, before Add's caller goes on.
type fencing struct{ websocket.Registry }

func (f *fencing) Join(ctx context.Context, n websocket.Node) (websocket.Member, error) {
	m, err := f.Registry.Join(ctx, n)
	return &fencingMember{m, n}, err
}

type fencingMember struct {
	websocket.Member
	node websocket.Node
}

func (m *fencingMember) Add(ctx context.Context, r websocket.Record) error {
	err := m.Member.Add(ctx, r)
	m.node.Fence()
	return err
}

// No connection opens under a lease that was lost: others would judge it for as long as it lives.
func TestFenceWhileAConnectionOpens(t *testing.T) {
	shared := websocket.NewMemory(0)
	r := newRig(t, websocket.Config{Registry: &fencing{shared}, Transport: shared})
	c, resp := websockettest.Dial(t.Context(), r.api, base, nil)
	require.Nil(t, c)
	require.Equal(t, 503, resp.StatusCode)
}

// forgetful is a registry that loses its memory before Add's caller goes on, and asks for what there
// is.
type forgetful struct {
	websocket.Registry
	records []string
}

func (f *forgetful) Join(ctx context.Context, n websocket.Node) (websocket.Member, error) {
	m, err := f.Registry.Join(ctx, n)
	return &forgetfulMember{m, n, f}, err
}

type forgetfulMember struct {
	websocket.Member
	node websocket.Node
	of   *forgetful
}

func (m *forgetfulMember) Add(ctx context.Context, r websocket.Record) error {
	err := m.Member.Add(ctx, r)
	for r := range m.node.Records() {
		m.of.records = append(m.of.records, r.ID)
	}
	return err
}

// A connection is registered again even if the registry has forgotten it while it opened.
func TestRegistryForgetsWhileAConnectionOpens(t *testing.T) {
	shared := websocket.NewMemory(0)
	registry := &forgetful{Registry: shared}
	r := newRig(t, websocket.Config{Registry: registry, Transport: shared})
	r.dial()
	require.Equal(t, []string{r.connectionID()}, registry.records)
}

// A client that doesn't read its replies holds none of the places in which messages are served.
func TestSlowReadersHoldNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bareRig(t, websocket.Config{MaxInFlight: 1, MaxQueueBytes: 64 << 10})
		r.api.Handle("$default", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat("x", 60_000)))
		}))
		slow, other := r.dial(), r.dial()
		slow.Pause()
		defer slow.Resume()
		for range 2 {
			send(t, slow, "a")
		}
		synctest.Wait()
		send(t, other, "a")
		m, err := other.Receive(time.Second)
		require.NoError(t, err)
		require.Len(t, m, 60_000)
	})
}

// $connect that panics has thrown: 502, and an answer.
func TestConnectPanics(t *testing.T) {
	r := bareRig(t, websocket.Config{})
	r.api.Handle("$connect", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a fault") }))
	require.Equal(t, 502, r.refused(base, nil).StatusCode)
	require.Contains(t, r.log.String(), "a fault")
	require.Zero(t, r.api.Metrics().Connections)
}
