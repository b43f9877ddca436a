package transformtest_test

import (
	"fmt"

	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/transformtest"
)

// A golden test: the template, a sample event, what must come out.
func ExampleRender() {
	got, err := transformtest.Render(`{"order":$input.json('$.id'),"stage":"$context.stage"}`, transformtest.Event{
		Body:    `{"id": 7}`,
		Context: map[string]string{"stage": "prod"},
	})
	fmt.Println(got.Output, err)
	// Output: {"order":7,"stage":"prod"} <nil>
}

// What each reference became tells why a template isn't what it should be: the name is misspelled.
func ExampleTraceText() {
	got, _ := transformtest.Render(`$input.path('$.user').nmae is $input.path('$.user.name')`, transformtest.Event{Body: `{"user":{"name":"Ann"}}`})
	fmt.Println(got.Output)
	fmt.Print(transformtest.TraceText(got.Trace))
	// Output:
	//  is Ann
	// 1:1 $input.path('$.user').nmae = undefined
	// 1:31 $input.path('$.user.name') = "Ann"
}

// A method as a whole: what the integration is sent, and what the client gets.
func ExampleExchange() {
	got, err := transformtest.Exchange(transform.RESTConfig{
		Type:              transform.HTTP,
		URI:               "http://orders.internal/v2/orders/{id}",
		RequestParameters: map[string]string{"integration.request.path.id": "method.request.path.id"},
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200},
			{StatusCode: 404, SelectionPattern: "404", ResponseTemplates: map[string]string{"application/json": `{"error":"no order $input.params('id')"}`}},
		},
	}, transformtest.Event{Resource: "/orders/{id}", PathParameters: map[string]string{"id": "7"}}, transformtest.Answer{Status: 404})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(got.Request.Method, got.Request.URL)
	fmt.Println(got.Status, got.Body)
	// Output:
	// GET http://orders.internal/v2/orders/7
	// 404 {"error":"no order 7"}
}
