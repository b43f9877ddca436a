package function_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/function"
)

// One chain, as a function: lambda.Start(f) is all that main needs.
func ExampleNew() {
	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "order %s for %s", r.PathValue("id"), gatekit.SourceIP(r))
	}))
	f := gatekit.Must(function.New(api, function.Config{}))
	reply, err := f.Invoke(context.Background(), []byte(`{"version":"2.0","rawPath":"/prod/orders/7","requestContext":{"stage":"prod",
		"http":{"method":"GET","sourceIp":"203.0.113.9"},"requestId":"JKJaXmPLvHcESHA="}}`))
	fmt.Println(string(reply), err)
	// Output: {"statusCode":200,"headers":{"Content-Type":"text/plain; charset=utf-8"},"body":"order 7 for 203.0.113.9","isBase64Encoded":false} <nil>
}
