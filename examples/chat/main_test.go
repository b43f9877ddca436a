package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/internal/exampletest"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

func TestMain(m *testing.M) { exampletest.Main(m, main) }

// The program is started as a newcomer would start it, and every line that it prints is run.
func TestPrintedLinesWork(t *testing.T) {
	exampletest.WithCurl(t, false)
	exampletest.PrintedLines(t, 4)
}

const origin = "https://chat.example"

// rig is a server under test, and the origin of the page that is open.
type rig struct {
	t       *testing.T
	handler http.Handler
	page    string
}

// newRig is a process that is alone.
func newRig(t *testing.T) *rig { return newRigWith(t, setup{store: newMemory()}) }

func newRigWith(t *testing.T, s setup) *rig {
	issuer := authtest.NewIssuer(t)
	s.issuer, s.login = issuer.URL(), login(issuer)
	handler, _, err := gateway(t.Context(), s)
	require.NoError(t, err)
	return &rig{t, handler, origin}
}

// stores are the two that there are.
var stores = map[string]func(*testing.T) store{
	"memory": func(*testing.T) store { return newMemory() },
	"redis":  func(t *testing.T) store { return &shared{connect(t)} },
}

func connect(t *testing.T) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// each runs a test with each store.
func each(t *testing.T, test func(*testing.T, *rig)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) { test(t, newRigWith(t, setup{store: open(t)})) })
	}
}

func (g *rig) request(method, path, body, token, from string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, origin+path, strings.NewReader(body))
	r.Header.Set("Origin", from)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return w
}

// login returns a token, as the page's login does.
func (g *rig) login(name string) string {
	w := g.request("POST", "/login", fmt.Sprintf(`{"name":%q}`, name), "", g.page)
	require.Equal(g.t, 200, w.Code)
	var answer struct{ Token string }
	require.NoError(g.t, json.Unmarshal(w.Body.Bytes(), &answer))
	return answer.Token
}

// ticket returns a handshake's header with a ticket of name's.
func (g *rig) ticket(name, from string) http.Header {
	w := g.request("POST", "/ticket", "", g.login(name), g.page)
	require.Equal(g.t, 200, w.Code)
	var answer struct{ Ticket string }
	require.NoError(g.t, json.Unmarshal(w.Body.Bytes(), &answer))
	return http.Header{"Origin": {from}, "Sec-Websocket-Protocol": {"chat.v1, ticket." + answer.Ticket}}
}

type client struct {
	*websockettest.Client
	t *testing.T
}

func (g *rig) dial(name string) client {
	c, resp := websockettest.Dial(g.t.Context(), g.handler, "wss://chat.example/chat", g.ticket(name, g.page))
	require.Equal(g.t, 101, resp.StatusCode)
	require.Equal(g.t, "chat.v1", c.Subprotocol)
	return client{c, g.t}
}

func (c client) send(format string, args ...any) {
	require.NoError(c.t, c.SendText(fmt.Sprintf(format, args...)))
}

func (c client) receive() (e event) {
	text, err := c.Receive(time.Minute)
	require.NoError(c.t, err)
	require.NoError(c.t, json.Unmarshal([]byte(text), &e), text)
	return e
}

// join joins a room, and returns what was said there and who is in it.
func (c client) join(room string) (history []event, people []string) {
	c.send(`{"action":"join","room":%q}`, room)
	hello := c.receive()
	require.Equal(c.t, "welcome", hello.Type)
	require.Equal(c.t, room, hello.Room)
	return hello.History, c.receive().People
}

func TestTwoInARoom(t *testing.T) { each(t, testTwoInARoom) }

func testTwoInARoom(t *testing.T, g *rig) {
	ann, bob := g.dial("ann"), g.dial("bob")
	history, people := ann.join("tea")
	require.Empty(t, history)
	require.Equal(t, []string{"ann"}, people)
	_, people = bob.join("tea")
	require.Equal(t, []string{"ann", "bob"}, people)
	require.Equal(t, []string{"ann", "bob"}, ann.receive().People)

	ann.send(`{"action":"say","text":" <b>hello</b> "}`)
	for _, c := range []client{ann, bob} {
		e := c.receive()
		require.Equal(t, []string{"message", "ann", "<b>hello</b>"}, []string{e.Type, e.From, e.Text})
	}

	bob.join("coffee")
	require.Equal(t, []string{"ann"}, ann.receive().People, "who moves on has left")
	bob.send(`{"action":"say","text":"psst"}`)
	require.Equal(t, "psst", bob.receive().Text)
	_, people = bob.join("tea")
	require.Equal(t, []string{"ann", "bob"}, people)
	require.Equal(t, "presence", ann.receive().Type, "and hears nothing of another room")
	bob.Reset()
	require.Equal(t, []string{"ann"}, ann.receive().People, "who is cut off has left")
}

// Somebody with two windows is one person, until the last one is closed.
func TestTwoWindows(t *testing.T) { each(t, testTwoWindows) }

func testTwoWindows(t *testing.T, g *rig) {
	first, second := g.dial("ann"), g.dial("ann")
	first.join("tea")
	_, people := second.join("tea")
	require.Equal(t, []string{"ann"}, people)
	first.receive()
	require.NoError(t, second.Close(1000, ""))
	require.Equal(t, []string{"ann"}, first.receive().People)
	_, people = first.join("tea")
	require.Equal(t, []string{"ann"}, people, "joining twice is joining")
}

// Whoever comes late gets the last 50 messages, in order, however long they are.
func TestHistory(t *testing.T) { each(t, testHistory) }

func testHistory(t *testing.T, g *rig) {
	token := g.login("ann")
	for i := range 20 {
		w := g.request("POST", "/rooms/tea", fmt.Sprintf(`{"text":"%d"}`, i), token, origin)
		require.Equal(t, 200, w.Code, w.Body)
	}
	for i := 20; i < 60; i++ { // of three, as each has a limit
		w := g.request("POST", "/rooms/tea", fmt.Sprintf(`{"text":"%d%s"}`, i, strings.Repeat(`\u0001`, maxText-2)),
			g.login(fmt.Sprint("bob", i/20)), origin)
		require.Equal(t, 200, w.Code, w.Body)
	}
	history, _ := g.dial("cid").join("tea")
	require.Len(t, history, 50)
	require.Equal(t, "10", history[0].Text)
	require.Equal(t, "59", history[49].Text[:2])
}

func TestRefusals(t *testing.T) {
	g := newRig(t)
	dial := func(header http.Header) int {
		_, resp := websockettest.Dial(t.Context(), g.handler, "wss://chat.example/chat", header)
		return resp.StatusCode
	}
	used := g.ticket("ann", origin)
	require.Equal(t, 101, dial(used))
	require.Equal(t, 401, dial(used), "a ticket is good once")
	require.Equal(t, 401, dial(http.Header{"Origin": {origin}, "Sec-Websocket-Protocol": {"chat.v1"}}), "none")
	require.Equal(t, 403, dial(g.ticket("ann", "https://evil.example")), "another site's page")
	elsewhere := g.ticket("ann", origin)
	elsewhere["Origin"] = nil
	require.Equal(t, 401, dial(elsewhere), "a ticket is its page's")

	token := g.login("ann")
	require.Equal(t, 403, g.request("POST", "/ticket", "", token, "https://evil.example").Code)
	require.Equal(t, 401, g.request("POST", "/ticket", "", "", origin).Code)
	require.Equal(t, 401, g.request("POST", "/rooms/tea", `{"text":"x"}`, "", origin).Code)
	for _, name := range []string{"", " ", "<b>", strings.Repeat("x", 33), "a\nb"} {
		require.Equal(t, 400, g.request("POST", "/login", fmt.Sprintf(`{"name":%q}`, name), "", origin).Code, name)
	}
	for path, body := range map[string]string{"/rooms/UP": `{"text":"x"}`, "/rooms/tea": `{"text":" "}`, "/rooms/a": `[`} {
		require.Equal(t, 400, g.request("POST", path, body, token, origin).Code, path)
	}
}

// What isn't a room or a text is an error frame, and the connection stays.
func TestRefusedMessages(t *testing.T) {
	c := newRig(t).dial("ann")
	for _, message := range []string{
		`{"action":"say","text":"in no room"}`, `{"action":"join"}`, `{"action":"join","room":"a b"}`,
		`{"action":"join","room":7}`, `{"action":"fly"}`, `hello`,
	} {
		c.send("%s", message)
		text, err := c.Receive(time.Minute)
		require.NoError(t, err)
		require.Contains(t, text, `"message"`, message)
	}
	c.join("tea")
	for _, text := range []string{"", "  ", strings.Repeat("x", maxText+1)} {
		c.send(`{"action":"say","text":%q}`, text)
		refused, err := c.Receive(time.Minute)
		require.NoError(t, err)
		require.NotContains(t, refused, `"type"`)
	}
	for range 30 {
		c.send(`{"action":"say","text":"spam"}`)
	}
	for {
		if text, err := c.Receive(time.Minute); err != nil || strings.Contains(text, "Too Many Requests") {
			require.NoError(t, err)
			return
		}
	}
}

// Rooms are bounded: the place of an empty one is taken, one with people in it stays.
func TestRoomsAreBounded(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s, ctx := open(t), t.Context()
			add := func(room string) error {
				_, err := s.add(ctx, event{Room: room, Text: "said in " + room})
				return err
			}
			require.NoError(t, add("kept"))
			_, err := s.sit(ctx, "id", "kept", "ann")
			require.NoError(t, err)
			for i := range maxRooms + 10 {
				require.NoError(t, add(fmt.Sprint("room-", i)))
			}
			history, err := s.history(ctx, "kept")
			require.NoError(t, err)
			require.Equal(t, []event{{N: 1, Room: "kept", Text: "said in kept"}}, history)
			remembered := 0
			for i := range maxRooms + 10 {
				name := fmt.Sprint("room-", i)
				history, err := s.history(ctx, name)
				require.NoError(t, err)
				if len(history) == 0 {
					continue
				}
				remembered++
				_, err = s.sit(ctx, fmt.Sprint("id-", i), name, "ann")
				require.NoError(t, err)
			}
			require.Equal(t, maxRooms-1, remembered)
			require.ErrorIs(t, add("one-more"), errFull)
			_, err = s.sit(ctx, "late", "one-more", "bob")
			require.ErrorIs(t, err, errFull)
			room, err := s.rise(ctx, "id")
			require.NoError(t, err)
			require.Equal(t, "kept", room)
			require.NoError(t, add("one-more"))
		})
	}
}

// Who can't get into a full room stays where they are.
func TestPeopleAreBounded(t *testing.T) { each(t, testPeopleAreBounded) }

func testPeopleAreBounded(t *testing.T, g *rig) {
	ann := g.dial("ann")
	for i := range maxPeople {
		g.dial(fmt.Sprint("p", i)).join("full")
	}
	ann.join("tea")
	ann.send(`{"action":"join","room":"full"}`)
	refused, err := ann.Receive(time.Minute)
	require.NoError(t, err)
	require.Contains(t, refused, "Too Many Requests")
	ann.send(`{"action":"say","text":"still here"}`)
	require.Equal(t, "still here", ann.receive().Text)
	again := g.dial("one-more")
	again.send(`{"action":"join","room":"full"}`)
	refused, err = again.Receive(time.Minute)
	require.NoError(t, err)
	require.Contains(t, refused, "Too Many Requests")
}

// The page's script is the one that its policy allows.
func TestPage(t *testing.T) {
	w := newRig(t).request("GET", "/", "", "", origin)
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "script-src 'sha256-")
	require.Equal(t, 1, strings.Count(w.Body.String(), "<script"))
	require.NotContains(t, w.Body.String(), "innerHTML")
}
