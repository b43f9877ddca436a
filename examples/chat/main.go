// Chat is a WebSocket API with a page to it: rooms, who is in them, and the last 50 messages of
// each for whoever joins late.
//
//	go run ./examples/chat
//
// It prints the page to open and what to try. A page can't send a header with a handshake, so it
// logs in, asks for a ticket with its token, and connects with the ticket, which is good once.
package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/throttle"
)

//go:embed page.html
var page string

// audience is whom the tokens are meant for.
const audience = "chat"

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	issuer, err := authtest.StartIssuer() // in place of your OpenID Connect provider
	if err != nil {
		return err
	}
	defer issuer.Close()
	// Connections outlive ctx, so that Shutdown can say goodbye to them.
	handler, sockets, err := gateway(context.WithoutCancel(ctx), issuer)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := gatekit.HTTP.Limits().HTTPServer(handler) // a connection that is open has its own
	printTry("http://"+listener.Addr().String(), issuer)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = sockets.Shutdown(last) // first, as the server's knows nothing of connections taken over
		_ = server.Shutdown(last)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-ended
	return nil
}

// gateway is the two APIs: an HTTP API for the page, its login and its tickets, and a WebSocket API
// for what is said.
func gateway(ctx context.Context, issuer *authtest.Issuer) (http.Handler, *websocket.API, error) {
	jwt, err := auth.NewJWT(ctx, auth.JWTConfig{Issuer: issuer.URL(), Audience: []string{audience}})
	if err != nil {
		return nil, nil, err
	}
	tickets := gatekit.Must(websocket.NewTickets(websocket.TicketConfig{Guard: jwt.Middleware, Path: "/chat"}))
	sockets := gatekit.Must(websocket.New(ctx, websocket.Config{ // pages of other hosts are refused
		RouteSelection: "$request.body.action",
		Subprotocols:   []string{"chat.v1"}, // a browser wants one of its own selected
		PingInterval:   25 * time.Second,    // or proxies close a quiet room
		PongTimeout:    10 * time.Second,
		IdleTimeout:    websocket.Off, // whoever only reads stays
		DrainOver:      time.Second,
	}))
	limit := throttle.Limit{Rate: 5, Burst: 20}
	perCaller := gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Key: throttle.ByPrincipal}))
	rooms := &chat{api: sockets, rooms: map[string]*room{}, seats: map[string]*room{}}
	logRefusals := gatekit.LogRefusals(nil) // refusals, and why, on stderr
	sockets.Use(tickets.Middleware)
	sockets.UseMessages(logRefusals, perCaller.Middleware)
	sockets.Handle("join", websocket.HandlerFunc(rooms.join))
	sockets.Handle("say", websocket.HandlerFunc(rooms.say))
	sockets.Handle("$disconnect", websocket.HandlerFunc(rooms.leave))

	api := gatekit.Must(route.New(route.Config{}))
	api.Use(logRefusals)
	api.Handle("GET /", servePage())
	api.Handle("POST /login", login(issuer))
	api.Handle("POST /ticket", tickets)
	api.Handle("POST /rooms/{room}", http.HandlerFunc(rooms.post), jwt.Middleware, perCaller.Middleware)

	mux := http.NewServeMux()
	mux.Handle("/chat", logRefusals(sockets))
	mux.Handle("/", api)
	return mux, sockets, errors.Join(api.Build(), sockets.Build())
}

// servePage serves the page. Its script is allowed by its hash, so that nothing else runs there.
func servePage() http.Handler {
	_, rest, _ := strings.Cut(page, "<script>")
	script, _, _ := strings.Cut(rest, "</script>")
	sum := sha256.Sum256([]byte(script))
	policy := "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, page)
	})
}

var aName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,31}$`)

// login gives whoever asks a token under the name that they ask for, and so is for trying out only:
// your provider's login page goes in its place.
func login(issuer *authtest.Issuer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var who struct{ Name string }
		if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&who) != nil || !aName.MatchString(who.Name) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.BadRequestBody, Cause: errors.New("chat: no name")})
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		_, _ = fmt.Fprintf(w, `{"token":%q}`, issuer.Mint(authtest.Claims{"aud": audience, "sub": who.Name}))
	})
}

// printTry prints commands for one shell, each with what it answers behind the #. They are meant to
// be run in this order.
func printTry(url string, issuer *authtest.Issuer) {
	fmt.Printf("listening on %s\nopen it in two windows: %s/\n\nAPI=%s\n", url, url, url)
	fmt.Println("TOKEN=" + issuer.Mint(authtest.Claims{"aud": audience, "sub": "curl"}))
	fmt.Print(`AUTH="Authorization: Bearer $TOKEN"

# a ticket for one handshake, for whoever has a token, and not without one
curl -so /dev/null -w '%{http_code}\n' -X POST -H "$AUTH" $API/ticket   # 200
curl -sw ' %{http_code}\n' -X POST $API/ticket   # {"message":"Unauthorized"} 401
# for another site's page
EVIL='Origin: https://evil.example'
curl -sw ' %{http_code}\n' -X POST -H "$EVIL" -H "$AUTH" $API/ticket   # {"message":"Forbidden"} 403
# to a room from outside; look at the page
curl -s -X POST -H "$AUTH" -d '{"text":"hello from a shell"}' $API/rooms/lobby   # {"sent":true}
`)
}

const (
	maxHistory = 50
	maxRooms   = 1000
	maxPeople  = 200 // of a room
	maxText    = 300 // characters: a history then fits into a message, however it is escaped
)

// chat is the rooms. mu is held while something is sent, so that all hear the same in the same
// order, and a late joiner misses nothing and hears nothing twice. That is never long, as sending
// waits for no client.
type chat struct {
	api   *websocket.API
	mu    sync.Mutex
	rooms map[string]*room
	seats map[string]*room // by connection
}

type room struct {
	name    string
	members map[string]string // names by connection
	history []event
}

// event is what clients get: "welcome" when they have joined, then each "message" and "presence".
type event struct {
	Type    string    `json:"type"`
	Room    string    `json:"room,omitzero"`
	From    string    `json:"from,omitzero"`
	Text    string    `json:"text,omitzero"`
	At      time.Time `json:"at,omitzero"`
	People  []string  `json:"people,omitzero"`
	History []event   `json:"history,omitzero"`
}

// request is what clients send: an action, which the route selection expression reads, with a room
// to join or a text to say.
type request struct{ Room, Text string }

var (
	aRoom   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	errBody = &gatekit.Rejection{Type: gatekit.BadRequestBody, Cause: errors.New("chat: want a room, or a text in one")}
	errFull = &gatekit.Rejection{Type: gatekit.Throttled, Cause: errors.New("chat: too many people or rooms")}
)

// join moves a connection into a room. It is sent the history before anything else is said there.
func (c *chat) join(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
	var want request
	if err := json.Unmarshal(m.Data, &want); err != nil {
		return nil, errBody
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.open(want.Room)
	if err != nil {
		return nil, err
	}
	old := c.seats[m.ConnectionID]
	if old != r && len(r.members) >= maxPeople {
		return nil, errFull // and stays where it is
	}
	if old != nil && old != r {
		if err := c.api.Exit(ctx, old.name, m.ConnectionID); err != nil {
			return nil, err
		}
		c.vacate(ctx, m.ConnectionID)
	}
	// A connection that has ended is refused here. Of one that ends from now on, $disconnect waits
	// for mu, and finds the seat: none is left behind.
	if err := c.api.Enter(ctx, r.name, m.ConnectionID); err != nil {
		return nil, err
	}
	c.seats[m.ConnectionID], r.members[m.ConnectionID] = r, m.Authorization.Principal()
	hello, _ := json.Marshal(event{Type: "welcome", Room: r.name, History: append([]event{}, r.history...)})
	if err := c.api.Send(ctx, m.ConnectionID, websocket.Text, hello); err != nil {
		return nil, err
	}
	return nil, c.present(ctx, r)
}

// say sends a text to the room that the connection is in.
func (c *chat) say(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return nil, c.add(ctx, c.seats[m.ConnectionID], m.Authorization.Principal(), m.Data)
}

// post is say for backends, over HTTP.
func (c *chat) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<10))
	if err != nil {
		gatekit.Reject(w, r, errBody)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	to, err := c.open(r.PathValue("room"))
	if err == nil {
		err = c.add(r.Context(), to, gatekit.From(r.Context()).Authorization.Principal(), body)
	}
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	_, _ = fmt.Fprint(w, `{"sent":true}`)
}

// leave is $disconnect: it runs once for each connection, however it has ended.
func (c *chat) leave(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vacate(ctx, m.ConnectionID)
	return nil, nil
}

// vacate tells the room that a connection was in that it isn't any more.
func (c *chat) vacate(ctx context.Context, id string) {
	if r := c.seats[id]; r != nil {
		delete(c.seats, id)
		delete(r.members, id)
		_ = c.present(ctx, r) // the next one says the same
	}
}

// open returns a room. Where there is no place for a new one, an empty one is forgotten.
func (c *chat) open(name string) (*room, error) {
	if !aRoom.MatchString(name) {
		return nil, errBody
	}
	if r := c.rooms[name]; r != nil {
		return r, nil
	}
	for other, r := range c.rooms {
		if len(c.rooms) < maxRooms {
			break
		}
		if len(r.members) == 0 {
			delete(c.rooms, other)
		}
	}
	if len(c.rooms) >= maxRooms {
		return nil, errFull
	}
	c.rooms[name] = &room{name: name, members: map[string]string{}}
	return c.rooms[name], nil
}

// add keeps what somebody says in a room, and sends it to all who are there.
func (c *chat) add(ctx context.Context, r *room, from string, body []byte) error {
	var said request
	err := json.Unmarshal(body, &said)
	text := strings.TrimSpace(said.Text)
	if r == nil || err != nil || text == "" || utf8.RuneCountInString(text) > maxText {
		return errBody
	}
	m := event{Type: "message", From: from, Text: text, At: time.Now().UTC()}
	r.history = append(r.history, m)
	r.history = r.history[max(0, len(r.history)-maxHistory):]
	return c.publish(ctx, r, m)
}

// present tells a room who is in it. Somebody with two windows is one.
func (c *chat) present(ctx context.Context, r *room) error {
	return c.publish(ctx, r, event{Type: "presence", People: slices.Compact(slices.Sorted(maps.Values(r.members)))})
}

// publish sends to all in a room. Whom it doesn't reach has gone, or reads too slowly.
func (c *chat) publish(ctx context.Context, r *room, e event) error {
	data, _ := json.Marshal(e) // it has nothing that can't be JSON
	_, err := c.api.Publish(ctx, r.name, websocket.Text, data)
	return err
}
