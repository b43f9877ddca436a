package transform_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/restapi"
)

// A REST API with a model, a template and a key, as its console pages have it: what belongs to the
// API is said for the API, and a method is one value.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	shop := gatekit.Must(restapi.New(restapi.Config{
		Models:            map[string]string{"Order": `{"type":"object","required":["cust"],"properties":{"cust":{"type":"string"}}}`},
		RequestValidators: map[string]restapi.RequestValidator{"body": {ValidateRequestBody: true}},
		GatewayResponses: map[gatekit.ResponseType]transform.GatewayResponse{
			gatekit.BadRequestBody: {ResponseTemplates: map[string]string{"application/json": `{"err":$context.error.messageString}`}},
		},
		APIKeys: gatekit.Must(usageplan.New(usageplan.Config{Registry: goldPlan(ctx, "a-key-of-twenty-characters")})).Middleware,
	}))
	createOrder := gatekit.Must(shop.Method(restapi.MethodConfig{
		APIKeyRequired:   true,
		RequestValidator: "body",
		RequestModels:    map[string]string{"application/json": "Order"},
		Integration: transform.RESTConfig{
			Type:                 transform.HTTP,
			RequestTemplates:     map[string]string{"application/json": `{"customer":$input.json('$.cust')}`},
			IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 201}},
		},
	}))
	health := gatekit.Must(shop.Method(restapi.MethodConfig{Integration: transform.RESTConfig{
		Type:                 transform.Mock,
		RequestTemplates:     map[string]string{"application/json": `{"statusCode": 200}`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `{"ok":true}`}}},
	}}))
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Flavor: gatekit.REST}}))
	api.Use(shop.Middleware)
	api.Handle("POST /orders", orderBackend, createOrder.Middleware)
	api.Handle("GET /health", health)

	for _, tt := range []struct{ method, path, key, body string }{
		{"POST", "/orders", "a-key-of-twenty-characters", `{"cust":"Ann"}`},
		{"POST", "/orders", "a-key-of-twenty-characters", `{"cust":1}`},
		{"POST", "/orders", "", `{"cust":"Ann"}`},
		{"GET", "/health", "", ""},
	} {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
		r.Header.Set("X-Api-Key", tt.key)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 201 the backend got {"customer":"Ann"}
	// 400 {"err":"Invalid request body"}
	// 403 {"message":"Forbidden"}
	// 200 {"ok":true}
}

// orderBackend is the backend: a handler of this program, or integration.NewHTTP or NewLambda.
var orderBackend = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "the backend got %s", body)
})

// goldPlan is a usage plan with one key in it.
func goldPlan(ctx context.Context, key string) *usageplan.Registry {
	plans := gatekit.Must(usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: gatekit.Must(usageplan.NewMemory(0))}))
	gatekit.Must(plans.CreatePlan(ctx, usageplan.Plan{ID: "gold", Name: "gold", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}}))
	if _, _, err := plans.CreateKey(ctx, usageplan.NewKey{ID: "shop", Value: key, Enabled: true}); err != nil {
		panic(err)
	}
	if err := plans.AddKey(ctx, "gold", "shop"); err != nil {
		panic(err)
	}
	return plans
}
