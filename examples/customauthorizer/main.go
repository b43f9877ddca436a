// Customauthorizer puts an authorizer function of aws-lambda-go, as it runs behind the managed
// gateway, in front of a Go handler. Nothing of the function changes; its decisions are kept for
// five minutes, as there.
//
//	go run ./examples/customauthorizer
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

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
	"github.com/gatekit-go/gatekit/route"
)

// authorize is the function: the developer guide's example of a TOKEN authorizer, which tells by
// the token's text what to answer. Its policy covers all GET methods of the stage, since it is kept
// and used for other methods than the first.
func authorize(_ context.Context, e events.APIGatewayCustomAuthorizerRequest) (
	events.APIGatewayCustomAuthorizerResponse, error) {
	effect := "Deny"
	switch e.AuthorizationToken {
	case "allow":
		effect = "Allow"
	case "deny":
	default:
		return events.APIGatewayCustomAuthorizerResponse{}, errors.New("Unauthorized") // the text that means 401
	}
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: "user-7",
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{
				{Action: []string{"execute-api:Invoke"}, Effect: effect,
					Resource: []string{"arn:aws:execute-api:*:*:*/GET/*"}},
			},
		},
		Context: map[string]any{"tenant": "t9"},
	}, nil
}

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
	api, err := gateway()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second}
	printTry("http://" + listener.Addr().String())
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func gateway() (http.Handler, error) {
	// lambda.NewHandler makes an Invoker of any function that lambda.Start takes.
	authorizer, err := auth.NewLambda(lambda.NewHandler(authorize), auth.LambdaConfig{Type: "TOKEN"})
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{API: gatekit.API{
		Flavor: gatekit.REST, Region: "us-east-1", AccountID: "111122223333", APIID: "a1b2c3d4e5", Stage: "prod",
	}})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil)) // refusals, and why, on stderr
	api.Handle("GET /orders/{id}", http.HandlerFunc(getOrder), authorizer.Middleware)
	api.Handle("GET /stats", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s := authorizer.Stats()
		fmt.Fprintf(w, "hits %d, misses %d, kept %d", s.Hits, s.Misses, s.Entries)
	}))
	return api, nil
}

func getOrder(w http.ResponseWriter, r *http.Request) {
	caller := gatekit.From(r.Context()).Authorization
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"order":%q,"caller":%q,"tenant":%q}`, r.PathValue("id"), caller.Principal(),
		caller.Context()["tenant"])
}

// printTry prints commands for one shell, each with what it answers behind the #, to be run in this
// order.
func printTry(url string) {
	fmt.Printf("listening on %s\n\nAPI=%s\n", url, url)
	fmt.Print(`
# the function allows, and is called
curl -sw ' %{http_code}\n' -H 'Authorization: allow' $API/orders/7   # {"order":"7","caller":"user-7","tenant":"t9"} 200
# another order: its policy is kept, and evaluated for this one
curl -sw ' %{http_code}\n' -H 'Authorization: allow' $API/orders/8   # {"order":"8","caller":"user-7","tenant":"t9"} 200
# its policy denies
curl -sw ' %{http_code}\n' -H 'Authorization: deny' $API/orders/7   # {"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"} 403
# it doesn't know the token: nothing is kept
curl -sw ' %{http_code}\n' -H 'Authorization: nonsense' $API/orders/7   # {"message":"Unauthorized"} 401
# without the header it isn't called
curl -sw ' %{http_code}\n' $API/orders/7   # {"message":"Unauthorized"} 401
# what became of the five
curl -s $API/stats   # hits 1, misses 3, kept 2
`)
}
