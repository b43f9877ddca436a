package function_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/function"
)

// The chain of a function explains itself as that of a server does.
func TestExplainOfAFunction(t *testing.T) {
	api := apiOf(gatekit.HTTP, "prod", http.NotFoundHandler(), "GET /orders/{id}")
	f := gatekit.Must(function.New(api, function.Config{}))
	for path, want := range map[string]string{
		"/prod/orders/7": "GET /orders/{id} of stage prod: passed\n  1 route  passed  GET /orders/{id}\n",
		"/prod/order/7":  `404, refused by route: no route has segment 1 of the path; the nearest: "GET /orders/{id}"`,
	} {
		r, err := f.Request(t.Context(), []byte(`{"version":"2.0","rawPath":"`+path+`","requestContext":{"stage":"prod","http":{"method":"GET"}}}`))
		require.NoError(t, err)
		r = gatekit.Explained(r)
		serve(api, r)
		require.Contains(t, gatekit.Explain(r), want)
	}
}
