// Lambdaadapter runs one chain in both places: as a server, and as a Lambda function behind an HTTP
// API, a REST API or a function URL.
//
//	go run ./examples/lambdaadapter
//
// In Lambda, where AWS_LAMBDA_RUNTIME_API is set, the same program is the function. Here it serves
// the chain, and beside it, under /function/, a page that invokes the function with an event in
// each of the three formats.
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

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/cors"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/function"
	"github.com/gatekit-go/gatekit/throttle"
)

// chain is an API as any other: CORS, a limit for each address, a route.
func chain() (http.Handler, error) {
	rules, err := cors.New(cors.Config{AllowOrigins: []string{"https://myapp.com"}})
	if err != nil {
		return nil, err
	}
	limit, err := throttle.NewPerKey(throttle.Limit{Rate: 1.0 / 60, Burst: 4}, throttle.KeyConfig{Key: throttle.ByIP})
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil), rules.Middleware) // refusals, and why, on stderr
	api.Handle("GET /orders/{id}", http.HandlerFunc(getOrder), limit.Middleware)
	return api, nil
}

func getOrder(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"order":%q,"for":%q}`, r.PathValue("id"), gatekit.SourceIP(r))
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
	h, err := chain()
	if err != nil {
		return err
	}
	function, err := function.New(h, function.Config{})
	if err != nil {
		return err
	}
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(function) // never returns
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.Handle("GET /function/{format}", invoke(function))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
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

// events are what API Gateway sends for GET /orders/7 from 203.0.113.9.
var events = map[string]string{
	"v2": `{"version":"2.0","routeKey":"$default","rawPath":"/orders/7","rawQueryString":"","headers":{"host":"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"},
		"requestContext":{"accountId":"111122223333","apiId":"a1b2c3d4e5","stage":"$default","http":{"method":"GET","path":"/orders/7","protocol":"HTTP/1.1","sourceIp":"203.0.113.9","userAgent":"curl"}},"isBase64Encoded":false}`,
	"v1": `{"version":"1.0","resource":"$default","path":"/prod/orders/7","httpMethod":"GET","multiValueHeaders":{"Origin":["https://myapp.com"]},
		"requestContext":{"apiId":"a1b2c3d4e5","stage":"prod","identity":{"sourceIp":"203.0.113.9"}},"body":null,"isBase64Encoded":false}`,
	"rest": `{"resource":"/{proxy+}","path":"/orders/7","httpMethod":"GET","headers":{},"pathParameters":{"proxy":"orders/7"},
		"requestContext":{"apiId":"a1b2c3d4e5","stage":"prod","path":"/prod/orders/7","identity":{"sourceIp":"203.0.113.9"}},"body":null,"isBase64Encoded":false}`,
}

// invoke shows the function's reply to an event, without headers, which differ from call to call.
func invoke(function gatekit.Invoker) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, ok := events[r.PathValue("format")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		reply, err := function.Invoke(r.Context(), []byte(event))
		var shown struct {
			StatusCode int    `json:"statusCode"`
			Body       string `json:"body"`
		}
		if err == nil {
			err = json.Unmarshal(reply, &shown)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "%d %s", shown.StatusCode, shown.Body)
	})
}

// printTry prints commands for one shell, to be run in this order: the function's are of one
// caller, whom the limit gives four at once.
func printTry(url string) {
	fmt.Printf("listening on %s\n\nAPI=%s\n", url, url)
	fmt.Print(`
# as a server
curl -s $API/orders/7   # {"order":"7","for":"127.0.0.1"}
# as a function, with the event of an HTTP API in payload format 2.0, in 1.0, and of a REST API
curl -s $API/function/v2   # 200 {"order":"7","for":"203.0.113.9"}
curl -s $API/function/v1   # 200 {"order":"7","for":"203.0.113.9"}
curl -s $API/function/rest   # 200 {"order":"7","for":"203.0.113.9"}
# the caller's limit counts in both places
for i in 1 2; do curl -sw ' ' $API/function/v2; done   # 200 {"order":"7","for":"203.0.113.9"} 429 {"message":"Too Many Requests"}
`)
}
