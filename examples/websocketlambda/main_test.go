package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 4)
}

// rig is the gateway on a loopback address, and the function behind it.
type rig struct {
	t        *testing.T
	srv      *httptest.Server
	function *function
	dialer   *websocket.Dialer
}

// newRig has the function post with a key whose secret ends in wrong.
func newRig(t *testing.T, overTLS bool, wrong string) *rig {
	t.Helper()
	g := &rig{t: t, function: &function{sdk: credentials("secret" + wrong), rooms: newRooms()}, dialer: &websocket.Dialer{}}
	handler, sockets, err := gateway(context.WithoutCancel(t.Context()), g.function, "secret")
	require.NoError(t, err)
	if overTLS { // the address is the events' then
		g.srv = httptest.NewTLSServer(handler)
		g.function.sdk.HTTPClient = g.srv.Client()
		g.dialer.TLSClientConfig = &tls.Config{RootCAs: g.srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	} else {
		g.srv = httptest.NewServer(handler)
		g.function.url = g.srv.URL + "/prod"
	}
	t.Cleanup(func() {
		require.NoError(t, sockets.Shutdown(context.Background()))
		g.srv.Close()
	})
	return g
}

func (g *rig) url(query string) string {
	return "ws" + strings.TrimPrefix(g.srv.URL, "http") + "/prod" + query
}

type client struct {
	*websocket.Conn
	t *testing.T
}

func (g *rig) dial(name string) client {
	g.t.Helper()
	conn, resp, err := g.dialer.DialContext(g.t.Context(), g.url("?name="+name), nil)
	require.NoError(g.t, err)
	require.NoError(g.t, resp.Body.Close())
	g.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(g.t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	return client{conn, g.t}
}

func (c client) send(message string) {
	c.t.Helper()
	require.NoError(c.t, c.WriteMessage(websocket.TextMessage, []byte(message)))
}

func (c client) text() string {
	c.t.Helper()
	_, data, err := c.ReadMessage()
	require.NoError(c.t, err)
	return string(data)
}

func (c client) receive() (e event) {
	c.t.Helper()
	text := c.text()
	require.NoError(c.t, json.Unmarshal([]byte(text), &e), text)
	return e
}

// join joins a room, and returns what was said there and who is in it.
func (c client) join(room string) (history []event, people []string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"action":"join","room":%q}`, room))
	hello := c.receive()
	require.Equal(c.t, "welcome", hello.Type)
	require.Equal(c.t, room, hello.Room)
	return hello.History, c.receive().People
}

func TestTwoInARoom(t *testing.T) {
	for name, overTLS := range map[string]bool{"address-of-the-environment": false, "address-of-the-event": true} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, overTLS, "")
			ann, bob := g.dial("ann"), g.dial("bob")
			history, people := ann.join("tea")
			require.Empty(t, history)
			require.Equal(t, []string{"ann"}, people)
			_, people = bob.join("tea")
			require.Equal(t, []string{"ann", "bob"}, people)
			require.Equal(t, event{Type: "presence", N: 2, People: []string{"ann", "bob"}}, ann.receive())

			ann.send(`{"action":"say","text":" <b>hello</b> € "}`)
			for _, c := range []client{ann, bob} {
				require.Equal(t, event{Type: "message", N: 3, From: "ann", Text: "<b>hello</b> €"}, c.receive())
			}
			bob.join("coffee")
			require.Equal(t, []string{"ann"}, ann.receive().People, "who moves on has left")
			bob.send(`{"action":"say","text":"psst"}`)
			require.Equal(t, "psst", bob.receive().Text)
			history, _ = bob.join("tea")
			require.Equal(t, []event{{Type: "message", N: 3, From: "ann", Text: "<b>hello</b> €"}}, history)
			require.Equal(t, []string{"ann", "bob"}, ann.receive().People, "and ann hears nothing of another room")

			second := g.dial("bob")
			second.join("tea")
			require.Equal(t, []string{"ann", "bob"}, ann.receive().People, "with two windows he is one")
			require.NoError(t, bob.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "")))
			require.NoError(t, bob.Close())
			require.Equal(t, []string{"ann", "bob"}, ann.receive().People)
			require.NoError(t, second.NetConn().Close())
			require.Equal(t, []string{"ann"}, ann.receive().People, "who is cut off has left")
			g.holds(1, 1)
			require.NoError(t, ann.NetConn().Close())
			g.holds(0, 0)
		})
	}
}

// holds waits until the function knows so many people and rooms: $disconnect cleans up.
func (g *rig) holds(people, rooms int) {
	g.t.Helper()
	require.Eventually(g.t, func() bool {
		g.function.rooms.mu.Lock()
		defer g.function.rooms.mu.Unlock()
		return len(g.function.rooms.people) == people && len(g.function.rooms.rooms) == rooms
	}, time.Minute, time.Millisecond)
}

func TestRefusals(t *testing.T) {
	g := newRig(t, false, "")
	for _, query := range []string{"", "?name=", "?name=%3Cb%3E", "?name=" + strings.Repeat("x", 33), "?name=a%0Ab"} {
		_, resp, err := g.dialer.DialContext(t.Context(), g.url(query), nil)
		require.Error(t, err)
		require.Equal(t, http.StatusBadRequest, resp.StatusCode, query)
	}
	g.holds(0, 0)
	ann := g.dial("ann")
	for message, want := range map[string]error{
		`{"action":"say","text":"in no room"}`: errNoRoom, `{"action":"join"}`: errRoom, `{"action":"join","room":"a b"}`: errRoom,
		`{"action":"join","room":7}`: errMessage, `{"action":"fly"}`: errMessage, `hello`: errMessage, `{"action":"say"}`: errText,
	} {
		ann.send(message)
		require.Equal(t, event{Type: "error", Text: want.Error()}, ann.receive(), message)
	}
	ann.join("tea")
	for _, text := range []string{" ", strings.Repeat("€", maxText+1)} {
		ann.send(fmt.Sprintf(`{"action":"say","text":%q}`, text))
		require.Equal(t, event{Type: "error", Text: errText.Error()}, ann.receive())
	}
	ann.send(fmt.Sprintf(`{"action":"say","text":%q}`, strings.Repeat("€", maxText)))
	require.Equal(t, "message", ann.receive().Type)
}

// Whoever comes late gets the last 50 messages, in order, however long they are.
func TestHistory(t *testing.T) {
	g := newRig(t, false, "")
	ann := g.dial("ann")
	ann.join("tea")
	for i := range 60 {
		ann.send(fmt.Sprintf(`{"action":"say","text":"%02d%s"}`, i, strings.Repeat(`\u0001`, maxText-2)))
		ann.receive()
	}
	history, _ := g.dial("bob").join("tea")
	require.Len(t, history, maxHistory)
	require.Equal(t, "10", history[0].Text[:2])
	require.Equal(t, "59", history[maxHistory-1].Text[:2])
}

// A room is bounded: who can't get into a full one stays where they are.
func TestFullRoom(t *testing.T) {
	r := newRooms()
	for i := range maxPeople + 1 {
		require.NoError(t, r.connect(fmt.Sprint(i), "ann"))
	}
	for i := range maxPeople {
		_, err := r.join(fmt.Sprint(i), "full")
		require.NoError(t, err)
	}
	late := fmt.Sprint(maxPeople)
	_, err := r.join(late, "tea")
	require.NoError(t, err)
	_, err = r.join(late, "full")
	require.ErrorIs(t, err, errFull)
	out, err := r.say(late, "still here")
	require.NoError(t, err)
	require.Equal(t, []string{late}, out[0].to)
	_, err = r.join("0", "full")
	require.NoError(t, err, "who is in it already may join again")
	_, err = r.join("gone", "tea")
	require.ErrorIs(t, err, errNoRoom)
}

// Somebody may be gone while the function still has them in a room: the others hear what is said.
func TestGone(t *testing.T) {
	g := newRig(t, false, "")
	ann := g.dial("ann")
	require.NoError(t, g.function.rooms.connect("AAAAAAAAAAAAAAA=", "bob"))
	_, err := g.function.rooms.join("AAAAAAAAAAAAAAA=", "tea")
	require.NoError(t, err)
	_, people := ann.join("tea")
	require.Equal(t, []string{"ann", "bob"}, people)
	ann.send(`{"action":"say","text":"hello"}`)
	require.Equal(t, "hello", ann.receive().Text)
}

// answers is an HTTP client that has one for each connection.
type answers map[string]string

func (a answers) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if kind := a[path.Base(r.URL.Path)]; kind != "" {
		w.Header().Set("X-Amzn-Errortype", kind)
		w.WriteHeader(http.StatusBadRequest) // SDKs go by the header
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// Who is gone, or reads too slowly, is no fault of the function; all else is.
func TestPost(t *testing.T) {
	f := &function{sdk: credentials("secret"), url: "http://loopback.example/prod"}
	f.sdk.HTTPClient = answers{"gone": "GoneException", "slow": "LimitExceededException", "other": "ForbiddenException"}
	f.sdk.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	post := func(to ...string) error {
		return f.post(t.Context(), events.APIGatewayWebsocketProxyRequest{}, news{to: to, event: event{Type: "presence"}})
	}
	require.NoError(t, post("gone", "ann", "slow", "bob"))
	require.ErrorContains(t, post("ann", "other", "bob"), "ForbiddenException")
}

// A function that may not post fails, and its client hears that it has failed and no more.
func TestWrongCredentials(t *testing.T) {
	ann := newRig(t, false, "x").dial("ann")
	ann.send(`{"action":"join","room":"tea"}`)
	require.Contains(t, ann.text(), `{"message": "Internal server error", "connectionId":"`)
}

func TestClient(t *testing.T) {
	g := newRig(t, false, "")
	var out strings.Builder
	require.NoError(t, dial(t.Context(), g.url("?name=ann"), strings.NewReader("{\"action\":\"join\",\"room\":\"tea\"}\nhello\n"), &out))
	lines := strings.Split(out.String(), "\n")
	require.Len(t, lines, 4)
	require.Contains(t, lines[0], `"welcome"`)
	require.Contains(t, lines[1], `"presence"`)
	require.Contains(t, lines[2], `"error"`)
	require.ErrorContains(t, dial(t.Context(), g.url(""), strings.NewReader(""), io.Discard), "400 Bad Request")
	require.Error(t, dial(t.Context(), "ws://127.0.0.1:0/", strings.NewReader(""), io.Discard))
	require.ErrorContains(t, run(t.Context(), "nonsense"), "listen")
}
