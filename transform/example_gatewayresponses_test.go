package transform_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle"
	"github.com/gatekit-go/gatekit/transform"
)

func ExampleNewGatewayResponses() {
	_, err := transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.Throttled: {ResponseParameters: map[string]string{"gatewayresponse.header.Retry-After": "30"}},
	}})
	fmt.Println(err)
	// Output:
	// transform: GatewayResponsesConfig.Responses[THROTTLED].ResponseParameters["gatewayresponse.header.Retry-After"]: want method.request.header.NAME, method.request.querystring.NAME, method.request.path.NAME, context.NAME, stageVariables.NAME or 'text', got "30"
}

func ExampleGatewayResponses_Middleware() {
	responses := gatekit.Must(transform.NewGatewayResponses(transform.GatewayResponsesConfig{Responses: map[gatekit.ResponseType]transform.GatewayResponse{
		gatekit.Throttled: {
			StatusCode:         503,
			ResponseParameters: map[string]string{"gatewayresponse.header.Retry-After": "'30'"},
			ResponseTemplates:  map[string]string{"application/json": `{"error":{"code":"$context.error.responseType","text":$context.error.messageString}}`},
		},
	}}))
	limit := gatekit.Must(throttle.New(throttle.Limit{})) // nothing passes
	h := gatekit.Chain(http.NotFoundHandler(), responses.Middleware, limit.Middleware)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/pets", nil))
	fmt.Println(w.Code, w.Header().Get("Retry-After"), w.Body)
	// Output:
	// 503 30 {"error":{"code":"THROTTLED","text":"Too Many Requests"}}
}
