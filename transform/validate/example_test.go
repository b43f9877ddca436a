package validate_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/transform/validate"
)

var createPet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "created %s", body)
})

// post sends a body and prints the answer.
func post(h http.Handler, target, body string) {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
}

func ExampleNew() {
	models := gatekit.Must(validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{
		"Pet": `{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"price":{"type":"number","minimum":0}}}`,
	}}))
	pet := gatekit.Must(validate.New(validate.Config{
		ValidateBody:       true,
		ValidateParameters: true,
		Models:             models,
		RequestModels:      map[string]string{"application/json": "Pet"},
		RequestParameters:  map[string]bool{"method.request.querystring.shop": true, "method.request.header.x-trace": false},
	}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("POST /pets", createPet, pet.Middleware)
	post(api, "/pets?shop=1", `{"name":"Rex","price":20}`)
	post(api, "/pets", `{"name":"Rex"}`)
	post(api, "/pets?shop=1", `{"price":-1}`)
	// Output:
	// 200 created {"name":"Rex","price":20}
	// 400 {"message":"Missing required request parameters: [shop]"}
	// 400 {"message":"Invalid request body"}
}

// Clients that may know what is wrong are told, with places.
func ExampleNew_problemDetails() {
	models := gatekit.Must(validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{
		"Pet": `{"type":"object","required":["name"],"properties":{"price":{"type":"number","minimum":0}}}`,
	}}))
	pet := gatekit.Must(validate.New(validate.Config{
		ValidateBody:   true,
		Models:         models,
		RequestModels:  map[string]string{"application/json": "Pet"},
		ProblemDetails: true,
	}))
	post(pet.Middleware(createPet), "/pets", `{"price":-1}`)
	// Output:
	// 400 {"type":"about:blank","title":"Bad Request","status":400,"detail":"Invalid request body","errors":[{"detail":"object has missing required properties ([\"name\"])","pointer":"#"},{"detail":"numeric instance is lower than the required minimum (minimum: 0, found: -1)","pointer":"#/price"}]}
}

// A validator that only names a model for JSON lets other bodies through unseen, as the managed
// gateway does; a handler that reads JSON whatever its type is open then. RequireModel closes it.
func ExampleNew_incorrect() {
	models := gatekit.Must(validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{"Pet": `{"required":["name"]}`}}))
	for _, required := range []bool{false, true} {
		pet := gatekit.Must(validate.New(validate.Config{
			ValidateBody: true, Models: models, RequestModels: map[string]string{"application/json": "Pet"}, RequireModel: required,
		}))
		r := httptest.NewRequest("POST", "/pets", strings.NewReader(`{}`))
		r.Header.Set("Content-Type", "text/plain")
		w := httptest.NewRecorder()
		pet.Middleware(createPet).ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 created {}
	// 415 {"message":"Unsupported Media Type"}
}

func ExampleNewModels() {
	_, err := validate.NewModels(validate.ModelsConfig{
		APIID: "a1b2c3",
		Schemas: map[string]string{
			"Pets": `{"type":"array","items":{"$ref":"https://apigateway.amazonaws.com/restapis/a1b2c3/models/Pet"}}`,
			"Pet":  `{"type":"object","properties":{"name":{"type":"string"}}}`,
			"Cat":  `{"type":"object",}`,
		},
	})
	fmt.Println(err)
	// Output:
	// validate: ModelsConfig.Schemas["Cat"]: want a JSON schema: not JSON, at byte 17
}
