package definition_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

// list is a function of the program's own; lambda.NewHandler makes one of any that AWS Lambda
// takes.
type list struct{}

func (list) Invoke(context.Context, []byte) ([]byte, error) {
	return []byte(`{"statusCode":200,"body":"[\"cat\"]"}`), nil
}

const shop = `{
	"apis": [{
		"id": "Shop", "flavor": "HTTP",
		"routes": {
			"GET /pets": {
				"auth": {"type": "NONE"},
				"integration": {"type": "AWS_PROXY", "payload_format": "2.0", "target": {"kind": "lambda", "function": "List6A1F"}}
			},
			"POST /pets": {
				"auth": {"type": "JWT", "authorizer": "login"},
				"integration": {"type": "AWS_PROXY", "payload_format": "2.0", "target": {"kind": "lambda", "function": "Create9B2C"}}
			}
		},
		"authorizers": {"login": {"type": "JWT", "issuer": "https://login.example", "audience": ["shop"]}},
		"stages": {"$default": {}}
	}],
	"resources": {"List6A1F": {"type": "AWS::Lambda::Function", "path": "Shop/List"}}
}`

func ExampleBuild() {
	doc := gatekit.Must(definition.Unmarshal([]byte(shop)))
	gateway := gatekit.Must(definition.Build(context.Background(), doc, definition.Bindings{
		Functions: map[string]gatekit.Invoker{"Shop/List": list{}}, // by its path in the CDK program
		Logger:    slog.New(slog.DiscardHandler),
	}))
	defer gateway.Close()
	for _, method := range []string{"GET", "POST"} {
		w := httptest.NewRecorder()
		gateway.ServeHTTP(w, httptest.NewRequest(method, "/pets", nil))
		fmt.Println(w.Code, w.Body)
	}
	fmt.Print(gateway.Report())
	// Output:
	// 200 ["cat"]
	// 500 {"message":"Internal Server Error"}
	// 1 of 2 routes served
	//
	// SEVERITY  API   ROUTE       WHERE  WHAT
	// unbound   Shop  POST /pets  -      nothing says where the keys of the issuer https://login.example are
	//                                    → bind Bindings.Issuers["https://login.example"]; an empty binding fetches its keys from where it says
}

// What a program isn't given it doesn't start without.
func ExampleBuild_strict() {
	doc := gatekit.Must(definition.Unmarshal([]byte(shop)))
	_, err := definition.Build(context.Background(), doc, definition.Bindings{
		Functions: map[string]gatekit.Invoker{"*": list{}}, Strict: true,
	})
	var refused *definition.ReportError
	if errors.As(err, &refused) {
		fmt.Println(refused.Refused[0].What)
	}
	// Output: nothing says where the keys of the issuer https://login.example are
}

func ExampleGateway_Update() {
	gateway := gatekit.Must(definition.Build(context.Background(), &definition.Document{}, definition.Bindings{
		Functions: map[string]gatekit.Invoker{"*": list{}}, Logger: slog.New(slog.DiscardHandler),
	}))
	defer gateway.Close()
	answer := func() int {
		w := httptest.NewRecorder()
		gateway.ServeHTTP(w, httptest.NewRequest("GET", "/pets", nil))
		return w.Code
	}
	fmt.Println(answer())
	if err := gateway.Update(context.Background(), gatekit.Must(definition.Unmarshal([]byte(shop)))); err != nil {
		fmt.Println(err)
	}
	fmt.Println(answer())
	// Output:
	// 403
	// 200
}

func ExampleGateway_Stage() {
	doc := gatekit.Must(definition.Unmarshal([]byte(shop)))
	gateway := gatekit.Must(definition.Build(context.Background(), doc, definition.Bindings{
		Functions: map[string]gatekit.Invoker{"Shop/*": list{}}, Logger: slog.New(slog.DiscardHandler),
	}))
	defer gateway.Close()
	stage := gatekit.Must(gateway.Stage("Shop", "$default"))
	w := httptest.NewRecorder()
	stage.ServeHTTP(w, httptest.NewRequest("GET", "https://any.example/pets", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 200 ["cat"]
}
