// Lambda puts functions of aws-lambda-go behind a gateway in one process, unchanged, in the three
// ways that APIs of functions are built: one function for each route, one for all routes, one for
// each resource.
//
//	go run ./examples/lambda
package main

import (
	"context"
	"encoding/json"
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
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
)

// One function for each route: small, and each with rights of its own. A result without a
// statusCode is a 200 with JSON.

type order struct {
	ID   string `json:"id"`
	Item string `json:"item"`
}

func getOrder(_ context.Context, e events.APIGatewayV2HTTPRequest) (order, error) {
	return order{e.PathParameters["id"], "book"}, nil
}

func putOrder(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	var o order
	if err := json.Unmarshal([]byte(e.Body), &o); err != nil {
		return events.APIGatewayV2HTTPResponse{StatusCode: 400, Body: "want an order"}, nil
	}
	return events.APIGatewayV2HTTPResponse{StatusCode: 201, Headers: map[string]string{"Location": "/orders/" + o.ID},
		Body: "made"}, nil
}

// One function for all routes: a whole application, which does its own routing. It has been written
// for a REST API.

func shop(_ context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	switch {
	case e.HTTPMethod == "GET" && e.Path == "/":
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: `{"pages":["about"]}`}, nil
	case e.HTTPMethod == "GET":
		return events.APIGatewayProxyResponse{StatusCode: 200,
			Body: fmt.Sprintf(`{"page":%q}`, e.PathParameters["proxy"])}, nil
	}
	return events.APIGatewayProxyResponse{}, errors.New("the shop is read-only")
}

// One function for each resource: all methods of users in one place.

func users(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	switch e.RouteKey { // the key as it is configured
	case "GET /users":
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "ann, bob"}, nil
	case "GET /users/{id}":
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "user " + e.PathParameters["id"],
			Cookies: []string{"seen=" + e.PathParameters["id"]}}, nil
	case "DELETE /users/{id}":
		return events.APIGatewayV2HTTPResponse{StatusCode: 204}, nil
	}
	return events.APIGatewayV2HTTPResponse{StatusCode: 405}, nil
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
	handler, err := gateway()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
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
	api, err := route.New(route.Config{API: gatekit.API{Region: "us-east-1", AccountID: "111122223333",
		APIID: "a1b2c3d4e5"}})
	if err != nil {
		return nil, err
	}
	rest, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, Region: "us-east-1",
		AccountID: "111122223333", APIID: "r1e2s3t4a5", Stage: "prod"}})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil)) // refusals, and why, on stderr
	byResource, err := function(users)
	if err != nil {
		return nil, err
	}
	var errs []error
	add := func(to *route.API, key string, fn any) {
		h, err := function(fn)
		if err == nil {
			err = to.Add(key, h)
		}
		errs = append(errs, err)
	}
	add(api, "GET /orders/{id}", getOrder)
	add(api, "PUT /orders", putOrder)
	for _, key := range []string{"ANY /users", "GET /users", "GET /users/{id}", "DELETE /users/{id}"} {
		errs = append(errs, api.Add(key, byResource))
	}
	add(rest, "ANY /", shop)
	add(rest, "ANY /{proxy+}", shop)

	// A REST API beside an HTTP API, under a prefix.
	errs = append(errs, api.Add("ANY /shop/{proxy+}", http.StripPrefix("/shop", rest)))
	return api, errors.Join(errs...)
}

// function makes a handler of what lambda.Start takes.
func function(fn any) (http.Handler, error) {
	return integration.NewLambda(lambda.NewHandler(fn), integration.LambdaConfig{})
}

// printTry prints commands for one shell, each with what it answers behind the #.
func printTry(url string) {
	fmt.Printf("listening on %s\n\nAPI=%s\n", url, url)
	fmt.Print(`
# one function for each route
curl -sw ' %{http_code}\n' $API/orders/7   # {"id":"7","item":"book"} 200
curl -sw ' %{http_code}\n' -X PUT -H 'Content-Type: application/json' -d '{"id":"8"}' $API/orders   # made 201
# one function for all: a REST API's; it fails, and the log says of what
curl -sw ' %{http_code}\n' $API/shop/about   # {"page":"about"} 200
curl -sw ' %{http_code}\n' -X POST $API/shop/about   # {"message": "Internal server error"} 502
# one function for each resource
curl -sw ' %{http_code}\n' $API/users   # ann, bob 200
curl -sw ' %header{set-cookie} %{http_code}\n' $API/users/ann   # user ann seen=ann 200
curl -sw '%{http_code}\n' -X DELETE $API/users/ann   # 204
curl -sw ' %{http_code}\n' -X PATCH $API/users   # 405
`)
}
