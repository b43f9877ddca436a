package terraform_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
	"github.com/gatekit-go/gatekit/route/terraform"
)

// shown is what terraform show -json prints of a state.
const shown = `{"format_version":"1.0","values":{"root_module":{"resources":[
 {"address":"aws_lambda_function.hello","mode":"managed","type":"aws_lambda_function","name":"hello","values":
  {"arn":"arn:aws:lambda:us-east-1:123456789012:function:hello","function_name":"hello"}},
 {"address":"aws_apigatewayv2_api.hello","mode":"managed","type":"aws_apigatewayv2_api","name":"hello","values":
  {"id":"a1b2c3d4e5","name":"hello","protocol_type":"HTTP"}},
 {"address":"aws_apigatewayv2_integration.hello","mode":"managed","type":"aws_apigatewayv2_integration","name":"hello","values":
  {"id":"abcdefg","api_id":"a1b2c3d4e5","integration_type":"AWS_PROXY","payload_format_version":"2.0",
   "integration_uri":"arn:aws:lambda:us-east-1:123456789012:function:hello"}},
 {"address":"aws_apigatewayv2_route.hello","mode":"managed","type":"aws_apigatewayv2_route","name":"hello","values":
  {"id":"hijklmn","api_id":"a1b2c3d4e5","route_key":"GET /hello","authorization_type":"NONE","target":"integrations/abcdefg"}},
 {"address":"aws_apigatewayv2_stage.live","mode":"managed","type":"aws_apigatewayv2_stage","name":"live","values":
  {"id":"$default","api_id":"a1b2c3d4e5","name":"$default","auto_deploy":true}}]}}}`

// hello is a function.
type hello struct{}

func (hello) Invoke(context.Context, []byte) ([]byte, error) {
	return []byte(`{"statusCode":200,"body":"Hello"}`), nil
}

// A state is served with the functions that it names.
func ExampleRead() {
	doc := gatekit.Must(terraform.Read([]byte(shown), terraform.Options{}))
	gateway := gatekit.Must(definition.Build(context.Background(), doc, definition.Bindings{
		Functions: map[string]gatekit.Invoker{"aws_lambda_function.hello": hello{}},
	}))
	defer gateway.Close()

	w := httptest.NewRecorder()
	gateway.ServeHTTP(w, httptest.NewRequest("GET", "/hello", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 200 Hello
}
