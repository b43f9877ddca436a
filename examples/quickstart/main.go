// Quickstart is the managed gateway's classic first example as a Go program: GET /orders/{id}
// behind a JWT authorizer, CORS for one web origin, and a limit on the route.
//
//	go run ./examples/quickstart
//
// It starts an issuer of its own and prints what to try. With -issuer and -audience it trusts a
// real OpenID Connect provider:
//
//	go run ./examples/quickstart -issuer https://idp.example.com -audience orders
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	issuer := flag.String("issuer", "", "OpenID Connect issuer to trust; empty starts one here")
	audience := flag.String("audience", "orders", "audience that tokens must be meant for")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *issuer, *audience); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, issuer, audience string) error {
	var own *authtest.Issuer
	if issuer == "" {
		var err error
		if own, err = authtest.StartIssuer(); err != nil {
			return err
		}
		defer own.Close()
		issuer = own.URL()
	}
	api, err := gateway(ctx, issuer, audience)
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
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		MaxHeaderBytes:    10 << 10, // the managed gateway's
	}
	printTry("http://"+listener.Addr().String(), own, audience)
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

// gateway is what the managed gateway's configuration would say: CORS, a route, its limit, its
// authorizer.
func gateway(ctx context.Context, issuer, audience string) (http.Handler, error) {
	jwt, err := auth.NewJWT(ctx, auth.JWTConfig{Issuer: issuer, Audience: []string{audience}})
	if err != nil {
		return nil, err
	}
	rules, err := cors.New(cors.Config{
		AllowOrigins: []string{"https://myapp.com"},
		AllowMethods: []string{"GET", "POST", "PUT", "DELETE"},
		AllowHeaders: []string{"Authorization", "Content-Type"},
	})
	if err != nil {
		return nil, err
	}
	stage, err := throttle.NewStage(throttle.StageConfig{Account: throttle.NewAccount()})
	if err != nil {
		return nil, err
	}
	limit, err := stage.Limit(throttle.Limit{Rate: 1.0 / 60, Burst: 5}) // five at once, then one a minute
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil), rules.Middleware) // refusals, and why, on stderr
	api.Handle("GET /orders/{id}", http.HandlerFunc(getOrder), limit, auth.Require(jwt, "orders:read"))
	return api, api.Build()
}

func getOrder(w http.ResponseWriter, r *http.Request) {
	caller := gatekit.From(r.Context()).Authorization
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"order":%q,"caller":%q}`, r.PathValue("id"), caller.Principal())
}

// printTry prints commands for one shell, each with what it answers behind the #. They are meant to
// be run in this order: the first and the third take a token each of the five in the route's
// bucket, as does the second.
func printTry(url string, own *authtest.Issuer, audience string) {
	fmt.Printf("listening on %s\n\nAPI=%s\n", url, url)
	if own == nil {
		fmt.Println(`curl -s -H "Authorization: Bearer $TOKEN" $API/orders/7   # TOKEN is your issuer's, with the scope orders:read`)
		return
	}
	fmt.Println("TOKEN=" + own.Mint(authtest.Claims{"aud": audience, "sub": "ann", "scope": "orders:read"}))
	fmt.Println("WRITER=" + own.Mint(authtest.Claims{"aud": audience, "sub": "bob", "scope": "orders:write"}))
	fmt.Print(`
# with a token: the order
curl -sw ' %{http_code}\n' -H "Authorization: Bearer $TOKEN" $API/orders/7   # {"order":"7","caller":"ann"} 200
# without one
curl -sw ' %{http_code}\n' $API/orders/7   # {"message":"Unauthorized"} 401
# with a token that lacks the scope orders:read
curl -sw ' %{http_code}\n' -H "Authorization: Bearer $WRITER" $API/orders/7   # {"message":"Forbidden"} 403
# a browser's preflight, which needs no token and costs none
ORIGIN='Origin: https://myapp.com'
PUT='Access-Control-Request-Method: PUT'
curl -sw '%header{access-control-allow-methods} %{http_code}\n' -X OPTIONS -H "$ORIGIN" -H "$PUT" $API/orders/7   # GET,POST,PUT,DELETE 204
# a burst: the route's bucket has two requests left, or more if you took minutes, and then says so
for i in 1 2 3 4 5 6; do curl -so /dev/null -w '%{http_code} ' -H "Authorization: Bearer $TOKEN" $API/orders/$i; done   # 200 200 429 429 429 429
`)
}
