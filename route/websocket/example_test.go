package websocket_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
	"github.com/gatekit-go/gatekit/throttle"
)

// say is a handler that replies with the name of its route.
var say = websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
	return &websocket.Reply{Data: []byte(m.RouteKey)}, nil
})

func ExampleNew() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	api := gatekit.Must(websocket.New(ctx, websocket.Config{
		API:            gatekit.API{APIID: "a1b2c3d4e5", Stage: "prod"},
		RouteSelection: "$request.body.action",
	}))
	api.Handle("$connect", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		if m.Request.URL.Query().Get("room") == "" {
			return nil, &gatekit.Rejection{Type: gatekit.BadRequestParameters}
		}
		return nil, nil
	}))
	api.Handle("join", say)
	api.Handle("log", say, websocket.OneWay)
	api.Handle("$default", say)

	_, resp := websockettest.Dial(ctx, api, "wss://api.example/prod", nil)
	fmt.Println(resp.Status)
	client, resp := websockettest.Dial(ctx, api, "wss://api.example/prod?room=a", nil)
	fmt.Println(resp.Status)
	for _, message := range []string{`{"action":"join"}`, `{"action":"log"}`, `not even JSON`} {
		_ = client.SendText(message)
	}
	for range 2 {
		reply, _ := client.Receive(time.Minute)
		fmt.Println(reply)
	}
	// Output:
	// 400 Bad Request
	// 101 Switching Protocols
	// join
	// $default
}

// A route that nobody has to reach has its limit on it; what is refused is an error frame, and the
// connection stays.
func ExampleAPI_Handle_limit() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	api := gatekit.Must(websocket.New(ctx, websocket.Config{RouteSelection: "$request.body.action"}))
	limit := gatekit.Must(throttle.New(throttle.Limit{Rate: 0.01, Burst: 1}))
	api.Handle("join", say, limit.Middleware)

	client, _ := websockettest.Dial(ctx, api, "wss://api.example/prod", nil)
	for range 2 {
		_ = client.SendText(`{"action":"join"}`)
		reply, _ := client.Receive(time.Minute)
		fmt.Println(strings.SplitAfter(reply, ",")[0])
	}
	// Output:
	// join
	// {"message": "Too Many Requests",
}

func ExampleAPI_Connections() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	api := gatekit.Must(websocket.New(ctx, websocket.Config{RouteSelection: "$request.body.action"}))
	ids := make(chan string, 1)
	api.Handle("$connect", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		ids <- m.ConnectionID
		return nil, nil
	}))
	_, err := api.Connections(nil)
	fmt.Println(err)
	// In a program the guard is (*auth.SigV4).Middleware.
	guard := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc, r := gatekit.Attach(r)
			rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "backend"})
			next.ServeHTTP(w, r)
		})
	}
	connections := gatekit.Must(api.Connections(guard))
	post := func(id string) {
		w := httptest.NewRecorder()
		connections.ServeHTTP(w, httptest.NewRequest("POST", "https://api.example/prod/@connections/"+id, strings.NewReader("hello")))
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("X-Amzn-Errortype"))
	}
	client, _ := websockettest.Dial(ctx, api, "wss://api.example/prod", nil)
	post(<-ids)
	message, _ := client.Receive(time.Minute)
	fmt.Println(message)
	post("AAAAAAAAAAAAAAA=")
	// Output:
	// websocket: Connections: guard: want an authorizer's Middleware, got nil
	// 200 ""
	// hello
	// 410 "GoneException"
}

func ExampleSelect() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	version := func(name string) gatekit.Middleware { // in a program a validator's or a template's Middleware
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
		}
	}
	api := gatekit.Must(websocket.New(ctx, websocket.Config{RouteSelection: "$request.body.action"}))
	api.Handle("join", say, gatekit.Must(websocket.Select("$request.body.v", map[string]gatekit.Middleware{
		"1": version("first"), "2": version("second"),
	})))
	client, _ := websockettest.Dial(ctx, api, "wss://api.example/prod", nil)
	for _, message := range []string{`{"action":"join","v":1}`, `{"action":"join","v":"2"}`, `{"action":"join"}`} {
		_ = client.SendText(message)
		reply, _ := client.Receive(time.Minute)
		fmt.Println(strings.SplitAfter(reply, ",")[0])
	}
	// Output:
	// first
	// second
	// {"message": "Bad request body",
}

func ExampleAPI_Publish() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	api := gatekit.Must(websocket.New(ctx, websocket.Config{RouteSelection: "$request.body.action"}))
	api.Handle("join", websocket.HandlerFunc(func(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
		return &websocket.Reply{Data: []byte("welcome")}, api.Enter(ctx, "tea", m.ConnectionID)
	}))
	var clients []*websockettest.Client
	for range 3 {
		client, _ := websockettest.Dial(ctx, api, "wss://api.example/prod", nil)
		clients = append(clients, client)
	}
	for _, client := range clients[:2] {
		_ = client.SendText(`{"action":"join"}`)
		_, _ = client.Receive(time.Minute)
	}
	present, _ := api.Count(ctx, "tea")
	failed, err := api.Publish(ctx, "tea", websocket.Text, []byte("the kettle boils"))
	fmt.Println(present, len(failed), err)
	for _, client := range clients[:2] {
		message, _ := client.Receive(time.Minute)
		fmt.Println(message)
	}
	// Output:
	// 2 0 <nil>
	// the kettle boils
	// the kettle boils
}

func ExampleNewTickets() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	session := func(next http.Handler) http.Handler { // in a program the Middleware of what knows the page's session
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc, r := gatekit.Attach(r)
			rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "ann"})
			next.ServeHTTP(w, r)
		})
	}
	tickets := gatekit.Must(websocket.NewTickets(websocket.TicketConfig{Guard: session, Path: "/prod"}))
	api := gatekit.Must(websocket.New(ctx, websocket.Config{RouteSelection: "$request.body.action", Subprotocols: []string{"chat"}}))
	api.Use(tickets.Middleware)
	api.Handle("whoami", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		return &websocket.Reply{Data: []byte(m.Authorization.Principal())}, nil
	}))

	w := httptest.NewRecorder()
	tickets.ServeHTTP(w, httptest.NewRequest("POST", "https://api.example/ticket", nil))
	ticket := strings.Split(w.Body.String(), `"`)[3]
	offer := http.Header{"Sec-Websocket-Protocol": {"chat, ticket." + ticket}}
	client, _ := websockettest.Dial(ctx, api, "wss://api.example/prod", offer)
	_ = client.SendText(`{"action":"whoami"}`)
	reply, _ := client.Receive(time.Minute)
	fmt.Println(client.Subprotocol, reply)
	_, resp := websockettest.Dial(ctx, api, "wss://api.example/prod", offer)
	fmt.Println("a second time:", resp.StatusCode)
	// Output:
	// chat ann
	// a second time: 401
}

func ExampleBearerFromSubprotocol() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	api := gatekit.Must(websocket.New(ctx, websocket.Config{RouteSelection: "$request.body.action", Subprotocols: []string{"chat"}}))
	api.Use(gatekit.Must(websocket.BearerFromSubprotocol("")))
	api.Handle("$connect", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		fmt.Println(m.Request.Header.Get("Authorization"), m.Request.Header["Sec-Websocket-Protocol"])
		return nil, nil
	}))
	client, _ := websockettest.Dial(ctx, api, "wss://api.example/prod", http.Header{"Sec-Websocket-Protocol": {"chat, bearer.eyJh.bGci.x"}})
	fmt.Println(client.Subprotocol)
	// Output:
	// Bearer eyJh.bGci.x [chat]
	// chat
}
