package transform_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
)

func ExampleNewREST() {
	_, err := transform.NewREST(transform.RESTConfig{
		Type:              transform.HTTP,
		RequestParameters: map[string]string{"integration.request.header.X-Tenant": "method.header.tenant"},
		RequestTemplates:  map[string]string{"application/json": `#if($input.path('$.a')`},
	})
	fmt.Println(err)
	// Output:
	// transform: RESTConfig.RequestParameters["integration.request.header.X-Tenant"]: want method.request.header.NAME, method.request.multivalueheader.NAME, method.request.querystring.NAME, method.request.multivaluequerystring.NAME, method.request.path.NAME, method.request.body, method.request.body.PATH, context.NAME, stageVariables.NAME or 'text', got "method.header.tenant"
	// transform: RESTConfig.RequestTemplates["application/json"]: vtl: RequestTemplates["application/json"]:1:23: want an operator or ), got the end of the template
	// transform: RESTConfig.IntegrationResponses: want at least one, or every request fails
}

// A handler of this program that takes another shape of order than clients send, and answers in
// another than they expect.
func ExampleREST_Middleware() {
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println("integration:", r.Header.Get("X-Tenant"), string(body))
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"reason":"sold out"}`)
	})
	createOrder := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type:              transform.HTTP,
		RequestParameters: map[string]string{"integration.request.header.X-Tenant": "method.request.querystring.tenant"},
		RequestTemplates:  map[string]string{"application/json": `{"customer":$input.json('$.cust')}`},
		IntegrationResponses: []transform.IntegrationResponse{
			{StatusCode: 200},
			{StatusCode: 400, SelectionPattern: `4\d{2}`, ResponseTemplates: map[string]string{"application/json": `{"err":$input.json('$.reason')}`}},
		},
	}))
	w := httptest.NewRecorder()
	createOrder.Middleware(orders).ServeHTTP(w, httptest.NewRequest("POST", "/orders?tenant=acme", strings.NewReader(`{"cust":"Ann"}`)))
	fmt.Println("client:", w.Code, w.Body)
	// Output:
	// integration: acme {"customer":"Ann"}
	// client: 400 {"err":"sold out"}
}

// A mock answers by itself.
func ExampleREST_Middleware_mock() {
	health := gatekit.Must(transform.NewREST(transform.RESTConfig{
		Type:                 transform.Mock,
		RequestTemplates:     map[string]string{"application/json": `{"statusCode": 200}`},
		IntegrationResponses: []transform.IntegrationResponse{{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `{"ok":true}`}}},
	}))
	w := httptest.NewRecorder()
	health.Middleware(nil).ServeHTTP(w, httptest.NewRequest("GET", "/health", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 200 {"ok":true}
}

// One template alone, for programs that need no more.
func ExampleTemplate_Render() {
	template := gatekit.Must(transform.NewTemplate("order", `{"id":"$input.params('id')","items":$input.path('$.items').size()}`))
	r := httptest.NewRequest("POST", "/orders/7", nil)
	r.SetPathValue("id", "7")
	got, err := template.Render(r, []byte(`{"items":["tea","cup"]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(got.Output))
	// Output: {"id":"7","items":2}
}
