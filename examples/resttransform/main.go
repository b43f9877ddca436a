// Resttransform keeps an old REST API alive in front of a new JSON backend: mapping templates in
// both directions, a response template that sets the status, validation by a model, and 400 and 403
// answers of its own.
//
//	go run ./examples/resttransform
//
// It needs no account and prints what to try.
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

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/restapi"
)

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
	api, err := gateway(backend())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second}
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

// What the old API's clients send: an order as text fields.
const orderModel = `{
	"$schema": "http://json-schema.org/draft-04/schema#",
	"type": "object",
	"required": ["cust", "sku", "qty"],
	"properties": {
		"cust": {"type": "string", "minLength": 1},
		"sku":  {"type": "string", "pattern": "^[a-z]+$"},
		"qty":  {"type": "string", "pattern": "^[1-9][0-9]{0,2}$"}
	}
}`

// What the new backend takes. The quantity was a text, and is a number now.
const toBackend = `#set($in = $input.path('$'))
{
  "customer": {"name": $input.json('$.cust')},
  "lines": [{"sku": $input.json('$.sku'), "quantity": $in.qty}],
  "source": "legacy $context.stage"
}`

// What the old API's clients expect. The new backend answers 200 to all orders and says in its
// state how it went.
const fromBackend = `#set($out = $input.path('$'))
#if($out.state == "sold-out")
#set($context.responseOverride.status = 409)
#set($context.responseOverride.header.Retry-After = "3600")
{"err":"no $out.lines[0].sku left"}#else
{"orderNo":"$out.id","items":[#foreach($line in $out.lines)"$line.quantity x $line.sku"#if($foreach.hasNext),#end#end]}#end`

// gateway is what the managed gateway's configuration would say.
func gateway(backend http.Handler) (http.Handler, error) {
	shop, err := restapi.New(restapi.Config{
		Models:            map[string]string{"Order": orderModel},
		RequestValidators: map[string]restapi.RequestValidator{"body": {ValidateRequestBody: true}},
		GatewayResponses: map[gatekit.ResponseType]transform.GatewayResponse{
			gatekit.BadRequestBody:             {ResponseTemplates: map[string]string{"application/json": `{"err":"bad order","stage":"$context.stage"}`}},
			gatekit.MissingAuthenticationToken: {ResponseTemplates: map[string]string{"application/json": `{"err":$context.error.messageString}`}},
		},
	})
	if err != nil {
		return nil, err
	}
	createOrder, err := shop.Method(restapi.MethodConfig{
		RequestValidator: "body",
		RequestModels:    map[string]string{"application/json": "Order"},
		Integration: transform.RESTConfig{
			Type:                transform.HTTP,
			URI:                 "http://orders.internal/v2/orders",
			PassthroughBehavior: transform.Never,
			RequestTemplates:    map[string]string{"application/json": toBackend},
			IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200,
				ResponseTemplates: map[string]string{"application/json": fromBackend}}},
		},
	})
	if err != nil {
		return nil, err
	}
	getOrder, err := shop.Method(restapi.MethodConfig{Integration: transform.RESTConfig{
		Type:              transform.HTTP,
		URI:               "http://orders.internal/v2/orders/{id}",
		RequestParameters: map[string]string{"integration.request.path.id": "method.request.path.no"},
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": fromBackend}},
			{StatusCode: 404, SelectionPattern: "404",
				ResponseTemplates: map[string]string{"application/json": `{"err":"no order $input.params('no')"}`}},
		},
	}})
	if err != nil {
		return nil, err
	}
	api, err := route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST, Stage: "v1"}})
	if err != nil {
		return nil, err
	}
	api.Use(gatekit.LogRefusals(nil), shop.Middleware) // refusals, and why, on stderr
	api.Handle("POST /orders", backend, createOrder.Middleware)
	api.Handle("GET /orders/{no}", backend, getOrder.Middleware)
	return api, nil
}

// order is the new backend's.
type order struct {
	ID       string `json:"id,omitempty"`
	State    string `json:"state,omitempty"`
	Customer struct {
		Name string `json:"name"`
	} `json:"customer"`
	Lines []struct {
		SKU      string `json:"sku"`
		Quantity int    `json:"quantity"`
	} `json:"lines"`
	Source string `json:"source"`
}

// backend is the new service. It could be anywhere: behind httputil.ReverseProxy, or another
// handler that sends requests on.
func backend() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/orders", func(w http.ResponseWriter, r *http.Request) {
		var o order
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&o); err != nil || o.Source != "legacy v1" {
			http.Error(w, "not an order", http.StatusUnprocessableEntity)
			return
		}
		if o.ID, o.State = "7", "accepted"; o.Lines[0].SKU == "gold" {
			o.State = "sold-out"
		}
		_ = json.NewEncoder(w).Encode(o)
	})
	mux.HandleFunc("GET /v2/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != "7" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"id":"7","state":"sent","lines":[{"sku":"tea","quantity":2},{"sku":"cup","quantity":1}]}`)
	})
	return mux
}

// printTry prints commands for one shell, each with what it answers behind the #.
func printTry(url string) {
	fmt.Printf("listening on %s\n\nAPI=%s\nJSON='Content-Type: application/json'\n", url, url)
	fmt.Print(`
# an order in the old form, and the answer in the old form
curl -sw ' %{http_code}\n' -H "$JSON" -d '{"cust":"Zoë","sku":"tea","qty":"2"}' $API/orders   # {"orderNo":"7","items":["2 x tea"]} 200
# the backend says 200 and sold-out; the old API said 409
curl -sw ' %{http_code}\n' -H "$JSON" -d '{"cust":"Zoë","sku":"gold","qty":"2"}' $API/orders   # {"err":"no gold left"} 409
# a body that the model refuses never reaches the backend
curl -sw ' %{http_code}\n' -H "$JSON" -d '{"cust":"Zoë","sku":"tea","qty":2}' $API/orders   # {"err":"bad order","stage":"v1"} 400
# a type without a template
curl -sw ' %{http_code}\n' -H 'Content-Type: text/csv' -d 'tea,2' $API/orders   # {"message":"Unsupported Media Type"} 415
# the path's variable goes to the backend's
curl -sw ' %{http_code}\n' $API/orders/7   # {"orderNo":"7","items":["2 x tea","1 x cup"]} 200
# the backend's own 404, as the old API's
curl -sw ' %{http_code}\n' $API/orders/8   # {"err":"no order 8"} 404
# no such route is 403 on a REST API
curl -sw ' %{http_code}\n' $API/pets   # {"err":"Missing Authentication Token"} 403
`)
}
