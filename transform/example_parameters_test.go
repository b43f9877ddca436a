package transform_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/transform"
)

func ExampleNewParameters() {
	_, err := transform.NewParameters(transform.ParametersConfig{RequestParameters: map[string]string{
		"overwrite:header.authorization": "$context.authorizer.principalId",
		"append:header.x-trace":          "id $context.requestId",
	}})
	fmt.Println(err)
	// Output:
	// transform: ParametersConfig.RequestParameters["overwrite:header.authorization"]: want a header that may be mapped, got "authorization", which is reserved
}

func ExampleParameters_Middleware() {
	mapping := gatekit.Must(transform.NewParameters(transform.ParametersConfig{
		RequestParameters: map[string]string{
			"overwrite:path":         "/v2/orders/${request.path.id}",
			"overwrite:header.x-env": "${context.stage}-gw",
			"append:querystring.fmt": "json",
			"append:header.x-client": "$request.header.x-app",
			"remove:header.x-app":    "",
		},
		ResponseParameters: map[int]map[string]string{
			404: {"overwrite:statuscode": "410", "append:header.x-reason": "$response.body.error.code"},
		},
	}))
	backend := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL, r.Header)
		w.WriteHeader(404)
		fmt.Fprint(w, `{"error":{"code":"gone"}}`)
	})
	api := gatekit.Must(route.New(route.Config{API: gatekit.API{Stage: "blue"}}))
	api.Handle("GET /orders/{id}", backend, mapping.Middleware)

	r := httptest.NewRequest("GET", "/orders/7?q=1", nil)
	r.Header.Set("X-App", "shop")
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("X-Reason"), w.Body)
	// Output:
	// /v2/orders/7?q=1&fmt=json map[X-Client:[shop] X-Env:[blue-gw]]
	// 410 gone {"error":{"code":"gone"}}
}
