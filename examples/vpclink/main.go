// Vpclink is a private integration: an API whose orders live on two servers behind it, as behind a
// VPC link and a load balancer. One of them can be made to die under load, and no request fails.
//
//	go run ./examples/vpclink
//
// It starts the two servers itself and prints what to try. With -upstreams it sends to servers of
// your own:
//
//	go run ./examples/vpclink -upstreams 10.0.0.1:8080,10.0.0.2:8080
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	upstreams := flag.String("upstreams", "",
		"host:port of the servers behind, separated by commas; empty starts two here")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *upstreams, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, upstreams string, out io.Writer) error {
	var own []*orders
	var targets []integration.Upstream
	if upstreams == "" {
		for _, name := range []string{"a", "b"} {
			o, err := startOrders(name)
			if err != nil {
				return err
			}
			defer o.kill()
			own = append(own, o)
			targets = append(targets, integration.Upstream{Address: o.address})
		}
	} else {
		for address := range strings.SplitSeq(upstreams, ",") {
			targets = append(targets, integration.Upstream{Address: address})
		}
	}
	api, err := gateway(ctx, targets)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("/", api)
	if own != nil {
		mux.HandleFunc("POST /kill-under-load",
			func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, killUnderLoad(url, own[0])) })
		mux.HandleFunc("POST /revive", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, revive(own[0])) })
	}
	server := gatekit.HTTP.Limits().HTTPServer(mux)
	printTry(out, url, own != nil)
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(last)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// gateway is the API and its private integration.
func gateway(ctx context.Context, targets []integration.Upstream) (http.Handler, error) {
	link, err := integration.NewHTTP(ctx, integration.HTTPConfig{
		Private:    true, // the stage's name is put before the path
		Upstreams:  targets,
		Balance:    integration.RoundRobin,
		Health:     &integration.HealthCheck{Path: "/health", Interval: 100 * time.Millisecond, Healthy: 1},
		TryTimeout: 2 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{API: gatekit.API{Stage: "prod"}})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil), gatekit.HTTP.Limits().Middleware) // refusals, and why, on stderr
	api.Handle("GET /orders/{id}", link)
	return api, nil
}

// orders is a server behind the gateway, which can be killed and started again.
type orders struct {
	name, address string
	served        atomic.Int64

	mu     sync.Mutex
	server *http.Server
}

func startOrders(name string) (*orders, error) {
	o := &orders{name: name, address: "127.0.0.1:0"}
	return o, o.start()
}

func (o *orders) start() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	listener, err := net.Listen("tcp", o.address)
	if err != nil {
		return err
	}
	o.address = listener.Addr().String() // the same one again after kill
	o.server = &http.Server{Handler: o, ReadHeaderTimeout: 5 * time.Second}
	go func(s *http.Server) { _ = s.Serve(listener) }(o.server)
	return nil
}

// kill closes everything at once, as a process that dies does: requests in hand are lost.
func (o *orders) kill() {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.server.Close()
}

func (o *orders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" {
		return
	}
	o.served.Add(1)
	fmt.Fprintf(w, "%s from server %s\n", r.URL.Path, o.name)
}

const (
	clients    = 16
	loadBefore = 200 // requests at the server before it dies
	loadAfter  = 200 // requests at the gateway after that
)

// killUnderLoad sends requests from 16 clients, kills the server in the middle, and says how many
// failed.
func killUnderLoad(url string, victim *orders) string {
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	var after, failed atomic.Int64
	var dead atomic.Bool
	start := victim.served.Load()
	stop := time.Now().Add(30 * time.Second)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for after.Load() < loadAfter && time.Now().Before(stop) {
				if dead.Load() {
					after.Add(1)
				}
				if !fine(client, url+"/orders/7") {
					failed.Add(1)
				}
				if victim.served.Load()-start > loadBefore && dead.CompareAndSwap(false, true) {
					victim.kill()
				}
			}
		})
	}
	all.Wait()
	return fmt.Sprintf("server %s died: %t, requests failed: %d\n", victim.name, dead.Load(), failed.Load())
}

func fine(client *http.Client, url string) bool {
	w, err := client.Get(url)
	if err != nil {
		return false
	}
	defer w.Body.Close()
	_, err = io.Copy(io.Discard, w.Body)
	return err == nil && w.StatusCode == http.StatusOK
}

// revive starts the server again; the health checks find it.
func revive(o *orders) string {
	if err := o.start(); err != nil {
		return err.Error() + "\n"
	}
	return "server " + o.name + " is back\n"
}

// printTry prints commands for one shell, each with what it answers behind the #, to be run in this
// order.
func printTry(out io.Writer, url string, own bool) {
	fmt.Fprintf(out, "listening on %s\n\nAPI=%s\n", url, url)
	if !own {
		fmt.Fprintln(out, "curl -s $API/orders/7")
		return
	}
	fmt.Fprint(out, `
# two servers take turns; both see the stage before the path
for i in 1 2 3 4; do curl -s $API/orders/7; done | sort -u | tr '\n' ' '   # /prod/orders/7 from server a /prod/orders/7 from server b
# one dies under load
curl -s -X POST $API/kill-under-load   # server a died: true, requests failed: 0
# the other serves alone
for i in 1 2 3 4; do curl -s $API/orders/7; done | sort -u   # /prod/orders/7 from server b
# the first comes back
curl -s -X POST $API/revive   # server a is back
# and is found
for i in $(seq 50); do curl -s $API/orders/7 | grep 'server a' && break; sleep 0.1; done   # /prod/orders/7 from server a
`)
}
