//go:build servers && unix

package redisregistry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/websocket"
	"github.com/gatekit-go/gatekit/route/websocket/redisregistry"
)

// asNode is set in the environment of a test program that is to be a node: the address of Redis.
const asNode = "REDISREGISTRY_NODE"

func TestMain(m *testing.M) {
	addr := os.Getenv(asNode)
	if addr == "" {
		os.Exit(m.Run())
	}
	if err := serveNode(addr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const (
	apiLease  = 4 * time.Second
	apiMargin = time.Second
	drainOver = 1500 * time.Millisecond
	everybody = "everybody" // the group that all clients are in
)

// node is one process of a fleet: a WebSocket API with its @connections, and what a test tells it to
// do. It says on stdout what has happened, a line each.
type node struct {
	api      *websocket.API
	release  func()
	released chan struct{}
}

// order is what a test has a node send.
type order struct {
	How string // "send", "broadcast" or "group"
	IDs []string
	N   int
}

// outcome is the status of each connection that an order was for, as @connections would answer.
type outcome map[string]int

func serveNode(addr string) error {
	ctx := context.Background()
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true, DialTimeout: time.Second})
	fleet, err := redisregistry.New(ctx, redisregistry.Config{Client: client, Name: "apis", Lease: apiLease, Margin: apiMargin})
	if err != nil {
		return err
	}
	api, err := websocket.New(ctx, websocket.Config{
		RouteSelection: "$request.body.action", Registry: fleet, Transport: fleet, CallTimeout: 2 * time.Second, DrainOver: drainOver,
	})
	if err != nil {
		return err
	}
	n := &node{api: api, released: make(chan struct{})}
	n.release = sync.OnceFunc(func() { close(n.released) })
	api.Handle("join", websocket.HandlerFunc(n.join))
	api.Handle("wait", websocket.HandlerFunc(n.wait))
	api.Handle("$disconnect", websocket.HandlerFunc(func(_ context.Context, m *websocket.Message) (*websocket.Reply, error) {
		fmt.Println("disconnect", m.ConnectionID)
		return nil, nil
	}))
	conns, err := api.Connections(anybody)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/prod", api)
	mux.Handle("/prod/@connections/", conns)
	mux.HandleFunc("POST /order", n.order)
	mux.HandleFunc("POST /release", func(http.ResponseWriter, *http.Request) { n.release() })
	mux.HandleFunc("POST /shutdown", func(w http.ResponseWriter, r *http.Request) {
		if err := api.Shutdown(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening", "http://"+listener.Addr().String())
	go func() { _ = http.Serve(listener, mux) }()
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	return nil
}

// anybody is the guard of @connections.
func anybody(next http.Handler) http.Handler {
	backend := gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: "backend"})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc, r := gatekit.Attach(r)
		rc.Authorization = backend
		next.ServeHTTP(w, r)
	})
}

// said is what clients hear: their ID when they have joined, a message's number, or that a wait is over.
type said struct {
	ID     string `json:"id,omitempty"`
	N      int    `json:"n,omitempty"`
	Waited bool   `json:"waited,omitempty"`
}

func (s said) reply() *websocket.Reply {
	text, _ := json.Marshal(s)
	return &websocket.Reply{Data: text}
}

func (n *node) join(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
	return said{ID: m.ConnectionID}.reply(), n.api.Enter(ctx, everybody, m.ConnectionID)
}

// wait is an integration that takes its time.
func (n *node) wait(ctx context.Context, m *websocket.Message) (*websocket.Reply, error) {
	fmt.Println("waiting", m.ConnectionID)
	select {
	case <-n.released:
		return said{Waited: true}.reply(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *node) order(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	done, err := n.do(r.Context(), o)
	if err != nil {
		http.Error(w, err.Error(), statusOf(err))
		return
	}
	_ = json.NewEncoder(w).Encode(done)
}

// do sends. To a group it does what API.Publish does, in its two halves, so that it is known whom it was
// for.
func (n *node) do(ctx context.Context, o order) (outcome, error) {
	text, _ := json.Marshal(said{N: o.N})
	ids := o.IDs
	switch o.How {
	case "send":
		return outcome{ids[0]: statusOf(n.api.Send(ctx, ids[0], websocket.Text, text))}, nil
	case "group":
		var err error
		if ids, err = n.api.Group(ctx, everybody); err != nil {
			return nil, err
		}
	}
	failed, err := n.api.Broadcast(ctx, ids, websocket.Text, text)
	if err != nil {
		return nil, err
	}
	done := outcome{}
	for _, id := range ids {
		done[id] = statusOf(failed[id])
	}
	return done, nil
}

func statusOf(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, websocket.ErrGone):
		return http.StatusGone
	case errors.Is(err, websocket.ErrFull):
		return http.StatusTooManyRequests
	}
	return http.StatusServiceUnavailable
}
