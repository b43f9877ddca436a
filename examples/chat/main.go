// Chat is a WebSocket API with a page to it: rooms, who is in them, and the last 50 messages of
// each for whoever joins late.
//
//	go run ./examples/chat
//
// It prints the page to open and what to try. A page can't send a header with a handshake, so it
// logs in, asks for a ticket with its token, and connects with the ticket, which is good once.
//
// With -redis it is three processes, which share their rooms through a Redis that it brings along
// (miniredis), or a real one. Kill one, and its pages go on with another:
//
//	go run ./examples/chat -redis
//	go run ./examples/chat -redis 127.0.0.1:6379
//
// rooms.go is the chat itself, store.go and redis.go are what it remembers, in the process or in
// Redis, and fleet.go is the three processes.
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
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/redisregistry"
	"github.com/gatekit-go/gatekit/throttle"
)

//go:embed page.html
var page string

// audience is whom the tokens are meant for.
const audience = "chat"

// embedded is the Redis that the program brings along.
const embedded = "embedded"

func main() {
	if last := len(os.Args) - 1; os.Args[last] == "-redis" {
		os.Args = append(os.Args, embedded)
	}
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	redis := flag.String("redis", "", "be three processes on the Redis at this address, or on an "+embedded+" one")
	isMember := flag.Bool("member", false, "be one of the three")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *isMember:
		err = member(ctx, *addr)
	case *redis != "":
		err = fleet(ctx, *addr, *redis)
	default:
		err = alone(ctx, *addr)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// alone is the chat in one process.
func alone(ctx context.Context, addr string) error {
	issuer, err := authtest.StartIssuer() // in place of your OpenID Connect provider
	if err != nil {
		return err
	}
	defer issuer.Close()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return serve(ctx, listener, setup{issuer: issuer.URL(), login: login(issuer), store: newMemory()}, func() {
		url := "http://" + listener.Addr().String()
		fmt.Printf("listening on %s\nopen it in two windows: %s/\n\n", url, url)
		printTry(url, issuer)
	})
}

// setup is what differs between a process that is alone and one of several.
type setup struct {
	issuer string       // the URL of who has issued the tokens
	login  http.Handler // gives them out
	store  store
	// Of one of several:
	nodes   []string // the URLs of all, this one's first
	tickets websocket.TicketStore
	fleet   *redisregistry.Registry
}

// serve is one process until ctx ends; then it says goodbye to its connections.
func serve(ctx context.Context, listener net.Listener, s setup, ready func()) error {
	// Connections outlive ctx, so that Shutdown can say goodbye to them.
	handler, sockets, err := gateway(context.WithoutCancel(ctx), s)
	if err != nil {
		return err
	}
	server := gatekit.HTTP.Limits().HTTPServer(handler) // a connection that is open has its own
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = sockets.Shutdown(last) // first, as the server's knows nothing of connections taken over
		_ = server.Shutdown(last)
	}()
	ready()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-ended
	return nil
}

// gateway is the two APIs: an HTTP API for the page, its login and its tickets, and a WebSocket API
// for what is said.
func gateway(ctx context.Context, s setup) (http.Handler, *websocket.API, error) {
	jwt, err := auth.NewJWT(ctx, auth.JWTConfig{Issuer: s.issuer, Audience: []string{audience}})
	if err != nil {
		return nil, nil, err
	}
	tickets, err := websocket.NewTickets(websocket.TicketConfig{
		Guard: jwt.Middleware, Path: "/chat", AllowOrigins: s.nodes, Store: s.tickets,
	})
	if err != nil {
		return nil, nil, err
	}
	sockets, err := newSockets(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	limit := throttle.Limit{Rate: 5, Burst: 20} // of each process; redisthrottle shares one
	perCaller := gatekit.Must(throttle.NewPerKey(limit, throttle.KeyConfig{Key: throttle.ByPrincipal}))
	rooms := &chat{api: sockets, store: s.store}
	logRefusals := gatekit.LogRefusals(nil) // refusals, and why, on stderr
	sockets.Use(tickets.Middleware)
	sockets.UseMessages(logRefusals, perCaller.Middleware)
	sockets.Handle("join", websocket.HandlerFunc(rooms.join))
	sockets.Handle("say", websocket.HandlerFunc(rooms.say))
	sockets.Handle("$disconnect", websocket.HandlerFunc(rooms.leave))

	api := gatekit.Must(route.New(route.Config{}))
	api.Use(logRefusals)
	if s.nodes != nil { // pages of one process come to another when theirs is gone
		across, err := cors.New(cors.Config{AllowOrigins: s.nodes, AllowHeaders: []string{"authorization"}})
		if err != nil {
			return nil, nil, err
		}
		api.Use(across.Middleware)
	}
	api.Handle("GET /", servePage(s.nodes))
	api.Handle("POST /login", s.login)
	api.Handle("POST /ticket", tickets)
	api.Handle("POST /rooms/{room}", http.HandlerFunc(rooms.post), jwt.Middleware, perCaller.Middleware)

	mux := http.NewServeMux()
	mux.Handle("/chat", logRefusals(sockets))
	mux.Handle("/", api)
	return mux, sockets, errors.Join(api.Build(), sockets.Build())
}

// newSockets is a WebSocket API without its routes.
func newSockets(ctx context.Context, s setup) (*websocket.API, error) {
	config := websocket.Config{
		RouteSelection: "$request.body.action",
		AllowOrigins:   s.nodes,             // other pages are refused; alone, those of other hosts
		Subprotocols:   []string{"chat.v1"}, // a browser wants one of its own selected
		PingInterval:   25 * time.Second,    // or proxies close a quiet room
		PongTimeout:    10 * time.Second,
		IdleTimeout:    websocket.Off, // whoever only reads stays
		Lifetime:       lifetime,
		DrainOver:      time.Second,
	}
	if s.fleet != nil {
		config.Registry, config.Transport = s.fleet, s.fleet
	}
	return websocket.New(ctx, config)
}

// servePage serves the page, which is told where else it may connect to. Its script is allowed by
// its hash, so that nothing else runs there.
func servePage(nodes []string) http.Handler {
	others := ""
	for _, url := range nodes {
		others += " " + url + strings.Replace(url, "http", " ws", 1)
	}
	page := strings.Replace(page, `name="nodes" content=""`, `name="nodes" content="`+strings.Join(nodes, " ")+`"`, 1)
	_, rest, _ := strings.Cut(page, "<script>")
	script, _, _ := strings.Cut(rest, "</script>")
	sum := sha256.Sum256([]byte(script))
	policy := "default-src 'none'; connect-src 'self'" + others + "; style-src 'unsafe-inline'; img-src data:; " +
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
	fmt.Printf("API=%s\nTOKEN=%s\n", url, issuer.Mint(authtest.Claims{"aud": audience, "sub": "curl"}))
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
