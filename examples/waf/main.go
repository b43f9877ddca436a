// Waf is an orders API behind a web ACL, from the JSON that `aws wafv2 get-web-acl` prints.
//
//	go run ./examples/waf
//
// The ACL (acl.json) blocks a scanner, marks old clients, blocks SQL injection in queries and JSON
// bodies, and lets an address search ten times a minute. With -log each request's
// record is printed, in the words of the log of AWS WAF.
package main

import (
	"context"
	_ "embed"
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
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/waf"
	"github.com/gatekit-go/gatekit/route"
)

//go:embed acl.json
var document []byte

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	records := flag.Bool("log", false, "print a record of each request")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *records); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string, records bool) error {
	api, err := gateway(ctx, records)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           api,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second, // also how long a rule waits for a body
		WriteTimeout:      30 * time.Second,
		MaxHeaderBytes:    10 << 10,
	}
	printTry("http://" + listener.Addr().String())
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

func gateway(ctx context.Context, records bool) (http.Handler, error) {
	doc, err := waf.Read(document, waf.ReadConfig{})
	if err != nil {
		return nil, err
	}
	cfg := waf.Config{ACL: doc.WebACL}
	if records {
		enc := json.NewEncoder(os.Stderr)
		cfg.Log = func(r *waf.Record) { _ = enc.Encode(r) } // an example's; a program gives it to its logger
	}
	web, err := waf.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil), web.Middleware) // refusals, and which rule, on stderr
	api.Handle("GET /orders/{id}", http.HandlerFunc(getOrder))
	api.Handle("POST /orders", http.HandlerFunc(postOrder))
	api.Handle("GET /search", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") }))
	return api, api.Build()
}

func getOrder(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"order":%q,"client":%q}`, r.PathValue("id"), r.Header.Get("x-amzn-waf-client"))
}

func postOrder(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, "the body can't be read", http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "ordered, %d bytes", n)
}

// printTry prints commands for one shell, each with what it answers behind the #, to be run in this
// order.
func printTry(url string) {
	fmt.Printf("listening on %s\n\nAPI=%s\n", url, url)
	fmt.Print(`
# no rule ends it: the default action allows
curl -sw ' %{http_code}\n' $API/orders/7   # {"order":"7","client":""} 200
# a scanner by its user agent, in any letter case
curl -sw ' %{http_code}\n' -H 'User-Agent: SQLmap/1.8' $API/orders/7   # {"message":"Forbidden"} 403
# an old client: counted, and a header tells the handler
curl -sw ' %{http_code}\n' -H 'User-Agent: orders-app/1.9' $API/orders/7   # {"order":"7","client":"old"} 200
# SQL injection in a query, URL-encoded
curl -sw ' %{http_code}\n' "$API/orders/7?sort=1%27%20OR%20%271%27=%271"   # {"message":"Forbidden"} 403
# in a JSON body, with escapes
curl -sw ' %{http_code}\n' -d '{"note":"1\u0027 OR \u00271\u0027=\u00271"}' $API/orders   # {"message":"Forbidden"} 403
# a body that was judged reaches the handler whole
curl -sw ' %{http_code}\n' -d '{"note":"it is late"}' $API/orders   # ordered, 21 bytes 200
# ten searches a minute
for i in 1 2 3 4 5 6 7 8 9 10; do curl -so /dev/null -w '%{http_code} ' $API/search; done   # 200 200 200 200 200 200 200 200 200 200
curl -sw ' %{http_code}\n' $API/search   # {"message":"slow down"} 429
`)
}
