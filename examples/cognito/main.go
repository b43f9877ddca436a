// Cognito puts a user pool's authorizer in front of a REST API: ID tokens on a route without
// scopes, access tokens on one with them.
//
//	go run ./examples/cognito
//
// It starts an issuer that stands in for the pool and prints what to try. With -pool it trusts a
// real one:
//
//	go run ./examples/cognito -pool arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_AbC
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
	"github.com/gatekit-go/gatekit/route"
)

const examplePool = "arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_Example"

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	pool := flag.String("pool", "", "ARN of the user pool to trust; empty starts a stand-in here")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, *pool); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, pool string) error {
	config := auth.CognitoConfig{UserPools: []string{pool}}
	var own *authtest.Issuer
	if pool == "" {
		var err error
		if own, err = authtest.StartIssuer(); err != nil {
			return err
		}
		defer own.Close()
		config = auth.CognitoConfig{UserPools: []string{examplePool},
			Issuers: map[string]string{examplePool: own.URL()}}
	}
	api, err := gateway(ctx, config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second}
	printTry("http://"+listener.Addr().String(), own)
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func gateway(ctx context.Context, config auth.CognitoConfig) (http.Handler, error) {
	users, err := auth.NewCognito(ctx, config)
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil)) // refusals, and why, on stderr
	api.Handle("GET /me", http.HandlerFunc(me), auth.Require(users))
	api.Handle("GET /cats", http.HandlerFunc(cats), auth.Require(users, "https://example.com/cats.read"))
	return api, nil
}

// me reads claims in the form in which the managed gateway hands them on.
func me(w http.ResponseWriter, r *http.Request) {
	user := gatekit.From(r.Context()).Authorization
	name, _ := user.ClaimString("cognito:username")
	groups, _ := user.ClaimString("cognito:groups")
	fmt.Fprintf(w, "%s of %s", name, groups)
}

func cats(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Tom") }

// printTry prints commands for one shell, each with what it answers behind the #.
func printTry(url string, own *authtest.Issuer) {
	fmt.Printf("listening on %s\n\nAPI=%s\n", url, url)
	if own == nil {
		fmt.Println(`curl -s -H "Authorization: $ID" $API/me   # ID is an ID token of your pool`)
		return
	}
	fmt.Println("ID=" + own.Mint(authtest.Claims{
		"token_use": "id", "aud": "client1", "cognito:username": "ann", "cognito:groups": []string{"admins", "users"},
	}))
	fmt.Println("ACCESS=" + own.Mint(authtest.Claims{
		"token_use": "access", "client_id": "client1", "scope": "openid https://example.com/cats.read",
	}))
	fmt.Println("LATE=" + own.Mint(authtest.Claims{"token_use": "id", "aud": "client1", "exp": time.Now().Unix() - 1}))
	fmt.Print(`
# who am I: an ID token
curl -sw ' %{http_code}\n' -H "Authorization: $ID" $API/me   # ann of admins,users 200
# a route with a scope: an access token that has it
curl -sw ' %{http_code}\n' -H "Authorization: $ACCESS" $API/cats   # Tom 200
# each on the other's route
curl -sw ' %{http_code}\n' -H "Authorization: $ACCESS" $API/me   # {"message":"Unauthorized"} 401
curl -sw ' %{http_code}\n' -H "Authorization: $ID" $API/cats   # {"message":"Unauthorized"} 401
# too late, and without any
curl -sw ' %{http_code}\n' -H "Authorization: $LATE" $API/me   # {"message":"The incoming token has expired"} 401
curl -sw ' %{http_code}\n' $API/me   # {"message":"Unauthorized"} 401
`)
}
