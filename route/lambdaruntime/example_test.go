package lambdaruntime_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

func ExampleNew() {
	dir := gatekit.Must(os.MkdirTemp("", "function"))
	defer os.RemoveAll(dir)
	code := []byte("exports.handler = async event => ({statusCode: 200, body: `order ${event.pathParameters.id} of ${process.env.SHOP}`});")
	if err := os.WriteFile(filepath.Join(dir, "orders.js"), code, 0o600); err != nil {
		panic(err)
	}

	orders := gatekit.Must(lambdaruntime.New(lambdaruntime.Config{
		Name: "orders", Runtime: "nodejs22.x", Handler: "orders.handler", Dir: dir,
		Environment: map[string]string{"SHOP": "books"},
	}))
	defer orders.Close()

	api := gatekit.Must(route.New(route.Config{}))
	api.Handle("GET /orders/{id}", gatekit.Must(integration.NewLambda(orders, integration.LambdaConfig{})))
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/orders/7", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 200 order 7 of books
}

// A program that was built for Lambda answers in a test as it does there: bit by bit, if it streams.
func ExampleFunction_InvokeStream() {
	orders := gatekit.Must(lambdaruntime.New(lambdaruntime.Config{
		Name: "orders", Dir: built, Environment: map[string]string{"STREAM": "yes"},
	}))
	defer orders.Close()
	answer := gatekit.Must(orders.InvokeStream(context.Background(), []byte(`{}`)))
	defer answer.Close()
	_, _ = io.Copy(os.Stdout, answer)
	// Output: first second
}
